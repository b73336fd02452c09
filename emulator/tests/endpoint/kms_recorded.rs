//! Situations in which AWS's answers were recorded: status, code and message must be AWS's.
//!
//! Each test is a recorded situation of a call that the emulator has, played anew; the ids in the messages are ours.

use serde_json::{Value, json};

use crate::fixture::{ADMIN, listening};
use crate::kms::{ACCOUNT, Client, Reply, base64, id_of};
use crate::wire::Wire;

const MISSING: &str = "134f2428-cec1-4b25-a1ae-9048164dba47";

fn admin(wire: &Wire) -> Client<'_> {
    Client::new(wire, ADMIN)
}

#[track_caller]
fn check(reply: &Reply, code: &str, message: &str) {
    assert_eq!(reply.refusal(), (400, code, message));
}

fn constraint(value: &str, member: &str, must: &str) -> String {
    format!(
        "1 validation error detected: Value {value}at '{member}' failed to satisfy constraint: Member must {must}"
    )
}

/// The members of an answer that has no others.
fn names(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn random_bytes_need_a_number_within_bounds() {
    let (_emulator, wire) = listening().await;
    let ask = async |body: Value| admin(&wire).ask("GenerateRandom", body).await;
    check(&ask(json!({})).await, "ValidationException", "NumberOfBytes is required.");
    let low = constraint("'0' ", "numberOfBytes", "have value greater than or equal to 1");
    check(&ask(json!({"NumberOfBytes": 0})).await, "ValidationException", &low);
    let high = constraint("'1025' ", "numberOfBytes", "have value less than or equal to 1024");
    check(&ask(json!({"NumberOfBytes": 1025})).await, "ValidationException", &high);
    for bytes in [1, 12, 44, 91, 1024_usize] {
        let plaintext = ask(json!({ "NumberOfBytes": bytes })).await.text("/Plaintext");
        assert_eq!(plaintext.len(), bytes.div_ceil(3) * 4);
    }
}

#[tokio::test]
async fn a_key_is_described_with_these_members() {
    let (_emulator, wire) = listening().await;
    let made = admin(&wire).ask("CreateKey", json!({"Description": "test key 123"})).await;
    let metadata = &made.body["KeyMetadata"];
    let recorded = json!({
        "AWSAccountId": ACCOUNT, "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "Description": "test key 123",
        "Enabled": true, "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"], "KeyManager": "CUSTOMER",
        "KeySpec": "SYMMETRIC_DEFAULT", "KeyState": "Enabled", "KeyUsage": "ENCRYPT_DECRYPT", "MultiRegion": false,
        "Origin": "AWS_KMS",
    });
    for (name, value) in recorded.as_object().unwrap() {
        assert_eq!(&metadata[name], value, "{name}");
    }
    assert_eq!(metadata["CreationDate"], json!(1_767_225_600.0));
    let all = [
        "AWSAccountId",
        "Arn",
        "CreationDate",
        "CurrentKeyMaterialId",
        "CustomerMasterKeySpec",
        "Description",
        "Enabled",
        "EncryptionAlgorithms",
        "KeyId",
        "KeyManager",
        "KeySpec",
        "KeyState",
        "KeyUsage",
        "MultiRegion",
        "Origin",
    ];
    assert_eq!(names(metadata), all);
}

#[tokio::test]
async fn a_key_is_found_in_its_own_region_alone() {
    let (_emulator, wire) = listening().await;
    let elsewhere = admin(&wire).in_region("eu-west-1");
    let arn = elsewhere.create_key(json!({})).await;
    let id = id_of(&arn);
    let by_id = admin(&wire).ask("DescribeKey", json!({ "KeyId": id })).await;
    let message = format!("Key 'arn:aws:kms:us-east-1:{ACCOUNT}:key/{id}' does not exist");
    check(&by_id, "NotFoundException", &message);
    let by_arn = admin(&wire).ask("DescribeKey", json!({ "KeyId": arn })).await;
    check(&by_arn, "NotFoundException", "Invalid arn eu-west-1");
    for reference in [id, arn.as_str()] {
        let found = elsewhere.ask("DescribeKey", json!({ "KeyId": reference })).await;
        assert_eq!(found.text("/KeyMetadata/Arn"), arn);
    }
}

#[tokio::test]
async fn references_that_lead_nowhere_are_told_apart() {
    let (_emulator, wire) = listening().await;
    let ask = async |id: &str| admin(&wire).ask("DescribeKey", json!({ "KeyId": id })).await;
    let arn = |id: &str| format!("arn:aws:kms:us-east-1:{ACCOUNT}:key/{id}");
    let missing = |id: &str| format!("Key '{}' does not exist", arn(id));
    check(&ask(MISSING).await, "NotFoundException", &missing(MISSING));
    check(&ask(&arn(MISSING)).await, "NotFoundException", &missing(MISSING));
    let mrk = "mrk-d3b95762d3b95762d3b95762d3b95762";
    check(&ask(mrk).await, "NotFoundException", &missing(mrk));
    for id in ["fake-key-id", "134f2428cec14b25a1ae9048164dba47", "mrk-fake-key-id"] {
        check(&ask(id).await, "NotFoundException", &format!("Invalid keyId '{id}'"));
    }
}

#[tokio::test]
async fn an_alias_needs_its_prefix_and_its_arn_describes_the_key() {
    let (_emulator, wire) = listening().await;
    let arn = admin(&wire).create_key(json!({"Description": "test - description"})).await;
    let bad = admin(&wire).ask("CreateAlias", json!({"AliasName": "bad-alias", "TargetKeyId": arn})).await;
    let message = "Alias must start with the prefix \"alias/\". Please see \
                   https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html";
    check(&bad, "ValidationException", message);
    admin(&wire).ask("CreateAlias", json!({"AliasName": "alias/test", "TargetKeyId": arn})).await;
    let by_alias = json!({ "KeyId": format!("arn:aws:kms:us-east-1:{ACCOUNT}:alias/test") });
    let described = admin(&wire).ask("DescribeKey", by_alias).await;
    assert_eq!(described.text("/KeyMetadata/Description"), "test - description");
}

#[tokio::test]
async fn other_kinds_of_keys_are_checked_before_they_are_refused() {
    let (_emulator, wire) = listening().await;
    let ask = async |body: Value| admin(&wire).ask("CreateKey", body).await;
    let message = "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.";
    check(&ask(json!({"KeySpec": "HMAC_256"})).await, "ValidationException", message);
    let specs = constraint(
        "'HMAC_random' ",
        "keySpec",
        "satisfy enum value set: [RSA_2048, ECC_NIST_P384, ECC_NIST_P256, ECC_NIST_P521, HMAC_384, RSA_3072, \
         ECC_SECG_P256K1, RSA_4096, SYMMETRIC_DEFAULT, HMAC_256, HMAC_224, HMAC_512]",
    );
    let body = json!({"KeySpec": "HMAC_random", "KeyUsage": "GENERATE_VERIFY_MAC"});
    check(&ask(body).await, "ValidationException", &specs);
    let uses = constraint(
        "'RANDOM' ",
        "keyUsage",
        "satisfy enum value set: [ENCRYPT_DECRYPT, SIGN_VERIFY, GENERATE_VERIFY_MAC]",
    );
    let body = json!({"KeySpec": "HMAC_256", "KeyUsage": "RANDOM"});
    check(&ask(body).await, "ValidationException", &uses);
    let body = json!({"KeySpec": "RSA_2048", "KeyUsage": "KEY_AGREEMENT"});
    let message = "KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048";
    check(&ask(body).await, "ValidationException", message);
}

#[tokio::test]
async fn a_plaintext_has_at_most_4096_bytes() {
    let (_emulator, wire) = listening().await;
    let arn = admin(&wire).create_key(json!({})).await;
    let ask = async |bytes: usize| {
        admin(&wire).ask("Encrypt", json!({"KeyId": arn, "Plaintext": base64(&vec![7; bytes])})).await
    };
    let long = constraint("", "plaintext", "have length less than or equal to 4096");
    check(&ask(4097).await, "ValidationException", &long);
    let sealed = ask(4096).await.text("/CiphertextBlob");
    assert_eq!(
        admin(&wire).ask("Decrypt", json!({ "CiphertextBlob": sealed })).await.text("/Plaintext"),
        base64(&[7; 4096])
    );
}

#[tokio::test]
async fn the_encryption_context_must_be_the_same() {
    let (_emulator, wire) = listening().await;
    let arn = admin(&wire).create_key(json!({})).await;
    let context = json!({"context-key": "context-value"});
    let sealed = admin(&wire)
        .ask("Encrypt", json!({"KeyId": arn, "Plaintext": base64(b"data"), "EncryptionContext": context}))
        .await;
    assert_eq!(names(&sealed.body), ["CiphertextBlob", "EncryptionAlgorithm", "KeyId"]);
    assert_eq!(sealed.text("/EncryptionAlgorithm"), "SYMMETRIC_DEFAULT");
    let blob = sealed.text("/CiphertextBlob");
    let opened =
        admin(&wire).ask("Decrypt", json!({"CiphertextBlob": blob, "EncryptionContext": context})).await;
    assert_eq!(names(&opened.body), ["EncryptionAlgorithm", "KeyId", "KeyMaterialId", "Plaintext"]);
    let without = admin(&wire).ask("Decrypt", json!({ "CiphertextBlob": blob })).await;
    check(&without, "InvalidCiphertextException", "");
    assert_eq!(without.body, json!({"__type": "InvalidCiphertextException"}));
    let garbage = admin(&wire).ask("Decrypt", json!({ "CiphertextBlob": base64(b"some message") })).await;
    check(&garbage, "InvalidCiphertextException", "");
    for operation in ["GenerateDataKey", "GenerateDataKeyWithoutPlaintext"] {
        let body = json!({"KeyId": arn, "KeySpec": "AES_256", "EncryptionContext": context});
        let blob = admin(&wire).ask(operation, body).await.text("/CiphertextBlob");
        let without = admin(&wire).ask("Decrypt", json!({ "CiphertextBlob": blob })).await;
        check(&without, "InvalidCiphertextException", "");
    }
}

#[tokio::test]
async fn data_keys_answer_with_these_members() {
    let (_emulator, wire) = listening().await;
    let arn = admin(&wire).create_key(json!({})).await;
    let body = json!({"KeyId": arn, "KeySpec": "AES_256"});
    // The material's id came to these answers after they were recorded (API reference, 2025).
    let with = admin(&wire).ask("GenerateDataKey", body.clone()).await;
    assert_eq!(names(&with.body), ["CiphertextBlob", "KeyId", "KeyMaterialId", "Plaintext"]);
    let without = admin(&wire).ask("GenerateDataKeyWithoutPlaintext", body).await;
    assert_eq!(names(&without.body), ["CiphertextBlob", "KeyId", "KeyMaterialId"]);
    assert_eq!((with.text("/KeyId"), without.text("/KeyId")), (arn.clone(), arn));
}

#[tokio::test]
async fn re_encryption_wants_the_right_source() {
    let (_emulator, wire) = listening().await;
    let (source, target) =
        (admin(&wire).create_key(json!({})).await, admin(&wire).create_key(json!({})).await);
    let sealed = admin(&wire).ask("Encrypt", json!({"KeyId": source, "Plaintext": base64(b"data")})).await;
    let ask = async |from: &str| {
        let body = json!({
            "CiphertextBlob": sealed.text("/CiphertextBlob"), "SourceKeyId": from, "DestinationKeyId": target,
        });
        admin(&wire).ask("ReEncrypt", body).await
    };
    let moved = ask(&source).await;
    assert_eq!(moved.text("/SourceEncryptionAlgorithm"), "SYMMETRIC_DEFAULT");
    assert_eq!(moved.text("/DestinationEncryptionAlgorithm"), "SYMMETRIC_DEFAULT");
    let message = "The key ID in the request does not identify a CMK that can perform this operation.";
    check(&ask(&target).await, "IncorrectKeyException", message);
}

#[tokio::test]
async fn a_dry_run_does_nothing_and_says_so() {
    let (_emulator, wire) = listening().await;
    let arn = admin(&wire).create_key(json!({})).await;
    let message = "The request would have succeeded, but the DryRun option is set.";
    for (operation, body) in [
        ("GenerateDataKey", json!({"KeySpec": "AES_256"})),
        ("GenerateDataKeyWithoutPlaintext", json!({"KeySpec": "AES_256"})),
        ("Encrypt", json!({"Plaintext": base64(b"data")})),
    ] {
        let mut body = body;
        body["KeyId"] = arn.as_str().into();
        body["DryRun"] = true.into();
        check(&admin(&wire).ask(operation, body).await, "DryRunOperationException", message);
    }
}

fn tags(names: impl IntoIterator<Item = (String, String)>) -> Value {
    names.into_iter().map(|(name, value)| json!({"TagKey": name, "TagValue": value})).collect()
}

fn numbered(numbers: impl IntoIterator<Item = usize>) -> Value {
    tags(numbers.into_iter().map(|number| (format!("tag{number}"), format!("value{number}"))))
}

#[tokio::test]
async fn tags_are_added_changed_and_taken_away() {
    let (_emulator, wire) = listening().await;
    let arn = admin(&wire).create_key(json!({ "Tags": numbered([1, 2]) })).await;
    let listed = async || admin(&wire).ask("ListResourceTags", json!({ "KeyId": arn })).await.body;
    assert_eq!(listed().await, json!({"Tags": numbered([1, 2]), "Truncated": false}));
    let mut more = numbered([2, 3, 4, 5]);
    more[0]["TagValue"] = "updated_value2".into();
    let tagged = admin(&wire).ask("TagResource", json!({"KeyId": arn, "Tags": more})).await;
    assert_eq!(tagged, Reply { status: 200, body: Value::Null });
    let mut all = numbered([1, 2, 3, 4, 5]);
    all[1]["TagValue"] = "updated_value2".into();
    assert_eq!(listed().await["Tags"], all);
    admin(&wire).ask("UntagResource", json!({"KeyId": arn, "TagKeys": ["tag2", "tag4", "none"]})).await;
    assert_eq!(listed().await["Tags"], numbered([1, 3, 5]));
    admin(&wire).ask("UntagResource", json!({"KeyId": arn, "TagKeys": ["tag1", "tag3", "tag5"]})).await;
    assert_eq!(listed().await["Tags"], json!([]));
}

#[tokio::test]
async fn tags_are_checked() {
    let (_emulator, wire) = listening().await;
    let create = async |tags: Value| admin(&wire).ask("CreateKey", json!({ "Tags": tags })).await;
    let arn = admin(&wire).create_key(json!({})).await;
    let reserved = "Tags beginning with aws: are reserved";
    for name in ["aws:key1", "AWS:key1"] {
        let tag = tags([(name.to_owned(), "value".to_owned())]);
        check(&create(tag.clone()).await, "TagException", reserved);
        let tagged = admin(&wire).ask("TagResource", json!({"KeyId": arn, "Tags": tag})).await;
        check(&tagged, "TagException", reserved);
    }
    let twice = tags([("key1".to_owned(), "a".to_owned()), ("key1".to_owned(), "b".to_owned())]);
    check(&create(twice.clone()).await, "TagException", "Duplicate tag keys");
    let tagged = admin(&wire).ask("TagResource", json!({"KeyId": arn, "Tags": twice})).await;
    check(&tagged, "TagException", "Duplicate tag keys");
    check(&create(numbered(0..51)).await, "TagException", "Too many tags");
    let full = create(numbered(0..50)).await.text("/KeyMetadata/Arn");
    // The limit is on all tags of a key, not on those of one request.
    let more = admin(&wire).ask("TagResource", json!({"KeyId": full, "Tags": numbered([50])})).await;
    check(&more, "TagException", "Too many tags");
    let other = admin(&wire).ask("TagResource", json!({"KeyId": full, "Tags": numbered([49])})).await;
    assert_eq!(other.status, 200);
    let long = "a".repeat(129);
    let message =
        constraint(&format!("'{long}' "), "tags.1.member.tagKey", "have length less than or equal to 128");
    check(&create(tags([(long, "v".to_owned())])).await, "ValidationException", &message);
    let long = "v".repeat(257);
    let message =
        constraint(&format!("'{long}' "), "tags.1.member.tagValue", "have length less than or equal to 256");
    check(&create(tags([("k".to_owned(), long)])).await, "ValidationException", &message);
}

#[tokio::test]
async fn the_rotation_status_shows_period_and_date() {
    let (_emulator, wire) = listening().await;
    for days in [90, 180] {
        let arn = admin(&wire).create_key(json!({})).await;
        admin(&wire).ask("EnableKeyRotation", json!({"KeyId": arn, "RotationPeriodInDays": days})).await;
        let status = admin(&wire).ask("GetKeyRotationStatus", json!({ "KeyId": arn })).await;
        assert_eq!(
            names(&status.body),
            ["KeyId", "KeyRotationEnabled", "NextRotationDate", "RotationPeriodInDays"]
        );
        assert_eq!(status.body["RotationPeriodInDays"], json!(days));
    }
}

#[tokio::test]
async fn rotation_on_demand_leaves_the_schedule_alone_and_has_an_end() {
    let (_emulator, wire) = listening().await;
    let arn = admin(&wire).create_key(json!({})).await;
    let key = json!({ "KeyId": arn });
    let ask = async |operation: &str| admin(&wire).ask(operation, key.clone()).await;
    let before = ask("DescribeKey").await.text("/KeyMetadata/CurrentKeyMaterialId");
    assert_eq!(ask("RotateKeyOnDemand").await.body, key);
    assert_ne!(ask("DescribeKey").await.text("/KeyMetadata/CurrentKeyMaterialId"), before);
    assert_eq!(names(&ask("GetKeyRotationStatus").await.body), ["KeyId", "KeyRotationEnabled"]);
    ask("EnableKeyRotation").await;
    assert_eq!(ask("RotateKeyOnDemand").await.status, 200);
    assert_eq!(ask("GetKeyRotationStatus").await.body["RotationPeriodInDays"], json!(365));
    let mut refused = ask("RotateKeyOnDemand").await;
    for _ in 0..25 {
        refused = ask("RotateKeyOnDemand").await;
    }
    let message = format!(
        "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be \
         performed for this key: {arn}"
    );
    check(&refused, "LimitExceededException", &message);
    let other = admin(&wire).create_key(json!({})).await;
    admin(&wire).ask("DisableKey", json!({ "KeyId": other })).await;
    let disabled = admin(&wire).ask("RotateKeyOnDemand", json!({ "KeyId": other })).await;
    check(&disabled, "DisabledException", &format!("{other} is disabled."));
    let missing = admin(&wire).ask("RotateKeyOnDemand", json!({ "KeyId": MISSING })).await;
    let message = format!("Key 'arn:aws:kms:us-east-1:{ACCOUNT}:key/{MISSING}' does not exist");
    check(&missing, "NotFoundException", &message);
}
