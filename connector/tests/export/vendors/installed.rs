//! Installing over HTTP: the page's request, and everything that is wrong with others.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use bucketproof_clock::Entropy;
use bucketproof_connector::config::Config;
use bucketproof_connector::engine::Connection;
use bucketproof_connector::install::{InstallRefusal, Installer};
use bucketproof_connector::profile::VendorProfile;
use bucketproof_connector::store::S3Store;
use serde_json::{Value, json};

use super::place::{BUCKET, KEY_ID, Place, SECRET};

const PATH: &str = "/v1/admin/integration-catalog/amazon_s3/install";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The request of the page, for the bucket of these tests.
fn request() -> Value {
    json!({
        "name": "Amazon S3",
        "variant": "default",
        "config": {
            "bucket": BUCKET,
            "region": "us-east-1",
            "access_key_id": KEY_ID,
            "secret_access_key": SECRET,
            "prefix": "events/",
            "storage_class": "STANDARD",
            "server_side_encryption": "AES256"
        },
        "delivery_mode": "server_side"
    })
}

struct Program {
    child: Child,
    host: String,
    folder: tempfile::TempDir,
}

impl Program {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), format!("{TOKEN}\n")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_bucketproof-connector"))
            .args(["install", "--profile", "datafly_s3", "--dir", "installed", "--listen", "127.0.0.1:0"])
            .args(["--token-file", "token"])
            .current_dir(folder.path())
            .env_clear()
            .env("BUCKETPROOF_LOG", "trace")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("installing by POST http://").unwrap().to_owned();
        assert!(url.ends_with(PATH), "{url}");
        Self { child, host: url.strip_suffix(PATH).unwrap().to_owned(), folder }
    }

    /// Status, headers and body of an answer.
    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String, Value) {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let headers: Vec<String> =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n{}", self.host, headers.concat());
        write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(!answer.contains(SECRET) && !answer.contains(TOKEN) && !answer.contains(KEY_ID), "{answer}");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_lowercase(), serde_json::from_str(body).unwrap())
    }

    fn install(&self, body: &Value) -> (u16, Value) {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let (status, _, body) = self.ask("POST", PATH, &headers, &body.to_string());
        (status, body)
    }

    /// Ends the program; what it logged.
    fn end(mut self) -> String {
        self.child.kill().unwrap();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        self.child.wait().unwrap();
        said
    }
}

/// Every file below a directory that holds a text.
fn files_with(directory: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if std::fs::read_to_string(&path).unwrap().contains(text) {
            found.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    found
}

/// Claims DAT-19, DAT-20, DAT-Q10.
#[test]
fn the_request_of_the_page_installs_once_and_tells_no_secret() {
    let program = Program::start();
    let (status, first) = program.install(&request());
    assert_eq!(status, 201, "{first}");
    assert_eq!((first["name"].as_str(), first["variant"].as_str()), (Some("Amazon S3"), Some("default")));
    assert_eq!(first["blueprint"], json!({ "name": "default", "forwards": ["events"] }));
    assert_eq!(first["config"]["bucket"], BUCKET);
    assert!(first["config"].get("secret_access_key").is_none(), "{first}");
    // The same again is the same, another one of that name is refused.
    let (status, again) = program.install(&request());
    assert_eq!((status, &again), (200, &first));
    let mut other = request();
    other["config"]["prefix"] = json!("other/");
    let (status, refused) = program.install(&other);
    assert_eq!(status, 409, "{refused}");
    assert!(refused["error"].as_str().unwrap().contains("`Amazon S3` is installed already"), "{refused}");
    let mut other_secret = request();
    other_secret["config"]["secret_access_key"] = json!("anotherSecretForTests/0/00EXAMPLEKEY00");
    assert_eq!(program.install(&other_secret).0, 409);
    other["name"] = json!("Second");
    assert_eq!(program.install(&other).0, 201);

    let installed = program.folder.path().join("installed");
    assert_eq!(std::fs::read_dir(&installed).unwrap().count(), 2);
    assert_eq!(files_with(&installed, SECRET), ["secret-access-key"; 2]);
    assert_eq!(files_with(&installed, KEY_ID), ["access-key-id"; 2]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let secret = installed.join(first["id"].as_str().unwrap()).join("secret-access-key");
        assert_eq!(std::fs::metadata(secret).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let said = program.end();
    assert!(said.contains("installed") && !said.contains(SECRET) && !said.contains(TOKEN), "{said}");
}

/// Claims DAT-19.
#[test]
fn strangers_and_other_requests_are_turned_away() {
    let program = Program::start();
    let bearer = format!("Bearer {TOKEN}");
    let body = request().to_string();
    let (with, json) = (("authorization", bearer.as_str()), ("content-type", "application/json"));
    let ask = |method: &str, path: &str, headers: &[(&str, &str)], body: &str| {
        let (status, head, answer) = program.ask(method, path, headers, body);
        assert!(answer["error"].is_string() && answer["help"].is_string(), "{answer}");
        (status, head)
    };
    let (status, head) = ask("POST", PATH, &[json], &body);
    assert!(status == 401 && head.contains("www-authenticate: bearer"), "{head}");
    for wrong in ["Bearer wrong", "Basic abc", &TOKEN[..31], ""] {
        assert_eq!(ask("POST", PATH, &[json, ("authorization", wrong)], &body).0, 401, "{wrong}");
    }
    assert_eq!(
        ask("POST", "/elsewhere", &[json], &body).0,
        401,
        "strangers do not learn which paths there are"
    );
    assert_eq!(ask("POST", "/elsewhere", &[json, with], &body).0, 404);
    let (status, head) = ask("GET", PATH, &[json, with], "");
    assert!(status == 405 && head.contains("allow: post"), "{head}");
    assert_eq!(ask("POST", PATH, &[with], &body).0, 415);
    assert_eq!(ask("POST", PATH, &[json, with], "{").0, 400);
    assert_eq!(ask("POST", PATH, &[json, with], "[]").0, 400);
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(70_000));
    assert_eq!(ask("POST", PATH, &[json, with], &large).0, 413);
    let installed = program.folder.path().join("installed");
    assert_eq!(std::fs::read_dir(installed).unwrap().count(), 0);
    program.end();
}

/// The problems that a request has: field and problem.
fn problems(change: impl FnOnce(&mut Value)) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let profile = VendorProfile::named("datafly_s3").unwrap();
    let installer = Installer::new(profile, folder.path().to_path_buf()).unwrap();
    let mut body = request();
    change(&mut body);
    let outcome = installer.install(body.to_string().as_bytes());
    match outcome {
        Ok((installation, is_new)) => {
            assert!(is_new && Path::new(&installation.configuration).exists());
            Vec::new()
        }
        Err(InstallRefusal::Invalid { problems }) => {
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
            for problem in &problems {
                assert!(!problem.help.is_empty());
                let shown = format!("{problem:?}");
                assert!(!shown.contains(SECRET) && !shown.contains("hunter2"), "{shown}");
            }
            problems.into_iter().map(|problem| (problem.field, problem.problem)).collect()
        }
        Err(other) => panic!("{other}"),
    }
}

/// Claims DAT-07, DAT-08, DAT-09, DAT-11, DAT-12, DAT-13, DAT-14, DAT-Q06, DAT-Q07.
#[test]
fn each_field_of_the_page_is_checked_and_every_problem_is_told() {
    let config = |name: &'static str, value: Value| {
        problems(move |body| {
            if value.is_null() {
                body["config"].as_object_mut().unwrap().remove(name);
            } else {
                body["config"][name] = value;
            }
        })
    };
    let fields = |found: Vec<(String, String)>| found.into_iter().map(|(field, _)| field).collect::<Vec<_>>();
    assert_eq!(problems(|_| {}), []);
    for required in ["bucket", "region", "access_key_id", "secret_access_key"] {
        let missing = (format!("config.{required}"), "the field is missing".to_owned());
        assert_eq!(config(required, Value::Null), [missing]);
        assert_eq!(fields(config(required, json!(""))), [format!("config.{required}")]);
        assert_eq!(fields(config(required, json!(7))), [format!("config.{required}")]);
    }
    for optional in ["prefix", "storage_class", "server_side_encryption", "session_token"] {
        assert_eq!(config(optional, Value::Null), []);
    }
    assert_eq!(config("session_token", json!("a-session-token")), []);
    // The alias counts as much, and both if they agree.
    let alias = |bucket: Value, name: Value| {
        problems(move |body| {
            let fields = body["config"].as_object_mut().unwrap();
            fields.remove("bucket");
            fields.extend([("bucket", bucket), ("bucket_name", name)].map(|(n, v)| (n.to_owned(), v)));
            fields.retain(|_, value| !value.is_null());
        })
    };
    assert_eq!(alias(Value::Null, json!(BUCKET)), []);
    assert_eq!(alias(json!(BUCKET), json!(BUCKET)), []);
    assert_eq!(fields(alias(json!(BUCKET), json!("another"))), ["config.bucket_name"]);

    assert_eq!(fields(config("region", json!("EU"))), ["config.region"]);
    assert_eq!(fields(config("bucket", json!("Not A Bucket"))), ["config.bucket"]);
    assert_eq!(fields(config("bucket", json!("s3://bucket"))), ["config.bucket"]);
    assert_eq!(fields(config("prefix", json!("/events/"))), ["config.prefix"]);
    assert_eq!(fields(config("storage_class", json!("COLD"))), ["config.storage_class"]);
    assert_eq!(fields(config("storage_class", json!("DEEP_ARCHIVE"))), ["config.storage_class"]);
    assert_eq!(config("storage_class", json!("INTELLIGENT_TIERING")), []);
    assert_eq!(fields(config("server_side_encryption", json!("rot13"))), ["config.server_side_encryption"]);
    assert_eq!(fields(config("server_side_encryption", json!("aws:kms"))), ["config.kms_key_id"]);
    assert_eq!(fields(config("kms_key_id", json!("arn:aws:kms:us-east-1:1:key/k"))), ["config.kms_key_id"]);
    assert_eq!(
        problems(|body| {
            body["config"]["server_side_encryption"] = json!("aws:kms");
            body["config"]["kms_key_id"] = json!("arn:aws:kms:us-east-1:111122223333:key/k");
        }),
        []
    );
    let exchanged = config("access_key_id", json!("hunter2/hunter2+hunter2"));
    assert_eq!(fields(exchanged), ["config.access_key_id"]);
    assert_eq!(fields(config("secret_access_key", json!(" hunter2"))), ["config.secret_access_key"]);
    assert_eq!(fields(config("bucket_nmae", json!("x"))), ["config.bucket_nmae"]);
    assert_eq!(fields(problems(|body| body["variant"] = json!("other"))), ["variant"]);
    assert_eq!(fields(problems(|body| body["delivery_mode"] = json!("client_side"))), ["delivery_mode"]);
    assert_eq!(fields(problems(|body| body["name"] = json!("  "))), ["name"]);
    assert_eq!(fields(problems(|body| body["nmae"] = json!("x"))), ["nmae"]);
    // All at once.
    let all =
        problems(|body| *body = json!({ "variant": "x", "config": { "region": "us-east-1" }, "more": 1 }));
    assert_eq!(
        fields(all),
        ["more", "name", "variant", "config.bucket", "config.access_key_id", "config.secret_access_key"]
    );
}

/// Claims DAT-20, DAT-21, DAT-24: what was installed exports every event, whatever its type, without another word.
#[tokio::test]
async fn what_was_installed_exports_all_events() {
    let text = VendorProfile::embedded().find(|(id, _)| *id == "datafly_s3").unwrap().1;
    let place = Place::documented(text).await;
    let folder = tempfile::tempdir().unwrap();
    let installer = Installer::new(place.profile.clone(), folder.path().to_path_buf()).unwrap();
    let (installation, _) = installer.install(request().to_string().as_bytes()).unwrap();
    let configuration = Path::new(&installation.configuration);
    let incoming = configuration.parent().unwrap().join("incoming/events/a.ndjson");
    let lines = ["track", "page", "identify", "anything"].map(|kind| {
        format!(
            "{{\"event_id\":\"{kind}\",\"type\":\"{kind}\",\"timestamp\":\"2026-03-08T04:00:00Z\",\"received_at\":\"2026-03-08T04:00:00Z\"}}\n"
        )
    });
    std::fs::write(incoming, lines.concat()).unwrap();
    let config = Config::load(configuration).unwrap();
    let credentials = config.credentials(|_| None).unwrap();
    let clock = place.emulator.clock().clone();
    let http = Some(place.emulator.http_client());
    let store = S3Store::new(config.store_settings(credentials), &clock, http).unwrap();
    let connection =
        Connection::new(config, place.profile.clone(), Arc::new(store), clock, Entropy::seeded(1)).unwrap();
    let report = connection.sync().await.unwrap();
    assert_eq!((report.datasets[0].rows_read, report.datasets[0].rows_written), (4, 4));
    let objects = place.objects().await;
    let (key, body) = objects.first_key_value().unwrap();
    assert!(key.starts_with("events/2026/03/08/04/") && key.ends_with(".json.gz"), "{key}");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text.lines().count(), 4, "{text}");
}

#[test]
fn a_front_that_would_tell_secrets_to_the_network_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_bucketproof-connector"))
            .arg("install")
            .args(arguments)
            .args(["--dir", "installed", "--token-file", "token"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let datafly = ["--profile", "datafly_s3"];
    let (code, stderr) = run(&datafly);
    assert!(code == 2 && stderr.contains("token file `token` cannot be used"), "{stderr}");
    std::fs::write(folder.path().join("token"), "short").unwrap();
    let (code, stderr) = run(&datafly);
    assert!(code == 2 && stderr.contains("at least 16 characters") && !stderr.contains("short"), "{stderr}");
    std::fs::write(folder.path().join("token"), TOKEN).unwrap();
    let (code, stderr) = run(&["--profile", "datafly_s3", "--listen", "0.0.0.0:0"]);
    assert!(code == 2 && stderr.contains("requests carry secrets") && stderr.contains("help: "), "{stderr}");
    let (code, stderr) = run(&["--profile", "adapty_s3"]);
    assert!(code == 2 && stderr.contains("profiles that have one: datafly_s3"), "{stderr}");
}
