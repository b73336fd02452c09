//! Objects under KMS keys: which key, who may use it, and what the key's state does to them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bucketproof_emulator::{Emulator, Scenario};

use crate::encryption::{check, default_rule, put_rule};
use crate::fixture::new_year;
use crate::kms::Client;
use crate::wire::{Answer, Ask, Key, Signing, Wire};

const METHOD: &str = "x-amz-server-side-encryption";
const KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";
const CONTEXT: &str = "x-amz-server-side-encryption-context";

const OWN_ID: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const OWN: &str = "arn:aws:kms:us-east-1:111122223333:key/aaaaaaaa-0000-4000-8000-000000000001";
const PINNED: &str = "arn:aws:kms:us-east-1:111122223333:key/aaaaaaaa-0000-4000-8000-000000000002";
const SHARED: &str = "arn:aws:kms:us-east-1:444455556666:key/bbbbbbbb-0000-4000-8000-000000000001";
const CLOSED: &str = "arn:aws:kms:us-east-1:444455556666:key/bbbbbbbb-0000-4000-8000-000000000002";
const ABROAD: &str = "arn:aws:kms:eu-west-1:111122223333:key/aaaaaaaa-0000-4000-8000-000000000003";

const ADMIN: Key<'_> = Key::new("AKIAADMINUSEREXAMPLE", "adminSecret+/0");
const WRITER: Key<'_> = Key::new("AKIAWRITERUSEREXAMPL", "writerSecret+/0");
const READER: Key<'_> = Key::new("AKIAREADERUSEREXAMPL", "readerSecret+/0");
const PARTNER: Key<'_> = Key::new("AKIAPARTNERUSEREXAMP", "partnerSecret+/0");

/// A writer who may only make data keys, a reader who may only decrypt with a key that is pinned to objects below
/// `logs/pinned/`, and a partner with keys of his own, one of them shared.
const SCENARIO: &str = r#"
[[account]]
id = "111122223333"
name = "owner"

[[account.user]]
name = "admin"
policies = ['{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}']
[[account.user.access_key]]
id = "AKIAADMINUSEREXAMPLE"
secret = "adminSecret+/0"

[[account.user]]
name = "writer"
policies = ['{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Allow","Action":"kms:GenerateDataKey","Resource":"*"}]}']
[[account.user.access_key]]
id = "AKIAWRITERUSEREXAMPL"
secret = "writerSecret+/0"

[[account.user]]
name = "reader"
policies = ['{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject*","s3:ListBucket"],"Resource":"*"}]}']
[[account.user.access_key]]
id = "AKIAREADERUSEREXAMPL"
secret = "readerSecret+/0"

[[account.kms_key]]
id = "aaaaaaaa-0000-4000-8000-000000000001"
alias = "own"

[[account.kms_key]]
id = "aaaaaaaa-0000-4000-8000-000000000002"
policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"},{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/reader"},"Action":"kms:Decrypt","Resource":"*","Condition":{"StringLike":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::logs/pinned/*"},"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com","kms:CallerAccount":"111122223333"}}}]}'

[[account.kms_key]]
id = "aaaaaaaa-0000-4000-8000-000000000003"
region = "eu-west-1"

[[account.bucket]]
name = "logs"
policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":["s3:PutObject","s3:GetObject"],"Resource":"arn:aws:s3:::logs/*"}]}'

[[account.bucket]]
name = "public"
public_access_block = { block_public_policy = false, restrict_public_buckets = false }
policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::public/*"}]}'

[[account.bucket]]
name = "sealed"
encryption = { algorithm = "aws:kms", kms_key = "alias/own", bucket_key = true, blocked_encryption_types = ["NONE"] }

[[account]]
id = "444455556666"
name = "partner"

[[account.user]]
name = "partner"
policies = ['{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}']
[[account.user.access_key]]
id = "AKIAPARTNERUSEREXAMP"
secret = "partnerSecret+/0"

[[account.kms_key]]
id = "bbbbbbbb-0000-4000-8000-000000000001"
policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::444455556666:root","arn:aws:iam::111122223333:root"]},"Action":"kms:*","Resource":"*"}]}'

[[account.kms_key]]
id = "bbbbbbbb-0000-4000-8000-000000000002"
"#;

async fn listening() -> (Emulator, Wire) {
    let scenario = Scenario::from_toml(SCENARIO).unwrap();
    let builder = Emulator::builder().scenario(scenario).clock(new_year()).seed(7);
    let emulator = builder.listen("127.0.0.1:0".parse().unwrap()).start().await.unwrap();
    let wire = Wire::to(emulator.address().unwrap(), emulator.clock().clone());
    (emulator, wire)
}

fn put(target: &str) -> Ask {
    Ask::new("PUT", target).body("test-sse")
}

fn with_kms(ask: Ask, key: &str) -> Ask {
    ask.header(METHOD, "aws:kms").header(KEY, key)
}

fn message(answer: &Answer) -> String {
    answer.element("Message").unwrap_or_default()
}

/// What an answer tells of the encryption: the method, the key, and whether the bucket's key is in use.
fn told(answer: &Answer) -> (Option<&str>, Option<&str>, Option<&str>) {
    (answer.header(METHOD), answer.header(KEY), answer.header(BUCKET_KEY))
}

async fn sent(wire: &Wire, key: Key<'_>, ask: Ask) -> Answer {
    let answer = wire.send_as(key, &ask).await;
    check(&answer, 200, "");
    answer
}

fn denied(user: &str, action: &str, key: &str) -> String {
    format!(
        "User: arn:aws:iam::111122223333:user/{user} is not authorized to perform: {action} on resource: {key} because \
         no identity-based policy allows the {action} action"
    )
}

#[tokio::test]
async fn a_key_goes_by_all_its_names_and_is_told_by_its_arn() {
    let (_emulator, wire) = listening().await;
    let md5_of_content = "\"42832cdec7083e70a9cd6f2d5852e004\"";
    let mut tags = vec![md5_of_content.to_owned()];
    let alias_arn = "arn:aws:kms:us-east-1:111122223333:alias/own";
    for name in [OWN_ID, OWN, "alias/own", alias_arn] {
        let answer = sent(&wire, ADMIN, with_kms(put("/logs/key"), name)).await;
        assert_eq!(told(&answer), (Some("aws:kms"), Some(OWN), None), "{name}");
        let tag = answer.header("etag").unwrap().to_owned();
        assert_eq!(tag.len(), 34);
        assert!(!tags.contains(&tag), "tags are arbitrary");
        for method in ["GET", "HEAD"] {
            let read = sent(&wire, ADMIN, Ask::new(method, "/logs/key")).await;
            assert_eq!(told(&read), (Some("aws:kms"), Some(OWN), None));
            assert_eq!(read.header("etag"), Some(tag.as_str()));
        }
        assert_eq!(sent(&wire, ADMIN, Ask::new("GET", "/logs/key")).await.body, b"test-sse");
        tags.push(tag);
    }
    let double = put("/logs/key").header(METHOD, "aws:kms:dsse").header(KEY, OWN);
    assert_eq!(told(&sent(&wire, ADMIN, double.clone()).await), (Some("aws:kms:dsse"), Some(OWN), None));
    let shared = wire.send_as(ADMIN, &double.header(BUCKET_KEY, "true")).await;
    check(&shared, 501, "NotImplemented");
    let plain = sent(&wire, ADMIN, put("/logs/key").header(METHOD, "AES256")).await;
    assert_eq!((told(&plain), plain.header("etag")), ((Some("AES256"), None, None), Some(md5_of_content)));
}

#[tokio::test]
async fn without_a_key_it_is_the_one_that_aws_manages() {
    let (_emulator, wire) = listening().await;
    let client = Client::new(&wire, ADMIN);
    let first = sent(&wire, ADMIN, put("/logs/key").header(METHOD, "aws:kms")).await;
    let managed = first.header(KEY).unwrap().to_owned();
    let described = client.ask("DescribeKey", serde_json::json!({ "KeyId": "alias/aws/s3" })).await;
    assert_eq!(described.text("/KeyMetadata/Arn"), managed);
    // Also where the bucket names another.
    let sealed = sent(&wire, ADMIN, put("/sealed/key").header(METHOD, "aws:kms")).await;
    assert_eq!(told(&sealed), (Some("aws:kms"), Some(managed.as_str()), Some("true")));
    // It is that of the account that asks: the bucket's owner cannot read what a partner wrote so.
    let partner = sent(&wire, PARTNER, put("/logs/partner").header(METHOD, "aws:kms")).await;
    assert!(partner.header(KEY).unwrap().starts_with("arn:aws:kms:us-east-1:444455556666:key/"));
    assert_eq!(sent(&wire, PARTNER, Ask::new("GET", "/logs/partner")).await.body, b"test-sse");
    let read = wire.send_as(ADMIN, &Ask::new("GET", "/logs/partner")).await;
    check(&read, 403, "AccessDenied");
    assert!(message(&read).contains("kms:Decrypt on this resource because the resource does not exist"));
    // Who may use S3 may use that key, without a permission of its own.
    let reader = wire.send_as(READER, &Ask::new("GET", "/logs/key")).await;
    check(&reader, 200, "");
}

#[tokio::test]
async fn a_bucket_encrypts_by_its_default() {
    let (_emulator, wire) = listening().await;
    let answer = sent(&wire, ADMIN, put("/sealed/key")).await;
    assert_eq!(told(&answer), (Some("aws:kms"), Some(OWN), Some("true")));
    let explicit = sent(&wire, ADMIN, with_kms(put("/sealed/key"), PINNED)).await;
    assert_eq!(told(&explicit), (Some("aws:kms"), Some(PINNED), Some("true")));
    let without = sent(&wire, ADMIN, put("/sealed/key").header(BUCKET_KEY, "false")).await;
    assert_eq!(told(&without), (Some("aws:kms"), Some(OWN), None));
    let other = sent(&wire, ADMIN, put("/sealed/key").header(METHOD, "AES256")).await;
    assert_eq!(told(&other), (Some("AES256"), None, None));
    let begun = sent(&wire, ADMIN, Ask::new("POST", "/sealed/key?uploads")).await;
    assert_eq!(told(&begun), (Some("aws:kms"), Some(OWN), Some("true")));
    // A partner's key is looked for in the partner's account.
    put_rule(
        &wire,
        &default_rule(&format!(
            "<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>{OWN_ID}</KMSMasterKeyID>"
        )),
    )
    .await;
    assert_eq!(told(&sent(&wire, ADMIN, put("/logs/key")).await), (Some("aws:kms"), Some(OWN), None));
    let partner = wire.send_as(PARTNER, &put("/logs/key")).await;
    check(&partner, 400, "KMS.NotFoundException");
    assert_eq!(
        message(&partner),
        format!("Key 'arn:aws:kms:us-east-1:444455556666:key/{OWN_ID}' does not exist")
    );
    // That a bucket names a key which cannot be is told when an object is written.
    put_rule(
        &wire,
        &default_rule("<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>aws/s3</KMSMasterKeyID>"),
    )
    .await;
    let answer = wire.send_as(ADMIN, &put("/logs/key")).await;
    check(&answer, 400, "KMS.NotFoundException");
    assert_eq!(message(&answer), "Invalid keyId 'aws/s3'");
}

#[tokio::test]
async fn keys_that_are_not_there() {
    let (_emulator, wire) = listening().await;
    let unknown = "134f2428-cec1-4b25-a1ae-9048164dba47";
    let unknown_arn = format!("arn:aws:kms:us-east-1:111122223333:key/{unknown}");
    let missing = format!("Key '{unknown_arn}' does not exist");
    check(&wire.send_as(ADMIN, &put("/logs/source")).await, 200, "");
    for (name, text) in [
        ("fake-key-id", "Invalid keyId 'fake-key-id'"),
        (unknown, &missing),
        (&unknown_arn, &missing),
        (ABROAD, "Invalid arn eu-west-1"),
        ("alias/none", "Alias arn:aws:kms:us-east-1:111122223333:alias/none is not found."),
    ] {
        let copy = Ask::new("PUT", "/logs/copy").header("x-amz-copy-source", "logs/source");
        for ask in [put("/logs/key"), Ask::new("POST", "/logs/key?uploads"), copy] {
            let answer = wire.send_as(ADMIN, &with_kms(ask, name)).await;
            check(&answer, 400, "KMS.NotFoundException");
            assert_eq!(message(&answer), text);
        }
        // Who may not write does not learn which keys there are.
        check(&wire.send_as(READER, &with_kms(put("/logs/key"), name)).await, 403, "AccessDenied");
    }
}

#[tokio::test]
async fn headers_that_do_not_go_together() {
    let (_emulator, wire) = listening().await;
    let context = |json: &str| STANDARD.encode(json);
    let needs_kms = "Server Side Encryption with AWS KMS managed key requires HTTP header \
                     x-amz-server-side-encryption : aws:kms";
    let unsupported = "The encryption method specified is not supported";
    let bad_context = "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string \
                       holding JSON which represents a string-string map";
    let cases = [
        (put("/logs/key").header(KEY, OWN), needs_kms),
        (put("/logs/key").header(KEY, OWN).header(METHOD, "AES256"), needs_kms),
        (put("/logs/key").header(METHOD, "aes:kms"), unsupported),
        (put("/logs/key").header(METHOD, ""), unsupported),
        (with_kms(put("/logs/key"), OWN).header(CONTEXT, "%"), bad_context),
        (with_kms(put("/logs/key"), OWN).header(CONTEXT, &context("[1]")), bad_context),
        (with_kms(put("/logs/key"), OWN).header(CONTEXT, &context("{\"a\":1}")), bad_context),
        (
            with_kms(put("/logs/key"), OWN).header(BUCKET_KEY, "maybe"),
            "Value for x-amz-server-side-encryption-bucket-key-enabled header is invalid.",
        ),
    ];
    for (ask, text) in cases {
        let answer = wire.send_as(ADMIN, &ask).await;
        check(&answer, 400, "InvalidArgument");
        assert_eq!(message(&answer), text);
    }
    let good = with_kms(put("/logs/key"), OWN).header(CONTEXT, &context("{\"team\":\"raw\"}"));
    let answer = sent(&wire, ADMIN, good).await;
    assert_eq!(answer.header(CONTEXT), Some(context("{\"team\":\"raw\"}").as_str()));
    let read = sent(&wire, ADMIN, Ask::new("GET", "/logs/key")).await;
    assert_eq!((read.header(CONTEXT), &*read.body), (None, &b"test-sse"[..]));
}

/// Writing takes one permission, reading another; the wire words are those of AWS.
#[tokio::test]
async fn s3_uses_keys_with_the_permissions_of_its_caller() {
    let (emulator, wire) = listening().await;
    check(&wire.send_as(WRITER, &with_kms(put("/logs/key"), OWN)).await, 200, "");
    let read = wire.send_as(WRITER, &Ask::new("GET", "/logs/key")).await;
    check(&read, 403, "AccessDenied");
    assert_eq!(message(&read), denied("writer", "kms:Decrypt", OWN));
    let explained = emulator.journal().denied().last().unwrap().explain();
    assert!(explained.contains("kms:Decrypt"), "{explained}");
    // A head tells nothing that is encrypted, unless it is asked for the checksum.
    check(&wire.send_as(WRITER, &Ask::new("HEAD", "/logs/key")).await, 200, "");
    let with_checksum = Ask::new("HEAD", "/logs/key").header("x-amz-checksum-mode", "ENABLED");
    assert_eq!(wire.send_as(WRITER, &with_checksum).await.status, 403);
    let attributes =
        |names: &str| Ask::new("GET", "/logs/key?attributes").header("x-amz-object-attributes", names);
    check(&wire.send_as(WRITER, &attributes("ETag,ObjectSize,ObjectParts")).await, 200, "");
    check(&wire.send_as(WRITER, &attributes("Checksum")).await, 403, "AccessDenied");
    let copy = Ask::new("PUT", "/logs/copy").header("x-amz-copy-source", "logs/key");
    check(&wire.send_as(WRITER, &copy).await, 403, "AccessDenied");
    check(&wire.send_as(WRITER, &Ask::new("DELETE", "/logs/key")).await, 204, "");

    // The classic: small objects work, and the first part of a large one does not.
    let begun = sent(&wire, WRITER, with_kms(Ask::new("POST", "/logs/large?uploads"), OWN)).await;
    let id = begun.element("UploadId").unwrap();
    let part = put(&format!("/logs/large?partNumber=1&uploadId={id}"));
    let refused = wire.send_as(WRITER, &part).await;
    check(&refused, 403, "AccessDenied");
    assert_eq!(message(&refused), denied("writer", "kms:Decrypt", OWN));
    let done = sent(&wire, ADMIN, part).await;
    assert_eq!(told(&done), (Some("aws:kms"), Some(OWN), None));
    let listing = Ask::new("GET", &format!("/logs/large?uploadId={id}"));
    check(&wire.send_as(WRITER, &listing).await, 403, "AccessDenied");
    let xml = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part></CompleteMultipartUpload>",
        done.header("etag").unwrap()
    );
    let complete = Ask::new("POST", &format!("/logs/large?uploadId={id}")).body(xml);
    check(&wire.send_as(WRITER, &complete).await, 403, "AccessDenied");
    let completed = sent(&wire, ADMIN, complete).await;
    assert_eq!(told(&completed), (Some("aws:kms"), Some(OWN), None));
    assert!(!completed.text().contains("Checksum"), "{}", completed.text());
    let read = Ask::new("GET", "/logs/large").header("x-amz-checksum-mode", "ENABLED");
    assert_eq!(sent(&wire, ADMIN, read).await.header("x-amz-checksum-crc64nvme"), Some("Kr7StX/uFlQ="));
}

/// A policy that names objects breaks when the bucket's key comes into use: then the context names the bucket.
#[tokio::test]
async fn the_context_names_the_object_or_the_bucket() {
    let (_emulator, wire) = listening().await;
    let read = |target: &'static str| {
        let wire = wire.clone();
        async move { wire.send_as(READER, &Ask::new("GET", target)).await }
    };
    sent(&wire, ADMIN, with_kms(put("/logs/pinned/key"), PINNED)).await;
    sent(&wire, ADMIN, with_kms(put("/logs/other/key"), PINNED)).await;
    assert_eq!(read("/logs/pinned/key").await.body, b"test-sse");
    check(&read("/logs/other/key").await, 403, "AccessDenied");
    sent(&wire, ADMIN, with_kms(put("/logs/pinned/key"), PINNED).header(BUCKET_KEY, "true")).await;
    let refused = read("/logs/pinned/key").await;
    check(&refused, 403, "AccessDenied");
    assert_eq!(message(&refused), denied("reader", "kms:Decrypt", PINNED));
    // The key may be used through S3 alone.
    let client = Client::new(&wire, ADMIN);
    let blob = client.ask(
        "Encrypt",
        serde_json::json!({"KeyId": PINNED, "Plaintext": "eA==",
        "EncryptionContext": {"aws:s3:arn": "arn:aws:s3:::logs/pinned/key"}}),
    );
    let blob = blob.await.text("/CiphertextBlob");
    let reader = Client::new(&wire, READER);
    let direct = reader.ask(
        "Decrypt",
        serde_json::json!({"CiphertextBlob": blob,
        "EncryptionContext": {"aws:s3:arn": "arn:aws:s3:::logs/pinned/key"}}),
    );
    assert_eq!(direct.await.refusal().1, "AccessDeniedException");
}

#[tokio::test]
async fn keys_of_other_accounts() {
    let (_emulator, wire) = listening().await;
    let answer = sent(&wire, ADMIN, with_kms(put("/logs/key"), SHARED)).await;
    assert_eq!(told(&answer).1, Some(SHARED));
    assert_eq!(sent(&wire, PARTNER, Ask::new("GET", "/logs/key")).await.body, b"test-sse");
    // One's own account has to allow it too.
    let reader = wire.send_as(READER, &Ask::new("GET", "/logs/key")).await;
    check(&reader, 403, "AccessDenied");
    let refused = wire.send_as(ADMIN, &with_kms(put("/logs/key"), CLOSED)).await;
    check(&refused, 403, "AccessDenied");
    assert_eq!(
        message(&refused),
        "User: arn:aws:iam::111122223333:user/admin is not authorized to perform: kms:GenerateDataKey on this \
         resource because the resource does not exist in this Region, no resource-based policies allow access, or a \
         resource-based policy explicitly denies access"
    );
    let nowhere = CLOSED.replace("000000000002", "000000000009");
    let unknown = wire.send_as(ADMIN, &with_kms(put("/logs/key"), &nowhere)).await;
    assert_eq!(
        (unknown.status, message(&unknown)),
        (403, message(&refused)),
        "nobody learns which keys there are"
    );
}

#[tokio::test]
async fn a_key_that_is_disabled_or_dying_takes_its_objects_along() {
    let (_emulator, wire) = listening().await;
    let client = Client::new(&wire, ADMIN);
    sent(&wire, ADMIN, with_kms(put("/logs/key"), OWN)).await;
    let key = serde_json::json!({ "KeyId": OWN });
    let fails = |code: &'static str, text: String| {
        let wire = wire.clone();
        async move {
            for ask in [Ask::new("GET", "/logs/key"), with_kms(put("/logs/new"), OWN)] {
                let answer = wire.send_as(ADMIN, &ask).await;
                check(&answer, 400, code);
                assert_eq!(message(&answer), text);
            }
            assert_eq!(wire.send_as(ADMIN, &Ask::new("HEAD", "/logs/key")).await.status, 200);
            // Who may not use the key hears of that, not of its state.
            check(&wire.send_as(WRITER, &Ask::new("GET", "/logs/key")).await, 403, "AccessDenied");
        }
    };
    assert_eq!(client.ask("DisableKey", key.clone()).await.status, 200);
    fails("KMS.DisabledException", format!("{OWN} is disabled.")).await;
    assert_eq!(client.ask("EnableKey", key.clone()).await.status, 200);
    check(&wire.send_as(ADMIN, &Ask::new("GET", "/logs/key")).await, 200, "");
    assert_eq!(client.ask("ScheduleKeyDeletion", key).await.status, 200);
    fails("KMS.KMSInvalidStateException", format!("{OWN} is pending deletion.")).await;
    check(&wire.send_as(ADMIN, &Ask::new("DELETE", "/logs/key")).await, 204, "");
}

/// KMS takes neither nobody nor old signatures.
#[tokio::test]
async fn only_version_4_signatures_get_at_keys() {
    let (_emulator, wire) = listening().await;
    let text = "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.";
    sent(&wire, ADMIN, with_kms(put("/public/key"), OWN)).await;
    for ask in [Ask::new("GET", "/public/key"), put("/public/new").header(METHOD, "aws:kms")] {
        let answer = wire.send(&ask).await;
        check(&answer, 400, "InvalidArgument");
        assert_eq!(message(&answer), text);
        assert_eq!(answer.element("ArgumentName").as_deref(), Some("Authorization"));
        assert_eq!(answer.element("ArgumentValue").as_deref(), Some("null"));
    }
    assert_eq!(wire.send(&Ask::new("HEAD", "/public/key")).await.status, 200);
    let presigned = wire.sign(&Ask::new("GET", "/public/key"), &Signing::presigned(ADMIN, 60));
    assert_eq!(wire.send(&presigned).await.body, b"test-sse");
    // Where nothing is encrypted with KMS keys, nobody is as good as before.
    check(&wire.send(&put("/public/plain")).await, 200, "");
    check(&wire.send(&Ask::new("GET", "/public/plain")).await, 200, "");
}

#[tokio::test]
async fn copies_change_the_key() {
    let (_emulator, wire) = listening().await;
    let content_tag = "42832cdec7083e70a9cd6f2d5852e004";
    sent(&wire, ADMIN, with_kms(put("/logs/key"), OWN)).await;
    let onto_itself = || Ask::new("PUT", "/logs/key").header("x-amz-copy-source", "logs/key");
    // Without a word about encryption the copy has the bucket's, which is another (recorded); the next would change nothing.
    let plain = sent(&wire, ADMIN, onto_itself()).await;
    assert_eq!(told(&plain), (Some("AES256"), None, None));
    check(&wire.send_as(ADMIN, &onto_itself()).await, 400, "InvalidRequest");
    let other = sent(&wire, ADMIN, with_kms(onto_itself(), PINNED)).await;
    assert_eq!(told(&other), (Some("aws:kms"), Some(PINNED), None));
    let replaced = onto_itself().header("x-amz-metadata-directive", "REPLACE");
    let plain = sent(&wire, ADMIN, replaced).await;
    assert_eq!(told(&plain), (Some("AES256"), None, None));
    assert!(plain.text().contains(content_tag), "{}", plain.text());
    let begun = sent(&wire, ADMIN, with_kms(Ask::new("POST", "/logs/large?uploads"), OWN)).await;
    let part =
        Ask::new("PUT", &format!("/logs/large?partNumber=1&uploadId={}", begun.element("UploadId").unwrap()));
    let copied = sent(&wire, ADMIN, part.header("x-amz-copy-source", "logs/key")).await;
    assert_eq!(told(&copied), (Some("aws:kms"), Some(OWN), None));
    assert!(!copied.text().contains(content_tag), "{}", copied.text());
}

/// Policies on the key's name see its ARN, however the request names it.
#[tokio::test]
async fn policies_can_ask_for_a_key() {
    let (_emulator, wire) = listening().await;
    let policy = format!(
        "{{\"Version\":\"2012-10-17\",\"Statement\":{{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\
         \"s3:PutObject\",\"Resource\":\"arn:aws:s3:::sealed/*\",\"Condition\":{{\"StringNotEquals\":\
         {{\"s3:x-amz-server-side-encryption-aws-kms-key-id\":\"{OWN}\"}}}}}}}}"
    );
    check(&wire.send_as(ADMIN, &Ask::new("PUT", "/sealed?policy").body(policy)).await, 204, "");
    check(&wire.send_as(ADMIN, &with_kms(put("/sealed/key"), "alias/own")).await, 200, "");
    check(&wire.send_as(ADMIN, &with_kms(put("/sealed/key"), OWN)).await, 200, "");
    check(&wire.send_as(ADMIN, &with_kms(put("/sealed/key"), PINNED)).await, 403, "AccessDenied");
    // The default of the bucket is no header.
    check(&wire.send_as(ADMIN, &put("/sealed/key")).await, 403, "AccessDenied");
}
