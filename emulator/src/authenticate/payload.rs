//! The body: is it what was signed, and what is it without its framing.
//!
//! Source: AWS "Authenticating Requests: Transferring Payload in Multiple Chunks" and "Using trailing headers".

use std::fmt;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use subtle::ConstantTimeEq;

use super::sigv4::{EMPTY_SHA256, Scope, hmac_sha256, sha256_hex};
use crate::error::AwsError;
use crate::head::Head;

/// All chunks but the last must have at least this many bytes.
const CHUNK_BYTES_MIN: usize = 8192;

/// How the body is to be checked, learned from the head.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    /// Any body will do.
    Unsigned,
    /// The body must hash to this, in hexadecimal.
    Hashed(String),
    /// The body is `aws-chunked`.
    Chunked { signer: Option<ChunkSigner>, trailer: Trailer },
}

/// Whether trailing headers follow the last chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trailer {
    /// None may follow.
    Absent,
    /// The headers named by `x-amz-trailer` follow.
    Expected,
}

/// What is needed to check the signature of each chunk.
#[derive(Clone)]
pub(crate) struct ChunkSigner {
    /// The signing key; whoever has it can sign for the rest of the day.
    pub(crate) key: [u8; 32],
    pub(crate) scope: Scope,
    pub(crate) timestamp: String,
    /// The signature of the head, with which the chain begins.
    pub(crate) seed: String,
}

impl fmt::Debug for ChunkSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkSigner").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// The body without framing, and the headers that trailed it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub(crate) body: Bytes,
    pub(crate) trailers: Vec<(String, String)>,
}

impl Payload {
    /// What `x-amz-content-sha256` announces; `signer` is absent for anonymous requests.
    pub(crate) fn announced(
        value: &str,
        signer: impl FnOnce() -> Option<ChunkSigner>,
    ) -> Result<Self, AwsError> {
        let chain = || signer().map(Some).ok_or_else(AwsError::anonymous_signed_chunks);
        match value {
            "UNSIGNED-PAYLOAD" => Ok(Self::Unsigned),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => {
                Ok(Self::Chunked { signer: None, trailer: Trailer::Expected })
            }
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => {
                Ok(Self::Chunked { signer: chain()?, trailer: Trailer::Absent })
            }
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => {
                Ok(Self::Chunked { signer: chain()?, trailer: Trailer::Expected })
            }
            "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"
            | "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER" => {
                Err(AwsError::not_implemented(format!("the payload signature `{value}` (SigV4A)")))
            }
            hash if hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                Ok(Self::Hashed(hash.to_ascii_lowercase()))
            }
            other => Err(AwsError::invalid_payload_hash(other)),
        }
    }

    /// Checks the body and takes its framing off.
    pub(crate) fn verify(&self, head: &Head, body: Bytes) -> Result<Decoded, AwsError> {
        match self {
            Self::Unsigned => Ok(Decoded { body, trailers: Vec::new() }),
            Self::Hashed(claimed) => {
                let computed = if body.is_empty() { EMPTY_SHA256.to_owned() } else { sha256_hex(&body) };
                if *claimed == computed {
                    Ok(Decoded { body, trailers: Vec::new() })
                } else {
                    Err(AwsError::payload_hash_mismatch(claimed, &computed))
                }
            }
            Self::Chunked { signer, trailer } => {
                let announced = head
                    .header("x-amz-decoded-content-length")
                    .and_then(|text| text.parse::<u64>().ok())
                    .ok_or_else(AwsError::missing_content_length)?;
                let decoded = dechunk(&body, signer.as_ref(), *trailer)?;
                check_trailer_names(head, *trailer, &decoded.trailers)?;
                if decoded.body.len() as u64 == announced {
                    Ok(decoded)
                } else {
                    let text = "You did not provide the number of bytes specified by the Content-Length HTTP \
                                header";
                    Err(AwsError::incomplete_body(text))
                }
            }
        }
    }
}

fn check_trailer_names(head: &Head, trailer: Trailer, found: &[(String, String)]) -> Result<(), AwsError> {
    if trailer == Trailer::Absent {
        return if found.is_empty() { Ok(()) } else { Err(AwsError::malformed_trailer()) };
    }
    let declared: Vec<String> = head
        .header("x-amz-trailer")
        .unwrap_or_default()
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect();
    for name in &declared {
        match name.strip_prefix("x-amz-checksum-") {
            Some("crc32" | "crc32c" | "crc64nvme" | "sha1" | "sha256") => {}
            Some(_) => return Err(AwsError::not_implemented(format!("the checksum trailer `{name}`"))),
            None => {
                let text = "The value specified in the x-amz-trailer header is not supported";
                return Err(AwsError::invalid_request(text));
            }
        }
    }
    let all_declared = found.iter().all(|(name, _)| declared.contains(name));
    let all_found = declared.iter().all(|name| found.iter().any(|(found, _)| found == name));
    if all_declared && all_found { Ok(()) } else { Err(AwsError::malformed_trailer()) }
}

/// Takes `aws-chunked` framing apart, checking each chunk's signature if there is a signer.
fn dechunk(body: &[u8], signer: Option<&ChunkSigner>, trailer: Trailer) -> Result<Decoded, AwsError> {
    let ended = || AwsError::incomplete_body("The request body terminated unexpectedly");
    let mut rest = body;
    let mut data = BytesMut::with_capacity(body.len());
    let mut previous = signer.map(|signer| signer.seed.clone()).unwrap_or_default();
    let mut last_size = None;
    for number in 1_u64.. {
        let line = take_line(&mut rest).ok_or_else(ended)?;
        let (size, signature) = chunk_header(line).ok_or_else(ended)?;
        if rest.len() < size {
            return Err(ended());
        }
        let (chunk, after) = rest.split_at(size);
        rest = after;
        if let Some(signer) = signer {
            let computed = signer.chunk_signature(&previous, chunk);
            let given = signature.unwrap_or_default();
            if !bool::from(computed.as_bytes().ct_eq(given.as_bytes())) {
                return Err(chunk_signature_mismatch());
            }
            previous = computed;
        }
        if size == 0 {
            break;
        }
        if last_size.is_some_and(|last| last < CHUNK_BYTES_MIN) {
            return Err(chunk_too_small(number - 1, last_size.unwrap_or_default()));
        }
        last_size = Some(size);
        data.extend_from_slice(chunk);
        rest = rest.strip_prefix(b"\r\n").ok_or_else(ended)?;
    }
    let trailers = match trailer {
        Trailer::Absent if matches!(rest, b"" | b"\r\n") => Vec::new(),
        Trailer::Absent => return Err(AwsError::malformed_trailer()),
        Trailer::Expected => take_trailers(rest, signer, &previous)?,
    };
    Ok(Decoded { body: data.freeze(), trailers })
}

/// `1000;chunk-signature=…` as size and signature.
fn chunk_header(line: &[u8]) -> Option<(usize, Option<&str>)> {
    let line = std::str::from_utf8(line).ok()?;
    let (size, extension) = line.split_once(';').map_or((line, None), |(size, rest)| (size, Some(rest)));
    let size = size.trim();
    let size = usize::from_str_radix(size, 16).ok().filter(|_| !size.starts_with('+'))?;
    let signature = extension.and_then(|text| text.trim().strip_prefix("chunk-signature="));
    Some((size, signature))
}

fn take_trailers(
    mut rest: &[u8],
    signer: Option<&ChunkSigner>,
    previous: &str,
) -> Result<Vec<(String, String)>, AwsError> {
    let mut trailers = Vec::new();
    let mut signature = None;
    while let Some(line) = take_line(&mut rest) {
        if line.is_empty() {
            continue;
        }
        let line = std::str::from_utf8(line).map_err(|_| AwsError::malformed_trailer())?;
        let (name, value) = line.split_once(':').ok_or_else(AwsError::malformed_trailer)?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().to_owned());
        if name == "x-amz-trailer-signature" {
            signature = Some(value);
        } else if trailers.iter().any(|(other, _)| *other == name) {
            return Err(AwsError::malformed_trailer());
        } else {
            trailers.push((name, value));
        }
    }
    if !rest.is_empty() {
        return Err(AwsError::malformed_trailer());
    }
    if let Some(signer) = signer {
        let mut canonical = String::new();
        for (name, value) in &trailers {
            canonical.extend([name, ":", value, "\n"]);
        }
        let computed = signer.trailer_signature(previous, &canonical);
        let given = signature.ok_or_else(AwsError::malformed_trailer)?;
        if !bool::from(computed.as_bytes().ct_eq(given.as_bytes())) {
            return Err(chunk_signature_mismatch());
        }
    }
    Ok(trailers)
}

/// The next line without its end; `\n` alone ends a line too, as some clients frame trailers.
fn take_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let (line, after) = rest.split_at(end);
    *rest = after.get(1..)?;
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}

impl ChunkSigner {
    fn chunk_signature(&self, previous: &str, chunk: &[u8]) -> String {
        let text = format!(
            "AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{previous}\n{EMPTY_SHA256}\n{}",
            self.timestamp,
            self.scope.text(),
            sha256_hex(chunk),
        );
        hex::encode(hmac_sha256(&self.key, text.as_bytes()))
    }

    fn trailer_signature(&self, previous: &str, canonical: &str) -> String {
        let text = format!(
            "AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{previous}\n{}",
            self.timestamp,
            self.scope.text(),
            sha256_hex(canonical.as_bytes()),
        );
        hex::encode(hmac_sha256(&self.key, text.as_bytes()))
    }
}

fn chunk_signature_mismatch() -> AwsError {
    let text = "The request signature we calculated does not match the signature you provided. Check your key \
                and signing method.";
    AwsError::new(StatusCode::FORBIDDEN, "SignatureDoesNotMatch", text)
}

fn chunk_too_small(number: u64, size: usize) -> AwsError {
    let text = "Only the last chunk is allowed to have a size less than 8192 bytes";
    AwsError::new(StatusCode::FORBIDDEN, "InvalidChunkSizeError", text)
        .with("Chunk", number.to_string())
        .with("BadChunkSize", size.to_string())
}

#[cfg(test)]
mod tests;
