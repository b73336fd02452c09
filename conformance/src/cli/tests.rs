use std::ffi::OsString;
use std::fs;

use super::{main, main_over};
use crate::inventory::Inventory;
use crate::sample::{self, FAILED, PASSED};

/// Runs the program and shows exit code, answer and complaint together.
fn session(arguments: &[&str]) -> String {
    let (code, out, err) = call(arguments);
    format!("exit {code}\n--- out\n{out}--- err\n{err}")
}

fn call(arguments: &[&str]) -> (u8, String, String) {
    call_over(&Inventory::new(sample::checks()).unwrap(), arguments)
}

fn call_over(inventory: &Inventory, arguments: &[&str]) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let arguments = ["bucketproof-conformance"].iter().chain(arguments).map(OsString::from);
    let status = main_over(inventory, arguments, &mut out, &mut err);
    (status.code(), String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

#[test]
fn without_a_command_everything_runs() {
    let (code, out, err) = call(&[]);
    assert_eq!((code, err.as_str()), (1, ""));
    assert!(out.contains("\n5 checks: 2 passed, 1 failed, 2 errored, 0 skipped, in "), "{out}");
    for check in sample::checks() {
        assert!(out.contains(check.title.as_ref()));
    }
    let (same_code, same_out, _) = call(&["run"]);
    assert_eq!((same_code, without_time(&same_out)), (code, without_time(&out)));
}

fn without_time(out: &str) -> &str {
    out.rsplit_once(", in ").unwrap().0
}

#[test]
fn filters_work_with_and_without_the_command() {
    for arguments in [
        &["run", PASSED][..],
        &["run", "--id", PASSED],
        &["--id", PASSED],
        &[PASSED],
        &["run", "ENG-03"],
        &["run", "--area", "s3", PASSED],
    ] {
        let (code, out, err) = call(arguments);
        assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
        assert!(out.contains("\n1 check: 1 passed, 0 failed, 0 errored, 0 skipped, in "), "{out}");
    }
    let (code, out, _) = call(&["--profile", "sample_vendor"]);
    assert_eq!(code, 1);
    assert!(out.contains("denied    s3:PutObject on arn:aws:s3:::logs/hour=14/messages.parquet"), "{out}");
}

#[test]
fn what_cannot_be_verified_is_told() {
    let unknown = session(&["verify", "--profile", "suprsnd_s3_v2", "."]);
    assert!(unknown.starts_with("exit 2\n") && unknown.contains("suprsend_s3_v2"), "{unknown}");
    let all = [
        session(&["verify", "s3://bucket"]),
        session(&["verify", "--profile", "suprsend_s3_v2", "no/such/folder"]),
        session(&["verify", "--profile", "suprsend_s3_v2", "s3:///prefix"]),
        session(&["verify", "--profile", "suprsend_s3_v2", "--endpoint-url", "moto", "s3://b"]),
        session(&["verify", "--profile", "suprsend_s3_v2", "--fresh-within", "soon", "."]),
    ];
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn wrong_usage_says_what_is_right() {
    let all = [
        session(&["run", "s3.sample.pases"]),
        session(&["--area", "s4"]),
        session(&["--profile", "suprsend"]),
        session(&["explain", "export.denied"]),
        session(&["--scenario", "no/such/file.toml", PASSED]),
        session(&["--json", "no/such/directory/report.json", PASSED]),
        session(&["--jsn", "report.json"]),
        session(&["gate"]),
        session(&["gate", "--baseline", "no/such/baseline.toml"]),
        session(&["--target", "moto"]),
        session(&["--target", "http://key:secret@127.0.0.1:9000"]),
        session(&["--target", "https://s3.eu-west-1.amazonaws.com"]),
        session(&["--target", "s3s-fs", "--scenario", "s.toml"]),
        session(&["--rerun", "no/such/report.json"]),
        session(&["--level", "may"]),
    ];
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn an_empty_selection_is_no_pass() {
    insta::assert_snapshot!(session(&["run", "s3.", "--area", "sts"]));
    let (code, out, _) = call_over(&Inventory::new(Vec::new()).unwrap(), &[]);
    assert_eq!((code, out.as_str()), (4, ""));
    let (code, _, _) = call(&["list", "s3.", "--area", "sts"]);
    assert_eq!(code, 4);
}

#[test]
fn list_and_explain_do_not_run_anything() {
    insta::assert_snapshot!(session(&["list", "--area", "auth"]));
    insta::assert_snapshot!(session(&["explain", FAILED]));
}

#[test]
fn help_shows_commands_options_and_exit_codes() {
    insta::assert_snapshot!(session(&["--help"]));
}

#[test]
fn reports_are_written_to_files() {
    let directory = tempfile::tempdir().unwrap();
    let (json, junit) = (directory.path().join("report.json"), directory.path().join("report.xml"));
    let (code, _, err) =
        call(&["--json", json.to_str().unwrap(), "--junit", junit.to_str().unwrap(), "--id", FAILED]);
    assert_eq!((code, err.as_str()), (1, ""));
    let report: serde_json::Value = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!(report["schema"], "bucketproof-report/1");
    assert_eq!(report["checks"][0]["failure"]["missing"][0]["action"], "s3:PutObject");
    assert!(fs::read_to_string(junit).unwrap().contains("<failure "));
}

#[test]
fn a_scenario_file_is_named_in_the_report() {
    let path = format!("{}/minimal.toml", bucketproof_fixtures::scenario::DIRECTORY);
    let (code, out, _) = call(&["--scenario", &path, PASSED]);
    assert_eq!(code, 0);
    assert!(out.starts_with(&format!("target emulator, scenario {path}\n")), "{out}");
}

#[test]
fn a_scenario_without_the_vendors_cast_is_no_run() {
    let path = format!("{}/minimal.toml", bucketproof_fixtures::scenario::DIRECTORY);
    let directory = tempfile::tempdir().unwrap();
    let json = directory.path().join("report.json");
    fs::write(&json, "the last report").unwrap();
    let (code, out, err) = call(&["--scenario", &path, "--json", json.to_str().unwrap(), FAILED]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.starts_with(&format!("error: {path}: the scenario has no user `exporter`")), "{err}");
    assert_eq!(fs::read_to_string(json).unwrap(), "the last report");
}

#[test]
fn a_failed_check_is_run_again_with_its_scenario() {
    let path = format!("{}/suprsend/scenario.toml", bucketproof_fixtures::scenario::DIRECTORY);
    let (_, out, _) = call(&["--scenario", &path, FAILED]);
    assert!(
        out.contains(&format!("again     bucketproof-conformance run --scenario {path} {FAILED}\n")),
        "{out}"
    );
    let (_, out, _) = call(&[FAILED]);
    assert!(out.contains(&format!("again     bucketproof-conformance run {FAILED}\n")), "{out}");
}

#[test]
fn a_requirement_is_explained_by_its_checks() {
    let (code, of_requirement, _) = call(&["explain", "SUP-09"]);
    let (_, of_check, _) = call(&["explain", FAILED]);
    assert_eq!((code, of_requirement), (0, of_check));
    let (code, of_two, _) = call(&["explain", "SUP-75"]);
    assert_eq!((code, of_two.matches("falsified by").count()), (0, 2), "{of_two}");
}

#[test]
fn the_suites_own_inventory_is_valid() {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = main(["x", "list"].map(OsString::from), &mut out, &mut err);
    assert!(matches!(status.code(), 0 | 4), "{}", String::from_utf8_lossy(&err));
}
