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
