use super::{Filter, select};
use crate::inventory::Inventory;
use crate::sample;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn filter(ids: &[&str], areas: &[&str], profiles: &[&str]) -> Filter {
    Filter { ids: names(ids), areas: names(areas), profiles: names(profiles), levels: Vec::new() }
}

fn check(filter: &Filter, expected: &[&str]) {
    let inventory = Inventory::new(sample::checks()).unwrap();
    let taken = select(&inventory, filter).unwrap();
    let ids: Vec<&str> = taken.iter().map(|check| check.id.as_str()).collect();
    assert_eq!(ids, expected, "{filter:?}");
}

fn refusal(filter: &Filter) -> String {
    let inventory = Inventory::new(sample::checks()).unwrap();
    let error = select(&inventory, filter).unwrap_err();
    format!("{error}\n{}", error.help())
}

#[test]
fn an_empty_filter_takes_all() {
    check(
        &Filter::default(),
        &[sample::PASSED, sample::SKIPPED, sample::ERRORED, sample::PANICKED, sample::FAILED],
    );
}

#[test]
fn names_of_one_kind_add_up_and_kinds_narrow() {
    check(&filter(&["s3.sample.p"], &[], &[]), &[sample::PASSED]);
    check(&filter(&["s3.", "sts"], &[], &[]), &[sample::PASSED, sample::SKIPPED, sample::ERRORED]);
    check(&filter(&[], &["s3", "auth"], &[]), &[sample::PASSED, sample::SKIPPED, sample::PANICKED]);
    check(&filter(&[], &[], &["sample_vendor"]), &[sample::FAILED]);
    check(&filter(&["SUP-50"], &[], &[]), &[sample::FAILED]);
    check(&filter(&["s3."], &["sts"], &[]), &[]);
}

#[test]
fn unknown_names_are_refused_with_near_or_known_ones() {
    let all = [
        refusal(&filter(&["s3.sample.pases"], &[], &[])),
        refusal(&filter(&["broken"], &[], &[])),
        refusal(&filter(&["zzz"], &[], &[])),
        refusal(&filter(&["s3.", "SUP-99"], &[], &[])),
        refusal(&filter(&[], &["S3"], &[])),
        refusal(&filter(&[], &[], &["suprsend"])),
    ];
    insta::assert_snapshot!(all.join("\n\n"));
}
