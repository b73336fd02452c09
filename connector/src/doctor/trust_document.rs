//! The trust policy of the customer's role.

use bucketproof_authz::{Context, Policy, Principal};

use super::judge::{Judge, customer, everything, obstacle, principal};
use super::offline::requirement;
use super::{Finding, Verdict};
use crate::profile::{ExternalIdRule, VendorProfile};
use crate::store::DiagnosisKind;

const PRINT: &str = "`bucketproof-connector policy` prints the whole trust policy";

/// Whether the vendor may assume the role, with this external id and no other, and nobody else may.
pub(super) fn judge_trust(
    profile: &VendorProfile,
    external_id: Option<&str>,
    policy: &Policy,
    findings: &mut Vec<Finding>,
) {
    let Some(documented) = profile.trust() else {
        let message = "the vendor documents no role";
        findings.push(Finding::new("trust policy", Verdict::Warning, message).with_help("remove the role"));
        return;
    };
    let vendor = principal(&documented.principal);
    let Some(account) = customer(vendor.as_ref()) else { return };
    let Some(vendor) = vendor else { return };
    let role = format!("arn:aws:iam::{account}:role/export");
    let identity: Vec<Policy> = everything().into_iter().collect();
    let judge = Judge { principal: vendor, account, identity, resource: Some(policy.clone()) };
    let assumes = |judge: &Judge, id: Option<&str>| {
        let mut context = Context::new();
        context.set("aws:SecureTransport", "true");
        if let Some(id) = id {
            context.set("sts:ExternalId", id);
        }
        judge.ask("sts:AssumeRole", &role, context)
    };
    let failed = |check: &str, when: DiagnosisKind, message: String| Finding {
        action: Some("sts:AssumeRole".to_owned()),
        requirement: requirement(profile, when),
        ..Finding::new(check, Verdict::Failed, message)
    };
    let needs_id = documented.external_id == ExternalIdRule::Required;
    if let Some(id) = external_id {
        let check = "role with external id";
        let decision = assumes(&judge, Some(id));
        findings.push(if decision.is_allowed() {
            Finding::passed(check, "the vendor may assume the role")
        } else {
            let message = format!(
                "`{}` may not assume the role with external id `{id}`: {}; external ids are compared exactly, case \
                 included",
                documented.principal,
                obstacle(&decision)
            );
            failed(check, DiagnosisKind::RoleDenied, message).with_help(PRINT)
        });
        let other: String = id
            .chars()
            .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
            .collect();
        if needs_id && other != id && assumes(&judge, Some(&other)).is_allowed() {
            let message = "another spelling of the external id is accepted".to_owned();
            let finding = failed("external id exactly", DiagnosisKind::RoleOpen, message);
            findings.push(finding.with_help("compare with `StringEquals`"));
        }
    }
    let without = assumes(&judge, None);
    if needs_id {
        let check = "role without external id";
        findings.push(if without.is_allowed() {
            let message = "the vendor may assume the role without an external id: the condition `StringEquals` on \
                           `sts:ExternalId` is missing, so any other customer of the vendor could reach the bucket";
            failed(check, DiagnosisKind::RoleOpen, message.to_owned()).with_help(PRINT)
        } else {
            Finding::passed(check, "the role cannot be assumed without the external id")
        });
    } else if external_id.is_none() {
        let check = "role";
        findings.push(if without.is_allowed() {
            Finding::passed(check, "the vendor may assume the role")
        } else {
            let message =
                format!("`{}` may not assume the role: {}", documented.principal, obstacle(&without));
            failed(check, DiagnosisKind::RoleDenied, message).with_help(PRINT)
        });
    }
    strangers(&judge, external_id, &assumes, findings);
}

/// Nobody but the vendor and the account itself is to assume the role.
fn strangers(
    judge: &Judge,
    external_id: Option<&str>,
    assumes: &impl Fn(&Judge, Option<&str>) -> bucketproof_authz::Decision,
    findings: &mut Vec<Finding>,
) {
    let Some(stranger) = principal("arn:aws:iam::999999999999:user/stranger") else { return };
    let is_stranger = stranger.account() != judge.principal.account();
    let stranger = Judge { principal: stranger, ..judge.clone() };
    let check = "role of strangers";
    if is_stranger && assumes(&stranger, external_id).is_allowed() {
        let account = judge.principal.account().map(ToString::to_string).unwrap_or_default();
        let message = "any account of AWS may assume the role".to_owned();
        let finding = Finding::new(check, Verdict::Failed, message);
        findings.push(finding.with_help(format!("name the vendor's account `{account}` as the principal")));
    } else if matches!(stranger.principal, Principal::User { .. }) {
        findings.push(Finding::passed(check, "no other account may assume it"));
    }
}
