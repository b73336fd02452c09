//! A bucket in memory that fails when it is told to, and an import over it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bucketproof_clock::{Clock, Entropy};
use bucketproof_connector::import::{
    FileRef, FoundFile, FoundPage, ImportConfig, ImportStep, ImportSteps, Importer, InboundStore, NewOutcome,
    StatusReport, StatusSummary,
};
use bucketproof_connector::names::BucketName;
use bucketproof_connector::store::{Effect, Operation, StoreError};
use bytes::Bytes;
use jiff::Timestamp;

use crate::targets::Target;

pub(crate) const BUCKET: &str = "customer-events";

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Well,
    /// Not done, may be repeated.
    Busy,
    /// Done, and the answer is lost.
    AnswerLost,
    /// The process ends here: the import stops with an error that is not repeated.
    Crash,
    /// Done, and then the process ends.
    CrashAfter,
}

#[derive(Debug, Default)]
pub(crate) struct Inside {
    pub(crate) objects: BTreeMap<String, (Bytes, u32)>,
    pub(crate) fates: Vec<Fate>,
    /// Of every key that there ever was, the last.
    versions: BTreeMap<String, u32>,
    pub(crate) reads: u32,
}

#[derive(Debug)]
pub(crate) struct Bucket {
    name: BucketName,
    pub(crate) inside: Mutex<Inside>,
}

impl Bucket {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { name: BucketName::new(BUCKET).unwrap(), inside: Mutex::default() })
    }

    pub(crate) fn put(&self, key: &str, body: Bytes) {
        let mut inside = self.inside.lock().unwrap();
        let version = inside.versions.entry(key.to_owned()).or_default();
        *version += 1;
        let version = *version;
        inside.objects.insert(key.to_owned(), (body, version));
    }

    /// The size of an object, if it is that version.
    pub(crate) fn bytes_of(&self, key: &str, version: u32) -> Option<usize> {
        let inside = self.inside.lock().unwrap();
        inside.objects.get(key).filter(|(_, own)| *own == version).map(|(body, _)| body.len())
    }

    pub(crate) fn last_version(&self, key: &str) -> u32 {
        self.inside.lock().unwrap().versions.get(key).copied().unwrap_or_default()
    }

    pub(crate) fn keys(&self, below: &str) -> Vec<String> {
        let inside = self.inside.lock().unwrap();
        inside.objects.keys().filter(|key| key.starts_with(below)).cloned().collect()
    }

    fn fate(&self) -> Fate {
        self.inside.lock().unwrap().fates.pop().unwrap_or(Fate::Well)
    }

    /// The reports below a folder.
    pub(crate) fn reports(&self, folder: &str) -> Vec<StatusReport> {
        let inside = self.inside.lock().unwrap();
        let reports = inside.objects.iter().filter(|(key, _)| key.starts_with(folder));
        reports.map(|(_, (body, _))| serde_json::from_slice(body).unwrap()).collect()
    }

    pub(crate) fn summary(&self, folder: &str) -> StatusSummary {
        let mut summary = StatusSummary::default();
        let inside = self.inside.lock().unwrap();
        for (key, (body, _)) in inside.objects.iter().filter(|(key, _)| key.starts_with(folder)) {
            summary.add(key, body, &["INVALID_SCHEMA"]).unwrap();
        }
        summary
    }
}

fn busy(operation: Operation, effect: Effect) -> StoreError {
    StoreError::Unavailable { operation, message: "SlowDown".to_owned(), effect }
}

fn crash(operation: Operation) -> StoreError {
    StoreError::Rejected { operation, status: 0, code: "Crash".to_owned(), message: "the end".to_owned() }
}

/// When that version of a file was created.
pub(crate) fn created_time(version: u32) -> Timestamp {
    Timestamp::from_second(1_767_000_000 + i64::from(version)).unwrap()
}

fn etag(version: u32) -> String {
    format!("\"{version}\"")
}

#[async_trait]
impl InboundStore for Bucket {
    fn bucket(&self) -> &BucketName {
        &self.name
    }

    async fn list_files(&self, prefix: &str, page: Option<&str>) -> Result<FoundPage, StoreError> {
        match self.fate() {
            Fate::Well => {}
            Fate::Busy | Fate::AnswerLost => return Err(busy(Operation::List, Effect::None)),
            Fate::Crash | Fate::CrashAfter => return Err(crash(Operation::List)),
        }
        let inside = self.inside.lock().unwrap();
        let after = page.unwrap_or_default();
        let mut files =
            inside.objects.iter().filter(|(key, _)| key.starts_with(prefix) && key.as_str() > after);
        // Pages of two, so that there are several.
        let of_page: Vec<FoundFile> = files
            .by_ref()
            .take(2)
            .map(|(key, (body, version))| FoundFile {
                key: key.clone(),
                etag: etag(*version),
                version: None,
                bytes: body.len() as u64,
                created: created_time(*version),
            })
            .collect();
        let next = files.next().and(of_page.last()).map(|last| last.key.clone());
        Ok(FoundPage { files: of_page, next })
    }

    async fn list_versions(&self, _: &str, _: Option<&str>) -> Result<FoundPage, StoreError> {
        panic!("this bucket has no versions")
    }

    async fn read_file(&self, file: FileRef<'_>, range: Range<u64>) -> Result<Option<Bytes>, StoreError> {
        let FileRef { key, etag: tag, version } = file;
        assert_eq!(version, None, "nobody asked for versions");
        match self.fate() {
            Fate::Well => {}
            Fate::Busy | Fate::AnswerLost => return Err(busy(Operation::Get, Effect::None)),
            Fate::Crash | Fate::CrashAfter => return Err(crash(Operation::Get)),
        }
        let mut inside = self.inside.lock().unwrap();
        inside.reads += 1;
        let found = inside.objects.get(key).filter(|(_, version)| etag(*version) == tag);
        let place = |at: u64| usize::try_from(at).unwrap();
        let found = found.filter(|(body, _)| place(range.end) <= body.len());
        Ok(found.map(|(body, _)| body.slice(place(range.start)..place(range.end))))
    }

    async fn write_new(&self, key: &str, body: Bytes, acl: &str) -> Result<NewOutcome, StoreError> {
        assert_eq!(acl, "bucket-owner-full-control");
        let fate = self.fate();
        match fate {
            Fate::Busy => return Err(busy(Operation::Put, Effect::None)),
            Fate::Crash => return Err(crash(Operation::Put)),
            Fate::Well | Fate::AnswerLost | Fate::CrashAfter => {}
        }
        let mut inside = self.inside.lock().unwrap();
        if inside.objects.contains_key(key) {
            return Ok(NewOutcome::Taken);
        }
        inside.objects.insert(key.to_owned(), (body, 1));
        match fate {
            Fate::AnswerLost => Err(busy(Operation::Put, Effect::Unknown)),
            Fate::CrashAfter => Err(crash(Operation::Put)),
            _ => Ok(NewOutcome::Written),
        }
    }

    async fn refresh(&self) {}
}

/// The configuration of one connection, or of several by name and status folder.
pub(crate) fn config_text(connections: &[(&str, &str)]) -> String {
    let mut text = "profile = \"split_events_import\"\n[state]\ndir = \"state\"\n".to_owned();
    for (name, folder) in connections {
        write!(
            text,
            "[[connection]]\nname = \"{name}\"\ndata_prefix = \"{name}/\"\nstatus_folder = \"{folder}\"\n\
             environments = [\"prod\", \"staging\"]\n[connection.bucket]\nname = \"{BUCKET}\"\nregion = \"us-east-1\"\n\
             [connection.auth]\nmode = \"static_keys\"\naccess_key_id = \"AKIAIMPORTEREXAMPLE0\"\n\
             secret_access_key = {{ env = \"IMPORT_SECRET\" }}\n"
        )
        .unwrap();
    }
    text
}

/// Stops an import at a step, as a crash would.
#[derive(Debug)]
struct Crash {
    left: AtomicU32,
}

impl ImportSteps for Crash {
    fn reached(&self, _step: ImportStep) {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 0 {
            // Without the noise of a panic.
            std::panic::resume_unwind(Box::new("the end"));
        }
    }
}

/// An import with its directory.
pub(crate) struct Rig {
    pub(crate) target: Target,
    pub(crate) directory: tempfile::TempDir,
    pub(crate) bucket: Arc<Bucket>,
    pub(crate) clock: Clock,
    pub(crate) connections: Vec<(&'static str, &'static str)>,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(Target::Sqlite)
    }

    pub(crate) fn with(target: Target) -> Self {
        Self {
            target,
            // In memory, if there is such a place: thousands of databases are made and synced.
            directory: tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap(),
            bucket: Bucket::new(),
            clock: Clock::manual("2026-01-01T00:00:00Z".parse().unwrap()),
            connections: vec![("events", "my_statuses")],
        }
    }

    /// The configuration with some more lines before the first connection.
    pub(crate) fn config(&self, more: &str) -> ImportConfig {
        let file = self.directory.path().join("import.toml");
        let more = format!("{more}\n{}", self.target.text(self.directory.path()));
        let text = config_text(&self.connections).replacen("[state]", &format!("{more}\n[state]"), 1);
        ImportConfig::parse(&text, file.to_str().unwrap()).unwrap()
    }

    pub(crate) fn importer(&self) -> Importer {
        self.importer_of(&self.config(""))
    }

    pub(crate) fn importer_of(&self, config: &ImportConfig) -> Importer {
        self.crashing(config, u32::MAX)
    }

    /// An import that ends after so many durable steps.
    pub(crate) fn crashing(&self, config: &ImportConfig, steps: u32) -> Importer {
        let store: Arc<dyn InboundStore> = self.bucket.clone();
        let stores: BTreeMap<_, _> =
            config.connections.iter().map(|own| (own.name.clone(), Arc::clone(&store))).collect();
        let crash: Arc<dyn ImportSteps> = Arc::new(Crash { left: AtomicU32::new(steps) });
        Importer::watched(config.clone(), stores, self.clock.clone(), Entropy::seeded(7), &crash).unwrap()
    }

    /// The stored events: key and file, in order.
    pub(crate) fn stored(&self) -> Vec<(String, String)> {
        let database = rusqlite::Connection::open(self.directory.path().join("state/import.sqlite")).unwrap();
        let mut select = database
            .prepare("SELECT e.key, f.key || '#' || f.etag FROM event e JOIN file f ON f.id = e.file ORDER BY 2, e.row")
            .unwrap();
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }
}
