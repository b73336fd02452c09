//! What has to be computed over the bytes of a copy, so that it can be done before the state is locked.

use std::ops::Range;
use std::sync::Arc;

use super::checksum::{Checksum, ChecksumAlgorithm, ChecksumKind, md5};
use crate::state::{Encryption, Object};

/// A range of an object that is to be digested.
#[derive(Clone, Debug)]
pub(crate) struct ToDigest {
    pub(crate) object: Arc<Object>,
    pub(crate) range: Range<u64>,
    pub(crate) algorithm: ChecksumAlgorithm,
}

/// MD5 and checksum of a range of an object.
#[derive(Clone, Debug)]
pub(crate) struct RangeDigest {
    object: Arc<Object>,
    range: Range<u64>,
    pub(crate) md5: [u8; 16],
    pub(crate) checksum: Checksum,
}

impl ToDigest {
    /// Takes what is known already, and computes the rest.
    pub(crate) fn digest(self) -> RangeDigest {
        let Self { object, range, algorithm } = self;
        let is_whole = range == (0..object.content.len());
        let content = object.content.slice(range.clone());
        let known = object.checksum.as_ref().filter(|checksum| {
            is_whole && checksum.algorithm == algorithm && checksum.kind == ChecksumKind::FullObject
        });
        RangeDigest {
            md5: is_whole.then(|| known_md5(&object)).flatten().unwrap_or_else(|| md5(content.pieces())),
            checksum: known.cloned().unwrap_or_else(|| Checksum::of(algorithm, &content)),
            object,
            range,
        }
    }

    /// `made` if it is of that very range of that very object: what was digested before may be gone since.
    pub(crate) fn digest_unless(self, made: Option<RangeDigest>) -> RangeDigest {
        let fits = |made: &RangeDigest| {
            Arc::ptr_eq(&made.object, &self.object)
                && made.range == self.range
                && made.checksum.algorithm == self.algorithm
        };
        made.filter(fits).unwrap_or_else(|| self.digest())
    }
}

/// The MD5 of an object whose entity tag it is.
fn known_md5(object: &Object) -> Option<[u8; 16]> {
    if object.parts.is_some() || !matches!(object.attributes.encryption, Encryption::S3) {
        return None;
    }
    hex::decode(&object.etag).ok()?.try_into().ok()
}
