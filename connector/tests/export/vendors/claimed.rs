//! What the vendors' pages and their resolutions say in one sentence each, and nothing else proves.

use std::time::Duration;

use bucketproof_connector::credentials::{AccessKey, CredentialSource};
use bucketproof_connector::doctor::{ProbeWrite, Verdict};
use bucketproof_connector::engine::Connection;
use bucketproof_connector::import::CatalogueProfile;
use bucketproof_connector::profile::{
    Ask, Cadence, Column, ColumnType, Compression, Direction, Format, VendorProfile,
};
use bucketproof_connector::report::ConnectionState;
use bucketproof_connector::secret::Secret;
use bucketproof_connector::store::DiagnosisKind;
use bucketproof_emulator::{Fault, Op};
use serde_json::json;

use super::killed::Bench;
use super::place::{BUCKET, Place};
use crate::rig::rows;

fn text(id: &str) -> &'static str {
    VendorProfile::embedded().find(|(known, _)| *known == id).unwrap().1
}

fn profile(id: &str) -> VendorProfile {
    VendorProfile::named(id).unwrap()
}

/// Claims SUP-34, SUP-Q05: steps of one execution stay apart whatever single part of their key tells them apart; the same
/// step once more replaces its earlier state.
#[tokio::test]
async fn steps_of_one_execution_stay_apart() {
    let bench = Bench::new(text("suprsend_s3_v2"));
    let step = |node: &str, stage: &str, created: &str, updated: &str, message: &str| {
        json!({
            "execution_id": "e-1", "node_id": node, "execution_stage": stage, "message": message, "status": "info",
            "created_at": format!("2026-03-07T21:{created}:00Z"), "updated_at": format!("2026-03-07T22:{updated}:00Z"),
        })
        .to_string()
            + "\n"
    };
    let lines = [
        step("n-1", "started", "10", "00", "a"),
        step("n-2", "started", "10", "00", "another node"),
        step("n-1", "finished", "10", "00", "another stage"),
        step("n-1", "started", "11", "00", "another time"),
        step("n-1", "started", "10", "05", "later"),
        step("n-1", "started", "10", "03", "late, and older"),
    ];
    bench.replace("workflow_executions", &lines.concat());
    bench.connection().sync().await.unwrap();
    let objects = bench.objects();
    let body = &objects["year=2026/month=03/day=07/hour=21/workflow_executions.parquet"];
    let mut messages: Vec<String> = Vec::new();
    for batch in rows("workflow_executions", body) {
        use arrow_array::cast::AsArray as _;
        let column = batch.column_by_name("message").unwrap().as_string::<i32>().clone();
        messages.extend(column.iter().map(|message| message.unwrap().to_owned()));
    }
    messages.sort();
    assert_eq!(messages, ["another node", "another stage", "another time", "later"]);
}

/// Claims SUP-33: a step's log is an error, a warning or a piece of information; anything else is a dead letter.
#[tokio::test]
async fn a_steps_log_is_of_three_kinds() {
    let bench = Bench::new(text("suprsend_s3_v2"));
    let lines = ["error", "warning", "info", "debug", "Error"].map(|status| {
        let row = json!({
            "execution_id": status, "node_id": "n", "execution_stage": "s", "status": status,
            "created_at": "2026-03-07T21:10:00Z", "updated_at": "2026-03-07T21:10:00Z",
        });
        format!("{row}\n")
    });
    bench.replace("workflow_executions", &lines.concat());
    let report = bench.connection().sync().await.unwrap();
    let own = report.dataset("workflow_executions").unwrap();
    assert_eq!((own.rows_written, own.rows_dead_lettered), (3, 2));
}

/// Claims SUP-Q01, SUP-Q02, SUP-Q06, SUP-Q07, SUP-Q08, SUP-Q09, SUP-Q10.
#[tokio::test]
async fn what_the_page_of_the_hourly_export_leaves_open_is_as_resolved() {
    let profile = profile("suprsend_s3_v2");
    let encoding = profile.encoding();
    assert_eq!((encoding.format, encoding.compression), (Format::Parquet, Compression::Snappy));
    let required = |name: &str| -> Vec<String> {
        let dataset = profile.datasets().iter().find(|dataset| dataset.name().as_str() == name).unwrap();
        let columns = dataset.columns().iter().filter(|column| !column.nullable);
        columns.map(|column: &Column| column.name.clone()).collect()
    };
    for name in ["requests", "workflow_executions", "messages"] {
        let required = required(name);
        assert!(["created_at", "updated_at"].iter().all(|time| required.iter().any(|own| own == time)));
        // Of the others, those alone that are in the key, and never absent.
        let in_keys = [
            "tenant_id",
            "idempotency_key",
            "api_type",
            "api_name",
            "execution_id",
            "node_id",
            "execution_stage",
        ];
        let others = required.iter().filter(|own| !own.ends_with("ed_at"));
        assert!(others.clone().all(|own| in_keys.contains(&own.as_str())), "{name}: {required:?}");
    }
    for (kind, arrow) in [
        (ColumnType::Datetime, "Timestamp(µs, \"UTC\")"),
        (ColumnType::Json, "Utf8"),
        (ColumnType::Integer, "Int64"),
        (ColumnType::Boolean, "Boolean"),
    ] {
        let mut seen = 0;
        for dataset in profile.datasets() {
            let schema = dataset.schema();
            for column in dataset.columns().iter().filter(|column| column.kind == kind) {
                let found = schema.field_with_name(&column.name).unwrap().data_type().to_string();
                assert!(found == arrow || arrow.starts_with("Timestamp") && found.contains("UTC"), "{found}");
                seen += 1;
            }
        }
        assert!(seen > 0, "{arrow}");
    }
    // No prefix: keys begin at the root; with one, below it.
    let bench = Bench::new(text("suprsend_s3_v2"));
    bench.write_rows(0..2);
    bench.connection().sync().await.unwrap();
    assert!(bench.objects().keys().all(|key| key.starts_with("year=2026/")), "{:?}", bench.objects().keys());
    let place = Place::documented(text("suprsend_s3_v2")).await;
    place.write_rows(0..2);
    place.sync().await;
    let keys: Vec<String> = place.objects().await.into_keys().collect();
    assert!(!keys.is_empty() && keys.iter().all(|key| key.starts_with("exports/year=2026/")), "{keys:?}");
}

/// Claims PER-Q10, DAT-Q02, PER-22: what decides when and how much is written.
#[test]
fn schedules_and_sizes_that_the_pages_leave_open_are_as_resolved() {
    assert!(
        matches!(profile("permutive_batch").cadence(), Cadence::Daily { at } if at.to_string() == "03:00:00")
    );
    let datafly = profile("datafly_s3");
    let limits = datafly.batch_limits();
    assert_eq!((limits.rows, limits.bytes), (10_000, 16 * 1024 * 1024));
    assert!(matches!(datafly.cadence(), Cadence::Streaming { age, .. } if age == Duration::from_mins(1)));
}

/// Claims PER-01: streaming and batches outward, tables inward.
#[test]
fn the_three_ways_of_one_vendor_are_three_profiles() {
    for id in ["permutive_stream", "permutive_batch"] {
        assert_eq!(profile(id).direction(), Direction::Export);
    }
    assert_eq!(CatalogueProfile::named("permutive_import").unwrap().unwrap().id, "permutive_import");
}

/// Claims PER-Q05: the hour of a streamed object is that in which it was written, whatever time its events bear.
#[tokio::test]
async fn a_streamed_object_is_of_the_hour_in_which_it_was_written() {
    let bench = Bench::new(text("permutive_stream"));
    bench.write_rows(0..3);
    bench.connection().sync().await.unwrap();
    let keys: Vec<String> =
        bench.objects().into_keys().filter(|key| key.starts_with("type=events/")).collect();
    assert_eq!(keys.len(), 1);
    assert!(keys[0].starts_with("type=events/year=2026/month=03/day=08/hour=04/"), "{keys:?}");
}

/// Claims DAT-Q04: lines are announced as lines, and nothing is unpacked on the way.
#[tokio::test]
async fn objects_of_lines_are_announced_as_lines_and_not_as_encoded() {
    let place = Place::documented(text("datafly_s3")).await;
    place.write_rows(0..3);
    place.sync().await;
    let s3 = place.emulator.s3("administrator");
    for key in place.objects().await.into_keys() {
        let head = s3.head_object().bucket(BUCKET).key(key).send().await.unwrap();
        assert_eq!(head.content_type(), Some("application/x-ndjson"));
        assert_eq!(head.content_encoding(), None);
    }
}

/// Claims DAT-10, ENG-09: temporary credentials are signed with their token, and their end is told as what it is.
#[tokio::test]
async fn a_session_token_is_used_and_its_end_is_diagnosed() {
    let place = Place::documented(text("datafly_s3")).await;
    place.write_rows(0..3);
    let session =
        place.emulator.sts("connector").get_session_token().duration_seconds(900).send().await.unwrap();
    let session = session.credentials().unwrap().clone();
    let connection = |place: &Place| -> Connection {
        let credentials = CredentialSource::Static(AccessKey {
            id: session.access_key_id().to_owned(),
            secret: Secret::new(session.secret_access_key()),
            session_token: Some(Secret::new(session.session_token())),
        });
        place.connection_as(credentials)
    };
    connection(&place).sync().await.unwrap();
    assert_eq!(place.objects().await.len(), 1);
    place.emulator.clock().advance(Duration::from_mins(16));
    place.write_rows(3..5);
    let error = connection(&place).sync().await.unwrap_err();
    let diagnosis = error.diagnosis().unwrap();
    assert_eq!(diagnosis.kind, DiagnosisKind::CredentialsExpired, "{error}");
    assert_eq!(diagnosis.requirement.as_deref(), Some("DAT-10"));
    assert!(!error.to_string().contains(session.session_token()));
    assert_eq!(connection(&place).status().unwrap().state, ConnectionState::CredentialsRejected);
}

/// Claims PER-56: a batch that is missing is explained by when the last run was and when the next is.
#[tokio::test]
async fn status_tells_when_the_last_batch_was_and_when_the_next_is() {
    let bench = Bench::new(text("permutive_batch"));
    bench.write_rows(0..2);
    let connection = bench.connection();
    assert_eq!(connection.status().unwrap().state, ConnectionState::WaitingForFirstSync);
    connection.sync().await.unwrap();
    let status = connection.status().unwrap();
    assert_eq!(status.state, ConnectionState::Active);
    let last = status.datasets[0].last_success.as_deref().unwrap();
    assert!(last.starts_with("2026-03-08T04:30:00"), "{last}");
    let next = connection.schedule().next(Some(bench.clock.now()), bench.clock.now()).unwrap();
    assert_eq!(next.to_string(), "2026-03-09T03:00:00Z");
}

/// Claims SUP-48, SUP-Q14, DAT-18, PER-20: what the pages recommend for the bucket is seen where the policy lets it be seen.
#[tokio::test]
async fn what_is_recommended_for_the_bucket_is_looked_at() {
    use aws_sdk_s3::types::{
        PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
        ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
    };
    for id in ["datafly_s3", "permutive_stream", "adapty_s3"] {
        let mut policy: serde_json::Value =
            serde_json::from_str(&Place::documented(text(id)).await.policy()).unwrap();
        policy["Statement"].as_array_mut().unwrap().push(json!({
            "Effect": "Allow", "Resource": "*",
            "Action": ["s3:GetBucketPublicAccessBlock", "s3:GetEncryptionConfiguration"],
        }));
        let place = Place::with_policy(text(id), &policy.to_string()).await;
        let verdicts = async || {
            let report = place.doctor(ProbeWrite::IfItCanBeDeleted).await;
            let of = |check: &str| report.findings.iter().find(|it| it.check == check).unwrap().clone();
            (of("Block Public Access"), of("default encryption"))
        };
        let s3 = place.emulator.s3("administrator");
        s3.delete_public_access_block().bucket(BUCKET).send().await.unwrap();
        let (public, encryption) = verdicts().await;
        assert_eq!((public.verdict, encryption.verdict), (Verdict::Warning, Verdict::Passed), "{id}");
        assert!(public.help.unwrap().contains("all four"), "{id}");
        let all = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .ignore_public_acls(true)
            .block_public_policy(true)
            .restrict_public_buckets(true)
            .build();
        let put = s3.put_public_access_block().bucket(BUCKET).public_access_block_configuration(all);
        put.send().await.unwrap();
        let by_default = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(ServerSideEncryption::AwsKms)
            .build()
            .unwrap();
        let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(by_default);
        let rules = ServerSideEncryptionConfiguration::builder().rules(rule.build()).build().unwrap();
        let put = s3.put_bucket_encryption().bucket(BUCKET).server_side_encryption_configuration(rules);
        put.send().await.unwrap();
        let (public, encryption) = verdicts().await;
        assert_eq!((public.verdict, encryption.verdict), (Verdict::Passed, Verdict::Warning), "{id}");
        assert!(encryption.help.unwrap().contains("kms:GenerateDataKey"), "{id}");
    }
}

/// The entries of each page, in the order of the page, by a word of each.
const ENTRIES: [(&str, &[&str]); 6] = [
    (
        "suprsend_s3_v2",
        &[
            "ten minutes",
            "bucket's name",
            "region",
            "role ARN",
            "policy's actions",
            "know it works",
            "not selected",
            "first set-up",
            "nothing was sent",
            "paused",
        ],
    ),
    (
        "datafly_s3",
        &[
            "not appearing",
            "AccessDenied",
            "NoSuchBucket",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "empty",
            "Wrong region",
        ],
    ),
    ("adapty_s3", &["Access to the bucket", "names of fields"]),
    ("split_impressions_export", &["must exist", "name the role", "changed later", "KMS key"]),
    (
        "permutive_stream",
        &[
            "four actions",
            "both ARNs",
            "condition",
            "not current",
            "not collected",
            "region",
            "path structure",
            "validation errors",
            "Missing event types",
            "KMS",
        ],
    ),
    (
        "permutive_batch",
        &[
            "four actions",
            "both ARNs",
            "condition",
            "not current",
            "not collected",
            "region",
            "path structure",
            "validation errors",
            "Missing event types",
            "KMS",
            "missing or late",
        ],
    ),
];

/// Each entry of the pages' troubleshooting has an answer, and each answer that is a diagnosis has its message.
#[test]
fn every_entry_of_the_pages_troubleshooting_is_answered() {
    for (id, words) in ENTRIES {
        let profile = profile(id);
        let entries = profile.troubleshooting();
        assert_eq!(entries.len(), words.len(), "{id}");
        for (entry, word) in entries.iter().zip(words) {
            assert!(entry.entry.contains(word), "{id}: {} has no {word}", entry.entry);
            assert!(!entry.when.is_empty() || !entry.ask.is_empty());
            assert!(entry.when.iter().all(|kind| profile.doctor_message(*kind).is_some()));
            assert!(entry.id.is_some(), "{id}: {}", entry.entry);
        }
    }
    assert_eq!(Ask::Status.command(), "bucketproof-connector status");
}

/// A live doctor under a key of the customer names what of KMS is missing, in either of the two policies.
#[tokio::test]
async fn a_live_doctor_names_what_of_kms_is_missing() {
    let key = "0f0f0f0f-0000-4000-8000-000000000000";
    let arn = format!("arn:aws:kms:us-east-1:111122223333:key/{key}");
    let text = text("permutive_stream");
    for action in ["kms:GenerateDataKey", "kms:Decrypt"] {
        for whole in [true, false] {
            let base = Place::documented(text).await;
            let mut policy: serde_json::Value = serde_json::from_str(&base.policy()).unwrap();
            let mut actions = vec!["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"];
            actions.retain(|known| whole || *known != action);
            policy["Statement"].as_array_mut().unwrap().push(json!({
                "Effect": "Allow", "Action": actions, "Resource": arn,
            }));
            let place = Place::with_policy_and_key(text, &policy.to_string(), key).await;
            let place = place.with(&format!("encryption = \"aws:kms\"\nkms_key_id = \"{arn}\"\n"));
            let report = place.doctor(ProbeWrite::Allowed).await;
            let failed: Vec<_> = report
                .failures()
                .map(|it| (it.action.clone().unwrap(), it.requirement.clone().unwrap()))
                .collect();
            let expected = if whole { vec![] } else { vec![(action.to_owned(), "PER-54".to_owned())] };
            assert_eq!(failed, expected, "{report:#?}");
        }
    }
}

/// Claims SPL-55, SPL-Q22: each object is one conditional PUT under its own name. Nothing is staged, so nothing is removed: not
/// after a run that failed in between, and not what others have left under names of staging.
#[tokio::test]
async fn nothing_is_staged_and_nothing_removed() {
    let place = Place::documented(text("split_impressions_export")).await;
    let foreign = ["exports/_tmp/run-1/part", "exports/schema-v1_tmp/run-1/part"];
    for key in foreign {
        let s3 = place.emulator.s3("administrator");
        s3.put_object().bucket(BUCKET).key(key).body(b"theirs".to_vec().into()).send().await.unwrap();
    }
    place.write_rows(0..5);
    let failing = place.emulator.inject(Fault::on(Op::PutObject).times(1).refuse(
        hyper::StatusCode::FORBIDDEN,
        "AccessDenied",
        "Access Denied",
    ));
    place.connection().sync().await.unwrap_err();
    assert_eq!(failing.hits(), 1);
    place.sync().await;
    let journal = place.emulator.journal();
    let entries = journal.entries();
    let own = entries.iter().filter(|entry| {
        entry.principal.as_deref().is_some_and(|principal| principal.ends_with("user/exporter"))
    });
    let mut written = 0;
    for entry in own {
        let operation = entry.operation.unwrap();
        assert!(matches!(operation, Op::ListObjectsV2 | Op::GetObject | Op::PutObject), "{operation}");
        if operation == Op::PutObject {
            let key = entry.key.as_deref().unwrap();
            assert!(key.starts_with("exports/schema-v1/") && !key.contains("_tmp"), "{key}");
            written += 1;
        }
    }
    assert!(written > 1, "the refused write and the one that followed it");
    let objects = place.objects().await;
    assert!(foreign.iter().all(|key| objects[*key] == b"theirs"[..]), "what is not ours stays");
}
