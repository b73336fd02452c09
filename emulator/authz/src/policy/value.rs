//! Typed values of conditions: numbers, instants, networks.

use std::net::IpAddr;

/// Digits after the decimal point that numbers keep.
const FRACTION_DIGITS: usize = 18;
/// Digits before it; together they fit in an `i128`.
const INTEGER_DIGITS_MAX: usize = 19;

/// A decimal number as a multiple of 10^-18, so that `10`, `10.0` and `1.25` compare exactly.
pub(crate) fn decimal(text: &str) -> Option<i128> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (integer, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(integer) || !all_digits(fraction) || (integer.is_empty() && fraction.is_empty()) {
        return None;
    }
    let integer = integer.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    if integer.len() > INTEGER_DIGITS_MAX || fraction.len() > FRACTION_DIGITS {
        return None;
    }
    let scaled: i128 = format!("0{integer}{fraction:0<FRACTION_DIGITS$}").parse().ok()?;
    Some(if negative { -scaled } else { scaled })
}

/// An instant in nanoseconds since 1970-01-01T00:00:00Z.
///
/// Reads the forms of the W3C note on ISO 8601 (`2026`, `2026-07`, `2026-07-01`, with time, seconds, fraction and zone)
/// and epoch seconds. Four digits are a year.
pub(crate) fn instant(text: &str) -> Option<i128> {
    let text = text.trim();
    let is_epoch = text.len() != 4
        && !text.is_empty()
        && text.strip_prefix('-').unwrap_or(text).bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_epoch {
        return decimal(text).map(|scaled| scaled / 1_000_000_000);
    }
    let full = match text.len() {
        4 => format!("{text}-01-01T00:00Z"),
        7 => format!("{text}-01T00:00Z"),
        10 => format!("{text}T00:00Z"),
        _ => text.to_owned(),
    };
    if let Ok(timestamp) = full.parse::<jiff::Timestamp>() {
        return Some(timestamp.as_nanosecond());
    }
    // A time without a zone is taken as UTC.
    let civil: jiff::civil::DateTime = full.parse().ok()?;
    civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp().as_nanosecond())
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
