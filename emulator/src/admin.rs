//! The admin API under `/_bucketproof/`: what people and other languages ask the emulator about itself, and how they
//! change it.
//!
//! [`routes::ROUTES`] is the whole of it: a request finds its route there, and `openapi.json` is made from it. Who may
//! come in is decided in [`gate`] before a body is read. No bucket can have this name, so nothing of S3 is hidden; on a
//! host that names a bucket, the path is a key.

#![expect(clippy::unnecessary_wraps, reason = "all handlers have one form, and some cannot fail")]

mod clock;
mod console;
mod events;
mod faults;
mod gate;
mod journal;
mod judge;
mod localstack;
mod metrics;
mod openapi;
mod requests;
mod routes;
mod tally;
#[cfg(test)]
mod tests;
mod token;
mod worlds;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::control::Control;
use crate::head::{Head, decode};
use crate::state::Content;

pub(crate) use tally::Tally;
pub use token::{AdminToken, AdminTokenError};
pub(crate) use worlds::Worlds;

use routes::{ROUTES, Route};

const PREFIX: &str = "/_bucketproof/";
/// Where set-ups for another emulator ask whether it is up.
const OTHER_PREFIX: &str = "/_localstack/";

/// The largest body that is read: a scenario with its policies.
pub(crate) const BODY_BYTES_MAX: u64 = 8 * 1024 * 1024;

pub(crate) fn is_admin(head: &Head) -> bool {
    let path = head.uri.path();
    head.bucket_in_host.is_none() && (path.starts_with(PREFIX) || path.starts_with(OTHER_PREFIX))
}

/// A request that found its route and was let in.
#[derive(Debug)]
pub(crate) struct Admitted {
    route: &'static Route,
    /// The value of `{id}`.
    id: Option<String>,
}

/// What a handler is given.
struct Call<'a> {
    head: &'a Head,
    body: &'a [u8],
    control: &'a Control,
    id: &'a str,
}

impl Call<'_> {
    /// The body as JSON; `what` says in an error what it should have been.
    fn json<T: DeserializeOwned>(&self, what: &str) -> Result<T, Refusal> {
        serde_json::from_slice(self.body)
            .map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, format!("the body is no {what}: {error}")))
    }

    /// The same, where no body stands for an empty object.
    fn optional_json<T: DeserializeOwned + Default>(&self, what: &str) -> Result<T, Refusal> {
        if self.body.is_empty() { Ok(T::default()) } else { self.json(what) }
    }

    /// A number in the query.
    fn number(&self, name: &str) -> Result<Option<usize>, Refusal> {
        self.head.parameter(name).map_or(Ok(None), |text| {
            text.parse().map(Some).map_err(|_| {
                Refusal::new(StatusCode::BAD_REQUEST, format!("parameter `{name}`: `{text}` is no number"))
            })
        })
    }
}

type Answer = Result<Response<Content>, Refusal>;

/// Why a request to the admin API is not answered.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    message: String,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Refusal {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), header: None }
    }

    fn missing(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    fn unauthorized(message: impl Into<String>) -> Self {
        let header = Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"bucketproof\"")));
        Self { header, ..Self::new(StatusCode::UNAUTHORIZED, message) }
    }

    fn into_response(self) -> Response<Content> {
        let mut response = text_answer(self.status, self.message + "\n");
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        sealed(response)
    }
}

/// Finds the route of a request and lets it in, or answers why not; nothing was read but the head.
pub(crate) fn admit(head: &Head, control: &Control) -> Result<Admitted, Box<Response<Content>>> {
    find(head)
        .and_then(|admitted| gate::check(head, &control.network, admitted.route).map(|()| admitted))
        .map_err(|refusal| Box::new(refusal.into_response()))
}

/// Answers a request that was let in.
pub(crate) fn answer(
    admitted: &Admitted,
    head: &Head,
    body: Result<Bytes, crate::error::AwsError>,
    control: &Control,
) -> Response<Content> {
    let Ok(body) = body else {
        let text = format!("the body cannot be read; it ends early, or has more than {BODY_BYTES_MAX} bytes");
        return Refusal::new(StatusCode::BAD_REQUEST, text).into_response();
    };
    let id = admitted.id.as_deref().unwrap_or_default();
    let call = Call { head, body: &body, control, id };
    match (admitted.route.handler)(&call) {
        Ok(response) => sealed(response),
        Err(refusal) => refusal.into_response(),
    }
}

fn find(head: &Head) -> Result<Admitted, Refusal> {
    let path = head.uri.path();
    let method = if head.method == Method::HEAD { "GET" } else { head.method.as_str() };
    let here: Vec<(&'static Route, Option<String>)> =
        ROUTES.iter().filter_map(|route| Some((route, matched(route.path, path)?))).collect();
    // A place with a fixed name comes before one with an id.
    let mut taking = here.iter().filter(|(route, _)| route.method == method);
    if let Some((route, id)) = taking.next() {
        check_query(head, route)?;
        return Ok(Admitted { route, id: id.clone() });
    }
    if here.is_empty() {
        let mut places: Vec<&str> = ROUTES.iter().map(|route| first_segment(route.path)).collect();
        places.dedup();
        places.retain(|place| !place.is_empty());
        let text = format!(
            "there is no `{path}`; below {PREFIX} there are `{}`; see {PREFIX}openapi.json",
            places.join("`, `")
        );
        return Err(Refusal::missing(text));
    }
    let methods: Vec<&str> = here.iter().map(|(route, _)| route.method).collect();
    let allow = methods.join(", ");
    let text = format!("{} is not taken at `{path}`; use {allow}", head.method);
    let header = HeaderValue::from_str(&allow).ok().map(|value| (ALLOW, value));
    Err(Refusal { header, ..Refusal::new(StatusCode::METHOD_NOT_ALLOWED, text) })
}

/// The first part of a path below the prefix; empty for what stands elsewhere.
fn first_segment(path: &'static str) -> &'static str {
    path.strip_prefix(PREFIX).and_then(|rest| rest.split('/').next()).unwrap_or_default()
}

/// Whether a path is that of a route: `Some` with the value of its `{id}`.
#[expect(clippy::option_option, reason = "no match, a match without an id, a match with one")]
fn matched(pattern: &str, path: &str) -> Option<Option<String>> {
    let mut id = None;
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(id),
            (Some("{id}"), Some(segment)) if !segment.is_empty() => id = Some(decode(segment).into_owned()),
            (Some(wanted), Some(given)) if wanted == given => {}
            _ => return None,
        }
    }
}

/// A parameter that nobody reads would be taken for one that works.
fn check_query(head: &Head, route: &Route) -> Result<(), Refusal> {
    let known = |name: &str| route.query.iter().any(|parameter| parameter.name == name);
    let Some((unknown, _)) = head.query.iter().find(|(name, _)| !known(name)) else { return Ok(()) };
    // Of another emulator's callers nobody knows what they add.
    if route.path.starts_with(OTHER_PREFIX) {
        return Ok(());
    }
    let names: Vec<String> = route.query.iter().map(|parameter| format!("`{}`", parameter.name)).collect();
    let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let text = format!("there is no parameter `{unknown}` at `{}`; there are {names}", head.uri.path());
    Err(Refusal::new(StatusCode::BAD_REQUEST, text))
}

fn json_answer<T: Serialize>(value: &T) -> Response<Content> {
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
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// What every answer carries: browsers neither keep it nor guess what it is.
fn sealed(mut response: Response<Content>) -> Response<Content> {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}
