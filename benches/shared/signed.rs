//! Requests signed in their headers, made once and sent as often as a bench likes: what it measures is the server alone.

use std::time::SystemTime;

use aws_sigv4::http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bucketproof_emulator::Emulator;
use bytes::Bytes;
use http::{Method, Request};

/// A request of `user` to S3 for `target`, a path with or without a query.
pub(crate) fn signed(
    emulator: &Emulator,
    user: &str,
    method: &Method,
    target: &str,
    body: Bytes,
) -> Request<Bytes> {
    let identity = emulator.credentials(user).expect("the user has a key").into();
    let mut settings = SigningSettings::default();
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("s3")
        .time(SystemTime::from(emulator.clock().now()))
        .settings(settings)
        .build()
        .expect("all parameters are there")
        .into();
    let url = format!("{}{target}", emulator.endpoint_url());
    let signable =
        SignableRequest::new(method.as_str(), &url, std::iter::empty(), SignableBody::Bytes(&body));
    let (instructions, _) =
        sign(signable.expect("a request"), &parameters).expect("a signature").into_parts();
    let mut request = Request::builder().method(method).uri(&url).body(body).expect("a request");
    instructions.apply_to_request_http1x(&mut request);
    request
}
