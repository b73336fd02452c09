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
/// A manual clock stands still until it is told to move. The system clock follows the machine, shifted by
/// what [`Clock::advance`] has added.
#[derive(Clone, Debug)]
pub struct Clock {
    hand: Arc<Hand>,
}

#[derive(Debug)]
enum Hand {
    System { offset: Mutex<SignedDuration> },
    Manual { now: Mutex<Timestamp> },
}

impl Clock {
    /// A clock that follows the machine.
    pub fn system() -> Self {
        Self { hand: Arc::new(Hand::System { offset: Mutex::new(SignedDuration::ZERO) }) }
    }

    /// A clock that runs at the machine's pace from `start` on.
    pub fn system_from(start: Timestamp) -> Self {
        let offset = start.duration_since(machine_time());
        Self { hand: Arc::new(Hand::System { offset: Mutex::new(offset) }) }
    }

    /// A clock that stands at `start` until [`Clock::advance`] or [`Clock::set`] moves it.
    pub fn manual(start: Timestamp) -> Self {
        Self { hand: Arc::new(Hand::Manual { now: Mutex::new(start) }) }
    }

    /// The current instant, UTC.
    pub fn now(&self) -> Timestamp {
        match &*self.hand {
            Hand::System { offset } => shifted(machine_time(), *offset.lock()),
            Hand::Manual { now } => *now.lock(),
        }
    }

    /// The current instant as the standard library's type, which the AWS SDK asks for.
    pub fn system_time(&self) -> SystemTime {
        SystemTime::from(self.now())
    }

    /// Moves the clock forward by `step`.
    pub fn advance(&self, step: Duration) {
        let step = SignedDuration::try_from(step).unwrap_or(SignedDuration::MAX);
        match &*self.hand {
            Hand::System { offset } => {
                let mut offset = offset.lock();
                *offset = offset.saturating_add(step);
            }
            Hand::Manual { now } => {
                let mut now = now.lock();
                *now = shifted(*now, step);
            }
        }
    }

    /// Moves the clock to `instant`, forward or back.
    pub fn set(&self, instant: Timestamp) {
        match &*self.hand {
            Hand::System { offset } => *offset.lock() = instant.duration_since(machine_time()),
            Hand::Manual { now } => *now.lock() = instant,
        }
    }

    /// Whether the clock moves only when told to.
    pub fn is_manual(&self) -> bool {
        matches!(*self.hand, Hand::Manual { .. })
    }

    /// Waits for `length`. On a manual clock the wait takes no real time: it advances the clock and yields once,
    /// so that a back-off in a test is instant and still visible in the time stamps that follow it.
    #[expect(clippy::disallowed_methods, reason = "this file is the door to real sleep")]
    pub async fn sleep(&self, length: Duration) {
        if self.is_manual() {
            self.advance(length);
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(length).await;
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
            Source::Seeded { state } => {
                let mut state = state.lock();
                *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
                let mut z = *state;
                z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
                z ^ (z >> 31)
            }
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
        (0..length)
            .filter_map(|_| {
                let index = self.next_u64().checked_rem(size)?;
                usize::try_from(index).ok().and_then(|index| alphabet.get(index)).copied().map(char::from)
            })
            .collect()
    }
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
