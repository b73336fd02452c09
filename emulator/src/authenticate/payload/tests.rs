//! `aws-chunked` bodies, framed here and signed by the SDK's signer.

use std::net::{IpAddr, Ipv4Addr};
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::SigningSettings;
use aws_sigv4::sign::v4::{SigningParams, sign_chunk, sign_trailer};
use aws_smithy_runtime_api::http::Headers;
use bytes::Bytes;
use jiff::Timestamp;
use proptest::prelude::*;

use super::{ChunkSigner, Payload};
use crate::addressing::Domains;
use crate::authenticate::Scope;
use crate::error::AwsError;
use crate::head::Head;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const SEED: &str = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";

const SIGNED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const SIGNED_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

/// What is to be framed, and how.
#[derive(Clone, Debug)]
struct Framing {
    kind: &'static str,
    chunks: Vec<Vec<u8>>,
    trailers: Vec<(&'static str, String)>,
}

impl Framing {
    fn of(kind: &'static str, chunks: &[&[u8]]) -> Self {
        let trailers = match kind {
            SIGNED => Vec::new(),
            _ => vec![("x-amz-checksum-crc32", "AAAAAA==".to_owned())],
        };
        Self { kind, chunks: chunks.iter().map(|chunk| chunk.to_vec()).collect(), trailers }
    }

    fn content(&self) -> Vec<u8> {
        self.chunks.concat()
    }

    /// The body as it travels.
    fn framed(&self) -> Vec<u8> {
        let identity = Credentials::new("AKIAIOSFODNN7EXAMPLE", SECRET, None, None, "tests").into();
        let time = SystemTime::from("2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap());
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name("s3")
            .time(time)
            .settings(SigningSettings::default())
            .build()
            .unwrap();
        let mut previous = SEED.to_owned();
        let mut body = Vec::new();
        let last: &[u8] = b"";
        for chunk in self.chunks.iter().map(Vec::as_slice).chain([last]) {
            let signature = if self.kind == UNSIGNED_TRAILER {
                String::new()
            } else {
                let ((), signature) =
                    sign_chunk(&Bytes::copy_from_slice(chunk), &previous, &parameters).unwrap().into_parts();
                previous.clone_from(&signature);
                format!(";chunk-signature={signature}")
            };
            body.extend(format!("{:x}{signature}\r\n", chunk.len()).into_bytes());
            body.extend(chunk);
            if !chunk.is_empty() {
                body.extend(b"\r\n");
            }
        }
        let mut headers = Headers::new();
        for (name, value) in &self.trailers {
            headers.insert(*name, value.clone());
            body.extend(format!("{name}:{value}\r\n").into_bytes());
        }
        if self.kind == SIGNED_TRAILER {
            let ((), signature) = sign_trailer(&headers, &previous, &parameters).unwrap().into_parts();
            body.extend(format!("x-amz-trailer-signature:{signature}\r\n").into_bytes());
        }
        body.extend(b"\r\n");
        body
    }

    /// What a verifier makes of `body`, announced with this framing.
    fn verify(&self, body: Vec<u8>, announced_bytes: usize) -> Result<super::Decoded, AwsError> {
        let scope = Scope { date: "20260101".into(), region: "us-east-1".into(), service: "s3".into() };
        let payload = Payload::announced(self.kind, || {
            Some(ChunkSigner {
                key: scope.signing_key(SECRET),
                scope: scope.clone(),
                timestamp: "20260101T000000Z".into(),
                seed: SEED.into(),
            })
        })?;
        let names: Vec<&str> = self.trailers.iter().map(|(name, _)| *name).collect();
        let request = http::Request::builder()
            .header("x-amz-decoded-content-length", announced_bytes)
            .header("x-amz-trailer", names.join(","))
            .body(())
            .unwrap();
        let (parts, ()) = request.into_parts();
        payload.verify(&Head::new(parts, IpAddr::V4(Ipv4Addr::LOCALHOST), &Domains::default()), body.into())
    }
}

/// What becomes of a tampered body: the code of the refusal.
fn check(framing: &Framing, tamper: impl FnOnce(&mut Vec<u8>), expected: &str) {
    let mut body = framing.framed();
    tamper(&mut body);
    let code = framing.verify(body, framing.content().len()).map(|_| ()).unwrap_err().code;
    assert_eq!(code, expected, "{}", framing.kind);
}

fn replace(body: &mut Vec<u8>, from: &str, to: &str) {
    let text = String::from_utf8_lossy(body).into_owned();
    assert!(text.contains(from), "{from} in {text}");
    *body = text.replacen(from, to, 1).into_bytes();
}

fn every_kind() -> [Framing; 3] {
    let long = [b'a'; 9000];
    [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER].map(|kind| Framing::of(kind, &[&long, b"the rest"]))
}

#[test]
fn every_framing_is_taken_apart() {
    for framing in
        every_kind().into_iter().chain([Framing::of(SIGNED, &[]), Framing::of(SIGNED, &[b"short"])])
    {
        let content = framing.content();
        let decoded = framing.verify(framing.framed(), content.len()).unwrap();
        assert_eq!(decoded.body, content, "{}", framing.kind);
        let trailers: Vec<(&str, String)> =
            decoded.trailers.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        assert_eq!(trailers, framing.trailers, "{}", framing.kind);
    }
}

#[test]
fn a_changed_chunk_breaks_the_chain() {
    for framing in every_kind().into_iter().filter(|framing| framing.kind != UNSIGNED_TRAILER) {
        check(&framing, |body| replace(body, "aaaa", "aaab"), "SignatureDoesNotMatch");
        check(&framing, |body| replace(body, "the rest", "the best"), "SignatureDoesNotMatch");
        check(
            &framing,
            |body| replace(body, "chunk-signature=", "chunk-signature=0"),
            "SignatureDoesNotMatch",
        );
        check(&framing, |body| replace(body, ";chunk-signature=", ";other="), "SignatureDoesNotMatch");
    }
}

#[test]
fn a_changed_trailer_is_refused() {
    let [_, signed, unsigned] = every_kind();
    check(&signed, |body| replace(body, "AAAAAA==", "AAAAAQ=="), "SignatureDoesNotMatch");
    check(&signed, |body| replace(body, "x-amz-trailer-signature", "x-amz-other"), "MalformedTrailerError");
    for framing in [signed, unsigned] {
        check(
            &framing,
            |body| replace(body, "x-amz-checksum-crc32", "x-amz-checksum-sha1"),
            match framing.kind {
                SIGNED_TRAILER => "SignatureDoesNotMatch",
                _ => "MalformedTrailerError",
            },
        );
    }
    let unsigned = Framing::of(UNSIGNED_TRAILER, &[b"body"]);
    check(
        &unsigned,
        |body| replace(body, "AAAAAA==", "AAAAAA==\r\nx-amz-undeclared:1"),
        "MalformedTrailerError",
    );
    check(
        &unsigned,
        |body| replace(body, "AAAAAA==", "AAAAAA==\r\nx-amz-checksum-crc32:b"),
        "MalformedTrailerError",
    );
    check(&unsigned, |body| replace(body, "x-amz-checksum-crc32:AAAAAA==\r\n", ""), "MalformedTrailerError");
    check(&unsigned, |body| replace(body, "crc32:", "crc32"), "MalformedTrailerError");
    check(&unsigned, |body| body.extend(b"more"), "MalformedTrailerError");
}

#[test]
fn what_follows_the_last_chunk_is_refused() {
    let [signed, ..] = every_kind();
    check(&signed, |body| body.extend(b"smuggled"), "MalformedTrailerError");
}

#[test]
fn a_body_that_ends_early_is_refused() {
    for framing in every_kind() {
        check(&framing, |body| body.truncate(100), "IncompleteBody");
        check(&framing, Vec::clear, "IncompleteBody");
        let end = framing.framed().windows(4).position(|window| window == b"rest").unwrap() + 6;
        check(&framing, |body| body.truncate(end), "IncompleteBody");
    }
}

#[test]
fn the_decoded_length_must_be_that_announced() {
    for framing in every_kind() {
        let refusal = framing.verify(framing.framed(), framing.content().len() + 1).unwrap_err();
        assert_eq!(refusal.code, "IncompleteBody", "{}", framing.kind);
    }
}

#[test]
fn only_the_last_chunk_may_be_small() {
    let refusal = |kind| {
        let framing = Framing::of(kind, &[&[b'a'; 8192], b"small", b"last"]);
        framing.verify(framing.framed(), framing.content().len()).unwrap_err()
    };
    for kind in [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER] {
        let refusal = refusal(kind);
        let details: Vec<(&str, &str)> =
            refusal.details.iter().map(|(name, v)| (&**name, v.as_str())).collect();
        assert_eq!(refusal.code, "InvalidChunkSizeError");
        assert_eq!(details, [("Chunk", "2"), ("BadChunkSize", "5")]);
    }
}

#[test]
fn signed_chunks_need_a_signer() {
    for kind in [SIGNED, SIGNED_TRAILER] {
        assert_eq!(Payload::announced(kind, || None).unwrap_err().code, "InvalidRequest");
    }
    assert!(Payload::announced(UNSIGNED_TRAILER, || None).is_ok());
    assert_eq!(Payload::announced("STREAMING-X", || None).unwrap_err().code, "InvalidArgument");
    let refusal = Payload::announced("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", || None).unwrap_err();
    assert_eq!((refusal.status.as_u16(), refusal.message.contains("SigV4A")), (501, true));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_body_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for framing in every_kind() {
            let _decided = framing.verify(bytes.clone(), bytes.len());
        }
    }

    /// Bytes that look like framing reach further than random ones.
    #[test]
    fn no_framing_makes_it_panic(text in "([0-9a-f+]{0,17}(;chunk-signature=[0-9a-f]{0,4})?\r?\n|[a:]{0,5}\r\n|0){0,8}") {
        for framing in every_kind() {
            let _decided = framing.verify(text.clone().into_bytes(), text.len());
        }
    }

    /// However a content is cut, it comes back whole.
    #[test]
    fn cutting_changes_nothing(
        cuts in prop::collection::vec(8192_usize..9000, 0..3),
        last in prop::collection::vec(any::<u8>(), 1..50),
        kind in prop::sample::select(vec![SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER]),
    ) {
        let chunks: Vec<Vec<u8>> = cuts.iter().map(|bytes| vec![b'x'; *bytes]).chain([last]).collect();
        let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        let framing = Framing::of(kind, &chunks);
        let decoded = framing.verify(framing.framed(), framing.content().len()).unwrap();
        prop_assert_eq!(decoded.body, framing.content());
    }
}
