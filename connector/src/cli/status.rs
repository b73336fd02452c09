//! `status`

use std::fmt::Write as _;
use std::path::PathBuf;

use bucketproof_clock::Clock;
use clap::{Args, Subcommand};

use super::{Complaint, Exit, Target, load_config, print_json};
use crate::engine::{SyncError, check_fit, status_of};
use crate::import::{ImportProfile, StatusSummary};
use crate::report::{ConnectionState, StatusReport};
use crate::state::CircuitState;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct StatusArguments {
    #[command(subcommand)]
    command: Option<StatusCommand>,
    #[command(flatten)]
    target: Option<Target>,
}

#[derive(Debug, Subcommand)]
enum StatusCommand {
    /// Read status reports of an import: each entry once, the rows of each file added up, as JSON.
    Read {
        /// Reports, or folders of them.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

impl StatusArguments {
    pub(super) fn wants_json(&self) -> bool {
        self.command.is_some() || self.target.as_ref().is_some_and(|target| target.json)
    }
}

pub(super) fn run(arguments: &StatusArguments) -> Result<(), Complaint> {
    match (&arguments.command, &arguments.target) {
        (Some(StatusCommand::Read { files }), _) => read(files),
        (None, Some(target)) => of_connection(target),
        (None, None) => Err(Complaint::usage(
            "neither a configuration nor a report is named",
            "`status --config FILE` tells of an export, `status read FILE` of an import's reports",
        )),
    }
}

/// Every file below the paths that ends like a report; a path that is a file is taken whatever its name.
fn reports(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Complaint> {
    let unreadable = |path: &PathBuf, error: std::io::Error| {
        Complaint::usage(format!("`{}` cannot be read: {error}", path.display()), "check the path")
    };
    let mut found = Vec::new();
    let mut waiting: Vec<PathBuf> = paths.to_vec();
    while let Some(path) = waiting.pop() {
        if !path.is_dir() {
            found.push(path);
            continue;
        }
        for entry in std::fs::read_dir(&path).map_err(|error| unreadable(&path, error))? {
            let entry = entry.map_err(|error| unreadable(&path, error))?.path();
            if entry.is_dir() || entry.extension().is_some_and(|extension| extension == "status") {
                waiting.push(entry);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn read(paths: &[PathBuf]) -> Result<(), Complaint> {
    let schema_codes = ImportProfile::ids().filter_map(ImportProfile::named).filter_map(Result::ok);
    let schema_codes: Vec<String> = schema_codes.map(|profile| profile.codes.schema).collect();
    let mut summary = StatusSummary::default();
    for path in reports(paths)? {
        let name = path.display().to_string();
        let text = std::fs::read(&path).map_err(|error| {
            Complaint::usage(format!("`{name}` cannot be read: {error}"), "check the path")
        })?;
        let codes: Vec<&str> = schema_codes.iter().map(String::as_str).collect();
        summary.add(&name, &text, &codes).map_err(|error| Complaint {
            exit: Exit::No,
            message: error.to_string(),
            help: "name status reports, each one JSON object of lists by file name".to_owned(),
            diagnosis: None,
        })?;
    }
    print_json(&summary)
}

fn of_connection(target: &Target) -> Result<(), Complaint> {
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
    text.push_str(super::plan::weaker_mode(report.writes));
    // Writing to a `String` cannot fail.
    if let Some(role) = &report.role_arn {
        let _ = writeln!(text, "  role {role}, whom policies of the bucket and its key name");
    }
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
