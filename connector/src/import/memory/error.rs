//! Why a target did not take what it was given.

use crate::state::StateError;

/// Why what was imported could not be stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// The database of the state directory.
    #[error(transparent)]
    State(#[from] StateError),
    /// The server of the target.
    #[error("target `{place}`: {problem}")]
    Server {
        /// The target; no secret.
        place: String,
        /// What is wrong.
        problem: String,
        /// What to do next.
        help: String,
    },
    /// A file of the target.
    #[error("target `{path}`: {problem}")]
    Dataset {
        /// The path.
        path: String,
        /// What is wrong.
        problem: String,
    },
}

impl TargetError {
    /// What to do next.
    pub fn help(&self) -> String {
        match self {
            Self::State(error) => error.help().to_owned(),
            Self::Server { help, .. } => help.clone(),
            Self::Dataset { .. } => {
                "check the directory, its permissions and the free space; what was not stored is read again"
                    .to_owned()
            }
        }
    }
}

impl From<rusqlite::Error> for TargetError {
    fn from(error: rusqlite::Error) -> Self {
        Self::State(error.into())
    }
}
