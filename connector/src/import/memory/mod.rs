//! What an import remembers and stores: files, rows, what was said of them, and reports.
//!
//! A file's state, its rows and its entries change together, so a crash leaves a file either unread or done. In SQLite and
//! PostgreSQL they are one transaction; a dataset of Parquet files publishes what its state has committed.

mod dataset;
mod error;
mod postgres;
mod records;
mod sqlite;

use std::collections::HashSet;
use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

pub use error::TargetError;
pub use records::FileCounts;
pub(crate) use records::{PendingFile, SealedReport, Waiting};

use super::config::ImportConfig;
use super::entries::Entry;
use super::rows::CheckedRows;
use super::steps::ImportSteps;
use super::store::FoundFile;
use super::target_config::TargetConfig;
use crate::state::StateError;
use dataset::DatasetMemory;
use postgres::PostgresMemory;
use sqlite::SqliteMemory;

/// What was said of a target, kept beside its state so that no other takes its place.
const MARK: &str = "import.target";

/// An import's memory with its target; one writer at a time.
#[async_trait]
pub(super) trait Memory: Debug + Send {
    /// Notes files that a listing or a message told of; how many are new.
    async fn note_files(
        &mut self,
        connection: &str,
        bucket: &str,
        folder: &str,
        files: &[FoundFile],
    ) -> Result<u64, TargetError>;

    /// The files that wait, oldest first, at most `limit` behind the id `after`.
    async fn pending(&mut self, after: i64, limit: u32) -> Result<Vec<PendingFile>, TargetError>;

    /// Begins to store a file.
    async fn begin(&mut self, file: &PendingFile) -> Result<(), TargetError>;

    /// Stores the valid ones of these rows of the file; or says in words why the target cannot hold them.
    async fn rows(&mut self, rows: &mut CheckedRows) -> Result<Option<String>, TargetError>;

    /// Ends the file: its state, its rows and what is said of it.
    async fn finish(&mut self, end: FileEnd<'_>) -> Result<(), TargetError>;

    /// Forgets what was stored of the file since it began.
    async fn abort(&mut self) -> Result<(), TargetError>;

    /// Notes that a file is not there any more.
    async fn gone(&mut self, file: &PendingFile) -> Result<(), TargetError>;

    /// Settles the reports of all entries that were not told: one per bucket and status folder.
    ///
    /// No report is of the same millisecond as another of its folder.
    async fn seal_reports(&mut self, now: Timestamp) -> Result<(), TargetError>;

    /// The reports that the buckets do not have yet, oldest first.
    async fn unwritten_reports(&mut self) -> Result<Vec<SealedReport>, TargetError>;

    /// Notes that the bucket has a report.
    async fn written(&mut self, report: i64) -> Result<(), TargetError>;

    /// Moves a report whose moment is taken to the next free one; that moment.
    async fn postpone(&mut self, report: &SealedReport) -> Result<i64, TargetError>;

    /// When the oldest entry was made that no report tells of.
    async fn oldest_untold(&mut self) -> Result<Option<Timestamp>, TargetError>;

    /// The files of a connection of which the bucket has no report yet, or not all.
    async fn waiting(&mut self, connection: &str) -> Result<Waiting, TargetError>;

    /// How many files of a connection are in which state.
    async fn counts(&mut self, connection: &str) -> Result<FileCounts, TargetError>;
}

/// How a file ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileEnd<'a> {
    pub(super) entries: &'a [Entry],
    pub(super) fate: FileFate,
    pub(super) now: Timestamp,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileFate {
    /// Its valid rows are stored.
    Stored,
    /// It is wrong as a whole.
    Refused,
    /// It was deleted or replaced before it was read, and that is told.
    Gone,
}

impl FileEnd<'_> {
    fn state(&self) -> &'static str {
        match self.fate {
            FileFate::Stored => "stored",
            FileFate::Refused => "refused",
            FileFate::Gone => "gone",
        }
    }
}

/// A file that is being stored.
#[derive(Debug)]
struct OpenFile {
    file: PendingFile,
    rows: u64,
    /// Rows that another connection has stored of the same version of the same file.
    taken: HashSet<u64>,
}

impl OpenFile {
    /// Counts rows, and leaves out those that are stored already.
    fn take(&mut self, rows: &mut CheckedRows) {
        self.rows = self.rows.saturating_add(rows.stored.len() as u64);
        rows.leave_out(&self.taken);
    }
}

/// The memory of an import with its target; a server is first spoken to when something is asked of it.
pub(super) fn open(
    config: &ImportConfig,
    steps: &Arc<dyn ImportSteps>,
) -> Result<Box<dyn Memory>, TargetError> {
    mark(&config.state_dir, &config.target)?;
    let steps = Arc::clone(steps);
    Ok(match &config.target {
        TargetConfig::Sqlite => Box::new(SqliteMemory::open(config, true, steps)?),
        TargetConfig::Postgres(place) => Box::new(PostgresMemory::new(config, place.clone(), steps)),
        TargetConfig::Parquet { directory } => Box::new(DatasetMemory::open(config, directory, steps)?),
    })
}

/// A state directory keeps the target that it was begun with: what is in one is not in another.
fn mark(directory: &Path, target: &TargetConfig) -> Result<(), StateError> {
    let path = directory.join(MARK);
    let failed = |source| StateError::Io { path: path.display().to_string(), source };
    std::fs::create_dir_all(directory).map_err(failed)?;
    let recorded = match std::fs::read_to_string(&path) {
        Ok(text) => text.trim().to_owned(),
        // Before there was a choice, there was SQLite.
        Err(_) if directory.join("import.sqlite").exists() => TargetConfig::Sqlite.to_string(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let own = target.to_string();
            std::fs::write(&path, format!("{own}\n")).map_err(failed)?;
            own
        }
        Err(error) => return Err(failed(error)),
    };
    // One that was being written when the machine stopped says nothing.
    if recorded.is_empty() {
        return std::fs::write(&path, format!("{target}\n")).map_err(failed);
    }
    let configured = target.to_string();
    if recorded == configured {
        return Ok(());
    }
    Err(StateError::OtherDestination { path: directory.display().to_string(), recorded, configured })
}

/// What is wrong with rows, as it is kept.
fn findings_text(entry: &Entry) -> String {
    let pairs = entry.findings.iter().map(|finding| vec![finding.code.as_str(), finding.detail.as_str()]);
    pairs.collect::<serde_json::Value>().to_string()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
