//! `plan`

use std::fmt::Write as _;

use super::{Complaint, Target, block_on, connect, print_json};
use crate::IntentMode;
use crate::config::Writes;
use crate::report::{ObjectReport, Outcome, PlanReport};

pub(super) fn run(target: &Target) -> Result<(), Complaint> {
    let connection = connect(target)?;
    let report = block_on(connection.plan())?.map_err(|error| Complaint::from(&error))?;
    if target.json {
        return print_json(&report);
    }
    super::print(&text(&report))
}

fn text(report: &PlanReport) -> String {
    if report.outcome == Outcome::Disabled {
        return "sync is off (`enabled = false`); a sync would do nothing\n".to_owned();
    }
    if report.outcome == Outcome::Paused {
        return "paused; a sync would do nothing until `resume`\n".to_owned();
    }
    // Writing to a `String` cannot fail.
    let mut text = weaker_mode(report.writes).to_owned();
    for dataset in &report.datasets {
        let _ = writeln!(
            text,
            "{}: {} rows wait, {} would be written, {} deduplicated, {} dead-lettered",
            dataset.dataset,
            dataset.rows_read,
            dataset.rows_written,
            dataset.rows_deduplicated,
            dataset.rows_dead_lettered
        );
        for object in &dataset.objects {
            let _ = writeln!(text, "  {}", object_line(object));
        }
        text.push_str(&pending_line(dataset.pending_bytes));
    }
    text
}

/// The label of the weaker mode.
pub(super) fn weaker_mode(writes: Writes) -> &'static str {
    match writes {
        Writes::Conditional => "",
        Writes::AtLeastOnceSingleWriter => "weaker mode: at least once, single writer\n",
    }
}

/// Says that bytes wait for the end of their line, if some do.
pub(super) fn pending_line(pending_bytes: u64) -> String {
    match pending_bytes {
        0 => String::new(),
        bytes => format!("  {bytes} bytes wait for the end of their line\n"),
    }
}

pub(super) fn object_line(object: &ObjectReport) -> String {
    let counts = format!("{} rows won, {} lost", object.rows_written, object.rows_deduplicated);
    match object.mode {
        IntentMode::Unchanged => format!("unchanged {}: {counts}", object.key),
        mode => format!(
            "{:<9} {}: {counts}; {} rows, {} bytes, generation {}",
            if mode == IntentMode::Create { "create" } else { "replace" },
            object.key,
            object.object_rows,
            object.body_bytes,
            object.generation
        ),
    }
}
