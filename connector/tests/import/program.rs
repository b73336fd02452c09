//! The commands: `import`, `import policy` and `status read`.

use std::process::{Command, Output};

use crate::rig::{BUCKET, config_text};

pub(crate) fn run(directory: &std::path::Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bucketproof-connector"))
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .env("IMPORT_SECRET", "secret")
        .output()
        .unwrap()
}

pub(crate) fn shown(output: &Output) -> (i32, String, String) {
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

/// Claims SPL-11, SPL-12, SPL-13: what the topic's policy has is kept, and the statement comes once.
#[test]
fn the_statement_of_a_topic_is_merged_and_the_notification_printed() {
    let directory = tempfile::tempdir().unwrap();
    let topic = "arn:aws:sns:us-east-1:111122223333:events";
    let hears = format!("topic_arn = \"{topic}\"\nsuffix = \".snappy.parquet\"\nenvironments");
    let text = config_text(&[("events", "my_statuses")]).replace("environments", &hears);
    std::fs::write(directory.path().join("i.toml"), text).unwrap();
    let printed = |more: &[&str]| -> serde_json::Value {
        let arguments = [&["import", "policy", "--config", "i.toml"], more].concat();
        let (code, stdout, stderr) = shown(&run(directory.path(), &arguments));
        assert_eq!((code, stderr.as_str()), (0, ""));
        serde_json::from_str::<serde_json::Value>(&stdout).unwrap()["events"].clone()
    };
    let statement = serde_json::json!({
        "Sid": "S3 Events Notification", "Effect": "Allow", "Principal": { "Service": "s3.amazonaws.com" },
        "Action": "SNS:Publish", "Resource": topic,
        "Condition": {
            "StringEquals": { "aws:SourceAccount": "111122223333" },
            "ArnLike": { "aws:SourceArn": format!("arn:aws:s3:::{BUCKET}") },
        },
    });
    assert_eq!(printed(&["--topic"])["Statement"], serde_json::json!([statement]));
    let own = serde_json::json!({
        "Version": "2008-10-17", "Id": "__default_policy_ID",
        "Statement": { "Sid": "__default_statement_ID", "Effect": "Allow", "Principal": { "AWS": "*" },
            "Action": "SNS:Publish", "Resource": topic,
            "Condition": { "StringEquals": { "AWS:SourceOwner": "111122223333" } } },
    });
    let merge = |policy: &serde_json::Value, more: &[&str]| {
        std::fs::write(directory.path().join("topic.json"), policy.to_string()).unwrap();
        printed(&[&["--merge", "topic.json"], more].concat())
    };
    let merged = merge(&own, &[]);
    assert_eq!((&merged["Version"], &merged["Id"]), (&own["Version"], &own["Id"]));
    assert_eq!(merged["Statement"], serde_json::json!([own["Statement"], statement]));
    assert_eq!(merge(&merged, &[]), merged, "once is enough");
    // Another account is another statement, under another name.
    let twice = merge(&merged, &["--account", "999988887777"]);
    assert_eq!(twice["Statement"][2]["Sid"], format!("S3 Events Notification {BUCKET}"));
    assert_eq!(
        printed(&["--notification"]),
        serde_json::json!({ "TopicConfigurations": [{
            "Id": "events", "TopicArn": topic, "Events": ["s3:ObjectCreated:*"],
            "Filter": { "Key": { "FilterRules": [
                { "Name": "prefix", "Value": "events/" }, { "Name": "suffix", "Value": ".snappy.parquet" },
            ]}},
        }]})
    );
    for wrong in ["[]", "{}", "no"] {
        std::fs::write(directory.path().join("topic.json"), wrong).unwrap();
        let arguments = ["import", "policy", "--config", "i.toml", "--merge", "topic.json"];
        let (code, _, stderr) = shown(&run(directory.path(), &arguments));
        assert!(code == 2 && stderr.contains("not a policy document"), "{stderr}");
    }
    let (code, _, stderr) = shown(&run(directory.path(), &["import", "policy", "--config", "i.toml"]));
    assert!(code == 2 && stderr.contains("--principal"), "{stderr}");
}

/// Claims SPL-Q19: the statement with spaces in its name is printed for topics, as documented, and who would put it among those
/// of an identity, where such a name is not valid, is told.
#[test]
fn the_statement_of_a_topic_is_not_put_into_the_policy_of_an_identity() {
    let directory = tempfile::tempdir().unwrap();
    let hears = "topic_arn = \"arn:aws:sns:us-east-1:111122223333:events\"\nenvironments";
    let text = config_text(&[("events", "my_statuses")]).replace("environments", hears);
    std::fs::write(directory.path().join("i.toml"), text).unwrap();
    let merged = |policy: &str| {
        std::fs::write(directory.path().join("policy.json"), policy).unwrap();
        shown(&run(directory.path(), &["import", "policy", "--config", "i.toml", "--merge", "policy.json"]))
    };
    for identity in [
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sns:*","Resource":"*"}]}"#,
        r#"{"Version":"2012-10-17","Statement":{"Sid":"Mine","Effect":"Allow","Action":"s3:*","Resource":"*"}}"#,
    ] {
        let (code, stdout, stderr) = merged(identity);
        assert_eq!((code, stdout.as_str()), (2, ""));
        for words in [
            "policy of an identity",
            "`S3 Events Notification`",
            "letters and digits",
            "help: give the policy of the topic",
        ] {
            assert!(stderr.contains(words), "{words}: {stderr}");
        }
    }
    // A policy without any statement may be that of a topic.
    let (code, stdout, _) = merged(r#"{"Version":"2012-10-17","Statement":[]}"#);
    assert!(code == 0 && stdout.contains("\"Sid\": \"S3 Events Notification\""), "{stdout}");
}

/// Claims SPL-28, SPL-29, SPL-30: each connection has its own endpoint, and its state is shown before anything is called.
#[test]
fn connections_are_shown_with_their_endpoints() {
    let directory = tempfile::tempdir().unwrap();
    let hears = "topic_arn = \"arn:aws:sns:us-east-1:111122223333:events\"\nenvironments";
    let text = config_text(&[("web", "s"), ("app", "s")]).replace("environments", hears);
    let endpoint =
        "[endpoint]\nlisten = \"127.0.0.1:0\"\npublic_url = \"https://events.example.com/\"\n[state]";
    let text = format!(
        "role_arn = \"arn:aws:iam::444455556666:role/import\"\n{}",
        text.replacen("[state]", endpoint, 1)
    );
    std::fs::write(directory.path().join("i.toml"), &text).unwrap();
    let (code, stdout, _) =
        shown(&run(directory.path(), &["import", "show", "--config", "i.toml", "--json"]));
    let views: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(code, 0);
    let urls: Vec<&str> = [0, 1].map(|at| views[at]["endpoint_url"].as_str().unwrap()).to_vec();
    assert!(
        urls[0] != urls[1] && urls[0].starts_with("https://events.example.com/notifications/"),
        "{urls:?}"
    );
    assert_eq!(views[0]["access"]["state"], "processing");
    assert_eq!(views[0]["role_arn"], "arn:aws:iam::444455556666:role/import");
    let (_, again, _) = shown(&run(directory.path(), &["import", "show", "--config", "i.toml"]));
    assert!(
        again.contains(urls[0]) && again.contains("Processing") && again.contains("not confirmed yet"),
        "{again}"
    );
    for (wrong, right, words) in [
        ("https://events", "http://events", "plain http"),
        ("127.0.0.1:0", "localhost", "not an address and port"),
        ("[state]", "certificate = \"c.pem\"\n[state]", "both `certificate` and `private_key`"),
        ("arn:aws:iam::444455556666:role/import", "import", "not the ARN of a role"),
    ] {
        std::fs::write(directory.path().join("i.toml"), text.replacen(wrong, right, 1)).unwrap();
        let (code, _, stderr) = shown(&run(directory.path(), &["import", "show", "--config", "i.toml"]));
        assert!(code == 2 && stderr.contains(words), "{stderr}");
    }
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
