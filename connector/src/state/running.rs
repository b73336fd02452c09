//! What the state remembers of running: pauses, selections, gaps, the last and the next run.
//!
//! All of it are facts by name. A pause is written beside the running process, which looks for it between batches.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{State, StateError, version};
use crate::names::DatasetName;

const PAUSED_SINCE: &str = "paused_since";
const GAPS: &str = "gaps";
const LAST_RUN: &str = "last_run";
const NEXT_RUN: &str = "next_run";
const CIRCUIT: &str = "circuit";
/// Closed gaps that stay on record, for people who look.
const GAPS_KEPT: usize = 100;

/// Why a dataset was not exported for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The connection was paused.
    Paused,
    /// The dataset was not selected.
    NotSelected,
}

/// A time in which a dataset was not exported. What its sources got in that time is exported afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The dataset.
    pub dataset: DatasetName,
    /// Why.
    pub reason: GapReason,
    /// Since when.
    pub from: String,
    /// Until when.
    pub to: String,
    /// When everything of the gap was exported; absent while that goes on.
    pub filled_at: Option<String>,
}

/// How the last scheduled run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// Start, RFC 3339.
    pub started_at: String,
    /// End, RFC 3339.
    pub finished_at: String,
    /// What failed, if it did.
    pub failure: Option<RunFailure>,
}

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFailure {
    /// What failed.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Whether the credentials were rejected.
    pub credentials: bool,
}

/// Whether calls are made at all after failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CircuitState {
    /// They are.
    Closed,
    /// Not before `next_attempt_at`: the service did not answer well.
    Open,
    /// People must act first; every scheduled run and every change of the configuration tries again.
    Blocked,
}

/// The circuit between schedule and store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circuit {
    /// In one word.
    pub state: CircuitState,
    /// Failed runs in a row.
    pub failures: u32,
    /// When the next attempt is made, if not by schedule.
    pub next_attempt_at: Option<String>,
}

/// Where the export of a dataset begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// With all that the sources hold.
    Everything,
    /// With the rows of this instant.
    At(Timestamp),
}

impl Start {
    /// The first instant that is exported, if not all are.
    pub(crate) fn instant(self) -> Option<Timestamp> {
        match self {
            Self::Everything => None,
            Self::At(start) => Some(start),
        }
    }
}

impl Default for Circuit {
    fn default() -> Self {
        Self { state: CircuitState::Closed, failures: 0, next_attempt_at: None }
    }
}

impl State {
    /// Opens a state that is there, beside a process that may be writing; `None` if there is none.
    pub(crate) fn open_beside(directory: &Path, destination: &str) -> Result<Option<Self>, StateError> {
        let path = directory.join("state.sqlite");
        if !path.exists() {
            return Ok(None);
        }
        let database = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        database.pragma_update(None, "synchronous", "FULL")?;
        if version(&database, &path)? == 0 {
            return Ok(None);
        }
        let state = Self {
            database: std::sync::Mutex::new(database),
            directory: directory.to_path_buf(),
            steps: Arc::new(crate::steps::Unwatched),
            _lock: None,
        };
        state.check_destination(destination)?;
        Ok(Some(state))
    }

    /// Since when the connection is paused, if it is.
    pub(crate) fn paused_since(&self) -> Result<Option<String>, StateError> {
        Ok(self.fact(PAUSED_SINCE)?.filter(|since| !since.is_empty()))
    }

    /// Pauses the connection; a pause that is there already stays as it is. Returns since when it is paused.
    pub(crate) fn pause(&self, now: Timestamp) -> Result<String, StateError> {
        self.lock().execute(
            "INSERT INTO fact VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE value = ''",
            params![PAUSED_SINCE, now.to_string()],
        )?;
        Ok(self.paused_since()?.unwrap_or_default())
    }

    /// Ends a pause; every dataset with a start gets the pause as a gap. Returns since when it was paused.
    pub(crate) fn resume(&self, now: Timestamp, reason: GapReason) -> Result<Option<String>, StateError> {
        let Some(since) = self.paused_since()? else { return Ok(None) };
        for dataset in self.started()? {
            if self.off_since(&dataset)?.is_none() {
                self.add_gap(Gap {
                    dataset,
                    reason,
                    from: since.clone(),
                    to: now.to_string(),
                    filled_at: None,
                })?;
            }
        }
        self.set_fact(PAUSED_SINCE, "")?;
        Ok(Some(since))
    }

    /// Datasets that were ever exported.
    pub(crate) fn started(&self) -> Result<Vec<DatasetName>, StateError> {
        let names: Vec<String> = {
            let database = self.lock();
            let mut statement = database
                .prepare("SELECT substr(name, 7) FROM fact WHERE name LIKE 'start:%' ORDER BY name")?;
            let names = statement.query_map([], |row| row.get(0))?;
            names.collect::<Result<_, _>>()?
        };
        names
            .into_iter()
            .map(|name| {
                DatasetName::new(name.as_str())
                    .map_err(|_| StateError::Corrupt { value: name, expected: "a dataset" })
            })
            .collect()
    }

    /// Where the export of `dataset` begins; `None` before it was first selected.
    pub(crate) fn start_of(&self, dataset: &DatasetName) -> Result<Option<Start>, StateError> {
        let Some(text) = self.fact(&format!("start:{dataset}"))? else { return Ok(None) };
        if text.is_empty() {
            return Ok(Some(Start::Everything));
        }
        let start = text.parse().map_err(|_| StateError::Corrupt { value: text, expected: "an instant" })?;
        Ok(Some(Start::At(start)))
    }

    /// Records a dataset's first selection.
    pub(crate) fn set_start(&self, dataset: &DatasetName, start: Start) -> Result<(), StateError> {
        let text = start.instant().map_or_else(String::new, |start| start.to_string());
        self.set_fact(&format!("start:{dataset}"), &text)
    }

    /// Since when a dataset is not selected any more.
    pub(crate) fn off_since(&self, dataset: &DatasetName) -> Result<Option<String>, StateError> {
        Ok(self.fact(&format!("off:{dataset}"))?.filter(|since| !since.is_empty()))
    }

    /// Records that a dataset is, or is not, selected.
    pub(crate) fn set_off(&self, dataset: &DatasetName, since: Option<Timestamp>) -> Result<(), StateError> {
        let text = since.map_or_else(String::new, |since| since.to_string());
        self.set_fact(&format!("off:{dataset}"), &text)
    }

    /// Records that a dataset is selected again, with the gap that it leaves.
    pub(crate) fn return_dataset(&self, gap: Gap) -> Result<(), StateError> {
        let dataset = gap.dataset.clone();
        self.add_gap(gap)?;
        self.set_off(&dataset, None)
    }

    /// Whether the last check failed because of the credentials.
    pub(crate) fn setup_is_of_credentials(&self) -> Result<bool, StateError> {
        Ok(self.fact("setup_credentials")?.is_some_and(|value| value == "true"))
    }

    /// Records whether the last check failed because of the credentials.
    pub(crate) fn record_setup_kind(&self, of_credentials: bool) -> Result<(), StateError> {
        self.set_fact("setup_credentials", if of_credentials { "true" } else { "false" })
    }

    /// Gaps on record, oldest first.
    pub(crate) fn gaps(&self) -> Result<Vec<Gap>, StateError> {
        Ok(self.json(GAPS)?.unwrap_or_default())
    }

    pub(crate) fn add_gap(&self, gap: Gap) -> Result<(), StateError> {
        let mut gaps = self.gaps()?;
        gaps.push(gap);
        while gaps.len() > GAPS_KEPT {
            let oldest = gaps.iter().position(|gap| gap.filled_at.is_some()).unwrap_or(0);
            gaps.remove(oldest);
        }
        self.set_json(GAPS, &gaps)
    }

    /// Records that everything of the dataset's gaps is exported.
    pub(crate) fn fill_gaps(&self, dataset: &DatasetName, now: Timestamp) -> Result<(), StateError> {
        let mut gaps = self.gaps()?;
        let mut changed = false;
        for gap in gaps.iter_mut().filter(|gap| &gap.dataset == dataset && gap.filled_at.is_none()) {
            gap.filled_at = Some(now.to_string());
            changed = true;
        }
        if changed { self.set_json(GAPS, &gaps) } else { Ok(()) }
    }

    pub(crate) fn last_run(&self) -> Result<Option<LastRun>, StateError> {
        self.json(LAST_RUN)
    }

    pub(crate) fn set_last_run(&self, run: &LastRun) -> Result<(), StateError> {
        self.set_json(LAST_RUN, run)
    }

    pub(crate) fn next_run(&self) -> Result<Option<String>, StateError> {
        Ok(self.fact(NEXT_RUN)?.filter(|next| !next.is_empty()))
    }

    pub(crate) fn set_next_run(&self, next: Option<Timestamp>) -> Result<(), StateError> {
        self.set_fact(NEXT_RUN, &next.map_or_else(String::new, |next| next.to_string()))
    }

    pub(crate) fn circuit(&self) -> Result<Circuit, StateError> {
        Ok(self.json(CIRCUIT)?.unwrap_or_default())
    }

    pub(crate) fn set_circuit(&self, circuit: &Circuit) -> Result<(), StateError> {
        self.set_json(CIRCUIT, circuit)
    }

    fn json<T: DeserializeOwned>(&self, name: &'static str) -> Result<Option<T>, StateError> {
        let Some(text) = self.fact(name)? else { return Ok(None) };
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|_| StateError::Corrupt { value: text, expected: "a record of running" })
    }

    fn set_json(&self, name: &str, value: &impl Serialize) -> Result<(), StateError> {
        // A tree of texts and numbers always serialises.
        self.set_fact(name, &serde_json::to_string(value).unwrap_or_default())
    }
}
