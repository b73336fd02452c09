//! Tables and directories as sources: nothing is missed at the edge of what was visible, nothing is given twice.

mod database;
mod edge;
mod folder;
mod growth;
mod parquet;
mod postgres;
mod sqlite;
mod whole;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use bucketproof_clock::{Clock, Entropy};
use bucketproof_connector::config::Config;
use bucketproof_connector::engine::{Connection, SyncError};
use bucketproof_connector::names::{BucketName, DatasetName};
use bucketproof_connector::parquet_file::decode;
use bucketproof_connector::report::SyncReport;
use bucketproof_connector::store::{MemoryStore, Store};

const VENDOR: &str = include_str!("vendors/synthetic.toml");

/// An export of the synthetic vendor: `clicks` are appended and have no key, `pages` are replaced by theirs.
struct Desk {
    directory: tempfile::TempDir,
    bucket: Arc<MemoryStore>,
    sources: String,
}

impl Desk {
    fn new(sources: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("vendor.toml"), VENDOR).unwrap();
        let bucket = Arc::new(MemoryStore::new(BucketName::new("exports").unwrap()));
        Self { directory, bucket, sources: sources.to_owned() }
    }

    fn connection_over(&self, store: Arc<dyn Store>) -> Connection {
        let text = format!(
            "profile_path = \"vendor.toml\"\nenabled = true\ndatasets = [\"clicks\", \"pages\"]\n\
             [bucket]\nname = \"exports\"\nregion = \"us-east-1\"\n[auth]\nmode = \"assume_role\"\n\
             role_arn = \"arn:aws:iam::111122223333:role/export\"\nexternal_id = \"e-1\"\n\
             access_key_id = \"AKIDEXAMPLE\"\nsecret_access_key = {{ env = \"SECRET\" }}\n\
             [state]\ndir = \"state\"\n{}",
            self.sources
        );
        let config = Config::parse(&text, self.directory.path().join("c.toml").to_str().unwrap()).unwrap();
        let profile = config.load_profile().unwrap();
        let clock = Clock::manual("2026-01-15T16:00:00Z".parse().unwrap());
        Connection::new(config, profile, store, clock, Entropy::seeded(7)).unwrap()
    }

    fn connection(&self) -> Connection {
        self.connection_over(self.bucket.clone())
    }

    async fn sync(&self) -> SyncReport {
        self.try_sync().await.unwrap()
    }

    async fn try_sync(&self) -> Result<SyncReport, SyncError> {
        let report = self.connection().sync().await?;
        for dataset in &report.datasets {
            assert!(dataset.reconciles(), "{dataset:?}");
            assert_eq!(dataset.rows_dead_lettered, 0, "{dataset:?}");
        }
        Ok(report)
    }

    /// The texts of a column of a dataset, as often as they are there.
    fn texts(&self, dataset: &str, column: &str) -> BTreeMap<String, usize> {
        let profile = self.connection().profile().clone();
        let dataset = profile.dataset(&DatasetName::new(dataset).unwrap()).unwrap();
        let mut texts = BTreeMap::new();
        for (key, object) in self.bucket.objects() {
            if !key.as_str().starts_with(&format!("{}/", dataset.name())) {
                continue;
            }
            for rows in decode(dataset, object.body).unwrap() {
                let rows = rows.column_by_name(column).unwrap();
                let rows = arrow_text(rows);
                for text in rows {
                    *texts.entry(text).or_default() += 1;
                }
            }
        }
        texts
    }
}

fn arrow_text(column: &arrow_array::ArrayRef) -> Vec<String> {
    if let Some(texts) = column.as_string_opt::<i32>() {
        return texts.iter().map(|text| text.unwrap_or("null").to_owned()).collect();
    }
    let times = column.as_primitive::<arrow_array::types::TimestampMicrosecondType>();
    times.values().iter().map(i64::to_string).collect()
}

/// One of each name.
fn once<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> BTreeMap<String, usize> {
    names.into_iter().map(|name| (name.as_ref().to_owned(), 1)).collect()
}
