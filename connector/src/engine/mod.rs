//! The engine: one connection, its syncs, its plan, its status.
//!
//! Every write follows one protocol. *Seal*: what is to be written, from which source bytes, is durable before the
//! first request. *Apply*: one conditional write. *Commit*: outcome, counts and checkpoint in one transaction. A
//! crash anywhere is resolved by the next sync from what was sealed.

mod append;
mod apply;
mod batch;
mod error;
mod fence;
mod gather;
mod history;
mod late;
mod period;
mod pile;
mod plan;
mod plan_whole;
mod range;
mod retry;
mod running;
mod snapshot;
mod status;
mod sync;
mod tail;
mod whole;

use std::io::Read;
use std::sync::{Arc, Mutex};

use bucketproof_clock::{Clock, Entropy};

pub use error::{ConnectionError, FailureKind, SyncError};
pub use range::RangeError;
pub use retry::RetryPolicy;
pub use running::{pause, resume};
pub use status::{KeyAge, StateFacts, connection_state, status_of};
pub(crate) use tail::tailed;

use crate::config::{Config, History, OnReplaced, SourceConfig, SourcePlace};
use crate::names::DatasetName;
use crate::profile::{AuthMode, Dataset, Encoding, ExternalIdRule, Format, Mode, VendorProfile};
use crate::runner::StopSignal;
use crate::source::{ParquetFiles, ParquetPlace, PostgresTable, Source, SqliteTable};
use crate::steps::{Steps, Unwatched};
use crate::store::Store;

/// One configured export: from sources, in the form of a vendor, to a bucket.
pub struct Connection {
    config: Config,
    profile: VendorProfile,
    encoding: Encoding,
    store: Arc<dyn Store>,
    clock: Clock,
    entropy: Entropy,
    retry: RetryPolicy,
    steps: Arc<dyn Steps>,
    stdin: Mutex<Option<Box<dyn Read + Send>>>,
    sources: Vec<(DatasetName, Arc<dyn Source>)>,
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
        mut config: Config,
        profile: VendorProfile,
        store: Arc<dyn Store>,
        clock: Clock,
        entropy: Entropy,
    ) -> Result<Self, ConnectionError> {
        let encoding = check_fit(&config, &profile)?.clone();
        let profile = profile.chosen(&config.rows).map_err(ConnectionError::rows)?;
        config.bucket.prefix = profile.prefix_of(&config.bucket.prefix);
        let sources = config.sources.iter().filter_map(asked);
        Ok(Self {
            sources: sources.collect(),
            config,
            profile,
            encoding,
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

    /// Asks `source` for rows of `dataset`, beside the sources of the configuration.
    #[must_use]
    pub fn with_source(mut self, dataset: DatasetName, source: Arc<dyn Source>) -> Self {
        self.sources.push((dataset, source));
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

/// The source that is asked for its rows, if the place is one.
fn asked(source: &SourceConfig) -> Option<(DatasetName, Arc<dyn Source>)> {
    let asked: Arc<dyn Source> = match &source.place {
        SourcePlace::Postgres(place) => Arc::new(PostgresTable::new((**place).clone())),
        SourcePlace::Sqlite(place) => Arc::new(SqliteTable::new(place.clone())),
        SourcePlace::Parquet { path, on_replaced } => {
            Arc::new(ParquetFiles::new(ParquetPlace::File(path.clone(), *on_replaced)))
        }
        SourcePlace::Directory { path } => Arc::new(ParquetFiles::new(ParquetPlace::Directory(path.clone()))),
        SourcePlace::File { .. } | SourcePlace::Stdin => return None,
    };
    Some((source.dataset.clone(), asked))
}

fn destination(config: &Config, profile: &VendorProfile) -> String {
    let bucket = &config.bucket;
    let endpoint = bucket.endpoint.as_deref().unwrap_or("aws");
    let prefix = profile.prefix_of(&bucket.prefix);
    // Rows that are held have the columns of their time.
    let asked = config.rows.iter().filter(|rows| !rows.columns.is_empty());
    let asked: Vec<String> =
        asked.map(|rows| format!(" with {} of {}", rows.columns.join(" and "), rows.dataset)).collect();
    let asked = asked.concat();
    format!("{endpoint} {}/{} as {}{asked}", bucket.name, prefix.as_str(), profile.id())
}

/// Whether the configuration asks for what the profile has; the encoding that it asks for.
pub(crate) fn check_fit<'a>(
    config: &Config,
    profile: &'a VendorProfile,
) -> Result<&'a Encoding, ConnectionError> {
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
    let asks_for_id = profile.trust().is_some_and(|trust| trust.external_id == ExternalIdRule::Required);
    if config.auth.mode() == AuthMode::AssumeRole && asks_for_id && config.auth.external_id().is_none() {
        return Err(ConnectionError::NoExternalId { profile: profile.id().clone() });
    }
    let timeless = |name: &&DatasetName| {
        profile
            .dataset(name)
            .is_some_and(|dataset| dataset.mode() != Mode::Snapshot && dataset.time_column().is_none())
    };
    if config.history == History::Forward
        && let Some(dataset) = config.datasets.iter().find(timeless)
    {
        return Err(ConnectionError::NoTime { dataset: dataset.clone() });
    }
    if config.bucket.is_nested && !profile.nested_bucket() {
        return Err(ConnectionError::NestedBucket { profile: profile.id().clone() });
    }
    check_sources(config, profile)?;
    // Whoever looks without connecting is told as well.
    profile.clone().chosen(&config.rows).map_err(ConnectionError::rows)?;
    for tailed in config.tail.iter().flat_map(|tail| &tail.datasets) {
        if profile.dataset(tailed).is_some_and(|dataset| dataset.mode() != Mode::Replace) {
            return Err(ConnectionError::TailOfOtherMode { dataset: tailed.clone() });
        }
    }
    let restarts = |source: &&SourceConfig| {
        matches!(
            source.place,
            SourcePlace::File { on_replaced: OnReplaced::Restart, .. }
                | SourcePlace::Parquet { on_replaced: OnReplaced::Restart, .. }
        )
    };
    for source in config.sources.iter().filter(restarts) {
        let mode = profile.dataset(&source.dataset).map(Dataset::mode);
        if matches!(mode, Some(Mode::Append | Mode::Period)) {
            return Err(ConnectionError::RestartDoubles { dataset: source.dataset.clone() });
        }
    }
    let encoding =
        profile.encoding_for(config.format, config.compression).ok_or_else(|| ConnectionError::Encoding {
            profile: profile.id().clone(),
            known: profile
                .encodings()
                .iter()
                .map(|encoding| {
                    format!("{:?} with {:?}", encoding.format, encoding.compression).to_lowercase()
                })
                .collect(),
        })?;
    let escaping = config.rows.iter().find(|rows| rows.escape_formulas && encoding.format != Format::Csv);
    match escaping {
        Some(rows) => Err(ConnectionError::FormulasOfOtherFormat { dataset: rows.dataset.clone() }),
        None => Ok(encoding),
    }
}

/// Whether each dataset can be made of its sources.
fn check_sources(config: &Config, profile: &VendorProfile) -> Result<(), ConnectionError> {
    for name in &config.datasets {
        let is_snapshot = profile.dataset(name).is_some_and(|dataset| dataset.mode() == Mode::Snapshot);
        let mut sources = config.sources.iter().filter(|source| source.dataset == *name);
        let without_time = |source: &SourceConfig| matches!(&source.place, SourcePlace::Sqlite(place) if place.table.updated_at.is_none());
        if !is_snapshot && sources.clone().any(without_time) {
            return Err(ConnectionError::TableWithoutTime { dataset: name.clone() });
        }
        let whole =
            sources.clone().filter(|source| !matches!(source.place, SourcePlace::File { .. })).count();
        let is_folder = sources.any(|source| matches!(source.place, SourcePlace::Directory { .. }));
        if is_snapshot && (whole > 1 || is_folder) {
            return Err(ConnectionError::SnapshotOfFiles { dataset: name.clone() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
