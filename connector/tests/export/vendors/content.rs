//! Rows made from columns, and rows read from objects, both as JSON text of one form.

use std::collections::BTreeMap;
use std::io::Read as _;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use bucketproof_connector::names::ObjectKey;
use bucketproof_connector::parquet_file::decode;
use bucketproof_connector::profile::{
    Column, ColumnType, Dataset, Format, KeyPrefix, TextForm, VendorProfile,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

/// The instant of a row: rows are seconds apart.
fn instant(from: Timestamp, number: u32) -> Timestamp {
    from + SignedDuration::from_secs(i64::from(number))
}

/// A source row of every column; every seventh value that may be null is.
pub(super) fn sample(dataset: &Dataset, number: u32, from: Timestamp) -> String {
    let fields: Map<String, Value> = dataset
        .columns()
        .iter()
        .enumerate()
        .map(|(at, column)| (column.name.clone(), source_value(column, at, number, from)))
        .collect();
    Value::Object(fields).to_string()
}

fn struct_value(column: &Column, number: u32, from: Timestamp) -> Value {
    let fields = column.fields.iter().enumerate();
    Value::Object(
        fields.map(|(at, field)| (field.name.clone(), source_value(field, at, number, from))).collect(),
    )
}

fn expected_struct(column: &Column, number: u32, from: Timestamp) -> Value {
    let fields = column.fields.iter().enumerate();
    Value::Object(
        fields.map(|(at, field)| (field.name.clone(), expected_value(field, at, number, from))).collect(),
    )
}

fn is_null(column: &Column, at: usize, number: u32) -> bool {
    column.nullable && (at + number as usize).is_multiple_of(7)
}

fn source_value(column: &Column, at: usize, number: u32, from: Timestamp) -> Value {
    if is_null(column, at, number) {
        return Value::Null;
    }
    if let Some(values) = &column.values {
        return json!(values[number as usize % values.len()]);
    }
    let instant = instant(from, number);
    match column.kind {
        ColumnType::String if column.form.is_some() => json!(formed(column.form.unwrap())),
        ColumnType::String => json!(format!("{} {number}, \"é\"\n", column.name)),
        ColumnType::Json => json!({ "n": number }),
        ColumnType::Object => json!({ "n": number, "deep": { "list": [1.5, null, "x,y"] } }),
        ColumnType::Datetime => json!(instant.to_string()),
        ColumnType::Millis => json!(instant.as_millisecond().to_string()),
        ColumnType::Boolean => json!(number.is_multiple_of(2)),
        ColumnType::Integer => json!(i64::from(number) - 3),
        ColumnType::Array => json!([format!("a{number}"), ""]),
        ColumnType::ArrayJson => json!([{ "id": number }, 2]),
        ColumnType::IntegerArray => json!([number, -1]),
        ColumnType::Struct => struct_value(column, number, from),
        ColumnType::StructArray => {
            json!([struct_value(column, number, from), struct_value(column, number + 1, from)])
        }
        ColumnType::Decimal => json!(format!("-{number}.25")),
    }
}

/// What a reader finds in objects, by dataset: rows as JSON text, sorted; each object lies where the layout puts it.
pub(super) fn content_of(
    profile: &VendorProfile,
    prefix: &KeyPrefix,
    format: Format,
    objects: &BTreeMap<String, bytes::Bytes>,
) -> BTreeMap<String, Vec<String>> {
    let mut content: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let prefix = profile.prefix_of(prefix);
    for (key, body) in objects {
        let name = ObjectKey::new(key.as_str()).unwrap();
        let owner = profile.datasets().iter().find(|dataset| {
            let parts = dataset.layout().parts_of(&prefix, &name);
            parts.is_some_and(|parts| parts.dataset.is_none_or(|found| found == dataset.name().as_str()))
        });
        let owner = owner.unwrap_or_else(|| panic!("`{key}` is of no layout"));
        content.entry(owner.name().to_string()).or_default().extend(rows_of(owner, format, body));
    }
    for rows in content.values_mut() {
        rows.sort();
    }
    content
}

/// What a reader is to find once rows `numbers` of each dataset were exported.
pub(super) fn expected_of(
    profile: &VendorProfile,
    numbers: &std::ops::Range<u32>,
    from: Timestamp,
) -> BTreeMap<String, Vec<String>> {
    let rows = |dataset| {
        let mut rows: Vec<String> = numbers.clone().map(|number| expected(dataset, number, from)).collect();
        rows.sort();
        rows
    };
    profile.datasets().iter().map(|dataset| (dataset.name().to_string(), rows(dataset))).collect()
}

/// The row as [`rows_of`] finds it.
fn expected(dataset: &Dataset, number: u32, from: Timestamp) -> String {
    let fields: Map<String, Value> = dataset
        .columns()
        .iter()
        .enumerate()
        .map(|(at, column)| (column.name.clone(), expected_value(column, at, number, from)))
        .collect();
    Value::Object(fields).to_string()
}

fn expected_value(column: &Column, at: usize, number: u32, from: Timestamp) -> Value {
    match (source_value(column, at, number, from), column.kind) {
        (Value::Null, _) => Value::Null,
        (_, ColumnType::Struct) => expected_struct(column, number, from),
        (_, ColumnType::StructArray) => {
            json!([expected_struct(column, number, from), expected_struct(column, number + 1, from)])
        }
        (value, ColumnType::Json | ColumnType::Object) => json!(value.to_string()),
        (value, ColumnType::ArrayJson) => {
            json!(value.as_array().unwrap().iter().map(Value::to_string).collect::<Vec<_>>())
        }
        (_, ColumnType::Datetime | ColumnType::Millis) => json!(instant(from, number).as_microsecond()),
        (value, _) => value,
    }
}

/// The rows of an object, whatever its format.
fn rows_of(dataset: &Dataset, format: Format, body: &bytes::Bytes) -> Vec<String> {
    match format {
        Format::Parquet => decode(dataset, body.clone()).unwrap().iter().flat_map(of_parquet).collect(),
        Format::Ndjson => of_lines(dataset, &unpacked(body)),
        Format::Csv => of_table(dataset, &unpacked(body)),
    }
}

fn formed(form: TextForm) -> &'static str {
    match form {
        TextForm::LowerCase => "trial_started",
        TextForm::IpAddress => "2001:db8::1",
        TextForm::CurrencyCode => "EUR",
        TextForm::Hexadecimal => "9774d56d682e549c",
    }
}

/// A field of CSV: null is empty, and the empty text is quoted.
type Field = Option<String>;

/// Records of RFC 4180.
fn records(text: &str) -> Vec<Vec<Field>> {
    let (mut records, mut record) = (Vec::new(), Vec::new());
    let mut rest = text.chars().peekable();
    while rest.peek().is_some() {
        let mut field = None;
        if rest.next_if_eq(&'"').is_some() {
            let mut value = String::new();
            loop {
                match rest.next().expect("a closing quote") {
                    '"' if rest.next_if_eq(&'"').is_some() => value.push('"'),
                    '"' => break,
                    c => value.push(c),
                }
            }
            field = Some(value);
        } else {
            while let Some(c) = rest.next_if(|c| !matches!(c, ',' | '\n')) {
                assert_ne!(c, '"', "a quote within a field that is not quoted");
                field.get_or_insert_with(String::new).push(c);
            }
        }
        record.push(field);
        match rest.next().expect("a line end") {
            ',' => {}
            '\n' => records.push(std::mem::take(&mut record)),
            other => panic!("`{other}` behind a quoted field"),
        }
    }
    records
}

fn of_table(dataset: &Dataset, text: &str) -> Vec<String> {
    let mut records = records(text).into_iter();
    let header: Vec<String> = records.next().expect("a header").into_iter().flatten().collect();
    let columns: Vec<&String> = dataset.columns().iter().map(|column| &column.name).collect();
    assert_eq!(header.iter().collect::<Vec<_>>(), columns);
    records
        .map(|record| {
            assert_eq!(record.len(), columns.len());
            let fields: Map<String, Value> = record
                .into_iter()
                .zip(dataset.columns())
                .map(|(field, column)| {
                    let value = field.map_or(Value::Null, |text| match column.kind {
                        ColumnType::String
                        | ColumnType::Decimal
                        | ColumnType::Datetime
                        | ColumnType::Millis => json!(text),
                        _ => serde_json::from_str(&text).unwrap(),
                    });
                    (column.name.clone(), typed(column, value))
                })
                .collect();
            Value::Object(fields).to_string()
        })
        .collect()
}

pub(super) fn unpacked(body: &[u8]) -> String {
    let mut text = String::new();
    if body.starts_with(&[0x1F, 0x8B]) {
        flate2::read::MultiGzDecoder::new(body).read_to_string(&mut text).unwrap();
    } else {
        text = std::str::from_utf8(body).unwrap().to_owned();
    }
    text
}

pub(super) fn of_lines(dataset: &Dataset, text: &str) -> Vec<String> {
    text.lines()
        .map(|line| {
            let row: Map<String, Value> = serde_json::from_str(line).unwrap();
            let names: Vec<&String> = row.keys().collect();
            let columns: Vec<&String> = dataset.columns().iter().map(|column| &column.name).collect();
            assert_eq!(names, columns, "every column, in order");
            let fields: Map<String, Value> = row
                .into_iter()
                .zip(dataset.columns())
                .map(|((name, value), column)| (name, typed(column, value)))
                .collect();
            Value::Object(fields).to_string()
        })
        .collect()
}

fn typed(column: &Column, value: Value) -> Value {
    match (value, column.kind) {
        (Value::Null, _) => Value::Null,
        (Value::Object(fields), ColumnType::Struct | ColumnType::StructArray) => {
            let typed = fields.into_iter().zip(&column.fields).map(|((name, value), field)| {
                assert_eq!(name, field.name, "every field, in order");
                (name, typed(field, value))
            });
            Value::Object(typed.collect())
        }
        (Value::Array(elements), ColumnType::StructArray) => {
            elements.into_iter().map(|element| typed(column, element)).collect()
        }
        (value, ColumnType::Json | ColumnType::Object) => json!(value.to_string()),
        (value, ColumnType::ArrayJson) => {
            json!(value.as_array().unwrap().iter().map(Value::to_string).collect::<Vec<_>>())
        }
        (value, ColumnType::Datetime) => {
            json!(value.as_str().unwrap().parse::<Timestamp>().unwrap().as_microsecond())
        }
        (value, ColumnType::Millis) => json!(value.as_str().unwrap().parse::<i64>().unwrap() * 1_000),
        (Value::Number(number), ColumnType::Decimal) => json!(number.to_string()),
        (value, _) => value,
    }
}

fn of_parquet(batch: &RecordBatch) -> Vec<String> {
    (0..batch.num_rows())
        .map(|row| {
            let fields: Map<String, Value> = batch
                .schema()
                .fields()
                .iter()
                .zip(batch.columns())
                .map(|(field, column)| (field.name().clone(), parquet_value(column, row)))
                .collect();
            Value::Object(fields).to_string()
        })
        .collect()
}

fn parquet_value(column: &dyn Array, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    if let Some(texts) = column.as_string_opt::<i32>() {
        return json!(texts.value(row));
    }
    if let Some(times) = column.as_primitive_opt::<TimestampMicrosecondType>() {
        return json!(times.value(row));
    }
    if let Some(numbers) = column.as_primitive_opt::<Int64Type>() {
        return json!(numbers.value(row));
    }
    if let Some(truths) = column.as_boolean_opt() {
        return json!(truths.value(row));
    }
    if let Some(structs) = column.as_struct_opt() {
        let fields = structs.fields().iter().zip(structs.columns());
        return Value::Object(
            fields.map(|(field, array)| (field.name().clone(), parquet_value(array, row))).collect(),
        );
    }
    let list = column.as_list::<i32>().value(row);
    json!((0..list.len()).map(|at| parquet_value(&list, at)).collect::<Vec<_>>())
}
