//! An object whose content is known whole: a period's, or a snapshot's. It replaces what lies under its key by
//! compare-and-swap, and is left alone if it is there already.

use super::apply::{Applied, no_room};
use super::{Connection, SyncError};
use crate::content::Content;
use crate::names::{ETag, IntentId, ObjectKey};
use crate::profile::Dataset;
use crate::report::RetryReport;
use crate::state::{IntentMode, IntentRecord, State};

/// The content of an object.
pub(super) struct Whole {
    pub(super) slot: i64,
    pub(super) key: ObjectKey,
    pub(super) body: Content,
    pub(super) object_rows: u64,
    /// Of these, rows that no object held before.
    pub(super) new_rows: u64,
}

impl Connection {
    /// Seals and writes; the caller commits. The intent says `unchanged` if the object was there already.
    pub(super) async fn put_whole(
        &self,
        state: &State,
        dataset: &Dataset,
        batch_id: i64,
        whole: Whole,
        retries: &mut RetryReport,
    ) -> Result<(IntentRecord, ETag), SyncError> {
        let Whole { slot, key, body, object_rows, new_rows } = whole;
        let content_digest = body.digest().map_err(|error| no_room(&error))?;
        let name = format!("{} {key} {content_digest}", state.writer()?);
        let id = IntentId::new(uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes()).to_string())?;
        for attempt in 1..=self.retry.rebases_max {
            let head = self.retrying(retries, || self.store.head(&key)).await?;
            self.is_not_fenced(&key, head.as_ref())?;
            let mut intent = IntentRecord {
                id: id.clone(),
                batch_id,
                dataset: dataset.name().clone(),
                slot,
                key: key.clone(),
                mode: if head.is_some() { IntentMode::Replace } else { IntentMode::Create },
                base_etag: head.as_ref().map(|head| head.etag.clone()),
                generation: head.as_ref().map_or(0, |head| head.generation).saturating_add(1),
                content_digest: content_digest.clone(),
                body_bytes: body.len(),
                object_rows,
                written: new_rows,
                deduplicated: 0,
            };
            if let Some(head) = head.filter(|head| head.intent.as_ref() == Some(&id)) {
                tracing::info!(%key, "the object is there already");
                intent.mode = IntentMode::Unchanged;
                intent.generation = head.generation;
                return Ok((intent, head.etag));
            }
            state.seal_intent(&intent)?;
            match self.write(state, &intent, body.clone(), retries).await? {
                Applied::Written(etag) => return Ok((intent, etag)),
                Applied::BaseMoved => {
                    tracing::info!(%key, attempt, "another writer was faster, looking again");
                    retries.rebased += 1;
                    self.pause(attempt).await;
                }
            }
        }
        Err(SyncError::Contended { key, attempts: self.retry.rebases_max })
    }
}
