use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use bucketproof_connector::profile::VendorProfile;
use jiff::SignedDuration;
use parquet::arrow::ArrowWriter;

use super::{Place, Topic, VerifyReport, VerifySettings, verify};
use crate::context::{CheckContext, ScenarioSource};
use crate::stage::{CUSTOMER_BUCKET, Export, Setup, Stage, VendorStage};
use bucketproof_fixtures::suprsend::{Dataset, Traffic};

fn settings() -> VerifySettings {
    let now = bucketproof_clock::Clock::system().now();
    VerifySettings { fresh_within: None, encryption: None, objects_max: 100, now }
}

fn profile() -> VendorProfile {
    VendorProfile::named("suprsend_s3_v2").unwrap()
}

/// An export of two hours: what the connector itself makes.
async fn exported() -> Stage {
    let stage = Stage::vendor(CheckContext::new(Arc::new(ScenarioSource::embedded()))).await.unwrap();
    let export = Export::new(&stage, "exporter");
    let logs = Traffic::new(7).requests(40).hours(2).generate();
    for dataset in Dataset::ALL {
        export.deliver(dataset, logs.dataset(dataset).ndjson().as_bytes()).unwrap();
    }
    export.sync("sync").await.unwrap();
    stage
}

async fn copied(folder: &Path) {
    for (key, body) in exported().await.exported().await.unwrap() {
        let path = folder.join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, body).unwrap();
    }
}

async fn judged(folder: &Path) -> VerifyReport {
    verify(&profile(), &Place::Folder(folder.to_owned()), &settings()).await.unwrap()
}

fn topics(report: &VerifyReport) -> Vec<Topic> {
    let mut topics: Vec<Topic> = report.findings.iter().map(|finding| finding.topic).collect();
    topics.dedup();
    topics
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_connector_exports_conforms_in_its_bucket() {
    let stage = exported().await;
    let place = Place::Bucket {
        s3: stage.administrator(),
        bucket: bucketproof_fixtures::scenario::SUPRSEND_BUCKET.to_owned(),
        prefix: String::new(),
    };
    let report = verify(&profile(), &place, &settings()).await.unwrap();
    assert!(report.conforms(true), "{}", report.text());
    assert!(report.objects >= 6 && report.rows > 80, "{}", report.text());
    let few = VerifySettings { objects_max: 2, ..settings() };
    let refused = verify(&profile(), &place, &few).await.unwrap_err();
    assert!(
        refused.is_usage() && refused.to_string().starts_with("there are more than 2 objects"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_is_found_and_named() {
    let folder = tempfile::tempdir().unwrap();
    copied(folder.path()).await;
    let clean = judged(folder.path()).await;
    assert!(clean.conforms(true), "{}", clean.text());

    let requests = clean_path(folder.path(), "requests.parquet");
    let hour = requests.parent().unwrap().to_owned();

    // Another hour's name for the same object: rows elsewhere, and each row twice.
    let other = hour.parent().unwrap().join("hour=23");
    fs::create_dir_all(&other).unwrap();
    fs::copy(&requests, other.join("requests.parquet")).unwrap();
    let report = judged(folder.path()).await;
    for topic in [Topic::Partition, Topic::Duplicate, Topic::Gap] {
        assert!(topics(&report).contains(&topic), "{topic:?}: {}", report.text());
    }
    fs::remove_dir_all(&other).unwrap();

    // A month without its zero is no key of the layout.
    let month = hour.parent().unwrap().parent().unwrap();
    fs::rename(month, month.with_file_name("month=1")).unwrap();
    assert_eq!(topics(&judged(folder.path()).await), [Topic::Layout]);
    fs::rename(month.with_file_name("month=1"), month).unwrap();

    fs::write(&requests, "no Parquet").unwrap();
    assert_eq!(topics(&judged(folder.path()).await), [Topic::Content]);

    let column: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
    let batch = RecordBatch::try_from_iter([("api_type", Arc::clone(&column)), ("extra", column)]).unwrap();
    let mut writer =
        ArrowWriter::try_new(fs::File::create(&requests).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let report = judged(folder.path()).await;
    assert_eq!(topics(&report), [Topic::Schema]);
    for part in ["`api_name` is missing", "`extra` is not documented"] {
        assert!(report.text().contains(part), "{}", report.text());
    }
}

/// The first object of this name.
fn clean_path(folder: &Path, name: &str) -> std::path::PathBuf {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        if let Some(found) = paths.iter().find(|path| path.ends_with(name)) {
            return found.clone();
        }
        folders.extend(paths.into_iter().filter(|path| path.is_dir()));
    }
    panic!("no `{name}`");
}

#[tokio::test(flavor = "multi_thread")]
async fn freshness_is_judged_by_who_says_how_fresh() {
    let folder = tempfile::tempdir().unwrap();
    copied(folder.path()).await;
    let place = Place::Folder(folder.path().to_owned());
    let later = VerifySettings {
        fresh_within: Some(SignedDuration::from_mins(15)),
        now: settings().now + SignedDuration::from_hours(1),
        ..settings()
    };
    let report = verify(&profile(), &place, &later).await.unwrap();
    assert_eq!(topics(&report), [Topic::Freshness]);
    assert!(!report.conforms(false));
    assert!(judged(folder.path()).await.not_judged.iter().any(|what| what.contains("--fresh-within")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_everybody_may_read_or_that_is_not_encrypted_is_found() {
    let stage = exported().await;
    let text = "no object of ours";
    let s3 = stage.administrator();
    let bucket = bucketproof_fixtures::scenario::SUPRSEND_BUCKET;
    s3.put_object()
        .bucket(bucket)
        .key("notes.txt")
        .body(text.as_bytes().to_vec().into())
        .send()
        .await
        .unwrap();
    let place = Place::Bucket { s3, bucket: bucket.to_owned(), prefix: String::new() };
    let report = verify(&profile(), &place, &settings()).await.unwrap();
    assert_eq!(topics(&report), [Topic::Layout], "{}", report.text());

    // An answer that names no encryption.
    let _unencrypted = stage.emulator.inject(
        bucketproof_emulator::Fault::on(bucketproof_emulator::Op::GetObject)
            .without_header("x-amz-server-side-encryption"),
    );
    let report = verify(&profile(), &place, &settings()).await.unwrap();
    assert!(report.counts.get("encryption").is_some_and(|number| *number >= 6), "{}", report.text());
}

/// The exports of every vendor, in their bucket and as a copy of it, in every format.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_connector_exports_conforms_for_every_profile_and_format() {
    let context = || CheckContext::new(Arc::new(ScenarioSource::embedded()));
    for (id, head) in [
        ("datafly_s3", ""),
        ("adapty_s3", ""),
        ("permutive_stream", ""),
        ("permutive_batch", ""),
        ("permutive_batch", "format = \"ndjson\"\ncompression = \"gzip\""),
        ("split_impressions_export", ""),
        ("split_impressions_export", "format = \"ndjson\"\ncompression = \"none\""),
        ("split_impressions_export", "format = \"csv\"\ncompression = \"gzip\""),
    ] {
        let stage = VendorStage::open(context(), id, Setup { head, ..Setup::default() }).await.unwrap();
        stage.deliver_samples(&(0..30)).unwrap();
        stage.sync("sync").await.unwrap();
        let profile = VendorProfile::named(id).unwrap();
        let bucket = Place::Bucket {
            s3: stage.administrator(),
            bucket: CUSTOMER_BUCKET.to_owned(),
            prefix: "exports/".to_owned(),
        };
        let folder = tempfile::tempdir().unwrap();
        for (key, body) in stage.objects().await.unwrap() {
            let path = folder.path().join(key.strip_prefix("exports/").unwrap());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, body).unwrap();
        }
        for place in [bucket, Place::Folder(folder.path().to_owned())] {
            let report = verify(&profile, &place, &settings()).await.unwrap();
            assert!(report.conforms(true), "{}", report.text());
            assert_eq!(report.rows, 30 * profile.datasets().len(), "{}", report.text());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_in_a_text_is_found_and_named() {
    let profile = VendorProfile::named("adapty_s3").unwrap();
    let header = "profile_id,customer_user_id,profile_country,install_date,store,paywall_showed_at,developer_id,\
                  ab_test_name,ab_test_revision,paywall_name,paywall_revision\n";
    let good = "p,,DE,,app_store,2026-03-07T00:00:00Z,,,3,,\n";
    for (text, topic, message) in [
        (format!("{header}{good}"), None, ""),
        (header.to_owned(), None, ""),
        (format!("{header}{good}{good}"), Some(Topic::Repeat), "a row stands twice in it"),
        (
            header.replace(",store", ""),
            Some(Topic::Schema),
            "the header does not have the documented columns",
        ),
        (
            format!("{header}{}", good.replace(",3,", ",three,")),
            Some(Topic::Schema),
            "`ab_test_revision` is not of the type Integer, in 1 rows",
        ),
        (
            format!("{header}{}", good.replace("p,", ",")),
            Some(Topic::Schema),
            "`profile_id` is null, which it may not be",
        ),
        (
            format!("{}{good}", header.replace("store,", "shop,")),
            Some(Topic::Schema),
            "the column `shop` is not documented",
        ),
        (
            format!("{header}{}", good.replace("-07T", "-08T")),
            Some(Topic::Partition),
            "1 rows belong to another partition",
        ),
        (format!("{header}p,x\n"), Some(Topic::Content), "record 1 has 2 fields, the header 11"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("paywall_visits")).unwrap();
        fs::write(folder.path().join("paywall_visits/2026-03-07.csv"), text).unwrap();
        let report = verify(&profile, &Place::Folder(folder.path().to_owned()), &settings()).await.unwrap();
        assert_eq!(report.findings.first().map(|finding| finding.topic), topic, "{}", report.text());
        assert!(report.text().contains(message), "{}", report.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn optional_columns_are_documented_columns() {
    let profile = VendorProfile::named("adapty_s3").unwrap();
    let events = profile.datasets().iter().find(|dataset| dataset.name().as_str() == "events").unwrap();
    let mut names: Vec<&str> = events.columns().iter().map(|column| column.name.as_str()).collect();
    let mut row = vec![""; names.len()];
    row[0] = "p";
    row[1] = "trial_started";
    row[2] = "2026-03-07T00:00:00Z";
    names.push("attributes");
    row.push("{}");
    for (last, is_fine) in [("attributes", true), ("attribute", false)] {
        *names.last_mut().unwrap() = last;
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("events")).unwrap();
        let text = format!("{}\n{}\n", names.join(","), row.join(","));
        fs::write(folder.path().join("events/2026-03-07.csv"), text).unwrap();
        let report = verify(&profile, &Place::Folder(folder.path().to_owned()), &settings()).await.unwrap();
        assert_eq!(report.findings.is_empty(), is_fine, "{}", report.text());
    }
}

/// Pages follow each other, and what is kept does not grow with the number of keys.
#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_of_many_keys_is_judged_page_by_page() {
    let stage = exported().await;
    let bucket = bucketproof_fixtures::scenario::SUPRSEND_BUCKET;
    let s3 = stage.administrator();
    for number in 0..2_500 {
        let put = s3.put_object().bucket(bucket).key(format!("zzz/{number:05}"));
        put.send().await.unwrap();
    }
    let place = Place::Bucket { s3, bucket: bucket.to_owned(), prefix: String::new() };
    let many = VerifySettings { objects_max: 1_000_000, ..settings() };
    let report = verify(&profile(), &place, &many).await.unwrap();
    assert_eq!(report.counts["layout"], 2_500);
    assert!(report.objects > 2_500 && report.findings.len() <= super::FINDINGS_MAX, "{}", report.objects);
    assert!(report.text().contains("findings more"));
}

/// What is counted counts, also when so much was found before that it is not kept.
#[test]
fn a_finding_that_is_not_kept_is_no_pass() {
    let place = Place::Folder("folder".into());
    let mut report = VerifyReport::new(&profile(), &place);
    for _ in 0..=super::FINDINGS_MAX {
        report.find(Topic::Gap, "requests", "there is no object");
    }
    assert!(report.conforms(false) && !report.conforms(true));
    report.find(Topic::Schema, "key", "a column is missing");
    assert!(report.findings.iter().all(|finding| finding.topic == Topic::Gap), "it is not kept");
    assert!(!report.conforms(false));
}

/// Encryption by its name, the content type, the archive, and the control of the bucket's owner.
#[tokio::test(flavor = "multi_thread")]
async fn what_answers_say_of_objects_is_held_against_the_profile() {
    use bucketproof_emulator::{Fault, Op};
    let context = CheckContext::new(Arc::new(ScenarioSource::embedded()));
    let stage = VendorStage::open(context, "permutive_batch", Setup::default()).await.unwrap();
    stage.deliver_samples(&(0..6)).unwrap();
    stage.sync("sync").await.unwrap();
    let profile = VendorProfile::named("permutive_batch").unwrap();
    let s3 = stage.administrator();
    let place =
        Place::Bucket { s3: s3.clone(), bucket: CUSTOMER_BUCKET.to_owned(), prefix: "exports/".to_owned() };
    let judged = async |settings: VerifySettings| verify(&profile, &place, &settings).await.unwrap();
    let named = |algorithm: &str| VerifySettings { encryption: Some(algorithm.to_owned()), ..settings() };
    let clean = judged(named("AES256")).await;
    assert!(clean.conforms(true), "{}", clean.text());
    let other = judged(named("aws:kms")).await;
    assert!(
        !other.conforms(false) && other.text().contains("with `AES256`, not `aws:kms`"),
        "{}",
        other.text()
    );

    let owner = "<AccessControlPolicy><Owner><ID>vendor</ID></Owner><AccessControlList><Grant><Grantee \
                 xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"><ID>vendor</ID></Grantee>\
                 <Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>";
    let foreign = stage.emulator.inject(Fault::on(Op::GetObjectAcl).body(owner));
    let report = judged(settings()).await;
    assert_eq!(topics(&report), [Topic::Ownership], "{}", report.text());
    drop(foreign);

    let kind = stage.emulator.inject(Fault::on(Op::GetObject).header("content-type", "text/html"));
    let report = judged(settings()).await;
    assert_eq!(topics(&report), [Topic::ContentType], "{}", report.text());
    assert!(report.conforms(false) && !report.conforms(true));
    drop(kind);

    let key = stage.objects().await.unwrap().into_keys().next().unwrap();
    let source = format!("{CUSTOMER_BUCKET}/{key}");
    let class = aws_sdk_s3::types::StorageClass::Glacier;
    let archive = s3.copy_object().bucket(CUSTOMER_BUCKET).key(&key).copy_source(source).storage_class(class);
    archive.send().await.unwrap();
    let report = judged(settings()).await;
    assert_eq!(report.counts.get("archived"), Some(&1), "{}", report.text());
    assert!(!report.conforms(false));
}
