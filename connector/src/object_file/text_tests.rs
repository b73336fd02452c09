//! The writers of text against plain ones, for rows that are as awkward as Arrow lets them be.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{EncodeError, encode, encode_text_to};
use crate::column_view::ColumnView;
use crate::datetime::instant_text;
use crate::json_lines::write_value;
use crate::profile::{Column, ColumnType, Compression, Dataset, Encoding, Format, VendorProfile};

fn dataset(name: &str) -> (Dataset, Encoding) {
    let profile = VendorProfile::named("suprsend_s3_v2").unwrap();
    let found = profile.datasets().iter().find(|dataset| dataset.name().as_str() == name).unwrap();
    (found.clone(), Encoding { compression: Compression::None, ..profile.encoding().clone() })
}

/// Values of a column, picked from what there is to pick.
fn array(column: &Column, picks: &[usize], texts: &[String], numbers: &[i64]) -> ArrayRef {
    // Every fourth is null where it may be.
    let cell = |pick: &usize| (!column.nullable || !pick.is_multiple_of(4)).then_some(*pick);
    let text = |pick: usize| texts[pick % texts.len()].clone();
    let number = |pick: usize| numbers[pick % numbers.len()];
    let cells = picks.iter().map(cell);
    match column.kind {
        ColumnType::Datetime | ColumnType::Millis => {
            // Within the years that have four digits.
            let instants = cells.map(|pick| pick.map(|pick| number(pick) % 50_000_000_000_000_000));
            Arc::new(instants.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
        }
        ColumnType::Boolean => {
            Arc::new(cells.map(|pick| pick.map(|pick| pick % 3 == 0)).collect::<BooleanArray>())
        }
        ColumnType::Integer => Arc::new(cells.map(|pick| pick.map(number)).collect::<Int64Array>()),
        ColumnType::Array | ColumnType::ArrayJson => {
            let mut lists =
                ListBuilder::new(StringBuilder::new()).with_field(crate::profile::element_field());
            for pick in cells {
                for at in 0..pick.unwrap_or_default() % 3 {
                    lists.values().append_value(text(pick.unwrap_or_default() + at));
                }
                lists.append(pick.is_some());
            }
            Arc::new(lists.finish())
        }
        _ => Arc::new(cells.map(|pick| pick.map(text)).collect::<StringArray>()),
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => "[a-z ]{0,80}",
        2 => "[a,\"\n\r\\\\\t\u{1}é\u{10ffff}]{0,20}",
        1 => (0..3_usize).prop_map(|at| ["", "\"", "\u{7f}"][at].to_owned()),
        1 => (1..4_000_usize).prop_map(|length| "é,\"x".repeat(length)),
    ]
}

fn rows() -> impl Strategy<Value = (Dataset, Encoding, RecordBatch)> {
    let picks = prop::collection::vec(any::<usize>(), 1..30);
    let texts = prop_oneof![prop::collection::vec("[a-z]{1,40}", 1..5), prop::collection::vec(text(), 1..5),];
    let numbers = prop::collection::vec(prop_oneof![any::<i64>(), -1_000..1_000_i64], 1..6);
    let name = prop::sample::select(vec!["messages", "requests"]);
    (name, picks, texts, numbers).prop_map(|(name, picks, texts, numbers)| {
        let (dataset, encoding) = dataset(name);
        let columns = dataset.columns().iter().enumerate().map(|(at, column)| {
            let picks: Vec<usize> = picks.iter().map(|pick| pick ^ (at * 0x1234_5677)).collect();
            array(column, &picks, &texts, &numbers)
        });
        let rows = RecordBatch::try_new(dataset.schema(), columns.collect()).unwrap();
        (dataset, encoding, rows)
    })
}

/// A cell as JSON text, by the writer of any value.
fn json_cell(rows: &RecordBatch, column: &Column, at: usize, row: usize) -> String {
    let mut text = Vec::new();
    write_value(&mut text, &ColumnView::of(rows, at).unwrap(), column, row).unwrap();
    String::from_utf8(text).unwrap()
}

fn plain_json(dataset: &Dataset, rows: &RecordBatch) -> String {
    let line = |row| {
        let fields = dataset.columns().iter().enumerate();
        let fields =
            fields.map(|(at, column)| format!("{}:{}", json!(column.name), json_cell(rows, column, at, row)));
        format!("{{{}}}\n", fields.collect::<Vec<_>>().join(","))
    };
    (0..rows.num_rows()).map(line).collect()
}

/// A cell as CSV shows it, before quotes; `None` if it is null.
fn csv_cell(rows: &RecordBatch, column: &Column, at: usize, row: usize) -> Option<String> {
    let view = ColumnView::of(rows, at).unwrap();
    if view.is_null(row) {
        return None;
    }
    Some(match view {
        ColumnView::Text(values) => values.value(row).to_owned(),
        ColumnView::Time(values) => {
            let shown = instant_text(values.value(row)).unwrap();
            let is_millis = shown.len() == "2025-01-15T14:05:00.123Z".len();
            if is_millis { shown.replace('Z', "000Z") } else { shown }
        }
        _ => json_cell(rows, column, at, row),
    })
}

fn plain_csv(dataset: &Dataset, rows: &RecordBatch) -> String {
    let quoted = |cell: Option<String>| match cell {
        None => String::new(),
        Some(text) if text.is_empty() || text.contains([',', '"', '\n', '\r']) => {
            format!("\"{}\"", text.replace('"', "\"\""))
        }
        Some(text) => text,
    };
    let names = dataset.columns().iter().map(|column| quoted(Some(column.name.clone())));
    let mut text = names.collect::<Vec<_>>().join(",") + "\n";
    for row in 0..rows.num_rows() {
        let columns = dataset.columns().iter().enumerate();
        let cells = columns.map(|(at, column)| quoted(csv_cell(rows, column, at, row)));
        text += &(cells.collect::<Vec<_>>().join(",") + "\n");
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Both forms are what plain writers make of the same rows, however the rows are cut into batches, in memory or part by
    /// part; and a reader of CSV finds the cells again.
    #[test]
    fn text_is_what_plain_writers_write((dataset, encoding, rows) in rows(), cut in 1_usize..30) {
        let slices: Vec<RecordBatch> =
            (0..rows.num_rows()).step_by(cut).map(|from| rows.slice(from, cut.min(rows.num_rows() - from))).collect();
        for (format, expected) in [
            (Format::Ndjson, plain_json(&dataset, &rows)),
            (Format::Csv, plain_csv(&dataset, &rows)),
        ] {
            let encoding = Encoding { format, ..encoding.clone() };
            let whole = encode(&dataset, &encoding, std::slice::from_ref(&rows)).unwrap();
            prop_assert!(whole == expected, "{}\n{expected}", String::from_utf8_lossy(&whole));
            let mut parts = Vec::new();
            encode_text_to(&mut parts, &dataset, &encoding, &slices).unwrap();
            prop_assert!(parts == whole);
        }
        let text = plain_csv(&dataset, &rows);
        let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
        for (row, record) in reader.records().enumerate() {
            let record = record.unwrap();
            for (at, column) in dataset.columns().iter().enumerate() {
                prop_assert_eq!(record.get(at).unwrap(), csv_cell(&rows, column, at, row).unwrap_or_default());
            }
        }
    }
}

/// Texts of JSON are read again as the values they were.
#[test]
fn strings_of_all_characters_are_json() {
    let (dataset, encoding) = dataset("messages");
    let all: String =
        (0..0x300).chain(0xD7F0..0xE010).chain(0x10_FFF0..0x11_0000).filter_map(char::from_u32).collect();
    let columns =
        dataset.columns().iter().map(|column| array(column, &[1], std::slice::from_ref(&all), &[1]));
    let rows = RecordBatch::try_new(dataset.schema(), columns.collect()).unwrap();
    let text = plain_json(&dataset, &rows);
    let encoding = Encoding { format: Format::Ndjson, ..encoding };
    assert_eq!(encode(&dataset, &encoding, &[rows]).unwrap(), text);
    // Of texts alone: the others hold what is no JSON.
    let start = text.find("\"message_id\":").unwrap() + "\"message_id\":".len();
    let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
    assert_eq!(values.next().unwrap().unwrap(), json!(all));
}

#[test]
fn an_instant_that_no_text_shows_is_an_error() {
    let (dataset, encoding) = dataset("messages");
    let columns = dataset.columns().iter().map(|column| match column.kind {
        ColumnType::Datetime => {
            Arc::new(TimestampMicrosecondArray::from(vec![i64::MAX]).with_timezone("UTC")) as ArrayRef
        }
        _ => array(column, &[1], &["a".to_owned()], &[1]),
    });
    let rows = RecordBatch::try_new(dataset.schema(), columns.collect()).unwrap();
    for format in [Format::Ndjson, Format::Csv] {
        let encoding = Encoding { format, ..encoding.clone() };
        let error = encode(&dataset, &encoding, std::slice::from_ref(&rows)).unwrap_err();
        assert!(matches!(error, EncodeError::Schema { .. }), "{error}");
    }
}
