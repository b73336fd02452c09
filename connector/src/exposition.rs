//! What a running connector tells of itself over HTTP: `/metrics` in the text format of Prometheus, and `/health`.

use std::fmt::{Display, Write as _};
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use tokio::net::TcpListener;

use crate::runner::StopSignal;
use crate::serving::Serving;

/// Requests that are answered at the same time; others wait.
const REQUESTS_MAX: usize = 16;

/// Somebody who counts and knows whether all is well.
pub(crate) trait Exposed: Send + Sync + 'static {
    /// All counts, in the text format of Prometheus.
    fn metrics(&self) -> String;

    /// What is not well, in lines; nothing if all is.
    fn ailment(&self) -> Option<String>;
}

/// Answers `GET /metrics` and `GET /health` at `listener` until `stop` is given.
pub(crate) async fn serve<E: Exposed>(exposed: Arc<E>, listener: TcpListener, stop: StopSignal) {
    let answer = move |request: Request<Incoming>| {
        let exposed = Arc::clone(&exposed);
        async move { answered(exposed.as_ref(), request.method(), request.uri().path()) }
    };
    Serving::new(REQUESTS_MAX, None).serve(listener, stop, answer).await;
}

fn answered(exposed: &dyn Exposed, method: &Method, path: &str) -> Response<Full<Bytes>> {
    let plain = "text/plain";
    let (status, kind, body) = match (method, path) {
        (&Method::GET, "/metrics") => (StatusCode::OK, "text/plain; version=0.0.4", exposed.metrics()),
        (&Method::GET, "/health") => match exposed.ailment() {
            None => (StatusCode::OK, plain, "ok\n".to_owned()),
            Some(ailment) => (StatusCode::SERVICE_UNAVAILABLE, plain, format!("{}\n", ailment.trim_end())),
        },
        _ => {
            (StatusCode::NOT_FOUND, plain, "`GET /metrics` and `GET /health` are answered here\n".to_owned())
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// A text in the format of Prometheus, family by family.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    text: String,
}

impl Exposition {
    /// Adds a family; each sample is its labels, in braces if there are any, and its value.
    pub(crate) fn family(&mut self, name: &str, kind: &str, help: &str, samples: Vec<(String, String)>) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in samples {
            let _ = writeln!(self.text, "{name}{labels} {value}");
        }
    }

    /// Adds a family of a single sample without labels.
    pub(crate) fn single(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help, vec![(String::new(), value.to_string())]);
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

/// One label with its value, which may hold anything.
pub(crate) fn label(name: &str, value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("{{{name}=\"{value}\"}}")
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    struct Fixed(Option<&'static str>);

    impl Exposed for Fixed {
        fn metrics(&self) -> String {
            let mut text = Exposition::default();
            text.single("a_total", "counter", "How many.", 3);
            text.family("b", "gauge", "By name.", vec![(label("name", "a\"b\\c\n"), "1".to_owned())]);
            text.into_text()
        }

        fn ailment(&self) -> Option<String> {
            self.0.map(str::to_owned)
        }
    }

    async fn said(exposed: Fixed, method: Method, path: &str) -> (u16, String) {
        let response = answered(&exposed, &method, path);
        let status = response.status().as_u16();
        (
            status,
            String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap(),
        )
    }

    #[tokio::test]
    async fn counts_and_health_are_told_and_nothing_else() {
        let text = "# HELP a_total How many.\n# TYPE a_total counter\na_total 3\n# HELP b By name.\n# TYPE b gauge\n\
                    b{name=\"a\\\"b\\\\c\\n\"} 1\n";
        assert_eq!(said(Fixed(None), Method::GET, "/metrics").await, (200, text.to_owned()));
        assert_eq!(said(Fixed(None), Method::GET, "/health").await, (200, "ok\n".to_owned()));
        let ill = said(Fixed(Some("reports are late\n")), Method::GET, "/health").await;
        assert_eq!(ill, (503, "reports are late\n".to_owned()));
        assert_eq!(said(Fixed(None), Method::POST, "/health").await.0, 404);
        assert_eq!(said(Fixed(None), Method::GET, "/").await.0, 404);
    }
}
