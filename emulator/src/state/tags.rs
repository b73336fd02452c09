//! Tags of a bucket or an object.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Tags by key.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Tags(BTreeMap<String, String>);

impl Tags {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Keys and values, in the order of the keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    pub(crate) fn contains_key(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    pub(crate) fn insert(&mut self, key: String, value: String) {
        self.0.insert(key, value);
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.0.remove(key);
    }
}
