//! Storage classes, and objects that must be restored before they can be read.

use std::time::Duration;

use bucketproof_emulator::Emulator;

use crate::fixture::{ADMIN, READER, listening};
use crate::wire::{Answer, Ask, Wire};

fn check(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.outcome(), (status, code.to_owned()), "{}", String::from_utf8_lossy(&answer.body));
}

async fn admin(wire: &Wire, ask: Ask) -> Answer {
    wire.send_as(ADMIN, &ask).await
}

async fn put(wire: &Wire, key: &str, class: &str) -> Answer {
    let ask = Ask::new("PUT", &format!("/logs/{key}")).header("x-amz-storage-class", class);
    admin(wire, ask.body("body-test")).await
}

async fn restore(wire: &Wire, key: &str, days: &str, tier: &str) -> Answer {
    let tier = if tier.is_empty() {
        String::new()
    } else {
        format!("<GlacierJobParameters><Tier>{tier}</Tier></GlacierJobParameters>")
    };
    let body = format!("<RestoreRequest><Days>{days}</Days>{tier}</RestoreRequest>");
    admin(wire, Ask::new("POST", &format!("/logs/{key}?restore")).body(body)).await
}

async fn head(wire: &Wire, key: &str) -> Answer {
    let answer = admin(wire, Ask::new("HEAD", &format!("/logs/{key}"))).await;
    check(&answer, 200, "");
    answer
}

#[tokio::test]
async fn each_class_is_taken_told_and_read_as_recorded() {
    let (_emulator, wire) = listening().await;
    for (class, readable) in [
        ("STANDARD", true),
        ("STANDARD_IA", true),
        ("GLACIER", false),
        ("GLACIER_IR", true),
        ("ONEZONE_IA", true),
        ("INTELLIGENT_TIERING", true),
        ("DEEP_ARCHIVE", false),
        ("REDUCED_REDUNDANCY", true),
    ] {
        check(&put(&wire, class, class).await, 200, "");
        let told = (class != "STANDARD").then_some(class);
        assert_eq!(head(&wire, class).await.header("x-amz-storage-class"), told);
        let listed = admin(&wire, Ask::new("GET", &format!("/logs?prefix={class}&max-keys=1"))).await;
        assert_eq!(listed.element("StorageClass").as_deref(), Some(class));
        let got = admin(&wire, Ask::new("GET", &format!("/logs/{class}"))).await;
        if readable {
            check(&got, 200, "");
            continue;
        }
        check(&got, 403, "InvalidObjectState");
        let text = "The operation is not valid for the object's storage class";
        assert_eq!(got.element("Message").as_deref(), Some(text));
        assert_eq!(got.element("StorageClass").as_deref(), Some(class));
        assert_eq!(got.header("x-amz-storage-class"), Some(class));
    }
    for class in ["OUTPOSTS", "SNOW", "EXPRESS_ONEZONE", "FSX_OPENZFS", "standard", "FakeClass"] {
        for answer in [
            put(&wire, "refused", class).await,
            admin(&wire, Ask::new("POST", "/logs/refused?uploads").header("x-amz-storage-class", class))
                .await,
        ] {
            check(&answer, 400, "InvalidStorageClass");
            assert_eq!(answer.element("StorageClassRequested").as_deref(), Some(class));
        }
    }
}

#[tokio::test]
async fn an_archived_object_is_readable_between_restore_and_expiry() {
    let (emulator, wire): (Emulator, Wire) = listening().await;
    check(&put(&wire, "deep", "DEEP_ARCHIVE").await, 200, "");
    check(&put(&wire, "plain", "STANDARD").await, 200, "");
    let refused = restore(&wire, "plain", "1", "").await;
    check(&refused, 403, "InvalidObjectState");
    let text = "Restore is not allowed for the object's current storage class";
    assert_eq!(refused.element("Message").as_deref(), Some(text));
    check(&restore(&wire, "deep", "1", "Expedited").await, 400, "InvalidArgument");
    check(&restore(&wire, "deep", "0", "Bulk").await, 400, "MalformedXML");
    check(&restore(&wire, "deep", "1", "Sometime").await, 400, "MalformedXML");
    check(&restore(&wire, "absent", "1", "").await, 404, "NoSuchKey");
    let select = "<RestoreRequest><Type>SELECT</Type></RestoreRequest>";
    check(&admin(&wire, Ask::new("POST", "/logs/deep?restore").body(select)).await, 501, "NotImplemented");

    assert_eq!(head(&wire, "deep").await.header("x-amz-restore"), None);
    check(&restore(&wire, "deep", "2", "Bulk").await, 202, "");
    assert_eq!(head(&wire, "deep").await.header("x-amz-restore"), Some("ongoing-request=\"true\""));
    let again = restore(&wire, "deep", "2", "Bulk").await;
    check(&again, 409, "RestoreAlreadyInProgress");
    let get = || admin(&wire, Ask::new("GET", "/logs/deep"));
    check(&get().await, 403, "InvalidObjectState");
    let copy = || admin(&wire, Ask::new("PUT", "/logs/copy").header("x-amz-copy-source", "/logs/deep"));
    let refused = copy().await;
    check(&refused, 403, "InvalidObjectState");
    let text = "Operation is not valid for the source object's storage class";
    assert_eq!(refused.element("Message").as_deref(), Some(text));
    // A faster tier overtakes: twelve hours instead of forty-eight.
    check(&restore(&wire, "deep", "2", "Standard").await, 202, "");
    emulator.clock().advance(Duration::from_hours(12));
    let told = "ongoing-request=\"false\", expiry-date=\"Sun, 04 Jan 2026 00:00:00 GMT\"";
    assert_eq!(head(&wire, "deep").await.header("x-amz-restore"), Some(told));
    assert_eq!(get().await.body, b"body-test");
    check(&copy().await, 200, "");
    assert_eq!(head(&wire, "copy").await.header("x-amz-storage-class"), None);

    let listing = Ask::new("GET", "/logs?list-type=2&prefix=deep")
        .header("x-amz-optional-object-attributes", "RestoreStatus");
    let listed = admin(&wire, listing).await;
    assert_eq!(listed.element("IsRestoreInProgress").as_deref(), Some("false"));
    assert!(listed.element("RestoreExpiryDate").unwrap().starts_with("2026-01-04T00:00:00"));
    let listed = admin(&wire, Ask::new("GET", "/logs?list-type=2&prefix=deep")).await;
    assert_eq!(listed.element("RestoreStatus"), None, "only those who ask are told");

    check(&restore(&wire, "deep", "5", "Bulk").await, 200, "");
    emulator.clock().advance(Duration::from_hours(4 * 24));
    check(&get().await, 200, "");
    emulator.clock().advance(Duration::from_hours(2 * 24));
    check(&get().await, 403, "InvalidObjectState");
    assert_eq!(head(&wire, "deep").await.header("x-amz-restore"), None);
    check(&restore(&wire, "deep", "1", "Bulk").await, 202, "");
}

#[tokio::test]
async fn to_restore_takes_its_own_permission() {
    let (emulator, wire) = listening().await;
    check(&put(&wire, "archived", "GLACIER").await, 200, "");
    let body = "<RestoreRequest><Days>1</Days></RestoreRequest>";
    let answer = wire.send_as(READER, &Ask::new("POST", "/logs/archived?restore").body(body)).await;
    check(&answer, 403, "AccessDenied");
    assert_eq!(emulator.journal().denied().last().unwrap().action, "s3:RestoreObject");
}
