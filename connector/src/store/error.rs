//! What a store can answer instead of a result.

use std::fmt;

use crate::names::{BucketName, ObjectKey};

/// The calls of a store, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `ListObjectsV2`.
    List,
    /// `GetObject`.
    Get,
    /// `HeadObject`.
    Head,
    /// `PutObject`.
    Put,
    /// `AssumeRole` of STS.
    AssumeRole,
}

impl Operation {
    /// The action that a policy must allow for it.
    pub fn action(self) -> &'static str {
        match self {
            Self::List => "s3:ListBucket",
            Self::Get | Self::Head => "s3:GetObject",
            Self::Put => "s3:PutObject",
            Self::AssumeRole => "sts:AssumeRole",
        }
    }

    /// The resource of that action.
    pub fn resource(self, bucket: &BucketName, key: Option<&ObjectKey>) -> String {
        match (self, key) {
            (Self::Get | Self::Head | Self::Put, Some(key)) => bucket.object_arn(key),
            _ => bucket.arn(),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::List => "ListObjectsV2",
            Self::Get => "GetObject",
            Self::Head => "HeadObject",
            Self::Put => "PutObject",
            Self::AssumeRole => "AssumeRole",
        })
    }
}

/// Whether a failed call may have taken effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It has not.
    None,
    /// Nobody knows: the answer was lost or said nothing about it.
    Unknown,
}

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// Repeat after a pause.
    Retryable,
    /// Fetch credentials, then repeat.
    Refresh,
    /// People must act first.
    Fatal,
}

/// Why a call to a store failed. A write whose condition did not hold is no error but a
/// [`PutOutcome`](super::PutOutcome).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The service is busy, broken or out of reach.
    #[error("{operation} got no useful answer: {message}")]
    Unavailable {
        /// The call.
        operation: Operation,
        /// What the service or the transport said.
        message: String,
        /// Whether the call may have taken effect.
        effect: Effect,
    },
    /// The session's credentials have expired.
    #[error("{operation} refused: the credentials have expired")]
    Expired {
        /// The call.
        operation: Operation,
    },
    /// A policy does not allow the call.
    #[error("{operation} refused: `{action}` on `{resource}` is not allowed: {message}")]
    Denied {
        /// The call.
        operation: Operation,
        /// The missing action.
        action: String,
        /// The resource it is missing on.
        resource: String,
        /// What the service said.
        message: String,
    },
    /// The access key does not exist or is inactive.
    #[error("{operation} refused: access key `{access_key_id}` is not known")]
    UnknownAccessKey {
        /// The call.
        operation: Operation,
        /// The access key id.
        access_key_id: String,
    },
    /// The secret does not belong to the access key.
    #[error("{operation} refused: the signature made with access key `{access_key_id}` does not match")]
    SignatureMismatch {
        /// The call.
        operation: Operation,
        /// The access key id.
        access_key_id: String,
    },
    /// Nothing is found that could prove who the connector is.
    #[error("no credentials are found: {message}")]
    NoCredentials {
        /// What was looked at, and what is wrong with it.
        message: String,
    },
    /// The role may not be assumed.
    #[error("role `{role_arn}` may not be assumed: {message}")]
    RoleDenied {
        /// The role.
        role_arn: String,
        /// What STS said.
        message: String,
    },
    /// There is no such bucket.
    #[error("{operation} refused: bucket `{bucket}` does not exist")]
    NoSuchBucket {
        /// The call.
        operation: Operation,
        /// The bucket.
        bucket: BucketName,
    },
    /// The bucket is in another region.
    #[error("{operation} refused: bucket `{bucket}` is not in region `{configured}`")]
    WrongRegion {
        /// The call.
        operation: Operation,
        /// The bucket.
        bucket: BucketName,
        /// The region that the configuration names.
        configured: String,
        /// The bucket's region, if the answer told.
        actual: Option<String>,
    },
    /// Above what one PutObject takes.
    #[error(
        "object `{key}` of {bytes} bytes is above the 5 GiB that one PutObject takes, and multipart uploads are not supported yet"
    )]
    TooLarge {
        /// The object.
        key: ObjectKey,
        /// Its size.
        bytes: u64,
    },
    /// The bytes of an object cannot be kept, or read again, on this machine's disk.
    #[error("{operation}: the object's bytes cannot be kept on disk: {message}")]
    NoRoom {
        /// The call.
        operation: Operation,
        /// What the disk said.
        message: String,
    },
    /// An answer without an S3 error in it: something else answers at the endpoint.
    #[error("{operation} got status {status} and no S3 error from `{endpoint}`")]
    NotS3 {
        /// The call.
        operation: Operation,
        /// HTTP status.
        status: u16,
        /// Where the request went.
        endpoint: String,
    },
    /// Any other refusal.
    #[error("{operation} refused with status {status}, code `{code}`: {message}")]
    Rejected {
        /// The call.
        operation: Operation,
        /// HTTP status; 0 if the request was never sent.
        status: u16,
        /// Error code; empty if there was none.
        code: String,
        /// What the service said.
        message: String,
    },
}

impl StoreError {
    /// What to do about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Unavailable { .. } => ErrorClass::Retryable,
            Self::Expired { .. } => ErrorClass::Refresh,
            _ => ErrorClass::Fatal,
        }
    }

    /// Whether the failed call may have taken effect.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Unavailable { effect, .. } => *effect,
            _ => Effect::None,
        }
    }
}
