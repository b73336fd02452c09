//! The record of every request, also of those refused before anyone knew who sent them.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use bucketproof_authz::{Decision, Outcome};
use jiff::Timestamp;
use parking_lot::Mutex;
use serde::Serialize;

use crate::admin::Tally;
use crate::authorize::Decided;
use crate::operation::Op;

/// The oldest entries give way when this many are kept.
const ENTRIES_MAX: usize = 10_000;

/// One request and what became of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// The id that the client saw in `x-amz-request-id`.
    pub request_id: String,
    /// The emulator's clock when the request arrived.
    pub received_at: Timestamp,
    /// `s3`, `sts`, or the name of a service that was refused.
    pub service: String,
    /// Absent if the request was refused before it was decoded.
    pub operation: Option<Op>,
    /// The HTTP method.
    pub method: String,
    /// The path, percent-encoded as received; the query is left out because it may carry a signature.
    pub path: String,
    /// The bucket that the request names.
    pub bucket: Option<String>,
    /// The key that the request names.
    pub key: Option<String>,
    /// The ARN of the caller, or the name of an AWS service that acts by itself; absent for anonymous callers and failed
    /// authentication.
    pub principal: Option<String>,
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
}

/// An entry as the admin API shows it.
#[derive(Debug, Serialize)]
pub(crate) struct EntryView<'a> {
    request_id: &'a str,
    received_at: String,
    service: &'a str,
    operation: Option<String>,
    method: &'a str,
    path: &'a str,
    bucket: Option<&'a str>,
    key: Option<&'a str>,
    principal: Option<&'a str>,
    status: u16,
    code: Option<&'a str>,
    decisions: Vec<DecisionView<'a>>,
    faults: &'a [String],
    request_bytes: u64,
    response_bytes: u64,
}

/// A decision as the admin API shows it.
#[derive(Debug, Serialize)]
struct DecisionView<'a> {
    action: &'a str,
    resource: &'a str,
    outcome: Outcome,
    explanation: String,
}

impl Entry {
    pub(crate) fn view(&self) -> EntryView<'_> {
        EntryView {
            request_id: &self.request_id,
            received_at: self.received_at.to_string(),
            service: &self.service,
            operation: self.operation.map(|op| op.to_string()),
            method: &self.method,
            path: &self.path,
            bucket: self.bucket.as_deref(),
            key: self.key.as_deref(),
            principal: self.principal.as_deref(),
            status: self.status,
            code: self.code.as_deref(),
            decisions: self
                .decisions
                .iter()
                .map(|recorded| DecisionView {
                    action: &recorded.action,
                    resource: &recorded.resource,
                    outcome: recorded.decision.outcome(),
                    explanation: recorded.explain(),
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
            resource: decided.resource,
            decision: decided.decision,
        }));
    }
}

/// The entries of one emulator; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    entries: Arc<Mutex<VecDeque<Arc<Entry>>>>,
    tally: Arc<Mutex<Tally>>,
}

impl Journal {
    pub(crate) fn add(&self, entry: Entry) {
        self.tally.lock().count(&entry);
        let mut entries = self.entries.lock();
        if entries.len() == ENTRIES_MAX {
            entries.pop_front();
        }
        entries.push_back(Arc::new(entry));
    }

    /// Counts of all requests that ever were.
    pub(crate) fn tally(&self) -> Tally {
        self.tally.lock().clone()
    }

    /// The names of the services that anybody has asked something of.
    pub(crate) fn services_used(&self) -> BTreeSet<String> {
        self.tally.lock().services()
    }

    /// How many entries are kept.
    pub(crate) fn len(&self) -> usize {
        self.entries.lock().len()
    }

    /// All entries kept, oldest first.
    pub fn entries(&self) -> Vec<Arc<Entry>> {
        self.entries.lock().iter().cloned().collect()
    }

    /// The entry of a request.
    pub fn entry(&self, request_id: &str) -> Option<Arc<Entry>> {
        self.entries.lock().iter().rev().find(|entry| entry.request_id == request_id).cloned()
    }

    /// The decisions that refused something, oldest first.
    pub fn denied(&self) -> Vec<RecordedDecision> {
        let entries = self.entries();
        let decisions = entries.iter().flat_map(|entry| &entry.decisions);
        decisions.filter(|recorded| !recorded.decision.is_allowed()).cloned().collect()
    }

    /// Forgets all entries.
    pub fn clear(&self) {
        self.entries.lock().clear();
    }
}
