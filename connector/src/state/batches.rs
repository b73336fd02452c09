//! Sources, batches and intents on record.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use super::periods::{WrittenPeriod, put_period};
use super::records::{
    BatchRange, DatasetTotals, IntentMode, IntentRecord, OpenBatch, SealedBatch, SourceKind, SourceRecord,
};
use super::{State, StateError, signed, unsigned};
use crate::names::{DatasetName, ETag, IntentId, ObjectKey};
use crate::steps::Step;

/// Finished batches that stay on record, for people who look.
const BATCHES_KEPT: i64 = 1_000;

impl State {
    /// The source on record for `path`, made if there is none.
    pub(crate) fn source(&self, dataset: &DatasetName, path: &str) -> Result<SourceRecord, StateError> {
        self.lock().execute(
            "INSERT INTO source (dataset, path, kind) VALUES (?1, ?2, 'file') ON CONFLICT DO NOTHING",
            params![dataset.as_str(), path],
        )?;
        self.known_source(dataset, path)?
            .ok_or(StateError::Corrupt { value: path.to_owned(), expected: "a source" })
    }

    /// The source on record for `path`, if there is one.
    pub(crate) fn known_source(
        &self,
        dataset: &DatasetName,
        path: &str,
    ) -> Result<Option<SourceRecord>, StateError> {
        let sql = "SELECT id, path, kind, byte_offset, lines, fingerprint FROM source WHERE dataset = ?1 AND path = ?2";
        self.lock().query_row(sql, params![dataset.as_str(), path], source_of).optional()?.transpose()
    }

    /// Unfinished spool files of `dataset`, oldest first.
    pub(crate) fn spools(&self, dataset: &DatasetName) -> Result<Vec<SourceRecord>, StateError> {
        let database = self.lock();
        let mut statement = database.prepare(
            "SELECT id, path, kind, byte_offset, lines, fingerprint FROM source
             WHERE dataset = ?1 AND kind = 'spool' AND finished = 0 ORDER BY id",
        )?;
        let records = statement.query_map(params![dataset.as_str()], source_of)?;
        records.map(|record| record?).collect()
    }

    /// Whether the spool file at `path` still has rows to give.
    pub(crate) fn needs_spool(&self, path: &str) -> Result<bool, StateError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM source WHERE path = ?1 AND kind = 'spool' AND finished = 0)";
        Ok(self.lock().query_row(sql, params![path], |row| row.get(0))?)
    }

    /// Makes a spool file known.
    pub(crate) fn register_spool(&self, dataset: &DatasetName, path: &str) -> Result<(), StateError> {
        self.transact((Step::SpoolRegisterBegin, Step::SpoolRegistered), |transaction| {
            transaction.execute(
                "INSERT INTO source (dataset, path, kind) VALUES (?1, ?2, 'spool')
                 ON CONFLICT (dataset, path) DO UPDATE
                 SET byte_offset = 0, lines = 0, fingerprint = '', finished = 0",
                params![dataset.as_str(), path],
            )?;
            Ok(())
        })
    }

    /// Makes pulled rows known, if there are any, together with the checkpoint that stands for them; if they are the
    /// whole dataset, nothing of what was pulled before is needed.
    pub(crate) fn register_pull(
        &self,
        dataset: &DatasetName,
        (path, is_whole): (Option<&str>, bool),
        (fact, checkpoint): (&str, &str),
    ) -> Result<(), StateError> {
        self.transact((Step::SpoolRegisterBegin, Step::SpoolRegistered), |transaction| {
            if let Some(path) = path.filter(|_| is_whole) {
                transaction.execute(
                    "UPDATE source SET finished = 1 WHERE dataset = ?1 AND kind = 'spool' AND path != ?2",
                    params![dataset.as_str(), path],
                )?;
            }
            if let Some(path) = path {
                transaction.execute(
                    "INSERT INTO source (dataset, path, kind) VALUES (?1, ?2, 'spool')
                     ON CONFLICT (dataset, path) DO UPDATE
                     SET byte_offset = 0, lines = 0, fingerprint = '', finished = 0 WHERE finished = 1",
                    params![dataset.as_str(), path],
                )?;
            }
            transaction.execute(
                "INSERT INTO fact VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                params![fact, checkpoint],
            )?;
            Ok(())
        })
    }

    /// Finishes the spool files of `dataset`, of which nothing is needed any longer.
    pub(crate) fn finish_spools(&self, dataset: &DatasetName) -> Result<(), StateError> {
        self.lock().execute(
            "UPDATE source SET finished = 1 WHERE dataset = ?1 AND kind = 'spool'",
            params![dataset.as_str()],
        )?;
        Ok(())
    }

    /// Begins a source anew.
    pub(crate) fn restart_source(&self, id: i64) -> Result<(), StateError> {
        self.lock().execute(
            "UPDATE source SET byte_offset = 0, lines = 0, fingerprint = '' WHERE id = ?1",
            params![id],
        )?;
        Ok(())
    }

    /// The unfinished batch of `dataset`, if there is one.
    pub(crate) fn open_batch(&self, dataset: &DatasetName) -> Result<Option<OpenBatch>, StateError> {
        let database = self.lock();
        let found: Option<(i64, String)> = database
            .query_row(
                "SELECT id, sealed_at FROM batch WHERE dataset = ?1 AND state = 'open' ORDER BY id LIMIT 1",
                params![dataset.as_str()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        let Some((id, sealed_at)) = found else { return Ok(None) };
        let sealed_at = sealed_at
            .parse()
            .map_err(|_| StateError::Corrupt { value: sealed_at.clone(), expected: "an instant" })?;
        let mut statement = database.prepare(
            "SELECT source_id, path, byte_from, byte_to, line_from, line_to, digest, r.fingerprint, kind
             FROM batch_range r JOIN source s ON s.id = r.source_id WHERE batch_id = ?1 ORDER BY position",
        )?;
        let ranges = statement
            .query_map(params![id], |row| {
                Ok(BatchRange {
                    source_id: row.get(0)?,
                    path: row.get(1)?,
                    bytes: unsigned(row.get(2)?)..unsigned(row.get(3)?),
                    lines: unsigned(row.get(4)?)..unsigned(row.get(5)?),
                    digest: row.get(6)?,
                    fingerprint: row.get(7)?,
                    is_last: false,
                })
            })?
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Some(OpenBatch { id, sealed_at, ranges }))
    }

    /// Forgets an unfinished batch whose rows come again.
    pub(crate) fn abandon_batch(&self, id: i64) -> Result<(), StateError> {
        self.lock().execute("DELETE FROM batch WHERE id = ?1 AND state = 'open'", params![id])?;
        Ok(())
    }

    /// Forgets unfinished batches that hold no rows of the sources.
    pub(crate) fn abandon_batches_without_ranges(&self, dataset: &DatasetName) -> Result<(), StateError> {
        self.lock().execute(
            "DELETE FROM batch WHERE dataset = ?1 AND state = 'open'
             AND NOT EXISTS (SELECT 1 FROM batch_range WHERE batch_id = batch.id)",
            params![dataset.as_str()],
        )?;
        Ok(())
    }

    /// Seals a batch; returns its id.
    pub(crate) fn seal_batch(&self, batch: &SealedBatch<'_>) -> Result<i64, StateError> {
        self.transact((Step::BatchSealBegin, Step::BatchSealed), |transaction| {
            transaction.execute(
                "INSERT INTO batch (dataset, digest, rows_read, dead_lettered, state, sealed_at)
                 VALUES (?1, ?2, ?3, ?4, 'open', ?5)",
                params![
                    batch.dataset.as_str(),
                    batch.digest,
                    signed(batch.rows_read),
                    signed(batch.dead_lettered),
                    batch.now.to_string()
                ],
            )?;
            let id = transaction.last_insert_rowid();
            for (position, range) in batch.ranges.iter().enumerate() {
                transaction.execute(
                    "INSERT INTO batch_range VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                    params![
                        id,
                        signed(position as u64),
                        range.source_id,
                        signed(range.bytes.start),
                        signed(range.bytes.end),
                        signed(range.lines.start),
                        signed(range.lines.end),
                        range.digest,
                        range.fingerprint
                    ],
                )?;
            }
            Ok(id)
        })
    }

    /// The intents of a batch whose outcome is committed, by partition.
    pub(crate) fn done_intents(&self, batch_id: i64) -> Result<Vec<IntentRecord>, StateError> {
        self.intents("batch_id = ?1 AND state = 'done'", batch_id)
    }

    /// The sealed intent of that id, if there is one.
    pub(crate) fn sealed_intent(&self, id: &IntentId) -> Result<Option<IntentRecord>, StateError> {
        Ok(self.intents("id = ?1 AND state = 'sealed'", id.as_str())?.pop())
    }

    /// The sealed intents of a batch, by partition.
    pub(crate) fn sealed_intents(&self, batch_id: i64) -> Result<Vec<IntentRecord>, StateError> {
        self.intents("batch_id = ?1 AND state = 'sealed'", batch_id)
    }

    fn intents(&self, filter: &str, value: impl rusqlite::ToSql) -> Result<Vec<IntentRecord>, StateError> {
        let database = self.lock();
        let mut statement = database.prepare(&format!(
            "SELECT id, batch_id, dataset, partition_hour, object_key, mode, base_etag, generation, content_digest,
             body_bytes, object_rows, written, deduplicated FROM intent WHERE {filter} ORDER BY partition_hour"
        ))?;
        let records = statement.query_map(params![value], intent_of)?;
        records.map(|record| record?).collect()
    }

    /// Seals an intent, in place of an earlier one for the same partition of the batch.
    pub(crate) fn seal_intent(&self, intent: &IntentRecord) -> Result<(), StateError> {
        self.transact((Step::IntentSealBegin, Step::IntentSealed), |transaction| {
            put_intent(transaction, intent, "sealed")
        })
    }

    /// Commits an intent's outcome. `etag` is the object's, unless it was left as it is. With `finish`, the batch is
    /// finished in the same transaction: checkpoints advance and its counts enter the totals.
    pub(crate) fn commit_intent(
        &self,
        intent: &IntentRecord,
        etag: Option<&ETag>,
        now: Timestamp,
        finish: Option<&FinishBatch<'_>>,
    ) -> Result<(), StateError> {
        self.transact((Step::CommitBegin, Step::Committed), |transaction| {
            put_intent(transaction, intent, "done")?;
            if let Some(etag) = etag {
                transaction.execute(
                    "INSERT OR REPLACE INTO object VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    params![
                        intent.key.as_str(),
                        intent.dataset.as_str(),
                        intent.slot,
                        etag.as_str(),
                        signed(intent.generation),
                        signed(intent.object_rows),
                        signed(intent.body_bytes),
                        now.to_string()
                    ],
                )?;
            }
            finish.map_or(Ok(()), |finish| finish_batch(transaction, finish, now))
        })
    }

    /// Finishes a batch that has no write left.
    pub(crate) fn finish_batch(&self, finish: &FinishBatch<'_>, now: Timestamp) -> Result<(), StateError> {
        self.transact((Step::CommitBegin, Step::Committed), |transaction| {
            finish_batch(transaction, finish, now)
        })
    }

    /// Rows of the object as this connection left it; `None` if it never wrote it.
    pub(crate) fn object_rows(&self, key: &ObjectKey) -> Result<Option<u64>, StateError> {
        let sql = "SELECT object_rows FROM object WHERE object_key = ?1";
        Ok(self.lock().query_row(sql, params![key.as_str()], |row| row.get(0)).optional()?.map(unsigned))
    }

    /// The objects of `dataset` that this connection wrote and left with rows: key, partition, and when.
    pub(crate) fn objects_with_rows(
        &self,
        dataset: &DatasetName,
    ) -> Result<Vec<(String, i64, String)>, StateError> {
        let database = self.lock();
        let mut statement = database.prepare(
            "SELECT object_key, partition_hour, written_at FROM object
             WHERE dataset = ?1 AND object_rows > 0 ORDER BY partition_hour",
        )?;
        let objects = statement
            .query_map(params![dataset.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(objects.collect::<Result<_, _>>()?)
    }

    /// Counts of `dataset` over all finished batches.
    pub(crate) fn totals(&self, dataset: &DatasetName) -> Result<DatasetTotals, StateError> {
        let database = self.lock();
        let mut totals = database
            .query_row(
                "SELECT rows_read, written, deduplicated, dead_lettered, batches, last_success
                 FROM total WHERE dataset = ?1",
                params![dataset.as_str()],
                |row| {
                    Ok(DatasetTotals {
                        rows_read: unsigned(row.get(0)?),
                        written: unsigned(row.get(1)?),
                        deduplicated: unsigned(row.get(2)?),
                        dead_lettered: unsigned(row.get(3)?),
                        batches: unsigned(row.get(4)?),
                        last_success: row.get(5)?,
                        ..DatasetTotals::default()
                    })
                },
            )
            .optional()?
            .unwrap_or_default();
        let count = |sql: &str| -> Result<u64, StateError> {
            Ok(unsigned(database.query_row(sql, params![dataset.as_str()], |row| row.get(0))?))
        };
        totals.objects = count("SELECT count(*) FROM object WHERE dataset = ?1")?;
        totals.open_intents = count("SELECT count(*) FROM intent WHERE dataset = ?1 AND state = 'sealed'")?;
        Ok(totals)
    }

    /// Records that a dataset's sync ended well, with or without rows.
    pub(crate) fn record_success(&self, dataset: &DatasetName, now: Timestamp) -> Result<(), StateError> {
        self.lock().execute(
            "INSERT INTO total (dataset, last_success) VALUES (?1, ?2)
             ON CONFLICT (dataset) DO UPDATE SET last_success = excluded.last_success",
            params![dataset.as_str(), now.to_string()],
        )?;
        Ok(())
    }
}

/// What finishing a batch records.
#[derive(Clone, Debug)]
pub(crate) struct FinishBatch<'a> {
    pub(crate) batch_id: i64,
    pub(crate) dataset: &'a DatasetName,
    pub(crate) ranges: &'a [BatchRange],
    pub(crate) rows_read: u64,
    pub(crate) written: u64,
    pub(crate) deduplicated: u64,
    pub(crate) dead_lettered: u64,
    pub(crate) dead_bytes: u64,
    /// The period whose object the batch wrote.
    pub(crate) period: Option<WrittenPeriod>,
}

pub(super) fn finish_batch(
    transaction: &Transaction<'_>,
    finish: &FinishBatch<'_>,
    now: Timestamp,
) -> Result<(), StateError> {
    for range in finish.ranges {
        transaction.execute(
            "UPDATE source SET byte_offset = ?2, lines = ?3, fingerprint = ?4, finished = max(finished, ?5)
             WHERE id = ?1",
            params![
                range.source_id,
                signed(range.bytes.end),
                signed(range.lines.end),
                range.fingerprint,
                range.is_last
            ],
        )?;
    }
    if let Some(period) = &finish.period {
        put_period(transaction, finish.dataset, period, now)?;
    }
    transaction.execute(
        "UPDATE batch SET state = 'done', done_at = ?2 WHERE id = ?1",
        params![finish.batch_id, now.to_string()],
    )?;
    transaction.execute(
        "INSERT INTO total VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, NULL)
         ON CONFLICT (dataset) DO UPDATE SET rows_read = rows_read + excluded.rows_read,
             written = written + excluded.written, deduplicated = deduplicated + excluded.deduplicated,
             dead_lettered = dead_lettered + excluded.dead_lettered, batches = batches + 1,
             dead_bytes = excluded.dead_bytes",
        params![
            finish.dataset.as_str(),
            signed(finish.rows_read),
            signed(finish.written),
            signed(finish.deduplicated),
            signed(finish.dead_lettered),
            signed(finish.dead_bytes)
        ],
    )?;
    transaction.execute(
        "DELETE FROM batch WHERE state = 'done' AND id <= ?1",
        params![finish.batch_id.saturating_sub(BATCHES_KEPT)],
    )?;
    Ok(())
}

fn put_intent(transaction: &Transaction<'_>, intent: &IntentRecord, state: &str) -> Result<(), StateError> {
    transaction.execute(
        "INSERT OR REPLACE INTO intent VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        params![
            intent.id.as_str(),
            intent.batch_id,
            intent.dataset.as_str(),
            intent.slot,
            intent.key.as_str(),
            intent.mode.name(),
            intent.base_etag.as_ref().map(ETag::as_str),
            signed(intent.generation),
            intent.content_digest,
            signed(intent.body_bytes),
            signed(intent.object_rows),
            signed(intent.written),
            signed(intent.deduplicated),
            state
        ],
    )?;
    Ok(())
}

type Checked<T> = rusqlite::Result<Result<T, StateError>>;

fn source_of(row: &Row<'_>) -> Checked<SourceRecord> {
    let kind: String = row.get(2)?;
    let record = SourceRecord {
        id: row.get(0)?,
        path: row.get(1)?,
        kind: SourceKind::File,
        byte_offset: unsigned(row.get(3)?),
        lines: unsigned(row.get(4)?),
        fingerprint: row.get(5)?,
    };
    Ok(SourceKind::from_name(&kind).map(|kind| SourceRecord { kind, ..record }))
}

fn intent_of(row: &Row<'_>) -> Checked<IntentRecord> {
    let (id, dataset, key): (String, String, String) = (row.get(0)?, row.get(2)?, row.get(4)?);
    let (mode, base_etag): (String, Option<String>) = (row.get(5)?, row.get(6)?);
    let (batch_id, slot, generation): (i64, i64, i64) = (row.get(1)?, row.get(3)?, row.get(7)?);
    let content_digest: String = row.get(8)?;
    let (body_bytes, object_rows): (i64, i64) = (row.get(9)?, row.get(10)?);
    let (written, deduplicated): (i64, i64) = (row.get(11)?, row.get(12)?);
    let corrupt = |value: &str, expected| StateError::Corrupt { value: value.to_owned(), expected };
    let checked = || {
        Ok(IntentRecord {
            id: IntentId::new(id.as_str()).map_err(|_| corrupt(&id, "an intent id"))?,
            batch_id,
            dataset: DatasetName::new(dataset.as_str()).map_err(|_| corrupt(&dataset, "a dataset"))?,
            slot,
            key: ObjectKey::new(key.as_str()).map_err(|_| corrupt(&key, "an object key"))?,
            mode: IntentMode::from_name(&mode)?,
            base_etag: base_etag
                .as_deref()
                .map(|etag| ETag::new(etag).map_err(|_| corrupt(etag, "an entity tag")))
                .transpose()?,
            generation: unsigned(generation),
            content_digest: content_digest.clone(),
            body_bytes: unsigned(body_bytes),
            object_rows: unsigned(object_rows),
            written: unsigned(written),
            deduplicated: unsigned(deduplicated),
        })
    };
    Ok(checked())
}
