//! What of headers and queries may be remembered: everything but secrets.

use std::borrow::Cow;
use std::sync::LazyLock;

use http::HeaderMap;

use super::Headers;
use super::headers::Writer;
use crate::head::{SHAPES, decode, header_text, shape};

/// What stands where a secret stood.
pub(crate) const REDACTED: &str = "[redacted]";

/// Parts of names whose values let somebody in, or decrypt something.
const SECRET: [&str; 6] = ["authorization", "cookie", "password", "secret", "signature", "token"];

/// Names that most requests and answers have; none is a secret, and they need not be searched for parts.
const HARMLESS: [&str; 25] = [
    "accept-ranges",
    "amz-sdk-request",
    "content-length",
    "content-type",
    "date",
    "etag",
    "host",
    "last-modified",
    "list-type",
    "prefix",
    "server",
    "user-agent",
    "x-amz-algorithm",
    "x-amz-checksum-crc32",
    "x-amz-checksum-type",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-id-2",
    "x-amz-request-id",
    "x-amz-server-side-encryption",
    "x-amz-signedheaders",
    "x-amz-user-agent",
    "x-bucketproof-trace",
    "x-id",
];

/// Whether the value of a header or parameter of this name is a secret.
fn is_secret(name: &str) -> bool {
    static HARMLESS_BY_SHAPE: LazyLock<[Vec<&str>; SHAPES]> = LazyLock::new(|| {
        // What a body hashes to is no secret either, nor where a listing goes on.
        let all = || HARMLESS.into_iter().chain(["continuation-token", "x-amz-content-sha256"]);
        std::array::from_fn(|index| all().filter(|name| shape(name) == index).collect())
    });
    let of_shape = HARMLESS_BY_SHAPE.get(shape(name));
    if of_shape.into_iter().flatten().any(|own| own.eq_ignore_ascii_case(name)) {
        return false;
    }
    let name = lower(name);
    name.ends_with("-customer-key") || SECRET.iter().any(|part| name.contains(part))
}

fn lower(name: &str) -> Cow<'_, str> {
    let is_lower = !name.bytes().any(|byte| byte.is_ascii_uppercase());
    if is_lower { Cow::Borrowed(name) } else { Cow::Owned(name.to_ascii_lowercase()) }
}

/// What AWS's SDKs draw at random for each call. It means nothing here, and two runs from one seed are to be alike.
const RANDOM: &str = "amz-sdk-invocation-id";

/// The headers in order, without secrets.
pub(crate) fn headers(headers: &HeaderMap) -> Headers {
    let bytes = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 3).sum();
    let mut kept = Writer::with_capacity(bytes);
    for (name, value) in headers.iter().filter(|(name, _)| name.as_str() != RANDOM) {
        if is_secret(name.as_str()) {
            kept.add(name.as_str(), REDACTED);
        } else {
            kept.add(name.as_str(), &url(&header_text(value)));
        }
    }
    kept.finish()
}

/// A text that may be a URL with a signature in its query.
pub(crate) fn url(text: &str) -> Cow<'_, str> {
    match text.split_once('?') {
        Some((place, asked)) => Cow::Owned(format!("{place}?{}", query(asked))),
        None => Cow::Borrowed(text),
    }
}

/// A query string, percent-encoded as it was.
pub(crate) fn query(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for (place, pair) in text.split('&').enumerate() {
        if place > 0 {
            kept.push('&');
        }
        match pair.split_once('=') {
            Some((name, _)) if is_secret(&decode(name)) => {
                kept.push_str(name);
                kept.push('=');
                kept.push_str(REDACTED);
            }
            _ => kept.push_str(pair),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    #[test]
    fn what_is_not_searched_has_no_secret() {
        let is_plain = |name: &&str| !super::SECRET.iter().any(|part| name.contains(part));
        assert!(super::HARMLESS.iter().all(is_plain));
    }

    #[test]
    fn secrets_go_and_everything_else_stays() {
        let mut given = HeaderMap::new();
        for name in [
            "authorization",
            "x-amz-security-token",
            "x-amz-server-side-encryption-customer-key",
            "x-amz-copy-source-server-side-encryption-customer-key",
            "cookie",
        ] {
            given.insert(name, HeaderValue::from_static("hush"));
        }
        given.insert("x-amz-server-side-encryption-customer-key-md5", HeaderValue::from_static("digest"));
        given.insert("referer", HeaderValue::from_static("http://a/b?x=1&X-Amz-Signature=hush&y"));
        let kept = super::headers(&given);
        assert_eq!(kept.iter().count(), given.len());
        assert!(!kept.iter().any(|(_, value)| value.contains("hush")), "{kept:?}");
        let value = |name: &str| kept.get(name);
        assert_eq!(value("x-amz-server-side-encryption-customer-key-md5"), Some("digest"));
        assert_eq!(value("referer"), Some("http://a/b?x=1&X-Amz-Signature=[redacted]&y"));
        let query =
            "list-type=2&continuation-token=abc&X-Amz-Security-Token=a&X%2DAmz%2DSignature=b&Signature=c";
        assert_eq!(
            super::query(query),
            "list-type=2&continuation-token=abc&X-Amz-Security-Token=[redacted]&X%2DAmz%2DSignature=[redacted]\
             &Signature=[redacted]"
        );
    }
}
