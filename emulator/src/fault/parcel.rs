//! An event on its way, as faults look at it.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::Fault;
use crate::exchange::Address;

/// An event of a bucket on its way to a topic or queue, or a message of a topic on its way to a subscriber.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    /// The ARN of a topic or queue, or a URL.
    destination: String,
    /// What the event tells of; nothing for other messages.
    pub(crate) address: Address,
    is_from_bucket: bool,
}

impl Parcel {
    /// What a bucket sends; absent for the test of a configuration, which tells of no object.
    pub(crate) fn from_bucket(destination: &str, bucket: &str, body: &str) -> Option<Self> {
        let key = Some(key_in(body)?);
        let address = Address { bucket: Some(bucket.to_owned()), key };
        Some(Self { destination: destination.to_owned(), address, is_from_bucket: true })
    }

    /// What a topic sends.
    pub(crate) fn from_topic(destination: &str, text: &str) -> Self {
        let address = Address { bucket: bucket_in(text), key: key_in(text) };
        Self { destination: destination.to_owned(), address, is_from_bucket: false }
    }

    /// Whether a fault is about it. Messages of topics are left alone unless the fault names their receiver, because an
    /// event that goes through a topic would meet the fault twice.
    pub(super) fn is_covered_by(&self, fault: &Fault) -> bool {
        let is_meant = match &fault.destination {
            Some(destination) => *destination == self.destination,
            None => self.is_from_bucket,
        };
        is_meant && fault.covers(None, &self.address, None)
    }
}

fn record(text: &str) -> Option<Value> {
    let document: Value = serde_json::from_str(text).ok()?;
    document.pointer("/Records/0/s3").cloned()
}

fn bucket_in(text: &str) -> Option<String> {
    Some(record(text)?.pointer("/bucket/name")?.as_str()?.to_owned())
}

/// Keys are encoded as forms are.
fn key_in(text: &str) -> Option<String> {
    let encoded = record(text)?.pointer("/object/key")?.as_str()?.replace('+', " ");
    Some(percent_decode_str(&encoded).decode_utf8_lossy().into_owned())
}
