//! Where rows go: each target stores the same, shows nothing half, and keeps its state with its rows.

use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{ArrayRef, Int32Array, StringArray};
use bucketproof_connector::import::{ImportConfig, ImportError};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;

use crate::database::Server;
use crate::files::{Row, columns, file, parquet, with_column};
use crate::rig::{Rig, config_text};

/// Where an import of the tests stores its rows.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Sqlite,
    Postgres { url: String, schema: String },
    Parquet,
}

impl Target {
    /// Its lines of the configuration, at the place `directory`.
    pub(crate) fn text(&self, directory: &Path) -> String {
        match self {
            Self::Sqlite => String::new(),
            Self::Parquet => "[target.parquet]\ndirectory = \"dataset\"".to_owned(),
            Self::Postgres { url, schema } => {
                std::fs::write(directory.join("url"), url).unwrap();
                format!("[target.postgres]\nurl = {{ file = \"url\" }}\nschema = \"{schema}\"")
            }
        }
    }

    /// The stored events: the event's key, and that of its file.
    pub(crate) async fn stored(&self, directory: &Path) -> Vec<(String, String)> {
        let mut stored = match self {
            Self::Sqlite => {
                let database = rusqlite::Connection::open(directory.join("state/import.sqlite")).unwrap();
                let query = "SELECT e.key, f.key FROM event e JOIN file f ON f.id = e.file";
                let mut select = database.prepare(query).unwrap();
                let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
                rows.collect::<Result<Vec<_>, _>>().unwrap()
            }
            Self::Postgres { url, schema } => {
                let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
                let connection = tokio::spawn(async move { drop(connection.await) });
                let query = format!(
                    "SELECT e.key, f.key FROM \"{schema}\".event e JOIN \"{schema}\".file f ON f.id = e.file"
                );
                let rows = client.query(&query, &[]).await.unwrap();
                connection.abort();
                rows.iter().map(|row| (row.get(0), row.get(1))).collect()
            }
            Self::Parquet => {
                let mut stored = Vec::new();
                for part in parts(directory) {
                    let file = std::fs::File::open(part).unwrap();
                    for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
                        let batch = batch.unwrap();
                        let keys = batch.column_by_name("key").unwrap().as_string::<i32>();
                        let files = batch.column_by_name("bucketproof_file").unwrap().as_string::<i32>();
                        let rows = keys.iter().zip(files);
                        stored.extend(rows.map(|(key, file)| (key.unwrap().into(), file.unwrap().into())));
                    }
                }
                stored
            }
        };
        stored.sort();
        stored
    }
}

/// What a reader of the dataset sees.
fn parts(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory.join("dataset")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|kind| kind == "parquet")).collect()
}

/// Every target, with a server if the machine has one.
pub(crate) fn targets(server: Option<&Server>) -> Vec<Target> {
    let mut targets = vec![Target::Sqlite, Target::Parquet];
    if let Some(server) = server {
        targets.push(Target::Postgres { url: server.url(), schema: "events of Web".to_owned() });
    }
    targets
}

fn mixed() -> Bytes {
    let mut rows: Vec<Row> = (0..20_000).map(Row::good).collect();
    rows[3].environment = None;
    rows[9_999].timestamp = Some(1);
    file(&rows)
}

/// All targets store the valid rows alone, once, and tell the same.
#[tokio::test]
async fn all_targets_store_and_tell_the_same() {
    let server = Server::start(|_| String::new());
    let mut told = Vec::new();
    for target in targets(server.as_ref()) {
        let rig = Rig::with(target.clone());
        rig.bucket.put("events/mixed", mixed());
        rig.bucket.put("events/bad", Bytes::from_static(b"garbage"));
        rig.bucket.put("events/none", file(&[Row { key: None, ..Row::good(0) }]));
        let mut importer = rig.importer();
        let summary = importer.once().await.unwrap();
        assert_eq!((summary.files_read, summary.files_refused), (2, 1), "{target:?}");
        assert_eq!((summary.rows_stored, summary.rows_refused), (19_998, 3), "{target:?}");
        let counts = importer.counts().await.unwrap()["events"];
        assert_eq!((counts.pending, counts.stored, counts.refused), (0, 2, 1), "{target:?}");
        drop(importer);
        assert_eq!(rig.importer().once().await.unwrap().files_read, 0);
        let stored = target.stored(rig.directory.path()).await;
        assert_eq!(stored.len(), 19_998, "{target:?}");
        assert!(!stored.iter().any(|(key, _)| key == "user-3" || key == "user-9999"));
        told.push((rig.bucket.reports("my_statuses/"), stored));
    }
    assert!(told.iter().all(|other| *other == told[0]));
}

/// What is stored of each type in PostgreSQL and in Parquet is what was in the file.
#[tokio::test]
async fn values_keep_their_types() {
    let rows: Vec<Row> = (0..7).map(Row::good).collect();
    let rig = Rig::with(Target::Parquet);
    rig.bucket.put("events/f", file(&rows));
    rig.importer().once().await.unwrap();
    let [part] = &parts(rig.directory.path())[..] else { panic!("one part") };
    let reader = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(part).unwrap()).unwrap();
    let stored = reader.build().unwrap().next().unwrap().unwrap();
    for (name, array) in columns(&rows) {
        assert_eq!(stored.column_by_name(name).unwrap().to_data(), array.to_data(), "{name}");
    }
    let Some(server) = Server::start(|_| String::new()) else { return };
    let rig = Rig::with(Target::Postgres { url: server.url(), schema: "s".to_owned() });
    let doubles = [f64::NAN, f64::NEG_INFINITY, -0.0, 1.5];
    rig.bucket
        .put("events/f", with_column("value", Arc::new(arrow_array::Float64Array::from(doubles.to_vec()))));
    rig.importer().once().await.unwrap();
    let client = server.client().await;
    let query = "SELECT value, properties::text, timestamp, properties->>'plan' FROM s.event ORDER BY row";
    let found = client.query(query, &[]).await.unwrap();
    let values: Vec<f64> = found.iter().map(|row| row.get(0)).collect();
    assert!(values[0].is_nan() && values[1] == f64::NEG_INFINITY && values[2].is_sign_negative());
    let maps: Vec<Option<String>> = found.iter().map(|row| row.get(1)).collect();
    assert_eq!(maps[0], None);
    assert_eq!(maps[1].as_deref(), Some("{\"plan\":\"pro\"}"));
    assert_eq!(maps[3].as_deref(), Some("{\"plan\":null}"));
    assert_eq!(found[1].get::<_, Option<String>>(3).as_deref(), Some("pro"));
    assert_eq!(found[0].get::<_, i64>(2), crate::files::NEW_YEAR_MS - 1000);
    // What this database has no text for refuses the file in words.
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["fine", "with\0nul"]));
    rig.bucket.put("events/nul", with_column("key", texts));
    rig.importer().once().await.unwrap();
    let summary = rig.bucket.summary("my_statuses/");
    let entry = &summary.files["events/nul"].entries[0];
    assert_eq!(entry.errors, ["INVALID_SCHEMA"]);
    assert!(entry.errors_details[0].contains("column `key` has the character U+0000 in row 2"), "{entry:?}");
}

/// Claims ENG-24: what the profile has no column for is kept as JSON, nested values included.
#[tokio::test]
async fn unknown_columns_are_rescued() {
    let server = Server::start(|_| String::new());
    for target in targets(server.as_ref()) {
        let rig = Rig::with(target.clone());
        rig.bucket.put("events/plain", file(&[Row::good(7)]));
        rig.importer().once().await.unwrap();
        let mut more = columns(&[Row::good(0), Row::good(1)]);
        more.push(("extra", Arc::new(Int32Array::from(vec![Some(5), None]))));
        more.insert(0, ("KEY", Arc::new(StringArray::from(vec!["other", "other"]))));
        let nested =
            arrow_array::ListArray::from_iter_primitive::<arrow_array::types::Int64Type, _, _>(vec![
                Some(vec![Some(1), None]),
                None,
            ]);
        more.push(("list", Arc::new(nested)));
        rig.bucket.put("events/more", parquet(more, Compression::SNAPPY));
        rig.importer_of(&rig.config("rescue_column = \"_rescued\"")).once().await.unwrap();
        let directory = rig.directory.path();
        let mut rescued: Vec<Option<String>> = match &target {
            Target::Sqlite => {
                let database = rusqlite::Connection::open(directory.join("state/import.sqlite")).unwrap();
                let mut select = database.prepare("SELECT _rescued FROM event").unwrap();
                let rows = select.query_map([], |row| row.get(0)).unwrap();
                rows.collect::<Result<_, _>>().unwrap()
            }
            Target::Postgres { .. } => {
                let client = server.as_ref().unwrap().client().await;
                let query = "SELECT _rescued::text FROM \"events of Web\".event";
                client.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
            }
            Target::Parquet => {
                let mut rescued = Vec::new();
                for part in parts(directory) {
                    let file = std::fs::File::open(part).unwrap();
                    for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
                        let batch = batch.unwrap();
                        match batch.column_by_name("_rescued") {
                            Some(texts) => {
                                rescued.extend(
                                    texts.as_string::<i32>().iter().map(|text| text.map(str::to_owned)),
                                );
                            }
                            None => rescued.push(None),
                        }
                    }
                }
                rescued
            }
        };
        rescued.sort();
        assert_eq!(
            rescued,
            [
                None,
                Some(r#"{"KEY":"other","extra":5,"list":[1,null]}"#.to_owned()),
                Some(r#"{"KEY":"other"}"#.to_owned()),
            ],
            "{target:?}"
        );
    }
}

/// Two connections that see one file store each of its rows once, whatever the target.
#[tokio::test]
async fn connections_that_share_files_store_each_row_once() {
    let server = Server::start(|_| String::new());
    for target in targets(server.as_ref()) {
        let rig = Rig::with(target.clone());
        rig.bucket.put("events/a", file(&(0..5).map(Row::good).collect::<Vec<_>>()));
        let mut config = rig.config("");
        let mut other = config.connections[0].clone();
        other.name = "other".to_owned();
        config.connections.push(other);
        rig.importer_of(&config).once().await.unwrap();
        assert_eq!(target.stored(rig.directory.path()).await.len(), 5, "{target:?}");
    }
}

/// A state directory keeps its target, and a target has one import.
#[tokio::test]
async fn a_target_is_not_changed_in_passing() {
    let rig = Rig::new();
    rig.bucket.put("events/a", file(&[Row::good(0)]));
    rig.importer().once().await.unwrap();
    let path = rig.directory.path().join("import.toml");
    let with = |target: &Target| {
        let lines = target.text(rig.directory.path());
        let text = config_text(&rig.connections).replacen("[state]", &format!("{lines}\n[state]"), 1);
        ImportConfig::parse(&text, path.to_str().unwrap()).unwrap()
    };
    let error = new_importer(&rig, with(&Target::Parquet)).unwrap_err().to_string();
    assert!(error.contains("belongs to `sqlite`") && error.contains("`parquet "), "{error}");
    // A directory of another import with its own state.
    let other = Rig::with(Target::Parquet);
    let _open = other.importer();
    let mut config = other.config("");
    config.state_dir = other.directory.path().join("other state");
    let error = new_importer(&other, config).unwrap_err();
    assert!(error.to_string().contains("another import works with it"), "{error}");
    let Some(server) = Server::start(|_| String::new()) else { return };
    let rig = Rig::with(Target::Postgres { url: server.url(), schema: "once".to_owned() });
    let mut first = rig.importer();
    first.once().await.unwrap();
    let mut config = rig.config("");
    config.state_dir = rig.directory.path().join("other state");
    let error = rig.importer_of(&config).once().await.unwrap_err();
    assert!(error.to_string().contains("in use by another import"), "{error}");
    assert!(error.help().contains("schema"), "{}", error.help());
    // A server that went away and came back is asked again.
    let client = server.client().await;
    let end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() \
               AND backend_type = 'client backend'";
    client.execute(end, &[]).await.unwrap();
    rig.bucket.put("events/a", file(&[Row::good(0)]));
    // The first pass may meet the end of the connection; what it did not do, the next does.
    drop(first.once().await);
    first.once().await.unwrap();
    assert_eq!(rig.target.stored(rig.directory.path()).await.len(), 1);
}

fn new_importer(
    rig: &Rig,
    config: ImportConfig,
) -> Result<bucketproof_connector::import::Importer, ImportError> {
    let store: Arc<dyn bucketproof_connector::import::InboundStore> = rig.bucket.clone();
    let stores = [("events".to_owned(), store)].into();
    let entropy = bucketproof_clock::Entropy::seeded(7);
    bucketproof_connector::import::Importer::new(config, stores, rig.clock.clone(), entropy)
}

/// A server that cannot be reached, or whose URL is none, is named without the secret.
#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    for (url, words) in
        [("postgresql://user:s3cret@127.0.0.1:1/db", "onnect"), ("not a url s3cret", "not one of PostgreSQL")]
    {
        let rig = Rig::with(Target::Postgres { url: url.to_owned(), schema: "s".to_owned() });
        rig.bucket.put("events/a", file(&[Row::good(0)]));
        let error = rig.importer().once().await.unwrap_err();
        let text = format!("{error}; {}", error.help());
        assert!(text.contains("postgres schema s") && text.contains(words), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}

/// The state of an earlier program is taken over.
#[tokio::test]
async fn an_earlier_state_is_taken_over() {
    let rig = Rig::new();
    rig.bucket.put("events/a", file(&[Row::good(0), Row::good(1)]));
    let state = rig.directory.path().join("state");
    std::fs::create_dir_all(&state).unwrap();
    let database = rusqlite::Connection::open(state.join("import.sqlite")).unwrap();
    database.execute_batch(include_str!("import_state_1.sql")).unwrap();
    drop(database);
    let summary = rig.importer().once().await.unwrap();
    assert_eq!((summary.files_found, summary.files_read), (0, 0), "the file is known");
    let stored = rig.target.stored(rig.directory.path()).await;
    assert_eq!(stored, [("user-0".to_owned(), "events/a".to_owned())]);
    rig.bucket.put("events/b", file(&[Row::good(5)]));
    rig.importer().once().await.unwrap();
    assert_eq!(rig.target.stored(rig.directory.path()).await.len(), 2);
}
