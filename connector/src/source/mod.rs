//! Source files: which bytes are new, and are they still the bytes that were sealed.
//!
//! A user's file may be growing, so only complete lines are taken; what follows the last line end waits. A spooled
//! standard input is whole, so its last line needs no line end.
//!
//! Directories give their files, and tables what is new in them, by way of a file of the state directory ([`Source`]).
//!
//! Each checkpoint carries a fingerprint of the file: a digest of its first KiB and of the KiB before the
//! checkpoint. A file that was replaced, cut or rewritten does not match, and is an error instead of a silent gap.

mod directory;
mod parquet_files;
mod postgres;
mod pulled;
mod row_text;
mod seen;
mod spool;
mod sqlite;

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use sha2::{Digest as _, Sha256};

use directory::files_of;
pub(crate) use parquet_files::{ParquetFiles, ParquetPlace};
pub(crate) use postgres::{PostgresTable, connect as connect_postgres, words as postgres_words};
pub use pulled::{Pulled, Source};
pub(crate) use pulled::{Taken, pull, pull_aside};
pub(crate) use spool::{remove_finished, spool, spool_directory};
pub(crate) use sqlite::SqliteTable;

use crate::config::{OnReplaced, SourcePlace};
use crate::profile::Mode;
use crate::state::{BatchRange, SourceKind, SourceRecord};

/// Bytes of the longest line that is read at all, whatever the memory.
pub const LINE_BYTES_MAX: u64 = 256 * 1024 * 1024;
const FINGERPRINT_BYTES: u64 = 1024;
/// Bytes of a line that is too long which are shown of it.
const BEGINNING_BYTES: usize = 1024;
/// Bytes of such a line that are gone through at a time.
const SKIPPED_BYTES: usize = 1024 * 1024;

/// Why a source cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The file cannot be read.
    #[error("source `{path}` cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// A directory, a pipe or a device.
    #[error("source `{path}` is not a regular file")]
    NotAFile {
        /// The path.
        path: String,
    },
    /// The file is not the one that was read before.
    #[error("source `{path}` is not the file that was read up to byte {byte_offset}: {problem}")]
    Replaced {
        /// The file.
        path: String,
        /// The checkpoint.
        byte_offset: u64,
        /// What does not match.
        problem: &'static str,
    },
    /// Bytes that an unfinished batch needs have changed.
    #[error("source `{path}` changed between bytes {from} and {to}, which an unfinished batch holds")]
    SealedRangeChanged {
        /// The file.
        path: String,
        /// First byte.
        from: u64,
        /// Byte after the last.
        to: u64,
    },
    /// A source that is asked for its rows did not give them.
    #[error("source `{place}`: {problem}")]
    Pull {
        /// The source's name.
        place: String,
        /// What is wrong.
        problem: String,
        /// What to do next.
        help: String,
    },
    /// Input cannot be spooled.
    #[error("input cannot be spooled to `{path}`: {source}")]
    Spool {
        /// The spool file.
        path: String,
        /// The cause.
        source: io::Error,
    },
}

impl SourceError {
    /// What to do next.
    pub fn help(&self) -> &str {
        match self {
            Self::Pull { help, .. } => help,
            Self::Unreadable { .. } => "check the path in `[[source]]` and the file's permissions",
            Self::NotAFile { .. } => "name a file, or feed the rows with `stdin = true`",
            Self::Replaced { .. } => {
                "give the new file a new path, or set `on_replaced = \"restart\"` to read it from its start"
            }
            Self::SealedRangeChanged { .. } => {
                "bring the original file back and run `sync`, so that the sealed batch can be finished"
            }
            Self::Spool { .. } => "check the state directory's permissions and free space",
        }
    }
}

/// The files that a place stands for, as they are now, and what to do when one was replaced. None for other places.
pub(crate) fn files(place: &SourcePlace) -> Result<Vec<(std::path::PathBuf, OnReplaced)>, SourceError> {
    match place {
        SourcePlace::File { path, on_replaced } => Ok(vec![(path.clone(), *on_replaced)]),
        SourcePlace::Directory { path } => {
            Ok(files_of(path)?.into_iter().map(|path| (path, OnReplaced::Fail)).collect())
        }
        SourcePlace::Stdin
        | SourcePlace::Parquet { .. }
        | SourcePlace::Postgres(_)
        | SourcePlace::Sqlite(_) => Ok(Vec::new()),
    }
}

/// Complete lines of a source.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) range: BatchRange,
    pub(crate) bytes: Vec<u8>,
    /// Of a line that is too long, only the beginning is in `bytes`.
    pub(crate) is_too_long: bool,
}

/// How much of a source is read at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// About so many bytes; a longer line all the same.
    pub(crate) bytes: u64,
    /// So many lines at most.
    pub(crate) lines: u64,
    /// A line of more bytes is gone through without being held.
    pub(crate) line_bytes: u64,
}

/// What a source has to give.
#[derive(Debug)]
pub(crate) enum Next {
    /// Lines.
    Lines(Chunk),
    /// No complete line beyond the checkpoint; this many bytes wait for their line end.
    Nothing { pending_bytes: u64 },
}

/// Reads complete lines from the checkpoint on.
pub(crate) fn read_next(record: &SourceRecord, limits: Limits) -> Result<Next, SourceError> {
    let unreadable = |source| SourceError::Unreadable { path: record.path.clone(), source };
    // A pipe would be waited for, a device could be endless, and neither can be read twice.
    if !std::fs::metadata(&record.path).map_err(unreadable)?.is_file() {
        return Err(SourceError::NotAFile { path: record.path.clone() });
    }
    let mut file = File::open(&record.path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    verify(record, &mut file, length)?;
    let available = length - record.byte_offset;
    let mut bytes: Vec<u8> = Vec::new();
    file.seek(SeekFrom::Start(record.byte_offset)).map_err(unreadable)?;
    let mut wanted = limits.bytes.clamp(1, limits.line_bytes.max(1));
    let end = loop {
        let missing = wanted - bytes.len() as u64;
        let room = missing.min(available.saturating_sub(bytes.len() as u64));
        bytes.reserve_exact(usize::try_from(room).unwrap_or_default());
        let got = file.by_ref().take(missing).read_to_end(&mut bytes).map_err(unreadable)?;
        let at_end = (got as u64) < missing || bytes.len() as u64 >= available;
        if let Some(last) = memchr::memrchr(b'\n', &bytes) {
            let whole = record.kind == SourceKind::Spool && at_end;
            break if whole { bytes.len() } else { last + 1 };
        }
        if at_end {
            match record.kind {
                SourceKind::Spool if !bytes.is_empty() => break bytes.len(),
                SourceKind::Spool | SourceKind::File => {
                    return Ok(Next::Nothing { pending_bytes: bytes.len() as u64 });
                }
            }
        }
        if wanted >= limits.line_bytes {
            return too_long(record, file, bytes, length).map_err(unreadable);
        }
        wanted = wanted.saturating_mul(2).min(limits.line_bytes);
    };
    let most = usize::try_from(limits.lines.max(1)).unwrap_or(usize::MAX);
    let last_line = memchr::memchr_iter(b'\n', &bytes).nth(most - 1);
    let end = last_line.map_or(end, |last| end.min(last + 1));
    bytes.truncate(end);
    let byte_to = record.byte_offset + end as u64;
    let range = BatchRange {
        source_id: record.id,
        path: record.path.clone(),
        bytes: record.byte_offset..byte_to,
        lines: record.lines..record.lines + lines_in(&bytes),
        digest: hex::encode(Sha256::digest(&bytes)),
        fingerprint: fingerprint(&mut file, byte_to).map_err(unreadable)?,
        is_last: record.kind == SourceKind::Spool && byte_to == length,
    };
    Ok(Next::Lines(Chunk { range, bytes, is_too_long: false }))
}

/// Goes through a line that is too long to its end, from behind its first `bytes` on.
fn too_long(record: &SourceRecord, mut file: File, mut bytes: Vec<u8>, length: u64) -> io::Result<Next> {
    let mut digest = Sha256::new();
    digest.update(&bytes);
    let mut byte_to = record.byte_offset + bytes.len() as u64;
    bytes.truncate(BEGINNING_BYTES);
    bytes.shrink_to_fit();
    let mut buffer = vec![0; SKIPPED_BYTES];
    loop {
        let left = usize::try_from(length - byte_to).unwrap_or(usize::MAX).min(SKIPPED_BYTES);
        let got = file.read(buffer.get_mut(..left).unwrap_or_default())?;
        let part = buffer.get(..got).unwrap_or_default();
        if part.is_empty() {
            if record.kind == SourceKind::File {
                let pending_bytes = byte_to - record.byte_offset;
                tracing::warn!(
                    path = record.path,
                    pending_bytes,
                    "the end of a very long line is waited for"
                );
                return Ok(Next::Nothing { pending_bytes });
            }
            break;
        }
        let line_end = memchr::memchr(b'\n', part);
        let part = part.get(..line_end.map_or(got, |at| at + 1)).unwrap_or_default();
        digest.update(part);
        byte_to += part.len() as u64;
        if line_end.is_some() {
            break;
        }
    }
    let range = BatchRange {
        source_id: record.id,
        path: record.path.clone(),
        bytes: record.byte_offset..byte_to,
        lines: record.lines..record.lines + 1,
        digest: hex::encode(digest.finalize()),
        fingerprint: fingerprint(&mut file, byte_to)?,
        is_last: record.kind == SourceKind::Spool && byte_to == length,
    };
    Ok(Next::Lines(Chunk { range, bytes, is_too_long: true }))
}

/// Bytes beyond the checkpoint, complete lines or not; 0 if the file is gone or was replaced. Of a snapshot all bytes
/// wait once they are others.
pub(crate) fn waiting_bytes(record: &SourceRecord, mode: Mode) -> u64 {
    if mode == Mode::Snapshot {
        let Ok(mut file) = File::open(&record.path) else { return 0 };
        let length = file.metadata().map_or(0, |file| file.len());
        let is_known = length == record.byte_offset
            && fingerprint(&mut file, length).is_ok_and(|found| found == record.fingerprint);
        return if is_known { 0 } else { length };
    }
    std::fs::metadata(&record.path).map_or(0, |file| file.len().saturating_sub(record.byte_offset))
}

/// Reads a sealed range once more. A line of more than `line_bytes` is a range of its own, and is not held.
pub(crate) fn read_again(range: &BatchRange, line_bytes: u64) -> Result<Chunk, SourceError> {
    let unreadable = |source| SourceError::Unreadable { path: range.path.clone(), source };
    let mut file = File::open(&range.path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    file.seek(SeekFrom::Start(range.bytes.start)).map_err(unreadable)?;
    let size = range.bytes.end - range.bytes.start;
    let is_too_long = size > line_bytes && range.lines.end - range.lines.start == 1;
    let mut bytes = Vec::new();
    let mut digest = Sha256::new();
    let mut left = file.take(size);
    if is_too_long {
        left.by_ref().take(BEGINNING_BYTES as u64).read_to_end(&mut bytes).map_err(unreadable)?;
        digest.update(&bytes);
        let mut buffer = vec![0; SKIPPED_BYTES];
        loop {
            let got = left.read(&mut buffer).map_err(unreadable)?;
            let Some(part) = buffer.get(..got).filter(|part| !part.is_empty()) else { break };
            digest.update(part);
        }
    } else {
        left.read_to_end(&mut bytes).map_err(unreadable)?;
        digest.update(&bytes);
    }
    if hex::encode(digest.finalize()) != range.digest {
        return Err(SourceError::SealedRangeChanged {
            path: range.path.clone(),
            from: range.bytes.start,
            to: range.bytes.end,
        });
    }
    // Only a spool file is removed once it is finished; for other files the mark means nothing.
    let range = BatchRange { is_last: range.bytes.end == length, ..range.clone() };
    Ok(Chunk { range, bytes, is_too_long })
}

fn verify(record: &SourceRecord, file: &mut File, length: u64) -> Result<(), SourceError> {
    let replaced = |problem| SourceError::Replaced {
        path: record.path.clone(),
        byte_offset: record.byte_offset,
        problem,
    };
    if record.byte_offset == 0 {
        return Ok(());
    }
    if length < record.byte_offset {
        return Err(replaced("it is shorter"));
    }
    let found = fingerprint(file, record.byte_offset)
        .map_err(|source| SourceError::Unreadable { path: record.path.clone(), source })?;
    if found == record.fingerprint { Ok(()) } else { Err(replaced("its content is another")) }
}

/// Digest of the first KiB below `offset` and of the last one before it.
fn fingerprint(file: &mut File, offset: u64) -> io::Result<String> {
    let length = offset.min(FINGERPRINT_BYTES);
    let mut digest = Sha256::new();
    for start in [0, offset - length] {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        file.by_ref().take(length).read_to_end(&mut bytes)?;
        digest.update(&bytes);
    }
    Ok(hex::encode(digest.finalize()))
}

/// Lines in `bytes`; a last one without line end counts.
fn lines_in(bytes: &[u8]) -> u64 {
    let ended = memchr::memchr_iter(b'\n', bytes).count() as u64;
    ended + u64::from(bytes.last().is_some_and(|byte| *byte != b'\n'))
}

#[cfg(test)]
mod tests;
