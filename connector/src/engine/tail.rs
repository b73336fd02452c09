//! Tails, for datasets that ask for them: changed rows of an hour go to a small object beside the hour's own, which is
//! merged into it once the hour is quiet, or once the tail is no longer small.
//!
//! `hour=14/messages.parquet` has the tail `hour=14/_messages.tail.parquet`. Readers that follow the vendor's layout, and
//! all that pass over names with an underscore, see the hour as of its last merge. The newest state is both together: per
//! key the greatest version, of equal ones the tail's. No write deletes: a merged tail is an object without rows.
//!
//! First the hour takes up the tail's rows, then the tail is emptied if it still is the one that was taken up. So between
//! the two a reader of both finds rows twice, equal, and never misses one. Each tail is other bytes than all before it, so
//! a request that arrives late finds its condition broken.

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::apply::{Applied, BatchIdentity, Form, Next, Target, intent_id};
use super::sync::object_report;
use super::{Connection, SyncError};
use crate::content::Content;
use crate::merge::{ChangeSet, Merge, MergeError, merge};
use crate::names::{NameError, ObjectKey};
use crate::object_file::EncodeError;
use crate::parquet_file::{self, encode_generation};
use crate::profile::{BatchNames, Dataset, DatasetPartition, Format};
use crate::report::{DatasetReport, RetryReport};
use crate::state::{FinishBatch, IntentMode, IntentRecord, SealedBatch, State};
use crate::store::ObjectHead;

const MARK: &str = ".tail";

/// A tail is merged before it holds more than one row in so many of its hour's.
const SHARE: u64 = 10;

/// The tail of the object at `key`: its name with an underscore before it and a mark before its ending.
pub(super) fn tail_of(key: &ObjectKey) -> Result<ObjectKey, NameError> {
    let (folder, name) =
        key.as_str().rsplit_once('/').map_or(("", key.as_str()), |(folder, name)| (folder, name));
    let (stem, ending) = name.split_once('.').unwrap_or((name, ""));
    let slash = if folder.is_empty() { "" } else { "/" };
    let dot = if ending.is_empty() { "" } else { "." };
    ObjectKey::new(format!("{folder}{slash}_{stem}{MARK}{dot}{ending}"))
}

/// The object whose tail `key` is.
pub(crate) fn tailed(key: &ObjectKey) -> Option<ObjectKey> {
    let (folder, name) = key.as_str().rsplit_once('/').unwrap_or(("", key.as_str()));
    let (stem, ending) = name.strip_prefix('_')?.split_once(MARK)?;
    let slash = if folder.is_empty() { "" } else { "/" };
    ObjectKey::new(format!("{folder}{slash}{stem}{ending}")).ok()
}

impl Connection {
    fn has_tail(&self, dataset: &Dataset) -> bool {
        self.encoding.format == Format::Parquet
            && self.config.tail.as_ref().is_some_and(|tail| tail.datasets.contains(dataset.name()))
    }

    /// The object that changes of a partition go to.
    pub(super) fn form_of(
        &self,
        state: Option<&State>,
        dataset: &Dataset,
        key: &ObjectKey,
        rows: u64,
    ) -> Result<Form, SyncError> {
        let Some(state) = state.filter(|_| self.has_tail(dataset)) else { return Ok(Form::Whole) };
        let held = state.object_rows(&tail_of(key)?)?.unwrap_or(0);
        Ok(match state.object_rows(key)? {
            Some(whole) if (held + rows) * SHARE <= whole => Form::Tail,
            _ => Form::Whole,
        })
    }

    /// Merges a batch's rows of a partition into its object, or into its tail.
    pub(super) async fn merge_into<'a>(
        &self,
        state: &State,
        dataset: &Dataset,
        batch: &BatchIdentity,
        (partition, changes): (&DatasetPartition, &ChangeSet),
        retries: &mut RetryReport,
        finish: impl Fn(&IntentRecord) -> Option<FinishBatch<'a>>,
    ) -> Result<IntentRecord, SyncError> {
        let key = self.key(dataset, partition, BatchNames::default())?;
        let tail = tail_of(&key)?;
        // What was sealed for one of the two goes there when it is tried again.
        let sealed = state.sealed_intents(batch.id)?;
        let sealed = sealed.iter().find(|sealed| sealed.slot == partition.slot()).map(|sealed| &sealed.key);
        let form = match sealed {
            Some(sealed) if *sealed == tail => Form::Tail,
            Some(_) => Form::Whole,
            None => self.form_of(Some(state), dataset, &key, changes.rows.num_rows() as u64)?,
        };
        let slot = partition.slot();
        if form == Form::Tail {
            let target = Target { key: &tail, slot, changes, form };
            return self.apply(state, dataset, batch, target, retries, finish).await;
        }
        // Of equal versions the later one wins, so what the tail holds comes first. It stands in a batch of its own, of
        // which nothing is left open.
        // An hour that the state does not know may have one from before the state.
        let may_have = match state.object_rows(&tail)? {
            Some(rows) => rows > 0,
            None => self.has_tail(dataset) && state.object_rows(&key)?.is_none(),
        };
        if may_have {
            self.merge_tail(state, dataset, (&key, slot), None, retries).await?;
        }
        self.apply(state, dataset, batch, Target { key: &key, slot, changes, form }, retries, finish).await
    }

    /// The next content of a tail.
    pub(super) fn next_tail(
        &self,
        dataset: &Dataset,
        key: &ObjectKey,
        base: Option<(ObjectHead, Content)>,
        changes: &ChangeSet,
    ) -> Result<Next, SyncError> {
        let (head, body) = base.unzip();
        let rows = match body {
            Some(body) => rows_of(dataset, key, body)?,
            None => Vec::new(),
        };
        let generation = head.as_ref().map_or(0, |head| head.generation).saturating_add(1);
        let etag = head.as_ref().map(|head| head.etag.clone());
        let merged = match merge(dataset, &rows, changes, self.encoding.row_group_rows)? {
            Merge::Changed(merged) => merged,
            Merge::Unchanged { deduplicated } => {
                let (mode, body) = (IntentMode::Unchanged, Bytes::new().into());
                let (object_rows, written, generation) = (0, 0, 0);
                return Ok(Next { mode, body, object_rows, written, deduplicated, generation, base: etag });
            }
        };
        let body = encode_generation(dataset, &self.encoding, &merged.batches, generation);
        Ok(Next {
            mode: if head.is_some() { IntentMode::Replace } else { IntentMode::Create },
            body: body.map_err(EncodeError::from)?.into(),
            object_rows: merged.object_rows,
            written: merged.written,
            deduplicated: merged.deduplicated,
            generation,
            base: etag,
        })
    }

    /// Merges the tails of hours that nothing has changed for a while; all tails, where a dataset has them no longer.
    pub(super) async fn merge_quiet_tails(
        &self,
        state: &State,
        dataset: &Dataset,
        report: &mut DatasetReport,
        retries: &mut RetryReport,
    ) -> Result<(), SyncError> {
        let quiet = self.config.tail.as_ref().filter(|_| self.has_tail(dataset)).map(|tail| tail.quiet);
        let quiet = quiet.map(|quiet| SignedDuration::try_from(quiet).unwrap_or(SignedDuration::MAX));
        let now = self.clock.now();
        for (key, slot, written_at) in state.objects_with_rows(dataset.name())? {
            let Some(whole) = ObjectKey::new(key).ok().and_then(|key| tailed(&key)) else { continue };
            let is_quiet = |quiet| {
                written_at.parse::<Timestamp>().is_ok_and(|written| now.duration_since(written) >= quiet)
            };
            if quiet.is_none_or(is_quiet) {
                tracing::info!(key = %whole, "the hour is quiet, its tail is merged into it");
                self.merge_tail(state, dataset, (&whole, slot), Some(&mut *report), retries).await?;
            }
        }
        Ok(())
    }

    /// Merges a tail into its object, then empties it.
    async fn merge_tail(
        &self,
        state: &State,
        dataset: &Dataset,
        (key, slot): (&ObjectKey, i64),
        mut report: Option<&mut DatasetReport>,
        retries: &mut RetryReport,
    ) -> Result<(), SyncError> {
        let tail = tail_of(key)?;
        for _ in 0..self.retry.rebases_max {
            let object = self.retrying(retries, || self.store.get(&tail)).await?;
            self.is_not_fenced(&tail, object.as_ref().map(|object| &object.head))?;
            if object.is_none() && state.object_rows(&tail)?.is_none() {
                return Ok(());
            }
            let held = match &object {
                Some(object) => rows_of(dataset, &tail, object.body.clone().into())?,
                None => Vec::new(),
            };
            let rows = concat_batches(&dataset.schema(), &held).map_err(MergeError::from)?;
            let (generation, base) = object.map(|object| (object.head.generation, object.head.etag)).unzip();
            let digest = hex::encode(Sha256::digest(format!("{tail} {base:?}")));
            if rows.num_rows() > 0 {
                let batch = self.batch_of_tail(state, dataset, &digest)?;
                let changes = ChangeSet { sequences: (0..rows.num_rows() as u64).collect(), rows };
                let target = Target { key, slot, changes: &changes, form: Form::Whole };
                let finish = |_: &IntentRecord| finish_of_tail(state, dataset, batch.id).ok();
                let intent = self.apply(state, dataset, &batch, target, retries, finish).await?;
                if let Some(report) = &mut report {
                    let mut object = object_report(&intent);
                    (object.rows_written, object.rows_deduplicated) = (0, 0);
                    report.objects.push(object);
                }
            }
            let batch = self.batch_of_tail(state, dataset, &digest)?;
            let is_there = base.is_some();
            let generation = generation.unwrap_or(0).saturating_add(1);
            let body =
                encode_generation(dataset, &self.encoding, &[], generation).map_err(EncodeError::from)?;
            let intent = IntentRecord {
                id: intent_id(&batch, &tail),
                batch_id: batch.id,
                dataset: dataset.name().clone(),
                slot,
                key: tail.clone(),
                mode: if is_there { IntentMode::Replace } else { IntentMode::Create },
                base_etag: base,
                generation,
                content_digest: hex::encode(Sha256::digest(&body)),
                body_bytes: body.len() as u64,
                object_rows: 0,
                written: 0,
                deduplicated: 0,
            };
            state.seal_intent(&intent)?;
            let applied = self.write(state, &intent, body.into(), retries).await?;
            let (is_empty, etag) = match applied {
                Applied::Written(etag) => (true, Some(etag)),
                Applied::BaseMoved => (false, None),
            };
            let finish = finish_of_tail(state, dataset, batch.id)?;
            if is_empty {
                state.commit_intent(&intent, etag.as_ref(), self.clock.now(), Some(&finish))?;
                return Ok(());
            }
            tracing::info!(key = %tail, "the tail has grown meanwhile, merging it again");
            retries.rebased += 1;
            state.abandon_batch(batch.id)?;
        }
        Err(SyncError::Contended { key: tail, attempts: self.retry.rebases_max })
    }

    /// A batch without rows of the sources: what is left open of it is forgotten, since the tail itself says what is to
    /// be done.
    fn batch_of_tail(
        &self,
        state: &State,
        dataset: &Dataset,
        digest: &str,
    ) -> Result<BatchIdentity, SyncError> {
        let now = self.clock.now();
        let sealed = SealedBatch {
            dataset: dataset.name(),
            digest: digest.to_owned(),
            rows_read: 0,
            dead_lettered: 0,
            ranges: &[],
            now,
        };
        let id = state.seal_batch(&sealed)?;
        let (digest, name) = (digest.to_owned(), String::new());
        Ok(BatchIdentity { id, digest, writer: state.writer()?, sealed_at: now, name })
    }
}

/// Finishes a batch whose rows were counted when they came.
fn finish_of_tail<'a>(
    state: &State,
    dataset: &'a Dataset,
    batch_id: i64,
) -> Result<FinishBatch<'a>, SyncError> {
    Ok(FinishBatch {
        batch_id,
        dataset: dataset.name(),
        ranges: &[],
        rows_read: 0,
        written: 0,
        deduplicated: 0,
        dead_lettered: 0,
        dead_bytes: state.dead_bytes(dataset.name())?,
        period: None,
    })
}

fn rows_of(dataset: &Dataset, key: &ObjectKey, body: Content) -> Result<Vec<RecordBatch>, SyncError> {
    parquet_file::decode(dataset, body)
        .map_err(|source| SyncError::ForeignObject { key: key.clone(), source })
}
