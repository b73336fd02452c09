//! A table of an SQLite database.
//!
//! SQLite has one writer at a time, so what is committed later was written later; a time that was taken before its
//! transaction got the lock may still be older than one that was committed meanwhile. So each pull looks again at the
//! rows of the last `overlap` before the greatest time it has seen, and gives those that it has not given as they are.

use std::io::Write;

use async_trait::async_trait;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::SourceError;
use super::pulled::{Pulled, Source};
use super::seen::{Seen, digest};
use crate::config::SqlitePlace;
use crate::datetime::parse_micros;
use crate::profile::{ColumnType, Dataset};

/// A table of an SQLite database, as a source.
#[derive(Debug)]
pub(crate) struct SqliteTable {
    place: SqlitePlace,
}

/// What the last pull came to.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Checkpoint {
    /// The greatest time seen, microseconds.
    watermark: Option<i64>,
    /// Rows that lie within the overlap before it.
    seen: Seen,
}

impl SqliteTable {
    pub(crate) fn new(place: SqlitePlace) -> Self {
        Self { place }
    }
}

#[async_trait]
impl Source for SqliteTable {
    fn name(&self) -> String {
        format!("sqlite {} {}", self.place.path.display(), self.place.table.name)
    }

    async fn pull(
        &self,
        checkpoint: Option<&str>,
        dataset: &Dataset,
        rows: &mut (dyn Write + Send),
    ) -> Result<Pulled, SourceError> {
        let known: Checkpoint = match checkpoint {
            None => Checkpoint::default(),
            Some(text) => serde_json::from_str(text)
                .map_err(|error| self.failed(&error, "move the state directory away and run `sync`"))?,
        };
        let help = "check the path in `sqlite.path`, the table's name and the file's permissions";
        let failed = |error: rusqlite::Error| self.failed(&error, help);
        let database = Connection::open_with_flags(&self.place.path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .map_err(failed)?;
        let table = quoted(&self.place.table.name);
        let mut statement = database.prepare(&format!("SELECT * FROM {table} LIMIT 0")).map_err(failed)?;
        let found: Vec<String> = statement.column_names().map(str::to_owned).collect();
        drop(statement.query([]).map_err(failed)?);
        let columns: Vec<(usize, &str)> = dataset
            .columns()
            .iter()
            .enumerate()
            .filter(|(_, column)| found.contains(&column.name))
            .map(|(at, column)| (at, column.name.as_str()))
            .collect();
        let time = self.place.table.updated_at.as_deref();
        if let Some(time) = time.filter(|time| !found.iter().any(|column| column == time)) {
            let problem = format!("table `{}` has no column `{time}`", self.place.table.name);
            return Err(self.failed(&problem, "correct `updated_at`"));
        }
        let overlap = i64::try_from(self.place.table.overlap.as_micros()).unwrap_or(i64::MAX);
        let names: Vec<String> = columns.iter().map(|(_, name)| quoted(name)).collect();
        // Texts of times have many forms, so times are compared here and not in SQL.
        let first = time.map_or_else(|| "NULL".to_owned(), quoted);
        let mut statement = database
            .prepare(&format!("SELECT {first}, {} FROM {table}", names.join(", ")))
            .map_err(failed)?;
        let mut next = Checkpoint { watermark: known.watermark, seen: Seen::default() };
        let mut given: Vec<(i64, String)> = Vec::new();
        let mut count = 0;
        let mut found = statement.query([]).map_err(failed)?;
        while let Some(row) = found.next().map_err(failed)? {
            let at = match time {
                // All rows, each time.
                None => Some(i64::MIN),
                Some(_) => micros(row.get_ref(0).map_err(failed)?),
            };
            let at = at.ok_or_else(|| {
                let time = time.unwrap_or_default();
                let problem = format!("column `{time}` of table `{}` holds no time", self.place.table.name);
                self.failed(
                    &problem,
                    "name a column of RFC 3339 texts, or of integers of microseconds since 1970",
                )
            })?;
            if known.watermark.is_some_and(|watermark| at < watermark.saturating_sub(overlap)) {
                continue;
            }
            let mut fields = Map::new();
            for (place, (column, name)) in columns.iter().enumerate() {
                let kind = dataset.columns().get(*column).map(|column| column.kind);
                let value = row.get_ref(place + 1).map_err(failed)?;
                fields.insert(
                    (*name).to_owned(),
                    json(value, kind).map_err(|problem| {
                        let problem =
                            format!("column `{name}` of table `{}` holds {problem}", self.place.table.name);
                        self.failed(&problem, "export a view that casts it")
                    })?,
                );
            }
            let line = Value::Object(fields).to_string();
            next.watermark = next.watermark.max(time.map(|_| at));
            let digest = digest(line.as_bytes());
            if !known.seen.holds(&digest) {
                writeln!(rows, "{line}").map_err(|error| self.failed(&error, "free some disk"))?;
                count += 1;
            }
            if time.is_some() {
                given.push((at, digest));
            }
            // What lies before the overlap cannot come again.
            if given.len() > 65_536 {
                let floor = next.watermark.map_or(i64::MIN, |watermark| watermark.saturating_sub(overlap));
                given.retain(|(at, _)| *at >= floor);
            }
        }
        let floor = next.watermark.map_or(i64::MIN, |watermark| watermark.saturating_sub(overlap));
        for (_, digest) in given.into_iter().filter(|(at, _)| *at >= floor) {
            next.seen.note(digest);
        }
        let checkpoint = serde_json::to_string(&next).map_err(|error| self.failed(&error, "report this"))?;
        Ok(Pulled { rows: count, checkpoint })
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn micros(value: ValueRef<'_>) -> Option<i64> {
    match value {
        ValueRef::Integer(micros) => Some(micros),
        ValueRef::Text(text) => parse_micros(std::str::from_utf8(text).ok()?).ok(),
        _ => None,
    }
}

/// A value as the JSON that the dataset's column takes.
fn json(value: ValueRef<'_>, kind: Option<ColumnType>) -> Result<Value, &'static str> {
    let is_json = matches!(
        kind,
        Some(
            ColumnType::Json
                | ColumnType::Object
                | ColumnType::Array
                | ColumnType::ArrayJson
                | ColumnType::IntegerArray
                | ColumnType::Struct
                | ColumnType::StructArray
        )
    );
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) if kind == Some(ColumnType::Boolean) => Value::Bool(number != 0),
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => serde_json::Number::from_f64(number)
            .map(Value::Number)
            .ok_or("a number that JSON does not know")?,
        ValueRef::Text(text) => {
            let text = std::str::from_utf8(text).map_err(|_| "a text that is not UTF-8")?;
            if is_json {
                serde_json::from_str(text).map_err(|_| "a text that is not JSON")?
            } else {
                Value::String(text.to_owned())
            }
        }
        ValueRef::Blob(_) => return Err("bytes"),
    })
}
