//! The four calls an export makes to a bucket, and how they fail.
//!
//! The trait is small so that faults can be put between the engine and every call. There is no delete and no
//! multipart call: an export works under a policy of PutObject, ListBucket and GetObject alone.

mod diagnosis;
mod error;
mod faulty;
mod memory;
mod s3;

use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;

pub use diagnosis::{Diagnosis, DiagnosisKind};
pub use error::{Effect, ErrorClass, Operation, StoreError};
pub use faulty::{FaultyStore, StoreFault};
pub use memory::{MemoryStore, PutRecord};
pub use s3::{Addressing, Encryption, S3Settings, S3Store, S3StoreError, SnsTopic, SqsQueue, Transport};
pub(crate) use s3::{
    NotificationRule, Probed, SubscriptionView, TopicError, TopicView, service_error, transport_message,
};

use crate::content::{Content, Room};
use crate::names::{BucketName, ETag, IntentId, ObjectKey};

/// Bytes of the largest object that one PutObject takes: 5 GiB (S3 User Guide, "Uploading objects").
pub const PUT_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;

/// Metadata key of the intent that wrote an object; on the wire `x-amz-meta-bucketproof-intent`.
pub const INTENT_METADATA: &str = "bucketproof-intent";
/// Metadata key of the epoch of the writer of an object; on the wire `x-amz-meta-bucketproof-epoch`, absent for 0.
pub const EPOCH_METADATA: &str = "bucketproof-epoch";
/// Metadata key of an object's generation; on the wire `x-amz-meta-bucketproof-generation`.
pub const GENERATION_METADATA: &str = "bucketproof-generation";

/// What is known of an object without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectHead {
    /// Entity tag, quotes included.
    pub etag: ETag,
    /// The intent that wrote it, if a connector did.
    pub intent: Option<IntentId>,
    /// How many times connectors have written it; 0 if none has.
    pub generation: u64,
    /// The epoch of the connector that wrote it last; 0 if it has none.
    pub epoch: u64,
}

/// An object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// What is known of it.
    pub head: ObjectHead,
    /// Its bytes.
    pub body: Bytes,
}

/// What must hold for a write to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// There is no object (`If-None-Match: *`).
    Absent,
    /// The object is this one (`If-Match`).
    Matches(ETag),
    /// Nothing: for stores that keep no conditions.
    Anyway,
}

/// One conditional write.
#[derive(Clone, Debug)]
pub struct PutRequest {
    /// Where.
    pub key: ObjectKey,
    /// What.
    pub body: Content,
    /// Media type.
    pub content_type: &'static str,
    /// When.
    pub condition: Condition,
    /// Goes into the object's metadata.
    pub intent: IntentId,
    /// Goes into the object's metadata.
    pub generation: u64,
    /// Goes into the object's metadata, unless it is 0.
    pub epoch: u64,
    /// The canned ACL to ask for, if one is.
    pub acl: Option<String>,
    /// Whether the vendor documents a policy that refuses writes without their ACL.
    pub acl_is_required: bool,
}

/// How a conditional write ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// Written; the new entity tag.
    Written(ETag),
    /// Refused: the condition does not hold (412).
    PreconditionFailed,
    /// Refused: another write was under way (409). The same write may be repeated.
    Conflict,
    /// Refused: the object to be replaced is gone (404).
    BaseMissing,
}

/// A bucket, as far as an export uses one.
#[async_trait]
pub trait Store: Debug + Send + Sync {
    /// The bucket.
    fn bucket(&self) -> &BucketName;

    /// Lists at most one key below `prefix`: proves bucket, region, identity and `s3:ListBucket`.
    async fn list_probe(&self, prefix: &str) -> Result<(), StoreError>;

    /// The object, or `None` if there is none.
    async fn get(&self, key: &ObjectKey) -> Result<Option<StoredObject>, StoreError>;

    /// The object, or `None` if there is none; its bytes where there is room for them.
    async fn get_within(
        &self,
        key: &ObjectKey,
        _room: &Room,
    ) -> Result<Option<(ObjectHead, Content)>, StoreError> {
        Ok(self.get(key).await?.map(|object| (object.head, object.body.into())))
    }

    /// The object without its bytes, or `None` if there is none.
    async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectHead>, StoreError>;

    /// One conditional write.
    async fn put(&self, request: &PutRequest) -> Result<PutOutcome, StoreError>;

    /// Drops cached credentials, after the store has called them expired.
    async fn refresh_credentials(&self);
}
