//! What is wrong with a command line, and what to type instead.

use std::path::PathBuf;

use bucketproof_connector::profile::ProfileError;
use bucketproof_emulator::StartError;

use crate::baseline::BaselineError;
use crate::cast;
use crate::context::UnreadableScenario;
use crate::selection::UnknownName;
use crate::target::EndpointUrlError;

/// The command line asks for something that cannot be done.
#[derive(Debug, thiserror::Error)]
pub(super) enum UsageError {
    #[error(transparent)]
    UnknownName(UnknownName),
    #[error(transparent)]
    VendorProfile(ProfileError),
    #[error("`{place}` is no place in a bucket: it names none")]
    NoBucket { place: String },
    #[error(transparent)]
    Url(EndpointUrlError),
    #[error(
        "`{url}` is AWS itself, where the checks make buckets and objects, and every request costs money"
    )]
    RealAws { url: String },
    #[error("there are no credentials for the target `{target}`")]
    NoCredentials { target: String },
    #[error("the accounts in `{}` cannot be used: {why}", path.display())]
    Accounts { path: PathBuf, why: String },
    #[error("`--scenario` sets an emulator up, and the target is `{target}`")]
    ScenarioElsewhere { target: String },
    #[error("the report `{}` cannot be run again: {why}", path.display())]
    Rerun { path: PathBuf, why: String },
    #[error(transparent)]
    Baseline(BaselineError),
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
            Self::VendorProfile(error) => error.help(),
            Self::NoBucket { .. } => "write s3://bucket/prefix, or the path of a folder".to_owned(),
            Self::Url(_) => {
                "the target is `emulator`, `s3s-fs`, or a URL such as http://127.0.0.1:9000".to_owned()
            }
            Self::RealAws { .. } => {
                "if that is what you want, use an account without anything else in it and say `--real-aws`"
                    .to_owned()
            }
            Self::NoCredentials { .. } => {
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a file with `--accounts`".to_owned()
            }
            Self::Accounts { .. } => {
                "write `[[account]]` with `access_key_id` and `secret_access_key` for each account".to_owned()
            }
            Self::ScenarioElsewhere { .. } => "leave out `--scenario`, or check the emulator".to_owned(),
            Self::Rerun { .. } => "name a report that `--json` has written".to_owned(),
            Self::Baseline(error) => error.help(),
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
