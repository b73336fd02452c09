//! One request and what became of it.

use bucketproof_authz::Decision;
use bucketproof_authz::evaluate::question_of;
use http::HeaderMap;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{Headers, redacted};
use crate::authorize::Decided;
use crate::head::Head;
use crate::operation::Op;

/// One request and what became of it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Entry {
    /// The id that the client saw in `x-amz-request-id`, and of every service in `x-bucketproof-trace`.
    pub request_id: String,
    /// The emulator's clock when the request arrived.
    pub received_at: Timestamp,
    /// The emulator's clock when the answer left.
    pub answered_at: Timestamp,
    /// `s3`, `sts`, or the name of a service that was refused.
    pub service: String,
    /// Absent if the request was refused before it was decoded.
    pub operation: Option<Op>,
    /// The HTTP method.
    pub method: String,
    /// The host that was asked; empty for what a service of the emulator did by itself.
    pub host: String,
    /// The path, percent-encoded as received.
    pub path: String,
    /// The query, percent-encoded as received, without signatures and tokens.
    pub query: String,
    /// The bucket that the request names.
    pub bucket: Option<String>,
    /// The key that the request names.
    pub key: Option<String>,
    /// The ARN of the caller, or the name of an AWS service that acts by itself; absent for anonymous callers and failed
    /// authentication.
    pub principal: Option<String>,
    /// Which attempt of its client this is, counted from 1; AWS's SDKs say so.
    pub attempt: Option<u32>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The error code of the answer.
    pub code: Option<String>,
    /// Every decision made, in order.
    pub decisions: Vec<RecordedDecision>,
    /// The faults that acted on this request, in words.
    pub faults: Vec<String>,
    /// The length of the body received, framing included.
    pub request_bytes: u64,
    /// The length of the body answered.
    pub response_bytes: u64,
    /// The headers received, without secrets.
    pub request_headers: Headers,
    /// The headers answered, without secrets.
    pub response_headers: Headers,
}

/// One requirement of a request with its decision.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordedDecision {
    /// The request that it was made for.
    pub request_id: String,
    /// When.
    pub decided_at: Timestamp,
    /// `s3:PutObject`.
    pub action: String,
    /// The ARN, or `*`.
    pub resource: String,
    /// The decision with its trace.
    pub decision: Decision,
}

impl RecordedDecision {
    /// The trace as text.
    pub fn explain(&self) -> String {
        let time = self.decided_at.to_string();
        self.decision.explain_as(Some(&self.request_id), Some(&time)).to_string()
    }

    /// Whether it refused the request.
    pub fn is_denied(&self) -> bool {
        !self.decision.is_allowed()
    }
}

/// An entry as the admin API and exports show it.
#[derive(Debug, Serialize)]
pub(crate) struct EntryView<'a> {
    request_id: &'a str,
    received_at: String,
    answered_at: String,
    service: &'a str,
    operation: Option<String>,
    method: &'a str,
    path: &'a str,
    bucket: Option<&'a str>,
    key: Option<&'a str>,
    principal: Option<&'a str>,
    attempt: Option<u32>,
    status: u16,
    code: Option<&'a str>,
    decisions: Vec<DecisionView<'a>>,
    faults: &'a [String],
    request_bytes: u64,
    response_bytes: u64,
}

/// A decision as the admin API and exports show it.
#[derive(Debug, Serialize)]
struct DecisionView<'a> {
    action: &'a str,
    resource: &'a str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    question: Option<Value>,
}

/// What is said of each decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    /// Its trace as text.
    Explained,
    /// All that it takes to decide again.
    Repeatable,
}

impl Entry {
    /// A request as it came in.
    pub(crate) fn received(head: &Head, now: Timestamp) -> Self {
        let attempt = head.header("amz-sdk-request").and_then(|text| {
            text.split(';').find_map(|part| part.trim().strip_prefix("attempt="))?.parse().ok()
        });
        Self {
            received_at: now,
            answered_at: now,
            method: head.method.to_string(),
            host: head.host().to_owned(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().map(redacted::query).unwrap_or_default(),
            attempt,
            request_headers: redacted::headers(&head.headers),
            ..Self::default()
        }
    }

    pub(crate) fn note_answer(&mut self, headers: &HeaderMap) {
        self.response_headers = redacted::headers(headers);
    }

    /// Whether it was refused before anything was decided: authentication failed, or it could not be read.
    pub fn is_refused_undecided(&self) -> bool {
        self.status >= 400 && self.decisions.is_empty()
    }

    /// Whether somebody may not do what was asked for: a decision denied it, or the caller was not recognised.
    pub fn is_denied(&self) -> bool {
        let unknown = self.is_refused_undecided() && matches!(self.status, 401 | 403);
        unknown || self.decisions.iter().any(RecordedDecision::is_denied)
    }

    /// The entry in one line, for people.
    pub fn summary(&self) -> String {
        let what = self.operation.map_or_else(|| "a request".to_owned(), |op| op.to_string());
        let by = self.principal.as_deref().unwrap_or("nobody known");
        let code = self.code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
        let attempt = self.attempt.filter(|attempt| *attempt > 1);
        let attempt = attempt.map(|attempt| format!(", attempt {attempt}")).unwrap_or_default();
        let faults = if self.faults.is_empty() {
            String::new()
        } else {
            format!(", under the fault `{}`", self.faults.join("`, `"))
        };
        let undecided = if self.is_refused_undecided() { " before anything was decided" } else { "" };
        let Self { request_id, method, path, status, .. } = self;
        format!(
            "request {request_id}: {what} ({method} {path}) by {by}{attempt} was answered {status}{code}{undecided}{faults}"
        )
    }

    /// The entry with the traces of its decisions as text.
    pub(crate) fn view(&self) -> EntryView<'_> {
        self.viewed(Detail::Explained)
    }

    /// The entry with all that it takes to decide again.
    pub(crate) fn repeatable(&self) -> EntryView<'_> {
        self.viewed(Detail::Repeatable)
    }

    fn viewed(&self, detail: Detail) -> EntryView<'_> {
        EntryView {
            request_id: &self.request_id,
            received_at: self.received_at.to_string(),
            answered_at: self.answered_at.to_string(),
            service: &self.service,
            operation: self.operation.map(|op| op.to_string()),
            method: &self.method,
            path: &self.path,
            bucket: self.bucket.as_deref(),
            key: self.key.as_deref(),
            principal: self.principal.as_deref(),
            attempt: self.attempt,
            status: self.status,
            code: self.code.as_deref(),
            decisions: self
                .decisions
                .iter()
                .map(|recorded| DecisionView {
                    action: &recorded.action,
                    resource: &recorded.resource,
                    outcome: recorded.decision.outcome().as_str(),
                    explanation: (detail == Detail::Explained || recorded.is_denied())
                        .then(|| recorded.explain()),
                    question: (detail == Detail::Repeatable).then(|| question(&recorded.decision)),
                })
                .collect(),
            faults: &self.faults,
            request_bytes: self.request_bytes,
            response_bytes: self.response_bytes,
        }
    }

    pub(crate) fn record(&mut self, decided: Vec<Decided>, now: Timestamp) {
        self.decisions.extend(decided.into_iter().map(|decided| RecordedDecision {
            request_id: self.request_id.clone(),
            decided_at: now,
            action: decided.action.to_owned(),
            resource: decided.decision.request().resource.arn.clone(),
            decision: decided.decision,
        }));
    }
}

/// All that it takes to decide again; the page that a browser came from is told without signatures.
fn question(decision: &Decision) -> Value {
    let mut question = question_of(decision);
    if let Some(Value::String(referer)) = question.pointer_mut("/request/context/aws:Referer") {
        *referer = redacted::url(referer).into_owned();
    }
    question
}
