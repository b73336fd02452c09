//! `ListSubscriptions` and `ListSubscriptionsByTopic`.

use bucketproof_authz::Arn;

use super::action::{Action, Scope, Who, on_topic, without_policy};
use super::form::{Form, Page};
use super::show;
use crate::error::AwsError;
use crate::operation::{Op, Requirement};
use crate::query::Fields;
use crate::state::World;

#[derive(Debug)]
pub(super) struct ListSubscriptions {
    page: Page,
}

#[derive(Debug)]
pub(super) struct ListSubscriptionsByTopic {
    arn: Arn,
    page: Page,
}

impl Action for ListSubscriptions {
    const OP: Op = Op::ListSubscriptions;

    fn read(form: &Form<'_>) -> Result<Self, AwsError> {
        Ok(Self { page: form.page()? })
    }

    fn requirements(&self, who: &Who, _: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![without_policy("SNS:ListSubscriptions", who.arn("*")?, who.account()?)])
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.who.account()?;
        let here = format!("arn:aws:sns:{}:", scope.who.region());
        let own = scope.world.topics.subscriptions();
        let own = own.filter(|one| one.owner == *account && one.topic.starts_with(&here));
        let list = own.map(|subscription| (subscription.arn.as_str(), show::listed(subscription)));
        Ok(Some(self.page.list("Subscriptions", list)))
    }
}

impl Action for ListSubscriptionsByTopic {
    const OP: Op = Op::ListSubscriptionsByTopic;

    fn read(form: &Form<'_>) -> Result<Self, AwsError> {
        Ok(Self { arn: form.topic("TopicArn")?, page: form.page()? })
    }

    fn requirements(&self, _: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![on_topic("SNS:ListSubscriptionsByTopic", &self.arn, world)?])
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let topic = scope.topic(&self.arn)?;
        let all = scope.world.topics.subscriptions_of(topic.arn.as_str());
        let list = all.map(|subscription| (subscription.arn.as_str(), show::listed(subscription)));
        Ok(Some(self.page.list("Subscriptions", list)))
    }
}
