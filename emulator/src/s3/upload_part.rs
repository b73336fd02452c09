//! The parts of a multipart upload: sent, or copied from an object.

use std::ops::Range;

use jiff::Timestamp;

use super::checksum::{self, Checksum, ChecksumAlgorithm};
use super::copy::{Source, check_known};
use super::customer_key::GivenKey;
use super::digest::{RangeDigest, ToDigest};
use super::multipart::{UploadRef, check_part_number};
use super::object::Creation;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::{Encryption, Lock, Object, Part, Upload, World};

/// The largest part.
const PART_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;

/// `UploadPart`.
#[derive(Debug)]
pub(crate) struct UploadPart {
    pub(crate) upload: UploadRef,
    pub(crate) number: i32,
    /// The body digested, or what is wrong with it.
    pub(crate) body: Result<checksum::Upload, AwsError>,
    /// The algorithm that the client sent a checksum of, if any.
    pub(crate) sent: Option<ChecksumAlgorithm>,
    /// The checksum in the algorithm of the upload, if it was computed before.
    pub(crate) own: Option<Checksum>,
    pub(crate) customer_key: GivenKey,
    /// Whether the client sent a digest of the body, be it a checksum or an MD5.
    pub(crate) has_digest: bool,
}

/// A part that was written.
#[derive(Debug)]
pub(crate) struct WrittenPart {
    pub(crate) part: Part,
    /// As the answer shows it.
    pub(crate) checksum: Option<Checksum>,
    pub(crate) encryption: Encryption,
}

impl UploadPart {
    /// The algorithm that the upload keeps of its parts; absent if there is no such upload.
    pub(crate) fn algorithm(&self, world: &World) -> Option<ChecksumAlgorithm> {
        self.upload.find(world).ok().map(algorithm_of_parts)
    }

    /// Computes the checksum that the upload keeps, unless it is that of the client.
    pub(crate) fn digest(&mut self, algorithm: Option<ChecksumAlgorithm>) {
        let Ok(body) = &self.body else { return };
        self.own = algorithm
            .filter(|algorithm| *algorithm != body.checksum.algorithm)
            .map(|algorithm| Checksum::of(algorithm, &body.content));
    }
}

impl Operation for UploadPart {
    type Output = WrittenPart;
    const OP: Op = Op::UploadPart;

    fn target(&self) -> Target<'_> {
        self.upload.target()
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.upload.bucket)?;
        let put = Creation::Step.put(&self.upload.bucket, &self.upload.key);
        Ok(self.upload.with_decrypt(vec![put], world))
    }

    fn apply(
        authorized: Authorized<Self>,
        world: &mut World,
        now: Timestamp,
    ) -> Result<WrittenPart, AwsError> {
        let Self { upload, number, body, sent, own, customer_key, has_digest } = authorized.into_operation();
        check_part_number(number)?;
        let found = upload.find(world)?;
        customer_key.check_upload(&found.attributes.encryption)?;
        upload.check_decrypt(found, world)?;
        let body = body?;
        if body.content.len() > PART_BYTES_MAX {
            return Err(AwsError::entity_too_large(body.content.len(), PART_BYTES_MAX));
        }
        if found.attributes.lock != Lock::default() && !has_digest {
            return Err(AwsError::locked_without_digest("Part"));
        }
        check_algorithm(found, sent)?;
        let algorithm = algorithm_of_parts(found);
        let checksum = own
            .into_iter()
            .chain([body.checksum.clone()])
            .find(|known| known.algorithm == algorithm)
            .unwrap_or_else(|| Checksum::of(algorithm, &body.content));
        // An upload that named no algorithm takes any, and tells back what was sent.
        let shown = found.checksum.map(|_| checksum.clone()).or(sent.map(|_| body.checksum));
        let tag = found.attributes.encryption.tag(body.md5, &world.entropy);
        let part = Part { content: body.content, tag, last_modified: now, checksum };
        write(world, &upload, number, part, shown)
    }
}

/// Keeps a part in the place of the one with its number.
fn write(
    world: &mut World,
    upload: &UploadRef,
    number: i32,
    part: Part,
    shown: Option<Checksum>,
) -> Result<WrittenPart, AwsError> {
    let encryption = upload.find(world)?.attributes.encryption.clone();
    upload.store_part(world, number, part.clone())?;
    Ok(WrittenPart { part, checksum: shown, encryption })
}

/// The algorithm of the checksums that an upload keeps of its parts.
fn algorithm_of_parts(upload: &Upload) -> ChecksumAlgorithm {
    upload.checksum.map_or(ChecksumAlgorithm::Crc64nvme, |(algorithm, _)| algorithm)
}

fn check_algorithm(upload: &Upload, sent: Option<ChecksumAlgorithm>) -> Result<(), AwsError> {
    match (upload.checksum, sent) {
        (Some((expected, _)), Some(sent)) if expected != sent => Err(AwsError::invalid_request(format!(
            "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
            expected.name().to_ascii_lowercase(),
            sent.name().to_ascii_lowercase(),
        ))),
        _ => Ok(()),
    }
}

/// `UploadPartCopy`.
#[derive(Debug)]
pub(crate) struct UploadPartCopy {
    pub(crate) upload: UploadRef,
    pub(crate) number: i32,
    pub(crate) source: Source,
    /// The raw `x-amz-copy-source-range`.
    pub(crate) range: Option<String>,
    pub(crate) customer_key: GivenKey,
    /// Of the range of the source, if it was made before.
    pub(crate) digest: Option<RangeDigest>,
}

impl UploadPartCopy {
    /// What has to be digested of the source as it is now; absent if this caller can make no such copy.
    pub(crate) fn to_digest(&self, world: &World, now: Timestamp) -> Option<ToDigest> {
        let algorithm = algorithm_of_parts(self.upload.find(world).ok()?);
        let object = self.source.find(world, now).ok()?;
        let range = self.range_of(&object).ok()?;
        Some(ToDigest { object, range, algorithm })
    }

    fn range_of(&self, source: &Object) -> Result<Range<u64>, AwsError> {
        let bytes = source.content.len();
        self.range.as_deref().map_or(Ok(0..bytes), |range| copy_range(range, bytes))
    }
}

impl Operation for UploadPartCopy {
    type Output = WrittenPart;
    const OP: Op = Op::UploadPartCopy;

    fn target(&self) -> Target<'_> {
        self.upload.target()
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.upload.bucket)?;
        let mut requirements = self.source.requirements(world)?;
        let put = Creation::Step.put(&self.upload.bucket, &self.upload.key);
        requirements.push(put.with("s3:x-amz-copy-source", self.source.given.as_str()));
        Ok(self.upload.with_decrypt(requirements, world))
    }

    fn apply(
        authorized: Authorized<Self>,
        world: &mut World,
        now: Timestamp,
    ) -> Result<WrittenPart, AwsError> {
        check_known(&authorized)?;
        let mut operation = authorized.into_operation();
        let number = operation.number;
        check_part_number(number)?;
        let upload = operation.upload.find(world)?;
        operation.customer_key.check_upload(&upload.attributes.encryption)?;
        operation.upload.check_decrypt(upload, world)?;
        let source = operation.source.find(world, now)?;
        let (range, algorithm) = (operation.range_of(&source)?, algorithm_of_parts(upload));
        let content = source.content.slice(range.clone());
        let digest = ToDigest { object: source, range, algorithm }.digest_unless(operation.digest.take());
        let shown = upload.checksum.map(|_| digest.checksum.clone());
        let tag = upload.attributes.encryption.tag(digest.md5, &world.entropy);
        let part = Part { content, tag, last_modified: now, checksum: digest.checksum };
        write(world, &operation.upload, number, part, shown)
    }
}

/// Unlike a read, a copy takes only `bytes=first-last` within the source.
fn copy_range(range: &str, size: u64) -> Result<Range<u64>, AwsError> {
    let refuse = |text: &str| Err(AwsError::invalid_argument(text, "x-amz-copy-source-range", range));
    let parse = || {
        let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
        Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?))
    };
    match parse() {
        Some((first, last)) if first <= last && last < size => Ok(first..last + 1),
        Some((first, last)) if first <= last && first >= size => {
            Err(AwsError::invalid_request("The specified copy range is invalid for the source object size"))
        }
        Some((first, last)) if first <= last => {
            refuse(&format!("Range specified is not valid for source object of size: {size}"))
        }
        _ => refuse(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
             zero-based offsets of the first and last bytes to copy",
        ),
    }
}
