//! `CreateQueue`, `DeleteQueue`, `GetQueueUrl`, `ListQueues`.

use std::collections::BTreeMap;

use bucketproof_authz::Arn;
use serde::Deserialize;
use serde_json::{Value, json};

use super::action::{Action, Scope, Who, on_queue, without_policy};
use super::attributes::{check_attribute, set_attributes};
use super::word::{self, invalid_value, refuse};
use crate::error::AwsError;
use crate::operation::{Op, RequiredResource, Requirement};
use crate::state::{Queue, World};

/// The most URLs of one answer.
const URLS_MAX: usize = 1000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateQueue {
    queue_name: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default, rename = "tags")]
    tags: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteQueue {
    queue_url: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetQueueUrl {
    queue_name: String,
    #[serde(rename = "QueueOwnerAWSAccountId")]
    owner: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListQueues {
    queue_name_prefix: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

/// 1 to 80 letters, digits, hyphens and underscores.
pub(crate) fn is_queue_name(name: &str) -> bool {
    (1..=80).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

impl Action for CreateQueue {
    const OP: Op = Op::CreateQueue;

    fn requirements(&self, who: &Who, _: &World) -> Result<Vec<Requirement>, AwsError> {
        let arn = who.arn(who.account.as_str(), &self.queue_name);
        let describe = |requirement: Requirement| {
            self.tags.iter().fold(requirement, |requirement, (key, value)| {
                requirement.with(format!("aws:RequestTag/{key}"), value.as_str())
            })
        };
        let mut requirements = vec![describe(without_policy("sqs:createqueue", arn.clone(), &who.account))];
        if !self.tags.is_empty() {
            requirements.push(describe(without_policy("sqs:tagqueue", arn, &who.account)));
        }
        Ok(requirements)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Value, AwsError> {
        let name = &self.queue_name;
        let is_fifo = self.attributes.get("FifoQueue").is_some_and(|text| text == "true");
        if is_fifo || name.strip_suffix(".fifo").is_some() {
            return Err(AwsError::not_implemented("FIFO queues"));
        }
        if !is_queue_name(name) {
            let text = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
            return Err(refuse("InvalidParameterValue", text));
        }
        let arn = Arn::new(scope.who.arn(scope.who.account.as_str(), name));
        let arn = arn.map_err(|_| invalid_value("QueueName"))?;
        for (name, value) in &self.attributes {
            check_attribute(name, value, scope.world)?;
        }
        if let Ok(known) = scope.queue(&arn) {
            let differs = self.attributes.iter().find(|(name, value)| match name.as_str() {
                "Policy" => known.policy.as_ref().map_or("", |policy| policy.text()) != value.as_str(),
                name => known.attributes.get(name).is_some_and(|own| own != *value),
            });
            return match differs {
                None => Ok(json!({ "QueueUrl": scope.who.url(known) })),
                Some((name, _)) => Err(refuse(
                    "QueueAlreadyExists",
                    format!(
                        "A queue already exists with the same name and a different value for attribute {name}"
                    ),
                )),
            };
        }
        let mut queue = Queue::new(arn, scope.who.account.clone(), scope.now);
        set_attributes(&mut queue, self.attributes, &scope.world.accounts)?;
        queue.tags = self.tags;
        let answer = json!({ "QueueUrl": scope.who.url(&queue) });
        scope.world.queues.insert(queue);
        Ok(answer)
    }
}

impl Action for DeleteQueue {
    const OP: Op = Op::DeleteQueue;

    fn requirements(&self, who: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        on_queue("sqs:deletequeue", who, &self.queue_url, world)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Value, AwsError> {
        let arn = scope.who.queue(&self.queue_url)?;
        scope.queue(&arn)?;
        scope.world.queues.remove(arn.as_str());
        Ok(Value::Null)
    }
}

impl GetQueueUrl {
    fn arn(&self, who: &Who) -> Result<Arn, AwsError> {
        let owner = self.owner.as_deref().unwrap_or(who.account.as_str());
        Arn::new(who.arn(owner, &self.queue_name)).map_err(|_| invalid_value("QueueName"))
    }
}

impl Action for GetQueueUrl {
    const OP: Op = Op::GetQueueUrl;

    fn requirements(&self, who: &Who, _: &World) -> Result<Vec<Requirement>, AwsError> {
        let arn = self.arn(who)?;
        let account = arn.account().ok_or_else(|| invalid_value("QueueOwnerAWSAccountId"))?;
        let resource = RequiredResource::Queue { arn: arn.as_str().to_owned(), account };
        Ok(vec![Requirement::new("sqs:getqueueurl", resource)])
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Value, AwsError> {
        let arn = self.arn(&scope.who)?;
        Ok(json!({ "QueueUrl": scope.who.url(scope.queue(&arn)?) }))
    }
}

impl Action for ListQueues {
    const OP: Op = Op::ListQueues;

    fn requirements(&self, who: &Who, _: &World) -> Result<Vec<Requirement>, AwsError> {
        let arn = who.arn(who.account.as_str(), "*");
        Ok(vec![without_policy("sqs:listqueues", arn, &who.account)])
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Value, AwsError> {
        let max = self.max_results.unwrap_or(URLS_MAX);
        if !(1..=URLS_MAX).contains(&max) {
            return Err(word::not_within(max, "MaxResults", 1, 1000));
        }
        let prefix = self.queue_name_prefix.unwrap_or_default();
        let own = scope.world.queues.iter().filter(|queue| {
            queue.account == scope.who.account
                && queue.region == scope.who.region
                && queue.name.starts_with(&prefix)
                && self.next_token.as_ref().is_none_or(|after| queue.name > *after)
        });
        let mut own = own.peekable();
        if own.peek().is_none() {
            return Ok(json!({}));
        }
        let page: Vec<&Queue> = own.by_ref().take(max).collect();
        let urls: Vec<String> = page.iter().map(|queue| scope.who.url(queue)).collect();
        let mut answer = json!({ "QueueUrls": urls });
        // Only who asked for pages is told of more.
        if let (Some(_), Some(_), Some(last)) = (self.max_results, own.peek(), page.last())
            && let Some(members) = answer.as_object_mut()
        {
            members.insert("NextToken".to_owned(), last.name.as_str().into());
        }
        Ok(answer)
    }
}
