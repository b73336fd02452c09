//! The change that must make a check fail.
//!
//! A check that cannot fail proves nothing. Each names one change to the world it runs in; under that change it must
//! fail, and if it still passes, the check is broken. `tests/falsify.rs` holds every check to that.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bucketproof_emulator::Fault;

pub use crate::checks::decisions::DecisionChange;

/// One change that must make its check fail.
#[derive(Clone, Debug)]
pub enum Falsifier {
    /// The endpoint or the wire goes wrong.
    Fault(Fault),
    /// The scenario itself says something else.
    ScenarioEdit(TextEdit),
    /// A policy file of the scenario says something else.
    PolicyEdit {
        /// The file, relative to the scenario.
        file: Cow<'static, str>,
        /// The change.
        edit: TextEdit,
    },
    /// The vendor's profile says something else.
    ProfileEdit(TextEdit),
    /// The connector's configuration says something else.
    ConfigEdit(TextEdit),
    /// The rows that a source delivers last say something else.
    InputEdit {
        /// The dataset whose rows change.
        dataset: Cow<'static, str>,
        /// The change.
        edit: TextEdit,
    },
    /// The requests of the check say something else, which the endpoint has no reason to refuse.
    RequestEdit(TextEdit),
    /// The exporter loses a row group of an object that it replaces.
    RowGroupLost,
    /// The connector is one that does this.
    Connector(&'static str),
    /// The decision core is asked something else.
    Decision(DecisionChange),
    /// The endpoint's clock does not move when time passes.
    ClockStands,
    /// The endpoint's clock is ahead of everybody else's.
    ClockAhead(Duration),
}

/// Replaces one text by another, everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextEdit {
    /// What is looked for.
    pub find: Cow<'static, str>,
    /// What stands there instead.
    pub replace: Cow<'static, str>,
}

/// A text edit that would change nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{find}` does not occur in the text to edit")]
pub struct NothingToEdit {
    find: String,
}

impl TextEdit {
    /// An edit of every place where `find` stands.
    pub fn new(find: impl Into<Cow<'static, str>>, replace: impl Into<Cow<'static, str>>) -> Self {
        Self { find: find.into(), replace: replace.into() }
    }

    /// The edited text; an edit that changes nothing is refused, because it would falsify nothing.
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
            Self::Fault(fault) => write!(formatter, "{fault}"),
            Self::ScenarioEdit(edit) => write!(formatter, "in the scenario, {edit}"),
            Self::PolicyEdit { file, edit } => write!(formatter, "in the policy `{file}`, {edit}"),
            Self::ProfileEdit(edit) => write!(formatter, "in the profile, {edit}"),
            Self::ConfigEdit(edit) => write!(formatter, "in the configuration, {edit}"),
            Self::InputEdit { dataset, edit } => write!(formatter, "in the rows of `{dataset}`, {edit}"),
            Self::RequestEdit(edit) => write!(formatter, "in the requests, {edit}"),
            Self::RowGroupLost => formatter.write_str("an object that is replaced loses its first row group"),
            Self::Connector(mode) => write!(formatter, "a connector that {}", mode.replace('-', " ")),
            Self::Decision(change) => write!(formatter, "{change}"),
            Self::ClockStands => formatter.write_str("the endpoint's clock stands still"),
            Self::ClockAhead(by) => {
                write!(formatter, "the endpoint's clock is {} s ahead", by.as_secs())
            }
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
