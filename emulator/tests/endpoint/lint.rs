//! `bucketproof-emulator lint`, run as a user runs it.

use std::path::Path;

use super::program::{check, run, write};

/// Exit code and standard output of `lint` on one file, with the file's name in short.
fn lint(arguments: &[&str], text: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "policy.json", text);
    let output = run(&[&["lint"], arguments, &[path.as_str()]].concat(), "");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    (output.status.code(), String::from_utf8(output.stdout).unwrap().replace(&path, "policy.json"))
}

fn statement(elements: &str) -> String {
    format!("{{\"Version\": \"2012-10-17\", \"Statement\": [\n{{\"Effect\": \"Allow\", {elements}}}]}}")
}

#[test]
fn a_policy_without_mistakes_is_silent() {
    let text = statement(r#""Action": "s3:GetObject", "Resource": "arn:aws:s3:::logs/*""#);
    assert_eq!(lint(&[], &text), (Some(0), String::new()));
    assert_eq!(lint(&["--json"], &text), (Some(0), String::new()));
    assert_eq!(lint(&["--kind", "session"], &text), (Some(0), String::new()));
    assert_eq!(lint(&["--kind", "scp"], &text), (Some(0), String::new()));
    assert_eq!(lint(&["--kind", "boundary"], &text), (Some(0), String::new()));
}

#[test]
fn every_kind_of_mistake_is_found() {
    for (elements, message, help) in [
        (
            r#""Action": "s3:GetObjects", "Resource": "*""#,
            "2:31: there is no action `s3:GetObjects`",
            "write `s3:GetObject`",
        ),
        (
            r#""Action": "s3:GetObject", "Resource": "arn:aws:s3:::logs""#,
            "2:31: `s3:GetObject` applies to no resource of the statement",
            "it applies to objects: write `arn:aws:s3:::logs/*`",
        ),
        (
            r#""Action": "s3:GetObject", "Resource": ["arn:aws:s3:::logs/*", "arn:aws:s3:::logs"]"#,
            "2:83: no action of the statement applies to `arn:aws:s3:::logs`",
            "remove the resource, or list the actions that it is for",
        ),
        (
            r#""Action": "s3:*", "Resource": "arn:aws:s3:::logs""#,
            "2:51: `s3:*` on `arn:aws:s3:::logs` covers the bucket and none of its objects",
            "add `arn:aws:s3:::logs/*`",
        ),
        (
            r#""Action": "s3:GetObject", "Resource": "*", "Condition": {"StringEquals": {"s3:prefix": "a"}}"#,
            "2:95: requests for `s3:GetObject` never have the condition key `s3:prefix`",
            "put the actions that have the key into a statement of their own",
        ),
        (
            r#""Action": "s3:ListBucket", "Resource": "*", "Condition": {"StringEquals": {"s3:prefixes": "a"}}"#,
            "2:96: S3 has no condition key `s3:prefixes`",
            "write `s3:prefix`",
        ),
        (
            r#""Action": "kms:Decrypt", "Resource": "*""#,
            "2:58: `kms:Decrypt` is allowed on every key, those of other accounts included",
            "name the keys, or add a condition such as `kms:ViaService`",
        ),
        (
            r#""Action": "kms:*", "Resource": "arn:aws:kms:eu-west-1:111122223333:key/1""#,
            "2:31: `kms:*` allows to change the policy of a key and to delete it",
            "list the actions that use the key, such as `kms:Decrypt` and `kms:GenerateDataKey`",
        ),
        (
            r#""Action": "s3:GetObject", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/99"}}"#,
            "2:92: `10.0.0.0/99` is not an address, and matches nothing under `IpAddress`",
            "write an address or a range such as `192.0.2.0/24`",
        ),
    ] {
        let expected = format!("policy.json:{message}\n  help: {help}\n");
        assert_eq!(lint(&[], &statement(elements)), (Some(1), expected));
    }
    let old = statement(r#""Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${aws:username}""#);
    let (code, text) = lint(&[], &old.replace("2012-10-17", "2008-10-17"));
    assert_eq!(code, Some(1));
    assert!(text.contains("the version of the policy has no variables"), "{text}");
}

#[test]
fn what_aws_refuses_is_said_in_its_words() {
    let principal = r#""Principal": {"AWS": "111122223333"}"#;
    let trust = statement(&format!(r#"{principal}, "Action": "sts:*""#));
    let (code, text) = lint(&[], &trust);
    assert_eq!(code, Some(1));
    assert!(
        text.ends_with("  AWS says: AssumeRole policy may only specify STS AssumeRole actions.\n"),
        "{text}"
    );
    let bucket = statement(&format!(
        r#"{principal}, "Action": "s3:GetObject", "Resource": ["arn:aws:s3:::logs/*", "arn:aws:s3:::other/*"]"#
    ));
    let (code, text) = lint(&["--json"], &bucket);
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(code, Some(1));
    assert_eq!(
        line,
        serde_json::json!({
            "file": "policy.json",
            "line": 2,
            "column": 121,
            "message": "`arn:aws:s3:::other/*` is not a resource of the bucket `logs`",
            "help": "write `arn:aws:s3:::logs` for the bucket or `arn:aws:s3:::logs/*` for its objects",
            "kind": "refused",
            "aws_code": "MalformedPolicy",
            "aws_message": "Policy has invalid resource",
        })
    );
    // A name that is a wildcard tells no bucket.
    assert_eq!(lint(&[], &bucket.replace("logs", "*").replace("other", "*")).0, Some(0));
    let (_, text) = lint(&["--kind", "identity"], &bucket);
    assert!(text.ends_with("AWS says: Policy document should not specify a principal.\n"), "{text}");
    assert_eq!(lint(&[], "{").0, Some(1));
    let topic = statement(&format!(r#"{principal}, "Action": "sns:*", "Resource": "*""#));
    assert!(lint(&[], &topic).1.contains("Policy statement action out of service scope!"));
    let key = statement(r#""Principal": {}, "Action": "kms:*", "Resource": "*""#);
    assert!(lint(&[], &key).1.contains("Policy contains a statement with no principal."));
    let old = statement(r#""Action": "s3:GetObject", "Resource": "*""#).replace("2012", "2008");
    assert_eq!(lint(&["--kind", "identity"], &old).0, Some(0));
    assert!(lint(&["--kind", "boundary"], &old).1.contains("must be version 2012-10-17 or greater"));
}

#[test]
fn findings_are_json_on_request() {
    let (code, text) =
        lint(&["--json"], &statement(r#""Action": ["s3:Gets", "s3:GetObjects"], "Resource": "*""#));
    assert_eq!((code, text.lines().count()), (Some(1), 2));
    let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(
        first,
        serde_json::json!({
            "file": "policy.json",
            "line": 2,
            "column": 32,
            "message": "there is no action `s3:Gets`",
            "help": "see the list of actions of s3",
            "kind": "unknown_action",
        })
    );
}

#[test]
fn several_files_are_read_and_those_that_cannot_be_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = statement(r#""Action": "s3:GetObjects", "Resource": "*""#);
    let one = write(folder.path(), "one.json", &wrong);
    let two = write(folder.path(), "two.json", &statement(r#""Action": "s3:GetObject", "Resource": "*""#));
    let found = "2:31: there is no action `s3:GetObjects`\n  help: write `s3:GetObject`\n";
    check(&run(&["lint", &two, &one], ""), 1, &format!("{one}:{found}"), "");
    check(&run(&["lint", "-"], &wrong), 1, &format!("-:{found}"), "");
    let missing = Path::new("/missing/policy.json").display().to_string();
    let output = run(&["lint", &missing, &one], "");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{one}:{found}"));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        text.starts_with(&format!("error: `{missing}` cannot be read"))
            && text.contains("help: check the path")
    );
    assert_eq!(run(&["lint"], "").status.code(), Some(2));
    assert_eq!(run(&["lint", "--kind", "queue", &one], "").status.code(), Some(2));
}
