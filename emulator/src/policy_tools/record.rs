//! The journal as the admin API shows it, read back.

use std::fmt;

use serde::Deserialize;

/// A request of a journal: who asked, and what was decided.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) request_id: String,
    #[serde(default)]
    pub(crate) principal: Option<String>,
    #[serde(default)]
    pub(crate) decisions: Vec<RecordedNeed>,
}

/// What a request needed, and whether it was allowed.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RecordedNeed {
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) outcome: String,
}

impl Recorded {
    /// Whether everything that the request needed was allowed.
    pub(crate) fn is_allowed(&self) -> bool {
        self.decisions.iter().all(|need| need.outcome == "Allowed")
    }
}

/// A journal that cannot be read.
#[derive(Debug)]
pub(crate) struct RecordedError {
    /// The line, from 1; absent if the journal is one array.
    line: Option<usize>,
    error: serde_json::Error,
}

impl fmt::Display for RecordedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{}", self.error)
    }
}

/// Reads a JSON array of requests, or a request per line.
pub(crate) fn read(text: &str) -> Result<Vec<Recorded>, RecordedError> {
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text).map_err(|error| RecordedError { line: None, error });
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            serde_json::from_str(line).map_err(|error| RecordedError { line: Some(number + 1), error })
        })
        .collect()
}
