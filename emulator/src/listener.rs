//! The TCP listener: HTTP/1.1 and HTTP/2 on one port, over TLS if there is a certificate.
//!
//! Without TLS a client must know that HTTP/2 is spoken; with it the two agree (ALPN).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::header::{CONNECTION, EXPECT};
use http::{HeaderValue, Request, Version};
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::fault::AnswerLost;
use crate::front::Front;
use crate::head::Encrypted;
use crate::tls::Tls;
use crate::wire_body::WireBody;

/// A bound address; connections are taken until this is dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    encrypted: bool,
    task: JoinHandle<()>,
}

impl Listener {
    /// Takes connections from now on; within a runtime.
    pub(crate) fn bind(address: SocketAddr, front: Arc<Front>, tls: Option<Tls>) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        let encrypted = tls.is_some();
        let task = tokio::spawn(accept(listener, front, tls.map(|tls| tls.acceptor())));
        Ok(Self { address, encrypted, task })
    }

    /// The URL that clients use.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.encrypted { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves connections; they end with this task.
async fn accept(listener: TcpListener, front: Arc<Front>, tls: Option<TlsAcceptor>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        // A failed accept concerns one client, or is a passing lack of descriptors: those in use have to end first.
        let Ok((stream, peer)) = listener.accept().await else {
            if connections.join_next().await.is_none() {
                tokio::task::yield_now().await;
            }
            continue;
        };
        let front = Arc::clone(&front);
        let tls = tls.clone();
        connections.spawn(async move {
            // What breaks a connection is the client's affair.
            match tls {
                None => serve(stream, peer.ip(), front, false).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, peer.ip(), front, true).await;
                    }
                }
            }
        });
    }
}

/// Answers the requests of one connection until it ends.
async fn serve<S>(stream: S, peer: IpAddr, front: Arc<Front>, is_encrypted: bool)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |mut request: Request<Incoming>| {
        if is_encrypted {
            request.extensions_mut().insert(Encrypted);
        }
        let front = Arc::clone(&front);
        async move {
            let unannounced = expects_continue_for_nothing(&request);
            let waits = request.version() == Version::HTTP_11 && request.headers().contains_key(EXPECT);
            let mut response = front.call(request, peer).await;
            // Who was refused before being asked for the body does not send it, and the connection ends: say so, or
            // the client's next request meets a closed one.
            let is_refused = response.status().is_client_error() || response.status().is_redirection();
            if unannounced || waits && is_refused {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            match response.extensions().get::<AnswerLost>() {
                Some(AnswerLost) => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
                None => Ok(WireBody::of(response)),
            }
        }
    });
    let _ended =
        auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

/// Whether a client waits for `100 Continue` before a body of no bytes. There is nothing to read, so none is sent;
/// botocore would take the final answer for that of its next request on this connection, so there must be none.
fn expects_continue_for_nothing(request: &Request<Incoming>) -> bool {
    request.version() == Version::HTTP_11
        && request.headers().contains_key(EXPECT)
        && request.body().is_end_stream()
}
