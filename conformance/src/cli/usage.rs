//! What is wrong with a command line, and what to type instead.

use std::path::PathBuf;

use bucketproof_emulator::StartError;

use crate::cast;
use crate::context::UnreadableScenario;
use crate::selection::UnknownName;

/// The command line asks for something that cannot be done.
#[derive(Debug, thiserror::Error)]
pub(super) enum UsageError {
    #[error(transparent)]
    UnknownName(UnknownName),
    #[error("the command `{name}` is not supported by this version")]
    UnsupportedCommand { name: &'static str },
    #[error("the option `{option}` is not supported by this version")]
    UnsupportedOption { option: &'static str },
    #[error("the target `{target}` is not supported by this version")]
    UnsupportedTarget { target: String },
    #[error(transparent)]
    Scenario(UnreadableScenario),
    #[error(transparent)]
    BrokenScenario(StartError),
    #[error(transparent)]
    Incomplete(cast::Missing),
    #[error("cannot write the report to `{}`: {source}", path.display())]
    ReportFile { path: PathBuf, source: std::io::Error },
}

impl UsageError {
    /// The next step.
    pub(super) fn help(&self) -> String {
        match self {
            Self::UnknownName(error) => error.help(),
            Self::UnsupportedCommand { .. } => "the commands are `run`, `list` and `explain`".to_owned(),
            Self::UnsupportedOption { .. } => "reports are written by `--json` and `--junit`".to_owned(),
            Self::UnsupportedTarget { .. } => "the target is `emulator`, which is the default".to_owned(),
            Self::BrokenScenario(StartError::Scenario(error)) => error.help().to_owned(),
            Self::BrokenScenario(_) | Self::Scenario(_) => {
                "name a scenario file (TOML), or leave out `--scenario` for the built-in one".to_owned()
            }
            Self::Incomplete(_) => {
                "declare it as fixtures/scenarios/suprsend/scenario.toml does, or select checks with `--area`"
                    .to_owned()
            }
            Self::ReportFile { .. } => "name a file in an existing directory that can be written".to_owned(),
        }
    }
}
