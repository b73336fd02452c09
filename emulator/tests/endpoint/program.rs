//! The program `bucketproof-emulator`, run as a user runs it.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::task::Poll;

use bucketproof_clock::Clock;

use crate::wire::{Ask, Key, Signing, Wire};

const PROGRAM: &str = env!("CARGO_BIN_EXE_bucketproof-emulator");

pub(crate) fn run(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(PROGRAM);
    let command = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that refuses its arguments does not read.
    let _closed = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// Exit code, standard output and standard error.
pub(crate) fn check(output: &Output, code: i32, out: &str, err: &str) {
    let found = (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert_eq!(found, (Some(code), out.to_owned(), err.to_owned()));
}

/// A running `serve`, stopped when it is dropped.
pub(crate) struct Served {
    child: Child,
    pub(crate) url: String,
    /// What it printed before it was ready.
    greeting: Vec<String>,
}

impl Served {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(PROGRAM);
        let command =
            command.args(["serve", "--listen", "127.0.0.1:0"]).args(arguments).stdout(Stdio::piped());
        let mut served = Self { child: command.spawn().unwrap(), url: String::new(), greeting: Vec::new() };
        for line in BufReader::new(served.child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            if let Some(url) = line.strip_prefix("listening on ") {
                url.clone_into(&mut served.url);
                return served;
            }
            served.greeting.push(line);
        }
        panic!("it ended without listening: {:?}", served.greeting);
    }

    /// Ends it without a chance to finish anything.
    fn kill(&self) {
        let status = Command::new("kill").args(["-9", &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    pub(crate) fn get(&self, path: &str) -> String {
        let address = self.url.strip_prefix("http://").unwrap();
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

pub(crate) fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn serve_says_where_it_listens_and_answers() {
    let served = Served::start(&[]);
    assert!(served.url.starts_with("http://127.0.0.1:") && !served.url.ends_with(":0"), "{}", served.url);
    assert_eq!(served.greeting[0], "account 123456789012, user administrator");
    assert!(served.greeting[1].starts_with("AWS_ACCESS_KEY_ID=AKIA"));
    assert!(served.greeting[2].starts_with("AWS_SECRET_ACCESS_KEY="));
    assert!(served.get("/_bucketproof/health").ends_with(r#"{"status":"ok"}"#));
    assert!(served.get("/some-bucket/key").contains("<Code>NoSuchBucket</Code>"));
    let other = Served::start(&[]);
    assert_ne!(served.greeting, other.greeting, "keys are drawn anew");
}

#[test]
fn serve_begins_with_a_scenario_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let scenario =
        "[[account]]\nid = \"111122223333\"\nname = \"owner\"\n[[account.bucket]]\nname = \"logs\"\n";
    let path = write(folder.path(), "scenario.toml", scenario);
    let served = Served::start(&["--scenario", &path, "--clock", "2020-02-29T12:00:00Z"]);
    assert_eq!(served.greeting, Vec::<String>::new(), "the scenario has its own keys");
    let answer = served.get("/logs/key");
    assert!(answer.contains("<Code>AccessDenied</Code>"));
    assert!(answer.contains("date: Sat, 29 Feb 2020 12:0"), "{answer}");
}

/// Killed in the middle of its work, again and again: what it acknowledged is there, and nothing is there in part.
#[tokio::test]
async fn a_killed_server_has_lost_nothing_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state").display().to_string();
    let mut acknowledged: Vec<String> = Vec::new();
    let mut keys = None;
    for round in 0..4 {
        let served = Served::start(&["--data-dir", &state]);
        let value = |line: &str| line.split_once('=').unwrap().1.to_owned();
        let (id, secret) =
            keys.get_or_insert_with(|| (value(&served.greeting[1]), value(&served.greeting[2])));
        let key = Key::new(id, secret);
        let address = served.url.strip_prefix("http://").unwrap().parse().unwrap();
        let wire = Wire::to(address, Clock::system());
        let created = wire.send_as(key, &Ask::new("PUT", "/kept-bucket")).await;
        assert_eq!(created.status, 200, "{}", created.text());
        for name in &acknowledged {
            let found = wire.send_as(key, &Ask::new("GET", &format!("/kept-bucket/{name}"))).await;
            assert_eq!((found.status, found.text()), (200, body_of(name)), "{name}");
        }
        let listed = wire.send_as(key, &Ask::new("GET", "/kept-bucket")).await;
        for entry in listed.all_within(&["Contents"], &["Key", "Size"]) {
            assert_eq!(entry[1], body_of(&entry[0]).len().to_string(), "{}", entry[0]);
        }
        let writers = (0..4).map(|writer| {
            let wire = wire.clone();
            async move {
                let mut written = Vec::new();
                for number in 0.. {
                    let name = format!("{round}-{writer}-{number}");
                    let ask = Ask::new("PUT", &format!("/kept-bucket/{name}")).body(body_of(&name));
                    let Ok(answer) = wire.try_send(&wire.sign(&ask, &Signing::with(key))).await else {
                        break;
                    };
                    assert_eq!(answer.status, 200, "{}", answer.text());
                    written.push(name);
                }
                written
            }
        });
        let killer = async {
            // Some dozens of writes are under way or done by then.
            while wire.send_as(key, &Ask::new("HEAD", &format!("/kept-bucket/{round}-0-12"))).await.status
                != 200
            {}
            served.kill();
        };
        let (written, ()) = tokio::join!(futures_of(writers), killer);
        acknowledged.extend(written);
    }
    assert!(acknowledged.len() > 40, "{}", acknowledged.len());
}

/// A body that tells its own name, some kilobytes of it.
fn body_of(name: &str) -> String {
    format!("{name};").repeat(500)
}

async fn futures_of<F: Future<Output = Vec<String>>>(all: impl Iterator<Item = F>) -> Vec<String> {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    let mut done: Vec<Option<Vec<String>>> = all.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, slot) in all.iter_mut().zip(&mut done) {
            if slot.is_none()
                && let Poll::Ready(names) = future.as_mut().poll(context)
            {
                *slot = Some(names);
            }
        }
        if done.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done.into_iter().flatten().flatten().collect()
}

#[test]
fn serve_refuses_what_it_cannot_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "file", "");
    let answer = run(&["serve", "--listen", "127.0.0.1:0", "--data-dir", &file], "");
    assert_eq!(answer.status.code(), Some(2));
    let text = String::from_utf8_lossy(&answer.stderr).into_owned();
    assert!(text.ends_with("help: give `--data-dir` a folder that can be written to\n"), "{text}");
    let path = write(folder.path(), "scenario.toml", "[[account]]\nid = \"12\"\nname = \"owner\"\n");
    let text = format!(
        "error: {path}:2:6: field `id` of the account is `12`\nhelp: an account id is 12 digits in quotes\n"
    );
    check(&run(&["serve", "--listen", "127.0.0.1:0", "--scenario", &path], ""), 2, "", &text);
    let output = run(&["serve", "--scenario", "/missing/scenario.toml"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&output.stderr)
            .starts_with("error: /missing/scenario.toml: the scenario cannot be read")
    );
    assert_eq!(run(&["serve", "--listen", "nowhere"], "").status.code(), Some(2));
    let taken = Served::start(&[]);
    let address = taken.url.strip_prefix("http://").unwrap();
    let output = run(&["serve", "--listen", address], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains(&format!("cannot listen on `{address}`")));
}

const ALLOW: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::logs/*"}]}"#;

/// A line of `evaluate`.
fn question(id: &str, action: &str) -> String {
    let line = serde_json::json!({
        "id": id,
        "request": {
            "principal": { "type": "User", "account": "111122223333", "arn": "arn:aws:iam::111122223333:user/a" },
            "action": action,
            "resource": { "arn": "arn:aws:s3:::logs/key", "account": "111122223333" },
            "context": {},
        },
        "policies": { "identity": [serde_json::from_str::<serde_json::Value>(ALLOW).unwrap()] },
    });
    format!("{line}\n")
}

#[test]
fn evaluate_keeps_the_order_and_goes_on_after_a_bad_line() {
    let lines = [
        question("first", "s3:GetObject"),
        "{\"id\":\"second\",\"request\":7}\n".to_owned(),
        "not JSON\n".to_owned(),
        "\n".to_owned(),
        question("third", "s3:PutObject"),
    ];
    let output = run(&["evaluate"], &lines.concat());
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let answers: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 4, "{text}");
    assert_eq!((&answers[0]["id"], &answers[0]["decision"]), (&"first".into(), &"Allowed".into()));
    assert_eq!(answers[1]["id"], "second");
    assert!(answers[1]["error"].is_string() && answers[1]["decision"].is_null());
    assert!(answers[2]["error"].is_string());
    assert_eq!((&answers[3]["id"], &answers[3]["decision"]), (&"third".into(), &"ImplicitlyDenied".into()));

    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "cases.jsonl", &lines.concat());
    assert_eq!(run(&["evaluate", &path], "").stdout, output.stdout, "a file is read like standard input");
    assert_eq!(run(&["evaluate", "/missing.jsonl"], "").status.code(), Some(2));
}

#[test]
fn explain_answers_with_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let policy = write(folder.path(), "read-logs.json", ALLOW);
    let ask = |action: &str, policy: &str| {
        let principal = "arn:aws:iam::111122223333:user/alice";
        run(
            &[
                "explain",
                "--principal",
                principal,
                "--action",
                action,
                "--resource",
                "arn:aws:s3:::logs/key",
                "--identity-policy",
                policy,
            ],
            "",
        )
    };
    let yes = ask("s3:GetObject", &policy);
    assert_eq!(yes.status.code(), Some(0));
    assert!(
        String::from_utf8_lossy(&yes.stdout).starts_with("ALLOWED"),
        "{}",
        String::from_utf8_lossy(&yes.stdout)
    );
    let no = ask("s3:PutObject", &policy);
    assert_eq!(no.status.code(), Some(1));
    let text = String::from_utf8_lossy(&no.stdout);
    assert!(
        text.starts_with("DENIED (implicit)  s3:PutObject") && text.contains("identity policy `read-logs`"),
        "{text}"
    );
    let broken = write(folder.path(), "broken.json", "{\n  \"Version\": 7\n}");
    let output = ask("s3:GetObject", &broken);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with(&format!("error: {broken}:2:")));
    assert_eq!(ask("s3:GetObject", "/missing.json").status.code(), Some(2));
    let bad = run(&["explain", "--principal", "alice", "--action", "s3:GetObject"], "");
    assert_eq!(bad.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&bad.stderr).contains("help: give the ARN of a user"));
    assert_eq!(
        run(&["explain", "--principal", "anonymous", "--action", "s3:GetObject", "--context", "x"], "")
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn why_asks_a_running_emulator() {
    let folder = tempfile::tempdir().unwrap();
    let scenario =
        "[[account]]\nid = \"111122223333\"\nname = \"owner\"\n[[account.bucket]]\nname = \"logs\"\n";
    let path = write(folder.path(), "scenario.toml", scenario);
    let served = Served::start(&["--scenario", &path]);
    let endpoint = ["--endpoint", served.url.as_str()];
    let why = |more: &[&str]| run(&[&["why"], more, &endpoint].concat(), "");
    check(&why(&[]), 1, "", "error: no request was denied\n");
    let answer = served.get("/logs/key");
    let last = why(&[]);
    assert_eq!(last.status.code(), Some(0));
    assert!(
        String::from_utf8_lossy(&last.stdout)
            .starts_with("DENIED (implicit)  s3:GetObject on arn:aws:s3:::logs/key")
    );
    let (_, id) = answer.split_once("x-amz-request-id: ").unwrap();
    assert_eq!(why(&[&id[..16]]).stdout, last.stdout);
    assert_eq!(why(&["unknown"]).status.code(), Some(1));
    assert_eq!(run(&["why", "--endpoint", "ftp://x"], "").status.code(), Some(2));
    drop(served);
    let silent = run(&["why", "--endpoint", "http://127.0.0.1:9"], "");
    assert_eq!(silent.status.code(), Some(3));
    assert!(
        String::from_utf8_lossy(&silent.stderr).contains("help: start one with `bucketproof-emulator serve`")
    );
}

#[test]
fn the_journal_of_a_running_emulator_is_written() {
    let served = Served::start(&[]);
    served.get("/logs/key");
    let endpoint = ["--endpoint", served.url.as_str()];
    let lines = run(&[&["journal"], &endpoint[..]].concat(), "");
    assert_eq!(lines.status.code(), Some(0));
    let line: serde_json::Value = serde_json::from_slice(&lines.stdout).unwrap();
    assert_eq!((&line["method"], &line["path"]), (&"GET".into(), &"/logs/key".into()));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.har").display().to_string();
    check(&run(&[&["journal", "--format", "har", "--output", &path], &endpoint[..]].concat(), ""), 0, "", "");
    let archive: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(archive["log"]["entries"].as_array().unwrap().len(), 1);
    assert_eq!(run(&["journal", "--format", "pcap"], "").status.code(), Some(2));
    assert_eq!(run(&["journal", "--endpoint", "http://127.0.0.1:9"], "").status.code(), Some(3));
}
