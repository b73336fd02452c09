//! `status`

use std::fmt::Write as _;

use bucketproof_clock::Clock;

use super::{Complaint, Target, load_config, print_json};
use crate::engine::{SyncError, check_fit, status_of};
use crate::report::{ConnectionState, StatusReport};
use crate::state::CircuitState;

pub(super) fn run(target: &Target) -> Result<(), Complaint> {
    let config = load_config(target)?;
    let profile = config.load_profile().map_err(|error| Complaint::usage(&error, error.help()))?;
    check_fit(&config, &profile).map_err(|error| Complaint::usage(&error, error.help()))?;
    let report = status_of(&config, &profile, &Clock::system())
        .map_err(|error| Complaint::from(&SyncError::from(error)))?;
    if target.json {
        return print_json(&report);
    }
    super::print(&text(&report))
}

fn text(report: &StatusReport) -> String {
    let state = match report.state {
        ConnectionState::Active => "Active",
        ConnectionState::WaitingForFirstSync => "Waiting for first sync",
        ConnectionState::Disabled => "Disabled",
        ConnectionState::NoDatasetSelected => "No dataset selected",
        ConnectionState::Paused => "Paused",
        ConnectionState::CredentialsRejected => "Credentials rejected",
        ConnectionState::SetupFailed => "Set-up failed",
        ConnectionState::Failed => "Failed",
    };
    let mut text = format!("{state}: {} to bucket {}\n", report.profile, report.bucket);
    // Writing to a `String` cannot fail.
    if let Some(since) = &report.paused_since {
        let _ = writeln!(text, "  paused since {since}; `resume` exports what came in between");
    }
    if let Some(failure) = &report.failure {
        let _ = writeln!(text, "  last sync failed: {failure}");
    }
    if let Some(run) = &report.last_run {
        let how = if run.failure.is_some() { "failed" } else { "ended well" };
        let _ = writeln!(text, "  last run {} to {}: {how}", run.started_at, run.finished_at);
    }
    if let Some(next) = &report.next_run {
        let _ = writeln!(text, "  next run {next}");
    }
    if report.circuit.state != CircuitState::Closed {
        let _ = writeln!(
            text,
            "  circuit {}: {} failed runs in a row, next attempt {}",
            if report.circuit.state == CircuitState::Open { "open" } else { "blocked" },
            report.circuit.failures,
            report
                .circuit
                .next_attempt_at
                .as_deref()
                .unwrap_or("by schedule or when the configuration changes")
        );
    }
    let lag = report.lag_seconds.map_or_else(|| "unknown".to_owned(), |lag| format!("{lag} s"));
    let _ = writeln!(text, "  backlog {} bytes, lag {lag}", report.backlog_bytes);
    for gap in report.gaps.iter().filter(|gap| gap.filled_at.is_none()) {
        let _ = writeln!(
            text,
            "  {}: not exported from {} to {}, made up for by the next sync",
            gap.dataset, gap.from, gap.to
        );
    }
    if let (Some(failure), Some(at)) = (&report.setup_failure, &report.setup_checked_at) {
        let _ = writeln!(text, "  last check at {at}: {failure}");
    }
    for warning in &report.warnings {
        let _ = writeln!(text, "  warning: {}\n  help: {}", warning.message, warning.help);
    }
    for dataset in &report.datasets {
        let _ = writeln!(
            text,
            "{}: last success {}, {} rows read, {} written, {} deduplicated, {} dead-lettered, {} objects, {} open intents",
            dataset.dataset,
            dataset.last_success.as_deref().unwrap_or("never"),
            dataset.rows_read,
            dataset.rows_written,
            dataset.rows_deduplicated,
            dataset.rows_dead_lettered,
            dataset.objects,
            dataset.open_intents
        );
        for checkpoint in &dataset.checkpoints {
            let _ = writeln!(
                text,
                "  {}: read to byte {} (line {}), {} bytes wait",
                checkpoint.source, checkpoint.byte_offset, checkpoint.lines, checkpoint.pending_bytes
            );
        }
    }
    text
}
