//! The change that must make a check fail.
//!
//! A check that cannot fail proves nothing. Each names one change to the world it runs in; under that change it must
//! fail, and if it still passes, the check is broken.

use std::borrow::Cow;
use std::fmt;

/// One change to what a check runs against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Falsifier {
    /// The endpoint answers wrongly.
    Fault(StatusFault),
    /// A policy file of the scenario is changed.
    PolicyEdit {
        /// Path of the file relative to the scenario file.
        file: Cow<'static, str>,
        /// The change.
        edit: TextEdit,
    },
    /// The vendor's profile is changed.
    ProfileEdit(TextEdit),
    /// The input that the connector reads is changed.
    InputEdit(TextEdit),
}

/// The emulator answers an operation with a status of its own, and does not carry it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusFault {
    /// Name of the operation, such as `PutObject`.
    pub operation: Cow<'static, str>,
    /// The HTTP status.
    pub status: u16,
}

/// A replacement of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextEdit {
    /// The text to find; it must occur.
    pub find: Cow<'static, str>,
    /// What to put in the place of each occurrence.
    pub replace: Cow<'static, str>,
}

/// An edit has no effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{find}` does not occur in the text to edit")]
pub struct NothingToEdit {
    find: String,
}

impl TextEdit {
    /// Replaces `find` by `replace`.
    pub fn new(find: impl Into<Cow<'static, str>>, replace: impl Into<Cow<'static, str>>) -> Self {
        Self { find: find.into(), replace: replace.into() }
    }

    /// The edited `text`. An edit that changes nothing is refused, because a check under it would run unchanged.
    pub fn apply(&self, text: &str) -> Result<String, NothingToEdit> {
        if self.find.is_empty() || self.find == self.replace || !text.contains(self.find.as_ref()) {
            return Err(NothingToEdit { find: self.find.clone().into_owned() });
        }
        Ok(text.replace(self.find.as_ref(), &self.replace))
    }
}

impl fmt::Display for Falsifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(StatusFault { operation, status }) => {
                write!(formatter, "the endpoint answers {operation} with {status} and does not carry it out")
            }
            Self::PolicyEdit { file, edit } => write!(formatter, "in the policy `{file}`, {edit}"),
            Self::ProfileEdit(edit) => write!(formatter, "in the profile, {edit}"),
            Self::InputEdit(edit) => write!(formatter, "in the input, {edit}"),
        }
    }
}

impl fmt::Display for TextEdit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.replace.is_empty() {
            write!(formatter, "`{}` is removed", self.find)
        } else {
            write!(formatter, "`{}` becomes `{}`", self.find, self.replace)
        }
    }
}

#[cfg(test)]
mod tests;
