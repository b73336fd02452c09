//! The next bytes of an object whose rows change, at the cost of what changes.
//!
//! The object's rows are sorted by time and key, and its row groups say between which times they lie. So a change is
//! looked for in the few row groups that can hold it. Row groups without a change are copied as they are. In one whose
//! rows stay in their places, the columns without a change are copied. Only the rest is encoded again.
//!
//! Reading the outcome gives what reading a full rewrite gives. A rewrite is what happens where there is nothing to win
//! (more than half of the rows lie in row groups to be built again, or row groups have become too many) and where the
//! object is none of ours: another schema, another writer, another compression, no order.

mod base;
mod plan;
mod write;

use arrow_schema::ArrowError;
use bytes::Bytes;
use parquet::errors::ParquetError;

use crate::content::{Content, Room};
use crate::merge::{ChangeSet, Merge, MergeError, merge};
use crate::object_file;
use crate::parquet_file::{self, DecodeError};
use crate::profile::{Dataset, Encoding, Format};
use base::Base;
use plan::{Pace, Plan};

/// Why an object's next bytes could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// The object does not hold the dataset's rows.
    #[error(transparent)]
    Base(#[from] DecodeError),
    /// Rows cannot be merged.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// Rows cannot be encoded.
    #[error(transparent)]
    Encode(#[from] object_file::EncodeError),
    /// There is no room for a large object.
    #[error("the object cannot be kept on disk while it is made: {0}")]
    Room(#[from] std::io::Error),
}

impl From<ParquetError> for ReplaceError {
    fn from(error: ParquetError) -> Self {
        Self::Base(DecodeError::Parquet(error))
    }
}

impl From<ArrowError> for ReplaceError {
    fn from(error: ArrowError) -> Self {
        Self::Merge(MergeError::Arrow(error))
    }
}

/// What changes make of an object.
#[derive(Debug)]
pub enum Replaced<B = Bytes> {
    /// Every row of the batch is already in the object, or older than what is.
    Unchanged {
        /// Rows of the batch, all of which lost.
        deduplicated: u64,
    },
    /// The object must be replaced.
    Changed(Replacement<B>),
}

/// The next content of an object.
#[derive(Debug)]
pub struct Replacement<B = Bytes> {
    /// Its bytes.
    pub body: B,
    /// Its rows.
    pub object_rows: u64,
    /// Rows of the batch that are the winning version of their key.
    pub written: u64,
    /// Rows of the batch that lost to an equal or newer version.
    pub deduplicated: u64,
    /// Row groups copied as they were: where each lay, and where it lies now.
    pub copied: Vec<(usize, usize)>,
    /// Column chunks copied within row groups that changed.
    pub chunks_copied: usize,
}

/// Merges `changes` into the bytes of an object, copying what does not change.
pub fn replace(
    dataset: &Dataset,
    encoding: &Encoding,
    base: Option<Bytes>,
    changes: &ChangeSet,
) -> Result<Replaced, ReplaceError> {
    let base = base.map(Content::from);
    in_memory(replace_within(dataset, encoding, base, changes, &Room::unbounded())?)
}

/// Merges `changes` into an object, copying what does not change. Where the object is too large for memory, so is what is
/// made of it, and both are gone through a few row groups at a time.
pub fn replace_within(
    dataset: &Dataset,
    encoding: &Encoding,
    base: Option<Content>,
    changes: &ChangeSet,
    room: &Room,
) -> Result<Replaced<Content>, ReplaceError> {
    if let Some(bytes) = &base
        && encoding.format == Format::Parquet
        && let Some(base) = Base::open(dataset, encoding, bytes)?
    {
        let pace = if bytes.path().is_some() { Pace::Gradual } else { Pace::AtOnce };
        match Plan::of(&base, dataset, changes, pace)? {
            Plan::Rewrite => {}
            Plan::Unchanged => {
                return Ok(Replaced::Unchanged { deduplicated: changes.rows.num_rows() as u64 });
            }
            Plan::Splice(edits) => return write::spliced(&base, dataset, encoding, changes, (&edits, room)),
        }
    }
    rewrite_content(dataset, encoding, base, changes)
}

/// Merges `changes` into the bytes of an object by reading and encoding all of its rows.
pub fn rewrite(
    dataset: &Dataset,
    encoding: &Encoding,
    base: Option<Bytes>,
    changes: &ChangeSet,
) -> Result<Replaced, ReplaceError> {
    in_memory(rewrite_content(dataset, encoding, base.map(Content::from), changes)?)
}

fn in_memory(outcome: Replaced<Content>) -> Result<Replaced, ReplaceError> {
    Ok(match outcome {
        Replaced::Unchanged { deduplicated } => Replaced::Unchanged { deduplicated },
        Replaced::Changed(Replacement {
            body,
            object_rows,
            written,
            deduplicated,
            copied,
            chunks_copied,
        }) => {
            let body = body.to_bytes()?;
            Replaced::Changed(Replacement { body, object_rows, written, deduplicated, copied, chunks_copied })
        }
    })
}

fn rewrite_content(
    dataset: &Dataset,
    encoding: &Encoding,
    base: Option<Content>,
    changes: &ChangeSet,
) -> Result<Replaced<Content>, ReplaceError> {
    let rows = base.map(|bytes| parquet_file::decode(dataset, bytes)).transpose()?.unwrap_or_default();
    let merged = match merge(dataset, &rows, changes, encoding.row_group_rows)? {
        Merge::Unchanged { deduplicated } => return Ok(Replaced::Unchanged { deduplicated }),
        Merge::Changed(merged) => merged,
    };
    drop(rows);
    Ok(Replaced::Changed(Replacement {
        body: object_file::encode(dataset, encoding, &merged.batches)?.into(),
        object_rows: merged.object_rows,
        written: merged.written,
        deduplicated: merged.deduplicated,
        copied: Vec::new(),
        chunks_copied: 0,
    }))
}

#[cfg(test)]
mod tests;
