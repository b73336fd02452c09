//! The state on disk, so that it survives the process.
//!
//! What an operation changed is noted under the state's lock and written by a thread of its own, several operations in
//! one transaction; the answer to the client waits until its changes are on disk. So no acknowledged write is lost,
//! whatever ends the process, and what was not acknowledged is there whole or not at all. Bytes of objects stay in memory
//! too: the directory is a copy, not a cache.
//!
//! The directory holds the secret keys of emulated users; it is made readable for its owner alone.

mod record;
mod writer;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use redb::{Database, ReadableDatabase, ReadableTable};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use crate::state::{Bucket, Changes, Content, Object, Part, Touch, Upload, Version, World};
use record::{Record, StoredMarkerOrObject, key_of};
use writer::Writer;

/// The file within the directory.
const FILE: &str = "state.redb";
/// The format of the file; a file of another format is not touched.
const FORMAT: &[u8] = b"1";

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataDirError {
    /// The directory or its file cannot be made, read or written.
    #[error("cannot use `{path}`: {reason}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// Another emulator has it open.
    #[error("`{0}` is in use by another emulator")]
    InUse(PathBuf),
    /// The file was written by another version of this program.
    #[error("`{0}` was written by another version of the emulator")]
    Format(PathBuf),
    /// The state in it began from another scenario.
    #[error("`{0}` holds a state that began from another scenario")]
    OtherScenario(PathBuf),
}

impl DataDirError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unusable { .. } => "give `--data-dir` a folder that can be written to",
            Self::InUse(_) => "end the other emulator, or give another folder",
            Self::Format(_) => "give another folder, or use the version that wrote it",
            Self::OtherScenario(_) => "give the scenario it began from, or another folder",
        }
    }
}

/// An open data directory.
#[derive(Debug)]
pub(crate) struct DataDir {
    writer: Writer,
}

/// What is in a data directory when it is opened.
pub(crate) struct Opened {
    pub(crate) dir: DataDir,
    /// How often it was opened before.
    pub(crate) starts: u64,
    /// Absent in a new directory.
    pub(crate) world: Option<Stored>,
}

/// The state as it was read.
#[derive(Default)]
pub(crate) struct Stored {
    pub(crate) sections: BTreeMap<String, Vec<u8>>,
    pub(crate) buckets: Vec<Bucket>,
}

/// Resolves when a change is on disk.
pub(crate) type Ticket = oneshot::Receiver<Result<(), String>>;

impl DataDir {
    /// Opens a directory, or makes it. `origin` tells one scenario from another.
    pub(crate) fn open(path: &Path, origin: &str) -> Result<Opened, DataDirError> {
        let file = path.join(FILE);
        let unusable = |reason: &dyn fmt::Display| DataDirError::Unusable {
            path: file.clone(),
            reason: reason.to_string(),
        };
        make_private(path).map_err(|error| unusable(&error))?;
        let database = Database::create(&file).map_err(|error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen => DataDirError::InUse(path.to_owned()),
            other => unusable(&other),
        })?;
        let meta = |name: &str| read_meta(&database, name).map_err(|error| unusable(&error));
        let format = meta("format")?;
        if format.as_ref().is_some_and(|format| format != FORMAT) {
            return Err(DataDirError::Format(path.to_owned()));
        }
        let starts = match meta("starts")? {
            Some(bytes) => u64::from_be_bytes(bytes.try_into().unwrap_or_default()),
            None => 0,
        };
        let world = match format {
            None => None,
            Some(_) if meta("origin")?.is_some_and(|stored| stored != origin.as_bytes()) => {
                return Err(DataDirError::OtherScenario(path.to_owned()));
            }
            Some(_) => Some(load(&database).map_err(|error| unusable(&error))?),
        };
        let begin = [
            Record::Meta("format", FORMAT.to_vec()),
            Record::Meta("origin", origin.as_bytes().to_vec()),
            Record::Meta("starts", (starts + 1).to_be_bytes().to_vec()),
        ];
        // A new directory gets its format with its first state, so that one without a state is never taken for whole.
        let begin = if world.is_some() { begin.into_iter().skip(2).collect() } else { begin.to_vec() };
        let writer = Writer::start(database, begin).map_err(|error| unusable(&error))?;
        Ok(Opened { dir: Self { writer }, starts, world })
    }

    /// Hands on what changed in the state since this was last called; the order of calls is the order on disk.
    pub(crate) fn note(&self, world: &mut World) -> Result<Option<Ticket>, String> {
        let mut records = Vec::new();
        for (name, section) in world.take_touched_sections() {
            records.push(Record::Section(name, section?));
        }
        let Changes { buckets } = world.buckets.take_changes();
        for (name, changes) in buckets {
            let Some(bucket) = world.buckets.get(&name) else {
                records.push(Record::RemoveBucket(name));
                continue;
            };
            records.push(Record::Bucket(name.clone(), json(bucket)?));
            for ((key, version), touch) in changes.versions {
                let row = key_of(&[name.as_bytes(), key.as_bytes(), version.as_str().as_bytes()]);
                records.push(match bucket.objects.version(&key, &version) {
                    None => Record::RemoveVersion(row),
                    Some(found) => Record::Version {
                        row,
                        value: json(&StoredMarkerOrObject::of(found))?,
                        placed: touch == Touch::Placed,
                        content: found.object().map(|object| object.content.clone()),
                    },
                });
            }
            for (key, id) in changes.uploads {
                let row = key_of(&[name.as_bytes(), key.as_bytes(), id.as_bytes()]);
                records.push(match bucket.uploads.get(&(key, id)) {
                    None => Record::RemoveUpload(row),
                    Some(upload) => Record::Upload(row, json(upload)?),
                });
            }
            for (key, id, number) in changes.parts {
                let row = key_of(&[name.as_bytes(), key.as_bytes(), id.as_bytes(), &number.to_be_bytes()]);
                let part = bucket.uploads.get(&(key, id)).and_then(|upload| upload.parts.get(&number));
                if let Some(part) = part {
                    records.push(Record::Part { row, value: json(part)?, content: part.content.clone() });
                }
            }
        }
        if records.is_empty() { Ok(None) } else { self.writer.write(records).map(Some) }
    }

    /// Why nothing more is written, if so.
    pub(crate) fn problem(&self) -> Option<String> {
        self.writer.problem()
    }

    /// Ends once everything that was handed on is on disk, and gives the directory free.
    pub(crate) fn close(&self) {
        self.writer.close();
    }
}

/// Makes a directory that only its owner can read; one that is there keeps its rights.
fn make_private(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

pub(crate) fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, String> {
    serde_json::to_vec(value).map_err(|error| error.to_string())
}

pub(crate) fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, redb::Error> {
    serde_json::from_slice(bytes).map_err(|error| redb::Error::Corrupted(error.to_string()))
}

fn read_meta(database: &Database, name: &str) -> Result<Option<Vec<u8>>, redb::Error> {
    let transaction = database.begin_read()?;
    match transaction.open_table(record::META) {
        Ok(table) => Ok(table.get(name)?.map(|value| value.value().to_vec())),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn load(database: &Database) -> Result<Stored, redb::Error> {
    let transaction = database.begin_read()?;
    let mut stored = Stored::default();
    for row in transaction.open_table(record::SECTIONS)?.iter()? {
        let (name, value) = row?;
        stored.sections.insert(name.value().to_owned(), value.value().to_vec());
    }
    let mut buckets: BTreeMap<String, Bucket> = BTreeMap::new();
    for row in transaction.open_table(record::BUCKETS)?.iter()? {
        let (name, value) = row?;
        buckets.insert(name.value().to_owned(), from_json(value.value())?);
    }
    let blobs = transaction.open_table(record::BLOBS)?;
    let content = |of: &[u8]| -> Result<Content, redb::Error> {
        let mut pieces = Vec::new();
        for row in blobs.range::<&[u8]>(of..record::end_of(of).as_slice())? {
            pieces.push(bytes::Bytes::copy_from_slice(row?.1.value()));
        }
        Ok(pieces.into_iter().collect())
    };
    let unknown = |row: &[u8]| redb::Error::Corrupted(format!("a row of no bucket: {}", hex::encode(row)));

    let mut versions = Vec::new();
    for row in transaction.open_table(record::VERSIONS)?.iter()? {
        let (row, value) = row?;
        let (sequence, value) = record::split_sequence(value.value()).ok_or_else(|| unknown(row.value()))?;
        let version = match from_json::<StoredMarkerOrObject<Object>>(value)? {
            StoredMarkerOrObject::Marker(marker) => Version::Marker(marker),
            StoredMarkerOrObject::Object(mut object) => {
                object.content = content(&record::blob_of_version(row.value()))?;
                Version::Object(std::sync::Arc::new(object))
            }
        };
        versions.push((sequence, row.value().to_vec(), version));
    }
    versions.sort_by_key(|(sequence, ..)| *sequence);
    for (_, row, version) in versions {
        let parts = record::parts_of(&row).ok_or_else(|| unknown(&row))?;
        let [bucket, key, _] = parts.as_slice() else { return Err(unknown(&row)) };
        buckets.get_mut(bucket).ok_or_else(|| unknown(&row))?.restore(key, version);
    }
    for row in transaction.open_table(record::UPLOADS)?.iter()? {
        let (row, value) = row?;
        let parts = record::parts_of(row.value()).ok_or_else(|| unknown(row.value()))?;
        let [bucket, key, id] = parts.as_slice() else { return Err(unknown(row.value())) };
        let upload: Upload = from_json(value.value())?;
        let bucket = buckets.get_mut(bucket).ok_or_else(|| unknown(row.value()))?;
        bucket.uploads.insert((key.clone(), id.clone()), upload);
    }
    for row in transaction.open_table(record::PARTS)?.iter()? {
        let (row, value) = row?;
        let (name, number) = record::split_number(row.value()).ok_or_else(|| unknown(row.value()))?;
        let [bucket, key, id] = name.as_slice() else { return Err(unknown(row.value())) };
        let mut part: Part = from_json(value.value())?;
        part.content = content(&record::blob_of_part(row.value()))?;
        let bucket = buckets.get_mut(bucket).ok_or_else(|| unknown(row.value()))?;
        bucket.uploads.insert_part(&(key.clone(), id.clone()), number, part);
    }
    stored.buckets = buckets.into_values().collect();
    Ok(stored)
}
