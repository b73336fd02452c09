//! The one server of the connector: it accepts connections, speaks TLS where that is wanted, and answers each request
//! within its patience.
//!
//! What is answered is the caller's: messages of SNS (`import/sns/endpoint.rs`), installations (`install/front.rs`), metrics
//! (`exposition.rs`).

mod tls;

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bucketproof_clock::Clock;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

pub use tls::TlsError;
pub(crate) use tls::acceptor;

use crate::runner::StopSignal;

/// A connection takes no longer, handshake and answer included; SNS waits 15 seconds.
const PATIENCE: Duration = Duration::from_secs(20);
/// The pause after a connection that could not be accepted, as when the process has no more files.
const REST: Duration = Duration::from_millis(50);

/// How connections are served.
#[derive(Clone)]
pub(crate) struct Serving {
    tls: Option<TlsAcceptor>,
    places: usize,
    patience: Duration,
    clock: Clock,
}

impl Serving {
    /// Serves at most `places` connections at the same time; others wait. With `tls` nothing else is spoken.
    pub(crate) fn new(places: usize, tls: Option<TlsAcceptor>) -> Self {
        // Whatever time the rest of a process lives in, who does not speak is a matter of real seconds.
        Self { tls, places, patience: PATIENCE, clock: Clock::system() }
    }

    /// Whether TLS is spoken.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// Answers at `listener` until `stop` is given; one request for each connection.
    pub(crate) async fn serve<A, F>(self, listener: TcpListener, stop: StopSignal, answer: A)
    where
        A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Response<Full<Bytes>>> + Send,
    {
        let places = Arc::new(Semaphore::new(self.places));
        loop {
            let accepted = tokio::select! {
                accepted = accept(&listener, &places) => accepted,
                () = stop.given() => return,
            };
            let Some((stream, place)) = accepted else {
                self.clock.sleep(REST).await;
                continue;
            };
            let (serving, answer) = (self.clone(), answer.clone());
            tokio::spawn(async move {
                let _held = place;
                let answered = async {
                    match &serving.tls {
                        None => converse(stream, answer).await,
                        // A client that speaks no TLS needs no answer.
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                converse(stream, answer).await;
                            }
                        }
                    }
                };
                tokio::select! {
                    () = answered => {}
                    () = serving.clock.sleep(serving.patience) => {}
                }
            });
        }
    }
}

/// The next connection once there is a place for it; `None` if it could not be accepted.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(tokio::net::TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    let (stream, _) = listener.accept().await.ok()?;
    Some((stream, place))
}

async fn converse<S, A, F>(stream: S, answer: A)
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Fn(Request<Incoming>) -> F,
    F: Future<Output = Response<Full<Bytes>>>,
{
    let service = service_fn(move |request| {
        let answered = answer(request);
        async move { Ok::<_, Infallible>(answered.await) }
    });
    let mut server = hyper::server::conn::http1::Builder::new();
    let connection = server.keep_alive(false).serve_connection(TokioIo::new(stream), service);
    // A client that went away needs no answer.
    let _gone = connection.await;
}

#[cfg(test)]
mod tests;
