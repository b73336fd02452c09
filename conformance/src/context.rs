//! What a check runs in.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bucketproof_fixtures::scenario;

use crate::falsifier::Falsifier;

/// What the function of a check is given. Each check gets its own, and starts from it a world of its own.
#[derive(Clone, Debug)]
pub struct CheckContext {
    scenario: Arc<ScenarioSource>,
    falsifier: Option<Falsifier>,
}

impl CheckContext {
    /// A context over `scenario`, with nothing changed.
    pub fn new(scenario: Arc<ScenarioSource>) -> Self {
        Self { scenario, falsifier: None }
    }

    /// The same with one change applied to the world: the check must then fail.
    pub fn falsified_by(self, falsifier: Falsifier) -> Self {
        Self { falsifier: Some(falsifier), ..self }
    }

    /// The scenario to start from.
    pub fn scenario(&self) -> &ScenarioSource {
        &self.scenario
    }

    /// The change to apply, if any.
    pub fn falsifier(&self) -> Option<&Falsifier> {
        self.falsifier.as_ref()
    }
}

/// Where the scenario comes from.
#[derive(Clone, Debug)]
pub enum ScenarioSource {
    /// A scenario of the fixtures, its policy files included.
    Embedded(scenario::Scenario),
    /// A file; its policies lie beside it.
    File {
        /// Where it was read.
        path: PathBuf,
        /// What it holds.
        text: String,
    },
}

/// A scenario file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the scenario `{}`: {source}", path.display())]
pub struct UnreadableScenario {
    path: PathBuf,
    source: std::io::Error,
}

impl ScenarioSource {
    /// The customer and the vendor of the SuprSend set-up page.
    pub fn embedded() -> Self {
        Self::Embedded(scenario::suprsend())
    }

    /// Reads the scenario file at `path`.
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

    /// The name in reports.
    pub fn name(&self) -> String {
        match self {
            Self::Embedded(scenario) => scenario.path.to_owned(),
            Self::File { path, .. } => path.display().to_string(),
        }
    }
}
