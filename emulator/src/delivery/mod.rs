//! How messages get to their receivers: events of buckets to topics and queues, notifications of topics to queues and
//! HTTP endpoints.
//!
//! What is to be delivered stands in the outbox of the state. Within a test nothing leaves it until
//! [`crate::Emulator::deliver`] is called; a served emulator delivers at once, each receiver by itself, so that one which
//! does not answer holds up nobody else.

mod astray;
mod courier;
mod http_client;
mod http_message;
mod log;
mod message_key;
mod queue_message;
mod service;
mod signer;

pub(crate) use courier::Courier;
pub(crate) use log::Deliveries;
pub(crate) use message_key::{KEY_ATTRIBUTE, check_key, key_requirement_to_read, key_requirements_to_write};
pub(crate) use service::ask_for_bucket;
pub(crate) use signer::{SigningCertificates, certificate_answer};
