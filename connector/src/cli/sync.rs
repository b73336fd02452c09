//! `sync`

use std::fmt::Write as _;

use super::{Complaint, Target, block_on, connect, print_json};
use crate::report::{Outcome, SyncReport};

pub(super) fn run(target: &Target) -> Result<(), Complaint> {
    let connection = connect(target)?;
    let report = block_on(connection.sync())?.map_err(|error| Complaint::from(&error))?;
    if target.json {
        return print_json(&report);
    }
    super::print(&text(&report))
}

fn text(report: &SyncReport) -> String {
    if report.outcome == Outcome::Disabled {
        return "sync is off (`enabled = false`); nothing was read and no call was made\n".to_owned();
    }
    // Writing to a `String` cannot fail.
    let mut text = match report.outcome {
        Outcome::Paused => "paused; `resume` exports what waits\n".to_owned(),
        Outcome::Stopped => "stopped after a finished batch; the next sync goes on\n".to_owned(),
        Outcome::Done | Outcome::Disabled => String::new(),
    };
    text.push_str(super::plan::weaker_mode(report.writes));
    for dataset in &report.datasets {
        let _ = writeln!(
            text,
            "{}: {} rows read, {} written, {} deduplicated, {} dead-lettered",
            dataset.dataset,
            dataset.rows_read,
            dataset.rows_written,
            dataset.rows_deduplicated,
            dataset.rows_dead_lettered
        );
        if dataset.rows_before_start > 0 {
            let _ = writeln!(
                text,
                "  {} rows lie before the dataset's start and were passed over",
                dataset.rows_before_start
            );
        }
        if dataset.rows_left_out > 0 {
            let _ = writeln!(text, "  {} rows are left out by the configuration", dataset.rows_left_out);
        }
        for object in &dataset.objects {
            let _ = writeln!(text, "  {}", super::plan::object_line(object));
        }
        if let Some(file) = &dataset.dead_letter_file {
            let _ = writeln!(text, "  dead letters in {file}");
        }
        text.push_str(&super::plan::pending_line(dataset.pending_bytes));
    }
    text
}
