//! Instants as they stand in requests and answers.
//!
//! Every request writes several and every key of a listing one, so they are written digit by digit; `jiff` does what is
//! out of the ordinary.

use jiff::Timestamp;
use jiff::civil::{DateTime, Weekday};
use jiff::tz::{Offset, TimeZone};

const EXTENDED: &str = "%Y-%m-%dT%H:%M:%SZ";
const BASIC: &str = "%Y%m%dT%H%M%SZ";
const HTTP: &str = "%a, %d %b %Y %H:%M:%S GMT";
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `2026-01-01T00:00:00Z`, as times stand in answers: without a fraction.
pub(crate) fn extended(at: Timestamp) -> String {
    with_fraction(at, "")
}

/// `2026-01-01T00:00:00.000Z`, as S3 writes times of which it knows the second.
pub(crate) fn with_zero_millis(at: Timestamp) -> String {
    with_fraction(at, ".000")
}

fn with_fraction(at: Timestamp, fraction: &str) -> String {
    let Some(time) = ordinary(at) else {
        return at.strftime(EXTENDED).to_string().replace('Z', &format!("{fraction}Z"));
    };
    let mut text = String::with_capacity(24);
    push_date(&mut text, time, "-");
    text.push('T');
    push_time(&mut text, time, ":");
    text.push_str(fraction);
    text.push('Z');
    text
}

/// `20260101T000000Z`, as signatures have it.
pub(crate) fn basic(at: Timestamp) -> String {
    let Some(time) = ordinary(at) else { return at.strftime(BASIC).to_string() };
    let mut text = String::with_capacity(16);
    push_date(&mut text, time, "");
    text.push('T');
    push_time(&mut text, time, "");
    text.push('Z');
    text
}

/// `Thu, 01 Jan 2026 00:00:00 GMT`, as headers of HTTP have it.
pub(crate) fn http_date(at: Timestamp) -> String {
    let ordinary = ordinary(at).and_then(|time| {
        let month = MONTHS.get(usize::try_from(time.month()).ok()?.checked_sub(1)?)?;
        Some((time, month))
    });
    let Some((time, month)) = ordinary else { return at.strftime(HTTP).to_string() };
    let mut text = String::with_capacity(29);
    text.push_str(match time.weekday() {
        Weekday::Monday => "Mon, ",
        Weekday::Tuesday => "Tue, ",
        Weekday::Wednesday => "Wed, ",
        Weekday::Thursday => "Thu, ",
        Weekday::Friday => "Fri, ",
        Weekday::Saturday => "Sat, ",
        Weekday::Sunday => "Sun, ",
    });
    push_two(&mut text, time.day());
    text.push(' ');
    text.push_str(month);
    text.push(' ');
    push_year(&mut text, time.year());
    text.push(' ');
    push_time(&mut text, time, ":");
    text.push_str(" GMT");
    text
}

/// Reads `20260101T000000Z`.
pub(crate) fn parse_basic(text: &str) -> Option<Timestamp> {
    let time = match ordinary_basic(text) {
        Some(time) => time,
        None => DateTime::strptime(BASIC, text).ok()?,
    };
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn ordinary_basic(text: &str) -> Option<DateTime> {
    let [_, _, _, _, _, _, _, _, b'T', _, _, _, _, _, _, b'Z'] = text.as_bytes() else { return None };
    let number = |from: usize, to: usize| {
        let digits = text.get(from..to)?.bytes();
        digits.into_iter().try_fold(0_i16, |number, byte| {
            byte.is_ascii_digit().then(|| number * 10 + i16::from(byte - b'0'))
        })
    };
    let small = |from: usize| i8::try_from(number(from, from + 2)?).ok();
    DateTime::new(number(0, 4)?, small(4)?, small(6)?, small(9)?, small(11)?, small(13)?, 0).ok()
}

/// The parts of an instant whose year has four digits.
fn ordinary(at: Timestamp) -> Option<DateTime> {
    let time = Offset::UTC.to_datetime(at);
    (1000..=9999).contains(&time.year()).then_some(time)
}

fn push_date(text: &mut String, time: DateTime, separator: &str) {
    push_year(text, time.year());
    text.push_str(separator);
    push_two(text, time.month());
    text.push_str(separator);
    push_two(text, time.day());
}

fn push_time(text: &mut String, time: DateTime, separator: &str) {
    push_two(text, time.hour());
    text.push_str(separator);
    push_two(text, time.minute());
    text.push_str(separator);
    push_two(text, time.second());
}

fn push_year(text: &mut String, year: i16) {
    for part in [year / 100, year % 100] {
        push_two(text, i8::try_from(part).unwrap_or_default());
    }
}

/// Two digits of a number below a hundred.
fn push_two(text: &mut String, number: i8) {
    let digit = |digit: i8| char::from(b'0' + digit.unsigned_abs());
    text.push(digit(number / 10));
    text.push(digit(number % 10));
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use proptest::prelude::*;

    use super::{BASIC, EXTENDED, HTTP, basic, extended, http_date, parse_basic, with_zero_millis};

    proptest! {
        #[test]
        fn written_as_jiff_writes(seconds in -70_000_000_000_i64..253_402_207_200, nanoseconds in 0_i64..1_000_000_000) {
            let at = Timestamp::from_second(seconds).unwrap() + SignedDuration::from_nanos(nanoseconds);
            prop_assert_eq!(extended(at), at.strftime(EXTENDED).to_string());
            prop_assert_eq!(with_zero_millis(at), at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string());
            prop_assert_eq!(http_date(at), at.strftime(HTTP).to_string());
            let written = basic(at);
            prop_assert_eq!(&written, &at.strftime(BASIC).to_string());
            prop_assert_eq!(parse_basic(&written), read_by_jiff(&written));
        }

        #[test]
        fn read_as_jiff_reads(text in "[0-9]{8}T[0-9]{6}Z|[0-9T ]{14,16}Z") {
            prop_assert_eq!(parse_basic(&text), read_by_jiff(&text));
        }
    }

    fn read_by_jiff(text: &str) -> Option<Timestamp> {
        let time = jiff::civil::DateTime::strptime(BASIC, text).ok()?;
        Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    }
}
