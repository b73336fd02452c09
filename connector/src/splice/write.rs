//! Writing an object's next bytes: chunks that stay are copied, the rest is encoded.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::content::{Content, Room, Sink};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_select::concat::concat_batches;
use arrow_select::interleave::{interleave, interleave_record_batch};
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::ParquetError;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};

use super::base::{Base, schema_of};
use super::plan::{Edits, Segment};
use super::{ReplaceError, Replaced, Replacement};
use crate::column_view::ColumnView;
use crate::merge::{ChangeSet, Merge, MergeError, merge};
use crate::parquet_file::properties;
use crate::profile::{Dataset, Encoding};

/// An object being written.
struct Writing<'a> {
    base: &'a Base,
    dataset: &'a Dataset,
    changes: &'a ChangeSet,
    file: SerializedFileWriter<Sink>,
    columns: ArrowRowGroupWriterFactory,
    groups: usize,
    copied: Vec<(usize, usize)>,
    chunks_copied: usize,
}

/// The object after its edits.
pub(super) fn spliced(
    base: &Base,
    dataset: &Dataset,
    encoding: &Encoding,
    changes: &ChangeSet,
    (edits, room): (&Edits, &Room),
) -> Result<Replaced<Content>, ReplaceError> {
    let schema = schema_of(&base.schema)?.root_schema_ptr();
    let properties = properties(dataset, encoding, |column| base.without_dictionary(column))?;
    let sink = room.sink(base.bytes.len() + base.bytes.len() / 8)?;
    let file = SerializedFileWriter::new(sink, schema, Arc::new(properties))?;
    let columns = ArrowRowGroupWriterFactory::new(&file, Arc::clone(&base.schema));
    let copied = Vec::new();
    let mut writing = Writing { base, dataset, changes, file, columns, groups: 0, copied, chunks_copied: 0 };
    for segment in &edits.segments {
        match segment {
            Segment::Copy(group) => writing.copy(*group)?,
            Segment::Patch { group, updates } => writing.patch(*group, updates)?,
            Segment::Build { groups, removals, changes, rows } => {
                writing.build(groups.clone(), removals, changes, *rows)?;
            }
        }
    }
    Ok(Replaced::Changed(Replacement {
        body: writing.file.into_inner()?.finish()?,
        object_rows: edits.object_rows,
        written: edits.written,
        deduplicated: changes.rows.num_rows() as u64 - edits.written,
        copied: writing.copied,
        chunks_copied: writing.chunks_copied,
    }))
}

impl Writing<'_> {
    /// A row group as it is.
    fn copy(&mut self, group: usize) -> Result<(), ReplaceError> {
        let mut to = self.file.next_row_group()?;
        for column in 0..self.base.schema.fields().len() {
            copy_column(self.base, group, column, &mut to)?;
        }
        to.close()?;
        self.copied.push((group, self.groups));
        self.groups += 1;
        Ok(())
    }

    /// A row group whose rows stay in their places; columns in which no row changed are copied.
    fn patch(&mut self, group: usize, updates: &[(usize, usize)]) -> Result<(), ReplaceError> {
        let all = self.base.all_columns();
        let rows: Vec<usize> = updates.iter().map(|(row, _)| *row).collect();
        let old = self.base.read(group, &all, Some(&rows))?;
        let schema_error = || MergeError::Schema { dataset: self.dataset.name().to_string() };
        let before = ColumnView::all(&old).ok_or_else(schema_error)?;
        let after = ColumnView::all(&self.changes.rows).ok_or_else(schema_error)?;
        let is_changed = |column: &usize| match (before.get(*column), after.get(*column)) {
            (Some(before), Some(after)) => {
                updates.iter().enumerate().any(|(at, (_, row))| !before.same(at, after, *row))
            }
            _ => true,
        };
        let changed: Vec<usize> = all.iter().copied().filter(is_changed).collect();
        let whole = self.base.read(group, &changed, None)?;
        let mut picks: Vec<(usize, usize)> = (0..whole.num_rows()).map(|row| (0, row)).collect();
        for (row, change) in updates {
            if let Some(pick) = picks.get_mut(*row) {
                *pick = (1, *change);
            }
        }
        let mut writers: Vec<Option<ArrowColumnWriter>> =
            self.columns.create_column_writers(self.groups)?.into_iter().map(Some).collect();
        let mut to = self.file.next_row_group()?;
        let mut next = changed.iter().zip(whole.columns()).peekable();
        for column in all {
            let Some((_, values)) = next.next_if(|(changed, _)| **changed == column) else {
                self.chunks_copied += copy_column(self.base, group, column, &mut to)?;
                continue;
            };
            let given = self.changes.rows.columns().get(column).ok_or_else(schema_error)?;
            let values = interleave(&[values.as_ref(), given.as_ref()], &picks)?;
            let chunks = writers.get_mut(self.base.chunks(column)).unwrap_or_default();
            write_column(self.base, column, &values, chunks.iter_mut().filter_map(Option::take), &mut to)?;
        }
        to.close()?;
        self.groups += 1;
        Ok(())
    }

    /// The rows of row groups side by side, without some and with others, cut evenly.
    fn build(
        &mut self,
        groups: Range<usize>,
        removals: &BTreeMap<usize, Vec<usize>>,
        changes: &[usize],
        rows: usize,
    ) -> Result<(), ReplaceError> {
        let all = self.base.all_columns();
        let mut kept: Vec<RecordBatch> = Vec::with_capacity(groups.len());
        for group in groups {
            let read = self.base.read(group, &all, None)?;
            kept.push(match removals.get(&group) {
                None => read,
                Some(removed) => {
                    let stays = |row: &usize| removed.binary_search(row).is_err();
                    let picks: Vec<(usize, usize)> =
                        (0..read.num_rows()).filter(stays).map(|row| (0, row)).collect();
                    interleave_record_batch(&[&read], &picks)?
                }
            });
        }
        let cut = rows.div_ceil(rows.div_ceil(self.base.row_group_rows).max(1)).max(1);
        let batches = if changes.is_empty() {
            let kept = concat_batches(&self.base.schema, &kept)?;
            (0..rows).step_by(cut).map(|from| kept.slice(from, cut.min(rows - from))).collect()
        } else {
            let picks: Vec<(usize, usize)> = changes.iter().map(|row| (0, *row)).collect();
            let given = ChangeSet {
                rows: interleave_record_batch(&[&self.changes.rows], &picks)?,
                sequences: changes
                    .iter()
                    .filter_map(|row| self.changes.sequences.get(*row).copied())
                    .collect(),
            };
            match merge(self.dataset, &kept, &given, cut)? {
                Merge::Changed(merged) => merged.batches,
                Merge::Unchanged { .. } => kept,
            }
        };
        for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
            let mut writers = self.columns.create_column_writers(self.groups)?.into_iter();
            let mut to = self.file.next_row_group()?;
            for (column, values) in batch.columns().iter().enumerate() {
                let chunks = self.base.chunks(column).len();
                write_column(self.base, column, values, writers.by_ref().take(chunks), &mut to)?;
            }
            to.close()?;
            self.groups += 1;
        }
        Ok(())
    }
}

/// Copies the chunks of a column; how many there are.
fn copy_column(
    base: &Base,
    group: usize,
    column: usize,
    to: &mut SerializedRowGroupWriter<'_, Sink>,
) -> Result<usize, ParquetError> {
    let chunks = base.chunks(column);
    let count = chunks.len();
    for chunk in chunks {
        let closed = base
            .closed(group, chunk)
            .ok_or_else(|| ParquetError::General(format!("row group {group} has no chunk {chunk}")))?;
        to.append_column(&base.bytes, closed)?;
    }
    Ok(count)
}

/// Encodes a column.
fn write_column(
    base: &Base,
    column: usize,
    values: &ArrayRef,
    writers: impl Iterator<Item = ArrowColumnWriter>,
    to: &mut SerializedRowGroupWriter<'_, Sink>,
) -> Result<(), ParquetError> {
    let leaves = compute_leaves(base.schema.field(column), values)?;
    for (mut writer, leaf) in writers.zip(&leaves) {
        writer.write(leaf)?;
        writer.close()?.append_to_row_group(to)?;
    }
    debug_assert!(values.len() <= base.row_group_rows, "a row group is cut to its rows");
    Ok(())
}
