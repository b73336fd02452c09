//! What of headers and queries may be remembered: everything but secrets.

use http::HeaderMap;

/// What stands where a secret stood.
pub(crate) const REDACTED: &str = "[redacted]";

/// Parts of names whose values let somebody in, or decrypt something.
const SECRET: [&str; 6] = ["authorization", "cookie", "password", "secret", "signature", "token"];

/// Whether the value of a header or parameter of this name is a secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // Where a listing goes on is no secret, and neither is which headers were signed.
    if matches!(name.as_str(), "continuation-token" | "x-amz-content-sha256") {
        return false;
    }
    let is_customer_key = name.ends_with("-customer-key");
    is_customer_key || SECRET.iter().any(|part| name.contains(part))
}

/// What AWS's SDKs draw at random for each call. It means nothing here, and two runs from one seed are to be alike.
const RANDOM: &str = "amz-sdk-invocation-id";

/// The headers in order, without secrets.
pub(crate) fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let texts = headers.iter().filter(|(name, _)| name.as_str() != RANDOM).map(|(name, value)| {
        let value = if is_secret(name.as_str()) {
            REDACTED.to_owned()
        } else {
            url(&String::from_utf8_lossy(value.as_bytes()))
        };
        (name.as_str().to_owned(), value)
    });
    texts.collect()
}

/// A text that may be a URL with a signature in its query.
pub(crate) fn url(text: &str) -> String {
    match text.split_once('?') {
        Some((place, asked)) => format!("{place}?{}", query(asked)),
        None => text.to_owned(),
    }
}

/// A query string, percent-encoded as it was.
pub(crate) fn query(text: &str) -> String {
    let pairs = text.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret(&crate::head::decode(name)) => format!("{name}={REDACTED}"),
        _ => pair.to_owned(),
    });
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

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
        assert_eq!(kept.len(), given.len());
        assert!(!kept.iter().any(|(_, value)| value.contains("hush")), "{kept:?}");
        let value = |name: &str| kept.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
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
