//! What a fault does.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use jiff::SignedDuration;

use crate::error::AwsError;
use crate::state::Content;
use crate::wire_body::WireFault;

/// One effect of a fault.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// Answers with an error; the operation does not run.
    Refuse(AwsError),
    /// The operation runs as if the request had no such header.
    IgnoreHeader(String),
    ExpireToken,
    Throttle {
        requests: u64,
        period: SignedDuration,
    },
    FailKeys {
        prefix: String,
    },
    ClockSkew(SignedDuration),
    Delay(Duration),
    Status(StatusCode),
    Body(Bytes),
    CorruptBody,
    Header(HeaderName, HeaderValue),
    WithoutHeader(HeaderName),
    DropAnswer,
    Truncate(u64),
    Wire(WireFault),
    /// On the way of an event to its receiver; no request sees it.
    Delivery(Astray),
}

/// What becomes of an event or a notification on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Astray {
    /// It never arrives.
    Lost,
    /// It arrives twice.
    Twice,
    /// It arrives that much later.
    Late(SignedDuration),
    /// It waits for others, up to the end of such a span of time, and what waited arrives in another order.
    Shuffled(SignedDuration),
}

/// The request was carried out and a fault lost the answer, or the rest of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection was closed before an answer came")]
pub struct AnswerLost;

impl Effect {
    /// Spoils the answer.
    pub(super) fn spoil(&self, response: &mut Response<Content>) {
        match self {
            Self::Status(status) => *response.status_mut() = *status,
            Self::Body(body) => replace(response, Content::from(body.clone())),
            Self::CorruptBody => {
                let mut bytes = std::mem::take(response.body_mut()).into_bytes().to_vec();
                let middle = bytes.len() / 2;
                if let Some(byte) = bytes.get_mut(middle) {
                    *byte ^= 1;
                }
                *response.body_mut() = Content::from(Bytes::from(bytes));
            }
            Self::Truncate(bytes) => {
                let shorter = response.body().slice(0..*bytes);
                if shorter.len() < response.body().len() {
                    replace(response, shorter);
                }
            }
            Self::Header(name, value) => {
                response.headers_mut().insert(name, value.clone());
            }
            Self::WithoutHeader(name) => {
                response.headers_mut().remove(name);
            }
            Self::DropAnswer => {
                response.extensions_mut().insert(AnswerLost);
            }
            Self::Wire(fault) => {
                response.extensions_mut().insert(*fault);
            }
            Self::Refuse(_)
            | Self::IgnoreHeader(_)
            | Self::ExpireToken
            | Self::Throttle { .. }
            | Self::FailKeys { .. }
            | Self::ClockSkew(_)
            | Self::Delay(_)
            | Self::Delivery(_) => {}
        }
    }
}

fn replace(response: &mut Response<Content>, content: Content) {
    response.headers_mut().insert(http::header::CONTENT_LENGTH, content.len().into());
    *response.body_mut() = content;
}

/// The effect in words.
impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refuse(error) => write!(f, "refused with {} {}", error.status.as_u16(), error.code),
            Self::IgnoreHeader(name) => write!(f, "the header `{name}` is ignored"),
            Self::ExpireToken => f.write_str("the session has expired"),
            Self::Throttle { requests, period } => {
                write!(f, "throttled beyond {requests} requests in {} s per prefix", period.as_secs_f64())
            }
            Self::FailKeys { prefix } => write!(f, "keys that begin with `{prefix}` fail"),
            Self::ClockSkew(skew) => write!(f, "the server's clock is off by {} s", skew.as_secs()),
            Self::Delay(length) => write!(f, "delayed by {} s", length.as_secs_f64()),
            Self::Status(status) => write!(f, "answered with status {}", status.as_u16()),
            Self::Body(_) => f.write_str("answered with another body"),
            Self::CorruptBody => f.write_str("one bit of the answer is flipped"),
            Self::Header(name, _) => write!(f, "answered with another `{name}`"),
            Self::WithoutHeader(name) => write!(f, "answered without `{name}`"),
            Self::DropAnswer => f.write_str("the answer is lost"),
            Self::Truncate(bytes) => write!(f, "the answer is cut to {bytes} bytes"),
            Self::Delivery(Astray::Lost) => f.write_str("events are lost"),
            Self::Delivery(Astray::Twice) => f.write_str("events arrive twice"),
            Self::Delivery(Astray::Late(length)) => {
                write!(f, "events arrive {} s later", length.as_secs_f64())
            }
            Self::Delivery(Astray::Shuffled(window)) if window.is_zero() => {
                f.write_str("events arrive in another order")
            }
            Self::Delivery(Astray::Shuffled(window)) => {
                write!(f, "the events of each {} s arrive in another order", window.as_secs_f64())
            }
            Self::Wire(WireFault::Reset(bytes)) => write!(f, "the connection breaks after {bytes} bytes"),
            Self::Wire(WireFault::Stall(bytes)) => write!(f, "the answer stalls after {bytes} bytes"),
        }
    }
}
