//! The headers that travel with an object, and the parameters by which a read overrides them.
//!
//! They go past `s3s`, which takes only ASCII, and on HEAD knows no parameters.

use super::super::metadata;
use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::head::Head;
use crate::state::Object;

/// The headers that a read may override, and the parameters that do.
const OVERRIDABLE: [(&str, &str); 6] = [
    ("cache-control", "response-cache-control"),
    ("content-disposition", "response-content-disposition"),
    ("content-encoding", "response-content-encoding"),
    ("content-language", "response-content-language"),
    ("content-type", "response-content-type"),
    ("expires", "response-expires"),
];

/// Refuses overrides that AWS refuses: of callers who are not known, and with values that no header can carry.
pub(super) fn check_overrides(x: &Exchange, head: &Head) -> Result<(), AwsError> {
    for (_, parameter) in OVERRIDABLE {
        let Some(value) = head.parameter(parameter) else { continue };
        if x.authenticated.caller.identity().is_none() {
            let text = "Request specific response headers cannot be used for anonymous GET requests.";
            return Err(AwsError::invalid_request(text));
        }
        if value.chars().any(|character| character > '\u{FF}' || character.is_control()) {
            let text = "Header value cannot be represented using ISO-8859-1.";
            return Err(AwsError::invalid_argument(text, parameter, value));
        }
    }
    Ok(())
}

/// Adds the object's own headers to the answer.
pub(super) fn answer(x: &Exchange, head: &Head, object: &Object) {
    let own = &object.attributes.headers;
    for (header, parameter) in OVERRIDABLE {
        let stored = match header {
            "cache-control" => own.cache_control.as_deref(),
            "content-disposition" => own.content_disposition.as_deref(),
            "content-encoding" => own.content_encoding.as_deref(),
            "content-language" => own.content_language.as_deref(),
            "content-type" => Some(own.content_type.as_deref().unwrap_or("binary/octet-stream")),
            _ => own.expires.as_deref(),
        };
        if let Some(value) = head.parameter(parameter).or(stored) {
            x.answer_header(header, value);
        }
    }
    if let Some(location) = &object.attributes.redirect {
        x.answer_header("x-amz-website-redirect-location", location);
    }
    for (name, value) in &own.metadata {
        x.answer_header(&format!("x-amz-meta-{name}"), &metadata::encode(value));
    }
}
