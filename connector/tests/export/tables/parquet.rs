//! Parquet files as a source, alone and in a directory.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{Int32Builder, ListBuilder, StringBuilder};
use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int16Array, LargeStringArray, RecordBatch, StringArray,
    TimestampNanosecondArray,
};
use bucketproof_connector::engine::SyncError;
use bucketproof_connector::source::SourceError;
use bucketproof_connector::store::{FaultyStore, StoreFault};
use parquet::arrow::ArrowWriter;

use super::{Desk, once};

const AT: i64 = 1_768_471_200_000_000_000;

fn write(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let rows = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, values)| (name, values, true)),
    );
    let rows = rows.unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), rows.schema(), None).unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
}

/// Clicks as another tool writes them: other widths, other units.
fn clicks(path: &Path, names: &[&str]) {
    let mut tags = ListBuilder::new(StringBuilder::new());
    let mut numbers = ListBuilder::new(Int32Builder::new());
    for (at, name) in names.iter().enumerate() {
        tags.append_value([Some(*name), Some("\"quoted\"\n")]);
        numbers.append_option((at > 0).then_some([Some(1), Some(-2)]));
    }
    let count = names.len();
    let times: TimestampNanosecondArray = (0..count).map(|_| Some(AT + 1_000)).collect();
    let details =
        StringArray::from_iter_values(names.iter().map(|name| format!("{{\"n\" :1,\n\"of\":\"{name}\"}}")));
    write(
        path,
        vec![
            ("who", Arc::new(LargeStringArray::from_iter_values(names))),
            ("at", Arc::new(times.with_timezone("UTC"))),
            ("kind", Arc::new(StringArray::from_iter_values(names.iter().map(|_| "tap")))),
            ("tags", Arc::new(tags.finish())),
            ("numbers", Arc::new(numbers.finish())),
            ("detail", Arc::new(details)),
            (
                "count",
                Arc::new(Int16Array::from_iter_values((0..count).map(|count| i16::try_from(count).unwrap()))),
            ),
            ("good", Arc::new(BooleanArray::from(vec![Some(true); count]))),
        ],
    );
}

#[tokio::test]
async fn rows_of_a_file_are_exported_once_with_their_values() {
    let desk = Desk::new("[[source]]\ndataset = \"clicks\"\nparquet = \"clicks.parquet\"\n");
    let path = desk.directory.path().join("clicks.parquet");
    clicks(&path, &["a", "b"]);
    let plan = desk.connection().plan().await.unwrap();
    let report = desk.sync().await;
    assert_eq!(plan.datasets[0].rows_written, 2);
    assert_eq!(report.dataset("clicks").unwrap().rows_written, 2);
    assert_eq!(desk.sync().await.dataset("clicks").unwrap().rows_read, 0);
    assert_eq!(desk.texts("clicks", "who"), once(["a", "b"]));
    assert_eq!(desk.texts("clicks", "at").into_keys().collect::<Vec<_>>(), [(AT / 1_000 + 1).to_string()]);
    assert_eq!(
        desk.texts("clicks", "detail"),
        once(["{\"n\" :1, \"of\":\"a\"}", "{\"n\" :1, \"of\":\"b\"}"])
    );
    // Another file under its name is none that may be passed over.
    clicks(&path, &["a", "b", "c"]);
    let error = desk.try_sync().await.unwrap_err();
    assert!(matches!(error, SyncError::Source(SourceError::Replaced { .. })), "{error}");
}

#[tokio::test]
async fn rows_that_break_the_schema_are_dead_letters_and_foreign_columns_refuse_the_file() {
    let desk = Desk::new("[[source]]\ndataset = \"clicks\"\ndirectory = \"incoming\"\n");
    let folder = desk.directory.path().join("incoming");
    std::fs::create_dir(&folder).unwrap();
    let times: TimestampNanosecondArray = [Some(AT), Some(AT + 1), None, Some(AT)].into_iter().collect();
    let kinds = StringArray::from(vec!["tap", "tap", "tap", "shout"]);
    write(
        &folder.join("1.parquet"),
        vec![
            ("at", Arc::new(times.clone())),
            ("kind", Arc::new(kinds)),
            ("detail", Arc::new(StringArray::from(vec!["1,\"who\":\"intruder\"", "{}", "{}", "{}"]))),
        ],
    );
    let report = desk.connection().sync().await.unwrap();
    let report = report.dataset("clicks").unwrap();
    assert_eq!((report.rows_read, report.rows_dead_lettered), (4, 4));
    let letters =
        std::fs::read_to_string(desk.directory.path().join("state/dead-letter/clicks.ndjson")).unwrap();
    for reason in ["detail (no JSON)", "`at`", "required column `at`", "`shout`"] {
        assert!(letters.contains(reason), "{reason}: {letters}");
    }
    write(
        &folder.join("2.parquet"),
        vec![("at", Arc::new(times)), ("mood", Arc::new(Float64Array::from(vec![0.5; 4])))],
    );
    let error = desk.try_sync().await.unwrap_err().to_string();
    assert!(error.contains("2.parquet") && error.contains("column `mood`"), "{error}");
    let half = std::fs::read(folder.join("1.parquet")).unwrap();
    std::fs::write(folder.join("2.parquet"), &half[..half.len() / 2]).unwrap();
    let error = desk.try_sync().await.unwrap_err();
    assert!(error.to_string().contains("2.parquet") && error.help().contains("rename"), "{error}");
    // What is mended goes on where it stopped; text and Parquet lie side by side.
    clicks(&folder.join("2.parquet"), &["b"]);
    std::fs::write(
        folder.join("3.ndjson"),
        "{\"at\":\"2026-01-15T10:00:00Z\",\"who\":\"c\",\"kind\":\"tap\"}\n",
    )
    .unwrap();
    desk.sync().await;
    assert_eq!(desk.texts("clicks", "who"), once(["b", "c"]));
}

#[tokio::test]
async fn killed_at_every_call_a_file_is_neither_lost_nor_doubled() {
    for call in 0..6 {
        let desk = Desk::new("[[source]]\ndataset = \"clicks\"\nparquet = \"clicks.parquet\"\n");
        clicks(&desk.directory.path().join("clicks.parquet"), &["a", "b", "c"]);
        let store = Arc::new(FaultyStore::new(desk.bucket.clone()));
        store.inject(call, StoreFault::StopAfter);
        let connection = desk.connection_over(store.clone());
        tokio::select! {
            outcome = connection.sync() => drop(outcome.unwrap()),
            () = store.stopped() => {}
        }
        drop(connection);
        desk.sync().await;
        assert_eq!(desk.texts("clicks", "who"), once(["a", "b", "c"]), "call {call}");
    }
}
