//! `export`

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use jiff::civil::Date;

use super::{Complaint, Exit, Target, block_on, connect, print_json};
use crate::engine::RangeError;
use crate::names::DatasetName;
use crate::report::{Outcome, RangeReport};

#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    /// The connection's configuration.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// First day of the range, such as 2026-03-01; UTC.
    #[arg(long, value_name = "DAY")]
    from: Date,
    /// Last day of the range, which belongs to it.
    #[arg(long, value_name = "DAY")]
    to: Date,
    /// This dataset alone; may be given several times.
    #[arg(long, value_name = "NAME")]
    dataset: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(arguments: &ExportArguments) -> Result<(), Complaint> {
    let target = Target { config: arguments.config.clone(), json: arguments.json };
    let connection = connect(&target)?;
    let named = arguments.dataset.iter().map(|name| DatasetName::new(name.as_str()));
    let named = named
        .collect::<Result<Vec<DatasetName>, _>>()
        .map_err(|error| Complaint::usage(error, "name a dataset of the profile"))?;
    let report = block_on(connection.export_range(arguments.from, arguments.to, &named))?;
    let report = report.map_err(|error| complaint(&error))?;
    if arguments.json { print_json(&report) } else { super::print(&text(&report)) }
}

fn complaint(error: &RangeError) -> Complaint {
    match error {
        RangeError::Sync(error) => Complaint::from(error),
        RangeError::Interrupted { .. } => {
            Complaint { exit: Exit::No, message: error.to_string(), help: error.help(), diagnosis: None }
        }
        _ => Complaint::usage(error, error.help()),
    }
}

fn text(report: &RangeReport) -> String {
    match report.outcome {
        Outcome::Disabled => {
            return "sync is off (`enabled = false`); nothing was read and no call was made\n".to_owned();
        }
        Outcome::Paused => return "paused; `resume` first\n".to_owned(),
        Outcome::Done | Outcome::Stopped => {}
    }
    let mut text = format!("from {} to {}, both included\n", report.from, report.to);
    for dataset in &report.datasets {
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            text,
            "{}: {} rows read, {} written, {} of other days, {} refused",
            dataset.dataset,
            dataset.rows_read,
            dataset.rows_written,
            dataset.rows_outside,
            dataset.rows_refused
        );
        match &dataset.object {
            Some(object) => {
                let _ = writeln!(text, "  {}", super::plan::object_line(object));
            }
            None => text.push_str("  no row, so no object\n"),
        }
        text.push_str(&super::plan::pending_line(dataset.pending_bytes));
    }
    text
}
