//! `import check`: what a report would say of files of this machine.

use std::path::Path;

use arrow_array::{ArrayRef, Int64Array, StringArray};
use parquet::basic::Compression;
use serde_json::{Value, json};

use crate::files::{NEW_YEAR_MS, Row, columns, file, parquet, with_column, without_column};
use crate::program::{run, shown};
use crate::rig::config_text;

fn prepared() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let text = config_text(&[("web", "s"), ("app", "s")]).replacen("\"prod\", \"staging\"", "\"staging\"", 1);
    // The first connection has one environment less than the second.
    std::fs::write(directory.path().join("i.toml"), text).unwrap();
    directory
}

fn check(directory: &Path, more: &[&str]) -> (i32, String, String) {
    let output = run(directory, &[&["import", "check", "--config", "i.toml"], more].concat());
    shown(&output)
}

fn array(array: impl arrow_array::Array + 'static) -> ArrayRef {
    std::sync::Arc::new(array)
}

/// A good file is well, in words and as a report; nothing is written beside it.
#[test]
fn a_good_file_is_valid() {
    let directory = prepared();
    let rows: Vec<Row> = (0..5).map(Row::good).collect();
    std::fs::write(directory.path().join("good.parquet"), file(&rows)).unwrap();
    let arguments = ["--connection", "app", "good.parquet"];
    let (code, stdout, stderr) = check(directory.path(), &arguments);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert_eq!(stdout, "good.parquet\n  5 rows are valid\n");
    let (code, stdout, _) = check(directory.path(), &[&arguments[..], &["--json"]].concat());
    let report: Value = serde_json::from_str(&stdout).unwrap();
    let entry = &report["good.parquet"][0];
    assert_eq!(code, 0);
    let told = (&entry["entryId"], &entry["valid"], &entry["numberOfRows"], &entry["errors"]);
    assert_eq!(told, (&json!(1), &json!(true), &json!(5), &json!([])));
    // The environments are those of the connection.
    let (code, stdout, stderr) = check(directory.path(), &["good.parquet"]);
    assert_eq!(code, 1, "{stdout}");
    assert!(stdout.contains("5 rows are refused") && stdout.contains("INVALID_ENVIRONMENT_ID"), "{stdout}");
    assert!(stdout.contains("`prod`"), "{stdout}");
    assert!(stderr.contains("1 of 1 files have something wrong") && stderr.contains("help: "), "{stderr}");
    let mut left: Vec<_> =
        std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["good.parquet", "i.toml"], "nothing is stored");
}

/// What is wrong is named with column, type and value, file by file.
#[test]
fn each_wrong_file_is_named_with_what_is_wrong() {
    let directory = prepared();
    let good = file(&[Row::good(0), Row::good(1)]);
    let mut unknown = columns(&[Row::good(0)]);
    unknown.push(("colour", array(StringArray::from(vec!["red"]))));
    for (name, body, words) in [
        (
            "type",
            with_column("value", array(Int64Array::from(vec![1]))),
            vec!["refused as a whole", "INVALID_SCHEMA: column `value` is INT64, not a double"],
        ),
        ("missing", without_column("key"), vec!["INVALID_SCHEMA", "`key`"]),
        (
            "truncated",
            good.slice(..good.len() / 2),
            vec!["INVALID_SCHEMA: the file is cut off", "upload it again"],
        ),
        ("empty", good.slice(..0), vec!["INVALID_SCHEMA", "empty"]),
        (
            "null",
            file(&[Row { key: None, ..Row::good(0) }]),
            vec!["1 row is refused", "REQUIRED_FIELDS_NULL: null in required field: key"],
        ),
        (
            "seconds",
            file(&[Row { timestamp: Some(NEW_YEAR_MS / 1000), ..Row::good(0) }, Row::good(1)]),
            vec!["1 row is valid", "1 row is refused", "INVALID_TIMESTAMP", "in seconds"],
        ),
    ] {
        std::fs::write(directory.path().join(name), &body).unwrap();
        let (code, stdout, stderr) = check(directory.path(), &["--connection", "app", name]);
        assert_eq!(code, 1, "{name}: {stdout}{stderr}");
        for word in words {
            assert!(stdout.contains(word), "{name} lacks `{word}`: {stdout}");
        }
    }
    // A column that the profile does not know is passed over, as an import does; several files are told together.
    std::fs::write(directory.path().join("unknown"), parquet(unknown, Compression::SNAPPY)).unwrap();
    let (code, stdout, stderr) =
        check(directory.path(), &["--connection", "app", "unknown", "truncated", "seconds"]);
    assert_eq!(code, 1);
    assert!(stdout.contains("unknown\n  1 row is valid\n"), "{stdout}");
    assert!(stderr.contains("2 of 3 files have something wrong"), "{stderr}");
    let (code, stdout, _) = check(directory.path(), &["--connection", "app", "unknown"]);
    assert_eq!(code, 0, "{stdout}");
    // As JSON an error stays an error, and standard output one document.
    let (code, stdout, stderr) = check(directory.path(), &["--connection", "app", "--json", "truncated"]);
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &report["truncated"][0]["errors"]), (1, &json!(["INVALID_SCHEMA"])), "{stderr}");
}

/// What cannot be examined is a matter of usage, and says what next.
#[test]
fn what_is_not_there_is_usage() {
    let directory = prepared();
    std::fs::write(directory.path().join("good"), file(&[Row::good(0)])).unwrap();
    let (code, _, stderr) = check(directory.path(), &["nowhere.parquet"]);
    assert!(code == 2 && stderr.contains("`nowhere.parquet`") && stderr.contains("help: "), "{stderr}");
    let (code, _, stderr) = check(directory.path(), &["."]);
    assert!(code == 2 && stderr.contains("`.`"), "{stderr}");
    let (code, _, stderr) = check(directory.path(), &["--connection", "other", "good"]);
    assert!(code == 2 && stderr.contains("no connection of that name"), "{stderr}");
    let (code, _, _) = check(directory.path(), &[]);
    assert_eq!(code, 2);
}
