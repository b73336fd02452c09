//! What is not supported is refused by its name, and every refusal has AWS's form.

use crate::fixture::{ADMIN, listening};
use crate::wire::{Answer, Ask, Key};

/// The emulator does not do this: 501, and the message says what.
fn check_unsupported(answer: &Answer, named: &str) {
    assert_eq!(answer.outcome(), (501, "NotImplemented".to_owned()), "{named}");
    let message = answer.element("Message").unwrap();
    assert!(
        message.contains(named) && message.ends_with("is not supported by this emulator yet"),
        "{named}: {message}"
    );
}

#[tokio::test]
async fn headers_that_ask_for_more_are_refused_by_name() {
    let (_emulator, wire) = listening().await;
    for name in [
        "x-amz-create-session-mode",
        "x-amz-if-match-initiated-time",
        "x-amz-mfa",
        "x-amz-object-annotation",
        "x-amz-rename-source",
        "x-amz-request-route",
        "x-amz-request-token",
        "x-amz-write-offset-bytes",
    ] {
        let answer = wire.send_as(ADMIN, &Ask::new("PUT", "/logs/key").header(name, "x").body("data")).await;
        check_unsupported(&answer, &format!("the header `{name}`"));
    }
    check_nothing_stored(&wire).await;
}

async fn check_nothing_stored(wire: &crate::wire::Wire) {
    let listed = wire.send_as(ADMIN, &Ask::new("GET", "/logs?list-type=2")).await;
    assert_eq!(listed.element("KeyCount").as_deref(), Some("0"));
}

#[tokio::test]
async fn values_that_ask_for_more_are_refused_by_name() {
    let (_emulator, wire) = listening().await;
    for (name, value, named) in [("x-amz-checksum-xxhash64", "x", "x-amz-checksum-xxhash64")] {
        let answer =
            wire.send_as(ADMIN, &Ask::new("PUT", "/logs/key").header(name, value).body("data")).await;
        check_unsupported(&answer, named);
    }
    let access_point = "arn:aws:s3:us-east-1:111122223333:accesspoint/point/object/key";
    let copy = Ask::new("PUT", "/logs/key").header("x-amz-copy-source", access_point);
    check_unsupported(&wire.send_as(ADMIN, &copy).await, "access point");
    check_nothing_stored(&wire).await;
}

#[tokio::test]
async fn subresources_are_refused_by_name() {
    let (_emulator, wire) = listening().await;
    let of_buckets = [
        "abac",
        "metadataConfiguration",
        "metadataInventoryTable",
        "metadataJournalTable",
        "metadataTable",
        "session",
    ];
    let of_objects = ["annotation", "append", "renameObject", "select", "torrent"];
    let places =
        [("/logs", "a bucket", of_buckets.as_slice()), ("/logs/key", "an object", of_objects.as_slice())];
    for (path, place, names) in places {
        for name in names {
            for method in ["GET", "PUT", "POST", "DELETE"] {
                let answer = wire.send_as(ADMIN, &Ask::new(method, &format!("{path}?{name}"))).await;
                check_unsupported(&answer, &format!("the request `{method} ?{name}` on {place}"));
            }
        }
    }
    // One half of the name of a part is not the name of an object.
    for query in ["partNumber=1", "uploadId=x"] {
        let answer = wire.send_as(ADMIN, &Ask::new("PUT", &format!("/logs/key?{query}")).body("data")).await;
        assert_eq!(answer.status, 501, "{query}");
    }
    check_nothing_stored(&wire).await;
    assert_eq!(
        wire.send_as(ADMIN, &Ask::new("HEAD", "/logs")).await.status,
        200,
        "the bucket is still there"
    );
}

#[tokio::test]
async fn requests_that_s3_does_not_have_are_refused_by_name() {
    let (_emulator, wire) = listening().await;
    for (method, target) in [("PATCH", "/logs/key"), ("POST", "/logs/key"), ("PUT", "/"), ("DELETE", "/")] {
        let answer = wire.send_as(ADMIN, &Ask::new(method, target)).await;
        check_unsupported(&answer, &format!("`{method} {target}`"));
    }
}

#[tokio::test]
async fn acls_are_taken_only_where_they_say_what_holds_anyway() {
    let (_emulator, wire) = listening().await;
    let put =
        async |acl: &str| wire.send_as(ADMIN, &Ask::new("PUT", "/logs/key").header("x-amz-acl", acl)).await;
    for harmless in ["private", "bucket-owner-full-control", "bucket-owner-read"] {
        assert_eq!(put(harmless).await.status, 200, "{harmless}");
    }
    for other in ["public-read", "public-read-write", "authenticated-read", "aws-exec-read"] {
        let answer = put(other).await;
        assert_eq!(answer.outcome(), (400, "AccessControlListNotSupported".to_owned()), "{other}");
        assert_eq!(answer.element("Message").as_deref(), Some("The bucket does not allow ACLs"));
    }
    let answer = put("fake-acl").await;
    assert_eq!(answer.outcome(), (400, "InvalidArgument".to_owned()));
    assert!(answer.text().contains(
        "<Message></Message><ArgumentName>x-amz-acl</ArgumentName><ArgumentValue>fake-acl</ArgumentValue>"
    ));
}

#[tokio::test]
async fn other_values_are_refused_as_aws_refuses_them() {
    let (_emulator, wire) = listening().await;
    for (name, value, status, code) in [
        ("x-amz-server-side-encryption", "AES255", 400, "InvalidArgument"),
        ("x-amz-storage-class", "OUTPOSTS", 400, "InvalidStorageClass"),
        ("x-amz-storage-class", "FakeClass", 400, "InvalidStorageClass"),
    ] {
        let answer = wire.send_as(ADMIN, &Ask::new("PUT", "/logs/key").header(name, value)).await;
        assert_eq!(answer.outcome(), (status, code.to_owned()), "{name}: {value}");
    }
    let long = "k".repeat(1025);
    let answer = wire.send_as(ADMIN, &Ask::new("PUT", &format!("/logs/{long}"))).await;
    assert_eq!(answer.outcome(), (400, "KeyTooLongError".to_owned()));
    assert_eq!(
        (answer.element("Size").as_deref(), answer.element("MaxSizeAllowed").as_deref()),
        (Some("1025"), Some("1024"))
    );
    assert_eq!(wire.send_as(ADMIN, &Ask::new("PUT", &format!("/logs/{}", &long[1..]))).await.status, 200);
    let endless = Ask::new("PUT", "/logs/key").header("transfer-encoding", "chunked").body("0\r\n\r\n");
    let answer =
        wire.send(&wire.sign(&endless.body(""), &crate::wire::Signing::with(ADMIN)).body("0\r\n\r\n")).await;
    assert_eq!(answer.outcome(), (411, "MissingContentLength".to_owned()));
}

/// The answer to a GET with the ids, which differ from run to run, replaced.
fn golden(answer: &Answer) -> String {
    let header = |name| answer.header(name).unwrap_or("-");
    let text = format!(
        "{}\ncontent-type: {}\nserver: {}\n",
        answer.status,
        header("content-type"),
        header("server")
    );
    let request_id = answer.header("x-amz-request-id").unwrap();
    let host_id = answer.header("x-amz-id-2").unwrap();
    let body = answer.text();
    assert_eq!(answer.element("RequestId").as_deref(), Some(request_id));
    assert_eq!(answer.element("HostId").as_deref(), Some(host_id));
    text + "\n" + &body.replace(request_id, "[request id]").replace(host_id, "[host id]")
}

#[tokio::test]
async fn error_bodies_are_those_of_aws_to_the_byte() {
    let (_emulator, wire) = listening().await;
    let host = ("host", "s3.us-east-1.amazonaws.com");
    let get = |target: &str| Ask::new("GET", target).header(host.0, host.1);
    let answer = wire.send_as(ADMIN, &get("/logs/a%26b")).await;
    insta::assert_snapshot!("no_such_key", golden(&answer));
    let answer = wire.send_as(Key::new(ADMIN.id, "wrong"), &get("/logs/key?versionId=null&x=a%26b")).await;
    insta::assert_snapshot!("signature_does_not_match", golden(&answer));
    wire.send_as(ADMIN, &Ask::new("PUT", "/logs/key").body("data")).await;
    let put = Ask::new("PUT", "/logs/key").header("if-none-match", "*").body("data");
    insta::assert_snapshot!("precondition_failed", golden(&wire.send_as(ADMIN, &put).await));
    let reader = Key::new("AKIANOBODYUSEREXAMPL", "nobodySecret+/0");
    insta::assert_snapshot!("access_denied", golden(&wire.send_as(reader, &get("/logs/key")).await));
}

#[tokio::test]
async fn a_head_has_no_body_whatever_happens() {
    let (_emulator, wire) = listening().await;
    wire.send_as(ADMIN, &Ask::new("PUT", "/logs/key").body("data")).await;
    for (target, status) in [
        ("/logs", 200),
        ("/logs/key", 200),
        ("/logs/key?partNumber=1", 206),
        ("/logs/missing", 404),
        ("/missing-bucket", 404),
        ("/missing-bucket/key", 404),
        ("/archive/key", 301),
        ("/logs/key?versionId=x", 400),
        ("/logs/key?acl", 501),
        ("/", 501),
        ("/Bad_Bucket/key", 400),
        ("/_bucketproof/health", 200),
        ("/_bucketproof/reset", 405),
    ] {
        let answer = wire.send_as(ADMIN, &Ask::new("HEAD", target)).await;
        assert_eq!((answer.status, answer.body.len()), (status, 0), "{target}");
    }
    let stranger = wire.send_as(Key::new("AKIAUNKNOWNEXAMPLE00", "x"), &Ask::new("HEAD", "/logs/key")).await;
    assert_eq!((stranger.status, stranger.body.len()), (403, 0));
}
