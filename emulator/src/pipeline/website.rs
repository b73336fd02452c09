//! The website endpoint: pages instead of the API, for anybody whom the bucket lets read.
//!
//! Each object that is looked at is a `GetObject` of nobody through the gate. Source: S3 User Guide "Hosting a static
//! website", recorded pages. Unverified: that `RedirectAllRequestsTo` drops the query.

use std::sync::Arc;

use http::header::{CONTENT_TYPE, HOST, LOCATION};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use jiff::Timestamp;

use super::Pipeline;
use crate::addressing::WebsiteHost;
use crate::authenticate::{Authenticated, Decoded};
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::head::{Head, Query, decode, encode_path};
use crate::ids::RequestIds;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::s3::{Redirect, ReplacedKey, RoutingRule, Website};
use crate::state::{Content, World};

/// Where those end who name no bucket.
const ABOUT_S3: &str = "https://aws.amazon.com/s3/";
/// Headers of a visit that count for the page, not for the page of an error.
const CONDITIONAL: [&str; 5] =
    ["if-match", "if-modified-since", "if-none-match", "if-unmodified-since", "range"];

/// Reads how a bucket answers as a website; everybody who visits makes S3 do so.
#[derive(Debug)]
struct VisitWebsite {
    bucket: String,
}

impl Operation for VisitWebsite {
    type Output = Website;
    const OP: Op = Op::GetObject;

    fn target(&self) -> Target<'_> {
        Target::Bucket(&self.bucket)
    }

    fn requirements(&self, _: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(Vec::new())
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Website, AwsError> {
        let name = authorized.into_operation().bucket;
        let website = world.bucket(&name)?.settings.website.clone();
        website.ok_or_else(|| AwsError::no_such_website(&name))
    }
}

/// What went wrong, and why the site's own page about it cannot be shown.
struct Failure {
    error: AwsError,
    custom: Option<AwsError>,
}

impl From<AwsError> for Failure {
    fn from(error: AwsError) -> Self {
        Self { error, custom: None }
    }
}

/// A visit on its way.
struct Visit<'a> {
    exchange: &'a Arc<Exchange>,
    head: Head,
    bucket: String,
    key: String,
}

impl Pipeline {
    /// Answers a visit, always with something that a browser shows.
    pub(super) async fn website(&self, exchange: &Arc<Exchange>, ids: &RequestIds) -> Response<Content> {
        let is_head = exchange.head.method == Method::HEAD;
        match self.visit(exchange).await {
            Ok(response) => response,
            Err(Failure { error, custom }) => {
                exchange.with_outcome(|outcome| outcome.code = Some(error.code.clone().into_owned()));
                let body = if is_head || error.status == StatusCode::NOT_MODIFIED {
                    Content::default()
                } else {
                    Content::from(bytes::Bytes::from(error.html(custom.as_ref(), ids)))
                };
                let mut response = Response::new(body);
                *response.status_mut() = error.status;
                if error.status != StatusCode::NOT_MODIFIED {
                    tell(&mut response, &error);
                    let html = HeaderValue::from_static("text/html; charset=utf-8");
                    response.headers_mut().insert(CONTENT_TYPE, html);
                }
                response
            }
        }
    }

    async fn visit(&self, exchange: &Arc<Exchange>) -> Result<Response<Content>, Failure> {
        let Some(WebsiteHost::Bucket(bucket)) = &exchange.head.website else {
            return Ok(redirect(StatusCode::MOVED_PERMANENTLY, ABOUT_S3));
        };
        if !matches!(exchange.head.method, Method::GET | Method::HEAD) {
            return Err(AwsError::method_not_allowed("OBJECT")
                .with_first("Method", exchange.head.method.as_str())
                .into());
        }
        let head = exchange.begin(Op::GetObject)?.into_owned();
        let website = exchange.perform(&head, VisitWebsite { bucket: bucket.clone() })?;
        let key = decode(head.uri.path()).strip_prefix('/').unwrap_or_default().to_owned();
        let visit = Visit { exchange, head, bucket: bucket.clone(), key };
        match website {
            Website::RedirectAll { host, protocol } => {
                let protocol = protocol.as_deref().unwrap_or("http");
                let location = format!("{protocol}://{host}/{}", encode_path(&visit.key));
                Ok(redirect(StatusCode::MOVED_PERMANENTLY, &location))
            }
            Website::Pages { index, error, rules } => {
                self.page(&visit, &index, error.as_deref(), &rules).await
            }
        }
    }

    async fn page(
        &self,
        visit: &Visit<'_>,
        index: &str,
        error_key: Option<&str>,
        rules: &[RoutingRule],
    ) -> Result<Response<Content>, Failure> {
        if let Some(rule) = rules.iter().find(|rule| applies(rule, &visit.key, None)) {
            return Ok(visit.follow(rule));
        }
        let is_folder = visit.key.is_empty() || visit.key.ends_with('/');
        let wanted = if is_folder { format!("{}{index}", visit.key) } else { visit.key.clone() };
        let error = match self.fetch(visit, &wanted, &visit.head).await {
            Ok(response) => return Ok(followed(response)),
            Err(error) => error,
        };
        if error.status == StatusCode::NOT_MODIFIED {
            return Err(error.into());
        }
        let is_missing = matches!(error.status, StatusCode::NOT_FOUND | StatusCode::FORBIDDEN);
        if !is_folder && is_missing {
            let folder = format!("{}/{index}", visit.key);
            if self.fetch(visit, &folder, &unconditional(&visit.head)).await.is_ok() {
                return Ok(to_folder(&visit.key));
            }
        }
        if let Some(rule) = rules.iter().find(|rule| applies(rule, &visit.key, Some(error.status))) {
            return Ok(visit.follow(rule));
        }
        let Some(key) = error_key.filter(|_| error.status.is_client_error()) else {
            return Err(error.into());
        };
        match self.fetch(visit, key, &unconditional(&visit.head)).await {
            Ok(page) => {
                visit.exchange.with_outcome(|outcome| outcome.code = Some(error.code.clone().into_owned()));
                let mut page = followed(page);
                if page.status() == StatusCode::OK {
                    *page.status_mut() = error.status;
                    tell(&mut page, &error);
                }
                Ok(page)
            }
            Err(custom) => Err(Failure { error, custom: Some(custom) }),
        }
    }

    /// Reads an object as the API would answer nobody.
    async fn fetch(&self, visit: &Visit<'_>, key: &str, head: &Head) -> Result<Response<Content>, AwsError> {
        let mut head = head.clone();
        let target = format!("/{}/{}", visit.bucket, encode_path(key));
        head.uri = target.parse().map_err(|_| AwsError::invalid_uri(&target))?;
        head.query = Query::default();
        head.website = None;
        head.bucket_in_host = None;
        head.headers.insert(HOST, HeaderValue::from_static("s3.amazonaws.com"));
        let nothing = Decoded { body: bytes::Bytes::new(), trailers: Vec::new() };
        let read = Arc::new(Exchange::new(head, Authenticated::anonymous(), nothing, &self.control.ground));
        let answer = self.s3(&read).await;
        let mut outcome = read.take_outcome();
        visit.exchange.with_outcome(|whole| whole.decided.append(&mut outcome.decided));
        outcome.refusal.take().map_or(answer, Err)
    }
}

impl Visit<'_> {
    /// Where a rule sends this visit.
    fn follow(&self, rule: &RoutingRule) -> Response<Content> {
        let Redirect { host, status, protocol, key } = &rule.redirect;
        let condition = rule.condition.as_ref().and_then(|condition| condition.key_prefix.as_deref());
        let key = match key {
            None => self.key.clone(),
            Some(ReplacedKey::Whole(key)) => key.clone(),
            Some(ReplacedKey::Prefix(prefix)) => {
                let rest = self.key.strip_prefix(condition.unwrap_or_default()).unwrap_or(&self.key);
                format!("{prefix}{rest}")
            }
        };
        let host = host.as_deref().unwrap_or_else(|| self.head.host());
        let protocol = protocol.as_deref().unwrap_or("http");
        let status = status.and_then(|code| StatusCode::from_u16(code).ok());
        let location = format!("{protocol}://{host}/{}", encode_path(&key));
        redirect(status.unwrap_or(StatusCode::MOVED_PERMANENTLY), &location)
    }
}

/// Whether a rule is about this key, before (`None`) or after something went wrong.
fn applies(rule: &RoutingRule, key: &str, failed: Option<StatusCode>) -> bool {
    let (code, prefix) = match &rule.condition {
        None => (None, None),
        Some(condition) => (condition.error_code, condition.key_prefix.as_deref()),
    };
    code == failed.map(|status| status.as_u16()) && prefix.is_none_or(|prefix| key.starts_with(prefix))
}

/// An object that leads elsewhere is a redirect here.
fn followed(response: Response<Content>) -> Response<Content> {
    match response.headers().get("x-amz-website-redirect-location").map(HeaderValue::to_str) {
        Some(Ok(location)) => redirect(StatusCode::MOVED_PERMANENTLY, location),
        _ => response,
    }
}

/// The same visit without what makes an answer depend on the object.
fn unconditional(head: &Head) -> Head {
    let mut head = head.clone();
    for name in CONDITIONAL {
        head.headers.remove(name);
    }
    head
}

fn redirect(status: StatusCode, location: &str) -> Response<Content> {
    let mut response = Response::new(Content::default());
    *response.status_mut() = status;
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// A folder is asked for without its slash.
fn to_folder(key: &str) -> Response<Content> {
    let mut response = redirect(StatusCode::FOUND, &format!("/{}/", encode_path(key)));
    tell(&mut response, &AwsError::new(StatusCode::FOUND, "Found", "Resource Found"));
    response
}

/// The headers that tell a program what the page tells a reader.
fn tell(response: &mut Response<Content>, error: &AwsError) {
    let details =
        error.details.iter().map(|(name, value)| (format!("x-amz-error-detail-{name}"), value.clone()));
    let named = [
        ("x-amz-error-code".to_owned(), error.code.clone().into_owned()),
        ("x-amz-error-message".to_owned(), error.message.clone()),
    ];
    for (name, value) in named.into_iter().chain(details) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(&value)) {
            response.headers_mut().insert(name, value);
        }
    }
}
