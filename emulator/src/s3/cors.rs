//! Cross-origin resource sharing: the rules of a bucket, the preflight request, and the headers of actual answers.
//!
//! Source: recorded answers of AWS. Unverified: the sentences about wildcards, and the refusal of a preflight request
//! that names no method.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::configuration::{Configuration, Removable};
use super::document::{Document, Element};
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::exchange::Address;
use crate::head::Head;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::{Bucket, World};

/// The most rules of a bucket.
const RULES_MAX: usize = 100;
/// The methods that a rule may name.
const METHODS: [&str; 5] = ["GET", "PUT", "POST", "DELETE", "HEAD"];
/// What an answer depends on once rules were looked at.
const VARY: &str = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

/// The rules of a bucket; the first that matches a request counts.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Cors(Vec<Rule>);

#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Rule {
    id: Option<String>,
    origins: Vec<String>,
    methods: Vec<String>,
    headers: Vec<String>,
    exposed: Vec<String>,
    max_age_seconds: Option<u32>,
}

impl Document for Cors {
    const ROOT: &'static str = "CORSConfiguration";

    fn read(root: &Element) -> Result<Self, AwsError> {
        root.only(&["CORSRule"])?;
        let rules: Vec<Rule> = root.all("CORSRule").map(Rule::read).collect::<Result<_, _>>()?;
        if (1..=RULES_MAX).contains(&rules.len()) { Ok(Self(rules)) } else { Err(AwsError::malformed_xml()) }
    }

    fn write(&self) -> Element {
        Element::new(Self::ROOT).with_all(self.0.iter().map(Rule::write))
    }
}

impl Rule {
    fn read(element: &Element) -> Result<Self, AwsError> {
        element.only(&[
            "ID",
            "AllowedOrigin",
            "AllowedMethod",
            "AllowedHeader",
            "ExposeHeader",
            "MaxAgeSeconds",
        ])?;
        let max_age = element.value("MaxAgeSeconds")?;
        let rule = Self {
            id: element.value("ID")?.map(str::to_owned),
            origins: element.values("AllowedOrigin")?,
            methods: element.values("AllowedMethod")?,
            headers: element.values("AllowedHeader")?,
            exposed: element.values("ExposeHeader")?,
            max_age_seconds: max_age
                .map(|text| text.parse().map_err(|_| AwsError::malformed_xml()))
                .transpose()?,
        };
        if rule.origins.is_empty() || rule.methods.is_empty() {
            return Err(AwsError::malformed_xml());
        }
        rule.check()?;
        Ok(rule)
    }

    fn check(&self) -> Result<(), AwsError> {
        if let Some(method) = self.methods.iter().find(|method| !METHODS.contains(&method.as_str())) {
            return Err(AwsError::invalid_request(format!(
                "Found unsupported HTTP method in CORS config. Unsupported method is {method}"
            )));
        }
        let several = |pattern: &&String| pattern.matches('*').count() > 1;
        if let Some(origin) = self.origins.iter().find(several) {
            let text = format!("AllowedOrigin \"{origin}\" can not have more than one wildcard.");
            return Err(AwsError::invalid_request(text));
        }
        if let Some(header) = self.headers.iter().find(several) {
            let text = format!("AllowedHeader \"{header}\" can not have more than one wildcard.");
            return Err(AwsError::invalid_request(text));
        }
        if let Some(header) = self.exposed.iter().find(|header| header.contains('*')) {
            let text = format!(
                "ExposeHeader \"{header}\" contains wildcard. We currently do not support wildcard for ExposeHeader."
            );
            return Err(AwsError::invalid_request(text));
        }
        Ok(())
    }

    fn write(&self) -> Element {
        let list = |name: &'static str, texts: &[String]| {
            texts.iter().map(|text| Element::of_text(name, text)).collect::<Vec<_>>()
        };
        Element::new("CORSRule")
            .with_some("ID", self.id.as_deref())
            .with_all(list("AllowedMethod", &self.methods))
            .with_all(list("AllowedOrigin", &self.origins))
            .with_all(list("AllowedHeader", &self.headers))
            .with_all(list("ExposeHeader", &self.exposed))
            .with_some("MaxAgeSeconds", self.max_age_seconds.map(|seconds| seconds.to_string()))
    }

    /// The answer's headers, if the rule lets the request pass.
    fn allow(&self, asked: &Asked<'_>) -> Option<HeaderMap> {
        let pattern = self.origins.iter().find(|pattern| matches(pattern, asked.origin))?;
        if !self.methods.iter().any(|method| method == asked.method) {
            return None;
        }
        let permitted = |header: &String| {
            self.headers.iter().any(|pattern| matches(&pattern.to_ascii_lowercase(), header))
        };
        if !asked.headers.iter().all(permitted) {
            return None;
        }
        let mut answer = HeaderMap::new();
        let mut set = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                answer.insert(HeaderName::from_static(name), value);
            }
        };
        if pattern == "*" {
            set("access-control-allow-origin", "*");
        } else {
            set("access-control-allow-origin", asked.origin);
            set("access-control-allow-credentials", "true");
        }
        set("access-control-allow-methods", &self.methods.join(", "));
        if !asked.headers.is_empty() {
            set("access-control-allow-headers", &asked.headers.join(", "));
        }
        if !self.exposed.is_empty() {
            set("access-control-expose-headers", &self.exposed.join(", "));
        }
        if let Some(seconds) = self.max_age_seconds {
            set("access-control-max-age", &seconds.to_string());
        }
        set("vary", VARY);
        Some(answer)
    }
}

/// Whether a text has the form of a pattern, in which one `*` stands for any characters.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => {
            text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end)
        }
    }
}

/// What a browser asks.
#[derive(Debug)]
struct Asked<'a> {
    origin: &'a str,
    method: &'a str,
    /// In lower case.
    headers: Vec<String>,
}

impl<'a> Asked<'a> {
    fn of(head: &'a Head, origin: &'a str, method: &'a str) -> Self {
        let headers = head.header("access-control-request-headers").unwrap_or_default();
        let headers = headers.split(',').map(|header| header.trim().to_ascii_lowercase());
        Self { origin, method, headers: headers.filter(|header| !header.is_empty()).collect() }
    }
}

impl Cors {
    fn allow(&self, asked: &Asked<'_>) -> Option<HeaderMap> {
        self.0.iter().find_map(|rule| rule.allow(asked))
    }
}

/// The headers that the answer to an actual request carries for a script of another origin.
pub(crate) fn answer_headers(head: &Head, world: &World) -> Option<HeaderMap> {
    let origin = head.header("origin")?;
    let bucket = world.buckets.get(&Address::of(head).bucket?)?;
    // A script that sends the headers of a preflight request along is answered as that request would be.
    let method = head.header("access-control-request-method").unwrap_or(head.method.as_str());
    bucket.settings.cors.as_ref()?.allow(&Asked::of(head, origin, method))
}

/// A browser's question whether a script may send a request; AWS asks for no permission.
#[derive(Debug)]
pub(crate) struct PreflightRequest {
    bucket: String,
    head: Head,
}

impl PreflightRequest {
    pub(crate) fn of(head: &Head) -> Result<Self, AwsError> {
        if head.header("origin").is_none() {
            let text = "Insufficient information. Origin request header needed.";
            return Err(AwsError::new(StatusCode::BAD_REQUEST, "BadRequest", text));
        }
        let bucket = Address::of(head).bucket.unwrap_or_default();
        Ok(Self { bucket, head: head.clone() })
    }

    fn forbidden(&self, text: &str, resource_type: &'static str) -> AwsError {
        let method = self.head.header("access-control-request-method").unwrap_or("OPTIONS");
        AwsError::new(StatusCode::FORBIDDEN, "AccessForbidden", format!("CORSResponse: {text}"))
            .with("Method", method)
            .with("ResourceType", resource_type)
    }
}

impl Operation for PreflightRequest {
    type Output = HeaderMap;
    const OP: Op = Op::PreflightRequest;

    /// Not the bucket: a preflight request is signed by nobody, so no region and no owner can be wrong.
    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, _: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(Vec::new())
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<HeaderMap, AwsError> {
        let asked = authorized.into_operation();
        let bucket = world.buckets.get(&asked.bucket);
        let Some(bucket) = bucket else { return Err(asked.forbidden("Bucket not found", "BUCKET")) };
        let Some(cors) = &bucket.settings.cors else {
            return Err(asked.forbidden("CORS is not enabled for this bucket.", "BUCKET"));
        };
        let method = asked.head.header("access-control-request-method").unwrap_or_default();
        if !METHODS.contains(&method) {
            let text = format!("Invalid Access-Control-Request-Method: {method}");
            return Err(AwsError::new(StatusCode::BAD_REQUEST, "BadRequest", text));
        }
        let origin = asked.head.header("origin").unwrap_or_default();
        cors.allow(&Asked::of(&asked.head, origin, method)).ok_or_else(|| {
            let of_object = Address::of(&asked.head).key.is_some();
            let text = "This CORS request is not allowed. This is usually because the evalution of Origin, request \
                        method / Access-Control-Request-Method or Access-Control-Request-Headers are not \
                        whitelisted by the resource's CORS spec.";
            asked.forbidden(text, if of_object { "OBJECT" } else { "BUCKET" })
        })
    }
}

/// Whether a request is a preflight request; no other uses this method.
pub(crate) fn is_preflight(head: &Head) -> bool {
    head.method == Method::OPTIONS
}

impl Configuration for Cors {
    const GET: Op = Op::GetBucketCors;
    const PUT: Op = Op::PutBucketCors;
    const GET_ACTION: &'static str = "s3:GetBucketCORS";
    const PUT_ACTION: &'static str = "s3:PutBucketCORS";

    fn get(bucket: &Bucket) -> Result<Self, AwsError> {
        bucket.settings.cors.clone().ok_or_else(|| AwsError::no_such_cors(&bucket.name))
    }

    fn check(&self, _: &Bucket, _: &World) -> Result<(), AwsError> {
        Ok(())
    }

    fn put(self, bucket: &mut Bucket) {
        bucket.settings.cors = Some(self);
    }
}

impl Removable for Cors {
    const DELETE: Op = Op::DeleteBucketCors;
    const DELETE_ACTION: &'static str = "s3:PutBucketCORS";

    fn remove(bucket: &mut Bucket) {
        bucket.settings.cors = None;
    }
}
