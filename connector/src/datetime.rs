//! Instants in rows: RFC 3339, to microseconds since the epoch.
//!
//! `2025-01-15T14:05:00.123456Z`, any offset, `T` or one space between date and time. Without an offset the instant
//! is UTC, which is what the vendors' exports mean. Digits after the sixth of the fraction must be zero: an
//! instant that would be rounded is refused, as a rounded version column can change the winner.

/// Why a text is not an instant that a row can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatetimeError {
    /// Not of the form of RFC 3339.
    #[error("not an RFC 3339 date and time")]
    Form,
    /// A month, day, hour, minute, second or offset that does not exist.
    #[error("no such date, time or offset")]
    Range,
    /// More digits than a microsecond has.
    #[error("finer than a microsecond")]
    TooFine,
}

/// Microseconds since 1970-01-01T00:00:00Z of the instant that `text` names; years 0001 to 9999.
pub fn parse_micros(text: &str) -> Result<i64, DatetimeError> {
    let bytes = text.as_bytes();
    let (head, tail) = bytes.split_at_checked(19).ok_or(DatetimeError::Form)?;
    let head: &[u8; 19] = head.try_into().map_err(|_| DatetimeError::Form)?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, between, h1, h2, b':', n1, n2, b':', s1, s2] = *head
    else {
        return Err(DatetimeError::Form);
    };
    if !matches!(between, b'T' | b't' | b' ') {
        return Err(DatetimeError::Form);
    }
    let year = pair(y1, y2)? * 100 + pair(y3, y4)?;
    let (month, day) = (pair(m1, m2)?, pair(d1, d2)?);
    let (hour, minute, second) = (pair(h1, h2)?, pair(n1, n2)?, pair(s1, s2)?);
    let (fraction, offset) = fraction(tail)?;
    let offset_seconds = offset_seconds(offset)?;
    if year == 0
        || !(1..=12).contains(&month)
        || !(1..=days_in_month(year, month)).contains(&day)
        || hour > 23
        || minute > 59
        || second > 59
    {
        return Err(DatetimeError::Range);
    }
    let seconds =
        days_from_civil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset_seconds;
    // An offset can move an instant out of the years that have four digits.
    if !(FIRST_SECOND..LAST_SECOND).contains(&seconds) {
        return Err(DatetimeError::Range);
    }
    Ok(seconds * 1_000_000 + fraction)
}

/// Reads instants. Those of some columns are mostly of few days, and a day's date is read once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InstantReader {
    /// The date that was read last, and `T`.
    date: [u8; 11],
    /// Microseconds to its begin.
    begin: i64,
}

impl Default for InstantReader {
    fn default() -> Self {
        Self { date: *b"1970-01-01T", begin: 0 }
    }
}

impl InstantReader {
    /// As [`parse_micros`].
    #[inline]
    pub(crate) fn micros(&mut self, text: &str) -> Result<i64, DatetimeError> {
        if let Some(micros) = self.of_the_day(text.as_bytes()) {
            return Ok(micros);
        }
        let micros = parse_micros(text)?;
        if let Some(date) = text.as_bytes().first_chunk::<11>().filter(|date| date.ends_with(b"T")) {
            let begin = text.get(..10).map(|date| parse_micros(&format!("{date}T00:00:00Z")));
            (self.date, self.begin) = (*date, begin.unwrap_or(Err(DatetimeError::Form))?);
        }
        Ok(micros)
    }

    /// The instant, if it is one of the same day as the last and written as producers do.
    #[inline]
    fn of_the_day(&self, text: &[u8]) -> Option<i64> {
        let (date, rest) = text.split_first_chunk::<11>()?;
        let (time, tail) = rest.split_first_chunk::<8>()?;
        if *date != self.date {
            return None;
        }
        let micros = seconds_of_day(*time)? * 1_000_000;
        let (fraction, _) = fraction(tail).ok().filter(|(_, offset)| *offset == UTC)?;
        // The last day that there is does not end.
        Some(self.begin + micros + fraction).filter(|micros| *micros < LAST_SECOND * 1_000_000)
    }
}

/// The seconds that `14:05:00` is from midnight.
#[inline]
fn seconds_of_day(time: [u8; 8]) -> Option<i64> {
    const COLONS: u64 = u64::from_le_bytes([0, 0, u8::MAX, 0, 0, u8::MAX, 0, 0]);
    // What is left of each byte is its digit, and nothing of a colon.
    let digits = u64::from_le_bytes(time) ^ u64::from_le_bytes(*b"00:00:00");
    // Adding this makes the highest bit of what is more than 9 one, if it is not one already.
    let over = (digits.wrapping_add(0x7676_7676_7676_7676) | digits) & 0x8080_8080_8080_8080;
    let [h1, h2, _, n1, n2, _, s1, s2] = digits.to_le_bytes().map(i64::from);
    let (hour, minute, second) = (h1 * 10 + h2, n1 * 10 + n2, s1 * 10 + s2);
    let is_time = over == 0 && digits & COLONS == 0 && hour < 24 && minute < 60 && second < 60;
    is_time.then_some(hour * 3_600 + minute * 60 + second)
}

/// Digits of a fraction that is not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fraction {
    /// Three if that says all, or six.
    Short,
    /// Six.
    Micros,
}

/// The instant as `2025-01-15T14:05:00Z`, with three or six digits of a fraction where they are not all zero. `None`
/// outside the years that texts can show.
pub fn instant_text(micros: i64) -> Option<String> {
    let (text, length) = InstantWriter::new(Fraction::Short).text(micros)?;
    String::from_utf8(text.get(..length)?.to_vec()).ok()
}

/// Bytes that the text of an instant is given; fewer are its own.
const INSTANT_BYTES: usize = 64;

/// Writes instants. Those of a column are mostly of few days, and a day's date is written once.
#[derive(Debug)]
pub(crate) struct InstantWriter {
    digits: Fraction,
    day: i64,
    date: [u8; 10],
}

impl InstantWriter {
    pub(crate) fn new(digits: Fraction) -> Self {
        Self { digits, day: 0, date: *b"1970-01-01" }
    }

    /// The instant as `2025-01-15T14:05:00Z`, with a fraction where that is not zero, and how many of the bytes that
    /// takes. `None` outside the years that texts can show.
    #[inline]
    pub(crate) fn text(&mut self, micros: i64) -> Option<([u8; INSTANT_BYTES], usize)> {
        let (seconds, fraction) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
        if !(FIRST_SECOND..LAST_SECOND).contains(&seconds) {
            return None;
        }
        let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        if day != self.day {
            (self.day, self.date) = (day, date_text(day)?);
        }
        let (second, fraction) = (u32::try_from(second).ok()?, u32::try_from(fraction).ok()?);
        let [h1, h2] = digit_pair(second / 3_600);
        let [n1, n2] = digit_pair(second / 60 % 60);
        let [s1, s2] = digit_pair(second % 60);
        let ([f1, f2], [f3, f4], [f5, f6]) =
            (digit_pair(fraction / 10_000), digit_pair(fraction / 100 % 100), digit_pair(fraction % 100));
        let mut text = [b'Z'; INSTANT_BYTES];
        *text.first_chunk_mut::<10>()? = self.date;
        *text.get_mut(10..)?.first_chunk_mut::<9>()? = [b'T', h1, h2, b':', n1, n2, b':', s1, s2];
        if fraction == 0 {
            return Some((text, 20));
        }
        *text.get_mut(19..)?.first_chunk_mut::<4>()? = [b'.', f1, f2, f3];
        if self.digits == Fraction::Short && fraction % 1_000 == 0 {
            return Some((text, 24));
        }
        *text.get_mut(23..)?.first_chunk_mut::<3>()? = [f4, f5, f6];
        Some((text, 27))
    }
}

/// A number below a hundred.
#[inline]
fn digit_pair(number: u32) -> [u8; 2] {
    let number = u8::try_from(number).unwrap_or_default();
    [b'0' + number / 10, b'0' + number % 10]
}

#[cold]
fn date_text(day: i64) -> Option<[u8; 10]> {
    let (year, month, day) = civil_from_days(day);
    let pair = |number: i64| u32::try_from(number).ok().map(digit_pair);
    let ([y1, y2], [y3, y4]) = (pair(year / 100)?, pair(year % 100)?);
    let ([m1, m2], [d1, d2]) = (pair(month)?, pair(day)?);
    Some([y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2])
}

/// Year, month and day of so many days from 1970-01-01. Years are counted from March, so that a leap day is their last.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    const DAYS_OF_400_YEARS: i64 = 146_097;
    // 719,468 days lie between 0000-03-01 and 1970-01-01.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(DAYS_OF_400_YEARS), days.rem_euclid(DAYS_OF_400_YEARS));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    // From March on, five months have 153 days.
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let is_next_year = month >= 10;
    let month = if is_next_year { month - 9 } else { month + 3 };
    (year + era * 400 + i64::from(is_next_year), month, day_of_month)
}

/// 0001-01-01T00:00:00Z.
const FIRST_SECOND: i64 = -62_135_596_800;
/// 9999-12-30T22:00:00Z, where the calendar library ends.
const LAST_SECOND: i64 = 253_402_207_200;

#[inline]
fn pair(tens: u8, ones: u8) -> Result<i64, DatetimeError> {
    if tens.is_ascii_digit() && ones.is_ascii_digit() {
        Ok(i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
    } else {
        Err(DatetimeError::Form)
    }
}

/// The offset that producers write.
const UTC: &[u8] = b"Z";

/// The microseconds of a fraction, if there is one, and what follows it.
#[inline]
fn fraction(tail: &[u8]) -> Result<(i64, &[u8]), DatetimeError> {
    // As producers write it: three or six digits, or none.
    match tail {
        [b'.', m1, m2, m3, b'Z'] => {
            let millis = number([*m1, *m2, *m3]).ok_or(DatetimeError::Form)?;
            Ok((millis * 1_000, UTC))
        }
        [b'.', m1, m2, m3, m4, m5, m6, b'Z'] => {
            let micros = number([*m1, *m2, *m3, *m4, *m5, *m6]).ok_or(DatetimeError::Form)?;
            Ok((micros, UTC))
        }
        [b'.', rest @ ..] => any_fraction(rest),
        _ => Ok((0, tail)),
    }
}

/// The number that digits are.
#[inline]
fn number<const DIGITS: usize>(digits: [u8; DIGITS]) -> Option<i64> {
    let value = digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit.wrapping_sub(b'0')));
    digits.iter().all(u8::is_ascii_digit).then_some(value)
}

fn any_fraction(rest: &[u8]) -> Result<(i64, &[u8]), DatetimeError> {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, after) = rest.split_at_checked(digits).ok_or(DatetimeError::Form)?;
    if number.is_empty() {
        return Err(DatetimeError::Form);
    }
    if number.iter().skip(6).any(|digit| *digit != b'0') {
        return Err(DatetimeError::TooFine);
    }
    let micros =
        (0..6).fold(0, |sum, at| sum * 10 + number.get(at).map_or(0, |digit| i64::from(digit - b'0')));
    Ok((micros, after))
}

#[inline]
fn offset_seconds(offset: &[u8]) -> Result<i64, DatetimeError> {
    match offset {
        [] | [b'Z' | b'z'] => Ok(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (pair(*h1, *h2)?, pair(*m1, *m2)?);
            if hours > 23 || minutes > 59 {
                return Err(DatetimeError::Range);
            }
            let seconds = hours * 3_600 + minutes * 60;
            Ok(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => Err(DatetimeError::Form),
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar, for years from 1.
#[inline]
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let before_year = year - 1;
    let leap_days = before_year / 4 - before_year / 100 + before_year / 400;
    let leap_day = i64::from(month > 2 && is_leap(year));
    let before_month = DAYS_BEFORE_MONTH.get(usize::try_from(month - 1).unwrap_or_default());
    // 719,162 days lie between 0001-01-01 and 1970-01-01.
    before_year * 365 + leap_days + before_month.copied().unwrap_or_default() + leap_day + day - 1 - 719_162
}

/// Days of a common year before each month.
const DAYS_BEFORE_MONTH: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

#[cfg(test)]
mod tests;
