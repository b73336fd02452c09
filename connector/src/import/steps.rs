//! The durable steps of an import, for tests that stop it between any two.

use std::fmt::Debug;

/// A point of an import before or after something becomes durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportStep {
    /// A file's rows are about to be stored.
    Begun,
    /// Some of its rows have been handed to the target.
    Rows,
    /// The rows are on disk and nothing says so yet.
    Staged,
    /// The file's state, what is said of it and, in a database, its rows are about to be committed.
    CommitBegin,
    /// They are committed.
    Committed,
    /// The rows can be seen, where that is a step of its own.
    Published,
    /// Reports are settled.
    Sealed,
    /// A report is known to be written.
    Told,
}

/// Watches the durable steps of an import.
pub trait ImportSteps: Debug + Send + Sync {
    /// The import has reached `step`.
    fn reached(&self, step: ImportStep);
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Unwatched;

impl ImportSteps for Unwatched {
    fn reached(&self, _step: ImportStep) {}
}
