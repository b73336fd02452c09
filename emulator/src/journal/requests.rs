//! Requests, narrowed down and counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::pattern::matches;
use super::{Decisions, Entry};
use crate::operation::Op;

/// Requests of a journal at one moment, oldest first. Each method that takes it narrows it down.
///
/// ```
/// # use bucketproof_emulator::{Emulator, Fault, Op};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let emulator = Emulator::builder().start().await?;
/// let s3 = emulator.s3("administrator");
/// s3.create_bucket().bucket("logs").send().await.unwrap();
/// let _fault = emulator.inject(Fault::on(Op::PutObject).times(1).slow_down());
/// s3.put_object().bucket("logs").key("a").send().await.expect("the SDK tries again");
///
/// let puts = emulator.requests().op(Op::PutObject);
/// puts.assert_count(2);
/// assert_eq!(puts.first().unwrap().code.as_deref(), Some("SlowDown"));
/// assert_eq!(puts.last().unwrap().attempt, Some(2));
/// assert_eq!(emulator.requests().counts()[&Op::CreateBucket], 1);
/// # Ok::<(), bucketproof_emulator::StartError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Requests {
    entries: Vec<Arc<Entry>>,
    forgotten: u64,
}

impl Requests {
    pub(super) fn new(entries: Vec<Arc<Entry>>, forgotten: u64) -> Self {
        Self { entries, forgotten }
    }

    fn only(mut self, keep: impl Fn(&Entry) -> bool) -> Self {
        self.entries.retain(|entry| keep(entry));
        self
    }

    /// Only those for an operation.
    #[must_use]
    pub fn op(self, op: Op) -> Self {
        self.only(|entry| entry.operation == Some(op))
    }

    /// Only those to a service: `s3`, `kms`.
    #[must_use]
    pub fn service(self, name: &str) -> Self {
        self.only(|entry| entry.service == name)
    }

    /// Only those that name a bucket.
    #[must_use]
    pub fn bucket(self, name: &str) -> Self {
        self.only(|entry| entry.bucket.as_deref() == Some(name))
    }

    /// Only those for keys that begin with `prefix`.
    #[must_use]
    pub fn key_prefix(self, prefix: &str) -> Self {
        self.only(|entry| entry.key.as_ref().is_some_and(|key| key.starts_with(prefix)))
    }

    /// Only those of a caller, by ARN; `*` stands for any text.
    #[must_use]
    pub fn by(self, principal: &str) -> Self {
        self.only(|entry| entry.principal.as_ref().is_some_and(|arn| matches(principal, arn)))
    }

    /// Only those that were answered with an error code.
    #[must_use]
    pub fn code(self, code: &str) -> Self {
        self.only(|entry| entry.code.as_deref() == Some(code))
    }

    /// Only those that were answered with an error.
    #[must_use]
    pub fn refused(self) -> Self {
        self.only(|entry| entry.status >= 400)
    }

    /// Only those that were refused before anything was decided: wrong signatures, unknown keys, malformed requests.
    #[must_use]
    pub fn refused_undecided(self) -> Self {
        self.only(Entry::is_refused_undecided)
    }

    /// Only those that somebody may not make: denied, or by a caller who was not recognised.
    #[must_use]
    pub fn denied(self) -> Self {
        self.only(Entry::is_denied)
    }

    /// Only those that a fault acted on.
    #[must_use]
    pub fn with_faults(self) -> Self {
        self.only(|entry| !entry.faults.is_empty())
    }

    /// Their decisions.
    pub fn decisions(&self) -> Decisions {
        Decisions::of(self.entries.iter().map(AsRef::as_ref))
    }

    /// How many there are of each operation; those that were refused before it was known are in no count.
    pub fn counts(&self) -> BTreeMap<Op, usize> {
        let mut counts = BTreeMap::new();
        for op in self.entries.iter().filter_map(|entry| entry.operation) {
            *counts.entry(op).or_default() += 1;
        }
        counts
    }

    /// The bytes of all bodies received, and of all bodies answered.
    pub fn bytes(&self) -> (u64, u64) {
        self.entries.iter().fold((0, 0), |(received, answered), entry| {
            (received + entry.request_bytes, answered + entry.response_bytes)
        })
    }

    /// The newest.
    pub fn last(&self) -> Option<&Arc<Entry>> {
        self.entries.last()
    }

    /// The oldest.
    pub fn first(&self) -> Option<&Arc<Entry>> {
        self.entries.first()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Oldest first.
    pub fn iter(&self) -> std::slice::Iter<'_, Arc<Entry>> {
        self.entries.iter()
    }

    /// How many entries of the journal had given way before this was taken.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

impl<'a> IntoIterator for &'a Requests {
    type Item = &'a Arc<Entry>;
    type IntoIter = std::slice::Iter<'a, Arc<Entry>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for Requests {
    type Item = Arc<Entry>;
    type IntoIter = std::vec::IntoIter<Arc<Entry>>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}
