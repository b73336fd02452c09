//! The condition keys of a request.

mod name;

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use serde::{Serialize, Serializer};

pub(crate) use name::LowerKey;

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

#[derive(Debug, Default)]
struct Entries {
    /// In the order in which they were first set; each key once.
    list: Vec<Arc<Entry>>,
    slots: Slots,
}

/// Where a key may stand, by a few bits of its hash. An absent key, which is the common case, costs no comparison of
/// texts.
#[derive(Debug, Clone)]
struct Slots([u8; SLOT_COUNT]);

const SLOT_COUNT: usize = 64;
/// How many further keys a copy has room for.
const ROOM: usize = 20;

/// What a slot says of the keys that fall on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Free,
    /// The index of the only entry.
    One(u8),
    Several,
}

impl Default for Slots {
    fn default() -> Self {
        Self([0; SLOT_COUNT])
    }
}

impl Slots {
    fn get(&self, key: &LowerKey) -> Slot {
        match self.0.get(key.slot()).copied().unwrap_or(u8::MAX) {
            0 => Slot::Free,
            u8::MAX => Slot::Several,
            number => Slot::One(number - 1),
        }
    }

    /// An entry was added at this index.
    fn add(&mut self, key: &LowerKey, index: usize) {
        if let Some(slot) = self.0.get_mut(key.slot()) {
            let number = u8::try_from(index + 1).unwrap_or(u8::MAX);
            *slot = if *slot == 0 { number } else { u8::MAX };
        }
    }
}

/// Whoever copies a context adds to it.
impl Clone for Entries {
    fn clone(&self) -> Self {
        let mut list = Vec::with_capacity(self.list.len() + ROOM);
        list.extend(self.list.iter().cloned());
        Self { list, slots: self.slots.clone() }
    }
}

/// The order in which keys were set makes no difference.
impl PartialEq for Entries {
    fn eq(&self, other: &Self) -> bool {
        self.list.len() == other.list.len()
            && self.list.iter().all(|entry| other.find(&entry.lower_key) == Some(&**entry))
    }
}

impl Eq for Entries {}

/// A key of the request with its values. Contexts that have it in common share it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    lower_key: LowerKey,
    key: Cow<'static, str>,
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

impl Entry {
    fn new(lower_key: LowerKey, key: Cow<'static, str>, values: Values) -> Arc<Self> {
        Arc::new(Self { lower_key, key, values, typed: Typed::default() })
    }

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
    fn place(&self, key: &LowerKey) -> Option<usize> {
        match self.slots.get(key) {
            Slot::Free => None,
            Slot::One(index) => {
                let index = usize::from(index);
                self.list.get(index).is_some_and(|entry| entry.lower_key.is(key)).then_some(index)
            }
            Slot::Several => self.list.iter().position(|entry| entry.lower_key.is(key)),
        }
    }

    fn shared(&self, key: &LowerKey) -> Option<&Arc<Entry>> {
        self.list.get(self.place(key)?)
    }

    fn find(&self, key: &LowerKey) -> Option<&Entry> {
        self.shared(key).map(Arc::as_ref)
    }

    fn insert(&mut self, entry: Arc<Entry>) {
        if let Some(known) = self.place(&entry.lower_key).and_then(|index| self.list.get_mut(index)) {
            *known = entry;
        } else {
            self.slots.add(&entry.lower_key, self.list.len());
            self.list.push(entry);
        }
    }

    fn remove(&mut self, key: &LowerKey) {
        if let Some(index) = self.place(key) {
            self.list.remove(index);
            self.slots = Slots::default();
            for (index, entry) in self.list.iter().enumerate() {
                self.slots.add(&entry.lower_key, index);
            }
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
    pub fn set(&mut self, key: impl AsRef<str>, value: impl Into<String>) -> &mut Self {
        self.insert(key.as_ref(), Values::One(value.into()))
    }

    /// Sets a single-valued key, as [`Context::set`] does. What `earlier` holds alike is shared with it: one caller's
    /// requests have most of their keys in common, and records of many requests keep these once.
    pub fn set_as_in(&mut self, earlier: &Self, key: impl AsRef<str>, value: &str) -> &mut Self {
        let (lower_key, key) = LowerKey::named(key.as_ref());
        let is_same = |known: &&Arc<Entry>| {
            known.key == key && matches!(&known.values, Values::One(own) if own == value)
        };
        let entry = match earlier.entries.shared(&lower_key).filter(is_same) {
            Some(known) => Arc::clone(known),
            None => Entry::new(lower_key, key, Values::One(value.to_owned())),
        };
        Arc::make_mut(&mut self.entries).insert(entry);
        self
    }

    /// Sets a multi-valued key, replacing earlier values.
    pub fn set_many<I, V>(&mut self, key: impl AsRef<str>, values: I) -> &mut Self
    where
        I: IntoIterator<Item = V>,
        V: Into<String>,
    {
        self.insert(key.as_ref(), Values::Many(values.into_iter().map(Into::into).collect()))
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
        let mut entries: Vec<&Entry> = self.entries.list.iter().map(Arc::as_ref).collect();
        entries.sort_by(|left, right| left.lower_key.as_str().cmp(right.lower_key.as_str()));
        entries.into_iter().map(|entry| (&*entry.key, &entry.values))
    }

    fn insert(&mut self, key: &str, values: Values) -> &mut Self {
        let (lower_key, key) = LowerKey::named(key);
        Arc::make_mut(&mut self.entries).insert(Entry::new(lower_key, key, values));
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
