//! A stored object.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use bucketproof_authz::Acl;
use jiff::Timestamp;

use super::{Content, Encryption, Lock, Tags, VersionId};
use crate::s3::Checksum;

/// A version of an object. Its bytes never change; tags, ACL and the like may.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Object {
    /// Kept apart from the rest.
    #[serde(skip)]
    pub(crate) content: Content,
    /// Hexadecimal, without quotes; `-N` for N parts.
    pub(crate) etag: String,
    pub(crate) last_modified: Timestamp,
    pub(crate) version: VersionId,
    /// Absent if it was written in parts under a customer's key and no algorithm was named.
    pub(crate) checksum: Option<Checksum>,
    pub(crate) attributes: Attributes,
    /// How the parts lie; absent for an object written in one piece.
    pub(crate) parts: Option<PartLayout>,
}

/// What stands with the bytes: what the writer said, and what the bucket's settings made of it.
///
/// For a multipart upload it is fixed when the upload is created.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Attributes {
    pub(crate) headers: ObjectHeaders,
    pub(crate) encryption: Encryption,
    pub(crate) tags: Tags,
    pub(crate) lock: Lock,
    /// Where the website endpoint sends those who ask for the object.
    pub(crate) redirect: Option<String>,
    /// Of an archived object that was restored at some time.
    pub(crate) restored: Option<RestoredCopy>,
    /// The ACL and with it the owner. Absent for what most objects have: the owner of the bucket owns it, and nobody
    /// else has anything.
    pub(crate) acl: Option<Box<Acl>>,
}

/// The readable copy of an archived object.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct RestoredCopy {
    /// When the restore is done.
    pub(crate) ready_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// What a client may say about an object beside its bytes.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct ObjectHeaders {
    pub(crate) content_type: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_language: Option<String>,
    /// As it was sent.
    pub(crate) expires: Option<String>,
    /// User metadata; names in lower case, without `x-amz-meta-`.
    pub(crate) metadata: BTreeMap<String, String>,
    /// Absent for `STANDARD`.
    pub(crate) storage_class: Option<String>,
}

/// The parts of a multipart object.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct PartLayout {
    /// Number, size in bytes and checksum of each part, in order.
    pub(crate) parts: Vec<(i32, u64, Option<Checksum>)>,
}
