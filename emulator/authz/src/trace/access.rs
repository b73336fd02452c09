//! What ACLs and grants said.

use serde::Serialize;

use crate::acl::AclGrant;
use crate::decide::acl::{self, AclQuestion, AclResource, Acls, IdleAcl};
use crate::decide::{Policies, kms};
use crate::kms_grant::{GrantFit, KmsGrant};
use crate::request::Relation;
use crate::subject::Subject;

use super::Verdict;

/// The ACL that speaks of the action.
#[derive(Debug, Clone, Serialize)]
pub struct AclTrace {
    /// Whose ACL it is.
    pub acl: AclResource,
    /// The canonical user id of the account that owns the bucket or object.
    pub owner: String,
    /// The permission that the action needs; absent if no permission of an ACL gives it.
    pub permission: Option<&'static str>,
    /// What the ACL said.
    pub verdict: Verdict,
    /// Why it is not applicable.
    pub note: Option<&'static str>,
    /// Its grants; empty if it is not applicable.
    pub grants: Vec<AclGrantTrace>,
}

/// One grant of an ACL.
#[derive(Debug, Clone, Serialize)]
pub struct AclGrantTrace {
    /// To whom and what.
    #[serde(flatten)]
    pub grant: AclGrant,
    /// Whether it gives the caller what the action needs, and counts.
    pub applies: bool,
    /// Why, in words.
    pub text: String,
}

/// One grant on the KMS key.
#[derive(Debug, Clone, Serialize)]
pub struct KmsGrantTrace {
    /// The grant.
    #[serde(flatten)]
    pub grant: KmsGrant,
    /// Whether it allows.
    pub applies: bool,
    /// Why, in words.
    pub text: String,
}

pub(super) fn trace_acl(subject: &Subject<'_>, policies: &Policies<'_>) -> Option<AclTrace> {
    let acls = policies.acls.as_ref()?;
    let Some(question) = acls.question(subject) else {
        return trace_unasked(subject, acls);
    };
    let asked = acls.asked(question)?;
    // With ACLs off, which is the rule, one is worth a word only if it would have allowed.
    let would_give = asked.grants.iter().any(|grant| acl::gives(grant, question, subject));
    if !acls.ownership.has_acls() && !would_give {
        return None;
    }
    let note = if !acls.ownership.has_acls() {
        Some("BucketOwnerEnforced switches ACLs off")
    } else if subject.relation == Relation::SameAccount {
        Some("an ACL grants nothing inside the account that owns the resource")
    } else {
        None
    };
    let grants: Vec<_> = match note {
        Some(_) => Vec::new(),
        None => {
            asked.grants.iter().map(|grant| trace_grant(subject, policies, acls, question, grant)).collect()
        }
    };
    let verdict = if note.is_some() {
        Verdict::NotApplicable
    } else if grants.iter().any(|grant| grant.applies) {
        Verdict::Allows
    } else {
        Verdict::NoMatch
    };
    Some(AclTrace {
        acl: question.resource,
        owner: asked.owner.to_string(),
        permission: Some(question.permission.as_str()),
        verdict,
        note,
        grants,
    })
}

/// An ACL that says nothing of the action is shown where nothing else could have allowed: the object belongs to
/// another account.
fn trace_unasked(subject: &Subject<'_>, acls: &Acls<'_>) -> Option<AclTrace> {
    let object = acls.object.filter(|_| acls.relation_to_object_owner(subject).is_some())?;
    Some(AclTrace {
        acl: AclResource::Object,
        owner: object.owner.to_string(),
        permission: None,
        verdict: Verdict::NotApplicable,
        note: Some("no permission of an ACL gives this action"),
        grants: Vec::new(),
    })
}

fn trace_grant(
    subject: &Subject<'_>,
    policies: &Policies<'_>,
    acls: &Acls<'_>,
    question: AclQuestion,
    grant: &AclGrant,
) -> AclGrantTrace {
    let wanted = question.permission.as_str();
    let caller = subject.principal().display_name();
    let idle = acls.idle(grant, policies.public_access_block);
    let gives = acl::gives(grant, question, subject);
    let text = if !grant.permission.includes(question.permission) {
        format!("{grant}: not {wanted}")
    } else if !gives {
        format!("{grant}: not {caller}")
    } else if idle == Some(IdleAcl::IgnorePublicAcls) {
        format!("{grant}: ignored, as it is public and IgnorePublicAcls is on")
    } else {
        grant.to_string()
    };
    AclGrantTrace { grant: grant.clone(), applies: gives && idle.is_none(), text }
}

pub(super) fn trace_kms_grants(subject: &Subject<'_>, policies: &Policies<'_>) -> Vec<KmsGrantTrace> {
    let context = policies.kms_grants.encryption_context;
    policies
        .kms_grants
        .list
        .iter()
        .map(|grant| {
            let caller = subject.principal().display_name();
            let applies = kms::allows(grant, subject, context).is_some();
            let text = if kms::as_retiring(grant, subject).is_some() {
                format!("{} may retire it", grant.retiring.as_ref().map_or("", |one| one.as_str()))
            } else if grant.grantee.named.names(subject).is_none() {
                format!("{caller} is not {}", grant.grantee)
            } else {
                match kms::fit(grant, subject, context) {
                    GrantFit::Fits => format!("{} to {}", subject.request.action, grant.grantee),
                    GrantFit::OtherOperation => "it does not allow the operation".to_owned(),
                    GrantFit::OtherEncryptionContext => {
                        "its constraints ask for another encryption context".to_owned()
                    }
                }
            };
            KmsGrantTrace { grant: grant.clone(), applies, text }
        })
        .collect()
}
