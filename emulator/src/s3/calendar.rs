//! Days as S3 counts them: its lifecycle and restores go by midnights, UTC.

use jiff::{SignedDuration, Timestamp};

const DAY_SECONDS: i64 = 86_400;

/// The first midnight after an instant.
pub(crate) fn midnight_after(instant: Timestamp) -> Timestamp {
    let days = instant.as_second().div_euclid(DAY_SECONDS) + 1;
    Timestamp::from_second(days.saturating_mul(DAY_SECONDS)).unwrap_or(Timestamp::MAX)
}

/// The midnight with which the day of an instant began.
pub(crate) fn midnight_before(instant: Timestamp) -> Timestamp {
    let days = instant.as_second().div_euclid(DAY_SECONDS);
    Timestamp::from_second(days.saturating_mul(DAY_SECONDS)).unwrap_or(Timestamp::MIN)
}

pub(crate) fn is_midnight(instant: Timestamp) -> bool {
    instant.as_second().rem_euclid(DAY_SECONDS) == 0 && instant.subsec_nanosecond() == 0
}

/// The end of a period that begins at `instant`: so many days later, and then the next midnight.
///
/// A period that begins at a midnight ends at one, and AWS does not say whether that one counts; here it does not.
pub(crate) fn end_of_days(instant: Timestamp, days: i32) -> Timestamp {
    let length = SignedDuration::from_hours(i64::from(days) * 24);
    instant.saturating_add(length).map_or(Timestamp::MAX, midnight_after)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{end_of_days, is_midnight};

    /// The first example is that of the S3 User Guide.
    #[test]
    fn periods_end_at_the_midnight_after() {
        let check = |from: &str, days, end: &str| {
            let from: Timestamp = from.parse().unwrap();
            assert_eq!(end_of_days(from, days).to_string(), end, "{from} {days}");
        };
        check("2014-01-15T10:30:00Z", 3, "2014-01-19T00:00:00Z");
        check("2014-01-15T00:00:00Z", 3, "2014-01-19T00:00:00Z");
        check("2014-01-15T23:59:59Z", 0, "2014-01-16T00:00:00Z");
        check("1969-12-30T12:00:00Z", 1, "1970-01-01T00:00:00Z");
        assert!(is_midnight("2014-01-19T00:00:00Z".parse().unwrap()));
        assert!(!is_midnight("2014-01-19T00:00:00.5Z".parse().unwrap()));
    }
}
