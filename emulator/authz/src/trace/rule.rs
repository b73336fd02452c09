//! The rule that combined the policies, in a sentence.

use crate::decide::{Facts, Policies, resource_policy_is_mandatory};
use crate::decision::Decision;
use crate::policy::{PolicyClass, PolicyKind};
use crate::reason::Reason;
use crate::request::Relation;
use crate::subject::{Ruler, Subject};

pub(super) fn sentence(
    subject: &Subject<'_>,
    facts: &Facts<'_>,
    policies: &Policies<'_>,
    decision: &Decision,
) -> String {
    let side = resource_side(subject, policies);
    let text = rule(subject, facts, side, decision);
    match (subject.ruler, decision.reason()) {
        (Ruler::ObjectOwner, Reason::AllowedBy { .. } | Reason::NoAllow { .. } | Reason::RootOfOwner) => {
            format!("another account owns the object and decides instead of the bucket's: {text}")
        }
        _ => text,
    }
}

fn rule(subject: &Subject<'_>, facts: &Facts<'_>, side: &str, decision: &Decision) -> String {
    match decision.reason() {
        Reason::ExplicitDeny { .. } => "an explicit deny overrides every allow".to_owned(),
        Reason::PublicAccessRestricted => {
            "the bucket policy is public and RestrictPublicBuckets is on: only the owner's account and AWS services pass"
                .to_owned()
        }
        Reason::NoServiceControlAllow { level } => {
            format!("every level of service control policies must allow; level {level} did not")
        }
        Reason::RootOfOwner
        | Reason::RootManagesBucketPolicy
        | Reason::CallerIdentity
        | Reason::RootMayNotAssumeRoles
        | Reason::NotAcrossAccounts => decision.reason().to_string(),
        Reason::AllowedBy { .. } | Reason::NoAllow { .. } => match subject.relation {
            Relation::NoAccount => {
                let answer = if facts.resource().is_given() { "it does" } else { "it did not" };
                format!("the caller has no account: {side} must allow; {answer}")
            }
            Relation::CrossAccount => across(facts, side, subject),
            Relation::SameAccount => within(subject, facts, side, decision.reason()),
        },
    }
}

fn across(facts: &Facts<'_>, side: &str, subject: &Subject<'_>) -> String {
    if matches!(subject.principal(), crate::Principal::Root { .. }) {
        let answer = if facts.resource().is_given() { "it does" } else { "it did not" };
        return format!("cross-account, root user: {side} must allow; {answer}");
    }
    if facts.kms_grant_alone().is_given() {
        return "cross-account: a grant on the key names the caller, which is enough".to_owned();
    }
    let answer = match (facts.missing_on_identity_side(), facts.resource().is_given()) {
        (None, true) => "both do",
        (None, false) => "the resource side did not",
        (Some(PolicyClass::Boundary), true) => "the permissions boundary did not",
        (Some(PolicyClass::Session), true) => "the session policy did not",
        (Some(_), true) => "the identity side did not",
        (Some(_), false) => "neither did",
    };
    format!("cross-account: both sides must allow; {answer}")
}

fn within(subject: &Subject<'_>, facts: &Facts<'_>, side: &str, reason: &Reason) -> String {
    let mandatory = resource_policy_is_mandatory(subject);
    match reason {
        Reason::NoAllow { class: PolicyClass::Boundary } => {
            "same account: the permissions boundary must allow as well; it did not".to_owned()
        }
        Reason::NoAllow { class: PolicyClass::Session } => {
            "same account: the session policy must allow as well; it did not".to_owned()
        }
        Reason::NoAllow { .. } if mandatory => {
            let answer = match (facts.identity.is_given(), facts.account.is_given()) {
                (false, true) => "it delegates, and no identity policy allows",
                _ => "it did not",
            };
            format!(
                "same account: {side} must allow, or delegate to the account's identity policies; {answer}"
            )
        }
        Reason::NoAllow { .. } => {
            "same account: an identity policy or the resource's policy must allow; neither did".to_owned()
        }
        _ if facts.direct.is_given() => format!("same account: {side} names the caller, which is enough"),
        _ if facts.kms_direct.is_given() => {
            "same account: a grant on the key names the caller, which is enough".to_owned()
        }
        _ if facts.role.is_given() => {
            format!("same account: {side} names the caller's role, which is enough")
        }
        _ if facts.kms_role.is_given() => {
            "same account: a grant on the key names the caller's role, which is enough".to_owned()
        }
        _ if mandatory => {
            format!("same account: {side} delegates to the account, and an identity policy allows")
        }
        _ => "same account: an identity policy is enough".to_owned(),
    }
}

fn resource_side(subject: &Subject<'_>, policies: &Policies<'_>) -> &'static str {
    if subject.ruler == Ruler::ObjectOwner {
        return "the object's ACL";
    }
    let has_acl = policies
        .acls
        .as_ref()
        .is_some_and(|acls| acls.ownership.has_acls() && acls.question(subject).is_some());
    match policies.resource.map(crate::Policy::kind).or_else(|| subject.resource_policy_kind()) {
        Some(PolicyKind::Bucket) if has_acl => "the bucket policy or an ACL",
        Some(PolicyKind::Bucket) => "the bucket policy",
        Some(PolicyKind::Trust) => "the trust policy",
        Some(PolicyKind::Key) => "the key policy",
        Some(PolicyKind::Topic) => "the topic policy",
        Some(PolicyKind::Queue) => "the queue policy",
        _ => "the resource's policy",
    }
}
