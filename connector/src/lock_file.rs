//! A file whose lock says that a directory has its one writer; the lock ends with the process.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

/// How often a lock is tried before somebody else counts as having it: a program that this process starts has all its open
/// files, and with them its locks, until it has begun.
const ATTEMPTS: u32 = 50_000;

/// Takes the lock of the file at `path`, making the file if there is none; `None` if another process has it.
pub(crate) fn hold(path: &Path) -> io::Result<Option<File>> {
    hold_within(path, ATTEMPTS)
}

fn hold_within(path: &Path, attempts: u32) -> io::Result<Option<File>> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    for _ in 0..attempts {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => std::thread::yield_now(),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_the_lock_until_its_file_is_closed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let held = hold_within(&path, 1).unwrap().unwrap();
        assert!(hold_within(&path, 3).unwrap().is_none());
        drop(held);
        assert!(hold_within(&path, 1).unwrap().is_some());
        assert!(hold(&directory.path().join("no/lock")).is_err());
    }

    /// A descriptor that another process has got of ours, as while a program is being started, is waited for.
    #[test]
    fn a_lock_that_is_about_to_end_is_tried_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let held = hold(&path).unwrap().unwrap();
        let other = std::thread::spawn({
            let path = path.clone();
            move || hold_within(&path, u32::MAX).unwrap().is_some()
        });
        drop(held);
        assert!(other.join().unwrap());
    }
}
