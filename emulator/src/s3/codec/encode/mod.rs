//! From our answers to the output types of `s3s`.

mod attributes;
mod buckets;
mod configuration;
mod encryption;
mod form;
mod lifecycle;
mod listing;
mod multipart;
mod object_lock;
mod objects;
mod settings;

use std::time::SystemTime;

use bucketproof_authz::CanonicalUserId;
use jiff::Timestamp;
use s3s::dto;

use crate::exchange::Address;
use crate::head::{Head, encode};
use crate::s3::checksum::{Checksum, ChecksumAlgorithm, ChecksumKind};
use crate::state::ObjectHeaders;

pub(super) use attributes::*;
pub(super) use buckets::*;
pub(super) use configuration::*;
pub(super) use form::*;
pub(super) use lifecycle::*;
pub(super) use listing::*;
pub(super) use multipart::*;
pub(super) use object_lock::*;
pub(super) use objects::*;
pub(super) use settings::*;

use encryption::{answer_encryption, answer_requested_encryption, encryption_headers};

/// Sets the checksum fields that every output type has under the same names.
macro_rules! set_checksum {
    ($output:expr, $checksum:expr) => {
        if let Some(checksum) = $checksum {
            let value = Some(checksum.value);
            match checksum.algorithm {
                $crate::s3::ChecksumAlgorithm::Crc32 => $output.checksum_crc32 = value,
                $crate::s3::ChecksumAlgorithm::Crc32c => $output.checksum_crc32c = value,
                $crate::s3::ChecksumAlgorithm::Crc64nvme => $output.checksum_crc64nvme = value,
                $crate::s3::ChecksumAlgorithm::Sha1 => $output.checksum_sha1 = value,
                $crate::s3::ChecksumAlgorithm::Sha256 => $output.checksum_sha256 = value,
            }
        }
    };
}

use set_checksum;

/// How names are written into a listing.
enum Names {
    Plain,
    /// `encoding-type=url`: form encoding, where a space is `+` and `/` stays.
    Url,
}

impl Names {
    fn of(head: &Head) -> Self {
        match head.parameter("encoding-type") {
            Some("url") => Self::Url,
            _ => Self::Plain,
        }
    }

    fn write(&self, name: &str) -> String {
        match self {
            Self::Plain => name.to_owned(),
            Self::Url => encode(name).replace("%20", "+").replace("%2F", "/"),
        }
    }

    fn encoding(&self) -> Option<dto::EncodingType> {
        match self {
            Self::Plain => None,
            Self::Url => Some(dto::EncodingType::from_static(dto::EncodingType::URL)),
        }
    }
}

fn bucket(head: &Head) -> Option<String> {
    Address::of(head).bucket
}

fn owner(id: &CanonicalUserId) -> dto::Owner {
    dto::Owner { display_name: None, id: Some(id.to_string()) }
}

/// Listings name the class of every object, reads only one that is not `STANDARD`.
fn storage_class(headers: &ObjectHeaders) -> String {
    headers.storage_class.clone().unwrap_or_else(|| "STANDARD".to_owned())
}

fn etag(value: impl Into<String>) -> dto::ETag {
    dto::ETag::Strong(value.into())
}

/// Of when something was written S3 knows the second.
fn time(instant: Timestamp) -> dto::Timestamp {
    exact_time(Timestamp::from_second(instant.as_second()).unwrap_or(instant))
}

fn exact_time(instant: Timestamp) -> dto::Timestamp {
    dto::Timestamp::from(SystemTime::from(instant))
}

fn kind(checksum: &Checksum) -> dto::ChecksumType {
    kind_name(checksum.kind)
}

fn kind_name(kind: ChecksumKind) -> dto::ChecksumType {
    dto::ChecksumType::from_static(kind.name())
}

fn algorithm_name(algorithm: ChecksumAlgorithm) -> dto::ChecksumAlgorithm {
    dto::ChecksumAlgorithm::from_static(algorithm.name())
}
