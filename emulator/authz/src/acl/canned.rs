//! ACLs by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Acl, AclGrant, AclGroup, AclPermission, CanonicalUserId};

/// The account of EC2 that reads machine images; recorded from AWS, which stores it for `aws-exec-read`.
const IMAGE_READER: &str = "6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c";

/// An ACL that a request names instead of listing its grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CannedAcl {
    /// The owner alone.
    Private,
    /// Everybody reads.
    PublicRead,
    /// Everybody reads and writes.
    PublicReadWrite,
    /// EC2 reads a machine image.
    AwsExecRead,
    /// Every AWS account reads.
    AuthenticatedRead,
    /// The owner of the bucket reads.
    BucketOwnerRead,
    /// The owner of the bucket has full control.
    BucketOwnerFullControl,
    /// Server access logs may be written.
    LogDeliveryWrite,
}

/// A name that is none of a canned ACL. AWS answers `InvalidArgument` with an empty message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a canned ACL")]
pub struct CannedAclError {
    name: String,
}

impl CannedAcl {
    /// Every canned ACL.
    pub const ALL: [Self; 8] = [
        Self::Private,
        Self::PublicRead,
        Self::PublicReadWrite,
        Self::AwsExecRead,
        Self::AuthenticatedRead,
        Self::BucketOwnerRead,
        Self::BucketOwnerFullControl,
        Self::LogDeliveryWrite,
    ];

    /// The name on the wire: `public-read`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::PublicRead => "public-read",
            Self::PublicReadWrite => "public-read-write",
            Self::AwsExecRead => "aws-exec-read",
            Self::AuthenticatedRead => "authenticated-read",
            Self::BucketOwnerRead => "bucket-owner-read",
            Self::BucketOwnerFullControl => "bucket-owner-full-control",
            Self::LogDeliveryWrite => "log-delivery-write",
        }
    }

    /// The grants on a bucket. The two that speak of the bucket's owner say nothing new there and are ignored (S3
    /// User Guide).
    pub fn for_bucket(self, owner: &CanonicalUserId) -> Acl {
        let mut acl = Acl::private(owner);
        match self {
            Self::BucketOwnerRead | Self::BucketOwnerFullControl => {}
            other => acl.grants.extend(other.grants_to_others()),
        }
        acl
    }

    /// The grants on an object. To the owner of the bucket they add nothing if it owns the object as well; unverified:
    /// AWS may show the grant then.
    pub fn for_object(self, owner: &CanonicalUserId, bucket_owner: &CanonicalUserId) -> Acl {
        let mut acl = Acl::private(owner);
        let permission = match self {
            Self::BucketOwnerRead => Some(AclPermission::Read),
            Self::BucketOwnerFullControl => Some(AclPermission::FullControl),
            _ => None,
        };
        match permission {
            Some(permission) if owner != bucket_owner => {
                acl.grants.push(AclGrant::to_user(bucket_owner, permission));
            }
            _ => acl.grants.extend(self.grants_to_others()),
        }
        acl
    }

    /// What it grants to others than the owners of object and bucket.
    fn grants_to_others(self) -> Vec<AclGrant> {
        let group = AclGrant::to_group;
        match self {
            Self::Private | Self::BucketOwnerRead | Self::BucketOwnerFullControl => Vec::new(),
            Self::PublicRead => vec![group(AclGroup::AllUsers, AclPermission::Read)],
            Self::PublicReadWrite => vec![
                group(AclGroup::AllUsers, AclPermission::Read),
                group(AclGroup::AllUsers, AclPermission::Write),
            ],
            Self::AwsExecRead => {
                vec![AclGrant::to_user(&CanonicalUserId::new(IMAGE_READER), AclPermission::Read)]
            }
            Self::AuthenticatedRead => vec![group(AclGroup::AuthenticatedUsers, AclPermission::Read)],
            Self::LogDeliveryWrite => vec![
                group(AclGroup::LogDelivery, AclPermission::Write),
                group(AclGroup::LogDelivery, AclPermission::ReadAcp),
            ],
        }
    }
}

impl FromStr for CannedAcl {
    type Err = CannedAclError;

    /// Reads the value of `x-amz-acl`, exactly as written.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|canned| canned.as_str() == name)
            .ok_or_else(|| CannedAclError { name: name.to_owned() })
    }
}

impl fmt::Display for CannedAcl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
