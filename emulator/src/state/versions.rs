//! The objects of a bucket, with their versions.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use jiff::Timestamp;

use super::Object;
use crate::ids::version_order;

/// Which version of an object.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) enum VersionId {
    /// Written while the bucket was not versioned, or versioning was suspended.
    #[default]
    Null,
    /// 32 characters, drawn when it was written.
    Drawn(Box<str>),
}

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

/// All versions under one key, never none, each with its order in the bucket; the newest stands last.
#[derive(Clone, Debug, Default)]
struct Versions {
    list: VecDeque<(u64, Version)>,
    /// The order of the version without an id.
    null: Option<u64>,
}

/// The versions under one key, to be looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyVersions<'a>(&'a Versions);

/// What happened to a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Touch {
    /// It became the newest, or is gone.
    Placed,
    /// Something beside its bytes changed.
    Changed,
}

/// The objects of a bucket by key, in the byte order of keys. Each way to change one is noted.
///
/// Keys whose newest version is a delete marker are kept apart, so that a listing of objects never walks over them.
/// Both maps are shared with copies of the bucket until one of them is changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Objects {
    live: Arc<BTreeMap<String, Versions>>,
    deleted: Arc<BTreeMap<String, Versions>>,
    /// The order of the last version.
    last_order: u64,
    touched: BTreeMap<(String, VersionId), Touch>,
    #[cfg(test)]
    steps: Steps,
}

impl VersionId {
    /// From the text of a request; absent if it cannot be a version id.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "null" => Some(Self::Null),
            _ => version_order(text).map(|_| Self::Drawn(text.into())),
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
    fn newest(&self) -> Option<&Version> {
        self.list.back().map(|(_, version)| version)
    }

    fn is_live(&self) -> bool {
        self.newest().is_some_and(|version| version.object().is_some())
    }

    /// Where a version stands.
    fn position(&self, id: &VersionId) -> Option<usize> {
        let order = match id {
            VersionId::Null => self.null?,
            VersionId::Drawn(text) => version_order(text)?,
        };
        let at = self.list.binary_search_by_key(&order, |(order, _)| *order).ok()?;
        self.list.get(at).filter(|(_, version)| version.id() == id).map(|_| at)
    }

    /// Adds the newest; a version with the same id is replaced, as happens to `null`.
    fn push(&mut self, order: u64, version: Version) {
        if let Some(at) = self.position(version.id()) {
            self.list.remove(at);
        }
        if *version.id() == VersionId::Null {
            self.null = Some(order);
        }
        self.list.push_back((order, version));
    }

    fn remove(&mut self, id: &VersionId) -> Option<Version> {
        let (_, version) = self.list.remove(self.position(id)?)?;
        if *id == VersionId::Null {
            self.null = None;
        }
        Some(version)
    }
}

impl<'a> KeyVersions<'a> {
    pub(crate) fn newest_first(self) -> impl Iterator<Item = &'a Version> + use<'a> {
        self.0.list.iter().rev().map(|(_, version)| version)
    }

    /// Those older than a version, which may be gone: newest first, each with whether it is the newest of all.
    ///
    /// Where the version without an id once stood is not known when it is gone; then nothing is left out.
    pub(crate) fn older_than(
        self,
        id: Option<&VersionId>,
    ) -> impl Iterator<Item = (&'a Version, bool)> + use<'a> {
        let list = &self.0.list;
        let order = match id {
            None => None,
            Some(VersionId::Null) => self.0.null,
            Some(VersionId::Drawn(text)) => version_order(text),
        };
        let end = order.map_or(list.len(), |order| list.partition_point(|(other, _)| *other < order));
        list.range(..end).enumerate().rev().map(|(at, (_, version))| (version, at + 1 == list.len()))
    }

    pub(crate) fn is_single(self) -> bool {
        self.0.list.len() == 1
    }
}

impl Objects {
    /// The order of the next version, for its id.
    pub(crate) fn next_order(&self) -> u64 {
        self.last_order + 1
    }

    fn get(&self, key: &str) -> Option<&Versions> {
        self.live.get(key).or_else(|| self.deleted.get(key))
    }

    /// The object that a read without a version id finds.
    pub(crate) fn current(&self, key: &str) -> Option<&Arc<Object>> {
        self.live.get(key)?.newest()?.object()
    }

    /// The newest version, be it a delete marker.
    pub(crate) fn newest(&self, key: &str) -> Option<&Version> {
        self.get(key)?.newest()
    }

    pub(crate) fn version(&self, key: &str, id: &VersionId) -> Option<&Version> {
        let versions = self.get(key)?;
        versions.list.get(versions.position(id)?).map(|(_, version)| version)
    }

    /// The object to change in place what may be changed: tags, ACL, retention. `None` is the newest.
    pub(crate) fn object_mut(&mut self, key: &str, id: Option<&VersionId>) -> Option<&mut Object> {
        let versions = match self.live.contains_key(key) {
            true => Arc::make_mut(&mut self.live).get_mut(key)?,
            false if self.deleted.contains_key(key) => Arc::make_mut(&mut self.deleted).get_mut(key)?,
            false => return None,
        };
        let at = match id {
            None => versions.list.len().checked_sub(1)?,
            Some(id) => versions.position(id)?,
        };
        match versions.list.get_mut(at)? {
            (_, Version::Object(object)) => {
                self.touched.entry((key.to_owned(), object.version.clone())).or_insert(Touch::Changed);
                Some(Arc::make_mut(object))
            }
            (_, Version::Marker(_)) => None,
        }
    }

    /// The current objects of a range of keys.
    pub(crate) fn range(
        &self,
        range: impl RangeBounds<String>,
    ) -> impl Iterator<Item = (&String, &Arc<Object>)> {
        let objects = self.live.range(range);
        objects.filter_map(|(key, versions)| {
            self.step();
            Some((key, versions.newest()?.object()?))
        })
    }

    /// The keys of a range with all their versions.
    pub(crate) fn range_versions(
        &self,
        range: (Bound<String>, Bound<String>),
    ) -> impl Iterator<Item = (&String, KeyVersions<'_>)> {
        let mut live = self.live.range(range.clone()).peekable();
        let mut deleted = self.deleted.range(range).peekable();
        std::iter::from_fn(move || {
            self.step();
            let deleted_first = match (live.peek(), deleted.peek()) {
                (Some((live, _)), Some((deleted, _))) => deleted < live,
                (None, _) => true,
                (_, None) => false,
            };
            let next = if deleted_first { deleted.next() } else { live.next() };
            next.map(|(key, versions)| (key, KeyVersions(versions)))
        })
    }

    /// Adds a version as the newest; one with the same id is replaced, as happens to `null`.
    pub(super) fn push(&mut self, key: &str, version: Version) {
        self.touched.insert((key.to_owned(), version.id().clone()), Touch::Placed);
        let drawn = match version.id() {
            VersionId::Drawn(text) => version_order(text),
            VersionId::Null => None,
        };
        let order = drawn.unwrap_or(self.last_order + 1);
        self.last_order = self.last_order.max(order);
        let is_live = version.object().is_some();
        // Most writes find the key where it belongs.
        let place = Arc::make_mut(if is_live { &mut self.live } else { &mut self.deleted });
        if let Some(versions) = place.get_mut(key) {
            versions.push(order, version);
            return;
        }
        let other = if is_live { &mut self.deleted } else { &mut self.live };
        let had = other.contains_key(key).then(|| Arc::make_mut(other).remove(key)).flatten();
        let mut versions = had.unwrap_or_default();
        versions.push(order, version);
        let place = Arc::make_mut(if is_live { &mut self.live } else { &mut self.deleted });
        place.insert(key.to_owned(), versions);
    }

    /// Takes a version away for good.
    pub(super) fn remove(&mut self, key: &str, id: &VersionId) -> Option<Version> {
        let was_live = self.live.contains_key(key);
        let place = if was_live { &mut self.live } else { &mut self.deleted };
        if !place.contains_key(key) {
            return None;
        }
        let place = Arc::make_mut(place);
        let versions = place.get_mut(key)?;
        let removed = versions.remove(id)?;
        self.touched.insert((key.to_owned(), id.clone()), Touch::Placed);
        if versions.list.is_empty() {
            place.remove(key);
        } else if versions.is_live() != was_live
            && let Some((key, versions)) = place.remove_entry(key)
        {
            let other = Arc::make_mut(if was_live { &mut self.deleted } else { &mut self.live });
            other.insert(key, versions);
        }
        Some(removed)
    }

    /// Takes the notes on which versions changed.
    pub(super) fn take_changes(&mut self) -> BTreeMap<(String, VersionId), Touch> {
        std::mem::take(&mut self.touched)
    }

    /// Whether there is nothing at all, not even a delete marker.
    pub(crate) fn is_empty(&self) -> bool {
        self.live.is_empty() && self.deleted.is_empty()
    }

    /// Counts a key that was looked at, for the tests that hold the cost of a page to its length.
    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "counts in tests")]
    fn step(&self) {}

    #[cfg(test)]
    fn step(&self) {
        self.steps.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    /// How many keys were looked at since this was last asked.
    #[cfg(test)]
    pub(crate) fn take_steps(&self) -> usize {
        self.steps.0.swap(0, std::sync::atomic::Ordering::Relaxed)
    }
}

/// Keys looked at.
#[cfg(test)]
#[derive(Clone, Debug, Default)]
struct Steps(Arc<std::sync::atomic::AtomicUsize>);
