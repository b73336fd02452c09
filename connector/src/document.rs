//! Where in a TOML document something is wrong, and what to do about it.
//!
//! Profiles and configurations are written by people. An error names file, line, column, field, value and the next
//! step; a value that may be a secret is never repeated.

use std::fmt;
use std::ops::Range;

/// One thing wrong with a TOML document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct DocumentError(Box<Place>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    file: String,
    line: usize,
    column: usize,
    field: String,
    value: Option<String>,
    problem: String,
    help: String,
}

impl DocumentError {
    /// What to do next.
    pub fn help(&self) -> &str {
        &self.0.help
    }

    /// The same error with another next step.
    pub(crate) fn with_help(mut self, help: &str) -> Self {
        help.clone_into(&mut self.0.help);
        self
    }

    /// What is wrong, without its place.
    pub fn problem(&self) -> &str {
        &self.0.problem
    }

    /// The dotted path of the field, as far as it can be read off the document.
    pub fn field(&self) -> &str {
        &self.0.field
    }

    /// Line, from 1.
    pub fn line(&self) -> usize {
        self.0.line
    }

    /// Column in characters, from 1.
    pub fn column(&self) -> usize {
        self.0.column
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { file, line, column, field, value, problem, help: _ } = &*self.0;
        write!(f, "{file}:{line}:{column}: ")?;
        if !field.is_empty() {
            write!(f, "field `{field}`")?;
            if let Some(value) = value {
                write!(f, " with value `{value}`")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(problem)
    }
}

/// A TOML text with its name, able to say where a span of it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Document<'a> {
    file: &'a str,
    text: &'a str,
}

impl<'a> Document<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text }
    }

    /// Parses the document; what serde and the TOML grammar refuse comes back with its place.
    pub(crate) fn parse<T: serde::de::DeserializeOwned>(&self, help: &str) -> Result<T, DocumentError> {
        toml::from_str(self.text).map_err(|error| {
            let problem = error.message().lines().collect::<Vec<_>>().join("; ");
            let span = error.span().unwrap_or(0..0);
            let help = if problem.starts_with("unknown field") {
                "remove the field or correct its name".to_owned()
            } else if problem.starts_with("missing field") {
                "add the field".to_owned()
            } else {
                help.to_owned()
            };
            self.error(span, problem, help)
        })
    }

    /// An error about the text at `span`.
    pub(crate) fn error(
        &self,
        span: Range<usize>,
        problem: impl Into<String>,
        help: impl Into<String>,
    ) -> DocumentError {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let field = self.field_at(&span, line_start);
        DocumentError(Box::new(Place {
            file: self.file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            value: self.value_at(span, &field),
            field,
            problem: problem.into(),
            help: help.into(),
        }))
    }

    fn value_at(&self, span: Range<usize>, field: &str) -> Option<String> {
        if ["secret", "token", "password", "access_key", "postgres"].iter().any(|word| field.contains(word)) {
            return None;
        }
        let value = self.text.get(span)?.trim();
        let first_line = value.lines().next()?;
        let last_segment = field.rsplit('.').next().unwrap_or_default();
        if first_line.is_empty()
            || first_line.starts_with('[') && value.contains('\n')
            || first_line == last_segment
        {
            return None;
        }
        let mut shown: String = first_line.trim_matches('"').chars().take(60).collect();
        if first_line.chars().count() > 60 || value.contains('\n') {
            shown.push_str("...");
        }
        Some(shown)
    }

    /// The dotted path at `span`: the table header above it, then the keys to the left of it.
    fn field_at(&self, span: &Range<usize>, line_start: usize) -> String {
        let mut path: Vec<&str> = Vec::new();
        let above = self.text.get(..line_start).unwrap_or_default();
        let line = self.text.get(line_start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        if line.trim_start().starts_with('[') {
            return header_name(line).unwrap_or_default().to_owned();
        }
        if let Some(header) = above.lines().rev().find_map(header_name) {
            path.push(header);
        }
        if line.trim_start().starts_with('{') || line.trim_start().starts_with('"') {
            let opener = above.lines().rev().find_map(|line| {
                let (key, value) = line.split_once('=')?;
                (value.trim() == "[" && is_key(key.trim())).then_some(key.trim())
            });
            path.extend(opener);
        }
        let left_end = span.start.saturating_sub(line_start).min(line.len());
        let left = line.get(..left_end).unwrap_or_default();
        let mut depth_keys: Vec<&str> = Vec::new();
        let mut rest = left;
        while let Some((key_part, after)) = rest.split_once('=') {
            let key = key_part
                .rsplit(['{', ',', ' ', '['])
                .find(|part| !part.is_empty())
                .unwrap_or_default()
                .trim();
            // A comma after the value closes it, unless a brace was opened.
            if is_key(key) {
                if !key_part.contains('{') && !depth_keys.is_empty() {
                    depth_keys.pop();
                }
                depth_keys.push(key);
            }
            rest = after;
        }
        let own = self.text.get(span.clone()).unwrap_or_default().trim();
        if is_key(own) && self.text.get(span.end..).is_some_and(|rest| rest.trim_start().starts_with('=')) {
            // The keys before it on its line are its neighbours, unless a brace was opened.
            if !rest.contains('{') {
                depth_keys.pop();
            }
            depth_keys.push(own);
        }
        path.extend(depth_keys);
        path.join(".")
    }
}

fn header_name(line: &str) -> Option<&str> {
    let line = line.trim();
    let name = line.strip_prefix('[')?.split(']').next()?.trim_start_matches('[').trim();
    (line.contains(']') && name.split('.').all(is_key)).then_some(name)
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}
