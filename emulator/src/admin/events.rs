//! Events and notifications by the admin API: what waits, and what became of the rest.

use serde_json::{Value, json};

use super::{Answer, Call, json_answer};
use crate::state::{Errand, What};

/// So many deliveries are told if nothing is said.
const LIMIT: usize = 200;

pub(super) fn list(call: &Call<'_>) -> Answer {
    let limit = call.number("limit")?.unwrap_or(LIMIT);
    let waiting: Vec<Value> = {
        let world = call.control.ground.world.lock();
        world.outbox.errands().take(limit).map(waiting_view).collect()
    };
    let mut done = call.control.ground.deliveries.list();
    done.drain(..done.len().saturating_sub(limit));
    Ok(json_answer(&json!({ "waiting": waiting, "done": done })))
}

fn waiting_view(errand: &Errand) -> Value {
    let (kind, about, to) = match &errand.what {
        What::Event { destination, bucket, .. } => ("event", bucket.as_str(), destination.as_str()),
        What::Happening(happening) => ("planned", happening.bucket.as_str(), ""),
        What::Notification { subscription, message } => {
            ("notification", message.topic.as_str(), subscription.as_str())
        }
        What::Confirmation(confirmation) => {
            ("confirmation", confirmation.topic.as_str(), confirmation.endpoint.as_str())
        }
    };
    json!({
        "due": errand.due.to_string(), "kind": kind, "from": about, "to": (!to.is_empty()).then_some(to),
        "attempts": errand.attempts,
    })
}
