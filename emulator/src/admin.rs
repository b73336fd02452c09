//! The admin API under `/_bucketproof/`: what other languages ask the emulator about itself.
//!
//! - `GET /_bucketproof/health`: `{"status":"ok"}`.
//! - `GET /_bucketproof/requests`: the journal, a JSON array, oldest first.
//! - `GET /_bucketproof/scenario`: the present state as a scenario file, with the secret keys of emulated users.
//! - `GET /_localstack/health`: for set-ups that ask so whether it is up.
//! - `GET /_bucketproof/decisions`: the last denied decision as text; `?request=ID` for those of one request.
//!
//! No bucket can have this name, so nothing of S3 is hidden; on a host that names a bucket, the path is a key.

mod control;

use std::fmt::Write as _;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode};

use crate::control::Control;
use crate::head::Head;
use crate::journal::{Journal, RecordedDecision};
use crate::scenario;
use crate::service::Service;
use crate::state::Content;

pub(crate) use control::{BODY_BYTES_MAX, answer as answer_control};

const PREFIX: &str = "/_bucketproof/";
/// Where set-ups for another emulator ask whether it is up.
const OTHER_HEALTH: &str = "/_localstack/health";

pub(crate) fn is_admin(head: &Head) -> bool {
    let path = head.uri.path();
    head.bucket_in_host.is_none() && (path.starts_with(PREFIX) || path == OTHER_HEALTH)
}

pub(crate) fn answer(head: &Head, control: &Control) -> Response<Content> {
    let journal = &control.journal;
    if head.uri.path() == OTHER_HEALTH {
        let services: serde_json::Map<_, _> =
            [Service::S3, Service::Sts, Service::Iam, Service::Kms, Service::Sns, Service::Sqs]
                .map(|service| (service.name().to_owned(), "running".into()))
                .into_iter()
                .collect();
        let version = env!("CARGO_PKG_VERSION");
        return json_answer(
            &serde_json::json!({ "services": services, "edition": "bucketproof", "version": version }),
        );
    }
    let place = head.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    if head.method != Method::GET {
        let text = format!("{} is not taken here; use GET\n", head.method);
        let mut response = text_answer(StatusCode::METHOD_NOT_ALLOWED, text);
        response.headers_mut().insert(http::header::ALLOW, HeaderValue::from_static("GET"));
        return response;
    }
    match place {
        "health" => json_answer(&serde_json::json!({ "status": "ok" })),
        "requests" => {
            let entries = journal.entries();
            let views: Vec<_> = entries.iter().map(|entry| entry.view()).collect();
            json_answer(&views)
        }
        "decisions" => decisions(head, journal),
        // It holds secrets, so it is told to this machine alone.
        "scenario" if !head.source_ip.is_loopback() => text_answer(
            StatusCode::FORBIDDEN,
            "the scenario is told to callers on loopback alone\n".to_owned(),
        ),
        "scenario" => text_answer(StatusCode::OK, scenario::export(&control.ground.world.lock())),
        other => {
            let text = format!(
                "there is no `{other}` here; there are `health`, `requests`, `decisions`, `scenario`, `faults`, `clock`, `reset` and \
                 `openapi.json`\n"
            );
            text_answer(StatusCode::NOT_FOUND, text)
        }
    }
}

fn decisions(head: &Head, journal: &Journal) -> Response<Content> {
    match head.parameter("request") {
        None => match journal.denied().last() {
            Some(denied) => text_answer(StatusCode::OK, denied.explain()),
            None => text_answer(StatusCode::NOT_FOUND, "no request was denied\n".to_owned()),
        },
        Some(id) => match journal.entry(id) {
            None => {
                let text = format!("the journal has no request `{id}`; see /_bucketproof/requests\n");
                text_answer(StatusCode::NOT_FOUND, text)
            }
            Some(entry) if entry.decisions.is_empty() => {
                let mut text = format!("request `{id}` was answered {} ", entry.status);
                let code = entry.code.as_deref().unwrap_or("without an error");
                let _infallible = writeln!(text, "({code}) before anything was decided");
                text_answer(StatusCode::OK, text)
            }
            Some(entry) => {
                let texts: Vec<String> = entry.decisions.iter().map(RecordedDecision::explain).collect();
                text_answer(StatusCode::OK, texts.join("\n"))
            }
        },
    }
}

fn json_answer<T: serde::Serialize>(value: &T) -> Response<Content> {
    match serde_json::to_vec(value) {
        Ok(json) => typed(StatusCode::OK, "application/json", json.into()),
        Err(error) => text_answer(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

fn text_answer(status: StatusCode, text: String) -> Response<Content> {
    typed(status, "text/plain; charset=utf-8", text.into())
}

fn typed(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<Content> {
    let mut response = Response::new(Content::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
