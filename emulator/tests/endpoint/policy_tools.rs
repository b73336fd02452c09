//! The commands `policy …` on journals of an emulator.

use bucketproof_clock::Clock;
use bucketproof_emulator::{Emulator, Op, Scenario};
use serde_json::{Value, json};

use crate::program::{Served, run, write};

/// The customer of a vendor with exactly the documented policies.
const SUPRSEND: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/scenarios/suprsend/scenario.toml");
const ROLE: &str = "arn:aws:iam::111122223333:role/suprsend_s3_role";
const EXTERNAL_ID: &str = "5f0c9a1e-7d42-4c1b-9E2a-3b8d6f4a1c77";
const BUCKET: &str = "suprsend-logs-production";

fn parsed(output: &std::process::Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// An export as the vendor makes it: a look at the bucket, and an object that is read, written, and merged.
async fn export() -> Emulator {
    let scenario = Scenario::from_file(SUPRSEND).unwrap();
    let clock = Clock::manual("2026-01-01T00:00:00Z".parse().unwrap());
    let emulator = Emulator::builder().scenario(scenario).clock(clock).seed(7).start().await.unwrap();
    let session = emulator.actor("exporter").assume(ROLE, EXTERNAL_ID).await.unwrap();
    let s3 = session.s3();
    s3.list_objects_v2().bucket(BUCKET).max_keys(1).send().await.unwrap();
    for hour in ["hour=1", "hour=2", "hour=3", "hour=4"] {
        let key = format!("year=2026/{hour}/requests.parquet");
        s3.get_object().bucket(BUCKET).key(&key).send().await.unwrap_err();
        s3.put_object().bucket(BUCKET).key(&key).send().await.unwrap();
        s3.get_object().bucket(BUCKET).key(&key).send().await.unwrap();
    }
    emulator.assert_no_denials();
    emulator.requests().op(Op::PutObject).assert_count(4);
    emulator
}

/// Claims nothing beyond the journal: the three documented actions, the caller's, and the trust.
#[tokio::test]
async fn an_export_asks_for_the_documented_actions_and_nothing_more() {
    let lines = export().await.journal().to_json_lines();
    let made = run(&["policy", "generate", "-"], &lines);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let made = parsed(&made);
    let find = |kind: &str| {
        let of_kind = made.as_array().unwrap().iter().filter(|one| one["kind"] == kind);
        of_kind.cloned().collect::<Vec<_>>()
    };
    let identity = find("identity");
    let of_role = identity.iter().find(|one| one["owner"] == ROLE).unwrap();
    let statements = json!([
        { "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": [format!("arn:aws:s3:::{BUCKET}/year=2026/*")] },
        { "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": [format!("arn:aws:s3:::{BUCKET}")] },
    ]);
    assert_eq!(of_role["document"]["Statement"], statements);
    let trust = find("trust");
    assert_eq!(trust.len(), 1);
    assert_eq!(
        trust[0]["document"]["Statement"],
        json!([{
            "Effect": "Allow",
            "Principal": { "AWS": ["arn:aws:iam::924219879248:user/exporter"] },
            "Action": ["sts:AssumeRole"],
            "Condition": { "StringEquals": { "sts:ExternalId": [EXTERNAL_ID] } },
        }])
    );
    assert!(find("bucket").is_empty(), "the role is of the bucket's account");
}

/// What the export does not notice is told, each with its reason and a request that would; with those requests nothing is
/// left.
#[tokio::test]
async fn mistakes_in_the_documented_policy_are_noticed_or_explained() {
    let emulator = export().await;
    let of_role = ["policy", "mutate", "-", "--document", "identity:suprsend_s3_role"];
    let mutate = |emulator: &Emulator| run(&of_role, &emulator.journal().to_json_lines());
    let found = mutate(&emulator);
    assert_eq!(found.status.code(), Some(1), "{found:?}");
    let found = parsed(&found);
    let survivors = found["survivors"].as_array().unwrap();
    let changes: Vec<_> = survivors.iter().map(|one| one["change"].as_str().unwrap()).collect();
    assert_eq!(
        changes,
        [
            "`arn:aws:s3:::suprsend-logs-production/*` of `Resource` is widened to `arn:aws:s3:::*`",
            "`arn:aws:s3:::suprsend-logs-production` of `Resource` is widened to `arn:aws:s3:::*`",
        ],
        "nothing but what the export never tries"
    );
    for survivor in survivors {
        assert!(survivor["why"].is_string() && survivor["to_notice"].is_string(), "{survivor}");
    }
    // The request that was named: somebody else's bucket.
    let session = emulator.actor("exporter").assume(ROLE, EXTERNAL_ID).await.unwrap();
    let admin = emulator.s3("administrator");
    admin.create_bucket().bucket("other").send().await.unwrap();
    session.s3().put_object().bucket("other").key("a").send().await.unwrap_err();
    session.s3().list_objects_v2().bucket("other").send().await.unwrap_err();
    let found = mutate(&emulator);
    assert_eq!((found.status.code(), parsed(&found)["survivors"].clone()), (Some(0), json!([])), "{found:?}");
    // The trust: the export never comes without its external id, nor does a stranger.
    let trust = run(
        &["policy", "mutate", "-", "--document", "trust:suprsend_s3_role", "--format", "text"],
        &emulator.journal().to_json_lines(),
    );
    let text = String::from_utf8_lossy(&trust.stdout).into_owned();
    assert!(text.contains("the condition `StringEquals` on `sts:ExternalId` is dropped"), "{text}");
    emulator.actor("exporter").assume(ROLE, "wrong").await.unwrap_err();
    emulator.actor("administrator").assume(ROLE, EXTERNAL_ID).await.unwrap_err();
    let trust = run(
        &["policy", "mutate", "-", "--document", "trust:suprsend_s3_role"],
        &emulator.journal().to_json_lines(),
    );
    assert_eq!((trust.status.code(), parsed(&trust)["survivors"].clone()), (Some(0), json!([])), "{trust:?}");
}

#[tokio::test]
async fn other_documents_and_unused_parts_are_told() {
    let emulator = export().await;
    let lines = emulator.journal().to_json_lines();
    let folder = tempfile::tempdir().unwrap();
    let less = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:PutObject","s3:GetObject"],"Resource":"*"}}"#;
    let path = write(folder.path(), "less.json", less);
    let replace = format!("identity:suprsend-export={path}");
    let found = run(&["policy", "diff", "-", "--replace", &replace], &lines);
    assert_eq!(found.status.code(), Some(1), "{found:?}");
    let found = parsed(&found);
    let actions: Vec<_> =
        found["changed"].as_array().unwrap().iter().map(|one| one["action"].as_str().unwrap()).collect();
    // Who may not list is told 403 for keys that are missing.
    assert_eq!(actions, ["s3:ListBucket"; 5]);
    let text = run(&["policy", "diff", "-", "--replace", &replace, "--format", "text"], &lines);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(
        text.contains("Allowed -> ImplicitlyDenied  s3:ListBucket on arn:aws:s3:::suprsend-logs-production"),
        "{text}"
    );
    let same =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/scenarios/suprsend/policies/suprsend-export.json");
    let same =
        run(&["policy", "diff", "-", "--replace", &format!("identity:suprsend-export={same}")], &lines);
    assert_eq!(same.status.code(), Some(0), "{same:?}");

    let used = run(
        &["policy", "coverage", "-", "--document", "identity:suprsend_s3_role", "--format", "text"],
        &lines,
    );
    assert_eq!(used.status.code(), Some(0), "{used:?}");
    let trust =
        run(&["policy", "coverage", "-", "--document", "trust:suprsend_s3_role", "--format", "text"], &lines);
    assert_eq!(trust.status.code(), Some(1));
    let text = String::from_utf8_lossy(&trust.stdout).into_owned();
    assert!(
        text.contains(&format!(
            "condition `StringEquals sts:ExternalId {EXTERNAL_ID}`: no request failed it"
        )),
        "{text}"
    );
}

#[test]
fn bad_input_to_the_policy_tools_is_named() {
    let error = |arguments: &[&str], input: &str| {
        let output = run(&[&["policy"], arguments].concat(), input);
        assert_eq!(output.status.code(), Some(2), "{arguments:?} {output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(error(&["generate", "-"], "x\n").starts_with("error: the journal cannot be read: line 1: "));
    let unasked =
        r#"{"request_id":"R","decisions":[{"action":"s3:GetObject","resource":"*","outcome":"Allowed"}]}"#;
    assert!(
        error(&["mutate", "-"], unasked)
            .contains("has no `question`; write the journal with `bucketproof-emulator journal`")
    );
    assert!(
        error(&["mutate", "-", "--document", "folder:x"], "")
            .contains("`folder` is no kind of policy; the kinds are identity, boundary")
    );
    assert!(
        error(&["coverage", "-", "--document", "bucket:x"], "")
            .contains("the journal has no document `bucket:x`")
    );
    assert!(error(&["diff", "-"], "").contains("no document is given"));
    assert!(error(&["diff", "-", "--replace", "bucket:x"], "").contains("`bucket:x` names no file"));
    assert!(
        error(&["diff", "-", "--replace", "bucket:x=/missing.json"], "")
            .contains("`/missing.json` cannot be read")
    );
    let folder = tempfile::tempdir().unwrap();
    let broken = write(folder.path(), "broken.json", "{\n  \"Version\": 7\n}");
    assert!(
        error(&["diff", "-", "--add", &format!("bucket:x={broken}")], "")
            .starts_with(&format!("error: {broken}:2:"))
    );
    assert!(!error(&["generate", "-", "--endpoint", "http://127.0.0.1:9"], "").is_empty());
    assert_eq!(run(&["policy", "generate", "--endpoint", "http://127.0.0.1:9"], "").status.code(), Some(3));
    assert_eq!(run(&["policy", "mutate", "/missing.jsonl"], "").status.code(), Some(2));
    let served = Served::start(&[]);
    served.get("/logs/key");
    // Nobody known has asked for anything.
    assert_eq!(run(&["policy", "generate", "--endpoint", &served.url], "").status.code(), Some(1));
    assert_eq!(run(&["policy", "coverage", "--endpoint", &served.url], "").status.code(), Some(0));
}
