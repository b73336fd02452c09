//! Signature Version 4: the canonical request, the string to sign and the keyed hash.
//!
//! Source: AWS "Signature Version 4 signing process" and "Authenticating Requests (S3)", 2026. The published
//! signers only sign; a verifier also needs the canonical forms, which AWS returns in `SignatureDoesNotMatch`.

use std::borrow::Cow;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::head::{Head, decode, encode_path, encoded, header_text};

/// The hash of nothing, in hexadecimal.
pub(crate) const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The algorithm's name on the wire.
pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// `date/region/service/aws4_request`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    /// `YYYYMMDD`.
    pub(crate) date: String,
    pub(crate) region: String,
    pub(crate) service: String,
}

/// An access key id with the scope that it signed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credential {
    pub(crate) access_key_id: String,
    pub(crate) scope: Scope,
}

impl Credential {
    /// Parses `AKID/YYYYMMDD/REGION/SERVICE/aws4_request`. A key id may itself contain a slash.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let [access_key_id, date, region, service] = Self::parts(text)?;
        Some(Self {
            access_key_id: access_key_id.to_owned(),
            scope: Scope { date: date.to_owned(), region: region.to_owned(), service: service.to_owned() },
        })
    }

    /// The service that a credential signs for.
    pub(crate) fn service_in(text: &str) -> Option<&str> {
        Self::parts(text).map(|[_, _, _, service]| service)
    }

    /// Key id, date, region and service.
    fn parts(text: &str) -> Option<[&str; 4]> {
        let mut parts = text.rsplitn(5, '/');
        let terminal = parts.next()?;
        let service = parts.next()?;
        let region = parts.next()?;
        let date = parts.next()?;
        let access_key_id = parts.next()?;
        let date_is_valid = date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit());
        (terminal == "aws4_request" && date_is_valid && !access_key_id.is_empty()).then_some([
            access_key_id,
            date,
            region,
            service,
        ])
    }
}

impl Scope {
    pub(crate) fn text(&self) -> String {
        [&self.date, &self.region, &self.service, "aws4_request"].join("/")
    }

    /// The key that signs everything within this scope.
    pub(crate) fn signing_key(&self, secret: &str) -> [u8; 32] {
        let mut key = hmac_sha256(format!("AWS4{secret}").as_bytes(), self.date.as_bytes());
        for part in [self.region.as_str(), self.service.as_str(), "aws4_request"] {
            key = hmac_sha256(&key, part.as_bytes());
        }
        key
    }
}

/// The canonical request of `head` over `signed_headers` (lower case, in the signer's order).
///
/// `leave_out` names a query parameter that is not part of what was signed, the presigned signature itself.
pub(crate) fn canonical_request(
    head: &Head,
    signed_headers: &[String],
    payload_hash: &str,
    scope: &Scope,
    leave_out: Option<&str>,
) -> String {
    let path = decode(head.uri.path());
    let path = if path.is_empty() { "/".to_owned() } else { encode_path(&path) };
    // All services but S3 encode the path twice.
    let path = if scope.service == "s3" { path } else { encode_path(&path) };

    let mut query: Vec<(Cow<'_, str>, Cow<'_, str>)> = head
        .query
        .iter()
        .filter(|(name, _)| Some(*name) != leave_out)
        .map(|(name, value)| (encoded(name), encoded(value)))
        .collect();
    query.sort();

    let mut text = String::with_capacity(512);
    text.push_str(head.method.as_str());
    text.push('\n');
    text.push_str(&path);
    text.push('\n');
    for (place, (name, value)) in query.iter().enumerate() {
        if place > 0 {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    text.push('\n');
    for name in signed_headers {
        text.push_str(name);
        text.push(':');
        for (place, value) in head.headers.get_all(name.as_str()).iter().enumerate() {
            if place > 0 {
                text.push(',');
            }
            push_trimmed(&mut text, &header_text(value));
        }
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&signed_headers.join(";"));
    text.push('\n');
    text.push_str(payload_hash);
    text
}

/// The string to sign for a canonical request made at `timestamp` (`YYYYMMDDTHHMMSSZ`).
pub(crate) fn string_to_sign(timestamp: &str, scope: &Scope, canonical_request: &str) -> String {
    [ALGORITHM, timestamp, &scope.text(), &sha256_hex(canonical_request.as_bytes())].join("\n")
}

/// Appends a header value without surrounding white space and with inner runs of spaces folded.
fn push_trimmed(text: &mut String, value: &str) {
    for (place, word) in value.split_ascii_whitespace().enumerate() {
        if place > 0 {
            text.push(' ');
        }
        text.push_str(word);
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex_of(&Sha256::digest(bytes).into())
}

/// 32 bytes in hexadecimal.
pub(crate) fn hex_of(bytes: &[u8; 32]) -> String {
    let mut text = vec![0; 64];
    // The length is right and digits are UTF-8, so neither fails.
    let _infallible = hex::encode_to_slice(bytes, &mut text);
    String::from_utf8(text).unwrap_or_default()
}
