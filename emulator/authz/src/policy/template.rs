//! Texts of a policy with their wildcards and policy variables, split once.

use std::borrow::Cow;

use super::document::Version;
use crate::context::{Context, Values};
use crate::wildcard;

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
        lower_key: Box<str>,
        default: Option<Box<str>>,
    },
}

/// A text of a policy: fixed pattern bytes and variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Box<[Part]>,
    source: Box<str>,
}

impl Template {
    /// Splits a text. Variables exist since version 2012-10-17 of the language; before, `${` is plain text.
    pub(crate) fn parse(text: &str, wildcards: Wildcards, version: Version) -> Self {
        let source = text.into();
        let mut parts = Vec::new();
        let mut fixed = Vec::new();
        let mut rest = text;
        if version == Version::V2012 {
            while let Some((before, after)) = rest.split_once("${") {
                let Some((inside, behind)) = after.split_once('}') else { break };
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
        if !fixed.is_empty() || parts.is_empty() {
            parts.push(Part::Fixed(fixed.into_boxed_slice()));
        }
        Self { parts: parts.into_boxed_slice(), source }
    }

    /// The text as the policy has it.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    pub(crate) fn has_variables(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Variable { .. }))
    }

    /// The pattern with the variables of this request filled in; `None` if one has no value and no default.
    ///
    /// Values are taken literally, wildcards in them included. A multi-valued key has no value here (IAM User Guide,
    /// "Variables": only single-valued keys).
    pub(crate) fn resolve(&self, context: &Context) -> Option<Cow<'_, [u8]>> {
        if let [Part::Fixed(bytes)] = &*self.parts {
            return Some(Cow::Borrowed(bytes));
        }
        let mut resolved = Vec::new();
        for part in &self.parts {
            match part {
                Part::Fixed(bytes) => resolved.extend_from_slice(bytes),
                Part::Variable { lower_key, default } => {
                    let value = match context.get_lower(lower_key) {
                        Some(Values::One(value)) => Some(value.as_str()),
                        _ => default.as_deref(),
                    };
                    resolved.extend_from_slice(value?.as_bytes());
                }
            }
        }
        Some(Cow::Owned(resolved))
    }

    /// The resolved pattern as text for a trace.
    pub(crate) fn resolved_text(&self, context: &Context) -> Option<String> {
        self.resolve(context).map(|bytes| {
            let text: Vec<u8> = bytes
                .iter()
                .map(|byte| match *byte {
                    wildcard::MANY => b'*',
                    wildcard::ONE => b'?',
                    other => other,
                })
                .collect();
            String::from_utf8_lossy(&text).into_owned()
        })
    }
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
    if !key.contains(':') || key.contains(char::is_whitespace) {
        return None;
    }
    Some(Part::Variable { lower_key: key.to_lowercase().into(), default })
}

#[cfg(test)]
mod tests;
