//! Who listens to a topic.

use std::collections::BTreeMap;

use bucketproof_authz::AccountId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{FilterPolicy, FilterScope, Message, RequestPolicy, RetryPolicy};

/// How long a subscription can be confirmed (Subscribe, API reference).
const TOKEN_LIFETIME: SignedDuration = SignedDuration::from_hours(48);

/// How messages travel to a subscriber.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Protocol {
    Http,
    Https,
    Sqs,
}

/// A subscription, confirmed or not.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Subscription {
    pub(crate) arn: String,
    pub(crate) topic: String,
    pub(crate) protocol: Protocol,
    pub(crate) endpoint: String,
    pub(crate) owner: AccountId,
    /// The ARN of who subscribed.
    pub(crate) principal: String,
    /// What confirms it.
    pub(crate) token: String,
    pub(crate) created_at: Timestamp,
    pub(crate) is_pending: bool,
    /// Whether the confirmation was signed.
    pub(crate) confirmed_by_owner: bool,
    /// Whether only signed requests can end it.
    pub(crate) guards_unsubscribe: bool,
    /// What was set, by the names of the interface: `RawMessageDelivery`, `FilterPolicy`, `FilterPolicyScope`,
    /// `RedrivePolicy`, `DeliveryPolicy`.
    pub(crate) attributes: BTreeMap<String, String>,
}

impl Protocol {
    /// The protocols that are spoken.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "http" => Some(Self::Http),
            "https" => Some(Self::Https),
            "sqs" => Some(Self::Sqs),
            _ => None,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Sqs => "sqs",
        }
    }
}

impl Subscription {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    pub(crate) fn is_raw(&self) -> bool {
        self.attribute("RawMessageDelivery").is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    pub(super) fn has_expired(&self, now: Timestamp) -> bool {
        self.is_pending && now.duration_since(self.created_at) > TOKEN_LIFETIME
    }

    /// Whether the filter policy lets a message through; one that cannot be read was never taken.
    pub(crate) fn wants(&self, message: &Message) -> bool {
        let Some(text) = self.attribute("FilterPolicy") else { return true };
        let scope = FilterScope::parse(self.attribute("FilterPolicyScope")).unwrap_or_default();
        FilterPolicy::parse(text, scope).is_ok_and(|policy| policy.admits(message))
    }

    /// Its own delivery policy, else that of its topic, else the default.
    pub(crate) fn retry_policy(&self, topic: Option<&str>) -> RetryPolicy {
        RetryPolicy::in_force(self.attribute("DeliveryPolicy"), topic)
    }

    pub(crate) fn request_policy(&self, topic: Option<&str>) -> RequestPolicy {
        RequestPolicy::in_force(self.attribute("DeliveryPolicy"), topic)
    }

    /// The queue for what could not be delivered.
    pub(crate) fn dead_letter_queue(&self) -> Option<String> {
        let policy: serde_json::Value = serde_json::from_str(self.attribute("RedrivePolicy")?).ok()?;
        Some(policy.get("deadLetterTargetArn")?.as_str()?.to_owned())
    }
}
