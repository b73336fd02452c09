//! When runs are due: pure functions of the last run and the time.

use std::time::Duration;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::profile::Cadence;

/// When an export runs. All times are UTC, so no change of a zone's clock moves a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// At whole multiples of a length, counted from the epoch: five minutes give :00, :05, and so on.
    Aligned {
        /// The length.
        every: Duration,
    },
    /// A length after the last run began.
    After {
        /// The length.
        every: Duration,
    },
    /// Once a day at this time.
    Daily {
        /// The time of day, UTC.
        at: Time,
    },
    /// As soon as enough waits, or once something has waited long enough.
    Streaming {
        /// Bytes of source text that are enough.
        bytes: u64,
        /// How long something waits at most.
        age: Duration,
    },
}

impl Schedule {
    /// The schedule of a profile's cadence.
    pub fn of(cadence: Cadence) -> Self {
        match cadence {
            Cadence::Aligned { every } => Self::Aligned { every },
            Cadence::After { every } => Self::After { every },
            Cadence::Daily { at } => Self::Daily { at },
            Cadence::Streaming { bytes, age } => Self::Streaming { bytes, age },
        }
    }

    /// The first time after `now` at which a run is due by the clock alone. `last` is when the last run began.
    /// A streaming schedule has none: what waits decides.
    pub fn next(&self, last: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Aligned { every } => next_multiple(*every, now),
            Self::After { every } => match last {
                None => Some(now),
                Some(last) => {
                    let due = last.saturating_add(signed(*every)).ok()?;
                    Some(due.max(now))
                }
            },
            Self::Daily { at } => {
                let zoned = now.to_zoned(TimeZone::UTC);
                let today = zoned.date().to_datetime(*at).to_zoned(TimeZone::UTC).ok()?.timestamp();
                if today > now {
                    return Some(today);
                }
                let tomorrow = zoned.date().checked_add(1.day()).ok()?;
                Some(tomorrow.to_datetime(*at).to_zoned(TimeZone::UTC).ok()?.timestamp())
            }
            Self::Streaming { .. } => None,
        }
    }

    /// How many scheduled runs lie after the last run's begin and up to `now`: those that were missed.
    pub fn missed(&self, last: Option<Timestamp>, now: Timestamp) -> u64 {
        let Some(last) = last.filter(|last| *last < now) else { return 0 };
        match self {
            Self::Aligned { every } => {
                let length = every.as_micros().max(1);
                let index = |instant: Timestamp| {
                    i128::from(instant.as_microsecond()).div_euclid(i128::try_from(length).unwrap_or(1))
                };
                u64::try_from(index(now) - index(last)).unwrap_or(0)
            }
            Self::After { every } => {
                let passed = now.duration_since(last).as_micros().max(0).cast_unsigned();
                u64::try_from(passed / every.as_micros().max(1)).unwrap_or(u64::MAX)
            }
            Self::Daily { .. } => {
                let mut at = last;
                let mut count = 0;
                while let Some(next) = self.next(None, at).filter(|next| *next <= now) {
                    at = next;
                    count += 1;
                }
                count
            }
            Self::Streaming { .. } => 0,
        }
    }
}

fn signed(length: Duration) -> SignedDuration {
    SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX)
}

/// The first whole multiple of `every` after `now`.
fn next_multiple(every: Duration, now: Timestamp) -> Option<Timestamp> {
    let length = i64::try_from(every.as_micros()).ok().filter(|length| *length > 0)?;
    let index = now.as_microsecond().div_euclid(length).checked_add(1)?;
    Timestamp::from_microsecond(index.checked_mul(length)?).ok()
}

#[cfg(test)]
mod tests;
