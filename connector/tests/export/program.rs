//! The program: arguments, outputs, exit codes.

use std::process::{Command, Output};

use crate::rig::{Rig, message};

fn run(rig: &Rig, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bucketproof-connector"))
        .args(arguments)
        .current_dir(rig.directory.path())
        .env_clear()
        .env("EXPORT_SECRET", "secret")
        .output()
        .unwrap()
}

fn shown(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn what_a_command_lacks_is_named() {
    let rig = Rig::new();
    let (code, stdout, stderr) = shown(&run(&rig, &["export", "--config", "c.toml", "--json"]));
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("--from <DAY>") && stderr.contains("--to <DAY>"), "{stderr}");
    assert_eq!(shown(&run(&rig, &["frobnicate"])).0, 2);
    rig.write("c.toml", &rig.config_text());
    let range = ["export", "--config", "c.toml", "--from", "2025-01-01", "--to", "2025-01-01"];
    let (code, _, stderr) = shown(&run(&rig, &range));
    assert_eq!(code, 2);
    assert!(stderr.contains("profile `suprsend_s3_v2` exports no chosen ranges"), "{stderr}");
}

#[test]
fn a_wrong_configuration_is_usage() {
    let rig = Rig::new();
    let (code, _, stderr) = shown(&run(&rig, &["sync", "--config", "absent.toml"]));
    assert_eq!(code, 2);
    assert!(stderr.contains("absent.toml"), "{stderr}");
    rig.write(
        "c.toml",
        &rig.config_text()
            .replace("datasets = [\"messages\"]", "datasets = [\"mesages\"]")
            .replace("dataset = \"messages\"", "dataset = \"mesages\""),
    );
    let (code, _, stderr) = shown(&run(&rig, &["sync", "--config", "c.toml"]));
    assert_eq!(code, 2);
    insta::assert_snapshot!(stderr);
}

#[test]
fn status_and_a_disabled_sync_need_no_network() {
    let rig = Rig::new();
    rig.write("messages.ndjson", &message(1, 5, 0, "sent"));
    rig.write("c.toml", &rig.config_text().replace("enabled = true", "enabled = false"));
    let (code, stdout, _) = shown(&run(&rig, &["sync", "--config", "c.toml", "--json"]));
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, report["outcome"].as_str()), (0, Some("disabled")));
    rig.write("c.toml", &rig.config_text());
    let (code, stdout, _) = shown(&run(&rig, &["status", "--config", "c.toml", "--json"]));
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, report["state"].as_str()), (0, Some("waiting_for_first_sync")));
}

/// Claims SPL-58: a configuration that is saved yields the role that its policies name, before anything is called.
#[test]
fn the_role_of_an_export_is_shown() {
    let rig = Rig::new();
    let role = "arn:aws:iam::111122223333:role/impressions";
    let text = |auth: &str| {
        format!(
            "enabled = true\nprofile = \"split_impressions_export\"\ndatasets = [\"impressions\"]\n[bucket]\nname = \"impressions\"\n\
             region = \"us-east-1\"\n[auth]\n{auth}\n[state]\ndir = \"state\"\n\
             [[source]]\ndataset = \"impressions\"\npath = \"rows.ndjson\"\n"
        )
    };
    let assumed = format!("mode = \"assume_role\"\nrole_arn = \"{role}\"");
    rig.write("role.toml", &text(&assumed));
    let (code, stdout, stderr) = shown(&run(&rig, &["status", "--config", "role.toml"]));
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains(&format!("role {role}, whom policies of the bucket")), "{stdout}");
    let (_, stdout, _) = shown(&run(&rig, &["status", "--config", "role.toml", "--json"]));
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["role_arn"], role);
    // It is the same as the policies name.
    let (code, stdout, stderr) = shown(&run(&rig, &["policy", "--config", "role.toml", "--principal", role]));
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains(&format!("\"AWS\": \"{role}\"")), "{stdout}");
    rig.write("machine.toml", &text("mode = \"ambient\""));
    let (_, stdout, _) = shown(&run(&rig, &["status", "--config", "machine.toml"]));
    assert!(!stdout.contains("  role "), "{stdout}");
}

#[test]
fn an_endpoint_that_does_not_answer_is_a_no() {
    let rig = Rig::new();
    rig.write("messages.ndjson", &message(1, 5, 0, "sent"));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let endpoint =
        format!("[bucket]\nendpoint = \"http://127.0.0.1:{port}\"\nallow_http = true\npath_style = true");
    rig.write("c.toml", &rig.config_text().replace("[bucket]", &endpoint));
    let (code, stdout, stderr) = shown(&run(&rig, &["sync", "--config", "c.toml", "--json"]));
    assert_eq!(code, 1, "{stderr}");
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["outcome"], "failed");
    assert_eq!(report["diagnosis"]["kind"], "unavailable");
    assert!(stderr.contains(&format!("the request to `http://127.0.0.1:{port}`")), "{stderr}");
    assert!(stderr.contains("help: "), "{stderr}");
}

#[test]
fn profiles_are_listed_shown_and_checked() {
    let rig = Rig::new();
    let (code, stdout, _) = shown(&run(&rig, &["profile", "list"]));
    assert_eq!(code, 0);
    assert!(stdout.contains("suprsend_s3_v2"));
    let (code, text, _) = shown(&run(&rig, &["profile", "show", "suprsend_s3_v2"]));
    assert_eq!(code, 0);
    rig.write("vendor.toml", &text);
    assert_eq!(shown(&run(&rig, &["profile", "lint", "vendor.toml"])).0, 0);
    assert_eq!(shown(&run(&rig, &["profile", "lint"])).0, 0);
    rig.write("vendor.toml", &text.replace("day={t:%d}", "d={t:%d}"));
    let (code, _, stderr) = shown(&run(&rig, &["profile", "lint", "vendor.toml"]));
    assert_eq!(code, 1, "{stderr}");
    rig.write("vendor.toml", &text.replace("nullable = true", "nulable = true"));
    assert_eq!(shown(&run(&rig, &["profile", "lint", "vendor.toml"])).0, 2);
    let (code, _, stderr) = shown(&run(&rig, &["profile", "show", "nobody"]));
    assert_eq!(code, 2);
    assert!(stderr.contains("known profiles"), "{stderr}");
}

#[test]
fn policies_are_printed_filled_in() {
    let rig = Rig::new();
    let arguments =
        ["policy", "--profile", "suprsend_s3_v2", "--bucket", "logs-1", "--external-id", "e-1", "--json"];
    let (code, stdout, _) = shown(&run(&rig, &arguments));
    assert_eq!(code, 0);
    insta::assert_snapshot!(stdout);
    rig.write("c.toml", &rig.config_text());
    let (code, stdout, _) = shown(&run(&rig, &["policy", "--config", "c.toml"]));
    assert_eq!(code, 0);
    assert!(stdout.contains("arn:aws:s3:::notification-logs/*"));
}

#[test]
fn with_json_a_failure_is_json_too() {
    let rig = Rig::new();
    rig.write("c.toml", &rig.config_text().replace("enabled", "enabeld"));
    let policy = ["policy", "--config", "c.toml", "--json"];
    for arguments in
        [["sync", "--config", "absent.toml", "--json"], ["status", "--config", "c.toml", "--json"], policy]
    {
        let (code, stdout, stderr) = shown(&run(&rig, &arguments));
        let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!((code, report["outcome"].as_str()), (2, Some("failed")), "{stdout}");
        assert!(stderr.contains(report["error"].as_str().unwrap()), "{stderr}");
        assert!(stderr.contains(report["help"].as_str().unwrap()), "{stderr}");
    }
}

#[test]
fn an_answer_that_nobody_takes_is_no_panic() {
    let rig = Rig::new();
    rig.write("c.toml", &rig.config_text());
    let to = |path: &str| {
        let full = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        Command::new(env!("CARGO_BIN_EXE_bucketproof-connector"))
            .args(["policy", "--config", "c.toml"])
            .current_dir(rig.directory.path())
            .stdout(full)
            .output()
            .unwrap()
    };
    if std::path::Path::new("/dev/full").exists() {
        let (code, _, stderr) = shown(&to("/dev/full"));
        assert_eq!(code, 3, "{stderr}");
        assert!(stderr.starts_with("error: the answer cannot be printed"), "{stderr}");
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = Command::new(env!("CARGO_BIN_EXE_bucketproof-connector"))
        .args(["profile", "show", "suprsend_s3_v2"])
        .stdout(writer)
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
}

#[test]
fn an_endpoint_that_is_not_s3_is_named() {
    let rig = Rig::new();
    rig.write("messages.ndjson", &message(1, 5, 0, "sent"));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut stream, _) = listener.accept().unwrap();
        let _request = stream.read(&mut [0; 4096]).unwrap();
        let page = "<html>Welcome</html>";
        write!(stream, "HTTP/1.1 404 Not Found\r\ncontent-length: {}\r\n\r\n{page}", page.len()).unwrap();
    });
    let endpoint = format!("[bucket]\nendpoint = \"http://{address}\"\nallow_http = true\npath_style = true");
    rig.write("c.toml", &rig.config_text().replace("[bucket]", &endpoint));
    let (code, _, stderr) = shown(&run(&rig, &["sync", "--config", "c.toml"]));
    server.join().unwrap();
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains(&format!("got status 404 and no S3 error from `http://{address}`")), "{stderr}");
    assert!(stderr.contains("help: check `bucket.endpoint`"), "{stderr}");
}
