//! Every profile, killed at every call to the store and at every durable step, and started again.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bucketproof_clock::{Clock, Entropy};
use bucketproof_connector::config::Config;
use bucketproof_connector::engine::Connection;
use bucketproof_connector::names::BucketName;
use bucketproof_connector::profile::{KeyPrefix, VendorProfile};
use bucketproof_connector::steps::{Step, Steps};
use bucketproof_connector::store::{FaultyStore, MemoryStore, Store, StoreFault};

use super::content::{content_of, expected_of, sample};
use super::place::{BUCKET, NOW, ROWS_FROM, all_profiles};

/// A vendor's export to a bucket in memory.
pub(super) struct Bench {
    pub(super) profile: VendorProfile,
    pub(super) bucket: Arc<MemoryStore>,
    pub(super) clock: Clock,
    /// Further lines of the configuration's `[state]`.
    state: &'static str,
    /// The choice of rows, as the configuration has it.
    pub(super) rows: &'static str,
    directory: tempfile::TempDir,
}

impl Bench {
    pub(super) fn new(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("vendor.toml"), text).unwrap();
        let bench = Self {
            profile: VendorProfile::parse(text, "vendor.toml").unwrap(),
            bucket: Arc::new(MemoryStore::new(BucketName::new(BUCKET).unwrap())),
            clock: Clock::manual(NOW.parse().unwrap()),
            state: "",
            rows: "",
            directory,
        };
        bench.write("");
        bench
    }

    pub(super) fn with_state(mut self, lines: &'static str) -> Self {
        self.state = lines;
        self
    }

    /// Replaces the source of a dataset, as a producer does that writes beside it and renames.
    pub(super) fn replace(&self, dataset: &str, text: &str) {
        let path = self.directory.path().join(format!("{dataset}.ndjson"));
        let beside = path.with_extension("new");
        std::fs::write(&beside, text).unwrap();
        std::fs::rename(beside, path).unwrap();
    }

    /// Appends a text to each dataset's source.
    pub(super) fn write(&self, text: &str) {
        use std::io::Write as _;
        for dataset in self.profile.datasets() {
            let path = self.directory.path().join(format!("{}.ndjson", dataset.name()));
            let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }
    }

    pub(super) fn write_rows(&self, numbers: std::ops::Range<u32>) {
        use std::io::Write as _;
        for dataset in self.profile.datasets() {
            let path = self.directory.path().join(format!("{}.ndjson", dataset.name()));
            let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
            for number in numbers.clone() {
                writeln!(file, "{}", sample(dataset, number, ROWS_FROM.parse().unwrap())).unwrap();
            }
        }
    }

    pub(super) fn folder(&self) -> &std::path::Path {
        self.directory.path()
    }

    pub(super) fn config_text(&self) -> String {
        let names: Vec<&str> =
            self.profile.datasets().iter().map(|dataset| dataset.name().as_str()).collect();
        let mut sources = String::new();
        for name in &names {
            writeln!(sources, "[[source]]\ndataset = \"{name}\"\npath = \"{name}.ndjson\"").unwrap();
        }
        let auth = match self.profile.auth_modes().first() {
            Some(bucketproof_connector::profile::AuthMode::AssumeRole) => {
                "mode = \"assume_role\"\nrole_arn = \"arn:aws:iam::111122223333:role/export\"\nexternal_id = \"e-1\"\n"
            }
            _ => "mode = \"static_keys\"\n",
        };
        format!(
            "profile_path = \"vendor.toml\"\nenabled = true\ndatasets = {names:?}\n\
             [bucket]\nname = \"{BUCKET}\"\nregion = \"us-east-1\"\n\
             [auth]\n{auth}access_key_id = \"AKIDEXAMPLE\"\nsecret_access_key = {{ env = \"SECRET\" }}\n\
             [state]\ndir = \"state\"\n{}\n{}{sources}",
            self.state, self.rows
        )
    }

    pub(super) fn connection_over(&self, store: Arc<dyn Store>) -> Connection {
        let text = self.config_text();
        let config = Config::parse(&text, self.directory.path().join("c.toml").to_str().unwrap()).unwrap();
        let profile = config.load_profile().unwrap();
        Connection::new(config, profile, store, self.clock.clone(), Entropy::seeded(7)).unwrap()
    }

    pub(super) fn connection(&self) -> Connection {
        self.connection_over(self.bucket.clone())
    }

    pub(super) fn objects(&self) -> BTreeMap<String, bytes::Bytes> {
        self.bucket.objects().into_iter().map(|(key, object)| (key.to_string(), object.body)).collect()
    }

    pub(super) fn assert_holds(&self, numbers: std::ops::Range<u32>, at: &str) {
        let format = self.profile.encoding().format;
        let found = content_of(&self.profile, &KeyPrefix::default(), format, &self.objects());
        assert_eq!(found, expected_of(&self.profile, &numbers, ROWS_FROM.parse().unwrap()), "{at}");
        let status = self.connection().status().unwrap();
        for dataset in &status.datasets {
            assert_eq!(dataset.open_intents, 0, "{at}: {dataset:?}");
        }
    }

    /// Rows exported before, and rows that wait.
    async fn prepared(text: &str) -> Self {
        let bench = Self::new(text);
        bench.write_rows(0..4);
        bench.connection().sync().await.unwrap();
        bench.write_rows(4..13);
        bench
    }
}

/// Panics at the n-th durable step.
#[derive(Debug)]
pub(super) struct KillAt {
    left: AtomicU64,
    seen: AtomicU64,
}

impl KillAt {
    pub(super) fn new(step: u64) -> Arc<Self> {
        Arc::new(Self { left: AtomicU64::new(step), seen: AtomicU64::new(0) })
    }
}

impl Steps for KillAt {
    fn reached(&self, step: Step) {
        self.seen.fetch_add(1, Ordering::SeqCst);
        assert!(self.left.fetch_sub(1, Ordering::SeqCst) != 0, "killed at {step:?}");
    }
}

/// Claims ENG-01, ENG-02, DAT-32.
#[tokio::test]
async fn killed_at_every_store_call_and_started_again() {
    for (text, profile) in all_profiles() {
        let store = {
            let bench = Bench::prepared(&text).await;
            let store = Arc::new(FaultyStore::new(bench.bucket.clone()));
            bench.connection_over(store.clone()).sync().await.unwrap();
            bench.assert_holds(0..13, "never killed");
            store
        };
        for call in 0..store.calls() {
            for fault in [StoreFault::StopBefore, StoreFault::StopAfter] {
                let at = format!("{}: {fault:?} at call {call}", profile.id());
                let bench = Bench::prepared(&text).await;
                let store = Arc::new(FaultyStore::new(bench.bucket.clone()));
                store.inject(call, fault);
                let connection = bench.connection_over(store.clone());
                tokio::select! {
                    outcome = connection.sync() => panic!("{at}: the sync was not stopped: {outcome:?}"),
                    () = store.stopped() => {}
                }
                drop(connection);
                // An hour later: an object keeps the hour in which it was sealed.
                bench.clock.advance(std::time::Duration::from_hours(1));
                bench.connection().sync().await.unwrap();
                bench.assert_holds(0..13, &at);
            }
        }
    }
}

/// Claims ENG-01, ENG-02, ENG-15.
#[tokio::test]
async fn killed_at_every_durable_step_and_started_again() {
    for (text, profile) in all_profiles() {
        let steps = {
            let bench = Bench::prepared(&text).await;
            let watch = KillAt::new(u64::MAX);
            bench.connection().with_steps(watch.clone()).sync().await.unwrap();
            watch.seen.load(Ordering::SeqCst)
        };
        for step in 0..steps {
            let at = format!("{}: killed at step {step}", profile.id());
            let bench = Bench::prepared(&text).await;
            let connection = bench.connection().with_steps(KillAt::new(step));
            let killed = tokio::spawn(async move { connection.sync().await.unwrap() }).await.is_err();
            assert!(killed, "{at}");
            bench.clock.advance(std::time::Duration::from_hours(1));
            bench.connection().sync().await.unwrap();
            bench.assert_holds(0..13, &at);
        }
    }
}
