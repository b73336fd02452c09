//! Which resources the actions of S3, KMS, SNS and STS are authorized on.
//!
//! Source: as for the tables of S3 in the module above.

use super::{S3ResourceType, TYPES};

/// What an action is authorized on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// `arn:aws:s3:::bucket`.
    Bucket,
    /// `arn:aws:s3:::bucket/key`.
    Object,
    /// `arn:aws:kms:region:account:key/id`.
    Key,
    /// `arn:aws:sns:region:account:topic`.
    Topic,
    /// `arn:aws:iam::account:role/name`.
    Role,
    /// No resource: the action needs `*`.
    Nothing,
    /// Resources that are not judged.
    Other,
}

/// An action: its service and its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) service: &'static str,
    pub(crate) name: &'static str,
    pub(crate) target: Target,
}

/// The services whose actions are all known here.
pub(crate) const SERVICES: [&str; 4] = ["s3", "kms", "sns", "sts"];

/// Every known action.
pub(crate) fn all() -> impl Iterator<Item = Known> {
    let s3 = TYPES.iter().flat_map(|(names, kind)| {
        names.iter().map(move |name| {
            let target = match kind {
                S3ResourceType::Bucket => Target::Bucket,
                S3ResourceType::Object => Target::Object,
                S3ResourceType::Other if S3_WITHOUT_RESOURCE.contains(name) => Target::Nothing,
                S3ResourceType::Other => Target::Other,
            };
            Known { service: "s3", name, target }
        })
    });
    let others = OTHERS.iter().flat_map(|(service, target, names)| {
        names.iter().map(move |name| Known { service, name, target: *target })
    });
    s3.chain(others)
}

const OTHERS: [(&str, Target, &[&str]); 8] = [
    ("kms", Target::Key, &KEY_ACTIONS),
    ("kms", Target::Other, &ALIAS_ACTIONS),
    ("kms", Target::Nothing, &KMS_WITHOUT_RESOURCE),
    ("sns", Target::Topic, &TOPIC_ACTIONS),
    ("sns", Target::Nothing, &SNS_WITHOUT_RESOURCE),
    ("sts", Target::Role, &ROLE_ACTIONS),
    ("sts", Target::Nothing, &STS_WITHOUT_RESOURCE),
    ("sts", Target::Other, &STS_OTHER_ACTIONS),
];

/// Actions of S3 that need `*`.
const S3_WITHOUT_RESOURCE: [&str; 15] = [
    "CreateJob",
    "CreateStorageLensGroup",
    "GetAccessPoint",
    "GetAccountPublicAccessBlock",
    "ListAccessGrantsInstances",
    "ListAccessPoints",
    "ListAccessPointsForObjectLambda",
    "ListAllMyBuckets",
    "ListJobs",
    "ListMultiRegionAccessPoints",
    "ListStorageLensConfigurations",
    "ListStorageLensGroups",
    "PutAccessPointPublicAccessBlock",
    "PutAccountPublicAccessBlock",
    "PutStorageLensConfiguration",
];

/// Actions on a key.
const KEY_ACTIONS: [&str; 42] = [
    "CancelKeyDeletion",
    "CreateGrant",
    "Decrypt",
    "DeleteImportedKeyMaterial",
    "DeriveSharedSecret",
    "DescribeKey",
    "DisableKey",
    "DisableKeyRotation",
    "EnableKey",
    "EnableKeyRotation",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "GetKeyLastUsage",
    "GetKeyPolicy",
    "GetKeyRotationStatus",
    "GetParametersForImport",
    "GetPublicKey",
    "ImportKeyMaterial",
    "ListGrants",
    "ListKeyPolicies",
    "ListKeyRotations",
    "ListResourceTags",
    "PutKeyPolicy",
    "ReEncryptFrom",
    "ReEncryptTo",
    "ReplicateKey",
    "RetireGrant",
    "RevokeGrant",
    "RotateKeyOnDemand",
    "ScheduleKeyDeletion",
    "Sign",
    "SynchronizeMultiRegionKey",
    "TagResource",
    "UntagResource",
    "UpdateKeyDescription",
    "UpdatePrimaryRegion",
    "Verify",
    "VerifyMac",
];

/// Actions on an alias and its key.
const ALIAS_ACTIONS: [&str; 3] = ["CreateAlias", "DeleteAlias", "UpdateAlias"];

/// Actions of KMS that need `*`.
const KMS_WITHOUT_RESOURCE: [&str; 11] = [
    "ConnectCustomKeyStore",
    "CreateCustomKeyStore",
    "CreateKey",
    "DeleteCustomKeyStore",
    "DescribeCustomKeyStores",
    "DisconnectCustomKeyStore",
    "GenerateRandom",
    "ListAliases",
    "ListKeys",
    "ListRetirableGrants",
    "UpdateCustomKeyStore",
];

/// Actions on a topic.
const TOPIC_ACTIONS: [&str; 18] = [
    "AddPermission",
    "ConfirmSubscription",
    "CreateTopic",
    "DeleteTopic",
    "GetDataProtectionPolicy",
    "GetSubscriptionAttributes",
    "GetTopicAttributes",
    "ListSubscriptionsByTopic",
    "ListTagsForResource",
    "Publish",
    "PutDataProtectionPolicy",
    "RemovePermission",
    "SetSubscriptionAttributes",
    "SetTopicAttributes",
    "Subscribe",
    "TagResource",
    "Unsubscribe",
    "UntagResource",
];

/// Actions of SNS that need `*`.
const SNS_WITHOUT_RESOURCE: [&str; 23] = [
    "CheckIfPhoneNumberIsOptedOut",
    "CreatePlatformApplication",
    "CreatePlatformEndpoint",
    "CreateSMSSandboxPhoneNumber",
    "DeleteEndpoint",
    "DeletePlatformApplication",
    "DeleteSMSSandboxPhoneNumber",
    "GetEndpointAttributes",
    "GetPlatformApplicationAttributes",
    "GetSMSAttributes",
    "GetSMSSandboxAccountStatus",
    "ListEndpointsByPlatformApplication",
    "ListOriginationNumbers",
    "ListPhoneNumbersOptedOut",
    "ListPlatformApplications",
    "ListSMSSandboxPhoneNumbers",
    "ListSubscriptions",
    "ListTopics",
    "OptInPhoneNumber",
    "SetEndpointAttributes",
    "SetPlatformApplicationAttributes",
    "SetSMSAttributes",
    "VerifySMSSandboxPhoneNumber",
];

/// Actions on a role.
const ROLE_ACTIONS: [&str; 5] =
    ["AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "SetSourceIdentity", "TagSession"];

/// Actions of STS that need `*`.
const STS_WITHOUT_RESOURCE: [&str; 8] = [
    "DecodeAuthorizationMessage",
    "GetAccessKeyInfo",
    "GetCallerIdentity",
    "GetDelegatedAccessToken",
    "GetServiceBearerToken",
    "GetSessionToken",
    "GetWebIdentityToken",
    "TagGetWebIdentityToken",
];

/// Actions on root users, federated users and sessions.
const STS_OTHER_ACTIONS: [&str; 3] = ["AssumeRoot", "GetFederationToken", "SetContext"];
