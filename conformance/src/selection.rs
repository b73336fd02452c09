//! Which checks to run.

use std::sync::Arc;

use crate::check::{Check, Level};
use crate::inventory::Inventory;

/// Names of checks to take. Kinds narrow each other, names of one kind add up; an empty kind takes all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// An id, the start of ids, or the id of a requirement.
    pub ids: Vec<String>,
    /// Names of areas.
    pub areas: Vec<String>,
    /// Ids of vendor profiles.
    pub profiles: Vec<String>,
    /// Levels; every level if there is none.
    pub levels: Vec<Level>,
}

/// A filter names something that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnknownName {
    /// No id starts so, and no check claims such a requirement.
    #[error("no check id starts with `{name}`, and no check proves a requirement of that id")]
    Id {
        /// What was asked for.
        name: String,
        /// Ids that look like it, the nearest first.
        nearest: Vec<String>,
    },
    /// No check is in such an area.
    #[error("no check is in an area called `{name}`")]
    Area {
        /// What was asked for.
        name: String,
        /// The areas that have checks.
        known: Vec<String>,
    },
    /// No check is about such a profile.
    #[error("no check is about a profile called `{name}`")]
    Profile {
        /// What was asked for.
        name: String,
        /// The profiles that have checks.
        known: Vec<String>,
    },
}

/// How alike two names must be, from 0 to 1, to suggest one for the other.
const LIKENESS_MIN: f64 = 0.5;
const SUGGESTIONS_MAX: usize = 3;

impl UnknownName {
    /// The next step.
    pub fn help(&self) -> String {
        let (what, names, list) = match self {
            Self::Id { nearest, .. } => ("near ids", nearest, "list"),
            Self::Area { known, .. } => ("known areas", known, "list"),
            Self::Profile { known, .. } => ("known profiles", known, "list"),
        };
        if names.is_empty() {
            format!("`bucketproof-conformance {list}` shows every check")
        } else {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("{what}: {}", names.join(", "))
        }
    }
}

/// The checks of `inventory` that `filter` takes, in the inventory's order. There may be none, if the names exist but
/// have no check in common.
pub fn select(inventory: &Inventory, filter: &Filter) -> Result<Vec<Arc<Check>>, UnknownName> {
    for name in &filter.ids {
        if !inventory.checks().iter().any(|check| is_named(check, name)) {
            return Err(UnknownName::Id { name: name.clone(), nearest: nearest(inventory, name) });
        }
    }
    // A vendor with several profiles is one area.
    let known = |names: Vec<&str>| {
        let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        names.dedup();
        names
    };
    let areas: Vec<&str> = inventory.areas().iter().map(|area| area.name()).collect();
    for name in &filter.areas {
        if !inventory.areas().iter().any(|area| area.is_named(name)) {
            return Err(UnknownName::Area { name: name.clone(), known: known(areas) });
        }
    }
    let profiles: Vec<&str> = inventory.areas().iter().filter_map(|area| area.profile()).collect();
    for name in &filter.profiles {
        if !profiles.contains(&name.as_str()) {
            return Err(UnknownName::Profile { name: name.clone(), known: known(profiles) });
        }
    }

    let one_of = |names: &[String], takes: &dyn Fn(&str) -> bool| {
        names.is_empty() || names.iter().any(|name| takes(name))
    };
    let taken = inventory.checks().iter().filter(|check| {
        one_of(&filter.ids, &|name| is_named(check, name))
            && one_of(&filter.areas, &|name| check.area.is_named(name))
            && one_of(&filter.profiles, &|name| check.area.profile() == Some(name))
            && (filter.levels.is_empty() || filter.levels.contains(&check.level))
    });
    Ok(taken.cloned().collect())
}

/// Ids of `inventory` that look like `name`, the nearest first.
pub fn nearest(inventory: &Inventory, name: &str) -> Vec<String> {
    let mut candidates: Vec<(f64, &str)> = inventory
        .checks()
        .iter()
        .map(|check| check.id.as_str())
        .map(|id| {
            // Someone who types a part of an id means it, however long the rest is.
            let likeness =
                if id.contains(name) { 1.0 } else { strsim::normalized_damerau_levenshtein(id, name) };
            (likeness, id)
        })
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .collect();
    candidates.sort_by(|(left, _), (right, _)| right.total_cmp(left));
    candidates.into_iter().take(SUGGESTIONS_MAX).map(|(_, id)| id.to_owned()).collect()
}

fn is_named(check: &Check, name: &str) -> bool {
    let is_requirement = check.sources.iter().any(|source| source.requirement_id() == Some(name));
    check.id.as_str().starts_with(name) || is_requirement
}

#[cfg(test)]
mod tests;
