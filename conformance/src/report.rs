//! The one value that every renderer reads. Its JSON form is a contract; see [`SCHEMA`].

mod policies;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::check::{Area, Capability, Check, CheckId, Level, PolicyProof, Source};
use crate::context::SEED;
use crate::outcome::{Breakage, Failure, Outcome};
use crate::runner::Event;

pub use policies::{PolicyProved, PolicyRow};

/// The version of the report's JSON form. Fields may be added under one version; a field that vanishes or changes
/// its meaning needs another.
pub const SCHEMA: &str = "bucketproof-report/1";

/// What a run found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// What was checked.
    pub target: String,
    /// What it was set up with.
    pub scenario: String,
    /// The seed of the run.
    pub seed: u64,
    /// What the target does not offer; checks that need it are skipped.
    pub lacks: Vec<Capability>,
    /// The command that runs a check again if its id is added; for people.
    #[serde(skip)]
    pub again: String,
    /// Real time of the run, milliseconds.
    pub duration_ms: u64,
    /// The number of checks per status.
    pub summary: Summary,
    /// What is wrong with the policies that the target was set up with, though they parse.
    pub findings: Vec<PolicyFinding>,
    /// Buckets that the run has made and the target does not let it take away.
    pub left_behind: Vec<String>,
    /// What the checks proved of documented policies, a row an element.
    pub policies: Vec<PolicyRow>,
    /// The selected checks in the order of the inventory.
    pub checks: Vec<CheckReport>,
}

/// A mistake in a policy file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyFinding {
    /// The kind of mistake.
    pub rule: String,
    /// The file, as the scenario refers to it.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
    /// The column, counted from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// Numbers of checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Selected.
    pub checks: usize,
    /// Complied.
    pub passed: usize,
    /// Did not comply.
    pub failed: usize,
    /// Broke.
    pub errored: usize,
    /// Did not run.
    pub skipped: usize,
}

/// What a run found about one check.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckReport {
    /// The check's id.
    pub id: CheckId,
    /// Its demand.
    pub title: String,
    /// How strong the demand is.
    pub level: Level,
    /// Its group.
    pub area: Area,
    /// Who demands it.
    pub sources: Vec<Source>,
    /// What it proves of a documented policy.
    pub proves: Option<PolicyProof>,
    /// How it ended.
    pub status: Status,
    /// Real time of the check, milliseconds.
    pub duration_ms: u64,
    /// The step that did not hold, if the check failed.
    pub failure: Option<Failure>,
    /// Why the check broke, if it errored.
    pub error: Option<Breakage>,
    /// What the target does not offer, if the check was skipped.
    pub missing_capability: Option<Capability>,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The target complies.
    Passed,
    /// The target does not comply.
    Failed,
    /// The check broke; nothing is known.
    Errored,
    /// The target lacks a capability.
    Skipped,
}

impl Report {
    /// The report of a run of `checks` against `target` before anything has happened: a check without an outcome
    /// counts as errored, never as passed.
    pub fn new(target: impl Into<String>, scenario: impl Into<String>, checks: &[Arc<Check>]) -> Self {
        let checks: Vec<CheckReport> = checks.iter().map(|check| CheckReport::pending(check)).collect();
        let summary = Summary::of(&checks);
        Self {
            schema: SCHEMA,
            target: target.into(),
            scenario: scenario.into(),
            seed: SEED,
            lacks: Vec::new(),
            again: "bucketproof-conformance run".to_owned(),
            duration_ms: 0,
            summary,
            findings: Vec::new(),
            left_behind: Vec::new(),
            policies: policies::rows(&checks),
            checks,
        }
    }

    /// The run had such an option, and so must each repetition.
    pub fn repeated_with(&mut self, option: &str, value: &str) {
        let quote = if value.contains(char::is_whitespace) { "'" } else { "" };
        self.again.push_str(&[" ", option, " ", quote, value, quote].concat());
    }

    /// Takes in what the runner says.
    pub fn record(&mut self, event: Event) {
        match event {
            Event::RunStarted { .. } | Event::CheckStarted { .. } => {}
            Event::CheckFinished { id, outcome, duration } => {
                if let Some(check) = self.checks.iter_mut().find(|check| check.id == id) {
                    check.conclude(outcome, duration);
                }
                self.summary = Summary::of(&self.checks);
            }
            Event::RunFinished { duration } => {
                self.duration_ms = milliseconds(duration);
                self.policies = policies::rows(&self.checks);
            }
        }
    }
}

impl Summary {
    fn of(checks: &[CheckReport]) -> Self {
        let count = |status| checks.iter().filter(|check| check.status == status).count();
        Self {
            checks: checks.len(),
            passed: count(Status::Passed),
            failed: count(Status::Failed),
            errored: count(Status::Errored),
            skipped: count(Status::Skipped),
        }
    }
}

impl CheckReport {
    fn pending(check: &Check) -> Self {
        Self {
            id: check.id.clone(),
            title: check.title.clone().into_owned(),
            level: check.level,
            area: check.area,
            sources: check.sources.clone(),
            proves: check.proves,
            status: Status::Errored,
            duration_ms: 0,
            failure: None,
            error: Some(Breakage { step: None, message: "the run ended before the check did".to_owned() }),
            missing_capability: None,
        }
    }

    fn conclude(&mut self, outcome: Outcome, duration: Duration) {
        self.duration_ms = milliseconds(duration);
        self.error = None;
        match outcome {
            Outcome::Passed => self.status = Status::Passed,
            Outcome::Failed(failure) => {
                self.status = Status::Failed;
                self.failure = Some(*failure);
            }
            Outcome::Errored(breakage) => {
                self.status = Status::Errored;
                self.error = Some(breakage);
            }
            Outcome::Skipped { missing } => {
                self.status = Status::Skipped;
                self.missing_capability = Some(missing);
            }
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
