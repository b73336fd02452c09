//! The ACL that a request asks for.

use super::{Acl, AclGrant, CannedAcl, CanonicalUserId};

/// What the ACL headers of a request ask for: `x-amz-acl`, or the grants of the `x-amz-grant-…` headers. Both at once
/// are refused by AWS before anything else is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestedAcl {
    /// An ACL by name.
    Canned(CannedAcl),
    /// Grants in the order of the headers. They are all that the ACL will have: the owner is not added.
    Grants(Vec<AclGrant>),
}

impl RequestedAcl {
    /// The ACL of a bucket of `owner`.
    pub fn for_bucket(&self, owner: &CanonicalUserId) -> Acl {
        match self {
            Self::Canned(canned) => canned.for_bucket(owner),
            Self::Grants(grants) => Acl { owner: owner.clone(), grants: grants.clone() },
        }
    }

    /// The ACL of an object of `owner` in a bucket of `bucket_owner`.
    pub fn for_object(&self, owner: &CanonicalUserId, bucket_owner: &CanonicalUserId) -> Acl {
        match self {
            Self::Canned(canned) => canned.for_object(owner, bucket_owner),
            Self::Grants(grants) => Acl { owner: owner.clone(), grants: grants.clone() },
        }
    }

    /// Whether a public ACL is asked for, which BlockPublicAcls refuses.
    pub fn is_public(&self) -> bool {
        match self {
            Self::Canned(canned) => matches!(
                canned,
                CannedAcl::PublicRead | CannedAcl::PublicReadWrite | CannedAcl::AuthenticatedRead
            ),
            Self::Grants(grants) => grants.iter().any(AclGrant::is_public),
        }
    }
}
