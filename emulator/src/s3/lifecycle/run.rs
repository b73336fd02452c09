//! Lifecycle rules at work.
//!
//! S3 looks at its rules once a day, at midnight UTC. So does this, at the first request after a midnight; if the clock
//! has leapt over several at which something was due, each is gone through in order, because what one day does decides
//! what the next one finds. A request between midnights costs one comparison.

use std::ops::Bound;

use jiff::{SignedDuration, Timestamp};

use super::due::{self, Days};
use crate::s3::calendar::{midnight_after, midnight_before};
use crate::state::{
    Bucket, EventKind, Happening, LifecycleConfiguration, LifecycleRule, Object, Version, VersionId, World,
};

/// How many times a simulated day is looked at.
const LOOKS_PER_SIMULATED_DAY: i32 = 10;

/// When rules are looked at next.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LifecycleClock {
    days: Days,
    /// Absent before the first request.
    next: Option<Timestamp>,
}

/// What a rule does to a version.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Act {
    /// The current version ends as a request without a version id would end it.
    Expire,
    /// A noncurrent version, or a lone delete marker, goes for good.
    Remove(VersionId),
    Move(VersionId, String),
}

/// What is to be done now, and when there may be more to do.
#[derive(Debug, Default)]
struct Plan {
    acts: Vec<(String, Act)>,
    aborts: Vec<(String, String)>,
    next: Option<Timestamp>,
}

impl LifecycleClock {
    pub(crate) fn with_days(days: Days) -> Self {
        Self { days, next: None }
    }

    /// One with days of the same length that has not looked yet.
    pub(crate) fn anew(self) -> Self {
        Self::with_days(self.days)
    }

    /// The instants to look at rules after `now`.
    fn next_after(&self, now: Timestamp) -> Timestamp {
        match self.days {
            Days::Calendar => midnight_after(now),
            Days::Simulated(day) => {
                let step = day.checked_div(LOOKS_PER_SIMULATED_DAY).unwrap_or(SignedDuration::ZERO);
                now.saturating_add(step.max(SignedDuration::from_millis(1))).unwrap_or(Timestamp::MAX)
            }
        }
    }
}

impl World {
    /// Does what lifecycle rules had to do up to `now`.
    pub(crate) fn run_lifecycle(&mut self, now: Timestamp) {
        let clock = self.lifecycle;
        if clock.next.is_some_and(|next| now < next) {
            return;
        }
        self.lifecycle.next = Some(clock.next_after(now));
        let mut at = match (clock.days, clock.next) {
            (Days::Simulated(_), _) => now,
            (Days::Calendar, Some(next)) => next,
            // The first request finds what an earlier process left undone.
            (Days::Calendar, None) => midnight_before(now),
        };
        loop {
            match self.look(at, clock.days) {
                Some(due) if due <= now => at = due,
                _ => return,
            }
        }
    }

    /// Does what is due at `at`, in every bucket; answers when the next thing is.
    fn look(&mut self, at: Timestamp, days: Days) -> Option<Timestamp> {
        let configured =
            self.buckets.values().filter_map(|bucket| Some((bucket.name.clone(), bucket.lifecycle.clone()?)));
        let mut next: Option<Timestamp> = None;
        for (name, lifecycle) in configured.collect::<Vec<_>>() {
            let Some(bucket) = self.buckets.get(&name) else { continue };
            let plan = Plan::of(bucket, &lifecycle, at, days);
            // What was done may make something else due, and does so on another day.
            let more = (!plan.acts.is_empty()).then(|| midnight_after(at));
            next = [next, plan.next, more].into_iter().flatten().min();
            self.follow(&name, plan, at);
        }
        next
    }

    fn follow(&mut self, name: &str, plan: Plan, at: Timestamp) {
        for (key, act) in plan.acts {
            let Some(bucket) = self.buckets.get_mut(name) else { return };
            match act {
                Act::Remove(id) => {
                    bucket.remove(&key, &id);
                    let version = bucket.shown(&id).map(VersionId::to_string);
                    self.announce(Happening::removal(EventKind::LifecycleDelete, name, &key, version));
                }
                Act::Move(id, class) => {
                    if let Some(object) = bucket.objects.object_mut(&key, Some(&id)) {
                        object.attributes.headers.storage_class = Some(class.clone());
                    }
                    self.announce_moved(name, &key, &id, class);
                }
                // The bucket is there, so this cannot be refused.
                Act::Expire => {
                    let version = self.delete(name, &key, at).ok().flatten();
                    self.announce_deleted(
                        EventKind::LifecycleDelete,
                        EventKind::LifecycleDeleteMarkerCreated,
                        name,
                        &key,
                        (true, version.as_ref()),
                    );
                }
            }
        }
        let Some(bucket) = self.buckets.get_mut(name) else { return };
        for (key, id) in plan.aborts {
            bucket.uploads.remove(&(key.clone(), id));
            bucket.forget_changes(&key);
        }
    }
}

impl Plan {
    fn of(bucket: &Bucket, lifecycle: &LifecycleConfiguration, at: Timestamp, days: Days) -> Self {
        let mut plan = Self::default();
        for (key, versions) in bucket.objects.range_versions((Bound::Unbounded, Bound::Unbounded)) {
            let mut look = Look { key, lifecycle, at, days, plan: &mut plan };
            let is_alone = versions.is_single();
            let mut successor: Option<Timestamp> = None;
            for (index, version) in versions.newest_first().enumerate() {
                let created = last_modified(version);
                match (successor, version) {
                    (None, Version::Object(object)) => look.at_current(object),
                    (None, Version::Marker(marker)) if is_alone => look.at_marker(&marker.version, created),
                    (None, Version::Marker(_)) => {}
                    (Some(since), _) => look.at_noncurrent(version, since, index - 1),
                }
                successor = Some(created);
            }
        }
        for ((key, id), upload) in bucket.uploads.iter() {
            let rules = lifecycle.rules.iter();
            let rules = rules.filter(|rule| rule.is_enabled && key.starts_with(rule.scope.prefix()));
            let dues = rules.filter_map(|rule| Some(days.end(upload.initiated_at, rule.abort_after_days?)));
            let Some(due) = dues.min() else { continue };
            if due <= at {
                plan.aborts.push((key.clone(), id.clone()));
            } else {
                plan.await_instant(due);
            }
        }
        plan
    }

    fn await_instant(&mut self, due: Timestamp) {
        self.next = Some(self.next.map_or(due, |next| next.min(due)));
    }
}

fn last_modified(version: &Version) -> Timestamp {
    match version {
        Version::Object(object) => object.last_modified,
        Version::Marker(marker) => marker.last_modified,
    }
}

/// A look at the versions under one key.
struct Look<'a> {
    key: &'a str,
    lifecycle: &'a LifecycleConfiguration,
    at: Timestamp,
    days: Days,
    plan: &'a mut Plan,
}

impl<'a> Look<'a> {
    /// Whether one of these instants has come; the first that has not is waited for.
    fn has_come(&mut self, dues: impl Iterator<Item = Timestamp>) -> bool {
        match dues.min() {
            Some(due) if due <= self.at => true,
            Some(due) => {
                self.plan.await_instant(due);
                false
            }
            None => false,
        }
    }

    fn act(&mut self, act: Act) {
        self.plan.acts.push((self.key.to_owned(), act));
    }

    fn rules_for(&self, object: &'a Object) -> impl Iterator<Item = &'a LifecycleRule> + use<'a> {
        let key = self.key;
        self.lifecycle.rules.iter().filter(move |rule| due::is_for(rule, key, object))
    }

    fn at_current(&mut self, object: &'a Object) {
        let (created, days) = (object.last_modified, self.days);
        let moves = self.rules_for(object);
        let moves = moves
            .flat_map(|rule| due::transitions(rule, created, days).map(move |(due, to)| (due, to, rule)));
        self.move_if_due(object, moves.collect());
        let dues = self.rules_for(object).filter_map(|rule| due::expiration(rule, created, days));
        if self.has_come(dues) {
            self.act(Act::Expire);
        }
    }

    fn at_marker(&mut self, id: &VersionId, created: Timestamp) {
        let (key, days) = (self.key, self.days);
        let rules = self.lifecycle.rules.iter().filter(|rule| due::is_for_marker(rule, key));
        if self.has_come(rules.filter_map(|rule| due::marker_expiration(rule, created, days))) {
            self.act(Act::Remove(id.clone()));
        }
    }

    /// `newer` is how many noncurrent versions are newer than this one.
    fn at_noncurrent(&mut self, version: &'a Version, since: Timestamp, newer: usize) {
        let (key, days) = (self.key, self.days);
        let object = match version {
            Version::Marker(marker) => {
                let rules = self.lifecycle.rules.iter().filter(|rule| due::is_for_marker(rule, key));
                let dues = rules.filter_map(|rule| due::noncurrent_expiration(rule, since, newer, days));
                if self.has_come(dues) {
                    self.act(Act::Remove(marker.version.clone()));
                }
                return;
            }
            Version::Object(object) => object.as_ref(),
        };
        let dues =
            self.rules_for(object).filter_map(|rule| due::noncurrent_expiration(rule, since, newer, days));
        let is_due = self.has_come(dues);
        if is_due && !object.attributes.lock.protects(self.at, false) {
            self.act(Act::Remove(object.version.clone()));
            return;
        }
        if let Some(retention) = object.attributes.lock.retention.filter(|_| is_due) {
            // What is locked is removed when it no longer is.
            self.plan.await_instant(midnight_after(retention.until.max(self.at)));
        }
        let moves = self.rules_for(object).flat_map(|rule| {
            due::noncurrent_transitions(rule, since, newer, days).map(move |(due, to)| (due, to, rule))
        });
        self.move_if_due(object, moves.collect());
    }

    /// Of the moves that are due, that to the lowest class is made.
    fn move_if_due(&mut self, object: &Object, moves: Vec<(Timestamp, &str, &LifecycleRule)>) {
        let minimum = self.lifecycle.minimum_size;
        let mut target: Option<&str> = None;
        for (due, to, rule) in moves {
            if !due::may_move(object, to, minimum, rule) {
                continue;
            }
            if due > self.at {
                self.plan.await_instant(due);
            } else if target.is_none_or(|other| due::rank(to) > due::rank(other)) {
                target = Some(to);
            }
        }
        if let Some(to) = target {
            self.act(Act::Move(object.version.clone(), to.to_owned()));
        }
    }
}
