//! Plans of objects whose content is known whole: snapshots and periods.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::batch::{Batch, Cut};
use super::period::pile_held;
use super::pile::Pile;
use super::{Connection, SyncError};
use crate::config::OnReplaced;
use crate::names::ObjectKey;
use crate::profile::{BatchNames, Dataset, DatasetPartition, PartitionUnit};
use crate::report::{DatasetPlan, ObjectReport, RetryReport};
use crate::state::{IntentMode, SourceRecord, State};

impl Connection {
    /// The object that would hold the sources whole.
    pub(super) async fn plan_snapshot(
        &self,
        dataset: &Dataset,
        records: Vec<(SourceRecord, OnReplaced)>,
        (plan, retries): (&mut DatasetPlan, &mut RetryReport),
    ) -> Result<(), SyncError> {
        let read = self.read_whole(records.into_iter().map(|(record, _)| record).collect())?;
        plan.pending_bytes = read.pending_bytes;
        if read.pending_bytes > 0 {
            return Ok(());
        }
        let made = self.made_of(dataset, read.parts, &self.room(None), self.clock.now())?;
        plan.rows_read = made.rows_read;
        plan.rows_dead_lettered = made.dead_letters.len() as u64;
        let (body, rows) = (made.body, made.rows);
        if rows == 0 {
            return Ok(());
        }
        let partition = DatasetPartition::at(dataset.name().clone(), PartitionUnit::None, 0);
        let key = self.key(dataset, &partition, BatchNames::default())?;
        plan.rows_written = rows;
        let object = self.planned(key, (body.len(), rows, rows), retries).await?;
        plan.objects.push(object);
        Ok(())
    }

    /// The objects of periods that are over, with what waits for them.
    pub(super) async fn plan_periods(
        &self,
        state: Option<&State>,
        dataset: &Dataset,
        records: Vec<(SourceRecord, OnReplaced)>,
        start: Option<Timestamp>,
        (plan, retries): (&mut DatasetPlan, &mut RetryReport),
    ) -> Result<(), SyncError> {
        let now = self.clock.now();
        let finals = match state {
            Some(state) => self.final_periods(state, dataset, now)?,
            None => BTreeMap::new(),
        };
        let chunks = self.all_waiting(records, plan)?;
        let batch = Batch::decode(dataset, chunks, &Cut { start, sealed_at: now, finals })?;
        plan.rows_read = batch.rows_read;
        plan.rows_dead_lettered = batch.dead_letters.len() as u64;
        let mut new_rows: BTreeMap<i64, u64> = BTreeMap::new();
        if let Some(state) = state {
            for period in state.unwritten_periods(dataset.name())? {
                new_rows.insert(period.slot, period.new_rows);
            }
        }
        for (slot, changes) in &batch.partitions {
            *new_rows.entry(*slot).or_default() += changes.rows.num_rows() as u64;
        }
        let first_open = self.first_open(dataset, now);
        for slot in self.empty_periods(state, dataset, first_open)? {
            new_rows.entry(slot).or_default();
        }
        for (slot, rows) in new_rows {
            if slot >= first_open {
                plan.rows_held += rows;
                continue;
            }
            let unit = dataset.partitioning().unit;
            let partition = DatasetPartition::at(dataset.name().clone(), unit, slot);
            let key = self.key(dataset, &partition, BatchNames::default())?;
            let room = self.room(None);
            let mut pile = Pile::new(dataset, &room);
            if let Some(state) = state {
                pile_held(state, dataset, slot, &mut pile)?;
            }
            if let Some(changes) = batch.partitions.get(&slot) {
                pile.add(&self.encoding, &changes.rows)?;
            }
            let (body, object_rows) = pile.encode(&self.encoding)?;
            plan.rows_written += rows;
            let object = self.planned(key, (body.len(), object_rows, rows), retries).await?;
            plan.objects.push(object);
        }
        Ok(())
    }

    async fn planned(
        &self,
        key: ObjectKey,
        (body_bytes, object_rows, rows_written): (u64, u64, u64),
        retries: &mut RetryReport,
    ) -> Result<ObjectReport, SyncError> {
        let head = self.retrying(retries, || self.store.head(&key)).await?;
        Ok(ObjectReport {
            key,
            mode: if head.is_some() { IntentMode::Replace } else { IntentMode::Create },
            object_rows,
            body_bytes,
            generation: head.map_or(0, |head| head.generation).saturating_add(1),
            rows_written,
            rows_deduplicated: 0,
        })
    }
}
