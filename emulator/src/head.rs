//! The head of a request as it was received: method, target, headers, peer.

mod query;
mod received;

use std::borrow::Cow;
use std::net::IpAddr;

use http::{HeaderValue, Method, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::addressing::{Domains, WebsiteHost};
use crate::error::AwsError;

pub(crate) use query::Query;
pub(crate) use received::{ReceivedHeaders, SHAPES, shape};

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
    pub(crate) headers: ReceivedHeaders,
    pub(crate) source_ip: IpAddr,
    /// The bucket that the host names; absent for path style.
    pub(crate) bucket_in_host: Option<String>,
    /// Set for requests to the website endpoint.
    pub(crate) website: Option<WebsiteHost>,
    /// Whether it came over TLS.
    pub(crate) is_encrypted: bool,
    /// The query string, split and decoded once.
    pub(crate) query: Query,
}

impl Head {
    pub(crate) fn new(parts: http::request::Parts, source_ip: IpAddr, domains: &Domains) -> Self {
        let mut headers = ReceivedHeaders::from(parts.headers);
        if !headers.contains_key(http::header::HOST)
            && let Some(authority) = parts.uri.authority()
            && let Ok(host) = authority.as_str().parse()
        {
            headers.insert(http::header::HOST, host);
        }
        let mut head = Self {
            method: parts.method,
            query: parts.uri.query().map(Query::parse).unwrap_or_default(),
            uri: parts.uri,
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
        if !is_encoded_text(path) || self.query.is_lossy() {
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
        self.query.get(name)
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
    if !path.contains('%') {
        return true;
    }
    let is_hex = |text: Option<&str>| text.is_some_and(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
    path.split('%').skip(1).all(|rest| is_hex(rest.get(..2)))
        && percent_decode_str(path).decode_utf8().is_ok()
}

/// Decodes `%XX`; bytes that are not UTF-8 become replacement characters.
pub(crate) fn decode(text: &str) -> Cow<'_, str> {
    if text.contains('%') { percent_decode_str(text).decode_utf8_lossy() } else { Cow::Borrowed(text) }
}

/// The text of a header, if it is one; what is none has replacement characters.
pub(crate) fn header_text(value: &HeaderValue) -> Cow<'_, str> {
    // ASCII, which nearly all is, is told at once.
    value.to_str().map_or_else(|_| String::from_utf8_lossy(value.as_bytes()), Cow::Borrowed)
}

/// Encodes all but the unreserved characters.
pub(crate) fn encode(text: &str) -> String {
    encoded(text).into_owned()
}

/// Encodes all but the unreserved characters, where there are others.
pub(crate) fn encoded(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, ENCODED).into()
}

/// Encodes all but the unreserved characters and `/`.
pub(crate) fn encode_path(text: &str) -> String {
    utf8_percent_encode(text, ENCODED_PATH).to_string()
}
