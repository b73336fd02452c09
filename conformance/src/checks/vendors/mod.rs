//! The exports of the vendors that are profiles: one stage and one set of checks for all of them, with what each page
//! says as rows of data.

mod adapty;
mod datafly;
mod inbound;
mod kms;
mod objects;
mod particulars;
mod permutive;
mod policies;
mod set_up;
mod split;

use std::borrow::Cow;

use crate::check::{Area, Capability, Check, CheckId, Level, Run};
use crate::checks::requirements;
use crate::falsifier::Falsifier;
use particulars::Vendor;

/// The checks of every vendor.
pub(super) fn checks() -> Vec<Check> {
    let vendors: [&'static Vendor; 5] =
        [&split::IMPRESSIONS, &permutive::STREAM, &permutive::BATCH, &datafly::EVENTS, &adapty::EVENTS];
    let mut checks = Vec::new();
    for vendor in vendors {
        checks.extend(objects::checks(vendor));
        checks.extend(policies::checks(vendor));
        checks.extend(set_up::checks(vendor));
        checks.extend(kms::checks(vendor));
    }
    checks.extend(inbound::checks());
    checks
}

/// A check of a vendor's profile; its id begins with the profile's.
fn vendor_check(
    vendor: &Vendor,
    id: impl AsRef<str>,
    title: impl Into<Cow<'static, str>>,
    ids: &[&'static str],
    falsified_by: Falsifier,
    run: Run,
) -> Check {
    of_profile(vendor.area(), id, title, ids, falsified_by, run)
}

fn of_profile(
    area: Area,
    id: impl AsRef<str>,
    title: impl Into<Cow<'static, str>>,
    ids: &[&'static str],
    falsified_by: Falsifier,
    run: Run,
) -> Check {
    let profile = area.profile().unwrap_or_default();
    Check {
        id: CheckId::from(format!("{profile}.{}", id.as_ref())),
        title: title.into(),
        level: Level::Must,
        area,
        sources: requirements(ids),
        needs: vec![Capability::Scenario],
        detail: Vec::new(),
        proves: None,
        falsified_by,
        run,
    }
}
