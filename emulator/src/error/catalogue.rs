//! The refusals, each with the status, code, text and extra elements that AWS uses.
//!
//! Sources: recorded answers of AWS where they exist, else the S3 and STS API references (2026).

use bucketproof_authz::{OwnershipRefusal, PolicyError};
use http::StatusCode;

use super::AwsError;
use crate::state::Versioning;

const BAD_REQUEST: StatusCode = StatusCode::BAD_REQUEST;
const FORBIDDEN: StatusCode = StatusCode::FORBIDDEN;
const NOT_FOUND: StatusCode = StatusCode::NOT_FOUND;
const CONFLICT: StatusCode = StatusCode::CONFLICT;
const PRECONDITION_FAILED: StatusCode = StatusCode::PRECONDITION_FAILED;
const NOT_IMPLEMENTED: StatusCode = StatusCode::NOT_IMPLEMENTED;

/// Buckets and objects.
impl AwsError {
    pub(crate) fn no_such_bucket(bucket: &str) -> Self {
        Self::new(NOT_FOUND, "NoSuchBucket", "The specified bucket does not exist").with("BucketName", bucket)
    }

    pub(crate) fn no_such_key(key: &str) -> Self {
        Self::new(NOT_FOUND, "NoSuchKey", "The specified key does not exist.").with("Key", key)
    }

    /// The data directory cannot be written: ours, as AWS has no such thing.
    pub(crate) fn not_kept(reason: &str) -> Self {
        let text = format!(
            "The data directory cannot be written: {reason}. Nothing is kept any more; restart the emulator."
        );
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", text)
    }

    pub(crate) fn request_timeout() -> Self {
        let text = "Your socket connection to the server was not read from or written to within the timeout \
                    period. Idle connections will be closed.";
        Self::new(BAD_REQUEST, "RequestTimeout", text).with_header("connection", "close")
    }

    pub(crate) fn no_such_version(key: &str, version: &str) -> Self {
        Self::new(NOT_FOUND, "NoSuchVersion", "The specified version does not exist.")
            .with("Key", key)
            .with("VersionId", version)
    }

    /// The version that a request names is a delete marker, which can only be deleted. `Method` is added where the
    /// method is known.
    pub(crate) fn is_delete_marker(version: &str) -> Self {
        Self::method_not_allowed("DeleteMarker")
            .with_header("allow", "DELETE")
            .with_header("x-amz-delete-marker", "true")
            .with_header("x-amz-version-id", version)
    }

    /// `resource_type` such as `DeleteMarker` or `BUCKETPOLICY`.
    pub(crate) fn method_not_allowed(resource_type: &'static str) -> Self {
        let text = "The specified method is not allowed against this resource.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", text)
            .with("ResourceType", resource_type)
    }

    pub(crate) fn no_such_bucket_policy(bucket: &str) -> Self {
        Self::new(NOT_FOUND, "NoSuchBucketPolicy", "The bucket policy does not exist")
            .with("BucketName", bucket)
    }

    pub(crate) fn bucket_already_owned_by_you(bucket: &str) -> Self {
        let text = "Your previous request to create the named bucket succeeded and you already own it.";
        Self::new(CONFLICT, "BucketAlreadyOwnedByYou", text).with("BucketName", bucket)
    }

    pub(crate) fn bucket_already_exists(bucket: &str) -> Self {
        let text = "The requested bucket name is not available. The bucket namespace is shared by all users of \
                    the system. Please select a different name and try again.";
        Self::new(CONFLICT, "BucketAlreadyExists", text).with("BucketName", bucket)
    }

    pub(crate) fn bucket_not_empty(bucket: &str, versioning: Versioning) -> Self {
        let text = match versioning {
            Versioning::Never => "The bucket you tried to delete is not empty",
            Versioning::Enabled | Versioning::Suspended => {
                "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
            }
        };
        Self::new(CONFLICT, "BucketNotEmpty", text).with("BucketName", bucket)
    }

    pub(crate) fn invalid_bucket_name(bucket: &str) -> Self {
        Self::new(BAD_REQUEST, "InvalidBucketName", "The specified bucket is not valid.")
            .with("BucketName", bucket)
    }

    pub(crate) fn invalid_location_constraint(constraint: &str) -> Self {
        Self::new(BAD_REQUEST, "InvalidLocationConstraint", "The specified location-constraint is not valid")
            .with("LocationConstraint", constraint)
    }

    pub(crate) fn illegal_location_constraint(constraint: Option<&str>) -> Self {
        let named = constraint.map_or_else(|| "unspecified".to_owned(), str::to_owned);
        let text = format!(
            "The {named} location constraint is incompatible for the region specific endpoint this request was \
             sent to."
        );
        Self::new(BAD_REQUEST, "IllegalLocationConstraintException", text)
    }

    pub(crate) fn permanent_redirect(bucket: &str, region: &str) -> Self {
        let text = "The bucket you are attempting to access must be addressed using the specified endpoint. \
                    Please send all future requests to this endpoint.";
        Self::new(StatusCode::MOVED_PERMANENTLY, "PermanentRedirect", text)
            .with("Endpoint", format!("s3.{region}.amazonaws.com"))
            .with("Bucket", bucket)
            .with_header("x-amz-bucket-region", region)
    }

    pub(crate) fn key_too_long(bytes: usize) -> Self {
        Self::new(BAD_REQUEST, "KeyTooLongError", "Your key is too long")
            .with("Size", bytes.to_string())
            .with("MaxSizeAllowed", "1024")
    }

    pub(crate) fn metadata_too_large(bytes: usize) -> Self {
        let text = "Your metadata headers exceed the maximum allowed metadata size";
        Self::new(BAD_REQUEST, "MetadataTooLarge", text)
            .with("Size", bytes.to_string())
            .with("MaxSizeAllowed", "2048")
    }

    pub(crate) fn invalid_storage_class(class: &str) -> Self {
        Self::new(BAD_REQUEST, "InvalidStorageClass", "The storage class you specified is not valid")
            .with("StorageClassRequested", class)
    }

    pub(crate) fn invalid_ownership(value: &str) -> Self {
        let text = format!("Invalid x-amz-object-ownership header: {value}");
        Self::new(BAD_REQUEST, "InvalidArgument", text).with("ArgumentName", "x-amz-object-ownership")
    }

    pub(crate) fn no_ownership_controls(bucket: &str) -> Self {
        let text = "The bucket ownership controls were not found";
        Self::new(NOT_FOUND, "OwnershipControlsNotFoundError", text).with("BucketName", bucket)
    }

    /// Without the element that says whose: a bucket's or an account's.
    pub(crate) fn no_public_access_block() -> Self {
        let text = "The public access block configuration was not found";
        Self::new(NOT_FOUND, "NoSuchPublicAccessBlockConfiguration", text)
    }

    /// A bucket cannot be made with both.
    pub(crate) fn public_acl_of_new_bucket() -> Self {
        let text = "Bucket cannot have public ACLs set with BlockPublicAccess enabled";
        Self::new(BAD_REQUEST, "InvalidBucketAclWithBlockPublicAccessError", text)
    }

    pub(crate) fn missing_acl() -> Self {
        Self::new(BAD_REQUEST, "MissingSecurityHeader", "Your request was missing a required header")
            .with("MissingHeaderName", "x-amz-acl")
    }

    pub(crate) fn unexpected_content() -> Self {
        Self::new(BAD_REQUEST, "UnexpectedContent", "This request does not support content")
    }

    pub(crate) fn malformed_acl() -> Self {
        Self { code: "MalformedACLError".into(), ..Self::malformed_xml() }
    }

    pub(crate) fn invalid_canned_acl(value: &str) -> Self {
        Self::new(BAD_REQUEST, "InvalidArgument", "")
            .with("ArgumentName", "x-amz-acl")
            .with("ArgumentValue", value)
    }

    pub(crate) fn invalid_version_id(value: &str) -> Self {
        Self::invalid_argument("Invalid version id specified", "versionId", value)
    }

    pub(crate) fn no_lifecycle_configuration(bucket: &str) -> Self {
        let text = "The lifecycle configuration does not exist";
        Self::new(NOT_FOUND, "NoSuchLifecycleConfiguration", text).with("BucketName", bucket)
    }

    /// What an archive does not allow.
    pub(crate) fn invalid_object_state(text: &'static str) -> Self {
        Self::new(FORBIDDEN, "InvalidObjectState", text)
    }

    pub(crate) fn restore_in_progress() -> Self {
        Self::new(CONFLICT, "RestoreAlreadyInProgress", "Object restore is already in progress")
    }

    pub(crate) fn invalid_bucket_state(text: &'static str) -> Self {
        Self::new(CONFLICT, "InvalidBucketState", text)
    }

    pub(crate) fn kms_needs_version_4() -> Self {
        let text = "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature \
                    Version 4.";
        Self::invalid_argument(text, "Authorization", "null")
    }

    pub(crate) fn missing_object_attributes() -> Self {
        let text = "The x-amz-object-attributes header specifying the attributes to be retrieved is either \
                    missing or empty";
        Self::invalid_request(text)
    }

    pub(crate) fn illegal_self_copy() -> Self {
        let text = "This copy request is illegal because it is trying to copy an object to itself without \
                    changing the object's metadata, storage class, website redirect location or encryption \
                    attributes.";
        Self::invalid_request(text)
    }
}

/// Object Lock.
impl AwsError {
    pub(crate) fn no_object_lock_configuration(bucket: &str) -> Self {
        let text = "Object Lock configuration does not exist for this bucket";
        Self::new(NOT_FOUND, "ObjectLockConfigurationNotFoundError", text).with("BucketName", bucket)
    }

    pub(crate) fn no_object_lock() -> Self {
        let text = "The specified object does not have a ObjectLock configuration";
        Self::new(NOT_FOUND, "NoSuchObjectLockConfiguration", text)
    }

    pub(crate) fn object_locked() -> Self {
        Self::access_denied("Access Denied because object protected by object lock.")
    }

    /// Not the text that the operations on retention and legal hold have.
    pub(crate) fn lock_headers_without_lock() -> Self {
        Self::invalid_request("Bucket is missing ObjectLockConfiguration")
    }

    pub(crate) fn bypass_without_lock() -> Self {
        let text = "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.";
        Self::new(BAD_REQUEST, "InvalidArgument", text)
            .with("ArgumentName", "x-amz-bypass-governance-retention")
    }

    /// What is locked must have come whole. `what` is `Object` or `Part`.
    pub(crate) fn locked_without_digest(what: &str) -> Self {
        let text = format!(
            "Content-MD5 OR x-amz-checksum- HTTP header is required for Put {what} requests with Object Lock \
             parameters"
        );
        Self::invalid_request(text)
    }
}

/// Conditions and ranges.
impl AwsError {
    pub(crate) fn precondition_failed(condition: &'static str) -> Self {
        let text = "At least one of the pre-conditions you specified did not hold";
        Self::new(PRECONDITION_FAILED, "PreconditionFailed", text).with("Condition", condition)
    }

    pub(crate) fn conditional_request_conflict(condition: &'static str, key: &str) -> Self {
        let text =
            "The conditional request cannot succeed due to a conflicting operation against this resource.";
        Self::new(CONFLICT, "ConditionalRequestConflict", text).with("Condition", condition).with("Key", key)
    }

    pub(crate) fn not_modified() -> Self {
        Self::new(StatusCode::NOT_MODIFIED, "NotModified", "")
    }

    /// A header that AWS itself does not take here.
    pub(crate) fn header_not_implemented(header: &'static str) -> Self {
        let text = "A header you provided implies functionality that is not implemented";
        Self::new(NOT_IMPLEMENTED, "NotImplemented", text).with("Header", header)
    }

    pub(crate) fn invalid_range(requested: &str, size_bytes: u64) -> Self {
        Self::new(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange", "The requested range is not satisfiable")
            .with("RangeRequested", requested)
            .with("ActualObjectSize", size_bytes.to_string())
    }

    pub(crate) fn invalid_part_number_request(requested: i32, parts: usize) -> Self {
        Self::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "InvalidPartNumber",
            "The requested partnumber is not satisfiable",
        )
        .with("PartNumberRequested", requested.to_string())
        .with("ActualPartCount", parts.to_string())
    }
}

/// Multipart uploads.
impl AwsError {
    pub(crate) fn no_such_upload(upload_id: &str) -> Self {
        let text = "The specified upload does not exist. The upload ID may be invalid, or the upload may have \
                    been aborted or completed.";
        Self::new(NOT_FOUND, "NoSuchUpload", text).with("UploadId", upload_id)
    }

    pub(crate) fn invalid_part(upload_id: &str, number: i32, etag: &str) -> Self {
        let text = "One or more of the specified parts could not be found.  The part may not have been \
                    uploaded, or the specified entity tag may not match the part's entity tag.";
        Self::new(BAD_REQUEST, "InvalidPart", text)
            .with("UploadId", upload_id)
            .with("PartNumber", number.to_string())
            .with("ETag", etag)
    }

    pub(crate) fn invalid_part_order(upload_id: &str) -> Self {
        let text = "The list of parts was not in ascending order. Parts must be ordered by part number.";
        Self::new(BAD_REQUEST, "InvalidPartOrder", text).with("UploadId", upload_id)
    }

    pub(crate) fn invalid_part_number(value: &str) -> Self {
        let text = "Part number must be an integer between 1 and 10000, inclusive";
        Self::invalid_argument(text, "partNumber", value)
    }

    pub(crate) fn entity_too_small(size_bytes: u64, number: i32, etag: &str) -> Self {
        let text = "Your proposed upload is smaller than the minimum allowed size";
        Self::new(BAD_REQUEST, "EntityTooSmall", text)
            .with("ProposedSize", size_bytes.to_string())
            .with("MinSizeAllowed", "5242880")
            .with("PartNumber", number.to_string())
            .with("ETag", etag)
    }

    pub(crate) fn entity_too_large(size_bytes: u64, limit_bytes: u64) -> Self {
        let text = "Your proposed upload exceeds the maximum allowed size";
        Self::new(BAD_REQUEST, "EntityTooLarge", text)
            .with("ProposedSize", size_bytes.to_string())
            .with("MaxSizeAllowed", limit_bytes.to_string())
    }
}

/// Bodies and checksums.
impl AwsError {
    pub(crate) fn bad_content_md5(expected_hex: &str, calculated_base64: &str) -> Self {
        let text = "The Content-MD5 you specified did not match what we received.";
        Self::new(BAD_REQUEST, "BadDigest", text)
            .with("ExpectedDigest", expected_hex)
            .with("CalculatedDigest", calculated_base64)
    }

    pub(crate) fn invalid_content_md5(value: &str) -> Self {
        Self::new(BAD_REQUEST, "InvalidDigest", "The Content-MD5 you specified was invalid.")
            .with("Content-MD5", value)
    }

    pub(crate) fn bad_checksum(algorithm: &str) -> Self {
        let text = format!("The {algorithm} you specified did not match the calculated checksum.");
        Self::new(BAD_REQUEST, "BadDigest", text)
    }

    pub(crate) fn payload_hash_mismatch(claimed: &str, computed: &str) -> Self {
        let text = "The provided 'x-amz-content-sha256' header does not match what was computed.";
        Self::new(BAD_REQUEST, "XAmzContentSHA256Mismatch", text)
            .with("ClientComputedContentSHA256", claimed)
            .with("S3ComputedContentSHA256", computed)
    }

    pub(crate) fn invalid_payload_hash(value: &str) -> Self {
        let text = "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
                    STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, \
                    STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER \
                    or a valid sha256 value.";
        Self::invalid_argument(text, "x-amz-content-sha256", value)
    }

    pub(crate) fn malformed_trailer() -> Self {
        let text = "The request contained trailing data that was not well-formed or did not conform to our \
                    published schema.";
        Self::new(BAD_REQUEST, "MalformedTrailerError", text)
    }

    pub(crate) fn incomplete_body(text: &str) -> Self {
        Self::new(BAD_REQUEST, "IncompleteBody", text)
    }

    pub(crate) fn missing_content_length() -> Self {
        let text = "You must provide the Content-Length HTTP header.";
        Self::new(StatusCode::LENGTH_REQUIRED, "MissingContentLength", text)
    }

    pub(crate) fn malformed_xml() -> Self {
        let text =
            "The XML you provided was not well-formed or did not validate against our published schema";
        Self::new(BAD_REQUEST, "MalformedXML", text)
    }
}

/// Authentication.
impl AwsError {
    pub(crate) fn access_denied(message: impl Into<String>) -> Self {
        Self::new(FORBIDDEN, "AccessDenied", message)
    }

    /// A denial of what a service asks for with the caller's permissions: SNS and SQS have their own words for that of KMS
    /// (API references of `Publish` and `SendMessage`).
    pub(crate) fn denied_through(service: Option<&str>, message: impl Into<String>) -> Self {
        match service {
            Some("sns") => Self::new(BAD_REQUEST, "KMSAccessDenied", message),
            Some("sqs") => Self::new(BAD_REQUEST, "KMS.AccessDeniedException", message),
            _ => Self::access_denied(message),
        }
    }

    pub(crate) fn invalid_access_key_id(id: &str) -> Self {
        let text = "The AWS Access Key Id you provided does not exist in our records.";
        Self::new(FORBIDDEN, "InvalidAccessKeyId", text).with("AWSAccessKeyId", id)
    }

    pub(crate) fn expired_token(token: &str) -> Self {
        Self::new(BAD_REQUEST, "ExpiredToken", "The provided token has expired.").with("Token-0", token)
    }

    pub(crate) fn invalid_token(token: &str) -> Self {
        let text = "The provided token is malformed or otherwise invalid.";
        Self::new(BAD_REQUEST, "InvalidToken", text).with("Token-0", token)
    }

    pub(crate) fn request_time_too_skewed(request_time: &str, server_time: &str) -> Self {
        let text = "The difference between the request time and the current time is too large.";
        Self::new(FORBIDDEN, "RequestTimeTooSkewed", text)
            .with("RequestTime", request_time)
            .with("ServerTime", server_time)
            .with("MaxAllowedSkewMilliseconds", "900000")
    }

    pub(crate) fn headers_not_signed(headers: &[String]) -> Self {
        Self::access_denied("There were headers present in the request which were not signed")
            .with("HeadersNotSigned", headers.join(", "))
    }

    pub(crate) fn authorization_header_malformed(text: &str) -> Self {
        let message = format!("The authorization header is malformed; {text}");
        Self::new(BAD_REQUEST, "AuthorizationHeaderMalformed", message)
    }

    pub(crate) fn one_mechanism_only(authorization: &str) -> Self {
        let text = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query \
                    string parameter or the Authorization header should be specified";
        // The value is a signature and not repeated, though AWS does.
        let scheme = authorization.split(' ').next().unwrap_or_default();
        Self::invalid_argument(text, "Authorization", scheme)
    }

    /// A signature for one region at the endpoint of another.
    pub(crate) fn in_region(self, region: &str) -> Self {
        self.with("Region", region).with_header("x-amz-bucket-region", region)
    }

    pub(crate) fn anonymous_signed_chunks() -> Self {
        let text = "Anonymous requests don't support this x-amz-content-sha256 value. Please use \
                    UNSIGNED-PAYLOAD or STREAMING-UNSIGNED-PAYLOAD-TRAILER.";
        Self::invalid_request(text)
    }

    pub(crate) fn query_parameters(text: &str) -> Self {
        Self::new(BAD_REQUEST, "AuthorizationQueryParametersError", text)
    }

    pub(crate) fn unsupported_authorization() -> Self {
        let text =
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";
        Self::invalid_request(text)
    }
}

/// General.
impl AwsError {
    pub(crate) fn invalid_request(text: impl Into<String>) -> Self {
        Self::new(BAD_REQUEST, "InvalidRequest", text)
    }

    pub(crate) fn invalid_argument(
        text: impl Into<String>,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        Self::new(BAD_REQUEST, "InvalidArgument", text)
            .with("ArgumentName", name)
            .with("ArgumentValue", value)
    }

    /// A wrong argument whose value AWS does not repeat.
    pub(crate) fn unshown_argument(text: impl Into<String>, name: impl Into<String>) -> Self {
        Self::new(BAD_REQUEST, "InvalidArgument", text).with("ArgumentName", name)
    }

    /// What the emulator does not do is refused by its name.
    pub(crate) fn not_implemented(what: impl Into<String>) -> Self {
        let text = format!("{} is not supported by this emulator yet", what.into());
        Self::new(NOT_IMPLEMENTED, "NotImplemented", text)
    }

    pub(crate) fn invalid_uri(path: &str) -> Self {
        Self::new(BAD_REQUEST, "InvalidURI", "Couldn't parse the specified URI.").with("URI", path)
    }

    pub(crate) fn internal() -> Self {
        let text = "We encountered an internal error. Please try again.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", text)
    }

    pub(crate) fn invalid_expected_owner(value: &str) -> Self {
        let text = format!(
            "The value of the expected bucket owner parameter must be an AWS Account ID... [{value}]"
        );
        Self::new(BAD_REQUEST, "InvalidBucketOwnerAWSAccountID", text)
    }
}

/// STS and IAM.
impl AwsError {
    /// The refusal of a policy document.
    pub(crate) fn document(error: &PolicyError) -> Self {
        let status = StatusCode::from_u16(error.aws_status()).unwrap_or(BAD_REQUEST);
        Self::new(status, error.aws_code(), error.aws_message())
    }

    pub(crate) fn validation(text: impl Into<String>) -> Self {
        Self::new(BAD_REQUEST, "ValidationError", text)
    }

    pub(crate) fn sts_invalid_client_token() -> Self {
        let text = "The security token included in the request is invalid.";
        Self::new(FORBIDDEN, "InvalidClientTokenId", text)
    }

    pub(crate) fn sts_expired_token() -> Self {
        Self::new(FORBIDDEN, "ExpiredToken", "The security token included in the request is expired")
    }

    pub(crate) fn sts_signature(text: impl Into<String>) -> Self {
        Self::new(FORBIDDEN, "SignatureDoesNotMatch", text)
    }

    pub(crate) fn sts_missing_authentication() -> Self {
        Self::new(FORBIDDEN, "MissingAuthenticationToken", "Request is missing Authentication Token")
    }
}

/// What Object Ownership refuses.
impl From<OwnershipRefusal> for AwsError {
    fn from(refusal: OwnershipRefusal) -> Self {
        Self::new(BAD_REQUEST, refusal.code(), refusal.to_string())
    }
}
