//! The kinds of events that need more than a request or two: forms, object lock, lifecycle rules in versioned buckets.

use std::time::Duration;

use bucketproof_emulator::Emulator;
use serde_json::{Value, json};

use crate::fixture::{ADMIN, listening};
use crate::forms::Form;
use crate::notifications::{QUEUE, configure, put, queue_for, records, rule};
use crate::sns::works;
use crate::sqs;
use crate::wire::{Ask, Wire};

/// An emulator whose bucket tells a queue of these events; the test message is taken.
async fn told_of(bucket: &str, events: &[&str]) -> (Emulator, Wire, String) {
    let (emulator, wire) = listening().await;
    let url = queue_for(&wire, "s3.amazonaws.com").await;
    if bucket != "logs" {
        let create =
            Ask::new("PUT", &format!("/{bucket}")).header("x-amz-bucket-object-lock-enabled", "true");
        works(&wire.send_as(ADMIN, &create).await);
    }
    works(&configure(&wire, bucket, &rule("Queue", QUEUE, events, "")).await);
    emulator.deliver().await;
    sqs::drain(&wire, &url).await;
    (emulator, wire, url)
}

fn kinds(records: &[Value]) -> Vec<(&str, &str)> {
    let text = |record: &Value, name: &str| record[name].as_str().unwrap().to_owned().leak() as &str;
    records.iter().map(|record| (text(record, "eventName"), text(record, "eventVersion"))).collect()
}

#[tokio::test]
async fn an_upload_by_form_is_a_post() {
    let (emulator, wire, url) = told_of("logs", &["ObjectCreated:Post"]).await;
    put(&wire, "/logs/by-put", "x").await;
    let form = Form::new(&[("key", "by-form")]).signed(ADMIN, ",{\"key\":\"by-form\"}");
    assert_eq!(form.post(&wire).await.status, 204);
    let told = records(&emulator, &wire, &url).await;
    assert_eq!(kinds(&told), [("ObjectCreated:Post", "2.1")]);
    assert_eq!(told[0]["s3"]["object"]["key"], "by-form");
    assert_eq!(told[0]["s3"]["object"]["size"], 6);
    assert!(told[0]["userIdentity"]["principalId"].as_str().unwrap().starts_with("AWS:AIDA"));
}

#[tokio::test]
async fn a_retention_that_is_put_is_told() {
    let (emulator, wire, url) = told_of("locked", &["ObjectRetention:Put"]).await;
    let object = wire.with_digest(ADMIN, Ask::new("PUT", "/locked/k").body("x")).await;
    works(&object);
    let xml = "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2026-02-01T00:00:00Z</RetainUntilDate></Retention>";
    works(&wire.with_digest(ADMIN, Ask::new("PUT", "/locked/k?retention").body(xml)).await);
    let told = records(&emulator, &wire, &url).await;
    assert_eq!(kinds(&told), [("ObjectRetention:Put", "2.3")]);
    assert_eq!(told[0]["s3"]["object"]["versionId"], json!(object.header("x-amz-version-id").unwrap()));
}

#[tokio::test]
async fn lifecycle_rules_tell_of_markers_and_moves() {
    let (emulator, wire, url) = told_of("logs", &["LifecycleTransition", "LifecycleExpiration:*"]).await;
    let versioned = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    works(&wire.send_as(ADMIN, &Ask::new("PUT", "/logs?versioning").body(versioned)).await);
    put(&wire, "/logs/moves", &"x".repeat(200_000)).await;
    put(&wire, "/logs/old/k", "x").await;
    let rules = "<LifecycleConfiguration><Rule><ID>move</ID><Filter><Prefix>moves</Prefix></Filter><Status>Enabled</Status>\
                 <Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition></Rule>\
                 <Rule><ID>expire</ID><Filter><Prefix>old/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>1</Days>\
                 </Expiration></Rule></LifecycleConfiguration>";
    works(&wire.with_digest(ADMIN, Ask::new("PUT", "/logs?lifecycle").body(rules)).await);
    emulator.clock().advance(Duration::from_hours(72));
    works(&wire.send_as(ADMIN, &Ask::new("GET", "/logs")).await);
    let told = records(&emulator, &wire, &url).await;
    let mut found = kinds(&told);
    found.sort_unstable();
    assert_eq!(found, [("LifecycleExpiration:DeleteMarkerCreated", "2.3"), ("LifecycleTransition", "2.3")]);
    let moved = told.iter().find(|record| record["eventName"] == "LifecycleTransition").unwrap();
    assert_eq!(moved["lifecycleEventData"]["transitionEventData"]["destinationStorageClass"], "GLACIER");
    assert_eq!(moved["userIdentity"]["principalId"], "s3.amazonaws.com");
}
