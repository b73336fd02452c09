//! The rows of the file.
//!
//! A row that belongs to a bucket is named by the bucket, the key and what follows, each with its length before it, so
//! that no name is the beginning of another and all rows of a bucket, or of an upload, stand together.

use redb::{ReadableTable, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize};

use crate::state::{Content, DeleteMarker, Object, Version};

pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
pub(super) const SECTIONS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("sections");
pub(super) const BUCKETS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("buckets");
pub(super) const VERSIONS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("versions");
pub(super) const UPLOADS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("uploads");
pub(super) const PARTS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("parts");
pub(super) const BLOBS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("blobs");

/// The most bytes of one row of [`BLOBS`].
const CHUNK_BYTES: usize = 16 * 1024 * 1024;
const SEQUENCE: &str = "sequence";

/// One change of the file.
#[derive(Clone, Debug)]
pub(super) enum Record {
    Meta(&'static str, Vec<u8>),
    Section(&'static str, Vec<u8>),
    Bucket(String, Vec<u8>),
    /// With everything in it.
    RemoveBucket(String),
    Version {
        row: Vec<u8>,
        value: Vec<u8>,
        /// Whether it became the newest, with bytes of its own.
        placed: bool,
        /// Absent for delete markers.
        content: Option<Content>,
    },
    RemoveVersion(Vec<u8>),
    Upload(Vec<u8>, Vec<u8>),
    /// With its parts.
    RemoveUpload(Vec<u8>),
    Part {
        row: Vec<u8>,
        value: Vec<u8>,
        content: Content,
    },
}

/// A version without its bytes.
#[derive(Debug, Deserialize, Serialize)]
pub(super) enum StoredMarkerOrObject<O> {
    Object(O),
    Marker(DeleteMarker),
}

impl<'a> StoredMarkerOrObject<&'a Object> {
    pub(super) fn of(version: &'a Version) -> Self {
        match version {
            Version::Object(object) => Self::Object(object),
            Version::Marker(marker) => Self::Marker(marker.clone()),
        }
    }
}

/// The name of a row.
pub(super) fn key_of(parts: &[&[u8]]) -> Vec<u8> {
    let mut key = Vec::with_capacity(parts.iter().map(|part| part.len() + 4).sum());
    for part in parts {
        // Names are far shorter than this; a longer one would only sort elsewhere.
        key.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        key.extend_from_slice(part);
    }
    key
}

/// The texts that a row is named by.
pub(super) fn parts_of(row: &[u8]) -> Option<Vec<String>> {
    split(row)?.into_iter().map(|part| String::from_utf8(part.to_vec()).ok()).collect()
}

/// The texts and the number that a row of a part is named by.
pub(super) fn split_number(row: &[u8]) -> Option<(Vec<String>, i32)> {
    let parts = split(row)?;
    let (number, texts) = parts.split_last()?;
    let texts = texts.iter().map(|part| String::from_utf8(part.to_vec()).ok()).collect::<Option<_>>()?;
    Some((texts, i32::from_be_bytes((*number).try_into().ok()?)))
}

fn split(mut row: &[u8]) -> Option<Vec<&[u8]>> {
    let mut parts = Vec::new();
    while !row.is_empty() {
        let (length, rest) = row.split_first_chunk::<4>()?;
        let (part, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        parts.push(part);
        row = rest;
    }
    Some(parts)
}

/// The sequence number that stands before a version, and the version.
pub(super) fn split_sequence(value: &[u8]) -> Option<(u64, &[u8])> {
    let (sequence, value) = value.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*sequence), value))
}

pub(super) fn blob_of_version(row: &[u8]) -> Vec<u8> {
    [b"v", row].concat()
}

pub(super) fn blob_of_part(row: &[u8]) -> Vec<u8> {
    [b"p", row].concat()
}

/// The first name behind all that begin with `prefix`.
pub(super) fn end_of(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return end;
        }
    }
    // Only a prefix of 0xFF bytes has none; names begin with a length.
    vec![u8::MAX; prefix.len() + 1]
}

impl Record {
    pub(super) fn apply(self, transaction: &WriteTransaction) -> Result<(), redb::Error> {
        match self {
            Self::Meta(name, value) => {
                transaction.open_table(META)?.insert(name, value.as_slice())?;
            }
            Self::Section(name, value) => {
                transaction.open_table(SECTIONS)?.insert(name, value.as_slice())?;
            }
            Self::Bucket(name, value) => {
                transaction.open_table(BUCKETS)?.insert(name.as_str(), value.as_slice())?;
            }
            Self::RemoveBucket(name) => {
                transaction.open_table(BUCKETS)?.remove(name.as_str())?;
                let prefix = key_of(&[name.as_bytes()]);
                for table in [VERSIONS, UPLOADS, PARTS] {
                    remove_all(transaction, table, &prefix)?;
                }
                remove_all(transaction, BLOBS, &blob_of_version(&prefix))?;
                remove_all(transaction, BLOBS, &blob_of_part(&prefix))?;
            }
            Self::Version { row, value, placed, content } => {
                put_version(transaction, &row, &value, placed)?;
                if let Some(content) = content.filter(|_| placed) {
                    put_blob(transaction, &blob_of_version(&row), &content)?;
                }
            }
            Self::RemoveVersion(row) => {
                transaction.open_table(VERSIONS)?.remove(row.as_slice())?;
                remove_all(transaction, BLOBS, &blob_of_version(&row))?;
            }
            Self::Upload(row, value) => {
                transaction.open_table(UPLOADS)?.insert(row.as_slice(), value.as_slice())?;
            }
            Self::RemoveUpload(row) => {
                transaction.open_table(UPLOADS)?.remove(row.as_slice())?;
                remove_all(transaction, PARTS, &row)?;
                remove_all(transaction, BLOBS, &blob_of_part(&row))?;
            }
            Self::Part { row, value, content } => {
                transaction.open_table(PARTS)?.insert(row.as_slice(), value.as_slice())?;
                put_blob(transaction, &blob_of_part(&row), &content)?;
            }
        }
        Ok(())
    }
}

/// A version that became the newest gets the next number; any other keeps its own.
fn put_version(
    transaction: &WriteTransaction,
    row: &[u8],
    value: &[u8],
    placed: bool,
) -> Result<(), redb::Error> {
    let mut table = transaction.open_table(VERSIONS)?;
    let kept = table.get(row)?.and_then(|value| Some(split_sequence(value.value())?.0)).filter(|_| !placed);
    let sequence = match kept {
        Some(sequence) => sequence,
        None => next_sequence(transaction)?,
    };
    let value = [&sequence.to_be_bytes(), value].concat();
    table.insert(row, value.as_slice())?;
    Ok(())
}

fn next_sequence(transaction: &WriteTransaction) -> Result<u64, redb::Error> {
    let mut meta = transaction.open_table(META)?;
    let last =
        meta.get(SEQUENCE)?.and_then(|value| value.value().try_into().ok()).map_or(0, u64::from_be_bytes);
    meta.insert(SEQUENCE, (last + 1).to_be_bytes().as_slice())?;
    Ok(last + 1)
}

fn put_blob(transaction: &WriteTransaction, name: &[u8], content: &Content) -> Result<(), redb::Error> {
    remove_all(transaction, BLOBS, name)?;
    let mut table = transaction.open_table(BLOBS)?;
    let chunks = content.pieces().flat_map(|piece| piece.chunks(CHUNK_BYTES));
    for (index, chunk) in (0_u32..).zip(chunks) {
        table.insert([name, &index.to_be_bytes()].concat().as_slice(), chunk)?;
    }
    Ok(())
}

fn remove_all(
    transaction: &WriteTransaction,
    table: TableDefinition<'_, &[u8], &[u8]>,
    prefix: &[u8],
) -> Result<(), redb::Error> {
    let end = end_of(prefix);
    transaction.open_table(table)?.retain_in::<&[u8], _>(prefix..end.as_slice(), |_, _| false)?;
    Ok(())
}
