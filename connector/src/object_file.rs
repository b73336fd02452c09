//! Rows to the bytes of an object, in the format that a connection uses.
//!
//! The same rows give the same bytes, whatever batches they come in: nothing of the machine, the time or the run enters.

use std::io::{self, Write};

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use bytes::Bytes;
use libdeflater::{CompressionLvl, Compressor};

use crate::content::{Content, Room};
use crate::csv_file;
use crate::json_lines;
use crate::parquet_file;
use crate::profile::{Compression, Dataset, Encoding, Format};
use crate::text_parts::TextError;

/// Level of gzip: what its tools take when nothing is said.
const GZIP_LEVEL: i32 = 6;

/// Why rows could not be encoded.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// As Parquet.
    #[error(transparent)]
    Parquet(#[from] parquet_file::EncodeError),
    /// As text.
    #[error("rows of dataset `{dataset}` do not have its schema")]
    Schema {
        /// The dataset.
        dataset: String,
    },
    /// The compressor failed.
    #[error("rows of dataset `{dataset}` cannot be compressed: {source}")]
    Gzip {
        /// The dataset.
        dataset: String,
        /// The cause.
        source: libdeflater::CompressionError,
    },
    /// The sink failed.
    #[error("rows of dataset `{dataset}` cannot be written: {source}")]
    Sink {
        /// The dataset.
        dataset: String,
        /// The cause.
        source: io::Error,
    },
    /// The rows could not be had.
    #[error("rows of dataset `{dataset}` cannot be gathered: {source}")]
    Rows {
        /// The dataset.
        dataset: String,
        /// The cause.
        source: ArrowError,
    },
    /// The bytes cannot be kept.
    #[error("the bytes of an object cannot be kept on disk: {0}")]
    Disk(#[from] io::Error),
}

/// Encodes rows in their order as one object.
pub fn encode(dataset: &Dataset, encoding: &Encoding, batches: &[RecordBatch]) -> Result<Bytes, EncodeError> {
    if encoding.format == Format::Parquet {
        return Ok(parquet_file::encode(dataset, encoding, batches)?);
    }
    let mut text = Vec::new();
    write_text(&mut text, dataset, encoding.format, owned(batches))?;
    if encoding.compression == Compression::Gzip {
        text = gzip(dataset, &text)?;
    }
    Ok(Bytes::from(text))
}

/// Encodes rows in their order as text into `sink`: CSV if that is the format, lines of JSON otherwise. Text that is not
/// compressed goes there in parts, so that memory does not grow with it; what is compressed is held whole.
pub fn encode_text_to(
    sink: &mut dyn Write,
    dataset: &Dataset,
    encoding: &Encoding,
    batches: &[RecordBatch],
) -> Result<(), EncodeError> {
    if encoding.compression != Compression::Gzip {
        return write_text(sink, dataset, encoding.format, owned(batches));
    }
    let mut text = Vec::new();
    write_text(&mut text, dataset, encoding.format, owned(batches))?;
    let gzipped = gzip(dataset, &text)?;
    drop(text);
    sink.write_all(&gzipped)
        .map_err(|source| EncodeError::Sink { dataset: dataset.name().to_string(), source })
}

fn write_text(
    sink: &mut dyn Write,
    dataset: &Dataset,
    format: Format,
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
) -> Result<(), EncodeError> {
    let written = match format {
        Format::Csv => csv_file::write(sink, dataset, batches),
        Format::Ndjson | Format::Parquet => json_lines::write(sink, dataset, batches),
    };
    let dataset = || dataset.name().to_string();
    written.map_err(|error| match error {
        TextError::Schema => EncodeError::Schema { dataset: dataset() },
        TextError::Rows(source) => EncodeError::Rows { dataset: dataset(), source },
        TextError::Sink(source) => EncodeError::Sink { dataset: dataset(), source },
    })
}

/// Encodes rows in their order as one object, as they come. The bytes are those of [`encode`]; they are kept where there
/// is room. Text that is compressed is held whole.
pub(crate) fn encode_within(
    room: &Room,
    dataset: &Dataset,
    encoding: &Encoding,
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
) -> Result<Content, EncodeError> {
    let mut sink = room.sink(0)?;
    if encoding.format == Format::Parquet {
        let written = parquet_file::encode_to(sink, dataset, encoding, parquet_file::threads(), batches);
        sink = written.map_err(|error| match error.disk_failure() {
            Some(disk) => EncodeError::Disk(io::Error::new(disk.kind(), disk.to_string())),
            None => error.into(),
        })?;
    } else if encoding.compression == Compression::Gzip {
        let mut text = Vec::new();
        write_text(&mut text, dataset, encoding.format, batches)?;
        let gzipped = gzip(dataset, &text)?;
        drop(text);
        sink.write_all(&gzipped)?;
    } else {
        let written = write_text(&mut sink, dataset, encoding.format, batches);
        written.map_err(|error| match error {
            EncodeError::Sink { source, .. } => EncodeError::Disk(source),
            other => other,
        })?;
    }
    Ok(sink.finish()?)
}

fn owned(batches: &[RecordBatch]) -> impl Iterator<Item = Result<RecordBatch, ArrowError>> {
    batches.iter().map(|batch| Ok(batch.clone()))
}

/// One member without name, time or system.
fn gzip(dataset: &Dataset, text: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut compressor = Compressor::new(CompressionLvl::new(GZIP_LEVEL).unwrap_or_default());
    let mut bytes = vec![0; compressor.gzip_compress_bound(text.len())];
    let written = compressor.gzip_compress(text, &mut bytes);
    let written =
        written.map_err(|source| EncodeError::Gzip { dataset: dataset.name().to_string(), source })?;
    bytes.truncate(written);
    bytes.shrink_to_fit();
    Ok(bytes)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod text_tests;
