//! `run` on a clock that stands still until somebody sleeps: schedules, failures, reloads, stops.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use bucketproof_clock::Entropy;
use bucketproof_connector::CircuitState;
use bucketproof_connector::config::Config;
use bucketproof_connector::engine::{Connection, RetryPolicy, SyncError};
use bucketproof_connector::report::{ConnectionState, SyncReport};
use bucketproof_connector::runner::{Loader, RunError, RunLease, RunObserver, Runner, StopSignal};
use bucketproof_connector::store::{Effect, FaultyStore, MemoryStore, Operation, StoreError, StoreFault};
use jiff::Timestamp;

use crate::rig::{Rig, fold, message};

/// Loads what the configuration file says, over a bucket in memory.
struct FromFile {
    path: std::path::PathBuf,
    store: Arc<FaultyStore<MemoryStore>>,
    clock: bucketproof_clock::Clock,
}

impl Loader for FromFile {
    fn fingerprint(&self) -> String {
        std::fs::read_to_string(&self.path).unwrap_or_default()
    }

    fn load(&self, stop: &StopSignal) -> Result<Connection, String> {
        let config = Config::load(&self.path).map_err(|error| error.to_string())?;
        let profile = config.load_profile().map_err(|error| error.to_string())?;
        let once = RetryPolicy { attempts_max: 1, ..RetryPolicy::default() };
        Connection::new(config, profile, self.store.clone(), self.clock.clone(), Entropy::seeded(3))
            .map(|connection| connection.with_retry(once).with_stop(stop.clone()))
            .map_err(|error| error.to_string())
    }
}

type Act = Box<dyn Fn(u32) + Send + Sync>;

/// Notes when runs begin, and acts before each; stops after `runs`.
struct Watch {
    begun: Mutex<Vec<(Timestamp, u64)>>,
    failed: AtomicU32,
    runs: u32,
    stop: StopSignal,
    before: Act,
}

impl RunObserver for Watch {
    fn begins(&self, now: Timestamp, missed: u64) {
        let mut begun = self.begun.lock().unwrap();
        begun.push((now, missed));
        (self.before)(u32::try_from(begun.len()).unwrap());
    }

    fn ended(&self, outcome: Result<&SyncReport, &SyncError>) {
        if outcome.is_err() {
            self.failed.fetch_add(1, Ordering::SeqCst);
        }
        if u32::try_from(self.begun.lock().unwrap().len()).unwrap() >= self.runs {
            self.stop.give();
        }
    }
}

struct Run {
    begun: Vec<(String, u64)>,
    failed: u32,
}

async fn run(rig: &Rig, store: &Arc<FaultyStore<MemoryStore>>, runs: u32, before: Act) -> Run {
    let stop = StopSignal::new();
    let watch = Arc::new(Watch {
        begun: Mutex::default(),
        failed: AtomicU32::new(0),
        runs,
        stop: stop.clone(),
        before,
    });
    let loader =
        FromFile { path: rig.path("connector.toml"), store: store.clone(), clock: rig.clock.clone() };
    Runner::new(loader, rig.clock.clone(), Entropy::seeded(5), stop)
        .with_observer(watch.clone())
        .run()
        .await
        .unwrap();
    let begun = watch.begun.lock().unwrap().iter().map(|(at, missed)| (at.to_string(), *missed)).collect();
    Run { begun, failed: watch.failed.load(Ordering::SeqCst) }
}

fn prepared() -> (Rig, Arc<FaultyStore<MemoryStore>>) {
    let rig = Rig::new();
    rig.write("connector.toml", &rig.config_text());
    rig.write("messages.ndjson", &message(1, 5, 0, "sent"));
    let store = Arc::new(FaultyStore::new(rig.bucket.clone()));
    (rig, store)
}

/// Claims SUP-01, SUP-61, ENG-20.
#[tokio::test]
async fn runs_start_at_the_vendors_ticks_and_missed_ones_are_caught_up() {
    let (rig, store) = prepared();
    rig.clock.set("2025-01-15T16:01:30Z".parse().unwrap());
    let first = run(&rig, &store, 3, Box::new(|_| {})).await;
    let expected = ["2025-01-15T16:05:00Z", "2025-01-15T16:10:00Z", "2025-01-15T16:15:00Z"];
    assert_eq!(first.begun, expected.map(|at| (at.to_owned(), 0)));
    assert_eq!(rig.objects(), fold("messages", &message(1, 5, 0, "sent")));

    // The machine is off for an hour; what came in between is exported at once.
    rig.append("messages.ndjson", &message(2, 65, 0, "sent"));
    rig.clock.set("2025-01-15T17:16:00Z".parse().unwrap());
    let second = run(&rig, &store, 2, Box::new(|_| {})).await;
    assert_eq!(second.begun[0], ("2025-01-15T17:16:00Z".to_owned(), 11));
    assert_eq!(second.begun[1].0, "2025-01-15T17:20:00Z");
    assert_eq!(rig.objects().len(), 2);
    let status = rig.connection().status().unwrap();
    assert_eq!(status.state, ConnectionState::Active);
    assert_eq!(status.last_run.unwrap().started_at, "2025-01-15T17:20:00Z");
}

/// Claims ADA-01, PER-04.
#[tokio::test]
async fn other_schedules_are_kept_too() {
    let (rig, store) = prepared();
    let with = |schedule: &str| {
        rig.write(
            "connector.toml",
            &rig.config_text().replacen("enabled", &format!("schedule = {schedule}\nenabled"), 1),
        );
    };
    with("{ at = \"04:00\" }");
    let daily = run(&rig, &store, 2, Box::new(|_| {})).await;
    assert_eq!(daily.begun[0].0, "2025-01-16T04:00:00Z");
    assert_eq!(daily.begun[1].0, "2025-01-17T04:00:00Z");
    // A stream flushes what has waited for five minutes, and does nothing while nothing waits.
    with("{ streaming_mib = 1, age = \"5m\" }");
    rig.append("messages.ndjson", &message(2, 6, 0, "sent"));
    let before = rig.clock.now();
    let aged = run(&rig, &store, 1, Box::new(|_| {})).await;
    let waited = aged.begun[0].0.parse::<Timestamp>().unwrap().duration_since(before).as_secs();
    assert!((300..=304).contains(&waited), "{waited} s");
    // A full MiB does not wait.
    let many: String = (0..12_000).map(|id| message(id, 7, 0, "sent")).collect();
    assert!(many.len() > 1024 * 1024);
    rig.append("messages.ndjson", &many);
    let before = rig.clock.now();
    let full = run(&rig, &store, 1, Box::new(|_| {})).await;
    assert_eq!(full.begun[0].0, before.to_string());
}

/// Claims ENG-10, ENG-11: a busy service is tried again between two ticks, with pauses under a growing bound.
#[tokio::test]
async fn a_service_that_fails_opens_the_circuit_and_is_tried_again() {
    let (rig, store) = prepared();
    for call in 0..3 {
        let error = StoreError::Unavailable {
            operation: Operation::List,
            message: "503".to_owned(),
            effect: Effect::None,
        };
        store.inject(call, StoreFault::ErrorBefore(error));
    }
    let seen: Arc<Mutex<Vec<(CircuitState, u32)>>> = Arc::default();
    let (config, noted, clock) = (rig.config(), seen.clone(), rig.clock.clone());
    let note = move |_: u32| {
        let profile = config.load_profile().unwrap();
        let status = bucketproof_connector::engine::status_of(&config, &profile, &clock).unwrap();
        noted.lock().unwrap().push((status.circuit.state, status.circuit.failures));
    };
    let ended = run(&rig, &store, 4, Box::new(note)).await;
    assert_eq!(ended.failed, 3);
    let circuits = seen.lock().unwrap().clone();
    assert_eq!(
        circuits,
        [
            (CircuitState::Closed, 0),
            (CircuitState::Open, 1),
            (CircuitState::Open, 2),
            (CircuitState::Open, 3)
        ]
    );
    let at: Vec<Timestamp> = ended.begun.iter().map(|(at, _)| at.parse().unwrap()).collect();
    for (failures, pair) in at.windows(2).enumerate() {
        let pause = pair[1].duration_since(pair[0]).as_millis();
        assert!(pause <= 5_000 << failures, "{pause} ms after failure {failures}");
    }
    let status = rig.connection().status().unwrap();
    assert_eq!((status.circuit.state, status.state), (CircuitState::Closed, ConnectionState::Active));
    assert_eq!(rig.objects().len(), 1);
}

/// Claims PER-47: keys that were rotated are taken up without a restart, and tried at once.
#[tokio::test]
async fn rejected_credentials_block_until_the_configuration_changes() {
    let (rig, store) = prepared();
    let refused =
        StoreError::UnknownAccessKey { operation: Operation::List, access_key_id: "AKIDEXAMPLE".to_owned() };
    store.inject(0, StoreFault::ErrorBefore(refused));
    let (path, text) = (rig.path("connector.toml"), rig.config_text());
    let rotated = text.replace("AKIDEXAMPLE", "AKIDROTATED");
    let (config, clock) = (rig.config(), rig.clock.clone());
    let state: Arc<Mutex<Option<ConnectionState>>> = Arc::default();
    let noted = state.clone();
    let act = move |run: u32| {
        if run == 1 {
            // Written while the run is under way; the refusal follows.
            std::fs::write(&path, &rotated).unwrap();
        } else {
            let profile = config.load_profile().unwrap();
            let status = bucketproof_connector::engine::status_of(&config, &profile, &clock).unwrap();
            *noted.lock().unwrap() = Some(status.state);
        }
    };
    let ended = run(&rig, &store, 2, Box::new(act)).await;
    assert_eq!(*state.lock().unwrap(), Some(ConnectionState::CredentialsRejected));
    assert_eq!(ended.failed, 1);
    assert_eq!(ended.begun[0].0, ended.begun[1].0, "tried at once, not at the next tick");
    assert_eq!(rig.connection().status().unwrap().state, ConnectionState::Active);
}

/// Claims ENG-15: one writer per connection.
#[tokio::test]
async fn a_second_run_of_a_connection_is_refused() {
    let (rig, store) = prepared();
    let _held = RunLease::take(&rig.path("state")).unwrap();
    let loader = FromFile { path: rig.path("connector.toml"), store, clock: rig.clock.clone() };
    let runner = Runner::new(loader, rig.clock.clone(), Entropy::seeded(5), StopSignal::new());
    let error = runner.run().await.unwrap_err();
    assert!(matches!(error, RunError::Lease(_)), "{error}");
    assert!(error.help().contains("stop the other `run`"));
}

#[derive(Debug)]
struct StopAtFirstCommit(StopSignal);
impl bucketproof_connector::steps::Steps for StopAtFirstCommit {
    fn reached(&self, step: bucketproof_connector::steps::Step) {
        if step == bucketproof_connector::steps::Step::Committed {
            self.0.give();
        }
    }
}

/// A stop lets the batch that is under way finish and leaves the rest for the next sync.
#[tokio::test]
async fn a_stop_ends_a_sync_between_two_batches() {
    let rig = Rig::new();
    let lines: String = (0..12_000).map(|id| message(id, 7, 0, "sent")).collect();
    assert!(lines.len() > 1024 * 1024);
    rig.write("messages.ndjson", &lines);
    let small = rig.config_text().replacen("dir = \"state\"", "dir = \"state\"\nbatch_mib = 1", 1);
    let config = Config::parse(&small, rig.path("connector.toml").to_str().unwrap()).unwrap();
    let profile = config.load_profile().unwrap();
    let stop = StopSignal::new();
    let connection =
        Connection::new(config, profile, rig.bucket.clone(), rig.clock.clone(), Entropy::seeded(1))
            .unwrap()
            .with_stop(stop.clone())
            .with_steps(Arc::new(StopAtFirstCommit(stop)));
    let report = connection.sync().await.unwrap();
    assert_eq!(report.outcome, bucketproof_connector::report::Outcome::Stopped);
    assert_eq!(report.datasets[0].batches, 1);
    rig.sync().await;
    assert_eq!(rig.objects(), fold("messages", &lines));
}

/// Claims ENG-18: what a run counts, and that a run that failed is no success.
#[tokio::test]
async fn metrics_count_what_was_committed() {
    let (rig, store) = prepared();
    let metrics = bucketproof_connector::metrics::Metrics::new();
    let report = rig.sync().await;
    metrics.ended(Ok(&report));
    let text = metrics.text();
    assert!(text.contains("bucketproof_rows_total{dataset=\"messages\",outcome=\"written\"} 1\n"), "{text}");
    assert!(text.contains("bucketproof_objects_total{dataset=\"messages\",mode=\"create\"} 1\n"), "{text}");
    assert!(text.contains("bucketproof_runs_total{outcome=\"done\"} 1\n"), "{text}");
    let success = "bucketproof_last_success_timestamp_seconds 1736956800\n";
    assert!(text.contains(success), "{text}");
    rig.clock.advance(std::time::Duration::from_mins(5));
    let refused =
        StoreError::UnknownAccessKey { operation: Operation::List, access_key_id: "AKIDEXAMPLE".to_owned() };
    store.inject(0, StoreFault::ErrorBefore(refused));
    let error = rig.connection_over(store).sync().await.unwrap_err();
    metrics.ended(Err(&error));
    let blocked =
        bucketproof_connector::Circuit { state: CircuitState::Blocked, failures: 1, next_attempt_at: None };
    metrics.waits(&blocked, None);
    let text = metrics.text();
    assert!(text.contains("bucketproof_runs_total{outcome=\"failed\"} 1\n"), "{text}");
    assert!(text.contains(success), "a failed run is no success: {text}");
    assert!(text.contains("bucketproof_circuit 2\n"), "{text}");
    assert!(!metrics.is_well());
}
