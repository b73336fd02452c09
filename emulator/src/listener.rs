//! The TCP listener: HTTP/1.1 and HTTP/2 with prior knowledge on one port.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use http::header::{CONNECTION, EXPECT};
use http::{HeaderValue, Request, Version};
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use crate::fault::AnswerLost;
use crate::front::Front;

/// A bound address; connections are taken until this is dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Listener {
    pub(crate) async fn bind(address: SocketAddr, front: Arc<Front>) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(accept(listener, front));
        Ok(Self { address, task })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves connections; they end with this task.
async fn accept(listener: TcpListener, front: Arc<Front>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        // A failed accept concerns one client (or a passing lack of descriptors), never the others.
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let front = Arc::clone(&front);
        connections.spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let front = Arc::clone(&front);
                async move {
                    let unannounced = expects_continue_for_nothing(&request);
                    let mut response = front.call(request, peer.ip()).await;
                    if unannounced {
                        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                    }
                    match response.extensions().get::<AnswerLost>() {
                        Some(AnswerLost) => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
                        None => Ok(response),
                    }
                }
            });
            // What breaks a connection is the client's affair.
            let _ended = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// Whether a client waits for `100 Continue` before a body of no bytes. There is nothing to read, so none is sent;
/// botocore would take the final answer for that of its next request on this connection, so there must be none.
fn expects_continue_for_nothing(request: &Request<Incoming>) -> bool {
    request.version() == Version::HTTP_11
        && request.headers().contains_key(EXPECT)
        && request.body().is_end_stream()
}
