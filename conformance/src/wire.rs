//! Requests as they are: signed for any service, sent to an endpoint over the SDK's transport in the place of a call.

use std::sync::Arc;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::SdkBody;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};

/// An answer that did not come.
#[derive(Debug, thiserror::Error)]
#[error("no answer: {0}")]
pub(crate) struct NoAnswer(String);

/// A request that cannot be signed.
#[derive(Debug, thiserror::Error)]
#[error("the request cannot be signed: {0}")]
pub(crate) struct Unsignable(String);

/// What a signature is made of.
#[derive(Debug)]
pub(crate) struct Signing<'a> {
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    pub(crate) time: SystemTime,
    pub(crate) credentials: Credentials,
}

/// The same request with a signature in its headers.
pub(crate) fn signed(
    mut request: Request<Bytes>,
    signing: Signing<'_>,
) -> Result<Request<Bytes>, Unsignable> {
    let unsignable = |error: &dyn std::fmt::Display| Unsignable(error.to_string());
    let mut settings = SigningSettings::default();
    if signing.service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let identity = signing.credentials.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(signing.region)
        .name(signing.service)
        .time(signing.time)
        .settings(settings)
        .build()
        .map_err(|error| unsignable(&error))?
        .into();
    let uri = request.uri().to_string();
    let mut headers = Vec::new();
    for (name, value) in request.headers() {
        headers.push((name.as_str(), value.to_str().map_err(|error| unsignable(&error))?));
    }
    let body = SignableBody::Bytes(request.body());
    let signable = SignableRequest::new(request.method().as_str(), &uri, headers.into_iter(), body)
        .map_err(|error| unsignable(&error))?;
    let (instructions, _) = sign(signable, &parameters).map_err(|error| unsignable(&error))?.into_parts();
    instructions.apply_to_request_http1x(&mut request);
    Ok(request)
}

/// Sends another request in the place of a call, and keeps what comes back before anybody makes something of it.
#[derive(Clone, Debug)]
struct Instead {
    parts: Parts,
    body: Bytes,
    seen: Arc<parking_lot::Mutex<Option<Response<Bytes>>>>,
}

impl Intercept for Instead {
    fn name(&self) -> &'static str {
        "Instead"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        replace(context.request_mut(), &self.parts, &self.body)
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let answer = context.response();
        let mut response = Response::builder().status(answer.status().as_u16());
        for (name, value) in answer.headers() {
            response = response.header(name, value);
        }
        let body = Bytes::copy_from_slice(answer.body().bytes().unwrap_or_default());
        *self.seen.lock() = Some(response.body(body)?);
        Ok(())
    }
}

/// Puts this request in the place of a call, with none of its headers.
fn replace(call: &mut HttpRequest, parts: &Parts, body: &Bytes) -> Result<(), BoxError> {
    let names: Vec<String> = call.headers().iter().map(|(name, _)| name.to_owned()).collect();
    for name in names {
        call.headers_mut().remove(name);
    }
    call.set_method(parts.method.as_str())?;
    call.set_uri(parts.uri.to_string())?;
    for (name, value) in &parts.headers {
        call.headers_mut().try_insert(name.as_str().to_owned(), value.to_str()?.to_owned())?;
    }
    call.headers_mut().try_insert("content-length", body.len().to_string())?;
    *call.body_mut() = SdkBody::from(body.clone());
    Ok(())
}

/// Sends a request over the transport of a client, in the place of a call that reads its whole answer and signs nothing.
pub(crate) async fn send_over(client: &Client, request: Request<Bytes>) -> Result<Response<Bytes>, NoAnswer> {
    let seen = Arc::new(parking_lot::Mutex::new(None));
    let (parts, body) = request.into_parts();
    let instead = Instead { parts, body, seen: Arc::clone(&seen) };
    let call = client.list_buckets().customize().interceptor(instead);
    // Whatever the call makes of the answer, the answer itself counts.
    let outcome = call.send().await;
    let answer = seen.lock().take();
    answer.ok_or_else(|| NoAnswer(outcome.err().map(|error| format!("{error:?}")).unwrap_or_default()))
}
