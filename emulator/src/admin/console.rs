//! The web console: a page and its files, in the program. Nothing is loaded from elsewhere.

use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_FRAME_OPTIONS};
use http::{HeaderValue, Response, StatusCode};

use super::{Answer, Call, Refusal, typed};
use crate::state::Content;

/// Scripts and styles of this origin alone; no script may write HTML from text; nobody may put the page in a frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
                      trusted-types 'none'";

const SCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! files {
    ($($name:literal: $media:expr),* $(,)?) => {
        &[$(($name, $media, include_str!(concat!("console/", $name)))),*]
    };
}

/// Name, media type and text.
const FILES: &[(&str, &str, &str)] = files! {
    "console.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "console.js": SCRIPT,
    "api.js": SCRIPT,
    "dom.js": SCRIPT,
    "requests.js": SCRIPT,
    "request.js": SCRIPT,
    "trace.js": SCRIPT,
    "faults.js": SCRIPT,
    "clock.js": SCRIPT,
    "events.js": SCRIPT,
};

pub(super) fn page(_call: &Call<'_>) -> Answer {
    Ok(served("text/html; charset=utf-8", include_str!("console/index.html")))
}

pub(super) fn file(call: &Call<'_>) -> Answer {
    match FILES.iter().find(|(name, ..)| *name == call.id) {
        Some((_, media, text)) => Ok(served(media, text)),
        None => Err(Refusal::missing(format!("the console has no file `{}`", call.id))),
    }
}

fn served(media: &'static str, text: &'static str) -> Response<Content> {
    let mut response = typed(StatusCode::OK, media, Bytes::from_static(text.as_bytes()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
