//! Objects that hold their whole source. A new state of the source replaces the object; what an earlier sync had begun
//! is of an older state and is given up.

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::batch::{Batch, Cut};
use super::sync::object_report;
use super::whole::Whole;
use super::{Connection, SyncError};
use crate::content::{Content, Room};
use crate::dead_letter::DeadLetter;
use crate::object_file::encode_within;
use crate::profile::{BatchNames, Dataset, DatasetPartition, PartitionUnit};
use crate::report::{DatasetReport, Outcome, RetryReport};
use crate::source::{self, Chunk, Next, SourceError};
use crate::state::{BatchRange, FinishBatch, IntentMode, SealedBatch, SourceKind, SourceRecord, State};

/// A part of what the sources hold.
pub(super) struct Part {
    range: BatchRange,
    /// Its bytes, where they are few enough to stay in memory until they are decoded.
    held: Option<Vec<u8>>,
    is_too_long: bool,
}

/// An object that was made of sources.
pub(super) struct Made {
    pub(super) body: Content,
    pub(super) rows: u64,
    pub(super) rows_read: u64,
    pub(super) dead_letters: Vec<DeadLetter>,
}

/// All that the sources hold.
pub(super) struct Read {
    pub(super) parts: Vec<Part>,
    /// Bytes of last lines that are not complete: somebody is still writing.
    pub(super) pending_bytes: u64,
}

impl Connection {
    pub(super) async fn sync_snapshot(
        &self,
        state: &State,
        dataset: &Dataset,
        report: &mut DatasetReport,
        retries: &mut RetryReport,
    ) -> Result<Outcome, SyncError> {
        if let Some(open) = state.open_batch(dataset.name())? {
            state.abandon_batch(open.id)?;
        }
        let records = self.source_records(state, dataset)?.into_iter().map(|(record, _)| record).collect();
        let read = self.read_whole(records)?;
        report.pending_bytes = read.pending_bytes;
        if read.pending_bytes > 0 {
            tracing::warn!(dataset = %dataset.name(), "a source of the snapshot is being written; waiting for its end");
            return Ok(Outcome::Done);
        }
        if read.parts.is_empty() {
            return Ok(Outcome::Done);
        }
        let partition = DatasetPartition::at(dataset.name().clone(), PartitionUnit::None, 0);
        let key = self.key(dataset, &partition, BatchNames::default())?;
        // Unchanged since it was written, and still there: nothing to do.
        let fact = format!("snapshot {}", dataset.name());
        let source_digest = digest_of(&read.parts);
        if let Some(known) = state.fact(&fact)? {
            let head = self.retrying(retries, || self.store.head(&key)).await?;
            if head.is_some_and(|head| known == format!("{source_digest} {key} {}", head.etag)) {
                state.finish_spools(dataset.name())?;
                return Ok(Outcome::Done);
            }
        }
        let now = self.clock.now();
        let ranges: Vec<BatchRange> = read.parts.iter().map(|part| part.range.clone()).collect();
        let made = match self.made_of(dataset, read.parts, &self.room(Some(state)), now) {
            Err(SyncError::Source(SourceError::SealedRangeChanged { path, .. })) => {
                tracing::warn!(
                    path,
                    "the source of the snapshot changed while it was read; waiting for its end"
                );
                report.pending_bytes = ranges.iter().map(|range| range.bytes.end - range.bytes.start).sum();
                return Ok(Outcome::Done);
            }
            made => made?,
        };
        let Made { body, rows, rows_read, dead_letters } = made;
        let dead_lettered = dead_letters.len() as u64;
        let sealed = SealedBatch {
            dataset: dataset.name(),
            digest: source_digest.clone(),
            rows_read,
            dead_lettered,
            ranges: &ranges,
            now,
        };
        let batch_id = state.seal_batch(&sealed)?;
        let dead_bytes = self.keep_dead_letters(state, dataset, &dead_letters, report)?;
        let mut finish = FinishBatch {
            batch_id,
            dataset: dataset.name(),
            ranges: &ranges,
            rows_read,
            written: 0,
            deduplicated: 0,
            dead_lettered,
            dead_bytes,
            period: None,
        };
        if rows == 0 {
            // A source of which no row is left is more likely broken than empty: the last state stays.
            tracing::warn!(dataset = %dataset.name(), "the snapshot has no row; the object is left as it is");
            state.finish_batch(&finish, now)?;
        } else {
            let whole = Whole { slot: 0, key: key.clone(), body, object_rows: rows, new_rows: rows };
            let (mut intent, etag) = self.put_whole(state, dataset, batch_id, whole, retries).await?;
            if intent.mode == IntentMode::Unchanged {
                (intent.written, intent.deduplicated) = (0, rows);
            }
            (finish.written, finish.deduplicated) = (intent.written, intent.deduplicated);
            state.commit_intent(&intent, Some(&etag), now, Some(&finish))?;
            state.set_fact(&fact, &format!("{source_digest} {key} {etag}"))?;
            report.rows_written += intent.written;
            report.rows_deduplicated += intent.deduplicated;
            report.objects.push(object_report(&intent));
        }
        report.batches += 1;
        report.rows_read += rows_read;
        report.rows_dead_lettered += dead_lettered;
        Ok(Outcome::Done)
    }

    /// The object that holds all rows, encoded as they are read.
    pub(super) fn made_of(
        &self,
        dataset: &Dataset,
        parts: Vec<Part>,
        room: &Room,
        now: Timestamp,
    ) -> Result<Made, SyncError> {
        let (mut rows, mut rows_read, mut dead_letters, mut failed) = (0, 0, Vec::new(), None);
        let line_bytes = self.config.line_bytes();
        let mut next = |part: Part| -> Result<Option<RecordBatch>, SyncError> {
            let chunk = match part.held {
                Some(bytes) => Chunk { range: part.range, bytes, is_too_long: part.is_too_long },
                None => source::read_again(&part.range, line_bytes)?,
            };
            let batch = Batch::decode(dataset, vec![chunk], &Cut::at(now))?;
            rows_read += batch.rows_read;
            dead_letters.extend(batch.dead_letters);
            let changes = batch.partitions.into_values().next();
            rows += changes.as_ref().map_or(0, |changes| changes.rows.num_rows() as u64);
            Ok(changes.map(|changes| changes.rows))
        };
        let batches = parts.into_iter().filter_map(|part| match next(part) {
            Ok(batch) => batch.map(Ok),
            Err(error) => {
                failed = Some(error);
                Some(Err(ArrowError::ExternalError("a source cannot be read".into())))
            }
        });
        let body = encode_within(room, dataset, &self.encoding, batches);
        if let Some(error) = failed {
            return Err(error);
        }
        Ok(Made { body: body?, rows, rows_read, dead_letters })
    }

    /// Reads sources from their start to their end. Of several spooled inputs only the last one counts.
    pub(super) fn read_whole(&self, records: Vec<SourceRecord>) -> Result<Read, SyncError> {
        let spool = records.iter().rposition(|record| record.kind == SourceKind::Spool);
        let mut read = Read { parts: Vec::new(), pending_bytes: 0 };
        let mut held: u64 = 0;
        for (at, record) in records.into_iter().enumerate() {
            let superseded = record.kind == SourceKind::Spool && spool != Some(at);
            let mut record = SourceRecord { byte_offset: 0, lines: 0, fingerprint: String::new(), ..record };
            let before = read.parts.len();
            loop {
                match source::read_next(&record, self.limits(self.config.batch_bytes))? {
                    Next::Nothing { pending_bytes } => {
                        read.pending_bytes += pending_bytes;
                        break;
                    }
                    Next::Lines(chunk) => {
                        record.byte_offset = chunk.range.bytes.end;
                        record.lines = chunk.range.lines.end;
                        record.fingerprint.clone_from(&chunk.range.fingerprint);
                        held += chunk.bytes.len() as u64;
                        let Chunk { range, bytes, is_too_long } = chunk;
                        let bytes = Some(bytes).filter(|_| held <= self.config.batch_bytes);
                        read.parts.push(Part { range, held: bytes, is_too_long });
                    }
                }
            }
            if superseded {
                // Read, so that it is finished with the batch, but no row of it counts.
                for part in read.parts.iter_mut().skip(before) {
                    (part.held, part.is_too_long) = (Some(Vec::new()), false);
                }
            }
        }
        Ok(read)
    }
}

fn digest_of(parts: &[Part]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.range.digest.as_bytes());
    }
    hex::encode(digest.finalize())
}
