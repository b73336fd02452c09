//! `Action`, `NotAction`, `Resource` and `NotResource`.

use crate::subject::Subject;
use crate::wildcard;

use super::document::Version;
use super::json::Position;
use super::template::{Template, Wildcards};

/// How a list of patterns fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListMatch {
    /// The pattern at this index covers the request.
    Covered(usize),
    /// No pattern covers the request.
    NotCovered,
}

/// An `Action` or `NotAction` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ActionElement {
    pub(crate) negated: bool,
    pub(crate) patterns: Box<[ActionPattern]>,
    pub(crate) at: Position,
}

/// An action pattern, lower-cased: actions compare without regard to case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ActionPattern {
    bytes: Box<[u8]>,
    pub(crate) text: Box<str>,
    pub(crate) at: Position,
}

impl ActionPattern {
    pub(crate) fn new(text: &str, at: Position) -> Self {
        Self { bytes: wildcard::compile(&text.to_lowercase()), text: text.into(), at }
    }

    /// Whether the pattern covers an action given in lower case.
    pub(crate) fn covers(&self, lower_action: &str) -> bool {
        wildcard::matches(&self.bytes, lower_action.as_bytes())
    }
}

impl ActionElement {
    pub(crate) fn check(&self, subject: &Subject<'_>) -> ListMatch {
        match self.patterns.iter().position(|pattern| pattern.covers(&subject.lower_action)) {
            Some(index) => ListMatch::Covered(index),
            None => ListMatch::NotCovered,
        }
    }

    /// Whether the element lets the statement apply.
    pub(crate) fn applies(&self, found: ListMatch) -> bool {
        matches!(found, ListMatch::NotCovered) == self.negated
    }
}

/// A `Resource` or `NotResource` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResourceElement {
    pub(crate) negated: bool,
    pub(crate) patterns: Box<[ResourcePattern]>,
    pub(crate) at: Position,
}

/// A resource pattern. Wildcards stay inside their part of the ARN; variables count after the fifth colon only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResourcePattern {
    form: Form,
    pub(crate) text: Box<str>,
    pub(crate) at: Position,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Everything,
    Arn { head: [Box<[u8]>; 5], tail: Template },
}

impl ResourcePattern {
    /// `None` if the text is neither `*` nor of the form of an ARN.
    pub(crate) fn parse(text: &str, at: Position, version: Version) -> Option<Self> {
        let form = if text == "*" {
            Form::Everything
        } else {
            let [scheme, partition, service, region, account, resource] = crate::arn::segments(text)?;
            if scheme != "arn" || resource.is_empty() {
                return None;
            }
            Form::Arn {
                head: [scheme, partition, service, region, account].map(wildcard::compile),
                tail: Template::parse(resource, Wildcards::Active, version),
            }
        };
        Some(Self { form, text: text.into(), at })
    }

    /// Whether the pattern covers the resource of the request. A variable without a value covers nothing.
    fn covers(&self, subject: &Subject<'_>) -> bool {
        let Form::Arn { head, tail } = &self.form else { return true };
        let Some(pattern) = tail.resolve(&subject.request.context) else { return false };
        let Some(resource) = subject.resource else {
            // An action without a resource, such as s3:ListAllMyBuckets. AWS's own examples grant it on
            // `arn:aws:s3:::*`, so every resource of the action's service counts as `*`.
            let [_, _, service, _, _] = head;
            return *pattern == [wildcard::MANY] && wildcard::matches(service, subject.service().as_bytes());
        };
        let [scheme, partition, service, region, account, tail] = resource;
        let found = [scheme, partition, service, region, account];
        head.iter().zip(found).all(|(pattern, text)| wildcard::matches(pattern, text.as_bytes()))
            && wildcard::matches(&pattern, tail.as_bytes())
    }

    /// The pattern with this request's variables filled in; `None` if one has no value.
    pub(crate) fn resolved_text(&self, subject: &Subject<'_>) -> Option<String> {
        match &self.form {
            Form::Everything => Some("*".to_owned()),
            Form::Arn { tail, .. } => {
                let head = self.text.strip_suffix(tail.source()).unwrap_or("");
                tail.resolved_text(&subject.request.context).map(|tail| format!("{head}{tail}"))
            }
        }
    }
}

impl ResourceElement {
    pub(crate) fn check(&self, subject: &Subject<'_>) -> ListMatch {
        match self.patterns.iter().position(|pattern| pattern.covers(subject)) {
            Some(index) => ListMatch::Covered(index),
            None => ListMatch::NotCovered,
        }
    }

    /// Whether the element lets the statement apply.
    pub(crate) fn applies(&self, found: ListMatch) -> bool {
        matches!(found, ListMatch::NotCovered) == self.negated
    }
}
