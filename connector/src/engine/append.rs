//! One object that is made and never touched again.
//!
//! Its key comes from what the batch holds and where it came from, so the same batch has the same key whenever it is
//! tried again. A refused condition therefore means that it is there already, and nothing is read back: this works
//! under a policy of `s3:PutObject` alone.

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::apply::{BatchIdentity, intent_id};
use super::{Connection, SyncError};
use crate::doctor::insists_on_acl;
use crate::merge::ChangeSet;
use crate::names::ETag;
use crate::object_file::encode;
use crate::profile::{BatchNames, Dataset, DatasetPartition};
use crate::report::RetryReport;
use crate::state::{FinishBatch, IntentMode, IntentRecord, State};
use crate::store::{Condition, PutOutcome, PutRequest};

/// The entity tag on record of an object whose own was never seen.
const UNKNOWN_ETAG: &str = "unknown";

/// What is to become an object.
pub(super) struct NewObject<'a> {
    pub(super) partition: &'a DatasetPartition,
    pub(super) changes: &'a ChangeSet,
    /// Its bytes, if they are known.
    pub(super) body: Option<&'a Bytes>,
}

impl Connection {
    /// The names of a batch in keys.
    pub(super) fn batch_names(
        &self,
        dataset: &Dataset,
        batch: &BatchIdentity,
        changes: &ChangeSet,
    ) -> BatchNames {
        let first = dataset.first_instant(&changes.rows).unwrap_or(batch.sealed_at);
        BatchNames::of(&batch.name, first.as_millisecond(), &self.config.worker_id)
    }

    /// Makes the object and commits; `finish` makes the last commit of a batch from the intent.
    pub(super) async fn append<'a>(
        &self,
        state: &State,
        dataset: &Dataset,
        batch: &BatchIdentity,
        object: NewObject<'_>,
        retries: &mut RetryReport,
        finish: impl Fn(&IntentRecord) -> Option<FinishBatch<'a>>,
    ) -> Result<IntentRecord, SyncError> {
        let key = self.key(dataset, object.partition, self.batch_names(dataset, batch, object.changes))?;
        let sealed = state.sealed_intents(batch.id)?;
        if let Some(sealed) = sealed.into_iter().find(|sealed| sealed.slot == object.partition.slot())
            && sealed.key != key
        {
            return Err(SyncError::Reconfigured { sealed: sealed.key, configured: key });
        }
        let body = match object.body {
            Some(body) => body.clone(),
            None => encode(dataset, &self.encoding, std::slice::from_ref(&object.changes.rows))?,
        };
        let rows = object.changes.rows.num_rows() as u64;
        let intent = IntentRecord {
            id: intent_id(batch, &key),
            batch_id: batch.id,
            dataset: dataset.name().clone(),
            slot: object.partition.slot(),
            key,
            mode: IntentMode::Create,
            base_etag: None,
            generation: 1,
            content_digest: hex::encode(Sha256::digest(&body)),
            body_bytes: body.len() as u64,
            object_rows: rows,
            written: rows,
            deduplicated: 0,
        };
        state.seal_intent(&intent)?;
        let etag = match self.create(state, &intent, body, retries).await? {
            Some(etag) => etag,
            None => ETag::new(UNKNOWN_ETAG)?,
        };
        state.commit_intent(&intent, Some(&etag), self.clock.now(), finish(&intent).as_ref())?;
        Ok(intent)
    }

    /// One write on the condition that there is no object, repeated as it is until its outcome is known. `None` if the
    /// object was there.
    async fn create(
        &self,
        state: &State,
        intent: &IntentRecord,
        body: Bytes,
        retries: &mut RetryReport,
    ) -> Result<Option<ETag>, SyncError> {
        let request = PutRequest {
            key: intent.key.clone(),
            body: body.into(),
            content_type: self.encoding.format.content_type(),
            condition: self.condition(Condition::Absent),
            intent: intent.id.clone(),
            generation: intent.generation,
            epoch: self.config.writer_epoch,
            acl: self.profile.acl().map(str::to_owned),
            acl_is_required: insists_on_acl(&self.profile),
        };
        let (mut attempt, mut conflicts) = (1, 0);
        loop {
            match self.store.put(&request).await {
                Ok(PutOutcome::Written(etag)) => {
                    self.keeps_conditions(state, &request).await?;
                    return Ok(Some(etag));
                }
                Ok(PutOutcome::PreconditionFailed | PutOutcome::BaseMissing) => {
                    self.has_kept_a_condition(state)?;
                    tracing::info!(key = %intent.key, "an earlier attempt had taken effect");
                    return Ok(None);
                }
                Ok(PutOutcome::Conflict) => {
                    conflicts += 1;
                    retries.conflicts += 1;
                    if conflicts >= self.retry.attempts_max {
                        return Err(SyncError::Contended { key: intent.key.clone(), attempts: conflicts });
                    }
                    self.pause(conflicts).await;
                }
                Err(error) => {
                    self.takes_conditions(&request, &error)?;
                    self.before_repeat(error, &mut attempt, retries).await?;
                }
            }
        }
    }
}
