//! How a check can end.

use serde::Serialize;

use crate::check::Capability;

/// What the function of a check returns: `Ok` if every step held.
pub type Conclusion = Result<(), Stop>;

/// Why a check stopped before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// A step did not hold: the target does not comply.
    Failed(Box<Failure>),
    /// The check itself broke; nothing is known about the target.
    Errored(Breakage),
    /// The target does not offer what the check needs.
    Skipped {
        /// What is missing.
        missing: Capability,
    },
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every step held.
    Passed,
    /// A step did not hold.
    Failed(Box<Failure>),
    /// The check broke.
    Errored(Breakage),
    /// The check did not run.
    Skipped {
        /// What the target does not offer.
        missing: Capability,
    },
}

impl From<Conclusion> for Outcome {
    fn from(conclusion: Conclusion) -> Self {
        match conclusion {
            Ok(()) => Self::Passed,
            Err(Stop::Failed(failure)) => Self::Failed(failure),
            Err(Stop::Errored(breakage)) => Self::Errored(breakage),
            Err(Stop::Skipped { missing }) => Self::Skipped { missing },
        }
    }
}

/// A step that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The step, as the check names it.
    pub step: String,
    /// What the source demands.
    pub expected: String,
    /// What the target did.
    pub actual: String,
    /// What to do next.
    pub help: Option<String>,
    /// Permissions that were denied and are needed.
    pub missing: Vec<MissingPermission>,
    /// The text of the decision behind it.
    pub trace: Option<String>,
}

/// An action on a resource that a policy should have allowed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MissingPermission {
    /// Such as `s3:PutObject`.
    pub action: String,
    /// An ARN.
    pub resource: String,
}

/// Why a check broke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Breakage {
    /// The step that was under way, if one was.
    pub step: Option<String>,
    /// The error with its causes, or the text of the panic.
    pub message: String,
}

impl Failure {
    /// A failure with what every failure has; see [`crate::step`] for the usual way to one.
    pub fn new(step: impl Into<String>, expected: impl Into<String>, actual: impl Into<String>) -> Self {
        Self {
            step: step.into(),
            expected: expected.into(),
            actual: actual.into(),
            help: None,
            missing: Vec::new(),
            trace: None,
        }
    }

    /// Says what to do next.
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Names a denied permission; once per permission.
    pub fn missing(mut self, action: impl Into<String>, resource: impl Into<String>) -> Self {
        let permission = MissingPermission { action: action.into(), resource: resource.into() };
        if !self.missing.contains(&permission) {
            self.missing.push(permission);
        }
        self
    }

    /// Attaches the text of the decision behind it.
    pub fn trace(self, trace: impl Into<String>) -> Self {
        Self { trace: Some(trace.into()), ..self }
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}
