//! What a misspelt name may have meant.

/// Letters that may differ: more, and the suggestion is a guess.
const DISTANCE_MAX: usize = 3;

/// The known name that is nearest, if one is near; letters compare without regard to case.
pub(super) fn nearest(name: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let name = name.to_lowercase();
    known
        .map(|known| (strsim::damerau_levenshtein(&name, &known.to_lowercase()), known))
        .filter(|(distance, known)| *distance <= DISTANCE_MAX.min(known.len() / 3))
        .min()
        .map(|(_, known)| known)
}

/// The global key that was meant. New ones appear, so a name that is not near a known one is not judged.
pub(super) fn nearest_global_key(lower_key: &str) -> Option<&'static str> {
    let is_known = |known: &&'static str| {
        let known = known.to_lowercase();
        if known.ends_with('/') { lower_key.starts_with(&known) } else { lower_key == known }
    };
    if !lower_key.starts_with("aws:") || GLOBAL_KEYS.iter().chain(&NEWER_GLOBAL_KEYS).any(is_known) {
        return None;
    }
    let near = |known: &&str| strsim::damerau_levenshtein(lower_key, &known.to_lowercase()) <= 2;
    GLOBAL_KEYS.into_iter().filter(|known| !known.ends_with('/')).find(near)
}

/// The actions that an operation needs whose name is not an action's (S3 User Guide, "Required permissions for Amazon
/// S3 API operations").
pub(super) fn actions_of_operation(service: &str, name: &str) -> Option<&'static str> {
    let (_, needed) =
        OPERATIONS.iter().find(|(operation, _)| service == "s3" && operation.eq_ignore_ascii_case(name))?;
    Some(needed)
}

const OPERATIONS: [(&str, &str); 32] = [
    ("CompleteMultipartUpload", "`s3:PutObject`"),
    ("CopyObject", "`s3:GetObject` on the source and `s3:PutObject` on the target"),
    ("CreateMultipartUpload", "`s3:PutObject`"),
    ("DeleteBucketCors", "`s3:PutBucketCORS`"),
    ("DeleteBucketEncryption", "`s3:PutEncryptionConfiguration`"),
    ("DeleteBucketLifecycle", "`s3:PutLifecycleConfiguration`"),
    ("DeleteBucketTagging", "`s3:PutBucketTagging`"),
    ("DeleteObjects", "`s3:DeleteObject`"),
    ("DeletePublicAccessBlock", "`s3:PutBucketPublicAccessBlock`"),
    ("GetBucketEncryption", "`s3:GetEncryptionConfiguration`"),
    ("GetBucketLifecycle", "`s3:GetLifecycleConfiguration`"),
    ("GetBucketLifecycleConfiguration", "`s3:GetLifecycleConfiguration`"),
    ("GetBucketNotificationConfiguration", "`s3:GetBucketNotification`"),
    ("GetBucketReplication", "`s3:GetReplicationConfiguration`"),
    ("GetObjectLockConfiguration", "`s3:GetBucketObjectLockConfiguration`"),
    ("GetPublicAccessBlock", "`s3:GetBucketPublicAccessBlock`"),
    ("HeadBucket", "`s3:ListBucket`"),
    ("HeadObject", "`s3:GetObject`"),
    ("ListBuckets", "`s3:ListAllMyBuckets`"),
    ("ListMultipartUploads", "`s3:ListBucketMultipartUploads`"),
    ("ListObjects", "`s3:ListBucket`"),
    ("ListObjectsV2", "`s3:ListBucket`"),
    ("ListObjectVersions", "`s3:ListBucketVersions`"),
    ("ListParts", "`s3:ListMultipartUploadParts`"),
    ("PutBucketEncryption", "`s3:PutEncryptionConfiguration`"),
    ("PutBucketLifecycleConfiguration", "`s3:PutLifecycleConfiguration`"),
    ("PutBucketNotificationConfiguration", "`s3:PutBucketNotification`"),
    ("PutBucketReplication", "`s3:PutReplicationConfiguration`"),
    ("PutObjectLockConfiguration", "`s3:PutBucketObjectLockConfiguration`"),
    ("PutPublicAccessBlock", "`s3:PutBucketPublicAccessBlock`"),
    ("UploadPart", "`s3:PutObject`"),
    ("UploadPartCopy", "`s3:GetObject` on the source and `s3:PutObject` on the target"),
];

/// Keys of every service (IAM User Guide, "AWS global condition context keys"); one that ends in a slash takes a tag's
/// name behind it.
const GLOBAL_KEYS: [&str; 40] = [
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:CurrentTime",
    "aws:EpochTime",
    "aws:FederatedProvider",
    "aws:MultiFactorAuthAge",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    "aws:PrincipalTag/",
    "aws:PrincipalType",
    "aws:Referer",
    "aws:RequestTag/",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
    "aws:ResourceOrgID",
    "aws:ResourceOrgPaths",
    "aws:ResourceTag/",
    "aws:SecureTransport",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceIdentity",
    "aws:SourceIp",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:TagKeys",
    "aws:TokenIssueTime",
    "aws:UserAgent",
    "aws:ViaAWSService",
    "aws:VpcSourceIp",
    "aws:userid",
    "aws:username",
];

/// Real keys that are near one of those above.
const NEWER_GLOBAL_KEYS: [&str; 2] = ["aws:SourceOwner", "aws:SourceVpcArn"];
