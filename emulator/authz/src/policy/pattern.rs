//! `Action`, `NotAction`, `Resource` and `NotResource`.

use crate::subject::{LowerAction, Subject};
use crate::wildcard::{self, Glob};

use super::PolicyKind;
use super::document::Version;
use super::gate::Start;
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

impl ListMatch {
    fn of(covered: Option<usize>) -> Self {
        covered.map_or(Self::NotCovered, Self::Covered)
    }
}

/// An `Action` or `NotAction` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ActionElement {
    pub(crate) negated: bool,
    /// The starts of the patterns, beside each other: most patterns are settled by them.
    starts: Box<[Start]>,
    pub(crate) patterns: Box<[ActionPattern]>,
    pub(crate) at: Position,
}

/// An action pattern, lower-cased: actions compare without regard to case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ActionPattern {
    glob: Glob,
    start: Start,
    /// The start holds all that is literal, and a `*` covers the rest.
    start_settles: bool,
    pub(crate) text: Box<str>,
    pub(crate) at: Position,
}

impl ActionPattern {
    pub(crate) fn new(text: &str, at: Position) -> Self {
        let glob = Glob::new(wildcard::compile(&text.to_ascii_lowercase()));
        let literal = glob.literal();
        let start = Start::new(literal);
        let start_settles = glob.is_prefix() && literal.len() <= size_of::<u64>();
        Self { glob, start, start_settles, text: text.into(), at }
    }

    /// Whether the pattern covers an action.
    pub(crate) fn covers(&self, action: &LowerAction) -> bool {
        self.start.begins(action) && self.covers_behind_start(action)
    }

    /// What every action that it covers begins with.
    pub(crate) fn literal(&self) -> &[u8] {
        self.glob.literal()
    }

    fn covers_behind_start(&self, action: &LowerAction) -> bool {
        self.start_settles || self.glob.matches(action.as_bytes())
    }
}

impl ActionElement {
    pub(crate) fn new(negated: bool, patterns: Box<[ActionPattern]>, at: Position) -> Self {
        let starts = patterns.iter().map(|pattern| pattern.start).collect();
        Self { negated, starts, patterns, at }
    }

    pub(crate) fn check(&self, subject: &Subject<'_>) -> ListMatch {
        let action = &subject.lower_action;
        let covers = |(index, start): (usize, &Start)| {
            start.begins(action)
                && self.patterns.get(index).is_some_and(|pattern| pattern.covers_behind_start(action))
        };
        ListMatch::of(self.starts.iter().enumerate().position(covers))
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

/// A resource pattern. Wildcards keep to their part of the ARN, but for a `*` at its end; variables count after the
/// fifth colon only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResourcePattern {
    form: Form,
    /// The service part, if the pattern covers every resource of the service.
    whole_service: Option<Glob>,
    pub(crate) text: Box<str>,
    pub(crate) at: Position,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Everything,
    Arn(Template),
    /// Fewer than six parts: as written, and with the rest filled up.
    Incomplete {
        written: Glob,
        completed: Glob,
    },
}

impl ResourcePattern {
    /// `None` if the text is neither `*` nor of the form of an ARN that this kind of policy takes.
    pub(crate) fn parse(text: &str, at: Position, version: Version, policy: PolicyKind) -> Option<Self> {
        let (form, whole_service) = if text == "*" {
            (Form::Everything, None)
        } else if let Some(["arn", _, service, _, _, resource]) = crate::arn::segments(text) {
            let head = text.strip_suffix(resource).filter(|_| !resource.is_empty())?;
            let template = Template::with_head(
                head,
                wildcard::compile_parts(head),
                resource,
                Wildcards::Active,
                version,
            );
            (Form::Arn(template), (resource == "*").then(|| service_glob(service)))
        } else {
            incomplete(text, policy)?
        };
        Some(Self { form, whole_service, text: text.into(), at })
    }

    /// What every resource that it covers begins with.
    pub(crate) fn literal(&self) -> &[u8] {
        match &self.form {
            Form::Arn(template) => template.literal(),
            Form::Everything | Form::Incomplete { .. } => &[],
        }
    }

    /// Whether the pattern covers the resource of the request. A variable without a value covers nothing.
    fn covers(&self, subject: &Subject<'_>) -> bool {
        let Some(resource) = subject.resource else {
            // An action without a resource, such as s3:ListAllMyBuckets. AWS's own examples grant it on
            // `arn:aws:s3:::*`, so every resource of the action's service counts as `*`.
            return match &self.whole_service {
                Some(service) => service.matches(subject.lower_service()),
                None => self.form == Form::Everything,
            };
        };
        match &self.form {
            Form::Everything => true,
            Form::Arn(template) => template.matches(resource, &subject.request.context),
            Form::Incomplete { written, completed } => {
                written.matches(resource.as_bytes()) || completed.matches(resource.as_bytes())
            }
        }
    }

    /// The pattern with this request's variables filled in; `None` if one has no value.
    pub(crate) fn resolved_text(&self, subject: &Subject<'_>) -> Option<String> {
        match &self.form {
            Form::Everything => Some("*".to_owned()),
            Form::Arn(template) => template.resolved_text(&subject.request.context),
            Form::Incomplete { completed, .. } => Some(wildcard::display(completed.pattern())),
        }
    }
}

/// AWS fills the missing parts of an ARN with `*` in policies of identities, and refuses such an ARN in session
/// policies (IAM User Guide, "IAM identifiers"). Elsewhere nothing is documented, and it is refused.
fn incomplete(text: &str, policy: PolicyKind) -> Option<(Form, Option<Glob>)> {
    if !matches!(policy, PolicyKind::Identity | PolicyKind::Boundary | PolicyKind::ServiceControl) {
        return None;
    }
    let (partition, rest) = text.strip_prefix("arn:")?.split_once(':')?;
    let service = rest.split(':').next().filter(|service| !service.is_empty())?;
    if partition.is_empty() {
        return None;
    }
    let written = Glob::new(wildcard::compile_parts(text));
    let completed = Glob::new(wildcard::compile_parts(&format!("{text}:*")));
    Some((Form::Incomplete { written, completed }, Some(service_glob(service))))
}

fn service_glob(service: &str) -> Glob {
    Glob::new(wildcard::compile(service))
}

impl ResourceElement {
    pub(crate) fn check(&self, subject: &Subject<'_>) -> ListMatch {
        ListMatch::of(self.patterns.iter().position(|pattern| pattern.covers(subject)))
    }

    /// Whether the element lets the statement apply.
    pub(crate) fn applies(&self, found: ListMatch) -> bool {
        matches!(found, ListMatch::NotCovered) == self.negated
    }
}
