//! Who may write: conditions that the store must keep, and epochs by which one installation takes over from another.

use super::{Connection, SyncError};
use crate::config::Writes;
use crate::names::ObjectKey;
use crate::state::State;
use crate::store::{Condition, ObjectHead, PutOutcome, PutRequest, StoreError};

/// Whether the store keeps conditions, as found out at the first write.
const FACT: &str = "conditional_writes";
const EPOCH: &str = "writer_epoch";

impl Connection {
    /// The condition of a write, or none where the configuration says that the store keeps none.
    pub(super) fn condition(&self, condition: Condition) -> Condition {
        match self.config.writes {
            Writes::Conditional => condition,
            Writes::AtLeastOnceSingleWriter => Condition::Anyway,
        }
    }

    /// Before anything is read: a store that was found to keep no conditions is not written to, nor is one with an
    /// epoch below an earlier one.
    pub(super) fn may_write(&self, state: &State) -> Result<(), SyncError> {
        if self.config.writes == Writes::AtLeastOnceSingleWriter {
            tracing::warn!("weaker mode: writes have no conditions; at least once, for a single writer");
        } else if state.fact(FACT)?.is_some_and(|known| known == format!("ignored by {}", self.place())) {
            return Err(self.unconditional("it wrote over an object that was not to be there"));
        }
        let configured = self.config.writer_epoch;
        let recorded = state.fact(EPOCH)?.and_then(|epoch| epoch.parse().ok()).unwrap_or(0);
        if configured < recorded {
            return Err(SyncError::EpochWentBack { recorded, configured });
        }
        if configured > recorded {
            state.set_fact(EPOCH, &configured.to_string())?;
        }
        Ok(())
    }

    /// After a write took effect at a store other than AWS's own, once: the same write on the condition that there is
    /// no object must be refused.
    pub(super) async fn keeps_conditions(
        &self,
        state: &State,
        request: &PutRequest,
    ) -> Result<(), SyncError> {
        if self.config.bucket.endpoint.is_none() || self.config.writes == Writes::AtLeastOnceSingleWriter {
            return Ok(());
        }
        let kept = format!("kept by {}", self.place());
        if state.fact(FACT)?.is_some_and(|known| known == kept) {
            return Ok(());
        }
        let again = PutRequest { condition: Condition::Absent, ..request.clone() };
        match self.store.put(&again).await {
            Ok(PutOutcome::PreconditionFailed) => Ok(state.set_fact(FACT, &kept)?),
            Ok(PutOutcome::Written(_)) => {
                state.set_fact(FACT, &format!("ignored by {}", self.place()))?;
                Err(self.unconditional("it wrote over an object that was not to be there"))
            }
            // Not known; asked again at the next write.
            Ok(PutOutcome::Conflict | PutOutcome::BaseMissing) | Err(_) => Ok(()),
        }
    }

    /// A write was refused because its condition does not hold: what more is there to ask.
    pub(super) fn has_kept_a_condition(&self, state: &State) -> Result<(), SyncError> {
        let kept = format!("kept by {}", self.place());
        if self.config.bucket.endpoint.is_some() && state.fact(FACT)?.is_none_or(|known| known != kept) {
            state.set_fact(FACT, &kept)?;
        }
        Ok(())
    }

    /// An error that means that the store does not know conditions.
    pub(super) fn takes_conditions(&self, request: &PutRequest, error: &StoreError) -> Result<(), SyncError> {
        match error {
            StoreError::Rejected { code, message, .. }
                if code == "NotImplemented" && request.condition != Condition::Anyway =>
            {
                Err(self.unconditional(&format!("NotImplemented: {message}")))
            }
            _ => Ok(()),
        }
    }

    /// An object of a higher epoch: this writer is over.
    pub(super) fn is_not_fenced(&self, key: &ObjectKey, head: Option<&ObjectHead>) -> Result<(), SyncError> {
        let (found, own) = (head.map_or(0, |head| head.epoch), self.config.writer_epoch);
        if found > own { Err(SyncError::Fenced { key: key.clone(), found, own }) } else { Ok(()) }
    }

    fn place(&self) -> &str {
        self.config.bucket.endpoint.as_deref().unwrap_or("AWS")
    }

    fn unconditional(&self, detail: &str) -> SyncError {
        SyncError::Unconditional { place: self.place().to_owned(), detail: detail.to_owned() }
    }
}
