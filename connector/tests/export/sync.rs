//! What a sync does to the bucket and what it reports.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bucketproof_clock::Entropy;

use crate::rig::{Rig, fold, key, message, rows};
use bucketproof_connector::IntentMode;
use bucketproof_connector::config::Config;
use bucketproof_connector::engine::{Connection, SyncError};
use bucketproof_connector::names::{BucketName, ObjectKey};
use bucketproof_connector::report::{ConnectionState, Outcome, SetupCheck};
use bucketproof_connector::source::SourceError;
use bucketproof_connector::store::{
    DiagnosisKind, Effect, FaultyStore, MemoryStore, ObjectHead, Operation, PutOutcome, PutRequest, Store,
    StoreError, StoreFault, StoredObject,
};

fn unavailable(effect: Effect) -> StoreError {
    StoreError::Unavailable { operation: Operation::Put, message: "503".to_owned(), effect }
}

#[tokio::test]
async fn rows_land_in_the_hour_of_their_creation_and_replace_older_versions() {
    let rig = Rig::new();
    let mut lines = message(1, 5, 0, "sent") + &message(2, 6, 0, "sent") + &message(3, 65, 0, "sent");
    rig.write("messages.ndjson", &lines);
    let first = rig.sync().await;
    assert_eq!(rig.objects(), fold("messages", &lines));
    let report = first.dataset("messages").unwrap();
    assert_eq!((report.rows_read, report.rows_written, report.objects.len()), (3, 3, 2));
    let untouched = rig.bucket.objects()[&key(15)].clone();

    let update = message(1, 5, 9, "delivered") + &message(2, 6, 0, "sent") + &message(4, 7, 0, "sent");
    rig.append("messages.ndjson", &update);
    lines.push_str(&update);
    let second = rig.sync().await;
    let report = second.dataset("messages").unwrap();
    assert_eq!((report.rows_read, report.rows_written, report.rows_deduplicated), (3, 2, 1));
    assert_eq!(report.objects[0].mode, IntentMode::Replace);
    assert_eq!(report.objects[0].generation, 2);
    assert_eq!(rig.objects(), fold("messages", &lines));
    assert_eq!(rig.bucket.objects()[&key(15)], untouched, "an hour without a change was written");
}

#[tokio::test]
async fn a_sync_without_a_change_writes_nothing() {
    let rig = Rig::new();
    rig.write("messages.ndjson", &message(1, 5, 3, "sent"));
    rig.sync().await;
    let before = rig.bucket.history();
    assert_eq!(rig.sync().await.dataset("messages").unwrap().rows_read, 0);
    rig.append("messages.ndjson", &(message(1, 5, 3, "sent") + &message(1, 5, 2, "older")));
    let report = rig.sync().await;
    let report = report.dataset("messages").unwrap();
    assert_eq!((report.rows_written, report.rows_deduplicated), (0, 2));
    assert_eq!(report.objects[0].mode, IntentMode::Unchanged);
    assert_eq!(rig.bucket.history(), before);
}

#[tokio::test]
async fn malformed_rows_are_dead_lettered_once_and_the_rest_is_exported() {
    let rig = Rig::new();
    let bad = "{\"message_id\":\"m-9\",\"mood\":\"good\"}\n";
    rig.write(
        "messages.ndjson",
        &format!("{}{bad}{}not json\n", message(1, 5, 0, "a"), message(2, 5, 0, "b")),
    );
    let report = rig.sync().await;
    let report = report.dataset("messages").unwrap();
    assert_eq!((report.rows_read, report.rows_written, report.rows_dead_lettered), (4, 2, 2));
    let letters = std::fs::read_to_string(report.dead_letter_file.as_ref().unwrap()).unwrap();
    let letters: Vec<serde_json::Value> =
        letters.lines().map(|letter| serde_json::from_str(letter).unwrap()).collect();
    assert_eq!(letters.len(), 2);
    assert_eq!(letters[0]["column"], "mood");
    assert_eq!((letters[0]["line"].as_u64(), letters[1]["line"].as_u64()), (Some(2), Some(4)));
    rig.append("messages.ndjson", bad);
    rig.sync().await;
    let text = std::fs::read_to_string(report.dead_letter_file.as_ref().unwrap()).unwrap();
    assert_eq!(text.lines().count(), 3);
}

#[tokio::test]
async fn a_line_that_is_still_being_written_waits() {
    let rig = Rig::new();
    let line = message(1, 5, 0, "sent");
    let (half, rest) = line.split_at(40);
    rig.write("messages.ndjson", half);
    let report = rig.sync().await;
    let waiting = report.dataset("messages").unwrap();
    assert_eq!((waiting.rows_read, waiting.pending_bytes), (0, 40));
    rig.append("messages.ndjson", rest);
    assert_eq!(rig.sync().await.dataset("messages").unwrap().rows_written, 1);
}

#[tokio::test]
async fn a_replaced_or_cut_source_stops_the_sync_unless_a_restart_is_configured() {
    let mut rig = Rig::new();
    let lines = message(1, 5, 0, "sent") + &message(2, 5, 0, "sent");
    rig.write("messages.ndjson", &lines);
    rig.sync().await;
    for other in [message(1, 5, 0, "sent"), message(3, 5, 0, "sent") + &message(4, 5, 0, "sent") + &lines] {
        rig.write("messages.ndjson", &other);
        let error = rig.connection().sync().await.unwrap_err();
        assert!(matches!(error, SyncError::Source(SourceError::Replaced { .. })), "{error}");
        assert!(error.help().contains("restart"));
    }
    rig.extra = "[[source]]\ndataset = \"messages\"\npath = \"messages.ndjson\"\non_replaced = \"restart\"\n"
        .to_owned();
    let report = rig.sync().await;
    let report = report.dataset("messages").unwrap();
    assert_eq!((report.rows_written, report.rows_deduplicated), (2, 2));
}

#[tokio::test]
async fn standard_input_is_exported_and_needs_no_last_line_end() {
    let mut rig = Rig::new();
    rig.extra = "[[source]]\ndataset = \"messages\"\nstdin = true\n".to_owned();
    let lines = message(1, 5, 0, "sent") + message(2, 5, 0, "sent").trim_end();
    for expected in [(2, 0), (0, 2)] {
        let connection = rig.connection().with_stdin(std::io::Cursor::new(lines.clone().into_bytes()));
        let report = connection.sync().await.unwrap();
        let report = report.dataset("messages").unwrap();
        assert_eq!((report.rows_written, report.rows_deduplicated), expected);
    }
    assert_eq!(rig.objects(), fold("messages", &lines));
    assert_eq!(std::fs::read_dir(rig.path("state/spool")).unwrap().count(), 0, "spool files stay behind");
}

/// Writes a foreign object just before the first put.
#[derive(Debug)]
struct Intruder {
    inner: Arc<MemoryStore>,
    body: Mutex<Option<bytes::Bytes>>,
}
#[async_trait]
impl Store for Intruder {
    fn bucket(&self) -> &BucketName {
        self.inner.bucket()
    }
    async fn list_probe(&self, prefix: &str) -> Result<(), StoreError> {
        self.inner.list_probe(prefix).await
    }
    async fn get(&self, key: &ObjectKey) -> Result<Option<StoredObject>, StoreError> {
        self.inner.get(key).await
    }
    async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectHead>, StoreError> {
        self.inner.head(key).await
    }
    async fn put(&self, request: &PutRequest) -> Result<PutOutcome, StoreError> {
        let body = self.body.lock().unwrap().take();
        if let Some(body) = body {
            self.inner.put_foreign(&request.key, body);
        }
        self.inner.put(request).await
    }
    async fn refresh_credentials(&self) {}
}

#[tokio::test]
async fn another_writer_between_read_and_write_is_merged_with() {
    let rig = Rig::new();
    let ours = message(1, 5, 0, "ours");
    let theirs = message(2, 6, 0, "theirs") + &message(1, 5, 0, "older-tie");
    rig.write("messages.ndjson", &ours);

    let body = fold("messages", &theirs).into_values().next().unwrap();
    let store = Intruder { inner: rig.bucket.clone(), body: Mutex::new(Some(body)) };
    let report = rig.connection_over(Arc::new(store)).sync().await.unwrap();
    assert_eq!(report.retries.rebased, 1);
    assert_eq!(report.dataset("messages").unwrap().objects[0].mode, IntentMode::Replace);
    assert_eq!(rig.objects(), fold("messages", &(theirs + &ours)));
}

#[tokio::test]
async fn an_object_that_vanishes_is_made_anew_from_what_is_known() {
    let rig = Rig::new();
    rig.write("messages.ndjson", &message(1, 5, 0, "sent"));
    rig.sync().await;
    rig.bucket.remove_foreign(&key(14));
    rig.append("messages.ndjson", &message(2, 5, 0, "sent"));
    rig.sync().await;
    assert_eq!(rows("messages", &rig.objects()[key(14).as_str()])[0].num_rows(), 1);
}

#[tokio::test]
async fn lost_answers_and_conflicts_are_resolved_without_a_second_effect() {
    // Calls of one sync: 0 list, 1 get, 2 put, 3 head or put.
    let cases: Vec<(StoreFault, u64, usize)> = vec![
        (StoreFault::ErrorAfter(unavailable(Effect::Unknown)), 1, 1),
        (StoreFault::ErrorBefore(unavailable(Effect::Unknown)), 1, 1),
        (StoreFault::ErrorBefore(unavailable(Effect::None)), 1, 1),
        // The answer claimed no effect and was wrong: the repeated write meets its own object.
        (StoreFault::ErrorAfter(unavailable(Effect::None)), 1, 1),
        (StoreFault::ErrorBefore(StoreError::Expired { operation: Operation::Put }), 1, 1),
        (StoreFault::Conflict, 1, 1),
    ];
    for (fault, written, versions) in cases {
        let rig = Rig::new();
        let lines = message(1, 5, 0, "sent");
        rig.write("messages.ndjson", &lines);
        let store = Arc::new(FaultyStore::new(rig.bucket.clone()));
        store.inject(2, fault.clone());
        let report = rig.connection_over(store.clone()).sync().await.unwrap();
        assert_eq!(store.pending(), 0);
        assert_eq!(report.dataset("messages").unwrap().rows_written, written, "{fault:?}");
        assert_eq!(rig.bucket.history().len(), versions, "{fault:?}");
        assert_eq!(rig.objects(), fold("messages", &lines), "{fault:?}");
    }
}

#[tokio::test]
async fn a_service_that_stays_away_ends_the_sync_and_the_next_one_finishes_it() {
    let rig = Rig::new();
    rig.write("messages.ndjson", &message(1, 5, 0, "sent"));
    let store = Arc::new(FaultyStore::new(rig.bucket.clone()));
    for call in 2..20 {
        store.inject(call, StoreFault::ErrorBefore(unavailable(Effect::None)));
    }
    let error = rig.connection_over(store).sync().await.unwrap_err();
    assert_eq!(error.diagnosis().unwrap().kind, DiagnosisKind::Unavailable);
    assert_eq!(rig.connection().status().unwrap().datasets[0].open_intents, 1);
    let report = rig.sync().await;
    let report = report.dataset("messages").unwrap();
    assert_eq!((report.batches_recovered, report.rows_written), (1, 1));
    assert_eq!(rig.connection().status().unwrap().datasets[0].open_intents, 0);
}

#[tokio::test]
async fn a_missing_action_is_named_with_its_resource_and_requirement() {
    let rig = Rig::new();
    rig.write("messages.ndjson", &message(1, 5, 0, "sent"));
    let store = Arc::new(FaultyStore::new(rig.bucket.clone()));
    store.inject(
        2,
        StoreFault::ErrorBefore(StoreError::Denied {
            operation: Operation::Put,
            action: "s3:PutObject".to_owned(),
            resource: rig.bucket.bucket().object_arn(&key(14)),
            message: "access denied".to_owned(),
        }),
    );
    let error = rig.connection_over(store).sync().await.unwrap_err();
    let diagnosis = error.diagnosis().unwrap();
    assert_eq!(diagnosis.action.as_deref(), Some("s3:PutObject"));
    assert_eq!(diagnosis.requirement.as_deref(), Some("SUP-75"));
    insta::assert_snapshot!(format!("{error}\nhelp: {}", error.help()));
    let status = rig.connection().status().unwrap();
    assert_eq!(status.state, ConnectionState::SetupFailed);
    rig.sync().await;
    assert_eq!(rig.connection().status().unwrap().state, ConnectionState::Active);
}

#[tokio::test]
async fn the_toggle_keeps_every_call_away() {
    let rig = Rig::new();
    let text = rig.config_text().replace("enabled = true", "enabled = false");
    let config = Config::parse(&text, rig.path("c.toml").to_str().unwrap()).unwrap();
    let profile = config.load_profile().unwrap();
    let store = Arc::new(FaultyStore::new(rig.bucket.clone()));
    let entropy = Entropy::seeded(1);
    let connection = Connection::new(config, profile, store.clone(), rig.clock.clone(), entropy).unwrap();
    assert_eq!(connection.sync().await.unwrap().outcome, Outcome::Disabled);
    assert_eq!(connection.plan().await.unwrap().outcome, Outcome::Disabled);
    assert_eq!(connection.status().unwrap().state, ConnectionState::Disabled);
    assert_eq!(store.calls(), 0);
    assert!(!rig.path("state").exists());
}

#[tokio::test]
async fn a_plan_foretells_the_sync_and_changes_nothing() {
    let rig = Rig::new();
    rig.write("messages.ndjson", &(message(1, 5, 0, "a") + &message(2, 65, 0, "a")));
    let plan = rig.connection().plan().await.unwrap();
    assert!(!rig.path("state").exists());
    assert_eq!(rig.bucket.history().len(), 0);
    let report = rig.sync().await;
    assert_eq!(plan.datasets[0].objects, report.datasets[0].objects);
    rig.append("messages.ndjson", &(message(1, 5, 1, "b") + "oops\n"));
    let plan = rig.connection().plan().await.unwrap();
    let again = rig.connection().plan().await.unwrap();
    assert_eq!(plan, again);
    assert_eq!((plan.datasets[0].rows_read, plan.datasets[0].rows_dead_lettered), (2, 1));
    let report = rig.sync().await;
    assert_eq!(plan.datasets[0].objects, report.datasets[0].objects);
}

#[tokio::test]
async fn a_second_process_and_a_second_destination_are_refused() {
    let rig = Rig::new();
    rig.write("messages.ndjson", &message(1, 5, 0, "sent"));
    rig.sync().await;
    let lock = std::fs::OpenOptions::new().write(true).open(rig.path("state/lock")).unwrap();
    lock.lock().unwrap();
    let error = rig.connection().sync().await.unwrap_err();
    assert!(error.to_string().contains("in use by another process"), "{error}");
    // Status does not wait for the writer.
    assert_eq!(rig.connection().status().unwrap().datasets[0].rows_written, 1);
    drop(lock);

    let text = rig.config_text().replace("[bucket]", "[bucket]\nprefix = \"elsewhere\"");
    let config = Config::parse(&text, rig.path("c.toml").to_str().unwrap()).unwrap();
    let profile = config.load_profile().unwrap();
    let entropy = Entropy::seeded(1);
    let elsewhere = Connection::new(config, profile, rig.bucket.clone(), rig.clock.clone(), entropy).unwrap();
    let error = elsewhere.sync().await.unwrap_err();
    assert!(error.to_string().contains("belongs to"), "{error}");
    // Nor are the other connection's facts taken for this one's.
    let error = elsewhere.plan().await.unwrap_err();
    assert!(error.to_string().contains("belongs to"), "{error}");
    let error = elsewhere.status().unwrap_err();
    assert!(error.to_string().contains("belongs to"), "{error}");
}

#[tokio::test]
async fn a_source_that_fails_is_told_apart_from_the_proved_set_up() {
    let rig = Rig::new();
    rig.connection().sync().await.unwrap_err();
    let status = rig.connection().status().unwrap();
    assert_eq!((status.state, status.setup), (ConnectionState::Failed, SetupCheck::Passed));
}

#[tokio::test]
async fn only_selected_datasets_are_exported_each_to_its_own_object() {
    for selection in
        [vec!["messages"], vec!["requests", "messages"], vec!["requests", "workflow_executions", "messages"]]
    {
        let mut rig = Rig::new();
        rig.datasets = selection.clone();
        rig.write("messages.ndjson", &message(1, 5, 0, "sent"));
        let at = "\"created_at\":\"2025-01-15T14:00:00Z\",\"updated_at\":\"2025-01-15T14:00:00Z\"";
        rig.write(
            "requests.ndjson",
            &format!("{{\"api_type\":\"e\",\"api_name\":\"n\",\"tenant_id\":\"t\",\"idempotency_key\":\"k\",{at}}}\n"),
        );
        rig.write(
            "workflow_executions.ndjson",
            &format!("{{\"execution_id\":\"x\",\"node_id\":\"n\",\"execution_stage\":\"s\",{at}}}\n"),
        );
        rig.sync().await;
        let mut expected: Vec<String> = selection
            .iter()
            .map(|name| format!("year=2025/month=01/day=15/hour=14/{name}.parquet"))
            .collect();
        expected.sort();
        assert_eq!(rig.objects().into_keys().collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn small_batches_give_the_same_objects_as_one() {
    let mut rig = Rig::new();
    let lines: String = (0..12_000)
        .map(|row| message(row % 5_000, (row % 5_000) % 180, row / 5_000, &"x".repeat(100)))
        .collect();
    assert!(lines.len() > 2 * 1024 * 1024);
    rig.write("messages.ndjson", &lines);
    let one = rig.sync().await;
    assert_eq!(one.datasets[0].batches, 1);
    let whole = rig.objects();
    assert_eq!(whole, fold("messages", &lines));

    let directory = tempfile::tempdir().unwrap();
    rig.directory = directory;
    rig.bucket = Rig::new().bucket;
    rig.write("messages.ndjson", &lines);
    rig.extra = "[[source]]\ndataset = \"messages\"\npath = \"messages.ndjson\"\n".to_owned();
    let text = rig.config_text().replace("dir = \"state\"", "dir = \"state\"\nbatch_mib = 1");
    let config = Config::parse(&text, rig.path("c.toml").to_str().unwrap()).unwrap();
    let profile = config.load_profile().unwrap();
    let entropy = Entropy::seeded(1);
    let connection =
        Connection::new(config, profile, rig.bucket.clone(), rig.clock.clone(), entropy).unwrap();
    let report = connection.sync().await.unwrap();
    assert!(report.datasets[0].batches >= 2);
    assert!(report.datasets[0].reconciles());
    assert_eq!(rig.objects(), whole);
}

#[tokio::test]
async fn old_keys_are_reported_for_rotation_if_their_age_is_known() {
    let rig = Rig::new();
    let status = |created: &str| {
        let text = rig.config_text().replace("[state]", &format!("key_created = \"{created}\"\n[state]"));
        let config = Config::parse(&text, rig.path("c.toml").to_str().unwrap()).unwrap();
        let profile = config.load_profile().unwrap();
        bucketproof_connector::engine::status_of(&config, &profile, &rig.clock).unwrap()
    };
    assert_eq!(rig.connection().status().unwrap().warnings, []);
    assert_eq!(status("2024-10-18").warnings, []);
    let warnings = status("2024-10-17").warnings;
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].requirement.as_deref(), Some("SUP-58"));
    assert!(warnings[0].message.contains("90 days old"), "{}", warnings[0].message);
}
