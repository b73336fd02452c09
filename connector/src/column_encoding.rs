//! Which encoding a column of a Parquet file gets.
//!
//! A dictionary pays where values repeat. Where nearly every value is another, building it costs more than it saves, and
//! is thrown away when it grows too large. The first rows tell which is the case; the same rows always tell the same.

use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, RecordBatch};
use arrow_schema::DataType;
use foldhash::{HashSet, HashSetExt as _};
use parquet::basic::Encoding as ValueEncoding;

/// Rows looked at, whatever batches they come in.
pub(crate) const SAMPLE_ROWS: usize = 2_048;
/// Values that a column must have in the sample before its repetitions mean anything.
const SAMPLE_VALUES_MIN: usize = 64;

/// How the values of a column that gets no dictionary are written; `None` for one that gets a dictionary. `first` holds
/// the first [`SAMPLE_ROWS`] rows, or all if there are fewer.
pub(crate) fn without_dictionary(first: &[RecordBatch], column: usize) -> Option<ValueEncoding> {
    match first.first()?.columns().get(column)?.data_type() {
        // Instants of a sorted file lie close together.
        DataType::Timestamp(..) => Some(ValueEncoding::DELTA_BINARY_PACKED),
        DataType::Utf8 if mostly_distinct(first, column) => Some(ValueEncoding::DELTA_LENGTH_BYTE_ARRAY),
        _ => None,
    }
}

fn mostly_distinct(first: &[RecordBatch], column: usize) -> bool {
    let columns = first.iter().filter_map(|batch| batch.columns().get(column)?.as_string_opt::<i32>());
    let sample = columns.flat_map(|texts| texts.iter()).take(SAMPLE_ROWS).flatten();
    let (mut distinct, mut values) = (HashSet::new(), 0);
    for text in sample {
        values += 1;
        distinct.insert(text);
    }
    values >= SAMPLE_VALUES_MIN && distinct.len() * 2 > values
}
