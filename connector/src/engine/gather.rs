//! The rows of the next batch: as many as one batch, and for appended objects one object, takes.

use super::batch::{Batch, Cut};
use super::{Connection, SyncError};
use crate::config::OnReplaced;
use crate::object_file::encode;
use crate::profile::{Dataset, Mode};
use crate::source::{self, Chunk, Limits, Next, SourceError};
use crate::state::{SourceRecord, State};

/// How much of the sources is looked at for one batch.
pub(super) type Budget = Limits;

/// What the sources have to give.
pub(super) struct Gathered {
    /// `None` if no complete line waits.
    pub(super) batch: Option<Batch>,
    /// Bytes of lines that are not complete.
    pub(super) pending_bytes: u64,
}

/// Reads what a budget allows, and the bytes of lines that are not complete.
type Read<'a> = dyn FnMut(Budget) -> Result<(Vec<Chunk>, u64), SyncError> + 'a;

impl Connection {
    pub(super) fn budget(&self, dataset: &Dataset) -> Budget {
        let limits = self.profile.batch_limits();
        let lines = if dataset.mode() == Mode::Append { limits.rows } else { u64::MAX };
        Budget { lines, ..self.limits(self.config.batch_bytes) }
    }

    /// As many lines as so many bytes take.
    pub(super) fn limits(&self, bytes: u64) -> Limits {
        Limits { bytes, lines: u64::MAX, line_bytes: self.config.line_bytes() }
    }

    /// The sources of `dataset` on record, and what to do when one was replaced.
    pub(super) fn source_records(
        &self,
        state: &State,
        dataset: &Dataset,
    ) -> Result<Vec<(SourceRecord, OnReplaced)>, SyncError> {
        let mut records: Vec<(SourceRecord, OnReplaced)> = Vec::new();
        for spool in state.spools(dataset.name())? {
            records.push((spool, OnReplaced::Fail));
        }
        for source in self.config.sources.iter().filter(|source| &source.dataset == dataset.name()) {
            for (path, on_replaced) in source::files(&source.place)? {
                records.push((state.source(dataset.name(), &path.display().to_string())?, on_replaced));
            }
        }
        Ok(records)
    }

    /// The next batch. An appended object that would be too large is cut: fewer rows are
    /// read. What a budget turned out to be worth is remembered in it.
    pub(super) fn gather(
        &self,
        dataset: &Dataset,
        cut: &Cut,
        budget: &mut Budget,
        read: &mut Read<'_>,
    ) -> Result<Gathered, SyncError> {
        loop {
            let (chunks, pending_bytes) = read(*budget)?;
            if chunks.is_empty() {
                return Ok(Gathered { batch: None, pending_bytes });
            }
            let mut batch = Batch::decode(dataset, chunks, cut)?;
            if dataset.mode() == Mode::Append && self.is_too_large(dataset, &mut batch, budget)? {
                continue;
            }
            return Ok(Gathered { batch: Some(batch), pending_bytes });
        }
    }

    /// Encodes the batch's objects. If one is too large, and fewer rows can be read, says so and lowers the budget.
    fn is_too_large(
        &self,
        dataset: &Dataset,
        batch: &mut Batch,
        budget: &mut Budget,
    ) -> Result<bool, SyncError> {
        let limits = self.profile.batch_limits();
        let mut largest: u64 = 0;
        for (slot, changes) in &batch.partitions {
            let body = encode(dataset, &self.encoding, std::slice::from_ref(&changes.rows))?;
            largest = largest.max(body.len() as u64);
            batch.bodies.insert(*slot, body);
        }
        let (text, lines) = (batch.source_bytes(), batch.source_lines());
        if largest == 0 {
            return Ok(false);
        }
        // Nine tenths, since the next rows may be compressed worse.
        let worth = u128::from(text) * u128::from(limits.bytes) * 9 / (u128::from(largest) * 10);
        let worth = u64::try_from(worth).unwrap_or(u64::MAX).max(1);
        if largest > limits.bytes && lines > 1 {
            budget.bytes = worth.min(text / 2).max(1);
            budget.lines = (lines / 2).max(1);
            return Ok(true);
        }
        // Where the count of rows decides, no more text is read than they take.
        let by_rows = if lines >= limits.rows { text.saturating_mul(5) / 4 } else { u64::MAX };
        budget.bytes = worth.min(by_rows).clamp(1, self.config.batch_bytes);
        budget.lines = limits.rows;
        Ok(false)
    }
}

/// Reads lines within the budget, source by source.
pub(super) fn read_within(
    records: Vec<(SourceRecord, OnReplaced)>,
    budget: Budget,
    restart: &mut dyn FnMut(&SourceRecord) -> Result<SourceRecord, SyncError>,
) -> Result<(Vec<Chunk>, u64), SyncError> {
    let mut chunks: Vec<Chunk> = Vec::new();
    let (mut left, mut pending) = (budget, 0);
    for (record, on_replaced) in records {
        if left.bytes == 0 || left.lines == 0 {
            break;
        }
        let next = match (source::read_next(&record, left), on_replaced) {
            (Err(SourceError::Replaced { path, .. }), OnReplaced::Restart) => {
                tracing::warn!(path, "the source was replaced, reading it from its start");
                source::read_next(&restart(&record)?, left)?
            }
            (outcome, _) => outcome?,
        };
        match next {
            Next::Lines(chunk) => {
                left.bytes = left.bytes.saturating_sub(chunk.bytes.len() as u64);
                left.lines = left.lines.saturating_sub(chunk.range.lines.end - chunk.range.lines.start);
                chunks.push(chunk);
            }
            Next::Nothing { pending_bytes } => pending += pending_bytes,
        }
    }
    Ok((chunks, pending))
}
