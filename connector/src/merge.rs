//! The rows of one object and the rows of one batch become the object's next rows.
//!
//! Per natural key the greatest version (`updated_at`) wins. Among equal versions the later source sequence wins,
//! and any row of the batch is later than what the object holds, unless the contents are equal: then nothing has
//! changed. The outcome does not depend on the order in which rows are given, only on versions and sequences.
//!
//! The merge is columnar: rows are picked by index and copied column by column.
//!
//! A row whose `created_at` changed to another hour is a row of that hour; the hour it left still holds its old
//! version, because one object is all that a merge sees. The vendors' `created_at` does not change (SUP-Q03).

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMicrosecondType;
use arrow_schema::ArrowError;
use arrow_select::interleave::interleave_record_batch;

use crate::column_view::ColumnView;
use crate::profile::Dataset;

/// Rows of one batch for one partition.
#[derive(Clone, Debug)]
pub struct ChangeSet {
    /// The rows.
    pub rows: RecordBatch,
    /// The source sequence of each row; a greater one is later.
    pub sequences: Vec<u64>,
}

/// What a merge comes to.
#[derive(Debug)]
pub enum Merge {
    /// Every row of the batch is already in the object, or older than what is.
    Unchanged {
        /// Rows of the batch, all of which lost.
        deduplicated: u64,
    },
    /// The object must be replaced.
    Changed(MergedRows),
}

/// The rows of the next object.
#[derive(Debug)]
pub struct MergedRows {
    /// Rows sorted by time column and key, in batches of at most a row group.
    pub batches: Vec<RecordBatch>,
    /// Rows of the object.
    pub object_rows: u64,
    /// Rows of the batch that are the winning version of their key.
    pub written: u64,
    /// Rows of the batch that lost to an equal or newer version.
    pub deduplicated: u64,
}

/// Why rows could not be merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// The rows are not of the dataset's schema.
    #[error("rows do not have the schema of dataset `{dataset}`")]
    Schema {
        /// The dataset.
        dataset: String,
    },
    /// A column grew beyond what Arrow can hold.
    #[error("rows cannot be gathered: {0}")]
    Arrow(#[from] ArrowError),
}

struct Entry {
    batch: usize,
    row: usize,
    /// 0 for rows of the base; the row's sequence and one for rows of the change set.
    rank: u64,
    version: i64,
    time: i64,
    key: std::ops::Range<usize>,
}

/// The merge of `changes` into `base`.
pub fn merge(
    dataset: &Dataset,
    base: &[RecordBatch],
    changes: &ChangeSet,
    rows_per_batch: usize,
) -> Result<Merge, MergeError> {
    let schema_error = || MergeError::Schema { dataset: dataset.name().to_string() };
    let batches: Vec<&RecordBatch> = base.iter().chain(std::iter::once(&changes.rows)).collect();
    let views: Vec<Vec<ColumnView<'_>>> =
        batches.iter().map(|batch| ColumnView::all(batch)).collect::<Option<_>>().ok_or_else(schema_error)?;

    let wanted = vec![true; dataset.key_positions().len()];
    let mut keys: Vec<u8> = Vec::new();
    let mut entries: Vec<Entry> = Vec::new();
    for (at, (batch, columns)) in batches.iter().zip(&views).enumerate() {
        let is_new = at == base.len();
        let instants = |position: Option<usize>| {
            batch
                .columns()
                .get(position?)
                .and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>())
        };
        let versions = instants(dataset.version_position()).ok_or_else(schema_error)?;
        let times = instants(dataset.time_position()).ok_or_else(schema_error)?;
        for row in 0..batch.num_rows() {
            let start = keys.len();
            append_row_key(dataset, |at| columns.get(at), &wanted, row, &mut keys)
                .ok_or_else(schema_error)?;
            let rank = if is_new {
                changes.sequences.get(row).ok_or_else(schema_error)?.saturating_add(1)
            } else {
                0
            };
            entries.push(Entry {
                batch: at,
                row,
                rank,
                version: versions.value(row),
                time: times.value(row),
                key: start..keys.len(),
            });
        }
    }
    let key_of = |entry: &Entry| keys.get(entry.key.clone()).unwrap_or_default();
    entries.sort_unstable_by(|a, b| {
        key_of(a).cmp(key_of(b)).then_with(|| (a.version, a.rank).cmp(&(b.version, b.rank)))
    });

    let mut winners: Vec<&Entry> = Vec::with_capacity(entries.len());
    let mut written: u64 = 0;
    for group in entries.chunk_by(|a, b| key_of(a) == key_of(b)) {
        let Some(last) = group.last() else { continue };
        let unchanged = group
            .iter()
            .rev()
            .find(|entry| entry.rank == 0)
            .filter(|kept| last.rank > 0 && kept.version == last.version && same_row(&views, kept, last));
        let winner = unchanged.unwrap_or(last);
        written += u64::from(winner.rank > 0);
        winners.push(winner);
    }
    let deduplicated = changes.rows.num_rows() as u64 - written;
    if written == 0 {
        return Ok(Merge::Unchanged { deduplicated });
    }
    winners.sort_unstable_by(|a, b| a.time.cmp(&b.time).then_with(|| key_of(a).cmp(key_of(b))));
    let picks: Vec<(usize, usize)> = winners.iter().map(|entry| (entry.batch, entry.row)).collect();
    let merged = picks
        .chunks(rows_per_batch.max(1))
        .map(|picks| interleave_record_batch(&batches, picks))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Merge::Changed(MergedRows { batches: merged, object_rows: picks.len() as u64, written, deduplicated }))
}

/// Appends the key of a row, and tells by which alternative the row identifies itself. `None` if that one is not among
/// the `wanted`, which may leave out the last ones, or if a column is missing.
pub(crate) fn append_row_key<'v, 'a: 'v>(
    dataset: &Dataset,
    column: impl Fn(usize) -> Option<&'v ColumnView<'a>>,
    wanted: &[bool],
    row: usize,
    keys: &mut Vec<u8>,
) -> Option<usize> {
    for (alternative, (key, is_wanted)) in dataset.key_positions().iter().zip(wanted).enumerate() {
        let mut is_present = true;
        for at in &key.present {
            is_present &= !column(*at)?.is_null(row);
        }
        if !is_present {
            continue;
        }
        if !is_wanted {
            return None;
        }
        keys.push(u8::try_from(alternative).ok()?);
        for at in &key.columns {
            column(*at)?.append_key(row, keys);
        }
        return Some(alternative);
    }
    None
}

fn same_row(views: &[Vec<ColumnView<'_>>], a: &Entry, b: &Entry) -> bool {
    let (Some(left), Some(right)) = (views.get(a.batch), views.get(b.batch)) else { return false };
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| left.same(a.row, right, b.row))
}

#[cfg(test)]
mod tests;
