//! Where a dataset's export begins, and what became of the times in which it stood still.

use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;
use jiff::Timestamp;

use super::{Connection, SyncError};
use crate::config::History;
use crate::merge::MergeError;
use crate::profile::Dataset;
use crate::state::{Gap, GapReason, Start, State};

/// The rows of `batch` from `start` on, by the dataset's time column, and how many were passed over.
pub(super) fn from_start(
    dataset: &Dataset,
    batch: RecordBatch,
    start: Option<Timestamp>,
) -> Result<(RecordBatch, u64), MergeError> {
    let Some(start) = start.map(Timestamp::as_microsecond) else { return Ok((batch, 0)) };
    let times = batch
        .columns()
        .get(dataset.time_position().unwrap_or(usize::MAX))
        .and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>())
        .ok_or_else(|| MergeError::Schema { dataset: dataset.name().to_string() })?;
    let keep: BooleanArray = times.values().iter().map(|micros| Some(*micros >= start)).collect();
    let passed_over = (batch.num_rows() - keep.true_count()) as u64;
    if passed_over == 0 {
        return Ok((batch, 0));
    }
    Ok((filter_record_batch(&batch, &keep)?, passed_over))
}

impl Connection {
    /// Records which datasets are selected: a new one starts, one that returns has a gap, one that left stands still.
    /// A toggle that was off is a pause of all of them, which the checkpoints know already.
    pub(super) fn note_selection(&self, state: &State) -> Result<(), SyncError> {
        let now = self.clock.now();
        for dataset in self.selected() {
            let name = dataset.name();
            match (state.start_of(name)?, state.off_since(name)?) {
                (None, _) => {
                    let forward = self.config.history == History::Forward;
                    state.set_start(name, if forward { Start::At(now) } else { Start::Everything })?;
                }
                (Some(_), Some(since)) => {
                    let gap = Gap {
                        dataset: name.clone(),
                        reason: GapReason::NotSelected,
                        from: since,
                        to: now.to_string(),
                        filled_at: None,
                    };
                    state.return_dataset(gap)?;
                }
                (Some(_), None) => {}
            }
        }
        for name in state.started()? {
            if !self.is_selected(&name) && state.off_since(&name)?.is_none() {
                state.set_off(&name, Some(now))?;
            }
        }
        Ok(())
    }
}
