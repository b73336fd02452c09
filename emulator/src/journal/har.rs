//! The journal as an HTTP archive.
//!
//! Source: "HAR 1.2 Spec", Jan Odvarko. What the emulator adds has a name with an underscore, as the format asks.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};

use super::{Entry, Headers, RecordedDecision};
use crate::head::Query;

pub(super) fn archive(entries: &[Arc<Entry>]) -> String {
    // What a service of the emulator did by itself was no request over HTTP.
    let entries: Vec<Value> =
        entries.iter().filter(|entry| !entry.host.is_empty()).map(|entry| one(entry)).collect();
    let archive = json!({ "log": {
        "version": "1.2",
        "creator": { "name": "bucketproof-emulator", "version": env!("CARGO_PKG_VERSION") },
        "entries": entries,
    }});
    format!("{archive:#}\n")
}

fn one(entry: &Entry) -> Value {
    let milliseconds = entry.answered_at.duration_since(entry.received_at).as_secs_f64() * 1000.0;
    let query = if entry.query.is_empty() { String::new() } else { format!("?{}", entry.query) };
    let parameters: Vec<Value> = Query::parse(&entry.query)
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    let header = |headers: &Headers, name: &str| headers.get(name).unwrap_or_default().to_owned();
    let reason = StatusCode::from_u16(entry.status).ok().and_then(|status| status.canonical_reason());
    json!({
        "startedDateTime": entry.received_at.to_string(),
        "time": milliseconds,
        "request": {
            "method": entry.method,
            "url": format!("http://{}{}{query}", entry.host, entry.path),
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": headers(&entry.request_headers),
            "queryString": parameters,
            "headersSize": -1,
            "bodySize": entry.request_bytes,
        },
        "response": {
            "status": entry.status,
            "statusText": reason.unwrap_or_default(),
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": headers(&entry.response_headers),
            "content": {
                "size": entry.response_bytes,
                "mimeType": header(&entry.response_headers, "content-type"),
            },
            "redirectURL": header(&entry.response_headers, "location"),
            "headersSize": -1,
            "bodySize": entry.response_bytes,
        },
        "cache": {},
        "timings": { "send": 0, "wait": milliseconds, "receive": 0 },
        "_bucketproof": {
            "request_id": entry.request_id,
            "operation": entry.operation.map(|op| op.to_string()),
            "principal": entry.principal,
            "code": entry.code,
            "attempt": entry.attempt,
            "faults": entry.faults,
            "decisions": entry.decisions.iter().map(decision).collect::<Vec<_>>(),
        },
    })
}

fn headers(headers: &Headers) -> Vec<Value> {
    headers.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

fn decision(recorded: &RecordedDecision) -> Value {
    json!({
        "action": recorded.action,
        "resource": recorded.resource,
        "outcome": recorded.decision.outcome().as_str(),
        "explanation": recorded.explain(),
    })
}
