//! What is wrong with a scenario: where, what, and the next step.

use std::fmt;
use std::ops::Range;

use toml::Spanned;

/// A scenario that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {message}", position.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default())]
pub struct ScenarioError {
    file: String,
    position: Option<(usize, usize)>,
    message: String,
    help: String,
}

impl ScenarioError {
    /// The file, or the name given to a text.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Line and column, from 1; absent if the file could not be read.
    pub fn position(&self) -> Option<(usize, usize)> {
        self.position
    }

    /// What is wrong, with the field and the value.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn help(&self) -> &str {
        &self.help
    }

    pub(super) fn unreadable(file: &str, error: &std::io::Error) -> Self {
        Self {
            file: file.to_owned(),
            position: None,
            message: format!("the scenario cannot be read: {error}"),
            help: "check the path".to_owned(),
        }
    }
}

/// A scenario's text, to find lines in.
#[derive(Clone)]
pub(super) struct Place {
    file: String,
    /// Not shown by `Debug`: it holds the secrets.
    text: String,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Place {
    /// The text of the scenario, secrets and all.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn new(file: &str, text: &str) -> Self {
        Self { file: file.to_owned(), text: text.to_owned() }
    }

    /// An error of the TOML itself, or of its shape.
    pub(super) fn syntax(&self, error: &toml::de::Error) -> ScenarioError {
        let message = error.message().to_owned();
        let help = if message.contains("unknown field") {
            "remove the field, or spell it as one of those listed"
        } else if message.contains("missing field") {
            "add the field"
        } else {
            "see the scenario format in the README of the emulator"
        };
        self.error(error.span(), message, help)
    }

    /// An error at a value.
    pub(super) fn at<T>(&self, value: &Spanned<T>, message: impl Into<String>, help: &str) -> ScenarioError {
        self.error(Some(value.span()), message, help)
    }

    fn error(&self, span: Option<Range<usize>>, message: impl Into<String>, help: &str) -> ScenarioError {
        let position = span.and_then(|span| {
            let before = self.text.get(..span.start)?;
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            Some((line, column))
        });
        ScenarioError { file: self.file.clone(), position, message: message.into(), help: help.to_owned() }
    }
}
