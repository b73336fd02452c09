//! A queue: messages are received, hidden for a while, and deleted or seen again.

use std::collections::BTreeMap;

use bucketproof_authz::{AccountId, Arn, Policy};
use bucketproof_clock::Entropy;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids;
use crate::state::MessageAttribute;

const VISIBILITY_SECS: i64 = 30;
const RETENTION_SECS: i64 = 345_600;
/// The characters of receipt handles.
const RECEIPT: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A standard queue.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Queue {
    pub(crate) name: String,
    pub(crate) arn: Arn,
    pub(crate) account: AccountId,
    pub(crate) region: String,
    pub(crate) policy: Option<Policy>,
    /// What was set, by the names of the interface: `VisibilityTimeout`, `RedrivePolicy`.
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
    /// In the order in which they came.
    messages: BTreeMap<u64, QueuedMessage>,
    next: u64,
}

/// What is sent to a queue.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent {
    pub(crate) body: String,
    pub(crate) attributes: BTreeMap<String, MessageAttribute>,
    /// The id of who sent it.
    pub(crate) sender: String,
    pub(crate) trace_header: Option<String>,
    /// Set if it is not that of the queue.
    pub(crate) delay_secs: Option<i64>,
}

/// A message in a queue.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct QueuedMessage {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) attributes: BTreeMap<String, MessageAttribute>,
    pub(crate) sender: String,
    pub(crate) trace_header: Option<String>,
    pub(crate) sent_at: Timestamp,
    pub(crate) visible_at: Timestamp,
    pub(crate) receive_count: u64,
    pub(crate) first_received_at: Option<Timestamp>,
    /// The receipts that were given out, which stay good (SQS API reference, DeleteMessage).
    receipts: Vec<String>,
}

impl QueuedMessage {
    /// The receipt of the last time it was received.
    pub(crate) fn receipt(&self) -> &str {
        self.receipts.last().map_or("", String::as_str)
    }
}

impl Queue {
    pub(crate) fn new(arn: Arn, account: AccountId, now: Timestamp) -> Self {
        Self {
            name: arn.resource().to_owned(),
            region: arn.region().to_owned(),
            arn,
            account,
            policy: None,
            attributes: BTreeMap::new(),
            tags: BTreeMap::new(),
            created_at: now,
            modified_at: now,
            messages: BTreeMap::new(),
            next: 0,
        }
    }

    /// An attribute that is a number, as it was set or as AWS begins with.
    pub(crate) fn number(&self, name: &str) -> i64 {
        let default = match name {
            "VisibilityTimeout" => VISIBILITY_SECS,
            "MessageRetentionPeriod" => RETENTION_SECS,
            "MaximumMessageSize" => 1_048_576,
            "KmsDataKeyReusePeriodSeconds" => 300,
            _ => 0,
        };
        self.attributes.get(name).and_then(|text| text.parse().ok()).unwrap_or(default)
    }

    /// Adds a message; returns its id.
    pub(crate) fn send(&mut self, sent: Sent, entropy: &Entropy, now: Timestamp) -> String {
        self.forget_old(now);
        let delay = sent.delay_secs.unwrap_or_else(|| self.number("DelaySeconds"));
        let id = ids::uuid(entropy);
        let message = QueuedMessage {
            id: id.clone(),
            body: sent.body,
            attributes: sent.attributes,
            sender: sent.sender,
            trace_header: sent.trace_header,
            sent_at: now,
            visible_at: later(now, delay),
            receive_count: 0,
            first_received_at: None,
            receipts: Vec::new(),
        };
        self.messages.insert(self.next, message);
        self.next += 1;
        id
    }

    /// Puts a message that came from another queue.
    pub(crate) fn take_over(&mut self, message: QueuedMessage, now: Timestamp) {
        let message = QueuedMessage { visible_at: now, receipts: Vec::new(), ..message };
        self.messages.insert(self.next, message);
        self.next += 1;
    }

    /// Whether a message could be received now.
    pub(crate) fn has_visible(&self, now: Timestamp) -> bool {
        let oldest = self.oldest(now);
        self.messages.values().any(|message| message.visible_at <= now && message.sent_at > oldest)
    }

    /// Receives up to `max` messages, which are then hidden for `visibility_secs`.
    pub(crate) fn receive(
        &mut self,
        max: usize,
        visibility_secs: i64,
        entropy: &Entropy,
        now: Timestamp,
    ) -> Vec<QueuedMessage> {
        self.forget_old(now);
        let visible = self.messages.values_mut().filter(|message| message.visible_at <= now);
        let received = visible.take(max).map(|message| {
            message.visible_at = later(now, visibility_secs);
            message.receive_count += 1;
            message.first_received_at.get_or_insert(now);
            message.receipts.push(format!("AQEB{}", entropy.text(RECEIPT, 92)));
            message.clone()
        });
        received.collect()
    }

    /// Takes the messages away that were received more than `max` times and are visible again.
    pub(crate) fn take_received_too_often(&mut self, max: u64, now: Timestamp) -> Vec<QueuedMessage> {
        let often = |message: &QueuedMessage| message.visible_at <= now && message.receive_count >= max;
        let numbers: Vec<u64> =
            self.messages.iter().filter(|(_, message)| often(message)).map(|(number, _)| *number).collect();
        numbers.iter().filter_map(|number| self.messages.remove(number)).collect()
    }

    /// Deletes the message of a receipt; answers whether the receipt is one of this queue, or of a message gone.
    pub(crate) fn delete(&mut self, receipt: &str) {
        self.messages.retain(|_, message| !message.receipts.iter().any(|own| own == receipt));
    }

    /// Hides the message of a receipt for another while; absent if it is not there, or not hidden.
    pub(crate) fn change_visibility(&mut self, receipt: &str, secs: i64, now: Timestamp) -> Option<()> {
        let found = self
            .messages
            .values_mut()
            .find(|message| message.receipts.iter().any(|own| own == receipt) && message.visible_at > now)?;
        found.visible_at = later(now, secs);
        Some(())
    }

    pub(crate) fn purge(&mut self) {
        self.messages.clear();
    }

    /// How many messages are visible, hidden after they were received, and delayed.
    pub(crate) fn counts(&self, now: Timestamp) -> (usize, usize, usize) {
        let oldest = self.oldest(now);
        let mut counts = (0, 0, 0);
        for message in self.messages.values().filter(|message| message.sent_at > oldest) {
            match (message.visible_at <= now, message.receive_count) {
                (true, _) => counts.0 += 1,
                (false, 0) => counts.2 += 1,
                (false, _) => counts.1 += 1,
            }
        }
        counts
    }

    fn oldest(&self, now: Timestamp) -> Timestamp {
        later(now, -self.number("MessageRetentionPeriod"))
    }

    fn forget_old(&mut self, now: Timestamp) {
        let oldest = self.oldest(now);
        self.messages.retain(|_, message| message.sent_at > oldest);
    }
}

fn later(now: Timestamp, secs: i64) -> Timestamp {
    now.saturating_add(SignedDuration::from_secs(secs)).unwrap_or(now)
}
