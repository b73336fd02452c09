//! Groups of checks.

use std::fmt;

use serde::{Serialize, Serializer};

/// What a check is about: a part of AWS, or one vendor's connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// Buckets and objects.
    S3,
    /// Signatures and credentials.
    Auth,
    /// Principals and identity policies.
    Iam,
    /// Bucket policies.
    BucketPolicy,
    /// Access control lists and ownership.
    Acl,
    /// Keys, key policies and encryption.
    Kms,
    /// Assumed roles and sessions.
    Sts,
    /// Topics, subscriptions and bucket notifications.
    Events,
    /// The connector of one vendor, by the id of its profile.
    Vendor(&'static str),
}

impl Area {
    /// The name in reports and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Auth => "auth",
            Self::Iam => "iam",
            Self::BucketPolicy => "bucket-policy",
            Self::Acl => "acl",
            Self::Kms => "kms",
            Self::Sts => "sts",
            Self::Events => "events",
            Self::Vendor(profile) => profile,
        }
    }

    /// The id of the vendor profile, if the area is a vendor's.
    pub const fn profile(self) -> Option<&'static str> {
        match self {
            Self::Vendor(profile) => Some(profile),
            _ => None,
        }
    }
}

impl fmt::Display for Area {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl Serialize for Area {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
