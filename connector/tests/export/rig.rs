//! A connection over a bucket in memory, on a clock that stands still.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow_array::RecordBatch;
use bucketproof_clock::{Clock, Entropy};
use bucketproof_connector::config::Config;
use bucketproof_connector::engine::{Connection, RetryPolicy};
use bucketproof_connector::merge::{ChangeSet, Merge, merge};
use bucketproof_connector::names::{BucketName, ObjectKey};
use bucketproof_connector::object_file::encode;
use bucketproof_connector::parquet_file::decode;
use bucketproof_connector::profile::{DatasetPartition, KeyPrefix, ObjectNames, VendorProfile};
use bucketproof_connector::report::SyncReport;
use bucketproof_connector::rows::{LinesOrigin, decode_ndjson};
use bucketproof_connector::store::{MemoryStore, Store};

pub(crate) struct Rig {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) bucket: Arc<MemoryStore>,
    pub(crate) clock: Clock,
    pub(crate) datasets: Vec<&'static str>,
    /// More lines before the first table.
    pub(crate) head: String,
    /// More lines of the bucket's part.
    pub(crate) endpoint: String,
    pub(crate) extra: String,
}

pub(crate) const BUCKET: &str = "notification-logs";

impl Rig {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            bucket: Arc::new(MemoryStore::new(BucketName::new(BUCKET).unwrap())),
            clock: Clock::manual("2025-01-15T16:00:00Z".parse().unwrap()),
            datasets: vec!["messages"],
            head: String::new(),
            endpoint: String::new(),
            extra: String::new(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn append(&self, name: &str, text: &str) {
        use std::io::Write as _;
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// The configuration: one source `<dataset>.ndjson` per dataset, then `extra`.
    pub(crate) fn config_text(&self) -> String {
        let mut text = format!(
            "profile = \"suprsend_s3_v2\"\nenabled = true\ndatasets = {:?}\n{}\
             [bucket]\nname = \"{BUCKET}\"\nregion = \"eu-central-1\"\n{}\
             [auth]\nmode = \"static_keys\"\naccess_key_id = \"AKIDEXAMPLE\"\n\
             secret_access_key = {{ env = \"EXPORT_SECRET\" }}\n[state]\ndir = \"state\"\n",
            self.datasets, self.head, self.endpoint
        );
        if self.extra.is_empty() {
            for dataset in &self.datasets {
                writeln!(text, "[[source]]\ndataset = \"{dataset}\"\npath = \"{dataset}.ndjson\"").unwrap();
            }
        }
        text.push_str(&self.extra);
        text
    }

    pub(crate) fn config(&self) -> Config {
        Config::parse(&self.config_text(), self.path("connector.toml").to_str().unwrap()).unwrap()
    }

    pub(crate) fn connection(&self) -> Connection {
        self.connection_over(self.bucket.clone())
    }

    pub(crate) fn connection_over(&self, store: Arc<dyn Store>) -> Connection {
        let config = self.config();
        let profile = config.load_profile().unwrap();
        Connection::new(config, profile, store, self.clock.clone(), Entropy::seeded(7)).unwrap().with_retry(
            RetryPolicy { attempts_max: 4, pause: Duration::from_millis(1), ..RetryPolicy::default() },
        )
    }

    pub(crate) async fn sync(&self) -> SyncReport {
        let report = self.connection().sync().await.unwrap();
        for dataset in &report.datasets {
            assert!(dataset.reconciles(), "{dataset:?}");
        }
        report
    }

    /// A sync by another configuration over the same bucket.
    pub(crate) async fn sync_with(&self, config: &str) -> SyncReport {
        self.connection_of(config).sync().await.unwrap()
    }

    /// A connection of another configuration over the same bucket.
    pub(crate) fn connection_of(&self, config: &str) -> Connection {
        let config = Config::parse(config, self.path("connector.toml").to_str().unwrap()).unwrap();
        let profile = config.load_profile().unwrap();
        let (store, clock) = (self.bucket.clone(), self.clock.clone());
        Connection::new(config, profile, store, clock, Entropy::seeded(7)).unwrap()
    }

    /// Bytes of every object, by key.
    pub(crate) fn objects(&self) -> BTreeMap<String, bytes::Bytes> {
        self.bucket.objects().into_iter().map(|(key, object)| (key.to_string(), object.body)).collect()
    }
}

pub(crate) fn profile() -> VendorProfile {
    VendorProfile::named("suprsend_s3_v2").unwrap()
}

/// One message line.
pub(crate) fn message(id: u32, minute: u32, version: u32, status: &str) -> String {
    format!(
        "{{\"message_id\":\"m-{id}\",\"created_at\":\"2025-01-15T{:02}:{:02}:00Z\",\
         \"updated_at\":\"2025-01-15T18:{:02}:{:02}Z\",\"status\":\"{status}\"}}\n",
        14 + minute / 60,
        minute % 60,
        version / 60,
        version % 60
    )
}

/// What the bucket must hold once all of `lines` are exported: each object as one fold over its rows.
pub(crate) fn fold(dataset: &str, lines: &str) -> BTreeMap<String, bytes::Bytes> {
    let profile = profile();
    let dataset = profile.datasets().iter().find(|known| known.name().as_str() == dataset).unwrap();
    let mut hours: BTreeMap<i64, String> = BTreeMap::new();
    for line in lines.lines() {
        let Ok(row) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let Some(instant) = row["created_at"].as_str().and_then(|text| text.parse().ok()) else { continue };
        let hour = DatasetPartition::of(dataset.name().clone(), instant).slot();
        writeln!(hours.entry(hour).or_default(), "{line}").unwrap();
    }
    let mut objects = BTreeMap::new();
    for (hour, lines) in hours {
        let origin = LinesOrigin { source: "", lines_before: 0, bytes_before: 0 };
        let rows = decode_ndjson(dataset, lines.as_bytes(), origin).unwrap().batch;
        let sequences = (0..rows.num_rows() as u64).collect();
        let start = jiff::Timestamp::from_second(hour * 3_600).unwrap();
        let partition = DatasetPartition::of(dataset.name().clone(), start);
        let key = dataset.layout().key(&KeyPrefix::default(), &partition, &ObjectNames::default()).unwrap();
        let row_group_rows = profile.encoding().row_group_rows;
        if let Merge::Changed(merged) =
            merge(dataset, &[], &ChangeSet { rows, sequences }, row_group_rows).unwrap()
        {
            objects.insert(key.to_string(), encode(dataset, profile.encoding(), &merged.batches).unwrap());
        }
    }
    objects
}

/// The rows of an object.
pub(crate) fn rows(dataset: &str, body: &bytes::Bytes) -> Vec<RecordBatch> {
    let profile = profile();
    let dataset = profile.datasets().iter().find(|known| known.name().as_str() == dataset).unwrap();
    decode(dataset, body.clone()).unwrap()
}

pub(crate) fn key(hour: u32) -> ObjectKey {
    ObjectKey::new(format!("year=2025/month=01/day=15/hour={hour:02}/messages.parquet")).unwrap()
}

/// Every byte of every file below `directory`.
pub(crate) fn all_bytes(directory: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        if entry.path().is_dir() {
            bytes.extend(all_bytes(&entry.path()));
        } else {
            bytes.extend(std::fs::read(entry.path()).unwrap());
        }
    }
    bytes
}
