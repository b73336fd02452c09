//! What S3 knows beyond its buckets.

use std::collections::BTreeMap;

use bucketproof_authz::{AccountId, ObjectOwnership, PublicAccessBlock};
use serde::{Deserialize, Serialize};

use super::{BucketEncryption, CustomerKeys};

/// The settings of accounts, and what new buckets begin with.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct BeyondBuckets {
    /// Block Public Access of whole accounts; an account that never set it has none.
    pub(crate) public_access_blocks: BTreeMap<AccountId, PublicAccessBlock>,
    pub(crate) defaults: Defaults,
    #[serde(default)]
    pub(crate) missing_keys: MissingKeys,
}

/// Who is told that a key is missing; everybody else is refused.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum MissingKeys {
    /// Who may both read and list: a missing permission to read does not hide behind a 404.
    #[default]
    ReadersWhoList,
    /// Who may list and is not denied to read.
    Listers,
}

/// Whose defaults new buckets have.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum Defaults {
    /// Those of AWS since April 2023: no ACLs, everything public blocked; since April 2026 no keys of customers.
    #[default]
    Modern,
    /// Those of before, for software that was written for them.
    Legacy,
}

impl Defaults {
    pub(crate) fn ownership(self) -> ObjectOwnership {
        match self {
            Self::Modern => ObjectOwnership::BucketOwnerEnforced,
            Self::Legacy => ObjectOwnership::ObjectWriter,
        }
    }

    /// Absent is a bucket that nobody ever set any of the four settings for.
    pub(crate) fn public_access_block(self) -> Option<PublicAccessBlock> {
        match self {
            Self::Modern => Some(PublicAccessBlock::ALL),
            Self::Legacy => None,
        }
    }
    /// Encryption with keys of S3 either way; keys of customers are refused since April 2026.
    pub(crate) fn encryption(self) -> BucketEncryption {
        let customer_keys = match self {
            Self::Modern => CustomerKeys::Blocked,
            Self::Legacy => CustomerKeys::Allowed,
        };
        BucketEncryption { customer_keys, ..BucketEncryption::default() }
    }
}
