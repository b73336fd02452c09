//! Which encoding a column of a Parquet file gets.
//!
//! A dictionary pays where values repeat. Where nearly every value is another, building it costs more than it saves, and
//! is thrown away when it grows too large. The first rows tell which is the case; the same rows always tell the same.

use std::collections::BTreeSet;

use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, ArrayRef, RecordBatch};
use arrow_schema::DataType;
use parquet::basic::Encoding as ValueEncoding;

/// Rows looked at.
const SAMPLE_ROWS: usize = 2_048;
/// Values that a column must have in the sample before its repetitions mean anything.
const SAMPLE_VALUES_MIN: usize = 64;

/// How the values of a column that gets no dictionary are written; `None` for one that gets a dictionary.
pub(crate) fn without_dictionary(first: &RecordBatch, column: usize) -> Option<ValueEncoding> {
    let column = first.columns().get(column)?;
    match column.data_type() {
        // Instants of a sorted file lie close together.
        DataType::Timestamp(..) => Some(ValueEncoding::DELTA_BINARY_PACKED),
        DataType::Utf8 if mostly_distinct(column) => Some(ValueEncoding::DELTA_LENGTH_BYTE_ARRAY),
        _ => None,
    }
}

fn mostly_distinct(column: &ArrayRef) -> bool {
    let texts = column.as_string::<i32>();
    let mut distinct = BTreeSet::new();
    let mut values = 0;
    for text in texts.iter().take(SAMPLE_ROWS).flatten() {
        values += 1;
        distinct.insert(text);
    }
    values >= SAMPLE_VALUES_MIN && distinct.len() * 2 > values
}
