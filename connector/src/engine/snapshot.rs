//! Objects that hold their whole source. A new state of the source replaces the object; what an earlier sync had begun
//! is of an older state and is given up.

use sha2::{Digest as _, Sha256};

use super::batch::Batch;
use super::sync::object_report;
use super::whole::Whole;
use super::{Connection, SyncError};
use crate::object_file::encode;
use crate::profile::{BatchNames, Dataset, DatasetPartition, PartitionUnit};
use crate::report::{DatasetReport, Outcome, RetryReport};
use crate::source::{self, Chunk, Next};
use crate::state::{FinishBatch, IntentMode, SealedBatch, SourceKind, SourceRecord, State};

/// All that the sources hold.
pub(super) struct Read {
    pub(super) chunks: Vec<Chunk>,
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
        if read.chunks.is_empty() {
            return Ok(Outcome::Done);
        }
        let partition = DatasetPartition::at(dataset.name().clone(), PartitionUnit::None, 0);
        let key = self.key(dataset, &partition, BatchNames::default())?;
        // Unchanged since it was written, and still there: nothing to do.
        let fact = format!("snapshot {}", dataset.name());
        let source_digest = digest_of(&read.chunks);
        if let Some(known) = state.fact(&fact)? {
            let head = self.retrying(retries, || self.store.head(&key)).await?;
            if head.is_some_and(|head| known == format!("{source_digest} {key} {}", head.etag)) {
                state.finish_spools(dataset.name())?;
                return Ok(Outcome::Done);
            }
        }
        let now = self.clock.now();
        let batch = Batch::decode(dataset, read.chunks, &super::batch::Cut::at(now))?;
        let dead_lettered = batch.dead_letters.len() as u64;
        let sealed = SealedBatch {
            dataset: dataset.name(),
            digest: source_digest.clone(),
            rows_read: batch.rows_read,
            dead_lettered,
            ranges: &batch.ranges,
            now,
        };
        let batch_id = state.seal_batch(&sealed)?;
        let dead_bytes = self.keep_dead_letters(state, dataset, &batch, report)?;
        let mut finish = FinishBatch {
            batch_id,
            dataset: dataset.name(),
            ranges: &batch.ranges,
            rows_read: batch.rows_read,
            written: 0,
            deduplicated: 0,
            dead_lettered,
            dead_bytes,
            period: None,
        };
        match batch.partitions.get(&0) {
            // A source of which no row is left is more likely broken than empty: the last state stays.
            None => {
                tracing::warn!(dataset = %dataset.name(), "the snapshot has no row; the object is left as it is");
                state.finish_batch(&finish, now)?;
            }
            Some(changes) => {
                let rows = changes.rows.num_rows() as u64;
                let body = encode(dataset, &self.encoding, std::slice::from_ref(&changes.rows))?;
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
        }
        report.batches += 1;
        report.rows_read += batch.rows_read;
        report.rows_dead_lettered += dead_lettered;
        Ok(Outcome::Done)
    }

    /// Reads sources from their start to their end. Of several spooled inputs only the last one counts.
    pub(super) fn read_whole(&self, records: Vec<SourceRecord>) -> Result<Read, SyncError> {
        let spool = records.iter().rposition(|record| record.kind == SourceKind::Spool);
        let mut read = Read { chunks: Vec::new(), pending_bytes: 0 };
        for (at, record) in records.into_iter().enumerate() {
            let superseded = record.kind == SourceKind::Spool && spool != Some(at);
            let mut record = SourceRecord { byte_offset: 0, lines: 0, fingerprint: String::new(), ..record };
            let before = read.chunks.len();
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
                        read.chunks.push(chunk);
                    }
                }
            }
            if superseded {
                // Read, so that it is finished with the batch, but no row of it counts.
                for chunk in read.chunks.iter_mut().skip(before) {
                    chunk.bytes.clear();
                    chunk.is_too_long = false;
                }
            }
        }
        Ok(read)
    }
}

fn digest_of(chunks: &[Chunk]) -> String {
    let mut digest = Sha256::new();
    for chunk in chunks {
        digest.update(chunk.range.digest.as_bytes());
    }
    hex::encode(digest.finalize())
}
