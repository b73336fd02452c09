//! What is known of a connection, from its configuration and its state; no call to the store.

use bucketproof_clock::Clock;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Connection;
use crate::config::{AuthConfig, Config, SourcePlace, SyncToggle};
use crate::profile::{Dataset, VendorProfile};
use crate::report::{CheckpointStatus, ConnectionState, DatasetStatus, SetupCheck, StatusReport, Warning};
use crate::source;
use crate::state::{State, StateError};

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

/// The connection's state in one word: `Active` needs the toggle on, a check that passed and a dataset.
pub fn connection_state(toggle: SyncToggle, setup: SetupCheck, datasets: usize) -> ConnectionState {
    match (toggle, datasets, setup) {
        (SyncToggle::Off, _, _) => ConnectionState::Disabled,
        (SyncToggle::On, 0, _) => ConnectionState::NoDatasetSelected,
        (SyncToggle::On, _, SetupCheck::Failed) => ConnectionState::SetupFailed,
        (SyncToggle::On, _, SetupCheck::NotChecked) => ConnectionState::WaitingForFirstSync,
        (SyncToggle::On, _, SetupCheck::Passed) => ConnectionState::Active,
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
    Ok(StatusReport {
        state: connection_state(config.toggle, setup, datasets.len()),
        profile: profile.id().clone(),
        bucket: config.bucket.name.to_string(),
        setup,
        setup_checked_at,
        setup_failure,
        warnings: key_age_warning(config, profile, clock).into_iter().collect(),
        datasets,
    })
}

fn dataset_status(
    config: &Config,
    state: Option<&State>,
    dataset: &Dataset,
) -> Result<DatasetStatus, StateError> {
    let Some(state) = state else { return Ok(never_synced(dataset)) };
    let totals = state.totals(dataset.name())?;
    let mut records = state.spools(dataset.name())?;
    for source in config.sources.iter().filter(|source| &source.dataset == dataset.name()) {
        if let SourcePlace::File { path, .. } = &source.place {
            records.extend(state.known_source(dataset.name(), &path.display().to_string())?);
        }
    }
    let checkpoints = records
        .into_iter()
        .map(|record| CheckpointStatus {
            pending_bytes: source::waiting_bytes(&record),
            source: record.path,
            byte_offset: record.byte_offset,
            lines: record.lines,
        })
        .collect();
    Ok(DatasetStatus {
        dataset: dataset.name().clone(),
        last_success: totals.last_success,
        rows_read: totals.rows_read,
        rows_written: totals.written,
        rows_deduplicated: totals.deduplicated,
        rows_dead_lettered: totals.dead_lettered,
        batches: totals.batches,
        objects: totals.objects,
        open_intents: totals.open_intents,
        checkpoints,
    })
}

fn never_synced(dataset: &Dataset) -> DatasetStatus {
    DatasetStatus {
        dataset: dataset.name().clone(),
        last_success: None,
        rows_read: 0,
        rows_written: 0,
        rows_deduplicated: 0,
        rows_dead_lettered: 0,
        batches: 0,
        objects: 0,
        open_intents: 0,
        checkpoints: Vec::new(),
    }
}

fn key_age_warning(config: &Config, profile: &VendorProfile, clock: &Clock) -> Option<Warning> {
    let AuthConfig::StaticKeys { created: Some(created), .. } = &config.auth else { return None };
    let rotation = profile.key_rotation()?;
    let age = KeyAge::at(clock.now(), *created);
    (i64::from(age.days) >= i64::from(rotation.days)).then(|| Warning {
        requirement: rotation.requirement.clone(),
        message: format!(
            "the access key is {} days old; it is to be rotated every {} days",
            age.days, rotation.days
        ),
        help: "make a new access key, put it in place, then delete the old one".to_owned(),
    })
}
