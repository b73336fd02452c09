//! Groups of checks.

use std::fmt;

use serde::{Serialize, Serializer};

/// What a check is about: a part of AWS, the engine, or one vendor's connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// Objects: writing, reading, copying, deleting, tagging.
    S3Object,
    /// Buckets: names, regions, settings.
    S3Bucket,
    /// Uploads in parts.
    S3Multipart,
    /// Listings and their pages.
    S3List,
    /// Versions and delete markers.
    S3Version,
    /// Conditional reads and writes.
    S3Condition,
    /// Checksums and digests.
    S3Checksum,
    /// Encryption at rest.
    S3Encryption,
    /// Access control lists and Object Ownership.
    S3Acl,
    /// Bucket policies and Block Public Access.
    S3Policy,
    /// Object Lock: retention and legal holds.
    S3Lock,
    /// Lifecycle rules.
    S3Lifecycle,
    /// Requests of browsers from other origins.
    S3Cors,
    /// Uploads by HTML form.
    S3Post,
    /// Signatures and credentials.
    Auth,
    /// Assumed roles and sessions.
    Sts,
    /// Principals, identity policies and conditions.
    Iam,
    /// Keys, key policies and grants.
    Kms,
    /// Topics and their policies.
    Sns,
    /// Bucket notifications.
    Events,
    /// The export engine, whatever the vendor.
    Engine,
    /// Somebody else's connector, by its command.
    Connector,
    /// The connector of one vendor.
    Vendor {
        /// The area's name, `vendor.` and the vendor's.
        name: &'static str,
        /// The id of the vendor's profile.
        profile: &'static str,
    },
}

impl Area {
    /// The name in reports and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::S3Object => "s3.object",
            Self::S3Bucket => "s3.bucket",
            Self::S3Multipart => "s3.multipart",
            Self::S3List => "s3.list",
            Self::S3Version => "s3.version",
            Self::S3Condition => "s3.condition",
            Self::S3Checksum => "s3.checksum",
            Self::S3Encryption => "s3.encryption",
            Self::S3Acl => "s3.acl",
            Self::S3Policy => "s3.policy",
            Self::S3Lock => "s3.lock",
            Self::S3Lifecycle => "s3.lifecycle",
            Self::S3Cors => "s3.cors",
            Self::S3Post => "s3.post",
            Self::Auth => "auth",
            Self::Sts => "sts",
            Self::Iam => "iam",
            Self::Kms => "kms",
            Self::Sns => "sns",
            Self::Events => "events",
            Self::Engine => "engine",
            Self::Connector => "connector",
            Self::Vendor { name, .. } => name,
        }
    }

    /// The area as reports group it: the profiles of one vendor are one area.
    #[must_use]
    pub const fn group(self) -> Self {
        match self {
            Self::Vendor { name, .. } => Self::Vendor { name, profile: "" },
            area => area,
        }
    }

    /// Why anybody should care whether the checks of this area hold.
    pub const fn why(self) -> &'static str {
        match self {
            Self::S3Object => {
                "objects are what everything else is built on: an answer that differs here loses or falsifies data"
            }
            Self::S3Bucket => "code that creates or finds buckets takes its decisions from these answers",
            Self::S3Multipart => {
                "large uploads are assembled from parts, and a wrong part or order is a corrupt object"
            }
            Self::S3List => "whoever works through a bucket trusts its listing to be complete and in order",
            Self::S3Version => "recovery and retention rest on which version is the present one",
            Self::S3Condition => {
                "concurrent writers keep their data only if a condition is one step with the write"
            }
            Self::S3Checksum => "a body that was damaged on the way must be refused, not stored",
            Self::S3Encryption => "a policy that demands encryption is worth what the endpoint says it did",
            Self::S3Acl => "old buckets grant by ACL, and who owns an object decides who may read it",
            Self::S3Policy => "the bucket's owner says here who comes in; a Deny that is skipped is a leak",
            Self::S3Lock => "what the law demands to be kept must not be deletable",
            Self::S3Lifecycle => "a rule that is read wrongly deletes too much or keeps too much",
            Self::S3Cors => "a browser does only what these answers let it do",
            Self::S3Post => "a form's policy is the only thing between a stranger and the bucket",
            Self::Auth => "an endpoint that takes a wrong signature proves nothing about the client's",
            Self::Sts => "vendors come in by roles: trust, external id and session decide whether they do",
            Self::Iam => "least privilege is what these policies let through and no more",
            Self::Kms => "a bucket under a customer's key needs permissions that no bucket policy shows",
            Self::Sns => "a topic without the right policy loses notifications silently",
            Self::Events => "pipelines start when an event comes, and stall when it does not",
            Self::Engine => "every vendor's promises rest on the engine's",
            Self::Connector => {
                "whoever exports into a bucket that is not his must lose nothing, ask for little and tell the truth"
            }
            Self::Vendor { .. } => {
                "customers set the vendor's export up from its page, and it must work exactly so"
            }
        }
    }

    /// The id of the vendor profile, if the area is a vendor's.
    pub const fn profile(self) -> Option<&'static str> {
        match self {
            Self::Vendor { profile, .. } => Some(profile),
            _ => None,
        }
    }

    /// Whether `name` is the area's name or the beginning of it up to a dot: `s3` takes every area of S3.
    pub fn is_named(self, name: &str) -> bool {
        let rest = self.name().strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
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
