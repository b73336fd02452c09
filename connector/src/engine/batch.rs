//! From source ranges to rows per partition.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMicrosecondType;
use arrow_select::concat::concat_batches;
use arrow_select::interleave::interleave_record_batch;
use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{SyncError, history, late};
use crate::dead_letter::{DeadLetter, RowProblem};
use crate::merge::{ChangeSet, MergeError};
use crate::profile::{Dataset, PartitionBy, PartitionUnit};
use crate::rows::{LinesOrigin, decode_ndjson};
use crate::source::Chunk;
use crate::state::BatchRange;

/// The rows of one batch, by partition.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) ranges: Vec<BatchRange>,
    pub(super) rows_read: u64,
    /// Rows before the dataset's start, which are in no other count.
    pub(super) rows_before_start: u64,
    /// Rows that the configuration leaves out, which are in no other count.
    pub(super) rows_left_out: u64,
    pub(super) dead_letters: Vec<DeadLetter>,
    /// By partition, in units of the dataset.
    pub(super) partitions: BTreeMap<i64, ChangeSet>,
    /// The objects of partitions that are encoded already.
    pub(super) bodies: BTreeMap<i64, Bytes>,
}

/// Which rows of a batch count, and when it is sealed.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    /// Rows of an earlier time are passed over.
    pub(super) start: Option<Timestamp>,
    /// When the batch was, or would be, sealed.
    pub(super) sealed_at: Timestamp,
    /// Periods that no row can change any more, each with its name.
    pub(super) finals: BTreeMap<i64, String>,
}

impl Cut {
    /// All rows, sealed at `now`.
    pub(super) fn at(now: Timestamp) -> Self {
        Self { start: None, sealed_at: now, finals: BTreeMap::new() }
    }
}

impl Batch {
    /// Decodes chunks; later chunks and later lines have greater sequences.
    pub(super) fn decode(dataset: &Dataset, chunks: Vec<Chunk>, cut: &Cut) -> Result<Self, SyncError> {
        let mut ranges = Vec::with_capacity(chunks.len());
        let mut dead_letters = Vec::new();
        let mut decoded: Vec<RecordBatch> = Vec::with_capacity(chunks.len());
        let (mut rows_before_start, mut rows_left_out) = (0, 0);
        for chunk in chunks {
            let origin = LinesOrigin {
                source: &chunk.range.path,
                lines_before: chunk.range.lines.start,
                bytes_before: chunk.range.bytes.start,
            };
            if chunk.is_too_long {
                dead_letters.push(too_long(&chunk.range, chunk.bytes));
                ranges.push(chunk.range);
                continue;
            }
            let mut rows = decode_ndjson(dataset, &chunk.bytes, origin).map_err(MergeError::from)?;
            late::reject(dataset, &mut rows, &chunk, &cut.finals)?;
            dead_letters.extend(rows.dead_letters);
            let (kept, passed_over) = history::from_start(dataset, rows.batch, cut.start)?;
            rows_before_start += passed_over;
            let (chosen, left_out) = dataset.rules().apply(kept).map_err(MergeError::from)?;
            rows_left_out += left_out;
            decoded.push(chosen);
            ranges.push(chunk.range);
        }
        let rows: usize = decoded.iter().map(RecordBatch::num_rows).sum();
        let rows_read = rows as u64 + dead_letters.len() as u64;
        Ok(Self {
            ranges,
            rows_read,
            rows_before_start,
            rows_left_out,
            dead_letters,
            partitions: partition(dataset, &decoded, cut.sealed_at)?,
            bodies: BTreeMap::new(),
        })
    }

    /// Bytes of source text.
    pub(super) fn source_bytes(&self) -> u64 {
        self.ranges.iter().map(|range| range.bytes.end - range.bytes.start).sum()
    }

    /// Lines of source text.
    pub(super) fn source_lines(&self) -> u64 {
        self.ranges.iter().map(|range| range.lines.end - range.lines.start).sum()
    }

    /// Digest of the batch's source bytes.
    pub(super) fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for range in &self.ranges {
            digest.update(range.digest.as_bytes());
        }
        hex::encode(digest.finalize())
    }
}

fn too_long(range: &BatchRange, mut beginning: Vec<u8>) -> DeadLetter {
    if let Err(cut) = std::str::from_utf8(&beginning)
        && cut.error_len().is_none()
    {
        beginning.truncate(cut.valid_up_to());
    }
    DeadLetter {
        source: range.path.clone(),
        line: range.lines.end,
        byte_offset: range.bytes.start,
        problem: RowProblem::TooLong { bytes: range.bytes.end - range.bytes.start },
        raw: beginning,
    }
}

fn partition(
    dataset: &Dataset,
    batches: &[RecordBatch],
    sealed_at: Timestamp,
) -> Result<BTreeMap<i64, ChangeSet>, MergeError> {
    let partitioning = dataset.partitioning();
    if partitioning.by == PartitionBy::Batch || partitioning.unit == PartitionUnit::None {
        let rows = concat_batches(&dataset.schema(), batches)?;
        let sequences = (0..rows.num_rows() as u64).collect();
        let whole = (partitioning.unit.slot_of(sealed_at), ChangeSet { rows, sequences });
        return Ok(Some(whole).filter(|(_, changes)| changes.rows.num_rows() > 0).into_iter().collect());
    }
    let mut rows_of: BTreeMap<i64, Vec<(usize, usize)>> = BTreeMap::new();
    let mut sequences_of: BTreeMap<i64, Vec<u64>> = BTreeMap::new();
    let mut sequence = 0;
    for (at, batch) in batches.iter().enumerate() {
        let times = batch
            .columns()
            .get(dataset.time_position().unwrap_or(usize::MAX))
            .and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>())
            .ok_or_else(|| MergeError::Schema { dataset: dataset.name().to_string() })?;
        for (row, micros) in times.values().iter().enumerate() {
            let slot = partitioning.unit.slot_of_micros(*micros);
            rows_of.entry(slot).or_default().push((at, row));
            sequences_of.entry(slot).or_default().push(sequence);
            sequence += 1;
        }
    }
    let all: Vec<&RecordBatch> = batches.iter().collect();
    let mut partitions = BTreeMap::new();
    for ((slot, rows), sequences) in rows_of.into_iter().zip(sequences_of.into_values()) {
        let rows = match batches {
            [whole] if whole.num_rows() == rows.len() => whole.clone(),
            _ => interleave_record_batch(&all, &rows)?,
        };
        partitions.insert(slot, ChangeSet { rows, sequences });
    }
    Ok(partitions)
}
