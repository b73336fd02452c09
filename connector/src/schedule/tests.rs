use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::time;

use super::Schedule;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const FIVE: Schedule = Schedule::Aligned { every: Duration::from_mins(5) };
const DAILY: Schedule = Schedule::Daily { at: time(4, 0, 0, 0) };

/// Claims SUP-01, SPL-53.
#[test]
fn aligned_runs_start_at_whole_multiples() {
    let mut now = at("2025-01-15T16:00:00.000001Z");
    let mut ticks = Vec::new();
    for _ in 0..13 {
        now = FIVE.next(None, now).unwrap();
        ticks.push(now.to_string());
    }
    assert_eq!(ticks[0], "2025-01-15T16:05:00Z");
    assert_eq!(ticks[12], "2025-01-15T17:05:00Z");
    assert_eq!(FIVE.next(None, at("2025-01-15T16:05:00Z")), Some(at("2025-01-15T16:10:00Z")));
    let half_hour = Schedule::Aligned { every: Duration::from_mins(30) };
    assert_eq!(half_hour.next(None, at("2025-01-15T23:59:59Z")), Some(at("2025-01-16T00:00:00Z")));
    assert_eq!(FIVE.next(None, at("1969-12-31T23:58:00Z")), Some(at("1970-01-01T00:00:00Z")));
}

/// Claims ADA-01, ADA-33.
#[test]
fn daily_runs_are_at_one_time_of_day_utc_and_missed_ones_are_counted() {
    assert_eq!(DAILY.next(None, at("2025-03-08T03:59:59Z")), Some(at("2025-03-08T04:00:00Z")));
    assert_eq!(DAILY.next(None, at("2025-03-08T04:00:00Z")), Some(at("2025-03-09T04:00:00Z")));
    // The nights in which zones of the northern hemisphere change their clocks are as long as others.
    assert_eq!(DAILY.next(None, at("2025-03-29T04:00:00Z")), Some(at("2025-03-30T04:00:00Z")));
    assert_eq!(DAILY.next(None, at("2025-10-26T03:00:00Z")), Some(at("2025-10-26T04:00:00Z")));
    assert_eq!(DAILY.missed(Some(at("2025-03-08T04:00:00Z")), at("2025-03-11T05:00:00Z")), 3);
    assert_eq!(DAILY.missed(Some(at("2025-03-08T04:00:00Z")), at("2025-03-09T03:59:59Z")), 0);
    assert_eq!(DAILY.missed(None, at("2025-03-09T05:00:00Z")), 0);
}

/// Claims PER-22.
#[test]
fn a_cycle_without_alignment_counts_from_the_last_run() {
    let day = Schedule::After { every: Duration::from_hours(24) };
    let now = at("2025-01-15T16:00:00Z");
    assert_eq!(day.next(None, now), Some(now), "the first cycle begins at once");
    assert_eq!(day.next(Some(at("2025-01-15T10:30:00Z")), now), Some(at("2025-01-16T10:30:00Z")));
    assert_eq!(day.next(Some(at("2025-01-10T10:30:00Z")), now), Some(now), "a missed cycle is due now");
    assert_eq!(day.missed(Some(at("2025-01-10T10:30:00Z")), now), 5);
    assert_eq!(FIVE.missed(Some(at("2025-01-15T15:40:01Z")), at("2025-01-15T16:00:00Z")), 4);
    assert_eq!(
        FIVE.missed(Some(now), at("2025-01-15T15:00:00Z")),
        0,
        "a clock that was set back misses nothing"
    );
}
