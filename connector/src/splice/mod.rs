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

use crate::merge::{ChangeSet, Merge, MergeError, merge};
use crate::object_file;
use crate::parquet_file::{self, DecodeError};
use crate::profile::{Dataset, Encoding, Format};
use base::Base;
use plan::Plan;

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
pub enum Replaced {
    /// Every row of the batch is already in the object, or older than what is.
    Unchanged {
        /// Rows of the batch, all of which lost.
        deduplicated: u64,
    },
    /// The object must be replaced.
    Changed(Replacement),
}

/// The next content of an object.
#[derive(Debug)]
pub struct Replacement {
    /// Its bytes.
    pub body: Bytes,
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
    if let Some(bytes) = &base
        && encoding.format == Format::Parquet
        && let Some(base) = Base::open(dataset, encoding, bytes)?
    {
        match Plan::of(&base, dataset, changes)? {
            Plan::Rewrite => {}
            Plan::Unchanged => {
                return Ok(Replaced::Unchanged { deduplicated: changes.rows.num_rows() as u64 });
            }
            Plan::Splice(edits) => return write::spliced(&base, dataset, encoding, changes, &edits),
        }
    }
    rewrite(dataset, encoding, base, changes)
}

/// Merges `changes` into the bytes of an object by reading and encoding all of its rows.
pub fn rewrite(
    dataset: &Dataset,
    encoding: &Encoding,
    base: Option<Bytes>,
    changes: &ChangeSet,
) -> Result<Replaced, ReplaceError> {
    let rows = base.map(|bytes| parquet_file::decode(dataset, bytes)).transpose()?.unwrap_or_default();
    let merged = match merge(dataset, &rows, changes, encoding.row_group_rows)? {
        Merge::Unchanged { deduplicated } => return Ok(Replaced::Unchanged { deduplicated }),
        Merge::Changed(merged) => merged,
    };
    drop(rows);
    Ok(Replaced::Changed(Replacement {
        body: object_file::encode(dataset, encoding, &merged.batches)?,
        object_rows: merged.object_rows,
        written: merged.written,
        deduplicated: merged.deduplicated,
        copied: Vec::new(),
        chunks_copied: 0,
    }))
}

#[cfg(test)]
mod tests;
