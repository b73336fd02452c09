//! What a catalogue has stored: tables, files, rows. A file and its rows change in one transaction.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params, params_from_iter};

use super::read::{Column, TableReader};
use super::tree::{Partition, PartitionType, TableFile};
use crate::state::StateError;

const VERSION: i64 = 1;
const SCHEMA: &str = "
CREATE TABLE catalogue_meta (version INTEGER NOT NULL);
INSERT INTO catalogue_meta VALUES (1);
CREATE TABLE tbl (
    id INTEGER PRIMARY KEY,
    connection TEXT NOT NULL,
    name TEXT NOT NULL,
    -- Of its first file, as JSON.
    columns TEXT NOT NULL,
    UNIQUE (connection, name)
);
CREATE TABLE file (
    id INTEGER PRIMARY KEY,
    tbl INTEGER NOT NULL REFERENCES tbl (id),
    key TEXT NOT NULL,
    etag TEXT NOT NULL,
    -- The values of its partitions, as a JSON array.
    partitions TEXT NOT NULL,
    rows INTEGER NOT NULL,
    -- Why nothing of it is stored.
    cause TEXT,
    UNIQUE (tbl, key)
);
";

/// How the storing of a file ended.
#[derive(Debug)]
pub(super) enum Stored {
    Rows(u64),
    /// The file is wrong; nothing of it is stored.
    Refused(String),
}

/// A file on record: its entity tag, and why nothing of it is stored.
pub(super) type Known = BTreeMap<String, String>;

/// The open book.
#[derive(Debug)]
pub(super) struct Book {
    database: Connection,
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Book {
    pub(super) fn open(directory: &Path) -> Result<Self, StateError> {
        std::fs::create_dir_all(directory)
            .map_err(|source| StateError::Io { path: directory.display().to_string(), source })?;
        let path = directory.join("catalogue.sqlite");
        let mut database = Connection::open(&path)?;
        database.busy_timeout(std::time::Duration::from_secs(10))?;
        database.pragma_update(None, "journal_mode", "WAL")?;
        database.pragma_update(None, "synchronous", "FULL")?;
        let known: Option<String> = database
            .query_row("SELECT name FROM sqlite_master WHERE name = 'catalogue_meta'", [], |row| row.get(0))
            .optional()?;
        if known.is_none() {
            let transaction = database.transaction()?;
            transaction.execute_batch(SCHEMA)?;
            transaction.commit()?;
        }
        let found: i64 = database.query_row("SELECT version FROM catalogue_meta", [], |row| row.get(0))?;
        if found > VERSION {
            return Err(StateError::Newer { path: path.display().to_string(), found, known: VERSION });
        }
        Ok(Self { database })
    }

    /// The entity tags of a table's files on record.
    pub(super) fn known(&self, connection: &str, table: &str) -> Result<Known, StateError> {
        let mut select = self.database.prepare_cached(
            "SELECT f.key, f.etag FROM file f JOIN tbl t ON t.id = f.tbl WHERE t.connection = ? AND t.name = ?",
        )?;
        let rows = select.query_map([connection, table], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The tables of a connection on record.
    pub(super) fn tables(&self, connection: &str) -> Result<Vec<String>, StateError> {
        let mut select = self.database.prepare_cached("SELECT name FROM tbl WHERE connection = ?")?;
        let rows = select.query_map([connection], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Stores a file in place of what was stored of it before.
    pub(super) fn store(
        &mut self,
        (connection, table): (&str, &str),
        file: &TableFile,
        reader: &mut TableReader,
        rescue: Option<&str>,
    ) -> Result<Stored, StateError> {
        let transaction = self.database.transaction()?;
        let key = &file.found.key;
        if let Some(own) = table_id(&transaction, connection, table)? {
            remove(&transaction, own, key)?;
        }
        let id = match opened(&transaction, (connection, table), &reader.columns, rescue)? {
            Ok(id) => id,
            Err(cause) => {
                drop(transaction);
                return Ok(Stored::Refused(cause));
            }
        };
        let partitions = partitions_json(file);
        transaction.execute(
            "INSERT INTO file (tbl, key, etag, partitions, rows) VALUES (?, ?, ?, ?, 0)",
            params![id, key, file.found.etag, partitions],
        )?;
        let own = transaction.last_insert_rowid();
        let known = columns_of(&transaction, id)?;
        // Where each column of the table is in the file, and which of the file the table does not have.
        let places: Vec<Option<usize>> = known
            .iter()
            .map(|column| reader.columns.iter().position(|found| found.name == column.name))
            .collect();
        let extra: Vec<usize> =
            (0..reader.columns.len()).filter(|place| !places.contains(&Some(*place))).collect();
        let names: Vec<String> = known.iter().map(|column| quoted(&column.name)).collect();
        let insert = format!(
            "INSERT INTO rows_{id} (bucketproof_file, bucketproof_row{}{}) VALUES (?, ?{}{})",
            joined(names.iter().map(String::as_str)),
            rescue.map_or_else(String::new, |name| format!(", {}", quoted(name))),
            ", ?".repeat(names.len()),
            if rescue.is_some() { ", ?" } else { "" },
        );
        let mut count = 0_i64;
        while let Some(rows) = reader.next_rows() {
            let rows = match rows {
                Ok(rows) => rows,
                Err(cause) => {
                    drop(transaction);
                    return Ok(Stored::Refused(cause));
                }
            };
            let mut statement = transaction.prepare_cached(&insert)?;
            for row in rows {
                let cell = |place: &Option<usize>| {
                    place.and_then(|place| row.get(place).cloned()).unwrap_or(Value::Null)
                };
                let mut values = vec![Value::Integer(own), Value::Integer(count)];
                values.extend(places.iter().map(cell));
                if rescue.is_some() {
                    values.push(rescued(&reader.columns, &row, &extra));
                }
                statement.execute(params_from_iter(values))?;
                count += 1;
            }
        }
        transaction.execute("UPDATE file SET rows = ? WHERE id = ?", [count, own])?;
        transaction.commit()?;
        Ok(Stored::Rows(u64::try_from(count).unwrap_or_default()))
    }

    /// Notes that a file is wrong; of its former version nothing stays either.
    pub(super) fn refuse(
        &mut self,
        (connection, table): (&str, &str),
        file: &TableFile,
        cause: &str,
    ) -> Result<(), StateError> {
        let transaction = self.database.transaction()?;
        let known = table_id(&transaction, connection, table)?;
        let id = if let Some(id) = known {
            id
        } else {
            transaction.execute(
                "INSERT INTO tbl (connection, name, columns) VALUES (?, ?, '[]')",
                [connection, table],
            )?;
            transaction.last_insert_rowid()
        };
        remove(&transaction, id, &file.found.key)?;
        transaction.execute(
            "INSERT INTO file (tbl, key, etag, partitions, rows, cause) VALUES (?, ?, ?, ?, 0, ?)",
            params![id, file.found.key, file.found.etag, partitions_json(file), cause],
        )?;
        Ok(transaction.commit()?)
    }

    /// Removes what is not there any more.
    pub(super) fn remove(&mut self, connection: &str, table: &str, key: &str) -> Result<(), StateError> {
        let transaction = self.database.transaction()?;
        if let Some(id) = table_id(&transaction, connection, table)? {
            remove(&transaction, id, key)?;
        }
        Ok(transaction.commit()?)
    }

    /// Shows a table with its partitions as columns of their types, under `connection.table`.
    pub(super) fn show(
        &mut self,
        (connection, table): (&str, &str),
        partitions: &[Partition],
        files: &[TableFile],
        rescue: Option<&str>,
    ) -> Result<Result<(), String>, StateError> {
        let transaction = self.database.transaction()?;
        let Some(id) = table_id(&transaction, connection, table)? else { return Ok(Ok(())) };
        let view = quoted(&format!("{connection}.{table}"));
        transaction.execute_batch(&format!("DROP VIEW IF EXISTS {view};"))?;
        let columns = columns_of(&transaction, id)?;
        if columns.is_empty() {
            transaction.commit()?;
            return Ok(Ok(()));
        }
        let clash = partitions
            .iter()
            .find(|partition| columns.iter().any(|column| column.name.eq_ignore_ascii_case(&partition.name)));
        if let Some(clash) = clash {
            return Ok(Err(format!("the partition `{}` has the name of a column of its files", clash.name)));
        }
        // Folders may have been renamed around a file that stayed the same.
        for file in files {
            transaction.execute(
                "UPDATE file SET partitions = ? WHERE tbl = ? AND key = ?",
                params![partitions_json(file), id, file.found.key],
            )?;
        }
        let own = columns.iter().map(|column| format!("d.{}", quoted(&column.name)));
        let rescue = rescue.map(|name| format!("d.{}", quoted(name)));
        let folders = partitions.iter().enumerate().map(|(place, partition)| {
            let raw = format!("json_extract(f.partitions, '$[{place}]')");
            let typed = match partition.kind {
                PartitionType::Int => format!("CAST({raw} AS INTEGER)"),
                PartitionType::Date | PartitionType::String => raw,
            };
            format!("{typed} AS {}", quoted(&partition.name))
        });
        let all: Vec<String> = own.chain(rescue).chain(folders).collect();
        transaction.execute_batch(&format!(
            "CREATE VIEW {view} AS SELECT {} FROM rows_{id} d JOIN file f ON f.id = d.bucketproof_file;",
            all.join(", ")
        ))?;
        transaction.commit()?;
        Ok(Ok(()))
    }
}

/// Each name behind a comma.
fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.fold(String::new(), |text, name| text + ", " + name)
}

fn partitions_json(file: &TableFile) -> String {
    serde_json::to_string(&file.values).unwrap_or_default()
}

fn table_id(transaction: &Transaction<'_>, connection: &str, table: &str) -> Result<Option<i64>, StateError> {
    let found = transaction
        .query_row("SELECT id FROM tbl WHERE connection = ? AND name = ?", [connection, table], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(found)
}

fn columns_of(transaction: &Transaction<'_>, id: i64) -> Result<Vec<Column>, StateError> {
    let text: String =
        transaction.query_row("SELECT columns FROM tbl WHERE id = ?", [id], |row| row.get(0))?;
    serde_json::from_str(&text)
        .map_err(|_| StateError::Corrupt { value: text, expected: "the columns of a table" })
}

/// Takes a file and its rows away.
fn remove(transaction: &Transaction<'_>, id: i64, key: &str) -> Result<(), StateError> {
    if !columns_of(transaction, id)?.is_empty() {
        let rows = format!(
            "DELETE FROM rows_{id} WHERE bucketproof_file IN (SELECT id FROM file WHERE tbl = ? AND key = ?)"
        );
        transaction.execute(&rows, params![id, key])?;
    }
    transaction.execute("DELETE FROM file WHERE tbl = ? AND key = ?", params![id, key])?;
    Ok(())
}

/// The table that a file with these columns belongs into; or why it does not.
///
/// A table has the columns of its first file for as long as any file of it is stored.
fn opened(
    transaction: &Transaction<'_>,
    (connection, table): (&str, &str),
    columns: &[Column],
    rescue: Option<&str>,
) -> Result<Result<i64, String>, StateError> {
    if let Some(id) = table_id(transaction, connection, table)? {
        let stored: i64 = transaction.query_row(
            "SELECT count(*) FROM file WHERE tbl = ? AND cause IS NULL",
            [id],
            |row| row.get(0),
        )?;
        if stored > 0 {
            let differs = difference(&columns_of(transaction, id)?, columns, rescue.is_some());
            return Ok(differs.map_or(Ok(id), Err));
        }
        transaction.execute_batch(&format!(
            "DROP VIEW IF EXISTS {}; DROP TABLE IF EXISTS rows_{id};",
            quoted(&format!("{connection}.{table}"))
        ))?;
    } else {
        transaction.execute(
            "INSERT INTO tbl (connection, name, columns) VALUES (?, ?, '[]')",
            [connection, table],
        )?;
    }
    if let Some(rescue) = rescue
        && columns.iter().any(|column| column.name.eq_ignore_ascii_case(rescue))
    {
        return Ok(Err(format!("column `{rescue}` has the name that `rescue_column` sets")));
    }
    let id = table_id(transaction, connection, table)?.unwrap_or_default();
    let text = serde_json::to_string(columns)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    transaction.execute("UPDATE tbl SET columns = ? WHERE id = ?", params![text, id])?;
    let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
    let names = joined(names.iter().map(String::as_str));
    let rescue = rescue.map_or_else(String::new, |name| format!(", {} TEXT", quoted(name)));
    // Columns have no declared type, so that values stay what they are.
    transaction.execute_batch(&format!(
        "CREATE TABLE rows_{id} (bucketproof_file INTEGER NOT NULL, bucketproof_row INTEGER NOT NULL{names}{rescue}, \
         PRIMARY KEY (bucketproof_file, bucketproof_row)) WITHOUT ROWID;"
    ))?;
    Ok(Ok(id))
}

/// What keeps a file out of a table.
fn difference(table: &[Column], file: &[Column], can_rescue: bool) -> Option<String> {
    for column in table {
        match file.iter().find(|found| found.name == column.name) {
            None => return Some(format!("column `{}` of the table is missing", column.name)),
            Some(found) if found.kind != column.kind => {
                return Some(format!(
                    "column `{}` is {}, in the table {}",
                    column.name, found.kind, column.kind
                ));
            }
            Some(_) => {}
        }
    }
    let extra = file.iter().find(|found| !table.iter().any(|column| column.name == found.name));
    extra.filter(|_| !can_rescue).map(|extra| {
        format!(
            "the table has no column `{}`; set `rescue_column` of the connection to keep such columns",
            extra.name
        )
    })
}

/// What the table has no column for, as a JSON object; null, if there is nothing.
fn rescued(columns: &[Column], row: &[Value], extra: &[usize]) -> Value {
    let mut members = serde_json::Map::new();
    for place in extra {
        let (Some(column), Some(value)) = (columns.get(*place), row.get(*place)) else { continue };
        let value = match value {
            Value::Null => serde_json::Value::Null,
            Value::Integer(number) => (*number).into(),
            // What JSON cannot say as a number is said as a text.
            Value::Real(number) if number.is_finite() => (*number).into(),
            Value::Real(number) => number.to_string().into(),
            Value::Text(text) => text.as_str().into(),
            Value::Blob(bytes) => hex::encode(bytes).into(),
        };
        members.insert(column.name.clone(), value);
    }
    if members.is_empty() { Value::Null } else { Value::Text(serde_json::Value::Object(members).to_string()) }
}
