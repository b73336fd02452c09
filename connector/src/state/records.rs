//! What the state holds, as values.

use jiff::Timestamp;

use super::StateError;
use crate::names::{DatasetName, ETag, IntentId, ObjectKey};

/// Whether a source is the user's or the connector's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceKind {
    /// A file of the user, which may grow.
    File,
    /// Spooled standard input, whole.
    Spool,
}

impl SourceKind {
    pub(super) fn from_name(name: &str) -> Result<Self, StateError> {
        match name {
            "file" => Ok(Self::File),
            "spool" => Ok(Self::Spool),
            other => Err(StateError::Corrupt { value: other.to_owned(), expected: "a kind of source" }),
        }
    }
}

/// A source and how far it was read.
#[derive(Clone, Debug)]
pub(crate) struct SourceRecord {
    pub(crate) id: i64,
    pub(crate) path: String,
    pub(crate) kind: SourceKind,
    pub(crate) byte_offset: u64,
    pub(crate) lines: u64,
    pub(crate) fingerprint: String,
}

/// A range of one source that belongs to a batch.
#[derive(Clone, Debug)]
pub(crate) struct BatchRange {
    pub(crate) source_id: i64,
    pub(crate) path: String,
    pub(crate) bytes: std::ops::Range<u64>,
    pub(crate) lines: std::ops::Range<u64>,
    /// Digest of the range's bytes.
    pub(crate) digest: String,
    /// Of the file up to the range's end.
    pub(crate) fingerprint: String,
    /// Whether the source ends with the range.
    pub(crate) is_last: bool,
}

/// A batch to be sealed.
#[derive(Clone, Debug)]
pub(crate) struct SealedBatch<'a> {
    pub(crate) dataset: &'a DatasetName,
    pub(crate) digest: String,
    pub(crate) rows_read: u64,
    pub(crate) dead_lettered: u64,
    pub(crate) ranges: &'a [BatchRange],
    pub(crate) now: Timestamp,
}

/// A sealed batch that is not finished.
#[derive(Clone, Debug)]
pub(crate) struct OpenBatch {
    pub(crate) id: i64,
    pub(crate) sealed_at: Timestamp,
    pub(crate) ranges: Vec<BatchRange>,
}

/// What a write is to do to its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentMode {
    /// Make it.
    Create,
    /// Replace it.
    Replace,
    /// Leave it: no row of the batch is newer.
    Unchanged,
}

impl IntentMode {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Unchanged => "unchanged",
        }
    }

    pub(super) fn from_name(name: &str) -> Result<Self, StateError> {
        match name {
            "create" => Ok(Self::Create),
            "replace" => Ok(Self::Replace),
            "unchanged" => Ok(Self::Unchanged),
            other => Err(StateError::Corrupt { value: other.to_owned(), expected: "a merge mode" }),
        }
    }
}

/// One conditional write, sealed or done.
#[derive(Clone, Debug)]
pub(crate) struct IntentRecord {
    pub(crate) id: IntentId,
    pub(crate) batch_id: i64,
    pub(crate) dataset: DatasetName,
    /// The partition, in units of its dataset.
    pub(crate) slot: i64,
    pub(crate) key: ObjectKey,
    pub(crate) mode: IntentMode,
    pub(crate) base_etag: Option<ETag>,
    pub(crate) generation: u64,
    pub(crate) content_digest: String,
    pub(crate) body_bytes: u64,
    pub(crate) object_rows: u64,
    pub(crate) written: u64,
    pub(crate) deduplicated: u64,
}

/// A dataset's counts over all finished batches.
#[derive(Clone, Debug, Default)]
pub(crate) struct DatasetTotals {
    pub(crate) rows_read: u64,
    pub(crate) written: u64,
    pub(crate) deduplicated: u64,
    pub(crate) dead_lettered: u64,
    pub(crate) batches: u64,
    pub(crate) objects: u64,
    pub(crate) open_intents: u64,
    pub(crate) last_success: Option<String>,
}
