//! What AWS answers: status, code and text of each mistake in each kind of document.
//!
//! The texts are recorded or reported ones. Where none is known for a mistake, the general one of the document stands.

use super::{PolicyError, PolicyErrorKind};
use crate::policy::PolicyKind;

const INVALID_JSON: &str = "This policy contains invalid Json";
const INVALID_PRINCIPAL: &str = "Invalid principal in policy";
const NOT_PRINCIPAL: &str = "Allow with NotPrincipal is not allowed.";
const REPEATED_SID: &str = "Statement IDs (SID) in a single policy must be unique.";

impl PolicyError {
    /// The HTTP status of the answer.
    pub fn aws_status(&self) -> u16 {
        self.answer.as_ref().map_or(400, |answer| answer.0)
    }

    /// The error code on the wire.
    pub fn aws_code(&self) -> &'static str {
        if let Some(answer) = &self.answer {
            return answer.1;
        }
        match self.policy {
            PolicyKind::Bucket => "MalformedPolicy",
            PolicyKind::Identity | PolicyKind::Boundary | PolicyKind::Session | PolicyKind::Trust => {
                "MalformedPolicyDocument"
            }
            PolicyKind::Key | PolicyKind::ServiceControl => "MalformedPolicyDocumentException",
            PolicyKind::Topic => "InvalidParameter",
            PolicyKind::Queue => "InvalidAttributeValue",
        }
    }

    /// The error message on the wire.
    pub fn aws_message(&self) -> String {
        if let Some(answer) = &self.answer {
            return answer.2.clone();
        }
        match self.policy {
            PolicyKind::Bucket => bucket(&self.kind),
            PolicyKind::Trust => trust(&self.kind),
            PolicyKind::Key => key(&self.kind),
            PolicyKind::Topic => topic(&self.kind),
            // One text for every mistake (reported many times).
            PolicyKind::Queue => "Invalid value for the parameter Policy.".to_owned(),
            PolicyKind::Identity | PolicyKind::Boundary => identity(&self.kind),
            PolicyKind::Session | PolicyKind::ServiceControl => session(&self.kind),
        }
    }
}

/// What S3, and IAM for trust policies, answer in the same words.
fn resource_policy(kind: &PolicyErrorKind) -> Option<String> {
    Some(match kind {
        PolicyErrorKind::InvalidJson => INVALID_JSON.to_owned(),
        PolicyErrorKind::MissingStatement => "Missing required field Statement".to_owned(),
        PolicyErrorKind::EmptyStatement => "Could not parse the policy: Statement is empty!".to_owned(),
        PolicyErrorKind::InvalidVersion => "The policy must contain a valid version string".to_owned(),
        PolicyErrorKind::MissingElement(element) => format!("Missing required field {element}"),
        PolicyErrorKind::EmptyPrincipal => "Missing required field Principal cannot be empty!".to_owned(),
        PolicyErrorKind::UnknownElement(element) => format!("Unknown field {element}"),
        PolicyErrorKind::InvalidEffect(effect) => format!("Invalid effect: {effect}"),
        PolicyErrorKind::AllowWithNotPrincipal => NOT_PRINCIPAL.to_owned(),
        PolicyErrorKind::InvalidOperator(operator) => format!("Invalid Condition type : {operator}"),
        _ => return None,
    })
}

/// The texts of PutBucketPolicy.
fn bucket(kind: &PolicyErrorKind) -> String {
    let text = match kind {
        PolicyErrorKind::NotAnObject => "Policies must be valid JSON and the first byte must be '{'",
        PolicyErrorKind::MissingElement("Resource") => "Statement is missing required element",
        PolicyErrorKind::InvalidAction(_) | PolicyErrorKind::WrongShape("Action" | "NotAction") => {
            "Policy has invalid action"
        }
        PolicyErrorKind::InvalidPrincipal(_) | PolicyErrorKind::WrongShape("Principal" | "NotPrincipal") => {
            INVALID_PRINCIPAL
        }
        PolicyErrorKind::InvalidResource(_) | PolicyErrorKind::WrongShape("Resource" | "NotResource") => {
            "Policy has invalid resource"
        }
        PolicyErrorKind::InvalidConditionKey(_) => "Policy has an invalid condition key",
        PolicyErrorKind::ActionWithoutResource(_) => "Action does not apply to any resource(s) in statement",
        PolicyErrorKind::ConditionDoesNotApply { .. } => {
            "Conditions do not apply to combination of actions and resources in statement"
        }
        other => return resource_policy(other).unwrap_or_else(|| "Policy has invalid syntax".to_owned()),
    };
    text.to_owned()
}

/// The texts of CreateRole.
fn trust(kind: &PolicyErrorKind) -> String {
    let text = match kind {
        PolicyErrorKind::NotAnObject => INVALID_JSON,
        PolicyErrorKind::ProhibitedElement("Resource") => "Has prohibited field Resource",
        PolicyErrorKind::ProhibitedElement("NotResource") => "AssumeRole policy must not contain resources.",
        PolicyErrorKind::ProhibitedElement("NotPrincipal") => {
            "AssumeRole policy must not contain NotPrincipal field."
        }
        PolicyErrorKind::InvalidAction(_) => "AssumeRole policy may only specify STS AssumeRole actions.",
        PolicyErrorKind::DuplicateSid(_) => REPEATED_SID,
        PolicyErrorKind::InvalidPrincipal(principal) => return invalid_principal(principal),
        other => return resource_policy(other).unwrap_or_else(|| "Syntax error in policy.".to_owned()),
    };
    text.to_owned()
}

/// IAM names the principal with the type under which it stands, in capitals.
fn invalid_principal(principal: &str) -> String {
    let is_account = !principal.is_empty() && principal.bytes().all(|byte| byte.is_ascii_digit());
    let of = if principal.starts_with("arn:") || is_account {
        "AWS"
    } else if principal.contains('.') {
        "SERVICE"
    } else {
        return INVALID_PRINCIPAL.to_owned();
    };
    format!("{INVALID_PRINCIPAL}: \"{of}\":\"{principal}\"")
}

/// The texts of CreateKey and PutKeyPolicy.
fn key(kind: &PolicyErrorKind) -> String {
    let text = match kind {
        PolicyErrorKind::MissingElement("Principal") | PolicyErrorKind::EmptyPrincipal => {
            "Policy contains a statement with no principal."
        }
        PolicyErrorKind::InvalidPrincipal(_) => {
            "Policy contains a statement with one or more invalid principals."
        }
        PolicyErrorKind::LockedOut => {
            "The new key policy will not allow you to update the key policy in the future."
        }
        PolicyErrorKind::NotAnObject => INVALID_JSON,
        PolicyErrorKind::DuplicateSid(_) => REPEATED_SID,
        other => return resource_policy(other).unwrap_or_else(|| "Syntax errors in policy.".to_owned()),
    };
    text.to_owned()
}

/// The texts of SetTopicAttributes: most mistakes have one without a reason.
fn topic(kind: &PolicyErrorKind) -> String {
    let text = match kind {
        PolicyErrorKind::InvalidAction(_) => "Policy statement action out of service scope!",
        PolicyErrorKind::InvalidPrincipal(_) => "Policy Error: PrincipalNotFound",
        _ => "Policy Error: null",
    };
    format!("Invalid parameter: {text}")
}

/// The texts of AssumeRole: those of identity policies, but for what is no JSON.
fn session(kind: &PolicyErrorKind) -> String {
    match kind {
        PolicyErrorKind::NotAnObject | PolicyErrorKind::InvalidJson => INVALID_JSON.to_owned(),
        other => identity(other),
    }
}

/// The texts of CreatePolicy, PutUserPolicy and their kin.
fn identity(kind: &PolicyErrorKind) -> String {
    let text = match kind {
        PolicyErrorKind::MissingElement("Action") => "Policy statement must contain actions.",
        PolicyErrorKind::MissingElement("Resource") => "Policy statement must contain resources.",
        PolicyErrorKind::ProhibitedElement("Principal") => "Policy document should not specify a principal.",
        PolicyErrorKind::InvalidAction(_) => {
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
        }
        PolicyErrorKind::InvalidResource(resource) => {
            return format!("Resource {resource} must be in ARN format or \"*\".");
        }
        PolicyErrorKind::DuplicateSid(_) => REPEATED_SID,
        PolicyErrorKind::InvalidSid(_) => {
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
        }
        _ => "Syntax errors in policy.",
    };
    text.to_owned()
}
