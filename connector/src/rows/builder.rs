//! Columns as they grow, cell by cell.

use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Int64Builder, ListBuilder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, ListArray, StructArray};
use arrow_buffer::{NullBufferBuilder, OffsetBuffer};
use arrow_schema::ArrowError;

use super::Cell;
use crate::profile::{Column, ColumnType, element_field, fields_of, integer_element_field};

/// A column that rows are added to.
pub(super) enum Builder {
    Text(StringBuilder),
    Time(TimestampMicrosecondBuilder),
    Truth(BooleanBuilder),
    Number(Int64Builder),
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
            ColumnType::Datetime | ColumnType::Millis => {
                Self::Time(TimestampMicrosecondBuilder::with_capacity(rows).with_timezone("UTC"))
            }
            ColumnType::Boolean => Self::Truth(BooleanBuilder::with_capacity(rows)),
            ColumnType::Integer => Self::Number(Int64Builder::with_capacity(rows)),
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

    /// Adds the cells of many rows; one of another kind than the column's is null.
    pub(super) fn extend<'c>(&mut self, cells: impl Iterator<Item = &'c Cell<'c>>) {
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
            Self::Time(builder) => {
                for cell in cells {
                    builder.append_option(cell.number());
                }
            }
            Self::Number(builder) => {
                for cell in cells {
                    builder.append_option(cell.number());
                }
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
            (Self::Time(builder), cell) => builder.append_option(cell.number()),
            (Self::Truth(builder), Cell::Truth(truth)) => builder.append_value(truth),
            (Self::Truth(builder), _) => builder.append_null(),
            (Self::Number(builder), cell) => builder.append_option(cell.number()),
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
            Self::Time(mut builder) => Arc::new(builder.finish()),
            Self::Truth(mut builder) => Arc::new(builder.finish()),
            Self::Number(mut builder) => Arc::new(builder.finish()),
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
