//! `ReceiveMessage` and `ChangeMessageVisibility`.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::action::{Action, Scope, Who, on_queue};
use super::attributes::redrive;
use super::digest;
use super::send::{Entry, batch_answer, check_batch, check_visibility};
use super::word::{not_within, refuse};
use crate::delivery::{check_key, key_requirement_to_read};
use crate::error::AwsError;
use crate::operation::{Op, Requirement};
use crate::state::{Queue, QueuedMessage, World};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ReceiveMessage {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ChangeMessageVisibility {
    queue_url: String,
    #[serde(flatten)]
    change: Change,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ChangeMessageVisibilityBatch {
    queue_url: String,
    entries: Vec<Entry<Change>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Change {
    receipt_handle: String,
    visibility_timeout: i64,
}

impl ReceiveMessage {
    /// Whether to look again later: there is nothing now, and the client wants to wait.
    pub(super) fn waits(&self, who: &Who, world: &World, since: Timestamp, now: Timestamp) -> Option<bool> {
        let queue = world.queues.get(who.queue(&self.queue_url).ok()?.as_str())?;
        let wait = self.wait_time_seconds.unwrap_or_else(|| queue.number("ReceiveMessageWaitTimeSeconds"));
        let is_over = now.duration_since(since) >= SignedDuration::from_secs(wait.clamp(0, 20));
        Some(!is_over && !queue.has_visible(now))
    }

    fn show(&self, message: &QueuedMessage) -> Value {
        let mut shown = json!({
            "MessageId": message.id,
            "ReceiptHandle": message.receipt(),
            "MD5OfBody": digest::of_body(&message.body),
            "Body": message.body,
        });
        let Some(members) = shown.as_object_mut() else { return shown };
        let names: Vec<&str> = self
            .attribute_names
            .iter()
            .chain(&self.message_system_attribute_names)
            .map(String::as_str)
            .collect();
        let first = message.first_received_at.unwrap_or(message.sent_at);
        let own = [
            ("SenderId", Some(message.sender.clone())),
            ("SentTimestamp", Some(message.sent_at.as_millisecond().to_string())),
            ("ApproximateReceiveCount", Some(message.receive_count.to_string())),
            ("ApproximateFirstReceiveTimestamp", Some(first.as_millisecond().to_string())),
            ("AWSTraceHeader", message.trace_header.clone()),
        ];
        let wanted: Map<String, Value> = own
            .into_iter()
            .filter(|(name, _)| names.contains(&"All") || names.contains(name))
            .filter_map(|(name, value)| Some((name.to_owned(), value?.into())))
            .collect();
        if !wanted.is_empty() {
            members.insert("Attributes".to_owned(), wanted.into());
        }
        let wants = |name: &str| {
            self.message_attribute_names.iter().any(|wanted| match wanted.strip_suffix(".*") {
                _ if wanted == "All" || wanted == ".*" => true,
                Some(prefix) => name.starts_with(prefix),
                None => wanted == name,
            })
        };
        let attributes = message.attributes.iter().filter(|(name, _)| wants(name));
        let attributes: std::collections::BTreeMap<_, _> =
            attributes.map(|(name, attribute)| (name.clone(), attribute.clone())).collect();
        if !attributes.is_empty() {
            members.insert("MD5OfMessageAttributes".to_owned(), digest::of_attributes(&attributes).into());
            let shown: Map<String, Value> = attributes
                .into_iter()
                .map(|(name, attribute)| {
                    let field =
                        if attribute.data_type.starts_with("Binary") { "BinaryValue" } else { "StringValue" };
                    (name, json!({ "DataType": attribute.data_type, field: attribute.value }))
                })
                .collect();
            members.insert("MessageAttributes".to_owned(), shown.into());
        }
        shown
    }
}

impl Action for ReceiveMessage {
    const OP: Op = Op::ReceiveMessage;

    fn requirements(&self, who: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let mut needed = on_queue("sqs:receivemessage", who, &self.queue_url, world)?;
        needed.extend(key_requirement_to_read(who.queue(&self.queue_url)?.as_str(), world));
        Ok(needed)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Value, AwsError> {
        let arn = scope.who.queue(&self.queue_url)?;
        check_key(arn.as_str(), scope.world, scope.now)?;
        let max = self.max_number_of_messages.unwrap_or(1);
        if !(1..=10).contains(&max) {
            return Err(not_within(max, "MaxNumberOfMessages", 1, 10));
        }
        if let Some(wait) = self.wait_time_seconds.filter(|wait| !(0..=20).contains(wait)) {
            return Err(not_within(wait, "WaitTimeSeconds", 0, 20));
        }
        let visibility = match self.visibility_timeout {
            Some(secs) => {
                check_visibility(secs)?;
                secs
            }
            None => scope.queue(&arn)?.number("VisibilityTimeout"),
        };
        let (entropy, now) = (scope.world.entropy.clone(), scope.now);
        let queue = scope.queue_mut(&arn)?;
        let dead_letters = queue.attributes.get("RedrivePolicy").and_then(|text| redrive(text));
        if let Some((target, often)) = dead_letters {
            let dead = queue.take_received_too_often(often, now);
            if let Some(target) = scope.world.queues.get_mut(&target) {
                for message in dead {
                    target.take_over(message, now);
                }
            }
        }
        let max = usize::try_from(max).unwrap_or(1);
        let messages = scope.queue_mut(&arn)?.receive(max, visibility, &entropy, now);
        if messages.is_empty() {
            return Ok(json!({}));
        }
        let shown: Vec<Value> = messages.iter().map(|message| self.show(message)).collect();
        Ok(json!({ "Messages": shown }))
    }
}

impl Change {
    fn apply(&self, queue: &mut Queue, now: Timestamp) -> Result<Value, AwsError> {
        check_visibility(self.visibility_timeout)?;
        queue.change_visibility(&self.receipt_handle, self.visibility_timeout, now).ok_or_else(|| {
            let text = "Value for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not \
                        available for visibility timeout change.";
            refuse("InvalidParameterValue", text)
        })?;
        Ok(json!({}))
    }
}

impl Action for ChangeMessageVisibility {
    const OP: Op = Op::ChangeMessageVisibility;

    fn requirements(&self, who: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        on_queue("sqs:changemessagevisibility", who, &self.queue_url, world)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Value, AwsError> {
        let (arn, now) = (scope.who.queue(&self.queue_url)?, scope.now);
        self.change.apply(scope.queue_mut(&arn)?, now)?;
        Ok(Value::Null)
    }
}

impl Action for ChangeMessageVisibilityBatch {
    const OP: Op = Op::ChangeMessageVisibilityBatch;

    fn requirements(&self, who: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        on_queue("sqs:changemessagevisibility", who, &self.queue_url, world)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Value, AwsError> {
        let (arn, now) = (scope.who.queue(&self.queue_url)?, scope.now);
        check_batch(&self.entries)?;
        let queue = scope.queue_mut(&arn)?;
        let entries = self.entries.into_iter().map(|entry| (entry.id, entry.what.apply(queue, now)));
        Ok(batch_answer(entries.collect::<Vec<_>>()))
    }
}
