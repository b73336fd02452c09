//! The TOML form of a schedule: `{ every = "5m", align = true }`, `{ at = "04:00" }` or
//! `{ streaming_mib = 16, age = "5m" }`.

use std::time::Duration;

use jiff::civil::Time;
use serde::Deserialize;
use toml::Spanned;

use crate::document::{Document, DocumentError};
use crate::schedule::Schedule;

const HELP: &str = "write `{ every = \"5m\", align = true }`, `{ at = \"04:00\" }` or `{ streaming_mib = 16, age = \"5m\" }`";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSchedule {
    every: Option<Spanned<String>>,
    align: Option<bool>,
    at: Option<Spanned<String>>,
    streaming_mib: Option<Spanned<u64>>,
    age: Option<Spanned<String>>,
}

pub(super) fn schedule(
    document: &Document<'_>,
    raw: Option<Spanned<RawSchedule>>,
) -> Result<Option<Schedule>, DocumentError> {
    let Some(raw) = raw else { return Ok(None) };
    let span = raw.span();
    match raw.into_inner() {
        RawSchedule { every: Some(every), align, at: None, streaming_mib: None, age: None } => {
            let every = length(document, &every)?;
            Ok(Some(if align == Some(true) {
                Schedule::Aligned { every }
            } else {
                Schedule::After { every }
            }))
        }
        RawSchedule { every: None, align: None, at: Some(at), streaming_mib: None, age: None } => {
            let time: Result<Time, _> = at.get_ref().parse();
            let at =
                time.map_err(|_| document.error(at.span(), "not a time of day", "write it as `04:00`, UTC"))?;
            Ok(Some(Schedule::Daily { at }))
        }
        RawSchedule { every: None, align: None, at: None, streaming_mib: Some(mib), age: Some(age) } => {
            if !(1..=4096).contains(mib.get_ref()) {
                return Err(document.error(
                    mib.span(),
                    "a stream is flushed at 1 to 4096 MiB",
                    "16 is a good value",
                ));
            }
            let age = length(document, &age)?;
            Ok(Some(Schedule::Streaming { bytes: mib.get_ref() * 1024 * 1024, age }))
        }
        _ => Err(document.error(span, "not one of the three schedules", HELP)),
    }
}

/// A length such as `30s`, `5m`, `24h`.
pub(super) fn length(document: &Document<'_>, text: &Spanned<String>) -> Result<Duration, DocumentError> {
    let seconds =
        text.get_ref().split_at_checked(text.get_ref().len().saturating_sub(1)).and_then(|(number, unit)| {
            let number: u64 = number.parse().ok()?;
            number.checked_mul(match unit {
                "s" => 1,
                "m" => 60,
                "h" => 3_600,
                _ => return None,
            })
        });
    match seconds {
        Some(seconds @ 1..=31_622_400) => Ok(Duration::from_secs(seconds)),
        _ => Err(document.error(
            text.span(),
            "not a length of 1 second to 366 days",
            "write it as `30s`, `5m` or `24h`",
        )),
    }
}
