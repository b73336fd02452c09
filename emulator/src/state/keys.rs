//! KMS keys and their aliases, and what other services do with them on behalf of their callers.
//!
//! A service such as S3 takes these steps with a key:
//!
//! 1. [`Keys::resolve`] makes the ARN of what the request or the bucket names, in the *requester's* account and the
//!    region of the bucket; [`Keys::managed_by_s3`] is the key where nothing is named.
//! 2. [`crate::kms::on_behalf`] turns the ARN into the requirement that the caller has to meet.
//! 3. When the gate has let the operation pass, [`World::generate_data_key`] or [`Keys::decrypt`] do the work.
//!
//! Each [`KeyError`] becomes KMS's own answer, or S3's, with [`KeyError::in_s3`].

mod alias;
mod error;
mod grant;
mod key;
mod managed;
mod resolve;
mod seal;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bucketproof_authz::{AccountId, Arn, EncryptionContext};
use bucketproof_clock::Entropy;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::World;

pub(crate) use alias::Alias;
pub(crate) use error::{KeyError, MessagingService};
pub(crate) use grant::{IssuedGrant, draw_grant_id, draw_grant_token};
pub(crate) use key::{
    KeyManager, KeyState, KmsKey, NewKey, ROTATION_DAYS_DEFAULT, Rotation, RotationKind, RotationRecord,
    days_after,
};
pub(crate) use managed::is_managed_alias;
pub(crate) use resolve::ResolvedKey;
pub(crate) use seal::{Plaintext, Sealed, random_uuid, uuid_number};

/// The account and region in which a request names keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyScope {
    pub(crate) account: AccountId,
    pub(crate) region: String,
}

impl KeyScope {
    pub(crate) fn new(account: AccountId, region: impl Into<String>) -> Self {
        Self { account, region: region.into() }
    }

    /// The ARN of a key (`key/<id>`) or an alias (`alias/<name>`) here.
    pub(crate) fn arn(&self, resource: &str) -> String {
        format!("arn:aws:kms:{}:{}:{resource}", self.region, self.account)
    }
}

/// All keys of all accounts and regions.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Keys {
    by_arn: BTreeMap<String, KmsKey>,
    /// The ARNs of the keys by their ids, which are unique everywhere.
    arns: BTreeMap<String, String>,
    /// By ARN.
    aliases: BTreeMap<String, Alias>,
    /// Before this instant time does nothing to any key; absent if that is not known.
    next_due: Option<Timestamp>,
}

/// A fresh data key.
#[derive(Clone, Debug)]
pub(crate) struct DataKey {
    pub(crate) plaintext: Plaintext,
    pub(crate) ciphertext: Vec<u8>,
    /// Of the key that encrypted it.
    pub(crate) key_arn: Arn,
    /// Of the material that encrypted it.
    pub(crate) material_id: String,
}

/// A decrypted ciphertext.
#[derive(Clone, Debug)]
pub(crate) struct Decrypted {
    pub(crate) plaintext: Plaintext,
    pub(crate) key_arn: Arn,
    pub(crate) material_id: String,
}

impl Keys {
    pub(crate) fn insert(&mut self, key: KmsKey) {
        self.next_due = None;
        self.arns.insert(key.id.clone(), key.arn.as_str().to_owned());
        self.by_arn.insert(key.arn.as_str().to_owned(), key);
    }

    /// The key of an ARN, whoever asks.
    pub(crate) fn find(&self, arn: &str) -> Option<&KmsKey> {
        self.by_arn.get(arn)
    }

    /// Every key, in the order of the ARNs.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &KmsKey> {
        self.by_arn.values()
    }

    pub(crate) fn get(&self, key: &ResolvedKey) -> Result<&KmsKey, KeyError> {
        self.find(key.arn.as_str()).ok_or_else(|| KeyError::no_such_key(key.arn.as_str()))
    }

    pub(crate) fn get_mut(&mut self, key: &ResolvedKey) -> Result<&mut KmsKey, KeyError> {
        self.next_due = None;
        let arn = key.arn.as_str();
        self.by_arn.get_mut(arn).ok_or_else(|| KeyError::no_such_key(arn))
    }

    /// The keys of an account in a region, in the order of their ids.
    pub(crate) fn of(&self, scope: &KeyScope) -> impl Iterator<Item = &KmsKey> {
        let prefix = scope.arn("key/");
        let within = prefix.clone();
        self.by_arn.range(prefix..).take_while(move |(arn, _)| arn.starts_with(&within)).map(|(_, key)| key)
    }

    /// Whether any account has a key of this id; ids are unique everywhere.
    pub(crate) fn has_id(&self, id: &str) -> bool {
        self.arns.contains_key(id)
    }

    /// Whether [`Keys::advance`] might change anything.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.next_due.is_none_or(|due| due <= now)
    }

    /// What time does by itself: keys are deleted when their waiting period is over, and rotated when it is due.
    pub(crate) fn advance(&mut self, now: Timestamp, entropy: &Entropy) {
        if self.next_due.is_some_and(|due| now < due) {
            return;
        }
        self.by_arn.retain(
            |_, key| !matches!(key.state, KeyState::PendingDeletion { deleted_at } if deleted_at <= now),
        );
        let keys = &self.by_arn;
        self.arns.retain(|_, arn| keys.contains_key(arn));
        self.aliases.retain(|_, alias| keys.contains_key(&alias.key_arn));
        let mut next_due = Timestamp::MAX;
        for key in self.by_arn.values_mut() {
            key.rotate_if_due(now, entropy);
            let due = match (key.state, key.rotation) {
                (KeyState::PendingDeletion { deleted_at }, _) => deleted_at,
                (KeyState::Enabled, Some(rotation)) => rotation.next_at,
                _ => Timestamp::MAX,
            };
            next_due = next_due.min(due);
        }
        self.next_due = Some(next_due);
    }

    /// A data key of so many bytes, and its ciphertext under `key`.
    ///
    /// A managed key may have to be made first: [`World::generate_data_key`] sees to that.
    fn generate_data_key(
        &self,
        key: &ResolvedKey,
        bytes: usize,
        context: &EncryptionContext,
        entropy: &Entropy,
    ) -> Result<DataKey, KeyError> {
        let key = self.get(key)?;
        let plaintext = Plaintext::draw(entropy, bytes);
        Ok(DataKey {
            ciphertext: key.encrypt(&plaintext, context, entropy)?,
            plaintext,
            key_arn: key.arn.clone(),
            material_id: key.material_id().to_owned(),
        })
    }

    /// Decrypts what `key` encrypted under the same context.
    ///
    /// # Errors
    /// [`KeyError::IncorrectKey`] if another key encrypted it, [`KeyError::InvalidCiphertext`] if the blob or the
    /// context was changed, and whatever the state of the key forbids.
    pub(crate) fn decrypt(
        &self,
        key: &ResolvedKey,
        blob: &[u8],
        context: &EncryptionContext,
    ) -> Result<Decrypted, KeyError> {
        let sealed = Sealed::read(blob).ok_or(KeyError::InvalidCiphertext)?;
        let key = self.get(key)?;
        if sealed.key_id() != key.id {
            return Err(KeyError::IncorrectKey);
        }
        let (plaintext, material_id) = key.decrypt(&sealed, context)?;
        Ok(Decrypted { plaintext, key_arn: key.arn.clone(), material_id: material_id.to_owned() })
    }
}

impl World {
    /// A data key of so many bytes, and its ciphertext under `key`; a key that AWS manages is made at its first use.
    pub(crate) fn generate_data_key(
        &mut self,
        key: &ResolvedKey,
        bytes: usize,
        context: &EncryptionContext,
        now: Timestamp,
    ) -> Result<DataKey, KeyError> {
        self.make_if_managed(key, now)?;
        self.keys.generate_data_key(key, bytes, context, &self.entropy)
    }

    /// Makes the managed key of a service if `key` is one and this is its first use.
    pub(crate) fn make_if_managed(&mut self, key: &ResolvedKey, now: Timestamp) -> Result<(), KeyError> {
        // The keys are borrowed to change them only if they change: whoever does counts as having changed them.
        if self.keys.is_yet_to_be_made(key) {
            self.keys.make_managed(key, now, &self.entropy)
        } else {
            Ok(())
        }
    }
}
