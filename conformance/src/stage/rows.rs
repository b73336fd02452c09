//! What a reader of an exported object sees.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Schema, SchemaRef, TimeUnit};
use bytes::Bytes;
use jiff::Timestamp;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use serde_json::{Map, Value};

/// An object read as a Parquet file.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) schema: SchemaRef,
    pub(crate) metadata: ParquetMetaData,
    /// Every column in order; times as RFC 3339 in UTC with six digits.
    pub(crate) rows: Vec<Value>,
}

/// Why an object is no table.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TableError {
    #[error("not a Parquet file: {0}")]
    Parquet(#[from] ParquetError),
    #[error("a row group cannot be read: {0}")]
    Rows(#[from] arrow_schema::ArrowError),
    #[error("column `{column}` has the type {found}, which no dataset has")]
    Type { column: String, found: DataType },
    #[error("column `{column}` holds a time that no calendar has")]
    Time { column: String },
}

/// What the footer of an object says.
pub(crate) fn parquet_metadata(body: &Bytes) -> Result<ParquetMetaData, ParquetError> {
    Ok(ParquetRecordBatchReaderBuilder::try_new(body.clone())?.metadata().as_ref().clone())
}

/// The columns of an object, whatever their types.
pub(crate) fn parquet_schema(body: &Bytes) -> Result<SchemaRef, ParquetError> {
    Ok(ParquetRecordBatchReaderBuilder::try_new(body.clone())?.schema().clone())
}

/// Reads all rows of an object.
pub(crate) fn read_table(body: &Bytes) -> Result<Table, TableError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(body.clone())?;
    let schema = builder.schema().clone();
    let metadata = builder.metadata().as_ref().clone();
    let mut rows = Vec::new();
    for batch in builder.build()? {
        read_batch(&batch?, &schema, &mut rows)?;
    }
    Ok(Table { schema, metadata, rows })
}

fn read_batch(batch: &RecordBatch, schema: &Schema, rows: &mut Vec<Value>) -> Result<(), TableError> {
    let mut built = vec![Map::new(); batch.num_rows()];
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        for (index, row) in built.iter_mut().enumerate() {
            row.insert(field.name().clone(), value(field.name(), column.as_ref(), index)?);
        }
    }
    rows.extend(built.into_iter().map(Value::Object));
    Ok(())
}

fn value(name: &str, column: &dyn Array, index: usize) -> Result<Value, TableError> {
    if column.is_null(index) {
        return Ok(Value::Null);
    }
    match column.data_type() {
        DataType::Utf8 => Ok(Value::from(column.as_string::<i32>().value(index))),
        DataType::Boolean => Ok(Value::from(column.as_boolean().value(index))),
        DataType::Int64 => Ok(Value::from(column.as_primitive::<Int64Type>().value(index))),
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => {
            let micros = column.as_primitive::<TimestampMicrosecondType>().value(index);
            let instant = Timestamp::from_microsecond(micros)
                .map_err(|_| TableError::Time { column: name.to_owned() })?;
            Ok(Value::from(format!("{instant:.6}")))
        }
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(index);
            (0..items.len())
                .map(|at| value(name, items.as_ref(), at))
                .collect::<Result<Vec<_>, _>>()
                .map(Value::from)
        }
        DataType::Struct(fields) => {
            let parts = fields.iter().zip(column.as_struct().columns());
            let parts = parts
                .map(|(field, part)| Ok((field.name().clone(), value(field.name(), part.as_ref(), index)?)));
            parts.collect::<Result<Map<_, _>, _>>().map(Value::Object)
        }
        _ => Err(unknown(name, column)),
    }
}

fn unknown(name: &str, column: &dyn Array) -> TableError {
    TableError::Type { column: name.to_owned(), found: column.data_type().clone() }
}
