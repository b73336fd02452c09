//! How objects are encrypted, and what a bucket does about it by itself.
//!
//! The bytes stay in memory as they came: what an emulator has to get right is who may read them. So an object keeps
//! what a key is checked against, and never a key that a customer gave.

use bucketproof_authz::EncryptionContext;
use bucketproof_clock::Entropy;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::ResolvedKey;
use crate::authenticate::hmac_sha256;
use crate::s3::CustomerKey;

/// How the bytes of an object are encrypted.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) enum Encryption {
    /// SSE-S3: with keys that S3 manages and nobody has to show.
    #[default]
    S3,
    /// SSE-KMS and DSSE-KMS: with a data key that a KMS key encrypts.
    Kms(Box<KmsEncryption>),
    /// SSE-C: with a key that every request has to bring.
    Customer(KeySeal),
}

/// What it takes to get at the data key of an object.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct KmsEncryption {
    pub(crate) method: KmsMethod,
    pub(crate) key: ResolvedKey,
    /// Whether objects of the bucket share a data key; the context names the bucket then.
    pub(crate) bucket_key: bool,
    /// What the client said, and `aws:s3:arn`.
    pub(crate) context: EncryptionContext,
    /// The data key, encrypted.
    pub(crate) data_key: Vec<u8>,
}

/// A salted hash of a customer's key: enough to know the key again, not to make it.
///
/// AWS keeps such a hash too (S3 User Guide, "Specifying server-side encryption with customer-provided keys").
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct KeySeal {
    salt: [u8; 32],
    hash: [u8; 32],
}

impl KeySeal {
    pub(crate) fn of(key: &CustomerKey, entropy: &Entropy) -> Self {
        let mut salt = [0; 32];
        entropy.fill(&mut salt);
        Self { salt, hash: hmac_sha256(&salt, key.expose()) }
    }

    /// Whether this is the key; compares in constant time.
    pub(crate) fn fits(&self, key: &CustomerKey) -> bool {
        hmac_sha256(&self.salt, key.expose()).ct_eq(&self.hash).into()
    }
}

impl Encryption {
    /// The raw entity tag of content that is stored so: its MD5 where S3 has the keys, else an arbitrary number.
    ///
    /// Two writes of the same bytes under a KMS key, or under a customer's, have different tags (recorded).
    pub(crate) fn tag(&self, md5: [u8; 16], entropy: &Entropy) -> [u8; 16] {
        match self {
            Self::S3 => md5,
            Self::Kms(_) | Self::Customer(_) => {
                let mut tag = [0; 16];
                entropy.fill(&mut tag);
                tag
            }
        }
    }
}

/// What a bucket does with objects for which a request asks no encryption, and which encryption it refuses.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct BucketEncryption {
    pub(crate) default: DefaultEncryption,
    /// Whether objects under KMS keys share a data key of the bucket.
    pub(crate) bucket_key: bool,
    pub(crate) customer_keys: CustomerKeys,
    pub(crate) origin: Origin,
}

/// The encryption of objects for which a request asks none.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum DefaultEncryption {
    #[default]
    S3,
    Kms {
        method: KmsMethod,
        /// As it was put: an id, an alias or an ARN; absent for the key that AWS manages.
        key: Option<String>,
    },
}

/// Which of the two encryptions with KMS keys.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum KmsMethod {
    /// SSE-KMS.
    Single,
    /// DSSE-KMS: two layers.
    Dual,
}

/// Whether a bucket takes objects under keys of customers; those of a new bucket are refused since April 2026.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum CustomerKeys {
    #[default]
    Blocked,
    Allowed,
}

/// Whether somebody put this setting; a copy of an object onto itself is legal then.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum Origin {
    #[default]
    New,
    Put,
}

impl KmsMethod {
    /// As in `x-amz-server-side-encryption`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Single => "aws:kms",
            Self::Dual => "aws:kms:dsse",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Single, Self::Dual].into_iter().find(|method| method.name() == name)
    }
}
