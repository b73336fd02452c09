//! Whole imports against an emulator whose bucket grants exactly what the vendor documents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_s3::primitives::ByteStream;
use bucketproof_clock::{Clock, Entropy};
use bucketproof_connector::import::{
    ImportConfig, ImportError, ImportSummary, Importer, InboundStore, StatusEntry, StatusReport,
};
use bucketproof_connector::store::{S3Store, StoreError};
use bucketproof_emulator::{Emulator, Scenario};

use crate::files::{NEW_YEAR_MS, Row, file};
use crate::rig::{BUCKET, Rig, config_text};

const IMPORTER: &str = "arn:aws:iam::444455556666:user/importer";

/// The customer's bucket with the documented policy, less what `drop` names; the vendor's own user may do anything.
async fn emulator(drop: &str) -> Emulator {
    let config = ImportConfig::parse(&config_text(&[("events", "my_statuses")]), "import.toml").unwrap();
    let mut policy = config.bucket_policies(Some(IMPORTER)).unwrap()["events"].clone();
    for statement in policy["Statement"].as_array_mut().unwrap() {
        statement["Action"].as_array_mut().unwrap().retain(|action| action != drop);
        if statement["Action"].as_array().unwrap().is_empty() {
            statement["Action"] = "s3:GetBucketTagging".into();
        }
    }
    let scenario = format!(
        r#"
        [[account]]
        id = "111122223333"
        name = "customer"
        [[account.user]]
        name = "owner"
        policies = ['{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*","Resource":"*"}}}}']
        [[account.user.access_key]]
        id = "AKIAOWNERUSEREXAMPLE"
        secret = "ownerSecret"
        [[account.bucket]]
        name = "{BUCKET}"
        policy = '{policy}'
        [[account]]
        id = "444455556666"
        name = "vendor"
        [[account.user]]
        name = "importer"
        policies = ['{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*","Resource":"*"}}}}']
        [[account.user.access_key]]
        id = "AKIAIMPORTEREXAMPLE0"
        secret = "importerSecret"
        "#
    );
    let clock = Clock::manual("2026-01-01T00:00:00Z".parse().unwrap());
    let scenario = Scenario::from_toml(&scenario).unwrap();
    Emulator::builder().scenario(scenario).clock(clock).seed(7).start().await.unwrap()
}

struct Setup {
    directory: tempfile::TempDir,
    emulator: Emulator,
}

impl Setup {
    async fn without(drop: &str) -> Self {
        Self { directory: tempfile::tempdir().unwrap(), emulator: emulator(drop).await }
    }

    async fn put(&self, key: &str, body: bytes::Bytes) {
        let put = self.emulator.s3("owner").put_object().bucket(BUCKET).key(key).body(ByteStream::from(body));
        put.send().await.unwrap();
    }

    async fn import(&self) -> Result<ImportSummary, ImportError> {
        let path = self.directory.path().join("import.toml");
        let config =
            ImportConfig::parse(&config_text(&[("events", "my_statuses")]), path.to_str().unwrap()).unwrap();
        let clock = self.emulator.clock().clone();
        let settings = config.connections[0].store_settings(|_| Some("importerSecret".to_owned())).unwrap();
        let store: Arc<dyn InboundStore> =
            Arc::new(S3Store::new(settings, &clock, Some(self.emulator.http_client())).unwrap());
        let stores = BTreeMap::from([("events".to_owned(), store)]);
        Importer::new(config, stores, clock, Entropy::seeded(1)).unwrap().once().await
    }

    async fn report(&self, key: &str) -> StatusReport {
        let got = self.emulator.s3("owner").get_object().bucket(BUCKET).key(key).send().await.unwrap();
        serde_json::from_slice(&got.body.collect().await.unwrap().into_bytes()).unwrap()
    }
}

fn mixed() -> bytes::Bytes {
    let rows = [
        Row::good(0),
        Row { environment: Some("elsewhere"), ..Row::good(1) },
        Row { key: None, ..Row::good(2) },
        Row { timestamp: Some(NEW_YEAR_MS / 1000), ..Row::good(3) },
        Row { environment: Some("elsewhere"), timestamp: Some(NEW_YEAR_MS * 1000), ..Row::good(4) },
        Row { timestamp: None, key: None, ..Row::good(5) },
        Row { environment: Some("staging"), ..Row::good(6) },
        Row { environment: Some("elsewhere"), ..Row::good(7) },
    ];
    file(&rows)
}

fn said(entry: &StatusEntry) -> (u32, bool, u64, Vec<&str>) {
    assert_eq!(entry.errors.len(), entry.errors_details.len());
    assert_eq!(entry.valid, entry.errors.is_empty());
    assert!(entry.warnings.is_empty());
    (entry.entry_id, entry.valid, entry.number_of_rows, entry.errors.iter().map(String::as_str).collect())
}

/// Claims SPL-05, SPL-08, SPL-19, SPL-20, SPL-21, SPL-24, SPL-25, SPL-26, SPL-27, SPL-31, SPL-32, SPL-33, SPL-35,
/// SPL-Q03, SPL-Q05, SPL-Q06, SPL-Q11, SPL-Q13, SPL-Q17, SPL-Q21, SPL-36, SPL-38, SPL-40, SPL-41, SPL-42, SPL-43, SPL-44, SPL-45, SPL-46, SPL-50, SPL-52.
#[tokio::test]
async fn a_file_becomes_rows_and_a_report() {
    let setup = Setup::without("").await;
    setup.put("events/day/a b+c.parquet", mixed()).await;
    setup.put("events/", bytes::Bytes::new()).await;
    setup.put("elsewhere/x.parquet", mixed()).await;
    let summary = setup.import().await.unwrap();
    assert_eq!(
        (summary.files_found, summary.files_read, summary.rows_stored, summary.rows_refused),
        (1, 1, 2, 6)
    );
    assert_eq!(summary.reports, ["my_statuses/2026-01-01/00-00-00.000.UTC_report.status"]);
    let report = setup.report(&summary.reports[0]).await;
    let entries = &report["events/day/a b+c.parquet"];
    let expected = [
        (1, true, 2, vec![]),
        (2, false, 2, vec!["INVALID_ENVIRONMENT_ID"]),
        (3, false, 1, vec!["REQUIRED_FIELDS_NULL"]),
        (4, false, 1, vec!["INVALID_TIMESTAMP"]),
        (5, false, 1, vec!["INVALID_ENVIRONMENT_ID", "INVALID_TIMESTAMP"]),
        (6, false, 1, vec!["REQUIRED_FIELDS_NULL"]),
    ];
    assert_eq!(entries.iter().map(said).collect::<Vec<_>>(), expected);
    assert_eq!(
        entries[1].errors_details,
        ["environmentId `elsewhere` is none of this connection's environments"]
    );
    assert_eq!(
        entries[3].errors_details,
        ["timestamp is in seconds, not in milliseconds: multiply it by 1000"]
    );
    assert_eq!(entries[5].errors_details, ["null in required fields: key, timestamp"]);
    assert!(entries.iter().all(|entry| entry.original_creation_time == NEW_YEAR_MS));
    // There is nothing more to say, so nothing is written.
    let again = setup.import().await.unwrap();
    assert_eq!(again, ImportSummary::default());
    // A new version of the file is a new file, and its report another object.
    setup.emulator.clock().advance(std::time::Duration::from_secs(1));
    setup.put("events/day/a b+c.parquet", file(&[Row::good(9)])).await;
    let next = setup.import().await.unwrap();
    assert_eq!((next.rows_stored, next.reports.len()), (1, 1));
    assert_ne!(next.reports, summary.reports);
    let acl = setup.emulator.s3("owner").get_object_acl().bucket(BUCKET).key(&next.reports[0]).send().await;
    assert!(acl.is_ok(), "the report is the bucket owner's");
    // Nothing but what the policy grants was asked for, and no report was read.
    let journal = setup.emulator.journal();
    let mut asked = BTreeSet::new();
    for entry in journal.entries().iter().filter(|entry| entry.principal.as_deref() == Some(IMPORTER)) {
        for decided in &entry.decisions {
            asked.insert((decided.action.clone(), decided.resource.clone()));
        }
    }
    let actions: BTreeSet<&str> = asked.iter().map(|(action, _)| action.as_str()).collect();
    assert_eq!(actions, BTreeSet::from(["s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:PutObjectAcl"]));
    assert!(!asked.iter().any(|(action, arn)| action == "s3:GetObject" && arn.contains("my_statuses")));
}

/// Claims SPL-09, SPL-31.
#[tokio::test]
async fn each_grant_is_needed_and_its_lack_is_named() {
    for (drop, named) in [
        ("s3:List*", "s3:ListBucket"),
        ("s3:Get*", "s3:GetObject"),
        ("s3:PutObject", "s3:PutObject"),
        ("s3:PutObjectAcl", "s3:PutObjectAcl"),
    ] {
        let setup = Setup::without(drop).await;
        setup.put("events/f", mixed()).await;
        let error = setup.import().await.unwrap_err();
        let ImportError::Store { source: StoreError::Denied { action, .. }, .. } = &error else {
            panic!("without {drop}: {error}");
        };
        assert!(named.starts_with(action.as_str()), "without {drop}: {action}");
        assert!(error.help().contains(named), "{}", error.help());
    }
}

/// Claims SPL-34, SPL-30, SPL-51.
#[tokio::test]
async fn connections_that_share_a_folder_share_a_report() {
    let mut rig = Rig::new();
    rig.connections = vec![("web", "s"), ("app", "s"), ("other", "t")];
    for name in ["web", "app", "other"] {
        rig.bucket.put(&format!("{name}/f"), file(&[Row::good(0)]));
    }
    let summary = rig.importer().once().await.unwrap();
    assert_eq!(summary.reports.len(), 2);
    let together = rig.bucket.reports("s/");
    assert_eq!(together.len(), 1);
    assert_eq!(together[0].keys().collect::<Vec<_>>(), ["app/f", "web/f"]);
    assert_eq!(rig.bucket.reports("t/").len(), 1);
}

/// Claims SPL-23.
#[tokio::test]
async fn files_of_a_connection_that_is_gone_are_told_so() {
    let mut rig = Rig::new();
    rig.connections = vec![("web", "s"), ("app", "s")];
    rig.bucket.put("web/f", file(&[Row::good(0)]));
    // The file is noted, and then the reading fails.
    rig.bucket.inside.lock().unwrap().fates =
        vec![crate::rig::Fate::Crash, crate::rig::Fate::Well, crate::rig::Fate::Well];
    rig.importer().once().await.unwrap_err();
    rig.connections = vec![("app", "s")];
    let summary = rig.importer().once().await.unwrap();
    assert_eq!((summary.files_refused, summary.rows_stored), (1, 0));
    let report = rig.bucket.reports("s/").pop().unwrap();
    assert_eq!(report["web/f"][0].errors, ["INTEGRATION_CONFIG_NOT_FOUND"]);
}

/// A report of a folder that no connection is left for is written once one is back.
#[tokio::test]
async fn a_report_waits_for_somebody_who_can_write_it() {
    use crate::rig::Fate::{Crash, Well};
    let mut rig = Rig::new();
    rig.connections = vec![("web", "s")];
    rig.bucket.put("web/f", file(&[Row::good(0)]));
    rig.bucket.inside.lock().unwrap().fates = vec![Crash, Well];
    rig.importer().once().await.unwrap_err();
    rig.connections = vec![("app", "t")];
    let alone = rig.importer().once().await.unwrap();
    assert_eq!((alone.files_refused, alone.reports.len()), (1, 0));
    rig.connections = vec![("web", "s")];
    assert_eq!(rig.importer().once().await.unwrap().reports.len(), 1);
    assert_eq!(rig.bucket.reports("s/")[0]["web/f"][0].errors, ["INTEGRATION_CONFIG_NOT_FOUND"]);
}

/// A file that is deleted or replaced after it was listed is not told of; what came in its place is.
#[tokio::test]
async fn a_file_that_changes_under_the_import_is_read_as_it_is_now() {
    use crate::rig::Fate::{Crash, Well};
    let rig = Rig::new();
    rig.bucket.put("events/a", file(&[Row::good(0)]));
    rig.bucket.put("events/b", file(&[Row::good(1)]));
    rig.bucket.inside.lock().unwrap().fates = vec![Crash, Crash, Well];
    rig.importer().once().await.unwrap_err();
    rig.bucket.put("events/a", file(&[Row::good(2), Row::good(3)]));
    rig.bucket.inside.lock().unwrap().objects.remove("events/b");
    let summary = rig.importer().once().await.unwrap();
    assert_eq!((summary.files_gone, summary.files_read, summary.rows_stored), (2, 1, 2));
}

/// Many files are listed and reconciled without any being read twice.
#[tokio::test]
async fn nothing_is_read_twice() {
    let rig = Rig::new();
    for number in 0..60 {
        rig.bucket.put(&format!("events/{number:03}"), file(&[Row::good(number)]));
    }
    assert_eq!(rig.importer().once().await.unwrap().files_read, 60);
    rig.bucket.put("events/061", file(&[Row::good(61)]));
    assert_eq!(rig.importer().once().await.unwrap().files_read, 1);
    assert_eq!(rig.bucket.inside.lock().unwrap().reads, 61);
}

/// Claims SPL-37: results wait for the next report at most a quarter of an hour.
#[tokio::test]
async fn results_are_told_within_a_quarter_of_an_hour() {
    let rig = Rig::new();
    rig.bucket.put("events/f", file(&[Row::good(0)]));
    let stop = bucketproof_connector::runner::StopSignal::new();
    let mut importer = rig.importer();
    let (bucket, clock, signal) = (rig.bucket.clone(), rig.clock.clone(), stop.clone());
    let watch = async move {
        let mut waited = 0;
        while bucket.keys("my_statuses/").is_empty() {
            tokio::task::yield_now().await;
            clock.advance(std::time::Duration::from_mins(1));
            waited += 1;
            assert!(waited <= 15, "no report after {waited} minutes");
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
        }
        signal.give();
    };
    let (summary, ()) = tokio::join!(importer.run(&stop), watch);
    assert_eq!(summary.unwrap().reports.len(), 1);
}
