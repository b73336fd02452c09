//! Typed values of conditions: numbers, instants, networks.

use std::cmp::Ordering;
use std::net::IpAddr;

use jiff::civil;

/// A decimal number as a view of its digits, so that `10`, `10.0`, `1e1` and numbers of any length compare exactly.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decimal<'a> {
    negative: bool,
    /// Without leading zeros.
    integer: &'a str,
    /// Without trailing zeros.
    fraction: &'a str,
    /// The power of ten that multiplies the number.
    exponent: i64,
}

impl<'a> Decimal<'a> {
    /// Parses `-12.5`, `+1`, `.5`, `5.` or `1.5e3`, with spaces around it.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (digits, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent.parse().ok()?),
            None => (unsigned, 0),
        };
        let (integer, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !all_digits(integer) || !all_digits(fraction) || (integer.is_empty() && fraction.is_empty()) {
            return None;
        }
        let integer = integer.trim_start_matches('0');
        Some(Self { negative, integer, fraction: fraction.trim_end_matches('0'), exponent })
    }

    /// The digits from the first that is not zero, and the power of ten of that digit; `None` for zero.
    fn magnitude(&self) -> Option<(i64, impl Iterator<Item = u8> + 'a)> {
        let digits = self.integer.bytes().chain(self.fraction.bytes());
        let leading_zeros = digits.clone().position(|digit| digit != b'0')?;
        let position = i64::try_from(self.integer.len()).ok()? - i64::try_from(leading_zeros).ok()?;
        Some((self.exponent.saturating_add(position), digits.skip(leading_zeros)))
    }

    fn compare_magnitudes(&self, other: &Self) -> Ordering {
        match (self.magnitude(), other.magnitude()) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some((power, digits)), Some((other_power, other_digits))) => {
                power.cmp(&other_power).then_with(|| compare_digits(digits, other_digits))
            }
        }
    }

    fn sign(&self) -> i8 {
        match (self.magnitude(), self.negative) {
            (None, _) => 0,
            (Some(_), false) => 1,
            (Some(_), true) => -1,
        }
    }
}

/// Digits of the same power, the shorter filled up with zeros.
fn compare_digits(mut left: impl Iterator<Item = u8>, mut right: impl Iterator<Item = u8>) -> Ordering {
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (left, right) => match left.unwrap_or(b'0').cmp(&right.unwrap_or(b'0')) {
                Ordering::Equal => {}
                different => return different,
            },
        }
    }
}

impl Ord for Decimal<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.sign().cmp(&other.sign()).then_with(|| {
            let order = self.compare_magnitudes(other);
            if self.negative { order.reverse() } else { order }
        })
    }
}

impl PartialOrd for Decimal<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal<'_> {}

/// An instant in nanoseconds since 1970-01-01T00:00:00Z.
///
/// Reads the forms of the W3C note on ISO 8601 (`2026`, `2026-07`, `2026-07-01`, with time, seconds, fraction and zone)
/// and epoch seconds. Four digits are a year.
pub(crate) fn instant(text: &str) -> Option<i128> {
    let text = text.trim();
    let is_year = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if !is_year && is_number(text.strip_prefix('-').unwrap_or(text)) {
        return epoch_seconds(text);
    }
    if text.len() <= 10 {
        return day(text).and_then(|day| utc(day.to_datetime(civil::Time::midnight())));
    }
    match text.parse::<jiff::Timestamp>() {
        Ok(timestamp) => Some(timestamp.as_nanosecond()),
        // A time without a zone is taken as UTC.
        Err(_) => utc(text.parse().ok()?),
    }
}

fn epoch_seconds(text: &str) -> Option<i128> {
    const NANOSECOND_DIGITS: usize = 9;
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.contains('.') {
        return None;
    }
    let seconds: i64 = seconds.parse().ok()?;
    let mut nanoseconds = i128::from(seconds) * 1_000_000_000;
    let mut weight = 100_000_000;
    for digit in fraction.chars().take(NANOSECOND_DIGITS) {
        nanoseconds += i128::from(digit.to_digit(10)?) * weight;
        weight /= 10;
    }
    Some(if negative { -nanoseconds } else { nanoseconds })
}

/// `2026`, `2026-07` or `2026-07-01`, the first day that it means.
fn day(text: &str) -> Option<civil::Date> {
    let mut parts = text.splitn(3, '-');
    let mut part = |digits: usize| match parts.next() {
        None => Some(None),
        Some(text) if text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse::<i16>().ok().map(Some)
        }
        Some(_) => None,
    };
    let year = part(4)??;
    let month = part(2)?.unwrap_or(1);
    let day = part(2)?.unwrap_or(1);
    civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn utc(time: civil::DateTime) -> Option<i128> {
    time.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp().as_nanosecond())
}

/// `true` or `false` in any case.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// An IPv4 or IPv6 network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    prefix_bits: u32,
}

impl Network {
    /// Parses `203.0.113.0/24`, `2001:db8::/32` or a bare address. Bits behind the prefix are ignored.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = match prefix {
            None => bits_max,
            Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok().filter(|bits| *bits <= bits_max)?
            }
            Some(_) => return None,
        };
        Some(Self { address, prefix_bits })
    }

    /// Whether the address lies in the network; the two families never mix.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let shift = 32 - self.prefix_bits;
                network.to_bits().checked_shr(shift).unwrap_or(0)
                    == address.to_bits().checked_shr(shift).unwrap_or(0)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let shift = 128 - self.prefix_bits;
                network.to_bits().checked_shr(shift).unwrap_or(0)
                    == address.to_bits().checked_shr(shift).unwrap_or(0)
            }
            _ => false,
        }
    }

    /// Whether Block Public Access takes the range as fixed: at most a /8 of IPv4 or a /32 of IPv6.
    pub(crate) fn is_narrow(&self) -> bool {
        self.prefix_bits >= if self.address.is_ipv4() { 8 } else { 32 }
    }
}

#[cfg(test)]
mod tests;
