//! What a sync would do, without a write call and without a change of the state.

use super::batch::Batch;
use super::{Connection, SyncError};
use crate::config::{History, OnReplaced, SourcePlace, SyncToggle};
use crate::profile::{Dataset, DatasetPartition};
use crate::report::{DatasetPlan, ObjectReport, Outcome, PlanReport, RetryReport};
use crate::source::{self, Chunk, Next, SourceError};
use crate::state::{SourceKind, SourceRecord, Start, State};

impl Connection {
    /// Plans the next sync: keys, row counts, bytes and merge modes. All that waits is merged as one batch, which
    /// gives the same objects as several batches would. With the sync toggle off, nothing is read or called.
    pub async fn plan(&self) -> Result<PlanReport, SyncError> {
        let mut datasets = Vec::new();
        if self.config.toggle == SyncToggle::Off {
            return Ok(PlanReport { outcome: Outcome::Disabled, datasets });
        }
        if self.config.sources.iter().any(|source| source.place == SourcePlace::Stdin) {
            return Err(SyncError::PlanOfStdin);
        }
        let mut retries = RetryReport::default();
        self.retrying(&mut retries, || self.store.list_probe(self.config.bucket.prefix.as_str())).await?;
        let state = State::open_to_read(&self.config.state_dir, &self.destination())?;
        if let Some(state) = &state
            && state.paused_since()?.is_some()
        {
            return Ok(PlanReport { outcome: Outcome::Paused, datasets });
        }
        for dataset in self.selected() {
            datasets.push(self.plan_dataset(state.as_ref(), dataset, &mut retries).await?);
        }
        Ok(PlanReport { outcome: Outcome::Done, datasets })
    }

    async fn plan_dataset(
        &self,
        state: Option<&State>,
        dataset: &Dataset,
        retries: &mut RetryReport,
    ) -> Result<DatasetPlan, SyncError> {
        let mut chunks: Vec<Chunk> = Vec::new();
        let mut pending_bytes = 0;
        for (mut record, on_replaced) in self.waiting_sources(state, dataset)? {
            loop {
                let next = match source::read_next(&record, self.config.batch_bytes) {
                    Err(SourceError::Replaced { .. }) if on_replaced == OnReplaced::Restart => {
                        record = from_start(record.path);
                        continue;
                    }
                    next => next?,
                };
                match next {
                    Next::Nothing { pending_bytes: bytes } => {
                        pending_bytes += bytes;
                        break;
                    }
                    Next::Lines(chunk) => {
                        record.byte_offset = chunk.range.bytes.end;
                        record.lines = chunk.range.lines.end;
                        record.fingerprint.clone_from(&chunk.range.fingerprint);
                        chunks.push(chunk);
                    }
                }
            }
        }
        let start = match state {
            Some(state) => state.start_of(dataset.name())?.and_then(Start::instant),
            None => None,
        };
        // A dataset that was never synced would begin now.
        let begins_now = self.config.history == History::Forward
            && !state.is_some_and(|state| state.start_of(dataset.name()).is_ok_and(|start| start.is_some()));
        let start = if begins_now { Some(self.clock.now()) } else { start };
        let batch = Batch::decode(dataset, chunks, start)?;
        let mut plan = DatasetPlan {
            dataset: dataset.name().clone(),
            rows_read: batch.rows_read,
            rows_written: 0,
            rows_deduplicated: 0,
            rows_dead_lettered: batch.dead_letters.len() as u64,
            pending_bytes,
            objects: Vec::new(),
        };
        for (hour, changes) in &batch.partitions {
            let partition = DatasetPartition::at_hour(dataset.name().clone(), *hour);
            let key = self.profile.layout().key(&self.config.bucket.prefix, &partition)?;
            let base = self.retrying(retries, || self.store.get(&key)).await?;
            let next = self.next_content(dataset, &key, base, changes)?;
            plan.rows_written += next.written;
            plan.rows_deduplicated += next.deduplicated;
            plan.objects.push(ObjectReport {
                key,
                mode: next.mode,
                object_rows: next.object_rows,
                body_bytes: next.body.len() as u64,
                generation: next.generation,
                rows_written: next.written,
                rows_deduplicated: next.deduplicated,
            });
        }
        Ok(plan)
    }

    fn waiting_sources(
        &self,
        state: Option<&State>,
        dataset: &Dataset,
    ) -> Result<Vec<(SourceRecord, OnReplaced)>, SyncError> {
        let mut records = Vec::new();
        if let Some(state) = state {
            records.extend(state.spools(dataset.name())?.into_iter().map(|spool| (spool, OnReplaced::Fail)));
        }
        for source in self.config.sources.iter().filter(|source| &source.dataset == dataset.name()) {
            let SourcePlace::File { path, on_replaced } = &source.place else { continue };
            let path = path.display().to_string();
            let known = match state {
                Some(state) => state.known_source(dataset.name(), &path)?,
                None => None,
            };
            records.push((known.unwrap_or_else(|| from_start(path)), *on_replaced));
        }
        Ok(records)
    }
}

fn from_start(path: String) -> SourceRecord {
    SourceRecord { id: 0, path, kind: SourceKind::File, byte_offset: 0, lines: 0, fingerprint: String::new() }
}
