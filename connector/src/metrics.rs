//! What a running export counts, in the text format of Prometheus, and whether it is well.
//!
//! Rows, objects and bytes are counted from the report of a run, so after the commit and never before.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::net::TcpListener;

use crate::IntentMode;
use crate::engine::{Connection, SyncError};
use crate::exposition::{self, Exposed, Exposition};
use crate::report::{Outcome, SyncReport};
use crate::runner::{RunObserver, StopSignal};
use crate::state::{Circuit, CircuitState};

/// Counts of all runs of a process.
#[derive(Debug, Default)]
pub struct Metrics {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    rows: BTreeMap<(String, &'static str), u64>,
    objects: BTreeMap<(String, &'static str), u64>,
    bytes: BTreeMap<String, u64>,
    pending: BTreeMap<String, u64>,
    runs: BTreeMap<&'static str, u64>,
    retries: BTreeMap<&'static str, u64>,
    missed: u64,
    last_success: Option<i64>,
    next_run: Option<i64>,
    circuit: CircuitLevel,
}

#[derive(Clone, Copy, Debug, Default)]
enum CircuitLevel {
    #[default]
    Closed = 0,
    Open = 1,
    Blocked = 2,
}

impl Metrics {
    /// Nothing counted yet.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the last run did not fail.
    pub fn is_well(&self) -> bool {
        matches!(self.counts().circuit, CircuitLevel::Closed)
    }

    /// All counts, in the text format of Prometheus.
    pub fn text(&self) -> String {
        let counts = self.counts();
        let mut text = Exposition::default();
        let of_dataset = |of: &BTreeMap<(String, &'static str), u64>, label: &str| {
            of.iter()
                .map(|((dataset, kind), count)| {
                    (format!("{{dataset=\"{dataset}\",{label}=\"{kind}\"}}"), count.to_string())
                })
                .collect()
        };
        text.family(
            "bucketproof_rows_total",
            "counter",
            "Rows of finished batches, by what became of them.",
            of_dataset(&counts.rows, "outcome"),
        );
        text.family(
            "bucketproof_objects_total",
            "counter",
            "Objects brought up to date, by what was done to them.",
            of_dataset(&counts.objects, "mode"),
        );
        let by_dataset = |of: &BTreeMap<String, u64>| {
            of.iter()
                .map(|(dataset, count)| (format!("{{dataset=\"{dataset}\"}}"), count.to_string()))
                .collect()
        };
        text.family(
            "bucketproof_object_bytes_total",
            "counter",
            "Bytes of objects written.",
            by_dataset(&counts.bytes),
        );
        text.family(
            "bucketproof_pending_bytes",
            "gauge",
            "Bytes of lines that are not complete yet.",
            by_dataset(&counts.pending),
        );
        let by = |of: &BTreeMap<&'static str, u64>, label: &str| {
            of.iter().map(|(kind, count)| (format!("{{{label}=\"{kind}\"}}"), count.to_string())).collect()
        };
        text.family(
            "bucketproof_runs_total",
            "counter",
            "Runs, by how they ended.",
            by(&counts.runs, "outcome"),
        );
        text.family(
            "bucketproof_retries_total",
            "counter",
            "Calls repeated, by class.",
            by(&counts.retries, "class"),
        );
        text.family(
            "bucketproof_missed_runs_total",
            "counter",
            "Scheduled runs that were missed and made up for.",
            vec![(String::new(), counts.missed.to_string())],
        );
        text.family(
            "bucketproof_circuit",
            "gauge",
            "0 closed, 1 open, 2 blocked until people act.",
            vec![(String::new(), (counts.circuit as u8).to_string())],
        );
        let time = |at: Option<i64>| at.map(|at| (String::new(), at.to_string())).into_iter().collect();
        text.family(
            "bucketproof_last_success_timestamp_seconds",
            "gauge",
            "End of the last run that ended well.",
            time(counts.last_success),
        );
        text.family(
            "bucketproof_next_run_timestamp_seconds",
            "gauge",
            "When the next run is due.",
            time(counts.next_run),
        );
        text.into_text()
    }

    /// Answers `GET /metrics` and `GET /health` at `listener` until `stop` is given.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, stop: StopSignal) {
        exposition::serve(self, listener, stop).await;
    }

    /// Binds the address that metrics are served at.
    pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
        TcpListener::bind(address).await
    }

    fn count(&self, report: &SyncReport) {
        let mut counts = self.counts();
        for dataset in &report.datasets {
            let name = dataset.dataset.to_string();
            let rows = [
                ("read", dataset.rows_read),
                ("written", dataset.rows_written),
                ("deduplicated", dataset.rows_deduplicated),
                ("dead_lettered", dataset.rows_dead_lettered),
                ("before_start", dataset.rows_before_start),
                ("left_out", dataset.rows_left_out),
            ];
            for (outcome, number) in rows {
                *counts.rows.entry((name.clone(), outcome)).or_default() += number;
            }
            for object in &dataset.objects {
                let mode = match object.mode {
                    IntentMode::Create => "create",
                    IntentMode::Replace => "replace",
                    IntentMode::Unchanged => "unchanged",
                };
                *counts.objects.entry((name.clone(), mode)).or_default() += 1;
                *counts.bytes.entry(name.clone()).or_default() += object.body_bytes;
            }
            counts.pending.insert(name, dataset.pending_bytes);
        }
        let retries = [
            ("unavailable", report.retries.unavailable),
            ("refreshed", report.retries.refreshed),
            ("conflict", report.retries.conflicts),
            ("rebased", report.retries.rebased),
        ];
        for (class, number) in retries {
            *counts.retries.entry(class).or_default() += number;
        }
        if report.outcome == Outcome::Done {
            counts.last_success = report.finished_at.parse::<Timestamp>().ok().map(Timestamp::as_second);
        }
    }
}

impl Exposed for Metrics {
    fn metrics(&self) -> String {
        self.text()
    }

    fn ailment(&self) -> Option<String> {
        (!self.is_well()).then(|| "the last run failed; see `status`".to_owned())
    }
}

impl RunObserver for Metrics {
    fn loaded(&self, _connection: &Connection) {}

    fn begins(&self, _now: Timestamp, missed: u64) {
        self.counts().missed += missed;
    }

    fn ended(&self, outcome: Result<&SyncReport, &SyncError>) {
        let kind = match outcome {
            Ok(report) => {
                self.count(report);
                match report.outcome {
                    Outcome::Done => "done",
                    Outcome::Disabled => "disabled",
                    Outcome::Paused => "paused",
                    Outcome::Stopped => "stopped",
                }
            }
            Err(_) => "failed",
        };
        *self.counts().runs.entry(kind).or_default() += 1;
    }

    fn waits(&self, circuit: &Circuit, next: Option<Timestamp>) {
        let mut counts = self.counts();
        counts.circuit = match circuit.state {
            CircuitState::Closed => CircuitLevel::Closed,
            CircuitState::Open => CircuitLevel::Open,
            CircuitState::Blocked => CircuitLevel::Blocked,
        };
        counts.next_run = next.map(Timestamp::as_second);
    }
}
