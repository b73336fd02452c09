//! The record of every request, also of those refused before anyone knew who sent them.

mod assertions;
mod decisions;
mod entry;
mod export;
mod har;
mod headers;
mod of_emulator;
mod pattern;
mod redacted;
mod requests;
mod why;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::admin::Tally;

pub use decisions::Decisions;
pub use entry::{Entry, RecordedDecision};
pub use headers::Headers;
pub use requests::Requests;

/// How many entries are kept if nothing else is said.
const ENTRIES_MAX: usize = 10_000;

/// The entries of one emulator; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    kept: Arc<Mutex<Kept>>,
    tally: Arc<Mutex<Tally>>,
}

#[derive(Debug)]
struct Kept {
    entries: VecDeque<Arc<Entry>>,
    /// The oldest entries give way when this many are kept.
    limit: usize,
    forgotten: u64,
}

impl Default for Kept {
    fn default() -> Self {
        Self { entries: VecDeque::new(), limit: ENTRIES_MAX, forgotten: 0 }
    }
}

impl Journal {
    pub(crate) fn with_limit(limit: usize) -> Self {
        let journal = Self::default();
        journal.kept.lock().limit = limit;
        journal
    }

    /// An empty one that keeps as many entries.
    pub(crate) fn anew(&self) -> Self {
        Self::with_limit(self.kept.lock().limit)
    }

    pub(crate) fn add(&self, entry: Entry) {
        self.tally.lock().count(&entry);
        let mut kept = self.kept.lock();
        while kept.entries.len() >= kept.limit.max(1) {
            kept.entries.pop_front();
            kept.forgotten += 1;
        }
        kept.entries.push_back(Arc::new(entry));
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
        self.kept.lock().entries.len()
    }

    /// All entries kept, oldest first.
    pub fn entries(&self) -> Vec<Arc<Entry>> {
        self.kept.lock().entries.iter().cloned().collect()
    }

    /// How many entries had to give way to later ones: see [`Builder::journal_limit`](crate::Builder::journal_limit).
    pub fn forgotten(&self) -> u64 {
        self.kept.lock().forgotten
    }

    /// The entry of a request.
    pub fn entry(&self, request_id: &str) -> Option<Arc<Entry>> {
        self.kept.lock().entries.iter().rev().find(|entry| entry.request_id == request_id).cloned()
    }

    /// The requests as they stand now, to be narrowed down, counted and asserted on.
    pub fn requests(&self) -> Requests {
        let kept = self.kept.lock();
        Requests::new(kept.entries.iter().cloned().collect(), kept.forgotten)
    }

    /// The decisions as they stand now, to be narrowed down and explained.
    pub fn decisions(&self) -> Decisions {
        self.requests().decisions()
    }

    /// The decisions that refused something, oldest first.
    pub fn denied(&self) -> Vec<RecordedDecision> {
        let entries = self.entries();
        let decisions = entries.iter().flat_map(|entry| &entry.decisions);
        decisions.filter(|recorded| recorded.is_denied()).cloned().collect()
    }

    /// Forgets all entries.
    pub fn clear(&self) {
        let mut kept = self.kept.lock();
        kept.entries.clear();
        kept.forgotten = 0;
    }
}
