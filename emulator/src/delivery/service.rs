//! What services do by themselves: S3 publishes events, SNS sends messages on. Each is decided like any request.

use bucketproof_authz::{AccountId, Arn};

use super::message_key::{key_requirements_to_write, usable};
use crate::authorize::{Decided, decide_for_service};
use crate::error::AwsError;
use crate::operation::{RequiredResource, Requirement};
use crate::state::{Message, Queue, Sent, Subscription, What, World};

/// S3 as a principal.
const S3_SERVICE: &str = "s3.amazonaws.com";
/// SNS as a principal.
const SNS_SERVICE: &str = "sns.amazonaws.com";
/// How SNS signs its own name in a queue; AWS's differ by region.
const SNS_SENDER: &str = "AIDAISMY7JYY5F7RTT6AO";
/// The subject of events.
const EVENT_SUBJECT: &str = "Amazon S3 Notification";

fn for_source(requirement: Requirement, source: &str, account: &AccountId) -> Requirement {
    requirement.with("aws:SourceArn", source).with("aws:SourceAccount", account.as_str())
}

fn on_topic(arn: &str, world: &World) -> Option<Requirement> {
    let account = world.topics.get(arn)?.account.clone();
    Some(Requirement::new("SNS:Publish", RequiredResource::Topic { arn: arn.to_owned(), account }))
}

fn on_queue(arn: &str, world: &World) -> Option<Requirement> {
    let account = world.queues.get(arn)?.account.clone();
    Some(Requirement::new("sqs:SendMessage", RequiredResource::Queue { arn: arn.to_owned(), account }))
}

/// What a service was told when it asked a topic or queue to let it in.
#[derive(Debug)]
pub(crate) struct Asked {
    /// On the topic or queue itself, then on its key; the last one may be a denial.
    pub(crate) decided: Vec<Decided>,
    /// Why the key cannot be used, whoever may use it.
    pub(crate) defect: Option<String>,
}

impl Asked {
    pub(crate) fn is_allowed(&self) -> bool {
        self.defect.is_none() && self.decided.iter().all(|decided| decided.decision.is_allowed())
    }
}

/// Whether S3 may bring events of a bucket to a topic or queue; absent if that is not there.
pub(crate) fn ask_for_bucket(
    destination: &str,
    bucket: &str,
    owner: &AccountId,
    world: &World,
) -> Option<Asked> {
    let needed = on_topic(destination, world).or_else(|| on_queue(destination, world))?;
    Some(ask(S3_SERVICE, needed, destination, Some((&format!("arn:aws:s3:::{bucket}"), owner)), world))
}

/// Asks for `needed`, and for the key of the destination if it has one, until something is denied.
fn ask(
    service: &str,
    needed: Requirement,
    destination: &str,
    source: Option<(&str, &AccountId)>,
    world: &World,
) -> Asked {
    let all = std::iter::once(needed).chain(key_requirements_to_write(destination, world));
    let mut decided: Vec<Decided> = Vec::new();
    for requirement in all {
        let requirement = match source {
            Some((source, account)) => for_source(requirement, source, account),
            None => requirement,
        };
        let one = decide_for_service(service, &requirement, world);
        let is_allowed = one.decision.is_allowed();
        decided.push(one);
        if !is_allowed {
            return Asked { decided, defect: None };
        }
    }
    let defect = usable(destination, world).err().map(|error| AwsError::from(error).message);
    Asked { decided, defect }
}

/// What became of a delivery that needs no network.
#[derive(Debug)]
pub(super) enum Handed {
    /// The receiver has it.
    Over(Asked),
    /// The receiver does not let the service in, or its key does not.
    Refused(Asked),
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
        let Some(asked) = ask_for_bucket(destination, bucket, owner, self) else { return Handed::Nowhere };
        if !asked.is_allowed() {
            return Handed::Refused(asked);
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
        Handed::Over(asked)
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
        let source = account.as_ref().map(|account| (topic, account));
        let asked = ask(SNS_SERVICE, requirement, queue, source, self);
        if !asked.is_allowed() {
            return Handed::Refused(asked);
        }
        self.enqueue(queue, Sent { sender: SNS_SENDER.to_owned(), ..sent });
        Handed::Over(asked)
    }

    fn enqueue(&mut self, queue: &str, sent: Sent) {
        let (entropy, now) = (self.entropy.clone(), self.now);
        if let Some(queue) = self.queues.get_mut(queue) {
            Queue::send(queue, sent, &entropy, now);
        }
    }
}
