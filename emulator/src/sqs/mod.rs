//! The Simple Queue Service, as far as consumers of notifications need it: standard queues, their policies, messages.
//!
//! JSON 1.0: every request is a POST to `/` whose `X-Amz-Target` names the action. FIFO queues, encrypted queues and the
//! older query protocol are refused by name.
//!
//! Source: SQS API reference 2012-11-05; the texts of refusals are widely reported ones.

mod action;
mod attributes;
mod delete;
mod digest;
mod queues;
mod receive;
mod send;
mod tags;
mod word;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response};

use crate::error::AwsError;
use crate::exchange::Exchange;
use action::{Action, Call, Who};

pub(crate) use attributes::{check_attribute as check_queue_attribute, queue_policy};
pub(crate) use queues::is_queue_name;
pub(crate) use word::{shape_of, word};

/// The service in `X-Amz-Target`.
pub(crate) const TARGET: &str = "AmazonSQS";

/// How long a client that waits for messages is left before the queue is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Answers one request.
pub(crate) async fn answer(exchange: &Exchange) -> Result<Response<Bytes>, AwsError> {
    let Some(target) = exchange.head.header("x-amz-target") else { return Err(word::query_protocol()) };
    let name = target.strip_prefix(TARGET).and_then(|rest| rest.strip_prefix('.')).unwrap_or_default();
    let answer = match name {
        "ChangeMessageVisibility" => run::<receive::ChangeMessageVisibility>(exchange),
        "ChangeMessageVisibilityBatch" => run::<receive::ChangeMessageVisibilityBatch>(exchange),
        "CreateQueue" => run::<queues::CreateQueue>(exchange),
        "DeleteMessage" => run::<delete::DeleteMessage>(exchange),
        "DeleteMessageBatch" => run::<delete::DeleteMessageBatch>(exchange),
        "DeleteQueue" => run::<queues::DeleteQueue>(exchange),
        "GetQueueAttributes" => run::<attributes::GetQueueAttributes>(exchange),
        "GetQueueUrl" => run::<queues::GetQueueUrl>(exchange),
        "ListQueueTags" => run::<tags::ListQueueTags>(exchange),
        "ListQueues" => run::<queues::ListQueues>(exchange),
        "PurgeQueue" => run::<delete::PurgeQueue>(exchange),
        "ReceiveMessage" => {
            wait_for_messages(exchange).await;
            run::<receive::ReceiveMessage>(exchange)
        }
        "SendMessage" => run::<send::SendMessage>(exchange),
        "SendMessageBatch" => run::<send::SendMessageBatch>(exchange),
        "SetQueueAttributes" => run::<attributes::SetQueueAttributes>(exchange),
        "TagQueue" => run::<tags::TagQueue>(exchange),
        "UntagQueue" => run::<tags::UntagQueue>(exchange),
        _ => Err(word::unsupported(name)),
    }?;
    // Actions without a result answer nothing at all.
    let body = if answer.is_null() { Bytes::new() } else { Bytes::from(answer.to_string()) };
    let mut response = Response::new(body);
    let content_type = HeaderValue::from_static("application/x-amz-json-1.0");
    response.headers_mut().insert(http::header::CONTENT_TYPE, content_type);
    Ok(response)
}

fn read<A: Action>(exchange: &Exchange) -> Result<Call<A>, AwsError> {
    let who = Who::of(exchange)?;
    let action = serde_json::from_slice(&exchange.body).map_err(|error| word::unreadable(&error))?;
    Ok(Call { action, who })
}

fn run<A: Action>(exchange: &Exchange) -> Result<serde_json::Value, AwsError> {
    let head = exchange.begin(A::OP)?;
    exchange.perform(&head, read::<A>(exchange)?)
}

/// Long polling: waits until there is a message to receive, or the client has waited as long as it wanted.
///
/// On a clock that stands still nothing would come while one waits, so nobody waits.
async fn wait_for_messages(exchange: &Exchange) {
    if exchange.clock.is_manual() {
        return;
    }
    let begin = exchange.clock.now();
    loop {
        let Ok(call) = read::<receive::ReceiveMessage>(exchange) else { return };
        let look = |call: &Call<receive::ReceiveMessage>, world: &crate::state::World, now| {
            call.action.waits(&call.who, world, begin, now)
        };
        match exchange.preview(&exchange.head, &call, look) {
            Some(true) => exchange.clock.sleep(LOOK_AGAIN).await,
            // There is something, or the time is up; whoever may not receive is told so at once.
            Some(false) | None => return,
        }
    }
}
