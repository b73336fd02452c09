//! A multipart upload in progress.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Deref;

use bucketproof_authz::AccountId;
use jiff::Timestamp;

use super::{Attributes, Content};
use crate::s3::{Checksum, ChecksumAlgorithm, ChecksumKind, Written};

/// What was said at its creation, and the parts so far.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Upload {
    pub(crate) initiated_at: Timestamp,
    /// The ARN and account of the initiator.
    pub(crate) initiator: Option<(String, AccountId)>,
    pub(crate) attributes: Attributes,
    /// Absent in the null checksum mode: no algorithm was named.
    pub(crate) checksum: Option<(ChecksumAlgorithm, ChecksumKind)>,
    /// Kept apart from the rest.
    #[serde(skip)]
    pub(crate) parts: BTreeMap<i32, Part>,
    /// The bucket's change count when the upload began.
    pub(crate) begun_at_change: u64,
}

/// One uploaded part.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Part {
    /// Kept apart from the rest.
    #[serde(skip)]
    pub(crate) content: Content,
    /// The raw entity tag, from which that of the object is made: the MD5, unless somebody else has the key.
    pub(crate) tag: [u8; 16],
    pub(crate) last_modified: Timestamp,
    /// In the algorithm of the upload; in the null mode a CRC64NVME, which only the whole object shows.
    pub(crate) checksum: Checksum,
}

impl Upload {
    /// What was said at its creation; its parts may be many.
    pub(crate) fn without_parts(&self) -> Self {
        Self {
            initiated_at: self.initiated_at,
            initiator: self.initiator.clone(),
            attributes: self.attributes.clone(),
            checksum: self.checksum,
            parts: BTreeMap::new(),
            begun_at_change: self.begun_at_change,
        }
    }
}

impl Part {
    /// Hexadecimal, without quotes.
    pub(crate) fn etag(&self) -> String {
        hex::encode(self.tag)
    }
}

/// The uploads in progress of a bucket, by key, then by upload id. Reading is that of a map; each way to change one is
/// noted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Uploads {
    map: BTreeMap<(String, String), Upload>,
    touched: BTreeSet<(String, String)>,
    touched_parts: BTreeSet<(String, String, i32)>,
}

impl Uploads {
    /// Whether anything is being uploaded to a key.
    pub(crate) fn has_key(&self, key: &str) -> bool {
        let first = self.map.range((key.to_owned(), String::new())..).next();
        first.is_some_and(|((found, _), _)| found == key)
    }

    pub(crate) fn insert(&mut self, name: (String, String), upload: Upload) {
        self.touched.insert(name.clone());
        self.map.insert(name, upload);
    }

    pub(crate) fn remove(&mut self, name: &(String, String)) -> Option<Upload> {
        let removed = self.map.remove(name)?;
        self.touched.insert(name.clone());
        Some(removed)
    }

    /// Adds a part to an upload, or replaces it; there may be no such upload.
    pub(crate) fn insert_part(&mut self, name: &(String, String), number: i32, part: Part) {
        if let Some(upload) = self.map.get_mut(name) {
            upload.parts.insert(number, part);
            self.touched_parts.insert((name.0.clone(), name.1.clone(), number));
        }
    }

    /// Takes the notes: uploads, and parts.
    #[expect(clippy::type_complexity, reason = "two sets of names")]
    pub(super) fn take_changes(&mut self) -> (BTreeSet<(String, String)>, BTreeSet<(String, String, i32)>) {
        (std::mem::take(&mut self.touched), std::mem::take(&mut self.touched_parts))
    }
}

impl Deref for Uploads {
    type Target = BTreeMap<(String, String), Upload>;

    fn deref(&self) -> &Self::Target {
        &self.map
    }
}

/// How many completed uploads a bucket remembers. AWS does not say for how long it does.
const COMPLETED_MAX: usize = 1000;

/// What was answered to the last completed uploads of a bucket, oldest first.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct CompletedUploads(VecDeque<CompletedUpload>);

#[derive(Clone, Debug, Deserialize, Serialize)]
struct CompletedUpload {
    /// Key and upload id.
    name: (String, String),
    /// Number and entity tag of each part that was listed.
    listed: Vec<(i32, String)>,
    written: Written,
}

impl CompletedUploads {
    /// The answer to a completion that listed the same parts.
    pub(crate) fn find(&self, name: &(String, String), listed: &[(i32, String)]) -> Option<&Written> {
        let same = self.0.iter().find(|upload| upload.name == *name && upload.listed == listed);
        same.map(|upload| &upload.written)
    }

    pub(crate) fn add(&mut self, name: (String, String), listed: Vec<(i32, String)>, written: Written) {
        if self.0.len() == COMPLETED_MAX {
            self.0.pop_front();
        }
        self.0.push_back(CompletedUpload { name, listed, written });
    }
}
