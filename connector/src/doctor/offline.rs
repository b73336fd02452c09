//! The doctor before documents: what they lack of the vendor's, by the rules by which AWS decides.

use bucketproof_authz::{
    AccountId, Arn, Context, Policies, Policy, PolicyKind, PolicySource, Principal, PrincipalIds, Request,
    Resource, decide, lint,
};

use super::{DoctorReport, Finding, PROBE_NAME, Verdict, documented};
use crate::profile::{KeyPrefix, PolicyAttachment, VendorProfile};

/// The account that stands for the customer's where a document names none.
const CUSTOMER: &str = "111122223333";

/// What the bucket's owner has, as (file name, text).
#[derive(Clone, Debug, Default)]
pub struct Documents {
    /// The policy of the user or role.
    pub identity: Option<(String, String)>,
    /// The trust policy of the role.
    pub trust: Option<(String, String)>,
    /// The external id that it asks for.
    pub external_id: Option<String>,
    /// Where objects go below the bucket's root.
    pub prefix: KeyPrefix,
}

/// Compares documents with those that the vendor asks for.
pub fn examine_documents(profile: &VendorProfile, bucket: &str, documents: &Documents) -> DoctorReport {
    let mut findings = Vec::new();
    if let Some(document) = &documents.identity
        && let Some(policy) = parsed(PolicyKind::Identity, "identity policy", document, &mut findings)
    {
        if profile.policy_attachment() == PolicyAttachment::Bucket {
            let message =
                "the vendor documents a policy of the bucket, which is not judged without the bucket yet";
            let finding = Finding::new("identity policy", Verdict::Skipped, message);
            findings.push(finding.with_help("run `doctor --config` as the vendor's principal"));
        } else {
            identity(profile, bucket, (&policy, documents), &mut findings);
        }
    }
    if let Some(document) = &documents.trust
        && let Some(policy) = parsed(PolicyKind::Trust, "trust policy", document, &mut findings)
    {
        trust(profile, documents.external_id.as_deref(), &policy, &mut findings);
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

fn identity(
    profile: &VendorProfile,
    bucket: &str,
    (policy, documents): (&Policy, &Documents),
    findings: &mut Vec<Finding>,
) {
    for (action, documented) in documented(profile, bucket, documents.prefix.as_str()) {
        let check = format!("{action} on {documented}");
        // Two keys of different shape: a policy for one folder is not one for all.
        let samples = [PROBE_NAME, "a/b=c/d e.bin"].map(|key| documented.replace('*', key));
        let denied = samples.iter().find(|resource| !is_allowed(policy, action, resource));
        findings.push(match denied {
            None => Finding::passed(check, "allowed"),
            Some(sample) => {
                let resource =
                    if sample.ends_with(PROBE_NAME) || *sample == documented { &documented } else { sample };
                let why = explanation(policy, action, sample);
                Finding {
                    requirement: requirement(profile),
                    action: Some(action.to_owned()),
                    resource: Some(resource.clone()),
                    ..Finding::new(
                        check,
                        Verdict::Failed,
                        format!("`{action}` on `{resource}` is not allowed: {why}"),
                    )
                }
                .with_help(format!("add `{action}` on `{documented}` to the policy"))
            }
        });
    }
}

/// The requirement that asks for a diagnosis of missing actions.
fn requirement(profile: &VendorProfile) -> Option<String> {
    let message =
        profile.doctor().iter().find(|message| message.when == crate::store::DiagnosisKind::ActionDenied);
    message.map(|message| message.requirement.clone())
}

fn request(principal: Principal, action: &str, resource: &str, context: Context) -> Request {
    Request {
        principal,
        ids: PrincipalIds::default(),
        action: action.to_owned(),
        resource: Resource { arn: resource.to_owned(), account: AccountId::new(CUSTOMER).ok() },
        context,
    }
}

fn user(account: &str) -> Option<Principal> {
    Some(Principal::User {
        arn: Arn::new(format!("arn:aws:iam::{account}:user/connector")).ok()?,
        account: AccountId::new(account).ok()?,
    })
}

/// The context that an export's own requests have.
fn context() -> Context {
    let mut context = Context::new();
    context.set("aws:SecureTransport", "true");
    context
}

fn is_allowed(policy: &Policy, action: &str, resource: &str) -> bool {
    let Some(user) = user(CUSTOMER) else { return false };
    let identity = [policy.clone()];
    let policies = Policies { identity: &identity, ..Policies::default() };
    decide(&request(user, action, resource, context()), &policies).is_allowed()
}

fn explanation(policy: &Policy, action: &str, resource: &str) -> String {
    let Some(user) = user(CUSTOMER) else { return String::new() };
    let identity = [policy.clone()];
    let policies = Policies { identity: &identity, ..Policies::default() };
    let message = decide(&request(user, action, resource, context()), &policies).aws_message();
    message.split_once("because ").map_or(message.clone(), |(_, why)| why.to_owned())
}

fn trust(profile: &VendorProfile, external_id: Option<&str>, policy: &Policy, findings: &mut Vec<Finding>) {
    let Some(documented) = profile.trust() else {
        let message = "the vendor documents no role";
        findings.push(Finding::new("trust policy", Verdict::Warning, message).with_help("remove the role"));
        return;
    };
    let account = Arn::new(&documented.principal).ok().and_then(|arn| arn.account());
    let Some(vendor) = account.as_ref().and_then(|account| user(account.as_str())) else { return };
    let everything = Policy::parse(
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
        PolicySource::new(PolicyKind::Identity, "the vendor's own"),
    );
    let Ok(everything) = everything else { return };
    let identity = [everything];
    let policies = Policies { identity: &identity, resource: Some(policy), ..Policies::default() };
    let role = format!("arn:aws:iam::{CUSTOMER}:role/export");
    let assumes = |id: Option<&str>| {
        let mut context = context();
        if let Some(id) = id {
            context.set("sts:ExternalId", id);
        }
        decide(&request(vendor.clone(), "sts:AssumeRole", &role, context), &policies).is_allowed()
    };
    let failed = |check: &str, message: String| Finding {
        action: Some("sts:AssumeRole".to_owned()),
        ..Finding::new(check, Verdict::Failed, message)
    };
    let print = "`bucketproof-connector policy` prints the whole trust policy";
    let with = external_id.map_or_else(|| assumes(Some("an-external-id")), |id| assumes(Some(id)));
    if let Some(id) = external_id {
        let check = "role with external id";
        findings.push(if with {
            Finding::passed(check, "the vendor may assume the role")
        } else {
            let message = format!(
                "`{}` may not assume the role with external id `{id}`: the trust policy lacks the principal, the action \
                 `sts:AssumeRole`, or has another external id (compared exactly, case included)",
                documented.principal
            );
            failed(check, message).with_help(print)
        });
        let other: String = id
            .chars()
            .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
            .collect();
        if other != id && assumes(Some(&other)) {
            let message = "another spelling of the external id is accepted".to_owned();
            findings.push(failed("external id exactly", message).with_help("compare with `StringEquals`"));
        }
    }
    let check = "role without external id";
    findings.push(if assumes(None) {
        let message = "the vendor may assume the role without an external id: the condition `StringEquals` on \
                       `sts:ExternalId` is missing, so any other customer of the vendor could reach the bucket";
        failed(check, message.to_owned()).with_help(print)
    } else {
        Finding::passed(check, "the role cannot be assumed without the external id")
    });
}
