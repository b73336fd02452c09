//! `why`.

use std::io::{Read, Write};
use std::net::TcpStream;

use http::Uri;

use super::{Exit, complain, say};
use crate::head::encode;

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
        let authority =
            self.endpoint.parse::<Uri>().ok().and_then(|uri| {
                (uri.scheme_str() == Some("http")).then(|| uri.authority().cloned()).flatten()
            });
        let Some(authority) = authority else {
            complain(
                &format!("`--endpoint`: `{}` is no endpoint", self.endpoint),
                "write `http://HOST:PORT`",
            );
            return Exit::Usage;
        };
        let query = self.request_id.as_ref().map(|id| format!("?request={}", encode(id))).unwrap_or_default();
        match ask(authority.as_str(), &format!("/_bucketproof/decisions{query}")) {
            Ok((200, text)) => say(&text, Exit::Done),
            Ok((404, text)) => {
                complain(text.trim_end(), "");
                Exit::No
            }
            Ok((status, text)) => {
                let message = format!("`{}` answered {status}: {}", self.endpoint, text.trim_end());
                complain(&message, "is it an emulator of this version?");
                Exit::Broken
            }
            Err(error) => {
                complain(
                    &format!("`{}` does not answer: {error}", self.endpoint),
                    "start one with `bucketproof-emulator serve`, or name it with `--endpoint`",
                );
                Exit::Broken
            }
        }
    }
}

/// One GET over a connection that ends with the answer.
fn ask(authority: &str, path: &str) -> std::io::Result<(u16, String)> {
    let address = if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let invalid = || std::io::Error::new(std::io::ErrorKind::InvalidData, "the answer is not HTTP");
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(invalid)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(invalid)?;
    Ok((status, body.to_owned()))
}
