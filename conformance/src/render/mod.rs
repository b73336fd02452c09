//! Texts: of a report (terminal, JSON, JUnit) and of checks (list, explanation). Each renderer is a pure function.

mod catalogue;
mod html;
mod json;
mod junit;
mod sarif;
mod terminal;

pub use catalogue::{explain, list, page};
pub use html::html;
pub use json::{json, json_schema};
pub use junit::{JunitError, junit};
pub use sarif::sarif;
pub use terminal::terminal;

use crate::check::Source;

/// The sources in one line.
fn source_line(sources: &[Source]) -> String {
    let sources: Vec<String> = sources.iter().map(ToString::to_string).collect();
    sources.join("; ")
}

#[cfg(test)]
mod tests;
