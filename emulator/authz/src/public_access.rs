//! Block Public Access.
//!
//! Source: S3 User Guide, "Blocking public access to your Amazon S3 storage".

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::acl::Acl;
use crate::policy::Policy;

/// The four settings, of a bucket or of an account.
///
/// The default blocks nothing: what an account has that never set any, and what a document that leaves a setting out
/// says about it. A new bucket has [`ALL`](Self::ALL) since April 2023.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "AWS has four independent settings")]
pub struct PublicAccessBlock {
    /// Requests that would make an ACL public are refused.
    pub block_public_acls: bool,
    /// Public grants of ACLs do not count and are not shown.
    pub ignore_public_acls: bool,
    /// Bucket policies that are public are refused.
    pub block_public_policy: bool,
    /// A public bucket policy serves the owner's account and AWS services only.
    pub restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    /// Everything is blocked.
    pub const ALL: Self = Self {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };

    /// Nothing is blocked.
    pub const NONE: Self = Self {
        block_public_acls: false,
        ignore_public_acls: false,
        block_public_policy: false,
        restrict_public_buckets: false,
    };

    /// The settings in force where two apply, those of a bucket and of its owner's account: each is on if either is.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            block_public_acls: self.block_public_acls || other.block_public_acls,
            ignore_public_acls: self.ignore_public_acls || other.ignore_public_acls,
            block_public_policy: self.block_public_policy || other.block_public_policy,
            restrict_public_buckets: self.restrict_public_buckets || other.restrict_public_buckets,
        }
    }

    /// Whether a request that would set this ACL is refused, with 403 and
    /// [`BLOCKED_ACL`](Self::BLOCKED_ACL) as its reason. Object Ownership refuses first.
    pub fn blocks_acl(self, acl: &Acl) -> bool {
        self.block_public_acls && acl.is_public()
    }

    /// Whether PutBucketPolicy of this policy is refused, with 403 and [`BLOCKED_POLICY`](Self::BLOCKED_POLICY) as its
    /// reason.
    pub fn blocks_policy(self, policy: &Policy) -> bool {
        self.block_public_policy && policy.is_public()
    }

    /// The ACL that counts and that is shown.
    pub fn acl_in_force(self, acl: Cow<'_, Acl>) -> Cow<'_, Acl> {
        if self.ignore_public_acls && acl.is_public() { Cow::Owned(acl.without_public_grants()) } else { acl }
    }

    /// How AWS's sentence ends when BlockPublicAcls refuses (the wording of 2026).
    pub const BLOCKED_ACL: &'static str =
        "because public ACLs are prevented by the BlockPublicAcls setting in S3 Block Public Access.";

    /// How AWS's sentence ends when BlockPublicPolicy refuses (the wording of 2026).
    pub const BLOCKED_POLICY: &'static str =
        "because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.";
}

#[cfg(test)]
mod tests;
