//! Columns as they grow, cell by cell.

use std::sync::Arc;

use arrow_array::builder::{Int64Builder, ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, BooleanArray, Int64Array, ListArray, StructArray, TimestampMicrosecondArray};
use arrow_buffer::{BooleanBufferBuilder, NullBuffer, NullBufferBuilder, OffsetBuffer};
use arrow_schema::ArrowError;

use super::Cell;
use crate::profile::{Column, ColumnType, element_field, fields_of, integer_element_field};

/// Which rows have a value.
pub(super) struct Valid(BooleanBufferBuilder);

impl Valid {
    fn new(rows: usize) -> Self {
        Self(BooleanBufferBuilder::new(rows))
    }

    fn finish(mut self) -> Option<NullBuffer> {
        Some(NullBuffer::new(self.0.finish())).filter(|nulls| nulls.null_count() > 0)
    }
}

/// Whole numbers, one for each row whether it has a value or not.
pub(super) struct Whole {
    numbers: Vec<i64>,
    valid: Valid,
}

impl Whole {
    fn new(rows: usize) -> Self {
        Self { numbers: Vec::with_capacity(rows), valid: Valid::new(rows) }
    }

    fn append(&mut self, number: Option<i64>) {
        self.numbers.push(number.unwrap_or_default());
        self.valid.0.append(number.is_some());
    }
}

/// Rows that enter a column together, at most: a bit for each.
pub(super) const ROWS_AT_ONCE: usize = 64;

/// Whether each of some rows is true, the first as the lowest bit, and how many they are.
fn bits(rows: impl Iterator<Item = bool>) -> (u64, usize) {
    rows.take(ROWS_AT_ONCE).fold((0, 0), |(bits, count), is| (bits | u64::from(is) << count, count + 1))
}

fn append_bits(to: &mut BooleanBufferBuilder, (bits, count): (u64, usize)) {
    to.append_packed_range(0..count, &bits.to_le_bytes());
}

/// A column that rows are added to.
pub(super) enum Builder {
    Text(StringBuilder),
    Time(Whole),
    Truth { truths: BooleanBufferBuilder, valid: Valid },
    Number(Whole),
    List(ListBuilder<StringBuilder>),
    Numbers(ListBuilder<Int64Builder>),
    Struct { fields: Vec<Self>, valid: NullBufferBuilder },
    Structs { fields: Vec<Self>, lengths: Vec<usize>, valid: NullBufferBuilder },
}

impl Builder {
    /// Room for `rows` values, and for `bytes` of text if the column is text.
    pub(super) fn new(column: &Column, rows: usize, bytes: usize) -> Self {
        let fields = || column.fields.iter().map(|field| Self::new(field, rows, rows * 16)).collect();
        match column.kind {
            ColumnType::String | ColumnType::Json | ColumnType::Object | ColumnType::Decimal => {
                Self::Text(StringBuilder::with_capacity(rows, bytes))
            }
            ColumnType::Datetime | ColumnType::Millis => Self::Time(Whole::new(rows)),
            ColumnType::Boolean => {
                Self::Truth { truths: BooleanBufferBuilder::new(rows), valid: Valid::new(rows) }
            }
            ColumnType::Integer => Self::Number(Whole::new(rows)),
            ColumnType::Array | ColumnType::ArrayJson => {
                Self::List(ListBuilder::new(StringBuilder::new()).with_field(element_field()))
            }
            ColumnType::IntegerArray => {
                Self::Numbers(ListBuilder::new(Int64Builder::new()).with_field(integer_element_field()))
            }
            ColumnType::Struct => Self::Struct { fields: fields(), valid: NullBufferBuilder::new(rows) },
            ColumnType::StructArray => {
                Self::Structs { fields: fields(), lengths: Vec::new(), valid: NullBufferBuilder::new(rows) }
            }
        }
    }

    /// Adds the cells of many rows, at most [`ROWS_AT_ONCE`]; one of another kind than the column's is null.
    pub(super) fn extend<'c>(&mut self, cells: impl Iterator<Item = &'c Cell<'c>> + Clone) {
        // The kinds that most columns have are told apart once for all rows.
        match self {
            Self::Text(builder) => {
                for cell in cells {
                    match cell {
                        Cell::Text(text) => builder.append_value(text),
                        _ => builder.append_null(),
                    }
                }
            }
            Self::Time(Whole { numbers, valid }) | Self::Number(Whole { numbers, valid }) => {
                let valid_bits = bits(cells.clone().map(|cell| cell.number().is_some()));
                numbers.extend(cells.map(|cell| cell.number().unwrap_or_default()));
                append_bits(&mut valid.0, valid_bits);
            }
            Self::Truth { truths, valid } => {
                append_bits(&mut valid.0, bits(cells.clone().map(|cell| matches!(cell, Cell::Truth(_)))));
                append_bits(truths, bits(cells.map(|cell| matches!(cell, Cell::Truth(true)))));
            }
            _ => {
                for cell in cells {
                    self.append(*cell);
                }
            }
        }
    }

    fn append(&mut self, cell: Cell<'_>) {
        match (self, cell) {
            (Self::Text(builder), Cell::Text(text)) => builder.append_value(text),
            (Self::Text(builder), _) => builder.append_null(),
            (Self::Time(whole) | Self::Number(whole), cell) => whole.append(cell.number()),
            (Self::Truth { truths, valid }, cell) => {
                truths.append(matches!(cell, Cell::Truth(true)));
                valid.0.append(matches!(cell, Cell::Truth(_)));
            }
            (Self::List(builder), Cell::List(elements)) => {
                for element in elements {
                    builder.values().append_value(element);
                }
                builder.append(true);
            }
            (Self::List(builder), _) => builder.append_null(),
            (Self::Numbers(builder), Cell::Numbers(numbers)) => {
                builder.values().append_slice(numbers);
                builder.append(true);
            }
            (Self::Numbers(builder), _) => builder.append_null(),
            (Self::Struct { fields, valid }, Cell::Struct(cells)) => {
                for (field, cell) in fields.iter_mut().zip(cells) {
                    field.append(*cell);
                }
                valid.append_non_null();
            }
            (Self::Struct { fields, valid }, _) => {
                for field in fields {
                    field.append(Cell::Null);
                }
                valid.append_null();
            }
            (Self::Structs { fields, lengths, valid }, Cell::Structs(elements)) => {
                lengths.push(elements.len());
                valid.append_non_null();
                for cells in elements {
                    for (field, cell) in fields.iter_mut().zip(*cells) {
                        field.append(*cell);
                    }
                }
            }
            (Self::Structs { lengths, valid, .. }, _) => {
                lengths.push(0);
                valid.append_null();
            }
        }
    }

    pub(super) fn finish(self, column: &Column) -> Result<ArrayRef, ArrowError> {
        let finished = |fields: Vec<Self>| -> Result<Vec<ArrayRef>, ArrowError> {
            column.fields.iter().zip(fields).map(|(field, builder)| builder.finish(field)).collect()
        };
        Ok(match self {
            Self::Text(mut builder) => Arc::new(builder.finish()),
            Self::Time(Whole { numbers, valid }) => {
                let times = TimestampMicrosecondArray::try_new(numbers.into(), valid.finish())?;
                Arc::new(times.with_timezone("UTC"))
            }
            Self::Truth { mut truths, valid } => Arc::new(BooleanArray::new(truths.finish(), valid.finish())),
            Self::Number(Whole { numbers, valid }) => {
                Arc::new(Int64Array::try_new(numbers.into(), valid.finish())?)
            }
            Self::List(mut builder) => Arc::new(builder.finish()),
            Self::Numbers(mut builder) => Arc::new(builder.finish()),
            Self::Struct { fields, mut valid } => {
                Arc::new(StructArray::try_new(fields_of(&column.fields), finished(fields)?, valid.finish())?)
            }
            Self::Structs { fields, lengths, mut valid } => {
                let elements = StructArray::try_new(fields_of(&column.fields), finished(fields)?, None)?;
                let offsets = OffsetBuffer::from_lengths(lengths);
                Arc::new(ListArray::try_new(column.element(), offsets, Arc::new(elements), valid.finish())?)
            }
        })
    }
}
