//! Rows that could not be exported: why, and where they are.
//!
//! One file per dataset, `<state dir>/dead-letter/<dataset>.ndjson`, one JSON line per row. The state records how
//! many bytes of the file belong to finished batches; what a crash left behind that point is cut off and written
//! again, so each letter appears once. The file belongs to the connector: move it away to work on it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::names::DatasetName;

/// Why a row could not be exported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowProblem {
    /// The line takes more memory than there is.
    #[error("the line of {bytes} bytes is longer than a quarter of `state.memory_mib`, or than 256 MiB")]
    TooLong {
        /// Its bytes.
        bytes: u64,
    },
    /// The line is not UTF-8.
    #[error("the line is not UTF-8 (byte {at} of the line)")]
    NotUtf8 {
        /// Position of the first bad byte in the line, from 0.
        at: usize,
    },
    /// The line is not one JSON object.
    #[error("the line is not a JSON object: {detail}")]
    NotAnObject {
        /// What the parser said.
        detail: String,
    },
    /// Deeper than any parser downstream need follow.
    #[error("the JSON is nested deeper than {max} levels")]
    TooDeep {
        /// The limit.
        max: usize,
    },
    /// A field that the dataset does not have: the schema has drifted.
    #[error("schema drift: the dataset has no column `{column}`")]
    UnknownField {
        /// The field's name.
        column: String,
    },
    /// The same field twice.
    #[error("the field `{column}` appears twice")]
    DuplicateField {
        /// The field's name.
        column: String,
    },
    /// A required column that is absent or null.
    #[error("the required column `{column}` is absent or null")]
    Missing {
        /// The column's name.
        column: String,
    },
    /// A value of another type.
    #[error("column `{column}` takes {expected}: {detail}")]
    WrongType {
        /// The column's name.
        column: String,
        /// What it takes.
        expected: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// A value outside the documented list.
    #[error("schema drift: `{value}` is not a documented value of column `{column}`")]
    UnknownValue {
        /// The column's name.
        column: String,
        /// The value.
        value: String,
    },
    /// The object of the row's period is final.
    #[error("the row belongs to the period from {period}, whose object is final")]
    PeriodIsFinal {
        /// The first instant of the period.
        period: String,
    },
    /// No key alternative applies.
    #[error("no natural key: none of {alternatives} is present")]
    NoKey {
        /// The columns of which one set must be present.
        alternatives: String,
    },
}

impl RowProblem {
    /// The same problem, of a field within `outer`.
    pub(crate) fn within(mut self, outer: &str) -> Self {
        if let Self::UnknownField { column }
        | Self::DuplicateField { column }
        | Self::Missing { column }
        | Self::WrongType { column, .. }
        | Self::UnknownValue { column, .. } = &mut self
        {
            *column = format!("{outer}.{column}");
        }
        self
    }

    /// The column that the problem is about, if it is about one.
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::UnknownField { column }
            | Self::DuplicateField { column }
            | Self::Missing { column }
            | Self::WrongType { column, .. }
            | Self::UnknownValue { column, .. } => Some(column),
            Self::TooLong { .. }
            | Self::NotUtf8 { .. }
            | Self::NotAnObject { .. }
            | Self::TooDeep { .. }
            | Self::NoKey { .. }
            | Self::PeriodIsFinal { .. } => None,
        }
    }
}

/// One row that could not be exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Path of the source file.
    pub source: String,
    /// Line of the source, from 1.
    pub line: u64,
    /// Position of the line's first byte in the source, from 0.
    pub byte_offset: u64,
    /// Why.
    pub problem: RowProblem,
    /// The line as it was read, without its line end; the beginning of one that is too long.
    pub raw: Vec<u8>,
}

#[derive(Serialize)]
struct Letter<'a> {
    source: &'a str,
    line: u64,
    byte_offset: u64,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_hex: Option<String>,
    /// The file that holds the whole row, if the source will not.
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_file: Option<String>,
}

impl DeadLetter {
    /// The letter as one JSON line. A row that is not UTF-8 is given as `raw_hex` instead of `raw`.
    pub fn to_json_line(&self) -> String {
        self.json_line(None)
    }

    fn json_line(&self, whole: Option<&Path>) -> String {
        let text = std::str::from_utf8(&self.raw).ok();
        let letter = Letter {
            source: &self.source,
            line: self.line,
            byte_offset: self.byte_offset,
            reason: self.problem.to_string(),
            column: self.problem.column(),
            raw: text,
            raw_hex: text.is_none().then(|| hex::encode(&self.raw)),
            raw_file: whole.map(|path| path.display().to_string()),
        };
        // A struct of texts and numbers always serialises.
        let mut line = serde_json::to_string(&letter).unwrap_or_default();
        line.push('\n');
        line
    }
}

/// The dead-letter file of `dataset` below the state directory.
pub fn dead_letter_path(state_dir: &Path, dataset: &DatasetName) -> PathBuf {
    state_dir.join("dead-letter").join(format!("{dataset}.ndjson"))
}

/// A copy beside `path` of a row that is too long for its letter, if its source is a spool and goes when it is finished.
fn keep_whole(path: &Path, spools: &Path, letter: &DeadLetter) -> io::Result<Option<PathBuf>> {
    let RowProblem::TooLong { bytes } = letter.problem else { return Ok(None) };
    let source = Path::new(&letter.source);
    let Some(name) = source.file_stem().filter(|_| source.starts_with(spools)) else { return Ok(None) };
    let whole = path.with_extension(format!("{}.{}", name.to_string_lossy(), letter.line));
    let mut from = File::open(source)?;
    from.seek(SeekFrom::Start(letter.byte_offset))?;
    let mut to = File::create(&whole)?;
    io::copy(&mut from.take(bytes), &mut to)?;
    to.sync_all()?;
    Ok(Some(whole))
}

/// Cuts the file back to `kept_bytes`, appends `letters`, and returns the new length once it is on disk. Rows of `spools`
/// that are too long for a letter are copied.
pub(crate) fn append(
    path: &Path,
    (kept_bytes, spools): (u64, PathBuf),
    letters: &[DeadLetter],
) -> io::Result<u64> {
    if letters.is_empty() && !path.exists() {
        return Ok(0);
    }
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    // A file shorter than remembered was moved away or cut by its reader; go on from what is there.
    let kept = kept_bytes.min(file.metadata()?.len());
    file.set_len(kept)?;
    file.seek(SeekFrom::Start(kept))?;
    let mut text = String::new();
    for letter in letters {
        let whole = keep_whole(path, &spools, letter)?;
        text.push_str(&letter.json_line(whole.as_deref()));
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    if let Some(parent) = path.parent() {
        File::open(parent)?.sync_all()?;
    }
    Ok(kept + text.len() as u64)
}
