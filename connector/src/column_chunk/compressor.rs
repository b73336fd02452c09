//! The compression of pages, with buffers and states that last from page to page.

use std::io::Write as _;

use flate2::write::GzEncoder;
use parquet::basic::Compression as PageCompression;
use parquet::errors::ParquetError;

enum Method {
    None,
    Snappy(Box<snap::raw::Encoder>),
    Zstd(zstd::bulk::Compressor<'static>),
    Gzip(flate2::Compression),
}

/// Compresses pages of one file.
pub(super) struct Compressor {
    method: Method,
    out: Vec<u8>,
}

impl Compressor {
    pub(super) fn new(compression: PageCompression) -> Result<Self, ParquetError> {
        let method = match compression {
            PageCompression::UNCOMPRESSED => Method::None,
            PageCompression::SNAPPY => Method::Snappy(Box::new(snap::raw::Encoder::new())),
            PageCompression::ZSTD(level) => {
                Method::Zstd(zstd::bulk::Compressor::new(level.compression_level())?)
            }
            PageCompression::GZIP(level) => Method::Gzip(flate2::Compression::new(level.compression_level())),
            other => return Err(ParquetError::NYI(format!("pages compressed with {other}"))),
        };
        Ok(Self { method, out: Vec::new() })
    }

    /// The page, compressed.
    pub(super) fn compress<'a>(&'a mut self, page: &'a [u8]) -> Result<&'a [u8], ParquetError> {
        let out = &mut self.out;
        let mut room = |bytes: usize| {
            if out.len() < bytes {
                out.resize(bytes, 0);
            }
        };
        let written = match &mut self.method {
            Method::None => return Ok(page),
            Method::Snappy(encoder) => {
                room(snap::raw::max_compress_len(page.len()));
                encoder.compress(page, out).map_err(|error| ParquetError::External(Box::new(error)))?
            }
            Method::Zstd(compressor) => {
                room(zstd::zstd_safe::compress_bound(page.len()));
                compressor.compress_to_buffer(page, out.as_mut_slice())?
            }
            Method::Gzip(level) => {
                out.clear();
                let mut encoder = GzEncoder::new(&mut *out, *level);
                encoder.write_all(page)?;
                encoder.finish()?;
                out.len()
            }
        };
        Ok(self.out.get(..written).unwrap_or_default())
    }
}
