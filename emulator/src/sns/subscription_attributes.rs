//! `GetSubscriptionAttributes` and `SetSubscriptionAttributes`.

use std::collections::BTreeMap;

use bucketproof_authz::Arn;

use super::action::{Action, Scope, Who, without_policy};
use super::form::Form;
use crate::error::AwsError;
use crate::operation::{Op, Requirement};
use crate::query::Fields;
use crate::state::{FilterError, FilterPolicy, FilterScope, RetryPolicy, Subscription, World, syntax};

#[derive(Debug)]
pub(super) struct GetSubscriptionAttributes {
    arn: String,
}

#[derive(Debug)]
pub(super) struct SetSubscriptionAttributes {
    arn: String,
    name: String,
    value: String,
}

/// An action on a subscription: its owner may do it, and the owner of the topic.
pub(super) fn on_subscription(
    action: &'static str,
    arn: &str,
    who: &Who,
    world: &World,
) -> Result<Requirement, AwsError> {
    let account = who.account()?;
    let topic = arn.rsplit_once(':').map_or(arn, |(topic, _)| topic);
    let owner = world.topics.subscription(arn).map(|subscription| &subscription.owner);
    let of_topic = world.topic_account(topic);
    let is_own = owner.is_none() || owner == Some(account) || of_topic.as_ref() == Some(account);
    let owner = if is_own { account } else { owner.unwrap_or(account) };
    Ok(without_policy(action, topic.to_owned(), owner))
}

/// Whether an attribute of a subscription can be set to a value, beside the others.
pub(crate) fn check_attribute(
    name: &str,
    value: &str,
    others: &BTreeMap<String, String>,
) -> Result<(), AwsError> {
    match name {
        "RawMessageDelivery" if value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false") => {
            Ok(())
        }
        "RawMessageDelivery" => Err(AwsError::sns_invalid(format!(
            "RawMessageDelivery: Invalid value [{value}]. Must be true or false."
        ))),
        "FilterPolicyScope" => match FilterScope::parse(Some(value)) {
            None => Err(AwsError::sns_invalid(format!(
                "FilterPolicyScope: Invalid value [{value}]. Please use either MessageBody or MessageAttributes"
            ))),
            Some(scope) => match others.get("FilterPolicy") {
                Some(policy) => check_filter(policy, scope),
                None => Ok(()),
            },
        },
        "FilterPolicy" => {
            let scope = others.get("FilterPolicyScope").map(String::as_str);
            check_filter(value, FilterScope::parse(scope).unwrap_or_default())
        }
        "RedrivePolicy" => check_redrive(value),
        "DeliveryPolicy" if value.is_empty() => Ok(()),
        "DeliveryPolicy" => RetryPolicy::check_text(value, false)
            .map_err(|text| AwsError::sns_invalid(format!("DeliveryPolicy: {text}"))),
        "SubscriptionRoleArn" | "ReplayPolicy" => {
            Err(AwsError::not_implemented(format!("the subscription attribute `{name}`")))
        }
        _ => Err(AwsError::sns_invalid("AttributeName")),
    }
}

fn check_filter(text: &str, scope: FilterScope) -> Result<(), AwsError> {
    if text.is_empty() {
        return Ok(());
    }
    match FilterPolicy::parse(text, scope) {
        Ok(_) => Ok(()),
        Err(FilterError::Policy(text)) => Err(AwsError::sns_invalid(format!("FilterPolicy: {text}"))),
        // Recorded: said of the request alone.
        Err(FilterError::Request(text)) => Err(AwsError::sns_invalid(text)),
    }
}

fn check_redrive(text: &str) -> Result<(), AwsError> {
    if text.is_empty() {
        return Ok(());
    }
    let policy: serde_json::Value = serde_json::from_str(text)
        .map_err(|error| AwsError::sns_invalid(format!("RedrivePolicy: {}", syntax(text, &error))))?;
    let target = policy.get("deadLetterTargetArn").and_then(serde_json::Value::as_str).unwrap_or_default();
    match Arn::new(target) {
        Ok(arn) if arn.service() == "sqs" && arn.account().is_some() => Ok(()),
        _ => Err(AwsError::sns_invalid("RedrivePolicy: deadLetterTargetArn is an invalid arn")),
    }
}

impl Action for GetSubscriptionAttributes {
    const OP: Op = Op::GetSubscriptionAttributes;

    fn read(form: &Form<'_>) -> Result<Self, AwsError> {
        Ok(Self { arn: form.subscription()? })
    }

    fn requirements(&self, who: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![on_subscription("SNS:GetSubscriptionAttributes", &self.arn, who, world)?])
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let topics = &scope.world.topics;
        let found = topics.subscription(&self.arn).ok_or_else(AwsError::sns_no_subscription)?;
        let Subscription { arn, topic, protocol, endpoint, owner, principal, .. } = found;
        let mut entries = vec![
            ("SubscriptionArn", arn.clone()),
            ("TopicArn", topic.clone()),
            ("Protocol", protocol.as_str().to_owned()),
            ("Endpoint", endpoint.clone()),
            ("Owner", owner.to_string()),
            ("SubscriptionPrincipal", principal.clone()),
            ("PendingConfirmation", found.is_pending.to_string()),
            ("ConfirmationWasAuthenticated", found.confirmed_by_owner.to_string()),
            ("RawMessageDelivery", found.is_raw().to_string()),
        ];
        if let Some(policy) = found.attribute("FilterPolicy") {
            let scope = found.attribute("FilterPolicyScope").unwrap_or("MessageAttributes");
            entries.push(("FilterPolicy", policy.to_owned()));
            entries.push(("FilterPolicyScope", scope.to_owned()));
        }
        for name in ["RedrivePolicy", "DeliveryPolicy"] {
            entries.extend(found.attribute(name).map(|value| (name, value.to_owned())));
        }
        if let Some(own) = found.attribute("DeliveryPolicy") {
            let of_topic = topics.get(topic).and_then(|topic| topic.attribute("DeliveryPolicy"));
            entries.push((
                "EffectiveDeliveryPolicy",
                RetryPolicy::effective_of_subscription(Some(own), of_topic),
            ));
        }
        Ok(Some(Fields::new().map("Attributes", entries)))
    }
}

impl Action for SetSubscriptionAttributes {
    const OP: Op = Op::SetSubscriptionAttributes;

    fn read(form: &Form<'_>) -> Result<Self, AwsError> {
        Ok(Self {
            arn: form.subscription()?,
            name: form.required("AttributeName")?,
            value: form.get("AttributeValue").unwrap_or_default().to_owned(),
        })
    }

    fn requirements(&self, who: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![on_subscription("SNS:SetSubscriptionAttributes", &self.arn, who, world)?])
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let found = scope.world.topics.subscription_mut(&self.arn);
        let found = found.ok_or_else(AwsError::sns_no_subscription)?;
        check_attribute(&self.name, &self.value, &found.attributes)?;
        if self.value.is_empty() {
            found.attributes.remove(&self.name);
        } else {
            found.attributes.insert(self.name, self.value);
        }
        Ok(None)
    }
}
