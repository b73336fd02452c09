//! One sync: preflight, then per dataset what was left open, then what is new.

use super::apply::BatchIdentity;
use super::batch::Batch;
use super::{Connection, SyncError};
use crate::config::{OnReplaced, SourcePlace, SyncToggle};
use crate::dead_letter;
use crate::profile::{Dataset, DatasetPartition};
use crate::report::{DatasetReport, ObjectReport, Outcome, RetryReport, SyncReport};
use crate::source::{self, Chunk, Next, SourceError};
use crate::state::{FinishBatch, IntentRecord, SealedBatch, SourceRecord, Start, State};
use crate::steps::Step;

impl Connection {
    /// Exports everything that waits in the sources. With the sync toggle off, nothing is read and nothing called.
    ///
    /// Datasets go one after the other in the profile's order; the first failure ends the sync. What was committed
    /// before stays, what was sealed is finished by the next sync.
    pub async fn sync(&self) -> Result<SyncReport, SyncError> {
        let started_at = self.clock.now().to_string();
        let mut retries = RetryReport::default();
        let mut datasets = Vec::new();
        if self.config.toggle == SyncToggle::Off {
            let finished_at = started_at.clone();
            return Ok(SyncReport { outcome: Outcome::Disabled, started_at, finished_at, datasets, retries });
        }
        let state =
            State::open(&self.config.state_dir, &self.destination(), &self.entropy, self.steps.clone())?;
        if state.paused_since()?.is_some() {
            let finished_at = started_at.clone();
            return Ok(SyncReport { outcome: Outcome::Paused, started_at, finished_at, datasets, retries });
        }
        let outcome = self.sync_datasets(&state, &mut datasets, &mut retries).await;
        if let Err(SyncError::Store { diagnosis, .. }) = &outcome {
            state.record_setup(self.clock.now(), Some(&diagnosis.message))?;
            state.record_setup_kind(diagnosis.kind.is_of_credentials())?;
        }
        // What is no refusal of the store stands beside the check of the set-up, which had passed.
        let failure = match &outcome {
            Ok(_) | Err(SyncError::Store { .. }) => String::new(),
            Err(error) => error.to_string(),
        };
        state.set_fact("failure", &failure)?;
        let outcome = outcome?;
        let finished_at = self.clock.now().to_string();
        Ok(SyncReport { outcome, started_at, finished_at, datasets, retries })
    }

    async fn sync_datasets(
        &self,
        state: &State,
        reports: &mut Vec<DatasetReport>,
        retries: &mut RetryReport,
    ) -> Result<Outcome, SyncError> {
        // Name, region, credentials and s3:ListBucket are proved before standard input is consumed.
        self.retrying(retries, || self.store.list_probe(self.config.bucket.prefix.as_str())).await?;
        state.record_setup(self.clock.now(), None)?;
        source::remove_finished(state)?;
        self.note_selection(state)?;
        self.spool_stdin(state)?;
        for dataset in self.selected() {
            let mut report = DatasetReport::new(dataset.name().clone());
            let outcome = self.sync_dataset(state, dataset, &mut report, retries).await?;
            reports.push(report);
            if outcome != Outcome::Done {
                return Ok(outcome);
            }
            let now = self.clock.now();
            state.record_success(dataset.name(), now)?;
            state.fill_gaps(dataset.name(), now)?;
        }
        source::remove_finished(state)?;
        Ok(Outcome::Done)
    }

    fn spool_stdin(&self, state: &State) -> Result<(), SyncError> {
        let Some(source) = self.config.sources.iter().find(|source| source.place == SourcePlace::Stdin)
        else {
            return Ok(());
        };
        let given = self.stdin.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let mut input = given.unwrap_or_else(|| Box::new(std::io::stdin()));
        source::spool(state, self.steps.as_ref(), &source.dataset, &mut *input)??;
        Ok(())
    }

    async fn sync_dataset(
        &self,
        state: &State,
        dataset: &Dataset,
        report: &mut DatasetReport,
        retries: &mut RetryReport,
    ) -> Result<Outcome, SyncError> {
        let start = state.start_of(dataset.name())?.and_then(Start::instant);
        if let Some(open) = state.open_batch(dataset.name())? {
            let chunks = open.ranges.iter().map(source::read_again).collect::<Result<Vec<Chunk>, _>>()?;
            let batch = Batch::decode(dataset, chunks, start)?;
            let identity = BatchIdentity { id: open.id, digest: open.digest, writer: state.writer()? };
            self.finish(state, dataset, &identity, &batch, report, retries).await?;
            report.batches_recovered += 1;
        }
        loop {
            // Between batches everything is committed: the place to stop.
            if self.stop.is_given() {
                return Ok(Outcome::Stopped);
            }
            if state.paused_since()?.is_some() {
                return Ok(Outcome::Paused);
            }
            let (chunks, pending_bytes) = self.read_new(state, dataset)?;
            report.pending_bytes = pending_bytes;
            if chunks.is_empty() {
                return Ok(Outcome::Done);
            }
            let batch = Batch::decode(dataset, chunks, start)?;
            let sealed = SealedBatch {
                dataset: dataset.name(),
                digest: batch.digest(),
                rows_read: batch.rows_read,
                dead_lettered: batch.dead_letters.len() as u64,
                ranges: &batch.ranges,
                now: self.clock.now(),
            };
            let id = state.seal_batch(&sealed)?;
            let identity = BatchIdentity { id, digest: sealed.digest, writer: state.writer()? };
            self.finish(state, dataset, &identity, &batch, report, retries).await?;
        }
    }

    /// New complete lines of the dataset's sources, within the byte budget of one batch, and the bytes of lines
    /// that are not complete.
    fn read_new(&self, state: &State, dataset: &Dataset) -> Result<(Vec<Chunk>, u64), SyncError> {
        let mut records: Vec<(SourceRecord, OnReplaced)> = Vec::new();
        for spool in state.spools(dataset.name())? {
            records.push((spool, OnReplaced::Fail));
        }
        for source in self.config.sources.iter().filter(|source| &source.dataset == dataset.name()) {
            if let SourcePlace::File { path, on_replaced } = &source.place {
                records.push((state.source(dataset.name(), &path.display().to_string())?, *on_replaced));
            }
        }
        let mut chunks: Vec<Chunk> = Vec::new();
        let (mut budget, mut pending) = (self.config.batch_bytes, 0);
        for (record, on_replaced) in records {
            if budget == 0 {
                break;
            }
            match read_or_restart(state, record, budget, on_replaced)? {
                Next::Lines(chunk) => {
                    budget = budget.saturating_sub(chunk.bytes.len() as u64);
                    chunks.push(chunk);
                }
                Next::Nothing { pending_bytes } => pending += pending_bytes,
            }
        }
        Ok((chunks, pending))
    }

    /// Brings a sealed batch to its end.
    async fn finish(
        &self,
        state: &State,
        dataset: &Dataset,
        identity: &BatchIdentity,
        batch: &Batch,
        report: &mut DatasetReport,
        retries: &mut RetryReport,
    ) -> Result<(), SyncError> {
        let dead_bytes = self.keep_dead_letters(state, dataset, batch, report)?;
        let done = state.done_intents(identity.id)?;
        let (mut written, mut deduplicated) = (0, 0);
        for intent in &done {
            written += intent.written;
            deduplicated += intent.deduplicated;
            report.objects.push(object_report(intent));
        }
        let finishing = |written, deduplicated| FinishBatch {
            batch_id: identity.id,
            dataset: dataset.name(),
            ranges: &batch.ranges,
            rows_read: batch.rows_read,
            written,
            deduplicated,
            dead_lettered: batch.dead_letters.len() as u64,
            dead_bytes,
        };
        let open: Vec<_> = batch
            .partitions
            .iter()
            .filter(|(hour, _)| !done.iter().any(|intent| intent.partition_hour == **hour))
            .collect();
        if open.is_empty() {
            state.finish_batch(&finishing(written, deduplicated), self.clock.now())?;
        }
        for (at, (hour, changes)) in open.iter().enumerate() {
            let partition = DatasetPartition::at_hour(dataset.name().clone(), **hour);
            let is_last = at + 1 == open.len();
            let finish = |intent: &IntentRecord| {
                is_last.then(|| finishing(written + intent.written, deduplicated + intent.deduplicated))
            };
            let intent = self.apply(state, dataset, identity, (&partition, changes), retries, finish).await?;
            written += intent.written;
            deduplicated += intent.deduplicated;
            report.objects.push(object_report(&intent));
        }
        report.batches += 1;
        report.rows_read += batch.rows_read;
        report.rows_before_start += batch.rows_before_start;
        report.rows_written += written;
        report.rows_deduplicated += deduplicated;
        report.rows_dead_lettered += batch.dead_letters.len() as u64;
        tracing::info!(dataset = %dataset.name(), rows = batch.rows_read, written, deduplicated, "batch done");
        Ok(())
    }

    /// Writes the batch's dead letters; returns the length that the file then has.
    fn keep_dead_letters(
        &self,
        state: &State,
        dataset: &Dataset,
        batch: &Batch,
        report: &mut DatasetReport,
    ) -> Result<u64, SyncError> {
        let path = dead_letter::dead_letter_path(state.directory(), dataset.name());
        self.steps.reached(Step::DeadLettersBegin);
        let bytes = dead_letter::append(&path, state.dead_bytes(dataset.name())?, &batch.dead_letters)
            .map_err(|source| SyncError::DeadLetters { path: path.display().to_string(), source })?;
        self.steps.reached(Step::DeadLettersWritten);
        if !batch.dead_letters.is_empty() {
            report.dead_letter_file = Some(path.display().to_string());
        }
        Ok(bytes)
    }
}

fn read_or_restart(
    state: &State,
    record: SourceRecord,
    budget: u64,
    on_replaced: OnReplaced,
) -> Result<Next, SyncError> {
    match (source::read_next(&record, budget), on_replaced) {
        (Err(SourceError::Replaced { path, .. }), OnReplaced::Restart) => {
            tracing::warn!(path, "the source was replaced, reading it from its start");
            state.restart_source(record.id)?;
            let fresh = SourceRecord { byte_offset: 0, lines: 0, fingerprint: String::new(), ..record };
            Ok(source::read_next(&fresh, budget)?)
        }
        (outcome, _) => Ok(outcome?),
    }
}

pub(super) fn object_report(intent: &IntentRecord) -> ObjectReport {
    ObjectReport {
        key: intent.key.clone(),
        mode: intent.mode,
        object_rows: intent.object_rows,
        body_bytes: intent.body_bytes,
        generation: intent.generation,
        rows_written: intent.written,
        rows_deduplicated: intent.deduplicated,
    }
}
