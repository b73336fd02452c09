use std::collections::BTreeMap;

use bucketproof_authz::{AccountId, Arn, EncryptionContext, Policy, PolicyKind, PolicySource};
use bucketproof_clock::Entropy;
use jiff::{SignedDuration, Timestamp};

use super::{
    KeyError, KeyManager, KeyScope, KeyState, Keys, KmsKey, NewKey, ResolvedKey, Rotation, RotationKind,
    Sealed, uuid_number,
};
use crate::error::AwsError;

const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
const OTHER: &str = "0987dcba-09fe-87dc-65ba-ab0987654321";

fn new_year() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn scope() -> KeyScope {
    KeyScope::new(AccountId::new("111122223333").unwrap(), "us-east-1")
}

fn partner() -> KeyScope {
    KeyScope::new(AccountId::new("444455556666").unwrap(), "us-east-1")
}

fn key(id: &str, entropy: &Entropy) -> KmsKey {
    let scope = scope();
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}}"#;
    let parts = NewKey {
        id: id.to_owned(),
        arn: Arn::new(scope.arn(&format!("key/{id}"))).unwrap(),
        account: scope.account,
        region: scope.region,
        manager: KeyManager::Customer,
        description: String::new(),
        policy: Policy::parse(policy, PolicySource::new(PolicyKind::Key, id)).unwrap(),
        tags: BTreeMap::new(),
    };
    KmsKey::new(parts, new_year(), entropy)
}

/// Two keys, the first with the alias `alias/app`.
fn keys() -> (Keys, Entropy) {
    let entropy = Entropy::seeded(7);
    let mut keys = Keys::default();
    keys.insert(key(KEY, &entropy));
    keys.insert(key(OTHER, &entropy));
    keys.set_alias(&scope(), "alias/app", &scope().arn(&format!("key/{KEY}")), new_year());
    (keys, entropy)
}

fn context(pairs: &[(&str, &str)]) -> EncryptionContext {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn resolved(keys: &Keys, reference: &str) -> ResolvedKey {
    keys.resolve(&scope(), reference).unwrap()
}

#[test]
fn the_four_names_of_a_key_lead_to_it() {
    let (keys, _) = keys();
    let arn = scope().arn(&format!("key/{KEY}"));
    for (reference, alias) in [
        (KEY, None),
        (arn.as_str(), None),
        ("alias/app", Some("alias/app")),
        ("arn:aws:kms:us-east-1:111122223333:alias/app", Some("alias/app")),
    ] {
        let key = resolved(&keys, reference);
        assert_eq!((key.arn.as_str(), key.alias.as_deref()), (arn.as_str(), alias), "{reference}");
    }
}

#[test]
fn names_that_lead_nowhere_are_refused_in_aws_words() {
    let (keys, _) = keys();
    let missing = "134f2428-cec1-4b25-a1ae-9048164dba47";
    let missing_arn = scope().arn(&format!("key/{missing}"));
    let elsewhere = format!("arn:aws:kms:eu-west-1:111122223333:key/{KEY}");
    for (reference, message) in [
        ("fake-key-id", "Invalid keyId 'fake-key-id'".to_owned()),
        ("134f2428cec14b25a1ae9048164dba47", "Invalid keyId '134f2428cec14b25a1ae9048164dba47'".to_owned()),
        (
            "1234ABCD-12ab-34cd-56ef-1234567890ab",
            "Invalid keyId '1234ABCD-12ab-34cd-56ef-1234567890ab'".to_owned(),
        ),
        (missing, format!("Key '{missing_arn}' does not exist")),
        (missing_arn.as_str(), format!("Key '{missing_arn}' does not exist")),
        (elsewhere.as_str(), "Invalid arn eu-west-1".to_owned()),
        ("alias/none", "Alias arn:aws:kms:us-east-1:111122223333:alias/none is not found.".to_owned()),
        ("arn:aws:s3:::logs", "Invalid arn arn:aws:s3:::logs".to_owned()),
    ] {
        assert_eq!(keys.resolve(&scope(), reference), Err(KeyError::NotFound(message)), "{reference}");
    }
    let by_alias = keys.resolve_without_alias(&scope(), "alias/app");
    assert_eq!(by_alias, Err(KeyError::invalid_key_id("alias/app")));
}

#[test]
fn whether_a_key_of_another_account_exists_is_not_told() {
    let (keys, _) = keys();
    for reference in [
        format!("arn:aws:kms:us-east-1:111122223333:key/{KEY}"),
        "arn:aws:kms:us-east-1:111122223333:key/134f2428-cec1-4b25-a1ae-9048164dba47".to_owned(),
        "arn:aws:kms:us-east-1:111122223333:alias/none".to_owned(),
    ] {
        let key = keys.resolve(&partner(), &reference).unwrap();
        assert_eq!(key.account, scope().account, "{reference}");
    }
    // A bare id or alias is one of the caller's own account.
    assert!(keys.resolve(&partner(), KEY).is_err());
    assert!(keys.resolve(&partner(), "alias/app").is_err());
}

#[test]
fn a_blob_opens_with_its_key_and_its_context_alone() {
    let (keys, entropy) = keys();
    let bound = context(&[("aws:s3:arn", "arn:aws:s3:::logs/a"), ("team", "raw")]);
    let resolved_key = resolved(&keys, KEY);
    let made = keys.generate_data_key(&resolved_key, 32, &bound, &entropy).unwrap();
    assert_eq!(made.plaintext.expose().len(), 32);
    let opened = keys.decrypt(&resolved_key, &made.ciphertext, &bound).unwrap();
    assert_eq!((opened.plaintext, opened.material_id), (made.plaintext.clone(), made.material_id));
    for wrong in [
        context(&[]),
        context(&[("team", "raw")]),
        context(&[("aws:s3:arn", "arn:aws:s3:::logs/b"), ("team", "raw")]),
        context(&[("aws:s3:arn", "arn:aws:s3:::logs/a"), ("Team", "raw")]),
        // The same bytes, cut otherwise.
        context(&[("aws:s3:arn", "arn:aws:s3:::logs/at"), ("eam", "raw")]),
    ] {
        let refused = keys.decrypt(&resolved_key, &made.ciphertext, &wrong).unwrap_err();
        assert_eq!(refused, KeyError::InvalidCiphertext, "{wrong:?}");
    }
    let other = resolved(&keys, OTHER);
    assert_eq!(keys.decrypt(&other, &made.ciphertext, &bound).unwrap_err(), KeyError::IncorrectKey);
    for index in 0..made.ciphertext.len() {
        let mut changed = made.ciphertext.clone();
        changed[index] ^= 1;
        assert!(keys.decrypt(&resolved_key, &changed, &bound).is_err(), "byte {index}");
        assert!(keys.decrypt(&resolved_key, &made.ciphertext[..index], &bound).is_err(), "cut at {index}");
    }
    let sealed = Sealed::read(&made.ciphertext).unwrap();
    assert_eq!(keys.resolve_sealed("us-east-1", &sealed).unwrap().arn, resolved_key.arn);
    assert!(keys.resolve_sealed("eu-west-1", &sealed).is_err());
}

#[test]
fn two_ciphertexts_of_one_text_differ_and_secrets_are_not_shown() {
    let (keys, entropy) = keys();
    let key = resolved(&keys, KEY);
    let make = || keys.generate_data_key(&key, 32, &context(&[]), &entropy).unwrap();
    let (first, second) = (make(), make());
    assert_ne!(first.ciphertext, second.ciphertext);
    let shown = format!("{first:?}");
    assert!(shown.contains("Plaintext(32 bytes)"), "{shown}");
    assert!(!format!("{keys:?}").contains("key: ["), "{keys:?}");
}

#[test]
fn the_state_of_a_key_is_worded_by_kms_and_by_s3() {
    let (mut keys, entropy) = keys();
    let key = resolved(&keys, KEY);
    let made = keys.generate_data_key(&key, 32, &context(&[]), &entropy).unwrap();
    let arn = key.arn.as_str().to_owned();
    let deleted_at = new_year().saturating_add(SignedDuration::from_hours(24 * 7)).unwrap();
    for (state, code, message) in [
        (KeyState::Disabled, "DisabledException", format!("{arn} is disabled.")),
        (
            KeyState::PendingDeletion { deleted_at },
            "KMSInvalidStateException",
            format!("{arn} is pending deletion."),
        ),
    ] {
        keys.get_mut(&key).unwrap().state = state;
        let written = keys.generate_data_key(&key, 32, &context(&[]), &entropy).unwrap_err();
        let read = keys.decrypt(&key, &made.ciphertext, &context(&[])).unwrap_err();
        assert_eq!(written, read);
        let in_s3 = read.in_s3();
        let in_kms = AwsError::from(written);
        assert_eq!((in_kms.status.as_u16(), &*in_kms.code, in_kms.message), (400, code, message.clone()));
        assert_eq!(
            (in_s3.status.as_u16(), &*in_s3.code, in_s3.message),
            (400, &*format!("KMS.{code}"), message)
        );
    }
}

#[test]
fn the_managed_key_of_s3_is_made_at_its_first_use_and_is_the_same_in_every_run() {
    let (mut keys, entropy) = keys();
    let managed = resolved(&keys, "alias/aws/s3");
    assert_eq!(managed, Keys::managed_by_s3(&scope()).unwrap());
    assert!(uuid_number(managed.arn.resource().strip_prefix("key/").unwrap()).is_some());
    assert!(keys.find(managed.arn.as_str()).is_none());
    // Its policy can be asked before it exists.
    let before = keys.policy_of(&managed).unwrap();
    assert!(keys.is_yet_to_be_made(&managed));
    keys.make_managed(&managed, new_year(), &entropy).unwrap();
    assert!(!keys.is_yet_to_be_made(&managed));
    keys.generate_data_key(&managed, 32, &context(&[]), &entropy).unwrap();
    let key = keys.find(managed.arn.as_str()).unwrap();
    assert_eq!((key.manager, key.policy.text()), (KeyManager::Aws, before.text()));
    assert_eq!(key.alias_names().collect::<Vec<_>>(), ["alias/aws/s3"]);
    let others = Keys::managed_by_s3(&partner()).unwrap();
    assert_ne!(others.arn, managed.arn);
    assert!(keys.policy_of(&others).unwrap().text().contains("444455556666"));
    let unknown = keys.resolve(&scope(), "alias/aws/ebs").unwrap_err();
    assert_eq!(AwsError::from(unknown).status.as_u16(), 501);
}

#[test]
fn time_deletes_and_rotates() {
    let (mut keys, entropy) = keys();
    let (first, second) = (resolved(&keys, KEY), resolved(&keys, OTHER));
    let at = |days: i64| new_year().saturating_add(SignedDuration::from_hours(24 * days)).unwrap();
    let made = keys.generate_data_key(&second, 32, &context(&[]), &entropy).unwrap();
    keys.get_mut(&first).unwrap().state = KeyState::PendingDeletion { deleted_at: at(7) };
    keys.get_mut(&second).unwrap().rotation = Some(Rotation::starting(at(0), 90));
    keys.advance(at(6), &entropy);
    assert!(keys.get(&first).is_ok());
    keys.advance(at(7), &entropy);
    assert!(keys.get(&first).is_err());
    assert!(keys.alias("arn:aws:kms:us-east-1:111122223333:alias/app").is_none());

    keys.advance(at(181), &entropy);
    let key = keys.get(&second).unwrap();
    let rotated: Vec<_> = key.rotations.iter().map(|rotation| (rotation.rotated_at, rotation.kind)).collect();
    assert_eq!(rotated, [(at(90), RotationKind::Automatic), (at(180), RotationKind::Automatic)]);
    assert_ne!(key.material_id(), made.material_id);
    // Old material decrypts for ever.
    let opened = keys.decrypt(&second, &made.ciphertext, &context(&[])).unwrap();
    assert_eq!(opened.material_id, made.material_id);

    // A key that is disabled when its rotation is due rotates once when it is enabled again.
    keys.get_mut(&second).unwrap().state = KeyState::Disabled;
    keys.advance(at(500), &entropy);
    assert_eq!(keys.get(&second).unwrap().rotations.len(), 2);
    keys.get_mut(&second).unwrap().enable(at(500));
    keys.advance(at(500), &entropy);
    let key = keys.get(&second).unwrap();
    assert_eq!(key.rotations.len(), 3);
    assert_eq!(key.rotation.unwrap().next_at, at(590));
}
