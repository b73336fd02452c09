//! Columns and rows of one object, held against its dataset.

use std::collections::BTreeMap;

use arrow_schema::Schema;
use bucketproof_connector::profile::{Column, ColumnType, Dataset};
use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// Enough of a digest to tell rows apart.
pub(super) type RowKey = [u8; 16];

/// What is wrong with the columns, a line a mistake.
pub(super) fn columns(found: &Schema, dataset: &Dataset) -> Vec<String> {
    let expected = dataset.schema();
    let mut wrong = Vec::new();
    for field in expected.fields() {
        match found.field_with_name(field.name()) {
            Err(_) => wrong.push(format!("the column `{}` is missing", field.name())),
            Ok(own) => {
                if own.data_type() != field.data_type() {
                    let (name, is, should) = (field.name(), own.data_type(), field.data_type());
                    wrong.push(format!("the column `{name}` is {is}, not {should}"));
                } else if own.is_nullable() != field.is_nullable() {
                    let may = if field.is_nullable() { "may" } else { "may not" };
                    wrong
                        .push(format!("the column `{}` is marked otherwise: it {may} be null", field.name()));
                }
            }
        }
    }
    let known = |name: &str| expected.field_with_name(name).is_ok();
    let others = found.fields().iter().filter(|field| !known(field.name()));
    wrong.extend(others.map(|field| format!("the column `{}` is not documented", field.name())));
    if wrong.is_empty() {
        let names =
            |schema: &Schema| schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
        if names(found) != names(&expected) {
            wrong.push("the columns are not in the documented order".to_owned());
        }
    }
    wrong
}

/// What is wrong with the rows of a text, a line a mistake, each with the number of rows that make it.
pub(super) fn text_columns(rows: &[Value], dataset: &Dataset, is_csv: bool) -> Vec<String> {
    let mut wrong: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows.iter().filter_map(Value::as_object) {
        for message in members(row, dataset.columns(), is_csv) {
            *wrong.entry(message).or_default() += 1;
        }
    }
    wrong.into_iter().map(|(message, number)| format!("{message}, in {number} rows")).collect()
}

fn members(row: &Map<String, Value>, columns: &[Column], is_csv: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for column in columns {
        match row.get(&column.name) {
            None => wrong.push(format!("the column `{}` is missing", column.name)),
            Some(Value::Null) if !column.nullable => {
                wrong.push(format!("the column `{}` is null, which it may not be", column.name));
            }
            Some(Value::Null) => {}
            Some(value) if !is_of(column, value, is_csv) => {
                wrong.push(format!("the column `{}` is not of the type {:?}", column.name, column.kind));
            }
            Some(_) => {}
        }
    }
    let others = row.keys().filter(|name| !columns.iter().any(|column| column.name == **name));
    wrong.extend(others.map(|name| format!("the column `{name}` is not documented")));
    if wrong.is_empty() && !row.keys().eq(columns.iter().map(|column| &column.name)) {
        wrong.push("the columns are not in the documented order".to_owned());
    }
    wrong
}

/// Whether a value is what its column holds. In CSV every value is a text, and what is nested is JSON in it.
fn is_of(column: &Column, value: &Value, is_csv: bool) -> bool {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_decimal = |text: &str| {
        let text = text.strip_prefix('-').unwrap_or(text);
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        is_digits(whole) && is_digits(part)
    };
    if let Some(text) = value.as_str() {
        return match column.kind {
            ColumnType::String => column.form.is_none_or(|form| form.accepts(text)),
            ColumnType::Datetime => text.parse::<Timestamp>().is_ok(),
            ColumnType::Millis => is_digits(text),
            ColumnType::Decimal => is_decimal(text),
            ColumnType::Json if !is_csv => true,
            _ if is_csv => serde_json::from_str(text)
                .is_ok_and(|value: Value| !value.is_string() && is_of(column, &value, false)),
            _ => false,
        };
    }
    let list = |fits: &dyn Fn(&Value) -> bool| value.as_array().is_some_and(|items| items.iter().all(fits));
    let fields = |value: &Value| {
        value.as_object().is_some_and(|fields| members(fields, &column.fields, false).is_empty())
    };
    match column.kind {
        ColumnType::Json => true,
        ColumnType::Boolean => value.is_boolean(),
        ColumnType::Integer => value.is_i64(),
        ColumnType::Decimal => value.is_number(),
        ColumnType::Object => value.is_object(),
        ColumnType::Array => list(&|item| item.is_string() || item.is_null()),
        ColumnType::IntegerArray => list(&|item| item.is_i64() || item.is_null()),
        ColumnType::ArrayJson => value.is_array(),
        ColumnType::Struct => fields(value),
        ColumnType::StructArray => list(&fields),
        ColumnType::String | ColumnType::Datetime | ColumnType::Millis => false,
    }
}

/// The identity of a row whose dataset has no key: all that it holds.
pub(super) fn whole_of(row: &Value) -> RowKey {
    let digest = Sha256::digest(row.to_string());
    let mut key = RowKey::default();
    for (to, from) in key.iter_mut().zip(digest) {
        *to = from;
    }
    key
}

/// The identity of a row by the first key whose columns are there; nothing if rows have none.
pub(super) fn key_of(dataset: &Dataset, row: &Value) -> Option<RowKey> {
    let is_present = |name: &String| row.get(name).is_some_and(|value| !value.is_null());
    let (number, key) =
        dataset.keys().iter().enumerate().find(|(_, key)| key.present.iter().all(is_present))?;
    let mut digest = Sha256::new();
    digest.update([u8::try_from(number).unwrap_or(u8::MAX)]);
    for name in &key.columns {
        let text = row.get(name).unwrap_or(&Value::Null).to_string();
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text);
    }
    let digest = digest.finalize();
    digest.get(..16).and_then(|part| part.try_into().ok())
}

/// The time that decides on the row's partition.
pub(super) fn time_of(dataset: &Dataset, row: &Value) -> Option<Timestamp> {
    let text = row.get(dataset.time_column()?)?.as_str()?;
    let millis = || text.parse().ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    text.parse().ok().or_else(millis)
}

/// Values outside closed lists, with their number: column, value.
pub(super) fn strange_values(dataset: &Dataset, rows: &[Value]) -> BTreeMap<(String, String), usize> {
    let mut strange = BTreeMap::new();
    for column in dataset.columns() {
        let Some(values) = &column.values else { continue };
        for value in rows.iter().filter_map(|row| row.get(&column.name)).filter_map(Value::as_str) {
            if !values.iter().any(|known| known == value) {
                *strange.entry((column.name.clone(), value.to_owned())).or_default() += 1;
            }
        }
    }
    strange
}
