//! The three calls that an import makes to a bucket: list, read, and write what was not there.
//!
//! Nothing is ever overwritten or deleted, and no report is read back: the bucket's owner grants neither.

use std::fmt::Debug;
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;

use crate::names::BucketName;
use crate::store::StoreError;

/// A file, as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFile {
    /// Key.
    pub key: String,
    /// Entity tag, quotes included.
    pub etag: String,
    /// The id of its version, where versions are listed.
    pub version: Option<String>,
    /// Size in bytes.
    pub bytes: u64,
    /// When this version of it was created.
    pub created: Timestamp,
}

/// A page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundPage {
    /// Files, in the order of their keys.
    pub files: Vec<FoundFile>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// Which content of which key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileRef<'a> {
    /// Key.
    pub key: &'a str,
    /// Entity tag, quotes included.
    pub etag: &'a str,
    /// The id of the version, if that is known; without it the newest is meant.
    pub version: Option<&'a str>,
}

impl FoundFile {
    /// What names it in a call.
    pub fn reference(&self) -> FileRef<'_> {
        FileRef { key: &self.key, etag: &self.etag, version: self.version.as_deref() }
    }
}

/// How the write of a new object ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewOutcome {
    /// Written.
    Written,
    /// There is an object of that key.
    Taken,
}

/// A bucket, as far as an import uses one.
#[async_trait]
pub trait InboundStore: Debug + Send + Sync {
    /// The bucket.
    fn bucket(&self) -> &BucketName;

    /// A page of the files below `prefix`.
    async fn list_files(&self, prefix: &str, page: Option<&str>) -> Result<FoundPage, StoreError>;

    /// A page of all versions of the files below `prefix`, each with its id.
    async fn list_versions(&self, prefix: &str, page: Option<&str>) -> Result<FoundPage, StoreError>;

    /// Bytes of the file of that entity tag; `None` if it was deleted or replaced.
    async fn read_file(&self, file: FileRef<'_>, range: Range<u64>) -> Result<Option<Bytes>, StoreError>;

    /// Writes an object if there is none of its key, with a canned ACL.
    async fn write_new(&self, key: &str, body: Bytes, acl: &str) -> Result<NewOutcome, StoreError>;

    /// Drops cached credentials, after the store has called them expired.
    async fn refresh(&self);
}
