//! `why`.

use std::io::{Read, Write};
use std::net::TcpStream;

use http::Uri;

use super::{Exit, complain, say};
use crate::head::encode;

/// Holds the token of an emulator that asks for one, for those who serve and for those who ask.
pub(super) const ADMIN_TOKEN_VARIABLE: &str = "BUCKETPROOF_ADMIN_TOKEN";

/// Asks a running emulator.
#[derive(Debug, clap::Args)]
pub(super) struct Why {
    /// The `x-amz-request-id` of an answer; the last refusal if absent.
    request_id: Option<String>,
    /// Where the emulator listens.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4566")]
    endpoint: String,
}

impl Why {
    pub(super) fn run(self) -> Exit {
        let authority = match authority_of(&self.endpoint) {
            Ok(authority) => authority,
            Err(exit) => return exit,
        };
        let query = self.request_id.as_ref().map(|id| format!("?request={}", encode(id))).unwrap_or_default();
        match fetch(&self.endpoint, &authority, &format!("/_bucketproof/decisions{query}")) {
            Ok((200, text)) => say(&text, Exit::Done),
            Ok((404, text)) => {
                complain(text.trim_end(), "");
                Exit::No
            }
            Ok((status, text)) => unexpected(&self.endpoint, status, &text),
            Err(exit) => exit,
        }
    }
}

/// The host and port of `endpoint`, or what to exit with after a complaint.
pub(super) fn authority_of(endpoint: &str) -> Result<String, Exit> {
    let uri = endpoint.parse::<Uri>().ok().filter(|uri| uri.scheme_str() == Some("http"));
    if let Some(authority) = uri.as_ref().and_then(Uri::authority) {
        return Ok(authority.to_string());
    }
    complain(&format!("`--endpoint`: `{endpoint}` is no endpoint"), "write `http://HOST:PORT`");
    Err(Exit::Usage)
}

/// Asks the emulator at `endpoint`, or complains.
pub(super) fn fetch(endpoint: &str, authority: &str, path: &str) -> Result<(u16, String), Exit> {
    ask(authority, path).map_err(|error| {
        complain(
            &format!("`{endpoint}` does not answer: {error}"),
            "start one with `bucketproof-emulator serve`, or name it with `--endpoint`",
        );
        Exit::Broken
    })
}

/// Complains about an answer that nobody expects.
pub(super) fn unexpected(endpoint: &str, status: u16, text: &str) -> Exit {
    complain(
        &format!("`{endpoint}` answered {status}: {}", text.trim_end()),
        if status == 401 {
            "set BUCKETPROOF_ADMIN_TOKEN to its token"
        } else {
            "is it an emulator of this version?"
        },
    );
    Exit::Broken
}

/// One GET over a connection that ends with the answer.
fn ask(authority: &str, path: &str) -> std::io::Result<(u16, String)> {
    let address = if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
    let mut stream = TcpStream::connect(address)?;
    // What cannot stand in a header cannot be the token either.
    let token = std::env::var(ADMIN_TOKEN_VARIABLE).ok().map(|token| token.trim().to_owned());
    let token = token.filter(|token| token.bytes().all(|byte| byte.is_ascii_graphic()));
    let authorization = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {authority}\r\n{authorization}connection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let invalid = || std::io::Error::new(std::io::ErrorKind::InvalidData, "the answer is not HTTP");
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(invalid)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(invalid)?;
    Ok((status, body.to_owned()))
}
