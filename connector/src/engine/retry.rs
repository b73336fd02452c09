//! Repeating calls: exponential back-off with full jitter, on the injected clock and entropy.

use std::time::Duration;

use bucketproof_clock::{Clock, Entropy};

use super::{Connection, SyncError};
use crate::report::RetryReport;
use crate::store::{Diagnosis, ErrorClass, StoreError};

/// How often and how patiently calls are repeated, in exports and imports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts of one call, the first included.
    pub attempts_max: u32,
    /// Longest pause before the second attempt; doubles with each attempt.
    pub pause: Duration,
    /// Longest pause before any attempt.
    pub pause_max: Duration,
    /// Rebases of one write.
    pub rebases_max: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts_max: 8,
            pause: Duration::from_millis(200),
            pause_max: Duration::from_secs(20),
            rebases_max: 16,
        }
    }
}

impl RetryPolicy {
    /// Whether a call that failed for the `attempt`th time, from 1, may be tried again.
    pub(crate) fn may_repeat(&self, error: &StoreError, attempt: u32) -> bool {
        let may = error.class() != ErrorClass::Fatal && attempt < self.attempts_max;
        if may {
            tracing::warn!(%error, attempt, "repeating a call");
        }
        may
    }

    /// Pauses after the `attempt`th attempt, from 1: anything between nothing and its longest pause.
    pub(crate) async fn pause(&self, attempt: u32, clock: &Clock, entropy: &Entropy) {
        let doubled = self.pause.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
        let longest = u64::try_from(doubled.min(self.pause_max).as_millis()).unwrap_or(u64::MAX);
        let millis = entropy.next_u64() % longest.saturating_add(1);
        clock.sleep(Duration::from_millis(millis)).await;
    }
}

impl Connection {
    /// Pauses before attempt `attempt` (from 1) is made again.
    pub(super) async fn pause(&self, attempt: u32) {
        self.retry.pause(attempt, &self.clock, &self.entropy).await;
    }

    /// Repeats a call that reads until it succeeds, fails for good or has been tried often enough.
    pub(super) async fn retrying<T, F>(
        &self,
        retries: &mut RetryReport,
        call: impl Fn() -> F,
    ) -> Result<T, SyncError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut attempt = 1;
        loop {
            match call().await {
                Ok(value) => return Ok(value),
                Err(error) => self.before_repeat(error, &mut attempt, retries).await?,
            }
        }
    }

    /// Pauses if the call that gave `error` may be repeated; the failure otherwise.
    pub(super) async fn before_repeat(
        &self,
        error: StoreError,
        attempt: &mut u32,
        retries: &mut RetryReport,
    ) -> Result<(), SyncError> {
        if !self.retry.may_repeat(&error, *attempt) {
            return Err(self.failed(error));
        }
        if error.class() == ErrorClass::Refresh {
            retries.refreshed += 1;
            self.store.refresh_credentials().await;
        } else {
            retries.unavailable += 1;
        }
        self.pause(*attempt).await;
        *attempt += 1;
        Ok(())
    }

    pub(super) fn failed(&self, error: StoreError) -> SyncError {
        if let StoreError::NoRoom { message, .. } = error {
            return SyncError::NoRoom { problem: message };
        }
        let diagnosis = Diagnosis::of(&error, &self.profile, self.store.bucket());
        SyncError::Store { diagnosis: Box::new(diagnosis), source: error }
    }
}
