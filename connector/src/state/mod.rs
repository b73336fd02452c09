//! The connection's memory: SQLite in the state directory, one writer at a time.
//!
//! Write-ahead log, `synchronous = FULL`: a transaction that returned is on disk. A newer schema than this
//! program's is refused. No secret ever comes here.

mod batches;
mod periods;
mod records;
mod running;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bucketproof_clock::Entropy;
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};

pub(crate) use batches::FinishBatch;
pub(crate) use periods::{HeldRows, WrittenPeriod};
pub use records::IntentMode;
pub(crate) use records::{BatchRange, IntentRecord, SealedBatch, SourceKind, SourceRecord};
pub(crate) use running::Start;
pub use running::{Circuit, CircuitState, Gap, GapReason, LastRun, RunFailure};

use crate::lock_file;
use crate::names::DatasetName;
use crate::steps::{Step, Steps};

const SCHEMA: &str = include_str!("schema.sql");
const PERIODS: &str = include_str!("periods.sql");
const SCHEMA_VERSION: i64 = 2;

/// Why the state could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Another process works with the directory.
    #[error("state directory `{path}` is in use by another process")]
    Busy {
        /// The directory.
        path: String,
    },
    /// A newer program made the state.
    #[error("state in `{path}` has schema version {found}, this program knows up to {known}")]
    Newer {
        /// The database.
        path: String,
        /// Version of the state.
        found: i64,
        /// Version of the program.
        known: i64,
    },
    /// The directory belongs to another destination.
    #[error("state directory `{path}` belongs to `{recorded}`, the configuration says `{configured}`")]
    OtherDestination {
        /// The directory.
        path: String,
        /// The destination on record.
        recorded: String,
        /// The destination of the configuration.
        configured: String,
    },
    /// The directory or a file of it cannot be used.
    #[error("state directory or file `{path}` cannot be used: {source}")]
    Io {
        /// The path.
        path: String,
        /// The cause.
        source: std::io::Error,
    },
    /// The database is damaged or cannot be written.
    #[error("state database: {0}")]
    Database(#[from] rusqlite::Error),
    /// A value on record makes no sense.
    #[error("state database holds `{value}` where {expected} belongs")]
    Corrupt {
        /// The value.
        value: String,
        /// What belongs there.
        expected: &'static str,
    },
}

impl StateError {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Busy { .. } => "wait for the other process, or give this connection its own `state.dir`",
            Self::Newer { .. } => "run the program version that wrote the state, or a newer one",
            Self::OtherDestination { .. } => {
                "give each destination its own `state.dir`; a fresh one exports its sources anew"
            }
            Self::Io { .. } => "check the path, its permissions and the free space",
            Self::Database(_) | Self::Corrupt { .. } => {
                "move the state directory away and run `sync`: sources are read again and known rows deduplicated"
            }
        }
    }
}

/// The open state of one connection.
#[derive(Debug)]
pub(crate) struct State {
    database: Mutex<Connection>,
    directory: PathBuf,
    steps: Arc<dyn Steps>,
    /// Held while this process may write.
    _lock: Option<File>,
}

impl State {
    /// Opens the state for writing, making it if there is none.
    pub(crate) fn open(
        directory: &Path,
        destination: &str,
        entropy: &Entropy,
        steps: Arc<dyn Steps>,
    ) -> Result<Self, StateError> {
        std::fs::create_dir_all(directory).map_err(|source| io(directory, source))?;
        let lock_path = directory.join("lock");
        let lock = lock_file::hold(&lock_path)
            .map_err(|source| io(&lock_path, source))?
            .ok_or_else(|| StateError::Busy { path: directory.display().to_string() })?;
        let path = directory.join("state.sqlite");
        let database = Connection::open(&path)?;
        database.pragma_update(None, "journal_mode", "WAL")?;
        database.pragma_update(None, "synchronous", "FULL")?;
        database.pragma_update(None, "foreign_keys", "ON")?;
        let version = version(&database, &path)?;
        let mut state = Self {
            database: Mutex::new(database),
            directory: directory.to_path_buf(),
            steps,
            _lock: Some(lock),
        };
        match version {
            0 => state.create(entropy)?,
            1 => state.add_periods()?,
            _ => {}
        }
        state.check_destination(destination)?;
        Ok(state)
    }

    /// Opens the state of `destination` for reading; `None` if there is none yet. Does not wait for a writer.
    pub(crate) fn open_to_read(directory: &Path, destination: &str) -> Result<Option<Self>, StateError> {
        let path = directory.join("state.sqlite");
        if !path.exists() {
            return Ok(None);
        }
        let database = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        database.pragma_update(None, "query_only", "ON")?;
        let found = version(&database, &path)?;
        if found == 0 {
            return Ok(None);
        }
        let state = Self {
            database: Mutex::new(database),
            directory: directory.to_path_buf(),
            steps: Arc::new(crate::steps::Unwatched),
            _lock: None,
        };
        match state.fact("destination")? {
            Some(recorded) if recorded != destination => Err(state.other(recorded, destination)),
            _ => Ok(Some(state)),
        }
    }

    fn create(&mut self, entropy: &Entropy) -> Result<(), StateError> {
        let mut writer = [0; 16];
        for (half, bytes) in writer.chunks_mut(8).enumerate() {
            bytes.copy_from_slice(&(entropy.next_u64() ^ half as u64).to_be_bytes());
        }
        let database = self.database.get_mut().unwrap_or_else(PoisonError::into_inner);
        let transaction = database.transaction()?;
        transaction.execute_batch(SCHEMA)?;
        transaction.execute_batch(PERIODS)?;
        transaction.execute("INSERT INTO fact VALUES ('writer', ?1)", params![hex::encode(writer)])?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        transaction.commit()?;
        Ok(())
    }

    /// From the first version of the schema to the second.
    fn add_periods(&mut self) -> Result<(), StateError> {
        let database = self.database.get_mut().unwrap_or_else(PoisonError::into_inner);
        let transaction = database.transaction()?;
        transaction.execute_batch(PERIODS)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        transaction.commit()?;
        Ok(())
    }

    /// Ties the state to the first destination it is used with.
    fn check_destination(&self, configured: &str) -> Result<(), StateError> {
        match self.fact("destination")? {
            None => self.set_fact("destination", configured),
            Some(recorded) if recorded == configured => Ok(()),
            Some(recorded) => Err(self.other(recorded, configured)),
        }
    }

    fn other(&self, recorded: String, configured: &str) -> StateError {
        StateError::OtherDestination {
            path: self.directory.display().to_string(),
            recorded,
            configured: configured.to_owned(),
        }
    }

    /// The directory of the state.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn fact(&self, name: &str) -> Result<Option<String>, StateError> {
        Ok(self
            .lock()
            .query_row("SELECT value FROM fact WHERE name = ?1", params![name], |row| row.get(0))
            .optional()?)
    }

    pub(crate) fn set_fact(&self, name: &str, value: &str) -> Result<(), StateError> {
        self.lock().execute(
            "INSERT INTO fact VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            params![name, value],
        )?;
        Ok(())
    }

    /// Identifies the writer in intent ids.
    pub(crate) fn writer(&self) -> Result<String, StateError> {
        self.fact("writer")?.ok_or(StateError::Corrupt { value: String::new(), expected: "the writer's id" })
    }

    /// Records how the last check of bucket and credentials went.
    pub(crate) fn record_setup(&self, now: Timestamp, failure: Option<&str>) -> Result<(), StateError> {
        self.set_fact("setup_checked_at", &now.to_string())?;
        self.set_fact("setup_failure", failure.unwrap_or_default())
    }

    /// Bytes of the dead-letter file of `dataset` that belong to finished batches.
    pub(crate) fn dead_bytes(&self, dataset: &DatasetName) -> Result<u64, StateError> {
        let bytes: Option<i64> = self
            .lock()
            .query_row("SELECT dead_bytes FROM total WHERE dataset = ?1", params![dataset.as_str()], |row| {
                row.get(0)
            })
            .optional()?;
        Ok(unsigned(bytes.unwrap_or(0)))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `change` as one transaction, between its two steps.
    fn transact<T>(
        &self,
        step: (Step, Step),
        change: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        self.steps.reached(step.0);
        let outcome = {
            let mut database = self.lock();
            let transaction = database.transaction()?;
            let outcome = change(&transaction)?;
            transaction.commit()?;
            outcome
        };
        self.steps.reached(step.1);
        Ok(outcome)
    }
}

fn version(database: &Connection, path: &Path) -> Result<i64, StateError> {
    let found = database.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > SCHEMA_VERSION {
        return Err(StateError::Newer { path: path.display().to_string(), found, known: SCHEMA_VERSION });
    }
    Ok(found)
}

fn io(path: &Path, source: std::io::Error) -> StateError {
    StateError::Io { path: path.display().to_string(), source }
}

/// SQLite's integers are signed; counts and offsets are not.
fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
