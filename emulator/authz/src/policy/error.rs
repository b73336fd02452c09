//! Why a policy document is refused, in our words and in AWS's.

use super::PolicyKind;
use super::json::Position;

mod answer;

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
    /// A value of a date operator that is no date.
    InvalidDate(String),
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
    /// `Principal` is an object, or has a list, that names nobody.
    EmptyPrincipal,
    /// An `Allow` for everybody but the principals under `NotPrincipal`.
    AllowWithNotPrincipal,
    /// The document is longer than its operation takes.
    TooLong {
        /// How long it is, in the unit of the limit.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// A character that the service takes in no policy.
    InvalidCharacter(char),
    /// The new policy of a key would not let the caller change it again.
    LockedOut,
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
    message: Box<str>,
    help: Box<str>,
    at: Position,
    /// What AWS answers, where the kind alone does not say it.
    answer: Option<Box<Answer>>,
}

/// Status, code and text of an answer.
pub(crate) type Answer = (u16, &'static str, String);

impl PolicyError {
    pub(crate) fn new(
        policy: PolicyKind,
        kind: PolicyErrorKind,
        at: Position,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { kind, policy, message: message.into().into(), help: help.into().into(), at, answer: None }
    }

    /// With the answer of AWS where the kind alone does not say it.
    pub(crate) fn with_aws(self, answer: Answer) -> Self {
        Self { answer: Some(Box::new(answer)), ..self }
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
}
