//! The emulator's clock by the admin API.

use std::time::Duration;

use bucketproof_clock::Pace;
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Call, Refusal, json_answer};

/// What a request to the clock asks for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockChange {
    set: Option<Timestamp>,
    advance_seconds: Option<f64>,
    pace: Option<String>,
}

const PACES: [(&str, Pace); 3] =
    [("system", Pace::System), ("manual", Pace::Manual), ("frozen", Pace::Frozen)];

pub(super) fn schema() -> Value {
    json!({
        "type": "object", "additionalProperties": false, "minProperties": 1,
        "properties": {
            "set": { "type": "string", "format": "date-time" },
            "advance_seconds": { "type": "number", "minimum": 0 },
            "pace": { "enum": PACES.map(|(name, _)| name) },
        },
    })
}

pub(super) fn show(call: &Call<'_>) -> Answer {
    let clock = call.control.clock();
    let pace = clock.pace();
    let name = PACES.iter().find(|(_, own)| *own == pace).map(|(name, _)| *name);
    Ok(json_answer(&json!({ "now": clock.now().to_string(), "pace": name })))
}

pub(super) fn change(call: &Call<'_>) -> Answer {
    let wrong = |text: String| Refusal::new(StatusCode::BAD_REQUEST, text);
    let change: ClockChange = serde_json::from_slice(call.body).map_err(|error| {
        wrong(format!(
            "the body is no change of the clock: {error}; it has `set`, `advance_seconds` or `pace`"
        ))
    })?;
    let pace = match change.pace.as_deref() {
        None => None,
        Some(asked) => match PACES.iter().find(|(name, _)| *name == asked) {
            Some((_, pace)) => Some(*pace),
            None => {
                return Err(wrong(format!(
                    "field `pace`: `{asked}` is none; there are `system`, `manual` and `frozen`"
                )));
            }
        },
    };
    let step = match change.advance_seconds {
        None => None,
        Some(seconds) => Some(
            Duration::try_from_secs_f64(seconds)
                .map_err(|error| wrong(format!("field `advance_seconds`: `{seconds}`: {error}")))?,
        ),
    };
    if pace.is_none() && step.is_none() && change.set.is_none() {
        return Err(wrong("the body changes nothing; it has `set`, `advance_seconds` or `pace`".to_owned()));
    }
    let clock = call.control.clock();
    if let Some(pace) = pace {
        clock.set_pace(pace);
    }
    if let Some(instant) = change.set {
        clock.set(instant);
    }
    if let Some(step) = step {
        clock.advance(step);
    }
    // Deliveries that are due now are not to wait for the next request.
    call.control.ground.wake.notify_one();
    show(call)
}
