//! Copies: what they take along, and what they need.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode};

use crate::fixture::{ADMIN, READER, WRITER, emulator, listening};
use crate::wire::{Answer, Ask, Wire};

const DATA_ETAG: &str = "\"8d777f385d3dfec8815d20f7496026dc\"";

fn check(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.outcome(), (status, code.to_owned()), "{}", String::from_utf8_lossy(&answer.body));
}

/// Sends as the administrator.
async fn admin(wire: &Wire, ask: Ask) -> Answer {
    wire.send_as(ADMIN, &ask).await
}

async fn put(wire: &Wire, key: &str, body: &str) {
    check(&admin(wire, Ask::new("PUT", &format!("/logs/{key}")).body(body)).await, 200, "");
}

#[tokio::test]
async fn a_copy_takes_and_leaves_what_aws_takes_and_leaves() {
    let emulator = emulator().await;
    let s3 = emulator.s3("admin");
    let put = s3.put_object().bucket("logs").key("source").body(ByteStream::from_static(b"data"));
    put.content_type("text/csv")
        .metadata("a", "1")
        .storage_class("STANDARD_IA".into())
        .checksum_algorithm(ChecksumAlgorithm::Sha256)
        .send()
        .await
        .unwrap();
    let copy = |key: &str| s3.copy_object().bucket("logs").key(key).copy_source("logs/source");
    let copied = copy("kept").send().await.unwrap();
    let result = copied.copy_object_result().unwrap();
    assert_eq!(result.e_tag(), Some(DATA_ETAG));
    assert!(result.checksum_sha256().is_some(), "the algorithm of the source is kept");
    let kept = s3.head_object().bucket("logs").key("kept").send().await.unwrap();
    assert_eq!((kept.content_type(), kept.storage_class()), (Some("text/csv"), None));
    assert_eq!(kept.metadata().unwrap()["a"], "1");

    let replaced = copy("replaced").metadata_directive("REPLACE".into()).metadata("b", "2");
    replaced.checksum_algorithm(ChecksumAlgorithm::Crc32C).send().await.unwrap();
    let replaced = s3.head_object().bucket("logs").key("replaced").checksum_mode(ChecksumMode::Enabled);
    let replaced = replaced.send().await.unwrap();
    assert_eq!(replaced.content_type(), Some("binary/octet-stream"));
    assert_eq!(replaced.metadata().unwrap().keys().collect::<Vec<_>>(), ["b"]);
    assert!(replaced.checksum_crc32_c().is_some());

    let onto_itself = copy("source").send().await.unwrap_err().into_service_error();
    assert_eq!(onto_itself.meta().code(), Some("InvalidRequest"));
    copy("source").storage_class("STANDARD_IA".into()).send().await.unwrap();
    copy("source").metadata_directive("REPLACE".into()).send().await.unwrap();
}

#[tokio::test]
async fn the_source_of_a_copy_is_checked() {
    let (_emulator, wire) = listening().await;
    put(&wire, "source", "data").await;
    let copy = async |headers: &[(&str, &str)]| {
        let ask = Ask::new("PUT", "/logs/target");
        admin(&wire, headers.iter().fold(ask, |ask, (n, v)| ask.header(n, v))).await
    };
    let source = ("x-amz-copy-source", "/logs/source");
    let past = "Wed, 31 Dec 2025 00:00:00 GMT";
    let present = "Thu, 01 Jan 2026 00:00:00 GMT";
    let future = "Fri, 02 Jan 2026 00:00:00 GMT";
    for (name, value, condition) in [
        ("x-amz-copy-source-if-match", "\"0\"", "x-amz-copy-source-If-Match"),
        ("x-amz-copy-source-if-none-match", DATA_ETAG, "x-amz-copy-source-If-None-Match"),
        ("x-amz-copy-source-if-modified-since", present, "x-amz-copy-source-If-Modified-Since"),
        ("x-amz-copy-source-if-unmodified-since", past, "x-amz-copy-source-If-Unmodified-Since"),
    ] {
        let answer = copy(&[source, (name, value)]).await;
        check(&answer, 412, "PreconditionFailed");
        assert_eq!(answer.element("Condition").as_deref(), Some(condition));
    }
    let good: [&[(&str, &str)]; 3] = [
        &[source, ("x-amz-copy-source-if-modified-since", future)],
        &[source, ("x-amz-copy-source-if-match", DATA_ETAG), ("x-amz-copy-source-if-unmodified-since", past)],
        &[("x-amz-copy-source", "logs/source?versionId=null")],
    ];
    for headers in good {
        check(&copy(headers).await, 200, "");
    }
    let both = [
        source,
        ("x-amz-copy-source-if-none-match", DATA_ETAG),
        ("x-amz-copy-source-if-modified-since", past),
    ];
    check(&copy(&both).await, 412, "PreconditionFailed");

    check(&copy(&[("x-amz-copy-source", "logs/missing")]).await, 404, "NoSuchKey");
    check(&copy(&[("x-amz-copy-source", "missing-bucket/key")]).await, 404, "NoSuchBucket");
    check(&copy(&[("x-amz-copy-source", "logs/source?versionId=7")]).await, 400, "InvalidArgument");
    for (given, message) in [
        ("logs", "Invalid copy source object key"),
        ("/logs/", "Invalid copy source object key"),
        ("", "Invalid copy source object key"),
        ("Lo_gs/source", "Invalid copy source bucket name"),
        ("logs/%zz", "Invalid copy source encoding"),
        ("logs/source%2", "Invalid copy source encoding"),
        ("logs/%FF", "Invalid copy source encoding"),
    ] {
        let answer = copy(&[("x-amz-copy-source", given)]).await;
        check(&answer, 400, "InvalidArgument");
        let told = ["Message", "ArgumentName", "ArgumentValue"].map(|name| answer.element(name).unwrap());
        assert_eq!(told, [message, "x-amz-copy-source", "x-amz-copy-source"], "{given}");
    }
    let access_point = "arn:aws:s3:us-east-1:111122223333:accesspoint/point/object/key";
    check(&copy(&[("x-amz-copy-source", access_point)]).await, 501, "NotImplemented");
    check(&copy(&[source, ("if-none-match", "*")]).await, 412, "PreconditionFailed");
    check(
        &copy(&[source, ("x-amz-source-expected-bucket-owner", "999999999999")]).await,
        403,
        "AccessDenied",
    );
    check(&copy(&[source, ("x-amz-source-expected-bucket-owner", "111122223333")]).await, 200, "");
    check(&copy(&[source, ("x-amz-metadata-directive", "KEEP")]).await, 400, "InvalidArgument");
}

#[tokio::test]
async fn a_copy_needs_both_sides() {
    let (emulator, wire) = listening().await;
    put(&wire, "open/source", "data").await;
    put(&wire, "closed", "data").await;
    let copy = |source: &str, target: &str| Ask::new("PUT", target).header("x-amz-copy-source", source);
    check(&wire.send_as(WRITER, &copy("logs/open/source", "/logs/open/target")).await, 200, "");
    check(&wire.send_as(WRITER, &copy("logs/closed", "/logs/open/target")).await, 403, "AccessDenied");
    assert_eq!(emulator.journal().denied().last().unwrap().action, "s3:GetObject");
    check(&wire.send_as(READER, &copy("logs/closed", "/logs/open/target")).await, 403, "AccessDenied");
    assert_eq!(emulator.journal().denied().last().unwrap().action, "s3:PutObject");
}
