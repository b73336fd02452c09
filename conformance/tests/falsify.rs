//! Every check fails under its own falsifier, and passes without it: no check that cannot fail is in the suite.
//! `BUCKETPROOF_FALSIFY=s3.lock` holds only the checks whose ids begin so to it.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::sync::Arc;

use bucketproof_conformance::check::{Capability, Check};
use bucketproof_conformance::context::{CheckContext, ScenarioSource};
use bucketproof_conformance::inventory::Inventory;
use bucketproof_conformance::outcome::Outcome;
use bucketproof_conformance::runner::{self, Event, Settings};

/// Runs every check and tells of those whose outcome is not what `expected` wants.
async fn surprises(
    context: impl Fn(&Check) -> CheckContext,
    expected: impl Fn(&Outcome) -> bool,
) -> Vec<String> {
    let inventory = Inventory::collect().unwrap();
    // Those of a connector by its command have a test of their own, with commands.
    let judges = |check: &Arc<Check>| check.needs.contains(&Capability::ConnectorCommand);
    let only = std::env::var("BUCKETPROOF_FALSIFY").unwrap_or_default();
    let is_asked_for = |check: &Arc<Check>| check.id.as_str().starts_with(&only) && !judges(check);
    let checks: Vec<Arc<Check>> =
        inventory.checks().iter().filter(|check| is_asked_for(check)).cloned().collect();
    let mut surprises = Vec::new();
    let mut concluded = 0;
    runner::run(&checks, context, &Settings::default(), |event| {
        if let Event::CheckFinished { id, outcome, .. } = event {
            concluded += 1;
            if !expected(&outcome) {
                surprises.push(format!("{id}: {outcome:?}"));
            }
        }
    })
    .await;
    assert_eq!(concluded, checks.len(), "checks that did not conclude");
    surprises
}

#[tokio::test(flavor = "multi_thread")]
async fn every_check_fails_under_its_falsifier() {
    let scenario = Arc::new(ScenarioSource::embedded());
    let surprises = surprises(
        |check| CheckContext::new(Arc::clone(&scenario)).falsified_by(check.falsified_by.clone()),
        |outcome| matches!(outcome, Outcome::Failed(_)),
    )
    .await;
    assert!(surprises.is_empty(), "not failed:\n{}", surprises.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_check_passes_without_it() {
    let scenario = Arc::new(ScenarioSource::embedded());
    let surprises =
        surprises(|_| CheckContext::new(Arc::clone(&scenario)), |outcome| matches!(outcome, Outcome::Passed))
            .await;
    assert!(surprises.is_empty(), "not passed:\n{}", surprises.join("\n"));
}
