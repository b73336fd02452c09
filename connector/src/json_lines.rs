//! Rows as JSON text: one object per line, every column in the dataset's order, null where there is no value.
//!
//! JSON columns keep their source text; everything else is written in one way only.

use std::fmt::Write as _;

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{Array as _, RecordBatch, StructArray};

use crate::column_view::ColumnView;
use crate::datetime::{Fraction, push_instant};
use crate::profile::{Column, ColumnType, Dataset};

/// The lines; `None` if the rows are not of the dataset's schema.
pub(crate) fn encode(dataset: &Dataset, batches: &[RecordBatch]) -> Option<Vec<u8>> {
    let name = |(at, column): (usize, &Column)| {
        let name = serde_json::to_string(&column.name).unwrap_or_default();
        format!("{}{name}:", if at == 0 { '{' } else { ',' })
    };
    let names: Vec<String> = dataset.columns().iter().enumerate().map(name).collect();
    let mut text = String::new();
    for batch in batches {
        let columns = ColumnView::all(batch)?;
        if columns.len() != names.len() {
            return None;
        }
        for row in 0..batch.num_rows() {
            let fields = names.iter().zip(&columns).zip(dataset.columns());
            for ((name, view), column) in fields {
                text.push_str(name);
                write_value(&mut text, view, column, row)?;
            }
            text.push_str("}\n");
        }
    }
    Some(text.into_bytes())
}

/// One value as JSON text.
pub(crate) fn write_value(
    text: &mut String,
    view: &ColumnView<'_>,
    column: &Column,
    row: usize,
) -> Option<()> {
    let kind = column.kind;
    if view.is_null(row) {
        text.push_str("null");
        return Some(());
    }
    match (view, kind) {
        (ColumnView::Text(values), ColumnType::Json | ColumnType::Object | ColumnType::Decimal) => {
            text.push_str(values.value(row));
        }
        (ColumnView::Text(values), _) => push_string(text, values.value(row)),
        (ColumnView::Time(values), ColumnType::Millis) => {
            // Writing to a String cannot fail.
            let _infallible = write!(text, "\"{}\"", values.value(row).div_euclid(1_000));
        }
        (ColumnView::Time(values), _) => {
            text.push('"');
            push_instant(text, values.value(row), Fraction::Short)?;
            text.push('"');
        }
        (ColumnView::Number(values), _) => {
            let _infallible = write!(text, "{}", values.value(row));
        }
        (ColumnView::Truth(values), _) => text.push_str(if values.value(row) { "true" } else { "false" }),
        (ColumnView::List(lists), _) => {
            let elements = lists.value(row);
            text.push('[');
            if let Some(structs) = elements.as_struct_opt() {
                for at in 0..structs.len() {
                    if at > 0 {
                        text.push(',');
                    }
                    write_struct(text, structs, column, at)?;
                }
            } else if let Some(numbers) = elements.as_primitive_opt::<Int64Type>() {
                for (at, number) in numbers.values().iter().enumerate() {
                    let _infallible = write!(text, "{}{number}", if at == 0 { "" } else { "," });
                }
            } else {
                let elements = elements.as_string_opt::<i32>()?;
                for at in 0..elements.len() {
                    if at > 0 {
                        text.push(',');
                    }
                    match kind {
                        ColumnType::ArrayJson => text.push_str(elements.value(at)),
                        _ => push_string(text, elements.value(at)),
                    }
                }
            }
            text.push(']');
        }
        (ColumnView::Struct(structs), _) => write_struct(text, structs, column, row)?,
    }
    Some(())
}

/// One object with every field in order.
fn write_struct(text: &mut String, structs: &StructArray, column: &Column, row: usize) -> Option<()> {
    if structs.columns().len() != column.fields.len() {
        return None;
    }
    text.push('{');
    for (at, (array, field)) in structs.columns().iter().zip(&column.fields).enumerate() {
        if at > 0 {
            text.push(',');
        }
        push_string(text, &field.name);
        text.push(':');
        write_value(text, &ColumnView::of_array(array)?, field, row)?;
    }
    text.push('}');
    Some(())
}

fn push_string(text: &mut String, value: &str) {
    // The whole value, without a way out: so many bytes are looked at together.
    let needs_escape = |needs: u8, byte: &u8| needs | u8::from(matches!(*byte, ..b' ' | b'"' | b'\\'));
    if value.as_bytes().iter().fold(0, needs_escape) == 0 {
        text.push('"');
        text.push_str(value);
        text.push('"');
        return;
    }
    // A string always serialises.
    text.push_str(&serde_json::to_string(value).unwrap_or_default());
}
