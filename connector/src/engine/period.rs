//! Objects of whole periods: rows are held until their period is over, then its object is written; rows that come late
//! change it for as many days as the profile says.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::apply::no_room;
use super::batch::Batch;
use super::pile::{Pile, by_time};
use super::sync::object_report;
use super::whole::Whole;
use super::{Connection, SyncError};
use crate::merge::MergeError;
use crate::parquet_file;
use crate::profile::{BatchNames, Cadence, Dataset, DatasetPartition, EmptyPeriod};
use crate::report::{DatasetReport, RetryReport};
use crate::state::{FinishBatch, HeldRows, SealedBatch, State, WrittenPeriod};

/// A period whose object is to be written.
#[derive(Clone, Copy, Debug)]
struct Due {
    slot: i64,
    through: i64,
    new_rows: u64,
}

impl Connection {
    /// How long after its end a period's object is written.
    fn delay(&self) -> SignedDuration {
        match self.profile.cadence() {
            Cadence::Daily { at } => at.duration_since(jiff::civil::Time::midnight()),
            _ => SignedDuration::ZERO,
        }
    }

    /// The first period that is not over, or whose object is not to be written yet.
    pub(super) fn first_open(&self, dataset: &Dataset, now: Timestamp) -> i64 {
        let instant = now.saturating_sub(self.delay()).unwrap_or(now);
        dataset.partitioning().unit.slot_of(instant)
    }

    /// The first period that rows can still change.
    fn first_changeable(&self, dataset: &Dataset, now: Timestamp) -> i64 {
        let late = SignedDuration::from_hours(24 * i64::from(self.profile.period_rules().late_days));
        self.first_open(dataset, now.saturating_sub(late).unwrap_or(now))
    }

    /// The periods that no row can change any more, each with its name.
    pub(super) fn final_periods(
        &self,
        state: &State,
        dataset: &Dataset,
        now: Timestamp,
    ) -> Result<BTreeMap<i64, String>, SyncError> {
        let unit = dataset.partitioning().unit;
        let slots = state.written_before(dataset.name(), self.first_changeable(dataset, now))?;
        let name = |slot| unit.start_of(slot).map(|start| start.to_string()).unwrap_or_default();
        Ok(slots.into_iter().map(|slot| (slot, name(slot))).collect())
    }

    /// The rows of a batch as they are held.
    pub(super) fn held(&self, dataset: &Dataset, batch: &Batch) -> Result<Vec<HeldRows>, SyncError> {
        let mut held = Vec::with_capacity(batch.partitions.len());
        for (slot, changes) in &batch.partitions {
            let rows = changes.rows.num_rows() as u64;
            let rows_by_time = by_time(dataset, &changes.rows).map_err(MergeError::from)?;
            let body = parquet_file::encode(dataset, &self.encoding, std::slice::from_ref(&rows_by_time))
                .map_err(crate::object_file::EncodeError::from)?;
            held.push(HeldRows { slot: *slot, rows, body });
        }
        Ok(held)
    }

    /// Writes the objects of periods that are over.
    pub(super) async fn write_periods(
        &self,
        state: &State,
        dataset: &Dataset,
        report: &mut DatasetReport,
        retries: &mut RetryReport,
    ) -> Result<(), SyncError> {
        let now = self.clock.now();
        if state.fact(&periods_from(dataset))?.is_none() {
            let before = self.first_open(dataset, now).saturating_sub(1);
            state.set_fact(&periods_from(dataset), &before.to_string())?;
        }
        for due in self.due(state, dataset, now)? {
            let unit = dataset.partitioning().unit;
            let partition = DatasetPartition::at(dataset.name().clone(), unit, due.slot);
            let key = self.key(dataset, &partition, BatchNames::default())?;
            let room = self.room(Some(state));
            let mut pile = Pile::new(dataset, &room);
            pile_held(state, dataset, due.slot, &mut pile)?;
            let (body, object_rows) = pile.encode(&self.encoding)?;
            drop(pile);
            let sealed = SealedBatch {
                dataset: dataset.name(),
                digest: body.digest().map_err(|error| no_room(&error))?,
                rows_read: 0,
                dead_lettered: 0,
                ranges: &[],
                now,
            };
            let batch_id = state.seal_batch(&sealed)?;
            let whole = Whole { slot: due.slot, key, body, object_rows, new_rows: due.new_rows };
            let (intent, etag) = self.put_whole(state, dataset, batch_id, whole, retries).await?;
            let period = WrittenPeriod {
                slot: due.slot,
                through: due.through,
                object_rows,
                final_before: self.first_changeable(dataset, now),
            };
            let finish = FinishBatch {
                batch_id,
                dataset: dataset.name(),
                ranges: &[],
                rows_read: 0,
                written: intent.written,
                deduplicated: 0,
                dead_lettered: 0,
                dead_bytes: state.dead_bytes(dataset.name())?,
                period: Some(period),
            };
            state.commit_intent(&intent, Some(&etag), now, Some(&finish))?;
            report.rows_written += intent.written;
            report.objects.push(object_report(&intent));
        }
        Ok(())
    }

    /// Periods that are over and have no object, where each one gets one: from the one before the first run on.
    pub(super) fn empty_periods(
        &self,
        state: Option<&State>,
        dataset: &Dataset,
        first_open: i64,
    ) -> Result<Vec<i64>, SyncError> {
        if self.profile.period_rules().empty == EmptyPeriod::Skip {
            return Ok(Vec::new());
        }
        let before = first_open.saturating_sub(1);
        let Some(state) = state else { return Ok(vec![before]) };
        let known = state.fact(&periods_from(dataset))?.and_then(|slot| slot.parse::<i64>().ok());
        let mut empty = Vec::new();
        for slot in known.unwrap_or(before)..first_open {
            if !state.is_written(dataset.name(), slot)? {
                empty.push(slot);
            }
        }
        Ok(empty)
    }

    fn due(&self, state: &State, dataset: &Dataset, now: Timestamp) -> Result<Vec<Due>, SyncError> {
        let first_open = self.first_open(dataset, now);
        let mut due: Vec<Due> = state
            .unwritten_periods(dataset.name())?
            .into_iter()
            .filter(|period| period.slot < first_open)
            .map(|period| Due { slot: period.slot, through: period.through, new_rows: period.new_rows })
            .collect();
        let empty = self.empty_periods(Some(state), dataset, first_open)?;
        let held: BTreeSet<i64> = due.iter().map(|due| due.slot).collect();
        let empty = empty.into_iter().filter(|slot| !held.contains(slot));
        due.extend(empty.map(|slot| Due { slot, through: 0, new_rows: 0 }));
        due.sort_unstable_by_key(|due| due.slot);
        Ok(due)
    }
}

/// What is held of a period, as rows.
pub(super) fn pile_held(
    state: &State,
    dataset: &Dataset,
    slot: i64,
    pile: &mut Pile<'_>,
) -> Result<(), SyncError> {
    Ok(state.each_held(dataset.name(), slot, |body| pile.add_body(body))??)
}

/// The fact that says from which period on each one gets an object.
fn periods_from(dataset: &Dataset) -> String {
    format!("periods_from {}", dataset.name())
}
