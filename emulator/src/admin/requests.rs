//! The journal by the admin API: what was asked, and why it was answered so.

use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::routes::Parameter;
use super::{Answer, Call, Refusal, json_answer, text_answer};
use crate::journal::{Entry, RecordedDecision};
use crate::operation::Op;

/// Tells whether the request that a list was to come after is still kept; if not, the list is whole.
const CONTINUES: &str = "x-bucketproof-continues";

const OUTCOMES: &[&str] = &["allowed", "denied", "undecided"];

/// What the list of requests can be narrowed by.
pub(super) const FILTERS: &[Parameter] = &[
    Parameter {
        name: "after",
        about: "only those after this request; all if it is no longer kept, which `x-bucketproof-continues: false` tells",
        values: &[],
    },
    Parameter { name: "limit", about: "only that many of the last", values: &[] },
    Parameter { name: "operation", about: "the name of an operation, such as `PutObject`", values: &[] },
    Parameter { name: "service", about: "the name of a service, such as `s3`", values: &[] },
    Parameter { name: "bucket", about: "the name of a bucket", values: &[] },
    Parameter { name: "principal", about: "a part of the ARN of the caller", values: &[] },
    Parameter { name: "outcome", about: "what was decided", values: OUTCOMES },
    Parameter { name: "brief", about: "`true` leaves the explanations out", values: &["true", "false"] },
];

pub(super) fn list(call: &Call<'_>) -> Answer {
    let wrong = |text: String| Refusal::new(StatusCode::BAD_REQUEST, text);
    let asked = |name: &str| call.head.parameter(name);
    if let Some(outcome) = asked("outcome").filter(|outcome| !OUTCOMES.contains(outcome)) {
        return Err(wrong(format!(
            "parameter `outcome`: `{outcome}` is none; there are {}",
            OUTCOMES.join(", ")
        )));
    }
    let brief = match asked("brief") {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => {
            return Err(wrong(format!("parameter `brief`: `{other}` is neither `true` nor `false`")));
        }
    };
    let operation = asked("operation").map(str::parse::<Op>).transpose();
    let operation = operation.map_err(|error| {
        let names: Vec<&str> = Op::ALL.iter().map(|op| op.name()).collect();
        wrong(format!("parameter `operation`: {error}; the operations are {}", names.join(", ")))
    })?;
    let limit = call.number("limit")?;
    let mut entries = call.control.journal.entries();
    let mut continues = None;
    if let Some(after) = asked("after") {
        let at = entries.iter().rposition(|entry| entry.request_id == after);
        continues = Some(at.is_some());
        if let Some(at) = at {
            entries.drain(..=at);
        }
    }
    entries.retain(|entry| {
        operation.is_none_or(|op| entry.operation == Some(op))
            && asked("service").is_none_or(|service| entry.service == service)
            && asked("bucket").is_none_or(|bucket| entry.bucket.as_deref() == Some(bucket))
            && asked("principal")
                .is_none_or(|part| entry.principal.as_ref().is_some_and(|principal| principal.contains(part)))
            && asked("outcome").is_none_or(|outcome| outcome_of(entry) == outcome)
    });
    if let Some(limit) = limit {
        entries.drain(..entries.len().saturating_sub(limit));
    }
    let mut response = if brief {
        let views: Vec<Value> = entries.iter().map(|entry| brief_view(entry)).collect();
        json_answer(&views)
    } else {
        let views: Vec<_> = entries.iter().map(|entry| entry.view()).collect();
        json_answer(&views)
    };
    if let Some(continues) = continues {
        let value = HeaderValue::from_static(if continues { "true" } else { "false" });
        response.headers_mut().insert(CONTINUES, value);
    }
    Ok(response)
}

pub(super) fn clear(call: &Call<'_>) -> Answer {
    call.control.journal.clear();
    Ok(json_answer(&json!({})))
}

/// What became of a request, as far as it was decided on.
fn outcome_of(entry: &Entry) -> &'static str {
    if entry.decisions.is_empty() {
        "undecided"
    } else if entry.decisions.iter().all(|decision| decision.decision.is_allowed()) {
        "allowed"
    } else {
        "denied"
    }
}

/// A request in a list, without the traces, which take time to make.
fn brief_view(entry: &Entry) -> Value {
    let decisions: Vec<Value> = entry
        .decisions
        .iter()
        .map(|recorded| {
            json!({
                "action": recorded.action, "resource": recorded.resource, "outcome": recorded.decision.outcome(),
            })
        })
        .collect();
    json!({
        "request_id": entry.request_id, "received_at": entry.received_at.to_string(), "service": entry.service,
        "operation": entry.operation.map(|op| op.to_string()), "method": entry.method, "path": entry.path,
        "bucket": entry.bucket, "key": entry.key, "principal": entry.principal, "status": entry.status,
        "code": entry.code, "outcome": outcome_of(entry), "decisions": decisions, "faults": entry.faults,
        "request_bytes": entry.request_bytes, "response_bytes": entry.response_bytes,
    })
}

pub(super) fn one(call: &Call<'_>) -> Answer {
    let entry = call.control.journal.entry(call.id).ok_or_else(|| no_such(call.id))?;
    let mut view = brief_view(&entry);
    let decisions: Vec<Value> = entry.decisions.iter().map(decision_view).collect();
    if let Some(view) = view.as_object_mut() {
        view.insert("decisions".to_owned(), json!(decisions));
    }
    Ok(json_answer(&view))
}

/// A decision with its trace, its context, and the documents that were in force.
pub(super) fn decision_view(recorded: &RecordedDecision) -> Value {
    let decision = &recorded.decision;
    let context: serde_json::Map<String, Value> = decision
        .request()
        .context
        .iter()
        .map(|(key, values)| {
            let values = values.as_slice();
            let value = match values {
                [one] => json!(one),
                several => json!(several),
            };
            (key.to_owned(), value)
        })
        .collect();
    json!({
        "action": recorded.action,
        "resource": recorded.resource,
        "decided_at": recorded.decided_at.to_string(),
        "outcome": decision.outcome(),
        "reason": decision.reason().to_string(),
        "trace": decision.trace(),
        "explanation": recorded.explain(),
        "context": context,
        "policies": super::judge::documents(decision),
    })
}

pub(super) fn decisions(call: &Call<'_>) -> Answer {
    let journal = &call.control.journal;
    let Some(id) = call.head.parameter("request") else {
        return match journal.requests().denied().last() {
            Some(denied) => Ok(text_answer(StatusCode::OK, denied.explain())),
            None => Err(Refusal::missing("no request was denied")),
        };
    };
    let entry = journal.entry(id).ok_or_else(|| no_such(id))?;
    Ok(text_answer(StatusCode::OK, entry.explain()))
}

pub(super) fn no_such(id: &str) -> Refusal {
    Refusal::missing(format!("the journal has no request `{id}`; see /_bucketproof/requests"))
}
