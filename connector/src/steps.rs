//! The durable steps of a sync, for those who watch one: progress, and tests that stop a sync between any two.

use std::fmt::Debug;

/// A point of a sync before or after something becomes durable on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Standard input is about to be spooled.
    SpoolBegin,
    /// The spool file is on disk but not yet known.
    SpoolWritten,
    /// The spool file is about to be registered.
    SpoolRegisterBegin,
    /// The spool file is known.
    SpoolRegistered,
    /// A batch's source ranges are about to be sealed.
    BatchSealBegin,
    /// They are sealed.
    BatchSealed,
    /// Dead letters are about to be written.
    DeadLettersBegin,
    /// They are on disk.
    DeadLettersWritten,
    /// An object's intent is about to be sealed.
    IntentSealBegin,
    /// It is sealed.
    IntentSealed,
    /// A write's outcome is about to be committed, with the batch's checkpoint if it was the last.
    CommitBegin,
    /// It is committed.
    Committed,
}

/// Watches the durable steps of a sync.
pub trait Steps: Debug + Send + Sync {
    /// The sync has reached `step`.
    fn reached(&self, step: Step);
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Unwatched;

impl Steps for Unwatched {
    fn reached(&self, _step: Step) {}
}
