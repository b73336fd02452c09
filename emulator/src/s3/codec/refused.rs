//! Headers that ask for something the emulator does not do.
//!
//! To ignore one would be to answer "done" where AWS does something else.

use crate::error::AwsError;
use crate::head::Head;

/// Refused by name wherever they appear.
const REFUSED: [&str; 19] = [
    "x-amz-bucket-object-lock-enabled",
    "x-amz-bypass-governance-retention",
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-grant-full-control",
    "x-amz-grant-read",
    "x-amz-grant-read-acp",
    "x-amz-grant-write",
    "x-amz-grant-write-acp",
    "x-amz-mfa",
    "x-amz-object-lock-legal-hold",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-retain-until-date",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-context",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-tagging",
    "x-amz-website-redirect-location",
    "x-amz-write-offset-bytes",
    "x-amz-object-annotation",
];

/// Refuses the first header that is not supported.
pub(crate) fn check_headers(head: &Head) -> Result<(), AwsError> {
    for name in REFUSED {
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
                return Err(AwsError::invalid_argument(text, "x-amz-object-ownership", other));
            }
        }
    }
    let is_form = head
        .header("content-type")
        .is_some_and(|content_type| content_type.starts_with("multipart/form-data"));
    if is_form && head.method == http::Method::POST {
        return Err(AwsError::not_implemented("an upload by POST form"));
    }
    Ok(())
}
