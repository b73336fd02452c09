//! The thread that writes.

use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use redb::Database;
use tokio::sync::oneshot;

use super::Ticket;
use super::record::{BLOBS, BUCKETS, PARTS, Record, SECTIONS, UPLOADS, VERSIONS};

/// The most changes of one transaction.
const BATCH_MAX: usize = 256;

/// Changes that belong together, and who waits for them.
struct Batch {
    records: Vec<Record>,
    done: oneshot::Sender<Result<(), String>>,
}

/// Writes in the order in which it is asked.
#[derive(Debug)]
pub(super) struct Writer {
    running: Mutex<Option<Running>>,
    /// Why nothing more is written.
    problem: Arc<Mutex<Option<String>>>,
}

#[derive(Debug)]
struct Running {
    batches: mpsc::Sender<Batch>,
    thread: JoinHandle<()>,
}

impl Writer {
    /// Starts the thread; `begin` goes into its first transaction.
    pub(super) fn start(database: Database, begin: Vec<Record>) -> Result<Self, redb::Error> {
        let transaction = database.begin_write()?;
        // Tables that are there can be read without asking whether they are.
        transaction.open_table(SECTIONS)?;
        transaction.open_table(BUCKETS)?;
        for table in [VERSIONS, UPLOADS, PARTS, BLOBS] {
            transaction.open_table(table)?;
        }
        transaction.commit()?;
        let (batches, waiting) = mpsc::channel();
        let problem: Arc<Mutex<Option<String>>> = Arc::default();
        let failed = Arc::clone(&problem);
        let thread = std::thread::Builder::new()
            .name("bucketproof-data-dir".to_owned())
            .spawn(move || write_all(&database, &waiting, begin, &failed))?;
        Ok(Self { running: Mutex::new(Some(Running { batches, thread })), problem })
    }

    pub(super) fn write(&self, records: Vec<Record>) -> Result<Ticket, String> {
        let (done, ticket) = oneshot::channel();
        let ended = || "the writer of the data directory has ended".to_owned();
        let running = self.running.lock();
        let batches = &running.as_ref().ok_or_else(ended)?.batches;
        batches.send(Batch { records, done }).map_err(|_| ended())?;
        Ok(ticket)
    }

    pub(super) fn problem(&self) -> Option<String> {
        self.problem.lock().clone()
    }

    /// Ends once all that was asked is on disk, and gives the file free.
    pub(super) fn close(&self) {
        if let Some(Running { batches, thread }) = self.running.lock().take() {
            drop(batches);
            // A thread that panicked has told so itself.
            let _ended = thread.join();
        }
    }
}

/// Writes what waits, as much at once as there is. After a failure nothing more is written: what came later might build
/// on what is missing.
fn write_all(
    database: &Database,
    waiting: &mpsc::Receiver<Batch>,
    begin: Vec<Record>,
    problem: &Mutex<Option<String>>,
) {
    let mut begin = Some(begin);
    let mut failed: Option<String> = None;
    while let Ok(first) = waiting.recv() {
        let mut records = begin.take().unwrap_or_default();
        let mut waiters = Vec::new();
        for batch in std::iter::once(first).chain(waiting.try_iter().take(BATCH_MAX - 1)) {
            records.extend(batch.records);
            waiters.push(batch.done);
        }
        if failed.is_none() {
            failed = write(database, records).err().map(|error| error.to_string());
            problem.lock().clone_from(&failed);
        }
        for waiter in waiters {
            // Who no longer waits does not mind.
            let _gone = waiter.send(failed.clone().map_or(Ok(()), Err));
        }
    }
}

fn write(database: &Database, records: Vec<Record>) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    for record in records {
        record.apply(&transaction)?;
    }
    transaction.commit()?;
    Ok(())
}
