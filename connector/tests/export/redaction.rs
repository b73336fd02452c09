//! Secrets are in no output, no error, no debug form and no file.

use std::sync::Arc;

use bucketproof_clock::Entropy;
use bucketproof_connector::config::Config;
use bucketproof_connector::engine::Connection;
use bucketproof_connector::store::{FaultyStore, Operation, S3Store, StoreError, StoreFault};

use crate::rig::{Rig, all_bytes, message};

const SECRET: &str = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "FwoGZXIvYXdzEJr0000000SESSION";

fn assert_clean(text: &str, what: &str) {
    assert!(!text.contains(SECRET) && !text.contains(TOKEN), "{what} holds a secret: {text}");
}

#[tokio::test]
async fn no_output_holds_a_secret() {
    let rig = Rig::new();
    rig.write("messages.ndjson", &(message(1, 5, 0, "sent") + "bad\n"));
    let text = rig.config_text().replace(
        "secret_access_key = { env = \"EXPORT_SECRET\" }",
        "secret_access_key = { env = \"EXPORT_SECRET\" }\nsession_token = { file = \"token\" }",
    );
    rig.write("token", &format!("{TOKEN}\n"));
    let config = Config::parse(&text, rig.path("connector.toml").to_str().unwrap()).unwrap();
    let credentials =
        config.credentials(|name| (name == "EXPORT_SECRET").then(|| SECRET.to_owned())).unwrap();
    assert_clean(&format!("{credentials:?} {config:?}"), "debug form of credentials and configuration");
    let settings = config.store_settings(credentials);
    assert_clean(&format!("{settings:?}"), "debug form of settings");
    let store = S3Store::new(settings, &rig.clock, None).unwrap();
    assert_clean(&format!("{store:?}"), "debug form of the store");

    let faulty = Arc::new(FaultyStore::new(rig.bucket.clone()));
    let mismatch =
        StoreError::SignatureMismatch { operation: Operation::List, access_key_id: "AKIDEXAMPLE".to_owned() };
    faulty.inject(0, StoreFault::ErrorBefore(mismatch));
    let profile = config.load_profile().unwrap();
    let connection = Connection::new(config, profile, faulty, rig.clock.clone(), Entropy::seeded(1)).unwrap();
    let error = connection.sync().await.unwrap_err();
    assert_clean(&format!("{error} {error:?} {} {connection:?}", error.help()), "error");
    let report = connection.sync().await.unwrap();
    let status = connection.status().unwrap();
    let shown =
        format!("{}{}", serde_json::to_string(&report).unwrap(), serde_json::to_string(&status).unwrap());
    assert_clean(&shown, "reports");
    let state = String::from_utf8_lossy(&all_bytes(&rig.path("state"))).into_owned();
    assert!(state.contains("SQLite format 3") && state.contains("messages.ndjson"));
    assert_clean(&state, "state directory");
}

#[test]
fn a_secret_written_into_the_configuration_is_refused_without_being_repeated() {
    let rig = Rig::new();
    for inline in [
        format!("secret_access_key = \"{SECRET}\""),
        format!("secret_access_key = {SECRET}"),
        format!("secret_access_key = {{ value = \"{SECRET}\" }}"),
        format!("secret_access_key = {{ env = \"A\", file = \"{SECRET}\" }}"),
        format!("secret_access_key = {{ env = \"A\" }}\nsession_token = \"{SECRET}\""),
        format!("secret_access_key = [\"{SECRET}\"]"),
        format!("secret_access_key = {{ command = \"{SECRET}\" }}"),
        format!("secret_access_key = {{ command = [], file = \"{SECRET}\" }}"),
    ] {
        let text = rig.config_text().replace("secret_access_key = { env = \"EXPORT_SECRET\" }", &inline);
        let error = Config::parse(&text, "connector.toml").unwrap_err();
        assert_clean(&format!("{error} {error:?} {}", error.help()), &inline.replace(SECRET, "..."));
    }
}

/// Claims PER-57: a secret that came by a secure channel stays encrypted where it is kept; a program of its owner's choice, such
/// as `gpg --decrypt` or `op read`, prints it when it is needed, and nothing repeats it.
#[test]
fn a_secret_may_be_kept_encrypted_and_printed_by_a_program() {
    let rig = Rig::new();
    rig.write("passphrase", "correct horse");
    rig.write("plain", SECRET);
    let run = |program: &str, arguments: &[&str]| {
        let directory = rig.path("plain").parent().unwrap().to_owned();
        let run = std::process::Command::new(program).args(arguments).current_dir(directory).output();
        run.is_ok_and(|output| output.status.success())
    };
    let enclose =
        ["enc", "-aes-256-cbc", "-pbkdf2", "-pass", "file:passphrase", "-a", "-in", "plain", "-out", "kept"];
    let open = "[\"openssl\", \"enc\", \"-d\", \"-aes-256-cbc\", \"-pbkdf2\", \"-pass\", \"file:passphrase\", \"-a\", \"-in\", \"kept\"]";
    let command = if run("openssl", &enclose) {
        open
    } else {
        println!("there is no openssl: the secret is only encoded");
        assert!(run("sh", &["-c", "base64 plain > kept"]));
        "[\"base64\", \"-d\", \"kept\"]"
    };
    std::fs::remove_file(rig.path("plain")).unwrap();
    let kept = std::fs::read_to_string(rig.path("kept")).unwrap();
    assert_clean(&kept, "the file");
    let load = |command: &str| {
        let place = format!("secret_access_key = {{ command = {command} }}");
        let text = rig.config_text().replace("secret_access_key = { env = \"EXPORT_SECRET\" }", &place);
        Config::parse(&text, rig.path("connector.toml").to_str().unwrap())
    };
    let config = load(command).unwrap();
    let credentials = config.credentials(|_| None).unwrap();
    assert_clean(&format!("{credentials:?} {config:?}"), "debug form of credentials and configuration");
    let bucketproof_connector::config::AuthConfig::StaticKeys { key, .. } = &config.auth else {
        panic!("no keys")
    };
    assert_eq!(key.secret.read(|_| None).unwrap(), SECRET);
    // What goes wrong is told without what the program said.
    for (command, words) in [
        ("[\"no-such-program-here\"]", "cannot be started"),
        ("[\"true\"]", "printed nothing"),
        ("[\"sh\", \"-c\", \"cat kept; base64 -d kept; exit 3\"]", "failed: exit status: 3"),
        ("[\"printf\", \"\\\\377\"]", "printed something else than text"),
    ] {
        let error = load(command).unwrap().credentials(|_| None).unwrap_err();
        assert!(error.to_string().contains(words) && !error.help().is_empty(), "{command}: {error}");
        assert_clean(&format!("{error} {error:?}"), command);
        assert!(!error.to_string().contains(kept.trim()), "{error}");
    }
    let error = load("[]").unwrap_err();
    assert!(error.to_string().contains("names no program"), "{error}");
}
