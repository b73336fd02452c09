//! What is known of a connection, from its configuration and its state; no call to the store.

use bucketproof_clock::Clock;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Connection;
use crate::config::{AuthConfig, Config, SyncToggle, Writes};
use crate::profile::{Dataset, Mode, VendorProfile};
use crate::report::{CheckpointStatus, ConnectionState, DatasetStatus, SetupCheck, StatusReport, Warning};
use crate::source;
use crate::state::{Circuit, SourceKind, SourceRecord, Start, State, StateError};

/// Age of static keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyAge {
    /// Whole days since the keys were made, UTC.
    pub days: i32,
}

impl KeyAge {
    /// The age at `now` of keys made on `created`.
    pub fn at(now: Timestamp, created: Date) -> Self {
        let today = now.to_zoned(TimeZone::UTC).date();
        let days = created.duration_until(today).as_hours() / 24;
        Self { days: i32::try_from(days).unwrap_or(i32::MAX) }
    }
}

/// What a connection's state follows from.
#[derive(Clone, Copy, Debug)]
pub struct StateFacts {
    /// The sync toggle.
    pub toggle: SyncToggle,
    /// Number of selected datasets.
    pub datasets: usize,
    /// Whether the connection is paused.
    pub paused: bool,
    /// The last check of bucket and credentials.
    pub setup: SetupCheck,
    /// Whether that failed because of the credentials.
    pub credentials_rejected: bool,
    /// Whether the last sync failed for another reason.
    pub failed: bool,
}

/// The connection's state in one word: `Active` needs the toggle on, no pause, a check that passed, a dataset, and a
/// last sync that did not fail. What people decided comes before what happened.
pub fn connection_state(facts: StateFacts) -> ConnectionState {
    match facts {
        StateFacts { toggle: SyncToggle::Off, .. } => ConnectionState::Disabled,
        StateFacts { datasets: 0, .. } => ConnectionState::NoDatasetSelected,
        StateFacts { paused: true, .. } => ConnectionState::Paused,
        StateFacts { setup: SetupCheck::Failed, credentials_rejected: true, .. } => {
            ConnectionState::CredentialsRejected
        }
        StateFacts { setup: SetupCheck::Failed, .. } => ConnectionState::SetupFailed,
        StateFacts { failed: true, .. } => ConnectionState::Failed,
        StateFacts { setup: SetupCheck::NotChecked, .. } => ConnectionState::WaitingForFirstSync,
        StateFacts { setup: SetupCheck::Passed, .. } => ConnectionState::Active,
    }
}

impl Connection {
    /// The status report. Works while a sync runs elsewhere.
    pub fn status(&self) -> Result<StatusReport, StateError> {
        status_of(&self.config, &self.profile, &self.clock)
    }
}

/// The status report of the connection that `config` describes; needs neither store nor secrets.
pub fn status_of(
    config: &Config,
    profile: &VendorProfile,
    clock: &Clock,
) -> Result<StatusReport, StateError> {
    let state = State::open_to_read(&config.state_dir, &super::destination(config, profile))?;
    let fact = |name: &str| -> Result<Option<String>, StateError> {
        match &state {
            Some(state) => state.fact(name),
            None => Ok(None),
        }
    };
    let setup_checked_at = fact("setup_checked_at")?;
    let setup_failure = fact("setup_failure")?.filter(|failure| !failure.is_empty());
    let setup = match (&setup_checked_at, &setup_failure) {
        (None, _) => SetupCheck::NotChecked,
        (Some(_), None) => SetupCheck::Passed,
        (Some(_), Some(_)) => SetupCheck::Failed,
    };
    let datasets = profile
        .datasets()
        .iter()
        .filter(|dataset| config.datasets.contains(dataset.name()))
        .map(|dataset| dataset_status(config, state.as_ref(), dataset))
        .collect::<Result<Vec<_>, _>>()?;
    let failure = fact("failure")?.filter(|failure| !failure.is_empty());
    let (paused_since, credentials_rejected, last_run, next_run, circuit, gaps) = match &state {
        Some(state) => (
            state.paused_since()?,
            state.setup_is_of_credentials()?,
            state.last_run()?,
            state.next_run()?,
            state.circuit()?,
            state.gaps()?,
        ),
        None => (None, false, None, None, Circuit::default(), Vec::new()),
    };
    let backlog_bytes =
        datasets.iter().flat_map(|dataset| &dataset.checkpoints).map(|at| at.pending_bytes).sum();
    let facts = StateFacts {
        toggle: config.toggle,
        datasets: datasets.len(),
        paused: paused_since.is_some(),
        setup,
        credentials_rejected,
        failed: failure.is_some(),
    };
    Ok(StatusReport {
        state: connection_state(facts),
        profile: profile.id().clone(),
        bucket: config.bucket.name.to_string(),
        role_arn: config.auth.role_arn().map(str::to_owned),
        setup,
        setup_checked_at,
        setup_failure,
        failure,
        enabled_since: fact("enabled_since")?,
        paused_since,
        last_run,
        next_run,
        circuit,
        backlog_bytes,
        lag_seconds: lag_seconds(&datasets, clock.now()),
        key_age_days: key_age(config, clock).map(|age| age.days),
        gaps,
        writes: config.writes,
        warnings: key_age_warning(config, profile, clock).into_iter().chain(weaker_mode(config)).collect(),
        datasets,
    })
}

/// Seconds since the last success of the dataset that is furthest behind, of those for which something waits.
fn lag_seconds(datasets: &[DatasetStatus], now: Timestamp) -> Option<u64> {
    let behind = datasets.iter().filter(|dataset| dataset.checkpoints.iter().any(|at| at.pending_bytes > 0));
    let mut lag = 0;
    for dataset in behind {
        let success: Timestamp = dataset.last_success.as_deref()?.parse().ok()?;
        lag = lag.max(u64::try_from(now.duration_since(success).as_secs()).unwrap_or(0));
    }
    Some(lag)
}

fn key_age(config: &Config, clock: &Clock) -> Option<KeyAge> {
    let AuthConfig::StaticKeys { created: Some(created), .. } = &config.auth else { return None };
    Some(KeyAge::at(clock.now(), *created))
}

fn dataset_status(
    config: &Config,
    state: Option<&State>,
    dataset: &Dataset,
) -> Result<DatasetStatus, StateError> {
    let Some(state) = state else { return Ok(never_synced(config, dataset)) };
    let totals = state.totals(dataset.name())?;
    let mut records = state.spools(dataset.name())?;
    for source in config.sources.iter().filter(|source| &source.dataset == dataset.name()) {
        for (path, _) in source::files(&source.place).unwrap_or_default() {
            let path = path.display().to_string();
            records.push(state.known_source(dataset.name(), &path)?.unwrap_or_else(|| unread(path)));
        }
    }
    let checkpoints = records
        .into_iter()
        .map(|record| CheckpointStatus {
            pending_bytes: source::waiting_bytes(&record, dataset.mode()),
            source: record.path,
            byte_offset: record.byte_offset,
            lines: record.lines,
        })
        .collect();
    Ok(DatasetStatus {
        dataset: dataset.name().clone(),
        starts_at: state.start_of(dataset.name())?.and_then(Start::instant).map(|start| start.to_string()),
        last_success: totals.last_success,
        rows_read: totals.rows_read,
        rows_written: totals.written,
        rows_deduplicated: totals.deduplicated,
        rows_dead_lettered: totals.dead_lettered,
        rows_held: match dataset.mode() {
            Mode::Period => state.rows_waiting(dataset.name())?,
            _ => 0,
        },
        batches: totals.batches,
        objects: totals.objects,
        open_intents: totals.open_intents,
        checkpoints,
    })
}

fn unread(path: String) -> SourceRecord {
    SourceRecord { id: 0, path, kind: SourceKind::File, byte_offset: 0, lines: 0, fingerprint: String::new() }
}

fn never_synced(config: &Config, dataset: &Dataset) -> DatasetStatus {
    let sources = config.sources.iter().filter(|source| &source.dataset == dataset.name());
    let files = sources.flat_map(|source| source::files(&source.place).unwrap_or_default());
    let checkpoints = files.map(|(path, _)| {
        let record = unread(path.display().to_string());
        CheckpointStatus {
            pending_bytes: source::waiting_bytes(&record, dataset.mode()),
            source: record.path,
            byte_offset: 0,
            lines: 0,
        }
    });
    DatasetStatus {
        dataset: dataset.name().clone(),
        starts_at: None,
        last_success: None,
        rows_read: 0,
        rows_written: 0,
        rows_deduplicated: 0,
        rows_dead_lettered: 0,
        rows_held: 0,
        batches: 0,
        objects: 0,
        open_intents: 0,
        checkpoints: checkpoints.collect(),
    }
}

fn weaker_mode(config: &Config) -> Option<Warning> {
    (config.writes == Writes::AtLeastOnceSingleWriter).then(|| Warning {
        requirement: None,
        message:
            "weaker mode: writes have no conditions; rows arrive at least once, and only for a single writer"
                .to_owned(),
        help: "use a store with conditional writes and `writes = \"conditional\"`".to_owned(),
    })
}

fn key_age_warning(config: &Config, profile: &VendorProfile, clock: &Clock) -> Option<Warning> {
    let age = key_age(config, clock)?;
    let rotation = profile.key_rotation()?;
    (i64::from(age.days) >= i64::from(rotation.days)).then(|| Warning {
        requirement: rotation.requirement.clone(),
        message: format!(
            "the access key is {} days old; it is to be rotated every {} days",
            age.days, rotation.days
        ),
        help: "make a new access key, put it in place, then delete the old one".to_owned(),
    })
}
