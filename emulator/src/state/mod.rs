//! Everything the emulator remembers, behind one lock.
//!
//! Bodies are read and hashed before the lock is taken; under it stand only decision, precondition and commit, so
//! that a conditional write is one step for every observer. The lock is never held across an `.await`.

mod accounts;
mod buckets;
mod content;
mod objects;
mod uploads;

pub(crate) use accounts::{
    AccessKey, Account, Accounts, CallerPolicies, Group, Holder, Role, Secret, Session, User,
};
pub(crate) use buckets::{Bucket, PublicAccessBlock};
pub(crate) use content::Content;
pub(crate) use objects::{Object, ObjectHeaders, PartLayout};
pub(crate) use uploads::{Part, Upload};

use std::collections::BTreeMap;

use bucketproof_clock::Entropy;

use crate::error::AwsError;

/// The state of one emulator.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) accounts: Accounts,
    pub(crate) buckets: BTreeMap<String, Bucket>,
    pub(crate) entropy: Entropy,
}

impl World {
    pub(crate) fn new(entropy: Entropy) -> Self {
        Self { accounts: Accounts::default(), buckets: BTreeMap::new(), entropy }
    }

    pub(crate) fn bucket(&self, name: &str) -> Result<&Bucket, AwsError> {
        self.buckets.get(name).ok_or_else(|| AwsError::no_such_bucket(name))
    }

    pub(crate) fn bucket_mut(&mut self, name: &str) -> Result<&mut Bucket, AwsError> {
        self.buckets.get_mut(name).ok_or_else(|| AwsError::no_such_bucket(name))
    }
}
