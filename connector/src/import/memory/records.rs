//! What is remembered of files and reports.

use serde::Serialize;

use crate::import::entries::{Entry, Finding};
use crate::import::report::{StatusEntry, StatusReport};
use crate::import::status_form::StatusNames;
use crate::import::store::FileRef;
use crate::state::StateError;

/// A file that waits to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PendingFile {
    pub(crate) id: i64,
    pub(crate) connection: String,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) etag: String,
    /// The id of the version, where that is part of what a file is.
    pub(crate) version: Option<String>,
    pub(crate) bytes: u64,
    pub(crate) created_ms: i64,
}

impl PendingFile {
    /// What names it in a call.
    pub(crate) fn reference(&self) -> FileRef<'_> {
        FileRef { key: &self.key, etag: &self.etag, version: self.version.as_deref() }
    }
}

/// A report whose text is settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SealedReport {
    pub(crate) id: i64,
    pub(crate) bucket: String,
    pub(crate) folder: String,
    pub(crate) at_ms: i64,
    pub(crate) body: Vec<u8>,
}

/// The files of a connection that are not told of, or not whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) files: u64,
    /// When the oldest of them was created.
    pub(crate) oldest_ms: Option<i64>,
}

/// How many files of a connection are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FileCounts {
    /// Known and not yet read.
    pub pending: u64,
    /// Read; their valid rows are stored.
    pub stored: u64,
    /// Wrong as a whole; nothing of them is stored.
    pub refused: u64,
    /// Deleted or replaced before they were read.
    pub gone: u64,
}

impl FileCounts {
    /// Counts files of a state.
    pub(super) fn add(&mut self, state: &str, count: u64) -> Result<(), StateError> {
        let place = match state {
            "pending" => &mut self.pending,
            "stored" => &mut self.stored,
            "refused" => &mut self.refused,
            "gone" => &mut self.gone,
            _ => {
                let expected = "a state of a file";
                return Err(StateError::Corrupt { value: state.to_owned(), expected });
            }
        };
        *place = count;
        Ok(())
    }
}

/// An entry on record that no report tells of.
#[derive(Clone, Debug)]
pub(super) struct UntoldEntry {
    pub(super) connection: String,
    pub(super) key: String,
    pub(super) created_ms: i64,
    pub(super) entry_id: i64,
    pub(super) rows: i64,
    pub(super) findings: String,
    /// Whether its file is wrong as a whole.
    pub(super) is_refused: bool,
}

/// The text of a report of these entries.
pub(super) fn report_text(
    entries: impl IntoIterator<Item = UntoldEntry>,
    names: &StatusNames,
) -> Result<Vec<u8>, StateError> {
    let mut report = StatusReport::new();
    for untold in entries {
        let findings: Vec<(String, String)> = serde_json::from_str(&untold.findings).map_err(|_| {
            StateError::Corrupt { value: untold.findings.clone(), expected: "the findings of an entry" }
        })?;
        let entry = Entry {
            id: u32::try_from(untold.entry_id).unwrap_or(u32::MAX),
            rows: super::unsigned(untold.rows),
            findings: findings.into_iter().map(|(code, detail)| Finding { code, detail }).collect(),
        };
        let mut entry = StatusEntry::new(untold.created_ms, &entry);
        entry.valid |= untold.is_refused && names.says_refused_files_valid();
        report.entry(names.name(&untold.connection, &untold.key)).or_default().push(entry);
    }
    names
        .text(&report)
        .map_err(|error| StateError::Corrupt { value: error.to_string(), expected: "a report" })
}
