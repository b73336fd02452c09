//! SQS queues and the messages in them.

mod queue;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bucketproof_authz::Policy;
use serde::{Deserialize, Serialize};

pub(crate) use queue::{Queue, QueuedMessage, Sent};

/// All queues of all accounts and regions.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Queues {
    by_arn: BTreeMap<String, Queue>,
}

impl Queues {
    pub(crate) fn insert(&mut self, queue: Queue) {
        self.by_arn.insert(queue.arn.as_str().to_owned(), queue);
    }

    pub(crate) fn get(&self, arn: &str) -> Option<&Queue> {
        self.by_arn.get(arn)
    }

    pub(crate) fn get_mut(&mut self, arn: &str) -> Option<&mut Queue> {
        self.by_arn.get_mut(arn)
    }

    pub(crate) fn remove(&mut self, arn: &str) {
        self.by_arn.remove(arn);
    }

    /// In the order of their ARNs.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Queue> {
        self.by_arn.values()
    }

    pub(crate) fn policy_of(&self, arn: &str) -> Option<Policy> {
        self.get(arn)?.policy.clone()
    }
}
