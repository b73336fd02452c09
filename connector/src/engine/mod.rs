//! The engine: one connection, its syncs, its plan, its status.
//!
//! Every write follows one protocol. *Seal*: what is to be written, from which source bytes, is durable before the
//! first request. *Apply*: one conditional write. *Commit*: outcome, counts and checkpoint in one transaction. A
//! crash anywhere is resolved by the next sync from what was sealed.

mod apply;
mod batch;
mod error;
mod history;
mod plan;
mod retry;
mod running;
mod status;
mod sync;

use std::io::Read;
use std::sync::{Arc, Mutex};

use bucketproof_clock::{Clock, Entropy};

pub use error::{ConnectionError, FailureKind, SyncError};
pub use retry::RetryPolicy;
pub use running::{pause, resume};
pub use status::{KeyAge, StateFacts, connection_state, status_of};

use crate::config::Config;
use crate::names::DatasetName;
use crate::profile::{Dataset, VendorProfile};
use crate::runner::StopSignal;
use crate::steps::{Steps, Unwatched};
use crate::store::Store;

/// One configured export: from sources, in the form of a vendor, to a bucket.
pub struct Connection {
    config: Config,
    profile: VendorProfile,
    store: Arc<dyn Store>,
    clock: Clock,
    entropy: Entropy,
    retry: RetryPolicy,
    steps: Arc<dyn Steps>,
    stdin: Mutex<Option<Box<dyn Read + Send>>>,
    stop: StopSignal,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("profile", self.profile.id())
            .field("bucket", &self.config.bucket.name)
            .field("datasets", &self.config.datasets)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// Checks that configuration and profile fit together. Nothing is read, nothing is called.
    pub fn new(
        config: Config,
        profile: VendorProfile,
        store: Arc<dyn Store>,
        clock: Clock,
        entropy: Entropy,
    ) -> Result<Self, ConnectionError> {
        check_fit(&config, &profile)?;
        Ok(Self {
            config,
            profile,
            store,
            clock,
            entropy,
            retry: RetryPolicy::default(),
            steps: Arc::new(Unwatched),
            stdin: Mutex::new(None),
            stop: StopSignal::new(),
        })
    }

    /// Replaces the retry policy.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Has the durable steps of each sync watched.
    #[must_use]
    pub fn with_steps(mut self, steps: Arc<dyn Steps>) -> Self {
        self.steps = steps;
        self
    }

    /// Ends a sync after the batch that it is at, once `stop` is given.
    #[must_use]
    pub fn with_stop(mut self, stop: StopSignal) -> Self {
        self.stop = stop;
        self
    }

    /// Reads `input` where the configuration says standard input.
    #[must_use]
    pub fn with_stdin(mut self, input: impl Read + Send + 'static) -> Self {
        self.stdin = Mutex::new(Some(Box::new(input)));
        self
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The profile.
    pub fn profile(&self) -> &VendorProfile {
        &self.profile
    }

    /// Selected datasets in the profile's order.
    fn selected(&self) -> impl Iterator<Item = &Dataset> {
        self.profile.datasets().iter().filter(|dataset| self.is_selected(dataset.name()))
    }

    fn is_selected(&self, name: &DatasetName) -> bool {
        self.config.datasets.contains(name)
    }

    /// What a state directory is tied to.
    fn destination(&self) -> String {
        destination(&self.config, &self.profile)
    }
}

fn destination(config: &Config, profile: &VendorProfile) -> String {
    let bucket = &config.bucket;
    let endpoint = bucket.endpoint.as_deref().unwrap_or("aws");
    format!("{endpoint} {}/{} as {}", bucket.name, bucket.prefix.as_str(), profile.id())
}

/// Whether the configuration asks for what the profile has.
pub(crate) fn check_fit(config: &Config, profile: &VendorProfile) -> Result<(), ConnectionError> {
    if let Some(unknown) = config.datasets.iter().find(|name| profile.dataset(name).is_none()) {
        return Err(ConnectionError::UnknownDataset {
            dataset: unknown.clone(),
            profile: profile.id().clone(),
            known: profile.datasets().iter().map(|dataset| dataset.name().clone()).collect(),
        });
    }
    if !profile.auth_modes().contains(&config.auth.mode()) {
        return Err(ConnectionError::AuthMode { mode: config.auth.mode(), profile: profile.id().clone() });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
