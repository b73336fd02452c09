//! Ciphertext blobs: AES-256-GCM with the encryption context as associated data.
//!
//! A blob names the key and the key material that it was made with, in the clear, as AWS's blobs do: a caller who
//! decrypts need not name the key. The layout is ours; AWS documents none. Header and context are authenticated.

use serde::{Deserialize, Serialize};
use std::fmt;

use bucketproof_authz::EncryptionContext;
use bucketproof_clock::Entropy;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::KeyError;

/// What every blob begins with; the last byte is the version of the layout.
const MAGIC: [u8; 4] = [1, 2, 2, 1];
/// The id of a key as 128 bits.
const KEY_ID_BYTES: usize = 16;
const HEADER_BYTES: usize = MAGIC.len() + KEY_ID_BYTES + size_of::<u32>();

/// The secret part of a key: one of those that rotation leaves behind, or the present one.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Material {
    /// 64 hexadecimal digits.
    pub(crate) id: String,
    key: [u8; 32],
}

impl Material {
    pub(crate) fn draw(entropy: &Entropy) -> Self {
        let mut key = [0; 32];
        entropy.fill(&mut key);
        Self { id: entropy.text(b"0123456789abcdef", 64), key }
    }

    fn cipher(&self) -> Result<LessSafeKey, KeyError> {
        UnboundKey::new(&AES_256_GCM, &self.key).map(LessSafeKey::new).map_err(|_| KeyError::Internal)
    }
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Material").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Bytes that were or will be encrypted; not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Plaintext(Vec<u8>);

impl Plaintext {
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// That many bytes of entropy: a data key.
    pub(crate) fn draw(entropy: &Entropy, bytes: usize) -> Self {
        let mut drawn = vec![0; bytes];
        entropy.fill(&mut drawn);
        Self(drawn)
    }

    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plaintext({} bytes)", self.0.len())
    }
}

/// A blob, taken apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sealed<'a> {
    header: &'a [u8],
    key_id: u128,
    material: u32,
    nonce: [u8; NONCE_LEN],
    /// The encrypted bytes and their tag.
    body: &'a [u8],
}

impl<'a> Sealed<'a> {
    /// Reads the clear part of a blob; absent if it is no blob of ours.
    pub(crate) fn read(blob: &'a [u8]) -> Option<Self> {
        let (header, rest) = blob.split_at_checked(HEADER_BYTES)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>()?;
        let (magic, names) = header.split_first_chunk::<4>()?;
        let (key_id, material) = names.split_first_chunk::<KEY_ID_BYTES>()?;
        (*magic == MAGIC).then_some(Self {
            header,
            key_id: u128::from_be_bytes(*key_id),
            material: u32::from_be_bytes(material.try_into().ok()?),
            nonce: *nonce,
            body,
        })
    }

    /// The id of the key: a UUID.
    pub(crate) fn key_id(&self) -> String {
        uuid_text(self.key_id)
    }

    /// The index of the material among those of its key.
    pub(crate) fn material(&self) -> usize {
        usize::try_from(self.material).unwrap_or(usize::MAX)
    }

    pub(crate) fn open(
        &self,
        material: &Material,
        context: &EncryptionContext,
    ) -> Result<Plaintext, KeyError> {
        let mut bytes = self.body.to_vec();
        let associated = Aad::from(associated_data(self.header, context));
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        let opened = material
            .cipher()?
            .open_in_place(nonce, associated, &mut bytes)
            .map_err(|_| KeyError::InvalidCiphertext)?
            .len();
        bytes.truncate(opened);
        Ok(Plaintext(bytes))
    }
}

/// Encrypts with the material at `index` of the key `key_id`.
pub(crate) fn seal(
    key_id: &str,
    (index, material): (usize, &Material),
    plaintext: &Plaintext,
    context: &EncryptionContext,
    entropy: &Entropy,
) -> Result<Vec<u8>, KeyError> {
    let mut header = Vec::with_capacity(HEADER_BYTES);
    header.extend(MAGIC);
    header.extend(uuid_number(key_id).ok_or(KeyError::Internal)?.to_be_bytes());
    header.extend(u32::try_from(index).map_err(|_| KeyError::Internal)?.to_be_bytes());
    let mut nonce = [0; NONCE_LEN];
    entropy.fill(&mut nonce);
    let mut body = plaintext.0.clone();
    material
        .cipher()?
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(associated_data(&header, context)),
            &mut body,
        )
        .map_err(|_| KeyError::Internal)?;
    Ok([header.as_slice(), &nonce, &body].concat())
}

/// The header and the context, each text with its length before it so that no two contexts give the same bytes.
fn associated_data(header: &[u8], context: &EncryptionContext) -> Vec<u8> {
    let mut bytes = header.to_vec();
    for text in context.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// A number as a UUID: `1234abcd-12ab-34cd-56ef-1234567890ab`.
fn uuid_text(number: u128) -> String {
    let hex = format!("{number:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

/// Makes a random number, or a hash, a UUID of version 4: two of its fields are fixed.
pub(crate) fn random_uuid(number: u128) -> String {
    let version = (number & !(0xF << 76)) | (0x4 << 76);
    uuid_text((version & !(0x3 << 62)) | (0x2 << 62))
}

/// The number of a UUID as AWS writes it, with hyphens and lower-case digits.
pub(crate) fn uuid_number(text: &str) -> Option<u128> {
    let number = u128::from_str_radix(&text.replace('-', ""), 16).ok()?;
    (uuid_text(number) == text).then_some(number)
}
