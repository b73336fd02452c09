//! The threads of a writer: lanes of columns that are encoded, and batches that are made for them.
//!
//! A lane encodes a batch as soon as there is one, while it is still near, and on any thread, but on one at a time and in
//! the order of the batches. Batches are made on any thread too, several at once, and come in the order of their source.
//! Whoever waits works meanwhile.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray as _;
use arrow_schema::{ArrowError, FieldRef};
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, compute_leaves};
use parquet::basic::Compression as PageCompression;
use parquet::errors::ParquetError;

use crate::column_chunk::{Chunk, PageMaker, TextChunk};

/// A column being encoded.
pub(super) enum State {
    /// By the writer of text.
    Text(Box<TextChunk>),
    /// By the library's writers of its leaves, which are new for each row group.
    Leaves(Vec<ArrowColumnWriter>),
}

/// A column of a row group, encoded.
pub(super) enum Encoded {
    Text(Box<Chunk>),
    Leaves(Vec<ArrowColumnChunk>),
}

pub(super) type Outcome = Result<(usize, Encoded), ParquetError>;

/// What a lane is to do next.
pub(super) enum Order {
    /// Take these writers for the row group that begins.
    Begin(Vec<Vec<ArrowColumnWriter>>),
    /// Encode these rows, of which every lane knows its columns.
    Batch(RecordBatch),
    /// Give the chunks of the row group.
    Finish(Sender<Outcome>),
}

/// Some columns.
pub(super) struct Lane {
    columns: Vec<(usize, FieldRef, State)>,
    maker: PageMaker,
    failed: Option<ParquetError>,
}

impl Lane {
    /// Without columns yet.
    pub(super) fn new(compression: PageCompression) -> Result<Self, ParquetError> {
        Ok(Self { columns: Vec::new(), maker: PageMaker::new(compression)?, failed: None })
    }

    pub(super) fn add(&mut self, at: usize, field: FieldRef, state: State) {
        self.columns.push((at, field, state));
    }

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

/// A batch that was made, or why it could not be.
pub(super) type Made = Result<RecordBatch, ArrowError>;

/// A batch that is still to be made, and who waits for it.
struct Job<J> {
    make: J,
    done: Sender<Made>,
}

/// All lanes, and what is to be made for them.
struct Shared<J> {
    posts: Vec<Post>,
    jobs: VecDeque<Job<J>>,
    is_over: bool,
}

/// A lane at work, on its way back to its post.
struct Away<'a, J> {
    posts: &'a Posts<J>,
    at: usize,
    lane: Option<Lane>,
}

impl<J> Drop for Away<'_, J> {
    fn drop(&mut self) {
        let mut shared = self.posts.shared();
        if let Some(post) = shared.posts.get_mut(self.at) {
            if std::thread::panicking() {
                post.is_lost = true;
                post.orders.clear();
            } else {
                post.lane = self.lane.take();
            }
        }
        drop(shared);
        self.posts.changed.notify_all();
    }
}

/// Where threads find work.
pub(super) struct Posts<J> {
    shared: Mutex<Shared<J>>,
    changed: Condvar,
}

/// Which work comes first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum First {
    Lanes,
    Jobs,
}

/// Work for one thread.
enum Work<J> {
    Lane { at: usize, lane: Box<Lane>, orders: VecDeque<Order> },
    Job(Job<J>),
}

impl<J> Shared<J> {
    /// What waits for the lane that is furthest behind, if a thread is not in it already.
    fn lane(&mut self) -> Option<Work<J>> {
        let ready = self.posts.iter_mut().enumerate().filter(|(_, post)| post.lane.is_some());
        let (at, post) = ready.max_by_key(|(_, post)| post.orders.len())?;
        if post.orders.is_empty() {
            return None;
        }
        let lane = Box::new(post.lane.take()?);
        Some(Work::Lane { at, lane, orders: std::mem::take(&mut post.orders) })
    }

    fn job(&mut self) -> Option<Work<J>> {
        self.jobs.pop_front().map(Work::Job)
    }

    fn next(&mut self, first: First) -> Option<Work<J>> {
        match first {
            First::Lanes => self.lane().or_else(|| self.job()),
            First::Jobs => self.job().or_else(|| self.lane()),
        }
    }
}

impl<J: FnOnce() -> Made> Posts<J> {
    pub(super) fn new(lanes: Vec<Lane>) -> Self {
        let post = |lane| Post { lane: Some(lane), orders: VecDeque::new(), is_lost: false };
        let posts = lanes.into_iter().map(post).collect();
        let shared = Shared { posts, jobs: VecDeque::new(), is_over: false };
        Self { shared: Mutex::new(shared), changed: Condvar::new() }
    }

    /// Gives every lane an order.
    pub(super) fn give(&self, mut order: impl FnMut(usize) -> Order) {
        let mut shared = self.shared();
        for (at, post) in shared.posts.iter_mut().enumerate() {
            if !post.is_lost {
                post.orders.push_back(order(at));
            }
        }
        drop(shared);
        self.changed.notify_all();
    }

    /// Lets some thread make a batch.
    pub(super) fn make(&self, make: J) -> Receiver<Made> {
        let (done, outcome) = channel();
        self.shared().jobs.push_back(Job { make, done });
        self.changed.notify_one();
        outcome
    }

    /// Whether some lane has more than `orders` waiting.
    pub(super) fn is_behind(&self, orders: usize) -> bool {
        self.shared().posts.iter().any(|post| post.orders.len() > orders)
    }

    /// Does something; false if there was nothing to do.
    pub(super) fn work(&self, first: First) -> bool {
        let work = self.shared().next(first);
        work.map(|work| self.carry_out(work)).is_some()
    }

    /// Does what waits for the lane that is furthest behind; false if nothing does.
    pub(super) fn work_in_lane(&self) -> bool {
        let work = self.shared().lane();
        work.map(|work| self.carry_out(work)).is_some()
    }

    fn carry_out(&self, work: Work<J>) {
        match work {
            Work::Lane { at, lane, orders } => {
                let mut away = Away { posts: self, at, lane: Some(*lane) };
                if let Some(lane) = &mut away.lane {
                    for order in orders {
                        lane.obey(order);
                    }
                }
            }
            Work::Job(Job { make, done }) => {
                // Nobody waits for it only if the file has failed.
                let _unheard = done.send(make());
            }
        }
    }

    /// Works until the end.
    pub(super) fn serve(&self) {
        let mut shared = self.shared();
        loop {
            shared = match shared.next(First::Lanes) {
                Some(work) => {
                    drop(shared);
                    self.carry_out(work);
                    self.shared()
                }
                None if shared.is_over => return,
                None => self.changed.wait(shared).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

impl<J> Posts<J> {
    fn shared(&self) -> MutexGuard<'_, Shared<J>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the work however the writing ends.
pub(super) struct Ending<'a, J>(pub(super) &'a Posts<J>);

impl<J> Drop for Ending<'_, J> {
    fn drop(&mut self) {
        let mut shared = self.0.shared();
        shared.is_over = true;
        shared.jobs.clear();
        drop(shared);
        self.0.changed.notify_all();
    }
}

/// Batches in their order, made ahead by whichever threads are free.
pub(super) struct Ahead<'p, J, S> {
    pub(super) posts: &'p Posts<J>,
    pub(super) source: S,
    /// How many are being made at once.
    pub(super) at_once: usize,
    pub(super) waiting: VecDeque<Receiver<Made>>,
}

impl<J: FnOnce() -> Made, S: Iterator<Item = J>> Iterator for Ahead<'_, J, S> {
    type Item = Made;

    fn next(&mut self) -> Option<Made> {
        if self.at_once < 2 {
            return self.source.next().map(|make| make());
        }
        while self.waiting.len() < self.at_once {
            let Some(make) = self.source.next() else { break };
            self.waiting.push_back(self.posts.make(make));
        }
        let made = self.waiting.pop_front()?;
        loop {
            match made.try_recv() {
                Ok(made) => return Some(made),
                Err(TryRecvError::Empty) if self.posts.work(First::Jobs) => {}
                Err(_) => {
                    let ended =
                        || Err(ArrowError::ComputeError("a thread that decodes has ended".to_owned()));
                    return Some(made.recv().unwrap_or_else(|_| ended()));
                }
            }
        }
    }
}
