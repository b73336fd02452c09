//! Whole exports through the S3 store against an emulator that enforces the vendor's documented policy.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use bucketproof_clock::{Clock, Entropy};
use bucketproof_connector::config::Config;
use bucketproof_connector::engine::Connection;
use bucketproof_connector::report::ConnectionState;
use bucketproof_connector::store::{DiagnosisKind, S3Store};
use bucketproof_emulator::{Emulator, Fault, Op, Scenario};
use bucketproof_fixtures::scenario::{
    CONNECTOR_USER, EXPORTER, SUPRSEND_BUCKET, SUPRSEND_EXTERNAL_ID, SUPRSEND_ROLE_ARN, suprsend,
};
use bucketproof_fixtures::suprsend::{Dataset, Logs, Traffic, malformed_rows};
use serde_json::{Map, Value};

use crate::rig::rows;

const DATASETS: [Dataset; 3] = [Dataset::Requests, Dataset::WorkflowExecutions, Dataset::Messages];
const POLICY: &str = "policies/suprsend-export.json";

fn scenario() -> Scenario {
    let scenario = suprsend();
    Scenario::from_parts(scenario.text, scenario.path, scenario.files).unwrap()
}

async fn emulator(scenario: Scenario) -> Emulator {
    let clock = Clock::manual("2025-01-15T20:00:00Z".parse().unwrap());
    Emulator::builder().scenario(scenario).clock(clock).seed(7).start().await.unwrap()
}

enum Auth {
    Keys,
    Role { external_id: &'static str },
}

struct Setup {
    directory: tempfile::TempDir,
    emulator: Emulator,
    auth: Auth,
    bucket: &'static str,
    secret: &'static str,
}

impl Setup {
    fn new(emulator: Emulator, auth: Auth) -> Self {
        let secret = match auth {
            Auth::Keys => CONNECTOR_USER.secret,
            Auth::Role { .. } => EXPORTER.secret,
        };
        Self { directory: tempfile::tempdir().unwrap(), emulator, auth, bucket: SUPRSEND_BUCKET, secret }
    }

    fn write(&self, dataset: Dataset, bytes: &[u8]) {
        use std::io::Write as _;
        let path = self.directory.path().join(format!("{dataset}.ndjson"));
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
        file.write_all(bytes).unwrap();
    }

    fn store_of(&self, config: &Config) -> S3Store {
        let credentials = config.credentials(|_| Some(self.secret.to_owned())).unwrap();
        let http = Some(self.emulator.http_client());
        S3Store::new(config.store_settings(credentials), self.emulator.clock(), http).unwrap()
    }

    fn connection(&self) -> Connection {
        let auth = match self.auth {
            Auth::Keys => format!("mode = \"static_keys\"\naccess_key_id = \"{}\"\n", CONNECTOR_USER.id),
            Auth::Role { external_id } => format!(
                "mode = \"assume_role\"\nrole_arn = \"{SUPRSEND_ROLE_ARN}\"\nexternal_id = \"{external_id}\"\n\
                 access_key_id = \"{}\"\n",
                EXPORTER.id
            ),
        };
        let source = |dataset| format!("[[source]]\ndataset = \"{dataset}\"\npath = \"{dataset}.ndjson\"\n");
        let sources = DATASETS.map(source).concat();
        let text = format!(
            "profile = \"suprsend_s3_v2\"\nenabled = true\n\
             datasets = [\"requests\", \"workflow_executions\", \"messages\"]\n\
             [bucket]\nname = \"{}\"\nregion = \"us-east-1\"\n[auth]\n{auth}\
             secret_access_key = {{ env = \"SECRET\" }}\n[state]\ndir = \"state\"\n{sources}",
            self.bucket
        );
        let config = Config::parse(&text, self.directory.path().join("c.toml").to_str().unwrap()).unwrap();
        let store = self.store_of(&config);
        let profile = config.load_profile().unwrap();
        let clock = self.emulator.clock().clone();
        Connection::new(config, profile, Arc::new(store), clock, Entropy::seeded(1)).unwrap()
    }

    /// The rows of each object as readers see them, by key; rows in the order of their text.
    async fn content(&self, dataset: Dataset) -> BTreeMap<String, Vec<String>> {
        let s3 = self.emulator.s3("administrator");
        let listing = s3.list_objects_v2().bucket(self.bucket).send().await.unwrap();
        let mut content = BTreeMap::new();
        for object in listing.contents() {
            let key = object.key().unwrap();
            if key.ends_with(&format!("/{dataset}.parquet")) {
                let body = s3.get_object().bucket(self.bucket).key(key).send().await.unwrap();
                let body = body.body.collect().await.unwrap().into_bytes();
                let mut texts: Vec<String> =
                    rows(&dataset.to_string(), &body).iter().flat_map(exported).collect();
                texts.sort();
                content.insert(key.to_owned(), texts);
            }
        }
        content
    }

    async fn assert_holds(&self, logs: &Logs) {
        for dataset in DATASETS {
            let mut expected = BTreeMap::new();
            for (hour, rows) in logs.dataset(dataset).content().hours {
                let mut texts: Vec<String> = rows.iter().map(Value::to_string).collect();
                texts.sort();
                expected.insert(hour.object_key(dataset), texts);
            }
            assert_eq!(self.content(dataset).await, expected, "{dataset}");
        }
    }
}

/// Each row of a batch as the model writes it.
fn exported(batch: &RecordBatch) -> Vec<String> {
    (0..batch.num_rows())
        .map(|row| {
            let fields: Map<String, Value> = batch
                .schema()
                .fields()
                .iter()
                .zip(batch.columns())
                .map(|(field, column)| (field.name().clone(), value(column, row)))
                .collect();
            Value::Object(fields).to_string()
        })
        .collect()
}

fn value(column: &dyn Array, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    if let Some(texts) = column.as_string_opt::<i32>() {
        return Value::from(texts.value(row));
    }
    if let Some(times) = column.as_primitive_opt::<TimestampMicrosecondType>() {
        return Value::from(format!("{:.6}", jiff::Timestamp::from_microsecond(times.value(row)).unwrap()));
    }
    if let Some(numbers) = column.as_primitive_opt::<Int64Type>() {
        return Value::from(numbers.value(row));
    }
    if let Some(truths) = column.as_boolean_opt() {
        return Value::from(truths.value(row));
    }
    let list = column.as_list::<i32>().value(row);
    Value::from(list.as_string::<i32>().iter().map(|text| text.unwrap().to_owned()).collect::<Vec<_>>())
}

fn traffic() -> Logs {
    Traffic::new(7).requests(120).starting("2025-01-15T14:00:00Z".parse().unwrap()).hours(3).generate()
}

#[tokio::test]
async fn realistic_traffic_in_five_deliveries_ends_as_the_model_says() {
    for auth in [Auth::Keys, Auth::Role { external_id: SUPRSEND_EXTERNAL_ID }] {
        let setup = Setup::new(emulator(scenario()).await, auth);
        let logs = traffic();
        let parts: Vec<Vec<String>> = DATASETS.map(|dataset| logs.dataset(dataset).ndjson_parts(5)).into();
        let mut written: BTreeMap<String, u64> = BTreeMap::new();
        let mut read: BTreeMap<String, u64> = BTreeMap::new();
        for delivery in 0..5 {
            for (dataset, parts) in DATASETS.iter().zip(&parts) {
                setup.write(*dataset, parts.get(delivery).map_or("", String::as_str).as_bytes());
            }
            let report = setup.connection().sync().await.unwrap();
            for dataset in report.datasets {
                assert!(dataset.reconciles(), "{dataset:?}");
                assert_eq!(dataset.rows_dead_lettered, 0);
                *written.entry(dataset.dataset.to_string()).or_default() += dataset.rows_written;
                *read.entry(dataset.dataset.to_string()).or_default() += dataset.rows_read;
            }
            // Role sessions end between deliveries.
            setup.emulator.clock().advance(Duration::from_mins(50));
        }
        for dataset in DATASETS {
            let counts = logs.dataset(dataset).content().counts;
            assert_eq!(read[dataset.name()], counts.rows as u64);
            assert!(written[dataset.name()] >= counts.keys as u64);
        }
        setup.assert_holds(&logs).await;
        assert_eq!(setup.connection().status().unwrap().state, ConnectionState::Active);

        let journal = setup.emulator.journal();
        let of_the_export = journal.entries();
        let actions: BTreeSet<String> = of_the_export
            .iter()
            .filter(|entry| !entry.principal.as_deref().unwrap_or_default().contains("administrator"))
            .flat_map(|entry| entry.decisions.iter().map(|decided| decided.action.clone()))
            .filter(|action| action.starts_with("s3:"))
            .collect();
        assert_eq!(actions, ["s3:GetObject", "s3:ListBucket", "s3:PutObject"].map(str::to_owned).into());
        assert!(journal.denied().is_empty());
        let assumed = of_the_export.iter().filter(|entry| entry.operation == Some(Op::AssumeRole)).count();
        match setup.auth {
            Auth::Keys => assert_eq!(assumed, 0),
            Auth::Role { .. } => assert_eq!(assumed, 5, "one process, one session"),
        }
    }
}

#[tokio::test]
async fn malformed_rows_are_dead_lettered_and_the_others_exported() {
    let setup = Setup::new(emulator(scenario()).await, Auth::Keys);
    let logs = traffic();
    for dataset in DATASETS {
        setup.write(dataset, b"");
        for (row, bad) in logs
            .dataset(dataset)
            .rows
            .iter()
            .zip(malformed_rows(dataset).iter().map(Some).chain(std::iter::repeat(None)))
        {
            setup.write(dataset, format!("{}\n", row.line()).as_bytes());
            if let Some(bad) = bad {
                setup.write(dataset, &[bad.line.as_slice(), b"\n"].concat());
            }
        }
    }
    let report = setup.connection().sync().await.unwrap();
    for (dataset, report) in DATASETS.iter().zip(&report.datasets) {
        assert!(report.reconciles());
        assert_eq!(report.rows_dead_lettered, malformed_rows(*dataset).len() as u64, "{dataset}");
    }
    setup.assert_holds(&logs).await;
}

#[tokio::test]
async fn faults_on_the_wire_are_survived() {
    let setup = Setup::new(emulator(scenario()).await, Auth::Keys);
    let logs = traffic();
    for dataset in DATASETS {
        setup.write(dataset, logs.dataset(dataset).ndjson().as_bytes());
    }
    let dropped = setup.emulator.inject(Fault::on(Op::PutObject).skip(1).times(1).drop_answer());
    let slow = setup.emulator.inject(Fault::on(Op::PutObject).skip(3).times(2).slow_down());
    let lost = setup.emulator.inject(Fault::on(Op::GetObject).skip(2).times(1).drop_answer());
    let report = setup.connection().sync().await.unwrap();
    assert_eq!((dropped.hits(), slow.hits(), lost.hits()), (1, 2, 1));
    assert!(report.retries.unavailable >= 4, "{:?}", report.retries);
    setup.assert_holds(&logs).await;
}

#[tokio::test]
async fn each_missing_action_is_diagnosed_by_name() {
    let full = suprsend().file(POLICY).unwrap();
    for (dropped, resource) in [
        (
            "s3:PutObject",
            format!("arn:aws:s3:::{SUPRSEND_BUCKET}/year=2025/month=01/day=15/hour=14/requests.parquet"),
        ),
        ("s3:ListBucket", format!("arn:aws:s3:::{SUPRSEND_BUCKET}")),
        (
            "s3:GetObject",
            format!("arn:aws:s3:::{SUPRSEND_BUCKET}/year=2025/month=01/day=15/hour=14/requests.parquet"),
        ),
    ] {
        let policy = full.replace(&format!("\"{dropped}\""), "\"s3:GetBucketLocation\"");
        assert_ne!(policy, full);
        let setup = Setup::new(emulator(scenario().with_file(POLICY, policy)).await, Auth::Keys);
        for dataset in DATASETS {
            setup.write(dataset, traffic().dataset(dataset).ndjson().as_bytes());
        }
        let error = setup.connection().sync().await.unwrap_err();
        let diagnosis = error.diagnosis().unwrap();
        assert_eq!(diagnosis.action.as_deref(), Some(dropped));
        assert_eq!(diagnosis.resource.as_deref(), Some(resource.as_str()));
        assert_eq!(diagnosis.requirement.as_deref(), Some("SUP-75"));
        assert_eq!(setup.connection().status().unwrap().state, ConnectionState::SetupFailed);
    }
}

#[tokio::test]
async fn wrong_bucket_secret_and_external_id_are_told_apart() {
    let diagnose = async |setup: Setup| {
        for dataset in DATASETS {
            setup.write(dataset, b"");
        }
        let diagnosis = setup.connection().sync().await.unwrap_err().diagnosis().unwrap().clone();
        (diagnosis.kind, diagnosis.requirement.unwrap())
    };
    let wrong_secret = Setup { secret: "wrong", ..Setup::new(emulator(scenario()).await, Auth::Keys) };
    assert_eq!(diagnose(wrong_secret).await, (DiagnosisKind::SignatureMismatch, "SUP-74".to_owned()));
    let other_case = Auth::Role { external_id: "5f0c9a1e-7d42-4c1b-9e2a-3b8d6f4a1c77" };
    let wrong_id = Setup::new(emulator(scenario()).await, other_case);
    assert_eq!(diagnose(wrong_id).await, (DiagnosisKind::RoleDenied, "SUP-74".to_owned()));
    let wrong_bucket =
        Setup { bucket: "suprsend-logs-prod", ..Setup::new(emulator(scenario()).await, Auth::Keys) };
    assert_eq!(diagnose(wrong_bucket).await, (DiagnosisKind::NoSuchBucket, "SUP-72".to_owned()));
}

/// What is too large for memory goes to the service from a file, and comes into one.
#[tokio::test]
async fn large_objects_go_by_way_of_files() {
    use bucketproof_connector::content::{Content, Room};
    use bucketproof_connector::names::{IntentId, ObjectKey};
    use bucketproof_connector::store::{Condition, PutOutcome, PutRequest, Store as _};

    let setup = Setup::new(emulator(scenario()).await, Auth::Keys);
    let store = setup.store_of(setup.connection().config());
    let room = Room::new(1_000, setup.directory.path().join("room"));
    let bytes: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let mut condition = Condition::Absent;
    for size in [10, bytes.len()] {
        let body = Content::within(&room, &bytes[..size]).unwrap();
        assert_eq!(body.path().is_some(), size > 1_000);
        let request = PutRequest {
            key: ObjectKey::new("exports/large").unwrap(),
            body,
            content_type: "application/octet-stream",
            condition: condition.clone(),
            intent: IntentId::new("00000000-0000-5000-8000-000000000001").unwrap(),
            generation: 1,
            epoch: 3,
            acl: None,
            acl_is_required: false,
        };
        let PutOutcome::Written(etag) = store.put(&request).await.unwrap() else { panic!("not written") };
        assert_eq!(store.put(&request).await.unwrap(), PutOutcome::PreconditionFailed);
        let (head, found) = store.get_within(&request.key, &room).await.unwrap().unwrap();
        assert_eq!((&head.etag, head.epoch), (&etag, 3));
        assert_eq!(
            (found.path().is_some(), found.to_bytes().unwrap().as_ref()),
            (size > 1_000, &bytes[..size])
        );
        assert_eq!(store.get(&request.key).await.unwrap().unwrap().body, found.to_bytes().unwrap());
        condition = Condition::Matches(etag);
    }
    assert_eq!(std::fs::read_dir(setup.directory.path().join("room")).unwrap().count(), 0);
}
