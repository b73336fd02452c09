//! Texts of a policy with their wildcards and policy variables, split once.

use std::borrow::Cow;

use super::document::Version;
use crate::context::{Context, LowerKey, Values};
use crate::wildcard::{self, Glob};

/// Whether `*` and `?` of a text are wildcards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wildcards {
    Active,
    Literal,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Pattern bytes, see [`wildcard`].
    Fixed(Box<[u8]>),
    Variable {
        lower_key: LowerKey,
        default: Option<Box<str>>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    /// No variable: compiled once.
    Fixed(Glob),
    Parts(Box<[Part]>),
}

/// A text of a policy: fixed pattern bytes and variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    form: Form,
    source: Box<str>,
}

impl Template {
    /// Splits a text. Variables exist since version 2012-10-17 of the language; before, `${` is plain text.
    pub(crate) fn parse(text: &str, wildcards: Wildcards, version: Version) -> Self {
        Self::with_head("", Vec::new(), text, wildcards, version)
    }

    /// A template behind a head that is compiled already.
    pub(crate) fn with_head(
        head: &str,
        compiled_head: Vec<u8>,
        text: &str,
        wildcards: Wildcards,
        version: Version,
    ) -> Self {
        let mut parts = Vec::new();
        let mut fixed = compiled_head;
        let mut rest = text;
        if version == Version::V2012 {
            while let Some((before, after)) = rest.split_once("${") {
                let Some((inside, behind)) = split_variable(after) else { break };
                push_fixed(&mut fixed, before, wildcards);
                rest = behind;
                match inside {
                    "*" | "?" | "$" => fixed.extend_from_slice(inside.as_bytes()),
                    _ => match parse_variable(inside) {
                        Some(variable) => {
                            if !fixed.is_empty() {
                                parts.push(Part::Fixed(std::mem::take(&mut fixed).into_boxed_slice()));
                            }
                            parts.push(variable);
                        }
                        None => push_fixed(&mut fixed, &format!("${{{inside}}}"), wildcards),
                    },
                }
            }
        }
        push_fixed(&mut fixed, rest, wildcards);
        let form = if parts.is_empty() {
            Form::Fixed(Glob::new(fixed))
        } else {
            if !fixed.is_empty() {
                parts.push(Part::Fixed(fixed.into_boxed_slice()));
            }
            Form::Parts(parts.into_boxed_slice())
        };
        Self { form, source: format!("{head}{text}").into() }
    }

    /// The text as the policy has it.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// What stands before the first wildcard and the first variable.
    pub(crate) fn literal(&self) -> &[u8] {
        match &self.form {
            Form::Fixed(glob) => glob.literal(),
            Form::Parts(parts) => match parts.first() {
                Some(Part::Fixed(bytes)) => wildcard::literal_start(bytes),
                _ => &[],
            },
        }
    }

    pub(crate) fn has_variables(&self) -> bool {
        matches!(self.form, Form::Parts(_))
    }

    /// Whether the pattern matches a whole text; a variable without a value matches none.
    #[inline]
    pub(crate) fn matches(&self, text: &str, context: &Context) -> bool {
        match &self.form {
            Form::Fixed(glob) => glob.matches(text.as_bytes()),
            Form::Parts(parts) => matches_filled(parts, text, context),
        }
    }

    /// The pattern with the variables of this request filled in; `None` if one has no value and no default.
    pub(crate) fn resolve(&self, context: &Context) -> Option<Cow<'_, [u8]>> {
        match &self.form {
            Form::Fixed(glob) => Some(Cow::Borrowed(glob.pattern())),
            Form::Parts(parts) => fill(parts, context).map(Cow::Owned),
        }
    }

    /// The resolved pattern as text for a trace.
    pub(crate) fn resolved_text(&self, context: &Context) -> Option<String> {
        self.resolve(context).map(|pattern| wildcard::display(&pattern))
    }
}

fn matches_filled(parts: &[Part], text: &str, context: &Context) -> bool {
    fill(parts, context).is_some_and(|pattern| wildcard::matches(&pattern, text.as_bytes()))
}

/// Values are taken literally, wildcards in them included. A multi-valued key has no value here (IAM User Guide,
/// "Variables": only single-valued keys).
fn fill(parts: &[Part], context: &Context) -> Option<Vec<u8>> {
    let mut filled = Vec::new();
    for part in parts {
        match part {
            Part::Fixed(bytes) => filled.extend_from_slice(bytes),
            Part::Variable { lower_key, default } => {
                let value = match context.get_lower(lower_key) {
                    Some(Values::One(value)) => Some(value.as_str()),
                    _ => default.as_deref(),
                };
                filled.extend_from_slice(value?.as_bytes());
            }
        }
    }
    Some(filled)
}

/// What stands before the brace that closes a variable, and what behind; a brace in a quoted default closes nothing.
fn split_variable(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let end = text.find(|c| {
        quoted ^= c == '\'';
        c == '}' && !quoted
    });
    let (inside, behind) = text.split_at_checked(end.or_else(|| text.find('}'))?)?;
    Some((inside, behind.strip_prefix('}')?))
}

fn push_fixed(fixed: &mut Vec<u8>, text: &str, wildcards: Wildcards) {
    match wildcards {
        Wildcards::Active => fixed.extend_from_slice(&wildcard::compile(text)),
        Wildcards::Literal => fixed.extend_from_slice(text.as_bytes()),
    }
}

/// `key` or `key, 'default'`.
fn parse_variable(inside: &str) -> Option<Part> {
    let (key, default) = match inside.split_once(',') {
        None => (inside, None),
        Some((key, default)) => {
            let default = default.trim().strip_prefix('\'')?.strip_suffix('\'')?;
            (key, Some(default.into()))
        }
    };
    let key = key.trim();
    // A tag key, behind the slash, may have spaces: `aws:PrincipalTag/cost center`.
    let name = key.split('/').next().unwrap_or(key);
    if !name.contains(':') || name.contains(char::is_whitespace) {
        return None;
    }
    Some(Part::Variable { lower_key: LowerKey::new(key), default })
}

#[cfg(test)]
mod tests;
