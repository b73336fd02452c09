//! Listing objects, both versions.

use aws_sdk_s3::primitives::ByteStream;

use crate::fixture::{ADMIN, READER, WRITER, emulator, listening};
use crate::wire::{Answer, Ask, Wire};

fn check(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.outcome(), (status, code.to_owned()), "{}", String::from_utf8_lossy(&answer.body));
}

async fn list(wire: &Wire, query: &str) -> Answer {
    wire.send_as(ADMIN, &Ask::new("GET", &format!("/logs?{query}"))).await
}

/// All texts of an element, in order.
fn all(answer: &Answer, element: &str) -> Vec<String> {
    let text = answer.text();
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    text.split(&open).skip(1).map(|rest| rest.split(&close).next().unwrap().to_owned()).collect()
}

async fn with_keys(keys: &[&str]) -> (bucketproof_emulator::Emulator, Wire) {
    let (emulator, wire) = listening().await;
    let s3 = emulator.s3("admin");
    for key in keys {
        s3.put_object().bucket("logs").key(*key).body(ByteStream::from_static(b"data")).send().await.unwrap();
    }
    (emulator, wire)
}

#[tokio::test]
async fn keys_come_in_the_order_of_their_bytes() {
    let (_emulator, wire) = with_keys(&["b", "a", "Z", "é", "a/1", "a-", "~", "🪣", "\u{FFFD}"]).await;
    let answer = list(&wire, "list-type=2").await;
    assert_eq!(all(&answer, "Key"), ["Z", "a", "a-", "a/1", "b", "~", "é", "\u{FFFD}", "🪣"]);
    assert_eq!(answer.element("KeyCount").as_deref(), Some("9"));
    assert_eq!(answer.element("MaxKeys").as_deref(), Some("1000"));
    assert_eq!(answer.element("IsTruncated").as_deref(), Some("false"));
    assert!(answer.text().contains("<Prefix></Prefix>") || answer.text().contains("<Prefix/>"));
    for absent in ["Delimiter", "Owner", "NextContinuationToken", "EncodingType", "StartAfter"] {
        assert_eq!(answer.element(absent), None, "{absent}");
    }
    let first = answer.element("Contents").unwrap();
    for part in [
        "<Size>4</Size>",
        "<StorageClass>STANDARD</StorageClass>",
        "<ChecksumType>FULL_OBJECT</ChecksumType>",
        "<LastModified>2026-01-01T00:00:00.000Z</LastModified>",
    ] {
        assert!(first.contains(part), "{part} in {first}");
    }
}

#[tokio::test]
async fn version_2_goes_on_with_a_token() {
    let (_emulator, wire) = with_keys(&["a", "b/1", "b/2", "c", "d"]).await;
    let page = list(&wire, "list-type=2&max-keys=2&delimiter=/").await;
    assert_eq!(
        (all(&page, "Key"), page.element("CommonPrefixes")),
        (vec!["a".to_owned()], Some("<Prefix>b/</Prefix>".into()))
    );
    assert_eq!(
        (page.element("KeyCount").as_deref(), page.element("IsTruncated").as_deref()),
        (Some("2"), Some("true"))
    );
    let token = page.element("NextContinuationToken").unwrap();
    let encoded = token.replace('+', "%2B").replace('=', "%3D").replace('/', "%2F");
    let rest =
        list(&wire, &format!("list-type=2&delimiter=/&start-after=zzz&continuation-token={encoded}")).await;
    assert_eq!(all(&rest, "Key"), ["c", "d"], "a token beats start-after");
    assert_eq!(rest.element("ContinuationToken"), Some(token));
    assert_eq!((rest.element("StartAfter"), rest.element("CommonPrefixes")), (None, None));

    let after = list(&wire, "list-type=2&start-after=b/1").await;
    assert_eq!(
        (all(&after, "Key"), after.element("StartAfter").as_deref()),
        (vec!["b/2".into(), "c".into(), "d".into()], Some("b/1"))
    );
    for token in ["", "not-a-token", "////"] {
        let answer = list(&wire, &format!("list-type=2&continuation-token={token}")).await;
        check(&answer, 400, "InvalidArgument");
        assert_eq!(answer.element("ArgumentName").as_deref(), Some("continuation-token"));
    }
    let owned = list(&wire, "list-type=2&fetch-owner=true").await;
    assert_eq!(owned.element("Owner").unwrap().len(), "<ID></ID>".len() + 64);
}

#[tokio::test]
async fn version_1_tells_where_to_go_on_only_with_a_delimiter() {
    let (_emulator, wire) = with_keys(&["a", "b/1", "b/2", "c"]).await;
    let page = list(&wire, "max-keys=2").await;
    assert_eq!(
        (all(&page, "Key").len(), page.element("IsTruncated").as_deref(), page.element("NextMarker")),
        (2, Some("true"), None)
    );
    assert!(page.element("Owner").is_some());
    assert_eq!(page.element("Marker").as_deref().unwrap_or_default(), "");
    let page = list(&wire, "max-keys=2&delimiter=/").await;
    assert_eq!(page.element("NextMarker").as_deref(), Some("b/"));
    let rest = list(&wire, "marker=b/&delimiter=/").await;
    assert_eq!((all(&rest, "Key"), rest.element("Marker").as_deref()), (vec!["c".to_owned()], Some("b/")));
}

#[tokio::test]
async fn the_size_of_a_page_is_capped_and_may_be_nothing() {
    let (_emulator, wire) = with_keys(&["a", "b"]).await;
    for version in ["", "list-type=2&"] {
        let none = list(&wire, &format!("{version}max-keys=0")).await;
        assert_eq!((all(&none, "Key").len(), none.element("IsTruncated").as_deref()), (0, Some("false")));
        assert_eq!(none.element("MaxKeys").as_deref(), Some("0"));
        let capped = list(&wire, &format!("{version}max-keys=5000")).await;
        assert_eq!(capped.element("MaxKeys").as_deref(), Some("1000"));
        for bad in ["-1", "many", "99999999999"] {
            check(&list(&wire, &format!("{version}max-keys={bad}")).await, 400, "InvalidArgument");
        }
    }
}

#[tokio::test]
async fn a_bucket_of_more_than_a_page_is_read_in_two() {
    let emulator = emulator().await;
    let s3 = emulator.s3("admin");
    for number in 0..1003 {
        s3.put_object().bucket("logs").key(format!("{number:04}")).send().await.unwrap();
    }
    let mut pages = s3.list_objects_v2().bucket("logs").max_keys(5000).into_paginator().send();
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await {
        sizes.push(page.unwrap().contents().len());
    }
    assert_eq!(sizes, [1000, 3]);
}

#[tokio::test]
async fn names_are_encoded_on_demand() {
    let (_emulator, wire) = with_keys(&["a b+c=d/é%20"]).await;
    for version in ["", "list-type=2&"] {
        let answer = list(&wire, &format!("{version}encoding-type=url&prefix=a%20b&delimiter=%3D")).await;
        assert_eq!(answer.element("EncodingType").as_deref(), Some("url"));
        assert_eq!(answer.element("Prefix").as_deref(), Some("a+b"));
        assert_eq!(answer.element("Delimiter").as_deref(), Some("%3D"));
        assert_eq!(answer.element("CommonPrefixes").as_deref(), Some("<Prefix>a+b%2Bc%3D</Prefix>"));
        let answer = list(&wire, &format!("{version}encoding-type=url")).await;
        assert_eq!(all(&answer, "Key"), ["a+b%2Bc%3Dd/%C3%A9%2520"]);
        for bad in ["base64", ""] {
            let answer = list(&wire, &format!("{version}encoding-type={bad}")).await;
            check(&answer, 400, "InvalidArgument");
            assert_eq!(answer.element("ArgumentName").as_deref(), Some("encoding-type"));
        }
    }
}

#[tokio::test]
async fn characters_that_xml_cannot_hold_are_entities() {
    let (_emulator, wire) = with_keys(&["a\u{1}b", "c\rd", "e<&>'\"f", "g\u{0}h"]).await;
    let answer = list(&wire, "list-type=2").await;
    assert_eq!(all(&answer, "Key")[0], "a&#x1;b");
    assert_eq!(all(&answer, "Key")[1], "c&#xD;d");
    assert_eq!(all(&answer, "Key")[3], "g&#x0;h");
    let encoded = list(&wire, "list-type=2&encoding-type=url").await;
    assert_eq!(all(&encoded, "Key"), ["a%01b", "c%0Dd", "e%3C%26%3E%27%22f", "g%00h"]);
    let missing = wire.send_as(ADMIN, &Ask::new("GET", "/logs/a%02b")).await;
    assert_eq!(missing.element("Key").as_deref(), Some("a&#x2;b"));
}

#[tokio::test]
async fn a_permission_may_be_bound_to_a_prefix() {
    let (emulator, wire) = with_keys(&["open/a", "closed/b"]).await;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/writer"},
        "Action":"s3:ListBucket","Resource":"arn:aws:s3:::logs","Condition":{"StringLike":{"s3:prefix":"open/*"},"NumericLessThanEquals":{"s3:max-keys":"10"}}}]}"#;
    emulator.s3("admin").put_bucket_policy().bucket("logs").policy(policy).send().await.unwrap();
    let list = async |query: &str| {
        wire.send_as(WRITER, &Ask::new("GET", &format!("/logs?list-type=2{query}"))).await
    };
    check(&list("&prefix=open/&max-keys=10").await, 200, "");
    check(&list("&prefix=open/&max-keys=11").await, 403, "AccessDenied");
    check(&list("&prefix=closed/&max-keys=10").await, 403, "AccessDenied");
    check(&list("").await, 403, "AccessDenied");
    check(&wire.send_as(WRITER, &Ask::new("HEAD", "/logs")).await, 403, "");
    check(&wire.send_as(READER, &Ask::new("HEAD", "/logs")).await, 200, "");
}
