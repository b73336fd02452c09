//! Bad input, end to end: each ends with a message that says what and where, and with its exit code; never with a pass.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use bucketproof_clock::Clock;
use bucketproof_emulator::{Emulator, Scenario};

const KEY_ID: &str = "AKIAOFTHESETESTS0000";
const SECRET: &str = "a secret that no message may show";

/// Runs the program, with credentials that nobody knows.
fn program(arguments: &[&str]) -> Output {
    with_key(arguments, KEY_ID, SECRET)
}

fn with_key(arguments: &[&str], id: &str, secret: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bucketproof-conformance"))
        .args(arguments)
        .env("AWS_ACCESS_KEY_ID", id)
        .env("AWS_SECRET_ACCESS_KEY", secret)
        .env_remove("AWS_SESSION_TOKEN")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The run ends with this code, and says each of these; never that it passed, and never the secret.
#[track_caller]
fn ends(output: &Output, code: i32, says: &[&str]) {
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert_ne!(code, 0);
    for part in says {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
    assert!(!text.contains(SECRET), "{text}");
}

/// A server that answers every connection with the same bytes; without bytes it takes the request and says nothing.
fn server(answer: Option<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let Some(answer) = &answer else {
                silent.push(stream);
                continue;
            };
            let answer = answer.clone();
            std::thread::spawn(move || {
                let mut buffer = [0; 8192];
                // Whoever hangs up gets no answer.
                let _read = stream.read(&mut buffer);
                let _written = stream.write_all(answer.as_bytes());
            });
        }
    });
    url
}

fn answering(status: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close");
    server(Some(format!("{head}\r\n\r\n{body}")))
}

/// A URL where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn names_that_nobody_has_are_refused_with_what_there_is() {
    ends(&program(&["run", "s3.put-object.round-tripp"]), 2, &["s3.put-object.round-tripp", "help"]);
    ends(&program(&["run", "--area", "s3.objects"]), 2, &["s3.objects", "s3.object"]);
    ends(&program(&["run", "--profile", "suprsend_s3_v3"]), 2, &["suprsend_s3_v3", "suprsend_s3_v2"]);
    ends(&program(&["run", "--level", "may"]), 2, &["may", "must"]);
    ends(&program(&["run", "--target", "minio"]), 2, &["minio", "s3s-fs"]);
    ends(&program(&["run", "--target", "ftp://127.0.0.1"]), 2, &["ftp://127.0.0.1", "http://"]);
    ends(&program(&["run", "--target", "http://user:pw@127.0.0.1"]), 2, &["credentials do not belong"]);
    ends(&program(&["explain", "no.such.check"]), 2, &["no.such.check"]);
    ends(&program(&["verify", "--profile", "nobody_s3", "."]), 2, &["nobody_s3"]);
    ends(&program(&["verify", "--profile", "suprsend_s3_v2", "s3:///prefix"]), 2, &["s3:///prefix"]);
    ends(
        &program(&["run", "--area", "connector", "--level", "should", "--profile", "adapty_s3"]),
        4,
        &["no check"],
    );
}

#[test]
fn files_that_cannot_be_used_are_refused_under_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = file(folder.path(), "garbage", "no report");
    let garbage = garbage.to_str().unwrap();
    ends(&program(&["run", "--rerun", garbage]), 2, &[garbage]);
    ends(&program(&["run", "--accounts", garbage, "--target", "http://127.0.0.1:1"]), 2, &[garbage]);
    ends(&program(&["run", "--scenario", garbage]), 2, &[garbage]);
    ends(&program(&["run", "--json", "/nowhere/report.json", "sts"]), 2, &["/nowhere/report.json"]);
    ends(&program(&["gate", "--baseline", garbage]), 2, &[garbage]);
    let absent = folder.path().join("absent.toml");
    ends(&program(&["gate", "--baseline", absent.to_str().unwrap()]), 2, &["absent.toml"]);
}

#[test]
fn a_baseline_with_ids_that_are_gone_is_refused_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let of = |lacks: &str, fails: &str| {
        let text = format!(
            "schema = \"bucketproof-baseline/1\"\n[[target]]\nname = \"emulator\"\nlacks = [{lacks}]\n[target.fails]\n{fails}\n"
        );
        file(folder.path(), "baseline.toml", &text)
    };
    let gate = |baseline: &Path, more: &[&str]| {
        let mut arguments = vec!["gate", "--baseline", baseline.to_str().unwrap(), "--area", "s3.cors"];
        arguments.extend(more);
        program(&arguments)
    };
    ends(&gate(&of("", "\"s3.cors.gone\" = \"x\""), &[]), 2, &["s3.cors.gone"]);
    ends(&gate(&of("\"teleportation\"", ""), &[]), 2, &["teleportation"]);
    // What is known to fail and does not is for the baseline to learn.
    ends(&gate(&of("", "\"s3.cors.none\" = \"x\""), &[]), 1, &["s3.cors.none"]);
    ends(&gate(&of("", ""), &["--target", "s3s-fs"]), 2, &["s3s-fs"]);
}

#[test]
fn an_endpoint_that_is_down_or_slow_breaks_the_run() {
    ends(&program(&["run", "--target", &nobody()]), 3, &["cannot reach", "--target"]);
    let slow = program(&["run", "--target", &server(None), "--timeout", "1"]);
    ends(&slow, 3, &["does not answer within 1 s", "--timeout"]);
    let failing = answering(
        "500 Internal Server Error",
        "application/xml",
        "<Error><Code>InternalError</Code></Error>",
    );
    ends(&program(&["run", "--target", &failing]), 3, &["500 InternalError"]);
    ends(&program(&["gate", "--baseline", "baseline.toml", "--target", &nobody()]), 3, &["cannot reach"]);
    let verify = ["verify", "--profile", "suprsend_s3_v2", "--endpoint-url", &nobody(), "s3://bucket/prefix"];
    ends(&program(&verify), 3, &["cannot list `s3://bucket/prefix/`"]);
}

#[test]
fn an_endpoint_that_is_none_or_lies_is_no_pass() {
    let html = answering("200 OK", "text/html", "<html><body>It works!</body></html>");
    ends(&program(&["run", "--target", &html]), 2, &["is not S3", "text/html"]);
    let empty = answering("200 OK", "application/xml", "");
    let told = program(&["run", "--target", &empty, "s3.put-object"]);
    assert!(matches!(told.status.code(), Some(1..=3)), "{told:?}");
    // Whatever it is asked, it says that all is well and lists no bucket.
    let buckets = "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>";
    let liar = answering("200 OK", "application/xml", buckets);
    for selected in ["s3.put-object", "s3.lock", "auth", "sns", "events", "s3.post"] {
        let told = program(&["run", "--target", &liar, selected]);
        let text = String::from_utf8_lossy(&told.stdout);
        assert!(matches!(told.status.code(), Some(1 | 3 | 4)), "{selected}: {told:?}");
        assert!(!text.contains("1 passed") || text.contains("failed"), "{text}");
    }
    let verify = ["verify", "--profile", "suprsend_s3_v2", "--endpoint-url", &html, "s3://bucket/prefix"];
    let told = program(&verify);
    assert!(matches!(told.status.code(), Some(2 | 3)), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_may_nothing_are_told_so() {
    let scenario = "[[account]]\nid = \"111122223333\"\nname = \"a\"\n[[account.user]]\nname = \"newcomer\"\n\
                    [[account.user.access_key]]\nid = \"AKIANEWCOMER00000000\"\nsecret = \"newcomersSecret\"\n\
                    [[account.user]]\nname = \"reader\"\npolicies = ['{\"Version\":\"2012-10-17\",\"Statement\":\
                    [{\"Effect\":\"Allow\",\"Action\":[\"s3:CreateBucket\",\"s3:DeleteBucket\",\"s3:List*\"],\"Resource\":\"*\"}]}']\n\
                    [[account.user.access_key]]\nid = \"AKIAREADER0000000000\"\nsecret = \"readersSecret\"\n";
    let scenario = Scenario::from_toml(scenario).unwrap();
    let builder = Emulator::builder().scenario(scenario).clock(Clock::system());
    let emulator = builder.listen("127.0.0.1:0".parse().unwrap()).start().await.unwrap();
    let url = emulator.endpoint_url();
    let told = tokio::task::spawn_blocking(move || {
        ends(
            &program(&["run", "--target", &url]),
            2,
            &["refuses the credentials", KEY_ID, "InvalidAccessKeyId"],
        );
        let wrong = with_key(&["run", "--target", &url], "AKIANEWCOMER00000000", SECRET);
        ends(&wrong, 2, &["refuses the credentials", "SignatureDoesNotMatch"]);
        let newcomer = with_key(&["run", "--target", &url], "AKIANEWCOMER00000000", "newcomersSecret");
        ends(&newcomer, 2, &["may not make a bucket", "AccessDenied"]);
        let reader = with_key(&["run", "--target", &url], "AKIAREADER0000000000", "readersSecret");
        ends(&reader, 2, &["may not write an object", "AccessDenied"]);
        let verify =
            ["verify", "--profile", "suprsend_s3_v2", "--endpoint-url", &url, "s3://nobodys-bucket/x"];
        ends(
            &with_key(&verify, "AKIANEWCOMER00000000", "newcomersSecret"),
            2,
            &["cannot list", "s3:ListBucket"],
        );
    });
    told.await.unwrap();
    let left = emulator.journal().entries();
    assert!(left.iter().any(|entry| entry.method == "DELETE"), "the probe's bucket is taken away");
}

#[test]
fn nothing_is_no_pass() {
    let folder = tempfile::tempdir().unwrap();
    let verify = ["verify", "--profile", "suprsend_s3_v2", folder.path().to_str().unwrap()];
    ends(&program(&verify), 4, &["0 objects"]);
    ends(&program(&["verify", "--profile", "suprsend_s3_v2", "/nowhere/at/all"]), 2, &["/nowhere/at/all"]);
    let skipped = program(&["run", "--target", "s3s-fs", "--area", "s3.lock"]);
    ends(&skipped, 4, &["object-lock"]);
    let without = Command::new(env!("CARGO_BIN_EXE_bucketproof-conformance"))
        .args(["run", "--target", "http://127.0.0.1:1"])
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .output()
        .unwrap();
    ends(&without, 2, &["there are no credentials", "--accounts"]);
}
