//! Parquet bytes of an object, and back.
//!
//! The same rows give the same bytes: writer settings and `created_by` are fixed and nothing of the machine enters.

use std::io::Write;
use std::num::NonZeroUsize;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, new_null_array};
use arrow_schema::{ArrowError, DataType, SchemaRef};
use bytes::Bytes;
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression as PageCompression, Encoding as ValueEncoding, GzipLevel, ZstdLevel};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::ChunkReader;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;

use crate::column_encoding::{SAMPLE_ROWS, without_dictionary};
use crate::content::disk_failure;
use crate::profile::{Column, ColumnType, Compression, Dataset, Encoding};

mod lanes;
mod row_groups;

/// Threads that encode one file, at most.
const THREADS_MAX: usize = 4;
/// Rows below which a file is encoded before another thread has begun.
const THREADS_ROWS_MIN: usize = 1_024;

/// In the form that readers parse: application, version, build. Fixed, so that bytes depend on rows alone.
pub(crate) const CREATED_BY: &str = "bucketproof version 1.0.0 (build 1)";

/// Why rows could not be encoded.
#[derive(Debug, thiserror::Error)]
#[error("rows of dataset `{dataset}` cannot be encoded as Parquet: {source}")]
pub struct EncodeError {
    dataset: String,
    source: parquet::errors::ParquetError,
}

impl EncodeError {
    /// The failure of the disk that kept the bytes, if it was one.
    pub(crate) fn disk_failure(&self) -> Option<&std::io::Error> {
        disk_failure(&self.source)
    }
}

/// Why an object's bytes could not be read as the dataset's rows.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not a Parquet file.
    #[error("not a readable Parquet file: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// A column that the dataset does not have; a rewrite would lose it.
    #[error("the object has column `{column}`, which dataset `{dataset}` lacks")]
    ForeignColumn {
        /// The column.
        column: String,
        /// The dataset.
        dataset: String,
    },
    /// A column of another type.
    #[error("column `{column}` of the object is {found}, the dataset has {expected}")]
    ForeignType {
        /// The column.
        column: String,
        /// Type in the object.
        found: String,
        /// Type of the dataset.
        expected: String,
    },
    /// Nulls where the dataset has none, or a missing required column.
    #[error("the object does not hold the dataset's rows: {0}")]
    Rows(#[from] ArrowError),
}

/// Encodes sorted rows as one Parquet file, on as many cores as there are, up to four. Their number does not show in the
/// bytes.
pub fn encode(dataset: &Dataset, encoding: &Encoding, batches: &[RecordBatch]) -> Result<Bytes, EncodeError> {
    let threads = threads_for(batches);
    let batches = batches.iter().map(|batch| Ok(batch.clone()));
    encode_to(Vec::new(), dataset, encoding, threads, batches).map(Bytes::from)
}

/// One thread for a file of few rows.
fn threads_for(batches: &[RecordBatch]) -> usize {
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    if rows < THREADS_ROWS_MIN { 1 } else { threads() }
}

/// Threads for a file of many rows: as many as there are cores, up to four.
pub(crate) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(THREADS_MAX)
}

/// Encodes sorted rows as one Parquet file that says which generation of its object it is, so that no two are the same
/// bytes, on as many threads as [`encode`] takes.
pub(crate) fn encode_generation(
    dataset: &Dataset,
    encoding: &Encoding,
    batches: &[RecordBatch],
    generation: u64,
) -> Result<Bytes, EncodeError> {
    let generation = KeyValue::new("bucketproof.generation".to_owned(), generation.to_string());
    let threads = threads_for(batches);
    let batches = batches.iter().map(|batch| move || Ok(batch.clone()));
    write(Vec::new(), dataset, encoding, threads, batches, Some(vec![generation])).map(Bytes::from)
}

/// Encodes sorted rows into `sink` as they come, on so many threads, this one among them; a row group at a time is held
/// in memory, or two if there are several threads.
pub fn encode_to<W: Write + Send>(
    sink: W,
    dataset: &Dataset,
    encoding: &Encoding,
    threads: usize,
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
) -> Result<W, EncodeError> {
    write(sink, dataset, encoding, threads, batches.map(|made| move || made), None)
}

/// As [`encode_to`], of batches that are still to be made: each is made by its function, several at once on the threads there
/// are, and all come into the file in the order of `batches`. Twice as many batches as threads are in memory beside the
/// row groups.
pub fn encode_deferred_to<W: Write + Send, J>(
    sink: W,
    dataset: &Dataset,
    encoding: &Encoding,
    threads: usize,
    batches: impl Iterator<Item = J>,
) -> Result<W, EncodeError>
where
    J: FnOnce() -> Result<RecordBatch, ArrowError> + Send,
{
    write(sink, dataset, encoding, threads, batches, None)
}

fn write<W: Write + Send, J>(
    sink: W,
    dataset: &Dataset,
    encoding: &Encoding,
    threads: usize,
    mut batches: impl Iterator<Item = J>,
    metadata: Option<Vec<KeyValue>>,
) -> Result<W, EncodeError>
where
    J: FnOnce() -> Result<RecordBatch, ArrowError> + Send,
{
    let run = move || {
        let (mut first, mut rows) = (Vec::new(), 0);
        while rows < SAMPLE_ROWS {
            let Some(batch) = batches.next().map(|make| make()).transpose()? else { break };
            rows += batch.num_rows();
            first.push(batch);
        }
        let properties = properties(dataset, encoding, |at| without_dictionary(&first, at))?;
        let properties = Arc::new(properties.into_builder().set_key_value_metadata(metadata).build());
        let schema = ArrowSchemaConverter::new().schema_root("schema").convert(&dataset.schema())?;
        let mut file = SerializedFileWriter::new(sink, schema.root_schema_ptr(), Arc::clone(&properties))?;
        row_groups::write(&mut file, &dataset.schema(), &properties, threads, (first, batches))?;
        file.into_inner()
    };
    run().map_err(|source| EncodeError { dataset: dataset.name().to_string(), source })
}

/// The settings of a file; `without_dictionary` says which columns get no dictionary, and how they are written instead.
pub(crate) fn properties(
    dataset: &Dataset,
    encoding: &Encoding,
    without_dictionary: impl Fn(usize) -> Option<ValueEncoding>,
) -> Result<WriterProperties, parquet::errors::ParquetError> {
    let compression = match encoding.compression {
        Compression::Snappy => PageCompression::SNAPPY,
        Compression::Zstd => PageCompression::ZSTD(ZstdLevel::try_new(1)?),
        Compression::Gzip => PageCompression::GZIP(GzipLevel::default()),
        Compression::None => PageCompression::UNCOMPRESSED,
    };
    let mut properties = WriterProperties::builder()
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(compression)
        .set_max_row_group_row_count(Some(encoding.row_group_rows))
        .set_statistics_enabled(EnabledStatistics::Chunk);
    if let Some(time) = dataset.time_position().filter(|_| dataset.mode().sorts_by_time()) {
        let leaves: usize = dataset.columns().iter().take(time).map(Column::leaves).sum();
        let column_idx = i32::try_from(leaves).unwrap_or_default();
        let sorting = SortingColumn { column_idx, descending: false, nulls_first: false };
        properties = properties.set_sorting_columns(Some(vec![sorting]));
    }
    // Readers filter by time and version; pages of these two are worth an index. Bounds of JSON text help nobody.
    for (at, column) in dataset.columns().iter().enumerate() {
        let path = ColumnPath::from(column.name.as_str());
        if let Some(values) = without_dictionary(at) {
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path.clone(), values);
        }
        if dataset.time_position() == Some(at) || dataset.version_position() == Some(at) {
            properties = properties.set_column_statistics_enabled(path, EnabledStatistics::Page);
        } else if matches!(column.kind, ColumnType::Json | ColumnType::Object) {
            properties = properties.set_column_statistics_enabled(path, EnabledStatistics::None);
        }
    }
    Ok(properties.build())
}

/// Reads an object's rows in the dataset's schema. Columns that the object lacks are null.
pub fn decode(dataset: &Dataset, body: impl ChunkReader + 'static) -> Result<Vec<RecordBatch>, DecodeError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(body)?;
    let schema = dataset.schema();
    for field in builder.schema().fields() {
        if schema.field_with_name(field.name()).is_err() {
            return Err(DecodeError::ForeignColumn {
                column: field.name().clone(),
                dataset: dataset.name().to_string(),
            });
        }
    }
    let reader = builder.with_batch_size(16_384).build()?;
    reader.map(|batch| align(&schema, &batch?)).collect()
}

/// The batch's columns in the schema's order and types; what the batch lacks is null.
pub(crate) fn align(schema: &SchemaRef, batch: &RecordBatch) -> Result<RecordBatch, DecodeError> {
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let Some(column) = batch.column_by_name(field.name()) else {
            columns.push(new_null_array(field.data_type(), batch.num_rows()));
            continue;
        };
        columns.push(same_type(field.data_type(), column).ok_or_else(|| DecodeError::ForeignType {
            column: field.name().clone(),
            found: column.data_type().to_string(),
            expected: field.data_type().to_string(),
        })?);
    }
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// The column as the expected type; lists may name their element otherwise.
fn same_type(expected: &DataType, column: &ArrayRef) -> Option<ArrayRef> {
    if column.data_type() == expected {
        return Some(Arc::clone(column));
    }
    let (DataType::List(element), DataType::List(found)) = (expected, column.data_type()) else {
        return None;
    };
    if element.data_type() != found.data_type() {
        return None;
    }
    let data = column.to_data().into_builder().data_type(expected.clone()).build().ok()?;
    Some(arrow_array::make_array(data))
}

#[cfg(test)]
mod tests;
