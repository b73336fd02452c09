//! The server that SNS posts to.
//!
//! A message is kept before it is answered. What is refused is logged with its reason and answered so that SNS tries
//! again exactly if that can help.

use std::collections::BTreeMap;
use std::sync::Arc;

use bucketproof_clock::Clock;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;

use super::certificate::Certificates;
use super::fetch;
use super::message::{Envelope, Kind};
use super::refusal::Refusal;
use super::trust::Trust;
use crate::import::config::{ImportConfig, InboundConnection};
use crate::import::endpoint_config::EndpointConfig;
use crate::import::event::{self, Announced, Said};
use crate::import::inbox::{Arrival, Inbox, Notice};
use crate::runner::StopSignal;
use crate::serving::{Serving, TlsError, acceptor};

/// Requests that are answered at the same time; others wait.
const REQUESTS_MAX: usize = 256;
/// The path below which the endpoints are.
const PATH: &str = "/notifications/";
/// Characters of a stranger's path that are told.
const SHOWN_CHARS: usize = 100;

/// Why there can be no endpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The configuration has none.
    #[error("the configuration has no `[endpoint]`")]
    None,
    /// A file of certificates or keys, or both together.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The socket.
    #[error("`{address}` cannot be listened at: {source}")]
    Listen {
        /// The address.
        address: String,
        /// The cause.
        source: std::io::Error,
    },
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Accepted {
    Confirmed,
    Ended,
    Test,
    Known,
    Noted { files: usize, passed_over: usize },
    NoEvent,
}

impl Accepted {
    fn text(self) -> String {
        match self {
            Self::Confirmed => "the subscription is confirmed".to_owned(),
            Self::Ended => "noted that the subscription was ended".to_owned(),
            Self::Test => "the connection works".to_owned(),
            Self::Known => "the message came before; nothing is done twice".to_owned(),
            Self::Noted { files, passed_over } => format!("{files} files noted, {passed_over} passed over"),
            Self::NoEvent => "not an event of S3; passed over".to_owned(),
        }
    }
}

/// A server of endpoints, one for each connection that names a topic.
pub struct Endpoint {
    config: EndpointConfig,
    connections: BTreeMap<String, InboundConnection>,
    trust: Trust,
    certificates: Certificates,
    inbox: Inbox,
    clock: Clock,
    serving: Serving,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Endpoint {
    /// The endpoints of a configuration; what they are told goes to `inbox`.
    pub fn new(config: &ImportConfig, inbox: Inbox, clock: Clock) -> Result<Self, EndpointError> {
        let own = config.endpoint.clone().ok_or(EndpointError::None)?;
        if let Some(stand_in) = &own.stand_in {
            tracing::warn!(
                host = stand_in.host,
                encrypted = !stand_in.allow_http,
                "`endpoint.stand_in` is believed in place of SNS; never set it where AWS is meant"
            );
        }
        let mut connections = BTreeMap::new();
        for connection in &config.connections {
            if connection.topic_arn.is_none() {
                continue;
            }
            if connection.raw_delivery {
                tracing::warn!(
                    connection = connection.name,
                    "raw messages are not signed: anybody is believed"
                );
            }
            connections.insert(config.endpoint_id(connection), connection.clone());
        }
        let trust = Trust::new(own.stand_in.as_ref())?;
        let tls = own.tls.as_ref().map(|(certificate, key)| acceptor(certificate, key)).transpose()?;
        let serving = Serving::new(REQUESTS_MAX, tls);
        let certificates = Certificates::default();
        Ok(Self { config: own, connections, trust, certificates, inbox, clock, serving })
    }

    /// Binds the socket of the configuration.
    pub async fn bind(&self) -> Result<TcpListener, EndpointError> {
        let address = self.config.listen;
        let bound = TcpListener::bind(address).await;
        bound.map_err(|source| EndpointError::Listen { address: address.to_string(), source })
    }

    /// Answers at `listener` until `stop` is given.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, stop: StopSignal) {
        let serving = self.serving.clone();
        let answer = move |request| {
            let endpoint = Arc::clone(&self);
            async move { endpoint.answer(request).await }
        };
        serving.serve(listener, stop, answer).await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        let (status, text) = match self.take(request).await {
            Ok(accepted) => {
                tracing::info!(path, outcome = accepted.text(), "a message");
                (StatusCode::OK, accepted.text())
            }
            Err(refusal) => {
                let path: String = path.chars().take(SHOWN_CHARS).collect();
                tracing::warn!(path, reason = %refusal, "a message is refused");
                (refusal.status(), refusal.to_string())
            }
        };
        let mut response = Response::new(Full::new(Bytes::from(format!("{text}\n"))));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        }
        response
    }

    async fn take(&self, request: Request<Incoming>) -> Result<Accepted, Refusal> {
        let path = request.uri().path();
        let connection = path.strip_prefix(PATH).and_then(|id| self.connections.get(id));
        let connection = connection.ok_or_else(|| Refusal::UnknownEndpoint {
            path: path.chars().take(SHOWN_CHARS).flat_map(char::escape_debug).collect(),
        })?;
        if request.method() != Method::POST {
            return Err(Refusal::Method { method: request.method().to_string() });
        }
        let header =
            |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let is_raw = header("x-amz-sns-rawdelivery").is_some_and(|raw| raw == "true");
        let (topic, id) = (header("x-amz-sns-topic-arn"), header("x-amz-sns-message-id"));
        let limit = self.config.body_bytes_max;
        let body = Limited::new(request.into_body(), limit).collect().await;
        let body = body.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
            Some(_) => Refusal::Oversized { limit },
            None => Refusal::CutOff,
        })?;
        let body = body.to_bytes();
        if !is_raw {
            return self.signed(connection, &body).await;
        }
        if !connection.raw_delivery {
            return Err(Refusal::Unsigned);
        }
        let topic = topic.unwrap_or_default();
        pinned(connection, &topic)?;
        let text =
            std::str::from_utf8(&body).map_err(|error| Refusal::Malformed { reason: error.to_string() })?;
        let id = id.ok_or_else(|| Refusal::Malformed { reason: "it has no id".to_owned() })?;
        self.note(connection, &id, text)
    }

    async fn signed(&self, connection: &InboundConnection, body: &[u8]) -> Result<Accepted, Refusal> {
        let message = Envelope::parse(body).map_err(|reason| Refusal::Malformed { reason })?;
        pinned(connection, &message.topic_arn)?;
        let now = self.clock.now();
        self.fresh(&message, now)?;
        self.certificates.verify(&message, &self.trust, now).await?;
        match message.kind {
            Kind::Notification => self.note(connection, &message.message_id, &message.message),
            Kind::SubscriptionConfirmation => self.confirm(connection, &message, now).await,
            Kind::UnsubscribeConfirmation => {
                tracing::warn!(
                    connection = connection.name,
                    topic = message.topic_arn,
                    "the subscription was ended; files are found by listing until it is made again"
                );
                self.inbox.note_subscription(&connection.name, &message.topic_arn, None, now)?;
                Ok(Accepted::Ended)
            }
        }
    }

    fn fresh(&self, message: &Envelope, now: Timestamp) -> Result<(), Refusal> {
        let minutes = self.config.max_age_minutes;
        let away = now.duration_since(message.timestamp).abs();
        if away <= SignedDuration::from_mins(minutes.into()) {
            return Ok(());
        }
        Err(Refusal::Stale { stamp: message.timestamp.to_string(), minutes })
    }

    async fn confirm(
        &self,
        connection: &InboundConnection,
        message: &Envelope,
        now: Timestamp,
    ) -> Result<Accepted, Refusal> {
        let url = message
            .subscribe_url
            .as_deref()
            .ok_or_else(|| Refusal::Malformed { reason: "it has no `SubscribeURL`".to_owned() })?;
        let place = self.trust.confirmation_place(url, &message.topic_arn)?;
        let failed = |reason| Refusal::NotConfirmed { reason };
        let (status, answer) = fetch::get(&place, &self.trust.tls).await.map_err(failed)?;
        if !status.is_success() {
            return Err(failed(format!("the answer is {status}")));
        }
        let answer = String::from_utf8_lossy(&answer);
        let arn = answer.split_once("<SubscriptionArn>").and_then(|(_, rest)| rest.split_once("</"));
        let arn = arn.map_or("", |(arn, _)| arn.trim());
        self.inbox.note_subscription(&connection.name, &message.topic_arn, Some(arn), now)?;
        Ok(Accepted::Confirmed)
    }

    /// Keeps what a message says; what has nothing to do with the connection is passed over.
    fn note(&self, connection: &InboundConnection, id: &str, text: &str) -> Result<Accepted, Refusal> {
        let objects = match event::parse(text) {
            Ok(Said::Test) => return Ok(Accepted::Test),
            Ok(Said::Objects(objects)) => objects,
            Err(reason) => {
                tracing::warn!(connection = connection.name, reason, "a message is no event of S3");
                return Ok(Accepted::NoEvent);
            }
        };
        let notices = notices(connection, &objects);
        let passed_over = objects.len() - notices.len();
        match self.inbox.receive(&connection.name, id, &notices, self.clock.now())? {
            Arrival::Known => Ok(Accepted::Known),
            Arrival::New => Ok(Accepted::Noted { files: notices.len(), passed_over }),
        }
    }
}

/// The files of a connection among what was announced.
pub(in crate::import) fn notices(connection: &InboundConnection, objects: &[Announced]) -> Vec<Notice> {
    let of = |object: &Announced| {
        let Announced::Created { bucket, file } = object else { return None };
        let is_wanted = bucket == connection.bucket.name.as_str() && connection.wants(&file.key);
        is_wanted.then(|| Notice {
            connection: connection.name.clone(),
            bucket: bucket.clone(),
            folder: connection.status_folder.clone(),
            file: file.clone(),
        })
    };
    objects.iter().filter_map(of).collect()
}

fn pinned(connection: &InboundConnection, topic: &str) -> Result<(), Refusal> {
    if connection.topic_arn.as_deref() == Some(topic) {
        return Ok(());
    }
    let found = topic.chars().take(SHOWN_CHARS).flat_map(char::escape_debug).collect();
    Err(Refusal::ForeignTopic { found })
}
