//! The checks.

mod auth;
mod connector;
pub(crate) mod decisions;
mod engine;
mod exchanges;
mod policies;
mod refusal;
mod s3_access;
mod s3_bucket_settings;
mod s3_buckets;
mod s3_conditions;
mod s3_listing;
mod s3_more_lists;
mod s3_more_multipart;
mod s3_more_objects;
mod s3_multipart;
mod s3_object_settings;
mod s3_objects;
mod s3_versions;
mod sts;
mod suprsend;
mod vendors;

use std::borrow::Cow;

use bucketproof_emulator::Fault;

use crate::check::{Area, Capability, Check, CheckId, Level, Run, Source};
use crate::falsifier::Falsifier;
use crate::inventory::InvalidInventory;
use crate::outcome::Conclusion;
use crate::stage::{Ground, on_ground};

/// Every check of the suite, in the order in which reports show them.
pub(crate) fn all() -> Result<Vec<Check>, InvalidInventory> {
    let mut checks = Vec::new();
    checks.extend(s3_objects::checks());
    checks.extend(s3_listing::checks());
    checks.extend(s3_multipart::checks());
    checks.extend(s3_buckets::checks());
    checks.extend(s3_more_objects::checks());
    checks.extend(s3_more_lists::checks());
    checks.extend(s3_more_multipart::checks());
    checks.extend(s3_conditions::checks());
    checks.extend(s3_versions::checks());
    checks.extend(s3_object_settings::checks());
    checks.extend(s3_bucket_settings::checks());
    checks.extend(s3_access::checks());
    checks.extend(auth::checks());
    checks.extend(sts::checks());
    checks.extend(policies::checks());
    checks.extend(exchanges::checks()?);
    checks.extend(decisions::checks()?);
    checks.extend(engine::checks());
    checks.extend(connector::checks());
    checks.extend(suprsend::checks());
    checks.extend(vendors::checks());
    Ok(checks.into_iter().map(with_evident_needs).map(suprsend::with_proof).collect())
}

/// Some ids say what a check needs.
fn with_evident_needs(check: Check) -> Check {
    let evident = [
        ("s3.put-object.if-", Capability::ConditionalWrite),
        ("s3.copy-object.", Capability::Copy),
        ("auth.presigned.", Capability::PresignedUrl),
    ];
    let needs: Vec<Capability> = evident
        .iter()
        .filter(|(start, _)| check.id.as_str().starts_with(start))
        .map(|(_, need)| *need)
        .collect();
    needing(check, &needs)
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
        needs: if run.needs_scenario() { vec![Capability::Scenario] } else { Vec::new() },
        detail: Vec::new(),
        proves: None,
        falsified_by,
        run,
    }
}

/// A check that must hold at every endpoint that offers `needs`: it plays in a bucket of its own.
fn anywhere<F, R>(
    area: Area,
    id: &'static str,
    title: impl Into<Cow<'static, str>>,
    source: &'static str,
    needs: &[Capability],
    falsified_by: Fault,
    run: F,
) -> Check
where
    F: Fn(Ground) -> R + Send + Sync + 'static,
    R: Future<Output = Conclusion> + Send + 'static,
{
    Check {
        needs: needs.to_vec(),
        ..must(area, id, title, aws(source), Falsifier::Fault(falsified_by), on_ground(run))
    }
}

/// The same check, for endpoints that offer these.
fn needing(check: Check, needs: &[Capability]) -> Check {
    Check { needs: check.needs.iter().chain(needs).copied().collect(), ..check }
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
