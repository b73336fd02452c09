//! Rows brought into the order of their time, however many they are.
//!
//! They lie as Parquet, on disk if they are many, and are gone through by stretches of time of which each fits into memory.
//! Rows of equal times stay in the order in which they came.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::ArrowError;
use arrow_select::filter::filter_record_batch;
use arrow_select::interleave::interleave_record_batch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::Statistics;

use crate::content::{Content, Room};
use crate::object_file::{EncodeError, encode_within};
use crate::parquet_file::{self, align};
use crate::profile::{Dataset, Encoding};

/// Times that are looked at, at most, to find the stretches.
const SAMPLE: u64 = 65_536;
/// Rows of the shortest stretch.
const STRETCH_ROWS_MIN: u64 = 1_000;
const BATCH_ROWS: usize = 8_192;

/// Rows of a dataset with a time.
pub(super) struct Pile<'a> {
    dataset: &'a Dataset,
    room: &'a Room,
    bodies: Vec<Body>,
    bytes: u64,
}

struct Body {
    content: Content,
    metadata: ArrowReaderMetadata,
    /// The chunk of the time.
    time: usize,
}

impl Body {
    fn groups(&self) -> impl Iterator<Item = (usize, &RowGroupMetaData)> {
        self.metadata.metadata().row_groups().iter().enumerate()
    }

    fn read(&self, mask: ProjectionMask, groups: Vec<usize>) -> Result<ParquetRecordBatchReader, ArrowError> {
        let builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(self.content.clone(), self.metadata.clone());
        let builder = builder.with_projection(mask).with_row_groups(groups);
        Ok(builder.with_batch_size(BATCH_ROWS).build()?)
    }
}

impl<'a> Pile<'a> {
    pub(super) fn new(dataset: &'a Dataset, room: &'a Room) -> Self {
        Self { dataset, room, bodies: Vec::new(), bytes: 0 }
    }

    fn error(&self, source: ArrowError) -> EncodeError {
        EncodeError::Rows { dataset: self.dataset.name().to_string(), source }
    }

    /// How many rows.
    pub(super) fn rows(&self) -> u64 {
        let groups = self.bodies.iter().flat_map(Body::groups);
        groups.map(|(_, group)| u64::try_from(group.num_rows()).unwrap_or(0)).sum()
    }

    /// Adds rows that came after all others.
    pub(super) fn add(&mut self, encoding: &Encoding, rows: &RecordBatch) -> Result<(), EncodeError> {
        let rows = by_time(self.dataset, rows).map_err(|error| self.error(error))?;
        let body = parquet_file::encode(self.dataset, encoding, std::slice::from_ref(&rows))?;
        self.add_body(&body)
    }

    /// Adds rows that are Parquet already and came after all others.
    pub(super) fn add_body(&mut self, body: &[u8]) -> Result<(), EncodeError> {
        self.bytes += body.len() as u64;
        let room = self.room.for_one_more(self.bytes);
        let content = Content::within(&room, body)?;
        let metadata = ArrowReaderMetadata::load(&content, ArrowReaderOptions::new())
            .map_err(|error| self.error(error.into()))?;
        let schema = self.dataset.schema();
        let is_foreign = |name: &&String| schema.field_with_name(name).is_err();
        if let Some(column) = metadata.schema().fields().iter().map(|field| field.name()).find(is_foreign) {
            let problem = format!("held rows have column `{column}`, which the dataset lacks");
            return Err(self.error(ArrowError::SchemaError(problem)));
        }
        let leaves = metadata.parquet_schema().columns();
        let time = leaves.iter().position(|leaf| leaf.path().parts() == [self.time_name()]);
        let time = time.ok_or_else(|| self.error(no_time()))?;
        self.bodies.push(Body { content, metadata, time });
        Ok(())
    }

    fn time_name(&self) -> String {
        let column = self.dataset.time_position().and_then(|at| self.dataset.columns().get(at));
        column.map(|column| column.name.clone()).unwrap_or_default()
    }

    /// The rows by their time, encoded as one object, and how many they are.
    pub(super) fn encode(&self, encoding: &Encoding) -> Result<(Content, u64), EncodeError> {
        let starts = self.stretches().map_err(|error| self.error(error))?;
        let ends = starts.iter().skip(1).copied().map(Some).chain([None]);
        let batches = starts.iter().zip(ends).map(|(from, to)| self.stretch(*from, to));
        Ok((encode_within(self.room, self.dataset, encoding, batches)?, self.rows()))
    }

    /// Where stretches begin: as many as it takes for each to fit into memory, if times are not all the same.
    fn stretches(&self) -> Result<Vec<i64>, ArrowError> {
        let rows = self.rows();
        let groups = || self.bodies.iter().flat_map(Body::groups);
        let bytes: u64 = groups().map(|(_, group)| u64::try_from(group.total_byte_size()).unwrap_or(0)).sum();
        let row_bytes = bytes.checked_div(rows).unwrap_or(0).max(1);
        let stretch = (self.room.memory() / row_bytes).max(STRETCH_ROWS_MIN);
        let mut starts = vec![i64::MIN];
        if rows <= stretch {
            return Ok(starts);
        }
        let step = rows.div_ceil(SAMPLE);
        let (mut times, mut number) = (Vec::new(), 0_u64);
        for body in &self.bodies {
            let mask = ProjectionMask::leaves(body.metadata.parquet_schema(), [body.time]);
            for batch in body.read(mask, body.groups().map(|(at, _)| at).collect())? {
                for time in times_of(batch?.columns().first())? {
                    if number.is_multiple_of(step) {
                        times.push(*time);
                    }
                    number += 1;
                }
            }
        }
        times.sort_unstable();
        let each = usize::try_from(stretch / step).unwrap_or(usize::MAX).max(1);
        starts.extend(times.iter().copied().step_by(each).skip(1));
        starts.dedup();
        Ok(starts)
    }

    /// The rows from one time on and before another.
    fn stretch(&self, from: i64, to: Option<i64>) -> Result<RecordBatch, ArrowError> {
        let schema = self.dataset.schema();
        let mut kept: Vec<RecordBatch> = Vec::new();
        for body in &self.bodies {
            let groups: Vec<usize> = body
                .groups()
                .filter(|(_, group)| may_hold(group, body.time, (from, to)))
                .map(|(at, _)| at)
                .collect();
            if groups.is_empty() {
                continue;
            }
            for batch in body.read(ProjectionMask::all(), groups)? {
                let rows =
                    align(&schema, &batch?).map_err(|error| ArrowError::ExternalError(Box::new(error)))?;
                let times = times_of(self.dataset.time_position().and_then(|at| rows.columns().get(at)))?;
                let is_within = |time: &i64| *time >= from && to.is_none_or(|to| *time < to);
                let wanted: BooleanArray = times.iter().map(|time| Some(is_within(time))).collect();
                match wanted.true_count() {
                    0 => {}
                    all if all == rows.num_rows() => kept.push(rows),
                    _ => kept.push(filter_record_batch(&rows, &wanted)?),
                }
            }
        }
        in_order(self.dataset, &kept)
    }
}

/// Rows by their time; those of equal times stay in their order.
pub(super) fn by_time(dataset: &Dataset, rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    in_order(dataset, std::slice::from_ref(rows))
}

fn in_order(dataset: &Dataset, batches: &[RecordBatch]) -> Result<RecordBatch, ArrowError> {
    let mut order: Vec<(i64, (usize, usize))> = Vec::new();
    for (at, batch) in batches.iter().enumerate() {
        let times = times_of(dataset.time_position().and_then(|column| batch.columns().get(column)))?;
        order.extend(times.iter().zip(0..).map(|(time, row)| (*time, (at, row))));
    }
    if order.is_empty() {
        return Ok(RecordBatch::new_empty(dataset.schema()));
    }
    if let ([only], true) = (batches, order.is_sorted()) {
        return Ok(only.clone());
    }
    order.sort_unstable();
    let picks: Vec<(usize, usize)> = order.into_iter().map(|(_, pick)| pick).collect();
    interleave_record_batch(&batches.iter().collect::<Vec<_>>(), &picks)
}

fn times_of(column: Option<&Arc<dyn arrow_array::Array>>) -> Result<&[i64], ArrowError> {
    let times = column.and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
    Ok(times.ok_or_else(no_time)?.values())
}

fn no_time() -> ArrowError {
    ArrowError::SchemaError("the rows have no time".to_owned())
}

/// Whether a row group may hold rows of a stretch, as far as its statistics tell.
fn may_hold(group: &RowGroupMetaData, time: usize, (from, to): (i64, Option<i64>)) -> bool {
    match group.columns().get(time).and_then(|chunk| chunk.statistics()) {
        Some(Statistics::Int64(times)) => {
            times.max_opt().is_none_or(|greatest| *greatest >= from)
                && times.min_opt().is_none_or(|least| to.is_none_or(|to| *least < to))
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests;
