//! What an operation changed, for whoever keeps the state elsewhere too.
//!
//! The collections note their changes themselves, so that nothing can change unnoticed; the notes are taken after each
//! operation.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use super::{Bucket, Touch, VersionId};

/// What changed since it was last asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Buckets that were made, changed or removed.
    pub(crate) buckets: Vec<(String, BucketChanges)>,
}

/// What changed within one bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BucketChanges {
    /// Versions that were written, changed or removed, by key.
    pub(crate) versions: BTreeMap<(String, VersionId), Touch>,
    /// Uploads that were begun or ended, by key and id.
    pub(crate) uploads: BTreeSet<(String, String)>,
    /// Parts that were written, by key, upload and number.
    pub(crate) parts: BTreeSet<(String, String, i32)>,
}

/// The buckets by name. Reading is that of a map; each way to change one is noted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buckets {
    map: BTreeMap<String, Bucket>,
    touched: BTreeSet<String>,
}

impl Buckets {
    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Bucket> {
        let bucket = self.map.get_mut(name)?;
        if !self.touched.contains(name) {
            self.touched.insert(name.to_owned());
        }
        Some(bucket)
    }

    pub(crate) fn insert(&mut self, name: String, bucket: Bucket) {
        self.touched.insert(name.clone());
        self.map.insert(name, bucket);
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Bucket> {
        let removed = self.map.remove(name)?;
        self.touched.insert(name.to_owned());
        Some(removed)
    }

    /// Takes the notes; a name without a bucket is that of one that was removed.
    pub(crate) fn take_changes(&mut self) -> Changes {
        let touched = std::mem::take(&mut self.touched);
        let buckets = touched.into_iter().map(|name| {
            let changes = self.map.get_mut(&name).map(Bucket::take_changes).unwrap_or_default();
            (name, changes)
        });
        Changes { buckets: buckets.collect() }
    }
}

impl Deref for Buckets {
    type Target = BTreeMap<String, Bucket>;

    fn deref(&self) -> &Self::Target {
        &self.map
    }
}
