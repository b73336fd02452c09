//! What the machine has, by the SDK's own chain: environment, profile files, web identity, container, instance.
//!
//! What was found is asked for again every five minutes, or five minutes before it expires, so that keys that are
//! exchanged take effect without a restart.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_s3::config::Region;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use bucketproof_clock::Clock;
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::{AmbientSource, RENEW_BEFORE};
use crate::store::StoreError;

/// How long keys without an end are believed.
const ASK_AGAIN_AFTER: Duration = Duration::from_mins(5);
/// The variables that only mean something together.
const KEY_VARIABLES: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

/// Asks the machine; clones share what it said.
#[derive(Clone, Debug)]
pub(crate) struct Ambient {
    source: AmbientSource,
    region: String,
    http: SharedHttpClient,
    clock: Clock,
    known: Arc<Mutex<Option<(Credentials, Timestamp)>>>,
}

impl Ambient {
    pub(crate) fn new(source: AmbientSource, region: String, http: SharedHttpClient, clock: Clock) -> Self {
        Self { source, region, http, clock, known: Arc::default() }
    }

    /// The access key id, as far as it is known.
    pub(super) async fn access_key_id(&self) -> String {
        let known = self.known.lock().await;
        known.as_ref().map(|(key, _)| key.access_key_id().to_owned()).unwrap_or_default()
    }

    pub(super) async fn forget(&self) {
        *self.known.lock().await = None;
    }

    /// What the machine has, asked again if it may have changed.
    pub(super) async fn fresh(&self) -> Result<Credentials, StoreError> {
        let mut known = self.known.lock().await;
        let now = self.clock.now();
        if let Some((credentials, until)) = known.as_ref()
            && now < *until
        {
            return Ok(credentials.clone());
        }
        let found = self.ask().await.map_err(|error| self.explained(&error))?;
        let later = now.saturating_add(ASK_AGAIN_AFTER).unwrap_or(now);
        let until = found
            .expiry()
            .and_then(|end| Timestamp::try_from(end).ok())
            .and_then(|end| end.saturating_sub(RENEW_BEFORE).ok())
            .map_or(later, |end| end.min(later));
        tracing::info!(access_key_id = found.access_key_id(), "credentials of the machine found");
        *known = Some((found.clone(), until));
        Ok(found)
    }

    async fn ask(&self) -> Result<Credentials, CredentialsError> {
        let region = Region::new(self.region.clone());
        let config = ProviderConfig::without_region()
            .with_region(Some(region.clone()))
            .with_http_client(self.http.clone());
        let mut chain = DefaultCredentialsChain::builder().configure(config).region(region);
        if let Some(profile) = &self.source.profile {
            chain = chain.profile_name(profile);
        }
        chain.build().await.provide_credentials().await
    }

    fn explained(&self, error: &CredentialsError) -> StoreError {
        let set = KEY_VARIABLES.map(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
        let [id, secret] = KEY_VARIABLES;
        let mut message = match (set, error) {
            ([true, false], _) => format!("`{id}` is set without `{secret}`"),
            ([false, true], _) => format!("`{secret}` is set without `{id}`"),
            (_, CredentialsError::CredentialsNotLoaded(_)) => {
                "neither environment variables nor profile files nor a role of the container or the instance have any"
                    .to_owned()
            }
            _ => causes(error),
        };
        if let Some(profile) = &self.source.profile {
            message = format!("profile `{profile}` of the AWS files: {message}");
        }
        StoreError::NoCredentials { message }
    }
}

impl ProvideCredentials for Ambient {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async move {
            self.fresh().await.map_err(CredentialsError::provider_error)
        })
    }
}

/// An error with its causes, without what a process wrote: nobody knows what that is.
fn causes(error: &dyn Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next: Option<&dyn Error> = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        let text = text.split(" Stderr:").next().unwrap_or_default().trim_end_matches('.').to_owned();
        if !texts.contains(&text) {
            texts.push(text);
        }
        next = error.source();
    }
    texts.join(": ")
}
