//! A published message.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Protocol;

/// What subscribers of a topic get.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) topic: String,
    pub(crate) subject: Option<String>,
    pub(crate) text: String,
    /// The text for single protocols, where the publisher gave them one of their own.
    pub(crate) texts: BTreeMap<String, String>,
    pub(crate) attributes: BTreeMap<String, MessageAttribute>,
    pub(crate) published_at: Timestamp,
}

/// A named value beside a message.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct MessageAttribute {
    /// `String`, `String.Array`, `Number` or `Binary`, perhaps with a label behind a dot.
    pub(crate) data_type: String,
    /// Of a binary attribute as base64.
    pub(crate) value: String,
}

impl Message {
    /// The text for subscribers of a protocol.
    pub(crate) fn text_for(&self, protocol: Protocol) -> &str {
        self.texts.get(protocol.as_str()).unwrap_or(&self.text)
    }
}
