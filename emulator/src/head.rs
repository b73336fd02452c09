//! The head of a request as it was received: method, target, headers, peer.

use std::net::IpAddr;

use http::{HeaderMap, Method, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::addressing::{Domains, WebsiteHost};
use crate::error::AwsError;

/// Everything but the unreserved characters of RFC 3986 is encoded, as SigV4 asks.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const ENCODED_PATH: &AsciiSet = &ENCODED.remove(b'/');

/// Marks a request that came over TLS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encrypted;

/// A request without its body.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) source_ip: IpAddr,
    /// The bucket that the host names; absent for path style.
    pub(crate) bucket_in_host: Option<String>,
    /// Set for requests to the website endpoint.
    pub(crate) website: Option<WebsiteHost>,
    /// Whether it came over TLS.
    pub(crate) is_encrypted: bool,
    /// The query string, split and decoded once, in the order received.
    pub(crate) query: Vec<(String, String)>,
}

impl Head {
    pub(crate) fn new(parts: &http::request::Parts, source_ip: IpAddr, domains: &Domains) -> Self {
        let mut headers = parts.headers.clone();
        if !headers.contains_key(http::header::HOST)
            && let Some(authority) = parts.uri.authority()
            && let Ok(host) = authority.as_str().parse()
        {
            headers.insert(http::header::HOST, host);
        }
        let mut head = Self {
            method: parts.method.clone(),
            query: parts.uri.query().map(split_query).unwrap_or_default(),
            uri: parts.uri.clone(),
            headers,
            source_ip,
            bucket_in_host: None,
            website: None,
            is_encrypted: parts.extensions.get::<Encrypted>().is_some(),
        };
        head.website = domains.website_in_host(head.host());
        head.bucket_in_host = match &head.website {
            Some(WebsiteHost::Bucket(bucket)) => Some(bucket.clone()),
            _ => domains.bucket_in_host(head.host()).map(str::to_owned),
        };
        head
    }

    /// Refuses what has no reading as text, so that nothing below has to guess.
    pub(crate) fn check(&self) -> Result<(), AwsError> {
        let path = self.uri.path();
        let query = self.uri.query().unwrap_or_default();
        if !is_encoded_text(path) || percent_decode_str(query).decode_utf8().is_err() {
            return Err(AwsError::invalid_uri(path));
        }
        match self.headers.iter().find(|(_, value)| std::str::from_utf8(value.as_bytes()).is_err()) {
            None => Ok(()),
            Some((name, _)) => {
                Err(AwsError::invalid_request(format!("The value of the header {name} is not UTF-8.")))
            }
        }
    }

    /// A header's text; [`Head::check`] has refused those that have none.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.headers.get(name)?.as_bytes()).ok()
    }

    /// The first value of a query parameter, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// How the client reached the endpoint.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.is_encrypted { "https" } else { "http" }
    }

    pub(crate) fn host(&self) -> &str {
        self.header("host").unwrap_or_default()
    }
}

/// Whether every `%` begins an encoded byte, and the bytes are UTF-8.
fn is_encoded_text(path: &str) -> bool {
    let is_hex = |text: Option<&str>| text.is_some_and(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
    path.split('%').skip(1).all(|rest| is_hex(rest.get(..2)))
        && percent_decode_str(path).decode_utf8().is_ok()
}

/// Splits `a=b&c` into decoded pairs; `+` stands for a space.
pub(crate) fn split_query(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode_form(name), decode_form(value))
        })
        .collect()
}

/// Decodes `%XX` and `+`.
fn decode_form(text: &str) -> String {
    decode(&text.replace('+', " "))
}

/// Decodes `%XX`; bytes that are not UTF-8 become replacement characters.
pub(crate) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Encodes all but the unreserved characters.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Encodes all but the unreserved characters and `/`.
pub(crate) fn encode_path(text: &str) -> String {
    utf8_percent_encode(text, ENCODED_PATH).to_string()
}
