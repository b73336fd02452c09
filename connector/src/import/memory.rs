//! What an import remembers: files, rows, what was said of them, and reports. SQLite, one writer at a time.
//!
//! A file's state, its rows and its entries change in one transaction, so a crash leaves a file either unread or done.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params, params_from_iter, types::Value};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::entries::{Entry, Finding};
use super::profile::{ImportColumn, ImportType};
use super::report::{StatusEntry, StatusReport};
use super::rows::{ImportedRow, ImportedValue};
use super::store::FoundFile;
use crate::state::StateError;

const SCHEMA: &str = include_str!("schema.sql");
const VERSION: i64 = 1;

/// A file that waits to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PendingFile {
    pub(crate) id: i64,
    pub(crate) connection: String,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) etag: String,
    pub(crate) bytes: u64,
    pub(crate) created_ms: i64,
}

/// A report whose text is settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SealedReport {
    pub(crate) id: i64,
    pub(crate) bucket: String,
    pub(crate) folder: String,
    pub(crate) at_ms: i64,
    pub(crate) body: Vec<u8>,
}

/// How many files of a connection are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FileCounts {
    /// Known and not yet read.
    pub pending: u64,
    /// Read; their valid rows are stored.
    pub stored: u64,
    /// Wrong as a whole; nothing of them is stored.
    pub refused: u64,
    /// Deleted or replaced before they were read.
    pub gone: u64,
}

/// The open memory.
#[derive(Debug)]
pub(crate) struct Memory {
    database: Connection,
    insert: String,
    _lock: File,
}

fn io(path: &Path, source: std::io::Error) -> StateError {
    StateError::Io { path: path.display().to_string(), source }
}

impl Memory {
    /// Opens the memory in `directory`, making it if there is none.
    pub(crate) fn open(directory: &Path, columns: &[ImportColumn]) -> Result<Self, StateError> {
        std::fs::create_dir_all(directory).map_err(|source| io(directory, source))?;
        let lock_path: PathBuf = directory.join("import.lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path);
        let lock = lock.map_err(|source| io(&lock_path, source))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StateError::Busy { path: directory.display().to_string() });
            }
            Err(TryLockError::Error(source)) => return Err(io(&lock_path, source)),
        }
        let path = directory.join("import.sqlite");
        let mut database = Connection::open(&path)?;
        database.pragma_update(None, "journal_mode", "WAL")?;
        database.pragma_update(None, "synchronous", "FULL")?;
        database.pragma_update(None, "foreign_keys", "ON")?;
        let known: Option<String> = database
            .query_row("SELECT name FROM sqlite_master WHERE name = 'import_meta'", [], |row| row.get(0))
            .optional()?;
        if known.is_none() {
            let transaction = database.transaction()?;
            transaction.execute_batch(SCHEMA)?;
            transaction.execute_batch(&event_table(columns))?;
            transaction.commit()?;
        }
        let version: i64 = database.query_row("SELECT version FROM import_meta", [], |row| row.get(0))?;
        if version > VERSION {
            return Err(StateError::Newer {
                path: path.display().to_string(),
                found: version,
                known: VERSION,
            });
        }
        let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
        let insert = format!(
            "INSERT OR IGNORE INTO event (id, file, row, {}) VALUES (?, ?, ?{})",
            names.join(", "),
            ", ?".repeat(columns.len())
        );
        Ok(Self { database, insert, _lock: lock })
    }

    /// Notes files that a listing or a message told of; how many are new.
    pub(crate) fn note_files(
        &mut self,
        connection: &str,
        bucket: &str,
        folder: &str,
        files: &[FoundFile],
    ) -> Result<u64, StateError> {
        let transaction = self.database.transaction()?;
        let mut new = 0;
        {
            let mut insert = transaction.prepare_cached(
                // What was gone may be back: somebody restored the former content.
                "INSERT INTO file (connection, bucket, folder, key, etag, bytes, created_ms, state) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'pending') ON CONFLICT (connection, bucket, key, etag) \
                 DO UPDATE SET state = 'pending', folder = ?3, bytes = ?6, created_ms = ?7 WHERE state = 'gone'",
            )?;
            for file in files {
                let bytes = i64::try_from(file.bytes).unwrap_or(i64::MAX);
                new += insert.execute(params![
                    connection,
                    bucket,
                    folder,
                    file.key,
                    file.etag,
                    bytes,
                    file.created.as_millisecond()
                ])? as u64;
            }
        }
        transaction.commit()?;
        Ok(new)
    }

    /// The files that wait, oldest first, at most `limit` behind the id `after`.
    pub(crate) fn pending(&self, after: i64, limit: u32) -> Result<Vec<PendingFile>, StateError> {
        let mut select = self.database.prepare_cached(
            "SELECT id, connection, bucket, key, etag, bytes, created_ms FROM file \
             WHERE state = 'pending' AND id > ? ORDER BY id LIMIT ?",
        )?;
        let rows = select.query_map(params![after, limit], |row| {
            Ok(PendingFile {
                id: row.get(0)?,
                connection: row.get(1)?,
                bucket: row.get(2)?,
                key: row.get(3)?,
                etag: row.get(4)?,
                bytes: u64::try_from(row.get::<_, i64>(5)?).unwrap_or_default(),
                created_ms: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Begins to store a file's rows.
    pub(crate) fn begin(&mut self) -> Result<Storing<'_>, StateError> {
        Ok(Storing { transaction: self.database.transaction()?, insert: &self.insert, rows: 0 })
    }

    /// Notes that a file is not there any more.
    pub(crate) fn gone(&mut self, file: &PendingFile) -> Result<(), StateError> {
        self.database.execute("UPDATE file SET state = 'gone' WHERE id = ?", [file.id])?;
        Ok(())
    }

    /// Settles the reports of all entries that were not told: one per bucket and status folder.
    ///
    /// No report is of the same millisecond as another of its folder.
    pub(crate) fn seal_reports(&mut self, now: Timestamp) -> Result<(), StateError> {
        let transaction = self.database.transaction()?;
        let mut places: Vec<(String, String)> = Vec::new();
        {
            let mut select = transaction.prepare(
                "SELECT DISTINCT f.bucket, f.folder FROM entry e JOIN file f ON f.id = e.file WHERE e.report IS NULL \
                 ORDER BY 1, 2",
            )?;
            let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            for place in rows {
                places.push(place?);
            }
        }
        for (bucket, folder) in places {
            let last: Option<i64> = transaction.query_row(
                "SELECT max(at_ms) FROM report WHERE bucket = ? AND folder = ?",
                [&bucket, &folder],
                |row| row.get(0),
            )?;
            let at_ms = now.as_millisecond().max(last.map_or(i64::MIN, |last| last + 1));
            let body = serde_json::to_vec_pretty(&untold(&transaction, &bucket, &folder)?)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
            transaction.execute(
                "INSERT INTO report (bucket, folder, at_ms, body) VALUES (?, ?, ?, ?)",
                params![bucket, folder, at_ms, body],
            )?;
            transaction.execute(
                "UPDATE entry SET report = ? WHERE report IS NULL AND file IN \
                 (SELECT id FROM file WHERE bucket = ? AND folder = ?)",
                params![transaction.last_insert_rowid(), bucket, folder],
            )?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// The reports that the buckets do not have yet, oldest first.
    pub(crate) fn unwritten_reports(&self) -> Result<Vec<SealedReport>, StateError> {
        let mut select = self.database.prepare_cached(
            "SELECT id, bucket, folder, at_ms, body FROM report WHERE written = 0 ORDER BY id",
        )?;
        let rows = select.query_map([], |row| {
            Ok(SealedReport {
                id: row.get(0)?,
                bucket: row.get(1)?,
                folder: row.get(2)?,
                at_ms: row.get(3)?,
                body: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Notes that the bucket has a report.
    pub(crate) fn written(&mut self, report: i64) -> Result<(), StateError> {
        self.database.execute("UPDATE report SET written = 1 WHERE id = ?", [report])?;
        Ok(())
    }

    /// Moves a report whose moment is taken to the next free one; that moment.
    pub(crate) fn postpone(&mut self, report: &SealedReport) -> Result<i64, StateError> {
        let last: i64 = self.database.query_row(
            "SELECT max(at_ms) FROM report WHERE bucket = ? AND folder = ?",
            [&report.bucket, &report.folder],
            |row| row.get(0),
        )?;
        let next = last.max(report.at_ms) + 1;
        self.database.execute("UPDATE report SET at_ms = ? WHERE id = ?", params![next, report.id])?;
        Ok(next)
    }

    /// When the oldest entry was made that no report tells of.
    pub(crate) fn oldest_untold(&self) -> Result<Option<Timestamp>, StateError> {
        let oldest: Option<i64> =
            self.database
                .query_row("SELECT min(made_ms) FROM entry WHERE report IS NULL", [], |row| row.get(0))?;
        Ok(oldest.and_then(|ms| Timestamp::from_millisecond(ms).ok()))
    }

    /// How many files of a connection are in which state.
    pub(crate) fn counts(&self, connection: &str) -> Result<FileCounts, StateError> {
        let mut counts = FileCounts::default();
        let mut select = self
            .database
            .prepare_cached("SELECT state, count(*) FROM file WHERE connection = ? GROUP BY state")?;
        let rows =
            select.query_map([connection], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
        for row in rows {
            let (state, count) = row?;
            let count = u64::try_from(count).unwrap_or_default();
            match state.as_str() {
                "pending" => counts.pending = count,
                "stored" => counts.stored = count,
                "refused" => counts.refused = count,
                "gone" => counts.gone = count,
                _ => return Err(StateError::Corrupt { value: state, expected: "a state of a file" }),
            }
        }
        Ok(counts)
    }
}

/// The entries of a bucket and status folder that no report tells of.
fn untold(transaction: &Transaction<'_>, bucket: &str, folder: &str) -> Result<StatusReport, StateError> {
    let mut select = transaction.prepare(
        "SELECT f.key, f.created_ms, e.entry_id, e.rows, e.findings FROM entry e JOIN file f ON f.id = e.file \
         WHERE e.report IS NULL AND f.bucket = ? AND f.folder = ? ORDER BY f.key, f.created_ms, e.file, e.entry_id",
    )?;
    let mut rows = select.query([bucket, folder])?;
    let mut report = StatusReport::new();
    while let Some(row) = rows.next()? {
        let findings: String = row.get(4)?;
        let findings: Vec<(String, String)> = serde_json::from_str(&findings).map_err(|_| {
            StateError::Corrupt { value: findings.clone(), expected: "the findings of an entry" }
        })?;
        let entry = Entry {
            id: row.get(2)?,
            rows: u64::try_from(row.get::<_, i64>(3)?).unwrap_or_default(),
            findings: findings.into_iter().map(|(code, detail)| Finding { code, detail }).collect(),
        };
        let entries = report.entry(row.get(0)?).or_default();
        entries.push(StatusEntry::new(row.get(1)?, &entry));
    }
    Ok(report)
}

/// A file whose rows are being stored; dropped, nothing of it is.
pub(crate) struct Storing<'a> {
    transaction: Transaction<'a>,
    insert: &'a str,
    rows: u64,
}

impl Storing<'_> {
    /// Counts a row of the file, and stores it if nothing is wrong with it.
    pub(crate) fn row(&mut self, file: &PendingFile, row: &ImportedRow) -> Result<(), StateError> {
        let place = self.rows;
        self.rows += 1;
        if !row.findings.is_empty() {
            return Ok(());
        }
        let mut hash = Sha256::new();
        for part in [&file.bucket, &file.key, &file.etag] {
            hash.update(part);
            hash.update([0]);
        }
        hash.update(place.to_be_bytes());
        let id = hash.finalize().get(..16).unwrap_or_default().to_vec();
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        let values = row.values.iter().map(|value| match value {
            ImportedValue::Null => Value::Null,
            ImportedValue::Text(text) => Value::Text(text.clone()),
            ImportedValue::Long(long) => Value::Integer(*long),
            ImportedValue::Double(double) => number(*double),
        });
        let values =
            [Value::Blob(id), Value::Integer(file.id), Value::Integer(place)].into_iter().chain(values);
        self.transaction.prepare_cached(self.insert)?.execute(params_from_iter(values))?;
        Ok(())
    }

    /// Ends the file: its state and what is said of it.
    pub(crate) fn finish(
        self,
        file: &PendingFile,
        entries: &[Entry],
        is_refused: bool,
        now: Timestamp,
    ) -> Result<(), StateError> {
        let state = if is_refused { "refused" } else { "stored" };
        self.transaction.execute(
            "UPDATE file SET state = ?, rows = ? WHERE id = ?",
            params![state, i64::try_from(self.rows).unwrap_or(i64::MAX), file.id],
        )?;
        for entry in entries {
            let findings: Vec<(&str, &str)> = entry
                .findings
                .iter()
                .map(|finding| (finding.code.as_str(), finding.detail.as_str()))
                .collect();
            let findings = serde_json::to_string(&findings)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
            let rows = i64::try_from(entry.rows).unwrap_or(i64::MAX);
            self.transaction.execute(
                "INSERT INTO entry (file, entry_id, rows, findings, made_ms) VALUES (?, ?, ?, ?, ?)",
                params![file.id, entry.id, rows, findings, now.as_millisecond()],
            )?;
        }
        Ok(self.transaction.commit()?)
    }
}

/// SQLite takes NaN for null; texts keep what numbers cannot.
fn number(double: f64) -> Value {
    if double.is_nan() { Value::Text("NaN".to_owned()) } else { Value::Real(double) }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn event_table(columns: &[ImportColumn]) -> String {
    let columns: Vec<String> = columns
        .iter()
        .map(|column| {
            let kind = match column.kind {
                ImportType::String | ImportType::Map => "TEXT",
                ImportType::Long => "INTEGER",
                ImportType::Double => "REAL",
            };
            let null = if column.required { " NOT NULL" } else { "" };
            format!("{} {kind}{null}", quoted(&column.name))
        })
        .collect();
    format!(
        "CREATE TABLE event (id BLOB PRIMARY KEY, file INTEGER NOT NULL REFERENCES file (id), row INTEGER NOT NULL, \
         {}) WITHOUT ROWID;",
        columns.join(", ")
    )
}
