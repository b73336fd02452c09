//! Values and files that people send by mistake: each is told with the right code and a detail that helps.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray};
use bucketproof_connector::import::StatusEntry;
use bytes::Bytes;
use parquet::basic::Compression;

use crate::files::{NEW_YEAR_MS, Row, columns, file, parquet, with_column};
use crate::rig::Rig;

/// What is said of one file, and the import with its rows.
async fn imported(body: Bytes) -> (Rig, Vec<StatusEntry>) {
    let rig = Rig::new();
    rig.bucket.put("events/f.parquet", body);
    rig.importer().once().await.unwrap();
    let report = rig.bucket.reports("my_statuses/").pop().unwrap();
    let entries = report["events/f.parquet"].clone();
    (rig, entries)
}

fn texts(rig: &Rig, column: &str) -> Vec<Option<String>> {
    let database = rusqlite::Connection::open(rig.directory.path().join("state/import.sqlite")).unwrap();
    let query = format!("SELECT CAST(\"{column}\" AS TEXT) FROM event ORDER BY row");
    let mut select = database.prepare(&query).unwrap();
    let rows = select.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// Claims SPL-04, SPL-21, SPL-Q10: seconds, microseconds, nanoseconds and what is no time at all are told apart.
#[tokio::test]
async fn each_wrong_unit_of_time_is_named() {
    for (time, words) in [
        (NEW_YEAR_MS / 1000, "is in seconds, not in milliseconds: multiply it by 1000"),
        (NEW_YEAR_MS * 1000, "is in microseconds, not in milliseconds: divide it by 1000"),
        (NEW_YEAR_MS * 1_000_000, "is in nanoseconds, not in milliseconds: divide it by 1000000"),
        (0, "is zero or negative"),
        (-NEW_YEAR_MS, "is zero or negative"),
        (i64::MIN, "is zero or negative"),
        (i64::MAX, "is more than a day in the future"),
        (NEW_YEAR_MS + 25 * 3_600_000, "is more than a day in the future"),
        (946_684_799_999, "is before the year 2000"),
    ] {
        let (_, entries) = imported(with_column("timestamp", Arc::new(Int64Array::from(vec![time])))).await;
        let [entry] = entries.as_slice() else { panic!("{entries:?}") };
        assert_eq!((entry.valid, entry.errors.as_slice()), (false, &["INVALID_TIMESTAMP".to_owned()][..]));
        assert!(entry.errors_details[0].contains(words), "{time}: {}", entry.errors_details[0]);
    }
    for time in [946_684_800_000, NEW_YEAR_MS, NEW_YEAR_MS + 24 * 3_600_000] {
        let (_, entries) = imported(with_column("timestamp", Arc::new(Int64Array::from(vec![time])))).await;
        assert!(entries[0].valid, "{time}: {entries:?}");
    }
}

/// Claims SPL-Q09: names are compared with their letter case, and of a file with two of one name nothing is stored.
#[tokio::test]
async fn columns_that_cannot_be_told_apart_are_named() {
    let mut twice = columns(&[Row::good(0)]);
    twice.push(("key", Arc::new(StringArray::from(vec!["other"]))));
    let (rig, entries) = imported(parquet(twice, Compression::SNAPPY)).await;
    assert_eq!(entries[0].errors, ["INVALID_SCHEMA"]);
    assert_eq!(entries[0].errors_details, ["column `key` occurs twice"]);
    assert!(rig.stored().is_empty());
    // Another letter case is another column, which is passed over.
    let mut cases = columns(&[Row::good(0)]);
    cases.push(("KEY", Arc::new(StringArray::from(vec!["other"]))));
    let (rig, entries) = imported(parquet(cases, Compression::SNAPPY)).await;
    assert!(entries[0].valid, "{entries:?}");
    assert_eq!(texts(&rig, "key"), [Some("user-0".to_owned())]);
}

/// A double may be anything that a double can be, and a value of a map may be null.
#[tokio::test]
async fn extreme_doubles_and_null_members_are_kept() {
    let values = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MAX, f64::MIN_POSITIVE];
    let (rig, entries) = imported(with_column("value", Arc::new(Float64Array::from(values.to_vec())))).await;
    assert_eq!((entries.len(), entries[0].valid, entries[0].number_of_rows), (1, true, 6));
    let stored = texts(&rig, "value");
    assert_eq!(stored[..3], ["NaN", "Inf", "-Inf"].map(|text| Some(text.to_owned())));
    assert!(stored.iter().all(Option::is_some), "{stored:?}");
    let (rig, entries) = imported(file(&(0..5).map(Row::good).collect::<Vec<_>>())).await;
    assert!(entries[0].valid);
    let stored = texts(&rig, "properties");
    assert_eq!(stored[0], None);
    assert_eq!(stored[1].as_deref(), Some("{\"plan\":\"pro\"}"));
    assert_eq!(stored[3].as_deref(), Some("{\"plan\":null}"));
}

/// A long id is stored whole and told in short.
#[tokio::test]
async fn long_texts_do_not_flood_reports() {
    let long = "x".repeat(10_000);
    let array: ArrayRef = Arc::new(StringArray::from(vec![long.as_str()]));
    let (rig, entries) = imported(with_column("key", Arc::clone(&array))).await;
    assert!(entries[0].valid);
    assert_eq!(texts(&rig, "key"), [Some(long.clone())]);
    let (_, entries) = imported(with_column("environmentId", array)).await;
    assert_eq!(entries[0].errors, ["INVALID_ENVIRONMENT_ID"]);
    assert!(entries[0].errors_details[0].len() < 200, "{}", entries[0].errors_details[0]);
    // Thousands of different ids make few entries.
    let ids: Vec<String> = (0..5000).map(|number| format!("wrong-{number}")).collect();
    let (_, entries) = imported(with_column("environmentId", Arc::new(StringArray::from(ids)))).await;
    assert!(entries.len() <= 21, "{}", entries.len());
    assert_eq!(entries.iter().map(|entry| entry.number_of_rows).sum::<u64>(), 5000);
}

/// A file whose name says something else than its bytes is read by its bytes.
#[tokio::test]
async fn a_name_says_nothing() {
    let (_, entries) = imported(Bytes::from_static(b"environmentId,key\nprod,a\n")).await;
    assert_eq!(entries[0].errors, ["INVALID_SCHEMA"]);
    assert!(entries[0].errors_details[0].contains("the file is not Parquet"), "{entries:?}");
    let rig = Rig::new();
    rig.bucket.put("events/data.csv.gz", file(&[Row::good(0)]));
    rig.importer().once().await.unwrap();
    assert_eq!(rig.stored().len(), 1);
}

/// Types are told in the words of the format, as people know them from other tools.
#[tokio::test]
async fn types_are_told_in_the_words_of_the_format() {
    use arrow_array::builder::{Int64Builder, ListBuilder, MapBuilder, StringBuilder};
    use arrow_array::{Decimal128Array, NullArray, StructArray, TimestampMicrosecondArray, UInt64Array};
    use arrow_schema::{DataType, Field};
    let text: ArrayRef = Arc::new(StringArray::from(vec!["b"]));
    let fields = vec![(Arc::new(Field::new("a", DataType::Utf8, true)), Arc::clone(&text))];
    let mut list = ListBuilder::new(StringBuilder::new());
    list.append_value([Some("b")]);
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    map.keys().append_value("a");
    map.values().append_value(1);
    map.append(true).unwrap();
    let micros = TimestampMicrosecondArray::from(vec![NEW_YEAR_MS * 1000]);
    let decimal = Decimal128Array::from(vec![100]).with_precision_and_scale(30, 2).unwrap();
    for (column, array, words) in [
        (
            "timestamp",
            Arc::new(micros.clone()) as ArrayRef,
            "is INT64 with annotation TIMESTAMP(MICROS), not a long",
        ),
        ("timestamp", Arc::new(micros.with_timezone("UTC")), "annotation TIMESTAMP(MICROS, UTC), not"),
        ("timestamp", Arc::new(UInt64Array::from(vec![1])), "annotation INTEGER(64, unsigned), not"),
        ("value", Arc::new(decimal), "annotation DECIMAL(30, 2), not a double (DOUBLE)"),
        ("value", Arc::new(NullArray::new(1)), "UNKNOWN: its writer was not told of which type it is, not"),
        ("properties", text, "is BYTE_ARRAY with annotation STRING, not a map"),
        ("properties", Arc::new(StructArray::from(fields)), "is a struct of `a`, not a map"),
        ("properties", Arc::new(list.finish()), "is a list, not a map"),
        (
            "properties",
            Arc::new(map.finish()),
            "is a map from BYTE_ARRAY with annotation STRING to INT64, not a map from string to string",
        ),
    ] {
        let (_, entries) = imported(with_column(column, array)).await;
        let detail = &entries[0].errors_details[0];
        assert!(detail.starts_with(&format!("column `{column}` is ")) && detail.contains(words), "{detail}");
    }
}

/// An id that is nearly one of the connection's says which.
#[tokio::test]
async fn an_id_that_differs_in_letter_case_or_space_is_shown_the_right_one() {
    for (id, hint) in [
        ("Prod", Some("`prod` differs in letter case or in white space around it")),
        (" staging ", Some("`staging` differs in letter case")),
        ("production", None),
    ] {
        let (_, entries) =
            imported(with_column("environmentId", Arc::new(StringArray::from(vec![id])))).await;
        let detail = &entries[0].errors_details[0];
        assert!(detail.contains(&format!("`{id}` is none of this connection's environments")), "{detail}");
        assert_eq!(detail.contains("differs"), hint.is_some(), "{detail}");
        assert!(hint.is_none_or(|hint| detail.contains(hint)), "{detail}");
    }
}
