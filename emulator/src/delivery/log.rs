//! What became of deliveries, for people who look.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use serde::Serialize;

/// The oldest give way when this many are kept.
const KEPT_MAX: usize = 1000;

/// How one try to deliver ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeliveryOutcome {
    /// The receiver has it.
    Delivered,
    /// The receiver's policy does not let the service in.
    Refused,
    /// There is no such receiver.
    NoReceiver,
    /// The receiver did not take it; it is tried again.
    Postponed,
    /// The receiver did not take it, and it is given up.
    Failed,
    /// A fault lost it on the way.
    Lost,
}

impl DeliveryOutcome {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::NoReceiver => "no_receiver",
            Self::Postponed => "postponed",
            Self::Failed => "failed",
            Self::Lost => "lost",
        }
    }
}

/// One try.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Delivery {
    #[serde(serialize_with = "as_text")]
    pub(crate) at: Timestamp,
    /// `event`, `notification` or `confirmation`.
    pub(crate) kind: &'static str,
    /// The bucket or topic that it comes from.
    pub(crate) from: String,
    /// The topic, queue or URL that it goes to.
    pub(crate) to: String,
    pub(crate) outcome: DeliveryOutcome,
    /// Counted from 1.
    pub(crate) attempt: u64,
    /// The status that a receiver answered, or why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) answer: Option<String>,
}

fn as_text<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

/// The last deliveries, and the number of all; clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deliveries {
    inner: Arc<Mutex<Log>>,
}

#[derive(Debug, Default)]
struct Log {
    kept: VecDeque<Delivery>,
    counts: BTreeMap<DeliveryOutcome, u64>,
}

impl Deliveries {
    pub(crate) fn note(&self, delivery: Delivery) {
        let mut log = self.inner.lock();
        *log.counts.entry(delivery.outcome).or_default() += 1;
        if log.kept.len() == KEPT_MAX {
            log.kept.pop_front();
        }
        log.kept.push_back(delivery);
    }

    /// Those kept, oldest first.
    pub(crate) fn list(&self) -> Vec<Delivery> {
        self.inner.lock().kept.iter().cloned().collect()
    }

    /// How many ended how, since the emulator began.
    pub(crate) fn counts(&self) -> Vec<(&'static str, u64)> {
        self.inner.lock().counts.iter().map(|(outcome, count)| (outcome.name(), *count)).collect()
    }

    /// Forgets those kept; the counts stay.
    pub(crate) fn clear(&self) {
        self.inner.lock().kept.clear();
    }
}
