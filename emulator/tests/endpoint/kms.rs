//! Keys, and what they encrypt.

use std::time::Duration;

use aws_sdk_kms::error::ProvideErrorMetadata;
use aws_sdk_kms::primitives::Blob;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bucketproof_emulator::Emulator;
use serde_json::{Value, json};

use crate::fixture::{ADMIN, emulator, listening};
use crate::wire::{Ask, Key, Signing, Wire};

pub(crate) const ACCOUNT: &str = "111122223333";

/// An answer of KMS: its status and its members.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Reply {
    /// What an answer refuses with.
    pub(crate) fn refusal(&self) -> (u16, &str, &str) {
        (
            self.status,
            self.body["__type"].as_str().unwrap_or_default(),
            self.body["message"].as_str().unwrap_or_default(),
        )
    }

    /// A text of an answer that must have been given.
    pub(crate) fn text(&self, pointer: &str) -> String {
        assert_eq!(self.status, 200, "{}", self.body);
        let value = self.body.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {}", self.body));
        value.as_str().unwrap_or_else(|| panic!("{pointer} is {value}")).to_owned()
    }
}

/// One caller in one region.
#[derive(Clone, Debug)]
pub(crate) struct Client<'a> {
    pub(crate) wire: &'a Wire,
    pub(crate) key: Key<'a>,
    pub(crate) region: &'a str,
}

impl<'a> Client<'a> {
    pub(crate) fn new(wire: &'a Wire, key: Key<'a>) -> Self {
        Self { wire, key, region: "us-east-1" }
    }

    pub(crate) fn in_region(&self, region: &'a str) -> Self {
        Self { region, ..self.clone() }
    }

    /// Sends a body as it is.
    pub(crate) async fn send(&self, operation: &str, body: &str) -> Reply {
        let ask = Ask::new("POST", "/")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", &format!("TrentService.{operation}"))
            .body(body);
        let signing = Signing { service: "kms", region: self.region, ..Signing::with(self.key) };
        let answer = self.wire.send(&self.wire.sign(&ask, &signing)).await;
        assert_eq!(answer.header("content-type"), Some("application/x-amz-json-1.1"));
        let text = answer.text();
        let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
        Reply { status: answer.status, body }
    }

    pub(crate) async fn ask(&self, operation: &str, body: Value) -> Reply {
        self.send(operation, &body.to_string()).await
    }

    /// A new key: its ARN.
    pub(crate) async fn create_key(&self, body: Value) -> String {
        self.ask("CreateKey", body).await.text("/KeyMetadata/Arn")
    }
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The id at the end of a key's ARN.
pub(crate) fn id_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap()
}

fn advance(emulator: &Emulator, days: u64) {
    emulator.clock().advance(Duration::from_secs(days * 24 * 3600));
}

#[tokio::test]
async fn the_sdk_makes_a_key_and_encrypts_with_it() {
    let emulator = emulator().await;
    let kms = emulator.kms("admin");
    let made = kms.create_key().description("for logs").send().await.unwrap();
    let key = made.key_metadata().unwrap().clone();
    assert_eq!(key.aws_account_id(), Some(ACCOUNT));
    assert_eq!(key.arn(), Some(format!("arn:aws:kms:us-east-1:{ACCOUNT}:key/{}", key.key_id()).as_str()));
    assert_eq!(key.creation_date().map(aws_sdk_kms::primitives::DateTime::secs), Some(1_767_225_600));
    kms.create_alias().alias_name("alias/logs").target_key_id(key.key_id()).send().await.unwrap();
    let sealed = kms
        .encrypt()
        .key_id("alias/logs")
        .plaintext(Blob::new("attack at dawn"))
        .encryption_context("team", "raw")
        .send()
        .await
        .unwrap();
    assert_eq!(sealed.key_id(), key.arn());
    let blob = sealed.ciphertext_blob().unwrap().clone();
    assert!(!blob.as_ref().windows(6).any(|window| window == b"attack"));
    let opened =
        kms.decrypt().ciphertext_blob(blob.clone()).encryption_context("team", "raw").send().await.unwrap();
    assert_eq!(opened.plaintext().unwrap().as_ref(), b"attack at dawn");
    assert_eq!(opened.key_id(), key.arn());
    let refused = kms.decrypt().ciphertext_blob(blob).send().await.unwrap_err();
    assert!(refused.as_service_error().unwrap().is_invalid_ciphertext_exception());
    assert_eq!(refused.meta().code(), Some("InvalidCiphertextException"));
    let random = kms.generate_random().number_of_bytes(1024).send().await.unwrap();
    assert_eq!(random.plaintext().unwrap().as_ref().len(), 1024);
    // The same seed gives the same keys.
    let again = crate::fixture::emulator().await.kms("admin").create_key().send().await.unwrap();
    assert_eq!(again.key_metadata().unwrap().key_id(), key.key_id());
}

#[tokio::test]
async fn data_keys_come_with_and_without_plaintext() {
    let (_emulator, wire) = listening().await;
    let admin = Client::new(&wire, ADMIN);
    let arn = admin.create_key(json!({})).await;
    for (size, bytes) in [
        (json!({"KeySpec": "AES_256"}), 32),
        (json!({"KeySpec": "AES_128"}), 16),
        (json!({"NumberOfBytes": 1024}), 1024),
    ] {
        let mut body = size;
        body["KeyId"] = arn.as_str().into();
        body["EncryptionContext"] = json!({"aws:s3:arn": "arn:aws:s3:::logs/a"});
        let made = admin.ask("GenerateDataKey", body.clone()).await;
        let plaintext = made.text("/Plaintext");
        assert_eq!(STANDARD.decode(&plaintext).unwrap().len(), bytes);
        assert_eq!(made.text("/KeyId"), arn);
        let decrypt = json!({"CiphertextBlob": made.text("/CiphertextBlob"), "EncryptionContext": body["EncryptionContext"]});
        let opened = admin.ask("Decrypt", decrypt).await;
        assert_eq!(opened.text("/Plaintext"), plaintext);
        assert_eq!(opened.text("/KeyMaterialId"), made.text("/KeyMaterialId"));
        let without = admin.ask("GenerateDataKeyWithoutPlaintext", body).await;
        assert_eq!(without.body["Plaintext"], Value::Null);
        let decrypt = json!({"CiphertextBlob": without.text("/CiphertextBlob"), "EncryptionContext": {"aws:s3:arn": "arn:aws:s3:::logs/a"}});
        assert_eq!(
            STANDARD.decode(admin.ask("Decrypt", decrypt).await.text("/Plaintext")).unwrap().len(),
            bytes
        );
    }
    for body in [json!({"KeyId": arn}), json!({"KeyId": arn, "KeySpec": "AES_256", "NumberOfBytes": 32})] {
        let answer = admin.ask("GenerateDataKey", body).await;
        let message = "Please specify either number of bytes or key spec.";
        assert_eq!(answer.refusal(), (400, "ValidationException", message));
    }
    let dry = json!({"KeyId": arn, "KeySpec": "AES_256", "DryRun": true});
    let message = "The request would have succeeded, but the DryRun option is set.";
    assert_eq!(admin.ask("GenerateDataKey", dry).await.refusal(), (400, "DryRunOperationException", message));
}

#[tokio::test]
async fn re_encryption_moves_from_key_to_key_and_context_to_context() {
    let (_emulator, wire) = listening().await;
    let admin = Client::new(&wire, ADMIN);
    let (first, second) = (admin.create_key(json!({})).await, admin.create_key(json!({})).await);
    let sealed = admin
        .ask(
            "Encrypt",
            json!({"KeyId": first, "Plaintext": base64(b"data"), "EncryptionContext": {"a": "1"}}),
        )
        .await;
    let blob = sealed.text("/CiphertextBlob");
    let moved = admin
        .ask(
            "ReEncrypt",
            json!({
                "CiphertextBlob": blob, "SourceEncryptionContext": {"a": "1"},
                "DestinationKeyId": second, "DestinationEncryptionContext": {"b": "2"},
            }),
        )
        .await;
    assert_eq!((moved.text("/SourceKeyId"), moved.text("/KeyId")), (first.clone(), second.clone()));
    let decrypt = json!({"CiphertextBlob": moved.text("/CiphertextBlob"), "EncryptionContext": {"b": "2"}, "KeyId": second});
    assert_eq!(admin.ask("Decrypt", decrypt).await.text("/Plaintext"), base64(b"data"));
    let decrypt = json!({"CiphertextBlob": moved.text("/CiphertextBlob"), "EncryptionContext": {"b": "2"}, "KeyId": first});
    assert_eq!(admin.ask("Decrypt", decrypt).await.refusal().1, "IncorrectKeyException");
    let wrong = json!({"CiphertextBlob": blob, "DestinationKeyId": second});
    assert_eq!(admin.ask("ReEncrypt", wrong).await.refusal(), (400, "InvalidCiphertextException", ""));
}

#[tokio::test]
async fn aliases_are_made_moved_listed_and_deleted() {
    let (_emulator, wire) = listening().await;
    let admin = Client::new(&wire, ADMIN);
    let (first, second) = (admin.create_key(json!({})).await, admin.create_key(json!({})).await);
    let create = json!({"AliasName": "alias/app", "TargetKeyId": id_of(&first)});
    let made = admin.ask("CreateAlias", create.clone()).await;
    assert_eq!(made, Reply { status: 200, body: Value::Null });
    let arn = format!("arn:aws:kms:us-east-1:{ACCOUNT}:alias/app");
    let exists = format!("An alias with the name {arn} already exists");
    let again = admin.ask("CreateAlias", create).await;
    assert_eq!(again.refusal(), (400, "AlreadyExistsException", exists.as_str()));
    let described = |name: &'static str| {
        let admin = admin.clone();
        async move { admin.ask("DescribeKey", json!({"KeyId": name})).await }
    };
    assert_eq!(described("alias/app").await.text("/KeyMetadata/Arn"), first);
    admin.ask("UpdateAlias", json!({"AliasName": "alias/app", "TargetKeyId": second})).await;
    assert_eq!(described("alias/app").await.text("/KeyMetadata/Arn"), second);
    let listed = admin.ask("ListAliases", json!({"KeyId": id_of(&second)})).await;
    assert_eq!(listed.text("/Aliases/0/AliasArn"), arn);
    assert_eq!(listed.text("/Aliases/0/TargetKeyId"), id_of(&second));
    let of_first = admin.ask("ListAliases", json!({"KeyId": first})).await;
    assert_eq!(of_first.body, json!({"Aliases": [], "Truncated": false}));
    assert_eq!(admin.ask("DeleteAlias", json!({"AliasName": "alias/app"})).await.status, 200);
    let missing = format!("Alias {arn} is not found.");
    assert_eq!(described("alias/app").await.refusal(), (400, "NotFoundException", missing.as_str()));
    for (name, code, message) in [
        ("alias/aws/app", "NotAuthorizedException", ""),
        ("alias/a:b", "ValidationException", "alias/a:b contains invalid characters for an alias"),
        (
            "alias/a b",
            "ValidationException",
            "1 validation error detected: Value 'alias/a b' at 'aliasName' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$",
        ),
    ] {
        let answer = admin.ask("CreateAlias", json!({"AliasName": name, "TargetKeyId": first})).await;
        assert_eq!(answer.refusal(), (400, code, message), "{name}");
    }
    let chained = json!({"AliasName": "alias/b", "TargetKeyId": "alias/app"});
    let message = "Aliases must refer to keys. Not aliases";
    assert_eq!(admin.ask("CreateAlias", chained).await.refusal(), (400, "ValidationException", message));
}

#[tokio::test]
async fn the_alias_of_s3_makes_its_key_at_the_first_look_and_nobody_uses_it_directly() {
    let (_emulator, wire) = listening().await;
    let admin = Client::new(&wire, ADMIN);
    assert_eq!(admin.ask("ListKeys", json!({})).await.body["Keys"], json!([]));
    let described = admin.ask("DescribeKey", json!({"KeyId": "alias/aws/s3"})).await;
    assert_eq!(described.text("/KeyMetadata/KeyManager"), "AWS");
    assert_eq!(
        described.text("/KeyMetadata/Description"),
        "Default key that protects my S3 objects when no other key is defined"
    );
    let arn = described.text("/KeyMetadata/Arn");
    let encrypted = admin.ask("Encrypt", json!({"KeyId": "alias/aws/s3", "Plaintext": base64(b"x")})).await;
    let message = format!(
        "User: arn:aws:iam::{ACCOUNT}:user/admin is not authorized to perform: kms:Encrypt on resource: {arn} because \
         no resource-based policy allows the kms:Encrypt action"
    );
    assert_eq!(encrypted.refusal(), (400, "AccessDeniedException", message.as_str()));
    let deleted = admin.ask("ScheduleKeyDeletion", json!({"KeyId": arn})).await;
    assert_eq!(deleted.refusal().1, "AccessDeniedException");
    assert!(admin.ask("GetKeyPolicy", json!({"KeyId": arn})).await.text("/Policy").contains("auto-s3-2"));
    assert_eq!(admin.ask("ListAliases", json!({})).await.text("/Aliases/0/AliasName"), "alias/aws/s3");
}

#[tokio::test]
async fn a_disabled_key_does_nothing_and_a_dying_key_less() {
    let (emulator, wire) = listening().await;
    let admin = Client::new(&wire, ADMIN);
    let arn = admin.create_key(json!({})).await;
    let key = json!({"KeyId": arn});
    let blob =
        admin.ask("Encrypt", json!({"KeyId": arn, "Plaintext": base64(b"x")})).await.text("/CiphertextBlob");
    assert_eq!(admin.ask("DisableKey", key.clone()).await.status, 200);
    let disabled = format!("{arn} is disabled.");
    for (operation, body) in [
        ("Encrypt", json!({"KeyId": arn, "Plaintext": base64(b"x")})),
        ("Decrypt", json!({"CiphertextBlob": blob})),
        ("GenerateDataKey", json!({"KeyId": arn, "KeySpec": "AES_256"})),
        ("EnableKeyRotation", key.clone()),
    ] {
        let answer = admin.ask(operation, body).await;
        assert_eq!(answer.refusal(), (400, "DisabledException", disabled.as_str()), "{operation}");
    }
    for operation in ["GetKeyRotationStatus", "GetKeyPolicy", "ListResourceTags", "DescribeKey"] {
        assert_eq!(admin.ask(operation, key.clone()).await.status, 200, "{operation}");
    }
    let scheduled = admin.ask("ScheduleKeyDeletion", json!({"KeyId": arn, "PendingWindowInDays": 7})).await;
    assert_eq!(
        scheduled.body,
        json!({"KeyId": arn, "DeletionDate": 1_767_830_400.0, "KeyState": "PendingDeletion", "PendingWindowInDays": 7})
    );
    let pending = format!("{arn} is pending deletion.");
    for (operation, body) in [
        ("Encrypt", json!({"KeyId": arn, "Plaintext": base64(b"x")})),
        ("Decrypt", json!({"CiphertextBlob": blob})),
        ("EnableKey", key.clone()),
        ("DisableKey", key.clone()),
        ("ScheduleKeyDeletion", key.clone()),
        ("CreateAlias", json!({"AliasName": "alias/app", "TargetKeyId": arn})),
        ("UpdateKeyDescription", json!({"KeyId": arn, "Description": "x"})),
        ("TagResource", json!({"KeyId": arn, "Tags": [{"TagKey": "a", "TagValue": "b"}]})),
        ("GetKeyRotationStatus", key.clone()),
    ] {
        let answer = admin.ask(operation, body).await;
        assert_eq!(answer.refusal(), (400, "KMSInvalidStateException", pending.as_str()), "{operation}");
    }
    assert_eq!(admin.ask("CancelKeyDeletion", key.clone()).await.body, key);
    let described = admin.ask("DescribeKey", key.clone()).await;
    assert_eq!(described.text("/KeyMetadata/KeyState"), "Disabled");
    assert_eq!(admin.ask("CancelKeyDeletion", key.clone()).await.refusal().1, "KMSInvalidStateException");
    assert_eq!(admin.ask("EnableKey", key.clone()).await.status, 200);
    assert_eq!(admin.ask("Decrypt", json!({"CiphertextBlob": blob})).await.text("/Plaintext"), base64(b"x"));
    admin.ask("ScheduleKeyDeletion", key.clone()).await;
    advance(&emulator, 29);
    assert_eq!(admin.ask("DescribeKey", key.clone()).await.status, 200);
    advance(&emulator, 1);
    let gone = format!("Key '{arn}' does not exist");
    assert_eq!(admin.ask("DescribeKey", key).await.refusal(), (400, "NotFoundException", gone.as_str()));
    let decrypted = admin.ask("Decrypt", json!({"CiphertextBlob": blob})).await;
    assert_eq!(decrypted.refusal(), (400, "InvalidCiphertextException", ""));
}

#[tokio::test]
async fn rotation_follows_the_clock_and_old_ciphertexts_stay_readable() {
    let (emulator, wire) = listening().await;
    let admin = Client::new(&wire, ADMIN);
    let arn = admin.create_key(json!({})).await;
    let key = json!({"KeyId": arn});
    let status = admin.ask("GetKeyRotationStatus", key.clone()).await;
    assert_eq!(status.body, json!({"KeyId": arn, "KeyRotationEnabled": false}));
    let blob =
        admin.ask("Encrypt", json!({"KeyId": arn, "Plaintext": base64(b"x")})).await.text("/CiphertextBlob");
    let material = admin.ask("DescribeKey", key.clone()).await.text("/KeyMetadata/CurrentKeyMaterialId");
    admin.ask("EnableKeyRotation", json!({"KeyId": arn, "RotationPeriodInDays": 90})).await;
    advance(&emulator, 91);
    assert_ne!(
        admin.ask("DescribeKey", key.clone()).await.text("/KeyMetadata/CurrentKeyMaterialId"),
        material
    );
    let opened = admin.ask("Decrypt", json!({"CiphertextBlob": blob})).await;
    assert_eq!((opened.text("/Plaintext"), opened.text("/KeyMaterialId")), (base64(b"x"), material));
    let rotations = admin.ask("ListKeyRotations", key.clone()).await;
    assert_eq!(rotations.text("/Rotations/0/RotationType"), "AUTOMATIC");
    assert_eq!(rotations.body["Rotations"][0]["RotationDate"], json!(1_775_001_600.0));
    let status = admin.ask("GetKeyRotationStatus", key.clone()).await;
    assert_eq!(status.body["NextRotationDate"], json!(1_782_777_600.0));
    assert_eq!(admin.ask("DisableKeyRotation", key.clone()).await.status, 200);
    assert_eq!(admin.ask("GetKeyRotationStatus", key).await.body["KeyRotationEnabled"], json!(false));
    let short = admin.ask("EnableKeyRotation", json!({"KeyId": arn, "RotationPeriodInDays": 89})).await;
    assert!(short.refusal().2.contains("greater than or equal to 90"), "{short:?}");
}

#[tokio::test]
async fn lists_come_in_pages() {
    let (_emulator, wire) = listening().await;
    let admin = Client::new(&wire, ADMIN);
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(admin.create_key(json!({})).await);
    }
    // Other regions and accounts have keys of their own.
    admin.in_region("eu-west-1").create_key(json!({})).await;
    let vendor = Client::new(&wire, Key::new("AKIAVENDORUSEREXAMPL", "vendorSecret+/0"));
    vendor.create_key(json!({})).await;
    made.sort();
    let mut seen = Vec::new();
    let mut body = json!({"Limit": 2});
    let mut pages = 0;
    loop {
        let page = admin.ask("ListKeys", body.clone()).await;
        seen.extend(
            page.body["Keys"]
                .as_array()
                .unwrap()
                .iter()
                .map(|key| key["KeyArn"].as_str().unwrap().to_owned()),
        );
        pages += 1;
        if page.body["Truncated"] == json!(false) {
            assert_eq!(page.body["NextMarker"], Value::Null);
            break;
        }
        body["Marker"] = page.text("/NextMarker").into();
    }
    assert_eq!((seen, pages), (made, 3));
    let wrong = admin.ask("ListKeys", json!({"Marker": "?"})).await;
    assert_eq!(wrong.refusal().1, "InvalidMarkerException");
    let limit = admin.ask("ListKeys", json!({"Limit": 1001})).await;
    assert!(limit.refusal().2.ends_with("Member must have value less than or equal to 1000"), "{limit:?}");
}

#[tokio::test]
async fn malformed_requests_are_refused_in_the_protocol_of_the_service() {
    let (_emulator, wire) = listening().await;
    let admin = Client::new(&wire, ADMIN);
    let null = "Value null at 'keyId' failed to satisfy constraint: Member must not be null";
    let enumeration = "Value 'AES_512' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: \
                       [AES_256, AES_128]";
    for (operation, body, status, code, message) in [
        ("Encrypt", "", 400, "SerializationException", String::new()),
        ("Encrypt", "[]", 400, "SerializationException", String::new()),
        (
            "Encrypt",
            "{\"KeyId\": 7}",
            400,
            "SerializationException",
            "NUMBER_VALUE can not be converted to a String".into(),
        ),
        ("DescribeKey", "{}", 400, "ValidationException", format!("1 validation error detected: {null}")),
        (
            "DescribeKey",
            "{\"KeyId\": null}",
            400,
            "ValidationException",
            format!("1 validation error detected: {null}"),
        ),
        (
            "GenerateDataKey",
            "{\"KeySpec\": \"AES_512\"}",
            400,
            "ValidationException",
            format!("2 validation errors detected: {null}; {enumeration}"),
        ),
        (
            "Sign",
            "{}",
            501,
            "NotImplemented",
            "the KMS operation `Sign` is not supported by this emulator yet".into(),
        ),
        (
            "Dance",
            "{}",
            400,
            "UnknownOperationException",
            "The operation `Dance` is not an operation of KMS".into(),
        ),
        (
            "CreateKey",
            "{\"KeySpec\": \"RSA_2048\", \"KeyUsage\": \"ENCRYPT_DECRYPT\"}",
            400,
            "UnsupportedOperationException",
            "the key spec `RSA_2048` is not supported by this emulator yet".into(),
        ),
        (
            "CreateKey",
            "{\"MultiRegion\": true}",
            400,
            "UnsupportedOperationException",
            "a multi-Region key (`MultiRegion`) is not supported by this emulator yet".into(),
        ),
        (
            "CreateKey",
            "{\"Origin\": \"EXTERNAL\"}",
            400,
            "UnsupportedOperationException",
            "the key origin `EXTERNAL` is not supported by this emulator yet".into(),
        ),
        (
            "CreateKey",
            "{\"CustomKeyStoreId\": \"cks-1\"}",
            400,
            "UnsupportedOperationException",
            "the parameter `CustomKeyStoreId` is not supported by this emulator yet".into(),
        ),
        (
            "Decrypt",
            "{\"CiphertextBlob\": \"AAAA\", \"Recipient\": {}}",
            400,
            "UnsupportedOperationException",
            "the parameter `Recipient` is not supported by this emulator yet".into(),
        ),
    ] {
        let answer = admin.send(operation, body).await;
        let (found, found_code, found_message) = answer.refusal();
        assert_eq!((found, found_code), (status, code), "{operation} {body}: {answer:?}");
        if !message.is_empty() {
            assert_eq!(found_message, message, "{operation} {body}");
        }
    }
}

#[tokio::test]
async fn authentication_fails_in_the_words_of_the_service() {
    let (emulator, wire) = listening().await;
    let describe = Ask::new("POST", "/").header("x-amz-target", "TrentService.ListKeys").body("{}");
    let outcome = async |ask: &Ask| {
        let answer = wire.send(ask).await;
        let body: Value = serde_json::from_str(&answer.text()).unwrap();
        (answer.status, body["__type"].as_str().unwrap().to_owned())
    };
    let signing = |service: &'static str, key: Key<'static>| Signing { service, ..Signing::with(key) };
    let unsigned = outcome(&describe).await;
    assert_eq!(unsigned, (400, "MissingAuthenticationTokenException".to_owned()));
    let unknown = wire.sign(&describe, &signing("kms", Key::new("AKIANOBODYKNOWSTHIS0", "x")));
    assert_eq!(outcome(&unknown).await, (400, "UnrecognizedClientException".to_owned()));
    let wrong = wire.sign(&describe, &signing("kms", Key::new(ADMIN.id, "wrong")));
    assert_eq!(outcome(&wrong).await, (400, "InvalidSignatureException".to_owned()));
    let for_s3 = wire.sign(&describe, &signing("s3", ADMIN));
    assert_eq!(outcome(&for_s3).await, (400, "InvalidSignatureException".to_owned()));
    let changed = wire.sign(&describe, &signing("kms", ADMIN)).body("{\"Limit\":1}");
    assert_eq!(outcome(&changed).await, (400, "InvalidSignatureException".to_owned()));
    let late = wire.sign(&describe, &signing("kms", ADMIN));
    emulator.clock().advance(Duration::from_secs(301));
    assert_eq!(outcome(&late).await, (400, "InvalidSignatureException".to_owned()));
    let codes: Vec<_> = emulator.journal().entries().iter().filter_map(|entry| entry.code.clone()).collect();
    assert_eq!(codes[0], "MissingAuthenticationTokenException");
    assert!(emulator.journal().entries().iter().all(|entry| entry.service == "kms"));
}
