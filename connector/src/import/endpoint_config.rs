//! Where messages come in, as the configuration says it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::document::{Document, DocumentError};

/// SNS tries for an hour at most; five minutes more are for clocks that differ.
const MAX_AGE_MINUTES_DEFAULT: u32 = 65;
/// A message of 256 KiB, each quote and line end of it escaped.
const BODY_KIB_DEFAULT: u32 = 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEndpoint {
    listen: Spanned<String>,
    public_url: Spanned<String>,
    certificate: Option<PathBuf>,
    private_key: Option<PathBuf>,
    #[serde(default)]
    allow_http: bool,
    max_age_minutes: Option<Spanned<u32>>,
    body_kib_max: Option<Spanned<u32>>,
    stand_in: Option<RawStandIn>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStandIn {
    host: Spanned<String>,
    trust_anchor: Option<PathBuf>,
    #[serde(default)]
    allow_http: bool,
}

/// Another host in place of SNS's, for an emulator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandIn {
    /// Host and port, in lower case.
    pub host: String,
    /// Who vouches for the signing certificate, as PEM.
    pub trust_anchor: Option<PathBuf>,
    /// Whether it speaks plain http.
    pub allow_http: bool,
}

/// Where messages come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointConfig {
    /// The socket.
    pub listen: SocketAddr,
    /// How SNS reaches it; without a slash at its end.
    pub public_url: String,
    /// Certificate and key of its TLS, as PEM; without them something in front of it speaks TLS.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// How far from now the time of a message may be.
    pub max_age_minutes: u32,
    /// The most bytes of a message.
    pub body_bytes_max: usize,
    /// Another host in place of SNS's.
    pub stand_in: Option<StandIn>,
}

pub(super) fn checked(
    document: &Document<'_>,
    raw: RawEndpoint,
    directory: &Path,
) -> Result<EndpointConfig, DocumentError> {
    let listen: SocketAddr = raw.listen.get_ref().parse().map_err(|_| {
        document.error(
            raw.listen.span(),
            "not an address and port",
            "write `127.0.0.1:8443` or `0.0.0.0:8443`",
        )
    })?;
    let url = raw.public_url.get_ref().trim_end_matches('/').to_owned();
    let is_plain = url.starts_with("http://");
    let server = url.split_once("://").map_or("", |(_, server)| server);
    let is_url = (is_plain || url.starts_with("https://")) && !server.is_empty();
    if !is_url || server.contains(['?', '#', '@']) || server.contains(char::is_whitespace) {
        return Err(document.error(
            raw.public_url.span(),
            "not the URL of a server",
            "write how SNS reaches this endpoint: `https://events.example.com`",
        ));
    }
    if is_plain && !raw.allow_http {
        return Err(document.error(
            raw.public_url.span(),
            "over plain http anybody on the way reads which files there are",
            "use https, or set `allow_http = true` of the endpoint for an emulator",
        ));
    }
    let tls = match (raw.certificate, raw.private_key) {
        (Some(certificate), Some(key)) => Some((directory.join(certificate), directory.join(key))),
        (None, None) => None,
        _ => {
            return Err(document.error(
                raw.listen.span(),
                "TLS needs both `certificate` and `private_key`",
                "name both files, or neither if something in front of the endpoint speaks TLS",
            ));
        }
    };
    let minutes = raw.max_age_minutes.as_ref().map_or(MAX_AGE_MINUTES_DEFAULT, |minutes| *minutes.get_ref());
    if !(1..=24 * 60).contains(&minutes) {
        let span = raw.max_age_minutes.map_or(0..0, |minutes| minutes.span());
        return Err(document.error(span, "messages may be 1 to 1440 minutes old", "65 is a good value"));
    }
    let kib = raw.body_kib_max.as_ref().map_or(BODY_KIB_DEFAULT, |kib| *kib.get_ref());
    if !(1..=16 * 1024).contains(&kib) {
        let span = raw.body_kib_max.map_or(0..0, |kib| kib.span());
        return Err(document.error(span, "messages may have 1 to 16384 KiB", "1024 is a good value"));
    }
    let stand_in = match raw.stand_in {
        None => None,
        Some(own) => {
            let host = own.host.get_ref().to_ascii_lowercase();
            if host.is_empty() || host.contains(['/', '@', '?', '#']) || host.contains(char::is_whitespace) {
                return Err(document.error(
                    own.host.span(),
                    "not a host",
                    "write host and port of the emulator: `127.0.0.1:4566`",
                ));
            }
            let trust_anchor = own.trust_anchor.map(|path| directory.join(path));
            Some(StandIn { host, trust_anchor, allow_http: own.allow_http })
        }
    };
    Ok(EndpointConfig {
        listen,
        public_url: url,
        tls,
        max_age_minutes: minutes,
        body_bytes_max: usize::try_from(kib).unwrap_or(1).saturating_mul(1024),
        stand_in,
    })
}
