//! The one front service, shared by the TCP listener and the in-memory transport.

use std::future::Future;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use bucketproof_clock::Entropy;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;

use crate::error::{AwsError, Protocol};
use crate::ids::RequestIds;
use crate::pipeline::Pipeline;
use crate::state::Content;

/// Answers every request; whatever goes wrong inside is an answer too.
#[derive(Debug)]
pub(crate) struct Front {
    pipeline: Pipeline,
}

impl Front {
    pub(crate) fn new(pipeline: Pipeline) -> Self {
        Self { pipeline }
    }

    /// Answers one request from `source_ip`.
    pub(crate) async fn call<B>(&self, request: Request<B>, source_ip: IpAddr) -> Response<Content>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: std::fmt::Display,
    {
        let method = request.method().clone();
        let mut future = Box::pin(self.pipeline.call(request, source_ip));
        // A panic is a defect of ours; the client gets AWS's 500 instead of a broken connection.
        let answer = std::future::poll_fn(|context| {
            match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(response)) => Poll::Ready(Some(response)),
                Err(_) => Poll::Ready(None),
            }
        });
        answer.await.unwrap_or_else(|| {
            let ids = RequestIds::draw(&Entropy::seeded(0));
            AwsError::internal().render(Protocol::RestXml, &method, &ids).map(Content::from)
        })
    }
}
