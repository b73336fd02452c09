//! One KMS key.

use std::collections::{BTreeMap, BTreeSet};

use bucketproof_authz::{AccountId, Arn, EncryptionContext, Policy};
use bucketproof_clock::Entropy;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::seal::{Material, Plaintext, Sealed, seal};
use super::{IssuedGrant, KeyError};

/// Days between two automatic rotations, if nothing else was said.
pub(crate) const ROTATION_DAYS_DEFAULT: u32 = 365;

/// A symmetric key that encrypts and decrypts.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct KmsKey {
    /// A UUID.
    pub(crate) id: String,
    pub(crate) arn: Arn,
    pub(crate) account: AccountId,
    pub(crate) region: String,
    pub(crate) manager: KeyManager,
    pub(crate) description: String,
    pub(crate) created_at: Timestamp,
    pub(crate) state: KeyState,
    pub(crate) policy: Policy,
    pub(crate) tags: BTreeMap<String, String>,
    /// The names of its aliases; the store of keys looks after them.
    pub(super) aliases: BTreeSet<String>,
    /// By id.
    pub(crate) grants: BTreeMap<String, IssuedGrant>,
    pub(crate) rotation: Option<Rotation>,
    /// What rotation did, oldest first.
    pub(crate) rotations: Vec<RotationRecord>,
    /// Oldest first and never empty; the last one encrypts, all of them decrypt.
    materials: Vec<Material>,
}

/// Who looks after a key.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum KeyManager {
    Customer,
    /// AWS, on behalf of one of its services; the customer can look at the key and nothing else.
    Aws,
}

/// What a key can be used for at present.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum KeyState {
    Enabled,
    Disabled,
    PendingDeletion { deleted_at: Timestamp },
}

/// Automatic rotation.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Rotation {
    pub(crate) period_days: u32,
    pub(crate) next_at: Timestamp,
}

impl Rotation {
    pub(crate) fn starting(now: Timestamp, period_days: u32) -> Self {
        Self { period_days, next_at: days_after(now, period_days) }
    }
}

/// A rotation that took place.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct RotationRecord {
    pub(crate) rotated_at: Timestamp,
    pub(crate) kind: RotationKind,
    /// The material that the rotation made.
    pub(crate) material_id: String,
}

/// What made a rotation take place.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum RotationKind {
    Automatic,
    OnDemand,
}

/// The parts of a key that is to be made.
#[derive(Clone, Debug)]
pub(crate) struct NewKey {
    pub(crate) id: String,
    pub(crate) arn: Arn,
    pub(crate) account: AccountId,
    pub(crate) region: String,
    pub(crate) manager: KeyManager,
    pub(crate) description: String,
    pub(crate) policy: Policy,
    pub(crate) tags: BTreeMap<String, String>,
}

impl KmsKey {
    pub(crate) fn new(parts: NewKey, now: Timestamp, entropy: &Entropy) -> Self {
        let NewKey { id, arn, account, region, manager, description, policy, tags } = parts;
        // A key that AWS manages is rotated every year.
        let rotation = (manager == KeyManager::Aws).then(|| Rotation::starting(now, ROTATION_DAYS_DEFAULT));
        Self {
            id,
            arn,
            account,
            region,
            manager,
            description,
            created_at: now,
            state: KeyState::Enabled,
            policy,
            tags,
            aliases: BTreeSet::new(),
            grants: BTreeMap::new(),
            rotation,
            rotations: Vec::new(),
            materials: vec![Material::draw(entropy)],
        }
    }

    /// The material that encrypts: 64 hexadecimal digits.
    pub(crate) fn material_id(&self) -> &str {
        self.materials.last().map_or("", |material| &material.id)
    }

    /// A disabled or dying key does nothing.
    pub(crate) fn check_usable(&self) -> Result<(), KeyError> {
        match self.state {
            KeyState::Enabled => Ok(()),
            KeyState::Disabled => Err(KeyError::Disabled(self.arn.clone())),
            KeyState::PendingDeletion { .. } => Err(KeyError::PendingDeletion(self.arn.clone())),
        }
    }

    /// A dying key cannot be changed, a disabled one can.
    pub(crate) fn check_alive(&self) -> Result<(), KeyError> {
        match self.state {
            KeyState::PendingDeletion { .. } => Err(KeyError::PendingDeletion(self.arn.clone())),
            KeyState::Enabled | KeyState::Disabled => Ok(()),
        }
    }

    /// Makes the key usable; a rotation that it missed meanwhile happens at once.
    pub(crate) fn enable(&mut self, now: Timestamp) {
        self.state = KeyState::Enabled;
        if let Some(rotation) = &mut self.rotation {
            rotation.next_at = rotation.next_at.max(now);
        }
    }

    pub(crate) fn encrypt(
        &self,
        plaintext: &Plaintext,
        context: &EncryptionContext,
        entropy: &Entropy,
    ) -> Result<Vec<u8>, KeyError> {
        self.check_usable()?;
        let present = self.materials.last().map(|material| (self.materials.len() - 1, material));
        seal(&self.id, present.ok_or(KeyError::Internal)?, plaintext, context, entropy)
    }

    /// The plaintext, and the id of the material that it was encrypted with.
    pub(crate) fn decrypt(
        &self,
        sealed: &Sealed<'_>,
        context: &EncryptionContext,
    ) -> Result<(Plaintext, &str), KeyError> {
        self.check_usable()?;
        let material = self.materials.get(sealed.material()).ok_or(KeyError::InvalidCiphertext)?;
        Ok((sealed.open(material, context)?, &material.id))
    }

    pub(crate) fn rotate(&mut self, kind: RotationKind, at: Timestamp, entropy: &Entropy) {
        let material = Material::draw(entropy);
        self.rotations.push(RotationRecord { rotated_at: at, kind, material_id: material.id.clone() });
        self.materials.push(material);
    }

    /// Rotates as often as it was due until `now`; a key that is not enabled waits with it.
    pub(super) fn rotate_if_due(&mut self, now: Timestamp, entropy: &Entropy) {
        while let Some(rotation) = self.rotation.filter(|rotation| rotation.next_at <= now) {
            if self.state != KeyState::Enabled {
                return;
            }
            self.rotate(RotationKind::Automatic, rotation.next_at, entropy);
            self.rotation = Some(Rotation::starting(rotation.next_at, rotation.period_days));
            if rotation.next_at == Timestamp::MAX {
                return;
            }
        }
    }
}

/// An instant some days later, or the last there is.
pub(crate) fn days_after(instant: Timestamp, days: u32) -> Timestamp {
    instant.saturating_add(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MAX)
}
