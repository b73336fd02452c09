//! Standard input can be read once, a crash may need it twice: it goes to a file first.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::SourceError;
use crate::names::DatasetName;
use crate::state::{State, StateError};
use crate::steps::{Step, Steps};

/// Writes all of `input` to a file of the state directory and makes it known. Empty input leaves nothing.
pub(crate) fn spool(
    state: &State,
    steps: &dyn Steps,
    dataset: &DatasetName,
    input: &mut dyn Read,
) -> Result<Result<(), SourceError>, StateError> {
    steps.reached(Step::SpoolBegin);
    let directory = spool_directory(state.directory());
    match write(&directory, dataset, input) {
        Ok(None) => Ok(Ok(())),
        Ok(Some(path)) => {
            steps.reached(Step::SpoolWritten);
            let path = path.display().to_string();
            // The same input twice is one file, already known if it was not finished.
            if !state.needs_spool(&path)? {
                state.register_spool(dataset, &path)?;
            }
            Ok(Ok(()))
        }
        Err(source) => Ok(Err(SourceError::Spool { path: directory.display().to_string(), source })),
    }
}

/// Removes spool files that no unfinished source needs.
pub(crate) fn remove_finished(state: &State) -> Result<(), StateError> {
    let Ok(files) = std::fs::read_dir(spool_directory(state.directory())) else { return Ok(()) };
    for file in files.flatten() {
        let path = file.path();
        if !state.needs_spool(&path.display().to_string())? && std::fs::remove_file(&path).is_err() {
            tracing::warn!(path = %path.display(), "a finished spool file cannot be removed");
        }
    }
    Ok(())
}

pub(crate) fn spool_directory(state_directory: &Path) -> PathBuf {
    state_directory.join("spool")
}

fn write(directory: &Path, dataset: &DatasetName, input: &mut dyn Read) -> io::Result<Option<PathBuf>> {
    std::fs::create_dir_all(directory)?;
    let partial = directory.join(format!("{dataset}.partial"));
    let mut file = File::create(&partial)?;
    let mut digest = Sha256::new();
    let mut bytes: u64 = 0;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let got = input.read(&mut buffer)?;
        let Some(part) = buffer.get(..got).filter(|part| !part.is_empty()) else { break };
        digest.update(part);
        file.write_all(part)?;
        bytes += got as u64;
    }
    if bytes == 0 {
        std::fs::remove_file(&partial)?;
        return Ok(None);
    }
    file.sync_all()?;
    let path = directory.join(format!("{dataset}-{}.ndjson", hex::encode(digest.finalize())));
    std::fs::rename(&partial, &path)?;
    File::open(directory)?.sync_all()?;
    Ok(Some(path))
}
