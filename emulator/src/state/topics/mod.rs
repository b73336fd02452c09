//! SNS topics and their subscriptions.

mod filter;
mod message;
mod retry;
mod subscription;
mod topic;

use std::collections::BTreeMap;

use bucketproof_authz::{AccountId, Policy};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::World;

pub(crate) use filter::{FilterError, FilterPolicy, FilterScope, syntax};
pub(crate) use message::{Message, MessageAttribute};
pub(crate) use retry::{RequestPolicy, RetryPolicy};
pub(crate) use subscription::{Protocol, Subscription};
pub(crate) use topic::{Topic, default_policy_text};

/// All topics of all accounts and regions, with those who listen to them.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Topics {
    by_arn: BTreeMap<String, Topic>,
    /// By ARN, which begins with that of the topic.
    subscriptions: BTreeMap<String, Subscription>,
    /// Those that were ended without a signature, and can be brought back.
    ended: Vec<Subscription>,
    /// What the key that signs messages is made from; absent before the first topic.
    signing_seed: Option<u64>,
}

impl Topics {
    pub(crate) fn insert(&mut self, topic: Topic) {
        self.by_arn.insert(topic.arn.as_str().to_owned(), topic);
    }

    pub(crate) fn get(&self, arn: &str) -> Option<&Topic> {
        self.by_arn.get(arn)
    }

    pub(crate) fn get_mut(&mut self, arn: &str) -> Option<&mut Topic> {
        self.by_arn.get_mut(arn)
    }

    /// Removes a topic with its subscriptions.
    pub(crate) fn remove(&mut self, arn: &str) {
        if self.by_arn.remove(arn).is_some() {
            self.subscriptions.retain(|_, subscription| subscription.topic != arn);
        }
    }

    /// In the order of their ARNs.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Topic> {
        self.by_arn.values()
    }

    pub(crate) fn policy_of(&self, arn: &str) -> Option<Policy> {
        self.get(arn).map(|topic| topic.policy.clone())
    }

    pub(crate) fn subscription(&self, arn: &str) -> Option<&Subscription> {
        self.subscriptions.get(arn)
    }

    pub(crate) fn subscription_mut(&mut self, arn: &str) -> Option<&mut Subscription> {
        self.subscriptions.get_mut(arn)
    }

    pub(crate) fn subscribe(&mut self, subscription: Subscription) {
        self.subscriptions.insert(subscription.arn.clone(), subscription);
    }

    /// Ends a subscription; its topic remembers that there was one.
    pub(crate) fn unsubscribe(&mut self, arn: &str) -> Option<Subscription> {
        let ended = self.subscriptions.remove(arn)?;
        if let Some(topic) = self.by_arn.get_mut(&ended.topic) {
            topic.deleted_subscriptions += 1;
        }
        Some(ended)
    }

    /// Remembers an ended subscription until its token is out of date.
    pub(crate) fn keep_ended(&mut self, subscription: Subscription) {
        self.ended.push(subscription);
    }

    /// Brings an ended subscription back by its token; answers its ARN.
    pub(crate) fn bring_back(&mut self, topic: &str, token: &str) -> Option<String> {
        let at = self.ended.iter().position(|ended| ended.topic == topic && ended.token == token)?;
        let subscription = self.ended.swap_remove(at);
        let arn = subscription.arn.clone();
        self.subscribe(subscription);
        Some(arn)
    }

    /// In the order of their ARNs.
    pub(crate) fn subscriptions(&self) -> impl Iterator<Item = &Subscription> {
        self.subscriptions.values()
    }

    pub(crate) fn subscriptions_of<'a>(&'a self, topic: &'a str) -> impl Iterator<Item = &'a Subscription> {
        self.subscriptions().filter(move |subscription| subscription.topic == topic)
    }

    /// The subscription of an endpoint, of which a topic has at most one.
    pub(crate) fn find_subscription(
        &self,
        topic: &str,
        protocol: Protocol,
        endpoint: &str,
    ) -> Option<&Subscription> {
        self.subscriptions()
            .filter(|subscription| subscription.topic == topic)
            .find(|subscription| subscription.protocol == protocol && subscription.endpoint == endpoint)
    }

    /// Ends subscriptions that were never confirmed.
    fn expire(&mut self, now: Timestamp) {
        self.subscriptions.retain(|_, subscription| !subscription.has_expired(now));
        self.ended.retain(|subscription| !subscription.has_expired(now));
    }

    fn has_expired(&self, now: Timestamp) -> bool {
        self.subscriptions.values().chain(&self.ended).any(|subscription| subscription.has_expired(now))
    }

    pub(crate) fn signing_seed(&self) -> Option<u64> {
        self.signing_seed
    }
}

impl World {
    /// The topic, for its owner's account or whoever its policy lets in.
    pub(crate) fn topic_account(&self, arn: &str) -> Option<AccountId> {
        self.topics.get(arn).map(|topic| topic.account.clone())
    }

    /// Adds a topic; the first one draws what the signing key is made from.
    pub(crate) fn add_topic(&mut self, topic: Topic) {
        if self.topics.signing_seed.is_none() {
            self.topics.signing_seed = Some(self.entropy.next_u64());
        }
        self.topics.insert(topic);
    }

    /// Ends subscriptions whose token is out of date.
    pub(crate) fn expire_subscriptions(&mut self, now: Timestamp) {
        // Looked at first, so that reading does not count as a change.
        if self.topics.has_expired(now) {
            self.topics.expire(now);
        }
    }
}
