//! Topics, queues and notifications of buckets in a scenario.

use std::collections::BTreeMap;

use bucketproof_authz::{AccountId, Arn};
use toml::Spanned;

use super::build::Builder;
use super::{ScenarioError, document};
use crate::delivery::KEY_ATTRIBUTE;
use crate::error::AwsError;
use crate::ids;
use crate::s3::{NewNotification, Notifications, is_region};
use crate::sns::{
    check_endpoint, check_subscription_attribute, check_topic_attribute, is_topic_name, topic_policy,
};
use crate::sqs::{check_queue_attribute, is_queue_name, queue_policy};
use crate::state::{Protocol, Queue, Subscription, Topic, uuid_number};

const REGION: &str = "us-east-1";

impl Builder<'_> {
    pub(super) fn queue(
        &mut self,
        given: &document::Queue,
        account: &document::Account,
    ) -> Result<(), ScenarioError> {
        let name = given.name.get_ref();
        let arn = self.messaging_arn("sqs", &given.name, given.region.as_ref(), account)?;
        if !is_queue_name(name) {
            let message = format!("field `name` of the queue is `{name}`");
            let help = "a queue name has 1 to 80 letters, digits, hyphens and underscores";
            return Err(self.error(&given.name, message, help));
        }
        if self.world.queues.get(arn.as_str()).is_some() {
            let message = format!("the queue `{name}` is declared twice");
            return Err(self.error(&given.name, message, "give each queue of a region a name of its own"));
        }
        let owner = arn.account().ok_or_else(|| self.error(&account.id, "the account has no id", ""))?;
        let mut queue = Queue::new(arn, owner, self.now);
        if let Some(policy) = &given.policy {
            let (text, _) = self.policy_text(policy)?;
            queue.policy = Some(
                queue_policy(text, name, &self.world.accounts)
                    .map_err(|error| self.refused(policy, "policy", name, &error))?,
            );
        }
        for (attribute, value) in &given.attributes {
            check_queue_attribute(attribute.get_ref(), value, &self.world)
                .map_err(|error| self.refused(attribute, attribute.get_ref(), name, &error))?;
            queue.attributes.insert(attribute.get_ref().clone(), value.clone());
        }
        queue.tags.clone_from(&given.tags);
        self.world.queues.insert(queue);
        Ok(())
    }

    pub(super) fn topic(
        &mut self,
        given: &document::Topic,
        account: &document::Account,
    ) -> Result<(), ScenarioError> {
        let name = given.name.get_ref();
        let arn = self.messaging_arn("sns", &given.name, given.region.as_ref(), account)?;
        if !is_topic_name(name) {
            let message = format!("field `name` of the topic is `{name}`");
            let help = "a topic name has 1 to 256 letters, digits, hyphens and underscores";
            return Err(self.error(&given.name, message, help));
        }
        if self.world.topics.get(arn.as_str()).is_some() {
            let message = format!("the topic `{name}` is declared twice");
            return Err(self.error(&given.name, message, "give each topic of a region a name of its own"));
        }
        let owner = arn.account().ok_or_else(|| self.error(&account.id, "the account has no id", ""))?;
        let mut topic = Topic::new(arn, owner.clone(), self.now)
            .map_err(|error| self.error(&given.name, error.to_string(), "give the topic a policy"))?;
        if let Some(policy) = &given.policy {
            let (text, _) = self.policy_text(policy)?;
            topic.policy = topic_policy(text, name, &self.world.accounts)
                .map_err(|error| self.refused(policy, "policy", name, &error))?;
        }
        let version = given.signature_version.as_ref();
        let version = version.map(|version| Spanned::new(version.span(), version.get_ref().to_string()));
        for (attribute, field, value) in [
            ("DisplayName", "display_name", given.display_name.as_ref()),
            ("SignatureVersion", "signature_version", version.as_ref()),
            ("DeliveryPolicy", "delivery_policy", given.delivery_policy.as_ref()),
            (KEY_ATTRIBUTE, "kms_key", given.kms_key.as_ref()),
        ] {
            let Some(value) = value else { continue };
            check_topic_attribute(attribute, value.get_ref())
                .map_err(|error| self.refused(value, field, name, &error))?;
            topic.attributes.insert(attribute.to_owned(), value.get_ref().clone());
        }
        topic.tags.clone_from(&given.tags);
        let arn = topic.arn.clone();
        self.world.add_topic(topic);
        for subscription in &given.subscription {
            self.subscription(subscription, &arn, &owner)?;
        }
        Ok(())
    }

    fn subscription(
        &mut self,
        given: &document::Subscription,
        topic: &Arn,
        owner: &AccountId,
    ) -> Result<(), ScenarioError> {
        let (protocol, endpoint) = (given.protocol.get_ref(), given.endpoint.get_ref());
        let Some(protocol) = Protocol::parse(protocol) else {
            let message = format!("field `protocol` of a subscription is `{protocol}`");
            return Err(self.error(&given.protocol, message, "use `http`, `https` or `sqs`"));
        };
        check_endpoint(protocol, endpoint)
            .map_err(|error| self.refused(&given.endpoint, "endpoint", endpoint, &error))?;
        if self.world.topics.find_subscription(topic.as_str(), protocol, endpoint).is_some() {
            let message = format!("the subscription of `{endpoint}` is declared twice");
            return Err(self.error(&given.endpoint, message, "an endpoint listens to a topic once"));
        }
        let id = match &given.id {
            None => ids::uuid(&self.world.entropy),
            Some(id) if uuid_number(id.get_ref()).is_some() => id.get_ref().clone(),
            Some(id) => {
                let message = format!("field `id` of a subscription is `{}`", id.get_ref());
                let help = "it is a UUID such as `1234abcd-12ab-34cd-56ef-1234567890ab`";
                return Err(self.error(id, message, help));
            }
        };
        let redrive = given.dead_letter_queue.as_ref().map(|queue| {
            let policy = serde_json::json!({ "deadLetterTargetArn": queue.get_ref() }).to_string();
            Spanned::new(queue.span(), policy)
        });
        let mut attributes = BTreeMap::new();
        for (attribute, field, value) in [
            ("FilterPolicyScope", "filter_policy_scope", given.filter_policy_scope.as_ref()),
            ("FilterPolicy", "filter_policy", given.filter_policy.as_ref()),
            ("RedrivePolicy", "dead_letter_queue", redrive.as_ref()),
            ("DeliveryPolicy", "delivery_policy", given.delivery_policy.as_ref()),
        ] {
            let Some(value) = value else { continue };
            check_subscription_attribute(attribute, value.get_ref(), &attributes)
                .map_err(|error| self.refused(value, field, endpoint, &error))?;
            attributes.insert(attribute.to_owned(), value.get_ref().clone());
        }
        if given.raw {
            attributes.insert("RawMessageDelivery".to_owned(), "true".to_owned());
        }
        let subscription = Subscription {
            arn: format!("{topic}:{id}"),
            topic: topic.as_str().to_owned(),
            protocol,
            endpoint: endpoint.clone(),
            owner: owner.clone(),
            principal: format!("arn:aws:iam::{owner}:root"),
            token: ids::confirmation_token(&self.world.entropy),
            created_at: self.now,
            is_pending: false,
            confirmed_by_owner: true,
            guards_unsubscribe: false,
            attributes,
        };
        self.world.topics.subscribe(subscription);
        Ok(())
    }

    /// What a bucket tells others, checked as a request that puts it is.
    pub(super) fn notifications(&mut self, bucket: &document::Bucket) -> Result<(), ScenarioError> {
        let Some(first) = bucket.notifications.first() else { return Ok(()) };
        let name = bucket.name.get_ref();
        let mut rules = Vec::new();
        for rule in &bucket.notifications {
            let document::Notification { id, topic, queue, events, prefix, suffix } = rule.get_ref().clone();
            let (Some(arn), 1) = (
                topic.clone().or(queue.clone()),
                usize::from(topic.is_some()) + usize::from(queue.is_some()),
            ) else {
                let message =
                    format!("a notification of the bucket `{name}` needs exactly one of `topic` and `queue`");
                return Err(self.error(rule, message, "give the ARN of a topic or of a queue"));
            };
            rules.push(NewNotification { id, arn, events, prefix, suffix });
        }
        self.world.now = self.now;
        let notifications = Notifications::of_rules(rules)
            .map_err(|error| self.refused(first, "notifications", name, &error))?;
        let checked = match self.world.buckets.get(name) {
            Some(bucket) => notifications.check_destinations(bucket, &self.world),
            None => Ok(()),
        };
        self.world.decided.lock().clear();
        checked.map_err(|error| self.refused(first, "notifications", name, &error))?;
        if let Some(bucket) = self.world.buckets.get_mut(name) {
            bucket.settings.notifications = notifications;
        }
        Ok(())
    }

    fn messaging_arn(
        &self,
        service: &str,
        name: &Spanned<String>,
        region: Option<&Spanned<String>>,
        account: &document::Account,
    ) -> Result<Arn, ScenarioError> {
        if let Some(region) = region.filter(|region| !is_region(region.get_ref())) {
            let message = format!("field `region` of `{}` is `{}`", name.get_ref(), region.get_ref());
            return Err(self.error(region, message, "give a region such as `eu-west-1`"));
        }
        let region = region.map_or(REGION, |region| region.get_ref());
        Arn::new(format!("arn:aws:{service}:{region}:{}:{}", account.id.get_ref(), name.get_ref()))
            .map_err(|error| self.error(name, error.to_string(), "choose another name"))
    }

    /// What a request would be refused with.
    fn refused<T>(&self, place: &Spanned<T>, field: &str, of: &str, error: &AwsError) -> ScenarioError {
        let details: Vec<&str> = error.details.iter().map(|(_, value)| value.as_str()).collect();
        let details = if details.is_empty() { String::new() } else { format!(" ({})", details.join(": ")) };
        let message = format!("field `{field}` of `{of}`: {}{details}", error.message);
        self.error(place, message, "AWS refuses this too; see the message")
    }
}
