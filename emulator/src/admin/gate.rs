//! Who may use the admin API.
//!
//! Without a token: callers on loopback, as the machine's own name. A page in a browser of this machine is on loopback
//! too, so a `Host` that somebody else's name server can point here is refused (DNS rebinding), and so is whatever a
//! browser sends for a page of another origin. With a token: whoever has it, and nobody else; a page that does not know
//! it cannot send it. What tells nothing (`health`, the files of the console) is open.

use std::net::IpAddr;

use http::{Method, StatusCode};

use super::Refusal;
use super::routes::{Access, Route};
use crate::addressing::Domains;
use crate::head::Head;
use crate::pipeline::Network;

pub(super) fn check(head: &Head, network: &Network, route: &Route) -> Result<(), Refusal> {
    if route.access == Access::Open {
        return Ok(());
    }
    check_origin(head)?;
    match &network.admin_token {
        Some(token) => {
            let offered = head.header("authorization").and_then(|text| {
                let (scheme, token) = text.split_once(' ')?;
                scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
            });
            match offered {
                Some(offered) if token.is(offered) => Ok(()),
                Some(_) => Err(Refusal::unauthorized("this is not the token of the admin API")),
                None => Err(Refusal::unauthorized(
                    "the admin API asks for its token; send `Authorization: Bearer TOKEN`",
                )),
            }
        }
        None if !head.source_ip.is_loopback() => Err(Refusal::new(
            StatusCode::FORBIDDEN,
            format!(
                "without a token the admin API is for callers on loopback alone, and this one is `{}`; start the \
                 emulator with `--admin-token-file FILE`",
                head.source_ip
            ),
        )),
        None => check_host(head.host(), &network.domains),
    }
}

/// The host must be a name that only this machine or its operator gives.
fn check_host(host: &str, domains: &Domains) -> Result<(), Refusal> {
    let name = host_name(host);
    // Clients older than HTTP/1.1 send none, and no browser is one.
    if name.is_empty() || name.parse::<IpAddr>().is_ok() || domains.is_own(name) {
        return Ok(());
    }
    let text = format!(
        "the admin API is not served as `{host}`, a name that others may point here; use `localhost` or an address, name \
         it with `--domain`, or set a token"
    );
    Err(Refusal::new(StatusCode::FORBIDDEN, text))
}

/// The name without port and brackets.
fn host_name(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

/// A browser says for whose page it asks.
fn check_origin(head: &Head) -> Result<(), Refusal> {
    let refused = |from: &str| {
        let text = format!(
            "the admin API does not answer pages of other sites (`{from}`); open the console at /_bucketproof/console"
        );
        Err(Refusal::new(StatusCode::FORBIDDEN, text))
    };
    if let Some(origin) = head.header("origin") {
        let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        return match authority {
            Some(authority) if authority.eq_ignore_ascii_case(head.host()) => Ok(()),
            _ => refused(origin),
        };
    }
    match head.header("sec-fetch-site") {
        Some(site @ ("cross-site" | "same-site")) => {
            // To follow a link is to look, and the page that has it sees nothing.
            let follows_a_link =
                head.method == Method::GET && head.header("sec-fetch-mode") == Some("navigate");
            if follows_a_link { Ok(()) } else { refused(site) }
        }
        _ => Ok(()),
    }
}
