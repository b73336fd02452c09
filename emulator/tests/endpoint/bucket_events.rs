//! What buckets tell: to whom, and of what.

use std::time::Duration;

use serde_json::{Value, json};

use crate::fixture::{ADMIN, WRITER, listening};
use crate::notifications::{QUEUE, configure, put, queue_for, records, rule, topic_policy};
use crate::sns::{TOPIC, create_topic, set, works};
use crate::sqs;
use crate::wire::{Answer, Ask, Signing};

/// Claims SPL-11: the documented statement suffices, and for another account or bucket S3 is refused.
#[tokio::test]
async fn a_destination_must_let_the_bucket_in() {
    let (emulator, wire) = listening().await;
    create_topic(&wire).await;
    let rules = rule("Topic", TOPIC, &["ObjectCreated:*"], "");
    let text =
        "Permissions on the destination topic do not allow S3 to publish notifications from this bucket";
    let refused = |answer: Answer| {
        assert_eq!(answer.outcome(), (400, "InvalidArgument".to_owned()), "{}", answer.text());
        assert_eq!(answer.element("ArgumentName1").as_deref(), Some(TOPIC));
        assert_eq!(answer.element("ArgumentValue1").as_deref(), Some(text));
    };
    // The policy of a new topic does not name S3.
    refused(configure(&wire, "logs", &rules).await);
    let good = topic_policy("logs");
    works(&set(&wire, "Policy", &good.to_string()).await);
    works(&configure(&wire, "logs", &rules).await);
    for (path, value) in [
        ("/Statement/0/Condition/ArnLike/aws:SourceArn", "arn:aws:s3:::other"),
        ("/Statement/0/Condition/StringEquals/aws:SourceAccount", "444455556666"),
        ("/Statement/0/Principal/Service", "events.amazonaws.com"),
        ("/Statement/0/Action", "SNS:Subscribe"),
    ] {
        let mut policy = good.clone();
        *policy.pointer_mut(path).unwrap() = value.into();
        works(&set(&wire, "Policy", &policy.to_string()).await);
        refused(configure(&wire, "logs", &rules).await);
    }
    let explained = emulator.journal().denied().last().unwrap().explain();
    assert!(explained.contains("s3.amazonaws.com"), "{explained}");
    works(&set(&wire, "Policy", &good.to_string()).await);
    // A bucket of another region does not find the topic.
    let answer = wire.sign(
        &Ask::new("PUT", "/archive?notification")
            .body(format!("<NotificationConfiguration>{rules}</NotificationConfiguration>")),
        &Signing { region: "eu-central-1", ..Signing::with(ADMIN) },
    );
    let answer = wire.send(&answer).await;
    assert_eq!(answer.element("ArgumentValue1").as_deref(), Some("The destination topic does not exist"));
    let twice = rules.replace("<Id>rule", "<Id>other") + &rules;
    let answer = configure(&wire, "logs", &twice).await;
    assert!(answer.element("Message").unwrap().starts_with("Configuration is ambiguously defined."));
}

#[tokio::test]
async fn every_kind_of_event_is_told_as_recorded() {
    let (emulator, wire) = listening().await;
    let url = queue_for(&wire, "s3.amazonaws.com").await;
    let all = ["ObjectCreated:*", "ObjectRemoved:*", "ObjectTagging:*", "ObjectAcl:Put"];
    works(&configure(&wire, "logs", &rule("Queue", QUEUE, &all, "")).await);
    emulator.deliver().await;
    let test: Value = serde_json::from_str(&sqs::drain(&wire, &url).await[0]).unwrap();
    assert_eq!((&test["Event"], &test["Bucket"]), (&json!("s3:TestEvent"), &json!("logs")));
    assert!(test.get("Records").is_none());

    put(&wire, "/logs/a%40b/red%20flower.jpg", "something").await;
    let [put_event] = records(&emulator, &wire, &url).await.try_into().unwrap();
    let names: Vec<&String> = put_event.as_object().unwrap().keys().collect();
    let order = [
        "eventVersion",
        "eventSource",
        "awsRegion",
        "eventTime",
        "eventName",
        "userIdentity",
        "requestParameters",
        "responseElements",
        "s3",
    ];
    assert_eq!(names, order);
    assert_eq!(put_event["eventTime"], "2026-01-01T00:00:00.000Z");
    assert_eq!(put_event["requestParameters"]["sourceIPAddress"], "127.0.0.1");
    assert!(put_event["userIdentity"]["principalId"].as_str().unwrap().starts_with("AWS:AIDA"));
    let object = &put_event["s3"]["object"];
    assert_eq!(object["key"], "a%40b/red+flower.jpg");
    assert_eq!((&object["size"], &object["eTag"]), (&json!(9), &json!("437b930db84b8079c2dd804a71936b5f")));
    assert!(object.get("versionId").is_none() && object["sequencer"].is_string());
    let request_id = put_event["responseElements"]["x-amz-request-id"].as_str().unwrap();
    assert!(emulator.journal().entry(request_id).is_some(), "the request is the one in the journal");

    let key = "/logs/a%40b/red%20flower.jpg";
    let copy = Ask::new("PUT", "/logs/copy").header("x-amz-copy-source", key);
    works(&wire.send_as(ADMIN, &copy).await);
    let tagging = "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>";
    works(&wire.with_digest(ADMIN, Ask::new("PUT", "/logs/copy?tagging").body(tagging)).await);
    assert_eq!(wire.send_as(ADMIN, &Ask::new("DELETE", "/logs/copy?tagging")).await.status, 204);
    assert_eq!(wire.send_as(ADMIN, &Ask::new("DELETE", "/logs/copy")).await.status, 204);
    let told = records(&emulator, &wire, &url).await;
    let kinds: Vec<&str> = told.iter().map(|record| record["eventName"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["ObjectCreated:Copy", "ObjectTagging:Put", "ObjectTagging:Delete", "ObjectRemoved:Delete"]
    );
    let versions: Vec<&str> = told.iter().map(|record| record["eventVersion"].as_str().unwrap()).collect();
    assert_eq!(versions, ["2.1", "2.3", "2.3", "2.1"]);
    let members = |record: &Value| -> Vec<String> {
        record["s3"]["object"].as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(members(&told[1]), ["key", "eTag"]);
    assert_eq!(members(&told[3]), ["key", "sequencer"]);
    let sequencer = |record: &Value| record["s3"]["object"]["sequencer"].as_str().unwrap().to_owned();
    assert!(sequencer(&put_event) < sequencer(&told[0]) && sequencer(&told[0]) < sequencer(&told[3]));

    // What fails, and what is not there, is not told.
    let denied = wire.send_as(WRITER, &Ask::new("PUT", "/logs/secret").body("x")).await;
    assert_eq!(denied.status, 403);
    assert_eq!(wire.send_as(ADMIN, &Ask::new("DELETE", "/logs/nothing")).await.status, 204);
    assert!(records(&emulator, &wire, &url).await.is_empty());

    let versioned = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    works(&wire.send_as(ADMIN, &Ask::new("PUT", "/logs?versioning").body(versioned)).await);
    put(&wire, "/logs/v", "1").await;
    let marker = wire.send_as(ADMIN, &Ask::new("DELETE", "/logs/v")).await;
    let marker = marker.header("x-amz-version-id").unwrap().to_owned();
    let target = format!("/logs/v?versionId={marker}");
    assert_eq!(wire.send_as(ADMIN, &Ask::new("DELETE", &target)).await.status, 204);
    let told = records(&emulator, &wire, &url).await;
    assert!(told[0]["s3"]["object"]["versionId"].is_string());
    assert_eq!(told[1]["eventName"], "ObjectRemoved:DeleteMarkerCreated");
    assert_eq!(members(&told[1]), ["key", "eTag", "versionId", "sequencer"]);
    assert_eq!(told[1]["s3"]["object"]["eTag"], "d41d8cd98f00b204e9800998ecf8427e");
    assert_eq!(
        (&told[2]["eventName"], &told[2]["s3"]["object"]["versionId"]),
        (&json!("ObjectRemoved:Delete"), &json!(marker))
    );
}

#[tokio::test]
async fn multipart_uploads_and_filters() {
    let (emulator, wire) = listening().await;
    let url = queue_for(&wire, "s3.amazonaws.com").await;
    let filter = "<Filter><S3Key><FilterRule><Name>prefix</Name><Value>raw/</Value></FilterRule><FilterRule>\
                  <Name>suffix</Name><Value>.gz</Value></FilterRule></S3Key></Filter>";
    works(
        &configure(&wire, "logs", &rule("Queue", QUEUE, &["ObjectCreated:CompleteMultipartUpload"], filter))
            .await,
    );
    emulator.deliver().await;
    sqs::drain(&wire, &url).await;
    for key in ["raw/a.gz", "raw/a.txt", "other/a.gz"] {
        put(&wire, &format!("/logs/{key}"), "x").await;
        let begun = wire.send_as(ADMIN, &Ask::new("POST", &format!("/logs/{key}?uploads"))).await;
        let id = begun.element("UploadId").unwrap();
        let part = Ask::new("PUT", &format!("/logs/{key}?partNumber=1&uploadId={id}")).body("x");
        let etag = wire.send_as(ADMIN, &part).await.header("etag").unwrap().to_owned();
        let xml = format!(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
        );
        works(&wire.send_as(ADMIN, &Ask::new("POST", &format!("/logs/{key}?uploadId={id}")).body(xml)).await);
    }
    let told = records(&emulator, &wire, &url).await;
    let keys: Vec<&str> = told.iter().map(|record| record["s3"]["object"]["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["raw/a.gz"]);
    assert!(told[0]["s3"]["object"]["eTag"].as_str().unwrap().ends_with("-1"));
}

#[tokio::test]
async fn lifecycle_rules_tell_what_they_did() {
    let (emulator, wire) = listening().await;
    let url = queue_for(&wire, "s3.amazonaws.com").await;
    works(
        &configure(&wire, "logs", &rule("Queue", QUEUE, &["LifecycleExpiration:*", "ObjectRemoved:*"], ""))
            .await,
    );
    emulator.deliver().await;
    sqs::drain(&wire, &url).await;
    put(&wire, "/logs/old", "x").await;
    let xml = "<LifecycleConfiguration><Rule><ID>r</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>\
               <Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>";
    works(&wire.with_digest(ADMIN, Ask::new("PUT", "/logs?lifecycle").body(xml)).await);
    emulator.clock().advance(Duration::from_hours(72));
    works(&wire.send_as(ADMIN, &Ask::new("GET", "/logs")).await);
    let told = records(&emulator, &wire, &url).await;
    assert_eq!(told.len(), 1);
    assert_eq!(
        (&told[0]["eventName"], &told[0]["eventVersion"]),
        (&json!("LifecycleExpiration:Delete"), &json!("2.3"))
    );
    assert_eq!(told[0]["userIdentity"]["principalId"], "s3.amazonaws.com");
}

#[tokio::test]
async fn restored_objects_are_told_when_they_come_and_go() {
    let (emulator, wire) = listening().await;
    let url = queue_for(&wire, "s3.amazonaws.com").await;
    works(&configure(&wire, "logs", &rule("Queue", QUEUE, &["ObjectRestore:*"], "")).await);
    emulator.deliver().await;
    sqs::drain(&wire, &url).await;
    let frozen = Ask::new("PUT", "/logs/k").header("x-amz-storage-class", "GLACIER").body("something");
    works(&wire.send_as(ADMIN, &frozen).await);
    let restore = "<RestoreRequest><Days>2</Days></RestoreRequest>";
    let answer = wire.send_as(ADMIN, &Ask::new("POST", "/logs/k?restore").body(restore)).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let names = |told: &[Value]| -> Vec<String> {
        told.iter().map(|record| record["eventName"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&records(&emulator, &wire, &url).await), ["ObjectRestore:Post"]);
    emulator.clock().advance(Duration::from_hours(5));
    let told = records(&emulator, &wire, &url).await;
    assert_eq!(names(&told), ["ObjectRestore:Completed"]);
    let data = &told[0]["glacierEventData"]["restoreEventData"];
    assert_eq!(data["lifecycleRestoreStorageClass"], "GLACIER");
    emulator.clock().advance(Duration::from_hours(24 * 4));
    assert_eq!(names(&records(&emulator, &wire, &url).await), ["ObjectRestore:Delete"]);
}
