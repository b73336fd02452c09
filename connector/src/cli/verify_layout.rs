//! `verify-layout`

use std::fmt::Write as _;

use super::{Complaint, Exit, Target, block_on, open_store, print_json};
use crate::store::Diagnosis;
use crate::verify_layout::verify_layout;

pub(super) fn run(target: &Target) -> Result<(), Complaint> {
    let (config, profile, store) = open_store(target)?;
    let report = block_on(verify_layout(&config, &profile, &store))?.map_err(|error| {
        let diagnosis = Diagnosis::of(&error, &profile, &config.bucket.name);
        Complaint {
            exit: Exit::No,
            message: diagnosis.message.clone(),
            help: diagnosis.help.clone(),
            diagnosis: Some(Box::new(diagnosis)),
        }
    })?;
    let mut text = format!("{} keys are as the layout makes them\n", report.conforming);
    // Writing to a `String` cannot fail.
    for key in &report.foreign {
        let _ = writeln!(text, "not of the layout: {key}");
    }
    for key in &report.unknown_dataset {
        let _ = writeln!(text, "of no dataset of the profile: {key}");
    }
    if target.json {
        print_json(&report)?;
    } else {
        super::print(&text)?;
    }
    if report.conforms() {
        return Ok(());
    }
    Err(Complaint {
        exit: Exit::No,
        message: format!(
            "{} keys are not of the layout",
            report.foreign.len() + report.unknown_dataset.len()
        ),
        help: "move them away, or correct `bucket.prefix`".to_owned(),
        diagnosis: None,
    })
}
