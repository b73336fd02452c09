//! What was ever done, counted: the journal forgets, counts do not.

use std::collections::{BTreeMap, BTreeSet};

use bucketproof_authz::Outcome;

use crate::journal::Entry;
use crate::operation::Op;

/// Counts of requests since the emulator began; a reset leaves them, as counters only grow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// By service, operation and status.
    pub(super) requests: BTreeMap<(&'static str, Option<Op>, u16), u64>,
    /// By service and outcome.
    pub(super) decisions: BTreeMap<(&'static str, &'static str), u64>,
    pub(super) faults: u64,
    pub(super) request_bytes: u64,
    pub(super) response_bytes: u64,
}

impl Tally {
    pub(crate) fn count(&mut self, entry: &Entry) {
        let service = known_service(&entry.service);
        *self.requests.entry((service, entry.operation, entry.status)).or_default() += 1;
        for decided in &entry.decisions {
            let service = known_service(decided.action.split(':').next().unwrap_or_default());
            let outcome = match decided.decision.outcome() {
                Outcome::Allowed => "allowed",
                Outcome::ExplicitlyDenied => "explicitly_denied",
                Outcome::ImplicitlyDenied => "implicitly_denied",
            };
            *self.decisions.entry((service, outcome)).or_default() += 1;
        }
        self.faults += entry.faults.len() as u64;
        self.request_bytes += entry.request_bytes;
        self.response_bytes += entry.response_bytes;
    }

    /// The services that anybody has asked something of.
    pub(crate) fn services(&self) -> BTreeSet<String> {
        self.requests.keys().map(|(service, ..)| (*service).to_owned()).collect()
    }
}

/// A caller can make up the names of services; they must not become time series without end.
fn known_service(name: &str) -> &'static str {
    let known = ["s3", "sts", "iam", "kms", "sns", "sqs"];
    known.into_iter().find(|known| known.eq_ignore_ascii_case(name)).unwrap_or("other")
}
