//! The documents that SNS sends, and how they are signed.
//!
//! Source: SNS Developer Guide, "HTTP/HTTPS notification JSON format" and "Verifying the signatures of Amazon SNS
//! messages", and recorded messages.

use serde_json::{Map, Value, json};

use super::signer::{Digest, Signer};
use crate::head::encode;
use crate::s3::milliseconds;
use crate::state::{Confirmation, Message, Subscription};

/// What a subscriber is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outgoing {
    pub(super) kind: &'static str,
    pub(super) message_id: String,
    pub(super) topic: String,
    /// Absent in the question for a confirmation.
    pub(super) subscription: Option<String>,
    pub(super) content_type: String,
    pub(super) is_raw: bool,
    pub(super) body: String,
}

/// Where the emulator is for those who get messages of a topic.
#[derive(Clone, Debug)]
pub(super) struct Links<'a> {
    /// Without a slash at its end.
    pub(super) base: &'a str,
}

impl Links<'_> {
    fn confirm(&self, topic: &str, token: &str) -> String {
        format!("{}/?Action=ConfirmSubscription&TopicArn={}&Token={token}", self.base, arn_in_url(topic))
    }

    fn unsubscribe(&self, subscription: &str) -> String {
        format!("{}/?Action=Unsubscribe&SubscriptionArn={}", self.base, arn_in_url(subscription))
    }

    fn certificate(&self, signer: &Signer) -> String {
        format!("{}/{}", self.base, signer.certificate_name())
    }
}

/// The colons of an ARN stay as they are (recorded).
fn arn_in_url(arn: &str) -> String {
    encode(arn).replace("%3A", ":")
}

/// A message as subscribers without raw delivery get it.
pub(super) fn notification(
    subscription: &Subscription,
    message: &Message,
    signer: &Signer,
    digest: Digest,
    links: &Links<'_>,
) -> String {
    let mut document = Map::new();
    let mut add = |name: &str, value: Value| drop(document.insert(name.to_owned(), value));
    add("Type", "Notification".into());
    add("MessageId", message.id.as_str().into());
    add("TopicArn", message.topic.as_str().into());
    if let Some(subject) = &message.subject {
        add("Subject", subject.as_str().into());
    }
    add("Message", message.text_for(subscription.protocol).into());
    add("Timestamp", milliseconds(message.published_at).into());
    sign(
        &mut document,
        &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
        signer,
        digest,
        links,
    );
    document.insert("UnsubscribeURL".to_owned(), links.unsubscribe(&subscription.arn).into());
    if !message.attributes.is_empty() {
        let attributes = message.attributes.iter().map(|(name, attribute)| {
            (name.clone(), json!({ "Type": attribute.data_type, "Value": attribute.value }))
        });
        document.insert("MessageAttributes".to_owned(), Value::Object(attributes.collect()));
    }
    pretty(&document)
}

/// The question for a confirmation, or the word that a subscription was ended.
pub(super) fn confirmation(
    confirmation: &Confirmation,
    signer: &Signer,
    digest: Digest,
    links: &Links<'_>,
) -> (&'static str, String) {
    let Confirmation { topic, subscription, token, message_id, created_at, is_farewell, .. } = confirmation;
    let (kind, text) = if *is_farewell {
        let text = format!(
            "You have chosen to deactivate subscription {subscription}.\nTo cancel this operation and restore the \
             subscription, visit the SubscribeURL included in this message."
        );
        ("UnsubscribeConfirmation", text)
    } else {
        let text = format!(
            "You have chosen to subscribe to the topic {topic}.\nTo confirm the subscription, visit the SubscribeURL \
             included in this message."
        );
        ("SubscriptionConfirmation", text)
    };
    let mut document = Map::new();
    for (name, value) in [
        ("Type", kind.to_owned()),
        ("MessageId", message_id.clone()),
        ("Token", token.clone()),
        ("TopicArn", topic.clone()),
        ("Message", text),
        ("SubscribeURL", links.confirm(topic, token)),
        ("Timestamp", milliseconds(*created_at)),
    ] {
        document.insert(name.to_owned(), value.into());
    }
    let names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];
    sign(&mut document, &names, signer, digest, links);
    (kind, pretty(&document))
}

/// Adds the signature over the named members, as far as they are there, and where to find its certificate.
fn sign(
    document: &mut Map<String, Value>,
    names: &[&str],
    signer: &Signer,
    digest: Digest,
    links: &Links<'_>,
) {
    let mut text = String::new();
    for name in names {
        if let Some(value) = document.get(*name).and_then(Value::as_str) {
            text.extend([name, "\n", value, "\n"]);
        }
    }
    document.insert("SignatureVersion".to_owned(), digest.version().into());
    document.insert("Signature".to_owned(), signer.sign(text.as_bytes(), digest).into());
    document.insert("SigningCertURL".to_owned(), links.certificate(signer).into());
}

fn pretty(document: &Map<String, Value>) -> String {
    serde_json::to_string_pretty(document).unwrap_or_default()
}

/// A message for an HTTP endpoint.
pub(super) fn outgoing(
    subscription: &Subscription,
    message: &Message,
    content_type: String,
    document: impl FnOnce() -> String,
) -> Outgoing {
    let is_raw = subscription.is_raw();
    let body = if is_raw { message.text_for(subscription.protocol).to_owned() } else { document() };
    Outgoing {
        kind: "Notification",
        message_id: message.id.clone(),
        topic: message.topic.clone(),
        subscription: Some(subscription.arn.clone()),
        content_type,
        is_raw,
        body,
    }
}
