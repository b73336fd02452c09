//! Bytes of an object: in memory, or, if they are many, in a file of their own that goes with them.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use sha2::{Digest as _, Sha256};
use tempfile::TempPath;

/// Bytes of a file that are read at once, for parts that are read in little steps.
const READ_BYTES: usize = 1 << 16;

/// Where content goes.
#[derive(Clone, Debug)]
pub struct Room {
    /// Content of more bytes goes to files.
    memory: u64,
    directory: PathBuf,
}

impl Room {
    /// Content of more than `memory` bytes goes to files of `directory`.
    pub fn new(memory: u64, directory: PathBuf) -> Self {
        Self { memory, directory }
    }

    /// Everything stays in memory.
    pub fn unbounded() -> Self {
        Self { memory: u64::MAX, directory: PathBuf::new() }
    }

    /// Bytes of content that stay in memory.
    pub(crate) fn memory(&self) -> u64 {
        self.memory
    }

    /// Where one content of several goes that are `bytes` together: to a file, once they are too many.
    pub(crate) fn for_one_more(&self, bytes: u64) -> Self {
        if bytes > self.memory { Self { memory: 0, ..self.clone() } } else { self.clone() }
    }

    /// A place for content of about so many bytes.
    pub(crate) fn sink(&self, expected: u64) -> io::Result<Sink> {
        if expected <= self.memory {
            let bytes = usize::try_from(expected).unwrap_or(0);
            return Ok(Sink {
                room: self.clone(),
                place: Place::Memory(Vec::with_capacity(bytes)),
                length: 0,
            });
        }
        Ok(Sink { room: self.clone(), place: self.file()?, length: 0 })
    }

    fn file(&self) -> io::Result<Place> {
        std::fs::create_dir_all(&self.directory).map_err(of_disk)?;
        let file = tempfile::Builder::new().prefix(".object-").tempfile_in(&self.directory);
        let (file, path) = file.map_err(of_disk)?.into_parts();
        Ok(Place::File(BufWriter::with_capacity(1 << 18, file), path))
    }
}

/// A failure of the disk, to be told from one of what lies on it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct DiskFailure(io::Error);

fn of_disk(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), DiskFailure(error))
}

/// The failure of the disk that a reader or writer of content met with, if it was one.
pub(crate) fn disk_failure(error: &ParquetError) -> Option<&io::Error> {
    let ParquetError::External(error) = error else { return None };
    let error = error.downcast_ref::<io::Error>()?;
    error.get_ref()?.is::<DiskFailure>().then_some(error)
}

/// Bytes of an object.
#[derive(Clone, Debug)]
pub struct Content(Kept);

#[derive(Clone, Debug)]
enum Kept {
    Memory(Bytes),
    File(Arc<TempPath>, u64),
    /// A file of somebody else's.
    Given(PathBuf, u64),
}

impl Content {
    /// Bytes where there is room for them.
    pub fn within(room: &Room, bytes: &[u8]) -> io::Result<Self> {
        let mut sink = room.sink(bytes.len() as u64)?;
        sink.write_all(bytes)?;
        sink.finish()
    }

    /// The bytes of a file that stays where it is, and must not change meanwhile.
    pub fn of_file(path: PathBuf) -> io::Result<Self> {
        let length = std::fs::metadata(&path)?.len();
        Ok(Self(Kept::Given(path, length)))
    }

    /// How many bytes.
    pub fn len(&self) -> u64 {
        match &self.0 {
            Kept::Memory(bytes) => bytes.len() as u64,
            Kept::File(_, length) | Kept::Given(_, length) => *length,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the bytes are.
    fn place(&self) -> Result<&Bytes, &Path> {
        match &self.0 {
            Kept::Memory(bytes) => Ok(bytes),
            Kept::File(path, _) => Err(path),
            Kept::Given(path, _) => Err(path),
        }
    }

    /// The bytes, read if they are in a file.
    pub fn to_bytes(&self) -> io::Result<Bytes> {
        match self.place() {
            Ok(bytes) => Ok(bytes.clone()),
            Err(path) => Ok(Bytes::from(std::fs::read(path)?)),
        }
    }

    /// The file that holds them, if one does.
    pub fn path(&self) -> Option<&Path> {
        self.place().err()
    }

    /// SHA-256, as hexadecimal digits.
    pub(crate) fn digest(&self) -> io::Result<String> {
        match self.place() {
            Ok(bytes) => Ok(hex::encode(Sha256::digest(bytes))),
            Err(path) => file_digest(path),
        }
    }
}

/// SHA-256 of a file, as hexadecimal digits.
pub(crate) fn file_digest(path: &Path) -> io::Result<String> {
    let mut digest = Sha256::new();
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let got = file.read(&mut buffer)?;
        let Some(part) = buffer.get(..got).filter(|part| !part.is_empty()) else { break };
        digest.update(part);
    }
    Ok(hex::encode(digest.finalize()))
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self(Kept::Memory(bytes))
    }
}

impl Length for Content {
    fn len(&self) -> u64 {
        Self::len(self)
    }
}

/// A part of content, as a Parquet reader takes it.
#[derive(Debug)]
pub enum Part {
    /// Of memory.
    Memory(io::Cursor<Bytes>),
    /// Of a file.
    File(BufReader<File>),
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Memory(bytes) => bytes.read(buffer),
            Self::File(file) => file.read(buffer).map_err(of_disk),
        }
    }
}

impl ChunkReader for Content {
    type T = Part;

    fn get_read(&self, start: u64) -> Result<Part, ParquetError> {
        match self.place() {
            Ok(bytes) => {
                let mut bytes = io::Cursor::new(bytes.clone());
                bytes.set_position(start);
                Ok(Part::Memory(bytes))
            }
            Err(path) => {
                let mut file = File::open(path).map_err(of_disk)?;
                file.seek(SeekFrom::Start(start)).map_err(of_disk)?;
                Ok(Part::File(BufReader::with_capacity(READ_BYTES, file)))
            }
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let end = || ParquetError::EOF(format!("no {length} bytes at {start} of {}", Self::len(self)));
        match self.place() {
            Ok(bytes) => {
                let from = usize::try_from(start).map_err(|_| end())?;
                let to = from.checked_add(length).filter(|to| *to <= bytes.len()).ok_or_else(end)?;
                Ok(bytes.slice(from..to))
            }
            Err(path) => {
                let mut file = File::open(path).map_err(of_disk)?;
                file.seek(SeekFrom::Start(start)).map_err(of_disk)?;
                let mut bytes = Vec::with_capacity(length);
                file.take(length as u64).read_to_end(&mut bytes).map_err(of_disk)?;
                if bytes.len() == length { Ok(Bytes::from(bytes)) } else { Err(end()) }
            }
        }
    }
}

/// Content being written. What grows beyond its room goes to a file.
#[derive(Debug)]
pub(crate) struct Sink {
    room: Room,
    place: Place,
    length: u64,
}

#[derive(Debug)]
enum Place {
    Memory(Vec<u8>),
    File(BufWriter<File>, TempPath),
}

impl Sink {
    pub(crate) fn finish(self) -> io::Result<Content> {
        Ok(Content(match self.place {
            Place::Memory(bytes) => Kept::Memory(Bytes::from(bytes)),
            Place::File(file, path) => {
                file.into_inner().map_err(|error| of_disk(error.into_error()))?;
                Kept::File(Arc::new(path), self.length)
            }
        }))
    }
}

impl Write for Sink {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if let Place::Memory(bytes) = &mut self.place
            && (bytes.len() + part.len()) as u64 > self.room.memory
        {
            let kept = std::mem::take(bytes);
            self.place = self.room.file()?;
            if let Place::File(file, _) = &mut self.place {
                file.write_all(&kept).map_err(of_disk)?;
            }
        }
        let written = match &mut self.place {
            Place::Memory(bytes) => bytes.write(part)?,
            Place::File(file, _) => file.write(part).map_err(of_disk)?,
        };
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.place {
            Place::Memory(_) => Ok(()),
            Place::File(file, _) => file.flush().map_err(of_disk),
        }
    }
}

#[cfg(test)]
mod tests;
