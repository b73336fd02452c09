//! The query protocol of STS and IAM: parameters in, XML out.
//!
//! Source: API references of STS (2011-06-15) and IAM (2010-05-08), and recorded answers.

mod fields;
mod parameters;
mod reader;

use http::StatusCode;

pub(crate) use fields::{Fields, answer};
pub(crate) use parameters::Parameters;
pub(crate) use reader::{Echo, Reader, Text};

use crate::error::AwsError;
use crate::head::Head;

/// Where AWS sends whoever opens an endpoint in a browser. The address is unverified.
const PRODUCT_PAGE: &str = "https://aws.amazon.com/iam";

/// A GET that names no action is not a call, and needs no signature to be told so.
pub(crate) fn refuse_bare_get(head: &Head) -> Result<(), AwsError> {
    if head.method == http::Method::GET && head.parameter("Action").is_none() {
        let text = "The request names no action; see the product page.";
        let refusal = AwsError::new(StatusCode::FOUND, "MovedTemporarily", text);
        return Err(refusal.with_header("location", PRODUCT_PAGE));
    }
    Ok(())
}

/// The refusal of a request whose action no interface has, or that names none.
pub(crate) fn no_such_action(parameters: &Parameters, version: &str) -> AwsError {
    let Some(action) = parameters.get("Action") else {
        let text = "The action or operation requested is missing: the request has no parameter `Action`";
        return AwsError::new(StatusCode::BAD_REQUEST, "MissingAction", text);
    };
    let version = parameters.get("Version").unwrap_or(version);
    let text = format!("Could not find operation {action} for version {version}");
    AwsError::new(StatusCode::BAD_REQUEST, "InvalidAction", text)
}
