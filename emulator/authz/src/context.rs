//! The condition keys of a request.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// The condition keys that a request carries, with their values.
///
/// Key names compare without regard to case, tag keys included (IAM User Guide, "Condition"); values are kept as
/// given. A key set with [`Context::set`] is single-valued, one set with [`Context::set_many`] is multi-valued even
/// when it holds one value or none. Clones are cheap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    entries: Arc<BTreeMap<Box<str>, Entry>>,
    canonical_user_id: Option<Arc<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    key: Box<str>,
    values: Values,
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
        Arc::make_mut(&mut self.entries).remove(key.to_lowercase().as_str());
        self
    }

    /// Sets the canonical user id of the caller's account, which `Principal: {"CanonicalUser": …}` compares with.
    pub fn set_canonical_user_id(&mut self, id: impl Into<String>) -> &mut Self {
        self.canonical_user_id = Some(id.into().into());
        self
    }

    /// The canonical user id of the caller's account, if it was set.
    pub fn canonical_user_id(&self) -> Option<&str> {
        self.canonical_user_id.as_deref()
    }

    /// The values of a key, whatever the case of its name.
    pub fn get(&self, key: &str) -> Option<&Values> {
        self.get_lower(&key.to_lowercase())
    }

    /// The values of a key whose name is already lower-case: what compiled policies ask with.
    pub(crate) fn get_lower(&self, lower_key: &str) -> Option<&Values> {
        self.entries.get(lower_key).map(|entry| &entry.values)
    }

    /// All keys as they were written, with their values, in the order of their lower-case names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Values)> {
        self.entries.values().map(|entry| (&*entry.key, &entry.values))
    }

    fn insert(&mut self, key: String, values: Values) -> &mut Self {
        let lower = key.to_lowercase().into_boxed_str();
        Arc::make_mut(&mut self.entries).insert(lower, Entry { key: key.into_boxed_str(), values });
        self
    }
}

impl Serialize for Context {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}
