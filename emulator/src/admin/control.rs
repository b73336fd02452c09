//! The part of the admin API that changes the emulator: faults, clock, a new start. For callers on loopback alone.
//!
//! - `GET`, `POST`, `DELETE /_bucketproof/faults`, `DELETE /_bucketproof/faults/ID`: the body is a fault as a JSON object.
//! - `GET`, `POST /_bucketproof/clock`: `{"set": TIME}`, `{"advance_seconds": N}`, `{"pace": "system|manual|frozen"}`.
//! - `POST /_bucketproof/reset`: state and time of the start, an empty journal, the faults of the scenario.
//! - `GET /_bucketproof/openapi.json`: all of it, described.

use std::time::Duration;

use bucketproof_clock::Pace;
use http::{Method, Response, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::{json_answer, text_answer};
use crate::control::Control;
use crate::fault::FaultDocument;
use crate::head::Head;
use crate::state::Content;

/// The largest body that is read.
pub(crate) const BODY_BYTES_MAX: u64 = 64 * 1024;

/// What a request to the clock asks for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockChange {
    set: Option<Timestamp>,
    advance_seconds: Option<f64>,
    pace: Option<String>,
}

/// The answer, if the request is about this part of the API.
pub(crate) fn answer(head: &Head, body: &[u8], control: &Control) -> Option<Response<Content>> {
    let place = head.uri.path().strip_prefix(super::PREFIX)?;
    let (place, id) = place.split_once('/').map_or((place, None), |(place, id)| (place, Some(id)));
    if !matches!(place, "faults" | "clock" | "reset" | "openapi.json") {
        return None;
    }
    if head.method != Method::GET && !head.source_ip.is_loopback() {
        let text = "the emulator is changed by callers on loopback alone\n".to_owned();
        return Some(text_answer(StatusCode::FORBIDDEN, text));
    }
    let answered = match (place, &head.method, id) {
        ("faults", &Method::GET, None) => json_answer(&control.ground.faults.views()),
        ("faults", &Method::POST, None) => inject(body, control),
        ("faults", &Method::DELETE, None) => {
            control.ground.faults.end_all();
            json_answer(&json!({}))
        }
        ("faults", &Method::DELETE, Some(id)) => end(id, control),
        ("clock", &Method::GET, None) => clock(control),
        ("clock", &Method::POST, None) => match change_clock(body, control) {
            Ok(()) => clock(control),
            Err(problem) => text_answer(StatusCode::BAD_REQUEST, format!("{problem}\n")),
        },
        ("reset", &Method::POST, None) => match control.reset() {
            Ok(()) => json_answer(&json!({})),
            Err(error) => text_answer(StatusCode::CONFLICT, format!("{error}\n")),
        },
        ("openapi.json", &Method::GET, None) => json_answer(&description()),
        (place, method, _) => {
            let text = format!("{method} is not taken at `{place}`; see /_bucketproof/openapi.json\n");
            text_answer(StatusCode::METHOD_NOT_ALLOWED, text)
        }
    };
    Some(answered)
}

fn inject(body: &[u8], control: &Control) -> Response<Content> {
    let fault = serde_json::from_slice::<FaultDocument>(body)
        .map_err(|error| format!("the body is no fault: {error}"))
        .and_then(FaultDocument::fault);
    match fault {
        Ok(fault) => json_answer(&json!({ "id": control.ground.faults.inject_for_good(fault) })),
        Err(problem) => text_answer(StatusCode::BAD_REQUEST, format!("{problem}\n")),
    }
}

fn end(id: &str, control: &Control) -> Response<Content> {
    match id.parse() {
        Ok(number) if control.ground.faults.end(number) => json_answer(&json!({})),
        _ => {
            let text = format!("there is no fault `{id}`; see /_bucketproof/faults\n");
            text_answer(StatusCode::NOT_FOUND, text)
        }
    }
}

fn clock(control: &Control) -> Response<Content> {
    let clock = control.clock();
    let pace = match clock.pace() {
        Pace::System => "system",
        Pace::Manual => "manual",
        Pace::Frozen => "frozen",
    };
    json_answer(&json!({ "now": clock.now().to_string(), "pace": pace }))
}

fn change_clock(body: &[u8], control: &Control) -> Result<(), String> {
    let change: ClockChange = serde_json::from_slice(body).map_err(|error| {
        format!("the body is no change of the clock: {error}; it has `set`, `advance_seconds` or `pace`")
    })?;
    let clock = control.clock();
    let pace = match change.pace.as_deref() {
        None => None,
        Some("system") => Some(Pace::System),
        Some("manual") => Some(Pace::Manual),
        Some("frozen") => Some(Pace::Frozen),
        Some(other) => {
            return Err(format!(
                "field `pace`: `{other}` is none; there are `system`, `manual` and `frozen`"
            ));
        }
    };
    let step = match change.advance_seconds {
        None => None,
        Some(seconds) => {
            let step = Duration::try_from_secs_f64(seconds);
            Some(step.map_err(|error| format!("field `advance_seconds`: `{seconds}`: {error}"))?)
        }
    };
    if let Some(pace) = pace {
        clock.set_pace(pace);
    }
    if let Some(instant) = change.set {
        clock.set(instant);
    }
    if let Some(step) = step {
        clock.advance(step);
    }
    Ok(())
}

/// The whole admin API as an OpenAPI document.
fn description() -> serde_json::Value {
    let text = |what: &str| json!({ "description": what, "content": { "text/plain": {} } });
    let json = |what: &str| json!({ "description": what, "content": { "application/json": {} } });
    let body = |schema: serde_json::Value| json!({ "content": { "application/json": { "schema": schema } } });
    let fault =
        json!({ "type": "object", "required": ["effect"], "properties": FaultDocument::properties() });
    let clock = json!({ "type": "object", "properties": {
        "set": { "type": "string", "format": "date-time" },
        "advance_seconds": { "type": "number" },
        "pace": { "enum": ["system", "manual", "frozen"] },
    }});
    let get = |summary: &str, answer: serde_json::Value| json!({ "summary": summary, "responses": { "200": answer } });
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Bucketproof emulator, admin API", "version": env!("CARGO_PKG_VERSION") },
        "paths": {
            "/_bucketproof/health": { "get": get("Is it up", json("`{\"status\":\"ok\"}`")) },
            "/_bucketproof/requests": { "get": get("The journal", json("requests, oldest first")) },
            "/_bucketproof/decisions": { "get": {
                "summary": "The last denied decision, or those of one request",
                "parameters": [{ "name": "request", "in": "query", "schema": { "type": "string" } }],
                "responses": { "200": text("the trace"), "404": text("there is none") },
            }},
            "/_bucketproof/faults": {
                "get": get("The faults in force", json("id, name, description, met, hits")),
                "post": {
                    "summary": "Put a fault in force",
                    "requestBody": body(fault),
                    "responses": { "200": json("its id"), "400": text("what is wrong with it") },
                },
                "delete": get("End all faults", json("nothing")),
            },
            "/_bucketproof/faults/{id}": { "delete": {
                "summary": "End a fault",
                "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "integer" } }],
                "responses": { "200": json("nothing"), "404": text("there is none of that id") },
            }},
            "/_bucketproof/clock": {
                "get": get("The time", json("now and pace")),
                "post": {
                    "summary": "Set or advance the time, or change how it passes",
                    "requestBody": body(clock),
                    "responses": { "200": json("now and pace"), "400": text("what is wrong") },
                },
            },
            "/_bucketproof/reset": { "post": {
                "summary": "State and time of the start, an empty journal, the faults of the scenario",
                "responses": { "200": json("nothing"), "409": text("a data directory cannot go back") },
            }},
            "/_localstack/health": { "get": get("Is it up, for set-ups that ask so", json("services")) },
        },
    })
}
