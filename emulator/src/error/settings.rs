//! Refusals about tags and the settings of a bucket.

use http::StatusCode;

use super::AwsError;

const BAD_REQUEST: StatusCode = StatusCode::BAD_REQUEST;
const NOT_FOUND: StatusCode = StatusCode::NOT_FOUND;

/// Tags.
impl AwsError {
    pub(crate) fn no_such_tag_set(bucket: &str) -> Self {
        Self::new(NOT_FOUND, "NoSuchTagSet", "The TagSet does not exist").with("BucketName", bucket)
    }

    pub(crate) fn invalid_tag(text: &str) -> Self {
        Self::new(BAD_REQUEST, "InvalidTag", text)
    }

    pub(crate) fn too_many_object_tags() -> Self {
        Self::new(BAD_REQUEST, "BadRequest", "Object tags cannot be greater than 10")
    }

    /// In S3 Control, and for buckets that are created with tags.
    pub(crate) fn reserved_tag_key() -> Self {
        Self::invalid_tag(
            "User-defined tag keys can't start with \"aws:\". This prefix is reserved for system tags. Remove \
             \"aws:\" from your tag keys and try again.",
        )
    }

    /// What S3 Control says of a bucket whose tags are meant.
    pub(crate) fn no_such_tagged_resource() -> Self {
        Self::new(NOT_FOUND, "NoSuchResource", "The specified resource doesn't exist.")
    }

    /// Unverified: worded as for objects.
    pub(crate) fn too_many_bucket_tags() -> Self {
        Self::new(BAD_REQUEST, "BadRequest", "Bucket tag count cannot be greater than 50")
    }

    pub(crate) fn invalid_tagging_header(value: &str) -> Self {
        let text = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters \
                    without tag name duplicates.";
        Self::invalid_argument(text, "x-amz-tagging", value)
    }
}

/// What every setting may meet.
impl AwsError {
    /// Bodies that AWS wants a checksum of.
    pub(crate) fn missing_body_checksum() -> Self {
        Self::invalid_request("Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
    }
}

/// Settings that are not there.
impl AwsError {
    pub(crate) fn no_such_cors(bucket: &str) -> Self {
        Self::new(NOT_FOUND, "NoSuchCORSConfiguration", "The CORS configuration does not exist")
            .with("BucketName", bucket)
    }

    pub(crate) fn no_such_website(bucket: &str) -> Self {
        let text = "The specified bucket does not have a website configuration";
        Self::new(NOT_FOUND, "NoSuchWebsiteConfiguration", text).with("BucketName", bucket)
    }

    pub(crate) fn no_such_replication(bucket: &str) -> Self {
        let text = "The replication configuration was not found";
        Self::new(NOT_FOUND, "ReplicationConfigurationNotFoundError", text).with("BucketName", bucket)
    }

    pub(crate) fn no_such_configuration() -> Self {
        Self::new(NOT_FOUND, "NoSuchConfiguration", "The specified configuration does not exist.")
    }
}

/// Settings that cannot be.
impl AwsError {
    pub(crate) fn configuration_id_mismatch() -> Self {
        let text = "Document ID does not match the specified configuration ID.";
        Self::new(BAD_REQUEST, "IdMismatch", text)
    }

    pub(crate) fn invalid_configuration_id() -> Self {
        Self::new(BAD_REQUEST, "InvalidConfigurationId", "The specified configuration ID is invalid.")
    }

    pub(crate) fn too_many_configurations() -> Self {
        let text = "You are attempting to create a new configuration but have already reached the \
                    1,000-configuration limit.";
        Self::new(BAD_REQUEST, "TooManyConfigurations", text)
    }

    pub(crate) fn invalid_destination_bucket() -> Self {
        Self::new(BAD_REQUEST, "InvalidS3DestinationBucket", "Invalid bucket ARN.")
    }

    pub(crate) fn invalid_log_target(bucket: &str) -> Self {
        let text = "The target bucket for logging does not exist";
        Self::new(BAD_REQUEST, "InvalidTargetBucketForLogging", text).with("TargetBucket", bucket)
    }

    /// AWS names the source's region only outside of its oldest one, and writes the code like this.
    pub(crate) fn cross_location_logging(source: &str, target: &str) -> Self {
        let error = Self::new(
            StatusCode::FORBIDDEN,
            "CrossLocationLoggingProhibitted",
            "Cross S3 location logging not allowed. ",
        );
        let error = if source == "us-east-1" { error } else { error.with("SourceBucketLocation", source) };
        error.with("TargetBucketLocation", target)
    }

    pub(crate) fn invalid_redirect_location() -> Self {
        let text = "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.";
        Self::new(BAD_REQUEST, "InvalidRedirectLocation", text)
    }
}

/// Uploads by form.
impl AwsError {
    pub(crate) fn post_is_no_form() -> Self {
        Self::precondition_failed("Bucket POST must be of the enclosure-type multipart/form-data")
    }

    pub(crate) fn malformed_post() -> Self {
        let text = "The body of your POST request is not well-formed multipart/form-data.";
        Self::new(BAD_REQUEST, "MalformedPOSTRequest", text)
    }

    pub(crate) fn missing_form_field(name: &str) -> Self {
        let text = format!(
            "Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the \
             fields."
        );
        Self::invalid_argument(text, name, "")
    }

    pub(crate) fn post_fields_too_large(limit_bytes: usize) -> Self {
        let text = "Your POST request fields preceding the upload file were too large.";
        Self::new(BAD_REQUEST, "MaxPostPreDataLengthExceeded", text)
            .with("MaxPostPreDataLengthBytes", limit_bytes.to_string())
    }

    pub(crate) fn posted_entity_too_small(size_bytes: u64, least_bytes: u64) -> Self {
        let text = "Your proposed upload is smaller than the minimum allowed size";
        Self::new(BAD_REQUEST, "EntityTooSmall", text)
            .with("ProposedSize", size_bytes.to_string())
            .with("MinSizeAllowed", least_bytes.to_string())
    }
}
