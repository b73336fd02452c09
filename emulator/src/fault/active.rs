//! The faults in force: which meet a request, and how often each did.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bucketproof_clock::Entropy;
use http::Response;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::{Effect, Fault, Parcel, slow_down};
use crate::error::AwsError;
use crate::exchange::Address;
use crate::journal::Journal;
use crate::operation::Op;
use crate::state::Content;

/// A fault that met its request.
#[derive(Clone, Debug)]
pub(crate) struct Matched {
    pub(crate) effects: Vec<Effect>,
    pub(crate) description: String,
}

impl Matched {
    /// Spoils the answer.
    pub(crate) fn spoil(&self, mut response: Response<Content>) -> Response<Content> {
        for effect in &self.effects {
            effect.spoil(&mut response);
        }
        response
    }

    /// How long the answer waits.
    pub(crate) fn delay(&self) -> Duration {
        let delays = self.effects.iter().filter_map(|effect| match effect {
            Effect::Delay(length) => Some(*length),
            _ => None,
        });
        delays.fold(Duration::ZERO, Duration::saturating_add)
    }

    /// How far the server's clock is off.
    pub(crate) fn skew(&self) -> SignedDuration {
        let skews = self.effects.iter().filter_map(|effect| match effect {
            Effect::ClockSkew(skew) => Some(*skew),
            _ => None,
        });
        skews.fold(SignedDuration::ZERO, SignedDuration::saturating_add)
    }

    /// Why a key of a `DeleteObjects` is not deleted.
    pub(crate) fn failing_key(&self, key: &str) -> Option<AwsError> {
        let fails = self.effects.iter().any(|effect| match effect {
            Effect::FailKeys { prefix } => key.starts_with(prefix.as_str()),
            _ => false,
        });
        fails.then(AwsError::internal)
    }
}

/// The faults in force.
#[derive(Clone, Debug)]
pub(crate) struct Faults {
    active: Arc<Mutex<Vec<Arc<Active>>>>,
    /// Those that came with the scenario.
    given: Arc<Mutex<Vec<Fault>>>,
    /// Counts all that were ever injected.
    count: Arc<AtomicU64>,
    seed: u64,
    /// What new orders are drawn from.
    order: Entropy,
}

#[derive(Debug)]
struct Active {
    number: u64,
    fault: Fault,
    met: AtomicU64,
    hits: AtomicU64,
    chance: Entropy,
    /// When requests passed, by prefix.
    passed: Mutex<BTreeMap<(String, String), VecDeque<Timestamp>>>,
}

impl Active {
    /// Whether the fault acts on a request that it covers.
    fn acts(&self, address: &Address, now: Timestamp) -> bool {
        let met = self.met.fetch_add(1, Ordering::Relaxed);
        let Some(beyond) = met.checked_sub(self.fault.skip) else { return false };
        let turn = (beyond + 1).is_multiple_of(self.fault.every);
        let chance = self.fault.probability.is_none_or(|probability| {
            let drawn = u32::try_from(self.chance.next_u64() >> 32).unwrap_or(u32::MAX);
            f64::from(drawn) / 4_294_967_296.0 < probability
        });
        if !turn || !chance || self.hits.load(Ordering::Relaxed) >= self.fault.times {
            return false;
        }
        let exceeds = self.fault.effects.iter().all(|effect| match effect {
            Effect::Throttle { requests, period } => self.exceeds(address, *requests, *period, now),
            _ => true,
        });
        if exceeds {
            self.hits.fetch_add(1, Ordering::Relaxed);
        }
        exceeds
    }

    /// Whether a request comes too early behind those that passed; if not, it passes.
    fn exceeds(&self, address: &Address, requests: u64, period: SignedDuration, now: Timestamp) -> bool {
        let key = address.key.as_deref().unwrap_or_default();
        let folder = key.rsplit_once('/').map_or("", |(folder, _)| folder);
        let prefix = (address.bucket.clone().unwrap_or_default(), folder.to_owned());
        let mut passed = self.passed.lock();
        let times = passed.entry(prefix).or_default();
        while times.front().is_some_and(|time| now.duration_since(*time) >= period) {
            times.pop_front();
        }
        let exceeds = times.len() as u64 >= requests;
        if !exceeds {
            times.push_back(now);
        }
        exceeds
    }
}

/// A fault as the admin API shows it.
#[derive(Debug, serde::Serialize)]
pub(crate) struct FaultView {
    pub(crate) id: u64,
    pub(crate) name: Option<String>,
    description: String,
    met: u64,
    pub(crate) hits: u64,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        let order = Entropy::seeded(seed ^ 0x6F72_6465_7200_0000);
        Self { active: Arc::default(), given: Arc::default(), count: Arc::default(), seed, order }
    }

    /// What chance is drawn from.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Puts the faults of a scenario in force, for as long as the emulator lives.
    pub(crate) fn give(&self, faults: Vec<Fault>) {
        *self.given.lock() = faults;
        self.reset();
    }

    /// Ends all faults, and begins those of the scenario anew.
    pub(crate) fn reset(&self) {
        self.active.lock().clear();
        self.count.store(0, Ordering::Relaxed);
        let given = self.given.lock().clone();
        for fault in given {
            self.add(fault);
        }
    }

    fn add(&self, fault: Fault) -> Arc<Active> {
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let active = Arc::new(Active {
            number,
            fault,
            met: AtomicU64::new(0),
            hits: AtomicU64::new(0),
            // Each fault has its own chance: one does not change the luck of another.
            chance: Entropy::seeded(self.seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15)),
            passed: Mutex::default(),
        });
        self.active.lock().push(Arc::clone(&active));
        active
    }

    pub(crate) fn inject(&self, fault: Fault, journal: &Journal) -> FaultGuard {
        FaultGuard { faults: self.clone(), active: self.add(fault), journal: journal.clone() }
    }

    /// Puts a fault in force without a guard, and tells its number.
    pub(crate) fn inject_for_good(&self, fault: Fault) -> u64 {
        self.add(fault).number
    }

    /// Ends all faults, those of the scenario too.
    pub(crate) fn end_all(&self) {
        self.active.lock().clear();
    }

    /// Ends the fault of this number; false if there is none.
    pub(crate) fn end(&self, number: u64) -> bool {
        let mut active = self.active.lock();
        let before = active.len();
        active.retain(|active| active.number != number);
        active.len() < before
    }

    pub(crate) fn views(&self) -> Vec<FaultView> {
        let active = self.active.lock();
        let views = active.iter().map(|active| FaultView {
            id: active.number,
            name: active.fault.name.clone(),
            description: active.fault.to_string(),
            met: active.met.load(Ordering::Relaxed),
            hits: active.hits.load(Ordering::Relaxed),
        });
        views.collect()
    }

    /// How often the fault of this name has acted; absent if there is none.
    pub(crate) fn hits(&self, name: &str) -> Option<u64> {
        let active = self.active.lock();
        let named = active.iter().find(|active| active.fault.name.as_deref() == Some(name))?;
        Some(named.hits.load(Ordering::Relaxed))
    }

    /// Whether nothing is in force.
    pub(crate) fn are_none(&self) -> bool {
        self.active.lock().is_empty()
    }

    /// The faults that act on this request; each is counted.
    pub(crate) fn matching(
        &self,
        op: Op,
        address: &Address,
        principal: Option<&str>,
        now: Timestamp,
    ) -> Vec<Matched> {
        self.acting(address, now, |fault| {
            !fault.is_early() && !fault.is_of_events() && fault.covers(Some(op), address, principal)
        })
    }

    /// The faults that act on an event on its way; each is counted.
    pub(crate) fn matching_parcel(&self, parcel: &Parcel, now: Timestamp) -> Vec<Matched> {
        self.acting(&parcel.address, now, |fault| fault.is_of_events() && parcel.is_covered_by(fault))
    }

    /// A new order of `count` things, which is never the old one if there are two: for each place, which thing comes.
    /// The same faults after the same events give the same one.
    pub(crate) fn shuffle(&self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for place in (1..count).rev() {
            let below = u64::try_from(place).unwrap_or(u64::MAX).saturating_add(1);
            let other = usize::try_from(self.order.next_u64() % below).unwrap_or(0);
            order.swap(place, other);
        }
        if order.is_sorted() && count > 1 {
            order.rotate_left(1);
        }
        order
    }

    /// The faults that act before anybody knows what this request is for; each is counted.
    pub(crate) fn matching_early(&self, address: &Address, now: Timestamp) -> Vec<Matched> {
        self.acting(address, now, |fault| fault.is_early() && fault.covers(None, address, None))
    }

    fn acting(&self, address: &Address, now: Timestamp, covers: impl Fn(&Fault) -> bool) -> Vec<Matched> {
        let active = self.active.lock();
        let acting = active.iter().filter(|active| covers(&active.fault) && active.acts(address, now));
        let matched = acting.map(|active| Matched {
            effects: active.fault.effects.iter().map(as_met).collect(),
            description: active.fault.to_string(),
        });
        matched.collect()
    }
}

/// What exceeds a throttle is refused.
fn as_met(effect: &Effect) -> Effect {
    match effect {
        Effect::Throttle { .. } => Effect::Refuse(slow_down()),
        other => other.clone(),
    }
}

/// Keeps a fault in force; dropping it ends the fault.
#[derive(Debug)]
#[must_use = "the fault ends when its guard is dropped"]
pub struct FaultGuard {
    faults: Faults,
    active: Arc<Active>,
    journal: Journal,
}

impl FaultGuard {
    /// How many requests the fault has acted on.
    pub fn hits(&self) -> u64 {
        self.active.hits.load(Ordering::Relaxed)
    }

    /// Fails the test if the fault has not acted: a fault that never met its request proves nothing.
    ///
    /// # Panics
    /// If it has not acted, with the requests that it was not for.
    #[track_caller]
    pub fn assert_hit(&self) {
        let fault = &self.active.fault;
        assert!(self.hits() > 0, "the fault `{fault}` never acted; {}", self.story());
    }

    /// Fails the test if the fault has acted: what it was for should not have been asked.
    ///
    /// # Panics
    /// If it has acted, with the requests that it acted on.
    #[track_caller]
    pub fn assert_never_hit(&self) {
        self.assert_hits(0);
    }

    /// Fails the test unless the fault has acted on that many requests.
    ///
    /// ```
    /// # use bucketproof_emulator::{Emulator, Fault, Op};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let emulator = Emulator::builder().start().await?;
    /// let slow = emulator.inject(Fault::on(Op::ListBuckets).times(2).slow_down());
    /// let never = emulator.inject(Fault::on(Op::DeleteObject).drop_answer());
    /// emulator.s3("administrator").list_buckets().send().await.expect("the SDK tries three times");
    /// slow.assert_hits(2);
    /// never.assert_never_hit();
    /// # Ok::<(), bucketproof_emulator::StartError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Panics
    /// If it has acted on more or fewer, with what it met.
    #[track_caller]
    pub fn assert_hits(&self, hits: u64) {
        let (found, fault) = (self.hits(), &self.active.fault);
        assert!(
            found == hits,
            "the fault `{fault}` acted {found} times, and should have {hits} times; {}",
            self.story()
        );
    }

    /// What the fault met, and which requests there were for its operation.
    fn story(&self) -> String {
        let (met, fault) = (self.active.met.load(Ordering::Relaxed), &self.active.fault);
        let mut text = format!("it met {met} requests");
        let limits = fault.limits();
        if !limits.is_empty() {
            let _infallible = write!(text, " ({limits})");
        }
        let all = self.journal.requests();
        let requests = fault.op.map_or_else(|| all.clone(), |op| all.clone().op(op));
        let what = fault.op.map(|op| format!(" for {op}")).unwrap_or_default();
        if requests.is_empty() {
            let _infallible = write!(
                text,
                "; the journal has no request{what}; next step: was it asked for, and of this emulator?"
            );
            return text;
        }
        let _infallible = write!(text, "; the journal has {} requests{what}", requests.len());
        for entry in requests.iter().rev().take(5).rev() {
            let _infallible = write!(text, "\n  {}", entry.summary());
        }
        text
    }
}

impl Drop for FaultGuard {
    fn drop(&mut self) {
        self.faults.active.lock().retain(|active| !Arc::ptr_eq(active, &self.active));
    }
}
