//! Columns and rows of one object, held against its dataset.

use std::collections::BTreeMap;

use arrow_schema::Schema;
use bucketproof_connector::profile::Dataset;
use jiff::Timestamp;
use serde_json::Value;
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
    row.get(dataset.time_column()?)?.as_str()?.parse().ok()
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
