//! A sync is killed at every call to the store and at every durable step, and started again.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::rig::{Rig, fold, message};
use bucketproof_connector::engine::Connection;
use bucketproof_connector::steps::{Step, Steps};
use bucketproof_connector::store::{FaultyStore, StoreFault};

const BAD: &str = "{\"message_id\":\"m-9\",\"mood\":\"good\"}\n";

/// What is exported before the crash, and the lines whose sync is killed: three hours, updates, a bad row.
fn before() -> String {
    message(1, 5, 0, "sent") + &message(2, 70, 0, "sent")
}

fn killed() -> String {
    message(1, 5, 9, "seen")
        + &message(3, 6, 0, "sent")
        + BAD
        + &message(4, 75, 0, "sent")
        + &message(5, 130, 0, "sent")
}

async fn prepared() -> Rig {
    let rig = Rig::new();
    rig.write("messages.ndjson", &before());
    rig.sync().await;
    rig.append("messages.ndjson", &killed());
    rig
}

/// The end of every run: objects, dead letters and counts are those of a run that was never killed, and every
/// version that a reader ever saw is a whole file and the fold of some prefix.
fn assert_as_never_killed(rig: &Rig, at: &str) {
    let all = before() + &killed();
    assert_eq!(rig.objects(), fold("messages", &all), "{at}");
    let letters = std::fs::read_to_string(rig.path("state/dead-letter/messages.ndjson")).unwrap();
    assert_eq!(letters.lines().count(), 1, "{at}: dead letters");
    let status = rig.connection().status().unwrap();
    let totals = &status.datasets[0];
    assert_eq!(
        (totals.rows_read, totals.rows_written, totals.rows_deduplicated, totals.rows_dead_lettered),
        (7, 6, 0, 1),
        "{at}: counts"
    );
    assert_eq!((totals.open_intents, totals.checkpoints[0].pending_bytes), (0, 0), "{at}");

    let prefixes: Vec<BTreeMap<String, bytes::Bytes>> =
        [before(), all].iter().map(|lines| fold("messages", lines)).collect();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for version in rig.bucket.history() {
        let key = version.key.to_string();
        let cursor = prefixes.iter().position(|prefix| prefix.get(&key) == Some(&version.object.body));
        let cursor = cursor.unwrap_or_else(|| panic!("{at}: a version of {key} is no fold of a prefix"));
        let last = seen.entry(key.clone()).or_insert(cursor);
        assert!(*last <= cursor, "{at}: {key} went back");
        *last = cursor;
    }
    assert_eq!(rig.bucket.history().len(), 5, "{at}: an object was written twice");
}

#[tokio::test]
async fn killed_at_every_store_call_and_started_again() {
    let calls = {
        let rig = prepared().await;
        let store = Arc::new(FaultyStore::new(rig.bucket.clone()));
        rig.connection_over(store.clone()).sync().await.unwrap();
        assert_as_never_killed(&rig, "never killed");
        store.calls()
    };
    assert_eq!(calls, 7, "list, and get and put for each of three hours");
    for call in 0..calls {
        for fault in [StoreFault::StopBefore, StoreFault::StopAfter] {
            let at = format!("{fault:?} at call {call}");
            let rig = prepared().await;
            let store = Arc::new(FaultyStore::new(rig.bucket.clone()));
            store.inject(call, fault);
            let connection = rig.connection_over(store.clone());
            tokio::select! {
                outcome = connection.sync() => panic!("{at}: the sync was not stopped: {outcome:?}"),
                () = store.stopped() => {}
            }
            drop(connection);
            rig.sync().await;
            assert_as_never_killed(&rig, &at);
        }
    }
}

/// Panics at the n-th durable step.
#[derive(Debug)]
pub(crate) struct KillAt {
    left: AtomicU64,
    log: Mutex<Vec<Step>>,
}

impl KillAt {
    pub(crate) fn new(step: u64) -> Arc<Self> {
        Arc::new(Self { left: AtomicU64::new(step), log: Mutex::default() })
    }
}

impl Steps for KillAt {
    fn reached(&self, step: Step) {
        self.log.lock().unwrap().push(step);
        assert!(self.left.fetch_sub(1, Ordering::SeqCst) != 0, "killed at {step:?}");
    }
}

async fn killed_run(connection: Connection) -> bool {
    tokio::spawn(async move { connection.sync().await.unwrap() }).await.is_err()
}

#[tokio::test]
async fn killed_at_every_durable_step_and_started_again() {
    let steps = {
        let rig = prepared().await;
        let watch = KillAt::new(u64::MAX);
        rig.connection().with_steps(watch.clone()).sync().await.unwrap();
        watch.log.lock().unwrap().len() as u64
    };
    assert_eq!(steps, 2 + 2 + 3 * 4, "batch, dead letters, and seal and commit of three objects");
    for step in 0..steps {
        let rig = prepared().await;
        let watch = KillAt::new(step);
        assert!(killed_run(rig.connection().with_steps(watch.clone())).await);
        let at = format!("killed at {:?} ({step})", watch.log.lock().unwrap().last());
        rig.sync().await;
        assert_as_never_killed(&rig, &at);
    }
}

#[tokio::test]
async fn killed_twice_in_a_row_and_started_again() {
    for (first, second) in [(5, 0), (5, 3), (9, 2), (13, 4), (15, 1)] {
        let rig = prepared().await;
        assert!(killed_run(rig.connection().with_steps(KillAt::new(first))).await);
        killed_run(rig.connection().with_steps(KillAt::new(second))).await;
        rig.sync().await;
        assert_as_never_killed(&rig, &format!("killed at {first}, then {second}"));
    }
}

#[tokio::test]
async fn standard_input_that_was_spooled_survives_a_kill() {
    let lines = message(1, 5, 0, "sent") + &message(2, 70, 0, "sent");
    let rig_of = || {
        let mut rig = Rig::new();
        rig.extra = "[[source]]\ndataset = \"messages\"\nstdin = true\n".to_owned();
        rig
    };
    let input = || std::io::Cursor::new(lines.clone().into_bytes());
    let watch = KillAt::new(u64::MAX);
    rig_of().connection().with_stdin(input()).with_steps(watch.clone()).sync().await.unwrap();
    let log = watch.log.lock().unwrap().clone();
    for step in 0..log.len() {
        let rig = rig_of();
        let connection = rig.connection().with_stdin(input()).with_steps(KillAt::new(step as u64));
        assert!(killed_run(connection).await);
        // Until the spool file is known, the caller has to give the input again; afterwards nobody has to.
        let is_known = log[..step].contains(&Step::SpoolRegistered) || log[step] == Step::SpoolRegistered;
        let again = if is_known { std::io::Cursor::new(Vec::new()) } else { input() };
        rig.connection().with_stdin(again).sync().await.unwrap();
        assert_eq!(rig.objects(), fold("messages", &lines), "killed at {:?}", log[step]);
        assert_eq!(rig.bucket.history().len(), 2);
        let status = rig.connection().status().unwrap();
        assert_eq!(status.datasets[0].rows_written, 2);
    }
}

#[tokio::test]
async fn bytes_of_a_sealed_batch_that_changed_stop_the_recovery() {
    let rig = prepared().await;
    assert!(killed_run(rig.connection().with_steps(KillAt::new(5))).await);
    rig.write("messages.ndjson", &(before() + &killed().replace("seen", "lost")));
    let error = rig.connection().sync().await.unwrap_err();
    assert!(error.to_string().contains("which an unfinished batch holds"), "{error}");
    rig.write("messages.ndjson", &(before() + &killed()));
    rig.sync().await;
    assert_as_never_killed(&rig, "after the original came back");
}
