//! Versions of keys, told apart by their ids, and what reports call things.

use std::collections::BTreeMap;
use std::sync::Arc;

use bucketproof_clock::{Clock, Entropy};
use bucketproof_connector::import::{ImportConfig, Importer, InboundStore, StatusSummary};
use bucketproof_connector::store::S3Store;
use bucketproof_emulator::{Emulator, Scenario};
use bytes::Bytes;

use crate::files::{Row, file};
use crate::rig::{BUCKET, Rig, config_text};

const ALL: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

async fn emulator() -> Emulator {
    let scenario = format!(
        r#"
        [[account]]
        id = "111122223333"
        name = "customer"
        [[account.user]]
        name = "owner"
        policies = ['{ALL}']
        [[account.user.access_key]]
        id = "AKIAIMPORTEREXAMPLE0"
        secret = "importerSecret"
        [[account.bucket]]
        name = "{BUCKET}"
        versioning = "Enabled"
        "#
    );
    let clock = Clock::manual("2026-01-01T00:00:00Z".parse().unwrap());
    let scenario = Scenario::from_toml(&scenario).unwrap();
    Emulator::builder().scenario(scenario).clock(clock).seed(7).start().await.unwrap()
}

async fn put(emulator: &Emulator, key: &str, body: Bytes) {
    emulator.s3("owner").put_object().bucket(BUCKET).key(key).body(body.into()).send().await.unwrap();
}

fn importer(emulator: &Emulator, rig: &Rig, versions: bool) -> Importer {
    let text = config_text(&[("events", "my_statuses")])
        .replace("environments", &format!("versions = {versions}\nenvironments"));
    let path = rig.directory.path().join("import.toml");
    let config = ImportConfig::parse(&text, path.to_str().unwrap()).unwrap();
    let settings = config.connections[0].store_settings(|_| Some("importerSecret".to_owned())).unwrap();
    let store = S3Store::new(settings, &rig.clock, Some(emulator.http_client())).unwrap();
    let store: Arc<dyn InboundStore> = Arc::new(store);
    let stores = BTreeMap::from([("events".to_owned(), store)]);
    Importer::new(config, stores, rig.clock.clone(), Entropy::seeded(1)).unwrap()
}

/// Claims ENG-22, SPL-Q17: with `versions` each upload is a file, also one that was replaced before it was read, or has the
/// same content; without it the newest content of a key is.
#[tokio::test]
async fn every_version_is_a_file_if_that_is_wanted() {
    let (first, second) = (file(&[Row::good(1)]), file(&[Row::good(2)]));
    for (versions, read, keys) in
        [(true, 4, vec!["user-1", "user-1", "user-2", "user-2"]), (false, 1, vec!["user-2"])]
    {
        let (emulator, rig) = (emulator().await, Rig::new());
        for body in [&first, &second, &first, &second] {
            put(&emulator, "events/a", body.clone()).await;
        }
        put(&emulator, "events/gone", first.clone()).await;
        emulator.s3("owner").delete_object().bucket(BUCKET).key("events/gone").send().await.unwrap();
        // A deleted key has a version still, which can be read by its id.
        let more = u64::from(versions);
        let summary = importer(&emulator, &rig, versions).once().await.unwrap();
        assert_eq!((summary.files_read, summary.files_gone), (read + more, 0), "versions = {versions}");
        let stored: Vec<String> = rig.stored().into_iter().map(|(key, _)| key).collect();
        let mut keys: Vec<String> = keys.into_iter().map(str::to_owned).collect();
        keys.extend(versions.then(|| "user-1".to_owned()));
        let sorted = |mut keys: Vec<String>| {
            keys.sort();
            keys
        };
        assert_eq!(sorted(stored), sorted(keys));
        let again = importer(&emulator, &rig, versions).once().await.unwrap();
        assert_eq!((again.files_found, again.files_read, again.reports.len()), (0, 0, 0));
    }
}

/// More versions than one page of the listing has are all found, once.
#[tokio::test]
async fn versions_are_listed_page_by_page() {
    let (emulator, rig) = (emulator().await, Rig::new());
    let body = file(&[Row::good(1)]);
    for number in 0..1010 {
        put(&emulator, if number < 900 { "events/many" } else { "events/next" }, body.clone()).await;
    }
    let summary = importer(&emulator, &rig, true).once().await.unwrap();
    assert_eq!((summary.files_found, summary.files_read, summary.rows_stored), (1010, 1010, 1010));
}

/// The one report of an import with some more lines of configuration.
async fn report(more: &str) -> (String, StatusSummary) {
    let rig = Rig::new();
    rig.bucket.put("events/day/good", file(&[Row::good(0)]));
    rig.bucket.put("events/day/bad", Bytes::from_static(b"garbage"));
    rig.bucket.put("events/day/old", file(&[Row { timestamp: Some(946_684_800_000), ..Row::good(0) }]));
    rig.importer_of(&rig.config(more)).once().await.unwrap();
    let inside = rig.bucket.inside.lock().unwrap();
    let (_, (body, _)) = inside.objects.iter().find(|(key, _)| key.starts_with("my_statuses/")).unwrap();
    let mut summary = StatusSummary::default();
    summary.add("report", body, &["INVALID_SCHEMA"]).unwrap();
    (String::from_utf8(body.to_vec()).unwrap(), summary)
}

/// Claims SPL-Q01, SPL-Q04, SPL-Q10, SPL-Q15: files are called by their keys, explanations `errorsDetails`, and bad files
/// not valid, and times begin with 2000; a configuration can have it otherwise, and the reader counts the same.
#[tokio::test]
async fn reports_call_things_as_they_are_told_to() {
    let (text, summary) = report("").await;
    assert!(text.contains("\"errorsDetails\"") && !text.contains("\"errorDetails\""), "{text}");
    assert_eq!(
        summary.files.keys().collect::<Vec<_>>(),
        ["events/day/bad", "events/day/good", "events/day/old"]
    );
    assert!(!summary.files["events/day/bad"].entries[0].valid);
    assert_eq!(summary.files["events/day/old"].rows_stored, 1);
    let (text, other) = report(
        "[validate]\ntimestamp_window = { from = \"2001-01-01T00:00:00Z\", ahead_hours = 1 }\n\
         [status]\nfile_name = \"relative\"\ndetails_key = \"errorDetails\"\ninvalid_schema_valid = true",
    )
    .await;
    assert!(text.contains("\"errorDetails\"") && !text.contains("\"errorsDetails\""), "{text}");
    assert_eq!(other.files.keys().collect::<Vec<_>>(), ["day/bad", "day/good", "day/old"]);
    let bad = &other.files["day/bad"];
    assert!(bad.entries[0].valid && bad.rows_stored == 0, "{bad:?}");
    assert_eq!(other.files["day/old"].rows_refused, 1);
    let (_, base) = report("[status]\nfile_name = \"base\"").await;
    assert_eq!(base.files.keys().collect::<Vec<_>>(), ["bad", "good", "old"]);
    assert_eq!(base.files["good"].rows_stored, 1);
}

/// What makes no sense in a configuration is refused where it stands.
#[test]
fn choices_that_make_no_sense_are_refused() {
    for (more, words) in [
        ("rescue_column = \"KEY\"", "the target has a column `key` already"),
        ("rescue_column = \"\"", "not the name of a column"),
        ("[validate]\ntimestamp_window = { from = \"1960-01-01T00:00:00Z\" }", "this window begins before"),
        ("[status]\nfile_name = \"name\"", "unknown variant"),
        ("[status]\ndetails_key = \"details\"", "unknown variant"),
        ("[target.mysql]\nurl = 1", "unknown field"),
        (
            "[target.postgres]\nurl = \"postgresql://u:p@h/d\"",
            "secrets are not written into the configuration",
        ),
        ("[target.postgres]\nurl = { env = \"U\" }\nschema = \"pg_x\"", "the schema is the database's own"),
        ("[target.postgres]\nurl = { env = \"U\" }\nschema = \"\"", "not the name of a schema"),
        (
            "[target.postgres]\nurl = { env = \"U\" }\n[target.parquet]\ndirectory = \"d\"",
            "rows go to one target",
        ),
    ] {
        let text =
            config_text(&[("events", "my_statuses")]).replacen("[state]", &format!("{more}\n[state]"), 1);
        let error = ImportConfig::parse(&text, "import.toml").unwrap_err().to_string();
        assert!(error.contains(words), "{more}: {error}");
        assert!(!error.contains("u:p@h"), "{error}");
    }
}
