//! Rows to the bytes of an object, in the format that a connection uses.
//!
//! The same rows give the same bytes, whatever batches they come in: nothing of the machine, the time or the run enters.

use std::io::{self, Write};

use arrow_array::RecordBatch;
use bytes::Bytes;
use libdeflater::{CompressionLvl, Compressor};

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
}

/// Encodes rows in their order as one object.
pub fn encode(dataset: &Dataset, encoding: &Encoding, batches: &[RecordBatch]) -> Result<Bytes, EncodeError> {
    if encoding.format == Format::Parquet {
        return Ok(parquet_file::encode(dataset, encoding, batches)?);
    }
    let mut text = Vec::new();
    write_text(&mut text, dataset, encoding.format, batches)?;
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
        return write_text(sink, dataset, encoding.format, batches);
    }
    let mut text = Vec::new();
    write_text(&mut text, dataset, encoding.format, batches)?;
    let gzipped = gzip(dataset, &text)?;
    drop(text);
    sink.write_all(&gzipped)
        .map_err(|source| EncodeError::Sink { dataset: dataset.name().to_string(), source })
}

fn write_text(
    sink: &mut dyn Write,
    dataset: &Dataset,
    format: Format,
    batches: &[RecordBatch],
) -> Result<(), EncodeError> {
    let written = match format {
        Format::Csv => csv_file::write(sink, dataset, batches),
        Format::Ndjson | Format::Parquet => json_lines::write(sink, dataset, batches),
    };
    let dataset = || dataset.name().to_string();
    written.map_err(|error| match error {
        TextError::Schema => EncodeError::Schema { dataset: dataset() },
        TextError::Sink(source) => EncodeError::Sink { dataset: dataset(), source },
    })
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
