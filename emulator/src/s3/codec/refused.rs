//! What asks for something the emulator does not do.
//!
//! To ignore a header or a subresource would be to answer "done" where AWS does something else: `PUT ?tagging` without
//! its subresource overwrites the object.

use http::Method;

use crate::error::AwsError;
use crate::exchange::Address;
use crate::head::Head;

/// Refused by name wherever they appear.
const HEADERS: &[&str] = &[
    "x-amz-create-session-mode",
    "x-amz-if-match-initiated-time",
    "x-amz-mfa",
    "x-amz-object-annotation",
    "x-amz-rename-source",
    "x-amz-request-route",
    "x-amz-request-token",
    "x-amz-write-offset-bytes",
];

/// The methods of a subresource that are supported, separated by spaces.
struct Subresource {
    name: &'static str,
    on_bucket: &'static str,
    on_object: &'static str,
}

const fn row(name: &'static str, on_bucket: &'static str, on_object: &'static str) -> Subresource {
    Subresource { name, on_bucket, on_object }
}

/// Every query parameter that names a subresource of S3, with what is supported on a bucket and on an object; all other
/// parameters only qualify a request.
const SUBRESOURCES: &[Subresource] = &[
    row("abac", "", ""),
    row("accelerate", "GET PUT", ""),
    row("acl", "GET PUT", "GET PUT"),
    row("analytics", "GET PUT DELETE", ""),
    row("annotation", "", ""),
    row("append", "", ""),
    row("attributes", "", "GET"),
    row("cors", "GET PUT DELETE", ""),
    row("delete", "POST", ""),
    row("encryption", "GET PUT DELETE", ""),
    row("intelligent-tiering", "GET PUT DELETE", ""),
    row("inventory", "GET PUT DELETE", ""),
    row("legal-hold", "", "GET PUT"),
    row("lifecycle", "GET PUT DELETE", ""),
    row("location", "GET", ""),
    row("logging", "GET PUT", ""),
    row("metadataAnnotationTable", "", ""),
    row("metadataConfiguration", "", ""),
    row("metadataInventoryTable", "", ""),
    row("metadataJournalTable", "", ""),
    row("metadataTable", "", ""),
    row("metrics", "GET PUT DELETE", ""),
    row("notification", "GET PUT", ""),
    row("object-lock", "GET PUT", ""),
    row("ownershipControls", "GET PUT DELETE", ""),
    row("partNumber", "", "GET HEAD PUT"),
    row("policy", "GET PUT DELETE", ""),
    row("policyStatus", "GET", ""),
    row("publicAccessBlock", "GET PUT DELETE", ""),
    row("renameObject", "", ""),
    row("replication", "GET PUT DELETE", ""),
    row("requestPayment", "GET PUT", ""),
    row("restore", "", "POST"),
    row("retention", "", "GET PUT"),
    row("select", "", ""),
    row("session", "", ""),
    row("tagging", "GET PUT DELETE", "GET PUT DELETE"),
    row("torrent", "", ""),
    row("uploadId", "", "GET PUT POST DELETE"),
    row("uploads", "GET", "POST"),
    row("versioning", "GET PUT", ""),
    row("versions", "GET", ""),
    row("website", "GET PUT DELETE", ""),
];

/// Refuses the first header that is not supported.
pub(crate) fn check_headers(head: &Head) -> Result<(), AwsError> {
    for &name in HEADERS {
        // A false switch, or an empty value, asks for nothing.
        let asks =
            head.header(name).is_some_and(|value| !value.is_empty() && !value.eq_ignore_ascii_case("false"));
        if asks {
            return Err(AwsError::not_implemented(format!("the header `{name}`")));
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
    Ok(())
}

/// Whether a request is about more than the bucket or object itself.
pub(crate) fn names_subresource(head: &Head) -> bool {
    head.query.iter().any(|(name, _)| SUBRESOURCES.iter().any(|row| row.name == name))
}

/// Refuses a subresource that is not supported with this method.
pub(crate) fn check_subresource(head: &Head) -> Result<(), AwsError> {
    if !names_subresource(head) {
        return Ok(());
    }
    let address = Address::of(head);
    let (on_object, on_bucket) = (address.key.is_some(), address.bucket.is_some() && address.key.is_none());
    let method = &head.method;
    // An upload of a part is named by both; with one of them it would be taken for that of an object.
    let of_part = head.parameter("uploadId").is_some() && head.parameter("partNumber").is_some();
    let asked = head.query.iter().filter_map(|(name, _)| SUBRESOURCES.iter().find(|row| row.name == name));
    for subresource in asked {
        let (methods, place) = match (on_object, on_bucket) {
            (true, _) => (subresource.on_object, "an object"),
            (_, true) => (subresource.on_bucket, "a bucket"),
            _ => ("", "the account"),
        };
        let name = subresource.name;
        let complete = of_part || *method != Method::PUT || !matches!(name, "uploadId" | "partNumber");
        if !complete || !methods.split(' ').any(|supported| supported == method.as_str()) {
            return Err(AwsError::not_implemented(format!("the request `{method} ?{name}` on {place}")));
        }
    }
    Ok(())
}
