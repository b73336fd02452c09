//! Why a policy document is refused, in our words and in AWS's.

use super::PolicyKind;
use super::json::Position;

/// What is wrong with a policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyErrorKind {
    /// The text is empty or does not start with `{`.
    NotAnObject,
    /// The text is not JSON, or an object names a key twice.
    InvalidJson,
    /// The document has no `Statement`.
    MissingStatement,
    /// `Statement` is an empty list.
    EmptyStatement,
    /// `Version` is neither `2012-10-17` nor `2008-10-17`.
    InvalidVersion,
    /// A statement lacks the named element.
    MissingElement(&'static str),
    /// A statement has an element that this kind of policy may not have.
    ProhibitedElement(&'static str),
    /// An element that the policy language does not know.
    UnknownElement(String),
    /// An element has a value of the wrong shape.
    WrongShape(&'static str),
    /// `Effect` is neither `Allow` nor `Deny`.
    InvalidEffect(String),
    /// A `Sid` has characters that this kind of policy refuses.
    InvalidSid(String),
    /// Two statements have the same `Sid`.
    DuplicateSid(String),
    /// An action is unknown or not of the form `service:Action`.
    InvalidAction(String),
    /// A principal has no known form, or does not exist.
    InvalidPrincipal(String),
    /// A resource is not an ARN, or not one that the policy may speak of.
    InvalidResource(String),
    /// A condition operator that does not exist.
    InvalidOperator(String),
    /// A condition key that the service does not have.
    InvalidConditionKey(String),
    /// An action has no resource of its type in the statement.
    ActionWithoutResource(String),
    /// A condition key that an action of the statement never has.
    ConditionDoesNotApply {
        /// The condition key.
        key: String,
        /// The action that lacks it.
        action: String,
    },
}

/// A policy document that AWS refuses.
///
/// [`message`](Self::message) says what, where and which value; [`help`](Self::help) the next step;
/// [`aws_code`](Self::aws_code) and [`aws_message`](Self::aws_message) what AWS answers for this kind of document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at line {}, column {}", at.line, at.column)]
pub struct PolicyError {
    kind: PolicyErrorKind,
    policy: PolicyKind,
    message: String,
    help: String,
    at: Position,
}

impl PolicyError {
    pub(crate) fn new(
        policy: PolicyKind,
        kind: PolicyErrorKind,
        at: Position,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { kind, policy, message: message.into(), help: help.into(), at }
    }

    /// An error that a store of policies found, such as a principal that does not exist.
    pub fn invalid_principal(policy: PolicyKind, principal: &str, at: Position) -> Self {
        Self::new(
            policy,
            PolicyErrorKind::InvalidPrincipal(principal.to_owned()),
            at,
            format!("the principal `{principal}` does not exist"),
            "create it first, or correct its ARN (names are case-sensitive)",
        )
    }

    /// What is wrong.
    pub fn kind(&self) -> &PolicyErrorKind {
        &self.kind
    }

    /// What is wrong, with the value, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The next step.
    pub fn help(&self) -> &str {
        &self.help
    }

    /// The line, counted from 1.
    pub fn line(&self) -> u32 {
        self.at.line
    }

    /// The column in characters, counted from 1.
    pub fn column(&self) -> u32 {
        self.at.column
    }

    /// The error code on the wire.
    pub fn aws_code(&self) -> &'static str {
        match self.policy {
            PolicyKind::Bucket => "MalformedPolicy",
            PolicyKind::Identity | PolicyKind::Boundary | PolicyKind::Session | PolicyKind::Trust => {
                "MalformedPolicyDocument"
            }
            PolicyKind::Key | PolicyKind::ServiceControl => "MalformedPolicyDocumentException",
            PolicyKind::Topic => "InvalidParameter",
        }
    }

    /// The error message on the wire.
    pub fn aws_message(&self) -> String {
        match self.policy {
            PolicyKind::Bucket => self.bucket_message(),
            PolicyKind::Topic => "Invalid parameter: Policy Error: null".to_owned(),
            PolicyKind::Key => match &self.kind {
                PolicyErrorKind::InvalidPrincipal(_) => {
                    "Policy contains a statement with one or more invalid principals.".to_owned()
                }
                _ => self.identity_message(),
            },
            _ => self.identity_message(),
        }
    }

    /// The texts of PutBucketPolicy, as recorded and reported (all with status 400).
    fn bucket_message(&self) -> String {
        match &self.kind {
            PolicyErrorKind::NotAnObject => {
                "Policies must be valid JSON and the first byte must be '{'".to_owned()
            }
            PolicyErrorKind::InvalidJson => "This policy contains invalid Json".to_owned(),
            PolicyErrorKind::MissingStatement => "Missing required field Statement".to_owned(),
            PolicyErrorKind::EmptyStatement => "Could not parse the policy: Statement is empty!".to_owned(),
            PolicyErrorKind::InvalidVersion => "The policy must contain a valid version string".to_owned(),
            PolicyErrorKind::MissingElement("Resource") => "Statement is missing required element".to_owned(),
            PolicyErrorKind::MissingElement(element) => format!("Missing required field {element}"),
            PolicyErrorKind::UnknownElement(element) => format!("Unknown field {element}"),
            PolicyErrorKind::InvalidEffect(effect) => format!("Invalid effect: {effect}"),
            PolicyErrorKind::InvalidAction(_) | PolicyErrorKind::WrongShape("Action" | "NotAction") => {
                "Policy has invalid action".to_owned()
            }
            PolicyErrorKind::InvalidPrincipal(_)
            | PolicyErrorKind::WrongShape("Principal" | "NotPrincipal") => {
                "Invalid principal in policy".to_owned()
            }
            PolicyErrorKind::InvalidResource(_) | PolicyErrorKind::WrongShape("Resource" | "NotResource") => {
                "Policy has invalid resource".to_owned()
            }
            PolicyErrorKind::InvalidOperator(operator) => format!("Invalid Condition type : {operator}"),
            PolicyErrorKind::InvalidConditionKey(_) => "Policy has an invalid condition key".to_owned(),
            PolicyErrorKind::ActionWithoutResource(_) => {
                "Action does not apply to any resource(s) in statement".to_owned()
            }
            PolicyErrorKind::ConditionDoesNotApply { .. } => {
                "Conditions do not apply to combination of actions and resources in statement".to_owned()
            }
            PolicyErrorKind::DuplicateSid(_) => {
                "Statement IDs (SID) in a single policy must be unique.".to_owned()
            }
            PolicyErrorKind::WrongShape(_)
            | PolicyErrorKind::ProhibitedElement(_)
            | PolicyErrorKind::InvalidSid(_) => "Policy has invalid syntax".to_owned(),
        }
    }

    /// The texts of IAM, which STS and KMS share.
    fn identity_message(&self) -> String {
        match &self.kind {
            PolicyErrorKind::NotAnObject | PolicyErrorKind::InvalidJson => {
                "This policy contains invalid Json".to_owned()
            }
            PolicyErrorKind::MissingElement("Action") => "Policy statement must contain actions.".to_owned(),
            PolicyErrorKind::MissingElement("Resource") => "Policy statement must contain resources.".to_owned(),
            PolicyErrorKind::MissingElement("Principal") => "Missing required field Principal".to_owned(),
            PolicyErrorKind::ProhibitedElement("Principal") => {
                "Policy document should not specify a principal.".to_owned()
            }
            PolicyErrorKind::ProhibitedElement(element) => format!("Has prohibited field {element}"),
            PolicyErrorKind::InvalidAction(action) if action.contains(':') => {
                "AssumeRole policy may only specify STS AssumeRole actions.".to_owned()
            }
            PolicyErrorKind::InvalidAction(_) => {
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.".to_owned()
            }
            PolicyErrorKind::InvalidPrincipal(principal) if principal.starts_with("arn:") => {
                format!("Invalid principal in policy: \"AWS\":\"{principal}\"")
            }
            PolicyErrorKind::InvalidPrincipal(_) => "Invalid principal in policy".to_owned(),
            PolicyErrorKind::InvalidResource(resource) => {
                format!("Resource {resource} must be in ARN format or \"*\".")
            }
            PolicyErrorKind::InvalidOperator(operator) => format!("Invalid Condition type : {operator}."),
            PolicyErrorKind::DuplicateSid(_) => {
                "Statement IDs (SID) in a single policy must be unique.".to_owned()
            }
            PolicyErrorKind::InvalidSid(_) => {
                "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
                    .to_owned()
            }
            PolicyErrorKind::EmptyStatement
            | PolicyErrorKind::MissingStatement
            | PolicyErrorKind::InvalidVersion
            | PolicyErrorKind::MissingElement(_)
            | PolicyErrorKind::UnknownElement(_)
            | PolicyErrorKind::WrongShape(_)
            | PolicyErrorKind::InvalidEffect(_)
            | PolicyErrorKind::InvalidConditionKey(_)
            | PolicyErrorKind::ActionWithoutResource(_)
            | PolicyErrorKind::ConditionDoesNotApply { .. } => "Syntax errors in policy.".to_owned(),
        }
    }
}
