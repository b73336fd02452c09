//! The HTTP front: one path, one method, one token.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

use super::installation::Installer;
use super::request::InstallRefusal;
use crate::runner::StopSignal;
use crate::secret::Secret;
use crate::serving::{Serving, TlsError, acceptor};

/// The most bytes of a request's body.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// Characters of a token, at least.
const TOKEN_CHARS_MIN: usize = 16;
/// Requests that are answered at the same time; others wait.
const REQUESTS_MAX: usize = 64;

/// Why there can be no front.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallFrontError {
    /// The token's file.
    #[error("token file `{path}` cannot be used: {problem}")]
    Token {
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Tokens and keys would travel in the clear.
    #[error("`{address}` is no address of this machine alone, and requests carry secrets")]
    PlainHttp {
        /// The address.
        address: SocketAddr,
    },
    /// Certificate or key.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The socket.
    #[error("`{address}` cannot be listened at: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        source: std::io::Error,
    },
}

impl InstallFrontError {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Token { .. } => {
                "put a token of at least 16 characters into the file: `openssl rand -hex 32`"
            }
            Self::PlainHttp { .. } => "listen at 127.0.0.1, or give `--certificate` and `--private-key`",
            Self::Tls(_) => "give a chain and its key as PEM",
            Self::Listen { .. } => "choose another `--listen` address",
        }
    }
}

/// What a caller must show.
#[derive(Clone, Debug)]
pub struct InstallToken(Secret);

impl InstallToken {
    /// Reads the token from a file; white space around it is cut.
    pub fn read(path: &Path) -> Result<Self, InstallFrontError> {
        let failed = |problem: String| InstallFrontError::Token { path: path.display().to_string(), problem };
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let token = text.trim();
        if token.chars().count() < TOKEN_CHARS_MIN || token.chars().any(char::is_whitespace) {
            return Err(failed(format!("it holds no token of at least {TOKEN_CHARS_MIN} characters")));
        }
        Ok(Self(Secret::new(token)))
    }

    /// Compares digests, so that the time it takes tells nothing about the token.
    fn is(&self, shown: &str) -> bool {
        Sha256::digest(self.0.expose().as_bytes()) == Sha256::digest(shown.as_bytes())
    }
}

/// Takes installations over HTTP.
pub struct InstallFront {
    installer: Installer,
    token: InstallToken,
    serving: Serving,
}

impl std::fmt::Debug for InstallFront {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InstallFront").field("installer", &self.installer).finish_non_exhaustive()
    }
}

impl InstallFront {
    /// A front of `installer`; `tls` are certificate chain and private key, as PEM.
    pub fn new(
        installer: Installer,
        token: InstallToken,
        tls: Option<(&Path, &Path)>,
    ) -> Result<Self, InstallFrontError> {
        let tls = tls.map(|(certificate, key)| acceptor(certificate, key)).transpose()?;
        Ok(Self { installer, token, serving: Serving::new(REQUESTS_MAX, tls) })
    }

    /// Binds an address; without TLS, one of this machine alone.
    pub async fn bind(&self, address: SocketAddr) -> Result<TcpListener, InstallFrontError> {
        if !self.serving.is_encrypted() && !address.ip().is_loopback() {
            return Err(InstallFrontError::PlainHttp { address });
        }
        let bound = TcpListener::bind(address).await;
        bound.map_err(|source| InstallFrontError::Listen { address, source })
    }

    /// The URL that takes requests at an address.
    pub fn url(&self, address: SocketAddr) -> String {
        let scheme = if self.serving.is_encrypted() { "https" } else { "http" };
        format!("{scheme}://{address}{}", self.installer.path())
    }

    /// Answers at `listener` until `stop` is given.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, stop: StopSignal) {
        let serving = self.serving.clone();
        let answer = move |request| {
            let front = Arc::clone(&self);
            async move { front.answer(request).await }
        };
        serving.serve(listener, stop, answer).await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (status, body) = self.take(request).await.unwrap_or_else(|refused| refused);
        let mut response = Response::new(Full::new(Bytes::from(format!("{body:#}\n"))));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        match status {
            StatusCode::METHOD_NOT_ALLOWED => {
                headers.insert(ALLOW, HeaderValue::from_static("POST"));
            }
            StatusCode::UNAUTHORIZED => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }

    async fn take(&self, request: Request<Incoming>) -> Result<(StatusCode, Value), (StatusCode, Value)> {
        // Strangers learn nothing, not even which paths there are.
        let shown = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = shown
            .and_then(|shown| shown.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        if !token.is_some_and(|(_, token)| self.token.is(token.trim())) {
            tracing::warn!("a request without the token is refused");
            return Err(refusal(
                StatusCode::UNAUTHORIZED,
                "the token is missing or another one",
                "send `Authorization: Bearer TOKEN`",
            ));
        }
        if request.uri().path() != self.installer.path() {
            return Err(refusal(
                StatusCode::NOT_FOUND,
                "there is nothing at this path",
                &format!("`POST {}` installs", self.installer.path()),
            ));
        }
        if request.method() != Method::POST {
            return Err(refusal(
                StatusCode::METHOD_NOT_ALLOWED,
                "this method does nothing here",
                "use `POST`",
            ));
        }
        let kind =
            request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(refusal(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the body is to be JSON",
                "send `Content-Type: application/json`",
            ));
        }
        let body = Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await;
        let body = body.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
            Some(_) => refusal(
                StatusCode::PAYLOAD_TOO_LARGE,
                &format!("the body has more than {BODY_BYTES_MAX} bytes"),
                "send the documented fields alone",
            ),
            None => refusal(StatusCode::BAD_REQUEST, "the body was cut off", "send it again"),
        })?;
        match self.installer.install(&body.to_bytes()) {
            Ok((installation, is_new)) => {
                let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
                Ok((status, serde_json::to_value(&installation).unwrap_or_default()))
            }
            Err(refused) => Err(told(&refused)),
        }
    }
}

/// A refusal as an answer.
fn told(refused: &InstallRefusal) -> (StatusCode, Value) {
    let message = refused.to_string();
    match refused {
        InstallRefusal::Malformed { .. } => {
            refusal(StatusCode::BAD_REQUEST, &message, "send one JSON object with the documented fields")
        }
        InstallRefusal::Invalid { problems } => {
            let mut answer = refusal(StatusCode::UNPROCESSABLE_ENTITY, &message, "correct each of them");
            if let Some(object) = answer.1.as_object_mut() {
                object.insert("problems".to_owned(), json!(problems));
            }
            answer
        }
        InstallRefusal::Conflict { .. } => refusal(
            StatusCode::CONFLICT,
            &message,
            "choose another name, or remove the directory of the installation first",
        ),
        InstallRefusal::Storage { .. } => {
            tracing::error!(error = message, "nothing was installed");
            refusal(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the installation cannot be written",
                "look at the log of the connector",
            )
        }
    }
}

fn refusal(status: StatusCode, error: &str, help: &str) -> (StatusCode, Value) {
    (status, json!({ "error": error, "help": help }))
}
