//! The pages made from the suite are the ones under version control.

#![expect(clippy::expect_used, reason = "a test that cannot be set up fails")]

use std::fs;
use std::path::Path;

use bucketproof_conformance::inventory::Inventory;
use bucketproof_conformance::render;

/// Compares a page with its file; writes the file where `BUCKETPROOF_WRITE_PAGES` is set.
fn holds(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("BUCKETPROOF_WRITE_PAGES").is_some() {
        fs::write(&path, text).expect("the page is written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == text,
        "conformance/{name} is not what the suite says; run the test with BUCKETPROOF_WRITE_PAGES=1 and review"
    );
}

#[test]
fn the_page_of_the_checks_is_up_to_date() {
    let inventory = Inventory::collect().expect("a valid inventory");
    holds("CHECKS.md", &render::page(inventory.checks()));
}

#[test]
fn the_suite_is_as_large_as_it_says() {
    let inventory = Inventory::collect().expect("a valid inventory");
    assert!(inventory.checks().len() >= 600, "only {} checks", inventory.checks().len());
}
