use super::{InvalidInventory, Inventory};
use crate::check::Check;
use crate::render::list;
use crate::sample;

fn refusal(change: impl FnOnce(&mut Vec<Check>)) -> String {
    let mut checks = sample::checks();
    change(&mut checks);
    Inventory::new(checks).unwrap_err().to_string()
}

/// The inventory under version control: a check that appears, vanishes or changes its promise shows in review.
#[test]
fn the_checked_in_inventory_is_up_to_date() {
    let inventory = Inventory::collect().unwrap_or_else(|error: InvalidInventory| panic!("{error}"));
    insta::assert_snapshot!(list(inventory.checks()));
}

#[test]
fn duplicate_ids_are_refused() {
    let text = refusal(|checks| checks.extend(sample::checks()));
    assert_eq!(text, "check id `s3.sample.passes` is given to two checks");
}

#[test]
fn ids_are_slugs() {
    for id in ["s3", "S3.put", "s3..put", "s3.put object", "s3.-put", "s3.put-", ".s3", "s3.put--x", ""] {
        let text = refusal(|checks| checks[0].id = id.into());
        assert!(text.starts_with(&format!("check id `{id}` is not of the form")), "{text}");
    }
    for id in ["s3.put", "suprsend_s3_v2.layout.hour-key", "s3.put-object.if-none-match.existing-key"] {
        let mut checks = sample::checks();
        checks[0].id = id.into();
        assert!(Inventory::new(checks).is_ok(), "{id}");
    }
}

#[test]
fn a_check_names_a_source() {
    let text = refusal(|checks| checks[0].sources.clear());
    assert_eq!(text, "check `s3.sample.passes` names no source");
}

#[test]
fn the_inventory_knows_the_requirements_it_claims() {
    let inventory = Inventory::new(sample::checks()).unwrap();
    let claimed: Vec<&str> = inventory.requirements().into_iter().collect();
    assert_eq!(claimed, ["ENG-03", "SUP-09", "SUP-50", "SUP-75"]);
}
