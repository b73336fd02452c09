//! What a target may offer.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

/// Something that a check needs and that not every target has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// `If-Match` and `If-None-Match` on writes.
    ConditionalWrite,
    /// Requests are decided by policies; who is not allowed is refused.
    PolicyEnforcement,
    /// The suite may write accounts, principals and policies of its own.
    Scenario,
    /// Roles can be assumed.
    Sts,
    /// Multipart uploads.
    Multipart,
    /// Uploads in parts that are under way are listed.
    UploadListing,
    /// Presigned URLs are verified.
    PresignedUrl,
    /// Requests and decisions can be read back.
    Journal,
    /// The target's clock can be moved.
    VirtualClock,
    /// There is a command of a connector to judge.
    ConnectorCommand,
    /// Its decision core can be asked without a request.
    DecisionCore,
    /// Objects are copied by the endpoint.
    Copy,
    /// Buckets keep versions.
    Versioning,
    /// Objects have tags.
    Tagging,
    /// Buckets have tags.
    BucketTagging,
    /// Buckets and objects have access control lists.
    Acl,
    /// Buckets have policies.
    BucketPolicy,
    /// Buckets answer browsers of other origins.
    Cors,
    /// Buckets have lifecycle rules.
    Lifecycle,
    /// Objects can be locked.
    ObjectLock,
    /// Buckets have a default encryption.
    Encryption,
    /// `GetObjectAttributes`.
    Attributes,
    /// Buckets have notification configurations.
    Notifications,
    /// There is another account, which sees nothing of the first one's.
    SecondAccount,
    /// IAM answers at the same URL.
    Iam,
    /// KMS answers at the same URL.
    Kms,
    /// SNS answers at the same URL.
    Sns,
    /// SQS answers at the same URL.
    Sqs,
}

impl Capability {
    /// Every one, in order.
    pub const ALL: [Self; 28] = [
        Self::ConditionalWrite,
        Self::PolicyEnforcement,
        Self::Scenario,
        Self::Sts,
        Self::Multipart,
        Self::UploadListing,
        Self::PresignedUrl,
        Self::Journal,
        Self::VirtualClock,
        Self::ConnectorCommand,
        Self::DecisionCore,
        Self::Copy,
        Self::Versioning,
        Self::Tagging,
        Self::BucketTagging,
        Self::Acl,
        Self::BucketPolicy,
        Self::Cors,
        Self::Lifecycle,
        Self::ObjectLock,
        Self::Encryption,
        Self::Attributes,
        Self::Notifications,
        Self::SecondAccount,
        Self::Iam,
        Self::Kms,
        Self::Sns,
        Self::Sqs,
    ];

    /// Every capability; the emulator offers them all.
    pub fn all() -> BTreeSet<Self> {
        BTreeSet::from(Self::ALL)
    }

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConditionalWrite => "conditional-write",
            Self::PolicyEnforcement => "policy-enforcement",
            Self::Scenario => "scenario",
            Self::Sts => "sts",
            Self::Multipart => "multipart",
            Self::UploadListing => "upload-listing",
            Self::PresignedUrl => "presigned-url",
            Self::Journal => "journal",
            Self::VirtualClock => "virtual-clock",
            Self::ConnectorCommand => "connector-command",
            Self::DecisionCore => "decision-core",
            Self::Copy => "copy",
            Self::Versioning => "versioning",
            Self::Tagging => "tagging",
            Self::BucketTagging => "bucket-tagging",
            Self::Acl => "acl",
            Self::BucketPolicy => "bucket-policy",
            Self::Cors => "cors",
            Self::Lifecycle => "lifecycle",
            Self::ObjectLock => "object-lock",
            Self::Encryption => "encryption",
            Self::Attributes => "attributes",
            Self::Notifications => "notifications",
            Self::SecondAccount => "second-account",
            Self::Iam => "iam",
            Self::Kms => "kms",
            Self::Sns => "sns",
            Self::Sqs => "sqs",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
