//! The secret that lets callers from elsewhere use the admin API.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Shorter ones can be guessed.
const CHARACTERS_MIN: usize = 16;

/// Whoever sends it as `Authorization: Bearer TOKEN` may use the admin API, from anywhere.
///
/// Only its hash is kept, and it is compared in constant time.
#[derive(Clone)]
pub struct AdminToken {
    hash: [u8; 32],
}

/// A text that cannot serve as a token. The text itself is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdminTokenError {
    /// It can be guessed.
    #[error("the admin token has fewer than {CHARACTERS_MIN} characters")]
    Short,
    /// It cannot stand in a header.
    #[error("the admin token has a character that cannot stand in a header")]
    Character,
}

impl AdminTokenError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        "make one with `openssl rand -hex 32`: letters, digits and punctuation without spaces"
    }
}

impl AdminToken {
    /// Takes a text of visible ASCII characters; white space around it does not count.
    ///
    /// # Errors
    /// If it is too short, or cannot stand in a header.
    pub fn new(text: &str) -> Result<Self, AdminTokenError> {
        let text = text.trim();
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(AdminTokenError::Character);
        }
        if text.len() < CHARACTERS_MIN {
            return Err(AdminTokenError::Short);
        }
        Ok(Self { hash: Sha256::digest(text).into() })
    }

    /// Whether this is it, in a time that does not depend on how much of it is right.
    pub(crate) fn is(&self, offered: &str) -> bool {
        let offered: [u8; 32] = Sha256::digest(offered).into();
        self.hash.ct_eq(&offered).into()
    }
}

/// Shows nothing of it.
impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken")
    }
}
