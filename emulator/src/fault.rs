//! Faults: the ways in which a test makes the endpoint, or the wire, go wrong on purpose.
//!
//! A fault names an operation, may narrow it to a bucket and keys, and says when (`skip`, `times`) and what. It acts
//! until its [`FaultGuard`] is dropped, and the guard counts how often it did.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use parking_lot::Mutex;

use crate::error::AwsError;
use crate::exchange::Address;
use crate::operation::Op;
use crate::state::Content;

/// One way of going wrong; does nothing until it is given an effect and injected.
#[derive(Clone, Debug)]
pub struct Fault {
    op: Op,
    bucket: Option<String>,
    key_prefix: Option<String>,
    skip: u64,
    times: u64,
    before: Option<Before>,
    after: Option<After>,
}

/// What a fault does before the operation runs.
#[derive(Clone, Debug)]
pub(crate) enum Before {
    /// Answers with an error; the operation does not run.
    Refuse(AwsError),
    /// The operation runs as if the request had no such header.
    IgnoreHeader(String),
}

/// What a fault does to the answer.
#[derive(Clone, Debug)]
enum After {
    Status(StatusCode),
    Body(Bytes),
    CorruptBody,
    Header(HeaderName, HeaderValue),
    WithoutHeader(HeaderName),
    DropAnswer,
}

impl Fault {
    /// A fault of every request for `op`, without an effect yet.
    pub fn on(op: Op) -> Self {
        Self { op, bucket: None, key_prefix: None, skip: 0, times: u64::MAX, before: None, after: None }
    }

    /// Only requests for this bucket.
    pub fn bucket(mut self, name: impl Into<String>) -> Self {
        self.bucket = Some(name.into());
        self
    }

    /// Only requests for keys that begin with `prefix`.
    pub fn key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.key_prefix = Some(prefix.into());
        self
    }

    /// Lets the first `requests` matching requests pass.
    pub fn skip(mut self, requests: u64) -> Self {
        self.skip = requests;
        self
    }

    /// Acts on that many requests at most.
    pub fn times(mut self, requests: u64) -> Self {
        self.times = requests;
        self
    }

    /// Effect: answers with this error instead of doing anything.
    pub fn refuse(mut self, status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        self.before = Some(Before::Refuse(AwsError::new(status, code, message)));
        self
    }

    /// Effect: 503 `SlowDown`, as AWS throttles.
    pub fn slow_down(self) -> Self {
        self.refuse(StatusCode::SERVICE_UNAVAILABLE, "SlowDown", "Please reduce your request rate.")
    }

    /// Effect: acts as if the request did not carry this header.
    pub fn ignore_header(mut self, name: impl Into<String>) -> Self {
        self.before = Some(Before::IgnoreHeader(name.into().to_ascii_lowercase()));
        self
    }

    /// Effect: does as asked, then answers with this status.
    pub fn status(mut self, status: StatusCode) -> Self {
        self.after = Some(After::Status(status));
        self
    }

    /// Effect: does as asked, then answers with this body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.after = Some(After::Body(body.into()));
        self
    }

    /// Effect: flips one bit in the middle of the answer's body.
    pub fn corrupt_body(mut self) -> Self {
        self.after = Some(After::CorruptBody);
        self
    }

    /// Effect: answers with this header.
    ///
    /// # Panics
    /// If `name` is not in lower case, or one of the two is no text of a header.
    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.after = Some(After::Header(HeaderName::from_static(name), HeaderValue::from_static(value)));
        self
    }

    /// Effect: leaves this header out of the answer.
    ///
    /// # Panics
    /// If `name` is not in lower case.
    pub fn without_header(mut self, name: &'static str) -> Self {
        self.after = Some(After::WithoutHeader(HeaderName::from_static(name)));
        self
    }

    /// Effect: does as asked, then loses the answer; the client sees a broken connection.
    pub fn drop_answer(mut self) -> Self {
        self.after = Some(After::DropAnswer);
        self
    }

    fn covers(&self, op: Op, address: &Address) -> bool {
        let bucket = self.bucket.as_ref().is_none_or(|bucket| address.bucket.as_ref() == Some(bucket));
        let key = self
            .key_prefix
            .as_ref()
            .is_none_or(|prefix| address.key.as_ref().is_some_and(|key| key.starts_with(prefix)));
        self.op == op && bucket && key
    }
}

/// The fault in words, as the journal shows it.
impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: ", self.op)?;
        match (&self.before, &self.after) {
            (Some(Before::Refuse(error)), _) => {
                write!(f, "refused with {} {}", error.status.as_u16(), error.code)?;
            }
            (Some(Before::IgnoreHeader(name)), _) => write!(f, "the header `{name}` is ignored")?,
            (None, None) => f.write_str("nothing happens")?,
            (None, Some(_)) => {}
        }
        if self.before.is_some() && self.after.is_some() {
            f.write_str(", and ")?;
        }
        match &self.after {
            None => Ok(()),
            Some(After::Status(status)) => write!(f, "answered with status {}", status.as_u16()),
            Some(After::Body(_)) => f.write_str("answered with another body"),
            Some(After::CorruptBody) => f.write_str("one bit of the answer is flipped"),
            Some(After::Header(name, _)) => write!(f, "answered with another `{name}`"),
            Some(After::WithoutHeader(name)) => write!(f, "answered without `{name}`"),
            Some(After::DropAnswer) => f.write_str("the answer is lost"),
        }
    }
}

/// The request was carried out and a fault lost the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection was closed before an answer came")]
pub struct AnswerLost;

/// A fault that met its request.
#[derive(Clone, Debug)]
pub(crate) struct Matched {
    pub(crate) before: Option<Before>,
    after: Option<After>,
    pub(crate) description: String,
}

impl Matched {
    /// Spoils the answer.
    pub(crate) fn spoil(&self, mut response: Response<Content>) -> Response<Content> {
        match &self.after {
            None => {}
            Some(After::Status(status)) => *response.status_mut() = *status,
            Some(After::Body(body)) => {
                response.headers_mut().insert(http::header::CONTENT_LENGTH, body.len().into());
                *response.body_mut() = Content::from(body.clone());
            }
            Some(After::CorruptBody) => {
                let mut bytes = std::mem::take(response.body_mut()).into_bytes().to_vec();
                let middle = bytes.len() / 2;
                if let Some(byte) = bytes.get_mut(middle) {
                    *byte ^= 1;
                }
                *response.body_mut() = Content::from(Bytes::from(bytes));
            }
            Some(After::Header(name, value)) => {
                response.headers_mut().insert(name, value.clone());
            }
            Some(After::WithoutHeader(name)) => {
                response.headers_mut().remove(name);
            }
            Some(After::DropAnswer) => {
                response.extensions_mut().insert(AnswerLost);
            }
        }
        response
    }
}

/// The faults in force.
#[derive(Clone, Debug)]
pub(crate) struct Faults {
    active: Arc<Mutex<Vec<Arc<Active>>>>,
    seed: u64,
}

#[derive(Debug)]
struct Active {
    fault: Fault,
    met: AtomicU64,
    hits: AtomicU64,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self { active: Arc::default(), seed }
    }

    /// What chance is drawn from.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Ends all faults.
    pub(crate) fn reset(&self) {
        self.active.lock().clear();
    }

    pub(crate) fn inject(&self, fault: Fault) -> FaultGuard {
        let active = Arc::new(Active { fault, met: AtomicU64::new(0), hits: AtomicU64::new(0) });
        self.active.lock().push(Arc::clone(&active));
        FaultGuard { faults: self.clone(), active }
    }

    /// The faults that act on this request; each is counted.
    pub(crate) fn matching(&self, op: Op, address: &Address) -> Vec<Matched> {
        let active = self.active.lock();
        let acting = active.iter().filter(|active| active.fault.covers(op, address)).filter(|active| {
            let met = active.met.fetch_add(1, Ordering::Relaxed);
            let end = active.fault.skip.saturating_add(active.fault.times);
            let acts = (active.fault.skip..end).contains(&met);
            if acts {
                active.hits.fetch_add(1, Ordering::Relaxed);
            }
            acts
        });
        acting
            .map(|active| Matched {
                before: active.fault.before.clone(),
                after: active.fault.after.clone(),
                description: active.fault.to_string(),
            })
            .collect()
    }
}

/// Keeps a fault in force; dropping it ends the fault.
#[derive(Debug)]
#[must_use = "the fault ends when its guard is dropped"]
pub struct FaultGuard {
    faults: Faults,
    active: Arc<Active>,
}

impl FaultGuard {
    /// How many requests the fault has acted on.
    pub fn hits(&self) -> u64 {
        self.active.hits.load(Ordering::Relaxed)
    }
}

impl Drop for FaultGuard {
    fn drop(&mut self) {
        self.faults.active.lock().retain(|active| !Arc::ptr_eq(active, &self.active));
    }
}
