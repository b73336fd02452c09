//! Where a check plays that needs nothing but S3: a bucket on the emulator, or one of its own on an endpoint, which is
//! taken away afterwards.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use bucketproof_clock::Clock;
use bytes::Bytes;
use http::{Request, Response};

use super::{BUCKET, Stage, on_clock};
use crate::check::Run;
use crate::context::CheckContext;
use crate::falsifier::Falsifier;
use crate::outcome::{Breakage, Conclusion, Stop};
use crate::step::step;
use crate::target::Endpoint;
use crate::wire::{Signing, signed};

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

    /// The change that must make this check fail, while that is being tried.
    pub(crate) fn falsifier(&self) -> Option<&Falsifier> {
        match &self.place {
            Place::Emulator(stage) => stage.falsifier(),
            Place::Endpoint { .. } => None,
        }
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
                step(name).succeeds("an answer", endpoint.send(request).await)
            }
        }
    }

    /// Credentials of the account that does everything here.
    pub(crate) fn first(&self) -> Option<Credentials> {
        match &self.place {
            Place::Emulator(stage) => stage.emulator.credentials("administrator"),
            Place::Endpoint { endpoint, .. } => endpoint.account(0).cloned(),
        }
    }

    /// Credentials of the other account.
    pub(crate) fn second(&self) -> Option<Credentials> {
        match &self.place {
            Place::Emulator(stage) => stage.emulator.credentials("landlord"),
            Place::Endpoint { endpoint, .. } => endpoint.account(1).cloned(),
        }
    }

    /// Credentials of a user of the suite's scenario, which only the emulator has.
    pub(crate) fn user(&self, name: &str) -> Option<Credentials> {
        match &self.place {
            Place::Emulator(stage) => stage.emulator.credentials(name),
            Place::Endpoint { .. } => None,
        }
    }

    /// The region that requests are signed for.
    pub(crate) fn region(&self) -> &str {
        match &self.place {
            Place::Emulator(_) => "us-east-1",
            Place::Endpoint { endpoint, .. } => endpoint.region(),
        }
    }

    /// A name that nothing else has, for what is made beside buckets.
    pub(crate) fn unique_name(&self) -> String {
        match &self.place {
            Place::Emulator(_) => "suite-check".to_owned(),
            Place::Endpoint { endpoint, .. } => endpoint.bucket_name(),
        }
    }

    /// A request of these credentials, for a service in a region.
    pub(crate) fn sign(
        &self,
        request: Request<Bytes>,
        (service, region): (&str, &str),
        credentials: Credentials,
    ) -> Result<Request<Bytes>, Stop> {
        let signing = Signing { service, region, time: self.now(), credentials };
        step("sign the request").works(signed(request, signing))
    }

    /// Lets time pass; only where the clock can be moved.
    pub(crate) fn advance(&self, by: Duration) {
        if let Place::Emulator(stage) = &self.place {
            stage.advance(by);
        }
    }

    /// Delivers the events and messages that are due, or gives an endpoint the time for it.
    pub(crate) async fn deliver(&self) {
        match &self.place {
            Place::Emulator(stage) => stage.emulator.deliver().await,
            Place::Endpoint { .. } => Clock::system().sleep(Duration::from_millis(500)).await,
        }
    }

    /// Whether this is an endpoint with a clock and a courier of its own.
    pub(crate) const fn is_elsewhere(&self) -> bool {
        matches!(self.place, Place::Endpoint { .. })
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
