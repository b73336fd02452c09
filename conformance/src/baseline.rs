//! What is known to fail: per target and per check, each with its reason. Never by counts: a failure that is gone and
//! another that is new do not cancel.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::inventory::Inventory;
use crate::report::{CheckReport, Report, Status};
use crate::selection::nearest;

/// The version of the form of a baseline.
pub const BASELINE: &str = "bucketproof-baseline/1";

/// A baseline as it stands in its file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    schema: String,
    #[serde(default)]
    target: Vec<TargetBaseline>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetBaseline {
    name: String,
    /// Names of capabilities whose checks may be skipped.
    #[serde(default)]
    lacks: Vec<String>,
    /// Checks that fail, with the reason.
    #[serde(default)]
    fails: BTreeMap<String, String>,
}

/// A baseline that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It cannot be read.
    #[error("cannot read the baseline `{}`: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not of its form.
    #[error("the baseline `{}` cannot be used: {why}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// It names checks that are not in the suite: they were never there, or they are gone.
    #[error("the baseline `{}` names checks that the suite does not have: {}", path.display(), listed(ids))]
    UnknownIds {
        /// The file.
        path: PathBuf,
        /// The ids.
        ids: Vec<String>,
        /// Ids that look like the first of them.
        nearest: Vec<String>,
    },
    /// It says nothing of the target.
    #[error("the baseline `{}` has no target `{name}`; it has {}", path.display(), listed(known))]
    NoTarget {
        /// The file.
        path: PathBuf,
        /// The target of the run.
        name: String,
        /// The targets that it has.
        known: Vec<String>,
    },
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl BaselineError {
    /// Whether there is no such file.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// The next step.
    pub fn help(&self) -> String {
        match self {
            Self::UnknownIds { nearest, .. } if !nearest.is_empty() => {
                format!("near ids: {}; take out what is gone", listed(nearest))
            }
            Self::UnknownIds { .. } => "take them out; `list` shows every check".to_owned(),
            Self::NoTarget { .. } => {
                "name the target with `--target-name`, or add it with `gate --write`".to_owned()
            }
            Self::Unreadable { .. } | Self::Broken { .. } => {
                "name a baseline with `--baseline`, or make one with `gate --write`".to_owned()
            }
        }
    }
}

/// A check or a capability that is not as the baseline says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It fails and is not known to.
    NewFailure(String),
    /// It broke.
    Broke(String),
    /// It passes and is known to fail.
    UnexpectedPass(String),
    /// It is known to fail and was skipped.
    NotRun(String),
    /// It was skipped, because of something that the target is not known to lack.
    NewlySkipped {
        /// The check.
        id: String,
        /// What is missing.
        missing: String,
    },
    /// The target is known to lack it and offers it.
    Offered(String),
}

impl Difference {
    /// Whether nothing is known of the target, because a check broke.
    pub fn is_breakage(&self) -> bool {
        matches!(self, Self::Broke(_))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NewFailure(id) => write!(formatter, "new failure       {id}"),
            Self::Broke(id) => write!(formatter, "broke             {id}"),
            Self::UnexpectedPass(id) => write!(formatter, "unexpected pass   {id}"),
            Self::NotRun(id) => write!(formatter, "known, not run    {id}"),
            Self::NewlySkipped { id, missing } => {
                write!(formatter, "newly skipped     {id} (lacks `{missing}`)")
            }
            Self::Offered(name) => write!(formatter, "offered after all `{name}`"),
        }
    }
}

impl Baseline {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, BaselineError> {
        let text = fs::read_to_string(path)
            .map_err(|source| BaselineError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, BaselineError> {
        let broken = |why: String| BaselineError::Broken { path: path.to_owned(), why };
        let baseline: Self = toml::from_str(text).map_err(|error| broken(error.to_string()))?;
        if baseline.schema != BASELINE {
            return Err(broken(format!("its schema is `{}`, not `{BASELINE}`", baseline.schema)));
        }
        let mut names = BTreeSet::new();
        for target in &baseline.target {
            if !names.insert(&target.name) {
                return Err(broken(format!("the target `{}` stands twice", target.name)));
            }
            if let Some((id, _)) = target.fails.iter().find(|(_, reason)| reason.trim().is_empty()) {
                return Err(broken(format!("`{id}` of the target `{}` has no reason", target.name)));
            }
            let known = |name: &String| crate::check::Capability::ALL.iter().any(|one| one.name() == name);
            if let Some(name) = target.lacks.iter().find(|name| !known(name)) {
                return Err(broken(format!("`{name}` of the target `{}` is no capability", target.name)));
            }
        }
        Ok(baseline)
    }

    /// Refuses ids that the suite does not have.
    pub fn known(&self, path: &Path, inventory: &Inventory) -> Result<(), BaselineError> {
        let named = self.target.iter().flat_map(|target| target.fails.keys());
        let ids: Vec<String> = named.filter(|id| inventory.check(id).is_none()).cloned().collect();
        match ids.first() {
            None => Ok(()),
            Some(first) => {
                let nearest = nearest(inventory, first);
                Err(BaselineError::UnknownIds { path: path.to_owned(), ids, nearest })
            }
        }
    }

    /// Refuses a target that is not in it.
    pub fn lists(&self, path: &Path, target: &str) -> Result<(), BaselineError> {
        if self.of(target).is_some() {
            return Ok(());
        }
        let known = self.target.iter().map(|target| target.name.clone()).collect();
        Err(BaselineError::NoTarget { path: path.to_owned(), name: target.to_owned(), known })
    }

    fn of(&self, target: &str) -> Option<&TargetBaseline> {
        self.target.iter().find(|one| one.name == target)
    }

    /// What of `report` is not as the baseline says, in the order of the report.
    pub fn differences(&self, report: &Report) -> Vec<Difference> {
        let nothing = TargetBaseline::default();
        let known = self.of(&report.target).unwrap_or(&nothing);
        let offered = known.lacks.iter().filter(|name| !report.lacks.iter().any(|one| one.name() == *name));
        let mut differences: Vec<Difference> = offered.cloned().map(Difference::Offered).collect();
        differences.extend(report.checks.iter().filter_map(|check| difference(known, check)));
        differences
    }

    /// The baseline with the outcome of a run. Targets and checks that were not run stay, but for checks that the suite
    /// does not have any more.
    pub fn with(mut self, report: &Report, inventory: &Inventory) -> Self {
        BASELINE.clone_into(&mut self.schema);
        if self.of(&report.target).is_none() {
            self.target.push(TargetBaseline { name: report.target.clone(), ..TargetBaseline::default() });
        }
        for target in &mut self.target {
            target.fails.retain(|id, _| inventory.check(id).is_some());
            if target.name != report.target {
                continue;
            }
            target.lacks = report.lacks.iter().map(|one| one.name().to_owned()).collect();
            for check in &report.checks {
                match check.status {
                    Status::Failed => {
                        let id = check.id.as_str().to_owned();
                        target.fails.entry(id).or_insert_with(|| reason(check));
                    }
                    _ => {
                        target.fails.remove(check.id.as_str());
                    }
                }
            }
        }
        self
    }

    /// The text of its file.
    pub fn text(&self) -> String {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        let mut lines = vec![
            "# What is known to fail, per target and check. `lacks` names capabilities whose checks are skipped.".to_owned(),
            format!("schema = {}", quoted(BASELINE)),
        ];
        for target in &self.target {
            let lacks: Vec<String> = target.lacks.iter().map(|name| quoted(name)).collect();
            lines.push(String::new());
            lines.push("[[target]]".to_owned());
            lines.push(format!("name = {}", quoted(&target.name)));
            lines.push(format!("lacks = [{}]", lacks.join(", ")));
            lines.push("[target.fails]".to_owned());
            lines.extend(
                target.fails.iter().map(|(id, reason)| format!("{} = {}", quoted(id), quoted(reason))),
            );
        }
        lines.join("\n") + "\n"
    }
}

fn difference(known: &TargetBaseline, check: &CheckReport) -> Option<Difference> {
    let id = check.id.as_str().to_owned();
    let may_fail = known.fails.contains_key(&id);
    match check.status {
        Status::Passed => may_fail.then_some(Difference::UnexpectedPass(id)),
        Status::Failed => (!may_fail).then_some(Difference::NewFailure(id)),
        Status::Errored => Some(Difference::Broke(id)),
        Status::Skipped if may_fail => Some(Difference::NotRun(id)),
        Status::Skipped => {
            let missing = check.missing_capability.map(|one| one.name().to_owned()).unwrap_or_default();
            (!known.lacks.contains(&missing)).then_some(Difference::NewlySkipped { id, missing })
        }
    }
}

/// What a person would want to know first.
fn reason(check: &CheckReport) -> String {
    let Some(failure) = &check.failure else { return "no reason is known".to_owned() };
    let text = format!("{}: expected {}, got {}", failure.step, failure.expected, failure.actual);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(160).collect()
}

#[cfg(test)]
mod tests;
