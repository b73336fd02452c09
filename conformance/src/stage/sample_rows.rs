//! Rows that a vendor's source might deliver, made from the columns of its profile.

use bucketproof_connector::profile::{Column, ColumnType, Dataset, TextForm};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

/// Rows `numbers` of a dataset, a line each, seconds apart; every seventh value that may be null is.
pub(crate) fn sample_rows(dataset: &Dataset, numbers: std::ops::Range<u32>, from: Timestamp) -> String {
    let mut lines = String::new();
    for number in numbers {
        lines.push_str(&object(dataset.columns(), number, from).to_string());
        lines.push('\n');
    }
    lines
}

fn object(columns: &[Column], number: u32, from: Timestamp) -> Value {
    let field = |(at, column): (usize, &Column)| (column.name.clone(), value(column, at, number, from));
    Value::Object(columns.iter().enumerate().map(field).collect::<Map<String, Value>>())
}

fn value(column: &Column, at: usize, number: u32, from: Timestamp) -> Value {
    if column.nullable && (u32::try_from(at).unwrap_or(0) + number).is_multiple_of(7) {
        return Value::Null;
    }
    if let Some(values) = &column.values {
        let which = usize::try_from(number).unwrap_or(0) % values.len().max(1);
        return json!(values.get(which));
    }
    let instant = from + SignedDuration::from_secs(i64::from(number));
    match column.kind {
        ColumnType::String => match column.form {
            Some(TextForm::LowerCase) => json!("trial_started"),
            Some(TextForm::IpAddress) => json!("2001:db8::1"),
            Some(TextForm::CurrencyCode) => json!("EUR"),
            Some(TextForm::Hexadecimal) => json!("9774d56d682e549c"),
            None => json!(format!("{} {number}, \"é\"\n", column.name)),
        },
        ColumnType::Json => json!({ "n": number }),
        ColumnType::Object => json!({ "n": number, "deep": { "list": [1.5, null, "x,y"] } }),
        ColumnType::Datetime => json!(instant.to_string()),
        ColumnType::Millis => json!(instant.as_millisecond().to_string()),
        ColumnType::Boolean => json!(number.is_multiple_of(2)),
        ColumnType::Integer => json!(i64::from(number) - 3),
        ColumnType::Array => json!([format!("a{number}"), ""]),
        ColumnType::ArrayJson => json!([{ "id": number }, 2]),
        ColumnType::IntegerArray => json!([number, -1]),
        ColumnType::Struct => object(&column.fields, number, from),
        ColumnType::StructArray => {
            json!([object(&column.fields, number, from), object(&column.fields, number + 1, from)])
        }
        ColumnType::Decimal => json!(format!("-{number}.25")),
    }
}
