//! The Simple Notification Service: topics, their policies and subscriptions, and what is published to them.
//!
//! Standard topics with subscribers over HTTP, HTTPS and SQS; FIFO topics, encrypted topics, other protocols, text
//! messages and mobile push are refused by name. What is published is delivered by [`crate::delivery`].
//!
//! Source: SNS API reference 2010-03-31, SNS Developer Guide, and recorded answers.

mod action;
mod confirm;
mod form;
mod message_form;
mod permission;
mod publish;
mod refused;
mod show;
mod subscribe;
mod subscription_attributes;
mod subscriptions;
mod tags;
mod topic_attributes;
mod topics;
mod word;

use bytes::Bytes;
use http::Response;

use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::head::Head;
use crate::ids::RequestIds;
use crate::operation::Op;
use crate::query::{self, Fields, Parameters};
use action::{Action, Call, Who};
use form::Form;
use refused::REFUSED;

pub(crate) use subscribe::check_endpoint;
pub(crate) use subscription_attributes::check_attribute as check_subscription_attribute;
pub(crate) use topic_attributes::{check_attribute as check_topic_attribute, topic_policy};
pub(crate) use topics::is_topic_name;
pub(crate) use word::word;

/// The name space of all answers.
pub(crate) const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";
/// The version of the interface.
const VERSION: &str = "2010-03-31";

/// The actions that need no signature: the token, or the ARN that only the subscriber was told, speaks for them.
const OPEN: [&str; 2] = ["ConfirmSubscription", "Unsubscribe"];

type Perform = fn(&Exchange, &Parameters) -> Result<Option<Fields>, AwsError>;

/// An action by its name.
struct Entry {
    op: Op,
    perform: Perform,
}

const fn entry<A: Action>() -> Entry {
    Entry { op: A::OP, perform: perform::<A> }
}

/// Every action that is done.
const ACTIONS: &[Entry] = &[
    entry::<permission::AddPermission>(),
    entry::<confirm::ConfirmSubscription>(),
    entry::<topics::CreateTopic>(),
    entry::<topics::DeleteTopic>(),
    entry::<subscription_attributes::GetSubscriptionAttributes>(),
    entry::<topic_attributes::GetTopicAttributes>(),
    entry::<subscriptions::ListSubscriptions>(),
    entry::<subscriptions::ListSubscriptionsByTopic>(),
    entry::<tags::ListTagsForResource>(),
    entry::<topics::ListTopics>(),
    entry::<publish::Publish>(),
    entry::<publish::PublishBatch>(),
    entry::<permission::RemovePermission>(),
    entry::<subscription_attributes::SetSubscriptionAttributes>(),
    entry::<topic_attributes::SetTopicAttributes>(),
    entry::<tags::TagResource>(),
    entry::<tags::UntagResource>(),
    entry::<subscribe::Subscribe>(),
    entry::<confirm::Unsubscribe>(),
];

/// Answers one request.
pub(crate) fn answer(exchange: &Exchange, ids: &RequestIds) -> Result<Response<Bytes>, AwsError> {
    let parameters = Parameters::of(&exchange.head, &exchange.body);
    let name = parameters.get("Action").unwrap_or_default();
    if let Some(entry) = ACTIONS.iter().find(|entry| entry.op.name() == name) {
        let fields = (entry.perform)(exchange, &parameters)?;
        return Ok(query::answer(entry.op, NAMESPACE, fields, ids));
    }
    if REFUSED.contains(&name) {
        return Err(AwsError::not_implemented(format!("the SNS action `{name}`")));
    }
    Err(query::no_such_action(&parameters, VERSION))
}

fn perform<A: Action>(exchange: &Exchange, parameters: &Parameters) -> Result<Option<Fields>, AwsError> {
    let head = exchange.begin(A::OP)?;
    let who = Who::of(exchange);
    let action = A::read(&Form { parameters, who: &who })?;
    exchange.perform(&head, Call { action, who })
}

/// Whether an unsigned request is meant for this service.
pub(crate) fn is_for_sns(head: &Head) -> bool {
    head.host().starts_with("sns.")
        || head.parameter("Version") == Some(VERSION)
        || head.parameter("Action").is_some_and(|action| OPEN.contains(&action))
}

/// Whether a request needs no signature and has none.
pub(crate) fn is_open(head: &Head, body: &Bytes) -> bool {
    let is_unsigned = head.header("authorization").is_none()
        && ["X-Amz-Algorithm", "X-Amz-Signature", "AWSAccessKeyId", "Signature"]
            .iter()
            .all(|name| head.parameter(name).is_none());
    is_unsigned && Parameters::of(head, body).get("Action").is_some_and(|action| OPEN.contains(&action))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ACTIONS, REFUSED};
    use crate::operation::Op;

    #[test]
    fn every_operation_has_its_action() {
        let declared: BTreeSet<Op> = Op::ALL.iter().copied().filter(|op| op.service() == "sns").collect();
        let done: BTreeSet<Op> = ACTIONS.iter().map(|entry| entry.op).collect();
        assert_eq!(done, declared);
        assert!(done.iter().all(|op| !REFUSED.contains(&op.name())));
    }
}
