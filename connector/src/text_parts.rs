//! Text on its way to a sink, a part at a time.
//!
//! A file of text is long and its values are short. They are laid into one part, which stays near and serves again, and
//! the sink gets whole parts: memory does not grow with the file.

use std::io::{self, Write};

use arrow_schema::ArrowError;

/// Bytes of a part.
const PART_BYTES: usize = 1 << 18;
/// Bytes that a short text is copied by, in one step whatever its length: what lies behind it is overwritten next.
pub(crate) const STEP_BYTES: usize = 64;
/// Bytes of a text that are laid into a part together, so that twice as many fit.
const PIECE_BYTES: usize = PART_BYTES / 4;

/// Why rows could not be written as text.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TextError {
    /// The rows are of another schema, or hold an instant that no text shows.
    #[error("the rows do not have the schema")]
    Schema,
    /// The rows could not be had.
    #[error(transparent)]
    Rows(#[from] ArrowError),
    /// The sink failed.
    #[error(transparent)]
    Sink(#[from] io::Error),
}

/// The part that is being filled, and where parts go.
pub(crate) struct TextParts<'s> {
    sink: &'s mut dyn Write,
    part: Vec<u8>,
    /// Bytes of the part that are filled.
    filled: usize,
    failed: Option<io::Error>,
}

impl<'s> TextParts<'s> {
    pub(crate) fn new(sink: &'s mut dyn Write) -> Self {
        Self { sink, part: vec![0; PART_BYTES + STEP_BYTES], filled: 0, failed: None }
    }

    /// Sends the part away if not so many bytes, at most [`PART_BYTES`], and one step fit into it.
    #[inline]
    fn room(&mut self, bytes: usize) {
        if self.filled + bytes + STEP_BYTES > self.part.len() {
            self.send();
        }
    }

    #[cold]
    fn send(&mut self) {
        // After a failure nothing is sent, and the end tells.
        if self.failed.is_none() {
            self.failed = self.sink.write_all(self.part.get(..self.filled).unwrap_or_default()).err();
        }
        self.filled = 0;
    }

    /// Sends what is left.
    pub(crate) fn finish(mut self) -> Result<(), TextError> {
        self.send();
        self.failed.map_or(Ok(()), |error| Err(error.into()))
    }

    /// The failure of the sink, if it has failed: rows that follow go nowhere.
    pub(crate) fn check(&mut self) -> Result<(), TextError> {
        self.failed.take().map_or(Ok(()), |error| Err(error.into()))
    }

    #[inline]
    pub(crate) fn push_byte(&mut self, byte: u8) {
        self.room(1);
        if let Some(place) = self.part.get_mut(self.filled) {
            *place = byte;
        }
        self.filled += 1;
    }

    pub(crate) fn push(&mut self, text: &[u8]) {
        for piece in text.chunks(PIECE_BYTES) {
            self.room(piece.len());
            let end = self.filled + piece.len();
            if let Some(place) = self.part.get_mut(self.filled..end) {
                place.copy_from_slice(piece);
            }
            self.filled = end;
        }
    }

    /// Pushes `length` bytes from `start` of `text`; quicker than a slice of it where more bytes lie behind them.
    #[inline]
    pub(crate) fn push_from(&mut self, text: &[u8], start: usize, length: usize) {
        let from = text.get(start..).unwrap_or_default();
        if let Some(step) = from.first_chunk().filter(|_| length <= STEP_BYTES) {
            self.push_step(step, length);
        } else {
            self.push(from.get(..length).unwrap_or(from));
        }
    }

    /// Pushes the first `length` bytes of a step.
    #[inline]
    pub(crate) fn push_step(&mut self, step: &[u8; STEP_BYTES], length: usize) {
        self.room(0);
        if let Some(place) = self.part.get_mut(self.filled..).and_then(<[u8]>::first_chunk_mut) {
            *place = *step;
        }
        self.filled += length.min(STEP_BYTES);
    }

    /// Pushes a text and doubles each `"` in it.
    pub(crate) fn push_doubling_quotes(&mut self, text: &[u8]) {
        for piece in text.chunks(PIECE_BYTES) {
            self.room(2 * piece.len());
            let (mut rest, mut filled) = (piece, self.filled);
            while let Some((first, behind)) = rest.split_first() {
                let place = self.part.get_mut(filled..).unwrap_or_default();
                // Eight bytes at once up to the next quote, or one byte near the end.
                let (mut taken, mut is_quote) = (1, *first == b'"');
                if let (Some(word), Some(place)) = (rest.first_chunk::<8>(), place.first_chunk_mut::<8>()) {
                    *place = *word;
                    let found = equal(u64::from_le_bytes(*word), b'"');
                    taken = 8.min(1 + found.trailing_zeros() as usize / 8);
                    is_quote = found != 0;
                } else if let Some(place) = place.first_mut() {
                    *place = *first;
                }
                filled += taken;
                rest = rest.get(taken..).unwrap_or(behind);
                if is_quote {
                    if let Some(place) = self.part.get_mut(filled) {
                        *place = b'"';
                    }
                    filled += 1;
                }
            }
            self.filled = filled;
        }
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The high bit of the lowest byte that equals `byte` is set; bits above that one mean nothing, and there are none if no
/// byte does.
#[inline]
pub(crate) const fn equal(word: u64, byte: u8) -> u64 {
    let differs = word ^ (ONES * byte as u64);
    differs.wrapping_sub(ONES) & !differs & HIGHS
}

#[cfg(test)]
mod tests;
