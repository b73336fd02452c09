//! The objects of a bucket, with their versions.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use jiff::Timestamp;

use super::Object;

/// Which version of an object.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) enum VersionId {
    /// Written while the bucket was not versioned, or versioning was suspended.
    #[default]
    Null,
    /// 32 characters, drawn when it was written.
    Drawn(Box<str>),
}

/// The length of a drawn version id.
const DRAWN_LENGTH: usize = 32;

/// Whether a bucket keeps what is overwritten or deleted.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum Versioning {
    /// Never turned on; there is no way back to this.
    #[default]
    Never,
    Enabled,
    Suspended,
}

/// The mark that an object was deleted.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct DeleteMarker {
    pub(crate) version: VersionId,
    pub(crate) last_modified: Timestamp,
}

/// A version of an object, or the mark of its deletion.
#[derive(Clone, Debug)]
pub(crate) enum Version {
    Object(Arc<Object>),
    Marker(DeleteMarker),
}

/// All versions under one key, never none.
#[derive(Clone, Debug)]
struct Versions(Vec<Version>);

/// What happened to a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Touch {
    /// It became the newest, or is gone.
    Placed,
    /// Something beside its bytes changed.
    Changed,
}

/// The objects of a bucket by key, in the byte order of keys. Each way to change one is noted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Objects {
    map: BTreeMap<String, Versions>,
    touched: BTreeMap<(String, VersionId), Touch>,
}

impl VersionId {
    /// From the text of a request; absent if it cannot be a version id.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let drawn = || {
            text.len() == DRAWN_LENGTH
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._".contains(&b))
        };
        match text {
            "null" => Some(Self::Null),
            _ if drawn() => Some(Self::Drawn(text.into())),
            _ => None,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Null => "null",
            Self::Drawn(text) => text,
        }
    }

    pub(crate) fn into_text(self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Drawn(text) => text.into_string(),
        }
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Version {
    pub(crate) fn id(&self) -> &VersionId {
        match self {
            Self::Object(object) => &object.version,
            Self::Marker(marker) => &marker.version,
        }
    }

    pub(crate) fn object(&self) -> Option<&Arc<Object>> {
        match self {
            Self::Object(object) => Some(object),
            Self::Marker(_) => None,
        }
    }
}

impl Versions {
    /// The newest stands last, where a write adds it.
    fn newest_first(&self) -> impl DoubleEndedIterator<Item = &Version> {
        self.0.iter().rev()
    }
}

impl Objects {
    /// The object that a read without a version id finds.
    pub(crate) fn current(&self, key: &str) -> Option<&Arc<Object>> {
        self.newest(key)?.object()
    }

    /// The newest version, be it a delete marker.
    pub(crate) fn newest(&self, key: &str) -> Option<&Version> {
        self.map.get(key)?.0.last()
    }

    pub(crate) fn version(&self, key: &str, id: &VersionId) -> Option<&Version> {
        self.map.get(key)?.newest_first().find(|version| version.id() == id)
    }

    /// The object to change in place what may be changed: tags, ACL, retention. `None` is the newest.
    pub(crate) fn object_mut(&mut self, key: &str, id: Option<&VersionId>) -> Option<&mut Object> {
        let versions = self.map.get_mut(key)?;
        let version = match id {
            None => versions.0.last_mut(),
            Some(id) => versions.0.iter_mut().find(|version| version.id() == id),
        };
        match version? {
            Version::Object(object) => {
                self.touched.entry((key.to_owned(), object.version.clone())).or_insert(Touch::Changed);
                Some(Arc::make_mut(object))
            }
            Version::Marker(_) => None,
        }
    }

    /// The current objects of a range of keys; keys whose newest version is a marker are passed over.
    pub(crate) fn range(
        &self,
        range: impl RangeBounds<String>,
    ) -> impl Iterator<Item = (&String, &Arc<Object>)> {
        self.map.range(range).filter_map(|(key, versions)| Some((key, versions.0.last()?.object()?)))
    }

    /// The keys of a range with all their versions, newest first.
    pub(crate) fn range_versions(
        &self,
        range: (Bound<String>, Bound<String>),
    ) -> impl Iterator<Item = (&String, Vec<&Version>)> {
        self.map.range(range).map(|(key, versions)| (key, versions.newest_first().collect()))
    }

    /// Adds a version as the newest; one with the same id is replaced, as happens to `null`.
    pub(super) fn push(&mut self, key: &str, version: Version) {
        self.touched.insert((key.to_owned(), version.id().clone()), Touch::Placed);
        match self.map.get_mut(key) {
            None => {
                self.map.insert(key.to_owned(), Versions(vec![version]));
            }
            Some(versions) => {
                versions.0.retain(|kept| kept.id() != version.id());
                versions.0.push(version);
            }
        }
    }

    /// Takes a version away for good.
    pub(super) fn remove(&mut self, key: &str, id: &VersionId) -> Option<Version> {
        let versions = self.map.get_mut(key)?;
        let at = versions.0.iter().position(|version| version.id() == id)?;
        let removed = versions.0.remove(at);
        self.touched.insert((key.to_owned(), id.clone()), Touch::Placed);
        if versions.0.is_empty() {
            self.map.remove(key);
        }
        Some(removed)
    }

    /// Takes the notes on which versions changed.
    pub(super) fn take_changes(&mut self) -> BTreeMap<(String, VersionId), Touch> {
        std::mem::take(&mut self.touched)
    }

    /// Whether there is nothing at all, not even a delete marker.
    pub(crate) fn is_empty(&self) -> bool {
        self.map.is_empty()
    }
}
