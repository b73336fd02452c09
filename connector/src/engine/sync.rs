//! One sync: preflight, then per dataset what was left open, then what is new.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::append::NewObject;
use super::apply::{BatchIdentity, clear_room};
use super::batch::{Batch, Cut};
use super::gather::read_within;
use super::{Connection, SyncError};
use crate::config::{SourcePlace, SyncToggle};
use crate::dead_letter::{self, DeadLetter};
use crate::profile::{Dataset, DatasetPartition, Mode};
use crate::report::{DatasetReport, ObjectReport, Outcome, RetryReport, SyncReport};
use crate::source::{self, Chunk, Taken};
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
            return Ok(self.report(Outcome::Disabled, started_at, finished_at, (datasets, retries)));
        }
        let state =
            State::open(&self.config.state_dir, &self.destination(), &self.entropy, self.steps.clone())?;
        if state.paused_since()?.is_some() {
            let finished_at = started_at.clone();
            return Ok(self.report(Outcome::Paused, started_at, finished_at, (datasets, retries)));
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
        Ok(self.report(outcome, started_at, finished_at, (datasets, retries)))
    }

    fn report(
        &self,
        outcome: Outcome,
        started_at: String,
        finished_at: String,
        (datasets, retries): (Vec<DatasetReport>, RetryReport),
    ) -> SyncReport {
        SyncReport { outcome, writes: self.config.writes, started_at, finished_at, datasets, retries }
    }

    async fn sync_datasets(
        &self,
        state: &State,
        reports: &mut Vec<DatasetReport>,
        retries: &mut RetryReport,
    ) -> Result<Outcome, SyncError> {
        self.may_write(state)?;
        // Name, region, credentials and s3:ListBucket are proved before standard input is consumed.
        if self.preflight(retries).await? {
            state.record_setup(self.clock.now(), None)?;
        }
        source::remove_finished(state)?;
        clear_room(state);
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
            // Where nothing may be listed, the first object is the proof.
            if reports.last().is_some_and(|report| !report.objects.is_empty()) {
                state.record_setup(now, None)?;
            }
            state.fill_gaps(dataset.name(), now)?;
        }
        source::remove_finished(state)?;
        Ok(Outcome::Done)
    }

    /// Lists, if the vendor's policy lets it; `false` if it does not, and nothing is proved.
    pub(super) async fn preflight(&self, retries: &mut RetryReport) -> Result<bool, SyncError> {
        if !crate::doctor::documents(&self.profile, "s3:ListBucket") {
            return Ok(false);
        }
        self.retrying(retries, || self.store.list_probe(self.config.bucket.prefix.as_str())).await?;
        Ok(true)
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
        match dataset.mode() {
            Mode::Snapshot => {
                self.pull_sources(state, dataset).await?;
                return self.sync_snapshot(state, dataset, report, retries).await;
            }
            Mode::Period => self.pull_sources(state, dataset).await?,
            Mode::Replace | Mode::Append => {
                self.pull_sources(state, dataset).await?;
                let outcome = self.sync_batches(state, dataset, report, retries).await?;
                if outcome == Outcome::Done && dataset.mode() == Mode::Replace {
                    self.merge_quiet_tails(state, dataset, report, retries).await?;
                }
                return Ok(outcome);
            }
        }
        report.rows_held_before = state.rows_waiting(dataset.name())?;
        let outcome = self.sync_batches(state, dataset, report, retries).await?;
        if outcome == Outcome::Done {
            self.write_periods(state, dataset, report, retries).await?;
        }
        report.rows_held = state.rows_waiting(dataset.name())?;
        Ok(outcome)
    }

    /// Asks the dataset's tables for what is new in them.
    async fn pull_sources(&self, state: &State, dataset: &Dataset) -> Result<(), SyncError> {
        for (_, source) in self.sources.iter().filter(|(of, _)| of == dataset.name()) {
            let rows = source::pull(state, self.steps.as_ref(), dataset, (source.as_ref(), taken(dataset)))
                .await??;
            tracing::info!(source = source.name(), rows, "asked for new rows");
        }
        Ok(())
    }

    /// Batch after batch, until nothing waits.
    async fn sync_batches(
        &self,
        state: &State,
        dataset: &Dataset,
        report: &mut DatasetReport,
        retries: &mut RetryReport,
    ) -> Result<Outcome, SyncError> {
        let start = state.start_of(dataset.name())?.and_then(Start::instant);
        // A period's object or a tail that was being written: it is found again by what is held.
        state.abandon_batches_without_ranges(dataset.name())?;
        if let Some(open) = state.open_batch(dataset.name())? {
            let chunks = open.ranges.iter().map(|range| source::read_again(range, self.config.line_bytes()));
            let chunks = chunks.collect::<Result<Vec<Chunk>, _>>()?;
            let cut = self.cut(state, dataset, (start, open.sealed_at))?;
            let batch = Batch::decode(dataset, chunks, &cut)?;
            let identity = self.identity(state, dataset, open.id, &batch, open.sealed_at)?;
            self.finish(state, dataset, &identity, &batch, report, retries).await?;
            report.batches_recovered += 1;
        }
        let mut budget = self.budget(dataset);
        loop {
            // Between batches everything is committed: the place to stop.
            if self.stop.is_given() {
                return Ok(Outcome::Stopped);
            }
            if state.paused_since()?.is_some() {
                return Ok(Outcome::Paused);
            }
            let now = self.clock.now();
            let cut = self.cut(state, dataset, (start, now))?;
            let gathered = self.gather(dataset, &cut, &mut budget, &mut |budget| {
                let records = self.source_records(state, dataset)?;
                read_within(records, budget, &mut |record| {
                    state.restart_source(record.id)?;
                    Ok(SourceRecord {
                        byte_offset: 0,
                        lines: 0,
                        fingerprint: String::new(),
                        ..record.clone()
                    })
                })
            })?;
            report.pending_bytes = gathered.pending_bytes;
            let Some(batch) = gathered.batch else { return Ok(Outcome::Done) };
            let sealed = SealedBatch {
                dataset: dataset.name(),
                digest: batch.digest(),
                rows_read: batch.rows_read,
                dead_lettered: batch.dead_letters.len() as u64,
                ranges: &batch.ranges,
                now,
            };
            let id = state.seal_batch(&sealed)?;
            let identity = self.identity(state, dataset, id, &batch, now)?;
            self.finish(state, dataset, &identity, &batch, report, retries).await?;
        }
    }

    fn identity(
        &self,
        state: &State,
        dataset: &Dataset,
        id: i64,
        batch: &Batch,
        sealed_at: Timestamp,
    ) -> Result<BatchIdentity, SyncError> {
        let name = self.batch_name(dataset, batch);
        Ok(BatchIdentity { id, digest: batch.digest(), writer: state.writer()?, sealed_at, name })
    }

    /// What a batch holds and where it came from, in full.
    pub(super) fn batch_name(&self, dataset: &Dataset, batch: &Batch) -> String {
        let (destination, worker) = (self.destination(), &self.config.worker_id);
        let mut name = format!("{destination} {worker} {} {}", dataset.name(), batch.digest());
        for range in &batch.ranges {
            // Writing to a String cannot fail.
            let _infallible = write!(name, " {}:{}-{}", range.path, range.bytes.start, range.bytes.end);
        }
        if let Some(choice) = self.config.rows.iter().find(|rows| rows.dataset == *dataset.name()) {
            // Other rows of the same lines are another object.
            let _infallible = write!(name, " {}", serde_json::to_string(choice).unwrap_or_default());
        }
        name
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
        let dead_bytes = self.keep_dead_letters(state, dataset, &batch.dead_letters, report)?;
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
            period: None,
        };
        if dataset.mode() == Mode::Period {
            state.hold(&self.held(dataset, batch)?, &finishing(0, 0), self.clock.now())?;
            count(dataset, batch, report, (0, 0));
            return Ok(());
        }
        let open: Vec<_> = batch
            .partitions
            .iter()
            .filter(|(slot, _)| !done.iter().any(|intent| intent.slot == **slot))
            .collect();
        if open.is_empty() {
            state.finish_batch(&finishing(written, deduplicated), self.clock.now())?;
        }
        for (at, (slot, changes)) in open.iter().enumerate() {
            let unit = dataset.partitioning().unit;
            let partition = DatasetPartition::at(dataset.name().clone(), unit, **slot);
            let is_last = at + 1 == open.len();
            let finish = |intent: &IntentRecord| {
                is_last.then(|| finishing(written + intent.written, deduplicated + intent.deduplicated))
            };
            let intent = match dataset.mode() {
                Mode::Append => {
                    let object = NewObject { partition: &partition, changes, body: batch.bodies.get(*slot) };
                    self.append(state, dataset, identity, object, retries, finish).await?
                }
                _ => {
                    self.merge_into(state, dataset, identity, (&partition, changes), retries, finish).await?
                }
            };
            written += intent.written;
            deduplicated += intent.deduplicated;
            report.objects.push(object_report(&intent));
        }
        count(dataset, batch, report, (written, deduplicated));
        Ok(())
    }

    /// Which rows count in a batch that is sealed at `sealed_at`.
    fn cut(
        &self,
        state: &State,
        dataset: &Dataset,
        (start, sealed_at): (Option<Timestamp>, Timestamp),
    ) -> Result<Cut, SyncError> {
        let finals = match dataset.mode() {
            Mode::Period => self.final_periods(state, dataset, sealed_at)?,
            _ => std::collections::BTreeMap::new(),
        };
        Ok(Cut { start, sealed_at, finals })
    }

    /// Writes the batch's dead letters; returns the length that the file then has.
    pub(super) fn keep_dead_letters(
        &self,
        state: &State,
        dataset: &Dataset,
        letters: &[DeadLetter],
        report: &mut DatasetReport,
    ) -> Result<u64, SyncError> {
        let path = dead_letter::dead_letter_path(state.directory(), dataset.name());
        self.steps.reached(Step::DeadLettersBegin);
        let kept = (state.dead_bytes(dataset.name())?, source::spool_directory(state.directory()));
        let bytes = dead_letter::append(&path, kept, letters)
            .map_err(|source| SyncError::DeadLetters { path: path.display().to_string(), source })?;
        self.steps.reached(Step::DeadLettersWritten);
        if !letters.is_empty() {
            report.dead_letter_file = Some(path.display().to_string());
        }
        Ok(bytes)
    }
}

/// A snapshot is made of all rows that a table holds, everything else of those that are new.
pub(super) fn taken(dataset: &Dataset) -> Taken {
    if dataset.mode() == Mode::Snapshot { Taken::Whole } else { Taken::New }
}

fn count(dataset: &Dataset, batch: &Batch, report: &mut DatasetReport, (written, deduplicated): (u64, u64)) {
    report.batches += 1;
    report.rows_read += batch.rows_read;
    report.rows_before_start += batch.rows_before_start;
    report.rows_left_out += batch.rows_left_out;
    report.rows_written += written;
    report.rows_deduplicated += deduplicated;
    report.rows_dead_lettered += batch.dead_letters.len() as u64;
    tracing::info!(dataset = %dataset.name(), rows = batch.rows_read, written, deduplicated, "batch done");
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
