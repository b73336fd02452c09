//! `SendMessage` and `SendMessageBatch`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::action::{Action, Scope, Who, on_queue};
use super::digest;
use super::word::{not_within, refuse};
use crate::delivery::{check_key, key_requirements_to_write};
use crate::error::AwsError;
use crate::operation::{Op, Requirement};
use crate::state::{MessageAttribute, Queue, Sent, World};

/// How many entries a batch may have.
const BATCH_MAX: usize = 10;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendMessage {
    queue_url: String,
    #[serde(flatten)]
    draft: Draft,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendMessageBatch {
    queue_url: String,
    entries: Vec<Entry<Draft>>,
}

/// An entry of a batch.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Entry<T> {
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) what: T,
}

/// A message as it is submitted.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Draft {
    message_body: String,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: BTreeMap<String, AttributeValue>,
    #[serde(default)]
    message_system_attributes: BTreeMap<String, AttributeValue>,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AttributeValue {
    data_type: String,
    string_value: Option<String>,
    /// Base64.
    binary_value: Option<String>,
}

/// Refuses what is wrong with a batch as a whole.
pub(super) fn check_batch<T>(entries: &[Entry<T>]) -> Result<(), AwsError> {
    if entries.is_empty() {
        let text = "There should be at least one entry in the request.";
        return Err(refuse("AWS.SimpleQueueService.EmptyBatchRequest", text));
    }
    if entries.len() > BATCH_MAX {
        let text = format!(
            "Maximum number of entries per request are {BATCH_MAX}. You have sent {}.",
            entries.len()
        );
        return Err(refuse("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", text));
    }
    for (index, entry) in entries.iter().enumerate() {
        let valid = (1..=80).contains(&entry.id.len())
            && entry.id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !valid {
            let text = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at \
                        most 80 letters long.";
            return Err(refuse("AWS.SimpleQueueService.InvalidBatchEntryId", text));
        }
        if entries.iter().skip(index + 1).any(|other| other.id == entry.id) {
            let text = format!("Id {} repeated.", entry.id);
            return Err(refuse("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", text));
        }
    }
    Ok(())
}

/// What a batch answers.
pub(super) fn batch_answer(entries: impl IntoIterator<Item = (String, Result<Value, AwsError>)>) -> Value {
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for (id, result) in entries {
        match result {
            Ok(mut answer) => {
                if let Some(members) = answer.as_object_mut() {
                    members.insert("Id".to_owned(), id.into());
                }
                done.push(answer);
            }
            Err(error) => failed.push(json!({
                "Id": id, "Code": error.code, "Message": error.message, "SenderFault": true,
            })),
        }
    }
    let mut answer = Map::new();
    answer.insert("Successful".to_owned(), done.into());
    if !failed.is_empty() {
        answer.insert("Failed".to_owned(), failed.into());
    }
    Value::Object(answer)
}

impl Draft {
    fn sent(self, sender: &str) -> Result<Sent, AwsError> {
        if self.message_group_id.is_some() || self.message_deduplication_id.is_some() {
            let name =
                if self.message_group_id.is_some() { "MessageGroupId" } else { "MessageDeduplicationId" };
            return Err(AwsError::not_implemented(format!("the parameter `{name}`")));
        }
        if let Some(secs) = self.delay_seconds.filter(|secs| !(0..=900).contains(secs)) {
            let text = format!(
                "Value {secs} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
            );
            return Err(refuse("InvalidParameterValue", text));
        }
        if self.message_body.is_empty() {
            return Err(refuse("MissingParameter", "The request must contain the parameter MessageBody."));
        }
        let mut attributes = BTreeMap::new();
        for (name, value) in self.message_attributes {
            attributes.insert(name.clone(), value.read(&name)?);
        }
        let trace = self.message_system_attributes.into_iter();
        let trace =
            trace.filter(|(name, _)| name == "AWSTraceHeader").find_map(|(_, value)| value.string_value);
        Ok(Sent {
            body: self.message_body,
            attributes,
            sender: sender.to_owned(),
            trace_header: trace,
            delay_secs: self.delay_seconds,
        })
    }
}

impl AttributeValue {
    fn read(self, name: &str) -> Result<MessageAttribute, AwsError> {
        let kind = self.data_type.split('.').next().unwrap_or_default();
        let value = match kind {
            "String" | "Number" => self.string_value,
            "Binary" => self.binary_value,
            _ => {
                let text = format!(
                    "The message attribute '{name}' has an invalid message attribute type, the set of supported type \
                     prefixes is Binary, Number, and String."
                );
                return Err(refuse("InvalidParameterValue", text));
            }
        };
        match value.filter(|value| !value.is_empty()) {
            Some(value) => Ok(MessageAttribute { data_type: self.data_type, value }),
            None => Err(refuse(
                "InvalidParameterValue",
                format!(
                    "The message attribute '{name}' must contain non-empty message attribute value for message attribute \
                     type '{}'.",
                    self.data_type
                ),
            )),
        }
    }
}

fn bytes(sent: &Sent) -> usize {
    let attributes = sent.attributes.iter();
    let attributes = attributes.map(|(name, one)| name.len() + one.data_type.len() + one.value.len());
    sent.body.len() + attributes.sum::<usize>()
}

/// Puts a message into a queue and answers what the sender is told.
fn send(
    queue: &mut Queue,
    sent: Sent,
    scope: (&bucketproof_clock::Entropy, jiff::Timestamp),
) -> Result<Value, AwsError> {
    let max = queue.number("MaximumMessageSize");
    if i64::try_from(bytes(&sent)).is_ok_and(|bytes| bytes > max) {
        let text =
            format!("One or more parameters are invalid. Reason: Message must be shorter than {max} bytes.");
        return Err(refuse("InvalidParameterValue", text));
    }
    let mut answer = json!({ "MD5OfMessageBody": digest::of_body(&sent.body) });
    if let Some(members) = answer.as_object_mut() {
        if !sent.attributes.is_empty() {
            let digest = digest::of_attributes(&sent.attributes);
            members.insert("MD5OfMessageAttributes".to_owned(), digest.into());
        }
        let (entropy, now) = scope;
        members.insert("MessageId".to_owned(), queue.send(sent, entropy, now).into());
    }
    Ok(answer)
}

impl Action for SendMessage {
    const OP: Op = Op::SendMessage;

    fn requirements(&self, who: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let mut needed = on_queue("sqs:sendmessage", who, &self.queue_url, world)?;
        needed.extend(key_requirements_to_write(who.queue(&self.queue_url)?.as_str(), world));
        Ok(needed)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Value, AwsError> {
        let arn = scope.who.queue(&self.queue_url)?;
        check_key(arn.as_str(), scope.world, scope.now)?;
        let sent = self.draft.sent(&scope.who.user_id)?;
        let (entropy, now) = (scope.world.entropy.clone(), scope.now);
        send(scope.queue_mut(&arn)?, sent, (&entropy, now))
    }
}

impl Action for SendMessageBatch {
    const OP: Op = Op::SendMessageBatch;

    fn requirements(&self, who: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let mut needed = on_queue("sqs:sendmessage", who, &self.queue_url, world)?;
        needed.extend(key_requirements_to_write(who.queue(&self.queue_url)?.as_str(), world));
        Ok(needed)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Value, AwsError> {
        let arn = scope.who.queue(&self.queue_url)?;
        check_key(arn.as_str(), scope.world, scope.now)?;
        check_batch(&self.entries)?;
        let (entropy, now) = (scope.world.entropy.clone(), scope.now);
        let sender = scope.who.user_id.clone();
        let queue = scope.queue_mut(&arn)?;
        let entries = self.entries.into_iter().map(|entry| {
            let sent = entry.what.sent(&sender);
            (entry.id, sent.and_then(|sent| send(queue, sent, (&entropy, now))))
        });
        Ok(batch_answer(entries.collect::<Vec<_>>()))
    }
}

/// Refuses a number of seconds that a message cannot be hidden for.
pub(super) fn check_visibility(secs: i64) -> Result<(), AwsError> {
    if (0..=43_200).contains(&secs) { Ok(()) } else { Err(not_within(secs, "VisibilityTimeout", 0, 43_200)) }
}
