//! What users, groups, roles, policies and instance profiles have in common: name, path, ARN, unique id.

use std::collections::BTreeMap;

use bucketproof_authz::{AccountId, Arn, ArnError};
use bucketproof_clock::Entropy;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids;

/// The kinds of things that IAM manages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum EntityKind {
    User,
    Group,
    Role,
    Policy,
    InstanceProfile,
}

impl EntityKind {
    /// As it stands in an ARN.
    pub(crate) fn arn_type(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Role => "role",
            Self::Policy => "policy",
            Self::InstanceProfile => "instance-profile",
        }
    }

    /// What its unique ids begin with.
    fn id_prefix(self) -> &'static str {
        match self {
            Self::User => "AIDA",
            Self::Group => "AGPA",
            Self::Role => "AROA",
            Self::Policy => "ANPA",
            Self::InstanceProfile => "AIPA",
        }
    }

    /// The ARN of a thing of this kind; `path` begins and ends with `/`.
    pub(crate) fn arn(self, account: &str, path: &str, name: &str) -> String {
        format!("arn:aws:iam::{account}:{}{path}{name}", self.arn_type())
    }
}

/// A named thing.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Entity {
    pub(crate) kind: EntityKind,
    pub(crate) name: String,
    /// `/`, or `/division/team/`.
    pub(crate) path: String,
    pub(crate) arn: Arn,
    /// A thing that is made again under an old name has another one.
    pub(crate) unique_id: String,
    pub(crate) created_at: Timestamp,
}

impl Entity {
    /// A new thing with a unique id of its own.
    pub(crate) fn new(
        kind: EntityKind,
        account: &AccountId,
        path: &str,
        name: &str,
        entropy: &Entropy,
        now: Timestamp,
    ) -> Result<Self, ArnError> {
        Ok(Self {
            kind,
            name: name.to_owned(),
            path: path.to_owned(),
            arn: Arn::new(kind.arn(account.as_str(), path, name))?,
            unique_id: ids::entity_id(entropy, kind.id_prefix()),
            created_at: now,
        })
    }

    /// The same thing, unique id included, under another name and path.
    pub(crate) fn renamed(&self, account: &AccountId, path: &str, name: &str) -> Result<Self, ArnError> {
        let arn = Arn::new(self.kind.arn(account.as_str(), path, name))?;
        Ok(Self { name: name.to_owned(), path: path.to_owned(), arn, ..self.clone() })
    }
}

/// Things of one kind in one account, by name; names are compared without regard to case, and kept as given.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Entities<T>(BTreeMap<String, T>);

impl<T> Default for Entities<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: AsRef<Entity>> Entities<T> {
    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        // Most names that are looked up are lower-case already or known in this very case.
        self.0.get(name).or_else(|| self.0.get(&name.to_ascii_lowercase()))
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        self.0.get_mut(&name.to_ascii_lowercase())
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(crate) fn insert(&mut self, thing: T) {
        self.0.insert(thing.as_ref().name.to_ascii_lowercase(), thing);
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<T> {
        self.0.remove(&name.to_ascii_lowercase())
    }

    /// In the order of their names, without regard to case.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The thing of this ARN; another path makes another ARN.
    pub(crate) fn by_arn(&self, arn: &str) -> Option<&T> {
        let name = arn.rsplit('/').next()?;
        self.get(name).filter(|thing| thing.as_ref().arn.as_str() == arn)
    }

    pub(crate) fn by_arn_mut(&mut self, arn: &str) -> Option<&mut T> {
        let name = arn.rsplit('/').next()?;
        self.get_mut(name).filter(|thing| thing.as_ref().arn.as_str() == arn)
    }

    pub(crate) fn by_id(&self, unique_id: &str) -> Option<&T> {
        self.iter().find(|thing| thing.as_ref().unique_id == unique_id)
    }
}

/// Tags; keys are compared without regard to case, and kept as given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct IamTags(BTreeMap<String, (String, String)>);

impl IamTags {
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        self.0.insert(key.to_lowercase(), (key.to_owned(), value.to_owned()));
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.0.remove(&key.to_lowercase());
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        self.0.contains_key(&key.to_lowercase())
    }

    /// Takes over all of `other`, which wins.
    pub(crate) fn overlay(&mut self, other: &Self) {
        self.0.extend(other.0.iter().map(|(lower, tag)| (lower.clone(), tag.clone())));
    }

    /// Key and value, in the order of the keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.values().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: AsRef<str>, V: AsRef<str>> FromIterator<(K, V)> for IamTags {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(tags: I) -> Self {
        let mut all = Self::default();
        for (key, value) in tags {
            all.set(key.as_ref(), value.as_ref());
        }
        all
    }
}
