//! The request that `s3s` gets to see in place of the one that came.

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Request, Uri};

use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::head::{Head, encoded};
use crate::s3::{Slot, stand_in};

/// Headers that are verified, or read raw by us, before `s3s` sees the request.
const TAKEN: [&str; 23] = [
    "authorization",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-md5",
    "content-type",
    "expires",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "range",
    "x-amz-acl",
    "x-amz-bypass-governance-retention",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-max-parts",
    "x-amz-part-number-marker",
    "x-amz-object-ownership",
    "x-amz-security-token",
    "x-amz-trailer",
];

/// The beginnings of further headers that we read ourselves.
const TAKEN_PREFIXES: [&str; 8] = [
    "x-amz-checksum-",
    "x-amz-copy-source-if-",
    "x-amz-copy-source-server-side-encryption-",
    "x-amz-grant-",
    "x-amz-if-match-",
    "x-amz-meta-",
    "x-amz-object-lock-",
    "x-amz-server-side-encryption",
];

/// The request as `s3s` is to see it: no signature, no framing, and nothing that we read ourselves.
pub(super) fn for_codec(exchange: &Arc<Exchange>) -> Result<Request<s3s::Body>, AwsError> {
    let head = &exchange.head;
    let body = stand_in(head, &exchange.body)
        .map_or_else(|| exchange.body.clone(), |text| Bytes::from(text.into_owned()));
    let body_bytes = body.len();
    let mut request = Request::new(s3s::Body::from(body));
    *request.method_mut() = head.method.clone();
    *request.uri_mut() = Uri::try_from(target(head)).map_err(|_| AwsError::invalid_uri(head.uri.path()))?;
    for (name, value) in head.headers.iter().filter(|(name, _)| !is_taken(name.as_str())) {
        request.headers_mut().append(name, value.clone());
    }
    // A plus in the source of a copy is a space, as in a form.
    if let Some(source) = head.header("x-amz-copy-source").filter(|source| source.contains('+'))
        && let Ok(source) = HeaderValue::from_str(&source.replace('+', "%20"))
    {
        request.headers_mut().insert("x-amz-copy-source", source);
    }
    request.headers_mut().insert(CONTENT_LENGTH, body_bytes.into());
    request.extensions_mut().insert(Slot(Arc::clone(exchange)));
    Ok(request)
}

/// Path and query. Of several parameters with one name the first counts, for us and so for the codec.
fn target(head: &Head) -> String {
    let mut target =
        String::with_capacity(head.uri.path().len() + head.uri.query().unwrap_or_default().len() + 1);
    target.push_str(head.uri.path());
    let mut separator = '?';
    for (place, (name, value)) in head.query.iter().enumerate() {
        let is_repeated = || head.query.iter().take(place).any(|(earlier, _)| earlier == name);
        if is_taken_parameter(name, value) || is_repeated() {
            continue;
        }
        target.push(separator);
        target.push_str(&encoded(name));
        target.push('=');
        target.push_str(&encoded(value));
        separator = '&';
    }
    target
}

fn is_taken(header: &str) -> bool {
    TAKEN.contains(&header) || TAKEN_PREFIXES.iter().any(|prefix| header.starts_with(prefix))
}

/// The query parameters that carry a signature, both versions, and those that we read ourselves.
///
/// In a listing of parts an empty number is none.
fn is_taken_parameter(name: &str, value: &str) -> bool {
    let prefixes = ["X-Amz-", "response-"];
    prefixes.iter().any(|prefix| name.starts_with(prefix))
        || (value.is_empty() && matches!(name, "max-parts" | "part-number-marker"))
        || matches!(name, "AWSAccessKeyId" | "Signature" | "Expires")
}
