//! The document that SNS sends, and the text that its signature is over.

use jiff::Timestamp;
use serde::Deserialize;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(in crate::import) enum Kind {
    Notification,
    SubscriptionConfirmation,
    UnsubscribeConfirmation,
}

/// A message as it comes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::import) struct Envelope {
    #[serde(rename = "Type")]
    pub(in crate::import) kind: Kind,
    pub(in crate::import) message_id: String,
    pub(in crate::import) topic_arn: String,
    pub(in crate::import) message: String,
    pub(in crate::import) timestamp: Timestamp,
    /// As it is signed.
    #[serde(skip)]
    pub(in crate::import) timestamp_text: String,
    pub(in crate::import) subject: Option<String>,
    pub(in crate::import) token: Option<String>,
    #[serde(rename = "SubscribeURL")]
    pub(in crate::import) subscribe_url: Option<String>,
    pub(in crate::import) signature_version: Option<String>,
    pub(in crate::import) signature: Option<String>,
    #[serde(rename = "SigningCertURL")]
    pub(in crate::import) signing_cert_url: Option<String>,
}

#[derive(Deserialize)]
struct Stamp {
    #[serde(rename = "Timestamp")]
    text: String,
}

impl Envelope {
    /// Reads a message; what is wrong with it is told in words.
    pub(in crate::import) fn parse(text: &[u8]) -> Result<Self, String> {
        let mut envelope: Self = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        let stamp: Stamp = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        envelope.timestamp_text = stamp.text;
        Ok(envelope)
    }

    /// The text that the signature is over: names and values, in the order of the names, each on a line.
    pub(super) fn signed_text(&self) -> String {
        let kind = match self.kind {
            Kind::Notification => "Notification",
            Kind::SubscriptionConfirmation => "SubscriptionConfirmation",
            Kind::UnsubscribeConfirmation => "UnsubscribeConfirmation",
        };
        let is_notification = self.kind == Kind::Notification;
        let parts = [
            ("Message", Some(self.message.as_str())),
            ("MessageId", Some(self.message_id.as_str())),
            ("Subject", self.subject.as_deref().filter(|_| is_notification)),
            ("SubscribeURL", self.subscribe_url.as_deref().filter(|_| !is_notification)),
            ("Timestamp", Some(self.timestamp_text.as_str())),
            ("Token", self.token.as_deref().filter(|_| !is_notification)),
            ("TopicArn", Some(self.topic_arn.as_str())),
            ("Type", Some(kind)),
        ];
        let mut text = String::new();
        for (name, value) in parts {
            if let Some(value) = value {
                text.extend([name, "\n", value, "\n"]);
            }
        }
        text
    }
}
