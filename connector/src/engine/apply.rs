//! One object brought up to date: merge, seal, one conditional write, commit.

use bytes::Bytes;
use jiff::Timestamp;

use super::{Connection, SyncError};
use crate::content::{Content, Room, disk_failure};
use crate::doctor::insists_on_acl;
use crate::merge::ChangeSet;
use crate::names::{ETag, IntentId, NameError, ObjectKey};
use crate::parquet_file::DecodeError;
use crate::profile::{BatchNames, Dataset, DatasetPartition, ObjectNames};
use crate::report::RetryReport;
use crate::splice::{ReplaceError, Replaced, replace_within};
use crate::state::{FinishBatch, IntentMode, IntentRecord, State};
use crate::store::{Condition, Effect, ObjectHead, PutOutcome, PutRequest};

/// The batch that a write belongs to.
#[derive(Clone, Debug)]
pub(super) struct BatchIdentity {
    pub(super) id: i64,
    pub(super) digest: String,
    pub(super) writer: String,
    pub(super) sealed_at: Timestamp,
    /// What the batch holds and where it came from, in full.
    pub(super) name: String,
}

/// The next content of an object, or that it has none.
pub(super) struct Next {
    pub(super) mode: IntentMode,
    pub(super) body: Content,
    pub(super) object_rows: u64,
    pub(super) written: u64,
    pub(super) deduplicated: u64,
    pub(super) generation: u64,
    pub(super) base: Option<ETag>,
}

/// An intent and the bytes it writes, or the outcome that an earlier attempt already had.
enum Attempt {
    Write(Box<IntentRecord>, Content),
    Done(Box<IntentRecord>, Option<ETag>),
}

/// What is merged into which object.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) key: &'a ObjectKey,
    /// The partition, in units of its dataset.
    pub(super) slot: i64,
    pub(super) changes: &'a ChangeSet,
    pub(super) form: Form,
}

/// What an object holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A partition's rows.
    Whole,
    /// The rows of a partition that changed since its object was written.
    Tail,
}

/// How the attempts of one conditional write ended.
pub(super) enum Applied {
    Written(ETag),
    BaseMoved,
}

/// A folder of the state directory.
const ROOM: &str = "room";
/// An object is held as it is and as it becomes, and its rows take some six times its size when they are read.
const OBJECTS_IN_MEMORY: u64 = 16;

/// Removes objects that a crash left and nobody goes on with.
pub(super) fn clear_room(state: &State) {
    let _nothing_left = std::fs::remove_dir_all(state.directory().join(ROOM));
}

impl Connection {
    /// Where objects are held that rows are merged into: in memory, or on disk where they would take much of the budget.
    pub(super) fn room(&self, state: Option<&State>) -> Room {
        let directory = state.map_or_else(std::env::temp_dir, |state| state.directory().join(ROOM));
        Room::new(self.config.memory_bytes / OBJECTS_IN_MEMORY, directory)
    }

    /// The key of an object of `partition`.
    pub(super) fn key(
        &self,
        dataset: &Dataset,
        partition: &DatasetPartition,
        batch: BatchNames,
    ) -> Result<ObjectKey, NameError> {
        let names = ObjectNames { extension: self.encoding.extension.clone(), batch };
        dataset.layout().key(&self.config.bucket.prefix, partition, &names)
    }

    /// Brings one object up to date and commits; `finish` makes the last commit of a batch from the intent.
    pub(super) async fn apply<'a>(
        &self,
        state: &State,
        dataset: &Dataset,
        batch: &BatchIdentity,
        target: Target<'_>,
        retries: &mut RetryReport,
        finish: impl Fn(&IntentRecord) -> Option<FinishBatch<'a>>,
    ) -> Result<IntentRecord, SyncError> {
        let key = target.key.clone();
        let id = intent_id(batch, &key);
        for attempt in 1..=self.retry.rebases_max {
            let (intent, etag) = match self.prepare(state, dataset, batch, (&id, target), retries).await? {
                Attempt::Done(intent, etag) => (intent, etag),
                Attempt::Write(intent, body) => {
                    state.seal_intent(&intent)?;
                    match self.write(state, &intent, body, retries).await? {
                        Applied::Written(etag) => (intent, Some(etag)),
                        Applied::BaseMoved => {
                            tracing::info!(%key, attempt, "another writer was faster, rebasing");
                            retries.rebased += 1;
                            self.pause(attempt).await;
                            continue;
                        }
                    }
                }
            };
            state.commit_intent(&intent, etag.as_ref(), self.clock.now(), finish(&intent).as_ref())?;
            return Ok(*intent);
        }
        Err(SyncError::Contended { key, attempts: self.retry.rebases_max })
    }

    /// Loads the object and merges; finds out whether an earlier attempt has already taken effect.
    async fn prepare(
        &self,
        state: &State,
        dataset: &Dataset,
        batch: &BatchIdentity,
        (id, target): (&IntentId, Target<'_>),
        retries: &mut RetryReport,
    ) -> Result<Attempt, SyncError> {
        let key = target.key;
        let room = self.room(Some(state));
        let base = self.retrying(retries, || self.store.get_within(key, &room)).await?;
        self.is_not_fenced(key, base.as_ref().map(|(head, _)| head))?;
        if let Some((head, _)) = &base
            && head.intent.as_ref() == Some(id)
            && let Some(sealed) = state.sealed_intent(id)?
        {
            tracing::info!(%key, "an earlier attempt had taken effect, rolling forward");
            return Ok(Attempt::Done(Box::new(sealed), Some(head.etag.clone())));
        }
        let next = match target.form {
            Form::Whole => self.next_content(dataset, key, base, (target.changes, &room))?,
            Form::Tail => self.next_tail(dataset, key, base, target.changes)?,
        };
        let intent = IntentRecord {
            id: id.clone(),
            batch_id: batch.id,
            dataset: dataset.name().clone(),
            slot: target.slot,
            key: key.clone(),
            mode: next.mode,
            base_etag: next.base,
            generation: next.generation,
            content_digest: next.body.digest().map_err(|error| no_room(&error))?,
            body_bytes: next.body.len(),
            object_rows: next.object_rows,
            written: next.written,
            deduplicated: next.deduplicated,
        };
        Ok(match next.mode {
            IntentMode::Unchanged => Attempt::Done(Box::new(intent), None),
            IntentMode::Create | IntentMode::Replace => Attempt::Write(Box::new(intent), next.body),
        })
    }

    /// What the object is to hold once `changes` are merged into `base`.
    pub(super) fn next_content(
        &self,
        dataset: &Dataset,
        key: &ObjectKey,
        base: Option<(ObjectHead, Content)>,
        (changes, room): (&ChangeSet, &Room),
    ) -> Result<Next, SyncError> {
        let (head, body) = base.unzip();
        let replacement = match replace_within(dataset, &self.encoding, body, changes, room) {
            Ok(Replaced::Changed(replacement)) => replacement,
            Ok(Replaced::Unchanged { deduplicated }) => {
                return Ok(Next {
                    mode: IntentMode::Unchanged,
                    body: Bytes::new().into(),
                    object_rows: 0,
                    written: 0,
                    deduplicated,
                    generation: 0,
                    base: head.map(|head: ObjectHead| head.etag),
                });
            }
            Err(ReplaceError::Base(source)) => {
                if let DecodeError::Parquet(error) = &source
                    && let Some(error) = disk_failure(error)
                {
                    return Err(no_room(error));
                }
                return Err(SyncError::ForeignObject { key: key.clone(), source });
            }
            Err(ReplaceError::Merge(error)) => return Err(error.into()),
            Err(ReplaceError::Encode(error)) => return Err(error.into()),
            Err(ReplaceError::Room(error)) => return Err(no_room(&error)),
        };
        if !replacement.copied.is_empty() || replacement.chunks_copied > 0 {
            let (groups, chunks) = (replacement.copied.len(), replacement.chunks_copied);
            tracing::debug!(%key, groups, chunks, "row groups and column chunks copied as they were");
        }
        Ok(Next {
            mode: if head.is_some() { IntentMode::Replace } else { IntentMode::Create },
            body: replacement.body,
            object_rows: replacement.object_rows,
            written: replacement.written,
            deduplicated: replacement.deduplicated,
            generation: head.as_ref().map_or(0, |head| head.generation).saturating_add(1),
            base: head.map(|head| head.etag),
        })
    }

    /// One conditional write, repeated as it is until its outcome is known.
    pub(super) async fn write(
        &self,
        state: &State,
        intent: &IntentRecord,
        body: Content,
        retries: &mut RetryReport,
    ) -> Result<Applied, SyncError> {
        let request = PutRequest {
            key: intent.key.clone(),
            body,
            content_type: self.encoding.format.content_type(),
            condition: self.condition(intent.base_etag.clone().map_or(Condition::Absent, Condition::Matches)),
            intent: intent.id.clone(),
            generation: intent.generation,
            epoch: self.config.writer_epoch,
            acl: self.profile.acl().map(str::to_owned),
            acl_is_required: insists_on_acl(&self.profile),
        };
        let mut attempt = 1;
        let mut conflicts = 0;
        loop {
            match self.store.put(&request).await {
                Ok(PutOutcome::Written(etag)) => {
                    self.keeps_conditions(state, &request).await?;
                    return Ok(Applied::Written(etag));
                }
                // The caller loads the object, and with it learns whether the writer was this intent.
                Ok(PutOutcome::PreconditionFailed | PutOutcome::BaseMissing) => {
                    return Ok(Applied::BaseMoved);
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
                    let effect = error.effect();
                    self.before_repeat(error, &mut attempt, retries).await?;
                    if effect == Effect::Unknown
                        && let Some(applied) = self.look(intent, retries).await?
                    {
                        return Ok(applied);
                    }
                }
            }
        }
    }

    /// After a lost answer: whether the write took effect, before its bytes are sent once more.
    async fn look(
        &self,
        intent: &IntentRecord,
        retries: &mut RetryReport,
    ) -> Result<Option<Applied>, SyncError> {
        let head: Option<ObjectHead> = self.retrying(retries, || self.store.head(&intent.key)).await?;
        self.is_not_fenced(&intent.key, head.as_ref())?;
        Ok(match head {
            Some(head) if head.intent.as_ref() == Some(&intent.id) => Some(Applied::Written(head.etag)),
            head if head.as_ref().map(|head| &head.etag) == intent.base_etag.as_ref() => None,
            _ => Some(Applied::BaseMoved),
        })
    }
}

pub(super) fn no_room(error: &std::io::Error) -> SyncError {
    SyncError::NoRoom { problem: error.to_string() }
}

/// The same rows for the same object by the same writer give the same id; other rows give another one, even after
/// the state was restored from a copy.
pub(super) fn intent_id(batch: &BatchIdentity, key: &ObjectKey) -> IntentId {
    let name = format!("{} {} {} {key}", batch.writer, batch.id, batch.digest);
    let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes()).to_string();
    IntentId::new(id).unwrap_or_else(|_| unreachable!("a UUID's text is a UUID"))
}
