//! A bucket in memory, with S3's rules for conditional writes. For tests of the engine, without a network.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use md5::{Digest as _, Md5};

use super::{Condition, ObjectHead, Operation, PutOutcome, PutRequest, Store, StoreError, StoredObject};
use crate::content::{Content, Room};
use crate::names::{BucketName, ETag, ObjectKey};

/// One write that took effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutRecord {
    /// Where.
    pub key: ObjectKey,
    /// What was visible from then on.
    pub object: StoredObject,
}

/// A bucket in memory that remembers every version it ever showed.
#[derive(Debug)]
pub struct MemoryStore {
    bucket: BucketName,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<ObjectKey, StoredObject>,
    history: Vec<PutRecord>,
}

impl MemoryStore {
    /// An empty bucket.
    pub fn new(bucket: BucketName) -> Self {
        Self { bucket, state: Mutex::default() }
    }

    /// All objects, by key.
    pub fn objects(&self) -> BTreeMap<ObjectKey, StoredObject> {
        self.lock().objects.clone()
    }

    /// Every version that a reader could have seen, in order.
    pub fn history(&self) -> Vec<PutRecord> {
        self.lock().history.clone()
    }

    /// Puts an object there as another program would: no condition, no metadata.
    pub fn put_foreign(&self, key: &ObjectKey, body: Bytes) {
        let head = ObjectHead { etag: etag(&body), intent: None, generation: 0, epoch: 0 };
        self.lock().set(key, StoredObject { head, body });
    }

    /// Removes an object as another program would.
    pub fn remove_foreign(&self, key: &ObjectKey) {
        self.lock().objects.remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn set(&mut self, key: &ObjectKey, object: StoredObject) {
        self.history.push(PutRecord { key: key.clone(), object: object.clone() });
        self.objects.insert(key.clone(), object);
    }
}

/// S3's entity tag of an object written with one PutObject: the MD5 of its bytes.
fn etag(body: &[u8]) -> ETag {
    let text = format!("\"{}\"", hex::encode(Md5::digest(body)));
    // Quoted hexadecimal digits are an entity tag.
    ETag::new(text).unwrap_or_else(|_| unreachable!("hexadecimal digits are ASCII"))
}

#[async_trait]
impl Store for MemoryStore {
    fn bucket(&self) -> &BucketName {
        &self.bucket
    }

    async fn list_probe(&self, _prefix: &str) -> Result<(), StoreError> {
        Ok(())
    }

    async fn get(&self, key: &ObjectKey) -> Result<Option<StoredObject>, StoreError> {
        Ok(self.lock().objects.get(key).cloned())
    }

    async fn get_within(
        &self,
        key: &ObjectKey,
        room: &Room,
    ) -> Result<Option<(ObjectHead, Content)>, StoreError> {
        let Some(object) = self.get(key).await? else { return Ok(None) };
        let body = Content::within(room, &object.body);
        let body = body
            .map_err(|error| StoreError::NoRoom { operation: Operation::Get, message: error.to_string() })?;
        Ok(Some((object.head, body)))
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectHead>, StoreError> {
        Ok(self.lock().objects.get(key).map(|object| object.head.clone()))
    }

    async fn put(&self, request: &PutRequest) -> Result<PutOutcome, StoreError> {
        let mut state = self.lock();
        let current = state.objects.get(&request.key).map(|object| &object.head.etag);
        match (&request.condition, current) {
            (Condition::Absent, None) | (Condition::Anyway, _) => {}
            (Condition::Matches(wanted), Some(current)) if wanted == current => {}
            (Condition::Matches(_), None) => return Ok(PutOutcome::BaseMissing),
            (Condition::Absent | Condition::Matches(_), Some(_)) => {
                return Ok(PutOutcome::PreconditionFailed);
            }
        }
        let body = request
            .body
            .to_bytes()
            .map_err(|error| StoreError::NoRoom { operation: Operation::Put, message: error.to_string() })?;
        let etag = etag(&body);
        let head = ObjectHead {
            etag: etag.clone(),
            intent: Some(request.intent.clone()),
            generation: request.generation,
            epoch: request.epoch,
        };
        state.set(&request.key, StoredObject { head, body });
        Ok(PutOutcome::Written(etag))
    }

    async fn refresh_credentials(&self) {}
}
