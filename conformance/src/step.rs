//! Named steps: what a check's function is made of.
//!
//! A step that does not hold ends the check with `?` and says what was expected and what came. An error of the
//! harness (a directory that cannot be made) is no failure of the target; [`Step::works`] keeps the two apart.

use std::error::Error;
use std::fmt::{Debug, Write as _};

use crate::outcome::{Breakage, Conclusion, Failure, Stop};

/// One step of a check.
#[derive(Clone, Debug)]
pub struct Step {
    name: String,
}

/// The step called `name`, such as "put the same key again".
pub fn step(name: impl Into<String>) -> Step {
    Step { name: name.into() }
}

impl Step {
    /// Demands that `actual` equals `expected`.
    pub fn equal<E, A>(&self, expected: &E, actual: &A) -> Conclusion
    where
        E: PartialEq<A> + Debug + ?Sized,
        A: Debug + ?Sized,
    {
        if expected == actual {
            return Ok(());
        }
        Err(self.failure(clipped(format!("{expected:?}")), clipped(format!("{actual:?}"))).into())
    }

    /// Demands that `part` occurs in `text`.
    pub fn contains(&self, text: &str, part: &str) -> Conclusion {
        if text.contains(part) {
            return Ok(());
        }
        Err(self.failure(format!("a text with `{part}`"), clipped(format!("`{text}`"))).into())
    }

    /// Demands that there is a value; `expected` says which.
    pub fn some<T>(&self, expected: &str, value: Option<T>) -> Result<T, Stop> {
        value.ok_or_else(|| self.failure(expected, "nothing").into())
    }

    /// Demands that the target does what `expected` says; its error is the actual behaviour.
    pub fn succeeds<T, E: Error>(&self, expected: &str, result: Result<T, E>) -> Result<T, Stop> {
        result.map_err(|error| self.failure(expected, with_causes(&error)).into())
    }

    /// Demands that the target refuses; `expected` says how. The error is handed on for a closer look.
    pub fn refuses<T: Debug, E>(&self, expected: &str, result: Result<T, E>) -> Result<E, Stop> {
        match result {
            Ok(value) => Err(self.failure(expected, short(&format!("success: {value:?}"))).into()),
            Err(error) => Ok(error),
        }
    }

    /// Unwraps a result of the harness, whose error says nothing about the target.
    pub fn works<T, E: Error>(&self, result: Result<T, E>) -> Result<T, Stop> {
        result.map_err(|error| {
            Stop::Errored(Breakage { step: Some(self.name.clone()), message: with_causes(&error) })
        })
    }

    /// A failure of this step, for demands that the other functions do not cover.
    pub fn failure(&self, expected: impl Into<String>, actual: impl Into<String>) -> Failure {
        Failure::new(self.name.clone(), expected, actual)
    }
}

/// The message of `error` and of every error behind it.
/// The longest value that a report shows, in characters.
const SHOWN_CHARS_MAX: usize = 1200;
/// The longest part of a success that should have been a refusal.
const SHOWN_SUCCESS_MAX: usize = 200;

/// The beginning of a value that only matters because it is there.
fn short(text: &str) -> String {
    match text.char_indices().nth(SHOWN_SUCCESS_MAX) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

/// A value short enough for a report.
fn clipped(text: String) -> String {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        None => text,
        Some((end, _)) => {
            let more = text.chars().count() - SHOWN_CHARS_MAX;
            format!("{}… ({more} more characters)", text.get(..end).unwrap_or_default())
        }
    }
}

fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        // Many errors repeat their cause in their own message.
        if !text.contains(&message) {
            // Writing to a `String` cannot fail.
            let _ = write!(text, ": {message}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
