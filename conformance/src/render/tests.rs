use super::{explain, json, junit, list, terminal};
use crate::inventory::Inventory;
use crate::sample::{self, FAILED, PASSED};

#[test]
fn the_terminal_report_reads_without_colour() {
    let text = terminal(&sample::report(), false);
    assert!(!text.contains('\u{1b}'));
    insta::assert_snapshot!(text);
}

#[test]
fn a_clean_run_is_short() {
    insta::assert_snapshot!(terminal(&sample::report_of(&[PASSED]), false));
}

#[test]
fn the_json_report_is_the_contract() {
    insta::assert_snapshot!(json(&sample::report()).unwrap());
}

#[test]
fn the_junit_report_tells_failure_from_error() {
    let text = junit(&sample::report()).unwrap();
    assert_eq!((text.matches("<failure ").count(), text.matches("<error ").count()), (1, 2));
    assert_eq!(text.matches("<skipped ").count(), 1);
    insta::assert_snapshot!(text);
}

#[test]
fn checks_are_listed_and_explained() {
    let inventory = Inventory::new(sample::checks()).unwrap();
    insta::assert_snapshot!(list(inventory.checks()));
    insta::assert_snapshot!(explain(inventory.check(FAILED).unwrap()));
}
