//! Calls to a bucket, repeated as long as that can help.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;

use bucketproof_clock::{Clock, Entropy};

use super::store::{FileRef, InboundStore};
use crate::engine::RetryPolicy;
use crate::store::{ErrorClass, StoreError};

/// Bytes of a file that are asked for at once.
const RANGE_BYTES: u64 = 8 * 1024 * 1024;

/// How calls are made and repeated.
#[derive(Clone, Debug)]
pub(super) struct Calls {
    pub(super) clock: Clock,
    pub(super) entropy: Entropy,
    pub(super) retry: RetryPolicy,
}

/// Why a file could not be had.
#[derive(Debug)]
pub(super) enum FetchError {
    Store(StoreError),
    Spool(std::io::Error),
}

impl Calls {
    pub(super) fn new(clock: Clock, entropy: Entropy) -> Self {
        Self { clock, entropy, retry: RetryPolicy::default() }
    }

    /// Repeats a call until it succeeds, fails for good or has been tried often enough.
    pub(super) async fn retrying<T, F>(
        &self,
        store: &Arc<dyn InboundStore>,
        call: impl Fn() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut attempt = 1;
        loop {
            let error = match call().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            if !self.retry.may_repeat(&error, attempt) {
                return Err(error);
            }
            if error.class() == ErrorClass::Refresh {
                store.refresh().await;
            }
            self.retry.pause(attempt, &self.clock, &self.entropy).await;
            attempt += 1;
        }
    }

    /// A file in a temporary one, pinned to its entity tag; `None` if it was deleted or replaced.
    pub(super) async fn fetch(
        &self,
        store: &Arc<dyn InboundStore>,
        file: FileRef<'_>,
        bytes: u64,
    ) -> Result<Option<File>, FetchError> {
        let mut spool = tempfile::tempfile().map_err(FetchError::Spool)?;
        let mut from = 0;
        while from < bytes {
            let range = from..bytes.min(from + RANGE_BYTES);
            let part = self.retrying(store, || store.read_file(file, range.clone())).await;
            let Some(part) = part.map_err(FetchError::Store)? else { return Ok(None) };
            spool.write_all(&part).map_err(FetchError::Spool)?;
            from = range.end;
        }
        Ok(Some(spool))
    }
}
