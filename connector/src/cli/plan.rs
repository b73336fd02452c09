//! `plan`

use super::{Complaint, Target, block_on, connect, failed, print_json};
use crate::IntentMode;
use crate::report::{ObjectReport, Outcome, PlanReport};

pub(super) fn run(target: &Target) -> Result<(), Complaint> {
    let connection = connect(target)?;
    let report = block_on(connection.plan())?.map_err(|error| failed(target, &error))?;
    if target.json {
        return print_json(&report);
    }
    print(&report);
    Ok(())
}

fn print(report: &PlanReport) {
    if report.outcome == Outcome::Disabled {
        println!("sync is off (`enabled = false`); a sync would do nothing");
        return;
    }
    for dataset in &report.datasets {
        println!(
            "{}: {} rows wait, {} would be written, {} deduplicated, {} dead-lettered",
            dataset.dataset,
            dataset.rows_read,
            dataset.rows_written,
            dataset.rows_deduplicated,
            dataset.rows_dead_lettered
        );
        for object in &dataset.objects {
            println!("  {}", object_line(object));
        }
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
