//! The compression of pages, with buffers and states that last from page to page.

use std::io::Write as _;

use bytes::{BufMut as _, Bytes, BytesMut};
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
    out: BytesMut,
    /// The buffer while a page is in it. It comes back when the page has gone.
    lent: Bytes,
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
        Ok(Self { method, out: BytesMut::new(), lent: Bytes::new() })
    }

    /// The page, compressed.
    pub(super) fn compress(&mut self, page: &[u8]) -> Result<Bytes, ParquetError> {
        if let Ok(out) = std::mem::take(&mut self.lent).try_into_mut() {
            self.out = out;
        }
        let out = &mut self.out;
        let mut room = |bytes: usize| {
            if out.len() < bytes {
                out.resize(bytes, 0);
            }
        };
        let written = match &mut self.method {
            Method::None => return Ok(Bytes::copy_from_slice(page)),
            Method::Snappy(encoder) => {
                room(snap::raw::max_compress_len(page.len()));
                encoder.compress(page, out).map_err(|error| ParquetError::External(Box::new(error)))?
            }
            Method::Zstd(compressor) => {
                room(zstd::zstd_safe::compress_bound(page.len()));
                compressor.compress_to_buffer(page, out.as_mut())?
            }
            Method::Gzip(level) => {
                out.clear();
                let mut encoder = GzEncoder::new(out.writer(), *level);
                encoder.write_all(page)?;
                encoder.finish()?;
                out.len()
            }
        };
        self.lent = std::mem::take(&mut self.out).freeze();
        Ok(self.lent.slice(..written.min(self.lent.len())))
    }
}
