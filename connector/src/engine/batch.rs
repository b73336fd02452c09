//! From source ranges to rows per partition.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMicrosecondType;
use arrow_select::interleave::interleave_record_batch;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{SyncError, history};
use crate::dead_letter::DeadLetter;
use crate::merge::{ChangeSet, MergeError};
use crate::profile::{Dataset, hour_of_micros};
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
    pub(super) dead_letters: Vec<DeadLetter>,
    /// By hours since the epoch.
    pub(super) partitions: BTreeMap<i64, ChangeSet>,
}

impl Batch {
    /// Decodes chunks; later chunks and later lines have greater sequences.
    pub(super) fn decode(
        dataset: &Dataset,
        chunks: Vec<Chunk>,
        start: Option<Timestamp>,
    ) -> Result<Self, SyncError> {
        let mut ranges = Vec::with_capacity(chunks.len());
        let mut dead_letters = Vec::new();
        let mut decoded: Vec<RecordBatch> = Vec::with_capacity(chunks.len());
        let mut rows_before_start = 0;
        for chunk in chunks {
            let origin = LinesOrigin {
                source: &chunk.range.path,
                lines_before: chunk.range.lines.start,
                bytes_before: chunk.range.bytes.start,
            };
            let rows = decode_ndjson(dataset, &chunk.bytes, origin).map_err(MergeError::from)?;
            dead_letters.extend(rows.dead_letters);
            let (kept, passed_over) = history::from_start(dataset, rows.batch, start)?;
            rows_before_start += passed_over;
            decoded.push(kept);
            ranges.push(chunk.range);
        }
        let rows: usize = decoded.iter().map(RecordBatch::num_rows).sum();
        let rows_read = rows as u64 + dead_letters.len() as u64;
        Ok(Self {
            ranges,
            rows_read,
            rows_before_start,
            dead_letters,
            partitions: partition(dataset, &decoded)?,
        })
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

fn partition(dataset: &Dataset, batches: &[RecordBatch]) -> Result<BTreeMap<i64, ChangeSet>, MergeError> {
    let mut rows_of: BTreeMap<i64, Vec<(usize, usize)>> = BTreeMap::new();
    let mut sequences_of: BTreeMap<i64, Vec<u64>> = BTreeMap::new();
    let mut sequence = 0;
    for (at, batch) in batches.iter().enumerate() {
        let times = batch
            .columns()
            .get(dataset.time_position())
            .and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>())
            .ok_or_else(|| MergeError::Schema { dataset: dataset.name().to_string() })?;
        for (row, micros) in times.values().iter().enumerate() {
            let hour = hour_of_micros(*micros);
            rows_of.entry(hour).or_default().push((at, row));
            sequences_of.entry(hour).or_default().push(sequence);
            sequence += 1;
        }
    }
    let all: Vec<&RecordBatch> = batches.iter().collect();
    let mut partitions = BTreeMap::new();
    for ((hour, rows), sequences) in rows_of.into_iter().zip(sequences_of.into_values()) {
        let rows = match batches {
            [whole] if whole.num_rows() == rows.len() => whole.clone(),
            _ => interleave_record_batch(&all, &rows)?,
        };
        partitions.insert(hour, ChangeSet { rows, sequences });
    }
    Ok(partitions)
}
