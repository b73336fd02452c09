//! Messages of SNS about new files: received over HTTP, believed only if they are signed, and kept before they are
//! answered.
//!
//! Source: SNS Developer Guide, "Fanout to HTTP/S endpoints" and "Verifying the signatures of Amazon SNS messages".

mod certificate;
mod endpoint;
mod fetch;
mod message;
mod refusal;
mod trust;

pub(super) use endpoint::notices;
pub use endpoint::{Endpoint, EndpointError};
pub(super) use message::Envelope;
pub use refusal::Refusal;
