//! The admin API as an OpenAPI document, made from its routes.

use serde_json::{Map, Value, json};

use super::routes::{Access, Form, Outcome, ROUTES, Route};
use super::{Answer, Call, json_answer};

pub(super) fn show(_call: &Call<'_>) -> Answer {
    Ok(json_answer(&document()))
}

pub(super) fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        let place = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(place) = place.as_object_mut() {
            place.insert(route.method.to_ascii_lowercase(), operation(route));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Bucketproof emulator, admin API",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "What a running emulator tells about itself, and how it is changed.",
            "description": "For callers on loopback, or with a token if the emulator was started with one.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{}, { "token": [] }],
        "paths": paths,
        "components": { "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } } },
    })
}

fn operation(route: &Route) -> Value {
    let mut responses: Map<String, Value> = Map::new();
    for outcome in route.outcomes {
        responses.insert(outcome.status.to_string(), response(outcome));
    }
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "responses": responses,
    });
    let Some(fields) = operation.as_object_mut() else { return operation };
    let mut parameters: Vec<Value> = route
        .query
        .iter()
        .map(|parameter| {
            let mut schema = json!({ "type": "string" });
            if let Some(schema) = schema.as_object_mut().filter(|_| !parameter.values.is_empty()) {
                schema.insert("enum".to_owned(), json!(parameter.values));
            }
            json!({ "name": parameter.name, "in": "query", "description": parameter.about, "schema": schema })
        })
        .collect();
    if route.path.contains("{id}") {
        parameters
            .push(json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }));
    }
    if !parameters.is_empty() {
        fields.insert("parameters".to_owned(), json!(parameters));
    }
    if let Some((media, schema)) = route.body {
        let mut content = Map::new();
        content.insert(media.to_owned(), json!({ "schema": schema() }));
        fields.insert("requestBody".to_owned(), json!({ "content": content }));
    }
    if route.access == Access::Open {
        fields.insert("security".to_owned(), json!([]));
    } else {
        let text = "not on loopback, from a page of another site, or under a name that others may point here";
        responses_of(fields, 403, text);
        responses_of(fields, 401, "the emulator has a token, and this request has not");
    }
    operation
}

fn responses_of(fields: &mut Map<String, Value>, status: u16, about: &'static str) {
    let refusal = response(&Outcome { status, form: Form::Text, about });
    if let Some(responses) = fields.get_mut("responses").and_then(Value::as_object_mut) {
        responses.insert(status.to_string(), refusal);
    }
}

fn response(outcome: &Outcome) -> Value {
    let media = match outcome.form {
        Form::Json => "application/json",
        Form::Text => "text/plain",
        Form::Html => "text/html",
        Form::Other(media) => media,
    };
    let mut content = Map::new();
    content.insert(media.to_owned(), json!({}));
    json!({ "description": outcome.about, "content": content })
}

/// `getFaults`, `deleteFaultsId`.
fn operation_id(route: &Route) -> String {
    let words =
        route.path.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut id = route.method.to_ascii_lowercase();
    for word in words.skip_while(|word| *word == "bucketproof") {
        let (first, rest) = word.split_at(1);
        id.push_str(&first.to_ascii_uppercase());
        id.push_str(rest);
    }
    id
}
