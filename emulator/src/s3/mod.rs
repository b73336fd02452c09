//! Amazon S3: its operations and the codec that reads and writes them.

mod bucket;
mod checksum;
mod codec;
mod conditions;
mod configuration;
mod copy;
mod document;
mod list;
mod list_uploads;
mod list_versions;
mod metadata;
mod multipart;
mod object;
mod object_lock;
mod policy;
mod read;
mod tagging;
mod versioning;

pub(crate) use bucket::{is_bucket_name, is_region};
pub(crate) use checksum::{Checksum, ChecksumAlgorithm, ChecksumKind, md5};
pub(crate) use codec::{S3Codec, Slot, check_headers, check_subresource, reword};
pub(crate) use object::KEY_BYTES_MAX;
pub(crate) use policy::bucket_policy;
pub(crate) use tagging::existing_tags;
