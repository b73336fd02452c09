//! The dates that IAM's parser takes.
//!
//! It is laxer than ISO 8601 (`01T` passes) and than the evaluation of a policy, where such a value matches nothing.
//! Negative zones are taken because ISO 8601 has them; the cases from AWS show positive ones only.

/// Whether IAM accepts a policy with this value under a date operator.
pub(super) fn is_instant(text: &str) -> bool {
    if text.contains(['t', 'T', '-']) {
        return is_iso(&text.to_ascii_lowercase()).is_some();
    }
    number(text, 0..=i64::MAX).is_some()
}

/// `None` unless the text is digits, with a number in the range.
fn number(text: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && range.contains(number))
}

fn is_iso(text: &str) -> Option<()> {
    const YEARS_MAX: i64 = 292_278_993;
    let (date, time) = text.split_once('t').unwrap_or((text, ""));
    let mut parts = date.strip_prefix('-').unwrap_or(date).split('-');
    number(parts.next()?, 0..=YEARS_MAX)?;
    for max in [12, 31] {
        if let Some(part) = parts.next() {
            number(part, 1..=max)?;
        }
    }
    if parts.next().is_some() {
        return None;
    }
    if time.is_empty() {
        return Some(());
    }
    let mut parts = time.splitn(3, ':');
    number(parts.next()?, 0..=23)?;
    if let Some(minutes) = parts.next() {
        number(minutes, 0..=59)?;
    }
    parts.next().map_or(Some(()), seconds_and_zone)
}

/// `20.5z`, `20+01:00`, `20`.
fn seconds_and_zone(text: &str) -> Option<()> {
    let seconds = match text.strip_suffix('z') {
        Some(seconds) => seconds,
        None => match text.split_once(['+', '-']) {
            None => text,
            Some((seconds, zone)) => {
                let (hours, minutes) = zone.split_once(':').unwrap_or((zone, "00"));
                if hours.len() != 2 || minutes.len() != 2 {
                    return None;
                }
                number(hours, 0..=23)?;
                number(minutes, 0..=59)?;
                seconds
            }
        },
    };
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    number(whole, 0..=59)?;
    number(fraction, 0..=999_999_999).map(|_| ())
}
