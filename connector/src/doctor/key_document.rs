//! The policy of the customer's KMS key.

use bucketproof_authz::{Arn, Context, Policy, Principal};

use super::judge::{Judge, everything, obstacle};
use super::offline::requirement;
use super::{Documents, Finding, Verdict, documents};
use crate::profile::{KeyPolicy, PolicyAttachment, VendorProfile};
use crate::store::{DiagnosisKind, Encryption};

/// What every export with a key needs, where the page names no more.
const WRITES: &str = "kms:GenerateDataKey";
/// What reading its own objects back needs.
const READS: &str = "kms:Decrypt";

/// Whether the documents let the exporter use the key, action by action.
pub(super) fn judge_key(
    profile: &VendorProfile,
    given: &Documents,
    access: &Judge,
    policy: &Policy,
    findings: &mut Vec<Finding>,
) {
    let arn = match &given.encryption {
        Encryption::SseKms { key_id: Some(arn) } if arn.starts_with("arn:") => arn.clone(),
        _ => {
            let region = given.region.as_deref().unwrap_or("us-east-1");
            format!("arn:aws:kms:{region}:{}:key/bucketproof", access.account)
        }
    };
    // Without a policy of the identity to look at, the key's alone is judged.
    let identity = match (profile.policy_attachment(), &given.identity) {
        (PolicyAttachment::Identity, Some(_)) => access.identity.clone(),
        _ => everything().into_iter().collect(),
    };
    let judge = Judge { identity, resource: Some(policy.clone()), ..access.clone() };
    let mut wanted: Vec<&str> = Vec::new();
    let named = profile.key_policy().into_iter().flat_map(KeyPolicy::vendor_actions);
    let needed = [WRITES].into_iter().chain(documents(profile, "s3:GetObject").then_some(READS));
    for action in named.chain(needed) {
        if !wanted.contains(&action) {
            wanted.push(action);
        }
    }
    for action in wanted {
        let check = format!("{action} on the key");
        let mut context = Context::new();
        context
            .set("aws:SecureTransport", "true")
            .set("kms:CallerAccount", judge.principal.account().map(ToString::to_string).unwrap_or_default());
        if let Some(region) = &given.region {
            context.set("kms:ViaService", format!("s3.{region}.amazonaws.com"));
        }
        let decision = judge.ask(action, &arn, context);
        findings.push(if decision.is_allowed() {
            Finding::passed(check, "allowed")
        } else {
            let message = format!("`{action}` on the KMS key is not allowed: {}", obstacle(&decision));
            Finding {
                requirement: requirement(profile, DiagnosisKind::KmsDenied),
                action: Some(action.to_owned()),
                resource: Some(arn.clone()),
                ..Finding::new(check, Verdict::Failed, message)
            }
            .with_help(format!(
                "add `{action}` for `{}` to the key's policy",
                judge.principal.arn().unwrap_or_default()
            ))
        });
    }
    owner(&judge, &arn, findings);
}

/// A key whose account may not change its policy is lost to the account.
fn owner(judge: &Judge, arn: &str, findings: &mut Vec<Finding>) {
    let check = "owner of the key";
    let Ok(root) = Arn::new(format!("arn:aws:iam::{}:root", judge.account)) else { return };
    let owner =
        Judge { principal: Principal::Root { arn: root, account: judge.account.clone() }, ..judge.clone() };
    findings.push(if owner.ask("kms:PutKeyPolicy", arn, Context::new()).is_allowed() {
        Finding::passed(check, "the account keeps control of its key")
    } else {
        let message = format!("the policy does not let the account `{}` change it", judge.account);
        let finding = Finding::new(check, Verdict::Warning, message);
        finding.with_help("keep the statement that allows `kms:*` to the root of the account; with `--account` another one is asked for")
    });
}
