//! Encryption without KMS: keys of S3, keys of customers, and what a bucket does by itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use crate::fixture::{ADMIN, READER, WRITER, listening};
use crate::wire::{Answer, Ask, Wire};

const MIB: usize = 1024 * 1024;
const CUSTOMER: &str = "x-amz-server-side-encryption-customer";
const COPY_SOURCE: &str = "x-amz-copy-source-server-side-encryption-customer";

pub(crate) fn check(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.outcome(), (status, code.to_owned()), "{}", String::from_utf8_lossy(&answer.body));
}

async fn admin(wire: &Wire, ask: Ask) -> Answer {
    wire.send_as(ADMIN, &ask).await
}

/// The three headers of a key, under a prefix.
fn with_key(ask: Ask, prefix: &str, key: &[u8]) -> Ask {
    ask.header(&format!("{prefix}-algorithm"), "AES256")
        .header(&format!("{prefix}-key"), &STANDARD.encode(key))
        .header(&format!("{prefix}-key-md5"), &STANDARD.encode(Md5::digest(key)))
}

/// A request with one of two keys of a customer.
fn keyed(method: &str, target: &str, key: u8) -> Ask {
    with_key(Ask::new(method, target), CUSTOMER, &[key; 32])
}

pub(crate) fn rule(inner: &str) -> String {
    format!("<ServerSideEncryptionConfiguration><Rule>{inner}</Rule></ServerSideEncryptionConfiguration>")
}

pub(crate) fn default_rule(inner: &str) -> String {
    rule(&format!("<ApplyServerSideEncryptionByDefault>{inner}</ApplyServerSideEncryptionByDefault>"))
}

const UNBLOCK: &str =
    "<BlockedEncryptionTypes><EncryptionType>NONE</EncryptionType></BlockedEncryptionTypes>";

/// Puts the default encryption of the bucket `logs`.
pub(crate) async fn put_rule(wire: &Wire, document: &str) {
    check(&admin(wire, Ask::new("PUT", "/logs?encryption").body(document)).await, 200, "");
}

async fn unblocked() -> (bucketproof_emulator::Emulator, Wire) {
    let (emulator, wire) = listening().await;
    put_rule(&wire, &rule(UNBLOCK)).await;
    (emulator, wire)
}

fn told(answer: &Answer) -> (Option<&str>, Option<&str>, Option<&str>) {
    (
        answer.header("x-amz-server-side-encryption"),
        answer.header(&format!("{CUSTOMER}-algorithm")),
        answer.header(&format!("{CUSTOMER}-key-md5")),
    )
}

/// The documents are those that AWS answers, byte for byte.
#[tokio::test]
async fn a_new_bucket_encrypts_with_keys_of_s3_and_blocks_keys_of_customers() {
    let (_emulator, wire) = listening().await;
    let document = |default: &str, bucket_key: &str, blocked: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ServerSideEncryptionConfiguration \
             xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule><BucketKeyEnabled>{bucket_key}\
             </BucketKeyEnabled><ApplyServerSideEncryptionByDefault>{default}\
             </ApplyServerSideEncryptionByDefault><BlockedEncryptionTypes><EncryptionType>{blocked}\
             </EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>"
        )
    };
    let aes = "<SSEAlgorithm>AES256</SSEAlgorithm>";
    let get = || async {
        let answer = admin(&wire, Ask::new("GET", "/logs?encryption")).await;
        check(&answer, 200, "");
        answer.text()
    };
    assert_eq!(get().await, document(aes, "false", "SSE-C"));
    put_rule(&wire, &rule(UNBLOCK)).await;
    assert_eq!(get().await, document(aes, "false", "NONE"));
    // What does not speak of blocked types leaves them alone.
    let kms = "<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>alias/a&amp;b</KMSMasterKeyID>";
    let with_bucket_key =
        default_rule(kms).replace("</Rule>", "<BucketKeyEnabled>true</BucketKeyEnabled></Rule>");
    put_rule(&wire, &with_bucket_key).await;
    assert_eq!(get().await, document(kms, "true", "NONE"));
    let block = format!("{}</Rule>", UNBLOCK.replace("NONE", "SSE-C"));
    put_rule(&wire, &default_rule(aes).replace("</Rule>", &block)).await;
    assert_eq!(get().await, document(aes, "false", "SSE-C"));
    for _ in 0..2 {
        check(&admin(&wire, Ask::new("DELETE", "/logs?encryption")).await, 204, "");
    }
    assert_eq!(get().await, document(aes, "false", "SSE-C"));
}

#[tokio::test]
async fn rules_that_aws_refuses() {
    let (_emulator, wire) = listening().await;
    let put = |target: &'static str, body: String| {
        let wire = wire.clone();
        async move { admin(&wire, Ask::new("PUT", target).body(body)).await }
    };
    let empty = "<ServerSideEncryptionConfiguration/>".to_owned();
    check(&put("/logs?encryption", empty.clone()).await, 400, "MalformedXML");
    check(&put("/logs?encryption", String::new()).await, 400, "MalformedXML");
    let key = default_rule("<SSEAlgorithm>AES256</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID>");
    let answer = put("/logs?encryption", key).await;
    check(&answer, 400, "InvalidArgument");
    assert_eq!(
        answer.element("Message").as_deref(),
        Some(
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
        )
    );
    assert_eq!(answer.element("ArgumentName").as_deref(), Some("ApplyServerSideEncryptionByDefault"));
    // That there is no bucket counts before what is wrong with the document.
    check(&put("/no-such-bucket?encryption", empty).await, 404, "NoSuchBucket");
    for method in ["GET", "DELETE"] {
        check(&admin(&wire, Ask::new(method, "/no-such-bucket?encryption")).await, 404, "NoSuchBucket");
    }
    for method in ["GET", "PUT", "DELETE"] {
        let ask = Ask::new(method, "/logs?encryption").body(rule(UNBLOCK));
        check(&wire.send_as(READER, &ask).await, 403, "AccessDenied");
    }
    let wrong = Ask::new("PUT", "/logs?encryption").header("content-md5", &STANDARD.encode([0; 16]));
    check(&admin(&wire, wrong.body(rule(UNBLOCK))).await, 400, "BadDigest");
    let object = Ask::new("PUT", "/logs/key?encryption").body("<ObjectEncryption/>");
    check(&admin(&wire, object).await, 501, "NotImplemented");
}

#[tokio::test]
async fn blocked_keys_of_customers_are_refused_in_the_words_of_a_denial() {
    let (_emulator, wire) = listening().await;
    let text = |action: &str| {
        format!(
            "User: arn:aws:iam::111122223333:user/admin is not authorized to perform: s3:{action} on resource: \
             &quot;arn:aws:s3:::logs/key&quot; because this bucket has blocked upload requests that specify Server Side \
             Encryption with Customer provided keys (SSE-C). Please specify a different server-side encryption type."
        )
    };
    let put = admin(&wire, keyed("PUT", "/logs/key", 1).body("data")).await;
    check(&put, 403, "AccessDenied");
    assert_eq!(put.element("Message"), Some(text("PutObject")));
    check(&admin(&wire, keyed("POST", "/logs/key?uploads", 1)).await, 403, "AccessDenied");
    check(&admin(&wire, Ask::new("PUT", "/logs/plain").body("data")).await, 200, "");
    let copy = keyed("PUT", "/logs/key", 1).header("x-amz-copy-source", "logs/plain");
    let copied = admin(&wire, copy).await;
    assert_eq!((copied.status, copied.element("Message")), (403, Some(text("CopyObject"))));
    // Another account is not told; and who may not write at all hears of that first.
    let vendor = crate::wire::Key::new("AKIAVENDORUSEREXAMPL", "vendorSecret+/0");
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/*"}}"#;
    check(&admin(&wire, Ask::new("PUT", "/logs?policy").body(policy)).await, 204, "");
    let foreign = wire.send_as(vendor, &keyed("PUT", "/logs/key", 1).body("data")).await;
    assert_eq!((foreign.status, foreign.element("Message").as_deref()), (403, Some("Access Denied")));
    let denied = wire.send_as(READER, &keyed("PUT", "/logs/key", 1).body("data")).await;
    assert!(denied.element("Message").unwrap().contains("no identity-based policy allows"));
    // What was written before a block stays readable.
    put_rule(&wire, &rule(UNBLOCK)).await;
    check(&admin(&wire, keyed("PUT", "/logs/key", 1).body("data")).await, 200, "");
    put_rule(&wire, &rule(&UNBLOCK.replace("NONE", "SSE-C"))).await;
    assert_eq!(admin(&wire, keyed("GET", "/logs/key", 1)).await.body, b"data");
}

#[tokio::test]
async fn an_object_under_a_customers_key_needs_that_key() {
    let (_emulator, wire) = unblocked().await;
    let md5 = STANDARD.encode(Md5::digest([1; 32]));
    let expected = (None, Some("AES256"), Some(md5.as_str()));
    let put = admin(&wire, keyed("PUT", "/logs/key", 1).body("test_data")).await;
    check(&put, 200, "");
    assert_eq!(told(&put), expected);
    let tag = put.header("etag").unwrap().to_owned();
    assert_ne!(tag, format!("\"{}\"", hex::encode(Md5::digest("test_data"))));
    assert_eq!(tag.len(), 34);
    let again = admin(&wire, keyed("PUT", "/logs/other", 1).body("test_data")).await;
    assert_ne!(again.header("etag").unwrap(), tag, "the tag does not follow from the bytes");
    for method in ["GET", "HEAD"] {
        let read = admin(&wire, keyed(method, "/logs/key", 1)).await;
        assert_eq!((read.status, told(&read), read.header("etag")), (200, expected, Some(tag.as_str())));
        assert_eq!(admin(&wire, keyed(method, "/logs/key", 2)).await.status, 403, "{method}");
        assert_eq!(admin(&wire, Ask::new(method, "/logs/key")).await.status, 400, "{method}");
    }
    let wrong = admin(&wire, keyed("GET", "/logs/key", 2)).await;
    check(&wrong, 403, "AccessDenied");
    assert_eq!(
        wrong.element("Message").as_deref(),
        Some(
            "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret \
             key."
        )
    );
    let none = admin(&wire, Ask::new("GET", "/logs/key")).await;
    check(&none, 400, "InvalidRequest");
    assert_eq!(
        none.element("Message").as_deref(),
        Some(
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided \
             to retrieve the object."
        )
    );
    let range = admin(&wire, keyed("GET", "/logs/key", 1).header("range", "bytes=5-8")).await;
    assert_eq!((range.status, &*range.body), (206, &b"data"[..]));
    let attributes = |ask: Ask| admin(&wire, ask.header("x-amz-object-attributes", "ETag,ObjectSize"));
    check(&attributes(keyed("GET", "/logs/key?attributes", 1)).await, 200, "");
    check(&attributes(keyed("GET", "/logs/key?attributes", 2)).await, 403, "AccessDenied");
    check(&attributes(Ask::new("GET", "/logs/key?attributes")).await, 400, "InvalidRequest");
    check(&admin(&wire, Ask::new("PUT", "/logs/plain").body("data")).await, 200, "");
    let superfluous = admin(&wire, keyed("GET", "/logs/plain", 1)).await;
    check(&superfluous, 400, "InvalidRequest");
    assert_eq!(
        superfluous.element("Message").as_deref(),
        Some("The encryption parameters are not applicable to this object.")
    );
    // Deleting is not reading.
    check(&admin(&wire, Ask::new("DELETE", "/logs/key")).await, 204, "");
}

/// Each defect of the three headers, in the order in which AWS complains.
#[tokio::test]
async fn headers_of_a_key_are_checked_one_by_one() {
    let (_emulator, wire) = unblocked().await;
    check(&admin(&wire, keyed("PUT", "/logs/key", 1).body("data")).await, 200, "");
    let demand = "Requests specifying Server Side Encryption with Customer provided keys must provide";
    let invalid = "The secret key was invalid for the specified algorithm.";
    let mismatch = "The calculated MD5 hash of the key did not match the hash that was provided.";
    let algorithm = "The Encryption request you specified is not valid. Supported value: AES256.";
    let good = |method: &str| keyed(method, "/logs/key", 1);
    let name = |part: &str| format!("{CUSTOMER}-{part}");
    let without = |ask: Ask, part: &str| {
        let mut ask = ask;
        ask.headers.retain(|(own, _)| *own != name(part));
        ask
    };
    let short = with_key(Ask::new("PUT", "/logs/key"), CUSTOMER, b"short");
    for method in ["PUT", "GET"] {
        let good = good(method);
        let mut short = short.clone();
        short.method = method.to_owned();
        let cases = [
            (
                good.clone().replace(&name("algorithm"), "KMS"),
                "InvalidEncryptionAlgorithmError",
                algorithm.to_owned(),
            ),
            (
                without(good.clone(), "algorithm"),
                "InvalidArgument",
                format!("{demand} a valid encryption algorithm."),
            ),
            (
                without(without(good.clone(), "key"), "key-md5"),
                "InvalidArgument",
                format!("{demand} an appropriate secret key."),
            ),
            (
                without(good.clone(), "key-md5"),
                "InvalidArgument",
                format!("{demand} the client calculated MD5 of the secret key."),
            ),
            (short.clone(), "InvalidArgument", invalid.to_owned()),
            (short.replace(&name("key-md5"), "AAAA"), "InvalidArgument", mismatch.to_owned()),
            (good.clone().replace(&name("key-md5"), "%"), "InvalidArgument", mismatch.to_owned()),
        ];
        for (ask, code, message) in cases {
            let answer = admin(&wire, ask).await;
            check(&answer, 400, code);
            assert_eq!(answer.element("Message"), Some(message));
            assert_eq!(answer.element("ArgumentName").as_deref(), Some("x-amz-server-side-encryption"));
            let value = (code == "InvalidEncryptionAlgorithmError").then(|| "KMS".to_owned());
            assert_eq!(answer.element("ArgumentValue"), value);
        }
    }
    let both = keyed("PUT", "/logs/key", 1).header("x-amz-server-side-encryption", "AES256");
    let answer = admin(&wire, both).await;
    check(&answer, 400, "InvalidArgument");
    assert_eq!(
        answer.element("Message").as_deref(),
        Some(
            "Server Side Encryption with Customer provided key is incompatible with the encryption method specified"
        )
    );
    assert_eq!(answer.element("ArgumentValue").as_deref(), Some("AES256"));
    // Only who may write hears what is wrong.
    let denied = wire.send_as(READER, &good("PUT").replace(&name("algorithm"), "KMS")).await;
    check(&denied, 403, "AccessDenied");
}

#[tokio::test]
async fn each_version_has_a_key_of_its_own() {
    let (_emulator, wire) = unblocked().await;
    let versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    check(&admin(&wire, Ask::new("PUT", "/logs?versioning").body(versioning)).await, 200, "");
    let one = admin(&wire, keyed("PUT", "/logs/key", 1).body("version1")).await;
    check(&admin(&wire, keyed("PUT", "/logs/key", 2).body("version2")).await, 200, "");
    assert_eq!(admin(&wire, keyed("GET", "/logs/key", 2)).await.body, b"version2");
    check(&admin(&wire, keyed("GET", "/logs/key", 1)).await, 403, "AccessDenied");
    let target = format!("/logs/key?versionId={}", one.header("x-amz-version-id").unwrap());
    assert_eq!(admin(&wire, keyed("GET", &target, 1)).await.body, b"version1");
    check(&admin(&wire, keyed("GET", &target, 2)).await, 403, "AccessDenied");
}

#[tokio::test]
async fn copies_from_and_to_keys_of_customers() {
    let (_emulator, wire) = unblocked().await;
    check(&admin(&wire, keyed("PUT", "/logs/source", 1).body("test_data")).await, 200, "");
    let copy = |ask: Ask| {
        let wire = wire.clone();
        async move { admin(&wire, ask.header("x-amz-copy-source", "logs/source")).await }
    };
    let from = |ask: Ask, key: u8| with_key(ask, COPY_SOURCE, &[key; 32]);
    // Under keys of S3 the entity tag is the MD5 again.
    let plain = copy(from(Ask::new("PUT", "/logs/plain"), 1)).await;
    check(&plain, 200, "");
    assert_eq!(plain.element("ETag").as_deref(), Some("\"6af8307c2460f2d208ad254f04be4b0d\""));
    assert_eq!(told(&plain), (Some("AES256"), None, None));
    let other = copy(from(keyed("PUT", "/logs/other", 2), 1)).await;
    check(&other, 200, "");
    assert_ne!(other.element("ETag"), plain.element("ETag"));
    assert_eq!(told(&other).1, Some("AES256"));
    check(&admin(&wire, keyed("GET", "/logs/other", 1)).await, 403, "AccessDenied");
    assert_eq!(admin(&wire, keyed("GET", "/logs/other", 2)).await.body, b"test_data");
    check(&copy(Ask::new("PUT", "/logs/x")).await, 400, "InvalidRequest");
    check(&copy(from(Ask::new("PUT", "/logs/x"), 2)).await, 403, "AccessDenied");
    let wrong = from(Ask::new("PUT", "/logs/x"), 1).replace(&format!("{COPY_SOURCE}-algorithm"), "KMS");
    check(&copy(wrong).await, 400, "InvalidEncryptionAlgorithmError");
    let wrong = from(Ask::new("PUT", "/logs/x"), 1).replace(&format!("{COPY_SOURCE}-key-md5"), "AAAA");
    let answer = copy(wrong).await;
    check(&answer, 400, "InvalidArgument");
    assert_eq!(answer.element("ArgumentName").as_deref(), Some("x-amz-server-side-encryption"));
    // A key is something that changes; so is a default that somebody has put.
    let onto_itself = |ask: Ask| admin(&wire, ask.header("x-amz-copy-source", "logs/plain"));
    check(&onto_itself(Ask::new("PUT", "/logs/plain")).await, 200, "");
    check(&admin(&wire, Ask::new("DELETE", "/logs?encryption")).await, 204, "");
    check(&onto_itself(Ask::new("PUT", "/logs/plain")).await, 400, "InvalidRequest");
    let asked = Ask::new("PUT", "/logs/plain").header("x-amz-server-side-encryption", "AES256");
    check(&onto_itself(asked).await, 200, "");
    check(&onto_itself(keyed("PUT", "/logs/plain", 1)).await, 200, "");
}

/// Begins an upload: its id.
async fn begin(wire: &Wire, ask: Ask) -> String {
    let answer = admin(wire, ask).await;
    check(&answer, 200, "");
    answer.element("UploadId").unwrap()
}

fn completion(target: &str, id: &str, parts: &[&Answer], more: &[String]) -> Ask {
    let part = |(index, part): (usize, &&Answer)| {
        let etag = part.header("etag").unwrap();
        let more = more.get(index).map_or("", String::as_str);
        format!("<Part><PartNumber>{}</PartNumber><ETag>{etag}</ETag>{more}</Part>", index + 1)
    };
    let parts: String = parts.iter().enumerate().map(part).collect();
    Ask::new("POST", &format!("{target}?uploadId={id}"))
        .body(format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>"))
}

#[tokio::test]
async fn parts_need_the_key_of_their_upload() {
    let (_emulator, wire) = unblocked().await;
    let id = begin(&wire, keyed("POST", "/logs/key?uploads", 1)).await;
    let target = |number: u8, id: &str| format!("/logs/key?partNumber={number}&uploadId={id}");
    let put = |ask: Ask| admin(&wire, ask.body(vec![b'a'; 5 * MIB]));
    let needed = "The multipart upload initiate requested encryption. Subsequent part requests must include the \
                  appropriate encryption parameters.";
    let message = |answer: &Answer| answer.element("Message").unwrap();
    let none = put(Ask::new("PUT", &target(1, &id))).await;
    check(&none, 400, "InvalidRequest");
    assert_eq!(message(&none), needed);
    let other = put(keyed("PUT", &target(1, &id), 2)).await;
    check(&other, 400, "InvalidRequest");
    assert_eq!(message(&other), "The provided encryption parameters did not match the ones used originally.");
    let one = put(keyed("PUT", &target(1, &id), 1)).await;
    check(&one, 200, "");
    assert_eq!(told(&one).1, Some("AES256"));
    check(&admin(&wire, Ask::new("PUT", "/logs/plain").body("the end")).await, 200, "");
    let copied = |ask: Ask| admin(&wire, ask.header("x-amz-copy-source", "logs/plain"));
    check(&copied(Ask::new("PUT", &target(2, &id))).await, 400, "InvalidRequest");
    let mut two = copied(keyed("PUT", &target(2, &id), 1)).await;
    check(&two, 200, "");
    let etag = two.element("ETag").unwrap();
    assert_ne!(etag, one.header("etag").unwrap());
    two.headers.push(("etag".to_owned(), etag));
    // Without a checksum of its own the upload is listed and completed without the key, and shows none.
    let listed = admin(&wire, Ask::new("GET", &format!("/logs/key?uploadId={id}"))).await;
    check(&listed, 200, "");
    let done = admin(&wire, completion("/logs/key", &id, &[&one, &two], &[])).await;
    check(&done, 200, "");
    assert_eq!(told(&done), (None, None, None));
    assert!(!done.text().contains("Checksum"), "{}", done.text());
    let tags: Vec<u8> = [&one, &two]
        .into_iter()
        .flat_map(|part| hex::decode(part.header("etag").unwrap().trim_matches('"')).unwrap())
        .collect();
    let expected = format!("\"{}-2\"", hex::encode(Md5::digest(tags)));
    let read = admin(&wire, keyed("GET", "/logs/key", 1).header("x-amz-checksum-mode", "ENABLED")).await;
    assert_eq!((read.status, read.body.len()), (200, 5 * MIB + 7));
    assert_eq!(read.header("etag"), Some(expected.as_str()));
    assert!(read.headers.iter().all(|(name, _)| !name.starts_with("x-amz-checksum")), "{:?}", read.headers);
    check(&admin(&wire, Ask::new("GET", "/logs/key")).await, 400, "InvalidRequest");
    let piece = admin(&wire, keyed("GET", "/logs/key?partNumber=2", 1)).await;
    assert_eq!((piece.status, &*piece.body), (206, &b"the end"[..]));

    let plain = begin(&wire, Ask::new("POST", "/logs/key?uploads")).await;
    let superfluous = put(keyed("PUT", &target(1, &plain), 1)).await;
    check(&superfluous, 400, "InvalidRequest");
    assert_eq!(message(&superfluous), needed);
}

#[tokio::test]
async fn checksums_of_an_upload_are_kept_under_its_key() {
    let (_emulator, wire) = unblocked().await;
    let begun = keyed("POST", "/logs/key?uploads", 1).header("x-amz-checksum-algorithm", "SHA256");
    let id = begin(&wire, begun).await;
    let target = format!("/logs/key?partNumber=1&uploadId={id}");
    let part = admin(&wire, keyed("PUT", &target, 1).body(vec![b'A'; 1024])).await;
    check(&part, 200, "");
    assert_eq!(part.header("x-amz-checksum-sha256"), Some("arcu6553sHVAiX4MjW0j7I7vD4w6R+Gz9Ok0Q9lTa+0="));
    let list = |ask: Ask| admin(&wire, ask);
    let listing = format!("/logs/key?uploadId={id}");
    check(&list(Ask::new("GET", &listing)).await, 400, "InvalidRequest");
    check(&list(keyed("GET", &listing, 1)).await, 200, "");
    let checksum = "<ChecksumSHA256>arcu6553sHVAiX4MjW0j7I7vD4w6R+Gz9Ok0Q9lTa+0=</ChecksumSHA256>".to_owned();
    let done = completion("/logs/key", &id, &[&part], &[checksum]);
    check(&admin(&wire, done.clone()).await, 400, "InvalidRequest");
    check(&admin(&wire, with_key(done.clone(), CUSTOMER, &[2; 32])).await, 400, "InvalidRequest");
    check(&admin(&wire, with_key(done, CUSTOMER, &[1; 32])).await, 200, "");
    let head = keyed("HEAD", "/logs/key", 1).header("x-amz-checksum-mode", "ENABLED");
    let head = admin(&wire, head).await;
    assert_eq!(head.header("x-amz-checksum-sha256"), Some("Ok6Cs5b96ux6+MWQkJO7UBT5sKPBeXBLwvj/hK89smg=-1"));
    let attributes = keyed("GET", "/logs/key?attributes", 1).header("x-amz-object-attributes", "Checksum");
    let attributes = admin(&wire, attributes).await;
    assert_eq!(
        attributes.element("ChecksumSHA256").as_deref(),
        Some("Ok6Cs5b96ux6+MWQkJO7UBT5sKPBeXBLwvj/hK89smg=")
    );
}

/// Policies see headers, not what the bucket does by itself.
#[tokio::test]
async fn policies_see_what_is_asked_for() {
    let (_emulator, wire) = unblocked().await;
    let deny = |condition: &str| {
        format!(
            "{{\"Version\":\"2012-10-17\",\"Statement\":{{\"Effect\":\"Deny\",\"Principal\":\"*\",\
             \"Action\":\"s3:PutObject\",\"Resource\":\"arn:aws:s3:::logs/*\",\"Condition\":{condition}}}}}"
        )
    };
    let set = |condition: &'static str| {
        let ask = Ask::new("PUT", "/logs?policy").body(deny(condition));
        async { check(&admin(&wire, ask).await, 204, "") }
    };
    let put = |ask: Ask| async { wire.send_as(WRITER, &ask.body("data")).await.status };
    set(r#"{"Null":{"s3:x-amz-server-side-encryption-customer-algorithm":"true"}}"#).await;
    assert_eq!(put(Ask::new("PUT", "/logs/open/key")).await, 403);
    assert_eq!(put(keyed("PUT", "/logs/open/key", 1)).await, 200);
    set(r#"{"StringNotEquals":{"s3:x-amz-server-side-encryption":"AES256"}}"#).await;
    assert_eq!(put(Ask::new("PUT", "/logs/open/key")).await, 403);
    let asked = Ask::new("PUT", "/logs/open/key").header("x-amz-server-side-encryption", "AES256");
    assert_eq!(put(asked).await, 200);
}

#[tokio::test]
async fn nothing_prints_a_key() {
    let (emulator, wire) = unblocked().await;
    let secret = STANDARD.encode([b'k'; 32]);
    let ask = with_key(Ask::new("PUT", "/logs/key"), CUSTOMER, &[b'k'; 32]);
    let answer = admin(&wire, ask.clone().body("data")).await;
    assert!(!format!("{answer:?}").contains(&secret));
    let answer = admin(&wire, ask.replace(&format!("{CUSTOMER}-algorithm"), "KMS").body("data")).await;
    assert!(!format!("{answer:?}").contains(&secret));
    assert!(!format!("{emulator:?}").contains(&secret));
    for entry in emulator.journal().entries() {
        assert!(!format!("{entry:?}").contains(&secret));
    }
}
