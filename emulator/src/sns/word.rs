//! Refusals in the words of SNS.

use bucketproof_authz::PolicyError;
use http::StatusCode;

use crate::error::AwsError;

/// A refusal that several services share, as SNS names it.
pub(crate) fn word(mut refusal: AwsError) -> AwsError {
    match &*refusal.code {
        "AccessDenied" => refusal.code = "AuthorizationError".into(),
        "InternalError" => refusal.code = "InternalFailure".into(),
        _ => {}
    }
    refusal
}

impl AwsError {
    /// `what` is wrong, said in AWS's way.
    pub(super) fn sns_invalid(what: impl AsRef<str>) -> Self {
        let text = format!("Invalid parameter: {}", what.as_ref());
        Self::new(StatusCode::BAD_REQUEST, "InvalidParameter", text)
    }

    pub(super) fn sns_no_value(parameter: &str) -> Self {
        Self::sns_invalid(format!("{parameter} Reason: no value for required parameter"))
    }

    pub(super) fn sns_no_topic() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", "Topic does not exist")
    }

    pub(super) fn sns_no_subscription() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", "Subscription does not exist")
    }

    pub(super) fn sns_attribute(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ParameterValueInvalid", text)
    }

    pub(super) fn sns_policy(error: &PolicyError) -> Self {
        Self::document(error)
    }
}

impl AwsError {
    /// The same complaint about a value within another parameter.
    pub(super) fn within(mut self, prefix: &str) -> Self {
        if let Some(rest) = self.message.strip_prefix("Invalid parameter: ") {
            self.message = format!("Invalid parameter: {prefix}{rest}");
        }
        self
    }
}
