//! What reaches an import from outside while it works: files that were announced, subscriptions, how connections fare.
//!
//! A database of its own, so that who announces something is answered while a large file is being stored.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior, params};
use serde::Serialize;
use tokio::sync::Notify;

use super::store::FoundFile;
use crate::state::StateError;

const SCHEMA: &str = include_str!("inbox.sql");
const REPORTING: &str = include_str!("reporting.sql");
const VERSION: i64 = 3;
const FILE: &str = "inbox.sqlite";
/// How long the ids of messages are remembered; SNS tries no longer than an hour, and stale messages are refused.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(48);
/// How long another process may hold the database.
const PATIENCE: Duration = Duration::from_secs(10);

/// A file that a message told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) connection: String,
    pub(crate) bucket: String,
    pub(crate) folder: String,
    pub(crate) file: FoundFile,
}

/// Whether a message came for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    New,
    Known,
}

/// How a connection fares with its bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Access {
    /// Nothing is known yet: access is validated with the first listing.
    #[default]
    Processing,
    /// The bucket was listed.
    Active {
        /// Since when.
        since: Timestamp,
    },
    /// The bucket refused or could not be reached.
    Failed {
        /// Why.
        cause: String,
        /// Since when.
        since: Timestamp,
    },
}

/// A connection's subscription to its topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Subscription {
    /// Nobody asked for a confirmation yet.
    Pending,
    /// Confirmed.
    Confirmed {
        /// The topic.
        topic: String,
        /// The subscription, as far as SNS named it.
        arn: String,
        /// Since when.
        since: Timestamp,
    },
    /// Somebody ended it.
    Ended {
        /// The topic.
        topic: String,
        /// Since when.
        since: Timestamp,
    },
}

/// The open inbox; clones share it.
#[derive(Clone, Debug)]
pub struct Inbox {
    database: Arc<Mutex<Connection>>,
    arrived: Arc<Notify>,
}

impl Inbox {
    /// Opens the inbox in `directory`, making it if there is none.
    pub(crate) fn open(directory: &Path) -> Result<Self, StateError> {
        std::fs::create_dir_all(directory)
            .map_err(|source| StateError::Io { path: directory.display().to_string(), source })?;
        let path = directory.join(FILE);
        let mut database = Connection::open(&path)?;
        database.busy_timeout(PATIENCE)?;
        database.pragma_update(None, "journal_mode", "WAL")?;
        database.pragma_update(None, "synchronous", "FULL")?;
        let known: Option<String> = database
            .query_row("SELECT name FROM sqlite_master WHERE name = 'inbox_meta'", [], |row| row.get(0))
            .optional()?;
        if known.is_none() {
            let transaction = database.transaction()?;
            transaction.execute_batch(SCHEMA)?;
            transaction.execute_batch(REPORTING)?;
            transaction.commit()?;
        }
        Self::checked(database, &path)
    }

    /// Opens the inbox to look at it, also while an import works with it; `None` if there is none.
    pub(crate) fn look(directory: &Path) -> Result<Option<Self>, StateError> {
        let path = directory.join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let database = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        database.busy_timeout(PATIENCE)?;
        Self::checked(database, &path).map(Some)
    }

    fn checked(mut database: Connection, path: &Path) -> Result<Self, StateError> {
        let found: i64 = database.query_row("SELECT version FROM inbox_meta", [], |row| row.get(0))?;
        if found > VERSION {
            return Err(StateError::Newer { path: path.display().to_string(), found, known: VERSION });
        }
        if found < VERSION {
            upgrade(&mut database)?;
        }
        Ok(Self { database: Arc::new(Mutex::new(database)), arrived: Arc::default() })
    }

    pub(super) fn database(&self) -> MutexGuard<'_, Connection> {
        // Transactions are dropped whole, so the database is well also after a panic of another thread.
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what a message told of, and that it came: both or neither.
    pub(crate) fn receive(
        &self,
        connection: &str,
        message: &str,
        notices: &[Notice],
        now: Timestamp,
    ) -> Result<Arrival, StateError> {
        let mut database = self.database();
        let transaction = database.transaction()?;
        let now_ms = now.as_millisecond();
        let new = transaction.execute(
            "INSERT OR IGNORE INTO message (connection, id, received_ms) VALUES (?, ?, ?)",
            params![connection, message, now_ms],
        )?;
        if new == 0 {
            return Ok(Arrival::Known);
        }
        for notice in notices {
            transaction.execute(
                "INSERT INTO notice (connection, bucket, folder, key, etag, version, bytes, created_ms) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    notice.connection,
                    notice.bucket,
                    notice.folder,
                    notice.file.key,
                    notice.file.etag,
                    notice.file.version.as_deref().unwrap_or_default(),
                    i64::try_from(notice.file.bytes).unwrap_or(i64::MAX),
                    notice.file.created.as_millisecond(),
                ],
            )?;
        }
        let forgotten = now_ms.saturating_sub(i64::try_from(REMEMBERED.as_millis()).unwrap_or(i64::MAX));
        transaction.execute("DELETE FROM message WHERE received_ms < ?", [forgotten])?;
        transaction.commit()?;
        drop(database);
        if !notices.is_empty() {
            self.arrived.notify_one();
        }
        Ok(Arrival::New)
    }

    /// Returns once something was announced.
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// The oldest notices, each with its number.
    pub(crate) fn notices(&self, limit: u32) -> Result<Vec<(i64, Notice)>, StateError> {
        let database = self.database();
        let mut select = database.prepare_cached(
            "SELECT id, connection, bucket, folder, key, etag, version, bytes, created_ms FROM notice ORDER BY id LIMIT ?",
        )?;
        let rows = select.query_map([limit], |row| {
            let created: i64 = row.get(8)?;
            let file = FoundFile {
                key: row.get(4)?,
                etag: row.get(5)?,
                version: Some(row.get::<_, String>(6)?).filter(|version| !version.is_empty()),
                bytes: u64::try_from(row.get::<_, i64>(7)?).unwrap_or_default(),
                created: Timestamp::from_millisecond(created).unwrap_or_default(),
            };
            let notice = Notice { connection: row.get(1)?, bucket: row.get(2)?, folder: row.get(3)?, file };
            Ok((row.get(0)?, notice))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Forgets a notice that the import has noted.
    pub(crate) fn forget(&self, up_to: i64) -> Result<(), StateError> {
        self.database().execute("DELETE FROM notice WHERE id <= ?", [up_to])?;
        Ok(())
    }

    pub(crate) fn note_subscription(
        &self,
        connection: &str,
        topic: &str,
        arn: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StateError> {
        let state = if arn.is_some() { "confirmed" } else { "ended" };
        self.database().execute(
            "INSERT OR REPLACE INTO subscription (connection, topic, state, arn, since_ms) VALUES (?, ?, ?, ?, ?)",
            params![connection, topic, state, arn.unwrap_or_default(), now.as_millisecond()],
        )?;
        Ok(())
    }

    /// What is known of a connection's subscription to a topic.
    pub(crate) fn subscription(&self, connection: &str, topic: &str) -> Result<Subscription, StateError> {
        let found = self
            .database()
            .query_row(
                "SELECT state, arn, since_ms FROM subscription WHERE connection = ? AND topic = ?",
                [connection, topic],
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?)),
            )
            .optional()?;
        let topic = topic.to_owned();
        let Some((state, arn, since)) = found else { return Ok(Subscription::Pending) };
        let since = Timestamp::from_millisecond(since).unwrap_or_default();
        match state.as_str() {
            "confirmed" => Ok(Subscription::Confirmed { topic, arn, since }),
            "ended" => Ok(Subscription::Ended { topic, since }),
            _ => Err(StateError::Corrupt { value: state, expected: "a state of a subscription" }),
        }
    }

    /// Notes how a connection fares: a cause, if it failed.
    pub(crate) fn note_access(
        &self,
        connection: &str,
        bucket: &str,
        cause: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StateError> {
        let state = if cause.is_some() { "failed" } else { "active" };
        // Since when is that of the last change.
        self.database().execute(
            "INSERT INTO access (connection, bucket, state, cause, since_ms) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (connection) DO UPDATE SET bucket = ?2, state = ?3, cause = ?4, since_ms = ?5 \
             WHERE bucket <> ?2 OR state <> ?3 OR cause <> ?4",
            params![connection, bucket, state, cause.unwrap_or_default(), now.as_millisecond()],
        )?;
        Ok(())
    }

    /// How a connection fares with its bucket.
    pub(crate) fn access(&self, connection: &str, bucket: &str) -> Result<Access, StateError> {
        let found = self
            .database()
            .query_row(
                "SELECT state, cause, since_ms FROM access WHERE connection = ? AND bucket = ?",
                [connection, bucket],
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?)),
            )
            .optional()?;
        let Some((state, cause, since)) = found else { return Ok(Access::Processing) };
        let since = Timestamp::from_millisecond(since).unwrap_or_default();
        match state.as_str() {
            "active" => Ok(Access::Active { since }),
            "failed" => Ok(Access::Failed { cause, since }),
            _ => Err(StateError::Corrupt { value: state, expected: "a state of a connection" }),
        }
    }
}

/// Brings what an earlier program has made to what this one knows; somebody else may be about to do the same.
fn upgrade(database: &mut Connection) -> Result<(), StateError> {
    let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.query_row("SELECT version FROM inbox_meta", [], |row| row.get(0))?;
    if found < 2 {
        transaction.execute_batch("ALTER TABLE notice ADD COLUMN version TEXT NOT NULL DEFAULT '';")?;
    }
    if found < 3 {
        transaction.execute_batch(REPORTING)?;
    }
    transaction.execute("UPDATE inbox_meta SET version = ?", [VERSION])?;
    transaction.commit()?;
    Ok(())
}
