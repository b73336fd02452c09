//! `GetQueueAttributes` and `SetQueueAttributes`: the policy among them.

use std::collections::BTreeMap;

use bucketproof_authz::{Arn, DocumentKind, Policy, PolicyKind, PolicySource};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::action::{Action, Scope, Who, on_queue};
use super::word::refuse;
use crate::delivery::KEY_ATTRIBUTE;
use crate::error::AwsError;
use crate::operation::{Op, Requirement};
use crate::state::{Accounts, Queue, World};

/// Whether SQS encrypts with keys of its own.
const MANAGED: &str = "SqsManagedSseEnabled";
/// How long a data key serves; shown of a queue with a KMS key alone.
const REUSE_PERIOD: &str = "KmsDataKeyReusePeriodSeconds";

/// The attributes that are numbers, with the least and the most they can be.
const NUMBERS: [(&str, i64, i64); 6] = [
    ("DelaySeconds", 0, 900),
    (REUSE_PERIOD, 60, 86_400),
    ("MaximumMessageSize", 1024, 1_048_576),
    ("MessageRetentionPeriod", 60, 1_209_600),
    ("ReceiveMessageWaitTimeSeconds", 0, 20),
    ("VisibilityTimeout", 0, 43_200),
];

/// What may be asked for and be absent.
const UNSET: [&str; 7] = [
    "All",
    "ContentBasedDeduplication",
    "FifoQueue",
    KEY_ATTRIBUTE,
    "Policy",
    "RedriveAllowPolicy",
    "RedrivePolicy",
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetQueueAttributes {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SetQueueAttributes {
    queue_url: String,
    attributes: BTreeMap<String, String>,
}

fn invalid(name: &str) -> AwsError {
    refuse("InvalidAttributeValue", format!("Invalid value for the parameter {name}."))
}

/// Parses a policy for a queue; its principals must be there.
pub(crate) fn queue_policy(text: &str, name: &str, accounts: &Accounts) -> Result<Policy, AwsError> {
    let source = PolicySource::new(PolicyKind::Queue, name);
    let policy =
        Policy::parse_valid(text, source, DocumentKind::Queue).map_err(|error| AwsError::document(&error))?;
    match policy.principals().find(|entry| !accounts.knows(&entry.principal)) {
        None => Ok(accounts.bound(&policy)),
        Some(_) => Err(invalid("Policy")),
    }
}

/// Whether an attribute can be set to a value; what the emulator does not do is refused by name.
pub(crate) fn check_attribute(name: &str, value: &str, world: &World) -> Result<(), AwsError> {
    if let Some((_, min, max)) = NUMBERS.iter().find(|(own, ..)| *own == name) {
        let number = value.parse::<i64>().ok().filter(|number| (min..=max).contains(&number));
        return number.map(|_| ()).ok_or_else(|| invalid(name));
    }
    match name {
        // Whether there is such a key shows with the first message.
        "Policy" | KEY_ATTRIBUTE => Ok(()),
        "RedrivePolicy" if value.is_empty() => Ok(()),
        "RedrivePolicy" => {
            let target = redrive(value).ok_or_else(|| invalid(name))?.0;
            match world.queues.get(&target) {
                Some(_) => Ok(()),
                None => Err(refuse(
                    "InvalidParameterValue",
                    format!(
                        "Value {value} for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist."
                    ),
                )),
            }
        }
        MANAGED if matches!(value, "true" | "false") => Ok(()),
        MANAGED => Err(invalid(name)),
        "FifoQueue" | "ContentBasedDeduplication" if value == "false" => Ok(()),
        "RedriveAllowPolicy"
        | "FifoQueue"
        | "ContentBasedDeduplication"
        | "DeduplicationScope"
        | "FifoThroughputLimit" => Err(AwsError::not_implemented(format!("the queue attribute `{name}`"))),
        _ => Err(refuse("InvalidAttributeName", format!("Unknown Attribute {name}."))),
    }
}

/// The queue for what is received too often, and how often that is.
pub(super) fn redrive(text: &str) -> Option<(String, u64)> {
    let policy: Value = serde_json::from_str(text).ok()?;
    let target = policy.get("deadLetterTargetArn")?.as_str()?;
    let arn = Arn::new(target).ok().filter(|arn| arn.service() == "sqs")?;
    let max = policy.get("maxReceiveCount")?;
    let max = max.as_u64().or_else(|| max.as_str()?.parse().ok()).filter(|max| (1..=1000).contains(max))?;
    Some((arn.as_str().to_owned(), max))
}

/// Sets attributes that were checked.
pub(super) fn set_attributes(
    queue: &mut Queue,
    attributes: BTreeMap<String, String>,
    accounts: &Accounts,
) -> Result<(), AwsError> {
    let policy = match attributes.get("Policy") {
        None => queue.policy.clone(),
        Some(text) if text.is_empty() => None,
        Some(text) => Some(queue_policy(text, &queue.name, accounts)?),
    };
    let is_set = |name: &str, unset: &str| attributes.get(name).is_some_and(|value| value != unset);
    if is_set(KEY_ATTRIBUTE, "") && is_set(MANAGED, "false") {
        let text = "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or \
                    SQS SSE.";
        return Err(refuse("InvalidAttributeValue", text));
    }
    queue.policy = policy;
    for (name, value) in attributes {
        if value.is_empty() {
            queue.attributes.remove(&name);
        } else if name != "Policy" {
            queue.attributes.insert(name, value);
        }
    }
    Ok(())
}

impl Action for GetQueueAttributes {
    const OP: Op = Op::GetQueueAttributes;

    fn requirements(&self, who: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        on_queue("sqs:getqueueattributes", who, &self.queue_url, world)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Value, AwsError> {
        let arn = scope.who.queue(&self.queue_url)?;
        let queue = scope.queue(&arn)?;
        let (visible, hidden, delayed) = queue.counts(scope.now);
        let mut all: Map<String, Value> = NUMBERS
            .iter()
            .map(|(name, ..)| ((*name).to_owned(), queue.number(name).to_string().into()))
            .collect();
        let key = queue.attributes.get(KEY_ATTRIBUTE);
        let managed = match key {
            Some(_) => "false",
            None => queue.attributes.get(MANAGED).map_or("true", String::as_str),
        };
        match key {
            Some(key) => all.insert(KEY_ATTRIBUTE.to_owned(), key.as_str().into()),
            None => all.remove(REUSE_PERIOD),
        };
        for (name, value) in [
            ("QueueArn", queue.arn.to_string()),
            ("ApproximateNumberOfMessages", visible.to_string()),
            ("ApproximateNumberOfMessagesNotVisible", hidden.to_string()),
            ("ApproximateNumberOfMessagesDelayed", delayed.to_string()),
            ("CreatedTimestamp", queue.created_at.as_second().to_string()),
            ("LastModifiedTimestamp", queue.modified_at.as_second().to_string()),
            (MANAGED, managed.to_owned()),
        ] {
            all.insert(name.to_owned(), value.into());
        }
        if let Some(policy) = &queue.policy {
            all.insert("Policy".to_owned(), scope.world.accounts.shown(policy).into_owned().into());
        }
        if let Some(policy) = queue.attributes.get("RedrivePolicy") {
            all.insert("RedrivePolicy".to_owned(), policy.as_str().into());
        }
        let unknown = self
            .attribute_names
            .iter()
            .find(|name| !all.contains_key(name.as_str()) && !UNSET.contains(&name.as_str()));
        if let Some(name) = unknown {
            return Err(refuse("InvalidAttributeName", format!("Unknown Attribute {name}.")));
        }
        let wants = |name: &str| self.attribute_names.iter().any(|wanted| wanted == "All" || wanted == name);
        all.retain(|name, _| wants(name));
        if all.is_empty() { Ok(json!({})) } else { Ok(json!({ "Attributes": all })) }
    }
}

impl Action for SetQueueAttributes {
    const OP: Op = Op::SetQueueAttributes;

    fn requirements(&self, who: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        on_queue("sqs:setqueueattributes", who, &self.queue_url, world)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Value, AwsError> {
        let arn = scope.who.queue(&self.queue_url)?;
        let mut queue = scope.queue(&arn)?.clone();
        for (name, value) in &self.attributes {
            check_attribute(name, value, scope.world)?;
        }
        set_attributes(&mut queue, self.attributes, &scope.world.accounts)?;
        queue.modified_at = scope.now;
        scope.world.queues.insert(queue);
        Ok(Value::Null)
    }
}
