//! What follows from what the policies say.

use super::{Facts, Grant};
use crate::decision::Outcome;
use crate::policy::PolicyClass;
use crate::principal::Principal;
use crate::reason::Reason;
use crate::request::Relation;
use crate::subject::Subject;

/// The answer and its reason.
#[derive(Debug)]
pub(crate) struct Conclusion {
    pub(crate) outcome: Outcome,
    pub(crate) reason: Reason,
}

fn allowed(reason: Reason) -> Conclusion {
    Conclusion { outcome: Outcome::Allowed, reason }
}

fn allowed_by(identity: Grant<'_>, resource: Grant<'_>) -> Conclusion {
    allowed(Reason::AllowedBy { identity: identity.statement(), resource: resource.resource_allow() })
}

fn denied(reason: Reason) -> Conclusion {
    Conclusion { outcome: Outcome::ImplicitlyDenied, reason }
}

fn explicitly_denied(reason: Reason) -> Conclusion {
    Conclusion { outcome: Outcome::ExplicitlyDenied, reason }
}

/// Applies the rules.
pub(crate) fn conclude(subject: &Subject<'_>, facts: &Facts<'_>) -> Conclusion {
    let principal = subject.principal();
    let action = subject.lower_action.as_bytes();
    let is_root = matches!(principal, Principal::Root { .. });

    if action == b"sts:getcalleridentity" {
        return allowed(Reason::CallerIdentity);
    }
    if is_root && subject.relation == Relation::SameAccount && manages_bucket_policy(action) {
        if let Some(deny) = facts.service_control_deny {
            return explicitly_denied(Reason::ExplicitDeny { statement: deny.into() });
        }
        return match missing_level(facts) {
            Some(level) => denied(Reason::NoServiceControlAllow { level }),
            None => allowed(Reason::RootManagesBucketPolicy),
        };
    }
    if let Some(deny) = facts.deny {
        return explicitly_denied(Reason::ExplicitDeny { statement: deny.into() });
    }
    if facts.restricted {
        return explicitly_denied(Reason::PublicAccessRestricted);
    }
    if is_root && action == b"sts:assumerole" {
        return denied(Reason::RootMayNotAssumeRoles);
    }
    if let Some(level) = missing_level(facts) {
        return denied(Reason::NoServiceControlAllow { level });
    }
    match subject.relation {
        Relation::NoAccount => by_resource_policy_alone(facts),
        Relation::CrossAccount if needs_own_account(action) => denied(Reason::NotAcrossAccounts),
        Relation::CrossAccount if is_root => by_resource_policy_alone(facts),
        Relation::CrossAccount => across_accounts(facts),
        Relation::SameAccount => within_account(subject, facts, is_root),
    }
}

fn by_resource_policy_alone(facts: &Facts<'_>) -> Conclusion {
    let resource = facts.resource();
    if resource.is_given() {
        allowed_by(Grant::No, resource)
    } else {
        denied(Reason::NoAllow { class: PolicyClass::Resource })
    }
}

/// Both accounts must allow; only a grant on a key needs no policy of the caller's own (unverified across accounts).
fn across_accounts(facts: &Facts<'_>) -> Conclusion {
    let grant = facts.kms_grant_alone();
    if grant.is_given() {
        return allowed_by(Grant::No, grant);
    }
    if let Some(class) = facts.missing_on_identity_side() {
        return denied(Reason::NoAllow { class });
    }
    let resource = facts.resource();
    if resource.is_given() {
        allowed_by(facts.identity, resource)
    } else {
        denied(Reason::NoAllow { class: PolicyClass::Resource })
    }
}

/// One side suffices, unless the resource policy is mandatory. What limits a grant of the resource policy depends on
/// how it names the caller. For `*` without a condition on `aws:PrincipalArn` AWS documents no limit; it is treated
/// as the documented case with one.
fn within_account(subject: &Subject<'_>, facts: &Facts<'_>, is_root: bool) -> Conclusion {
    let mandatory = resource_policy_is_mandatory(subject);
    let direct = facts.direct.or(facts.kms_direct);
    if direct.is_given() {
        return allowed_by(Grant::No, direct);
    }
    if is_root {
        return if mandatory {
            denied(Reason::NoAllow { class: PolicyClass::Resource })
        } else {
            allowed(Reason::RootOfOwner)
        };
    }
    let role = facts.role.or(facts.kms_role);
    if role.is_given() {
        return match facts.shut_limit() {
            Some(class) => denied(Reason::NoAllow { class }),
            None => allowed_by(Grant::No, role),
        };
    }
    if let Some(class) = facts.missing_on_identity_side() {
        return denied(Reason::NoAllow { class });
    }
    if !mandatory {
        return allowed_by(facts.identity, Grant::No);
    }
    if facts.account.is_given() {
        allowed_by(facts.identity, facts.account)
    } else {
        denied(Reason::NoAllow { class: PolicyClass::Resource })
    }
}

fn missing_level(facts: &Facts<'_>) -> Option<usize> {
    facts.service_control.iter().position(|level| !level.is_given()).map(|index| index + 1)
}

/// Keys and roles always have a policy of their own, and identity policies count only as far as it delegates to the
/// account. What STS is asked for and is no role has none, and is denied like a role that is missing.
pub(crate) fn resource_policy_is_mandatory(subject: &Subject<'_>) -> bool {
    let Some([_, _, service, _, _, resource]) = subject.resource.and_then(crate::arn::segments) else {
        return false;
    };
    match subject.lower_service() {
        b"kms" => service == "kms" && resource.starts_with("key/"),
        b"sts" => {
            service == "iam"
                && (resource.starts_with("role/")
                    || subject.lower_action.as_bytes().starts_with(b"sts:assumerole"))
        }
        _ => false,
    }
}

/// The operations with which the owner's root user can always repair a bucket policy (S3 User Guide).
fn manages_bucket_policy(lower_action: &[u8]) -> bool {
    matches!(lower_action, b"s3:getbucketpolicy" | b"s3:putbucketpolicy" | b"s3:deletebucketpolicy")
}

/// The KMS operations that work on keys of other accounts (KMS Developer Guide, "Permissions reference", column
/// "Cross-account use"). All others fail however they are granted. Unverified: the list was not checked row by row.
const KMS_ACROSS_ACCOUNTS: [&str; 22] = [
    "creategrant",
    "decrypt",
    "derivesharedsecret",
    "describekey",
    "encrypt",
    "generatedatakey",
    "generatedatakeypair",
    "generatedatakeypairwithoutplaintext",
    "generatedatakeywithoutplaintext",
    "generatemac",
    "getkeyrotationstatus",
    "getpublickey",
    "listgrants",
    "reencryptfrom",
    "reencryptto",
    "retiregrant",
    "revokegrant",
    "sign",
    "verify",
    "verifymac",
    // Operations without a key of their own.
    "generaterandom",
    "listaliases",
];

fn needs_own_account(lower_action: &[u8]) -> bool {
    lower_action
        .strip_prefix(b"kms:")
        .is_some_and(|operation| !KMS_ACROSS_ACCOUNTS.iter().any(|known| known.as_bytes() == operation))
}
