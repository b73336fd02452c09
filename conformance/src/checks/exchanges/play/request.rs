//! Requests out of scripts.

use aws_credential_types::Credentials;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::script::{Ask, Service, Verb, Who};
use super::answer::Answer;
use super::{Names, form};
use crate::outcome::Stop;
use crate::stage::Ground;
use crate::step::step;

const SHA256: &str = "x-amz-checksum-sha256";

impl Service {
    /// The name in signatures.
    const fn name(self) -> &'static str {
        match self {
            Self::Iam => "iam",
            Self::Kms => "kms",
            Self::Sns => "sns",
            Self::Sqs => "sqs",
            Self::Sts => "sts",
        }
    }
}

/// Sends what a script asks.
pub(super) async fn ask(ground: &Ground, names: &Names, ask: &Ask) -> Result<Answer, Stop> {
    let body: String = ask.body.iter().map(|line| names.fill(line)).collect();
    let mut fields: Vec<(String, String)> =
        ask.fields.iter().map(|(name, value)| (name.clone(), names.fill(value))).collect();
    let mut take = |wanted: &str| {
        let at = fields.iter().position(|(name, _)| name == wanted)?;
        Some(fields.remove(at).1)
    };
    let (region, for_service) = (take("sign-region"), take("sign-service"));
    let unsigned: Vec<(String, String)> = fields
        .extract_if(.., |(name, _)| name.starts_with("unsigned "))
        .map(|(name, value)| (name.replace("unsigned ", ""), value))
        .collect();
    let (request, service) = match &ask.verb {
        Verb::S3 { method, target } => {
            let request = with_headers(method, &ground.url(&names.fill(target)), &fields, &body);
            (request.body(Bytes::from(body)), "s3")
        }
        Verb::Form { target } => {
            let request = form::request(ground, names, &names.fill(target), &fields)?;
            return send(ground, ask, request).await;
        }
        Verb::Action { service, action } => {
            (action_of(ground, *service, action, &fields, body), service.name())
        }
    };
    let request = step("make the request").works(request)?;
    let scope = (for_service.as_deref().unwrap_or(service), region.as_deref().unwrap_or(ground.region()));
    let mut request = match credentials(ground, names, &ask.who)? {
        Some(credentials) => ground.sign(request, scope, credentials)?,
        None => request,
    };
    for (name, value) in unsigned {
        let name = step("make the request").works(HeaderName::try_from(name))?;
        let value = step("make the request").works(HeaderValue::try_from(value))?;
        request.headers_mut().insert(name, value);
    }
    send(ground, ask, request).await
}

async fn send(ground: &Ground, ask: &Ask, request: Request<Bytes>) -> Result<Answer, Stop> {
    ground.send(&format!("`{}`", ask.line), request).await.map(Answer::of)
}

fn with_headers(method: &str, url: &str, fields: &[(String, String)], body: &str) -> http::request::Builder {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in fields {
        let value = if name == SHA256 && value == "auto" {
            STANDARD.encode(Sha256::digest(body.as_bytes()))
        } else {
            value.clone()
        };
        request = request.header(name, value);
    }
    request
}

fn action_of(
    ground: &Ground,
    service: Service,
    action: &str,
    fields: &[(String, String)],
    body: String,
) -> Result<Request<Bytes>, http::Error> {
    let request = Request::post(ground.url("/"));
    let json = match service {
        Service::Kms => Some(("TrentService", "application/x-amz-json-1.1")),
        Service::Sqs => Some(("AmazonSQS", "application/x-amz-json-1.0")),
        _ => None,
    };
    if let Some((target, kind)) = json {
        let request =
            request.header("content-type", kind).header("x-amz-target", format!("{target}.{action}"));
        return request.body(Bytes::from(body));
    }
    let version = match service {
        Service::Iam => "2010-05-08",
        Service::Sns => "2010-03-31",
        _ => "2011-06-15",
    };
    let mut form = format!("Action={action}&Version={version}");
    for (name, value) in fields {
        form = format!("{form}&{}={}", encoded(name), encoded(value));
    }
    request.header("content-type", "application/x-www-form-urlencoded").body(Bytes::from(form))
}

fn credentials(ground: &Ground, names: &Names, who: &Who) -> Result<Option<Credentials>, Stop> {
    let found = match who {
        Who::Nobody => return Ok(None),
        Who::First => ground.first(),
        Who::Stranger => ground.second(),
        Who::User(name) => ground.user(name),
        Who::Saved(name) => {
            let part = |part: &str| names.saved(&format!("{name}.{part}")).map(str::to_owned);
            let token = part("token").ok();
            Some(Credentials::new(part("id")?, part("secret")?, token, None, "check"))
        }
    };
    step("who asks").some("credentials", found).map(Some)
}

/// Percent-encoded, as forms and queries want it.
pub(in crate::checks) fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded = format!("{encoded}%{byte:02X}");
        }
    }
    encoded
}

/// Takes up to ten messages out of a queue: their bodies, as JSON where they are.
pub(super) async fn take(ground: &Ground, queue: &str) -> Result<Vec<Value>, Stop> {
    let wanted = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"] });
    let answer = sqs(ground, "ReceiveMessage", &wanted).await?;
    let messages = answer.json().and_then(|json| json.get("Messages")).and_then(Value::as_array);
    let mut bodies = Vec::new();
    for message in messages.into_iter().flatten() {
        let receipt = json!({ "QueueUrl": queue, "ReceiptHandle": message.get("ReceiptHandle") });
        sqs(ground, "DeleteMessage", &receipt).await?;
        let body = message.get("Body").and_then(Value::as_str).unwrap_or_default();
        bodies.push(serde_json::from_str(body).unwrap_or_else(|_| Value::from(body)));
    }
    Ok(bodies)
}

async fn sqs(ground: &Ground, action: &str, body: &Value) -> Result<Answer, Stop> {
    let request = action_of(ground, Service::Sqs, action, &[], body.to_string());
    let request = step("make the request").works(request)?;
    let credentials = step("who asks").some("credentials", ground.first())?;
    let request = ground.sign(request, ("sqs", ground.region()), credentials)?;
    ground.send(&format!("`SQS {action}`"), request).await.map(Answer::of)
}
