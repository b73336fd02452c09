//! A table of an SQLite database as a source.

use bucketproof_connector::store::{FaultyStore, StoreFault};
use rusqlite::Connection as Database;
use std::sync::Arc;

use super::{Desk, once};

const SCHEMA: &str = "
    CREATE TABLE clicks (at TEXT, who TEXT, kind TEXT, tags TEXT, detail TEXT, count INTEGER, good INTEGER);
    CREATE TABLE pages (id TEXT PRIMARY KEY, at TEXT, changed TEXT)";

fn desk() -> (Desk, Database) {
    let desk = Desk::new(
        "[[source]]\ndataset = \"clicks\"\nsqlite = { path = \"app.db\", table = \"clicks\", updated_at = \"at\", overlap = \"1m\" }\n\
         [[source]]\ndataset = \"pages\"\nsqlite = { path = \"app.db\", table = \"pages\", updated_at = \"changed\" }\n",
    );
    let database = Database::open(desk.directory.path().join("app.db")).unwrap();
    database.execute_batch(SCHEMA).unwrap();
    (desk, database)
}

fn click(database: &Database, who: &str, at: &str) {
    database
        .execute(
            "INSERT INTO clicks VALUES (?1, ?2, 'tap', '[\"a\"]', '{\"n\":1}', 3, 1)",
            rusqlite::params![at, who],
        )
        .unwrap();
}

#[tokio::test]
async fn rows_of_one_instant_and_late_ones_are_exported_once() {
    let (desk, database) = desk();
    click(&database, "a", "2026-01-15T10:00:00Z");
    desk.sync().await;
    // The same instant again, in another form; and one that was taken before, and committed after.
    click(&database, "b", "2026-01-15T12:00:00+02:00");
    click(&database, "c", "2026-01-15T09:59:30Z");
    desk.sync().await;
    desk.sync().await;
    assert_eq!(desk.texts("clicks", "who"), once(["a", "b", "c"]));
    click(&database, "d", "2026-01-15T10:10:00Z");
    desk.sync().await;
    assert_eq!(desk.texts("clicks", "who"), once(["a", "b", "c", "d"]));

    database
        .execute("INSERT INTO pages VALUES ('p', '2026-01-15T10:00:00Z', '2026-01-15T10:00:00Z')", [])
        .unwrap();
    desk.sync().await;
    database.execute("UPDATE pages SET changed = '2026-01-15T10:00:01Z'", []).unwrap();
    desk.sync().await;
    assert_eq!(desk.texts("pages", "changed"), once(["1768471201000000"]));
}

#[tokio::test]
async fn killed_at_every_call_a_pull_is_neither_lost_nor_doubled() {
    for call in 0..12 {
        let (desk, database) = desk();
        click(&database, "a", "2026-01-15T10:00:00Z");
        database
            .execute("INSERT INTO pages VALUES ('p', '2026-01-15T10:00:00Z', '2026-01-15T10:00:00Z')", [])
            .unwrap();
        let store = Arc::new(FaultyStore::new(desk.bucket.clone()));
        store.inject(call, StoreFault::StopAfter);
        let connection = desk.connection_over(store.clone());
        tokio::select! {
            outcome = connection.sync() => drop(outcome.unwrap()),
            () = store.stopped() => {}
        }
        drop(connection);
        click(&database, "b", "2026-01-15T10:00:00Z");
        desk.sync().await;
        assert_eq!(desk.texts("clicks", "who"), once(["a", "b"]), "call {call}");
        assert_eq!(desk.texts("pages", "id"), once(["p"]), "call {call}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_table_is_said() {
    let (desk, database) = desk();
    click(&database, "a", "yesterday");
    let error = desk.try_sync().await.unwrap_err();
    assert!(error.to_string().contains("column `at` of table `clicks` holds no time"), "{error}");
    database.execute_batch("DROP TABLE clicks").unwrap();
    let error = desk.try_sync().await.unwrap_err();
    assert!(error.to_string().contains("no such table"), "{error}");
    std::fs::remove_file(desk.directory.path().join("app.db")).unwrap();
    let error = desk.try_sync().await.unwrap_err();
    assert!(error.help().contains("sqlite.path"), "{error}: {}", error.help());
    assert!(!desk.directory.path().join("app.db").exists(), "a database that is not there is not made");
}
