//! Authorization headers that lack something, in the words of the services other than S3.
//!
//! Texts as widely reported. AWS repeats the header as its hash, so that no signature stands in an error.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use sha2::{Digest, Sha256};

use super::sigv4;
use crate::error::AwsError;
use crate::head::Head;

/// Refuses a header that is no signature of version 4, or not a whole one.
pub(super) fn check(head: &Head, authorization: &str) -> Result<(), AwsError> {
    let hash = STANDARD.encode(Sha256::digest(authorization.as_bytes()));
    let refuse = |text: String| Err(AwsError::new(StatusCode::BAD_REQUEST, "IncompleteSignature", text));
    let Some(parameters) = authorization.strip_prefix(sigv4::ALGORITHM) else {
        return refuse(format!(
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. \
             Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either \
             a 'X-Amz-Date' or a 'Date' header. (Hashed with SHA-256 and encoded with Base64) Authorization={hash}"
        ));
    };
    let mut lacking = String::new();
    let mut credential = None;
    for name in ["Credential", "Signature", "SignedHeaders"] {
        let found = parameters.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
        match found {
            None => lacking.extend(["Authorization header requires '", name, "' parameter. "]),
            Some(value) if name == "Credential" => credential = Some(value),
            Some(_) => {}
        }
    }
    if head.header("x-amz-date").is_none() && head.header("date").is_none() {
        lacking.push_str(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
        );
    }
    if !lacking.is_empty() {
        return refuse(format!(
            "{lacking}(Hashed with SHA-256 and encoded with Base64) Authorization={hash}"
        ));
    }
    match credential {
        Some(credential) if credential.split('/').count() != 5 => refuse(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got \
             '{credential}'"
        )),
        _ => Ok(()),
    }
}
