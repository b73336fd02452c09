//! Kinds of rows that a profile tells apart.

use serde::{Deserialize, Serialize};

/// Kinds of rows that a connection may choose from, told apart by a column of texts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RowKinds {
    /// The column.
    pub column: String,
    /// The kinds; a row is of the first that has its text.
    pub of: Vec<RowKind>,
    /// The kind of all other rows.
    pub rest: String,
}

/// A kind of rows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RowKind {
    /// Its name.
    pub name: String,
    /// Texts of the column; `*` stands for any signs.
    pub values: Vec<String>,
}

impl RowKinds {
    /// The names of all kinds.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.of.iter().map(|kind| kind.name.as_str()).chain([self.rest.as_str()])
    }

    /// The kind of a row with this text.
    pub fn kind_of(&self, text: &str) -> &str {
        let found = self.of.iter().find(|kind| kind.values.iter().any(|pattern| fits(pattern, text)));
        found.map_or(self.rest.as_str(), |kind| kind.name.as_str())
    }

    /// What is wrong with them, if anything.
    pub(crate) fn problem(&self) -> Option<String> {
        let names: Vec<&str> = self.names().collect();
        if names.iter().any(|name| name.is_empty()) {
            return Some("a kind of rows has no name".to_owned());
        }
        let twice =
            names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|known| known == *name));
        if let Some((_, name)) = twice {
            return Some(format!("the kind `{name}` is defined twice"));
        }
        let empty = self.of.iter().find(|kind| kind.values.is_empty());
        empty.map(|kind| format!("the kind `{}` has no values", kind.name))
    }
}

/// Whether a text is of a pattern.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let (middle, end) = rest.rsplit_once('*').map_or((None, rest), |(middle, end)| (Some(middle), end));
    for part in middle.into_iter().flat_map(|middle| middle.split('*')) {
        let Some((_, behind)) = text.split_once(part) else { return false };
        text = behind;
    }
    text.ends_with(end)
}
