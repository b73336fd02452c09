//! The memory in SQLite, in the state directory; with the rows, unless a dataset takes them.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::records::{UntoldEntry, report_text};
use super::{
    FileCounts, FileEnd, Memory, OpenFile, PendingFile, SealedReport, TargetError, Waiting, findings_text,
    quoted, signed, unsigned,
};
use crate::import::cells::{Cell, cells};
use crate::import::config::ImportConfig;
use crate::import::profile::{ImportColumn, ImportType};
use crate::import::rows::CheckedRows;
use crate::import::status_form::StatusNames;
use crate::import::steps::{ImportStep, ImportSteps};
use crate::import::store::FoundFile;
use crate::lock_file;
use crate::state::StateError;

const SCHEMA: &str = include_str!("schema.sql");
const UPGRADE: &str = include_str!("upgrade.sql");
const VERSION: i64 = 2;

/// The open memory.
#[derive(Debug)]
pub(super) struct SqliteMemory {
    pub(super) database: Connection,
    columns: Vec<ImportColumn>,
    insert: String,
    open: Option<OpenFile>,
    names: StatusNames,
    steps: Arc<dyn ImportSteps>,
    _lock: File,
}

fn io(path: &Path, source: std::io::Error) -> StateError {
    StateError::Io { path: path.display().to_string(), source }
}

impl SqliteMemory {
    /// Opens the memory, making it if there is none; `has_rows` if it is the target of rows, too.
    pub(super) fn open(
        config: &ImportConfig,
        has_rows: bool,
        steps: Arc<dyn ImportSteps>,
    ) -> Result<Self, TargetError> {
        let directory = config.state_dir.as_path();
        std::fs::create_dir_all(directory).map_err(|source| io(directory, source))?;
        let lock_path: PathBuf = directory.join("import.lock");
        let lock = lock_file::hold(&lock_path)
            .map_err(|source| io(&lock_path, source))?
            .ok_or_else(|| StateError::Busy { path: directory.display().to_string() })?;
        let path = directory.join("import.sqlite");
        let mut database = Connection::open(&path)?;
        database.pragma_update(None, "journal_mode", "WAL")?;
        database.pragma_update(None, "synchronous", "FULL")?;
        let columns = config.profile.columns.clone();
        let rescue = config.rescue_column.as_deref();
        prepare(&mut database, &path, &columns)?;
        database.pragma_update(None, "foreign_keys", "ON")?;
        if has_rows {
            event_columns(&database, &columns, rescue)?;
        }
        let names: Vec<String> =
            columns.iter().map(|column| column.name.as_str()).chain(rescue).map(quoted).collect();
        let insert = format!(
            "INSERT INTO event (file, row, {}) VALUES (?, ?{})",
            names.join(", "),
            ", ?".repeat(names.len())
        );
        let names = StatusNames::of(config);
        Ok(Self { database, columns, insert, open: None, names, steps, _lock: lock })
    }

    /// The file that is being stored.
    pub(super) fn opened(&mut self) -> Result<&mut OpenFile, TargetError> {
        let value = "no file".to_owned();
        self.open.as_mut().ok_or_else(|| StateError::Corrupt { value, expected: "an open file" }.into())
    }

    /// Begins a file; `taken` are its rows that another connection has stored.
    pub(super) fn start(&mut self, file: &PendingFile, taken: HashSet<u64>) -> Result<(), TargetError> {
        self.stop()?;
        self.steps.reached(ImportStep::Begun);
        self.database.execute_batch("BEGIN IMMEDIATE")?;
        self.open = Some(OpenFile { file: file.clone(), rows: 0, taken });
        Ok(())
    }

    /// Ends what was begun, as if it had not been.
    pub(super) fn stop(&mut self) -> Result<(), TargetError> {
        if self.open.take().is_some() {
            self.database.execute_batch("ROLLBACK")?;
        }
        Ok(())
    }

    /// Other files on record that are the same version of the same object, and are stored.
    pub(super) fn twins(&self, file: &PendingFile) -> Result<Vec<i64>, TargetError> {
        let mut select = self.database.prepare_cached(
            "SELECT id FROM file WHERE bucket = ? AND key = ? AND etag = ? AND version = ? AND state = 'stored' \
             AND id <> ?",
        )?;
        let version = file.version.as_deref().unwrap_or_default();
        let rows = select
            .query_map(params![file.bucket, file.key, file.etag, version, file.id], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Commits the file, with its part of a dataset if it has one.
    pub(super) fn end(&mut self, end: FileEnd<'_>, part: Option<&str>) -> Result<(), TargetError> {
        let open = self.opened()?;
        let (id, rows) = (open.file.id, open.rows);
        self.database.execute(
            "UPDATE file SET state = ?, rows = ? WHERE id = ?",
            params![end.state(), signed(rows), id],
        )?;
        // A file that was gone and told so may be back.
        let told: i64 = self.database.query_row(
            "SELECT coalesce(max(entry_id), 0) FROM entry WHERE file = ?",
            [id],
            |row| row.get(0),
        )?;
        for entry in end.entries {
            let (number, made_ms) = (told + i64::from(entry.id), end.now.as_millisecond());
            self.database.execute(
                "INSERT INTO entry (file, entry_id, rows, findings, made_ms) VALUES (?, ?, ?, ?, ?)",
                params![id, number, signed(entry.rows), findings_text(entry), made_ms],
            )?;
        }
        if let Some(name) = part {
            self.database.execute("INSERT INTO part (file, name) VALUES (?, ?)", params![id, name])?;
        }
        self.steps.reached(ImportStep::CommitBegin);
        self.database.execute_batch("COMMIT")?;
        self.open = None;
        self.steps.reached(ImportStep::Committed);
        Ok(())
    }
}

#[async_trait]
impl Memory for SqliteMemory {
    async fn note_files(
        &mut self,
        connection: &str,
        bucket: &str,
        folder: &str,
        files: &[FoundFile],
    ) -> Result<u64, TargetError> {
        let transaction = self.database.transaction()?;
        let mut new = 0;
        {
            let mut insert = transaction.prepare_cached(
                // What was gone may be back: somebody restored the former content.
                "INSERT INTO file (connection, bucket, folder, key, etag, version, bytes, created_ms, state) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'pending') \
                 ON CONFLICT (connection, bucket, key, etag, version) \
                 DO UPDATE SET state = 'pending', folder = ?3, bytes = ?7, created_ms = ?8 WHERE state = 'gone'",
            )?;
            for file in files {
                new += insert.execute(params![
                    connection,
                    bucket,
                    folder,
                    file.key,
                    file.etag,
                    file.version.as_deref().unwrap_or_default(),
                    signed(file.bytes),
                    file.created.as_millisecond()
                ])? as u64;
            }
        }
        transaction.commit()?;
        Ok(new)
    }

    async fn pending(&mut self, after: i64, limit: u32) -> Result<Vec<PendingFile>, TargetError> {
        let mut select = self.database.prepare_cached(
            "SELECT id, connection, bucket, key, etag, version, bytes, created_ms FROM file \
             WHERE state = 'pending' AND id > ? ORDER BY id LIMIT ?",
        )?;
        let rows = select.query_map(params![after, limit], |row| {
            Ok(PendingFile {
                id: row.get(0)?,
                connection: row.get(1)?,
                bucket: row.get(2)?,
                key: row.get(3)?,
                etag: row.get(4)?,
                version: Some(row.get::<_, String>(5)?).filter(|version| !version.is_empty()),
                bytes: unsigned(row.get(6)?),
                created_ms: row.get(7)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    async fn begin(&mut self, file: &PendingFile) -> Result<(), TargetError> {
        let mut taken = HashSet::new();
        for twin in self.twins(file)? {
            let mut select = self.database.prepare_cached("SELECT row FROM event WHERE file = ?")?;
            let rows = select.query_map([twin], |row| row.get::<_, i64>(0))?;
            for row in rows {
                taken.insert(unsigned(row?));
            }
        }
        self.start(file, taken)
    }

    async fn rows(&mut self, rows: &mut CheckedRows) -> Result<Option<String>, TargetError> {
        let open = self.opened()?;
        open.take(rows);
        let file = open.file.id;
        let cells = match cells(rows, &self.columns) {
            Ok(cells) => cells,
            Err(detail) => return Ok(Some(detail)),
        };
        let mut insert = self.database.prepare_cached(&self.insert)?;
        for place in rows.places() {
            insert.raw_bind_parameter(1, file)?;
            insert.raw_bind_parameter(2, signed(rows.number(place)))?;
            for (parameter, cells) in (3..).zip(&cells) {
                match cells.get(place) {
                    Cell::Null => insert.raw_bind_parameter(parameter, rusqlite::types::Null)?,
                    Cell::Text(text) => insert.raw_bind_parameter(parameter, text)?,
                    Cell::Json(text) => insert.raw_bind_parameter(parameter, text.as_ref())?,
                    Cell::Long(long) => insert.raw_bind_parameter(parameter, long)?,
                    // SQLite takes NaN for null; texts keep what its numbers cannot.
                    Cell::Double(double) if double.is_nan() => {
                        insert.raw_bind_parameter(parameter, "NaN")?;
                    }
                    Cell::Double(double) => insert.raw_bind_parameter(parameter, double)?,
                }
            }
            insert.raw_execute()?;
        }
        self.steps.reached(ImportStep::Rows);
        Ok(None)
    }

    async fn finish(&mut self, end: FileEnd<'_>) -> Result<(), TargetError> {
        self.end(end, None)
    }

    async fn abort(&mut self) -> Result<(), TargetError> {
        self.stop()
    }

    async fn gone(&mut self, file: &PendingFile) -> Result<(), TargetError> {
        self.database.execute("UPDATE file SET state = 'gone' WHERE id = ?", [file.id])?;
        Ok(())
    }

    async fn seal_reports(&mut self, now: Timestamp) -> Result<(), TargetError> {
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
        let is_something = !places.is_empty();
        for (bucket, folder) in places {
            let last: Option<i64> = transaction.query_row(
                "SELECT max(at_ms) FROM report WHERE bucket = ? AND folder = ?",
                [&bucket, &folder],
                |row| row.get(0),
            )?;
            let at_ms = now.as_millisecond().max(last.map_or(i64::MIN, |last| last + 1));
            let body = report_text(untold(&transaction, &bucket, &folder)?, &self.names)?;
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
        if is_something {
            self.steps.reached(ImportStep::Sealed);
        }
        Ok(())
    }

    async fn unwritten_reports(&mut self) -> Result<Vec<SealedReport>, TargetError> {
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

    async fn written(&mut self, report: i64) -> Result<(), TargetError> {
        self.database.execute("UPDATE report SET written = 1 WHERE id = ?", [report])?;
        self.steps.reached(ImportStep::Told);
        Ok(())
    }

    async fn postpone(&mut self, report: &SealedReport) -> Result<i64, TargetError> {
        let last: i64 = self.database.query_row(
            "SELECT max(at_ms) FROM report WHERE bucket = ? AND folder = ?",
            [&report.bucket, &report.folder],
            |row| row.get(0),
        )?;
        let next = last.max(report.at_ms) + 1;
        self.database.execute("UPDATE report SET at_ms = ? WHERE id = ?", params![next, report.id])?;
        Ok(next)
    }

    async fn oldest_untold(&mut self) -> Result<Option<Timestamp>, TargetError> {
        let oldest: Option<i64> =
            self.database
                .query_row("SELECT min(made_ms) FROM entry WHERE report IS NULL", [], |row| row.get(0))?;
        Ok(oldest.and_then(|ms| Timestamp::from_millisecond(ms).ok()))
    }

    async fn waiting(&mut self, connection: &str) -> Result<Waiting, TargetError> {
        // Reports come first where they are asked: they are few, and of entries there may be millions.
        let mut select = self.database.prepare_cached(
            "SELECT count(*), min(created_ms) FROM ( \
             SELECT id, created_ms FROM file WHERE state = 'pending' AND connection = ?1 \
             UNION SELECT f.id, f.created_ms FROM entry e CROSS JOIN file f \
             WHERE e.report IS NULL AND f.id = e.file AND f.connection = ?1 \
             UNION SELECT f.id, f.created_ms FROM report r CROSS JOIN entry e CROSS JOIN file f \
             WHERE r.written = 0 AND e.report = r.id AND f.id = e.file AND f.connection = ?1)",
        )?;
        let waiting = select.query_row([connection], |row| {
            Ok(Waiting { files: unsigned(row.get(0)?), oldest_ms: row.get(1)? })
        })?;
        Ok(waiting)
    }

    async fn counts(&mut self, connection: &str) -> Result<FileCounts, TargetError> {
        let mut counts = FileCounts::default();
        let mut select = self
            .database
            .prepare_cached("SELECT state, count(*) FROM file WHERE connection = ? GROUP BY state")?;
        let rows =
            select.query_map([connection], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
        for row in rows {
            let (state, count) = row?;
            counts.add(&state, unsigned(count))?;
        }
        Ok(counts)
    }
}

/// The entries of a bucket and status folder that no report tells of.
fn untold(
    transaction: &Transaction<'_>,
    bucket: &str,
    folder: &str,
) -> Result<Vec<UntoldEntry>, TargetError> {
    let mut select = transaction.prepare(
        "SELECT f.connection, f.key, f.created_ms, e.entry_id, e.rows, e.findings, f.state FROM entry e \
         JOIN file f ON f.id = e.file WHERE e.report IS NULL AND f.bucket = ? AND f.folder = ? \
         ORDER BY f.key, f.created_ms, e.file, e.entry_id",
    )?;
    let rows = select.query_map([bucket, folder], |row| {
        Ok(UntoldEntry {
            connection: row.get(0)?,
            key: row.get(1)?,
            created_ms: row.get(2)?,
            entry_id: row.get(3)?,
            rows: row.get(4)?,
            findings: row.get(5)?,
            is_refused: row.get::<_, String>(6)? == "refused",
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Makes the tables, or brings those of an earlier program to what this one knows.
fn prepare(database: &mut Connection, path: &Path, columns: &[ImportColumn]) -> Result<(), TargetError> {
    let known: Option<String> = database
        .query_row("SELECT name FROM sqlite_master WHERE name = 'import_meta'", [], |row| row.get(0))
        .optional()?;
    if known.is_none() {
        let transaction = database.transaction()?;
        transaction.execute_batch(SCHEMA)?;
        transaction.execute_batch(&event_table(columns))?;
        transaction.commit()?;
        return Ok(());
    }
    let version: i64 = database.query_row("SELECT version FROM import_meta", [], |row| row.get(0))?;
    if version > VERSION {
        let path = path.display().to_string();
        return Err(StateError::Newer { path, found: version, known: VERSION }.into());
    }
    if version < VERSION {
        database.pragma_update(None, "foreign_keys", "OFF")?;
        let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
        let names = names.join(", ");
        let transaction = database.transaction()?;
        transaction.execute_batch(UPGRADE)?;
        transaction.execute_batch(&event_table(columns))?;
        transaction.execute_batch(&format!(
            "INSERT INTO event (file, row, {names}) SELECT file, row, {names} FROM event_1; DROP TABLE event_1;"
        ))?;
        transaction.commit()?;
    }
    Ok(())
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
    // In the order of files and rows, so that what is stored is appended.
    format!(
        "CREATE TABLE event (file INTEGER NOT NULL REFERENCES file (id), row INTEGER NOT NULL, {}, \
         PRIMARY KEY (file, row)) WITHOUT ROWID;",
        columns.join(", ")
    )
}

/// The table has the rescue column once there is one; the profile's columns it has from its beginning.
fn event_columns(
    database: &Connection,
    columns: &[ImportColumn],
    rescue: Option<&str>,
) -> Result<(), TargetError> {
    let mut select = database.prepare("SELECT name FROM pragma_table_info('event')")?;
    let found: HashSet<String> =
        select.query_map([], |row| row.get(0))?.collect::<Result<_, rusqlite::Error>>()?;
    if let Some(column) = columns.iter().find(|column| !found.contains(&column.name)) {
        let expected = "a table with the profile's columns";
        return Err(StateError::Corrupt { value: format!("no `{}`", column.name), expected }.into());
    }
    if let Some(rescue) = rescue.filter(|rescue| !found.contains(*rescue)) {
        database.execute_batch(&format!("ALTER TABLE event ADD COLUMN {} TEXT;", quoted(rescue)))?;
    }
    Ok(())
}
