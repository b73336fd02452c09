//! `GetTopicAttributes` and `SetTopicAttributes`: the policy among them.

use bucketproof_authz::{Arn, DocumentKind, Policy, PolicyError, PolicyKind, PolicySource};

use super::action::{Action, Scope, Who, on_topic};
use super::form::Form;
use crate::delivery::KEY_ATTRIBUTE;
use crate::error::AwsError;
use crate::operation::{Op, Requirement};
use crate::query::Fields;
use crate::state::{Accounts, RetryPolicy, World, default_policy_text};

#[derive(Debug)]
pub(super) struct GetTopicAttributes {
    arn: Arn,
}

#[derive(Debug)]
pub(super) struct SetTopicAttributes {
    arn: Arn,
    name: String,
    value: String,
}

/// Parses a policy for a topic and checks all that AWS checks when it is put.
pub(crate) fn topic_policy(text: &str, name: &str, accounts: &Accounts) -> Result<Policy, AwsError> {
    let source = PolicySource::new(PolicyKind::Topic, name);
    let policy = Policy::parse_valid(text, source, DocumentKind::Topic)
        .map_err(|error| AwsError::sns_policy(&error))?;
    match policy.principals().find(|entry| !accounts.knows(&entry.principal)) {
        None => Ok(accounts.bound(&policy)),
        Some(entry) => Err(AwsError::sns_policy(&PolicyError::invalid_principal(
            PolicyKind::Topic,
            &entry.text,
            entry.at,
        ))),
    }
}

/// Whether an attribute of a topic can be set to a value; what the emulator does not do is refused by name.
pub(crate) fn check_attribute(name: &str, value: &str) -> Result<(), AwsError> {
    match name {
        // Whether there is such a key shows with the first message.
        "Policy" | KEY_ATTRIBUTE => Ok(()),
        "DeliveryPolicy" | "ArchivePolicy" if value.is_empty() => Ok(()),
        "DisplayName" if value.chars().count() <= 100 => Ok(()),
        "DisplayName" => {
            Err(AwsError::sns_invalid("DisplayName Reason: must be at most 100 characters long"))
        }
        "DeliveryPolicy" => RetryPolicy::check_text(value, true)
            .map_err(|text| AwsError::sns_invalid(format!("DeliveryPolicy: {text}"))),
        "SignatureVersion" if matches!(value, "1" | "2") => Ok(()),
        "SignatureVersion" => {
            Err(AwsError::sns_invalid(format!("SignatureVersion: Invalid value [{value}]. Must be 1 or 2.")))
        }
        "TracingConfig" if value == "PassThrough" => Ok(()),
        "ContentBasedDeduplication" if value.eq_ignore_ascii_case("false") => Ok(()),
        "TracingConfig" | "ArchivePolicy" | "ContentBasedDeduplication" | "FifoThroughputScope" => {
            Err(AwsError::not_implemented(format!("the topic attribute `{name}` with the value `{value}`")))
        }
        name if name.ends_with("FeedbackRoleArn") || name.ends_with("FeedbackSampleRate") => {
            Err(AwsError::not_implemented(format!("the topic attribute `{name}`")))
        }
        _ => Err(AwsError::sns_invalid("AttributeName")),
    }
}

impl Action for GetTopicAttributes {
    const OP: Op = Op::GetTopicAttributes;

    fn read(form: &Form<'_>) -> Result<Self, AwsError> {
        Ok(Self { arn: form.topic("TopicArn")? })
    }

    fn requirements(&self, _: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![on_topic("SNS:GetTopicAttributes", &self.arn, world)?])
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let topic = scope.topic(&self.arn)?;
        let count = |pending: bool| {
            let all = scope.world.topics.subscriptions_of(topic.arn.as_str());
            all.filter(|subscription| subscription.is_pending == pending).count().to_string()
        };
        let mut entries = vec![
            ("TopicArn", topic.arn.to_string()),
            ("Owner", topic.account.to_string()),
            ("Policy", scope.world.accounts.shown(&topic.policy).into_owned()),
            ("DisplayName", topic.attribute("DisplayName").unwrap_or_default().to_owned()),
            ("SubscriptionsConfirmed", count(false)),
            ("SubscriptionsPending", count(true)),
            ("SubscriptionsDeleted", topic.deleted_subscriptions.to_string()),
            ("EffectiveDeliveryPolicy", RetryPolicy::effective_of_topic(topic.attribute("DeliveryPolicy"))),
        ];
        let others = topic.attributes.iter().filter(|(name, _)| *name != "DisplayName");
        entries.extend(others.map(|(name, value)| (name.as_str(), value.clone())));
        Ok(Some(Fields::new().map("Attributes", entries)))
    }
}

impl Action for SetTopicAttributes {
    const OP: Op = Op::SetTopicAttributes;

    fn read(form: &Form<'_>) -> Result<Self, AwsError> {
        Ok(Self {
            arn: form.topic("TopicArn")?,
            name: form.required("AttributeName")?,
            value: form.get("AttributeValue").unwrap_or_default().to_owned(),
        })
    }

    fn requirements(&self, _: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![on_topic("SNS:SetTopicAttributes", &self.arn, world)?])
    }

    /// An empty policy brings the first one back; what AWS makes of one is unverified.
    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let Self { arn, name, value } = self;
        let topic = scope.topic(&arn)?;
        check_attribute(&name, &value)?;
        if name == "Policy" {
            let text = if value.is_empty() { default_policy_text(&arn, &topic.account) } else { value };
            let policy = topic_policy(&text, &topic.name, &scope.world.accounts)?;
            scope.topic_mut(&arn)?.policy = policy;
            return Ok(None);
        }
        let attributes = &mut scope.topic_mut(&arn)?.attributes;
        if value.is_empty() {
            attributes.remove(&name);
        } else {
            attributes.insert(name, value);
        }
        Ok(None)
    }
}
