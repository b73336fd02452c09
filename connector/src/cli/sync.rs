//! `sync`

use super::{Complaint, Target, block_on, connect, failed, print_json};
use crate::report::{Outcome, SyncReport};

pub(super) fn run(target: &Target) -> Result<(), Complaint> {
    let connection = connect(target)?;
    let report = block_on(connection.sync())?.map_err(|error| failed(target, &error))?;
    if target.json {
        return print_json(&report);
    }
    print(&report);
    Ok(())
}

fn print(report: &SyncReport) {
    if report.outcome == Outcome::Disabled {
        println!("sync is off (`enabled = false`); nothing was read and no call was made");
        return;
    }
    for dataset in &report.datasets {
        println!(
            "{}: {} rows read, {} written, {} deduplicated, {} dead-lettered",
            dataset.dataset,
            dataset.rows_read,
            dataset.rows_written,
            dataset.rows_deduplicated,
            dataset.rows_dead_lettered
        );
        for object in &dataset.objects {
            println!("  {}", super::plan::object_line(object));
        }
        if let Some(file) = &dataset.dead_letter_file {
            println!("  dead letters in {file}");
        }
        if dataset.pending_bytes > 0 {
            println!("  {} bytes wait for the end of their line", dataset.pending_bytes);
        }
    }
}
