//! The memory in a schema of a PostgreSQL database, with the rows: one transaction for each file, rows by binary COPY.
//!
//! Everything that must agree is in the database, so a lost answer to a commit needs no care: after the next connection the
//! file is either done or waits. A lock of the session keeps a second import out; it ends with the session.

mod copy;

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::records::{UntoldEntry, report_text};
use super::{
    FileCounts, FileEnd, Memory, OpenFile, PendingFile, SealedReport, TargetError, Waiting, findings_text,
    quoted, signed, unsigned,
};
use crate::import::config::ImportConfig;
use crate::import::profile::{ImportColumn, ImportType};
use crate::import::rows::CheckedRows;
use crate::import::status_form::StatusNames;
use crate::import::steps::{ImportStep, ImportSteps};
use crate::import::store::FoundFile;
use crate::import::target_config::ServerPlace;
use crate::source::{connect_postgres, postgres_words};
use copy::{Copying, unfit};

const TABLES: &str = include_str!("postgres.sql");
const VERSION: i64 = 1;
/// How long the session of an import that has ended may hold its lock.
const PATIENCE: &str = "10s";

/// The memory; it connects when it is first asked, and again when the connection was lost.
#[derive(Debug)]
pub(super) struct PostgresMemory {
    place: ServerPlace,
    /// As it stands in statements.
    schema: String,
    columns: Vec<ImportColumn>,
    rescue: Option<String>,
    names: StatusNames,
    session: Option<Session>,
    open: Option<OpenFile>,
    copying: Option<Copying>,
    steps: Arc<dyn ImportSteps>,
}

#[derive(Debug)]
struct Session {
    client: Client,
    connection: tokio::task::JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl PostgresMemory {
    pub(super) fn new(config: &ImportConfig, place: ServerPlace, steps: Arc<dyn ImportSteps>) -> Self {
        Self {
            schema: quoted(&place.schema),
            place,
            columns: config.profile.columns.clone(),
            rescue: config.rescue_column.clone(),
            names: StatusNames::of(config),
            session: None,
            open: None,
            copying: None,
            steps,
        }
    }

    fn wrong(&self, problem: impl Into<String>, help: impl Into<String>) -> TargetError {
        let place = format!("postgres schema {}", self.place.schema);
        TargetError::Server { place, problem: problem.into(), help: help.into() }
    }

    /// An error of the server or of the way to it.
    fn failed(&self, error: &tokio_postgres::Error) -> TargetError {
        let help = match error.code() {
            Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                "the user must own the schema, or may create one in the database"
            }
            Some(&SqlState::DISK_FULL) => "free some disk of the server; what was not stored is read again",
            _ => "see the server's log; what was not stored is read again",
        };
        self.wrong(postgres_words(error), help)
    }

    /// The connection, with the tables made and nobody else at work with them.
    async fn connected(&mut self) -> Result<(), TargetError> {
        if self.session.as_ref().is_some_and(|session| !session.client.is_closed()) {
            return Ok(());
        }
        (self.session, self.open, self.copying) = (None, None, None);
        let root = self.place.root_certificate.as_deref();
        let (client, connection) = connect_postgres(&self.place.url, root)
            .await
            .map_err(|(problem, help)| self.wrong(problem, help))?;
        let session = Session { client, connection };
        self.lock(&session.client).await?;
        self.prepare(&session.client).await?;
        self.session = Some(session);
        Ok(())
    }

    async fn lock(&self, client: &Client) -> Result<(), TargetError> {
        let patience = format!("SET lock_timeout = '{PATIENCE}'");
        client.batch_execute(&patience).await.map_err(|error| self.failed(&error))?;
        let name = format!("bucketproof import {}", self.place.schema);
        let lock = "SELECT pg_advisory_lock(hashtextextended($1, 0))";
        client.execute(lock, &[&name]).await.map_err(|error| {
            if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) {
                let help = "wait for the other import, or give this one its own `target.postgres.schema`";
                return self.wrong("the schema is in use by another import", help);
            }
            self.failed(&error)
        })?;
        client.batch_execute("RESET lock_timeout").await.map_err(|error| self.failed(&error))
    }

    /// Makes what is missing.
    async fn prepare(&self, client: &Client) -> Result<(), TargetError> {
        let failed = |error: tokio_postgres::Error| self.failed(&error);
        let meta = format!("{}.import_meta", self.schema);
        let found = client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&meta]).await.map_err(failed)?;
        if !found.get::<_, bool>(0) {
            let event = self.event_table();
            let tables = TABLES.replace("{schema}", &self.schema);
            // A schema that is there already need not be the user's to make.
            let known = client
                .query_opt("SELECT 1 FROM pg_namespace WHERE nspname = $1", &[&self.place.schema])
                .await
                .map_err(failed)?;
            let schema =
                if known.is_some() { String::new() } else { format!("CREATE SCHEMA {};", self.schema) };
            client
                .batch_execute(&format!("BEGIN; {schema} {tables} {event} COMMIT;"))
                .await
                .map_err(failed)?;
        }
        let version = format!("SELECT version FROM {meta}");
        let version: i64 = client.query_one(&version, &[]).await.map_err(failed)?.get(0);
        if version > VERSION {
            let problem = format!("its tables have version {version}, this program knows up to {VERSION}");
            return Err(self.wrong(problem, "run the program version that made them, or a newer one"));
        }
        if let Some(rescue) = &self.rescue {
            let add =
                format!("ALTER TABLE {}.event ADD COLUMN IF NOT EXISTS {} json", self.schema, quoted(rescue));
            client.batch_execute(&add).await.map_err(failed)?;
        }
        Ok(())
    }

    fn event_table(&self) -> String {
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|column| {
                let kind = match column.kind {
                    ImportType::String => "text",
                    ImportType::Map => "json",
                    ImportType::Long => "bigint",
                    ImportType::Double => "double precision",
                };
                let null = if column.required { " NOT NULL" } else { "" };
                format!("{} {kind}{null}", quoted(&column.name))
            })
            .collect();
        format!(
            // No reference to the file: it would be looked up for every row, in the transaction that has just read it.
            "CREATE TABLE {}.event (file bigint NOT NULL, row bigint NOT NULL, {}, PRIMARY KEY (file, row));",
            self.schema,
            columns.join(", ")
        )
    }

    fn client(&self) -> Result<&Client, TargetError> {
        let session = self.session.as_ref();
        session.map(|session| &session.client).ok_or_else(|| self.wrong("there is no connection", ""))
    }

    async fn batch(&self, statements: &str) -> Result<(), TargetError> {
        self.client()?.batch_execute(statements).await.map_err(|error| self.failed(&error))
    }

    /// The columns of events, as COPY names them.
    fn event_columns(&self) -> String {
        let names = self.columns.iter().map(|column| &column.name).chain(&self.rescue);
        names.fold("file, row".to_owned(), |text, name| text + ", " + &quoted(name))
    }

    /// Ends what was begun, as if it had not been.
    async fn stop(&mut self) -> Result<(), TargetError> {
        self.copying = None;
        if self.open.take().is_some() && !self.client()?.is_closed() {
            self.batch("ROLLBACK").await?;
        }
        Ok(())
    }

    /// Settles the report of one place; there are untold entries.
    async fn seal(&self, bucket: &str, folder: &str, now: Timestamp) -> Result<(), TargetError> {
        let failed = |error: tokio_postgres::Error| self.failed(&error);
        let (client, schema) = (self.client()?, &self.schema);
        let last = format!("SELECT max(at_ms) FROM {schema}.report WHERE bucket = $1 AND folder = $2");
        let last: Option<i64> = client.query_one(&last, &[&bucket, &folder]).await.map_err(failed)?.get(0);
        let at_ms = now.as_millisecond().max(last.map_or(i64::MIN, |last| last + 1));
        let untold = format!(
            "SELECT f.connection, f.key, f.created_ms, e.entry_id, e.rows, e.findings, f.state = 'refused' \
             FROM {schema}.entry e JOIN {schema}.file f ON f.id = e.file \
             WHERE e.report IS NULL AND f.bucket = $1 AND f.folder = $2 \
             ORDER BY f.key COLLATE \"C\", f.created_ms, e.file, e.entry_id"
        );
        let rows = client.query(&untold, &[&bucket, &folder]).await.map_err(failed)?;
        let entries = rows.iter().map(|row| UntoldEntry {
            connection: row.get(0),
            key: row.get(1),
            created_ms: row.get(2),
            entry_id: row.get(3),
            rows: row.get(4),
            findings: row.get(5),
            is_refused: row.get(6),
        });
        let body = report_text(entries, &self.names)?;
        let insert = format!(
            "INSERT INTO {schema}.report (bucket, folder, at_ms, body) VALUES ($1, $2, $3, $4) RETURNING id"
        );
        let report = client.query_one(&insert, &[&bucket, &folder, &at_ms, &body]).await.map_err(failed)?;
        let report: i64 = report.get(0);
        let told = format!(
            "UPDATE {schema}.entry SET report = $1 WHERE report IS NULL AND file IN \
             (SELECT id FROM {schema}.file WHERE bucket = $2 AND folder = $3)"
        );
        client.execute(&told, &[&report, &bucket, &folder]).await.map_err(failed)?;
        Ok(())
    }

    async fn seal_all(&self, now: Timestamp) -> Result<bool, TargetError> {
        let failed = |error: tokio_postgres::Error| self.failed(&error);
        let schema = &self.schema;
        let places = format!(
            "SELECT DISTINCT f.bucket, f.folder FROM {schema}.entry e JOIN {schema}.file f ON f.id = e.file \
             WHERE e.report IS NULL ORDER BY 1, 2"
        );
        let places = self.client()?.query(&places, &[]).await.map_err(failed)?;
        for place in &places {
            self.seal(place.get(0), place.get(1), now).await?;
        }
        Ok(!places.is_empty())
    }
}

#[async_trait]
impl Memory for PostgresMemory {
    async fn note_files(
        &mut self,
        connection: &str,
        bucket: &str,
        folder: &str,
        files: &[FoundFile],
    ) -> Result<u64, TargetError> {
        self.connected().await?;
        let note = format!(
            // What was gone may be back: somebody restored the former content.
            "INSERT INTO {0}.file (connection, bucket, folder, key, etag, version, bytes, created_ms, state) \
             SELECT DISTINCT ON (t.key, t.etag, t.version) $1, $2, $3, t.key, t.etag, t.version, t.bytes, \
             t.created_ms, 'pending' \
             FROM unnest($4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[]) \
             WITH ORDINALITY AS t (key, etag, version, bytes, created_ms, place) \
             ORDER BY t.key, t.etag, t.version, t.place \
             ON CONFLICT (md5(key), connection, bucket, etag, version) DO UPDATE SET state = 'pending', \
             folder = excluded.folder, bytes = excluded.bytes, created_ms = excluded.created_ms \
             WHERE {0}.file.state = 'gone'",
            self.schema
        );
        // No text of this database has a NUL, so such a file could never be noted.
        let (files, strange): (Vec<_>, Vec<_>) = files.iter().partition(|file| !file.key.contains('\0'));
        for file in strange {
            tracing::warn!(connection, key = file.key, "a key with the character U+0000 is passed over");
        }
        let keys: Vec<&str> = files.iter().map(|file| file.key.as_str()).collect();
        let etags: Vec<&str> = files.iter().map(|file| file.etag.as_str()).collect();
        let versions: Vec<&str> =
            files.iter().map(|file| file.version.as_deref().unwrap_or_default()).collect();
        let bytes: Vec<i64> = files.iter().map(|file| signed(file.bytes)).collect();
        let created: Vec<i64> = files.iter().map(|file| file.created.as_millisecond()).collect();
        let client = self.client()?;
        let noted = client
            .execute(&note, &[&connection, &bucket, &folder, &keys, &etags, &versions, &bytes, &created])
            .await;
        noted.map_err(|error| self.failed(&error))
    }

    async fn pending(&mut self, after: i64, limit: u32) -> Result<Vec<PendingFile>, TargetError> {
        self.connected().await?;
        let select = format!(
            "SELECT id, connection, bucket, key, etag, version, bytes, created_ms FROM {}.file \
             WHERE state = 'pending' AND id > $1 ORDER BY id LIMIT $2",
            self.schema
        );
        let rows = self.client()?.query(&select, &[&after, &i64::from(limit)]).await;
        let rows = rows.map_err(|error| self.failed(&error))?;
        let file = |row: &tokio_postgres::Row| PendingFile {
            id: row.get(0),
            connection: row.get(1),
            bucket: row.get(2),
            key: row.get(3),
            etag: row.get(4),
            version: Some(row.get::<_, String>(5)).filter(|version| !version.is_empty()),
            bytes: unsigned(row.get(6)),
            created_ms: row.get(7),
        };
        Ok(rows.iter().map(file).collect())
    }

    async fn begin(&mut self, file: &PendingFile) -> Result<(), TargetError> {
        self.stop().await?;
        self.connected().await?;
        self.steps.reached(ImportStep::Begun);
        self.batch("BEGIN").await?;
        self.open = Some(OpenFile { file: file.clone(), rows: 0, taken: HashSet::new() });
        let taken = format!(
            "SELECT e.row FROM {0}.file f JOIN {0}.event e ON e.file = f.id WHERE md5(f.key) = md5($2) AND f.key = $2 \
             AND f.bucket = $1 AND f.etag = $3 AND f.version = $4 AND f.state = 'stored' AND f.id <> $5",
            self.schema
        );
        let version = file.version.as_deref().unwrap_or_default();
        let found = self
            .client()?
            .query(&taken, &[&file.bucket, &file.key, &file.etag, &version, &file.id])
            .await
            .map_err(|error| self.failed(&error))?;
        if let Some(open) = &mut self.open {
            open.taken = found.iter().map(|row| unsigned(row.get(0))).collect();
        }
        Ok(())
    }

    async fn rows(&mut self, rows: &mut CheckedRows) -> Result<Option<String>, TargetError> {
        let Some(open) = &mut self.open else { return Err(self.wrong("no file is open", "")) };
        open.take(rows);
        let file = open.file.id;
        if let Some(detail) = unfit(rows, &self.columns) {
            return Ok(Some(detail));
        }
        let mut copying = if let Some(copying) = self.copying.take() {
            copying
        } else {
            let copy =
                format!("COPY {}.event ({}) FROM STDIN (FORMAT binary)", self.schema, self.event_columns());
            let sink = self.client()?.copy_in(&copy).await.map_err(|error| self.failed(&error))?;
            Copying::new(sink, &self.columns, self.rescue.is_some())
        };
        copying.rows(file, rows, &self.columns).await.map_err(|error| self.failed(&error))?;
        self.copying = Some(copying);
        self.steps.reached(ImportStep::Rows);
        Ok(None)
    }

    async fn finish(&mut self, end: FileEnd<'_>) -> Result<(), TargetError> {
        if let Some(copying) = self.copying.take() {
            copying.finish().await.map_err(|error| self.failed(&error))?;
        }
        let Some(open) = &self.open else { return Err(self.wrong("no file is open", "")) };
        let (id, rows, state) = (open.file.id, signed(open.rows), end.state());
        let update = format!("UPDATE {}.file SET state = $1, rows = $2 WHERE id = $3", self.schema);
        let client = self.client()?;
        client.execute(&update, &[&state, &rows, &id]).await.map_err(|error| self.failed(&error))?;
        let insert = format!(
            // A file that was gone and told so may be back.
            "INSERT INTO {0}.entry (file, entry_id, rows, findings, made_ms) \
             SELECT $1, t.id + (SELECT coalesce(max(entry_id), 0) FROM {0}.entry WHERE file = $1), t.rows, t.findings, $2 \
             FROM unnest($3::bigint[], $4::bigint[], $5::text[]) AS t (id, rows, findings)",
            self.schema
        );
        let ids: Vec<i64> = end.entries.iter().map(|entry| entry.id.into()).collect();
        let counts: Vec<i64> = end.entries.iter().map(|entry| signed(entry.rows)).collect();
        // A text of this database has no NUL; JSON writes one as six characters.
        let findings: Vec<String> = end.entries.iter().map(findings_text).collect();
        let made = end.now.as_millisecond();
        let client = self.client()?;
        client
            .execute(&insert, &[&id, &made, &ids, &counts, &findings])
            .await
            .map_err(|error| self.failed(&error))?;
        self.steps.reached(ImportStep::CommitBegin);
        self.batch("COMMIT").await?;
        self.open = None;
        self.steps.reached(ImportStep::Committed);
        Ok(())
    }

    async fn abort(&mut self) -> Result<(), TargetError> {
        self.stop().await
    }

    async fn gone(&mut self, file: &PendingFile) -> Result<(), TargetError> {
        self.connected().await?;
        let update = format!("UPDATE {}.file SET state = 'gone' WHERE id = $1", self.schema);
        self.client()?.execute(&update, &[&file.id]).await.map_err(|error| self.failed(&error))?;
        Ok(())
    }

    async fn seal_reports(&mut self, now: Timestamp) -> Result<(), TargetError> {
        self.connected().await?;
        self.batch("BEGIN").await?;
        match self.seal_all(now).await {
            Ok(is_something) => {
                self.batch("COMMIT").await?;
                if is_something {
                    self.steps.reached(ImportStep::Sealed);
                }
                Ok(())
            }
            Err(error) => {
                self.batch("ROLLBACK").await?;
                Err(error)
            }
        }
    }

    async fn unwritten_reports(&mut self) -> Result<Vec<SealedReport>, TargetError> {
        self.connected().await?;
        let select = format!(
            "SELECT id, bucket, folder, at_ms, body FROM {}.report WHERE NOT written ORDER BY id",
            self.schema
        );
        let rows = self.client()?.query(&select, &[]).await.map_err(|error| self.failed(&error))?;
        let report = |row: &tokio_postgres::Row| SealedReport {
            id: row.get(0),
            bucket: row.get(1),
            folder: row.get(2),
            at_ms: row.get(3),
            body: row.get(4),
        };
        Ok(rows.iter().map(report).collect())
    }

    async fn written(&mut self, report: i64) -> Result<(), TargetError> {
        self.connected().await?;
        let update = format!("UPDATE {}.report SET written = true WHERE id = $1", self.schema);
        self.client()?.execute(&update, &[&report]).await.map_err(|error| self.failed(&error))?;
        self.steps.reached(ImportStep::Told);
        Ok(())
    }

    async fn postpone(&mut self, report: &SealedReport) -> Result<i64, TargetError> {
        self.connected().await?;
        let update = format!(
            "UPDATE {0}.report SET at_ms = 1 + greatest($4, \
             (SELECT max(at_ms) FROM {0}.report WHERE bucket = $2 AND folder = $3)) WHERE id = $1 RETURNING at_ms",
            self.schema
        );
        let row = self
            .client()?
            .query_one(&update, &[&report.id, &report.bucket, &report.folder, &report.at_ms])
            .await;
        Ok(row.map_err(|error| self.failed(&error))?.get(0))
    }

    async fn oldest_untold(&mut self) -> Result<Option<Timestamp>, TargetError> {
        self.connected().await?;
        let select = format!("SELECT min(made_ms) FROM {}.entry WHERE report IS NULL", self.schema);
        let row = self.client()?.query_one(&select, &[]).await.map_err(|error| self.failed(&error))?;
        let oldest: Option<i64> = row.get(0);
        Ok(oldest.and_then(|ms| Timestamp::from_millisecond(ms).ok()))
    }

    async fn waiting(&mut self, connection: &str) -> Result<Waiting, TargetError> {
        self.connected().await?;
        let select = format!(
            "SELECT count(*), min(created_ms) FROM ( \
             SELECT id, created_ms FROM {0}.file WHERE state = 'pending' AND connection = $1 \
             UNION SELECT f.id, f.created_ms FROM {0}.entry e JOIN {0}.file f ON f.id = e.file \
             WHERE e.report IS NULL AND f.connection = $1 \
             UNION SELECT f.id, f.created_ms FROM {0}.report r JOIN {0}.entry e ON e.report = r.id \
             JOIN {0}.file f ON f.id = e.file WHERE NOT r.written AND f.connection = $1) AS waiting",
            self.schema
        );
        let row = self.client()?.query_one(&select, &[&connection]).await;
        let row = row.map_err(|error| self.failed(&error))?;
        Ok(Waiting { files: unsigned(row.get(0)), oldest_ms: row.get(1) })
    }

    async fn counts(&mut self, connection: &str) -> Result<FileCounts, TargetError> {
        self.connected().await?;
        let select =
            format!("SELECT state, count(*) FROM {}.file WHERE connection = $1 GROUP BY state", self.schema);
        let rows =
            self.client()?.query(&select, &[&connection]).await.map_err(|error| self.failed(&error))?;
        let mut counts = FileCounts::default();
        for row in &rows {
            counts.add(row.get(0), unsigned(row.get(1)))?;
        }
        Ok(counts)
    }
}
