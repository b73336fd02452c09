//! Typed views of a batch's columns, for keys and comparisons without downcasting each value.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, BooleanArray, ListArray, PrimitiveArray, RecordBatch, StringArray, StructArray,
};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;

/// One column, by its type.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ColumnView<'a> {
    Text(&'a StringArray),
    Time(&'a PrimitiveArray<TimestampMicrosecondType>),
    Number(&'a PrimitiveArray<Int64Type>),
    Truth(&'a BooleanArray),
    List(&'a ListArray),
    Struct(&'a StructArray),
}

impl<'a> ColumnView<'a> {
    /// Views column `at` of `batch`; `None` if there is no such column or its type is none of a dataset's.
    pub(crate) fn of(batch: &'a RecordBatch, at: usize) -> Option<Self> {
        Self::of_array(batch.columns().get(at)?)
    }

    /// Views a column or a field of one; `None` if its type is none of a dataset's.
    pub(crate) fn of_array(array: &'a ArrayRef) -> Option<Self> {
        match array.data_type() {
            DataType::Utf8 => array.as_string_opt().map(Self::Text),
            DataType::Timestamp(_, _) => array.as_primitive_opt().map(Self::Time),
            DataType::Int64 => array.as_primitive_opt().map(Self::Number),
            DataType::Boolean => array.as_boolean_opt().map(Self::Truth),
            DataType::List(_) => array.as_list_opt().map(Self::List),
            DataType::Struct(_) => array.as_struct_opt().map(Self::Struct),
            _ => None,
        }
    }

    /// All columns of `batch`.
    pub(crate) fn all(batch: &'a RecordBatch) -> Option<Vec<Self>> {
        (0..batch.num_columns()).map(|at| Self::of(batch, at)).collect()
    }

    /// Which rows have a value; `None` if all have.
    pub(crate) fn nulls(&self) -> Option<&'a NullBuffer> {
        match *self {
            Self::Text(array) => array.nulls(),
            Self::Time(array) => array.nulls(),
            Self::Number(array) => array.nulls(),
            Self::Truth(array) => array.nulls(),
            Self::List(array) => array.nulls(),
            Self::Struct(array) => array.nulls(),
        }
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.nulls().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Whether `row` here and `other_row` there hold the same value; null equals null.
    pub(crate) fn same(&self, row: usize, other: &Self, other_row: usize) -> bool {
        if self.is_null(row) || other.is_null(other_row) {
            return self.is_null(row) && other.is_null(other_row);
        }
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.value(row) == b.value(other_row),
            (Self::Time(a), Self::Time(b)) => a.value(row) == b.value(other_row),
            (Self::Number(a), Self::Number(b)) => a.value(row) == b.value(other_row),
            (Self::Truth(a), Self::Truth(b)) => a.value(row) == b.value(other_row),
            (Self::List(a), Self::List(b)) => *a.value(row) == *b.value(other_row),
            (Self::Struct(a), Self::Struct(b)) => a.slice(row, 1) == b.slice(other_row, 1),
            _ => false,
        }
    }

    /// Appends the value as bytes whose order is that of the values, null first, and which end themselves.
    pub(crate) fn append_key(&self, row: usize, key: &mut Vec<u8>) {
        if self.is_null(row) {
            key.push(0);
            return;
        }
        key.push(1);
        match self {
            Self::Text(array) => {
                for byte in array.value(row).bytes() {
                    key.push(byte);
                    if byte == 0 {
                        key.push(0xFF);
                    }
                }
                key.extend([0, 0]);
            }
            Self::Time(array) => key.extend(ordered(array.value(row))),
            Self::Number(array) => key.extend(ordered(array.value(row))),
            Self::Truth(array) => key.push(u8::from(array.value(row))),
            // Lists and structs are refused as key columns when the profile is read.
            Self::List(_) | Self::Struct(_) => {}
        }
    }
}

/// Bytes whose order is that of the numbers.
fn ordered(number: i64) -> [u8; 8] {
    (number ^ i64::MIN).to_be_bytes()
}
