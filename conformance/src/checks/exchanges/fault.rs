//! The faults of the tables, in words: an operation and what goes wrong with it.

use std::time::Duration;

use bucketproof_emulator::{Fault, Op};
use http::StatusCode;

use crate::falsifier::{Falsifier, TextEdit};

/// Reads `skip 1 PutObject status 200`, `PutObject refuse 204`, `GetObject ignore-header range`,
/// `GetObject without-header etag`, `GetObject header etag "x"`, `GetObject body <x/>`, `events lose`, `clock stands`. What
/// is refused before anybody knows the operation is out of the reach of faults: `request this => that` puts the request
/// right, and the check must notice that it is not refused.
pub(super) fn parse(text: &'static str) -> Result<Falsifier, String> {
    if text == "clock stands" {
        return Ok(Falsifier::ClockStands);
    }
    if let Some(edit) = text.strip_prefix("scenario ") {
        let (find, replace) = edit.split_once(" => ").ok_or("a change of the scenario is `this => that`")?;
        return Ok(Falsifier::ScenarioEdit(TextEdit::new(find, replace)));
    }
    if let Some(edit) = text.strip_prefix("request ") {
        let (find, replace) = edit.split_once(" => ").ok_or("a change of the requests is `this => that`")?;
        return Ok(Falsifier::RequestEdit(TextEdit::new(find, replace)));
    }
    if let Some(effect) = text.strip_prefix("events ") {
        let events = Fault::on_events();
        return match effect {
            "lose" => Ok(Falsifier::Fault(events.lose_event())),
            "duplicate" => Ok(Falsifier::Fault(events.duplicate_event())),
            "delay" => Ok(Falsifier::Fault(events.delay_event(Duration::from_hours(1)))),
            _ => Err(format!("`{effect}` happens to no event")),
        };
    }
    let (skip, text) = match text.strip_prefix("skip ").and_then(|rest| rest.split_once(' ')) {
        Some((skip, rest)) => (skip.parse().map_err(|_| format!("`{skip}` is no number"))?, rest),
        None => (0, text),
    };
    let (name, effect) = text.split_once(' ').ok_or("a fault is an operation and an effect")?;
    let op: Op = Op::ALL
        .iter()
        .copied()
        .find(|op| op.name() == name || format!("{}:{}", op.service(), op.name()) == name)
        .ok_or_else(|| format!("`{name}` is no operation"))?;
    let (effect, value) = effect.split_once(' ').unwrap_or((effect, ""));
    let fault = Fault::on(op).skip(skip);
    let status = || value.parse::<StatusCode>().map_err(|_| format!("`{value}` is no status"));
    let fault = match effect {
        "status" => fault.status(status()?),
        "refuse" => fault.refuse(status()?, "Ignored", ""),
        "ignore-header" => fault.ignore_header(value),
        "without-header" => fault.without_header(value),
        "header" => {
            let (name, value) = value.split_once(' ').ok_or("a header has a name and a value")?;
            fault.header(name, value)
        }
        "body" => fault.body(value),
        "corrupt" => fault.corrupt_body(),
        _ => return Err(format!("`{effect}` is no effect")),
    };
    Ok(Falsifier::Fault(fault))
}
