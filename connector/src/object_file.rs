//! Rows to the bytes of an object, in the format that a connection uses.
//!
//! The same rows give the same bytes, whatever batches they come in: nothing of the machine, the time or the run enters.

use arrow_array::RecordBatch;
use bytes::Bytes;
use libdeflater::{CompressionLvl, Compressor};

use crate::csv_file;
use crate::json_lines;
use crate::parquet_file;
use crate::profile::{Compression, Dataset, Encoding, Format};

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
}

/// Encodes rows in their order as one object.
pub fn encode(dataset: &Dataset, encoding: &Encoding, batches: &[RecordBatch]) -> Result<Bytes, EncodeError> {
    let text = match encoding.format {
        Format::Parquet => return Ok(parquet_file::encode(dataset, encoding, batches)?),
        Format::Ndjson => json_lines::encode(dataset, batches),
        Format::Csv => csv_file::encode(dataset, batches),
    };
    let text = text.ok_or_else(|| EncodeError::Schema { dataset: dataset.name().to_string() })?;
    match encoding.compression {
        Compression::Gzip => {
            let gzipped = gzip(&text);
            gzipped
                .map(Bytes::from)
                .map_err(|source| EncodeError::Gzip { dataset: dataset.name().to_string(), source })
        }
        _ => Ok(Bytes::from(text)),
    }
}

/// One member without name, time or system.
fn gzip(text: &[u8]) -> Result<Vec<u8>, libdeflater::CompressionError> {
    let mut compressor = Compressor::new(CompressionLvl::new(GZIP_LEVEL).unwrap_or_default());
    let mut bytes = vec![0; compressor.gzip_compress_bound(text.len())];
    let written = compressor.gzip_compress(text, &mut bytes)?;
    bytes.truncate(written);
    bytes.shrink_to_fit();
    Ok(bytes)
}

#[cfg(test)]
mod tests;
