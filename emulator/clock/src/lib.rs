//! The one door to real time, sleep and entropy.
//!
//! A test that owns the clock can hold an expiry still or step over it; a test that owns the entropy can
//! compare two runs byte by byte. Both are possible only if nothing else in the workspace asks the machine.
//! `clippy.toml` bans the other sources, and this file holds the only exceptions.
//!
//! ```
//! use bucketproof_clock::Clock;
//! use std::time::Duration;
//!
//! let clock = Clock::manual("2026-01-01T00:00:00Z".parse()?);
//! clock.advance(Duration::from_secs(901));
//! assert_eq!(clock.now().to_string(), "2026-01-01T00:15:01Z");
//! # Ok::<(), jiff::Error>(())
//! ```

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

/// A source of time, cheap to clone; clones share one hand.
///
/// A manual clock stands still until it is told to move; who waits on it moves it. A frozen clock stands still also
/// for those. The system clock follows the machine, shifted by what [`Clock::advance`] has added.
#[derive(Clone, Debug)]
pub struct Clock {
    hand: Arc<Mutex<Hand>>,
}

/// How a clock moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// At the machine's pace, perhaps shifted.
    System,
    /// When told to, and by those who wait on it.
    Manual,
    /// Only when told to.
    Frozen,
}

#[derive(Clone, Copy, Debug)]
enum Hand {
    System { offset: SignedDuration },
    Manual { now: Timestamp },
    Frozen { now: Timestamp },
}

impl Clock {
    fn with(hand: Hand) -> Self {
        Self { hand: Arc::new(Mutex::new(hand)) }
    }

    /// A clock that follows the machine.
    pub fn system() -> Self {
        Self::offset(SignedDuration::ZERO)
    }

    /// A clock that follows the machine at this distance, ahead or behind.
    pub fn offset(offset: SignedDuration) -> Self {
        Self::with(Hand::System { offset })
    }

    /// A clock that runs at the machine's pace from `start` on.
    pub fn system_from(start: Timestamp) -> Self {
        Self::offset(start.duration_since(machine_time()))
    }

    /// A clock that stands at `start` until [`Clock::advance`], [`Clock::set`] or [`Clock::sleep`] moves it.
    pub fn manual(start: Timestamp) -> Self {
        Self::with(Hand::Manual { now: start })
    }

    /// A clock that stands at `start` until [`Clock::advance`] or [`Clock::set`] moves it; waiting on it takes no time.
    pub fn frozen(start: Timestamp) -> Self {
        Self::with(Hand::Frozen { now: start })
    }

    /// A clock of its own that shows the same and moves in the same way.
    pub fn fork(&self) -> Self {
        Self::with(*self.hand.lock())
    }

    /// The current instant, UTC.
    pub fn now(&self) -> Timestamp {
        match *self.hand.lock() {
            Hand::System { offset } => shifted(machine_time(), offset),
            Hand::Manual { now } | Hand::Frozen { now } => now,
        }
    }

    /// The current instant as the standard library's type, which the AWS SDK asks for.
    pub fn system_time(&self) -> SystemTime {
        SystemTime::from(self.now())
    }

    /// Moves the clock forward by `step`.
    pub fn advance(&self, step: Duration) {
        let step = SignedDuration::try_from(step).unwrap_or(SignedDuration::MAX);
        match &mut *self.hand.lock() {
            Hand::System { offset } => *offset = offset.saturating_add(step),
            Hand::Manual { now } | Hand::Frozen { now } => *now = shifted(*now, step),
        }
    }

    /// Moves the clock to `instant`, forward or back.
    pub fn set(&self, instant: Timestamp) {
        match &mut *self.hand.lock() {
            Hand::System { offset } => *offset = instant.duration_since(machine_time()),
            Hand::Manual { now } | Hand::Frozen { now } => *now = instant,
        }
    }

    /// How it moves.
    pub fn pace(&self) -> Pace {
        match *self.hand.lock() {
            Hand::System { .. } => Pace::System,
            Hand::Manual { .. } => Pace::Manual,
            Hand::Frozen { .. } => Pace::Frozen,
        }
    }

    /// Makes it move in this way from what it shows now on.
    pub fn set_pace(&self, pace: Pace) {
        let now = self.now();
        *self.hand.lock() = match pace {
            Pace::System => Hand::System { offset: now.duration_since(machine_time()) },
            Pace::Manual => Hand::Manual { now },
            Pace::Frozen => Hand::Frozen { now },
        };
    }

    /// Whether the clock moves only when told to.
    pub fn is_manual(&self) -> bool {
        self.pace() != Pace::System
    }

    /// Waits for `length`. On a manual clock the wait takes no real time: it advances the clock and yields once,
    /// so that a back-off in a test is instant and still visible in the time stamps that follow it. On a frozen clock
    /// it only yields.
    #[expect(clippy::disallowed_methods, reason = "this file is the door to real sleep")]
    pub async fn sleep(&self, length: Duration) {
        match self.pace() {
            Pace::System => tokio::time::sleep(length).await,
            Pace::Manual => {
                self.advance(length);
                tokio::task::yield_now().await;
            }
            Pace::Frozen => tokio::task::yield_now().await,
        }
    }
}

/// Measures real elapsed time; for reports of how long a run took, never for behaviour.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    start: std::time::Instant,
}

impl Stopwatch {
    /// Starts measuring.
    #[expect(clippy::disallowed_methods, reason = "this file is the door to real time")]
    pub fn start() -> Self {
        Self { start: std::time::Instant::now() }
    }

    /// Real time since the start.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A source of bytes for ids and secrets.
///
/// Seeded, it yields the same bytes in every run; from the machine, it yields unpredictable ones.
#[derive(Clone, Debug)]
pub struct Entropy {
    source: Arc<Source>,
}

#[derive(Debug)]
enum Source {
    Machine,
    Seeded { state: Mutex<u64> },
}

impl Entropy {
    /// Unpredictable bytes from the operating system.
    pub fn machine() -> Self {
        Self { source: Arc::new(Source::Machine) }
    }

    /// Reproducible bytes: a SplitMix64 sequence that starts at `seed`. Not fit for secrets that matter.
    pub fn seeded(seed: u64) -> Self {
        Self { source: Arc::new(Source::Seeded { state: Mutex::new(seed) }) }
    }

    /// A source of its own that yields what this one would yield from here on; the machine's yields anything.
    pub fn fork(&self) -> Self {
        match &*self.source {
            Source::Machine => Self::machine(),
            Source::Seeded { state } => Self::seeded(*state.lock()),
        }
    }

    /// Goes to where `other` stands, so that both yield the same from here on. The machine's stays what it is.
    pub fn follow(&self, other: &Self) {
        if let (Source::Seeded { state }, Source::Seeded { state: target }) = (&*self.source, &*other.source)
        {
            let target = *target.lock();
            *state.lock() = target;
        }
    }

    /// The next eight bytes as a number.
    ///
    /// # Panics
    /// If the operating system has no entropy: no secret can be made then, and nothing could stand in for it.
    #[expect(clippy::disallowed_methods, reason = "this file is the door to real entropy")]
    #[expect(
        clippy::expect_used,
        reason = "without entropy no secret can be made; there is nothing to fall back to"
    )]
    pub fn next_u64(&self) -> u64 {
        match &*self.source {
            Source::Machine => {
                let mut bytes = [0; 8];
                getrandom::fill(&mut bytes).expect("the operating system provides entropy");
                u64::from_le_bytes(bytes)
            }
            Source::Seeded { state } => split_mix(&mut state.lock()),
        }
    }

    /// Fills `bytes`, eight at a time; a part of eight uses up a whole draw.
    pub fn fill(&self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(8) {
            let drawn = self.next_u64().to_le_bytes();
            part.iter_mut().zip(drawn).for_each(|(byte, drawn)| *byte = drawn);
        }
    }

    /// `length` characters drawn evenly from `alphabet`; an empty alphabet gives an empty text.
    pub fn text(&self, alphabet: &[u8], length: usize) -> String {
        let size = alphabet.len() as u64;
        let character = |number: u64| {
            // Most alphabets have a power of two of characters, which spares a division.
            let index =
                if size.is_power_of_two() { number & (size - 1) } else { number.checked_rem(size)? };
            usize::try_from(index).ok().and_then(|index| alphabet.get(index)).copied().map(char::from)
        };
        let mut text = String::with_capacity(length);
        match &*self.source {
            Source::Machine => text.extend((0..length).filter_map(|_| character(self.next_u64()))),
            Source::Seeded { state } => {
                let mut state = state.lock();
                text.extend((0..length).filter_map(|_| character(split_mix(&mut state))));
            }
        }
        text
    }
}

/// The next number of the sequence SplitMix64.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[expect(clippy::disallowed_methods, reason = "this file is the door to real time")]
fn machine_time() -> Timestamp {
    Timestamp::now()
}

fn shifted(instant: Timestamp, by: SignedDuration) -> Timestamp {
    instant.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
