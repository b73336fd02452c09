//! How ACLs take part in a decision.
//!
//! An ACL allows on the side of the resource, as a resource policy does, and never denies. It serves other accounts
//! than the one that owns the bucket or object: inside that account it grants nothing (IAM User Guide, "Access control
//! lists"; unverified for the groups, which the S3 User Guide calls everybody).

use std::borrow::Cow;

use serde::Serialize;

use crate::acl::{Acl, AclGrant, AclGroup, AclPermission, Grantee};
use crate::ownership::ObjectOwnership;
use crate::principal::Principal;
use crate::public_access::PublicAccessBlock;
use crate::request::Relation;
use crate::subject::Subject;

/// The service that the group `LogDelivery` stands for (S3 User Guide, "Enabling server access logging").
const LOG_DELIVERY: &str = "logging.s3.amazonaws.com";

/// The ACLs of a bucket and of the object that a request is about, as they are stored.
#[derive(Debug, Clone, Copy)]
pub struct Acls<'a> {
    /// Whether they count at all.
    pub ownership: ObjectOwnership,
    /// The ACL of the bucket.
    pub bucket: &'a Acl,
    /// The ACL of the object, or of the version; `None` where there is none: for an action on the bucket, for a key
    /// that holds nothing, and for an object that the request is to write, since what is there is not what it writes.
    pub object: Option<&'a Acl>,
}

/// Whose ACL it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AclResource {
    /// The bucket's.
    Bucket,
    /// The object's.
    Object,
}

impl AclResource {
    /// `bucket` or `object`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bucket => "bucket",
            Self::Object => "object",
        }
    }
}

/// Why an ACL that would allow does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IdleAcl {
    /// ACLs are off.
    BucketOwnerEnforced,
    /// The grant is public, and public grants are ignored.
    IgnorePublicAcls,
}

/// A grant that gives the caller the action.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AclFound<'a> {
    pub(crate) resource: AclResource,
    pub(crate) grant: &'a AclGrant,
    /// Present if the grant does not count.
    pub(crate) idle: Option<IdleAcl>,
}

pub(crate) enum AclAnswer<'a> {
    Nothing,
    Allows(AclFound<'a>),
    Idle(AclFound<'a>),
}

/// Which ACL speaks of an action, and which permission it must grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AclQuestion {
    pub(crate) resource: AclResource,
    pub(crate) permission: AclPermission,
}

/// S3 User Guide, "Mapping of ACL permissions and access policy permissions".
fn of_bucket(lower_action: &[u8]) -> Option<AclPermission> {
    Some(match lower_action {
        b"s3:listbucket" | b"s3:listbucketversions" | b"s3:listbucketmultipartuploads" => AclPermission::Read,
        b"s3:putobject" => AclPermission::Write,
        b"s3:getbucketacl" => AclPermission::ReadAcp,
        b"s3:putbucketacl" => AclPermission::WriteAcp,
        _ => return None,
    })
}

/// As [`of_bucket`], of objects.
fn of_object(lower_action: &[u8]) -> Option<AclPermission> {
    Some(match lower_action {
        b"s3:getobject" | b"s3:getobjectversion" | b"s3:getobjecttorrent" | b"s3:getobjectversiontorrent" => {
            AclPermission::Read
        }
        b"s3:getobjectacl" | b"s3:getobjectversionacl" => AclPermission::ReadAcp,
        b"s3:putobjectacl" | b"s3:putobjectversionacl" => AclPermission::WriteAcp,
        _ => return None,
    })
}

/// Whether the owner of an object decides on the action, and not the owner of its bucket: what reads the object or
/// touches its ACL. Recorded from AWS for these; tagging, deleting and overwriting are the bucket owner's. Unverified
/// for retention, legal hold and restore, which are left to the bucket owner.
fn is_ruled_by_object_owner(lower_action: &[u8]) -> bool {
    of_object(lower_action).is_some()
        || matches!(lower_action, b"s3:getobjectattributes" | b"s3:getobjectversionattributes")
}

impl<'a> Acls<'a> {
    /// The object's ACL, if it belongs to another account than the bucket and ACLs are on.
    fn foreign_object(&self) -> Option<&'a Acl> {
        self.object.filter(|object| self.ownership.has_acls() && object.owner != self.bucket.owner)
    }

    /// How the caller relates to the owner of the object, if that account rules over the request.
    pub(crate) fn relation_to_object_owner(&self, subject: &Subject<'_>) -> Option<Relation> {
        let object = self.foreign_object()?;
        if !is_ruled_by_object_owner(subject.lower_action.as_bytes()) {
            return None;
        }
        Some(if subject.principal().account().is_none() {
            Relation::NoAccount
        } else if subject.request.ids.canonical_user.as_ref() == Some(&object.owner) {
            Relation::SameAccount
        } else {
            Relation::CrossAccount
        })
    }

    /// Which grant would allow the request.
    pub(crate) fn question(&self, subject: &Subject<'_>) -> Option<AclQuestion> {
        let action = subject.lower_action.as_bytes();
        let of = |resource, permission| Some(AclQuestion { resource, permission });
        if let Some(permission) = of_bucket(action) {
            return of(AclResource::Bucket, permission);
        }
        match (of_object(action), self.object) {
            (Some(permission), Some(_)) => of(AclResource::Object, permission),
            // A key that holds nothing has no ACL. Who may list learns nothing by reading it (S3 User Guide,
            // GetObject: 404 with s3:ListBucket).
            (Some(AclPermission::Read), None) => of(AclResource::Bucket, AclPermission::Read),
            // Whoever may write an object may say with which ACL: it will be the writer's own. Unverified for
            // callers whom only the bucket's ACL admits.
            (Some(AclPermission::WriteAcp), None) => of(AclResource::Bucket, AclPermission::Write),
            // WRITE lets the owner of an existing object delete it, and nobody else (S3 User Guide, "ACL
            // permissions"; AWS's table of actions leaves deletion out).
            (None, Some(object)) if action == b"s3:deleteobject" && self.ownership.has_acls() => {
                let is_owner = subject.request.ids.canonical_user.as_ref() == Some(&object.owner);
                if is_owner { of(AclResource::Bucket, AclPermission::Write) } else { None }
            }
            _ => None,
        }
    }

    /// The ACL that is asked, as it is stored.
    pub(crate) fn asked(&self, question: AclQuestion) -> Option<&'a Acl> {
        match question.resource {
            AclResource::Bucket => Some(self.bucket),
            AclResource::Object => self.object,
        }
    }

    /// Why a grant that would allow does not count.
    pub(crate) fn idle(&self, grant: &AclGrant, block: PublicAccessBlock) -> Option<IdleAcl> {
        if !self.ownership.has_acls() {
            Some(IdleAcl::BucketOwnerEnforced)
        } else if block.ignore_public_acls && grant.is_public() {
            Some(IdleAcl::IgnorePublicAcls)
        } else {
            None
        }
    }

    /// What the ACLs say, the grants that count first.
    pub(crate) fn answer(&self, subject: &Subject<'_>, block: PublicAccessBlock) -> AclAnswer<'a> {
        // The rules do not look at ACLs inside an account; this saves most callers the search.
        if subject.relation == Relation::SameAccount {
            return AclAnswer::Nothing;
        }
        let Some(question) = self.question(subject) else { return AclAnswer::Nothing };
        let mut answer = AclAnswer::Nothing;
        for grant in self.asked(question).map(|acl| acl.grants.as_slice()).unwrap_or_default() {
            if !gives(grant, question, subject) {
                continue;
            }
            let idle = self.idle(grant, block);
            let found = AclFound { resource: question.resource, grant, idle };
            match idle {
                None => return AclAnswer::Allows(found),
                Some(_) => answer = AclAnswer::Idle(found),
            }
        }
        answer
    }

    /// The ACL of the object that GetObjectAcl shows, or of the bucket that GetBucketAcl shows.
    pub fn shown(&self, resource: AclResource, block: PublicAccessBlock) -> Option<Cow<'a, Acl>> {
        let stored = match resource {
            AclResource::Bucket => Some(self.bucket),
            AclResource::Object => self.object,
        };
        stored.map(|acl| block.acl_in_force(self.ownership.acl_in_force(acl, &self.bucket.owner)))
    }
}

/// Whether a grant gives the caller what is asked.
pub(crate) fn gives(grant: &AclGrant, question: AclQuestion, subject: &Subject<'_>) -> bool {
    grant.permission.includes(question.permission) && is_grantee(&grant.grantee, subject)
}

pub(crate) fn is_grantee(grantee: &Grantee, subject: &Subject<'_>) -> bool {
    let principal = subject.principal();
    match grantee {
        Grantee::CanonicalUser(id) => {
            principal.account().is_some() && subject.request.ids.canonical_user.as_ref() == Some(id)
        }
        Grantee::Group(AclGroup::AllUsers) => true,
        Grantee::Group(AclGroup::AuthenticatedUsers) => principal.account().is_some(),
        Grantee::Group(AclGroup::LogDelivery) => {
            matches!(principal, Principal::Service { name } if name == LOG_DELIVERY)
        }
    }
}

#[cfg(test)]
mod tests;
