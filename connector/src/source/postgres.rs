//! A table of a PostgreSQL database.
//!
//! Which rows are new is not told by their times: rows of one instant can be committed by several transactions, and a
//! transaction that began early can be committed late. It is told by the transaction that wrote a row. Each pull reads one
//! snapshot and notes the oldest transaction that was still running in it. The next pull gives every row that this or a
//! later transaction wrote, subtransactions of savepoints included: whatever was not visible before is among them. What was
//! visible before and comes again is a row of the same key and version, or, where rows have no key, is known by its digest.
//!
//! `updated_at` only saves work: the pull passes over rows whose time lies more than `overlap` before the moment from
//! which on the transactions in question wrote. It must be set by the database's clock, and `overlap` must be longer than
//! any transaction waits before it first writes. A source whose times come from elsewhere leaves it out; then the whole
//! table is scanned.
//!
//! Deleted rows leave no trace, as in the vendors' own exports. Rows come by binary COPY, one JSON object each.

mod connect;
mod tls;

use std::io::Write;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyOutStream;
use tokio_postgres::types::Type;

pub(crate) use connect::{connect, words};

use super::SourceError;
use super::pulled::{Pulled, Source};
use super::seen::{Seen, digest};
use crate::config::PostgresPlace;
use crate::profile::{Dataset, Mode};

/// Snapshots on record while a transaction stays open.
const TRAIL_MAX: usize = 256;

/// A table of a PostgreSQL database, as a source.
#[derive(Debug)]
pub(crate) struct PostgresTable {
    place: PostgresPlace,
}

/// What the last pull saw.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Checkpoint {
    /// The oldest transaction that was running.
    oldest_running: u64,
    /// Earlier snapshots: the first transaction after each, and the moment before it, microseconds.
    trail: Vec<(u64, i64)>,
    /// Rows that may come again, where rows have no key.
    seen: Seen,
}

/// The snapshot that a pull reads.
#[derive(Clone, Copy, Debug)]
struct Snapshot {
    oldest_running: u64,
    next: u64,
    began: i64,
}

/// The table, as the database names it.
struct Table {
    name: String,
    columns: Vec<(String, String)>,
}

impl PostgresTable {
    pub(crate) fn new(place: PostgresPlace) -> Self {
        Self { place }
    }

    async fn connect(&self) -> Result<(Client, tokio::task::JoinHandle<()>), SourceError> {
        let connected = connect(&self.place.url, self.place.root_certificate.as_deref()).await;
        connected.map_err(|(problem, help)| self.failed(&problem, help))
    }

    async fn table(&self, client: &Client) -> Result<Table, SourceError> {
        let name = &self.place.table.name;
        let help = "check `table`, and that the user may select from it";
        let failed = |error: tokio_postgres::Error| self.failed(&words(&error), help);
        let found = client
            .query_opt(
                "SELECT format('%I.%I', n.nspname, c.relname), c.relkind::text, c.oid FROM pg_class c
                 JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)",
                &[name],
            )
            .await
            .map_err(failed)?;
        let Some(found) = found else {
            return Err(self.failed(&format!("there is no table `{name}`"), help));
        };
        let kind: String = found.get(1);
        if !matches!(kind.as_str(), "r" | "p" | "m") {
            let problem =
                format!("`{name}` is no table, so its rows do not tell which transaction wrote them");
            return Err(self.failed(&problem, "name the table behind the view"));
        }
        let columns = client
            .query(
                "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute
                 WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                &[&found.get::<_, u32>(2)],
            )
            .await
            .map_err(failed)?;
        Ok(Table {
            name: found.get(0),
            columns: columns.iter().map(|row| (row.get(0), row.get(1))).collect(),
        })
    }

    async fn snapshot(&self, client: &Client) -> Result<Snapshot, SourceError> {
        let failed =
            |error: tokio_postgres::Error| self.failed(&words(&error), "PostgreSQL 13 or later is needed");
        client
            .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL TimeZone = 'UTC'")
            .await
            .map_err(failed)?;
        let row = client
            .query_one(
                "SELECT pg_snapshot_xmin(s)::text, pg_snapshot_xmax(s)::text,
                        (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint
                 FROM pg_current_snapshot() s",
                &[],
            )
            .await
            .map_err(failed)?;
        let number = |at: usize| row.get::<_, String>(at).parse().unwrap_or(0);
        Ok(Snapshot { oldest_running: number(0), next: number(1), began: row.get(2) })
    }

    /// The query that gives new rows, and whether each may come again.
    fn query(
        &self,
        dataset: &Dataset,
        table: &Table,
        known: Option<&Checkpoint>,
        now: Snapshot,
    ) -> Result<String, SourceError> {
        let picked: Vec<String> = dataset
            .columns()
            .iter()
            .filter(|column| table.columns.iter().any(|(name, _)| *name == column.name))
            .map(|column| quoted(&column.name))
            .collect();
        if picked.is_empty() {
            let problem = format!("table {} has none of the dataset's columns", table.name);
            return Err(self.failed(&problem, "its columns are to be named as the dataset's"));
        }
        // A row keeps the lower half of the number of the transaction that wrote it.
        let (low, high) = (now.next & 0xFFFF_FFFF, i128::from(now.next >> 32) << 32);
        let written = format!(
            "(r.xmin::text::bigint + CASE WHEN r.xmin::text::bigint > {low} THEN {} ELSE {high} END)",
            high - (1_i128 << 32)
        );
        let mut conditions: Vec<String> = Vec::new();
        if let Some(known) = known {
            conditions.push(format!("{written} >= {}", known.oldest_running));
        }
        if let Some(column) = &self.place.table.updated_at {
            let Some((_, kind)) = table.columns.iter().find(|(name, _)| name == column) else {
                let problem = format!("table {} has no column `{column}`", table.name);
                return Err(self.failed(&problem, "correct `updated_at`"));
            };
            let zone = match kind.as_str() {
                "timestamp with time zone" => "",
                "timestamp without time zone" => " AT TIME ZONE 'UTC'",
                other => {
                    let problem = format!("column `{column}` of table {} is of type `{other}`", table.name);
                    return Err(
                        self.failed(&problem, "name a column of timestamps, or leave `updated_at` out")
                    );
                }
            };
            let overlap = i64::try_from(self.place.table.overlap.as_micros()).unwrap_or(i64::MAX);
            if let Some(floor) = known.and_then(|known| known.floor(overlap)) {
                let floor = format!("(timestamptz 'epoch' + interval '{floor} microseconds'){zone}");
                conditions.push(format!("(r.{0} >= {floor} OR r.{0} IS NULL)", quoted(column)));
            }
        }
        let condition = if conditions.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", conditions.join(" AND "))
        };
        let picked = picked.join(", r.");
        Ok(format!(
            "COPY (SELECT row_to_json((SELECT x FROM (SELECT r.{picked}) x))::text, {written} >= {} \
             FROM {} r{condition}) TO STDOUT (FORMAT binary)",
            now.oldest_running, table.name
        ))
    }
}

impl Checkpoint {
    /// The moment before which no row in question can have its time; `None` if that is not known.
    fn floor(&self, overlap: i64) -> Option<i64> {
        let before = self.trail.iter().rev().find(|(next, _)| *next <= self.oldest_running)?;
        Some(before.1.saturating_sub(overlap))
    }

    /// The checkpoint once `now` was read.
    fn after(known: Option<&Self>, now: Snapshot) -> Self {
        let mut trail = known.map(|known| known.trail.clone()).unwrap_or_default();
        trail.push((now.next, now.began));
        // Of the snapshots before all that is running, the last one is enough.
        let useless = trail.iter().rposition(|(next, _)| *next <= now.oldest_running).unwrap_or(0);
        trail.drain(..useless);
        if trail.len() > TRAIL_MAX {
            let mut position = 0;
            trail.retain(|_| {
                position += 1;
                position % 2 == 1
            });
        }
        Self { oldest_running: now.oldest_running, trail, seen: Seen::default() }
    }
}

#[async_trait]
impl Source for PostgresTable {
    fn name(&self) -> String {
        format!("postgres {}", self.place.table.name)
    }

    async fn pull(
        &self,
        checkpoint: Option<&str>,
        dataset: &Dataset,
        rows: &mut (dyn Write + Send),
    ) -> Result<Pulled, SourceError> {
        let known: Option<Checkpoint> = checkpoint
            .map(serde_json::from_str)
            .transpose()
            .map_err(|error| self.failed(&error, "move the state directory away and run `sync`"))?;
        let (client, connection) = self.connect().await?;
        let outcome = self.pull_from(&client, known, dataset, rows).await;
        drop(client);
        connection.abort();
        outcome
    }
}

impl PostgresTable {
    async fn pull_from(
        &self,
        client: &Client,
        known: Option<Checkpoint>,
        dataset: &Dataset,
        rows: &mut (dyn Write + Send),
    ) -> Result<Pulled, SourceError> {
        let table = self.table(client).await?;
        let now = self.snapshot(client).await?;
        if known.as_ref().is_some_and(|known| known.oldest_running > now.next) {
            let problem = "its transactions are counted from before the last sync: it is another database, or an older copy";
            return Err(self.failed(&problem, "give the new database its own `state.dir`"));
        }
        let mut next = Checkpoint::after(known.as_ref(), now);
        let query = self.query(dataset, &table, known.as_ref(), now)?;
        let help = "check that the user may select from the table, and see the server's log";
        let failed = |error: tokio_postgres::Error| self.failed(&words(&error), help);
        let stream = client.copy_out(&query).await.map_err(failed)?;
        let mut stream = std::pin::pin!(BinaryCopyOutStream::new(stream, &[Type::TEXT, Type::BOOL]));
        let has_key = matches!(dataset.mode(), Mode::Replace);
        let known = known.unwrap_or_default();
        let mut count = 0;
        while let Some(row) = stream.next().await {
            let row = row.map_err(failed)?;
            let line: &str = row.try_get(0).map_err(failed)?;
            let may_come_again: bool = row.try_get(1).map_err(failed)?;
            if !has_key {
                let digest = digest(line.as_bytes());
                let is_known = known.seen.holds(&digest);
                if may_come_again {
                    next.seen.note(digest);
                }
                if is_known {
                    continue;
                }
            }
            writeln!(rows, "{line}").map_err(|error| self.failed(&error, "free some disk"))?;
            count += 1;
        }
        let checkpoint = serde_json::to_string(&next).map_err(|error| self.failed(&error, "report this"))?;
        Ok(Pulled { rows: count, checkpoint })
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests;
