//! What settles most statements before they are looked at.
//!
//! A statement needs many places in memory: its patterns and their texts. A gate holds what all its action patterns
//! and what all its resource patterns begin with, and the gates of a policy stand beside each other. A closed gate
//! means that the statement cannot apply; an open one means nothing.

use crate::subject::{LowerAction, Subject};
use crate::wildcard;

use super::pattern::{ActionPattern, ResourcePattern};
use super::statement::Statement;

/// The literal starts that all patterns of a statement share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gate {
    action: Start,
    /// The last eight bytes of what all resource patterns begin with, and where they end; 0 if there are fewer.
    resource_word: u64,
    resource_end: usize,
}

/// Up to eight bytes that a text must begin with, and which of them count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start {
    word: u64,
    mask: u64,
}

impl Start {
    pub(crate) fn new(literal: &[u8]) -> Self {
        let mask = wildcard::first_word(&vec![0xFF; literal.len()]);
        Self { word: wildcard::first_word(literal), mask }
    }

    pub(crate) fn begins(self, action: &LowerAction) -> bool {
        (action.first_word() ^ self.word) & self.mask == 0
    }
}

impl Gate {
    pub(crate) fn new(statement: &Statement) -> Self {
        let action = if statement.action.negated {
            &[]
        } else {
            common_start(statement.action.patterns.iter().map(ActionPattern::literal))
        };
        let resource = match &statement.resource {
            Some(element) if !element.negated => {
                common_start(element.patterns.iter().map(ResourcePattern::literal))
            }
            _ => &[],
        };
        let resource_word = wildcard::word_before(resource, resource.len());
        Self {
            action: Start::new(action),
            resource_word: resource_word.unwrap_or_default(),
            resource_end: resource_word.map_or(0, |_| resource.len()),
        }
    }

    /// Whether the statement may apply.
    #[inline]
    pub(crate) fn is_open(&self, subject: &Subject<'_>) -> bool {
        self.action.begins(&subject.lower_action)
            && (self.resource_end == 0
                || subject.resource.is_none_or(|resource| {
                    wildcard::word_before(resource.as_bytes(), self.resource_end) == Some(self.resource_word)
                }))
    }
}

/// What all texts begin with; nothing if there is no text.
fn common_start<'a>(mut literals: impl Iterator<Item = &'a [u8]>) -> &'a [u8] {
    let Some(first) = literals.next() else { return &[] };
    literals.fold(first, |common, literal| {
        let length = common.iter().zip(literal).take_while(|(left, right)| left == right).count();
        common.get(..length).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests;
