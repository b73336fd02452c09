//! A store that fails when told to, between the engine and another store.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::Notify;

use super::{ObjectHead, PutOutcome, PutRequest, Store, StoreError, StoredObject};
use crate::content::{Content, Room};
use crate::names::{BucketName, ObjectKey};

/// What happens to one call.
#[derive(Clone, Debug)]
pub enum StoreFault {
    /// The call fails and has no effect.
    ErrorBefore(StoreError),
    /// The call takes effect and then fails.
    ErrorAfter(StoreError),
    /// The call never returns and has no effect: the process is killed before it.
    StopBefore,
    /// The call takes effect and never returns: the process is killed before it learns.
    StopAfter,
    /// A write fails for its caller and takes effect later, by [`FaultyStore::deliver`]; other calls fail without effect.
    Late(StoreError),
    /// A write is refused with 409 and has no effect; other calls pass.
    Conflict,
}

/// Counts the calls to a store and makes chosen ones fail.
#[derive(Debug)]
pub struct FaultyStore<S> {
    inner: Arc<S>,
    plan: Mutex<Plan>,
    late: Mutex<Vec<PutRequest>>,
    stopped: Notify,
}

#[derive(Debug, Default)]
struct Plan {
    calls: u64,
    faults: BTreeMap<u64, StoreFault>,
}

impl<S: Store> FaultyStore<S> {
    /// A store without faults.
    pub fn new(inner: Arc<S>) -> Self {
        Self { inner, plan: Mutex::default(), late: Mutex::default(), stopped: Notify::new() }
    }

    /// Makes call `call` (from 0, counted over all operations) meet `fault`.
    pub fn inject(&self, call: u64, fault: StoreFault) {
        self.plan().faults.insert(call, fault);
    }

    /// Calls made so far.
    pub fn calls(&self) -> u64 {
        self.plan().calls
    }

    /// Faults that no call has met yet.
    pub fn pending(&self) -> usize {
        self.plan().faults.len()
    }

    /// Lets the late write at `position` (of those that wait, modulo their number) take effect, or not, as the store
    /// decides now; `None` if none waits.
    pub async fn deliver(&self, position: usize) -> Option<Result<PutOutcome, StoreError>> {
        let request = {
            let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
            let position = position.checked_rem(late.len())?;
            late.remove(position)
        };
        Some(self.inner.put(&request).await)
    }

    /// Returns once a call has met [`StoreFault::StopBefore`] or [`StoreFault::StopAfter`].
    pub async fn stopped(&self) {
        self.stopped.notified().await;
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_fault(&self) -> Option<StoreFault> {
        let mut plan = self.plan();
        let call = plan.calls;
        plan.calls += 1;
        plan.faults.remove(&call)
    }

    async fn stop<T>(&self) -> T {
        self.stopped.notify_one();
        std::future::pending().await
    }

    async fn around<T: Send>(
        &self,
        fault: Option<StoreFault>,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        match fault {
            None | Some(StoreFault::Conflict) => call.await,
            Some(StoreFault::ErrorBefore(error) | StoreFault::Late(error)) => Err(error),
            Some(StoreFault::ErrorAfter(error)) => {
                call.await?;
                Err(error)
            }
            Some(StoreFault::StopBefore) => self.stop().await,
            Some(StoreFault::StopAfter) => {
                call.await?;
                self.stop().await
            }
        }
    }
}

#[async_trait]
impl<S: Store> Store for FaultyStore<S> {
    fn bucket(&self) -> &BucketName {
        self.inner.bucket()
    }

    async fn list_probe(&self, prefix: &str) -> Result<(), StoreError> {
        self.around(self.next_fault(), self.inner.list_probe(prefix)).await
    }

    async fn get(&self, key: &ObjectKey) -> Result<Option<StoredObject>, StoreError> {
        self.around(self.next_fault(), self.inner.get(key)).await
    }

    async fn get_within(
        &self,
        key: &ObjectKey,
        room: &Room,
    ) -> Result<Option<(ObjectHead, Content)>, StoreError> {
        self.around(self.next_fault(), self.inner.get_within(key, room)).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectHead>, StoreError> {
        self.around(self.next_fault(), self.inner.head(key)).await
    }

    async fn put(&self, request: &PutRequest) -> Result<PutOutcome, StoreError> {
        let fault = self.next_fault();
        if matches!(fault, Some(StoreFault::Conflict)) {
            return Ok(PutOutcome::Conflict);
        }
        if let Some(StoreFault::Late(error)) = fault {
            self.late.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
            return Err(error);
        }
        self.around(fault, self.inner.put(request)).await
    }

    async fn refresh_credentials(&self) {
        self.inner.refresh_credentials().await;
    }
}
