//! Is a Parquet file of the vendor's schema, exactly? Nothing is converted, so that nothing is silently changed.
//!
//! Column order is free, names are compared with their letter case, other columns are passed over.

use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::schema::types::Type;

use super::profile::{ImportColumn, ImportType};

/// What is wrong with the columns of a file; empty if nothing is.
pub(crate) fn defects(root: &Type, columns: &[ImportColumn]) -> Vec<String> {
    let fields = root.get_fields();
    let mut defects = Vec::new();
    for column in columns {
        let mut named = fields.iter().filter(|field| field.name() == column.name);
        match (named.next(), named.next()) {
            (None, _) => {
                let similar = fields.iter().find(|field| field.name().eq_ignore_ascii_case(&column.name));
                let hint = similar
                    .map_or(String::new(), |field| format!("; `{}` differs in letter case", field.name()));
                defects.push(format!("column `{}` is missing{hint}", column.name));
            }
            (Some(_), Some(_)) => defects.push(format!("column `{}` occurs twice", column.name)),
            (Some(field), None) if !is_of_type(field, column.kind) => defects.push(format!(
                "column `{}` is {}, not {}",
                column.name,
                describe(field),
                expected(column.kind)
            )),
            _ => {}
        }
    }
    defects
}

/// Columns that could not be told apart by their names.
pub(crate) fn ambiguous(root: &Type) -> Vec<String> {
    let fields = root.get_fields();
    let twice = fields
        .iter()
        .enumerate()
        .filter(|(place, field)| fields.iter().take(*place).any(|other| other.name() == field.name()));
    twice.map(|(_, field)| format!("column `{}` occurs twice", field.name())).collect()
}

fn expected(kind: ImportType) -> &'static str {
    match kind {
        ImportType::String => "a string (BYTE_ARRAY with annotation STRING)",
        ImportType::Long => "a long (INT64)",
        ImportType::Double => "a double (DOUBLE)",
        ImportType::Map => "a map from string to string",
    }
}

fn is_of_type(field: &Type, kind: ImportType) -> bool {
    if is_repeated(field) {
        return false;
    }
    match kind {
        ImportType::String => is_string(field),
        ImportType::Long => {
            field.is_primitive()
                && field.get_physical_type() == Physical::INT64
                && match field.get_basic_info().logical_type_ref() {
                    Some(LogicalType::Integer(integer)) => integer.bit_width == 64 && integer.is_signed,
                    Some(_) => false,
                    None => matches!(
                        field.get_basic_info().converted_type(),
                        ConvertedType::NONE | ConvertedType::INT_64
                    ),
                }
        }
        ImportType::Double => field.is_primitive() && field.get_physical_type() == Physical::DOUBLE,
        ImportType::Map => is_map_of_strings(field),
    }
}

fn is_repeated(field: &Type) -> bool {
    let info = field.get_basic_info();
    info.has_repetition() && info.repetition() == Repetition::REPEATED
}

fn is_string(field: &Type) -> bool {
    let info = field.get_basic_info();
    field.is_primitive()
        && field.get_physical_type() == Physical::BYTE_ARRAY
        && (matches!(info.logical_type_ref(), Some(LogicalType::String))
            || (info.logical_type_ref().is_none() && info.converted_type() == ConvertedType::UTF8))
}

fn is_map_of_strings(field: &Type) -> bool {
    let info = field.get_basic_info();
    let is_map = matches!(info.logical_type_ref(), Some(LogicalType::Map))
        || matches!(info.converted_type(), ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE);
    if field.is_primitive() || !is_map {
        return false;
    }
    let [entries] = field.get_fields() else { return false };
    if entries.is_primitive() || !is_repeated(entries) {
        return false;
    }
    matches!(entries.get_fields(), [key, value] if is_string(key) && is_string(value) && !is_repeated(value))
}

fn describe(field: &Type) -> String {
    let info = field.get_basic_info();
    let mut text = if field.is_primitive() {
        field.get_physical_type().to_string()
    } else {
        let inner: Vec<&str> = field.get_fields().iter().map(|field| field.name()).collect();
        format!("a group of {}", inner.join(", "))
    };
    match (info.logical_type_ref(), info.converted_type()) {
        (Some(logical), _) => annotate(&mut text, &format!("{logical:?}")),
        (None, ConvertedType::NONE) => {}
        (None, converted) => annotate(&mut text, &converted.to_string()),
    }
    if is_repeated(field) {
        text.push_str(", repeated");
    }
    text
}

fn annotate(text: &mut String, annotation: &str) {
    text.push_str(" with annotation ");
    text.push_str(annotation);
}
