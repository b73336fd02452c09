//! What a running import tells of itself: counts of its passes, and whether connections and reports are well.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bucketproof_clock::Clock;
use tokio::net::TcpListener;

use super::config::ImportConfig;
use super::connections::ConnectionView;
use super::engine::ImportSummary;
use super::goal::ReportingState;
use super::inbox::Access;
use crate::exposition::{self, Exposed, Exposition, label};
use crate::runner::StopSignal;
use crate::state::StateError;

/// Counts of a process, and the state of its connections as it is on record.
///
/// What is on record is looked up when somebody asks, so the alarm is raised also while a pass takes too long.
#[derive(Debug)]
pub struct ImportMetrics {
    config: ImportConfig,
    clock: Clock,
    counts: Mutex<ImportSummary>,
}

impl ImportMetrics {
    /// Nothing counted yet.
    pub fn new(config: ImportConfig, clock: Clock) -> Arc<Self> {
        Arc::new(Self { config, clock, counts: Mutex::default() })
    }

    /// Takes over what an import has done since it began.
    pub(super) fn count(&self, summary: &ImportSummary) {
        summary.clone_into(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Binds the address that metrics are served at.
    pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
        TcpListener::bind(address).await
    }

    /// Answers `GET /metrics` and `GET /health` at `listener` until `stop` is given.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, stop: StopSignal) {
        exposition::serve(self, listener, stop).await;
    }

    fn views(&self) -> Result<Vec<ConnectionView>, StateError> {
        self.config.connection_views(self.clock.now())
    }
}

/// What is not well with a connection.
fn ailment(view: &ConnectionView) -> Option<String> {
    if !view.enabled {
        return None;
    }
    if let Access::Failed { cause, since } = &view.access {
        return Some(format!("connection `{}` failed since {since}: {cause}", view.name));
    }
    let reporting = &view.reporting;
    let since = reporting.since.filter(|_| reporting.state == ReportingState::Late)?;
    Some(format!(
        "connection `{}`: reports are late: {} files wait, the oldest since {since}, and may wait {} minutes",
        view.name, reporting.files_waiting, reporting.alarm_after_minutes
    ))
}

impl Exposed for ImportMetrics {
    fn metrics(&self) -> String {
        let mut text = Exposition::default();
        {
            let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            let by = |name: &str, of: &[(&str, u64)]| {
                of.iter().map(|(kind, count)| (label(name, kind), count.to_string())).collect()
            };
            text.family(
                "bucketproof_import_files_total",
                "counter",
                "Files, by what became of them; found ones count again there.",
                by(
                    "outcome",
                    &[
                        ("found", counts.files_found),
                        ("read", counts.files_read),
                        ("refused", counts.files_refused),
                        ("gone", counts.files_gone),
                    ],
                ),
            );
            text.family(
                "bucketproof_import_rows_total",
                "counter",
                "Rows of files that were read, by what became of them.",
                by("outcome", &[("stored", counts.rows_stored), ("refused", counts.rows_refused)]),
            );
            text.single(
                "bucketproof_import_reports_total",
                "counter",
                "Reports written.",
                counts.reports.len(),
            );
        }
        let (views, now) = (self.views(), self.clock.now());
        let views = views.unwrap_or_else(|error| {
            tracing::warn!(%error, "the state of the connections cannot be read");
            Vec::new()
        });
        let mut of_each = |name: &str, kind: &str, help: &str, value: &dyn Fn(&ConnectionView) -> i64| {
            let views = views.iter().filter(|view| view.enabled);
            let samples = views.map(|view| (label("connection", &view.name), value(view).to_string()));
            text.family(name, kind, help, samples.collect());
        };
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        of_each("bucketproof_import_connection_failed", "gauge", "1 if the connection failed.", &|view| {
            i64::from(matches!(view.access, Access::Failed { .. }))
        });
        of_each(
            "bucketproof_import_files_waiting",
            "gauge",
            "Files that no report tells of whole.",
            &|view| count(view.reporting.files_waiting),
        );
        of_each(
            "bucketproof_import_report_wait_seconds",
            "gauge",
            "How long the oldest file waits for its report.",
            &|view| view.reporting.since.map_or(0, |since| now.duration_since(since).as_secs().max(0)),
        );
        of_each(
            "bucketproof_import_report_alarm",
            "gauge",
            "1 if a file waits longer for its report than it may.",
            &|view| i64::from(view.reporting.state == ReportingState::Late),
        );
        of_each(
            "bucketproof_import_report_alarms_total",
            "counter",
            "How often a file waited longer for its report than it may.",
            &|view| count(view.reporting.missed),
        );
        text.into_text()
    }

    fn ailment(&self) -> Option<String> {
        let views = match self.views() {
            Ok(views) => views,
            Err(error) => return Some(format!("the state of the connections cannot be read: {error}")),
        };
        let ailments: Vec<String> = views.iter().filter_map(ailment).collect();
        (!ailments.is_empty()).then(|| ailments.join("\n"))
    }
}
