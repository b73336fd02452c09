//! Multipart uploads, and every error they can end in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use crate::fixture::{ADMIN, READER, WRITER, listening};
use crate::wire::{Answer, Ask, Wire};

const MIB: usize = 1024 * 1024;
const KEY: &str = "/logs/open/large";

fn check(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.outcome(), (status, code.to_owned()), "{}", String::from_utf8_lossy(&answer.body));
}

/// An upload in progress of the writer.
struct Upload {
    wire: Wire,
    id: String,
}

impl Upload {
    async fn begin(wire: &Wire, headers: &[(&str, &str)]) -> Self {
        let ask = Ask::new("POST", &format!("{KEY}?uploads"));
        let answer = send(wire, headers.iter().fold(ask, |ask, (n, v)| ask.header(n, v))).await;
        check(&answer, 200, "");
        Self { wire: wire.clone(), id: answer.element("UploadId").unwrap() }
    }

    fn put(&self, number: &str, body: impl Into<Vec<u8>>) -> Ask {
        Ask::new("PUT", &format!("{KEY}?partNumber={number}&uploadId={}", self.id)).body(body)
    }

    /// Uploads a part and answers its entity tag.
    async fn part(&self, number: i32, body: impl Into<Vec<u8>>) -> String {
        let answer = send(&self.wire, self.put(&number.to_string(), body)).await;
        check(&answer, 200, "");
        answer.header("etag").unwrap().to_owned()
    }

    fn completion(&self, parts: &[(i32, &str, &str)]) -> Ask {
        let part = |(number, etag, more): &(i32, &str, &str)| {
            format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag>{more}</Part>")
        };
        let parts: String = parts.iter().map(part).collect();
        let xml = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        Ask::new("POST", &format!("{KEY}?uploadId={}", self.id)).body(xml)
    }

    async fn complete(&self, parts: &[(i32, &str, &str)]) -> Answer {
        send(&self.wire, self.completion(parts)).await
    }
}

async fn send(wire: &Wire, ask: Ask) -> Answer {
    wire.send_as(WRITER, &ask).await
}

fn message(answer: &Answer) -> String {
    answer.element("Message").unwrap()
}

#[tokio::test]
async fn parts_become_an_object() {
    let (_emulator, wire) = listening().await;
    let upload = Upload::begin(&wire, &[("content-type", "text/csv"), ("x-amz-meta-a", "1")]).await;
    // Numbers may have gaps, and a part may be replaced.
    upload.part(2, vec![b'x'; 10]).await;
    let first = upload.part(2, vec![b'a'; 5 * MIB]).await;
    let last = upload.part(7, "end").await;
    upload.part(9, "not listed").await;
    let listed = send(&wire, Ask::new("GET", &format!("{KEY}?uploadId={}", upload.id))).await.text();
    assert!(
        listed.contains("<NextPartNumberMarker>9</NextPartNumberMarker>")
            && listed.matches("<Part>").count() == 3
    );
    let answer = upload.complete(&[(2, &first, ""), (7, last.trim_matches('"'), "")]).await;
    check(&answer, 200, "");
    // MD5 of the two raw MD5s.
    let md5s = [Md5::digest(vec![b'a'; 5 * MIB]), Md5::digest("end")].concat();
    let etag = format!("\"{}-2\"", hex::encode(Md5::digest(md5s)));
    assert_eq!(answer.element("ETag"), Some(etag.clone()));
    assert_eq!(answer.element("Key").as_deref(), Some("open/large"));
    assert_eq!(answer.element("ChecksumType").as_deref(), Some("FULL_OBJECT"));
    assert!(answer.element("ChecksumCRC64NVME").is_some());

    let head = send(&wire, Ask::new("HEAD", KEY)).await;
    assert_eq!((head.header("content-length"), head.header("etag")), (Some("5242883"), Some(etag.as_str())));
    assert_eq!((head.header("content-type"), head.header("x-amz-meta-a")), (Some("text/csv"), Some("1")));
    let part = send(&wire, Ask::new("GET", &format!("{KEY}?partNumber=2"))).await;
    assert_eq!(
        (part.status, part.text(), part.header("x-amz-mp-parts-count")),
        (206, "end".into(), Some("2"))
    );
    assert_eq!(part.header("content-range"), Some("bytes 5242880-5242882/5242883"));
    let across = send(&wire, Ask::new("GET", KEY).header("range", "bytes=5242878-5242881")).await;
    assert_eq!(across.text(), "aaen");
    let answer = send(&wire, Ask::new("GET", &format!("{KEY}?partNumber=3"))).await;
    check(&answer, 416, "InvalidPartNumber");
    assert_eq!(answer.element("ActualPartCount").as_deref(), Some("2"));

    check(&upload.complete(&[(2, &first, "")]).await, 404, "NoSuchUpload");
    // A client that lost the answer gets it again, and nothing is written.
    let before = send(&wire, Ask::new("HEAD", KEY)).await;
    let again = upload.complete(&[(2, &first, ""), (7, &last, "")]).await;
    check(&again, 200, "");
    assert_eq!(again.element("ETag").as_deref(), before.header("etag"));
    assert_eq!(
        send(&wire, Ask::new("HEAD", KEY)).await.header("last-modified"),
        before.header("last-modified")
    );
}

#[tokio::test]
async fn a_wrong_completion_is_refused_as_recorded() {
    let (_emulator, wire) = listening().await;
    let upload = Upload::begin(&wire, &[]).await;
    let one = upload.part(1, "data").await;
    let two = upload.part(2, "more").await;

    let answer = upload.complete(&[]).await;
    check(&answer, 400, "InvalidRequest");
    assert_eq!(message(&answer), "You must specify at least one part");
    let answer = upload.complete(&[(1, &one, ""), (2, &two, "")]).await;
    check(&answer, 400, "EntityTooSmall");
    for (element, value) in [
        ("ProposedSize", "4"),
        ("MinSizeAllowed", "5242880"),
        ("PartNumber", "1"),
        ("ETag", one.trim_matches('"')),
    ] {
        assert_eq!(answer.element(element).as_deref(), Some(value));
    }
    let answer = upload.complete(&[(2, &two, ""), (1, &one, "")]).await;
    check(&answer, 400, "InvalidPartOrder");
    assert_eq!(answer.element("UploadId").as_deref(), Some(upload.id.as_str()));
    check(&upload.complete(&[(1, &one, ""), (1, &one, "")]).await, 400, "InvalidPartOrder");
    for (number, etag) in [(3, one.as_str()), (1, two.as_str())] {
        let answer = upload.complete(&[(number, etag, "")]).await;
        check(&answer, 400, "InvalidPart");
        assert_eq!(answer.element("PartNumber"), Some(number.to_string()));
        assert!(message(&answer).contains("found.  The part"), "two spaces");
    }
    let size = upload.completion(&[(1, &one, "")]).header("x-amz-mp-object-size", "5");
    let answer = send(&wire, size).await;
    check(&answer, 400, "InvalidRequest");
    assert_eq!(
        message(&answer),
        "The provided 'x-amz-mp-object-size' header value 5 does not match what was computed: 4"
    );
    let kind = upload.completion(&[(1, &one, "")]).header("x-amz-checksum-type", "FULL_OBJECT");
    let answer = send(&wire, kind).await;
    assert!(message(&answer).contains("using the null checksum mode"));
    let checksum = "<ChecksumCRC32>AAAAAA==</ChecksumCRC32>";
    check(&upload.complete(&[(1, &one, checksum)]).await, 400, "InvalidPart");
    check(&send(&wire, upload.completion(&[]).body("<Complete")).await, 400, "MalformedXML");
    check(
        &send(
            &wire,
            upload.completion(&[]).body("<CompleteMultipartUpload><Part/></CompleteMultipartUpload>"),
        )
        .await,
        400,
        "MalformedXML",
    );
    // Nothing of that used the upload up.
    check(&upload.complete(&[(1, &one, "")]).await, 200, "");
}

#[tokio::test]
async fn an_upload_is_known_by_its_key_and_id() {
    let (_emulator, wire) = listening().await;
    let upload = Upload::begin(&wire, &[]).await;
    let id = &upload.id;
    for ask in [
        Ask::new("PUT", &format!("/logs/open/other?partNumber=1&uploadId={id}")),
        Ask::new("PUT", &format!("{KEY}?partNumber=1&uploadId=unknown")),
        Ask::new("DELETE", &format!("{KEY}?uploadId=unknown")),
        Ask::new("GET", &format!("{KEY}?uploadId=unknown")),
        Ask::new("POST", &format!("{KEY}?uploadId=unknown"))
            .body("<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>a</ETag></Part></CompleteMultipartUpload>"),
    ] {
        let answer = send(&wire, ask.clone()).await;
        check(&answer, 404, "NoSuchUpload");
        assert!(answer.element("UploadId").is_some(), "{ask:?}");
    }
    for number in ["0", "-1", "10001", "x"] {
        let answer = send(&wire, upload.put(number, "data")).await;
        check(&answer, 400, "InvalidArgument");
        assert_eq!(message(&answer), "Part number must be an integer between 1 and 10000, inclusive");
        assert_eq!(answer.element("ArgumentValue").as_deref(), Some(number));
    }
    check(&send(&wire, Ask::new("DELETE", &format!("{KEY}?uploadId={id}"))).await, 204, "");
    check(&send(&wire, upload.put("1", "data")).await, 404, "NoSuchUpload");
    check(&send(&wire, Ask::new("DELETE", &format!("{KEY}?uploadId={id}"))).await, 404, "NoSuchUpload");
    let gone = wire.send_as(ADMIN, &Ask::new("GET", "/missing-bucket/key?uploadId=x")).await;
    check(&gone, 404, "NoSuchBucket");
}

#[tokio::test]
async fn each_step_needs_its_permission() {
    let (emulator, wire) = listening().await;
    let upload = Upload::begin(&wire, &[]).await;
    let id = &upload.id;
    for (ask, action) in [
        (Ask::new("POST", &format!("{KEY}?uploads")), "s3:PutObject"),
        (upload.put("1", "data"), "s3:PutObject"),
        (upload.completion(&[(1, "x", "")]), "s3:PutObject"),
        (Ask::new("GET", &format!("{KEY}?uploadId={id}")), "s3:ListMultipartUploadParts"),
        (Ask::new("DELETE", &format!("{KEY}?uploadId={id}")), "s3:AbortMultipartUpload"),
        (Ask::new("GET", "/logs?uploads"), "s3:ListBucketMultipartUploads"),
    ] {
        check(&wire.send_as(READER, &ask).await, 403, "AccessDenied");
        assert_eq!(emulator.journal().denied().last().unwrap().action, action);
    }
    let anonymous = wire.send(&Ask::new("POST", &format!("{KEY}?uploads"))).await;
    check(&anonymous, 403, "AccessDenied");
}

#[tokio::test]
async fn checksums_of_parts_make_that_of_the_object() {
    let (_emulator, wire) = listening().await;
    let upload = Upload::begin(&wire, &[("x-amz-checksum-algorithm", "CRC32")]).await;
    let answer = send(
        &wire,
        upload
            .put("1", "123456789")
            .header("x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
    )
    .await;
    check(&answer, 400, "InvalidRequest");
    assert_eq!(
        message(&answer),
        "Checksum Type mismatch occurred, expected checksum Type: crc32, actual checksum Type: sha256"
    );
    let answer = send(&wire, upload.put("1", "123456789").header("x-amz-checksum-crc32", "y/Q5Jg==")).await;
    let etag = answer.header("etag").unwrap();
    assert_eq!(answer.header("x-amz-checksum-crc32"), Some("y/Q5Jg=="));

    let answer = upload.complete(&[(1, etag, "")]).await;
    check(&answer, 400, "InvalidRequest");
    assert_eq!(
        message(&answer),
        "The upload was created using a crc32 checksum. The complete request must include the checksum for each part. It was missing for part 1 in the request."
    );
    let answer = upload.complete(&[(1, etag, "<ChecksumSHA256>x</ChecksumSHA256>")]).await;
    check(&answer, 400, "BadDigest");
    assert_eq!(message(&answer), "The sha256 you specified for part 1 did not match what we received.");
    check(
        &upload.complete(&[(1, etag, "<ChecksumCRC32>AAAAAA==</ChecksumCRC32>")]).await,
        400,
        "InvalidPart",
    );
    let listed = "<ChecksumCRC32>y/Q5Jg==</ChecksumCRC32>";
    let wrong = upload.completion(&[(1, etag, listed)]).header("x-amz-checksum-type", "FULL_OBJECT");
    let answer = send(&wire, wrong).await;
    assert_eq!(
        message(&answer),
        "The upload was created using the COMPOSITE checksum mode. The complete request must use the same checksum mode."
    );
    let answer =
        send(&wire, upload.completion(&[(1, etag, listed)]).header("x-amz-checksum-crc32", "AAAAAA==-1"))
            .await;
    check(&answer, 400, "BadDigest");
    assert_eq!(message(&answer), "The crc32 you specified did not match the calculated checksum.");
    let answer = upload.complete(&[(1, etag, listed)]).await;
    check(&answer, 200, "");
    assert_eq!(answer.element("ChecksumType").as_deref(), Some("COMPOSITE"));
    // CRC32 of the four bytes CB F4 39 26.
    let composite = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, &[0xCB, 0xF4, 0x39, 0x26]);
    let composite = u32::try_from(composite).unwrap().to_be_bytes();
    let composite = STANDARD.encode(composite) + "-1";
    assert_eq!(answer.element("ChecksumCRC32"), Some(composite.clone()));
    let get = send(&wire, Ask::new("GET", KEY).header("x-amz-checksum-mode", "ENABLED")).await;
    assert_eq!(get.header("x-amz-checksum-crc32"), Some(composite.as_str()));
    let part =
        send(&wire, Ask::new("GET", &format!("{KEY}?partNumber=1")).header("x-amz-checksum-mode", "ENABLED"))
            .await;
    assert_eq!(part.header("x-amz-checksum-crc32"), Some("y/Q5Jg=="), "a part shows its own");
}

#[tokio::test]
async fn a_full_object_checksum_is_that_of_all_bytes() {
    let (_emulator, wire) = listening().await;
    let headers = [("x-amz-checksum-algorithm", "CRC32C"), ("x-amz-checksum-type", "FULL_OBJECT")];
    let upload = Upload::begin(&wire, &headers).await;
    let first = upload.part(1, vec![0; 5 * MIB]).await;
    let last = upload.part(2, "123456789").await;
    let body = [vec![0; 5 * MIB], b"123456789".to_vec()].concat();
    let whole = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &body);
    let whole = STANDARD.encode(u32::try_from(whole).unwrap().to_be_bytes());
    let completion =
        upload.completion(&[(1, &first, ""), (2, &last, "")]).header("x-amz-checksum-crc32c", &whole);
    let answer = send(&wire, completion).await;
    check(&answer, 200, "");
    assert_eq!(answer.element("ChecksumCRC32C"), Some(whole));
}

#[tokio::test]
async fn algorithms_and_types_that_do_not_go_together_are_refused() {
    let (_emulator, wire) = listening().await;
    for (algorithm, kind, text) in [
        (
            "SHA1",
            "FULL_OBJECT",
            "The FULL_OBJECT checksum type cannot be used with the sha1 checksum algorithm.",
        ),
        (
            "SHA256",
            "FULL_OBJECT",
            "The FULL_OBJECT checksum type cannot be used with the sha256 checksum algorithm.",
        ),
        (
            "CRC64NVME",
            "COMPOSITE",
            "The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm.",
        ),
        (
            "",
            "COMPOSITE",
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
        ),
        (
            "CRC16",
            "",
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
        ),
    ] {
        let mut ask = Ask::new("POST", &format!("{KEY}?uploads"));
        for (name, value) in [("x-amz-checksum-algorithm", algorithm), ("x-amz-checksum-type", kind)] {
            if !value.is_empty() {
                ask = ask.header(name, value);
            }
        }
        let answer = send(&wire, ask).await;
        check(&answer, 400, "InvalidRequest");
        assert_eq!(message(&answer), text);
    }
}

#[tokio::test]
async fn completing_under_a_condition_follows_the_table() {
    let (_emulator, wire) = listening().await;
    let put =
        async || send(&wire, Ask::new("PUT", KEY).body("data")).await.header("etag").unwrap().to_owned();
    let delete = async || check(&send(&wire, Ask::new("DELETE", KEY)).await, 204, "");
    let complete = async |upload: &Upload, name: &str, value: &str| {
        let etag = upload.part(1, "part").await;
        send(&wire, upload.completion(&[(1, &etag, "")]).header(name, value)).await
    };

    // An object is there and stays as it was.
    let etag = put().await;
    let upload = Upload::begin(&wire, &[]).await;
    check(&complete(&upload, "if-match", "\"0\"").await, 412, "PreconditionFailed");
    check(&complete(&upload, "if-none-match", "*").await, 412, "PreconditionFailed");
    let answer = complete(&upload, "if-match", &etag).await;
    check(&answer, 200, "");

    // It is overwritten meanwhile, even with the same bytes.
    let etag = put().await;
    let upload = Upload::begin(&wire, &[]).await;
    put().await;
    let answer = complete(&upload, "if-match", &etag).await;
    check(&answer, 409, "ConditionalRequestConflict");
    assert_eq!(answer.element("Condition").as_deref(), Some("If-Match"));
    assert_eq!(answer.element("Key").as_deref(), Some("open/large"));

    // It is deleted meanwhile, and then put again.
    let upload = Upload::begin(&wire, &[]).await;
    delete().await;
    check(&complete(&upload, "if-match", &etag).await, 404, "NoSuchKey");
    check(&complete(&upload, "if-none-match", "*").await, 409, "ConditionalRequestConflict");
    put().await;
    check(&complete(&upload, "if-match", &etag).await, 409, "ConditionalRequestConflict");

    // A new upload knows nothing of the past.
    delete().await;
    let upload = Upload::begin(&wire, &[]).await;
    check(&complete(&upload, "if-none-match", "*").await, 200, "");
}

#[tokio::test]
async fn a_part_can_be_a_piece_of_another_object() {
    let (_emulator, wire) = listening().await;
    send(&wire, Ask::new("PUT", "/logs/open/ten").body("0123456789")).await;
    let upload = Upload::begin(&wire, &[]).await;
    let copy = async |range: Option<&str>| {
        let ask = upload.put("1", "").header("x-amz-copy-source", "/logs/open/ten");
        send(&wire, range.into_iter().fold(ask, |ask, range| ask.header("x-amz-copy-source-range", range)))
            .await
    };
    let form = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy";
    for (range, code, text) in [
        ("0-8", "InvalidArgument", form),
        ("bytes=0-", "InvalidArgument", form),
        ("bytes=-3", "InvalidArgument", form),
        ("bytes=5-2", "InvalidArgument", form),
        ("bytes=0-100", "InvalidArgument", "Range specified is not valid for source object of size: 10"),
        ("bytes=100-200", "InvalidRequest", "The specified copy range is invalid for the source object size"),
    ] {
        let answer = copy(Some(range)).await;
        check(&answer, 400, code);
        assert_eq!(message(&answer), text, "{range}");
    }
    check(&copy(None).await, 200, "");
    let answer = copy(Some("bytes=2-4")).await;
    check(&answer, 200, "");
    let etag = answer.element("ETag").unwrap().replace("&quot;", "\"");
    check(&upload.complete(&[(1, &etag, "")]).await, 200, "");
    assert_eq!(send(&wire, Ask::new("GET", KEY)).await.text(), "234");
}

#[tokio::test]
async fn uploads_and_parts_are_listed_in_pages() {
    let (_emulator, wire) = listening().await;
    let first = Upload::begin(&wire, &[("x-amz-checksum-algorithm", "SHA256")]).await;
    let second = Upload::begin(&wire, &[]).await;
    let list =
        async |query: &str| wire.send_as(ADMIN, &Ask::new("GET", &format!("/logs?uploads{query}"))).await;
    let all = list("").await;
    let text = all.text();
    assert!(text.contains(&first.id) && text.contains(&second.id), "{text}");
    for element in ["KeyMarker", "UploadIdMarker"] {
        assert_eq!(all.element(element).as_deref().unwrap_or_default(), "", "{element}");
    }
    assert_eq!(
        all.element("Initiator"),
        Some("<DisplayName>writer</DisplayName><ID>arn:aws:iam::111122223333:user/writer</ID>".into())
    );
    let page = list("&max-uploads=1").await;
    assert_eq!(page.element("IsTruncated").as_deref(), Some("true"));
    let (key, id) = (page.element("NextKeyMarker").unwrap(), page.element("NextUploadIdMarker").unwrap());
    let rest = list(&format!("&key-marker={key}&upload-id-marker={id}")).await;
    assert_eq!(rest.text().matches("<Upload>").count(), 1);
    assert!(!rest.text().contains(&format!("<UploadId>{id}</UploadId>")));
    let answer = list(&format!("&key-marker={key}&upload-id-marker=unknown")).await;
    check(&answer, 400, "InvalidArgument");
    assert_eq!(message(&answer), "Invalid uploadId marker");

    for number in 1..=3 {
        first.part(number, "data").await;
    }
    let parts = async |query: &str| {
        send(&wire, Ask::new("GET", &format!("{KEY}?uploadId={}{query}", first.id))).await
    };
    let page = parts("&max-parts=2").await;
    assert_eq!(
        (page.element("IsTruncated").as_deref(), page.element("NextPartNumberMarker").as_deref()),
        (Some("true"), Some("2"))
    );
    assert_eq!(page.element("ChecksumAlgorithm").as_deref(), Some("SHA256"));
    assert!(page.element("ChecksumSHA256").is_some());
    let rest = parts("&part-number-marker=2").await;
    assert_eq!(rest.text().matches("<Part>").count(), 1);
    let answer = parts("&max-parts=many").await;
    check(&answer, 400, "InvalidArgument");
    assert_eq!(answer.element("ArgumentName").as_deref(), Some("max-parts"));
}

#[tokio::test]
async fn more_parts_than_there_are_numbers_are_refused() {
    let (_emulator, wire) = listening().await;
    let upload = Upload::begin(&wire, &[]).await;
    let etag = upload.part(1, "data").await;
    // With the first part large enough, and each of the others not there, only their numbers can be wrong.
    let parts: Vec<(i32, &str, &str)> = (10_001..20_002).map(|number| (number, etag.as_str(), "")).collect();
    let answer = upload.complete(&parts).await;
    check(&answer, 400, "InvalidArgument");
    assert_eq!(answer.element("ArgumentValue").as_deref(), Some("10001"));
    let parts: Vec<(i32, &str, &str)> = (1..=10_000).map(|number| (number, etag.as_str(), "")).collect();
    check(&upload.complete(&parts).await, 400, "InvalidPart");
}
