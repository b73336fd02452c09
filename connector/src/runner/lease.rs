//! One `run` per connection: a lock file in the state directory.

use std::fs::File;
use std::path::Path;

use crate::lock_file;

/// Why a lease cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Another process has it.
    #[error("another `run` works with state directory `{path}`")]
    Taken {
        /// The directory.
        path: String,
    },
    /// The lock file cannot be used.
    #[error("lock file `{path}` cannot be used: {source}")]
    Io {
        /// The file.
        path: String,
        /// The cause.
        source: std::io::Error,
    },
}

impl LeaseError {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Taken { .. } => "stop the other `run`, or give this connection its own `state.dir`",
            Self::Io { .. } => "check the path, its permissions and the free space",
        }
    }
}

/// Held while a `run` works for a connection; ends with the process.
#[derive(Debug)]
pub struct RunLease {
    _file: File,
}

impl RunLease {
    /// Takes the lease of the connection whose state is in `directory`.
    pub fn take(directory: &Path) -> Result<Self, LeaseError> {
        let path = directory.join("run.lock");
        let io = |source| LeaseError::Io { path: path.display().to_string(), source };
        std::fs::create_dir_all(directory).map_err(io)?;
        match lock_file::hold(&path).map_err(io)? {
            Some(file) => Ok(Self { _file: file }),
            None => Err(LeaseError::Taken { path: directory.display().to_string() }),
        }
    }
}
