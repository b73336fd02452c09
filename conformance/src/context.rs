//! What a check runs in.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bucketproof_authz::{Policy, PolicySource, guess_kind, lint};
use bucketproof_emulator::{Scenario, ScenarioError};
use bucketproof_fixtures::scenario;

use crate::connector_command::ConnectorCommand;
use crate::falsifier::{Falsifier, NothingToEdit};
use crate::report::PolicyFinding;
use crate::target::Endpoint;

/// The world of one check: the scenario that the emulator starts with, and what must make the check fail, if that is
/// being tried.
#[derive(Clone, Debug)]
pub struct CheckContext {
    scenario: Arc<ScenarioSource>,
    falsifier: Option<Falsifier>,
    endpoint: Option<Arc<Endpoint>>,
    command: Option<Arc<ConnectorCommand>>,
    seed: u64,
}

/// The seed of emulators unless another is asked for.
pub const SEED: u64 = 7;

impl CheckContext {
    /// A context in which nothing is falsified.
    pub fn new(scenario: Arc<ScenarioSource>) -> Self {
        Self { scenario, falsifier: None, endpoint: None, command: None, seed: SEED }
    }

    /// The same context, changed so that the check must fail.
    pub fn falsified_by(self, falsifier: Falsifier) -> Self {
        Self { falsifier: Some(falsifier), ..self }
    }

    /// The same context with nothing falsified, to compare with.
    pub(crate) fn undisturbed(&self) -> Self {
        Self { falsifier: None, ..self.clone() }
    }

    /// The same context at an endpoint, instead of an emulator for each check.
    pub fn at(self, endpoint: Arc<Endpoint>) -> Self {
        Self { endpoint: Some(endpoint), ..self }
    }

    /// The same context with a command of a connector to judge.
    pub fn judging(self, command: Arc<ConnectorCommand>) -> Self {
        Self { command: Some(command), ..self }
    }

    /// The command of a connector to judge.
    pub fn command(&self) -> Option<&Arc<ConnectorCommand>> {
        self.command.as_ref()
    }

    /// The same context with another seed for the ids that an emulator draws.
    pub fn seeded(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The seed of emulators.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The endpoint under test, if it is not the emulator.
    pub fn endpoint(&self) -> Option<&Arc<Endpoint>> {
        self.endpoint.as_ref()
    }

    /// The scenario of the vendor checks.
    pub fn scenario(&self) -> &ScenarioSource {
        &self.scenario
    }

    /// The change that must make the check fail, while that is being tried.
    pub fn falsifier(&self) -> Option<&Falsifier> {
        self.falsifier.as_ref()
    }
}

/// Where the vendor checks' scenario comes from.
#[derive(Clone, Debug)]
pub enum ScenarioSource {
    /// One that is built in.
    Embedded(scenario::Scenario),
    /// A file and its text.
    File {
        /// The path as it was given.
        path: PathBuf,
        /// The TOML text.
        text: String,
    },
}

/// A scenario file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the scenario `{}`: {source}", path.display())]
pub struct UnreadableScenario {
    path: PathBuf,
    source: std::io::Error,
}

/// Why a scenario cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioUnusable {
    /// It is no scenario.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// It has no place for the falsifier's change.
    #[error("the falsifier does not apply: {0}")]
    Falsifier(#[from] NothingToEdit),
    /// It refers to no such file.
    #[error("the falsifier does not apply: the scenario refers to no file `{file}`")]
    NoSuchFile {
        /// The file.
        file: String,
    },
}

impl ScenarioSource {
    /// The scenario of the vendor's set-up page.
    pub fn embedded() -> Self {
        Self::Embedded(scenario::suprsend())
    }

    /// Reads a scenario file.
    pub fn read(path: &Path) -> Result<Self, UnreadableScenario> {
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self::File { path: path.to_owned(), text }),
            Err(source) => Err(UnreadableScenario { path: path.to_owned(), source }),
        }
    }

    /// The TOML text.
    pub fn text(&self) -> &str {
        match self {
            Self::Embedded(scenario) => scenario.text,
            Self::File { text, .. } => text,
        }
    }

    /// The path, for reports.
    pub fn name(&self) -> String {
        match self {
            Self::Embedded(scenario) => scenario.path.to_owned(),
            Self::File { path, .. } => path.display().to_string(),
        }
    }

    /// The scenario as it stands.
    pub fn scenario(&self) -> Result<Scenario, ScenarioError> {
        self.with_text(self.text())
    }

    /// The scenario with a falsifier's change to it, if the change is one to a scenario.
    pub fn falsified(&self, falsifier: Option<&Falsifier>) -> Result<Scenario, ScenarioUnusable> {
        match falsifier {
            Some(Falsifier::ScenarioEdit(edit)) => Ok(self.with_text(&edit.apply(self.text())?)?),
            Some(Falsifier::PolicyEdit { file, edit }) => {
                let scenario = self.scenario()?;
                let no_such_file = || ScenarioUnusable::NoSuchFile { file: file.clone().into_owned() };
                let edited = edit.apply(scenario.file(file).ok_or_else(no_such_file)?)?;
                Ok(scenario.with_file(file, edited))
            }
            _ => Ok(self.scenario()?),
        }
    }

    /// Mistakes in the policy files that it refers to. A file that is no policy, the emulator has refused already.
    pub fn findings(&self) -> Vec<PolicyFinding> {
        let Ok(scenario) = self.scenario() else { return Vec::new() };
        let mut findings = Vec::new();
        for (file, text) in scenario.files() {
            let Ok(policy) = Policy::parse(text, PolicySource::new(guess_kind(text), file)) else { continue };
            findings.extend(lint(&policy).into_iter().map(|found| {
                PolicyFinding {
                    rule: serde_json::to_value(found.kind)
                        .ok()
                        .and_then(|kind| kind.as_str().map(|kind| kind.replace('_', "-")))
                        .unwrap_or_default(),
                    file: file.to_owned(),
                    line: found.line,
                    column: found.column,
                    message: found.message,
                    help: found.help,
                }
            }));
        }
        findings
    }

    fn with_text(&self, text: &str) -> Result<Scenario, ScenarioError> {
        match self {
            Self::Embedded(scenario) => Scenario::from_parts(text, scenario.path, scenario.files),
            Self::File { path, .. } => {
                let folder = path.parent().unwrap_or_else(|| Path::new(""));
                Scenario::from_toml_in(text, &path.display().to_string(), folder)
            }
        }
    }
}
