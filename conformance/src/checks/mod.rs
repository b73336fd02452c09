//! The checks.

mod auth;
pub(crate) mod decisions;
mod policies;
mod refusal;
mod s3_buckets;
mod s3_listing;
mod s3_multipart;
mod s3_objects;
mod sts;
mod suprsend;

use std::borrow::Cow;

use crate::check::{Area, Check, CheckId, Level, Run, Source};
use crate::falsifier::Falsifier;
use crate::inventory::InvalidInventory;

/// Every check of the suite, in the order in which reports show them.
pub(crate) fn all() -> Result<Vec<Check>, InvalidInventory> {
    let mut checks = Vec::new();
    checks.extend(s3_objects::checks());
    checks.extend(s3_listing::checks());
    checks.extend(s3_multipart::checks());
    checks.extend(s3_buckets::checks());
    checks.extend(auth::checks());
    checks.extend(sts::checks());
    checks.extend(policies::checks());
    checks.extend(decisions::checks()?);
    checks.extend(suprsend::checks());
    Ok(checks)
}

/// A check that must hold.
fn must(
    area: Area,
    id: &'static str,
    title: impl Into<Cow<'static, str>>,
    sources: Vec<Source>,
    falsified_by: Falsifier,
    run: Run,
) -> Check {
    Check {
        id: CheckId::from(id),
        title: title.into(),
        level: Level::Must,
        area,
        sources,
        needs: Vec::new(),
        detail: Vec::new(),
        falsified_by,
        run,
    }
}

/// The day on which the pages of AWS were compared with recorded answers.
const READ_ON: &str = "2026-11-21";

/// A page of AWS documentation.
fn aws(page: &'static str) -> Vec<Source> {
    vec![Source::aws(page, READ_ON)]
}

/// Requirements by their ids.
fn requirements(ids: &[&'static str]) -> Vec<Source> {
    ids.iter().map(|id| Source::requirement(*id)).collect()
}
