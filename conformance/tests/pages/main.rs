//! The pages made from the suite are the ones under version control.

#![expect(clippy::expect_used, reason = "a test that cannot be set up fails")]

mod claims;

use std::fs;
use std::path::Path;

use bucketproof_conformance::inventory::Inventory;
use bucketproof_conformance::render;

use crate::claims::Claims;

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

#[test]
fn the_page_of_the_requirements_is_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let (text, wrong) = Claims::collect(root).page();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    holds("CLAIMS.md", &text);
}

#[test]
fn claims_are_read_from_doc_comments() {
    let mut claims = Claims::default();
    let source = "/// Claims SUP-01, SUP-Q02: and more.\n/// Claims\n/// ENG-03.\n#[test]\nasync fn one() {}\n\
                  /// Claims ABC-07.\nconst X: u8 = 0;\nfn two() {}\n";
    claims.read_tests("a.rs", source);
    assert_eq!(claims.ids(), ["ENG-03", "SUP-01", "SUP-Q02"]);
}
