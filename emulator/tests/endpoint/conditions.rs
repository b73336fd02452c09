//! Requests that hold only under a condition: the tables of conditional writes, deletes and reads.

use crate::fixture::{ADMIN, WRITER, listening};
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
async fn conditional_writes_follow_the_table() {
    let (_emulator, wire) = listening().await;
    let write = async |key: &str, headers: &[(&str, &str)]| {
        let ask = Ask::new("PUT", &format!("/logs/{key}")).body("new");
        admin(&wire, headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value))).await
    };
    put(&wire, "taken", "data").await;
    let other = "\"00000000000000000000000000000000\"";

    let answer = write("taken", &[("if-none-match", "*")]).await;
    check(&answer, 412, "PreconditionFailed");
    assert_eq!(answer.element("Condition").as_deref(), Some("If-None-Match"));
    check(&write("free", &[("if-none-match", "*")]).await, 200, "");
    let answer = write("taken", &[("if-none-match", DATA_ETAG)]).await;
    check(&answer, 501, "NotImplemented");
    assert_eq!(answer.element("Header").as_deref(), Some("If-None-Match"));
    let text = "We don't accept the provided value of If-None-Match header for this API";
    assert_eq!(answer.element("additionalMessage").as_deref(), Some(text));
    let answer = write("taken", &[("if-match", other)]).await;
    check(&answer, 412, "PreconditionFailed");
    assert_eq!(answer.element("Condition").as_deref(), Some("If-Match"));
    check(&write("absent", &[("if-match", other)]).await, 404, "NoSuchKey");
    let answer = write("taken", &[("if-match", "*")]).await;
    assert_eq!((answer.outcome().0, answer.element("Header").as_deref()), (501, Some("If-Match")));
    let answer = write("taken", &[("if-match", DATA_ETAG), ("if-none-match", "*")]).await;
    assert_eq!(
        (answer.outcome().0, answer.element("Header").as_deref()),
        (501, Some("If-Match,If-None-Match"))
    );
    check(&write("taken", &[("if-match", DATA_ETAG)]).await, 200, "");
    put(&wire, "unquoted", "data").await;
    check(&write("unquoted", &[("if-match", DATA_ETAG.trim_matches('"'))]).await, 200, "");

    // After a delete the key is free again.
    check(&admin(&wire, Ask::new("DELETE", "/logs/taken")).await, 204, "");
    check(&write("taken", &[("if-none-match", "*")]).await, 200, "");
}

#[tokio::test]
async fn conditional_deletes_follow_the_table() {
    let (_emulator, wire) = listening().await;
    let delete = async |name: &str, value: &str| {
        admin(&wire, Ask::new("DELETE", "/logs/key").header(name, value)).await
    };
    put(&wire, "key", "data").await;
    check(&delete("if-match", "\"0\"").await, 412, "PreconditionFailed");
    for header in ["x-amz-if-match-last-modified-time", "x-amz-if-match-size"] {
        let answer = delete(header, "4").await;
        check(&answer, 501, "NotImplemented");
        assert_eq!(answer.element("Header").as_deref(), Some(header));
        assert_eq!(answer.element("additionalMessage"), None);
    }
    check(&delete("if-match", DATA_ETAG).await, 204, "");
    check(&delete("if-match", "*").await, 404, "NoSuchKey");
    put(&wire, "key", "data").await;
    check(&delete("if-match", "*").await, 204, "");
}

#[tokio::test]
async fn a_condition_on_the_entity_tag_is_a_read() {
    let (emulator, wire) = listening().await;
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111122223333:user/writer"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::logs/*"},
        {"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111122223333:user/writer"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/*",
         "Condition":{"Null":{"s3:if-none-match":"true"},"Bool":{"s3:ObjectCreationOperation":"true"}}}]}"#;
    emulator.s3("admin").put_bucket_policy().bucket("logs").policy(policy).send().await.unwrap();
    let write = async |name: &str, value: &str| {
        wire.send_as(WRITER, &Ask::new("PUT", "/logs/open/key").header(name, value).body("data")).await
    };
    check(&write("x-other", "1").await, 403, "AccessDenied");
    check(&write("if-none-match", "*").await, 200, "");
    check(&write("if-match", DATA_ETAG).await, 403, "AccessDenied");
    let denied = emulator.journal().denied();
    assert_eq!(denied.last().unwrap().action, "s3:PutObject");
    check(
        &wire.send_as(WRITER, &Ask::new("DELETE", "/logs/open/key").header("if-match", DATA_ETAG)).await,
        403,
        "AccessDenied",
    );
    assert_eq!(emulator.journal().denied().last().unwrap().action, "s3:GetObject");
    // The steps of an upload take no condition and are exempt; its completion is not.
    let begun = wire.send_as(WRITER, &Ask::new("POST", "/logs/open/large?uploads")).await;
    let id = begun.element("UploadId").unwrap();
    let part = wire
        .send_as(WRITER, &Ask::new("PUT", &format!("/logs/open/large?partNumber=1&uploadId={id}")).body("x"))
        .await;
    let etag = part.header("etag").unwrap();
    let xml = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    let complete = Ask::new("POST", &format!("/logs/open/large?uploadId={id}")).body(xml);
    check(&wire.send_as(WRITER, &complete).await, 403, "AccessDenied");
    check(&wire.send_as(WRITER, &complete.header("if-none-match", "*")).await, 200, "");
}

#[tokio::test]
async fn reads_answer_conditions_as_recorded() {
    let (_emulator, wire) = listening().await;
    put(&wire, "key", "data").await;
    let past = "Wed, 31 Dec 2025 00:00:00 GMT";
    let present = "Thu, 01 Jan 2026 00:00:00 GMT";
    let future = "Fri, 02 Jan 2026 00:00:00 GMT";
    let cases: &[(&[(&str, &str)], u16)] = &[
        (&[("if-match", DATA_ETAG)], 200),
        (&[("if-match", "\"0\"")], 412),
        (&[("if-match", "*")], 200),
        (&[("if-none-match", DATA_ETAG)], 304),
        (&[("if-none-match", "8d777f385d3dfec8815d20f7496026dc")], 304),
        (&[("if-none-match", "\"0\"")], 200),
        (&[("if-modified-since", past)], 200),
        (&[("if-modified-since", present)], 304),
        (&[("if-modified-since", future)], 200),
        (&[("if-unmodified-since", past)], 412),
        (&[("if-unmodified-since", present)], 200),
        (&[("if-match", DATA_ETAG), ("if-unmodified-since", past)], 200),
        (&[("if-none-match", DATA_ETAG), ("if-modified-since", past)], 304),
        (&[("if-none-match", "\"0\""), ("if-modified-since", present)], 200),
    ];
    for method in ["GET", "HEAD"] {
        for (headers, status) in cases {
            let ask = headers.iter().fold(Ask::new(method, "/logs/key"), |ask, (n, v)| ask.header(n, v));
            let answer = admin(&wire, ask).await;
            assert_eq!(answer.status, *status, "{method} {headers:?}");
            if *status == 304 {
                assert_eq!((answer.header("etag"), answer.body.len()), (Some(DATA_ETAG), 0));
            }
        }
    }
}
