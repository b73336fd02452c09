//! `ConfirmSubscription` and `Unsubscribe`: signed by somebody, or without a signature by whoever was told the URL.

use bucketproof_authz::Arn;
use http::StatusCode;

use super::action::{Action, Scope, Who, without_policy};
use super::form::{Form, arn};
use super::subscription_attributes::on_subscription;
use crate::error::AwsError;
use crate::ids;
use crate::operation::{Op, Requirement};
use crate::query::Fields;
use crate::state::{Confirmation, Protocol, What, World};

#[derive(Debug)]
pub(super) struct ConfirmSubscription {
    topic: Arn,
    token: String,
    guards_unsubscribe: bool,
}

#[derive(Debug)]
pub(super) struct Unsubscribe {
    arn: String,
}

/// Tokens are long and hexadecimal (recorded).
fn is_token(text: &str) -> bool {
    text.len() >= 200 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

impl Action for ConfirmSubscription {
    const OP: Op = Op::ConfirmSubscription;

    fn read(form: &Form<'_>) -> Result<Self, AwsError> {
        let text = form.required("TopicArn")?;
        // Recorded: the complaint speaks of the topic.
        let topic = arn("TopicArn", &text).ok().filter(|arn| {
            arn.service() == "sns"
                && form.who.region.as_deref().is_none_or(|region| region == arn.region())
                && !arn.resource().contains(':')
        });
        let topic = topic.ok_or_else(|| AwsError::sns_invalid("Topic"))?;
        let token = form.required("Token")?;
        if !is_token(&token) {
            return Err(AwsError::sns_invalid("Token"));
        }
        let guards_unsubscribe =
            form.get("AuthenticateOnUnsubscribe").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        Ok(Self { topic, token, guards_unsubscribe })
    }

    /// Who has the token needs nothing else; who signs must be permitted by the own account.
    fn requirements(&self, who: &Who, _: &World) -> Result<Vec<Requirement>, AwsError> {
        let Some(account) = &who.account else { return Ok(Vec::new()) };
        Ok(vec![without_policy("SNS:ConfirmSubscription", self.topic.to_string(), account)])
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let topic = self.topic.as_str();
        if scope.world.topics.get(topic).is_none() {
            return Err(AwsError::sns_invalid("Token"));
        }
        let arn = scope
            .world
            .topics
            .subscriptions_of(topic)
            .find(|subscription| subscription.token == self.token)
            .map(|subscription| subscription.arn.clone());
        let arn = match arn {
            Some(arn) => Some(arn),
            None => scope.world.topics.bring_back(topic, &self.token),
        };
        let Some(arn) = arn else {
            return Err(AwsError::new(StatusCode::BAD_REQUEST, "InvalidParameter", "Invalid token"));
        };
        let is_signed = scope.who.account.is_some();
        if let Some(subscription) = scope.world.topics.subscription_mut(&arn)
            && subscription.is_pending
        {
            subscription.is_pending = false;
            subscription.confirmed_by_owner = is_signed;
            subscription.guards_unsubscribe = self.guards_unsubscribe && is_signed;
        }
        Ok(Some(Fields::new().text("SubscriptionArn", arn)))
    }
}

impl Action for Unsubscribe {
    const OP: Op = Op::Unsubscribe;

    fn read(form: &Form<'_>) -> Result<Self, AwsError> {
        Ok(Self { arn: form.subscription()? })
    }

    fn requirements(&self, who: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        if who.account.is_some() {
            return Ok(vec![on_subscription("SNS:Unsubscribe", &self.arn, who, world)?]);
        }
        match world.topics.subscription(&self.arn) {
            Some(subscription) if subscription.guards_unsubscribe => {
                Err(AwsError::sts_missing_authentication())
            }
            _ => Ok(Vec::new()),
        }
    }

    /// A subscription that is not there is no error. One that cannot be ended is.
    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let found = scope.world.topics.subscription(&self.arn);
        if found.is_some_and(|subscription| subscription.is_pending) {
            return Err(AwsError::sns_invalid(
                "This operation can only be performed on a confirmed subscription",
            ));
        }
        let Some(mut ended) = scope.world.topics.unsubscribe(&self.arn) else { return Ok(None) };
        let is_told =
            scope.who.account.is_none() && matches!(ended.protocol, Protocol::Http | Protocol::Https);
        if is_told {
            // The endpoint is told, and can bring the subscription back.
            ended.token = ids::confirmation_token(&scope.world.entropy);
            ended.created_at = scope.now;
            ended.is_pending = true;
            let farewell = Confirmation {
                topic: ended.topic.clone(),
                subscription: ended.arn.clone(),
                endpoint: ended.endpoint.clone(),
                token: ended.token.clone(),
                message_id: ids::uuid(&scope.world.entropy),
                created_at: scope.now,
                is_farewell: true,
            };
            scope.world.outbox.add(scope.now, What::Confirmation(farewell));
            scope.world.topics.keep_ended(ended);
        }
        Ok(None)
    }
}
