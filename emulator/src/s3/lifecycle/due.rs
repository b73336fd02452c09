//! When a rule acts on what.

use jiff::{SignedDuration, Timestamp};

use crate::s3::calendar::end_of_days;
use crate::state::{Expiration, LifecycleRule, MinimumSize, Object, When};

/// Objects below this size are not moved by default, in bytes.
const MINIMUM_BYTES: u64 = 128 * 1024;

/// How long a day of a rule is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Days {
    /// Of 24 hours, ending at midnight.
    #[default]
    Calendar,
    /// Of this length, ending when they end: for tests that wait for days to pass.
    Simulated(SignedDuration),
}

impl Days {
    /// So many days after `from`.
    pub(crate) fn end(self, from: Timestamp, days: i32) -> Timestamp {
        match self {
            Self::Calendar => end_of_days(from, days),
            Self::Simulated(day) => {
                let length = day.checked_mul(days).unwrap_or(SignedDuration::MAX);
                from.saturating_add(length).unwrap_or(Timestamp::MAX)
            }
        }
    }

    fn when(self, when: When, created: Timestamp) -> Timestamp {
        match when {
            When::Days(days) => self.end(created, days),
            When::Date(date) => date,
        }
    }
}

/// Whether a rule is in force and for this object.
pub(crate) fn is_for(rule: &LifecycleRule, key: &str, object: &Object) -> bool {
    rule.is_enabled
        && key.starts_with(rule.scope.prefix())
        && rule.scope.covers(object.content.len(), &object.attributes.tags)
}

/// Whether a rule is in force and for delete markers under this key; they have neither tags nor a size.
pub(crate) fn is_for_marker(rule: &LifecycleRule, key: &str) -> bool {
    rule.is_enabled
        && key.starts_with(rule.scope.prefix())
        && !rule.scope.has_tags()
        && !rule.scope.has_sizes()
}

/// When a current version expires.
pub(crate) fn expiration(rule: &LifecycleRule, created: Timestamp, days: Days) -> Option<Timestamp> {
    match rule.expiration? {
        Expiration::At(when) => Some(days.when(when, created)),
        Expiration::DeleteMarker(_) => None,
    }
}

/// When a delete marker that stands alone goes away; it need not wait for anything unless days are given.
pub(crate) fn marker_expiration(rule: &LifecycleRule, created: Timestamp, days: Days) -> Option<Timestamp> {
    match rule.expiration? {
        Expiration::At(when) => Some(days.when(when, created)),
        Expiration::DeleteMarker(goes) => goes.then_some(created),
    }
}

/// The moves of a current version: when and to what.
pub(crate) fn transitions(
    rule: &LifecycleRule,
    created: Timestamp,
    days: Days,
) -> impl Iterator<Item = (Timestamp, &str)> {
    rule.transitions
        .iter()
        .map(move |transition| (days.when(transition.when, created), transition.storage_class.as_str()))
}

/// When a noncurrent version is removed. `newer` is how many noncurrent versions are newer than it.
pub(crate) fn noncurrent_expiration(
    rule: &LifecycleRule,
    noncurrent_since: Timestamp,
    newer: usize,
    days: Days,
) -> Option<Timestamp> {
    let of = rule.noncurrent_expiration?;
    is_beyond(of.newer, newer).then(|| days.end(noncurrent_since, of.days))
}

/// The moves of a noncurrent version.
pub(crate) fn noncurrent_transitions(
    rule: &LifecycleRule,
    noncurrent_since: Timestamp,
    newer: usize,
    days: Days,
) -> impl Iterator<Item = (Timestamp, &str)> {
    rule.noncurrent_transitions.iter().filter(move |transition| is_beyond(transition.of.newer, newer)).map(
        move |transition| (days.end(noncurrent_since, transition.of.days), transition.storage_class.as_str()),
    )
}

fn is_beyond(spared: Option<u32>, newer: usize) -> bool {
    spared.is_none_or(|spared| newer >= usize::try_from(spared).unwrap_or(usize::MAX))
}

/// Whether an object is moved at all: only downward, and not if it is small and no rule speaks of its size.
pub(crate) fn may_move(object: &Object, to: &str, minimum: MinimumSize, rule: &LifecycleRule) -> bool {
    let from = object.attributes.headers.storage_class.as_deref().unwrap_or("STANDARD");
    let is_small = object.content.len() < MINIMUM_BYTES && !rule.scope.has_sizes();
    let is_archive = matches!(to, "GLACIER" | "DEEP_ARCHIVE");
    let is_too_small = is_small && (minimum == MinimumSize::AllStorageClasses || !is_archive);
    // The one exception to the order: a single zone is no way to instant retrieval.
    let is_downward = rank(from) < rank(to) && (from, to) != ("ONEZONE_IA", "GLACIER_IR");
    is_downward && !is_too_small
}

/// The order in which classes follow each other.
pub(crate) fn rank(class: &str) -> u8 {
    match class {
        "STANDARD_IA" => 1,
        "INTELLIGENT_TIERING" => 2,
        "ONEZONE_IA" => 3,
        "GLACIER_IR" => 4,
        "GLACIER" => 5,
        "DEEP_ARCHIVE" => 6,
        _ => 0,
    }
}
