//! `TagQueue`, `UntagQueue`, `ListQueueTags`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::action::{Action, Scope, Who, on_queue};
use super::word::refuse;
use crate::error::AwsError;
use crate::operation::{Op, Requirement};
use crate::state::World;

/// The most tags that a queue can have.
const TAGS_MAX: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TagQueue {
    queue_url: String,
    tags: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UntagQueue {
    queue_url: String,
    tag_keys: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListQueueTags {
    queue_url: String,
}

impl Action for TagQueue {
    const OP: Op = Op::TagQueue;

    fn requirements(&self, who: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let tagged = |requirement: Requirement| {
            let described = self.tags.iter().fold(requirement, |requirement, (key, value)| {
                requirement.with(format!("aws:RequestTag/{key}"), value.as_str())
            });
            described.with_many("aws:TagKeys", self.tags.keys().cloned())
        };
        Ok(on_queue("sqs:tagqueue", who, &self.queue_url, world)?.into_iter().map(tagged).collect())
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Value, AwsError> {
        let arn = scope.who.queue(&self.queue_url)?;
        let queue = scope.queue_mut(&arn)?;
        let mut tags = queue.tags.clone();
        tags.extend(self.tags);
        if tags.len() > TAGS_MAX {
            let text = format!("Too many tags added for queue {}.", queue.name);
            return Err(refuse("InvalidParameterValue", text));
        }
        queue.tags = tags;
        Ok(Value::Null)
    }
}

impl Action for UntagQueue {
    const OP: Op = Op::UntagQueue;

    fn requirements(&self, who: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let keyed = |requirement: Requirement| requirement.with_many("aws:TagKeys", self.tag_keys.clone());
        Ok(on_queue("sqs:untagqueue", who, &self.queue_url, world)?.into_iter().map(keyed).collect())
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Value, AwsError> {
        let arn = scope.who.queue(&self.queue_url)?;
        scope.queue_mut(&arn)?.tags.retain(|key, _| !self.tag_keys.contains(key));
        Ok(Value::Null)
    }
}

impl Action for ListQueueTags {
    const OP: Op = Op::ListQueueTags;

    fn requirements(&self, who: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        on_queue("sqs:listqueuetags", who, &self.queue_url, world)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Value, AwsError> {
        let arn = scope.who.queue(&self.queue_url)?;
        let tags = &scope.queue(&arn)?.tags;
        if tags.is_empty() { Ok(json!({})) } else { Ok(json!({ "Tags": tags })) }
    }
}
