use super::ExitStatus;
use crate::report::Report;
use crate::sample::{self, ERRORED, FAILED, PANICKED, PASSED, SKIPPED};

fn check(ids: &[&str], code: u8) {
    let report: Report = sample::report_of(ids);
    assert_eq!(ExitStatus::of(&report).code(), code, "{ids:?}");
}

#[test]
fn the_worst_conclusive_outcome_decides() {
    check(&[PASSED], 0);
    check(&[PASSED, SKIPPED], 0);
    check(&[PASSED, FAILED], 1);
    check(&[PASSED, FAILED, ERRORED, SKIPPED], 1);
    check(&[PASSED, ERRORED], 3);
    check(&[PANICKED], 3);
}

#[test]
fn a_run_that_concluded_nothing_is_no_pass() {
    check(&[], 4);
    check(&[SKIPPED], 4);
}
