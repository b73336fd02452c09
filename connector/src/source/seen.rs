//! Rows that were given and may come again, by digest. For datasets without a key, which would export them twice.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The rows of the last pull that the next one may find again.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Seen(BTreeSet<String>);

impl Seen {
    pub(super) fn holds(&self, digest: &str) -> bool {
        self.0.contains(digest)
    }

    pub(super) fn note(&mut self, digest: String) {
        self.0.insert(digest);
    }
}

/// Half of a SHA-256: equal for equal rows, and for no others that anybody will meet.
pub(super) fn digest(row: &[u8]) -> String {
    hex::encode(Sha256::digest(row).get(..16).unwrap_or_default())
}
