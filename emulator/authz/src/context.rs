//! The condition keys of a request.

use std::sync::Arc;

use serde::{Serialize, Serializer};

/// The condition keys that a request carries, with their values.
///
/// Key names compare without regard to case, tag keys included (IAM User Guide, "Condition"); values are kept as
/// given. A key set with [`Context::set`] is single-valued, one set with [`Context::set_many`] is multi-valued even
/// when it holds one value or none. Clones are cheap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    entries: Arc<Entries>,
}

/// Few enough to be searched one by one, by hash: an absent key, which is the common case, costs no comparison of
/// texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Entries {
    /// The hash of each entry's key, at the same index.
    hashes: Vec<u64>,
    /// In the order of their lower-case keys.
    list: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    lower_key: LowerKey,
    key: Box<str>,
    values: Values,
}

/// The name of a condition key as it is compared: in lower case, with its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LowerKey {
    hash: u64,
    text: Box<str>,
}

impl LowerKey {
    pub(crate) fn new(key: &str) -> Self {
        let text = key.to_lowercase().into_boxed_str();
        Self { hash: fnv1a(text.as_bytes()), text }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

/// The hash of Fowler, Noll and Vo: short, and the same in every process.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

impl Entries {
    fn find(&self, key: &LowerKey) -> Option<&Entry> {
        let index = self.hashes.iter().position(|hash| *hash == key.hash)?;
        let entry = self.list.get(index)?;
        if entry.lower_key == *key {
            return Some(entry);
        }
        // Another key of the same hash stands before it.
        self.list.iter().find(|entry| entry.lower_key == *key)
    }

    fn place(&self, key: &LowerKey) -> Result<usize, usize> {
        self.list.binary_search_by(|entry| entry.lower_key.text.cmp(&key.text))
    }

    fn insert(&mut self, entry: Entry) {
        match self.place(&entry.lower_key) {
            Ok(index) => {
                if let Some(known) = self.list.get_mut(index) {
                    *known = entry;
                }
            }
            Err(index) => {
                self.hashes.insert(index, entry.lower_key.hash);
                self.list.insert(index, entry);
            }
        }
    }

    fn remove(&mut self, key: &LowerKey) {
        if let Ok(index) = self.place(key) {
            self.hashes.remove(index);
            self.list.remove(index);
        }
    }
}

/// The value or values of a condition key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "serde_json::Value")]
pub enum Values {
    /// A key that has exactly one value in a request.
    One(String),
    /// A key that is a list, such as `aws:TagKeys`.
    Many(Vec<String>),
}

impl Values {
    /// The values in order.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

impl From<Values> for serde_json::Value {
    fn from(values: Values) -> Self {
        match values {
            Values::One(value) => value.into(),
            Values::Many(values) => values.into(),
        }
    }
}

impl Context {
    /// A context without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a single-valued key, replacing an earlier value.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<String>) -> &mut Self {
        self.insert(key.into(), Values::One(value.into()))
    }

    /// Sets a multi-valued key, replacing earlier values.
    pub fn set_many<I, V>(&mut self, key: impl Into<String>, values: I) -> &mut Self
    where
        I: IntoIterator<Item = V>,
        V: Into<String>,
    {
        self.insert(key.into(), Values::Many(values.into_iter().map(Into::into).collect()))
    }

    /// Removes a key; absent keys are no error.
    pub fn remove(&mut self, key: &str) -> &mut Self {
        Arc::make_mut(&mut self.entries).remove(&LowerKey::new(key));
        self
    }

    /// The values of a key, whatever the case of its name.
    pub fn get(&self, key: &str) -> Option<&Values> {
        self.get_lower(&LowerKey::new(key))
    }

    /// The values of a key whose name is already lower-case: what compiled policies ask with.
    pub(crate) fn get_lower(&self, lower_key: &LowerKey) -> Option<&Values> {
        self.entries.find(lower_key).map(|entry| &entry.values)
    }

    /// All keys as they were written, with their values, in the order of their lower-case names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Values)> {
        self.entries.list.iter().map(|entry| (&*entry.key, &entry.values))
    }

    fn insert(&mut self, key: String, values: Values) -> &mut Self {
        let entry = Entry { lower_key: LowerKey::new(&key), key: key.into_boxed_str(), values };
        Arc::make_mut(&mut self.entries).insert(entry);
        self
    }
}

impl Serialize for Context {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(test)]
mod tests;
