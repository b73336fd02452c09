//! What a sync, a plan and a status report say. Field names are a contract: they appear in `--json`.

use serde::Serialize;

use crate::config::Writes;
use crate::names::{DatasetName, ObjectKey, ProfileId};
use crate::state::{Circuit, Gap, IntentMode, LastRun};
use crate::store::Diagnosis;

/// How a sync or a plan ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All selected datasets are up to date with their sources.
    Done,
    /// The sync toggle is off: nothing was read, nothing was called.
    Disabled,
    /// The connection is paused: nothing, or nothing more, was read and called.
    Paused,
    /// The sync was asked to stop and did so after a finished batch.
    Stopped,
}

/// What a sync did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SyncReport {
    /// How it ended.
    pub outcome: Outcome,
    /// How objects are written.
    pub writes: Writes,
    /// Start, RFC 3339.
    pub started_at: String,
    /// End, RFC 3339.
    pub finished_at: String,
    /// Per selected dataset, in the profile's order.
    pub datasets: Vec<DatasetReport>,
    /// Calls that had to be repeated.
    pub retries: RetryReport,
}

impl SyncReport {
    /// The report of one dataset.
    pub fn dataset(&self, name: &str) -> Option<&DatasetReport> {
        self.datasets.iter().find(|report| report.dataset.as_str() == name)
    }
}

/// What a sync did for one dataset. `rows_read + rows_held_before = rows_written + rows_deduplicated +
/// rows_dead_lettered + rows_held`, always.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DatasetReport {
    /// The dataset.
    pub dataset: DatasetName,
    /// Non-blank lines taken from the sources.
    pub rows_read: u64,
    /// Rows that ended in an object as the winning version of their key.
    pub rows_written: u64,
    /// Rows that lost to an equal or newer version, in their batch or in the object.
    pub rows_deduplicated: u64,
    /// Rows that broke the schema and went to the dead-letter file.
    pub rows_dead_lettered: u64,
    /// Rows that waited for the end of their period when the sync began.
    pub rows_held_before: u64,
    /// Rows that wait for it now.
    pub rows_held: u64,
    /// Rows passed over because their time lies before the dataset's first sync (`history = "forward"`); in none of
    /// the counts above.
    pub rows_before_start: u64,
    /// Rows that the configuration leaves out (`[[rows]]`); in none of the counts above.
    pub rows_left_out: u64,
    /// Batches finished.
    pub batches: u64,
    /// Of these, batches that an earlier run had sealed and not finished.
    pub batches_recovered: u64,
    /// Bytes of last lines that have no line end yet.
    pub pending_bytes: u64,
    /// Objects in the order in which they were brought up to date.
    pub objects: Vec<ObjectReport>,
    /// The dead-letter file, if rows went there.
    pub dead_letter_file: Option<String>,
}

impl DatasetReport {
    pub(crate) fn new(dataset: DatasetName) -> Self {
        Self {
            dataset,
            rows_read: 0,
            rows_written: 0,
            rows_deduplicated: 0,
            rows_dead_lettered: 0,
            rows_held_before: 0,
            rows_held: 0,
            rows_before_start: 0,
            rows_left_out: 0,
            batches: 0,
            batches_recovered: 0,
            pending_bytes: 0,
            objects: Vec::new(),
            dead_letter_file: None,
        }
    }

    /// Whether the counts reconcile.
    pub fn reconciles(&self) -> bool {
        self.rows_read + self.rows_held_before
            == self.rows_written + self.rows_deduplicated + self.rows_dead_lettered + self.rows_held
    }
}

/// One object as a batch left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObjectReport {
    /// Its key.
    pub key: ObjectKey,
    /// Whether it was made, replaced or left.
    pub mode: IntentMode,
    /// Rows of the object; 0 if it was left as it is.
    pub object_rows: u64,
    /// Bytes of the object; 0 if it was left as it is.
    pub body_bytes: u64,
    /// How many times connectors have written it; 0 if it was left as it is.
    pub generation: u64,
    /// Rows of the batch that won.
    pub rows_written: u64,
    /// Rows of the batch that lost.
    pub rows_deduplicated: u64,
}

/// A chosen range of days, exported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RangeReport {
    /// How it ended.
    pub outcome: Outcome,
    /// First day.
    pub from: String,
    /// Last day, which belongs to it.
    pub to: String,
    /// By dataset.
    pub datasets: Vec<RangeDataset>,
    /// Calls that had to be repeated.
    pub retries: RetryReport,
}

/// A dataset's part of a range; read = written + outside + refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RangeDataset {
    /// The dataset.
    pub dataset: DatasetName,
    /// Rows of the sources, from their start.
    pub rows_read: u64,
    /// Rows of the range, all of them in the object.
    pub rows_written: u64,
    /// Rows of other days.
    pub rows_outside: u64,
    /// Rows that break the schema; a sync keeps them as dead letters.
    pub rows_refused: u64,
    /// Bytes of lines that are not complete yet.
    pub pending_bytes: u64,
    /// The object; none if there was no row and the vendor writes none then.
    pub object: Option<ObjectReport>,
}

impl RangeDataset {
    pub(crate) fn new(dataset: DatasetName) -> Self {
        Self {
            dataset,
            rows_read: 0,
            rows_written: 0,
            rows_outside: 0,
            rows_refused: 0,
            pending_bytes: 0,
            object: None,
        }
    }
}

/// Calls that had to be repeated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RetryReport {
    /// Repeated because the service did not answer well.
    pub unavailable: u64,
    /// Repeated after fetching credentials.
    pub refreshed: u64,
    /// Writes repeated after 409.
    pub conflicts: u64,
    /// Writes rebased because another writer changed the object first.
    pub rebased: u64,
}

/// What a sync would do now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanReport {
    /// How planning ended.
    pub outcome: Outcome,
    /// How objects would be written.
    pub writes: Writes,
    /// Per selected dataset, in the profile's order.
    pub datasets: Vec<DatasetPlan>,
}

/// What a sync would do for one dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DatasetPlan {
    /// The dataset.
    pub dataset: DatasetName,
    /// Rows that wait in the sources.
    pub rows_read: u64,
    /// Of these, rows that would be written.
    pub rows_written: u64,
    /// Rows that would be deduplicated.
    pub rows_deduplicated: u64,
    /// Rows that would be dead-lettered.
    pub rows_dead_lettered: u64,
    /// Rows that would wait for the end of their period.
    pub rows_held: u64,
    /// Bytes of last lines that have no line end yet.
    pub pending_bytes: u64,
    /// Objects as they would be left; `generation` is the one they would get.
    pub objects: Vec<ObjectReport>,
}

/// Whether a connection works, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// Toggle on, last check of bucket and credentials fine, at least one dataset.
    Active,
    /// Toggle on and a dataset selected, but no sync has run yet.
    WaitingForFirstSync,
    /// The toggle is off.
    Disabled,
    /// No dataset is selected.
    NoDatasetSelected,
    /// The connection is paused; its sources are kept for the resume.
    Paused,
    /// The last check failed because AWS refused the credentials, the role or the external id.
    CredentialsRejected,
    /// The last check of bucket and policy failed.
    SetupFailed,
    /// Bucket and credentials are fine, but the last sync failed for another reason.
    Failed,
}

/// How the last check of bucket and credentials went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SetupCheck {
    /// There was none yet.
    NotChecked,
    /// Fine.
    Passed,
    /// Not fine.
    Failed,
}

/// What is known of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatusReport {
    /// In one word.
    pub state: ConnectionState,
    /// The profile.
    pub profile: ProfileId,
    /// The bucket.
    pub bucket: String,
    /// The role that is assumed, whom policies of the bucket and its key name.
    pub role_arn: Option<String>,
    /// The last check of bucket and credentials.
    pub setup: SetupCheck,
    /// When that was, RFC 3339.
    pub setup_checked_at: Option<String>,
    /// What was wrong with it.
    pub setup_failure: Option<String>,
    /// Why the last sync failed, if it did and the check of bucket and credentials had passed.
    pub failure: Option<String>,
    /// When `run` was first started for the connection, RFC 3339.
    pub enabled_since: Option<String>,
    /// Since when the connection is paused.
    pub paused_since: Option<String>,
    /// The last run by schedule.
    pub last_run: Option<LastRun>,
    /// When the next run by schedule is due, as the running `run` last said.
    pub next_run: Option<String>,
    /// Whether calls are made at all after failures.
    pub circuit: Circuit,
    /// Bytes that wait in the sources of all selected datasets.
    pub backlog_bytes: u64,
    /// How long the bucket has been behind: seconds since the last success of the dataset that is furthest behind;
    /// 0 if nothing waits, absent if something waits and nothing ever succeeded.
    pub lag_seconds: Option<u64>,
    /// Age of static keys in days, if the configuration says when they were made.
    pub key_age_days: Option<i32>,
    /// Times in which datasets were not exported, and when that was made up for.
    pub gaps: Vec<Gap>,
    /// How objects are written.
    pub writes: Writes,
    /// Things to see to.
    pub warnings: Vec<Warning>,
    /// Per selected dataset, in the profile's order.
    pub datasets: Vec<DatasetStatus>,
}

/// Something to see to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The requirement that asks for the warning, as the profile names it.
    pub requirement: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// What is known of one dataset, over all finished batches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DatasetStatus {
    /// The dataset.
    pub dataset: DatasetName,
    /// The first instant whose rows are exported; absent if all are, or if the dataset was never synced.
    pub starts_at: Option<String>,
    /// End of the last sync that ended well, RFC 3339.
    pub last_success: Option<String>,
    /// Rows read.
    pub rows_read: u64,
    /// Rows written.
    pub rows_written: u64,
    /// Rows deduplicated.
    pub rows_deduplicated: u64,
    /// Rows dead-lettered.
    pub rows_dead_lettered: u64,
    /// Rows that wait for the end of their period.
    pub rows_held: u64,
    /// Batches finished.
    pub batches: u64,
    /// Objects written at least once.
    pub objects: u64,
    /// Writes sealed whose outcome is not known yet.
    pub open_intents: u64,
    /// How far each source was read.
    pub checkpoints: Vec<CheckpointStatus>,
}

/// How far one source was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckpointStatus {
    /// Path of the source.
    pub source: String,
    /// Bytes read.
    pub byte_offset: u64,
    /// Lines read.
    pub lines: u64,
    /// Bytes that wait.
    pub pending_bytes: u64,
}

/// A failed sync, as `--json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct FailureReport {
    /// Always `failed`.
    pub outcome: &'static str,
    /// What failed.
    pub error: String,
    /// What to do.
    pub help: String,
    /// The diagnosis, if the store refused.
    pub diagnosis: Option<Diagnosis>,
}
