//! The compression of pages, with buffers and states that last from page to page.

use std::io::{self, Write as _};

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

/// Bytes of a page that tells about the next ones, at least.
const TELLING_BYTES: usize = 1 << 16;
/// Pages that are stored after one in which Snappy found less than a thirty-second to save.
const STORED_PAGES: u8 = 7;
/// Bytes of a literal, at most, as other writers of Snappy have it.
const LITERAL_BYTES: usize = 1 << 16;

/// What the pages of a column so far tell about the next: random ids, for one, are looked at for long and stay what they are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Habit {
    /// Pages to be stored before one is tried again.
    stored: u8,
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

    /// The page, compressed. With Snappy, pages that likely would not become smaller are stored.
    pub(super) fn compress(&mut self, page: &[u8], habit: &mut Habit) -> Result<Bytes, ParquetError> {
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
                if let Some(stored) = habit.stored.checked_sub(1) {
                    habit.stored = stored;
                    store(page, out)?
                } else {
                    let written = encoder.compress(page, out);
                    let written = written.map_err(|error| ParquetError::External(Box::new(error)))?;
                    if page.len() >= TELLING_BYTES && written > page.len() - page.len() / 32 {
                        habit.stored = STORED_PAGES;
                    }
                    written
                }
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

/// Writes a page as Snappy does what it finds nothing in: its length, and literals. Tells how many bytes that takes.
fn store(page: &[u8], out: &mut [u8]) -> io::Result<usize> {
    let room = out.len();
    let mut out = out;
    let mut length = page.len();
    loop {
        let low = u8::try_from(length & 0x7f).unwrap_or_default();
        length >>= 7;
        out.write_all(&[if length > 0 { low | 0x80 } else { low }])?;
        if length == 0 {
            break;
        }
    }
    for literal in page.chunks(LITERAL_BYTES) {
        // A literal whose length, less one, stands in the two bytes that follow.
        let [low, high, ..] = (literal.len() - 1).to_le_bytes();
        out.write_all(&[61 << 2, low, high])?;
        out.write_all(literal)?;
    }
    Ok(room - out.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_stored_is_what_readers_get(
            length in prop_oneof![0_usize..200, 65_500_usize..65_600, 131_000_usize..200_000],
            byte in any::<u8>(),
        ) {
            let page: Vec<u8> = (0..length).map(|at| byte.wrapping_add(at.to_le_bytes()[0])).collect();
            let mut out = vec![0; snap::raw::max_compress_len(length)];
            let written = store(&page, &mut out).unwrap();
            prop_assert_eq!(snap::raw::Decoder::new().decompress_vec(&out[..written]).unwrap(), page);
        }
    }

    #[test]
    fn pages_in_which_nothing_is_saved_are_stored_until_the_next_trial() {
        // No four bytes of it stand in it twice, near enough.
        let mut state = 1_u64;
        let random: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        })
        .take(TELLING_BYTES)
        .collect();
        let zeros = vec![0; TELLING_BYTES];
        let mut compressor = Compressor::new(PageCompression::SNAPPY).unwrap();
        let mut habit = Habit::default();
        let mut size = |page: &[u8]| {
            let compressed = compressor.compress(page, &mut habit).unwrap();
            assert_eq!(snap::raw::Decoder::new().decompress_vec(&compressed).unwrap(), page);
            compressed.len()
        };
        assert!(size(&zeros) < TELLING_BYTES / 10);
        assert!(size(&random) >= TELLING_BYTES);
        for _ in 0..STORED_PAGES {
            assert!(size(&zeros) > TELLING_BYTES);
        }
        assert!(size(&zeros) < TELLING_BYTES / 10);
        // A small page tells nothing about the next.
        assert!(size(&random[..1_000]) >= 1_000);
        assert!(size(&zeros) < TELLING_BYTES / 10);
    }
}
