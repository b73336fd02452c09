//! `CreateTopic`, `DeleteTopic`, `ListTopics`.

use std::collections::BTreeMap;

use bucketproof_authz::{AccountId, Arn};

use super::action::{Action, Scope, Who, on_topic, without_policy};
use super::form::{Form, Page};
use super::topic_attributes::{check_attribute, topic_policy};
use crate::error::AwsError;
use crate::operation::{Op, Requirement};
use crate::query::Fields;
use crate::state::{Topic, World};

/// Makes a topic, or finds the one that is there.
#[derive(Debug)]
pub(super) struct CreateTopic {
    arn: Arn,
    account: AccountId,
    attributes: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
}

#[derive(Debug)]
pub(super) struct DeleteTopic {
    arn: Arn,
}

#[derive(Debug)]
pub(super) struct ListTopics {
    page: Page,
}

/// 1 to 256 letters, digits, hyphens and underscores.
pub(crate) fn is_topic_name(name: &str) -> bool {
    (1..=256).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

impl Action for CreateTopic {
    const OP: Op = Op::CreateTopic;

    fn read(form: &Form<'_>) -> Result<Self, AwsError> {
        let name = form.required("Name")?;
        let mut attributes = form.map("Attributes");
        let is_fifo = attributes.remove("FifoTopic").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        match (name.strip_suffix(".fifo"), is_fifo) {
            (Some(stem), true) if is_topic_name(stem) => {
                return Err(AwsError::not_implemented("FIFO topics"));
            }
            (None, false) if is_topic_name(&name) => {}
            _ => return Err(AwsError::sns_invalid("Topic Name")),
        }
        for (name, value) in &attributes {
            check_attribute(name, value).map_err(|error| error.within("Attributes Reason: "))?;
        }
        let arn = Arn::new(form.who.arn(&name)?).map_err(|_| AwsError::sns_invalid("Topic Name"))?;
        if form.get("DataProtectionPolicy").is_some_and(|text| !text.is_empty()) {
            return Err(AwsError::not_implemented("the parameter `DataProtectionPolicy`"));
        }
        Ok(Self { arn, account: form.who.account()?.clone(), attributes, tags: form.tags()? })
    }

    fn requirements(&self, _: &Who, _: &World) -> Result<Vec<Requirement>, AwsError> {
        let arn = self.arn.as_str().to_owned();
        let requirement = without_policy("SNS:CreateTopic", arn.clone(), &self.account);
        if self.tags.is_empty() {
            return Ok(vec![requirement]);
        }
        let describe = |requirement: Requirement| {
            let tagged = self.tags.iter().fold(requirement, |requirement, (key, value)| {
                requirement.with(format!("aws:RequestTag/{key}"), value.as_str())
            });
            tagged.with_many("aws:TagKeys", self.tags.keys().cloned())
        };
        let tag = without_policy("SNS:TagResource", arn, &self.account);
        Ok(vec![describe(requirement), describe(tag)])
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let answer = Fields::new().text("TopicArn", &self.arn);
        if let Ok(known) = scope.topic(&self.arn) {
            let shown = scope.world.accounts.shown(&known.policy);
            let differs = self.attributes.iter().any(|(name, value)| match name.as_str() {
                "Policy" => *shown != *value,
                name => known.attribute(name).unwrap_or_default() != value,
            });
            if differs {
                let text = "Attributes Reason: Topic already exists with different attributes";
                return Err(AwsError::sns_invalid(text));
            }
            if self.tags.iter().any(|(key, value)| known.tags.get(key) != Some(value)) {
                return Err(AwsError::sns_invalid("Tags Reason: Topic already exists with different tags"));
            }
            return Ok(Some(answer));
        }
        let mut topic =
            Topic::new(self.arn, self.account, scope.now).map_err(|error| AwsError::sns_policy(&error))?;
        for (name, value) in self.attributes {
            if name == "Policy" {
                topic.policy = topic_policy(&value, &topic.name, &scope.world.accounts)?;
            } else if !value.is_empty() {
                topic.attributes.insert(name, value);
            }
        }
        topic.tags = self.tags;
        scope.world.add_topic(topic);
        Ok(Some(answer))
    }
}

impl Action for DeleteTopic {
    const OP: Op = Op::DeleteTopic;

    fn read(form: &Form<'_>) -> Result<Self, AwsError> {
        Ok(Self { arn: form.topic("TopicArn")? })
    }

    fn requirements(&self, _: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![on_topic("SNS:DeleteTopic", &self.arn, world)?])
    }

    /// A topic that is not there is no error.
    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        scope.world.topics.remove(self.arn.as_str());
        Ok(None)
    }
}

impl Action for ListTopics {
    const OP: Op = Op::ListTopics;

    fn read(form: &Form<'_>) -> Result<Self, AwsError> {
        Ok(Self { page: form.page()? })
    }

    fn requirements(&self, who: &Who, _: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![without_policy("SNS:ListTopics", who.arn("*")?, who.account()?)])
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.who.account()?;
        let own = scope.world.topics.iter();
        let own = own.filter(|topic| topic.account == *account && topic.region == scope.who.region());
        let list = own.map(|topic| (topic.arn.as_str(), Fields::new().text("TopicArn", &topic.arn)));
        Ok(Some(self.page.list("Topics", list)))
    }
}
