use serde_json::Value;

use super::{explain, html, json, json_schema, junit, list, sarif, terminal};
use crate::inventory::Inventory;
use crate::report::PolicyFinding;
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

fn check(found: &mut Vec<String>, place: &str, holds: bool, what: &str) {
    if !holds {
        found.push(format!("{place}: {what}"));
    }
}

/// A small judge of JSON Schemas, for the words that the published one uses.
fn violations(root: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (word, demand) in schema.as_object().unwrap() {
        match word.as_str() {
            "type" => check(
                &mut found,
                place,
                match demand.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "integer" => value.is_u64(),
                    "null" => value.is_null(),
                    other => panic!("{other}"),
                },
                &format!("no {demand}: {value}"),
            ),
            "const" => check(&mut found, place, value == demand, &format!("not {demand}")),
            "enum" => check(
                &mut found,
                place,
                demand.as_array().unwrap().contains(value),
                &format!("{value} is not in {demand}"),
            ),
            "minItems" => check(&mut found, place, !value.as_array().unwrap().is_empty(), "empty"),
            "required" if value.is_object() => {
                for name in demand.as_array().unwrap() {
                    check(
                        &mut found,
                        place,
                        value.get(name.as_str().unwrap()).is_some(),
                        &format!("no field {name}"),
                    );
                }
            }
            "properties" if value.is_object() => {
                for (name, inner) in value.as_object().unwrap() {
                    match demand.get(name) {
                        Some(schema) => {
                            found.extend(violations(root, schema, inner, &format!("{place}/{name}")));
                        }
                        None => found.push(format!("{place}: the schema does not know `{name}`")),
                    }
                }
            }
            "items" if value.is_array() => {
                for (number, inner) in value.as_array().unwrap().iter().enumerate() {
                    found.extend(violations(root, demand, inner, &format!("{place}/{number}")));
                }
            }
            "$ref" => {
                let path = demand.as_str().unwrap().trim_start_matches('#');
                found.extend(violations(root, root.pointer(path).unwrap(), value, place));
            }
            "anyOf" | "oneOf" => {
                let options = demand.as_array().unwrap().iter();
                let fit = options.filter(|one| violations(root, one, value, place).is_empty()).count();
                if fit == 0 || word == "oneOf" && fit > 1 {
                    found.push(format!("{place}: fits {fit} of the options: {value}"));
                }
            }
            "minimum" | "pattern" | "description" | "title" | "$schema" | "$id" | "$defs" | "required"
            | "properties" | "items" => {}
            other => panic!("the judge does not know `{other}`"),
        }
    }
    found
}

#[test]
fn a_report_obeys_the_published_schema() {
    let schema = json_schema().unwrap();
    let mut report = sample::report();
    report.findings.push(finding());
    let value: Value = serde_json::from_str(&json(&report).unwrap()).unwrap();
    assert_eq!(violations(&schema, &schema, &value, ""), Vec::<String>::new());
    let mut broken = value.clone();
    broken["checks"][0]["status"] = "fine".into();
    broken["extra"] = 1.into();
    assert_eq!(violations(&schema, &schema, &broken, "").len(), 2);
}

fn finding() -> PolicyFinding {
    PolicyFinding {
        rule: "unknown-action".to_owned(),
        file: "policies/export.json".to_owned(),
        line: 4,
        column: 9,
        message: "no action is called `s3:PutObjcet`".to_owned(),
        help: "write `s3:PutObject`".to_owned(),
    }
}

#[test]
fn the_html_report_loads_nothing_and_escapes_everything() {
    let mut report = sample::report();
    report.target = "<script>alert('x')</script>".to_owned();
    report.findings.push(finding());
    let text = html(&report);
    assert!(!text.contains("<script") && !text.contains("http://") && !text.contains("https://"), "{text}");
    assert!(!text.contains(" src=") && !text.contains("@import") && !text.contains("url("), "{text}");
    for part in [
        "<html lang=\"en\">",
        "1 of 5 checks failed",
        "DENIED (implicit)",
        "does not offer",
        "policies/export.json:4:9",
        "id=\"failures\"",
    ] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    for tag in ["section", "table", "details", "article", "main", "header", "ul", "dl", "pre"] {
        let opened = text.matches(&format!("<{tag}>")).count() + text.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, text.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn the_sarif_report_names_files_and_permissions() {
    let mut report = sample::report();
    report.scenario = "suprsend/scenario.toml".to_owned();
    report.findings.push(finding());
    insta::assert_snapshot!(sarif(&report).unwrap());
}
