//! A row of Arrow columns as a line of JSON, to be judged like any other line.

use std::fmt::Write as _;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};

use crate::datetime::instant_text;
use crate::profile::{Column, ColumnType, Dataset};

/// Appends row `row` as a line; columns without a value are left out. The problem, if a column's type has no JSON.
pub(super) fn write_row(
    line: &mut String,
    dataset: &Dataset,
    batch: &RecordBatch,
    row: usize,
) -> Result<(), String> {
    line.push('{');
    let mut is_first = true;
    for column in dataset.columns() {
        let Some(values) = batch.column_by_name(&column.name).filter(|values| values.is_valid(row)) else {
            continue;
        };
        if !is_first {
            line.push(',');
        }
        is_first = false;
        let mut value = String::new();
        let is_json = write_value(&mut value, values.as_ref(), row, column.kind, &column.fields)
            .map_err(|problem| format!("column `{}` holds {problem}", column.name))?;
        // What only claims to be JSON stands under a name that no dataset has, so that the row is judged and kept.
        let name = if is_json { column.name.clone() } else { format!("{} (no JSON)", column.name) };
        push_text(line, &name);
        line.push(':');
        line.push_str(&value);
    }
    line.push_str("}\n");
    Ok(())
}

fn push_text(line: &mut String, text: &str) {
    // A string always serialises.
    line.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// Appends a value; `false` if it is a text that was to be JSON and is none.
fn write_value(
    line: &mut String,
    values: &dyn Array,
    row: usize,
    kind: ColumnType,
    fields: &[Column],
) -> Result<bool, String> {
    if values.is_null(row) {
        line.push_str("null");
        return Ok(true);
    }
    if let Some(number) = integer(values, row) {
        let _infallible = match kind {
            ColumnType::Millis => write!(line, "\"{number}\""),
            _ => write!(line, "{number}"),
        };
        return Ok(true);
    }
    let text = match values.data_type() {
        DataType::Utf8 => Some(values.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Some(values.as_string::<i64>().value(row)),
        DataType::Utf8View => Some(values.as_string_view().value(row)),
        _ => None,
    };
    if let Some(text) = text {
        return Ok(write_text(line, text, kind));
    }
    match values.data_type() {
        DataType::Boolean => line.push_str(if values.as_boolean().value(row) { "true" } else { "false" }),
        DataType::Float32 => push_float(line, values.as_primitive::<Float32Type>().value(row).into())?,
        DataType::Float64 => push_float(line, values.as_primitive::<Float64Type>().value(row))?,
        DataType::Timestamp(unit, _) => push_time(line, values, row, *unit, kind)?,
        DataType::List(_) | DataType::LargeList(_) => {
            let elements = match values.as_list_opt::<i32>() {
                Some(lists) => lists.value(row),
                None => values.as_list::<i64>().value(row),
            };
            return write_list(line, elements.as_ref(), kind, fields);
        }
        DataType::Struct(_) => {
            let structs = values.as_struct();
            let mut is_json = true;
            line.push('{');
            for (at, (name, values)) in structs.column_names().iter().zip(structs.columns()).enumerate() {
                if at > 0 {
                    line.push(',');
                }
                push_text(line, name);
                line.push(':');
                let field = fields.iter().find(|field| field.name == **name);
                let (kind, fields) =
                    field.map_or((ColumnType::String, [].as_slice()), |field| (field.kind, &field.fields));
                is_json &= write_value(line, values.as_ref(), row, kind, fields)?;
            }
            line.push('}');
            return Ok(is_json);
        }
        other => return Err(format!("`{other}`, which JSON does not have")),
    }
    Ok(true)
}

fn write_list(
    line: &mut String,
    elements: &dyn Array,
    kind: ColumnType,
    fields: &[Column],
) -> Result<bool, String> {
    let kind = match kind {
        ColumnType::ArrayJson => ColumnType::Json,
        ColumnType::IntegerArray => ColumnType::Integer,
        ColumnType::StructArray => ColumnType::Struct,
        _ => ColumnType::String,
    };
    let mut is_json = true;
    line.push('[');
    for at in 0..elements.len() {
        if at > 0 {
            line.push(',');
        }
        is_json &= write_value(line, elements, at, kind, fields)?;
    }
    line.push(']');
    Ok(is_json)
}

/// A text, which is JSON already where the column takes more than a text.
fn write_text(line: &mut String, text: &str, kind: ColumnType) -> bool {
    let is_text = !matches!(
        kind,
        ColumnType::Json
            | ColumnType::Object
            | ColumnType::Decimal
            | ColumnType::Array
            | ColumnType::ArrayJson
            | ColumnType::IntegerArray
            | ColumnType::Struct
            | ColumnType::StructArray
    );
    if is_text {
        push_text(line, text);
        return true;
    }
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
        // A line end outside of a string means as much as a space, and none can stand within.
        line.extend(text.chars().map(|letter| if matches!(letter, '\n' | '\r') { ' ' } else { letter }));
        return true;
    }
    push_text(line, text);
    kind == ColumnType::Decimal
}

fn integer(values: &dyn Array, row: usize) -> Option<i128> {
    Some(match values.data_type() {
        DataType::Int8 => values.as_primitive_opt::<Int8Type>()?.value(row).into(),
        DataType::Int16 => values.as_primitive_opt::<Int16Type>()?.value(row).into(),
        DataType::Int32 => values.as_primitive_opt::<Int32Type>()?.value(row).into(),
        DataType::Int64 => values.as_primitive_opt::<Int64Type>()?.value(row).into(),
        DataType::UInt8 => values.as_primitive_opt::<UInt8Type>()?.value(row).into(),
        DataType::UInt16 => values.as_primitive_opt::<UInt16Type>()?.value(row).into(),
        DataType::UInt32 => values.as_primitive_opt::<UInt32Type>()?.value(row).into(),
        DataType::UInt64 => values.as_primitive_opt::<UInt64Type>()?.value(row).into(),
        _ => return None,
    })
}

fn push_float(line: &mut String, number: f64) -> Result<(), String> {
    let number = serde_json::Number::from_f64(number).ok_or("a number that JSON does not know")?;
    let _infallible = write!(line, "{number}");
    Ok(())
}

/// A time as the column takes it: milliseconds, or RFC 3339 with as many digits as the value has.
fn push_time(
    line: &mut String,
    values: &dyn Array,
    row: usize,
    unit: TimeUnit,
    kind: ColumnType,
) -> Result<(), String> {
    let (value, per_second) = match unit {
        TimeUnit::Second => (values.as_primitive::<TimestampSecondType>().value(row), 1),
        TimeUnit::Millisecond => (values.as_primitive::<TimestampMillisecondType>().value(row), 1_000),
        TimeUnit::Microsecond => (values.as_primitive::<TimestampMicrosecondType>().value(row), 1_000_000),
        TimeUnit::Nanosecond => (values.as_primitive::<TimestampNanosecondType>().value(row), 1_000_000_000),
    };
    let nanos = i128::from(value) * (1_000_000_000 / per_second);
    let out_of_range = || format!("a time that no calendar of ours has: {value}");
    if kind == ColumnType::Millis {
        let _infallible = write!(line, "\"{}\"", nanos.div_euclid(1_000_000));
        return Ok(());
    }
    let micros = i64::try_from(nanos.div_euclid(1_000)).map_err(|_| out_of_range())?;
    let text = instant_text(micros).ok_or_else(out_of_range)?;
    let finer = nanos.rem_euclid(1_000);
    if finer == 0 {
        push_text(line, &text);
        return Ok(());
    }
    // Judged like any other time that is too fine.
    let (seconds, fraction) = text
        .strip_suffix('Z')
        .and_then(|text| text.split_once('.'))
        .unwrap_or((text.strip_suffix('Z').unwrap_or(&text), ""));
    push_text(line, &format!("{seconds}.{fraction:0<6}{finer:03}Z"));
    Ok(())
}
