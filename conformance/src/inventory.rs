//! All checks of the suite, with the promises that hold between them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::check::{Area, Check, CheckId};
use crate::checks;

/// Checks with valid, distinct ids.
#[derive(Debug)]
pub struct Inventory {
    checks: Vec<Arc<Check>>,
}

/// Checks that cannot form an inventory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidInventory {
    /// Two checks have one id.
    #[error("check id `{id}` is given to two checks")]
    DuplicateId {
        /// The id.
        id: CheckId,
    },
    /// An id is no slug.
    #[error(
        "check id `{id}` is not of the form `area.subject.detail` in lower case, digits and single hyphens"
    )]
    NotASlug {
        /// The id.
        id: CheckId,
    },
    /// A decision table is not of its form.
    #[error("the decision table `{file}` cannot be read: {message}")]
    BrokenTable {
        /// The file.
        file: String,
        /// What is wrong with it.
        message: String,
    },
    /// A check demands something that nobody states.
    #[error("check `{id}` names no source")]
    NoSource {
        /// The id.
        id: CheckId,
    },
}

impl Inventory {
    /// Every check of this suite.
    pub fn collect() -> Result<Self, InvalidInventory> {
        Self::new(checks::all()?)
    }

    /// An inventory of `checks`, in their order.
    pub fn new(checks: Vec<Check>) -> Result<Self, InvalidInventory> {
        let mut ids = BTreeSet::new();
        for check in &checks {
            let id = || check.id.clone();
            if !check.id.is_slug() {
                return Err(InvalidInventory::NotASlug { id: id() });
            }
            if check.sources.is_empty() {
                return Err(InvalidInventory::NoSource { id: id() });
            }
            if !ids.insert(&check.id) {
                return Err(InvalidInventory::DuplicateId { id: id() });
            }
        }
        Ok(Self { checks: checks.into_iter().map(Arc::new).collect() })
    }

    /// The checks in the order in which reports show them.
    pub fn checks(&self) -> &[Arc<Check>] {
        &self.checks
    }

    /// The check called `id`.
    pub fn check(&self, id: &str) -> Option<&Arc<Check>> {
        self.checks.iter().find(|check| check.id.as_str() == id)
    }

    /// The areas that have checks, in the order of [`Area`].
    pub fn areas(&self) -> BTreeSet<Area> {
        self.checks.iter().map(|check| check.area).collect()
    }

    /// The requirement ids that checks claim to prove.
    pub fn requirements(&self) -> BTreeSet<&str> {
        self.checks
            .iter()
            .flat_map(|check| &check.sources)
            .filter_map(|source| source.requirement_id())
            .collect()
    }
}

#[cfg(test)]
mod tests;
