//! Faults: the ways in which a test makes the endpoint, or the wire, go wrong on purpose.
//!
//! A fault may name an operation, a bucket, keys and a principal; it says when (`skip`, `times`, `every`,
//! `probability`) and what. It acts until its [`FaultGuard`] is dropped, and the guard counts how often it did.

mod active;
mod document;
mod effect;
mod parcel;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use jiff::SignedDuration;

use crate::error::AwsError;
use crate::exchange::Address;
use crate::operation::Op;
use crate::wire_body::WireFault;

pub use active::FaultGuard;
pub(crate) use active::{Faults, Matched};
pub(crate) use document::FaultDocument;
pub use effect::AnswerLost;
pub(crate) use effect::{Astray, Effect};
pub(crate) use parcel::Parcel;

/// One way of going wrong; does nothing until it is given an effect and injected.
#[derive(Clone, Debug)]
pub struct Fault {
    name: Option<String>,
    op: Option<Op>,
    bucket: Option<String>,
    key_prefix: Option<String>,
    principal: Option<String>,
    destination: Option<String>,
    skip: u64,
    times: u64,
    every: u64,
    probability: Option<f64>,
    effects: Vec<Effect>,
}

impl Fault {
    /// A fault of every request for `op`, without an effect yet.
    pub fn on(op: Op) -> Self {
        Self { op: Some(op), ..Self::on_any() }
    }

    /// A fault of every request, whatever it is for, without an effect yet.
    pub fn on_any() -> Self {
        Self {
            name: None,
            op: None,
            bucket: None,
            key_prefix: None,
            principal: None,
            destination: None,
            skip: 0,
            times: u64::MAX,
            every: 1,
            probability: None,
            effects: Vec::new(),
        }
    }

    /// A fault of the events that buckets send to topics and queues, without an effect yet: for
    /// [`lose_event`](Self::lose_event), [`duplicate_event`](Self::duplicate_event), [`delay_event`](Self::delay_event)
    /// and [`reorder_events`](Self::reorder_events). It acts on nothing else.
    ///
    /// The test message of a configuration always arrives.
    pub fn on_events() -> Self {
        Self::on_any()
    }

    /// A name to find it by.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
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

    /// Only requests of this ARN; a `*` at its end stands for any rest.
    pub fn principal(mut self, arn: impl Into<String>) -> Self {
        self.principal = Some(arn.into());
        self
    }

    /// Only what goes there: the ARN of a topic or queue, or the URL of a subscriber. With it the fault also acts on the
    /// messages of topics to their subscribers, which have no bucket and key unless they tell of one.
    pub fn destination(mut self, receiver: impl Into<String>) -> Self {
        self.destination = Some(receiver.into());
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

    /// Acts on each `requests`-th matching request only; 0 is taken for 1.
    pub fn every(mut self, requests: u64) -> Self {
        self.every = requests.max(1);
        self
    }

    /// Acts with this chance, from 0 to 1; with a seed the same requests are hit in every run.
    pub fn probability(mut self, chance: f64) -> Self {
        self.probability = Some(chance.clamp(0.0, 1.0));
        self
    }

    fn with(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }

    /// Effect: answers with this error instead of doing anything.
    pub fn refuse(self, status: StatusCode, code: impl Into<String>, message: impl Into<String>) -> Self {
        self.with(Effect::Refuse(AwsError::new(status, code.into(), message)))
    }

    /// Effect: 503 `SlowDown`, as AWS throttles.
    pub fn slow_down(self) -> Self {
        self.with(Effect::Refuse(slow_down()))
    }

    /// Effect: an error in an answer of status 200, as `CompleteMultipartUpload`, `CopyObject` and `UploadPartCopy` give
    /// it when they fail after they began to answer; nothing is done.
    pub fn error_in_200(self, code: impl Into<String>, message: impl Into<String>) -> Self {
        self.refuse(StatusCode::OK, code, message)
    }

    /// Effect: acts as if the request did not carry this header.
    pub fn ignore_header(self, name: impl Into<String>) -> Self {
        self.with(Effect::IgnoreHeader(name.into().to_ascii_lowercase()))
    }

    /// Effect: the credentials of a session have expired; requests without a session are left alone.
    pub fn expire_token(self) -> Self {
        self.with(Effect::ExpireToken)
    }

    /// Effect: `SlowDown` for what exceeds that many requests in `period` of the emulator's clock, counted apart for
    /// each prefix: the bucket, and the key up to its last slash. [`FaultGuard::hits`] counts the refusals.
    pub fn throttle(self, requests: u64, period: Duration) -> Self {
        self.with(Effect::Throttle { requests, period: signed(period) })
    }

    /// Effect: of the keys of a `DeleteObjects` those that begin with `prefix` are not deleted, and said to have failed
    /// with `InternalError`.
    pub fn fail_keys(self, prefix: impl Into<String>) -> Self {
        self.with(Effect::FailKeys { prefix: prefix.into() })
    }

    /// Effect: answers as S3 does when the KMS key of an object is disabled.
    pub fn disabled_kms_key(self, arn: &str) -> Self {
        self.refuse(StatusCode::BAD_REQUEST, "KMS.DisabledException", format!("{arn} is disabled."))
    }

    /// Effect: the server's clock is ahead by `seconds`, or behind, when it looks at the signature. This comes before
    /// operation and principal are known, so a fault that names one never does this.
    pub fn clock_skew(self, seconds: i64) -> Self {
        self.with(Effect::ClockSkew(SignedDuration::from_secs(seconds)))
    }

    /// Effect: does as asked, then waits on the emulator's clock before it answers.
    pub fn delay(self, length: Duration) -> Self {
        self.with(Effect::Delay(length))
    }

    /// Effect: does as asked, then answers with this status.
    pub fn status(self, status: StatusCode) -> Self {
        self.with(Effect::Status(status))
    }

    /// Effect: does as asked, then answers with this body.
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        self.with(Effect::Body(body.into()))
    }

    /// Effect: flips one bit in the middle of the answer's body.
    pub fn corrupt_body(self) -> Self {
        self.with(Effect::CorruptBody)
    }

    /// Effect: answers with this header.
    ///
    /// # Panics
    /// If `name` is not in lower case, or one of the two is no text of a header.
    pub fn header(self, name: &'static str, value: &'static str) -> Self {
        self.with(Effect::Header(HeaderName::from_static(name), HeaderValue::from_static(value)))
    }

    /// Effect: leaves this header out of the answer.
    ///
    /// # Panics
    /// If `name` is not in lower case.
    pub fn without_header(self, name: &'static str) -> Self {
        self.with(Effect::WithoutHeader(HeaderName::from_static(name)))
    }

    /// Effect: does as asked, then loses the answer; the client sees a broken connection.
    pub fn drop_answer(self) -> Self {
        self.with(Effect::DropAnswer)
    }

    /// Effect: does as asked, then breaks the connection after that many bytes of the answer's body.
    pub fn reset_after(self, bytes: u64) -> Self {
        self.with(Effect::Wire(WireFault::Reset(bytes)))
    }

    /// Effect: does as asked, then sends nothing more after that many bytes of the answer's body.
    pub fn stall_after(self, bytes: u64) -> Self {
        self.with(Effect::Wire(WireFault::Stall(bytes)))
    }

    /// Effect: cuts the answer's body to that many bytes, and says so in `Content-Length`: only a digest tells.
    pub fn truncate(self, bytes: u64) -> Self {
        self.with(Effect::Truncate(bytes))
    }

    /// Which requests it is for beside its operation, and when it acts, in words.
    fn limits(&self) -> String {
        let mut limits = Vec::new();
        let texts =
            [("bucket", &self.bucket), ("key_prefix", &self.key_prefix), ("principal", &self.principal)];
        limits.extend(texts.iter().filter_map(|(name, text)| Some(format!("{name} `{}`", text.as_ref()?))));
        if self.skip > 0 {
            limits.push(format!("skip {}", self.skip));
        }
        if self.every > 1 {
            limits.push(format!("every {}", self.every));
        }
        limits.extend(self.probability.map(|chance| format!("probability {chance}")));
        limits.join(", ")
    }

    /// Effect: the event never arrives.
    pub fn lose_event(self) -> Self {
        self.with(Effect::Delivery(Astray::Lost))
    }

    /// Effect: the event arrives twice, with the same sequencer.
    pub fn duplicate_event(self) -> Self {
        self.with(Effect::Delivery(Astray::Twice))
    }

    /// Effect: the event arrives that much later on the emulator's clock, behind those that came meanwhile.
    pub fn delay_event(self, length: Duration) -> Self {
        self.with(Effect::Delivery(Astray::Late(signed(length))))
    }

    /// Effect: what waits to be delivered arrives in another order, which the seed draws. Events wait for others up to the
    /// end of the present `window` of the emulator's clock; with an empty one, those that are due together are shuffled.
    pub fn reorder_events(self, window: Duration) -> Self {
        self.with(Effect::Delivery(Astray::Shuffled(signed(window))))
    }

    /// Whether it acts on events instead of requests.
    fn is_of_events(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect, Effect::Delivery(_)))
    }

    /// Whether it acts before anybody knows what the request is for.
    fn is_early(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect, Effect::ClockSkew(_)))
    }

    fn covers(&self, op: Option<Op>, address: &Address, principal: Option<&str>) -> bool {
        let bucket = self.bucket.as_ref().is_none_or(|bucket| address.bucket.as_ref() == Some(bucket));
        let key = self
            .key_prefix
            .as_ref()
            .is_none_or(|prefix| address.key.as_ref().is_some_and(|key| key.starts_with(prefix)));
        let by = self.principal.as_deref().is_none_or(|pattern| {
            principal.is_some_and(|arn| match pattern.strip_suffix('*') {
                Some(start) => arn.starts_with(start),
                None => arn == pattern,
            })
        });
        self.op.is_none_or(|own| op == Some(own)) && bucket && key && by
    }
}

fn signed(length: Duration) -> SignedDuration {
    SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX)
}

pub(crate) fn slow_down() -> AwsError {
    AwsError::new(StatusCode::SERVICE_UNAVAILABLE, "SlowDown", "Please reduce your request rate.")
}

/// The fault in words, as the journal shows it.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.op {
            Some(op) => write!(f, "{op}: ")?,
            None if self.is_of_events() => {}
            None => f.write_str("any operation: ")?,
        }
        if self.effects.is_empty() {
            f.write_str("nothing happens")?;
        }
        for (index, effect) in self.effects.iter().enumerate() {
            if index > 0 {
                f.write_str(", and ")?;
            }
            write!(f, "{effect}")?;
        }
        Ok(())
    }
}
