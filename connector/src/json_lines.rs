//! Rows as JSON text: one object per line, every column in the dataset's order, null where there is no value.
//!
//! JSON columns keep their source text; everything else is written in one way only.

use std::fmt::Write as _;

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{Array as _, RecordBatch, StructArray};

use crate::column_view::ColumnView;
use crate::datetime::instant_text;
use crate::profile::{Column, ColumnType, Dataset};

/// The lines; `None` if the rows are not of the dataset's schema.
pub(crate) fn encode(dataset: &Dataset, batches: &[RecordBatch]) -> Option<Vec<u8>> {
    let names: Vec<String> = dataset
        .columns()
        .iter()
        .map(|column| serde_json::to_string(&column.name).unwrap_or_default())
        .collect();
    let mut text = String::new();
    for batch in batches {
        let columns = ColumnView::all(batch)?;
        if columns.len() != names.len() {
            return None;
        }
        for row in 0..batch.num_rows() {
            let fields = names.iter().zip(&columns).zip(dataset.columns());
            for (at, ((name, view), column)) in fields.enumerate() {
                text.push(if at == 0 { '{' } else { ',' });
                text.push_str(name);
                text.push(':');
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
            text.push_str(&instant_text(values.value(row))?);
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
    // A string always serialises.
    text.push_str(&serde_json::to_string(value).unwrap_or_default());
}
