//! Whether reports come in time: since when files wait for their reports, and the alarm if that is too long.
//!
//! A file waits from its creation until the bucket has the last report that tells of it; what lay in the bucket before its
//! connection was first imported from waits from then on. What is noted stays with the inbox, so the alarm is seen also
//! while an import works, hangs, or does not run.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, params};
use serde::Serialize;

use super::config::ImportConfig;
use super::engine::{ImportError, Importer};
use super::inbox::Inbox;
use super::memory::Waiting;
use crate::state::StateError;

/// How the reports of a connection stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReportingState {
    /// All is told.
    #[default]
    Told,
    /// Files wait for their reports, no longer than they may.
    Waiting,
    /// The alarm: the oldest file has waited too long.
    Late,
}

/// What a connection owes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reporting {
    /// How it stands.
    pub state: ReportingState,
    /// Files that are not told of, or not whole.
    pub files_waiting: u64,
    /// Since when the oldest of them waits.
    pub since: Option<Timestamp>,
    /// How long a file may wait, in minutes.
    pub alarm_after_minutes: u32,
    /// How often that was too long.
    pub missed: u64,
}

impl ImportConfig {
    /// How long a file may wait for its report.
    pub(crate) fn alarm_after_minutes(&self) -> u32 {
        self.status.alarm_after_minutes.unwrap_or(self.profile.status.alarm_after_minutes)
    }
}

fn is_late(since: Timestamp, minutes: u32, now: Timestamp) -> bool {
    now.duration_since(since) > SignedDuration::from_mins(minutes.into())
}

impl Inbox {
    /// Notes that the connection is imported from; the first time counts.
    fn begin_reporting(&self, connection: &str, bucket: &str, now: Timestamp) -> Result<(), StateError> {
        self.database().execute(
            "INSERT INTO reporting (connection, bucket, begun_ms) VALUES (?1, ?2, ?3) ON CONFLICT (connection) \
             DO UPDATE SET bucket = ?2, begun_ms = ?3, files = 0, since_ms = NULL, late = 0 WHERE bucket <> ?2",
            params![connection, bucket, now.as_millisecond()],
        )?;
        Ok(())
    }

    /// Notes what waits, and whether that is too long; whether it was not so before.
    fn note_waiting(
        &self,
        connection: &str,
        waiting: Waiting,
        minutes: u32,
        now: Timestamp,
    ) -> Result<bool, StateError> {
        let mut database = self.database();
        let transaction = database.transaction()?;
        let (begun_ms, was_late): (i64, bool) = transaction.query_row(
            "SELECT begun_ms, late FROM reporting WHERE connection = ?",
            [connection],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let since_ms = waiting.oldest_ms.map(|oldest| oldest.max(begun_ms));
        let since = since_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let is_late = since.is_some_and(|since| is_late(since, minutes, now));
        let is_news = is_late && !was_late;
        transaction.execute(
            "UPDATE reporting SET files = ?2, since_ms = ?3, late = ?4, missed = missed + ?5 WHERE connection = ?1",
            params![
                connection,
                i64::try_from(waiting.files).unwrap_or(i64::MAX),
                since_ms,
                is_late,
                is_news
            ],
        )?;
        transaction.commit()?;
        Ok(is_news)
    }

    /// How the reports of a connection stand at `now`, by what was noted last.
    pub(crate) fn reporting(
        &self,
        connection: &str,
        bucket: &str,
        minutes: u32,
        now: Timestamp,
    ) -> Result<Reporting, StateError> {
        let found = self
            .database()
            .query_row(
                "SELECT files, since_ms, late, missed FROM reporting WHERE connection = ? AND bucket = ?",
                [connection, bucket],
                |row| {
                    let files: i64 = row.get(0)?;
                    let missed: i64 = row.get(3)?;
                    Ok((files, row.get::<_, Option<i64>>(1)?, row.get::<_, bool>(2)?, missed))
                },
            )
            .optional()?;
        let nothing = Reporting { alarm_after_minutes: minutes, ..Reporting::default() };
        let Some((files, since_ms, was_late, missed)) = found else { return Ok(nothing) };
        let since = since_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let is_late = since.is_some_and(|since| is_late(since, minutes, now));
        let state = match since {
            None => ReportingState::Told,
            Some(_) if is_late => ReportingState::Late,
            Some(_) => ReportingState::Waiting,
        };
        // Nobody may have been there to note it.
        let missed = u64::try_from(missed).unwrap_or_default() + u64::from(is_late && !was_late);
        let files_waiting = u64::try_from(files).unwrap_or_default();
        Ok(Reporting { state, files_waiting, since, missed, ..nothing })
    }
}

impl Importer {
    /// Notes that a pass begins: from now on files of the connections are told in time.
    pub(super) fn begin_reporting(&self) -> Result<(), ImportError> {
        let now = self.clock.now();
        for connection in self.config.connections.iter().filter(|connection| connection.enabled) {
            self.inbox.begin_reporting(&connection.name, connection.bucket.name.as_str(), now)?;
        }
        Ok(())
    }

    /// Notes what waits for its report, and raises the alarm.
    pub(super) async fn note_waiting(&mut self) -> Result<(), ImportError> {
        let minutes = self.config.alarm_after_minutes();
        let now = self.clock.now();
        for connection in self.config.connections.iter().filter(|connection| connection.enabled) {
            let waiting = self.memory.waiting(&connection.name).await?;
            if self.inbox.note_waiting(&connection.name, waiting, minutes, now)? {
                tracing::warn!(
                    connection = connection.name,
                    files = waiting.files,
                    "files have waited more than {minutes} minutes for their report"
                );
            }
        }
        Ok(())
    }
}
