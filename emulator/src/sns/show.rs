//! Subscriptions as answers show them.

use crate::query::Fields;
use crate::state::Subscription;

/// An entry of a list.
pub(super) fn listed(subscription: &Subscription) -> Fields {
    let arn = if subscription.is_pending { "PendingConfirmation" } else { &subscription.arn };
    Fields::new()
        .text("SubscriptionArn", arn)
        .text("Owner", &subscription.owner)
        .text("Protocol", subscription.protocol.as_str())
        .text("Endpoint", &subscription.endpoint)
        .text("TopicArn", &subscription.topic)
}
