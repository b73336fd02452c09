//! The lifecycle of a bucket's objects, as it was put.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Tags;

/// The rules, in the order in which they were put.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct LifecycleConfiguration {
    pub(crate) rules: Vec<LifecycleRule>,
    pub(crate) minimum_size: MinimumSize,
}

/// `TransitionDefaultMinimumObjectSize`: which objects are too small for a transition unless a rule speaks of size.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum MinimumSize {
    /// Objects below 128 KiB stay where they are.
    #[default]
    AllStorageClasses,
    /// They may go to the archive classes, as all might before September 2024.
    VariesByStorageClass,
}

/// A rule.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct LifecycleRule {
    pub(crate) id: String,
    pub(crate) is_enabled: bool,
    pub(crate) scope: Scope,
    pub(crate) expiration: Option<Expiration>,
    pub(crate) transitions: Vec<Transition>,
    pub(crate) noncurrent_expiration: Option<Noncurrent>,
    pub(crate) noncurrent_transitions: Vec<NoncurrentTransition>,
    /// Days after the initiation of a multipart upload.
    pub(crate) abort_after_days: Option<i32>,
}

/// Which objects a rule is for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Scope {
    /// The first version of the API: a `Prefix` of the rule itself.
    Prefix(String),
    Filter(Filter),
}

/// A `Filter`; all of it must hold.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Filter {
    pub(crate) prefix: Option<String>,
    pub(crate) tags: Tags,
    /// In bytes; the object must be larger.
    pub(crate) larger_than: Option<u64>,
    /// In bytes; the object must be smaller.
    pub(crate) smaller_than: Option<u64>,
    /// Whether the conditions stood in an `And`.
    pub(crate) is_and: bool,
}

/// When something happens to an object.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum When {
    /// After its creation.
    Days(i32),
    /// A midnight, UTC.
    Date(Timestamp),
}

/// What ends a current version.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Expiration {
    At(When),
    /// `ExpiredObjectDeleteMarker`: whether a delete marker without any other version goes away.
    DeleteMarker(bool),
}

/// A change of the storage class of current versions.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Transition {
    pub(crate) when: When,
    pub(crate) storage_class: String,
}

/// Which noncurrent versions something happens to.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Noncurrent {
    /// Days after the version was succeeded by another.
    pub(crate) days: i32,
    /// How many of the newest noncurrent versions are spared.
    pub(crate) newer: Option<u32>,
}

/// A change of the storage class of noncurrent versions.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct NoncurrentTransition {
    pub(crate) of: Noncurrent,
    pub(crate) storage_class: String,
}

impl MinimumSize {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "all_storage_classes_128K" => Some(Self::AllStorageClasses),
            "varies_by_storage_class" => Some(Self::VariesByStorageClass),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AllStorageClasses => "all_storage_classes_128K",
            Self::VariesByStorageClass => "varies_by_storage_class",
        }
    }
}

impl Scope {
    /// The beginning that every key in scope has.
    pub(crate) fn prefix(&self) -> &str {
        match self {
            Self::Prefix(prefix) => prefix,
            Self::Filter(filter) => filter.prefix.as_deref().unwrap_or_default(),
        }
    }

    pub(crate) fn filter(&self) -> Option<&Filter> {
        match self {
            Self::Prefix(_) => None,
            Self::Filter(filter) => Some(filter),
        }
    }

    pub(crate) fn has_tags(&self) -> bool {
        self.filter().is_some_and(|filter| !filter.tags.is_empty())
    }

    pub(crate) fn has_sizes(&self) -> bool {
        self.filter().is_some_and(|filter| filter.larger_than.is_some() || filter.smaller_than.is_some())
    }

    /// Whether an object is in scope; its key is known to begin with the prefix.
    pub(crate) fn covers(&self, size: u64, tags: &Tags) -> bool {
        self.filter().is_none_or(|filter| {
            filter.larger_than.is_none_or(|bound| size > bound)
                && filter.smaller_than.is_none_or(|bound| size < bound)
                && filter.tags.iter().all(|wanted| tags.iter().any(|tag| tag == wanted))
        })
    }
}
