//! What is still to be delivered: events of buckets, notifications of topics.
//!
//! An errand stands here from the operation that caused it until it is done or given up, so that a data directory keeps
//! it too: nothing that was acknowledged is lost, and something may be delivered twice.

use std::collections::{BTreeMap, BTreeSet};

use bucketproof_authz::AccountId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Happening, Message};

/// The errands, by number.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Outbox {
    errands: BTreeMap<u64, Errand>,
    next: u64,
    /// The last number that events were put in order with.
    sequence: u64,
    /// Those that somebody is about to deliver; a new process begins with none.
    #[serde(skip)]
    taken: BTreeSet<u64>,
    /// Those that nobody has taken, the next one first.
    #[serde(skip)]
    waiting: BTreeSet<(Timestamp, u64)>,
    /// Those that faults have had their way with; whether they are to be shuffled when they are due.
    #[serde(skip)]
    met: BTreeMap<u64, bool>,
}

/// Something to deliver, not before an instant.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Errand {
    pub(crate) due: Timestamp,
    /// How often it was tried.
    pub(crate) attempts: u64,
    pub(crate) what: What,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) enum What {
    /// An event, or the test of a configuration, for a topic or a queue.
    Event { destination: String, bucket: String, owner: AccountId, body: String },
    /// Something that S3 does by itself at that time.
    Happening(Box<Happening>),
    /// A message for a subscriber.
    Notification { subscription: String, message: Box<Message> },
    /// The question whether a subscription is wanted.
    Confirmation(Confirmation),
}

/// A message that asks for a confirmation.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Confirmation {
    pub(crate) topic: String,
    pub(crate) subscription: String,
    pub(crate) endpoint: String,
    pub(crate) token: String,
    pub(crate) message_id: String,
    pub(crate) created_at: Timestamp,
    /// Set for a subscription that was ended, and can be brought back.
    pub(crate) is_farewell: bool,
}

impl Outbox {
    /// The errands of an earlier process: nobody has taken them.
    pub(crate) fn restored(mut self) -> Self {
        self.waiting = self.errands.iter().map(|(id, errand)| (errand.due, *id)).collect();
        self
    }

    pub(crate) fn add(&mut self, due: Timestamp, what: What) {
        self.errands.insert(self.next, Errand { due, attempts: 0, what });
        self.waiting.insert((due, self.next));
        self.next += 1;
    }

    /// Adds one that faults leave alone.
    pub(crate) fn add_unharmed(&mut self, due: Timestamp, what: What) {
        self.met.insert(self.next, false);
        self.add(due, what);
    }

    /// Puts an errand off that nobody has tried yet; faults leave it alone from now on.
    pub(crate) fn hold(&mut self, id: u64, due: Timestamp, to_be_shuffled: bool) {
        if let Some(errand) = self.errands.get_mut(&id) {
            errand.due = due;
            self.waiting.insert((due, id));
        }
        self.met.insert(id, to_be_shuffled);
        self.taken.remove(&id);
    }

    /// Whether faults have had their way with an errand, and then whether it is to be shuffled.
    pub(crate) fn met(&self, id: u64) -> Option<bool> {
        self.met.get(&id).copied()
    }

    /// Takes what is due, oldest first; nobody else gets it until it is returned.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<(u64, Errand)> {
        let mut due = Vec::new();
        while let Some(&(at, id)) = self.waiting.first()
            && at <= now
        {
            self.waiting.pop_first();
            if let Some(errand) = self.errands.get(&id) {
                self.taken.insert(id);
                due.push((id, errand.clone()));
            }
        }
        due
    }

    /// How many errands there are.
    pub(crate) fn len(&self) -> usize {
        self.errands.len()
    }

    /// All errands, those added first before others.
    pub(crate) fn errands(&self) -> impl Iterator<Item = &Errand> {
        self.errands.values()
    }

    /// When something is due next that nobody has taken.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.waiting.first().map(|(due, _)| *due)
    }

    /// Forgets an errand: it is done, or given up.
    pub(crate) fn finish(&mut self, id: u64) {
        self.errands.remove(&id);
        self.met.remove(&id);
        self.taken.remove(&id);
    }

    /// Returns an errand to be tried again.
    pub(crate) fn postpone(&mut self, id: u64, due: Timestamp) {
        if let Some(errand) = self.errands.get_mut(&id) {
            errand.due = due;
            errand.attempts += 1;
            self.waiting.insert((due, id));
        }
        self.taken.remove(&id);
    }

    /// The order of an event among all others, as AWS shows it: a text that grows.
    pub(crate) fn draw_sequencer(&mut self, now: Timestamp) -> String {
        let at = u64::try_from(now.as_microsecond()).unwrap_or_default();
        self.sequence = at.max(self.sequence + 1);
        format!("{:018X}", self.sequence)
    }
}
