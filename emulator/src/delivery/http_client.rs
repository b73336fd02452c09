//! One POST to a subscriber, over HTTP or HTTPS.
//!
//! Source: SNS Developer Guide, "HTTP/HTTPS headers", and recorded requests. A subscriber has 15 seconds.

use std::sync::Arc;
use std::time::Duration;

use bucketproof_clock::Clock;
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONNECTION, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderName, HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::http_message::Outgoing;

const TIMEOUT: Duration = Duration::from_secs(15);
/// How much of an answer is read; nobody looks at it.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Sends messages; clones share what they trust.
#[derive(Clone, Debug, Default)]
pub(super) struct HttpClient {
    tls: Arc<std::sync::OnceLock<Result<Arc<ClientConfig>, String>>>,
}

impl HttpClient {
    /// Sends a message and answers the status; or why there is none. Redirects are not followed.
    pub(super) async fn post(&self, endpoint: &str, message: &Outgoing) -> Result<StatusCode, String> {
        let patience = Clock::system();
        tokio::select! {
            answer = self.send(endpoint, message) => answer,
            () = patience.sleep(TIMEOUT) => Err("no answer within 15 seconds".to_owned()),
        }
    }

    async fn send(&self, endpoint: &str, message: &Outgoing) -> Result<StatusCode, String> {
        let uri: Uri = endpoint.parse().map_err(|error| format!("the endpoint is no URL: {error}"))?;
        let host = uri.host().ok_or("the endpoint has no host")?.to_owned();
        let is_encrypted = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 });
        let bare_host = host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((bare_host, port)).await.map_err(|error| error.to_string())?;
        let request = request(&uri, message)?;
        if !is_encrypted {
            return exchange(stream, request).await;
        }
        let name = ServerName::try_from(bare_host.to_owned()).map_err(|error| error.to_string())?;
        let stream = TlsConnector::from(self.tls()?).connect(name, stream).await;
        exchange(stream.map_err(|error| error.to_string())?, request).await
    }

    /// Trusts what the system trusts, or what `SSL_CERT_FILE` says in its place.
    fn tls(&self) -> Result<Arc<ClientConfig>, String> {
        let made = self.tls.get_or_init(|| {
            let mut roots = RootCertStore::empty();
            let _added = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(|error| error.to_string())?
                .with_root_certificates(roots)
                .with_no_client_auth();
            Ok(Arc::new(config))
        });
        made.clone()
    }
}

fn request(uri: &Uri, message: &Outgoing) -> Result<Request<Full<Bytes>>, String> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::post(path)
        .body(Full::new(Bytes::from(message.body.clone())))
        .map_err(|error| error.to_string())?;
    let headers = request.headers_mut();
    let mut set = |name: HeaderName, value: &str| {
        HeaderValue::from_str(value)
            .map(|value| drop(headers.insert(name, value)))
            .map_err(|error| error.to_string())
    };
    // Credentials in the URL would belong into a header; SNS sends them only when it is asked to.
    let authority = uri.authority().map_or("", http::uri::Authority::as_str);
    set(HOST, authority.rsplit('@').next().unwrap_or_default())?;
    set(CONTENT_TYPE, &message.content_type)?;
    set(USER_AGENT, "Amazon Simple Notification Service Agent")?;
    set(ACCEPT_ENCODING, "gzip,deflate")?;
    set(CONNECTION, "close")?;
    set(HeaderName::from_static("x-amz-sns-message-type"), message.kind)?;
    set(HeaderName::from_static("x-amz-sns-message-id"), &message.message_id)?;
    set(HeaderName::from_static("x-amz-sns-topic-arn"), &message.topic)?;
    if let Some(subscription) = &message.subscription {
        set(HeaderName::from_static("x-amz-sns-subscription-arn"), subscription)?;
    }
    if message.is_raw {
        set(HeaderName::from_static("x-amz-sns-rawdelivery"), "true")?;
    }
    Ok(request)
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<StatusCode, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let status = response.status();
        // Read, so that the subscriber is not cut off while it answers.
        let mut body = http_body_util::Limited::new(response.into_body(), ANSWER_BYTES_MAX);
        while let Some(Ok(_)) = body.frame().await {}
        Ok(status)
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
