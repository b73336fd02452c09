//! The condition keys of a request.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use serde::{Serialize, Serializer};

use crate::policy::value;

/// The condition keys that a request carries, with their values.
///
/// Key names compare without regard to case, tag keys included (IAM User Guide, "Condition"); values are kept as
/// given. A key set with [`Context::set`] is single-valued, one set with [`Context::set_many`] is multi-valued even
/// when it holds one value or none. Clones are cheap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    entries: Arc<Entries>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Entries {
    /// In the order of their lower-case keys.
    list: Vec<Entry>,
    slots: Derived<Slots>,
}

/// Where a key may stand, by a few bits of its hash. An absent key, which is the common case, costs no comparison of
/// texts.
type Slots = [Slot; SLOT_COUNT];

const SLOT_COUNT: usize = 64;

#[derive(Debug, Clone, Copy)]
enum Slot {
    Free,
    /// The index of the only entry.
    One(u32),
    Several,
}

/// A key of the request with its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    lower_key: LowerKey,
    key: Box<str>,
    values: Values,
    typed: Typed,
}

/// What the value of a single-valued key means as an address or an instant, read when a condition first asks: many
/// statements ask the same of one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Typed {
    address: Derived<Option<IpAddr>>,
    instant: Derived<Option<i128>>,
}

/// What follows from the values beside it and is computed once, when it is first needed. It makes no difference
/// between two values.
#[derive(Debug, Clone)]
struct Derived<T>(OnceLock<T>);

impl<T> Default for Derived<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T> PartialEq for Derived<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Derived<T> {}

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

    fn is(&self, other: &Self) -> bool {
        self.hash == other.hash && self.text == other.text
    }

    /// The index in [`Slots`].
    fn slot(&self) -> usize {
        usize::try_from(self.hash >> 58).unwrap_or_default()
    }
}

/// The hash of Fowler, Noll and Vo: short, and the same in every process.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

impl Entry {
    pub(crate) fn values(&self) -> &Values {
        &self.values
    }

    /// The value at an index as an address.
    pub(crate) fn address(&self, index: usize) -> Option<IpAddr> {
        match &self.values {
            Values::One(text) => *self.typed.address.0.get_or_init(|| text.parse().ok()),
            Values::Many(texts) => texts.get(index)?.parse().ok(),
        }
    }

    /// The value at an index as an instant, see [`value::instant`].
    pub(crate) fn instant(&self, index: usize) -> Option<i128> {
        match &self.values {
            Values::One(text) => *self.typed.instant.0.get_or_init(|| value::instant(text)),
            Values::Many(texts) => value::instant(texts.get(index)?),
        }
    }
}

impl Entries {
    fn find(&self, key: &LowerKey) -> Option<&Entry> {
        match *self.slots.0.get_or_init(|| self.slots()).get(key.slot())? {
            Slot::Free => None,
            Slot::One(index) => {
                self.list.get(usize::try_from(index).ok()?).filter(|entry| entry.lower_key.is(key))
            }
            Slot::Several => self.list.iter().find(|entry| entry.lower_key.is(key)),
        }
    }

    fn slots(&self) -> Slots {
        let mut slots = [Slot::Free; SLOT_COUNT];
        for (entry, index) in self.list.iter().zip(0..) {
            if let Some(slot) = slots.get_mut(entry.lower_key.slot()) {
                *slot = match slot {
                    Slot::Free => Slot::One(index),
                    Slot::One(_) | Slot::Several => Slot::Several,
                };
            }
        }
        slots
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
                self.list.insert(index, entry);
                self.slots = Derived::default();
            }
        }
    }

    fn remove(&mut self, key: &LowerKey) {
        if let Ok(index) = self.place(key) {
            self.list.remove(index);
            self.slots = Derived::default();
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
        self.find(lower_key).map(Entry::values)
    }

    /// The entry of a key whose name is already lower-case.
    pub(crate) fn find(&self, lower_key: &LowerKey) -> Option<&Entry> {
        self.entries.find(lower_key)
    }

    /// All keys as they were written, with their values, in the order of their lower-case names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Values)> {
        self.entries.list.iter().map(|entry| (&*entry.key, &entry.values))
    }

    fn insert(&mut self, key: String, values: Values) -> &mut Self {
        let lower_key = LowerKey::new(&key);
        let entry = Entry { lower_key, key: key.into_boxed_str(), values, typed: Typed::default() };
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
