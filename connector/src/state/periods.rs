//! Rows that wait for the end of their period, and the periods that were written.

use bytes::Bytes;
use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::batches::{FinishBatch, finish_batch};
use super::{State, StateError, signed, unsigned};
use crate::names::DatasetName;
use crate::steps::Step;

/// Rows of one period, as one batch brought them.
#[derive(Clone, Debug)]
pub(crate) struct HeldRows {
    pub(crate) slot: i64,
    pub(crate) rows: u64,
    pub(crate) body: Bytes,
}

/// A period with held rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeldPeriod {
    pub(crate) slot: i64,
    /// The last of its held rows.
    pub(crate) through: i64,
    /// Rows that are not in the period's object yet.
    pub(crate) new_rows: u64,
}

/// What committing a period's object records beside the object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WrittenPeriod {
    pub(crate) slot: i64,
    pub(crate) through: i64,
    pub(crate) object_rows: u64,
    /// Periods before this one that are final: their rows are held no longer.
    pub(crate) final_before: i64,
}

impl State {
    /// Finishes a batch by holding its rows: checkpoints advance, counts enter the totals.
    pub(crate) fn hold(
        &self,
        held: &[HeldRows],
        finish: &FinishBatch<'_>,
        now: Timestamp,
    ) -> Result<(), StateError> {
        self.transact((Step::CommitBegin, Step::Committed), |transaction| {
            for rows in held {
                transaction.execute(
                    "INSERT INTO held (dataset, slot, rows, body) VALUES (?1, ?2, ?3, ?4)",
                    params![finish.dataset.as_str(), rows.slot, signed(rows.rows), &rows.body[..]],
                )?;
            }
            finish_batch(transaction, finish, now)
        })
    }

    /// Gives `take` the held rows of a period, in the order in which they came.
    pub(crate) fn each_held<E>(
        &self,
        dataset: &DatasetName,
        slot: i64,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Result<(), E>, StateError> {
        let database = self.lock();
        let mut statement =
            database.prepare("SELECT body FROM held WHERE dataset = ?1 AND slot = ?2 ORDER BY id")?;
        let bodies = statement.query_map(params![dataset.as_str(), slot], |row| row.get::<_, Vec<u8>>(0))?;
        for body in bodies {
            if let Err(error) = take(&body?) {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }

    /// The periods that hold rows their objects lack, or that have no object.
    pub(crate) fn unwritten_periods(&self, dataset: &DatasetName) -> Result<Vec<HeldPeriod>, StateError> {
        let database = self.lock();
        let mut statement = database.prepare(
            "SELECT h.slot, max(h.id), sum(CASE WHEN h.id > coalesce(p.through, 0) THEN h.rows ELSE 0 END)
             FROM held h LEFT JOIN period p ON p.dataset = h.dataset AND p.slot = h.slot
             WHERE h.dataset = ?1 GROUP BY h.slot HAVING max(h.id) > coalesce(max(p.through), 0) ORDER BY h.slot",
        )?;
        let periods = statement.query_map(params![dataset.as_str()], |row| {
            Ok(HeldPeriod { slot: row.get(0)?, through: row.get(1)?, new_rows: unsigned(row.get(2)?) })
        })?;
        Ok(periods.collect::<Result<_, _>>()?)
    }

    /// Rows that are held and in no object yet.
    pub(crate) fn rows_waiting(&self, dataset: &DatasetName) -> Result<u64, StateError> {
        Ok(self.unwritten_periods(dataset)?.iter().map(|period| period.new_rows).sum())
    }

    /// Whether the period's object was written.
    pub(crate) fn is_written(&self, dataset: &DatasetName, slot: i64) -> Result<bool, StateError> {
        let sql = "SELECT 1 FROM period WHERE dataset = ?1 AND slot = ?2";
        let found: Option<i64> =
            self.lock().query_row(sql, params![dataset.as_str(), slot], |row| row.get(0)).optional()?;
        Ok(found.is_some())
    }

    /// The periods before `slot` whose objects were written.
    pub(crate) fn written_before(&self, dataset: &DatasetName, slot: i64) -> Result<Vec<i64>, StateError> {
        let database = self.lock();
        let mut statement =
            database.prepare("SELECT slot FROM period WHERE dataset = ?1 AND slot < ?2 ORDER BY slot")?;
        let slots = statement.query_map(params![dataset.as_str(), slot], |row| row.get(0))?;
        Ok(slots.collect::<Result<_, _>>()?)
    }
}

pub(super) fn put_period(
    transaction: &Transaction<'_>,
    dataset: &DatasetName,
    period: &WrittenPeriod,
    now: Timestamp,
) -> Result<(), StateError> {
    transaction.execute(
        "INSERT OR REPLACE INTO period VALUES (?1, ?2, ?3, ?4, ?5)",
        params![dataset.as_str(), period.slot, period.through, signed(period.object_rows), now.to_string()],
    )?;
    transaction.execute(
        "DELETE FROM held WHERE dataset = ?1 AND slot < ?2 AND EXISTS
             (SELECT 1 FROM period p WHERE p.dataset = held.dataset AND p.slot = held.slot AND p.through >= held.id)",
        params![dataset.as_str(), period.final_before],
    )?;
    Ok(())
}
