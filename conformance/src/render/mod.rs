//! Texts: of a report (terminal, JSON, JUnit) and of checks (list, explanation). Each renderer is a pure function.

mod catalogue;
mod json;
mod junit;
mod terminal;

pub use catalogue::{explain, list, page};
pub use json::json;
pub use junit::{JunitError, junit};
pub use terminal::terminal;

use crate::check::Source;

/// The sources in one line.
fn source_line(sources: &[Source]) -> String {
    let sources: Vec<String> = sources.iter().map(ToString::to_string).collect();
    sources.join("; ")
}

#[cfg(test)]
mod tests;
