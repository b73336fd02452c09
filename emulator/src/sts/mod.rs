//! The Security Token Service: `AssumeRole` and `GetCallerIdentity`.
//!
//! Source: STS API reference 2011-06-15, and recorded answers.

mod assume_role;
mod identity;

use bytes::Bytes;
use http::{HeaderValue, Response};

use crate::error::AwsError;
use crate::exchange::Exchange;
use crate::head::{Head, split_query};
use crate::ids::RequestIds;
use crate::operation::Op;
use assume_role::AssumeRole;
use identity::GetCallerIdentity;

/// The name space of all answers.
pub(crate) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The parameters of a request; the first of two with one name wins.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn of(head: &Head, body: &Bytes) -> Self {
        let mut all = head.query.clone();
        all.extend(split_query(&String::from_utf8_lossy(body)));
        Self(all)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether a list such as `Tags.member.1.Key` is given.
    fn has_list(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
    }
}

/// Answers one request.
pub(crate) fn answer(exchange: &Exchange, ids: &RequestIds) -> Result<Response<Bytes>, AwsError> {
    let parameters = Parameters::of(&exchange.head, &exchange.body);
    let result = match parameters.get("Action") {
        Some("AssumeRole") => {
            let head = exchange.begin(Op::AssumeRole)?;
            let operation = AssumeRole::decode(&parameters, exchange)?;
            exchange.perform(&head, operation)?.xml()
        }
        Some("GetCallerIdentity") => {
            let head = exchange.begin(Op::GetCallerIdentity)?;
            exchange.perform(&head, GetCallerIdentity)?.xml()
        }
        Some(
            action @ ("AssumeRoleWithSAML"
            | "AssumeRoleWithWebIdentity"
            | "AssumeRoot"
            | "DecodeAuthorizationMessage"
            | "GetAccessKeyInfo"
            | "GetFederationToken"
            | "GetSessionToken"
            | "GetWebIdentityToken"),
        ) => return Err(AwsError::not_implemented(format!("the STS action `{action}`"))),
        Some(action) => {
            let version = parameters.get("Version").unwrap_or("2011-06-15");
            let text = format!("Could not find operation {action} for version {version}");
            return Err(AwsError::new(http::StatusCode::BAD_REQUEST, "InvalidAction", text));
        }
        None => {
            let text = "The action or operation requested is missing: the request has no parameter `Action`";
            return Err(AwsError::new(http::StatusCode::BAD_REQUEST, "MissingAction", text));
        }
    };
    let (name, body) = result;
    let xml = format!(
        "<{name}Response xmlns=\"{NAMESPACE}\">\n  <{name}Result>\n{body}  </{name}Result>\n  \
         <ResponseMetadata>\n    <RequestId>{}</RequestId>\n  </ResponseMetadata>\n</{name}Response>\n",
        ids.uuid
    );
    let mut response = Response::new(Bytes::from(xml));
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    Ok(response)
}
