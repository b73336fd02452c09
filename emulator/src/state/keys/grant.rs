//! Grants as they were issued.

use bucketproof_authz::{AccountId, KmsGrant};
use bucketproof_clock::Entropy;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{KeyError, Keys, KmsKey};

/// A grant on a key, and how it came to be.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct IssuedGrant {
    pub(crate) grant: KmsGrant,
    /// A name makes it safe to ask for the same grant again.
    pub(crate) name: Option<String>,
    /// One for each time that it was asked for.
    pub(crate) tokens: Vec<String>,
    /// The account of whoever asked for it.
    pub(crate) issuing_account: AccountId,
    pub(crate) created_at: Timestamp,
}

/// 64 hexadecimal digits.
pub(crate) fn draw_grant_id(entropy: &Entropy) -> String {
    entropy.text(b"0123456789abcdef", 64)
}

/// Opaque, and as long as AWS's are.
pub(crate) fn draw_grant_token(entropy: &Entropy) -> String {
    const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    format!("AQpA{}", entropy.text(BASE64, 344))
}

impl Keys {
    /// The key and the grant of a token.
    pub(crate) fn grant_of_token(&self, token: &str) -> Option<(&KmsKey, &IssuedGrant)> {
        self.by_arn.values().find_map(|key| {
            let is_its = |issued: &&IssuedGrant| issued.tokens.iter().any(|own| own == token);
            Some((key, key.grants.values().find(is_its)?))
        })
    }

    /// Refuses tokens that belong to no grant.
    pub(crate) fn check_grant_tokens(&self, tokens: &[String]) -> Result<(), KeyError> {
        match tokens.iter().find(|token| self.grant_of_token(token).is_none()) {
            Some(_) => Err(KeyError::InvalidGrantToken),
            None => Ok(()),
        }
    }

    /// The keys of a region, whoever owns them.
    pub(crate) fn in_region(&self, region: &str) -> impl Iterator<Item = &KmsKey> {
        self.by_arn.values().filter(move |key| key.region == region)
    }
}
