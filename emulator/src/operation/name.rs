//! The names of the operations.

use std::fmt;
use std::str::FromStr;

/// Declares [`Op`]: a line per operation, by service and name; `Variant = "Name"` where two services share a name.
macro_rules! operations {
    ($($service:literal { $($variant:ident $(= $name:literal)?,)* })*) => {
        /// An operation by the name that AWS gives it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[expect(missing_docs, reason = "each variant is the AWS operation of the same name")]
        pub enum Op {
            $($($variant,)*)*
        }

        impl Op {
            /// Every operation, by service and name.
            pub const ALL: &[Self] = &[$($(Self::$variant,)*)*];

            /// The service, as it stands before the colon of an action: `s3`.
            pub const fn service(self) -> &'static str {
                match self {
                    $($(Self::$variant => $service,)*)*
                }
            }

            /// The name that AWS gives it: `PutObject`. Two services may share one, such as `TagResource`.
            pub const fn name(self) -> &'static str {
                match self {
                    $($(Self::$variant => operations!(@name $variant $($name)?),)*)*
                }
            }

            /// The name with its service: `iam:CreateUser`. In IAM that is also the action which permits it.
            pub(crate) const fn qualified_name(self) -> &'static str {
                match self {
                    $($(Self::$variant => concat!($service, ":", operations!(@name $variant $($name)?)),)*)*
                }
            }
        }
    };
    (@name $variant:ident) => { stringify!($variant) };
    (@name $variant:ident $name:literal) => { $name };
}

operations! {
    "s3" {
        AbortMultipartUpload,
        CompleteMultipartUpload,
        CopyObject,
        CreateBucket,
        CreateMultipartUpload,
        DeleteBucket,
        DeleteBucketAnalyticsConfiguration,
        DeleteBucketCors,
        DeleteBucketIntelligentTieringConfiguration,
        DeleteBucketInventoryConfiguration,
        DeleteBucketMetricsConfiguration,
        DeleteBucketEncryption,
        DeleteBucketLifecycle,
        DeleteBucketOwnershipControls,
        DeleteBucketPolicy,
        DeleteBucketReplication,
        DeleteBucketTagging,
        DeleteBucketWebsite,
        DeleteObject,
        DeleteObjectTagging,
        DeleteObjects,
        DeletePublicAccessBlock,
        GetBucketAccelerateConfiguration,
        GetBucketAcl,
        GetBucketAnalyticsConfiguration,
        GetBucketCors,
        GetBucketIntelligentTieringConfiguration,
        GetBucketInventoryConfiguration,
        GetBucketEncryption,
        GetBucketLifecycleConfiguration,
        GetBucketLocation,
        GetBucketLogging,
        GetBucketMetricsConfiguration,
        GetBucketNotificationConfiguration,
        GetBucketOwnershipControls,
        GetBucketPolicy,
        GetBucketPolicyStatus,
        GetBucketReplication,
        GetBucketRequestPayment,
        GetBucketTagging,
        GetBucketVersioning,
        GetBucketWebsite,
        GetObject,
        GetObjectAcl,
        GetObjectLegalHold,
        GetObjectLockConfiguration,
        GetObjectRetention,
        GetObjectAttributes,
        GetObjectTagging,
        GetPublicAccessBlock,
        HeadBucket,
        HeadObject,
        ListBucketAnalyticsConfigurations,
        ListBucketIntelligentTieringConfigurations,
        ListBucketInventoryConfigurations,
        ListBucketMetricsConfigurations,
        ListBuckets,
        ListMultipartUploads,
        ListObjectVersions,
        ListObjects,
        ListObjectsV2,
        ListParts,
        PostObject,
        PreflightRequest,
        PutBucketAccelerateConfiguration,
        PutBucketAcl,
        PutBucketAnalyticsConfiguration,
        PutBucketCors,
        PutBucketIntelligentTieringConfiguration,
        PutBucketInventoryConfiguration,
        PutBucketLifecycleConfiguration,
        PutBucketLogging,
        PutBucketMetricsConfiguration,
        PutBucketNotificationConfiguration,
        PutBucketEncryption,
        PutBucketOwnershipControls,
        PutBucketPolicy,
        PutBucketReplication,
        PutBucketRequestPayment,
        PutBucketTagging,
        PutBucketVersioning,
        PutBucketWebsite,
        PutObject,
        PutObjectAcl,
        PutObjectLegalHold,
        PutObjectLockConfiguration,
        PutObjectRetention,
        PutObjectTagging,
        PutPublicAccessBlock,
        RestoreObject,
        UploadPart,
        UploadPartCopy,
    }
    "iam" {
        AddClientIDToOpenIDConnectProvider,
        AddRoleToInstanceProfile,
        AddUserToGroup,
        AttachGroupPolicy,
        AttachRolePolicy,
        AttachUserPolicy,
        CreateAccessKey,
        CreateAccountAlias,
        CreateGroup,
        CreateInstanceProfile,
        CreateOpenIDConnectProvider,
        CreatePolicy,
        CreatePolicyVersion,
        CreateRole,
        CreateUser,
        DeleteAccessKey,
        DeleteAccountAlias,
        DeleteGroup,
        DeleteGroupPolicy,
        DeleteInstanceProfile,
        DeleteLoginProfile,
        DeleteOpenIDConnectProvider,
        DeletePolicy,
        DeletePolicyVersion,
        DeleteRole,
        DeleteRolePermissionsBoundary,
        DeleteRolePolicy,
        DeleteUser,
        DeleteUserPermissionsBoundary,
        DeleteUserPolicy,
        DetachGroupPolicy,
        DetachRolePolicy,
        DetachUserPolicy,
        GetAccessKeyLastUsed,
        GetAccountAuthorizationDetails,
        GetAccountPasswordPolicy,
        GetAccountSummary,
        GetContextKeysForCustomPolicy,
        GetContextKeysForPrincipalPolicy,
        GetGroup,
        GetGroupPolicy,
        GetInstanceProfile,
        GetLoginProfile,
        GetOpenIDConnectProvider,
        GetPolicy,
        GetPolicyVersion,
        GetRole,
        GetRolePolicy,
        GetUser,
        GetUserPolicy,
        ListAccessKeys,
        ListAccountAliases,
        ListAttachedGroupPolicies,
        ListAttachedRolePolicies,
        ListAttachedUserPolicies,
        ListEntitiesForPolicy,
        ListGroupPolicies,
        ListGroups,
        ListGroupsForUser,
        ListInstanceProfileTags,
        ListInstanceProfiles,
        ListInstanceProfilesForRole,
        ListMFADevices,
        ListOpenIDConnectProviderTags,
        ListOpenIDConnectProviders,
        ListPolicies,
        ListPolicyTags,
        ListPolicyVersions,
        ListRolePolicies,
        ListRoleTags,
        ListRoles,
        ListSAMLProviders,
        ListSSHPublicKeys,
        ListServerCertificates,
        ListServiceSpecificCredentials,
        ListSigningCertificates,
        ListUserPolicies,
        ListUserTags,
        ListUsers,
        ListVirtualMFADevices,
        PutGroupPolicy,
        PutRolePermissionsBoundary,
        PutRolePolicy,
        PutUserPermissionsBoundary,
        PutUserPolicy,
        RemoveClientIDFromOpenIDConnectProvider,
        RemoveRoleFromInstanceProfile,
        RemoveUserFromGroup,
        SetDefaultPolicyVersion,
        SimulateCustomPolicy,
        SimulatePrincipalPolicy,
        TagInstanceProfile,
        TagOpenIDConnectProvider,
        TagPolicy,
        TagRole,
        TagUser,
        UntagInstanceProfile,
        UntagOpenIDConnectProvider,
        UntagPolicy,
        UntagRole,
        UntagUser,
        UpdateAccessKey,
        UpdateAssumeRolePolicy,
        UpdateGroup,
        UpdateOpenIDConnectProviderThumbprint,
        UpdateRole,
        UpdateRoleDescription,
        UpdateUser,
    }
    "kms" {
        CancelKeyDeletion,
        CreateAlias,
        CreateGrant,
        CreateKey,
        Decrypt,
        DeleteAlias,
        DescribeKey,
        DisableKey,
        DisableKeyRotation,
        EnableKey,
        EnableKeyRotation,
        Encrypt,
        GenerateDataKey,
        GenerateDataKeyWithoutPlaintext,
        GenerateRandom,
        GetKeyPolicy,
        GetKeyRotationStatus,
        KmsTagResource = "TagResource",
        KmsUntagResource = "UntagResource",
        ListAliases,
        ListGrants,
        ListKeyPolicies,
        ListKeyRotations,
        ListKeys,
        ListResourceTags,
        ListRetirableGrants,
        PutKeyPolicy,
        ReEncrypt,
        RetireGrant,
        RevokeGrant,
        RotateKeyOnDemand,
        ScheduleKeyDeletion,
        UpdateAlias,
        UpdateKeyDescription,
    }
    "sns" {
        AddPermission,
        ConfirmSubscription,
        CreateTopic,
        DeleteTopic,
        GetSubscriptionAttributes,
        GetTopicAttributes,
        ListSubscriptions,
        ListSubscriptionsByTopic,
        ListTagsForResource,
        ListTopics,
        Publish,
        PublishBatch,
        RemovePermission,
        SetSubscriptionAttributes,
        SetTopicAttributes,
        SnsTagResource = "TagResource",
        SnsUntagResource = "UntagResource",
        Subscribe,
        Unsubscribe,
    }
    "sqs" {
        ChangeMessageVisibility,
        ChangeMessageVisibilityBatch,
        CreateQueue,
        DeleteMessage,
        DeleteMessageBatch,
        DeleteQueue,
        GetQueueAttributes,
        GetQueueUrl,
        ListQueueTags,
        ListQueues,
        PurgeQueue,
        ReceiveMessage,
        SendMessage,
        SendMessageBatch,
        SetQueueAttributes,
        TagQueue,
        UntagQueue,
    }
    "s3-control" {
        ControlListTagsForResource = "ListTagsForResource",
        ControlTagResource = "TagResource",
        ControlUntagResource = "UntagResource",
        DeleteAccountPublicAccessBlock = "DeletePublicAccessBlock",
        GetAccountPublicAccessBlock = "GetPublicAccessBlock",
        PutAccountPublicAccessBlock = "PutPublicAccessBlock",
    }
    "sts" {
        AssumeRole,
        GetAccessKeyInfo,
        GetCallerIdentity,
        GetFederationToken,
        GetSessionToken,
    }
}

/// A text that names no operation of this emulator, or several.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownOp {
    /// No operation has this name.
    #[error("`{0}` is not an operation of this emulator")]
    Unknown(String),
    /// Several services have an operation of this name.
    #[error("`{0}` is an operation of several services; write it as `{1}:{0}`")]
    Ambiguous(String, &'static str),
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Reads `PutObject` or `s3:PutObject`.
impl FromStr for Op {
    type Err = UnknownOp;

    fn from_str(text: &str) -> Result<Self, UnknownOp> {
        let (service, name) = match text.split_once(':') {
            Some((service, name)) => (Some(service), name),
            None => (None, text),
        };
        let mut found = Self::ALL.iter().copied().filter(|op| {
            op.name() == name && service.is_none_or(|service| service.eq_ignore_ascii_case(op.service()))
        });
        match (found.next(), found.next()) {
            (Some(op), None) => Ok(op),
            (Some(op), Some(_)) => Err(UnknownOp::Ambiguous(name.to_owned(), op.service())),
            (None, _) => Err(UnknownOp::Unknown(text.to_owned())),
        }
    }
}
