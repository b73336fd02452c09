//! The journal for other programs.

use http::StatusCode;
use serde_json::{Value, json};

use super::routes::Parameter;
use super::{Answer, Call, Refusal, json_answer, typed};

const FORMATS: &[&str] = &["json-lines", "har"];

/// How the journal can be written.
pub(super) const FORMAT: &[Parameter] =
    &[Parameter { name: "format", about: "an object per line, or an HTTP archive", values: FORMATS }];

/// A request per line with all that it takes to decide again, or an HTTP archive.
pub(super) fn export(call: &Call<'_>) -> Answer {
    let journal = &call.control.journal;
    match call.head.parameter("format").unwrap_or("json-lines") {
        "json-lines" => Ok(typed(StatusCode::OK, "application/jsonl", journal.to_json_lines().into())),
        "har" => Ok(typed(StatusCode::OK, "application/json", journal.to_har().into())),
        other => {
            let text = format!("parameter `format`: `{other}` is none; there are {}", FORMATS.join(", "));
            Err(Refusal::new(StatusCode::BAD_REQUEST, text))
        }
    }
}

/// How many requests there were of each operation, and what was denied.
pub(super) fn counts(call: &Call<'_>) -> Answer {
    let journal = &call.control.journal;
    let requests = journal.requests();
    let operations: serde_json::Map<String, Value> =
        requests.counts().into_iter().map(|(op, count)| (op.to_string(), count.into())).collect();
    let (received, answered) = requests.bytes();
    Ok(json_answer(&json!({
        "requests": requests.len(),
        "forgotten": journal.forgotten(),
        "operations": operations,
        "denied": requests.clone().denied().len(),
        "refused_undecided": requests.refused_undecided().len(),
        "request_bytes": received,
        "response_bytes": answered,
    })))
}
