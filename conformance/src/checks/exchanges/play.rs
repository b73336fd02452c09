//! Plays a script: sends what it says, and holds what comes back against what it demands.

mod answer;
mod form;
mod request;
mod signature;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use self::answer::Answer;
pub(in crate::checks) use self::request::encoded;
use super::script::{Action, Demand, Script, Step};
use crate::outcome::{Conclusion, Stop};
use crate::stage::Ground;
use crate::step::step;

/// So often a queue is asked before what did not come is missing.
const TRIES_MAX: usize = 20;

/// What the texts of a script may name between braces.
#[derive(Debug)]
pub(super) struct Names {
    saved: BTreeMap<String, String>,
    now: SystemTime,
}

/// Plays the steps, and what cleans up in any case.
pub(super) async fn play(ground: &Ground, script: &Script) -> Conclusion {
    let mut names = Names::of(ground, script);
    let mut conclusion = Ok(());
    for step in &script.steps {
        conclusion = act(ground, &mut names, step).await;
        if conclusion.is_err() {
            break;
        }
    }
    for step in &script.finally {
        // What cannot be cleaned up was perhaps never made.
        let _cleaned = act(ground, &mut names, step).await;
    }
    conclusion
}

async fn act(ground: &Ground, names: &mut Names, step: &Step) -> Conclusion {
    let (name, answer) = match &step.action {
        Action::Wait(length) => {
            ground.advance(*length);
            names.now += *length;
            return Ok(());
        }
        Action::Ask(ask) => (ask.line.clone(), request::ask(ground, names, ask).await?),
        Action::Receive { queue, count } => {
            let answer = receive(ground, names, queue, *count).await?;
            (format!("receive from {queue}"), answer)
        }
    };
    answer.meets(&name, &step.demands, names)?;
    for demand in &step.demands {
        if let Demand::Signed(fields) = demand {
            signature::verify(ground, &answer, fields).await?;
        }
    }
    for (variable, part) in &step.saved {
        let value = answer.part(part);
        let value = crate::step::step(&name).some(&format!("{part:?}"), value)?;
        names.saved.insert(variable.clone(), value);
    }
    Ok(())
}

/// The messages of a queue as an array; at least `count` of them are waited for.
async fn receive(ground: &Ground, names: &Names, queue: &str, count: usize) -> Result<Answer, Stop> {
    let mut bodies = Vec::new();
    for _ in 0..TRIES_MAX {
        ground.deliver().await;
        let taken = request::take(ground, &names.fill(queue)).await?;
        let is_empty = taken.is_empty();
        bodies.extend(taken);
        if is_empty && (bodies.len() >= count || !ground.is_elsewhere()) {
            break;
        }
    }
    Ok(Answer::of_json(serde_json::Value::Array(bodies)))
}

impl Names {
    fn of(ground: &Ground, script: &Script) -> Self {
        let mut saved = BTreeMap::new();
        saved.insert("bucket".to_owned(), ground.bucket().to_owned());
        saved.insert("region".to_owned(), ground.region().to_owned());
        saved.insert("name".to_owned(), ground.unique_name());
        saved.insert("url".to_owned(), ground.url(""));
        // A bucket that is not asked for is not ours to take away.
        if script.mentions("{other}") {
            saved.insert("other".to_owned(), ground.another_bucket());
        }
        Self { saved, now: ground.now() }
    }

    /// The text with what stands between braces filled in; what is no name stays as it is.
    fn fill(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let named = after.split_once('}').and_then(|(name, behind)| Some((self.value(name)?, behind)));
            if let Some((value, behind)) = named {
                filled.push_str(&value);
                rest = behind;
            } else {
                filled.push('{');
                rest = after;
            }
        }
        filled.push_str(rest);
        filled
    }

    fn value(&self, name: &str) -> Option<String> {
        if let Some(saved) = self.saved.get(name) {
            return Some(saved.clone());
        }
        if let Some(encoded) = name.strip_prefix("encoded ") {
            return Some(request::encoded(&self.value(encoded)?));
        }
        let shift = name.strip_prefix("now")?;
        let (sign, shift) = shift.split_at_checked(1)?;
        let hours: u64 = match shift.strip_suffix('d') {
            Some(days) => days.parse::<u64>().ok()?.checked_mul(24)?,
            None => shift.strip_suffix('h')?.parse().ok()?,
        };
        let shift = Duration::from_hours(hours);
        let then = match sign {
            "+" => self.now.checked_add(shift)?,
            "-" => self.now.checked_sub(shift)?,
            _ => return None,
        };
        let then = Timestamp::try_from(then).ok()?;
        Some(then.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }

    fn saved(&self, name: &str) -> Result<&str, Stop> {
        let value = self.saved.get(name).map(String::as_str);
        step("use what was saved").some(&format!("a value called `{name}`"), value)
    }
}

#[cfg(test)]
mod tests;
