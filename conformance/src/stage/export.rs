//! A connector that exports into the stage's bucket, as an engineer would run it: a configuration, sources that grow,
//! one process after the other on the same state.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use bucketproof_clock::Entropy;
use bucketproof_connector::config::Config;
use bucketproof_connector::engine::{Connection, SyncError};
use bucketproof_connector::profile::VendorProfile;
use bucketproof_connector::report::{StatusReport, SyncReport};
use bucketproof_connector::store::{S3Store, Store};
use bucketproof_fixtures::scenario::{
    AccessKey, CONNECTOR_USER, EXPORTER, SUPRSEND_BUCKET, SUPRSEND_EXTERNAL_ID, SUPRSEND_ROLE_ARN,
};
use bucketproof_fixtures::suprsend::Dataset;
use bytes::Bytes;

use super::lossy_store::RowGroupLost;
use super::{Stage, Table, read_table};
use crate::falsifier::{Falsifier, TextEdit};
use crate::outcome::{Failure, Stop};
use crate::step::step;

/// How the connector proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The vendor's principal assumes the customer's role with the external id.
    Role,
    /// The keys of a user of the customer.
    Keys,
}

/// A configured connector on a stage.
pub(crate) struct Export<'a> {
    stage: &'a Stage,
    name: &'static str,
    datasets: Vec<Dataset>,
    way: Way,
    edits: Vec<(&'static str, String)>,
    profile_edit: Option<(&'static str, &'static str)>,
}

/// Why a sync did not do its work.
#[derive(Debug)]
pub(crate) enum ExportStop {
    /// It could not be set up: configuration or profile are wrong.
    Setup(String),
    /// It ran and stopped.
    Sync(Box<SyncError>),
}

impl std::fmt::Display for ExportStop {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Setup(message) => formatter.write_str(message),
            Self::Sync(error) => write!(formatter, "{error}"),
        }
    }
}

impl<'a> Export<'a> {
    /// A connector with all datasets and the recommended way in; `name` keeps its state apart from others'.
    pub(crate) fn new(stage: &'a Stage, name: &'static str) -> Self {
        Self {
            stage,
            name,
            datasets: Dataset::ALL.to_vec(),
            way: Way::Role,
            edits: Vec::new(),
            profile_edit: None,
        }
    }

    pub(crate) fn datasets(mut self, datasets: &[Dataset]) -> Self {
        self.datasets = datasets.to_vec();
        self
    }

    pub(crate) fn way(mut self, way: Way) -> Self {
        self.way = way;
        self
    }

    /// Another value in the configuration text.
    pub(crate) fn with(mut self, find: &'static str, replace: impl Into<String>) -> Self {
        self.edits.push((find, replace.into()));
        self
    }

    /// Another value in the profile's text.
    pub(crate) fn with_profile(mut self, find: &'static str, replace: &'static str) -> Self {
        self.profile_edit = Some((find, replace));
        self
    }

    /// Adds what a source delivers next, as it came.
    pub(crate) fn deliver(&self, dataset: Dataset, ndjson: &[u8]) -> Result<(), Stop> {
        let folder = self.folder();
        step("make the connector's folder").works(fs::create_dir_all(&folder))?;
        let path = folder.join(format!("{}.ndjson", dataset.name()));
        let file = OpenOptions::new().create(true).append(true).open(path);
        let mut file = step("open the source").works(file)?;
        step("add to the source").works(file.write_all(ndjson))
    }

    /// Adds what a source delivers last: rows that the falsifier may change.
    pub(crate) fn deliver_last(&self, dataset: Dataset, ndjson: &str) -> Result<(), Stop> {
        match self.stage.falsifier() {
            Some(Falsifier::InputEdit { dataset: edited, edit }) if *edited == dataset.name() => {
                let changed = step("falsify the input").works(edit.apply(ndjson))?;
                self.deliver(dataset, changed.as_bytes())
            }
            _ => self.deliver(dataset, ndjson.as_bytes()),
        }
    }

    /// Where the connector keeps sources and state.
    pub(crate) fn folder(&self) -> PathBuf {
        self.stage.folder.path().join(self.name)
    }

    /// The configuration file's text.
    pub(crate) fn config_text(&self) -> Result<String, Stop> {
        let endpoint = self.stage.emulator.endpoint_url();
        let datasets: Vec<String> =
            self.datasets.iter().map(|dataset| format!("\"{}\"", dataset.name())).collect();
        let auth = match self.way {
            Way::Role => format!(
                "mode = \"assume_role\"\nrole_arn = \"{SUPRSEND_ROLE_ARN}\"\nexternal_id = \"{SUPRSEND_EXTERNAL_ID}\"\n"
            ),
            Way::Keys => "mode = \"static_keys\"\n".to_owned(),
        };
        let mut text = format!(
            "profile = \"suprsend_s3_v2\"\nenabled = true\ndatasets = [{}]\nencryption = \"sse-s3\"\n\n\
             [bucket]\nname = \"{SUPRSEND_BUCKET}\"\nregion = \"us-east-1\"\nendpoint = \"{endpoint}\"\n\
             allow_http = true\npath_style = true\n\n\
             [auth]\n{auth}access_key_id = {{ env = \"EXPORT_KEY_ID\" }}\n\
             secret_access_key = {{ env = \"EXPORT_SECRET\" }}\n\n[state]\ndir = \"state\"\n",
            datasets.join(", "),
        );
        for dataset in &self.datasets {
            // Writing to a `String` cannot fail.
            let _ = write!(text, "\n[[source]]\ndataset = \"{0}\"\npath = \"{0}.ndjson\"\n", dataset.name());
        }
        for (find, replace) in &self.edits {
            text = text.replace(find, replace);
        }
        match self.stage.falsifier() {
            Some(Falsifier::ConfigEdit(edit)) => step("falsify the configuration").works(edit.apply(&text)),
            _ => Ok(text),
        }
    }

    /// The profile, changed if that is the falsifier.
    pub(crate) fn profile(&self) -> Result<Result<VendorProfile, ExportStop>, Stop> {
        let embedded = VendorProfile::embedded().find(|(id, _)| *id == "suprsend_s3_v2");
        let (_, text) = step("find the profile").some("the embedded profile", embedded)?;
        let text = match self.stage.falsifier() {
            Some(Falsifier::ProfileEdit(edit)) => step("falsify the profile").works(edit.apply(text))?,
            _ => text.to_owned(),
        };
        let text = match self.profile_edit {
            Some((find, replace)) => {
                step("change the profile").works(TextEdit::new(find, replace).apply(&text))?
            }
            None => text,
        };
        let profile = VendorProfile::parse(&text, "suprsend_s3_v2.toml");
        Ok(profile.map_err(|error| ExportStop::Setup(error.to_string())))
    }

    /// The key that the connector holds.
    fn key(&self) -> AccessKey {
        match self.way {
            Way::Role => EXPORTER,
            Way::Keys => CONNECTOR_USER,
        }
    }

    /// The store that the configuration describes, over the stage's transport.
    fn store(&self, config: &Config) -> Result<Result<S3Store, ExportStop>, Stop> {
        let key = self.key();
        let credentials = config.credentials(|variable| match variable {
            "EXPORT_KEY_ID" => Some(key.id.to_owned()),
            "EXPORT_SECRET" => Some(key.secret.to_owned()),
            "OTHER_SECRET" => Some("another secret, which is not this key's".to_owned()),
            "OTHER_KEY_ID" => Some("AKIANOBODYKNOWSTHIS0".to_owned()),
            _ => None,
        });
        let credentials = step("read the credentials").works(credentials)?;
        let settings = config.store_settings(credentials);
        let store = S3Store::new(settings, &self.stage.clock, Some(self.stage.emulator.http_client()));
        Ok(store.map_err(|error| ExportStop::Setup(error.to_string())))
    }

    /// A fresh process on the same state; `between` may put something between the engine and the store.
    pub(crate) fn connect(
        &self,
        between: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>,
    ) -> Result<Result<Connection, ExportStop>, Stop> {
        step("make the connector's folder").works(fs::create_dir_all(self.folder()))?;
        for dataset in &self.datasets {
            self.deliver(*dataset, b"")?;
        }
        let name = self.folder().join("connector.toml").display().to_string();
        let config = match Config::parse(&self.config_text()?, &name) {
            Ok(config) => config,
            Err(error) => return Ok(Err(ExportStop::Setup(error.to_string()))),
        };
        let profile = match self.profile()? {
            Ok(profile) => profile,
            Err(stop) => return Ok(Err(stop)),
        };
        let store = match self.store(&config)? {
            Ok(store) => {
                let store: Arc<dyn Store> = Arc::new(store);
                between(match self.stage.falsifier() {
                    Some(Falsifier::RowGroupLost) => Arc::new(RowGroupLost(store)),
                    _ => store,
                })
            }
            Err(stop) => return Ok(Err(stop)),
        };
        let connection =
            Connection::new(config, profile, store, self.stage.clock.clone(), Entropy::seeded(7));
        Ok(connection.map_err(|error| ExportStop::Setup(error.to_string())))
    }

    /// One sync by a fresh process.
    pub(crate) async fn try_sync(&self) -> Result<Result<SyncReport, ExportStop>, Stop> {
        let connection = match self.connect(|store| store)? {
            Ok(connection) => connection,
            Err(stop) => return Ok(Err(stop)),
        };
        Ok(connection.sync().await.map_err(|error| ExportStop::Sync(Box::new(error))))
    }

    /// One sync that must do its work.
    pub(crate) async fn sync(&self, name: &str) -> Result<SyncReport, Stop> {
        self.try_sync().await?.map_err(|stop| self.failure(name, &stop).into())
    }

    /// What a stopped sync means: the diagnosis of the connector, and what the emulator denied.
    pub(crate) fn failure(&self, name: &str, stop: &ExportStop) -> Failure {
        let mut failure = step(name).failure("the sync does its work", stop.to_string());
        if let ExportStop::Sync(error) = stop {
            failure = failure.help(error.help());
            if let Some(diagnosis) = error.diagnosis()
                && let (Some(action), Some(resource)) = (&diagnosis.action, &diagnosis.resource)
            {
                failure = failure.missing(action.as_str(), resource.as_str());
            }
        }
        self.stage.explain(failure)
    }

    /// What the connector says of itself.
    pub(crate) fn status(&self) -> Result<StatusReport, Stop> {
        match self.connect(|store| store)? {
            Ok(connection) => step("ask for the status").works(connection.status()),
            Err(stop) => Err(step("set the connector up").failure("a connector", stop.to_string()).into()),
        }
    }
}

impl Stage {
    /// Every object of the export bucket, read by the customer's administrator.
    pub(crate) async fn exported(&self) -> Result<BTreeMap<String, Bytes>, Stop> {
        let s3 = self.administrator();
        let listed = step("list the bucket")
            .succeeds("a listing", s3.list_objects_v2().bucket(SUPRSEND_BUCKET).send().await)?;
        let mut objects = BTreeMap::new();
        for object in listed.contents() {
            let key = object.key().unwrap_or_default();
            let found = s3.get_object().bucket(SUPRSEND_BUCKET).key(key).send().await;
            let found = step(format!("read `{key}`")).succeeds("the object", found)?;
            let body = step(format!("read `{key}`")).succeeds("its bytes", found.body.collect().await)?;
            objects.insert(key.to_owned(), body.into_bytes());
        }
        Ok(objects)
    }

    /// Every object of the export bucket as a table.
    pub(crate) async fn tables(&self) -> Result<BTreeMap<String, Table>, Stop> {
        let mut tables = BTreeMap::new();
        for (key, body) in self.exported().await? {
            let table =
                step(format!("open `{key}` with a Parquet reader")).succeeds("a table", read_table(&body))?;
            tables.insert(key, table);
        }
        Ok(tables)
    }
}
