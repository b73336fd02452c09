//! Rows cut into row groups, and their columns encoded side by side.
//!
//! The columns are dealt out to a few lanes. A lane encodes a batch as soon as it has been read, while it is still near,
//! and on any thread, but on one at a time and in the order of the batches. Whoever reads the batches helps when the
//! lanes fall behind. Chunks are written in the order of the columns, so the bytes are the same for any number of threads.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray as _;
use arrow_schema::{ArrowError, DataType, FieldRef, SchemaRef};
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::basic::Compression as PageCompression;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnDescPtr;

use crate::column_chunk::{Chunk, PageMaker, TextChunk, TextColumn};

/// Lanes for each thread: columns cost unlike much, so that a few more lanes than threads keep all busy.
const LANES_PER_THREAD: usize = 4;
/// Batches that wait for a lane before whoever reads them helps.
const BATCHES_AHEAD: usize = 4;

/// Batches cut where row groups end.
pub(super) struct RowGroups<I> {
    batches: I,
    /// What a row group left of its last batch.
    left: Option<RecordBatch>,
    rows: usize,
    /// Rows of the row group so far.
    filled: usize,
}

impl<I: Iterator<Item = Result<RecordBatch, ArrowError>>> RowGroups<I> {
    pub(super) fn new(batches: I, rows: usize) -> Self {
        Self { batches, left: None, rows: rows.max(1), filled: 0 }
    }
}

/// Rows of one row group.
pub(super) struct Cut {
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

/// A column being encoded.
enum State {
    /// By the writer of text.
    Text(Box<TextChunk>),
    /// By the library's writers of its leaves, which are new for each row group.
    Leaves(Vec<ArrowColumnWriter>),
}

/// A column of a row group, encoded.
enum Encoded {
    Text(Box<Chunk>),
    Leaves(Vec<ArrowColumnChunk>),
}

type Outcome = Result<(usize, Encoded), ParquetError>;

/// What a lane is to do next.
enum Order {
    /// Take these writers for the row group that begins.
    Begin(Vec<Vec<ArrowColumnWriter>>),
    /// Encode these rows, of which every lane knows its columns.
    Batch(RecordBatch),
    /// Give the chunks of the row group.
    Finish(Sender<Outcome>),
}

/// Some columns.
struct Lane {
    columns: Vec<(usize, FieldRef, State)>,
    maker: PageMaker,
    failed: Option<ParquetError>,
}

impl Lane {
    fn obey(&mut self, order: Order) {
        match order {
            Order::Begin(writers) => {
                let mut writers = writers.into_iter();
                for (_, _, state) in &mut self.columns {
                    if let State::Leaves(leaves) = state {
                        *leaves = writers.next().unwrap_or_default();
                    }
                }
            }
            Order::Batch(batch) => {
                if self.failed.is_none() {
                    self.failed = self.encode(&batch).err();
                }
            }
            Order::Finish(done) => {
                if let Some(error) = self.failed.take() {
                    let _unheard = done.send(Err(error));
                    return;
                }
                for (at, _, state) in &mut self.columns {
                    let encoded = match state {
                        State::Text(text) => {
                            text.finish(&mut self.maker).map(|chunk| Encoded::Text(Box::new(chunk)))
                        }
                        State::Leaves(writers) => {
                            let chunks = std::mem::take(writers).into_iter().map(ArrowColumnWriter::close);
                            chunks.collect::<Result<_, _>>().map(Encoded::Leaves)
                        }
                    };
                    // Nobody waits for it only if another column failed.
                    let _unheard = done.send(encoded.map(|encoded| (*at, encoded)));
                }
            }
        }
    }

    fn encode(&mut self, batch: &RecordBatch) -> Result<(), ParquetError> {
        for (at, field, state) in &mut self.columns {
            let foreign = || ParquetError::General("the rows are of another schema".to_owned());
            let array = batch.columns().get(*at).ok_or_else(foreign)?;
            match state {
                State::Text(text) => {
                    text.add(array.as_string_opt::<i32>().ok_or_else(foreign)?, &mut self.maker)?;
                }
                State::Leaves(writers) => {
                    for (writer, leaf) in writers.iter_mut().zip(&compute_leaves(field, array)?) {
                        writer.write(leaf)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// A lane and what waits for it. The lane is away while a thread works in it.
struct Post {
    lane: Option<Lane>,
    orders: VecDeque<Order>,
    /// Whether its thread panicked: it will not come back.
    is_lost: bool,
}

/// A lane at work, on its way back to its post.
struct Away<'a> {
    posts: &'a Posts,
    at: usize,
    lane: Option<Lane>,
}

impl Drop for Away<'_> {
    fn drop(&mut self) {
        let mut state = self.posts.state();
        if let Some(post) = state.0.get_mut(self.at) {
            if std::thread::panicking() {
                post.is_lost = true;
                post.orders.clear();
            } else {
                post.lane = self.lane.take();
            }
        }
        drop(state);
        self.posts.changed.notify_all();
    }
}

/// All lanes.
struct Posts {
    state: Mutex<(Vec<Post>, bool)>,
    changed: Condvar,
}

impl Posts {
    fn state(&self) -> MutexGuard<'_, (Vec<Post>, bool)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives every lane an order.
    fn give(&self, mut order: impl FnMut(usize) -> Order) {
        let mut state = self.state();
        for (at, post) in state.0.iter_mut().enumerate() {
            if !post.is_lost {
                post.orders.push_back(order(at));
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Whether some lane has more than `orders` waiting.
    fn is_behind(&self, orders: usize) -> bool {
        self.state().0.iter().any(|post| post.orders.len() > orders)
    }

    /// Does what waits for the lane that is furthest behind; whether there was any.
    fn work(&self) -> bool {
        Self::work_on(self.state(), self).is_ok()
    }

    /// Works in one lane, or gives the lock back if all are busy or idle.
    fn work_on<'a>(
        mut state: MutexGuard<'a, (Vec<Post>, bool)>,
        posts: &'a Self,
    ) -> Result<(), MutexGuard<'a, (Vec<Post>, bool)>> {
        let ready = state.0.iter_mut().enumerate().filter(|(_, post)| post.lane.is_some());
        let found = ready.max_by_key(|(_, post)| post.orders.len()).and_then(|(at, post)| {
            if post.orders.is_empty() {
                return None;
            }
            Some((at, post.lane.take()?, std::mem::take(&mut post.orders)))
        });
        let Some((at, lane, orders)) = found else { return Err(state) };
        drop(state);
        let mut away = Away { posts, at, lane: Some(lane) };
        if let Some(lane) = &mut away.lane {
            for order in orders {
                lane.obey(order);
            }
        }
        Ok(())
    }

    /// Works until the end.
    fn serve(&self) {
        let mut state = self.state();
        loop {
            state = match Self::work_on(state, self) {
                Ok(()) => self.state(),
                Err(state) if state.1 => return,
                Err(state) => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

/// Ends the work however the writing ends.
struct Ending<'a>(&'a Posts);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.state().1 = true;
        self.0.changed.notify_all();
    }
}

/// Encodes row groups and appends them to `file`.
pub(super) fn write<W: Write + Send>(
    file: &mut SerializedFileWriter<W>,
    schema: &SchemaRef,
    properties: &WriterProperties,
    threads: usize,
    mut batches: RowGroups<impl Iterator<Item = Result<RecordBatch, ArrowError>>>,
) -> Result<(), ParquetError> {
    let factory = ArrowRowGroupWriterFactory::new(file, Arc::clone(schema));
    let leaves: Vec<ColumnDescPtr> = file.schema_descr().columns().to_vec();
    let uncompressed = PageCompression::UNCOMPRESSED;
    let compression = leaves.first().map_or(uncompressed, |leaf| properties.compression(leaf.path()));
    let lanes = if threads < 2 { 1 } else { threads * LANES_PER_THREAD };
    let posts = posts(schema, &leaves, properties, compression, lanes)?;
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
            while posts.is_behind(if threads < 2 { 0 } else { BATCHES_AHEAD }) && posts.work() {}
        }
        let last = is_open.then(|| finish(&posts));
        for receiver in finishing.into_iter().chain(last) {
            append(file, &posts, &receiver, columns)?;
        }
        Ok(())
    })
}

/// Lets the lanes finish their row group.
fn finish(posts: &Posts) -> Receiver<Outcome> {
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
fn posts(
    schema: &SchemaRef,
    leaves: &[ColumnDescPtr],
    properties: &WriterProperties,
    compression: PageCompression,
    lanes: usize,
) -> Result<Posts, ParquetError> {
    let mut posts = Vec::with_capacity(lanes);
    for _ in 0..lanes {
        let lane = Lane { columns: Vec::new(), maker: PageMaker::new(compression)?, failed: None };
        posts.push(Post { lane: Some(lane), orders: VecDeque::new(), is_lost: false });
    }
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
        if let Some(lane) = posts.get_mut(at % lanes).and_then(|post| post.lane.as_mut()) {
            lane.columns.push((at, Arc::clone(field), state));
        }
    }
    Ok(Posts { state: Mutex::new((posts, false)), changed: Condvar::new() })
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
fn append<W: Write + Send>(
    file: &mut SerializedFileWriter<W>,
    posts: &Posts,
    receiver: &Receiver<Outcome>,
    columns: usize,
) -> Result<(), ParquetError> {
    let mut encoded: Vec<Option<Encoded>> = (0..columns).map(|_| None).collect();
    let mut missing = columns;
    while missing > 0 {
        let outcome = match receiver.try_recv() {
            Ok(outcome) => outcome,
            Err(_) if posts.work() => continue,
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
