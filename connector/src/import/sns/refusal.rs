//! Why a message is not believed.

use hyper::StatusCode;

use crate::state::StateError;

/// Why a message is not taken. What SNS may try again with better luck is a 5xx.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// No connection has such an endpoint.
    #[error("there is no connection at `{path}`; `import show` prints the endpoint of each")]
    UnknownEndpoint {
        /// The path.
        path: String,
    },
    /// Something else than a POST.
    #[error("messages are posted, not sent by `{method}`")]
    Method {
        /// The method.
        method: String,
    },
    /// Larger than anything that SNS sends.
    #[error("the message has more than {limit} bytes")]
    Oversized {
        /// The most that is read.
        limit: usize,
    },
    /// The body did not come.
    #[error("the message was cut off")]
    CutOff,
    /// No message of SNS.
    #[error("not a message of SNS: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// A message without a signature.
    #[error(
        "the message is not signed; turn raw delivery off for the subscription, or set `raw_delivery = true` for the \
         connection, which then believes anybody"
    )]
    Unsigned,
    /// A topic of somebody else.
    #[error("the topic `{found}` is not that of the connection")]
    ForeignTopic {
        /// The topic of the message.
        found: String,
    },
    /// A URL that does not lead to SNS.
    #[error("`{field}` does not lead to SNS in the region of the topic: {reason}")]
    ForeignPlace {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Too old, or from the future.
    #[error("the message is of {stamp}, more than {minutes} minutes from now")]
    Stale {
        /// When it says it was made.
        stamp: String,
        /// The most that it may be away.
        minutes: u32,
    },
    /// A signature by nobody known.
    #[error("the signature is not that of the message")]
    WrongSignature,
    /// A certificate that is not SNS's.
    #[error("the signing certificate is not believed: {reason}")]
    Certificate {
        /// What is wrong with it.
        reason: String,
    },
    /// The certificate could not be had.
    #[error("the signing certificate cannot be fetched: {reason}")]
    NoCertificate {
        /// The cause.
        reason: String,
    },
    /// The subscription could not be confirmed.
    #[error("the subscription cannot be confirmed: {reason}")]
    NotConfirmed {
        /// The cause.
        reason: String,
    },
    /// The message cannot be kept.
    #[error(transparent)]
    Inbox(#[from] StateError),
}

impl Refusal {
    /// What the sender is told.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::UnknownEndpoint { .. } => StatusCode::NOT_FOUND,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Oversized { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::CutOff | Self::Malformed { .. } => StatusCode::BAD_REQUEST,
            Self::Unsigned
            | Self::ForeignTopic { .. }
            | Self::ForeignPlace { .. }
            | Self::Stale { .. }
            | Self::WrongSignature
            | Self::Certificate { .. } => StatusCode::FORBIDDEN,
            Self::NoCertificate { .. } | Self::NotConfirmed { .. } | Self::Inbox(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }
}
