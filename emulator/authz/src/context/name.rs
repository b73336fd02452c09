//! The names of condition keys. Those that AWS documents cost nothing to keep: they are known, and have been hashed.

use std::borrow::Cow;
use std::sync::LazyLock;

use crate::condition_keys::condition_keys;

/// The name of a condition key as it is compared: in lower case, with its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LowerKey {
    hash: u64,
    text: Cow<'static, str>,
}

/// A documented name.
struct Known {
    name: &'static str,
    lower: Box<str>,
    hash: u64,
}

/// The documented names by the last bits of their hashes; those that share them stand side by side.
static KNOWN: LazyLock<Vec<Vec<Known>>> = LazyLock::new(|| {
    let mut table: Vec<Vec<Known>> = std::iter::repeat_with(Vec::new).take(TABLE_SIZE).collect();
    for key in condition_keys() {
        let lower = key.name.to_ascii_lowercase().into_boxed_str();
        let hash = hash_of(&lower);
        if let Some(place) = table.get_mut(index(hash)) {
            place.push(Known { name: key.name, lower, hash });
        }
    }
    table
});

const TABLE_SIZE: usize = 512;

fn index(hash: u64) -> usize {
    usize::try_from(hash % TABLE_SIZE as u64).unwrap_or_default()
}

impl LowerKey {
    pub(crate) fn new(key: &str) -> Self {
        Self::named(key).0
    }

    /// The name as it is compared and as it is written.
    pub(super) fn named(key: &str) -> (Self, Cow<'static, str>) {
        if key.is_ascii() {
            let hash = hash_of(key);
            if let Some(known) = known(key, hash) {
                let name =
                    if known.name == key { Cow::Borrowed(known.name) } else { Cow::Owned(key.to_owned()) };
                return (Self { hash, text: Cow::Borrowed(&*known.lower) }, name);
            }
        }
        let text = key.to_lowercase();
        (Self { hash: hash_of(&text), text: Cow::Owned(text) }, Cow::Owned(key.to_owned()))
    }

    /// As if the hash of `text` were this one.
    #[cfg(test)]
    pub(super) fn with_hash(hash: u64, text: &str) -> Self {
        Self { hash, text: Cow::Owned(text.to_owned()) }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.hash == other.hash && self.text == other.text
    }

    /// A few bits of the hash: a number below 64.
    pub(super) fn slot(&self) -> usize {
        usize::try_from(self.hash >> 58).unwrap_or_default()
    }
}

fn known(key: &str, hash: u64) -> Option<&'static Known> {
    let table: &'static Vec<Vec<Known>> = &KNOWN;
    table.get(index(hash))?.iter().find(|known| known.hash == hash && known.lower.eq_ignore_ascii_case(key))
}

/// A hash that is the same in every process, and for a name in any case: eight bytes at a time, without the bit that tells
/// the cases of letters apart.
fn hash_of(text: &str) -> u64 {
    let mix = |hash: u64, word: u64| {
        let mixed = (hash ^ (word | CASE_BITS)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        mixed ^ (mixed >> 32)
    };
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let hash = words.iter().fold(text.len() as u64, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let rest = rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    mix(hash, rest).wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

const CASE_BITS: u64 = 0x2020_2020_2020_2020;
