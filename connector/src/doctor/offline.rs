//! The doctor before documents: what they lack of the vendor's, by the rules by which AWS decides.

use bucketproof_authz::{AccountId, Policy, PolicyKind, PolicySource, Principal, lint};

use super::conditions::{judge_conditions, own_context};
use super::judge::{Judge, customer, everything, obstacle, principal, user};
use super::{DoctorReport, Finding, PROBE_NAME, Verdict, documented, key_document, trust_document};
use crate::names::BucketName;
use crate::policy::{bucket_policy, identity_policy_below};
use crate::profile::{KeyPrefix, PolicyAttachment, VendorProfile};
use crate::store::{DiagnosisKind, Encryption};

/// What the bucket's owner has, as (file name, text), and whom it is about.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    /// The policy of the user or role.
    pub identity: Option<(String, String)>,
    /// The trust policy of the role.
    pub trust: Option<(String, String)>,
    /// The policy of the bucket.
    pub bucket: Option<(String, String)>,
    /// The policy of the KMS key.
    pub key: Option<(String, String)>,
    /// The external id that the trust policy asks for.
    pub external_id: Option<String>,
    /// Who exports, where policies name it: the vendor's principal, or the customer's user.
    pub principal: Option<String>,
    /// The account that owns the bucket.
    pub account: Option<String>,
    /// The region of the bucket, which keys of KMS may ask for.
    pub region: Option<String>,
    /// How writes are encrypted.
    pub encryption: Encryption,
    /// Where objects go below the bucket's root.
    pub prefix: KeyPrefix,
}

impl Documents {
    /// Whether there is anything to judge.
    pub fn is_empty(&self) -> bool {
        self.identity.is_none() && self.trust.is_none() && self.bucket.is_none() && self.key.is_none()
    }
}

/// Compares documents with those that the vendor asks for.
pub fn examine_documents(profile: &VendorProfile, bucket: &str, documents: &Documents) -> DoctorReport {
    let mut findings = Vec::new();
    let mut read = |kind, check: &str, document: &Option<(String, String)>| {
        document.as_ref().and_then(|document| parsed(kind, check, document, &mut findings))
    };
    let identity = read(PolicyKind::Identity, "identity policy", &documents.identity);
    let on_bucket = read(PolicyKind::Bucket, "bucket policy", &documents.bucket);
    let trust = read(PolicyKind::Trust, "trust policy", &documents.trust);
    let key = read(PolicyKind::Key, "key policy", &documents.key);
    match access(profile, bucket, documents, (identity, on_bucket), &mut findings) {
        Some(judge) => {
            if judge.is_asked {
                actions(profile, bucket, documents, &judge, &mut findings);
            }
            if let Some(key) = &key {
                key_document::judge_key(profile, documents, &judge.given, key, &mut findings);
            }
        }
        None if key.is_some() => {
            let message = "nobody is known whom the policy could be about";
            let finding = Finding::new("key policy", Verdict::Skipped, message);
            findings.push(finding.with_help("give the ARN of who exports with `--principal`"));
        }
        None => {}
    }
    if let Some(policy) = &trust {
        trust_document::judge_trust(profile, documents.external_id.as_deref(), policy, &mut findings);
    }
    DoctorReport::of(profile, bucket, findings)
}

/// The policy; what is wrong with its text, and what it does not do although it seems to, goes to `findings`.
fn parsed(
    kind: PolicyKind,
    check: &str,
    (file, text): &(String, String),
    findings: &mut Vec<Finding>,
) -> Option<Policy> {
    match Policy::parse(text, PolicySource::new(kind, check).with_file(file.as_str())) {
        Err(error) => {
            let message = format!("{file}:{}:{}: {}", error.line(), error.column(), error.message());
            findings.push(Finding::new(check, Verdict::Failed, message).with_help(error.help()));
            None
        }
        Ok(policy) => {
            findings.push(Finding::passed(check, format!("`{file}` is a policy")));
            for finding in lint(&policy) {
                let message = format!("{file}:{}:{}: {}", finding.line, finding.column, finding.message);
                findings.push(Finding::new(check, Verdict::Warning, message).with_help(finding.help));
            }
            Some(policy)
        }
    }
}

/// Who exports, by the documents that were given and by those of the page.
struct Access {
    given: Judge,
    page: Judge,
    /// Whether documents about the bucket's actions were given.
    is_asked: bool,
}

fn access(
    profile: &VendorProfile,
    bucket: &str,
    documents: &Documents,
    (identity, on_bucket): (Option<Policy>, Option<Policy>),
    findings: &mut Vec<Finding>,
) -> Option<Access> {
    let named = documents.principal.as_deref();
    let exporter = named.and_then(principal);
    if let (Some(text), None) = (named, &exporter) {
        let message = format!("`{text}` is no ARN of a user, a role or an account");
        let finding = Finding::new("principal", Verdict::Failed, message);
        findings.push(finding.with_help("write it as `arn:aws:iam::123456789012:role/name`"));
        return None;
    }
    let page_text = |principal: &str| -> Option<(PolicyKind, String)> {
        let name = BucketName::new(bucket).ok()?;
        Some(match profile.policy_attachment() {
            PolicyAttachment::Identity => {
                (PolicyKind::Identity, identity_policy_below(profile, &name, &documents.prefix))
            }
            PolicyAttachment::Bucket => {
                (PolicyKind::Bucket, bucket_policy(profile, &name, &documents.prefix, principal).ok()?)
            }
        })
    };
    let parse = |(kind, text): (PolicyKind, String)| {
        Policy::parse(&text, PolicySource::new(kind, "the vendor's page")).ok()
    };
    match profile.policy_attachment() {
        PolicyAttachment::Identity => {
            let account = documents.account.as_deref().and_then(|account| AccountId::new(account).ok());
            let own = exporter.as_ref().and_then(Principal::account).cloned();
            let account = account.or(own).or_else(|| customer(None))?;
            let exporter = exporter.or_else(|| user(&account))?;
            let is_asked = identity.is_some() || on_bucket.is_some();
            let page = Judge {
                principal: exporter,
                account,
                identity: vec![parse(page_text("")?)?],
                resource: None,
            };
            // A policy of the bucket alone is judged as what stands beside the page's policy.
            let identity = identity.map_or_else(|| page.identity.clone(), |policy| vec![policy]);
            let given = Judge { identity, resource: on_bucket, ..page.clone() };
            Some(Access { given, page, is_asked })
        }
        PolicyAttachment::Bucket => {
            if identity.is_some() {
                let message =
                    "the vendor documents a policy of the bucket; its own policies are the vendor's business";
                let finding = Finding::new("identity policy", Verdict::Skipped, message);
                findings.push(finding.with_help("give the bucket's policy with `--bucket-policy`"));
            }
            let exporter = exporter.or_else(|| {
                let policy = on_bucket.as_ref()?;
                let mut entries = policy.principals().map(|entry| entry.text.clone());
                let only = entries.next()?;
                if entries.any(|other| other != only) {
                    return None;
                }
                let found = principal(&only)?;
                let message = format!("the policy names `{only}`, which is taken for the vendor");
                let finding = Finding::new("principal", Verdict::Warning, message);
                findings.push(finding.with_help("give the ARN that the vendor shows with `--principal`"));
                Some(found)
            });
            let Some(exporter) = exporter else {
                if on_bucket.is_some() {
                    let message = "the policy names no principal of AWS, or several";
                    let finding = Finding::new("principal", Verdict::Failed, message);
                    findings.push(finding.with_help("give the ARN that the vendor shows with `--principal`"));
                }
                return None;
            };
            let account = documents.account.as_deref().and_then(|account| AccountId::new(account).ok());
            let account = account.or_else(|| customer(Some(&exporter)))?;
            let shown = named.or_else(|| exporter.arn()).unwrap_or_default().to_owned();
            let page = Judge {
                principal: exporter,
                account,
                identity: everything().into_iter().collect(),
                resource: parse(page_text(&shown)?),
            };
            let is_asked = on_bucket.is_some();
            let given = Judge { resource: on_bucket, ..page.clone() };
            Some(Access { given, page, is_asked })
        }
    }
}

/// Each documented action on each of its resources, then each documented condition.
fn actions(
    profile: &VendorProfile,
    bucket: &str,
    documents: &Documents,
    access: &Access,
    findings: &mut Vec<Finding>,
) {
    let document = match profile.policy_attachment() {
        PolicyAttachment::Identity => "the policy",
        PolicyAttachment::Bucket => "the bucket's policy",
    };
    for (action, documented) in documented(profile, bucket, documents.prefix.as_str()) {
        let check = format!("{action} on {documented}");
        // Two keys of different shape: a policy for one folder is not one for all.
        let samples = [PROBE_NAME, "a/b=c/d e.bin"].map(|key| documented.replace('*', key));
        let own = own_context(profile, &documents.encryption, action);
        let denied = samples.iter().find_map(|sample| {
            let decision = access.given.ask(action, sample, own.clone());
            (!decision.is_allowed()).then_some((sample, decision))
        });
        findings.push(match denied {
            None => Finding::passed(check, "allowed"),
            Some((sample, decision)) => {
                let is_whole = sample.ends_with(PROBE_NAME) || *sample == documented;
                let resource = if is_whole { &documented } else { sample };
                let why = obstacle(&decision);
                Finding {
                    requirement: requirement(profile, DiagnosisKind::ActionDenied),
                    action: Some(action.to_owned()),
                    resource: Some(resource.clone()),
                    ..Finding::new(
                        check,
                        Verdict::Failed,
                        format!("`{action}` on `{resource}` is not allowed: {why}"),
                    )
                }
                .with_help(format!("add `{action}` on `{documented}` to {document}"))
            }
        });
    }
    beyond(profile, bucket, documents, access, findings);
    let place = (bucket, documents.prefix.as_str());
    judge_conditions(profile, place, &documents.encryption, (&access.page, &access.given), findings);
}

/// A policy that is to cover what lies below a prefix, and covers more.
fn beyond(
    profile: &VendorProfile,
    bucket: &str,
    documents: &Documents,
    access: &Access,
    findings: &mut Vec<Finding>,
) {
    let prefix = documents.prefix.as_str();
    if prefix.is_empty() {
        return;
    }
    for (action, documented) in documented(profile, bucket, prefix) {
        let elsewhere = format!("arn:aws:s3:::{bucket}/bucketproof-elsewhere/{PROBE_NAME}");
        if action != "s3:PutObject" || !documented.contains(prefix) {
            continue;
        }
        let context = own_context(profile, &documents.encryption, action);
        if access.given.ask(action, &elsewhere, context).is_allowed() {
            let message = format!("`{action}` is allowed outside of the prefix `{prefix}` as well");
            findings.push(Finding {
                action: Some(action.to_owned()),
                resource: Some(documented.clone()),
                ..Finding::new("resource of the prefix", Verdict::Warning, message)
                    .with_help(format!("narrow the resource to `{documented}`"))
            });
        }
    }
}

/// The requirement that asks for a diagnosis, as the profile names it.
pub(super) fn requirement(profile: &VendorProfile, when: DiagnosisKind) -> Option<String> {
    profile.doctor_message(when).map(|message| message.requirement.clone())
}
