//! Status reports: what became of the rows of each file, for the owner of the bucket; and how to read them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::entries::Entry;

/// What became of some rows of a file.
///
/// Reading tolerates both spellings that vendors print: `entryID` and `errorDetails`, and a list that is missing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusEntry {
    /// When the file was created, in milliseconds past the epoch; constant per version of a file.
    pub original_creation_time: i64,
    /// Counts the entries of a file, from 1.
    #[serde(alias = "entryID")]
    pub entry_id: u32,
    /// Whether the rows were stored.
    pub valid: bool,
    /// Rows; without meaning where the file as a whole is wrong.
    pub number_of_rows: u64,
    /// Codes; empty exactly if `valid`.
    #[serde(default)]
    pub errors: Vec<String>,
    /// An explanation of each code, in the same order.
    #[serde(default, alias = "errorDetails")]
    pub errors_details: Vec<String>,
    /// Always empty today; the format keeps it.
    #[serde(default)]
    pub warnings: Vec<String>,
}

impl StatusEntry {
    pub(crate) fn new(created_ms: i64, entry: &Entry) -> Self {
        Self {
            original_creation_time: created_ms,
            entry_id: entry.id,
            valid: entry.findings.is_empty(),
            number_of_rows: entry.rows,
            errors: entry.findings.iter().map(|finding| finding.code.clone()).collect(),
            errors_details: entry.findings.iter().map(|finding| finding.detail.clone()).collect(),
            warnings: Vec::new(),
        }
    }
}

/// The entries of one report by the name of the file.
pub type StatusReport = BTreeMap<String, Vec<StatusEntry>>;

/// The key of the report of that moment.
pub(crate) fn report_key(folder: &str, form: &str, at: Timestamp) -> String {
    let name = at.to_zoned(TimeZone::UTC).strftime(form).to_string();
    let folder = folder.trim_matches('/');
    if folder.is_empty() { name } else { format!("{folder}/{name}") }
}

/// Why a text is no status report.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` is not a status report: {source}")]
pub struct ReportError {
    name: String,
    source: serde_json::Error,
}

/// Several reports together: each entry once, however often it was delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StatusSummary {
    /// By the name of the file.
    pub files: BTreeMap<String, FileStatus>,
    /// Entries that were there already, by their triplet of file name, creation time and id.
    pub duplicates: u64,
    #[serde(skip)]
    seen: BTreeSet<(String, i64, u32)>,
}

/// What became of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FileStatus {
    /// Rows that were stored.
    pub rows_stored: u64,
    /// Rows that were refused, without those of files that are wrong as a whole.
    pub rows_refused: u64,
    /// The entries, each once.
    pub entries: Vec<StatusEntry>,
}

impl StatusSummary {
    /// Adds a report; `name` is for the error. `schema_codes` mark entries whose count of rows means nothing.
    pub fn add(&mut self, name: &str, text: &[u8], schema_codes: &[&str]) -> Result<(), ReportError> {
        let report: StatusReport =
            serde_json::from_slice(text).map_err(|source| ReportError { name: name.to_owned(), source })?;
        for (file, entries) in report {
            for entry in entries {
                if !self.seen.insert((file.clone(), entry.original_creation_time, entry.entry_id)) {
                    self.duplicates += 1;
                    continue;
                }
                let status = self.files.entry(file.clone()).or_default();
                // Some say of a file that is wrong as a whole that it is valid; nothing of it is stored.
                let is_whole = entry.errors.iter().any(|code| schema_codes.contains(&code.as_str()));
                match (is_whole, entry.valid) {
                    (true, _) => {}
                    (false, true) => status.rows_stored += entry.number_of_rows,
                    (false, false) => status.rows_refused += entry.number_of_rows,
                }
                status.entries.push(entry);
            }
        }
        Ok(())
    }
}
