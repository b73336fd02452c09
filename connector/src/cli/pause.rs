//! `pause` and `resume`

use bucketproof_clock::{Clock, Entropy};

use super::{Complaint, Target, load_config, print_json};
use crate::config::Config;
use crate::engine::{self, SyncError, check_fit};
use crate::profile::VendorProfile;
use crate::state::StateError;

pub(super) fn pause(target: &Target) -> Result<(), Complaint> {
    let (config, profile) = subject(target)?;
    let since = engine::pause(&config, &profile, &Clock::system(), &Entropy::machine()).map_err(complaint)?;
    if target.json {
        return print_json(&serde_json::json!({ "outcome": "paused", "paused_since": since }));
    }
    super::print(&format!("paused since {since}; `resume` exports what comes in between\n"))
}

pub(super) fn resume(target: &Target) -> Result<(), Complaint> {
    let (config, profile) = subject(target)?;
    let since =
        engine::resume(&config, &profile, &Clock::system(), &Entropy::machine()).map_err(complaint)?;
    if target.json {
        return print_json(&serde_json::json!({ "outcome": "resumed", "paused_since": since }));
    }
    super::print(&match since {
        Some(since) => format!("resumed; the next sync exports everything since {since}\n"),
        None => "the connection was not paused\n".to_owned(),
    })
}

fn subject(target: &Target) -> Result<(Config, VendorProfile), Complaint> {
    let config = load_config(target)?;
    let profile = config.load_profile().map_err(|error| Complaint::usage(&error, error.help()))?;
    check_fit(&config, &profile).map_err(|error| Complaint::usage(&error, error.help()))?;
    Ok((config, profile))
}

fn complaint(error: StateError) -> Complaint {
    Complaint::from(&SyncError::from(error))
}
