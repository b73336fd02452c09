//! The bytes of an object, in the pieces in which they arrived.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};

/// Bytes in shared pieces: a multipart object is the list of its parts, and reading one copies nothing.
///
/// It is also the body type of every response.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    pieces: VecDeque<Bytes>,
    bytes: u64,
}

impl Content {
    /// The length in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.bytes
    }

    /// The pieces in order.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &Bytes> {
        self.pieces.iter()
    }

    /// The bytes of `range`, sharing memory with the whole; what lies beyond the end is left out.
    pub(crate) fn slice(&self, range: Range<u64>) -> Self {
        let mut start = 0_u64;
        let mut pieces = Vec::new();
        for piece in &self.pieces {
            let end = start + piece.len() as u64;
            let from = range.start.clamp(start, end) - start;
            let to = range.end.clamp(start, end) - start;
            if from < to
                && let (Ok(from), Ok(to)) = (usize::try_from(from), usize::try_from(to))
            {
                pieces.push(piece.slice(from..to));
            }
            start = end;
        }
        pieces.into_iter().collect()
    }

    /// All bytes in one piece; copies only if there are several.
    pub(crate) fn into_bytes(mut self) -> Bytes {
        if self.pieces.len() <= 1 {
            return self.pieces.pop_front().unwrap_or_default();
        }
        let mut whole = BytesMut::with_capacity(usize::try_from(self.bytes).unwrap_or_default());
        for piece in self.pieces {
            whole.extend_from_slice(&piece);
        }
        whole.freeze()
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        std::iter::once(bytes).collect()
    }
}

impl FromIterator<Bytes> for Content {
    fn from_iter<I: IntoIterator<Item = Bytes>>(pieces: I) -> Self {
        let pieces: VecDeque<Bytes> = pieces.into_iter().filter(|piece| !piece.is_empty()).collect();
        let bytes = pieces.iter().map(|piece| piece.len() as u64).sum();
        Self { pieces, bytes }
    }
}

impl FromIterator<Content> for Content {
    fn from_iter<I: IntoIterator<Item = Self>>(contents: I) -> Self {
        contents.into_iter().flat_map(|content| content.pieces).collect()
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.pieces.pop_front();
        if let Some(piece) = &piece {
            self.bytes -= piece.len() as u64;
        }
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes)
    }
}
