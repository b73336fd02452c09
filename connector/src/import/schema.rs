//! Is a Parquet file of the vendor's schema, exactly? Nothing is converted, so that nothing is silently changed.
//!
//! Column order is free, names are compared with their letter case, other columns are passed over.

use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical};
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

/// A type in the words of the format.
fn describe(field: &Type) -> String {
    let info = field.get_basic_info();
    let mut text = if field.is_primitive() { field.get_physical_type().to_string() } else { group(field) };
    let annotation = match (info.logical_type_ref(), info.converted_type()) {
        _ if !field.is_primitive() => None,
        // Writers make this of a column in which no value has said of which type it is.
        (Some(LogicalType::Unknown), _) => {
            Some("UNKNOWN: its writer was not told of which type it is".to_owned())
        }
        (Some(logical), _) => Some(annotation(logical)),
        (None, ConvertedType::NONE) => None,
        (None, converted) => Some(converted.to_string()),
    };
    if let Some(annotation) = annotation {
        text.push_str(" with annotation ");
        text.push_str(&annotation);
    }
    if is_repeated(field) {
        text.push_str(", repeated");
    }
    text
}

/// What a group is: a map, a list or a struct, and of what.
fn group(field: &Type) -> String {
    let info = field.get_basic_info();
    let (logical, converted) = (info.logical_type_ref(), info.converted_type());
    let inner =
        |field: &Type| -> Vec<String> { field.get_fields().iter().map(|inner| describe(inner)).collect() };
    let is_map = matches!(logical, Some(LogicalType::Map))
        || matches!(converted, ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE);
    if is_map {
        let pairs = field.get_fields().first().filter(|pairs| !pairs.is_primitive());
        return match pairs.map(|pairs| inner(pairs)).as_deref() {
            Some([key, value]) => format!("a map from {key} to {value}"),
            _ => "a map without keys and values".to_owned(),
        };
    }
    if matches!(logical, Some(LogicalType::List)) || converted == ConvertedType::LIST {
        return "a list".to_owned();
    }
    let names: Vec<String> = field.get_fields().iter().map(|inner| format!("`{}`", inner.name())).collect();
    format!("a struct of {}", names.join(", "))
}

fn annotation(logical: &LogicalType) -> String {
    let unit = |unit: &TimeUnit| format!("{unit:?}");
    match logical {
        LogicalType::Timestamp(of) => {
            let zone = if of.is_adjusted_to_u_t_c { ", UTC" } else { "" };
            format!("TIMESTAMP({}{zone})", unit(&of.unit))
        }
        LogicalType::Time(of) => format!("TIME({})", unit(&of.unit)),
        LogicalType::Decimal(of) => format!("DECIMAL({}, {})", of.precision, of.scale),
        LogicalType::Integer(of) => {
            format!("INTEGER({}, {})", of.bit_width, if of.is_signed { "signed" } else { "unsigned" })
        }
        other => format!("{other:?}").split(['(', '{', ' ']).next().unwrap_or_default().to_uppercase(),
    }
}
