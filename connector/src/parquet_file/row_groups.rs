//! Rows cut into row groups, and their columns encoded side by side.
//!
//! The columns are dealt out to a few lanes (`lanes.rs`); whoever reads the batches helps when the lanes fall behind. Chunks
//! are written in the order of the columns, so the bytes are the same for any number of threads.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, DataType, FieldRef, SchemaRef};
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory};
use parquet::basic::Compression as PageCompression;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnDescPtr;

use super::lanes::{Ahead, Encoded, Ending, First, Lane, Made, Order, Outcome, Posts, State};
use crate::column_chunk::{TextChunk, TextColumn};

/// Lanes for each thread: columns cost unlike much, so that a few more lanes than threads keep all busy.
const LANES_PER_THREAD: usize = 4;
/// Batches that wait for a lane before whoever reads them helps.
const BATCHES_AHEAD: usize = 4;
/// Batches for each thread that are made at once: one in hand, one next.
const JOBS_PER_THREAD: usize = 2;

/// Batches cut where row groups end.
struct RowGroups<I> {
    batches: I,
    /// What a row group left of its last batch.
    left: Option<RecordBatch>,
    rows: usize,
    /// Rows of the row group so far.
    filled: usize,
}

impl<I: Iterator<Item = Result<RecordBatch, ArrowError>>> RowGroups<I> {
    fn new(batches: I, rows: usize) -> Self {
        Self { batches, left: None, rows: rows.max(1), filled: 0 }
    }
}

/// Rows of one row group.
struct Cut {
    rows: RecordBatch,
    /// Whether the row group is full after them.
    is_last: bool,
}

impl<I: Iterator<Item = Result<RecordBatch, ArrowError>>> Iterator for RowGroups<I> {
    type Item = Result<Cut, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = loop {
            match self.left.take().map(Ok).or_else(|| self.batches.next())? {
                Err(error) => return Some(Err(error)),
                Ok(batch) if batch.num_rows() > 0 => break batch,
                Ok(_) => {}
            }
        };
        let taken = batch.num_rows().min(self.rows - self.filled);
        if taken < batch.num_rows() {
            self.left = Some(batch.slice(taken, batch.num_rows() - taken));
        }
        self.filled += taken;
        let is_last = self.filled == self.rows;
        if is_last {
            self.filled = 0;
        }
        Some(Ok(Cut { rows: batch.slice(0, taken), is_last }))
    }
}

/// Encodes rows in row groups of so many and appends them to `file`. `first` are those that have been made already.
pub(super) fn write<W: Write + Send, J: FnOnce() -> Made + Send>(
    file: &mut SerializedFileWriter<W>,
    schema: &SchemaRef,
    properties: &WriterProperties,
    threads: usize,
    (first, source): (Vec<RecordBatch>, impl Iterator<Item = J>),
) -> Result<(), ParquetError> {
    let factory = ArrowRowGroupWriterFactory::new(file, Arc::clone(schema));
    let leaves: Vec<ColumnDescPtr> = file.schema_descr().columns().to_vec();
    let uncompressed = PageCompression::UNCOMPRESSED;
    let compression = leaves.first().map_or(uncompressed, |leaf| properties.compression(leaf.path()));
    let lanes = if threads < 2 { 1 } else { threads * LANES_PER_THREAD };
    let posts = Posts::<J>::new(lanes_of(schema, &leaves, properties, compression, lanes)?);
    let begin = |number: usize| -> Result<(), ParquetError> {
        let mut writers = writers(schema, &leaves, properties, factory.create_column_writers(number)?, lanes);
        posts.give(|at| Order::Begin(writers.get_mut(at).map(std::mem::take).unwrap_or_default()));
        Ok(())
    };
    let columns = schema.fields().len();
    std::thread::scope(|scope| {
        let _ending = Ending(&posts);
        for _ in 1..threads {
            scope.spawn(|| posts.serve());
        }
        let at_once = if threads < 2 { 1 } else { threads * JOBS_PER_THREAD };
        let made = Ahead { posts: &posts, source, at_once, waiting: VecDeque::new() };
        let rows = properties.max_row_group_row_count().unwrap_or(usize::MAX);
        let mut batches = RowGroups::new(first.into_iter().map(Ok).chain(made), rows);
        let (mut number, mut is_open) = (0, false);
        let mut finishing: Option<Receiver<Outcome>> = None;
        while let Some(batch) = batches.next().transpose()? {
            if !is_open {
                begin(number)?;
                (is_open, number) = (true, number + 1);
            }
            let Cut { rows, is_last } = batch;
            posts.give(|_| Order::Batch(rows.clone()));
            drop(rows);
            if is_last {
                is_open = false;
                if let Some(before) = finishing.replace(finish(&posts)) {
                    append(file, &posts, &before, columns)?;
                }
            }
            while posts.is_behind(if threads < 2 { 0 } else { BATCHES_AHEAD }) && posts.work_in_lane() {}
        }
        let last = is_open.then(|| finish(&posts));
        for receiver in finishing.into_iter().chain(last) {
            append(file, &posts, &receiver, columns)?;
        }
        Ok(())
    })
}

/// Lets the lanes finish their row group.
fn finish<J: FnOnce() -> Made>(posts: &Posts<J>) -> Receiver<Outcome> {
    let (sender, receiver) = channel();
    posts.give(|_| Order::Finish(sender.clone()));
    receiver
}

/// Whether a column is ours to write: text at the top level without an index of its pages.
fn is_text(field: &FieldRef, leaf: &ColumnDescPtr, properties: &WriterProperties) -> bool {
    *field.data_type() == DataType::Utf8
        && properties.statistics_enabled(leaf.path()) != EnabledStatistics::Page
}

/// The leaves of each column.
fn by_column<T>(
    schema: &SchemaRef,
    leaves: &[ColumnDescPtr],
    of_leaves: impl Iterator<Item = T>,
) -> Vec<Vec<T>> {
    let mut of_leaves = leaves.iter().zip(of_leaves).peekable();
    let columns = schema.fields().iter().map(|field| {
        let is_own = |leaf: &ColumnDescPtr| leaf.path().parts().first() == Some(field.name());
        std::iter::from_fn(|| of_leaves.next_if(|(leaf, _)| is_own(leaf))).map(|(_, item)| item).collect()
    });
    columns.collect()
}

/// The columns dealt out to lanes.
fn lanes_of(
    schema: &SchemaRef,
    leaves: &[ColumnDescPtr],
    properties: &WriterProperties,
    compression: PageCompression,
    count: usize,
) -> Result<Vec<Lane>, ParquetError> {
    let mut lanes = (0..count).map(|_| Lane::new(compression)).collect::<Result<Vec<_>, _>>()?;
    for (at, (field, own)) in schema.fields().iter().zip(by_column(schema, leaves, leaves.iter())).enumerate()
    {
        let state = match own.first() {
            Some(leaf) if is_text(field, leaf, properties) => {
                let bounds = properties.statistics_enabled(leaf.path()) != EnabledStatistics::None;
                let dictionary = properties.dictionary_enabled(leaf.path());
                let descriptor = Arc::clone(*leaf);
                State::Text(Box::new(TextChunk::new(TextColumn { descriptor, dictionary, bounds })))
            }
            _ => State::Leaves(Vec::new()),
        };
        if let Some(lane) = lanes.get_mut(at % count) {
            lane.add(at, Arc::clone(field), state);
        }
    }
    Ok(lanes)
}

/// The library's writers for each lane, of the columns that are not ours.
fn writers(
    schema: &SchemaRef,
    leaves: &[ColumnDescPtr],
    properties: &WriterProperties,
    writers: Vec<ArrowColumnWriter>,
    lanes: usize,
) -> Vec<Vec<Vec<ArrowColumnWriter>>> {
    let mut dealt: Vec<Vec<_>> = (0..lanes).map(|_| Vec::new()).collect();
    let writers = by_column(schema, leaves, leaves.iter().zip(writers));
    for (at, (field, own)) in schema.fields().iter().zip(writers).enumerate() {
        let is_ours = own.first().is_some_and(|(leaf, _)| is_text(field, leaf, properties));
        if let Some(lane) = dealt.get_mut(at % lanes).filter(|_| !is_ours) {
            lane.push(own.into_iter().map(|(_, writer)| writer).collect());
        }
    }
    dealt
}

/// Waits for the columns of a row group, helping meanwhile, and appends them in their order.
fn append<W: Write + Send, J: FnOnce() -> Made>(
    file: &mut SerializedFileWriter<W>,
    posts: &Posts<J>,
    receiver: &Receiver<Outcome>,
    columns: usize,
) -> Result<(), ParquetError> {
    let mut encoded: Vec<Option<Encoded>> = (0..columns).map(|_| None).collect();
    let mut missing = columns;
    while missing > 0 {
        let outcome = match receiver.try_recv() {
            Ok(outcome) => outcome,
            Err(_) if posts.work(First::Lanes) => continue,
            Err(_) => receiver
                .recv()
                .map_err(|_| ParquetError::General("a thread that encodes has ended".to_owned()))?,
        };
        let (column, chunk) = outcome?;
        if let Some(place) = encoded.get_mut(column) {
            *place = Some(chunk);
            missing -= 1;
        }
    }
    let mut group = file.next_row_group()?;
    for column in encoded.into_iter().flatten() {
        match column {
            Encoded::Text(chunk) => group.append_column(&chunk.bytes, chunk.closed)?,
            Encoded::Leaves(chunks) => {
                for chunk in chunks {
                    chunk.append_to_row_group(&mut group)?;
                }
            }
        }
    }
    group.close()?;
    Ok(())
}
