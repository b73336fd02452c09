use std::sync::Arc;

use bucketproof_clock::Entropy;
use rusqlite::Connection;

use super::{State, StateError};
use crate::names::DatasetName;
use crate::steps::Unwatched;

const DESTINATION: &str = "aws bucket/ as vendor";

fn open(directory: &std::path::Path) -> Result<State, StateError> {
    State::open(directory, DESTINATION, &Entropy::seeded(1), Arc::new(Unwatched))
}

fn open_to_read(directory: &std::path::Path) -> Result<Option<State>, StateError> {
    State::open_to_read(directory, DESTINATION)
}

#[test]
fn the_writer_and_the_checkpoints_outlive_the_process() {
    let directory = tempfile::tempdir().unwrap();
    let dataset = DatasetName::new("messages").unwrap();
    let state = open(directory.path()).unwrap();
    let writer = state.writer().unwrap();
    let source = state.source(&dataset, "a.ndjson").unwrap();
    drop(state);
    let state = open(directory.path()).unwrap();
    assert_eq!(state.writer().unwrap(), writer);
    assert_eq!(state.source(&dataset, "a.ndjson").unwrap().id, source.id);
    let mode: String = state.lock().pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    let synchronous: i64 = state.lock().pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
    assert_eq!((mode.as_str(), synchronous), ("wal", 2));
}

#[test]
fn a_newer_schema_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()).unwrap());
    let database = Connection::open(directory.path().join("state.sqlite")).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    assert!(matches!(open(directory.path()), Err(StateError::Newer { found: 99, .. })));
    assert!(matches!(open_to_read(directory.path()), Err(StateError::Newer { .. })));
}

#[test]
fn one_writer_at_a_time_but_readers_any_time() {
    let directory = tempfile::tempdir().unwrap();
    assert!(open_to_read(directory.path()).unwrap().is_none());
    let writer = open(directory.path()).unwrap();
    assert!(matches!(open(directory.path()), Err(StateError::Busy { .. })));
    let reader = open_to_read(directory.path()).unwrap().unwrap();
    assert!(reader.set_fact("x", "y").is_err(), "a reader wrote");
    drop(writer);
    open(directory.path()).unwrap();
}

#[test]
fn a_reader_does_not_take_another_connection_s_state_for_its_own() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()).unwrap());
    let other = State::open_to_read(directory.path(), "aws bucket/elsewhere/ as vendor");
    assert!(matches!(other, Err(StateError::OtherDestination { .. })), "{other:?}");
}

#[test]
fn a_damaged_database_is_an_error_with_a_next_step() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(
        directory.path().join("state.sqlite"),
        "this is no database, but it is long enough to be read",
    )
    .unwrap();
    let error = open(directory.path()).unwrap_err();
    assert!(matches!(error, StateError::Database(_)), "{error}");
    assert!(error.help().contains("move the state directory away"));
}

/// A state of the first version gets what the second has, and keeps what it knows.
#[test]
fn a_state_of_the_first_version_is_brought_up_to_date() {
    let directory = tempfile::tempdir().unwrap();
    let dataset = DatasetName::new("messages").unwrap();
    let state = open(directory.path()).unwrap();
    let (writer, source) = (state.writer().unwrap(), state.source(&dataset, "a.ndjson").unwrap().id);
    drop(state);
    let database = Connection::open(directory.path().join("state.sqlite")).unwrap();
    database.execute_batch("DROP TABLE held; DROP TABLE period;").unwrap();
    database.pragma_update(None, "user_version", 1).unwrap();
    drop(database);
    let state = open(directory.path()).unwrap();
    assert_eq!(state.rows_waiting(&dataset).unwrap(), 0);
    assert_eq!(state.writer().unwrap(), writer);
    assert_eq!(state.source(&dataset, "a.ndjson").unwrap().id, source);
}
