//! A notification as a queue gets it.

use std::collections::BTreeMap;

use crate::state::{Message, Protocol, Sent, Subscription};

/// Raw delivery sends the message itself with its attributes; otherwise they are within the document.
pub(super) fn sent(subscription: &Subscription, message: &Message, document: String) -> Sent {
    if subscription.is_raw() {
        return Sent {
            body: message.text_for(Protocol::Sqs).to_owned(),
            attributes: message.attributes.clone(),
            ..Sent::default()
        };
    }
    Sent { body: document, attributes: BTreeMap::new(), ..Sent::default() }
}
