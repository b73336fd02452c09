use std::time::Duration;

use super::{Report, SCHEMA, Status};
use crate::inventory::Inventory;
use crate::outcome::Outcome;
use crate::runner::Event;
use crate::sample::{self, PASSED};

#[test]
fn a_check_without_an_outcome_is_errored() {
    let inventory = Inventory::new(sample::checks()).unwrap();
    let mut report = Report::new("emulator", "sample.toml", inventory.checks());
    assert_eq!(report.schema, SCHEMA);
    assert_eq!((report.summary.checks, report.summary.errored), (5, 5));
    report.record(Event::CheckFinished {
        id: PASSED.into(),
        outcome: Outcome::Passed,
        duration: Duration::from_micros(12_900),
    });
    report.record(Event::RunFinished { duration: Duration::from_secs(2) });
    assert_eq!((report.summary.passed, report.summary.errored), (1, 4));
    assert_eq!((report.checks[0].status, report.checks[0].duration_ms), (Status::Passed, 12));
    assert_eq!(report.duration_ms, 2000);
}

#[test]
fn the_summary_adds_up_and_the_order_is_the_inventorys() {
    let report = sample::report();
    let summary = report.summary;
    assert_eq!(summary.checks, summary.passed + summary.failed + summary.errored + summary.skipped);
    let ids: Vec<&str> = report.checks.iter().map(|check| check.id.as_str()).collect();
    let inventory: Vec<String> = sample::checks().iter().map(|check| check.id.to_string()).collect();
    assert_eq!(ids, inventory);
    for check in &report.checks {
        assert_eq!(check.failure.is_some(), check.status == Status::Failed);
        assert_eq!(check.error.is_some(), check.status == Status::Errored);
        assert_eq!(check.missing_capability.is_some(), check.status == Status::Skipped);
    }
}
