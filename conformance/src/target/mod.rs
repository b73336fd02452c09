//! An endpoint under test, by its URL: who we are there, what it offers, and what of it we must take away again.

mod local;
mod probe;
mod url;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{BehaviorVersion, IdentityCache, Region, StalledStreamProtectionConfig};
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use bucketproof_clock::{Clock, Entropy};
use bytes::Bytes;
use http::{Request, Response};
use parking_lot::Mutex;

pub use local::{LocalReference, LocalReferenceError};
pub use probe::TargetError;
pub use url::{EndpointUrl, EndpointUrlError};

use crate::check::Capability;
use crate::wire::{NoAnswer, send_over};

/// What names of our buckets begin with.
const PREFIX: &str = "bucketproof-";
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// How to reach an endpoint.
#[derive(Clone, Debug)]
pub struct EndpointSettings {
    /// Its name in reports and baselines.
    pub name: String,
    /// Where it is.
    pub url: EndpointUrl,
    /// The region that requests are signed for.
    pub region: String,
    /// An account each; the first one does what a check does, the second is the stranger.
    pub accounts: Vec<Credentials>,
    /// The longest time an answer may take.
    pub timeout: Duration,
}

/// An endpoint that was reached and looked at.
#[derive(Debug)]
pub struct Endpoint {
    settings: EndpointSettings,
    http: SharedHttpClient,
    /// What tells this run's buckets from all others.
    token: String,
    counter: AtomicU64,
    /// Buckets that were made and not yet taken away.
    made: Mutex<BTreeSet<String>>,
    capabilities: BTreeSet<Capability>,
}

impl Endpoint {
    /// Reaches the endpoint and probes what it offers, in a bucket that is taken away again.
    pub async fn reach(settings: EndpointSettings) -> Result<Self, TargetError> {
        let mut endpoint = Self {
            settings,
            http: network(),
            token: Entropy::machine().text(LETTERS, 8),
            counter: AtomicU64::new(0),
            made: Mutex::new(BTreeSet::new()),
            capabilities: BTreeSet::new(),
        };
        let probed = endpoint.probe().await;
        let left = endpoint.sweep().await;
        endpoint.capabilities = probed?;
        if let Some(bucket) = left.into_iter().next() {
            return Err(TargetError::Unclean { name: endpoint.name().to_owned(), bucket });
        }
        Ok(endpoint)
    }

    /// The name in reports and baselines.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// What it offers, as far as it said.
    pub fn capabilities(&self) -> &BTreeSet<Capability> {
        &self.capabilities
    }

    pub(crate) fn url(&self) -> &EndpointUrl {
        &self.settings.url
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.settings.timeout
    }

    /// The credentials of an account, the first being 0.
    pub(crate) fn account(&self, number: usize) -> Option<&Credentials> {
        self.settings.accounts.get(number)
    }

    /// A client of the first account.
    pub(crate) fn s3(&self) -> Client {
        Client::from_conf(self.config(self.account(0).cloned()))
    }

    /// A client with other credentials, or with none.
    pub(crate) fn s3_with(&self, credentials: Option<Credentials>) -> Client {
        Client::from_conf(self.config(credentials))
    }

    /// The region that requests are signed for.
    pub(crate) fn region(&self) -> &str {
        &self.settings.region
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, NoAnswer> {
        send_over(&self.s3_with(None), request).await
    }

    fn config(&self, credentials: Option<Credentials>) -> aws_sdk_s3::Config {
        let EndpointSettings { url, region, timeout, .. } = &self.settings;
        let config = config(Some(url), region, *timeout, self.http.clone());
        match credentials {
            Some(credentials) => config.credentials_provider(credentials).build(),
            None => config.allow_no_auth().build(),
        }
    }

    /// A client of STS at the same URL.
    pub(crate) fn sts(&self) -> aws_sdk_sts::Client {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(self.settings.timeout).build();
        let mut config = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(self.settings.region.clone()))
            .endpoint_url(self.settings.url.as_str())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .http_client(self.http.clone());
        if let Some(credentials) = self.account(0) {
            config = config.credentials_provider(credentials.clone());
        }
        aws_sdk_sts::Client::from_conf(config.build())
    }

    /// A name that no other bucket has. Whoever makes the bucket says so with [`Self::made`] first.
    pub(crate) fn bucket_name(&self) -> String {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        format!("{PREFIX}{}-{number}", self.token)
    }

    /// A bucket of ours is about to be made, and is ours to take away.
    pub(crate) fn made(&self, bucket: &str) {
        self.made.lock().insert(bucket.to_owned());
    }

    /// Takes a bucket of ours away with all that is in it; what we did not make is never touched.
    pub(crate) async fn take_away(&self, bucket: &str) -> bool {
        if !self.made.lock().contains(bucket) {
            return true;
        }
        let gone = probe::take_away(&self.s3(), bucket).await;
        if gone {
            self.made.lock().remove(bucket);
        }
        gone
    }

    /// Takes away whatever is left of ours; the buckets that would not go.
    pub async fn sweep(&self) -> Vec<String> {
        let left: Vec<String> = self.made.lock().iter().cloned().collect();
        let mut stuck = Vec::new();
        for bucket in left {
            if !self.take_away(&bucket).await {
                stuck.push(bucket);
            }
        }
        stuck
    }
}

/// The network, with TLS where the URL wants it.
fn network() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https()
}

fn config(
    url: Option<&EndpointUrl>,
    region: &str,
    timeout: Duration,
    http: SharedHttpClient,
) -> aws_sdk_s3::config::Builder {
    let timeouts =
        TimeoutConfig::builder().connect_timeout(timeout).operation_attempt_timeout(timeout).build();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(region.to_owned()))
        .identity_cache(IdentityCache::no_cache())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .http_client(http);
    match url {
        Some(url) => config.endpoint_url(url.as_str()).force_path_style(true),
        None => config,
    }
}

/// A client that only reads; without a URL, of AWS itself.
pub(crate) fn client(
    url: Option<&EndpointUrl>,
    region: &str,
    credentials: Credentials,
    timeout: Duration,
) -> Client {
    Client::from_conf(config(url, region, timeout, network()).credentials_provider(credentials).build())
}

/// Ends a future that takes longer than `limit`.
pub(crate) async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        value = future => Some(value),
        () = async { Clock::system().sleep(limit).await } => None,
    }
}
