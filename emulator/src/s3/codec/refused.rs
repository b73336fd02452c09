//! What asks for something the emulator does not do.
//!
//! To ignore a header or a subresource would be to answer "done" where AWS does something else: `PUT ?tagging` without
//! its subresource overwrites the object.

use http::Method;

use crate::error::AwsError;
use crate::exchange::Address;
use crate::head::Head;

/// Refused by name wherever they appear.
const HEADERS: [&str; 28] = [
    "x-amz-bucket-object-lock-enabled",
    "x-amz-bypass-governance-retention",
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-copy-source-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key-md5",
    "x-amz-create-session-mode",
    "x-amz-grant-full-control",
    "x-amz-grant-read",
    "x-amz-grant-read-acp",
    "x-amz-grant-write",
    "x-amz-grant-write-acp",
    "x-amz-if-match-initiated-time",
    "x-amz-mfa",
    "x-amz-object-annotation",
    "x-amz-object-lock-legal-hold",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-retain-until-date",
    "x-amz-rename-source",
    "x-amz-request-route",
    "x-amz-request-token",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-context",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-server-side-encryption-customer-key-md5",
    "x-amz-tagging",
    "x-amz-website-redirect-location",
    "x-amz-write-offset-bytes",
];

/// Every query parameter that names a subresource of S3; all others only qualify a request.
const SUBRESOURCES: [&str; 43] = [
    "abac",
    "accelerate",
    "acl",
    "analytics",
    "annotation",
    "append",
    "attributes",
    "cors",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "location",
    "logging",
    "metadataAnnotationTable",
    "metadataConfiguration",
    "metadataInventoryTable",
    "metadataJournalTable",
    "metadataTable",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "partNumber",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "renameObject",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "session",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versioning",
    "versions",
    "website",
];

/// Refuses the first header that is not supported.
pub(crate) fn check_headers(head: &Head) -> Result<(), AwsError> {
    for name in HEADERS {
        // A false switch, or an empty value, asks for nothing.
        let asks =
            head.header(name).is_some_and(|value| !value.is_empty() && !value.eq_ignore_ascii_case("false"));
        if asks {
            return Err(AwsError::not_implemented(format!("the header `{name}`")));
        }
    }
    if let Some(ownership) = head.header("x-amz-object-ownership") {
        match ownership {
            "BucketOwnerEnforced" => {}
            "BucketOwnerPreferred" | "ObjectWriter" => {
                return Err(AwsError::not_implemented(format!("object ownership `{ownership}`")));
            }
            other => {
                let text = format!("Invalid x-amz-object-ownership header: {other}");
                return Err(AwsError::new(http::StatusCode::BAD_REQUEST, "InvalidArgument", text)
                    .with("ArgumentName", "x-amz-object-ownership"));
            }
        }
    }
    // Of an object with keys that S3 manages there is nothing to say; AWS refuses to be told.
    let name = "x-amz-server-side-encryption";
    if let Some(value) = head.header(name)
        && matches!(head.method, Method::GET | Method::HEAD)
    {
        let text = format!("{name} header is not supported for this operation.");
        return Err(AwsError::invalid_argument(text, name, value));
    }
    let is_form = head
        .header("content-type")
        .is_some_and(|content_type| content_type.starts_with("multipart/form-data"));
    if is_form && head.method == Method::POST {
        return Err(AwsError::not_implemented("an upload by POST form"));
    }
    Ok(())
}

/// Refuses a subresource that is not supported with this method.
pub(crate) fn check_subresource(head: &Head) -> Result<(), AwsError> {
    let address = Address::of(head);
    let (on_object, on_bucket) = (address.key.is_some(), address.bucket.is_some() && address.key.is_none());
    let method = &head.method;
    // An upload of a part is named by both; with one of them it would be taken for that of an object.
    let of_part = head.parameter("uploadId").is_some() && head.parameter("partNumber").is_some();
    for name in head.query.iter().map(|(name, _)| name.as_str()).filter(|name| SUBRESOURCES.contains(name)) {
        let supported = match name {
            "uploads" if on_object => *method == Method::POST,
            "location" | "uploads" => on_bucket && *method == Method::GET,
            "delete" => on_bucket && *method == Method::POST,
            "policy" => on_bucket && matches!(*method, Method::GET | Method::PUT | Method::DELETE),
            "uploadId" | "partNumber" if *method == Method::PUT => on_object && of_part,
            "uploadId" => on_object && matches!(*method, Method::GET | Method::POST | Method::DELETE),
            "partNumber" => on_object && matches!(*method, Method::GET | Method::HEAD),
            _ => false,
        };
        if !supported {
            let place = match (on_object, on_bucket) {
                (true, _) => "an object",
                (_, true) => "a bucket",
                _ => "the account",
            };
            return Err(AwsError::not_implemented(format!("the request `{method} ?{name}` on {place}")));
        }
    }
    Ok(())
}
