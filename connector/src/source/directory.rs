//! A directory that files are put into.

use std::path::{Path, PathBuf};

use super::SourceError;

/// Its NDJSON files in the order of their names. Hidden files and names of another ending are passed over: a producer
/// writes under one of those and renames.
pub(crate) fn files_of(directory: &Path) -> Result<Vec<PathBuf>, SourceError> {
    files_with(directory, &[".ndjson", ".jsonl"])
}

/// Its files with one of the endings, in the order of their names, without hidden ones.
pub(super) fn files_with(directory: &Path, endings: &[&str]) -> Result<Vec<PathBuf>, SourceError> {
    let unreadable = |source| SourceError::Unreadable { path: directory.display().to_string(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_rows = endings.iter().any(|ending| name.ends_with(ending));
        if is_rows && !name.starts_with('.') && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
