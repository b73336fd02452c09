//! The digests that clients hold messages against.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use crate::state::MessageAttribute;

/// `MD5OfBody`.
pub(super) fn of_body(body: &str) -> String {
    hex::encode(Md5::digest(body.as_bytes()))
}

/// `MD5OfMessageAttributes` (SQS Developer Guide, "Calculating the MD5 message digest for message attributes").
pub(super) fn of_attributes(attributes: &BTreeMap<String, MessageAttribute>) -> String {
    let mut whole = Vec::new();
    let mut add = |bytes: &[u8], kind: Option<u8>| {
        whole.extend(kind);
        whole.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        whole.extend(bytes);
    };
    for (name, attribute) in attributes {
        add(name.as_bytes(), None);
        add(attribute.data_type.as_bytes(), None);
        if attribute.data_type.starts_with("Binary") {
            add(&STANDARD.decode(&attribute.value).unwrap_or_default(), Some(2));
        } else {
            add(attribute.value.as_bytes(), Some(1));
        }
    }
    hex::encode(Md5::digest(&whole))
}
