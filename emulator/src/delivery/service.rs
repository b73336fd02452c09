//! What services do by themselves: S3 publishes events, SNS sends messages on. Each is decided like any request.

use bucketproof_authz::{AccountId, Arn};

use crate::authorize::{Decided, decide_for_service};
use crate::operation::{RequiredResource, Requirement};
use crate::state::{Message, Queue, Sent, Subscription, What, World};

/// S3 as a principal.
pub(crate) const S3_SERVICE: &str = "s3.amazonaws.com";
/// SNS as a principal.
const SNS_SERVICE: &str = "sns.amazonaws.com";
/// How SNS signs its own name in a queue; AWS's differ by region.
const SNS_SENDER: &str = "AIDAISMY7JYY5F7RTT6AO";
/// The subject of events.
const EVENT_SUBJECT: &str = "Amazon S3 Notification";

fn for_source(requirement: Requirement, source: &str, account: &AccountId) -> Requirement {
    requirement.with("aws:SourceArn", source).with("aws:SourceAccount", account.as_str())
}

/// What S3 must be permitted to publish events of a bucket; absent if there is no such topic.
pub(crate) fn on_topic_for_bucket(
    arn: &str,
    bucket: &str,
    owner: &AccountId,
    world: &World,
) -> Option<Requirement> {
    let account = world.topics.get(arn)?.account.clone();
    let resource = RequiredResource::Topic { arn: arn.to_owned(), account };
    let source = format!("arn:aws:s3:::{bucket}");
    Some(for_source(Requirement::new("SNS:Publish", resource), &source, owner))
}

/// What S3 must be permitted to send events of a bucket; absent if there is no such queue.
pub(crate) fn on_queue_for_bucket(
    arn: &str,
    bucket: &str,
    owner: &AccountId,
    world: &World,
) -> Option<Requirement> {
    let source = format!("arn:aws:s3:::{bucket}");
    Some(for_source(on_queue(arn, world)?, &source, owner))
}

fn on_queue(arn: &str, world: &World) -> Option<Requirement> {
    let account = world.queues.get(arn)?.account.clone();
    Some(Requirement::new("sqs:SendMessage", RequiredResource::Queue { arn: arn.to_owned(), account }))
}

/// What became of a delivery that needs no network.
#[derive(Debug)]
pub(super) enum Handed {
    /// The receiver has it.
    Over(Option<Decided>),
    /// The receiver does not let the service in.
    Refused(Box<Decided>),
    /// There is no such receiver.
    Nowhere,
}

impl World {
    /// Gives a message to all who want it; answers its id.
    pub(crate) fn publish(&mut self, message: &Message) -> String {
        let (id, now) = (message.id.clone(), self.now);
        let all = self.topics.subscriptions_of(&message.topic);
        let wanted = all.filter(|subscription| !subscription.is_pending && subscription.wants(message));
        let arns: Vec<String> = wanted.map(|subscription| subscription.arn.clone()).collect();
        for subscription in arns {
            let message = Box::new(message.clone());
            self.outbox.add(now, What::Notification { subscription, message });
        }
        id
    }

    /// Brings an event to its topic or queue.
    pub(super) fn hand_event(
        &mut self,
        destination: &str,
        bucket: &str,
        owner: &AccountId,
        body: String,
    ) -> Handed {
        let is_topic = Arn::new(destination).is_ok_and(|arn| arn.service() == "sns");
        let requirement = if is_topic {
            on_topic_for_bucket(destination, bucket, owner, self)
        } else {
            on_queue_for_bucket(destination, bucket, owner, self)
        };
        let Some(requirement) = requirement else { return Handed::Nowhere };
        let decided = decide_for_service(S3_SERVICE, &requirement, self);
        if !decided.decision.is_allowed() {
            return Handed::Refused(Box::new(decided));
        }
        if is_topic {
            let message = Message {
                id: crate::ids::uuid(&self.entropy),
                topic: destination.to_owned(),
                subject: Some(EVENT_SUBJECT.to_owned()),
                text: body,
                texts: std::collections::BTreeMap::new(),
                attributes: std::collections::BTreeMap::new(),
                published_at: self.now,
            };
            self.publish(&message);
        } else {
            // The id of S3 in a queue; AWS's differ by region.
            let sent = Sent { body, sender: "AIDAJQR6QDGQ7PATMSYEY".to_owned(), ..Sent::default() };
            self.enqueue(destination, sent);
        }
        Handed::Over(Some(decided))
    }

    /// Brings a message of a topic to a queue that listens to it.
    pub(super) fn hand_notification(&mut self, subscription: &Subscription, sent: Sent) -> Handed {
        let arn = &subscription.endpoint;
        self.hand_from_topic(&subscription.topic, arn, sent)
    }

    /// Sends something to a queue on behalf of a topic.
    pub(super) fn hand_from_topic(&mut self, topic: &str, queue: &str, sent: Sent) -> Handed {
        let Some(requirement) = on_queue(queue, self) else { return Handed::Nowhere };
        let account = Arn::new(topic).ok().and_then(|arn| arn.account());
        let requirement = match &account {
            Some(account) => for_source(requirement, topic, account),
            None => requirement,
        };
        let decided = decide_for_service(SNS_SERVICE, &requirement, self);
        if !decided.decision.is_allowed() {
            return Handed::Refused(Box::new(decided));
        }
        self.enqueue(queue, Sent { sender: SNS_SENDER.to_owned(), ..sent });
        Handed::Over(Some(decided))
    }

    fn enqueue(&mut self, queue: &str, sent: Sent) {
        let (entropy, now) = (self.entropy.clone(), self.now);
        if let Some(queue) = self.queues.get_mut(queue) {
            Queue::send(queue, sent, &entropy, now);
        }
    }
}
