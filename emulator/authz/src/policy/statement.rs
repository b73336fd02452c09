//! One compiled statement.

use crate::subject::Subject;

use super::condition::Condition;
use super::document::Effect;
use super::json::Position;
use super::pattern::{ActionElement, ResourceElement};
use super::principal::{Naming, PrincipalElement, PrincipalMatch};

/// One statement of a policy, ready for matching.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub(crate) sid: Option<Box<str>>,
    pub(crate) effect: Effect,
    pub(crate) principal: Option<PrincipalElement>,
    pub(crate) action: ActionElement,
    pub(crate) resource: Option<ResourceElement>,
    pub(crate) conditions: Box<[Condition]>,
    pub(crate) at: Position,
}

impl Statement {
    /// The `Sid`, if the statement has one.
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// `Allow` or `Deny`.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// Where the statement starts in the text of its policy.
    pub fn position(&self) -> Position {
        self.at
    }

    pub(crate) fn principal_match(&self, subject: &Subject<'_>) -> PrincipalMatch {
        match &self.principal {
            None => PrincipalMatch::Absent,
            Some(element) => element.check(subject, self.effect),
        }
    }

    /// How many elements do not match, each condition for itself.
    pub(crate) fn failures(&self, subject: &Subject<'_>) -> usize {
        let action = self.action.applies(self.action.check(subject));
        let resource =
            self.resource.as_ref().is_none_or(|resource| resource.applies(resource.check(subject)));
        let principal = self.principal_match(subject).naming().is_some();
        let context = &subject.request.context;
        let conditions =
            self.conditions.iter().filter(|condition| !condition.check(context).is_met()).count();
        [action, resource, principal].into_iter().filter(|matches| !matches).count() + conditions
    }

    /// Whether every element matches, and how the caller is named. Stops at the first that does not; the trace asks
    /// the same elements one by one.
    pub(crate) fn applies(&self, subject: &Subject<'_>) -> Option<Naming> {
        if !self.action.applies(self.action.check(subject)) {
            return None;
        }
        if let Some(resource) = &self.resource
            && !resource.applies(resource.check(subject))
        {
            return None;
        }
        let naming = self.principal_match(subject).naming()?;
        let context = &subject.request.context;
        self.conditions.iter().all(|condition| condition.check(context).is_met()).then_some(naming)
    }
}
