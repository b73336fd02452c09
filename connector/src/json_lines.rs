//! Rows as JSON text: one object per line, every column in the dataset's order, null where there is no value.
//!
//! JSON columns keep their source text; everything else is written in one way only.

use std::io::Write;

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{Array as _, RecordBatch, StructArray};
use arrow_schema::ArrowError;

use crate::column_view::ColumnView;
use crate::datetime::{Fraction, InstantWriter};
use crate::profile::{Column, ColumnType, Dataset};
use crate::text_cells::{Cells, Field, has_special};
use crate::text_parts::{STEP_BYTES, TextError, TextParts};

/// Not 0 if a text of JSON must escape the byte.
fn special(byte: u8) -> u8 {
    u8::from(byte < b' ') | u8::from(byte == b'"') | u8::from(byte == b'\\')
}

/// What stands before the values of a row: brace or comma, name, colon.
struct Names {
    /// One behind the other, and a step of bytes behind the last.
    text: Vec<u8>,
    places: Vec<(usize, usize)>,
}

impl Names {
    fn new(dataset: &Dataset) -> Self {
        let mut names = Self { text: Vec::new(), places: Vec::new() };
        for (at, column) in dataset.columns().iter().enumerate() {
            let start = names.text.len();
            names.text.push(if at == 0 { b'{' } else { b',' });
            push_string(&mut names.text, column.name.as_bytes());
            names.text.push(b':');
            names.places.push((start, names.text.len() - start));
        }
        names.text.resize(names.text.len() + STEP_BYTES, 0);
        names
    }
}

/// Writes the lines.
pub(crate) fn write(
    sink: &mut dyn Write,
    dataset: &Dataset,
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
) -> Result<(), TextError> {
    let mut text = TextParts::new(sink);
    let names = Names::new(dataset);
    let mut numbers = itoa::Buffer::new();
    let mut slow = Vec::new();
    for batch in batches {
        let batch = batch?;
        let mut fields = Field::all(dataset, &batch, special, Fraction::Short).ok_or(TextError::Schema)?;
        for row in 0..batch.num_rows() {
            for (field, (start, length)) in fields.iter_mut().zip(&names.places) {
                text.push_from(&names.text, *start, *length);
                if field.is_null(row) {
                    text.push(b"null");
                    continue;
                }
                match &mut field.cells {
                    Cells::Text(texts) if is_json(field.column.kind) => {
                        let (bytes, start, length) = texts.place(row);
                        text.push_from(bytes, start, length);
                    }
                    Cells::Text(texts) if texts.is_plain || !has_special(texts.text(row), special) => {
                        let (bytes, start, length) = texts.place(row);
                        text.push_byte(b'"');
                        text.push_from(bytes, start, length);
                        text.push_byte(b'"');
                    }
                    Cells::Instants(instants, writer) => {
                        let micros = instants.get(row).ok_or(TextError::Schema)?;
                        let (shown, length) = writer.text(*micros).ok_or(TextError::Schema)?;
                        text.push_byte(b'"');
                        text.push_step(&shown, length);
                        text.push_byte(b'"');
                    }
                    Cells::Numbers(values) => {
                        let value = values.get(row).ok_or(TextError::Schema)?;
                        text.push(numbers.format(*value).as_bytes());
                    }
                    Cells::Truths(values) => {
                        text.push(if values.value(row) { b"true" } else { b"false" });
                    }
                    _ => {
                        slow.clear();
                        write_value(&mut slow, &field.view, field.column, row).ok_or(TextError::Schema)?;
                        text.push(&slow);
                    }
                }
            }
            text.push(b"}\n");
        }
        text.check()?;
    }
    text.finish()
}

/// Whether the texts of a column are JSON as they stand.
fn is_json(kind: ColumnType) -> bool {
    matches!(kind, ColumnType::Json | ColumnType::Object | ColumnType::Decimal)
}

/// One value as JSON text.
pub(crate) fn write_value(
    text: &mut Vec<u8>,
    view: &ColumnView<'_>,
    column: &Column,
    row: usize,
) -> Option<()> {
    let kind = column.kind;
    if view.is_null(row) {
        text.extend_from_slice(b"null");
        return Some(());
    }
    match (view, kind) {
        (ColumnView::Text(values), kind) if is_json(kind) => {
            text.extend_from_slice(values.value(row).as_bytes());
        }
        (ColumnView::Text(values), _) => push_string(text, values.value(row).as_bytes()),
        (ColumnView::Time(values), ColumnType::Millis) => {
            text.push(b'"');
            push_number(text, values.value(row).div_euclid(1_000));
            text.push(b'"');
        }
        (ColumnView::Time(values), _) => {
            let (shown, length) = InstantWriter::new(Fraction::Short).text(values.value(row))?;
            text.push(b'"');
            text.extend_from_slice(shown.get(..length)?);
            text.push(b'"');
        }
        (ColumnView::Number(values), _) => push_number(text, values.value(row)),
        (ColumnView::Truth(values), _) => {
            text.extend_from_slice(if values.value(row) { b"true" } else { b"false" });
        }
        (ColumnView::List(lists), _) => {
            let elements = lists.value(row);
            text.push(b'[');
            if let Some(structs) = elements.as_struct_opt() {
                for at in 0..structs.len() {
                    if at > 0 {
                        text.push(b',');
                    }
                    write_struct(text, structs, column, at)?;
                }
            } else if let Some(numbers) = elements.as_primitive_opt::<Int64Type>() {
                for (at, number) in numbers.values().iter().enumerate() {
                    if at > 0 {
                        text.push(b',');
                    }
                    push_number(text, *number);
                }
            } else {
                let elements = elements.as_string_opt::<i32>()?;
                for at in 0..elements.len() {
                    if at > 0 {
                        text.push(b',');
                    }
                    match kind {
                        ColumnType::ArrayJson => text.extend_from_slice(elements.value(at).as_bytes()),
                        _ => push_string(text, elements.value(at).as_bytes()),
                    }
                }
            }
            text.push(b']');
        }
        (ColumnView::Struct(structs), _) => write_struct(text, structs, column, row)?,
    }
    Some(())
}

/// One object with every field in order.
fn write_struct(text: &mut Vec<u8>, structs: &StructArray, column: &Column, row: usize) -> Option<()> {
    if structs.columns().len() != column.fields.len() {
        return None;
    }
    text.push(b'{');
    for (at, (array, field)) in structs.columns().iter().zip(&column.fields).enumerate() {
        if at > 0 {
            text.push(b',');
        }
        push_string(text, field.name.as_bytes());
        text.push(b':');
        write_value(text, &ColumnView::of_array(array)?, field, row)?;
    }
    text.push(b'}');
    Some(())
}

fn push_number(text: &mut Vec<u8>, number: i64) {
    text.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn push_string(text: &mut Vec<u8>, value: &[u8]) {
    // Text is UTF-8, and a string always serialises.
    let value = std::str::from_utf8(value).unwrap_or_default();
    let _infallible = serde_json::to_writer(text, value);
}
