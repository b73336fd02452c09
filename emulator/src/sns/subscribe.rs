//! `Subscribe`.

use std::collections::BTreeMap;

use bucketproof_authz::{AccountId, Arn};

use super::action::{Action, Scope, Who, on_topic};
use super::form::{Form, arn};
use super::subscription_attributes::check_attribute;
use crate::error::AwsError;
use crate::ids;
use crate::operation::{Op, Requirement};
use crate::query::Fields;
use crate::state::{Confirmation, Protocol, Subscription, What, World};

/// The protocols that SNS has and the emulator does not speak.
const OTHER_PROTOCOLS: [&str; 6] = ["application", "email", "email-json", "firehose", "lambda", "sms"];

#[derive(Debug)]
pub(super) struct Subscribe {
    topic: Arn,
    protocol: Protocol,
    endpoint: String,
    account: AccountId,
    attributes: BTreeMap<String, String>,
    returns_arn: bool,
}

impl Subscribe {
    /// A queue of the caller's own account is known to be wanted.
    fn needs_confirmation(&self) -> bool {
        match self.protocol {
            Protocol::Http | Protocol::Https => true,
            Protocol::Sqs => {
                Arn::new(&self.endpoint).ok().and_then(|arn| arn.account()).as_ref() != Some(&self.account)
            }
        }
    }
}

fn protocol(text: &str) -> Result<Protocol, AwsError> {
    match Protocol::parse(text) {
        Some(protocol) => Ok(protocol),
        None if OTHER_PROTOCOLS.contains(&text) => {
            Err(AwsError::not_implemented(format!("a subscription with the protocol `{text}`")))
        }
        None => {
            Err(AwsError::sns_invalid(format!("Amazon SNS does not support this protocol string: {text}")))
        }
    }
}

pub(crate) fn check_endpoint(protocol: Protocol, endpoint: &str) -> Result<(), AwsError> {
    let fits = match protocol {
        Protocol::Http | Protocol::Https => {
            let uri = endpoint.parse::<http::Uri>().ok();
            uri.is_some_and(|uri| uri.scheme_str() == Some(protocol.as_str()) && uri.host().is_some())
        }
        Protocol::Sqs => {
            let queue = arn("Endpoint", endpoint).ok().filter(|arn| arn.service() == "sqs");
            let Some(queue) = queue.filter(|arn| arn.account().is_some() && !arn.resource().is_empty())
            else {
                return Err(AwsError::sns_invalid("SQS endpoint ARN"));
            };
            if queue.resource().strip_suffix(".fifo").is_some() {
                let text = "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics";
                return Err(AwsError::sns_invalid(text));
            }
            true
        }
    };
    if fits { Ok(()) } else { Err(AwsError::sns_invalid("Endpoint must match the specified protocol")) }
}

impl Action for Subscribe {
    const OP: Op = Op::Subscribe;

    fn read(form: &Form<'_>) -> Result<Self, AwsError> {
        let topic = form.topic("TopicArn")?;
        let protocol = protocol(&form.required("Protocol")?)?;
        let endpoint = form.required("Endpoint")?;
        check_endpoint(protocol, &endpoint)?;
        let mut attributes = form.map("Attributes");
        for (name, value) in &attributes {
            check_attribute(name, value, &attributes).map_err(|error| error.within("Attributes Reason: "))?;
        }
        attributes.retain(|_, value| !value.is_empty());
        let returns_arn =
            form.get("ReturnSubscriptionArn").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let account = form.who.account()?.clone();
        Ok(Self { topic, protocol, endpoint, account, attributes, returns_arn })
    }

    fn requirements(&self, _: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let requirement = on_topic("SNS:Subscribe", &self.topic, world)?;
        let described = requirement.with("sns:Protocol", self.protocol.as_str());
        Ok(vec![described.with("sns:Endpoint", self.endpoint.as_str())])
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let topic = scope.topic(&self.topic)?.arn.to_string();
        let needs_confirmation = self.needs_confirmation();
        let known = scope.world.topics.find_subscription(&topic, self.protocol, &self.endpoint);
        let subscription = match known {
            Some(known) => {
                if self.attributes.iter().any(|(name, value)| known.attribute(name) != Some(value)) {
                    let text = "Attributes Reason: Subscription already exists with different attributes";
                    return Err(AwsError::sns_invalid(text));
                }
                known.clone()
            }
            None => Subscription {
                arn: format!("{topic}:{}", ids::uuid(&scope.world.entropy)),
                topic,
                protocol: self.protocol,
                endpoint: self.endpoint,
                owner: self.account,
                principal: scope.who.principal.clone(),
                token: ids::confirmation_token(&scope.world.entropy),
                created_at: scope.now,
                is_pending: needs_confirmation,
                confirmed_by_owner: !needs_confirmation,
                guards_unsubscribe: false,
                attributes: self.attributes,
            },
        };
        if subscription.is_pending {
            // Asked again at each call.
            let confirmation = Confirmation {
                topic: subscription.topic.clone(),
                subscription: subscription.arn.clone(),
                endpoint: subscription.endpoint.clone(),
                token: subscription.token.clone(),
                message_id: ids::uuid(&scope.world.entropy),
                created_at: scope.now,
                is_farewell: false,
            };
            scope.world.outbox.add(scope.now, What::Confirmation(confirmation));
        }
        let shown = if subscription.is_pending && !self.returns_arn {
            "pending confirmation".to_owned()
        } else {
            subscription.arn.clone()
        };
        scope.world.topics.subscribe(subscription);
        Ok(Some(Fields::new().text("SubscriptionArn", shown)))
    }
}
