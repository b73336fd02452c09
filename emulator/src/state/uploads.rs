//! A multipart upload in progress.

use std::collections::BTreeMap;

use bucketproof_authz::AccountId;
use jiff::Timestamp;

use super::{Attributes, Content};
use crate::s3::{Checksum, ChecksumAlgorithm, ChecksumKind};

/// What was said at its creation, and the parts so far.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) initiated_at: Timestamp,
    /// The ARN and account of the initiator.
    pub(crate) initiator: Option<(String, AccountId)>,
    pub(crate) attributes: Attributes,
    /// Absent in the null checksum mode: no algorithm was named.
    pub(crate) checksum: Option<(ChecksumAlgorithm, ChecksumKind)>,
    pub(crate) parts: BTreeMap<i32, Part>,
    /// The bucket's change count when the upload began.
    pub(crate) begun_at_change: u64,
}

/// One uploaded part.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) content: Content,
    /// The raw MD5, from which the object's ETag is made.
    pub(crate) md5: [u8; 16],
    pub(crate) last_modified: Timestamp,
    pub(crate) checksum: Option<Checksum>,
}

impl Part {
    /// Hexadecimal, without quotes.
    pub(crate) fn etag(&self) -> String {
        hex::encode(self.md5)
    }
}
