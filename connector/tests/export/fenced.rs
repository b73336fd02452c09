//! Who may write: stores without conditional writes, and installations that take over from one another.

use std::sync::Arc;

use async_trait::async_trait;
use bucketproof_connector::config::Writes;
use bucketproof_connector::engine::{FailureKind, SyncError};
use bucketproof_connector::names::{BucketName, ObjectKey};
use bucketproof_connector::report::ConnectionState;
use bucketproof_connector::store::{
    Condition, Effect, FaultyStore, MemoryStore, ObjectHead, Operation, PutOutcome, PutRequest, Store,
    StoreError, StoreFault, StoredObject,
};

use crate::rig::{Rig, fold, key, message};

/// How a store without conditional writes takes a write with one.
#[derive(Clone, Copy, Debug)]
enum Manner {
    /// As if there were no condition.
    Ignores,
    /// With an error that says so.
    Refuses,
}

#[derive(Debug)]
struct Unconditional {
    inner: Arc<MemoryStore>,
    manner: Manner,
}

#[async_trait]
impl Store for Unconditional {
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
        match (self.manner, &request.condition) {
            (Manner::Refuses, Condition::Absent | Condition::Matches(_)) => Err(StoreError::Rejected {
                operation: Operation::Put,
                status: 501,
                code: "NotImplemented".to_owned(),
                message: "A header you provided implies functionality that is not implemented".to_owned(),
            }),
            _ => self.inner.put(&PutRequest { condition: Condition::Anyway, ..request.clone() }).await,
        }
    }

    async fn refresh_credentials(&self) {}
}

/// A connection to a store that is not AWS's own.
fn elsewhere(head: &str) -> Rig {
    let mut rig = Rig::new();
    rig.head = head.to_owned();
    rig.endpoint = "endpoint = \"https://objects.example.com\"\n".to_owned();
    rig
}

#[tokio::test]
async fn a_store_without_conditional_writes_is_refused_by_name() {
    for manner in [Manner::Ignores, Manner::Refuses] {
        let rig = elsewhere("");
        rig.write("messages.ndjson", &message(1, 5, 0, "sent"));
        let store = || Arc::new(Unconditional { inner: rig.bucket.clone(), manner });
        // The second time it is known beforehand, or found out again.
        for _ in 0..2 {
            let error = rig.connection_over(store()).sync().await.unwrap_err();
            assert!(matches!(error, SyncError::Unconditional { .. }), "{error}");
            assert_eq!(error.kind(), FailureKind::Refused);
            assert!(error.to_string().contains("`https://objects.example.com`"), "{error}");
            assert!(error.help().contains("at_least_once_single_writer"), "{}", error.help());
        }
        let status = rig.connection().status().unwrap();
        assert_eq!(status.state, ConnectionState::Failed);
        assert!(status.failure.unwrap().contains("does not keep the conditions of writes"));
        // It wrote one object at most, and no row of it is counted as exported.
        assert_eq!(status.datasets[0].rows_written, 0);
    }
}

#[tokio::test]
async fn the_weaker_mode_writes_to_such_a_store_and_is_labelled_everywhere() {
    for manner in [Manner::Ignores, Manner::Refuses] {
        let rig = elsewhere("writes = \"at_least_once_single_writer\"\n");
        let mut all = message(1, 5, 0, "sent");
        rig.write("messages.ndjson", &all);
        let store = Arc::new(Unconditional { inner: rig.bucket.clone(), manner });
        let plan = rig.connection_over(store.clone()).plan().await.unwrap();
        assert_eq!(plan.writes, Writes::AtLeastOnceSingleWriter);
        let report = rig.connection_over(store.clone()).sync().await.unwrap();
        assert_eq!(report.writes, Writes::AtLeastOnceSingleWriter);
        assert_eq!(serde_json::to_value(&report).unwrap()["writes"], "at_least_once_single_writer");
        let status = rig.connection().status().unwrap();
        assert_eq!(status.writes, Writes::AtLeastOnceSingleWriter);
        assert!(status.warnings.iter().any(|warning| warning.message.starts_with("weaker mode")));
        for version in 1..4 {
            let change = message(1, 5, version, "seen") + &message(10 + version, 6, 0, "sent");
            rig.append("messages.ndjson", &change);
            all.push_str(&change);
            // An answer that is lost is looked for, and found or written again.
            let faulty = Arc::new(FaultyStore::new(store.clone()));
            let lost = StoreError::Unavailable {
                operation: Operation::Put,
                message: "cut".to_owned(),
                effect: Effect::Unknown,
            };
            faulty.inject(
                2,
                if version == 2 { StoreFault::ErrorBefore(lost) } else { StoreFault::ErrorAfter(lost) },
            );
            rig.connection_over(faulty).sync().await.unwrap();
        }
        assert_eq!(rig.objects(), fold("messages", &all));
    }
}

#[tokio::test]
async fn a_store_that_keeps_conditions_is_asked_once() {
    let rig = elsewhere("");
    rig.write("messages.ndjson", &(message(1, 5, 0, "sent") + &message(2, 70, 0, "sent")));
    let store = Arc::new(FaultyStore::new(rig.bucket.clone()));
    rig.connection_over(store.clone()).sync().await.unwrap();
    assert_eq!(store.calls(), 6, "a listing, a read and a write for each of two hours, and one question");
    rig.append("messages.ndjson", &message(1, 5, 3, "seen"));
    rig.connection_over(store.clone()).sync().await.unwrap();
    assert_eq!(store.calls(), 6 + 3);
    assert_eq!(rig.bucket.history().len(), 3);
}

/// Claims ENG-15.
#[tokio::test]
async fn a_newer_epoch_fences_the_older_writer_off() {
    let mut old = Rig::new();
    old.head = "writer_epoch = 1\n".to_owned();
    let mut new = Rig::new();
    new.bucket = old.bucket.clone();
    new.head = "writer_epoch = 2\n".to_owned();
    let first = message(1, 5, 0, "sent") + &message(2, 70, 0, "sent");
    old.write("messages.ndjson", &first);
    old.sync().await;
    assert_eq!(old.bucket.objects()[&key(14)].head.epoch, 1);
    // The newer one takes over one of the hours.
    new.write("messages.ndjson", &message(3, 6, 0, "sent"));
    new.sync().await;
    assert_eq!(old.bucket.objects()[&key(14)].head.epoch, 2);
    let taken = old.bucket.objects();
    old.append("messages.ndjson", &message(1, 5, 9, "seen"));
    for _ in 0..2 {
        let error = old.connection().sync().await.unwrap_err();
        assert!(matches!(error, SyncError::Fenced { found: 2, own: 1, .. }), "{error}");
        assert_eq!(error.kind(), FailureKind::Refused);
        assert!(error.help().starts_with("stop this connector"));
    }
    assert_eq!(old.bucket.objects(), taken, "a writer that is over wrote");
    // A writer without an epoch is the oldest of all.
    old.head = String::new();
    let error = old.connection().sync().await.unwrap_err();
    assert!(matches!(error, SyncError::EpochWentBack { recorded: 1, configured: 0 }), "{error}");
    // It may take over in turn, with what it has.
    old.head = "writer_epoch = 3\n".to_owned();
    old.sync().await;
    assert!(matches!(
        {
            new.append("messages.ndjson", &message(3, 6, 1, "seen"));
            new.connection().sync().await.unwrap_err()
        },
        SyncError::Fenced { found: 3, own: 2, .. }
    ));
    assert_eq!(
        old.objects(),
        fold("messages", &(first + &message(3, 6, 0, "sent") + &message(1, 5, 9, "seen")))
    );
}

#[tokio::test]
async fn a_writer_that_read_before_it_was_fenced_loses_its_write() {
    let mut old = Rig::new();
    old.write("messages.ndjson", &message(1, 5, 0, "sent"));
    old.sync().await;
    old.append("messages.ndjson", &message(1, 5, 9, "seen"));
    // Its write is on its way when the newer one takes over; it arrives and finds its condition broken.
    let store = Arc::new(FaultyStore::new(old.bucket.clone()));
    let lost = StoreError::Unavailable {
        operation: Operation::Put,
        message: "cut".to_owned(),
        effect: Effect::None,
    };
    store.inject(2, StoreFault::Late(lost));
    store.inject(3, StoreFault::StopBefore);
    let connection = old.connection_over(store.clone());
    tokio::select! {
        outcome = connection.sync() => panic!("{outcome:?}"),
        () = store.stopped() => {}
    }
    drop(connection);
    let mut new = Rig::new();
    new.bucket = old.bucket.clone();
    new.head = "writer_epoch = 1\n".to_owned();
    new.write("messages.ndjson", &message(2, 5, 0, "sent"));
    new.sync().await;
    assert_eq!(store.deliver(0).await.unwrap().unwrap(), PutOutcome::PreconditionFailed);
    old.head = String::new();
    assert!(matches!(old.connection().sync().await.unwrap_err(), SyncError::Fenced { found: 1, own: 0, .. }));
}
