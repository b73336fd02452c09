//! One GET: of a certificate, or to confirm a subscription. Redirects are not followed.

use std::sync::Arc;
use std::time::Duration;

use bucketproof_clock::Clock;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

/// SNS waits 15 seconds for the answer that depends on this.
const TIMEOUT: Duration = Duration::from_secs(10);
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The status and the body of what is there.
pub(super) async fn get(uri: &Uri, tls: &Arc<ClientConfig>) -> Result<(StatusCode, Bytes), String> {
    let patience = Clock::system();
    tokio::select! {
        answer = send(uri, tls) => answer,
        () = patience.sleep(TIMEOUT) => Err("no answer within 10 seconds".to_owned()),
    }
}

async fn send(uri: &Uri, tls: &Arc<ClientConfig>) -> Result<(StatusCode, Bytes), String> {
    let host = uri.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let is_encrypted = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 });
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = uri.authority().map_or(host, |authority| authority.as_str());
    let request = Request::get(path).header(HOST, authority).body(Empty::<Bytes>::new());
    let request = request.map_err(|error| error.to_string())?;
    let stream =
        TcpStream::connect((bare.as_str(), port)).await.map_err(|error| format!("`{authority}`: {error}"))?;
    if !is_encrypted {
        return exchange(stream, request).await;
    }
    let name = ServerName::try_from(bare).map_err(|error| error.to_string())?;
    let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await;
    exchange(stream.map_err(|error| format!("`{authority}`: {error}"))?, request).await
}

async fn exchange<S>(stream: S, request: Request<Empty<Bytes>>) -> Result<(StatusCode, Bytes), String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        Ok((status, body.map_err(|error| error.to_string())?.to_bytes()))
    };
    tokio::pin!(connection);
    tokio::pin!(answer);
    tokio::select! {
        answer = &mut answer => answer,
        ended = &mut connection => match ended {
            Ok(()) => answer.await,
            Err(error) => Err(error.to_string()),
        },
    }
}
