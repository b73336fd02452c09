//! Objects: written, read, deleted, with their headers, ranges and checksums.

use aws_sdk_s3::primitives::ByteStream;

use crate::fixture::{ADMIN, READER, WRITER, emulator, listening};
use crate::wire::{Answer, Ask, Signing, Wire};

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
async fn an_object_comes_back_as_it_was_put() {
    let emulator = emulator().await;
    let s3 = emulator.s3("admin");
    let put = s3
        .put_object()
        .bucket("logs")
        .key("a b/+/é漢🪣")
        .body(ByteStream::from_static(b"data"))
        .content_type("text/plain; charset=utf-8")
        .cache_control("no-store")
        .content_disposition("attachment")
        .content_encoding("gzip")
        .content_language("de")
        .metadata("Source", "unit-7")
        .send()
        .await
        .unwrap();
    assert_eq!(put.e_tag(), Some(DATA_ETAG));
    assert_eq!(put.server_side_encryption().unwrap().as_str(), "AES256");
    let got = s3.get_object().bucket("logs").key("a b/+/é漢🪣").send().await.unwrap();
    assert_eq!(got.e_tag(), Some(DATA_ETAG));
    assert_eq!(got.content_type(), Some("text/plain; charset=utf-8"));
    assert_eq!(got.cache_control(), Some("no-store"));
    assert_eq!(got.content_disposition(), Some("attachment"));
    assert_eq!(got.content_encoding(), Some("gzip"));
    assert_eq!(got.content_language(), Some("de"));
    assert_eq!(got.metadata().unwrap()["source"], "unit-7");
    assert_eq!(got.last_modified().unwrap().secs(), 1_767_225_600);
    assert_eq!(got.storage_class(), None);
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"data");
    let head = s3.head_object().bucket("logs").key("a b/+/é漢🪣").send().await.unwrap();
    assert_eq!((head.content_length(), head.e_tag()), (Some(4), Some(DATA_ETAG)));
    s3.delete_object().bucket("logs").key("a b/+/é漢🪣").send().await.unwrap();
    s3.delete_object().bucket("logs").key("a b/+/é漢🪣").send().await.unwrap();
    let missing = s3.get_object().bucket("logs").key("a b/+/é漢🪣").send().await.unwrap_err();
    assert!(missing.into_service_error().is_no_such_key());
}

#[tokio::test]
async fn headers_are_those_of_aws() {
    let (_emulator, wire) = listening().await;
    let answer = admin(&wire, Ask::new("PUT", "/logs/key").body("data")).await;
    assert_eq!(answer.header("etag"), Some(DATA_ETAG));
    assert_eq!(answer.header("x-amz-checksum-type"), Some("FULL_OBJECT"));
    assert!(answer.header("x-amz-checksum-crc64nvme").is_some());
    assert_eq!(answer.header("x-amz-server-side-encryption"), Some("AES256"));
    assert_eq!(answer.header("server"), Some("AmazonS3"));
    assert_eq!(answer.header("date"), Some("Thu, 01 Jan 2026 00:00:00 GMT"));
    assert_eq!(answer.header("x-amz-request-id").unwrap().len(), 16);
    assert!(answer.header("x-amz-id-2").unwrap().len() >= 40);

    let answer = admin(&wire, Ask::new("GET", "/logs/key")).await;
    assert_eq!(answer.header("content-type"), Some("binary/octet-stream"));
    assert_eq!(answer.header("accept-ranges"), Some("bytes"));
    assert_eq!(answer.header("last-modified"), Some("Thu, 01 Jan 2026 00:00:00 GMT"));
    assert_eq!(answer.header("x-amz-checksum-crc64nvme"), None, "only shown when asked for");
    assert_eq!(answer.header("x-amz-storage-class"), None);

    let answer = admin(&wire, Ask::new("GET", "/logs/key").header("x-amz-checksum-mode", "ENABLED")).await;
    assert!(answer.header("x-amz-checksum-crc64nvme").is_some());
    let overridden =
        "/logs/key?response-content-type=text%2Fcsv&response-cache-control=no-store&response-expires=never";
    for method in ["GET", "HEAD"] {
        let answer = admin(&wire, Ask::new(method, overridden)).await;
        assert_eq!(answer.header("content-type"), Some("text/csv"), "{method}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{method}");
        assert_eq!(answer.header("expires"), Some("never"), "{method}");
    }
    for value in ["%E2%80%94", "%0D%0Ax:%20y"] {
        let answer =
            admin(&wire, Ask::new("GET", &format!("/logs/key?response-cache-control={value}"))).await;
        check(&answer, 400, "InvalidArgument");
        assert_eq!(
            answer.element("Message").as_deref(),
            Some("Header value cannot be represented using ISO-8859-1.")
        );
        assert_eq!(answer.element("ArgumentName").as_deref(), Some("response-cache-control"));
    }
    let asked = Ask::new("GET", "/logs/key").header("x-amz-server-side-encryption", "AES256");
    check(&admin(&wire, asked).await, 400, "InvalidArgument");

    let deleted = admin(&wire, Ask::new("DELETE", "/logs/key")).await;
    assert_eq!((deleted.status, deleted.body.len(), deleted.header("content-length")), (204, 0, None));
}

#[tokio::test]
async fn metadata_beyond_ascii_comes_back_as_an_encoded_word() {
    let (_emulator, wire) = listening().await;
    let ask = Ask::new("PUT", "/logs/key")
        .header("x-amz-meta-name", "ÄMÄZÕÑ S3")
        .header("x-amz-meta-word", "=?UTF-8?B?YWJj?=");
    check(&admin(&wire, ask).await, 200, "");
    let answer = admin(&wire, Ask::new("HEAD", "/logs/key")).await;
    assert_eq!(answer.header("x-amz-meta-name"), Some("=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?="));
    assert_eq!(answer.header("x-amz-meta-word"), Some("abc"));
    let named = Ask::new("PUT", "/logs/key").header("content-disposition", "attachment; filename=\"é漢\"");
    check(&admin(&wire, named).await, 200, "");
    let answer = admin(&wire, Ask::new("GET", "/logs/key")).await;
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"é漢\""));
    let large = Ask::new("PUT", "/logs/key").header("x-amz-meta-big", &"x".repeat(2046));
    check(&admin(&wire, large).await, 400, "MetadataTooLarge");
}

#[tokio::test]
async fn ranges_are_those_of_the_recorded_answers() {
    let (_emulator, wire) = listening().await;
    put(&wire, "ten", "0123456789").await;
    put(&wire, "empty", "").await;
    let cases = [
        ("bytes=0-8", 206, "012345678", Some("bytes 0-8/10")),
        ("bytes=-15", 206, "0123456789", Some("bytes 0-9/10")),
        ("bytes=0-100", 206, "0123456789", Some("bytes 0-9/10")),
        ("bytes=7-", 206, "789", Some("bytes 7-9/10")),
        ("bytes=1-0", 200, "0123456789", None),
        ("bytes=-1-", 200, "0123456789", None),
        ("bytes=0-1,3-4", 200, "0123456789", None),
        ("bytes=-", 200, "0123456789", None),
        ("lines=1-2", 200, "0123456789", None),
    ];
    for (range, status, body, content_range) in cases {
        let answer = admin(&wire, Ask::new("GET", "/logs/ten").header("range", range)).await;
        let found = (answer.status, answer.text(), answer.header("content-range"));
        assert_eq!(found, (status, body.to_owned(), content_range), "{range}");
        let length = body.len().to_string();
        assert_eq!(answer.header("content-length"), Some(length.as_str()), "{range}");
        let head = admin(&wire, Ask::new("HEAD", "/logs/ten").header("range", range)).await;
        assert_eq!((head.status, head.header("content-range")), (status, content_range), "HEAD {range}");
        assert_eq!(head.header("content-length"), Some(length.as_str()), "HEAD {range}");
    }
    for (key, range, size) in
        [("ten", "bytes=-0", "10"), ("ten", "bytes=10-12", "10"), ("empty", "bytes=0-", "0")]
    {
        let answer = admin(&wire, Ask::new("GET", &format!("/logs/{key}")).header("range", range)).await;
        check(&answer, 416, "InvalidRange");
        assert_eq!(answer.element("RangeRequested").as_deref(), Some(range));
        assert_eq!(answer.element("ActualObjectSize").as_deref(), Some(size));
    }
    // The checksum of the whole is told only with the whole.
    let with_range =
        |range| Ask::new("GET", "/logs/ten").header("range", range).header("x-amz-checksum-mode", "ENABLED");
    assert!(admin(&wire, with_range("bytes=0-9")).await.header("x-amz-checksum-crc64nvme").is_some());
    assert!(admin(&wire, with_range("bytes=0-8")).await.header("x-amz-checksum-crc64nvme").is_none());

    let answer = admin(&wire, Ask::new("GET", "/logs/ten?partNumber=1")).await;
    assert_eq!((answer.status, answer.header("content-range")), (206, Some("bytes 0-9/10")));
    assert_eq!(answer.header("x-amz-mp-parts-count"), None);
    check(&admin(&wire, Ask::new("GET", "/logs/ten?partNumber=2")).await, 416, "InvalidPartNumber");
    for number in ["0", "10001", "one"] {
        let answer = admin(&wire, Ask::new("GET", &format!("/logs/ten?partNumber={number}"))).await;
        check(&answer, 400, "InvalidArgument");
        assert_eq!(answer.element("ArgumentValue").as_deref(), Some(number));
    }
    let both = Ask::new("GET", "/logs/ten?partNumber=1").header("range", "bytes=0-1");
    check(&admin(&wire, both).await, 400, "InvalidRequest");
}

#[tokio::test]
async fn every_checksum_algorithm_is_computed_and_compared() {
    let (_emulator, wire) = listening().await;
    // Source: the published check values of the algorithms over `123456789`.
    let cases = [
        ("crc32", "y/Q5Jg==", "CRC32"),
        ("crc32c", "4waSgw==", "CRC32C"),
        ("crc64nvme", "rosUhgp5mIg=", "CRC64NVME"),
        ("sha1", "98O8HYCOBHMq32eZZczDTKeuNEE=", "SHA1"),
        ("sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=", "SHA256"),
    ];
    for (name, right, label) in cases {
        let header = format!("x-amz-checksum-{name}");
        let put = |value: &str| Ask::new("PUT", "/logs/key").header(&header, value).body("123456789");
        let answer = admin(&wire, put(right)).await;
        assert_eq!((answer.status, answer.header(&header)), (200, Some(right)), "{name}");
        let get = Ask::new("GET", "/logs/key").header("x-amz-checksum-mode", "ENABLED");
        assert_eq!(admin(&wire, get).await.header(&header), Some(right), "{name}");
        let wrong = put(right).body("12345678");
        let answer = admin(&wire, wrong).await;
        check(&answer, 400, "BadDigest");
        let text = format!("The {label} you specified did not match the calculated checksum.");
        assert_eq!(answer.element("Message"), Some(text));
        for broken in ["???", "AA=="] {
            let answer = admin(&wire, put(broken)).await;
            check(&answer, 400, "InvalidRequest");
            assert_eq!(answer.element("Message"), Some(format!("Value for {header} header is invalid.")));
        }
    }
    let two = Ask::new("PUT", "/logs/key")
        .header("x-amz-checksum-crc32", "AAAAAA==")
        .header("x-amz-checksum-crc32c", "AAAAAA==");
    check(&admin(&wire, two).await, 400, "InvalidRequest");
    check(
        &admin(&wire, Ask::new("PUT", "/logs/key").header("x-amz-checksum-sha512", "x")).await,
        501,
        "NotImplemented",
    );
}

#[tokio::test]
async fn a_content_md5_is_compared() {
    let (_emulator, wire) = listening().await;
    let put = |md5: &str| Ask::new("PUT", "/logs/key").header("content-md5", md5).body("data");
    check(&admin(&wire, put("jXd/OF09/siBXSD3SWAm3A==")).await, 200, "");
    let answer = admin(&wire, put("CYkeu1kFJONfxzNyzdxdlg==").body("test")).await;
    check(&answer, 400, "BadDigest");
    assert_eq!(answer.element("ExpectedDigest").as_deref(), Some("09891ebb590524e35fc73372cddc5d96"));
    assert_eq!(answer.element("CalculatedDigest").as_deref(), Some("CY9rzUYh03PK3k6DJie09g=="));
    let answer = admin(&wire, put("__invalid__")).await;
    check(&answer, 400, "InvalidDigest");
    assert_eq!(answer.element("Content-MD5").as_deref(), Some("__invalid__"));
}

#[tokio::test]
async fn chunked_uploads_carry_their_checksum_behind_them() {
    let (_emulator, wire) = listening().await;
    let put = |trailer: &str, value: &str| {
        let body = format!("9\r\n123456789\r\n0\r\n{trailer}:{value}\r\n\r\n");
        let ask = Ask::new("PUT", "/logs/key")
            .header("x-amz-decoded-content-length", "9")
            .header("x-amz-trailer", trailer)
            .header("content-encoding", "gzip,aws-chunked")
            .body(body);
        wire.sign(
            &ask,
            &Signing { payload: Some("STREAMING-UNSIGNED-PAYLOAD-TRAILER"), ..Signing::with(ADMIN) },
        )
    };
    let answer = wire.send(&put("x-amz-checksum-crc32", "y/Q5Jg==")).await;
    assert_eq!((answer.status, answer.header("x-amz-checksum-crc32")), (200, Some("y/Q5Jg==")));
    let got = admin(&wire, Ask::new("GET", "/logs/key")).await;
    assert_eq!((got.text().as_str(), got.header("content-encoding")), ("123456789", Some("gzip")));
    check(&wire.send(&put("x-amz-checksum-crc32", "AAAAAA==")).await, 400, "BadDigest");
    check(&wire.send(&put("x-amz-checksum-sha512", "AAAAAA==")).await, 501, "NotImplemented");
    let answer = wire.send(&put("x-amz-meta-late", "1")).await;
    check(&answer, 400, "InvalidRequest");
    let text = "The value specified in the x-amz-trailer header is not supported";
    assert_eq!(answer.element("Message").as_deref(), Some(text));
}

#[tokio::test]
async fn whoever_may_not_write_learns_nothing_about_the_body() {
    let (_emulator, wire) = listening().await;
    let ask = Ask::new("PUT", "/logs/key").header("content-md5", "CYkeu1kFJONfxzNyzdxdlg==").body("data");
    check(&wire.send_as(READER, &ask).await, 403, "AccessDenied");
}

#[tokio::test]
async fn a_missing_key_is_a_secret_without_the_permission_to_list() {
    let (_emulator, wire) = listening().await;
    check(&wire.send_as(READER, &Ask::new("GET", "/logs/open/missing")).await, 404, "NoSuchKey");
    let answer = wire.send_as(WRITER, &Ask::new("GET", "/logs/open/missing")).await;
    check(&answer, 403, "AccessDenied");
    let text = "User: arn:aws:iam::111122223333:user/writer is not authorized to perform: s3:ListBucket on \
                resource: &quot;arn:aws:s3:::logs&quot; because no identity-based policy allows the s3:ListBucket action";
    assert_eq!(answer.element("Message").as_deref(), Some(text));
    let head = wire.send_as(WRITER, &Ask::new("HEAD", "/logs/open/missing")).await;
    assert_eq!((head.status, head.body.len()), (403, 0));
}

#[tokio::test]
async fn the_owner_of_a_bucket_can_be_insisted_on() {
    let (_emulator, wire) = listening().await;
    put(&wire, "key", "data").await;
    let get = |owner: &str| Ask::new("GET", "/logs/key").header("x-amz-expected-bucket-owner", owner);
    check(&admin(&wire, get("111122223333")).await, 200, "");
    let answer = admin(&wire, get("999999999999")).await;
    check(&answer, 403, "AccessDenied");
    assert_eq!(answer.element("Message").as_deref(), Some("Access Denied"));
    let answer = admin(&wire, get("abcd")).await;
    check(&answer, 400, "InvalidBucketOwnerAWSAccountID");
    let text = "The value of the expected bucket owner parameter must be an AWS Account ID... [abcd]";
    assert_eq!(answer.element("Message").as_deref(), Some(text));
}

#[tokio::test]
async fn the_one_version_of_an_object_is_called_null() {
    let (_emulator, wire) = listening().await;
    put(&wire, "key", "data").await;
    check(&admin(&wire, Ask::new("GET", "/logs/key?versionId=null")).await, 200, "");
    let answer = admin(&wire, Ask::new("GET", "/logs/key?versionId=abc")).await;
    check(&answer, 400, "InvalidArgument");
    assert_eq!(answer.element("ArgumentName").as_deref(), Some("versionId"));
    check(&admin(&wire, Ask::new("DELETE", "/logs/key?versionId=abc")).await, 400, "InvalidArgument");
    check(&admin(&wire, Ask::new("DELETE", "/logs/key?versionId=null")).await, 204, "");
}

#[tokio::test]
async fn deleting_many_decides_on_each_key() {
    let (emulator, wire) = listening().await;
    for key in ["open/a", "open/b", "closed"] {
        put(&wire, key, "data").await;
    }
    let delete = |keys: &str| {
        let xml = format!("<Delete>{keys}</Delete>");
        let md5 = {
            use base64::Engine as _;
            use md5::Digest as _;
            base64::engine::general_purpose::STANDARD.encode(md5::Md5::digest(xml.as_bytes()))
        };
        Ask::new("POST", "/logs?delete").header("content-md5", &md5).body(xml)
    };
    let object = |key: &str| format!("<Object><Key>{key}</Key></Object>");
    let keys: String = ["open/a", "closed", "open/missing"].map(object).concat();
    let answer = wire.send_as(WRITER, &delete(&keys)).await;
    assert_eq!(answer.status, 200);
    let text = answer.text();
    assert!(text.contains("<Deleted><Key>open/a</Key></Deleted>"), "{text}");
    assert!(text.contains("<Deleted><Key>open/missing</Key></Deleted>"), "{text}");
    assert!(text.contains("<Error><Code>AccessDenied</Code><Key>closed</Key><Message>User: arn:aws:iam::111122223333:user/writer is not authorized to perform: s3:DeleteObject"), "{text}");
    assert_eq!(
        emulator.journal().entry(answer.header("x-amz-request-id").unwrap()).unwrap().decisions.len(),
        3
    );
    check(&admin(&wire, Ask::new("GET", "/logs/closed")).await, 200, "");

    let quiet = wire
        .send_as(WRITER, &delete(&format!("<Quiet>true</Quiet>{}{}", object("open/b"), object("closed"))))
        .await;
    assert!(!quiet.text().contains("<Deleted>") && quiet.text().contains("<Error>"));

    put(&wire, "open/c", "data").await;
    let with_tag = |tag: &str| format!("<Object><Key>open/c</Key><ETag>{tag}</ETag></Object>");
    let answer = wire.send_as(WRITER, &delete(&with_tag("0"))).await;
    assert_eq!(answer.element("Code").as_deref(), Some("PreconditionFailed"));
    let answer = wire.send_as(WRITER, &delete(&with_tag("8d777f385d3dfec8815d20f7496026dc"))).await;
    assert!(answer.text().contains("<Deleted>"));

    let mut without_digest = delete(&object("open/b"));
    without_digest.headers.clear();
    let answer = wire.send_as(WRITER, &without_digest).await;
    check(&answer, 400, "InvalidRequest");
    check(
        &wire
            .send_as(WRITER, &delete(&object("open/b")).replace("content-md5", "CYkeu1kFJONfxzNyzdxdlg=="))
            .await,
        400,
        "BadDigest",
    );
    check(&wire.send_as(WRITER, &delete("")).await, 400, "MalformedXML");
    check(&wire.send_as(WRITER, &delete("<Object></Object>")).await, 400, "MalformedXML");
    check(&wire.send_as(WRITER, &delete(&object("k").repeat(1001))).await, 400, "MalformedXML");
}
