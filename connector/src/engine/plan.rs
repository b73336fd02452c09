//! What a sync would do, without a write call and without a change of the state.

use jiff::Timestamp;

use super::apply::{BatchIdentity, Form};
use super::batch::{Batch, Cut};
use super::gather::read_within;
use super::sync::taken;
use super::tail::tail_of;
use super::{Connection, SyncError};
use crate::config::{History, OnReplaced, SourcePlace, SyncToggle};
use crate::profile::{BatchNames, Dataset, DatasetPartition, Mode};
use crate::report::{DatasetPlan, ObjectReport, Outcome, PlanReport, RetryReport};
use crate::source::{self, Chunk, Next, SourceError};
use crate::state::{IntentMode, SourceKind, SourceRecord, Start, State};

impl Connection {
    /// Plans the next sync: keys, row counts, bytes and merge modes. All that waits is merged as one batch, which
    /// gives the same objects as several batches would. With the sync toggle off, nothing is read or called.
    pub async fn plan(&self) -> Result<PlanReport, SyncError> {
        let mut datasets = Vec::new();
        if self.config.toggle == SyncToggle::Off {
            return Ok(PlanReport { writes: self.config.writes, outcome: Outcome::Disabled, datasets });
        }
        if self.config.sources.iter().any(|source| source.place == SourcePlace::Stdin) {
            return Err(SyncError::PlanOfStdin);
        }
        let mut retries = RetryReport::default();
        self.preflight(&mut retries).await?;
        let state = State::open_to_read(&self.config.state_dir, &self.destination())?;
        if let Some(state) = &state
            && state.paused_since()?.is_some()
        {
            return Ok(PlanReport { writes: self.config.writes, outcome: Outcome::Paused, datasets });
        }
        for dataset in self.selected() {
            datasets.push(self.plan_dataset(state.as_ref(), dataset, &mut retries).await?);
        }
        Ok(PlanReport { writes: self.config.writes, outcome: Outcome::Done, datasets })
    }

    async fn plan_dataset(
        &self,
        state: Option<&State>,
        dataset: &Dataset,
        retries: &mut RetryReport,
    ) -> Result<DatasetPlan, SyncError> {
        let start = match state {
            Some(state) => state.start_of(dataset.name())?.and_then(Start::instant),
            None => None,
        };
        // A dataset that was never synced would begin now.
        let begins_now = self.config.history == History::Forward
            && !state.is_some_and(|state| state.start_of(dataset.name()).is_ok_and(|start| start.is_some()));
        let start = if begins_now { Some(self.clock.now()) } else { start };
        let mut records = self.waiting_sources(state, dataset)?;
        // What tables have to give lies aside for as long as the plan is made.
        let aside = tempfile::tempdir().map_err(|source| SourceError::Spool {
            path: std::env::temp_dir().display().to_string(),
            source,
        })?;
        let sources = self.sources.iter().filter(|(of, _)| of == dataset.name());
        for (at, (_, source)) in sources.enumerate() {
            let directory = aside.path().join(at.to_string());
            let given = (source.as_ref(), taken(dataset));
            let Some(path) = source::pull_aside(state, &directory, dataset, given).await?? else { continue };
            let record = SourceRecord { kind: SourceKind::Spool, ..from_start(path.display().to_string()) };
            records.push((record, OnReplaced::Fail));
        }
        let mut plan = DatasetPlan {
            dataset: dataset.name().clone(),
            rows_read: 0,
            rows_written: 0,
            rows_deduplicated: 0,
            rows_dead_lettered: 0,
            rows_held: 0,
            pending_bytes: 0,
            objects: Vec::new(),
        };
        match dataset.mode() {
            Mode::Append => self.plan_new_objects(dataset, records, start, &mut plan)?,
            Mode::Replace => self.plan_merged(state, dataset, records, start, (&mut plan, retries)).await?,
            Mode::Snapshot => self.plan_snapshot(dataset, records, (&mut plan, retries)).await?,
            Mode::Period => self.plan_periods(state, dataset, records, start, (&mut plan, retries)).await?,
        }
        Ok(plan)
    }

    /// Each object that would be made.
    fn plan_new_objects(
        &self,
        dataset: &Dataset,
        mut records: Vec<(SourceRecord, OnReplaced)>,
        start: Option<Timestamp>,
        plan: &mut DatasetPlan,
    ) -> Result<(), SyncError> {
        let mut budget = self.budget(dataset);
        loop {
            let now = self.clock.now();
            let cut = Cut { start, ..Cut::at(now) };
            let gathered = self.gather(dataset, &cut, &mut budget, &mut |budget| {
                read_within(records.clone(), budget, &mut |record| Ok(from_start(record.path.clone())))
            })?;
            plan.pending_bytes = gathered.pending_bytes;
            let Some(batch) = gathered.batch else { return Ok(()) };
            plan.rows_read += batch.rows_read;
            plan.rows_dead_lettered += batch.dead_letters.len() as u64;
            let (name, digest) = (self.batch_name(dataset, &batch), batch.digest());
            let identity = BatchIdentity { id: 0, digest, writer: String::new(), sealed_at: now, name };
            for (slot, changes) in &batch.partitions {
                let unit = dataset.partitioning().unit;
                let partition = DatasetPartition::at(dataset.name().clone(), unit, *slot);
                let rows = changes.rows.num_rows() as u64;
                plan.rows_written += rows;
                plan.objects.push(ObjectReport {
                    key: self.key(dataset, &partition, self.batch_names(dataset, &identity, changes))?,
                    mode: IntentMode::Create,
                    object_rows: rows,
                    body_bytes: batch.bodies.get(slot).map_or(0, |body| body.len() as u64),
                    generation: 1,
                    rows_written: rows,
                    rows_deduplicated: 0,
                });
            }
            for range in batch.ranges {
                if let Some((record, _)) = records.iter_mut().find(|(record, _)| record.path == range.path) {
                    record.byte_offset = range.bytes.end;
                    record.lines = range.lines.end;
                    record.fingerprint = range.fingerprint;
                }
            }
        }
    }

    /// Each object that rows would be merged into, as one batch.
    async fn plan_merged(
        &self,
        state: Option<&State>,
        dataset: &Dataset,
        records: Vec<(SourceRecord, OnReplaced)>,
        start: Option<Timestamp>,
        (plan, retries): (&mut DatasetPlan, &mut RetryReport),
    ) -> Result<(), SyncError> {
        let chunks = self.all_waiting(records, plan)?;
        let batch = Batch::decode(dataset, chunks, &Cut { start, ..Cut::at(self.clock.now()) })?;
        plan.rows_read = batch.rows_read;
        plan.rows_dead_lettered = batch.dead_letters.len() as u64;
        for (slot, changes) in &batch.partitions {
            let unit = dataset.partitioning().unit;
            let partition = DatasetPartition::at(dataset.name().clone(), unit, *slot);
            let key = self.key(dataset, &partition, BatchNames::default())?;
            let form = self.form_of(state, dataset, &key, changes.rows.num_rows() as u64)?;
            let key = if form == Form::Tail { tail_of(&key)? } else { key };
            let room = self.room(None);
            let base = self.retrying(retries, || self.store.get_within(&key, &room)).await?;
            self.is_not_fenced(&key, base.as_ref().map(|(head, _)| head))?;
            let next = match form {
                Form::Whole => self.next_content(dataset, &key, base, (changes, &room))?,
                Form::Tail => self.next_tail(dataset, &key, base, changes)?,
            };
            plan.rows_written += next.written;
            plan.rows_deduplicated += next.deduplicated;
            plan.objects.push(ObjectReport {
                key,
                mode: next.mode,
                object_rows: next.object_rows,
                body_bytes: next.body.len(),
                generation: next.generation,
                rows_written: next.written,
                rows_deduplicated: next.deduplicated,
            });
        }
        Ok(())
    }

    /// All complete lines that wait.
    pub(super) fn all_waiting(
        &self,
        records: Vec<(SourceRecord, OnReplaced)>,
        plan: &mut DatasetPlan,
    ) -> Result<Vec<Chunk>, SyncError> {
        let mut chunks: Vec<Chunk> = Vec::new();
        for (mut record, on_replaced) in records {
            loop {
                let next = match source::read_next(&record, self.limits(self.config.batch_bytes)) {
                    Err(SourceError::Replaced { .. }) if on_replaced == OnReplaced::Restart => {
                        record = from_start(record.path);
                        continue;
                    }
                    next => next?,
                };
                match next {
                    Next::Nothing { pending_bytes: bytes } => {
                        plan.pending_bytes += bytes;
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
        Ok(chunks)
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
            for (path, on_replaced) in source::files(&source.place)? {
                let path = path.display().to_string();
                let known = match state {
                    Some(state) => state.known_source(dataset.name(), &path)?,
                    None => None,
                };
                records.push((known.unwrap_or_else(|| from_start(path)), on_replaced));
            }
        }
        Ok(records)
    }
}

fn from_start(path: String) -> SourceRecord {
    SourceRecord { id: 0, path, kind: SourceKind::File, byte_offset: 0, lines: 0, fingerprint: String::new() }
}
