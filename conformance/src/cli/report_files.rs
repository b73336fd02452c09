//! Report files.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use super::usage::UsageError;

/// A file for a report, opened before the run: a run is not spent on a report that cannot be kept.
#[derive(Debug)]
pub(super) struct ReportFile {
    path: PathBuf,
    file: File,
}

impl ReportFile {
    pub(super) fn create(path: PathBuf) -> Result<Self, UsageError> {
        match File::create(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(source) => Err(UsageError::ReportFile { path, source }),
        }
    }

    pub(super) fn write(mut self, text: &str) -> Result<(), UsageError> {
        self.file
            .write_all(text.as_bytes())
            .map_err(|source| UsageError::ReportFile { path: self.path, source })
    }
}
