//! The life of an import: find files, read each once, tell what became of its rows.
//!
//! What was noted is never read again, whatever is listed or announced; what was not told is told by the next report.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::sync::Arc;
use std::time::Duration;

use bucketproof_clock::{Clock, Entropy};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::calls::{Calls, FetchError};
use super::codec::{self, UnwrapError, Wrapping};
use super::config::{ImportConfig, InboundConnection};
use super::entries::{Entries, Entry, Finding};
use super::inbox::Inbox;
use super::memory::{self, FileCounts, FileEnd, FileFate, Memory, PendingFile, SealedReport, TargetError};
use super::metrics::ImportMetrics;
use super::queue::{AnnouncementQueue, QueueError};
use super::report::report_key;
use super::rows::RowReader;
use super::status_form::GoneFiles;
use super::steps::{ImportSteps, Unwatched};
use super::store::{InboundStore, NewOutcome};
use crate::runner::StopSignal;
use crate::state::StateError;
use crate::store::StoreError;

/// How often queues are asked.
const POLL_PAUSE: Duration = Duration::from_secs(20);
/// Files that are taken from the memory at once.
const PENDING_PAGE: u32 = 256;

/// Why an import did not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A bucket refused or could not be reached.
    #[error("connection `{connection}`: {source}")]
    Store {
        /// The connection.
        connection: String,
        /// The cause.
        source: StoreError,
    },
    /// A queue refused or could not be reached.
    #[error("connection `{connection}`: {source}")]
    Queue {
        /// The connection.
        connection: String,
        /// The cause.
        source: QueueError,
    },
    /// The target of rows refused or could not be reached.
    #[error(transparent)]
    Target(TargetError),
    /// The database.
    #[error(transparent)]
    State(#[from] StateError),
    /// A temporary file.
    #[error("a temporary file cannot be used: {0}")]
    Spool(std::io::Error),
}

impl ImportError {
    /// What to do next.
    pub fn help(&self) -> String {
        match self {
            // To another account AWS does not tell which of the two is missing.
            Self::Store { source: StoreError::Denied { action, resource, .. }, .. }
                if action == "s3:PutObject" =>
            {
                format!(
                    "the bucket's policy must allow `s3:PutObject` and, for the ACL of reports, `s3:PutObjectAcl` on \
                     `{resource}`; `import policy` prints the whole policy"
                )
            }
            Self::Store { source: StoreError::Denied { action, resource, .. }, .. } => format!(
                "the bucket's policy must allow `{action}` on `{resource}`; `import policy` prints the whole policy"
            ),
            Self::Store { source: StoreError::WrongRegion { actual: Some(region), .. }, .. } => {
                format!("set the connection's `bucket.region` to `{region}`")
            }
            Self::Store { source: StoreError::NoSuchBucket { .. }, .. } => {
                "names must match exactly, letter case included; no bucket is ever created".to_owned()
            }
            Self::Store { .. } => {
                "files that were not read wait; the next import goes on with them".to_owned()
            }
            Self::Queue { .. } => {
                "the queue's policy must allow `sqs:ReceiveMessage` and `sqs:DeleteMessage` to who imports; \
                                   files are found by listing meanwhile"
                    .to_owned()
            }
            Self::Target(error) => error.help(),
            Self::State(error) => error.help().to_owned(),
            Self::Spool(_) => "check the free space of the temporary directory".to_owned(),
        }
    }
}

impl From<TargetError> for ImportError {
    fn from(error: TargetError) -> Self {
        match error {
            TargetError::State(error) => Self::State(error),
            error => Self::Target(error),
        }
    }
}

/// What a pass of the import did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportSummary {
    /// Files that were not known before.
    pub files_found: u64,
    /// Files that were read.
    pub files_read: u64,
    /// Files that were refused as a whole.
    pub files_refused: u64,
    /// Files that were deleted or replaced before they were read.
    pub files_gone: u64,
    /// Rows that were stored.
    pub rows_stored: u64,
    /// Rows that were refused, each for a reason in a report.
    pub rows_refused: u64,
    /// Keys of the reports that were written.
    pub reports: Vec<String>,
}

/// An import with its buckets.
#[derive(Debug)]
pub struct Importer {
    pub(super) config: ImportConfig,
    pub(super) stores: BTreeMap<String, Arc<dyn InboundStore>>,
    pub(super) memory: Box<dyn Memory>,
    pub(super) inbox: Inbox,
    pub(super) clock: Clock,
    pub(super) calls: Calls,
    pub(super) queues: BTreeMap<String, Arc<dyn AnnouncementQueue>>,
    /// What failed in this pass, by the name of the connection.
    pub(super) failures: BTreeMap<String, String>,
    metrics: Option<Arc<ImportMetrics>>,
}

impl Importer {
    /// An import; `stores` are the buckets of the connections, by the name of the connection.
    pub fn new(
        config: ImportConfig,
        stores: BTreeMap<String, Arc<dyn InboundStore>>,
        clock: Clock,
        entropy: Entropy,
    ) -> Result<Self, ImportError> {
        let unwatched: Arc<dyn ImportSteps> = Arc::new(Unwatched);
        Self::watched(config, stores, clock, entropy, &unwatched)
    }

    /// As [`Self::new`], with somebody who watches the durable steps.
    pub fn watched(
        config: ImportConfig,
        stores: BTreeMap<String, Arc<dyn InboundStore>>,
        clock: Clock,
        entropy: Entropy,
        steps: &Arc<dyn ImportSteps>,
    ) -> Result<Self, ImportError> {
        let memory = memory::open(&config, steps)?;
        let inbox = Inbox::open(&config.state_dir)?;
        let calls = Calls::new(clock.clone(), entropy);
        let (queues, failures) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { config, stores, memory, inbox, clock, calls, queues, failures, metrics: None })
    }

    /// Tells `metrics` what each pass did.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Arc<ImportMetrics>) -> Self {
        self.metrics = Some(metrics);
        self
    }

    /// Ends a pass: how connections fared, and what was done since the import began.
    fn passed(&mut self, is_listed: bool, summary: &ImportSummary) -> Result<(), ImportError> {
        self.note_access(is_listed)?;
        if let Some(metrics) = &self.metrics {
            metrics.count(summary);
        }
        Ok(())
    }

    /// Where announcements of files go; what is in it is read with the next pass.
    pub fn inbox(&self) -> Inbox {
        self.inbox.clone()
    }

    /// How many files of each connection are in which state.
    pub async fn counts(&mut self) -> Result<BTreeMap<String, FileCounts>, ImportError> {
        let mut counts = BTreeMap::new();
        for connection in &self.config.connections {
            counts.insert(connection.name.clone(), self.memory.counts(&connection.name).await?);
        }
        Ok(counts)
    }

    /// Everything once: lists, reads what waits, tells what became of it.
    pub async fn once(&mut self) -> Result<ImportSummary, ImportError> {
        let mut summary = ImportSummary::default();
        self.begin_reporting()?;
        // A report that was settled before a crash comes first: it is older than all that follows.
        let earlier = waits(self.write_reports(&mut summary).await)?;
        let worked = waits(self.work(&mut summary).await)?;
        // What is late is noted before it is told.
        waits(self.note_waiting().await)?;
        // What was read is told, also if something else failed.
        let told = waits(self.report(&mut summary).await)?;
        waits(self.note_waiting().await)?;
        self.passed(true, &summary)?;
        earlier.or(worked).or(told).map_or(Ok(summary), Err)
    }

    /// Lists by schedule, reads what is found or announced, tells in time, until the signal.
    pub async fn run(&mut self, stop: &StopSignal) -> Result<ImportSummary, ImportError> {
        let mut summary = ImportSummary::default();
        let pause = Duration::from_secs(u64::from(self.config.reconcile_minutes) * 60);
        let mut listing_due = self.clock.now();
        while !stop.is_given() {
            let is_listing_due = self.clock.now() >= listing_due;
            self.begin_reporting()?;
            let earlier = waits(self.write_reports(&mut summary).await)?;
            let worked = waits(if is_listing_due {
                self.work(&mut summary).await
            } else {
                self.read_announced(&mut summary).await
            })?;
            if is_listing_due {
                listing_due = self.clock.now().saturating_add(pause).unwrap_or(Timestamp::MAX);
            }
            let (is_due, asked) = match self.is_due(pause).await {
                Ok(is_due) => (is_due, None),
                Err(error) => (false, waits(Err(error))?),
            };
            waits(self.note_waiting().await)?;
            let mut told = None;
            if is_due {
                told = waits(self.report(&mut summary).await)?;
                waits(self.note_waiting().await)?;
            }
            for error in [earlier, worked, asked, told].into_iter().flatten() {
                tracing::warn!(%error, help = error.help(), "the import goes on with the next pass");
            }
            self.passed(is_listing_due, &summary)?;
            let mut rest =
                listing_due.duration_since(self.clock.now()).max(SignedDuration::ZERO).unsigned_abs();
            if !self.queues.is_empty() {
                rest = rest.min(POLL_PAUSE);
            }
            tokio::select! {
                () = self.clock.sleep(rest) => {}
                () = self.inbox.arrived() => {}
                () = stop.given() => {}
            }
        }
        self.report(&mut summary).await?;
        self.note_waiting().await?;
        Ok(summary)
    }

    /// Whether the oldest result would wait too long for the pass after the next.
    async fn is_due(&mut self, pause: Duration) -> Result<bool, ImportError> {
        let Some(oldest) = self.memory.oldest_untold().await? else { return Ok(false) };
        let flush = SignedDuration::from_mins(self.config.profile.status.flush_after_minutes.into());
        let next = self.clock.now().saturating_add(pause).unwrap_or(Timestamp::MAX);
        Ok(next.duration_since(oldest) >= flush)
    }

    pub(super) async fn read_pending(&mut self, summary: &mut ImportSummary) -> Result<(), ImportError> {
        let mut after = 0;
        let mut failure = None;
        loop {
            let files = self.memory.pending(after, PENDING_PAGE).await?;
            let Some(last) = files.last() else { break };
            after = last.id;
            for file in &files {
                match self.read(file, summary).await {
                    Ok(()) => {}
                    Err(error @ ImportError::Store { .. }) => {
                        tracing::warn!(key = file.key, %error, "the file waits");
                        self.fails(&error);
                        failure = failure.or(Some(error));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        failure.map_or(Ok(()), Err)
    }

    async fn read(&mut self, file: &PendingFile, summary: &mut ImportSummary) -> Result<(), ImportError> {
        let connection = self.config.connections.iter().find(|own| own.name == file.connection);
        let Some(connection) = connection.filter(|connection| connection.enabled).cloned() else {
            return self.refuse_unconfigured(file, summary).await;
        };
        let Some(store) = self.stores.get(&file.connection).map(Arc::clone) else { return Ok(()) };
        let Some(mut spool) = self.fetch(file, &store).await? else {
            return self.gone(file, summary).await;
        };
        if let Some(detail) = self.store(file, &connection, &mut spool, summary).await? {
            let code = self.config.profile.codes.schema.clone();
            self.refuse(file, Finding { code, detail }, summary).await?;
        }
        Ok(())
    }

    /// A file that was deleted or replaced before it was read.
    async fn gone(&mut self, file: &PendingFile, summary: &mut ImportSummary) -> Result<(), ImportError> {
        match self.config.status.gone_files {
            GoneFiles::Record => self.memory.gone(file).await?,
            GoneFiles::Report => {
                let detail =
                    "the file was deleted or replaced before it was read; a new upload is read as a new file";
                let code = self.config.profile.codes.gone.clone();
                self.end_unread(file, Finding { code, detail: detail.to_owned() }, FileFate::Gone).await?;
            }
        }
        summary.files_gone += 1;
        Ok(())
    }

    /// A file whose connection was removed or switched off after the file was noted.
    async fn refuse_unconfigured(
        &mut self,
        file: &PendingFile,
        summary: &mut ImportSummary,
    ) -> Result<(), ImportError> {
        let is_paused = self.config.connections.iter().any(|own| own.name == file.connection);
        if is_paused {
            return Ok(());
        }
        let detail = format!("the connection `{}` is not configured any more", file.connection);
        let code = self.config.profile.codes.configuration.clone();
        self.refuse(file, Finding { code, detail }, summary).await
    }

    async fn refuse(
        &mut self,
        file: &PendingFile,
        finding: Finding,
        summary: &mut ImportSummary,
    ) -> Result<(), ImportError> {
        tracing::info!(key = file.key, code = finding.code, detail = finding.detail, "the file is refused");
        self.end_unread(file, finding, FileFate::Refused).await?;
        summary.files_refused += 1;
        Ok(())
    }

    /// Ends a file of which nothing is stored.
    async fn end_unread(
        &mut self,
        file: &PendingFile,
        finding: Finding,
        fate: FileFate,
    ) -> Result<(), ImportError> {
        let now = self.clock.now();
        let entries = Entries::of_file(finding);
        self.memory.begin(file).await?;
        let finished = self.memory.finish(FileEnd { entries: &entries, fate, now }).await;
        self.settled(finished).await
    }

    /// The file in a temporary one; `None` if it was deleted or replaced.
    async fn fetch(
        &mut self,
        file: &PendingFile,
        store: &Arc<dyn InboundStore>,
    ) -> Result<Option<File>, ImportError> {
        let fetched = self.calls.fetch(store, file.reference(), file.bytes).await;
        fetched.map_err(|error| match error {
            FetchError::Store(source) => ImportError::Store { connection: file.connection.clone(), source },
            FetchError::Spool(error) => ImportError::Spool(error),
        })
    }

    /// Stores the valid rows of a file and what is said of all; what is wrong, if the file is as a whole.
    async fn store(
        &mut self,
        file: &PendingFile,
        connection: &InboundConnection,
        spool: &mut File,
        summary: &mut ImportSummary,
    ) -> Result<Option<String>, ImportError> {
        let plain = match unwrapped(spool, file.bytes, self.config.unpacked_bytes_max) {
            Ok(plain) => plain,
            Err(UnwrapError::File(detail)) => return Ok(Some(detail)),
            Err(UnwrapError::Machine(error)) => return Err(ImportError::Spool(error)),
        };
        let now = self.clock.now();
        let Self { config, memory, .. } = self;
        let mut reader = match RowReader::open(plain, config, &connection.environments, now) {
            Ok(reader) => reader,
            Err(detail) => return Ok(Some(detail)),
        };
        memory.begin(file).await?;
        let taken = take(memory.as_mut(), &mut reader, now).await;
        drop(reader);
        let entries = match taken {
            Ok(Ok(entries)) => entries,
            Ok(Err(detail)) => {
                // What was stored of it so far is dropped.
                self.memory.abort().await?;
                return Ok(Some(detail));
            }
            Err(error) => return self.settled(Err(error)).await.map(|()| None),
        };
        summary.files_read += 1;
        for entry in &entries {
            if entry.findings.is_empty() {
                summary.rows_stored += entry.rows;
            } else {
                summary.rows_refused += entry.rows;
            }
        }
        Ok(None)
    }

    /// Ends what a failure has left open; the failure is what counts.
    async fn settled(&mut self, outcome: Result<(), TargetError>) -> Result<(), ImportError> {
        if outcome.is_err()
            && let Err(error) = self.memory.abort().await
        {
            tracing::debug!(%error, "what was begun could not be ended");
        }
        Ok(outcome?)
    }

    /// Settles and writes what was not told yet; nothing, if there is nothing to say.
    async fn report(&mut self, summary: &mut ImportSummary) -> Result<(), ImportError> {
        self.memory.seal_reports(self.clock.now()).await?;
        self.write_reports(summary).await
    }

    async fn write_reports(&mut self, summary: &mut ImportSummary) -> Result<(), ImportError> {
        let mut failure = None;
        for report in self.memory.unwritten_reports().await? {
            match self.write_report(&report).await {
                Ok(Some(key)) => {
                    self.memory.written(report.id).await?;
                    summary.reports.push(key);
                }
                // A report that nobody can write waits for somebody who can.
                Ok(None) => {}
                // One bucket that refuses does not hold up the others.
                Err(error @ ImportError::Store { .. }) => {
                    self.fails(&error);
                    failure = failure.or(Some(error));
                }
                Err(error) => return Err(error),
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// A key that is taken is not looked at: the report goes under the next moment. If the object there was ours after
    /// all, its entries come twice, which their triplets tell.
    async fn write_report(&mut self, report: &SealedReport) -> Result<Option<String>, ImportError> {
        let mut connections = self.config.connections.iter();
        let connection = connections.find(|connection| {
            connection.bucket.name.as_str() == report.bucket && connection.status_folder == report.folder
        });
        let Some(name) = connection.map(|connection| connection.name.clone()) else {
            tracing::warn!(
                bucket = report.bucket,
                folder = report.folder,
                "nobody is left who could write the report"
            );
            return Ok(None);
        };
        let Some(store) = self.stores.get(&name).map(Arc::clone) else { return Ok(None) };
        let form = self.config.profile.status.clone();
        let mut at_ms = report.at_ms;
        loop {
            let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::MAX);
            let key = report_key(&report.folder, &form.key, at);
            let body = Bytes::from(report.body.clone());
            let written =
                self.retrying(&name, &store, || store.write_new(&key, body.clone(), &form.acl)).await?;
            match written {
                NewOutcome::Written => return Ok(Some(key)),
                NewOutcome::Taken => at_ms = self.memory.postpone(report).await?,
            }
        }
    }

    /// A call to the bucket of a connection, repeated as long as that can help.
    pub(super) async fn retrying<T, F>(
        &mut self,
        connection: &str,
        store: &Arc<dyn InboundStore>,
        call: impl Fn() -> F,
    ) -> Result<T, ImportError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let failed = |source| ImportError::Store { connection: connection.to_owned(), source };
        self.calls.retrying(store, call).await.map_err(failed)
    }
}

/// What a pass may go on after: a bucket or a server that fails. What this machine lacks ends it.
fn waits(passed: Result<(), ImportError>) -> Result<Option<ImportError>, ImportError> {
    match passed {
        Ok(()) => Ok(None),
        Err(
            error @ (ImportError::Store { .. }
            | ImportError::Queue { .. }
            | ImportError::Target(TargetError::Server { .. })),
        ) => Ok(Some(error)),
        Err(error) => Err(error),
    }
}

/// Stores all rows of a file, and what is said of them; or why the file is wrong as a whole.
async fn take(
    memory: &mut dyn Memory,
    reader: &mut RowReader<'_>,
    now: Timestamp,
) -> Result<Result<Vec<Entry>, String>, TargetError> {
    let mut entries = Entries::default();
    while let Some(rows) = reader.next_rows() {
        let mut rows = match rows {
            Ok(rows) => rows,
            Err(detail) => return Ok(Err(detail)),
        };
        if let Some(detail) = memory.rows(&mut rows).await? {
            return Ok(Err(detail));
        }
        entries.add(rows.stored.len(), rows.wrong);
    }
    let entries = entries.into_list();
    memory.finish(FileEnd { entries: &entries, fate: FileFate::Stored, now }).await?;
    Ok(Ok(entries))
}

/// The Parquet inside a file.
pub(super) fn unwrapped(spool: &mut File, bytes: u64, limit: u64) -> Result<File, UnwrapError> {
    let mut first = Vec::with_capacity(16);
    spool.seek(SeekFrom::Start(0)).map_err(UnwrapError::Machine)?;
    spool.take(16).read_to_end(&mut first).map_err(UnwrapError::Machine)?;
    let mut plain = match Wrapping::of(&first) {
        Some(Wrapping::None) => spool.try_clone().map_err(UnwrapError::Machine)?,
        Some(wrapping) => codec::unwrap(spool, wrapping, limit)?,
        None => return Err(UnwrapError::File(codec::describe(&first, bytes))),
    };
    match codec::ends(&mut plain).map_err(UnwrapError::Machine)? {
        None => Ok(plain),
        Some(detail) => Err(UnwrapError::File(detail)),
    }
}
