//! The KMS key that a topic or a queue keeps its messages under, and what it takes to use it.
//!
//! Who publishes or sends needs `kms:GenerateDataKey` and `kms:Decrypt`, who receives needs `kms:Decrypt`. S3 and SNS come
//! as service principals, which the policy of the key must let in by name; the policies of the keys that AWS manages never
//! do, so events do not reach a topic or queue under one of them.
//!
//! Source: SNS Developer Guide, "Securing Amazon SNS data with server-side encryption"; SQS Developer Guide, "Key
//! management"; S3 User Guide, "Granting permissions to publish event notification messages to a destination". That a
//! message is sealed with the key cannot be seen from outside; it is not done here.

use bucketproof_authz::{Arn, EncryptionContext};
use jiff::Timestamp;

use crate::error::AwsError;
use crate::kms;
use crate::operation::Requirement;
use crate::state::{KeyError, KeyScope, Keys, MessagingService, Queue, ResolvedKey, Topic, World};

/// The attribute that names the key: an id, an ARN or an alias.
pub(crate) const KEY_ATTRIBUTE: &str = "KmsMasterKeyId";

/// The key of one topic or queue.
#[derive(Clone, Debug)]
pub(crate) struct MessageKey {
    key: ResolvedKey,
    context: EncryptionContext,
    service: MessagingService,
}

impl MessageKey {
    /// Absent for a topic whose messages are not encrypted with a KMS key.
    pub(crate) fn of_topic(topic: &Topic, keys: &Keys) -> Result<Option<Self>, KeyError> {
        let scope = KeyScope::new(topic.account.clone(), topic.region.as_str());
        Self::of(MessagingService::Sns, &topic.arn, topic.attribute(KEY_ATTRIBUTE), &scope, keys)
    }

    /// Absent for a queue whose messages are not encrypted with a KMS key.
    pub(crate) fn of_queue(queue: &Queue, keys: &Keys) -> Result<Option<Self>, KeyError> {
        let scope = KeyScope::new(queue.account.clone(), queue.region.as_str());
        let named = queue.attributes.get(KEY_ATTRIBUTE).map(String::as_str);
        Self::of(MessagingService::Sqs, &queue.arn, named, &scope, keys)
    }

    /// The same by the ARN of what is asked; absent also where that is not there.
    pub(crate) fn of_destination(arn: &str, world: &World) -> Result<Option<Self>, KeyError> {
        if let Some(topic) = world.topics.get(arn) {
            return Self::of_topic(topic, &world.keys);
        }
        world.queues.get(arn).map_or(Ok(None), |queue| Self::of_queue(queue, &world.keys))
    }

    fn of(
        service: MessagingService,
        holder: &Arn,
        named: Option<&str>,
        scope: &KeyScope,
        keys: &Keys,
    ) -> Result<Option<Self>, KeyError> {
        let Some(named) = named else { return Ok(None) };
        let name = match service {
            MessagingService::Sns => "aws:sns:topicArn",
            MessagingService::Sqs => "aws:sqs:arn",
        };
        let context = EncryptionContext::from([(name.to_owned(), holder.to_string())]);
        Ok(Some(Self { key: keys.resolve(scope, named)?, context, service }))
    }

    fn permission(&self, action: &'static str) -> Requirement {
        let service = match self.service {
            MessagingService::Sns => "sns",
            MessagingService::Sqs => "sqs",
        };
        kms::on_behalf(service, action, self.key.clone(), &self.context)
    }

    /// What it takes to put messages in.
    pub(crate) fn to_write(&self) -> [Requirement; 2] {
        ["kms:GenerateDataKey", "kms:Decrypt"].map(|action| self.permission(action))
    }

    /// What it takes to get messages out.
    pub(crate) fn to_read(&self) -> Requirement {
        self.permission("kms:Decrypt")
    }
}

/// The permissions on the key of a topic or queue; none if it cannot be told which key is meant, which
/// [`check_key`] refuses.
pub(crate) fn key_requirements_to_write(arn: &str, world: &World) -> Vec<Requirement> {
    let key = MessageKey::of_destination(arn, world).ok().flatten();
    key.map(|key| key.to_write().to_vec()).unwrap_or_default()
}

/// The same of who receives.
pub(crate) fn key_requirement_to_read(arn: &str, world: &World) -> Option<Requirement> {
    MessageKey::of_destination(arn, world).ok().flatten().map(|key| key.to_read())
}

/// Whether the key of a topic or queue, if it has one, can be used now.
pub(crate) fn check_key(arn: &str, world: &mut World, now: Timestamp) -> Result<(), AwsError> {
    let service = if world.topics.get(arn).is_some() { MessagingService::Sns } else { MessagingService::Sqs };
    let in_words = |error: KeyError| error.in_messaging(service);
    if let Some(MessageKey { key, .. }) = MessageKey::of_destination(arn, world).map_err(in_words)? {
        world.make_if_managed(&key, now).map_err(in_words)?;
    }
    usable(arn, world).map_err(in_words)
}

/// The same in the words of KMS; a managed key that was not used yet is fine.
pub(super) fn usable(arn: &str, world: &World) -> Result<(), KeyError> {
    let Some(MessageKey { key, .. }) = MessageKey::of_destination(arn, world)? else { return Ok(()) };
    match world.keys.get(&key) {
        Err(_) if world.keys.policy_of(&key).is_some() => Ok(()),
        found => found?.check_usable(),
    }
}
