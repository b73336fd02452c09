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
    ] {
        let text = rig.config_text().replace("secret_access_key = { env = \"EXPORT_SECRET\" }", &inline);
        let error = Config::parse(&text, "connector.toml").unwrap_err();
        assert_clean(&format!("{error} {error:?} {}", error.help()), &inline.replace(SECRET, "..."));
    }
}
