//! The body of an answer on its way out, where a fault may end it early or hold it up.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};

use crate::state::Content;

/// How the wire goes wrong, after that many bytes of the body; what the head promises stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WireFault {
    /// The connection breaks.
    Reset(u64),
    /// Nothing comes any more, and the connection stays open.
    Stall(u64),
}

/// A body as it is sent.
#[derive(Debug)]
pub(crate) struct WireBody {
    content: Content,
    fault: Option<WireFault>,
    /// What was sent before a break has had the time to leave.
    has_left: bool,
}

impl WireBody {
    /// The answer as it is sent.
    pub(crate) fn of(response: Response<Content>) -> Response<Self> {
        let fault = response.extensions().get::<WireFault>().copied();
        response.map(|content| Self { content, fault, has_left: false })
    }
}

impl Body for WireBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.fault {
            Some(WireFault::Reset(0)) if !self.has_left => {
                self.has_left = true;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(WireFault::Reset(0)) => {
                return Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::ConnectionReset))));
            }
            // Nobody wakes this up: it ends when the client does.
            Some(WireFault::Stall(0)) => return Poll::Pending,
            _ => {}
        }
        let frame = match Pin::new(&mut self.content).poll_frame(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(frame) => frame.map(|frame| frame.unwrap_or_else(|never| match never {})),
        };
        let Some(WireFault::Reset(left) | WireFault::Stall(left)) = &mut self.fault else {
            return Poll::Ready(frame.map(Ok));
        };
        let Some(frame) = frame else {
            // A fault beyond the end of the body meets it there.
            *left = 0;
            return self.poll_frame(context);
        };
        let mut data = frame.into_data().unwrap_or_default();
        data.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
        *left = left.saturating_sub(data.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.fault.is_none() && self.content.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        // Under a fault the head alone says the length.
        if self.fault.is_none() { self.content.size_hint() } else { SizeHint::default() }
    }
}
