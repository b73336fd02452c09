//! Where a check plays that needs nothing but S3: a bucket on the emulator, or one of its own on an endpoint, which is
//! taken away afterwards.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use bucketproof_clock::Clock;
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};

use super::{BUCKET, Stage, on_clock};
use crate::check::Run;
use crate::context::CheckContext;
use crate::outcome::{Breakage, Conclusion, Stop};
use crate::step::step;
use crate::target::Endpoint;

/// A bucket with `hello.txt` and `shared/offer.txt`, and the means to work in it.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    place: Place,
    bucket: Arc<str>,
}

#[derive(Clone, Debug)]
enum Place {
    Emulator(Arc<Stage>),
    Endpoint { endpoint: Arc<Endpoint>, ours: Arc<parking_lot::Mutex<Vec<String>>> },
}

/// An answer that did not come.
#[derive(Debug, thiserror::Error)]
#[error("no answer: {0}")]
pub(crate) struct NoAnswer(String);

/// The function of a check as one that plays on its ground and leaves nothing behind.
pub(crate) fn on_ground<F, R>(function: F) -> Run
where
    F: Fn(Ground) -> R + Send + Sync + 'static,
    R: Future<Output = Conclusion> + Send + 'static,
{
    let function = Arc::new(function);
    Run::new(move |context| {
        let function = Arc::clone(&function);
        async move {
            let ground = Ground::open(context).await?;
            let conclusion = function(ground.clone()).await;
            conclusion.and(ground.clean().await)
        }
    })
    .without_scenario()
}

impl Ground {
    async fn open(context: CheckContext) -> Result<Self, Stop> {
        let Some(endpoint) = context.endpoint().cloned() else {
            let stage = Stage::suite(context).await?;
            return Ok(Self { place: Place::Emulator(Arc::new(stage)), bucket: BUCKET.into() });
        };
        let ours = Arc::new(parking_lot::Mutex::new(Vec::new()));
        let bucket = endpoint.bucket_name();
        let ground = Self { place: Place::Endpoint { endpoint, ours }, bucket: bucket.as_str().into() };
        ground.ours(&bucket);
        let s3 = ground.s3();
        let created = s3.create_bucket().bucket(&bucket).send().await;
        step("make a bucket for the check").works(created)?;
        for (key, text) in [("hello.txt", "hello, bucket"), ("shared/offer.txt", "an offer")] {
            let put = s3.put_object().bucket(&bucket).key(key).body(ByteStream::from_static(text.as_bytes()));
            step("put an object for the check").works(put.send().await)?;
        }
        Ok(ground)
    }

    /// The bucket of the check.
    pub(crate) fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The name of a further bucket, which the check is about to make.
    pub(crate) fn another_bucket(&self) -> String {
        match &self.place {
            Place::Emulator(_) => format!("{BUCKET}-another"),
            Place::Endpoint { endpoint, .. } => {
                let name = endpoint.bucket_name();
                self.ours(&name);
                name
            }
        }
    }

    /// A name that no bucket has. An endpoint that makes one all the same is cleaned of it.
    pub(crate) fn nobodys_bucket(&self) -> String {
        self.another_bucket()
    }

    /// A bucket of this name may come into being, and is ours to take away.
    pub(crate) fn ours(&self, bucket: &str) {
        if let Place::Endpoint { endpoint, ours } = &self.place {
            endpoint.made(bucket);
            ours.lock().push(bucket.to_owned());
        }
    }

    /// A client of the account that does everything here.
    pub(crate) fn s3(&self) -> Client {
        match &self.place {
            Place::Emulator(stage) => stage.administrator(),
            Place::Endpoint { endpoint, .. } => endpoint.s3(),
        }
    }

    /// The same account with another secret.
    pub(crate) fn s3_with_wrong_secret(&self) -> Client {
        let key_id = match &self.place {
            Place::Emulator(_) => "AKIASUITEADMINEXAMPL",
            Place::Endpoint { endpoint, .. } => {
                endpoint.account(0).map(Credentials::access_key_id).unwrap_or_default()
            }
        };
        self.s3_with(Credentials::new(key_id, "a secret that is not the right one", None, None, "check"))
    }

    /// A client with these credentials.
    pub(crate) fn s3_with(&self, credentials: Credentials) -> Client {
        match &self.place {
            Place::Emulator(stage) => stage.s3_with(credentials),
            Place::Endpoint { endpoint, .. } => endpoint.s3_with(Some(credentials)),
        }
    }

    /// A client of another account, where there is one.
    pub(crate) fn stranger(&self) -> Client {
        match &self.place {
            Place::Emulator(stage) => stage.s3("landlord"),
            Place::Endpoint { endpoint, .. } => endpoint.s3_with(endpoint.account(1).cloned()),
        }
    }

    /// The client, signing as if it were `ahead` later.
    pub(crate) fn s3_ahead(&self, ahead: Duration) -> Client {
        let now = match &self.place {
            Place::Emulator(stage) => stage.clock.now(),
            Place::Endpoint { .. } => Clock::system().now(),
        };
        let clock = Clock::manual(now);
        clock.advance(ahead);
        on_clock(&self.s3(), clock)
    }

    /// The time of the clients.
    pub(crate) fn now(&self) -> SystemTime {
        match &self.place {
            Place::Emulator(stage) => stage.clock.system_time(),
            Place::Endpoint { .. } => Clock::system().system_time(),
        }
    }

    /// The URL of a path below the endpoint.
    pub(crate) fn url(&self, path: &str) -> String {
        match &self.place {
            Place::Emulator(stage) => format!("{}{path}", stage.emulator.endpoint_url()),
            Place::Endpoint { endpoint, .. } => format!("{}{path}", endpoint.url()),
        }
    }

    /// Sends a request as it is, without signing it.
    pub(crate) async fn send(&self, name: &str, request: Request<Bytes>) -> Result<Response<Bytes>, Stop> {
        match &self.place {
            Place::Emulator(stage) => step(name).succeeds("an answer", stage.emulator.send(request).await),
            Place::Endpoint { endpoint, .. } => {
                step(name).succeeds("an answer", send_over(endpoint, request).await)
            }
        }
    }

    /// Takes away what the check has made.
    async fn clean(&self) -> Conclusion {
        let Place::Endpoint { endpoint, ours } = &self.place else { return Ok(()) };
        let ours = std::mem::take(&mut *ours.lock());
        for bucket in ours {
            if !endpoint.take_away(&bucket).await {
                return Err(Stop::Errored(Breakage {
                    step: Some("take away what the check has made".to_owned()),
                    message: format!("the bucket `{bucket}` cannot be deleted"),
                }));
            }
        }
        Ok(())
    }
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

/// Sends a request over the SDK's transport, in the place of a call that reads its whole answer and signs nothing.
async fn send_over(endpoint: &Endpoint, request: Request<Bytes>) -> Result<Response<Bytes>, NoAnswer> {
    let seen = Arc::new(parking_lot::Mutex::new(None));
    let (parts, body) = request.into_parts();
    let instead = Instead { parts, body, seen: Arc::clone(&seen) };
    let call = endpoint.s3_with(None).list_buckets().customize().interceptor(instead);
    // Whatever the call makes of the answer, the answer itself counts.
    let outcome = call.send().await;
    let answer = seen.lock().take();
    answer.ok_or_else(|| NoAnswer(outcome.err().map(|error| format!("{error:?}")).unwrap_or_default()))
}
