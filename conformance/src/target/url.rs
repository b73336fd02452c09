//! URLs of endpoints.

use std::fmt;

use http::Uri;

/// `http://host:port` or `https://host`, and nothing more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointUrl {
    text: String,
    authority: String,
}

/// A text that is no URL of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is no URL of an endpoint: {why}")]
pub struct EndpointUrlError {
    /// The text, without what may be secret in it.
    shown: String,
    why: &'static str,
}

impl EndpointUrl {
    /// Reads a URL.
    pub fn parse(text: &str) -> Result<Self, EndpointUrlError> {
        let refuse = |why| Err(EndpointUrlError { shown: without_secrets(text), why });
        let Ok(uri) = text.parse::<Uri>() else { return refuse("it is not of the form http://host:port") };
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return refuse("it begins neither with http:// nor with https://");
        }
        let Some(authority) = uri.authority() else { return refuse("it has no host") };
        if authority.as_str().contains('@') {
            return refuse("credentials do not belong in it; they are read from the environment");
        }
        if uri.path() != "/" && !uri.path().is_empty() || uri.query().is_some() {
            return refuse("it has a path or a query; checks make buckets of their own below the host");
        }
        let scheme = uri.scheme_str().unwrap_or_default();
        Ok(Self { text: format!("{scheme}://{authority}"), authority: authority.to_string() })
    }

    /// The URL, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Host and port.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Whether this is AWS itself, where everything costs money.
    pub fn is_aws(&self) -> bool {
        let host = self.authority.split(':').next().unwrap_or_default().to_ascii_lowercase();
        [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"].iter().any(|domain| host.ends_with(domain))
    }
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.text)
    }
}

/// The text with everything before an `@` left out.
fn without_secrets(text: &str) -> String {
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        (None, Some((_, host))) => format!("…@{host}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
