//! A table as the whole of a snapshot, and plans of tables.

use std::sync::Arc;

use bucketproof_clock::{Clock, Entropy};
use bucketproof_connector::IntentMode;
use bucketproof_connector::config::Config;
use bucketproof_connector::engine::Connection;
use bucketproof_connector::names::BucketName;
use bucketproof_connector::store::{FaultyStore, MemoryStore, Store, StoreFault};
use rusqlite::Connection as Database;

use super::{Desk, once};

const SCHEMA: &str = "
    CREATE TABLE segment (id TEXT, code INTEGER, name TEXT, tags TEXT, workspace TEXT, deleted INTEGER);
    INSERT INTO segment VALUES ('s-1', 1, 'one', '[\"a\"]', 'w', 0), ('s-2', 2, 'two', NULL, 'w', 1)";

struct Snapshot {
    directory: tempfile::TempDir,
    bucket: Arc<MemoryStore>,
    database: Database,
}

impl Snapshot {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = Database::open(directory.path().join("app.db")).unwrap();
        database.execute_batch(SCHEMA).unwrap();
        Self { directory, bucket: Arc::new(MemoryStore::new(BucketName::new("exports").unwrap())), database }
    }

    fn try_connection(&self, sources: &str, store: Arc<dyn Store>) -> Result<Connection, String> {
        let text = format!(
            "profile = \"permutive_stream\"\nenabled = true\ndatasets = [\"segment\"]\n\
             [bucket]\nname = \"exports\"\nregion = \"us-east-1\"\n[auth]\nmode = \"static_keys\"\n\
             access_key_id = \"AKIDEXAMPLE\"\nsecret_access_key = {{ env = \"SECRET\" }}\n\
             [state]\ndir = \"state\"\n{sources}"
        );
        let config = Config::parse(&text, self.directory.path().join("c.toml").to_str().unwrap()).unwrap();
        let profile = config.load_profile().unwrap();
        let clock = Clock::manual("2026-01-15T16:00:00Z".parse().unwrap());
        Connection::new(config, profile, store, clock, Entropy::seeded(7)).map_err(|error| error.to_string())
    }

    fn connection(&self, store: Arc<dyn Store>) -> Connection {
        let source =
            "[[source]]\ndataset = \"segment\"\nsqlite = { path = \"app.db\", table = \"segment\" }\n";
        self.try_connection(source, store).unwrap()
    }

    fn lines(&self) -> Vec<serde_json::Value> {
        let object = self.bucket.objects().into_values().next().unwrap();
        let mut text = String::new();
        let mut unpacked = flate2::read::GzDecoder::new(object.body.as_ref());
        std::io::Read::read_to_string(&mut unpacked, &mut text).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[tokio::test]
async fn the_table_as_it_is_replaces_the_object_and_deleted_rows_are_gone() {
    let snapshot = Snapshot::new();
    let sync = async || snapshot.connection(snapshot.bucket.clone()).sync().await.unwrap();
    let plan = snapshot.connection(snapshot.bucket.clone()).plan().await.unwrap();
    let report = sync().await;
    assert_eq!(plan.datasets[0].objects, report.datasets[0].objects);
    assert_eq!(report.datasets[0].objects[0].mode, IntentMode::Create);
    assert_eq!(snapshot.lines().len(), 2);
    assert_eq!(
        (&snapshot.lines()[0]["tags"], &snapshot.lines()[1]["deleted"]),
        (&serde_json::json!(["a"]), &true.into())
    );
    // Nothing changed, nothing is written, nothing is left to wait.
    assert!(sync().await.datasets[0].objects.is_empty());
    let status = snapshot.connection(snapshot.bucket.clone()).status().unwrap();
    assert_eq!(status.backlog_bytes, 0);
    let changes = [
        ("DELETE FROM segment WHERE code = 1", vec![2]),
        ("INSERT INTO segment VALUES ('s-3', 3, 'three', NULL, 'w', 0)", vec![2, 3]),
        ("DELETE FROM segment WHERE code = 3", vec![2]),
    ];
    for (change, codes) in changes {
        snapshot.database.execute_batch(change).unwrap();
        sync().await;
        let found: Vec<i64> = snapshot.lines().iter().map(|line| line["code"].as_i64().unwrap()).collect();
        assert_eq!(found, codes, "{change}");
    }
    assert_eq!(snapshot.bucket.history().len(), 4);
    assert_eq!(std::fs::read_dir(snapshot.directory.path().join("state/spool")).unwrap().count(), 0);
}

#[tokio::test]
async fn killed_at_every_call_the_newest_state_is_exported() {
    for call in 0..4 {
        for fault in [StoreFault::StopBefore, StoreFault::StopAfter] {
            let snapshot = Snapshot::new();
            let store = Arc::new(FaultyStore::new(snapshot.bucket.clone()));
            store.inject(call, fault.clone());
            let connection = snapshot.connection(store.clone());
            tokio::select! {
                outcome = connection.sync() => drop(outcome.unwrap()),
                () = store.stopped() => {}
            }
            drop(connection);
            snapshot.database.execute_batch("UPDATE segment SET name = 'new' WHERE code = 2").unwrap();
            let connection = snapshot.connection(snapshot.bucket.clone());
            connection.sync().await.unwrap();
            assert_eq!(snapshot.lines()[1]["name"], "new", "{fault:?} at {call}");
            let status = connection.status().unwrap();
            assert_eq!((status.backlog_bytes, status.datasets[0].open_intents), (0, 0));
        }
    }
}

#[tokio::test]
async fn a_snapshot_has_one_table_and_other_datasets_need_a_time() {
    let snapshot = Snapshot::new();
    let table = "[[source]]\ndataset = \"segment\"\nsqlite = { path = \"app.db\", table = \"segment\" }\n";
    let two = format!("{table}[[source]]\ndataset = \"segment\"\nstdin = true\n");
    let refused = snapshot.try_connection(&two, snapshot.bucket.clone()).unwrap_err();
    assert!(refused.contains("dataset `segment` is a snapshot"), "{refused}");
    let without = "[[source]]\ndataset = \"pages\"\nsqlite = { path = \"app.db\", table = \"pages\" }\n";
    let refused = std::panic::catch_unwind(|| Desk::new(without).connection());
    assert!(refused.is_err(), "new rows cannot be told");
}

/// Claims ENG-17.
#[tokio::test]
async fn a_plan_asks_tables_and_changes_nothing() {
    let desk = Desk::new(
        "[[source]]\ndataset = \"pages\"\nsqlite = { path = \"app.db\", table = \"pages\", updated_at = \"changed\" }\n",
    );
    let database = Database::open(desk.directory.path().join("app.db")).unwrap();
    database
        .execute_batch(
            "CREATE TABLE pages (id TEXT PRIMARY KEY, at TEXT, changed TEXT);
             INSERT INTO pages VALUES ('p', '2026-01-15T10:00:00Z', '2026-01-15T10:00:00Z')",
        )
        .unwrap();
    for _ in 0..2 {
        let plan = desk.connection().plan().await.unwrap();
        assert_eq!(plan.datasets[1].rows_written, 1);
    }
    assert!(!desk.directory.path().join("state").exists(), "a plan left something behind");
    let report = desk.sync().await;
    assert_eq!(report.datasets[1].rows_written, 1);
    assert_eq!(desk.connection().plan().await.unwrap().datasets[1].rows_read, 0);
    assert_eq!(desk.texts("pages", "id"), once(["p"]));
}
