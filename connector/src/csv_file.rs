//! Rows as CSV by RFC 4180: a header row always, commas, one line feed per line, UTF-8 without a byte order mark.
//!
//! A field is quoted only where it must be. Null is an empty field and the empty text is `""`, so that the two stay
//! apart. Lists and JSON are their JSON text.

use arrow_array::RecordBatch;

use crate::column_view::ColumnView;
use crate::datetime::{Fraction, push_instant};
use crate::json_lines::write_value;
use crate::profile::{ColumnType, Dataset};

/// The file; `None` if the rows are not of the dataset's schema.
pub(crate) fn encode(dataset: &Dataset, batches: &[RecordBatch]) -> Option<Vec<u8>> {
    let mut text = String::new();
    for (at, column) in dataset.columns().iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        push_field(&mut text, &column.name);
    }
    text.push('\n');
    let mut json = String::new();
    for batch in batches {
        let columns = ColumnView::all(batch)?;
        if columns.len() != dataset.columns().len() {
            return None;
        }
        for row in 0..batch.num_rows() {
            for (at, (view, column)) in columns.iter().zip(dataset.columns()).enumerate() {
                if at > 0 {
                    text.push(',');
                }
                if view.is_null(row) {
                    continue;
                }
                match (view, column.kind) {
                    (ColumnView::Text(values), _) => push_field(&mut text, values.value(row)),
                    (ColumnView::Time(values), ColumnType::Datetime) => {
                        push_instant(&mut text, values.value(row), Fraction::Micros)?;
                    }
                    (ColumnView::Time(values), _) => {
                        text.push_str(&values.value(row).div_euclid(1_000).to_string());
                    }
                    _ => {
                        json.clear();
                        write_value(&mut json, view, column, row)?;
                        push_field(&mut text, &json);
                    }
                }
            }
            text.push('\n');
        }
    }
    Some(text.into_bytes())
}

fn push_field(text: &mut String, value: &str) {
    // The whole value, without a way out: so many bytes are looked at together.
    let needs_quotes = |needs: u8, byte: &u8| needs | u8::from(matches!(*byte, b',' | b'"' | b'\n' | b'\r'));
    if !value.is_empty() && value.as_bytes().iter().fold(0, needs_quotes) == 0 {
        text.push_str(value);
        return;
    }
    text.push('"');
    for part in value.split_inclusive('"') {
        text.push_str(part);
        if part.ends_with('"') {
            text.push('"');
        }
    }
    text.push('"');
}
