//! The commands: `import`, `import policy` and `status read`.

use std::process::{Command, Output};

use crate::rig::{BUCKET, config_text};

fn run(directory: &std::path::Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bucketproof-connector"))
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .env("IMPORT_SECRET", "secret")
        .output()
        .unwrap()
}

fn shown(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_policy_is_printed_filled_in() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("i.toml"), config_text(&[("events", "my_statuses")])).unwrap();
    let arguments =
        ["import", "policy", "--config", "i.toml", "--principal", "arn:aws:iam::444455556666:role/r"];
    let (code, stdout, stderr) = shown(&run(directory.path(), &arguments));
    assert_eq!((code, stderr.as_str()), (0, ""));
    let policies: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let resources = &policies["events"]["Statement"][1]["Resource"];
    assert_eq!(resources, &serde_json::json!([format!("arn:aws:s3:::{BUCKET}/my_statuses/*")]));
}

#[test]
fn a_wrong_configuration_says_what_where_and_what_next() {
    let directory = tempfile::tempdir().unwrap();
    let good = config_text(&[("events", "my_statuses")]);
    let check = |text: &str, problem: &str, help: &str| {
        std::fs::write(directory.path().join("i.toml"), text).unwrap();
        let (code, _, stderr) = shown(&run(directory.path(), &["import", "--config", "i.toml", "--once"]));
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains("i.toml:") && stderr.contains(problem) && stderr.contains(help), "{stderr}");
        assert!(!stderr.contains("secret\""), "{stderr}");
    };
    check(
        &good.replace("split_events_import", "split"),
        "no import profile of that id",
        "split_events_import",
    );
    check(&good.replace("[\"prod\", \"staging\"]", "[]"), "has no environment", "list the ids");
    check(&good.replace("\"my_statuses\"", "\"s3://b/my\""), "not a folder of the bucket", "my_statuses");
    check(
        &good.replace("environments", "topic_arn = \"arn:aws:sns:us-east-1:1:t.fifo\"\nenvironments"),
        "FIFO",
        "Standard",
    );
    check(&good.replace("region =", "prefix = \"x\"\nregion ="), "two prefixes", "data_prefix");
    check(
        &format!("{good}{}", &good[good.find("[[connection]]").unwrap()..]),
        "two connections have this name",
        "name of its own",
    );
}

#[test]
fn reports_are_read_tolerantly_and_each_entry_once() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("reports/2026-01-01");
    std::fs::create_dir_all(&folder).unwrap();
    let entry = |spelling: &str, details: &str, id: u32, valid: bool, rows: u64| {
        format!(
            "{{\"originalCreationTime\":1,\"{spelling}\":{id},\"valid\":{valid},\"numberOfRows\":{rows},\"errors\":{},\
             \"{details}\":[],\"warnings\":[]}}",
            if valid { "[]" } else { "[\"INVALID_TIMESTAMP\"]" }
        )
    };
    let one = format!(
        "{{\"a\":[{},{}]}}",
        entry("entryId", "errorsDetails", 1, true, 5),
        entry("entryID", "errorDetails", 2, false, 3)
    );
    std::fs::write(folder.join("00-00-00.000.UTC_report.status"), &one).unwrap();
    std::fs::write(folder.join("00-00-00.001.UTC_report.status"), &one).unwrap();
    std::fs::write(folder.join("notes.txt"), "not a report").unwrap();
    let (code, stdout, _) = shown(&run(directory.path(), &["status", "read", "reports"]));
    let summary: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(code, 0);
    assert_eq!(summary["duplicates"], 2);
    assert_eq!(
        (&summary["files"]["a"]["rows_stored"], &summary["files"]["a"]["rows_refused"]),
        (&5.into(), &3.into())
    );
    let (code, _, stderr) =
        shown(&run(directory.path(), &["status", "read", "reports/2026-01-01/notes.txt"]));
    assert_eq!(code, 1);
    assert!(stderr.contains("notes.txt` is not a status report"), "{stderr}");
}

#[test]
fn a_bucket_that_cannot_be_reached_is_a_no_with_a_next_step() {
    let directory = tempfile::tempdir().unwrap();
    let text = config_text(&[("events", "my_statuses")]).replace(
        "region = \"us-east-1\"\n",
        "region = \"us-east-1\"\nendpoint = \"http://127.0.0.1:9\"\nallow_http = true\npath_style = true\n",
    );
    std::fs::write(directory.path().join("i.toml"), text).unwrap();
    let (code, _, stderr) = shown(&run(directory.path(), &["import", "--config", "i.toml", "--once"]));
    assert_eq!(code, 1, "{stderr}");
    assert!(
        stderr.contains("127.0.0.1:9") && stderr.contains("help: files that were not read wait"),
        "{stderr}"
    );
}
