//! Multipart uploads.
//!
//! Source: S3 User Guide "Uploading and copying objects using multipart upload", and recorded answers.

use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use md5::{Digest, Md5};

use super::checksum::{self, Checksum, ChecksumAlgorithm, ChecksumKind, md5};
use super::conditions::{WriteCondition, unquoted};
use super::copy::{Source, check_known};
use super::lifecycle::abort_headers;
use super::object::{Creation, WriteSettings, Written, current_expiration};
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::ids;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::{Content, Lock, Object, Part, PartLayout, Upload, VersionId, World};

/// The smallest part but the last.
const PART_BYTES_MIN: u64 = 5 * 1024 * 1024;
/// The largest part.
const PART_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;
/// Parts are numbered from 1 to this.
const PARTS_MAX: i32 = 10_000;

/// An upload in progress, as requests name it.
#[derive(Clone, Debug)]
pub(crate) struct UploadRef {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) upload_id: String,
}

impl UploadRef {
    pub(crate) fn target(&self) -> Target<'_> {
        Target::Object(&self.bucket, &self.key)
    }

    pub(crate) fn require(&self, world: &World, action: &'static str) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.bucket)?;
        Ok(vec![Requirement::on_object(action, &self.bucket, &self.key)])
    }

    pub(crate) fn find<'a>(&self, world: &'a World) -> Result<&'a Upload, AwsError> {
        let name = (self.key.clone(), self.upload_id.clone());
        world
            .bucket(&self.bucket)?
            .uploads
            .get(&name)
            .ok_or_else(|| AwsError::no_such_upload(&self.upload_id))
    }

    fn store_part(&self, world: &mut World, number: i32, part: Part) -> Result<(), AwsError> {
        let name = (self.key.clone(), self.upload_id.clone());
        world.bucket_mut(&self.bucket)?.uploads.insert_part(&name, number, part);
        Ok(())
    }
}

pub(crate) fn check_part_number(number: i32) -> Result<(), AwsError> {
    if (1..=PARTS_MAX).contains(&number) {
        Ok(())
    } else {
        Err(AwsError::invalid_part_number(&number.to_string()))
    }
}

/// `CreateMultipartUpload`.
#[derive(Debug)]
pub(crate) struct CreateMultipartUpload {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) settings: WriteSettings,
    pub(crate) algorithm: Option<ChecksumAlgorithm>,
    pub(crate) kind: Option<ChecksumKind>,
}

/// A new upload.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) upload_id: String,
    pub(crate) checksum: Option<(ChecksumAlgorithm, ChecksumKind)>,
    /// When the upload is aborted, and by which lifecycle rule.
    pub(crate) abort: Option<[(&'static str, String); 2]>,
}

impl Operation for CreateMultipartUpload {
    type Output = Begun;
    const OP: Op = Op::CreateMultipartUpload;

    fn target(&self) -> Target<'_> {
        Target::Object(&self.bucket, &self.key)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.bucket)?;
        Ok(self.settings.requirements(Creation::Step, &self.bucket, &self.key, &WriteCondition::None))
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Begun, AwsError> {
        let initiator = authorized
            .caller()
            .identity()
            .and_then(|identity| {
                Some((identity.principal.arn()?.to_owned(), identity.principal.account()?.clone()))
            })
            .ok_or_else(|| {
                AwsError::access_denied(
                    "Anonymous users cannot initiate multipart uploads. Please authenticate.",
                )
            })?;
        let (Self { bucket, key, settings, algorithm, kind }, caller) = authorized.into_parts();
        let mut attributes = settings.resolve(world, &bucket, &key, &caller)?;
        attributes.lock = settings.lock.resolve(world.bucket(&bucket)?, now)?;
        let checksum = match (algorithm, kind) {
            (None, None) => None,
            (None, Some(_)) => {
                return Err(AwsError::invalid_request(
                    "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
                ));
            }
            (Some(algorithm), kind) => {
                let kind = kind.unwrap_or_else(|| algorithm.default_kind());
                algorithm.check_kind(kind)?;
                Some((algorithm, kind))
            }
        };
        let upload_id = ids::upload_id(&world.entropy);
        let bucket = world.bucket_mut(&bucket)?;
        let upload = Upload {
            initiated_at: now,
            initiator: Some(initiator),
            attributes,
            checksum,
            parts: std::collections::BTreeMap::new(),
            begun_at_change: bucket.changes,
        };
        let abort = abort_headers(bucket, &key, now);
        bucket.uploads.insert((key, upload_id.clone()), upload);
        Ok(Begun { upload_id, checksum, abort })
    }
}

/// `UploadPart`.
#[derive(Debug)]
pub(crate) struct UploadPart {
    pub(crate) upload: UploadRef,
    pub(crate) number: i32,
    /// The body digested, or what is wrong with it.
    pub(crate) body: Result<checksum::Upload, AwsError>,
    /// The algorithm that the client sent a checksum of, if any.
    pub(crate) sent: Option<ChecksumAlgorithm>,
    /// Whether the client sent a digest of the body, be it a checksum or an MD5.
    pub(crate) has_digest: bool,
}

impl Operation for UploadPart {
    /// The part as stored.
    type Output = Part;
    const OP: Op = Op::UploadPart;

    fn target(&self) -> Target<'_> {
        self.upload.target()
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.upload.bucket)?;
        Ok(vec![Creation::Step.put(&self.upload.bucket, &self.upload.key)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Part, AwsError> {
        let Self { upload, number, body, sent, has_digest } = authorized.into_operation();
        check_part_number(number)?;
        let body = body?;
        if body.content.len() > PART_BYTES_MAX {
            return Err(AwsError::entity_too_large(body.content.len(), PART_BYTES_MAX));
        }
        let found = upload.find(world)?;
        if found.attributes.lock != Lock::default() && !has_digest {
            return Err(AwsError::locked_without_digest("Part"));
        }
        let checksum = part_checksum(found, sent, &body.content)?.or(sent.map(|_| body.checksum.clone()));
        let part = Part { content: body.content, md5: body.md5, last_modified: now, checksum };
        upload.store_part(world, number, part.clone())?;
        Ok(part)
    }
}

/// The checksum that the upload keeps of each part, in its own algorithm.
fn part_checksum(
    upload: &Upload,
    sent: Option<ChecksumAlgorithm>,
    content: &Content,
) -> Result<Option<Checksum>, AwsError> {
    match (upload.checksum, sent) {
        (Some((expected, _)), Some(sent)) if expected != sent => Err(AwsError::invalid_request(format!(
            "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
            expected.name().to_ascii_lowercase(),
            sent.name().to_ascii_lowercase(),
        ))),
        (Some((expected, _)), _) => Ok(Some(Checksum::of(expected, content))),
        (None, _) => Ok(None),
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
}

impl Operation for UploadPartCopy {
    /// The part as stored.
    type Output = Part;
    const OP: Op = Op::UploadPartCopy;

    fn target(&self) -> Target<'_> {
        self.upload.target()
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.upload.bucket)?;
        let mut requirements = self.source.requirements(world)?;
        let put = Creation::Step.put(&self.upload.bucket, &self.upload.key);
        requirements.push(put.with("s3:x-amz-copy-source", self.source.text()));
        Ok(requirements)
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Part, AwsError> {
        check_known(&authorized)?;
        let Self { upload, number, source, range } = authorized.into_operation();
        check_part_number(number)?;
        upload.find(world)?;
        let object = source.find(world, now)?;
        let content = match range {
            None => object.content.clone(),
            Some(range) => object.content.slice(copy_range(&range, object.content.len())?),
        };
        let checksum = part_checksum(upload.find(world)?, None, &content)?;
        let part = Part { md5: md5(content.pieces()), content, last_modified: now, checksum };
        upload.store_part(world, number, part.clone())?;
        Ok(part)
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

/// `CompleteMultipartUpload`.
#[derive(Debug)]
pub(crate) struct CompleteMultipartUpload {
    pub(crate) upload: UploadRef,
    pub(crate) parts: Vec<ListedPart>,
    pub(crate) condition: WriteCondition,
    pub(crate) kind: Option<ChecksumKind>,
    /// The checksum of the whole object that the client claims.
    pub(crate) claimed: Option<(ChecksumAlgorithm, String)>,
    /// `x-amz-mp-object-size`.
    pub(crate) claimed_bytes: Option<u64>,
}

/// A part as the completing request lists it.
#[derive(Debug)]
pub(crate) struct ListedPart {
    pub(crate) number: i32,
    pub(crate) etag: String,
    pub(crate) checksum: Option<(ChecksumAlgorithm, String)>,
}

impl CompleteMultipartUpload {
    /// The listed parts in order, each found and large enough.
    fn pick<'a>(&self, upload: &'a Upload) -> Result<Vec<(i32, &'a Part)>, AwsError> {
        let id = &self.upload.upload_id;
        if self.parts.is_empty() {
            return Err(AwsError::invalid_request("You must specify at least one part"));
        }
        let mut picked: Vec<(i32, &Part)> = Vec::with_capacity(self.parts.len());
        for listed in &self.parts {
            check_part_number(listed.number)?;
            if picked.last().is_some_and(|(previous, _)| *previous >= listed.number) {
                return Err(AwsError::invalid_part_order(id));
            }
            let etag = unquoted(&listed.etag);
            let part = upload.parts.get(&listed.number).filter(|part| part.etag() == etag);
            let part = part.ok_or_else(|| AwsError::invalid_part(id, listed.number, etag))?;
            Self::check_part_checksum(upload, listed, part, id)?;
            picked.push((listed.number, part));
        }
        let last = picked.len() - 1;
        for (number, part) in picked.iter().take(last) {
            if part.content.len() < PART_BYTES_MIN {
                return Err(AwsError::entity_too_small(part.content.len(), *number, &part.etag()));
            }
        }
        Ok(picked)
    }

    fn check_part_checksum(
        upload: &Upload,
        listed: &ListedPart,
        part: &Part,
        id: &str,
    ) -> Result<(), AwsError> {
        match (upload.checksum, &listed.checksum) {
            (Some((algorithm, ChecksumKind::Composite)), None) => Err(AwsError::invalid_request(format!(
                "The upload was created using a {} checksum. The complete request must include the checksum for \
                 each part. It was missing for part {} in the request.",
                algorithm.name().to_ascii_lowercase(),
                listed.number,
            ))),
            (Some((algorithm, _)), Some((given, _))) if algorithm != *given => {
                let text = format!(
                    "The {} you specified for part {} did not match what we received.",
                    given.name().to_ascii_lowercase(),
                    listed.number
                );
                Err(AwsError::new(http::StatusCode::BAD_REQUEST, "BadDigest", text))
            }
            (_, Some((_, value))) if part.checksum.as_ref().is_none_or(|own| own.value != *value) => {
                Err(AwsError::invalid_part(id, listed.number, &part.etag()))
            }
            _ => Ok(()),
        }
    }

    /// The checksum of the whole object, held against what the client claims.
    fn checksum(
        &self,
        upload: &Upload,
        parts: &[(i32, &Part)],
        whole: &Content,
    ) -> Result<Checksum, AwsError> {
        if let Some(asked) = self.kind {
            let mode = upload.checksum.map_or("null", |(_, kind)| kind.name());
            if upload.checksum.is_none_or(|(_, kind)| kind != asked) {
                return Err(AwsError::invalid_request(format!(
                    "The upload was created using the {mode} checksum mode. The complete request must use the \
                     same checksum mode."
                )));
            }
        }
        let checksum = match upload.checksum {
            None => Checksum::of(ChecksumAlgorithm::Crc64nvme, whole),
            Some((algorithm, ChecksumKind::FullObject)) => Checksum::of(algorithm, whole),
            Some((algorithm, ChecksumKind::Composite)) => {
                let of_parts: Vec<&Checksum> =
                    parts.iter().filter_map(|(_, part)| part.checksum.as_ref()).collect();
                Checksum::composite(algorithm, &of_parts)
            }
        };
        match &self.claimed {
            Some((algorithm, value)) if *algorithm != checksum.algorithm || *value != checksum.value => {
                let text = format!(
                    "The {} you specified did not match the calculated checksum.",
                    algorithm.name().to_ascii_lowercase()
                );
                Err(AwsError::new(http::StatusCode::BAD_REQUEST, "BadDigest", text))
            }
            _ => Ok(checksum),
        }
    }
}

impl Operation for CompleteMultipartUpload {
    type Output = Written;
    const OP: Op = Op::CompleteMultipartUpload;

    fn target(&self) -> Target<'_> {
        self.upload.target()
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.upload.bucket)?;
        let UploadRef { bucket, key, .. } = &self.upload;
        Ok(self.condition.require(Creation::Object.put(bucket, key), bucket, key))
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Written, AwsError> {
        let operation = authorized.into_operation();
        let key = operation.upload.key.clone();
        let upload = operation.upload.find(world)?;
        let parts = operation.pick(upload)?;
        let whole: Content = parts.iter().map(|(_, part)| part.content.clone()).collect();
        if let Some(claimed) = operation.claimed_bytes
            && claimed != whole.len()
        {
            return Err(AwsError::invalid_request(format!(
                "The provided 'x-amz-mp-object-size' header value {claimed} does not match what was computed: {}",
                whole.len()
            )));
        }
        let checksum = operation.checksum(upload, &parts, &whole)?;
        let bucket = world.bucket(&operation.upload.bucket)?;
        operation.condition.check(&key, bucket.objects.current(&key).map(Arc::as_ref))?;
        let changed = bucket.changed_at.get(&key).is_some_and(|change| *change > upload.begun_at_change);
        if changed && let Some(condition) = operation.condition.header() {
            return Err(AwsError::conditional_request_conflict(condition, &key));
        }
        let md5s: Vec<u8> = parts.iter().flat_map(|(_, part)| part.md5).collect();
        let etag = format!("{}-{}", hex::encode(Md5::digest(md5s)), parts.len());
        let layout = PartLayout {
            parts: parts
                .iter()
                .map(|(number, part)| (*number, part.content.len(), part.checksum.clone()))
                .collect(),
        };
        let attributes = upload.attributes.clone();
        let object = Object {
            content: whole,
            etag: etag.clone(),
            last_modified: now,
            version: VersionId::Null,
            checksum: checksum.clone(),
            attributes: attributes.clone(),
            parts: Some(layout),
        };
        let bucket = world.bucket_mut(&operation.upload.bucket)?;
        bucket.uploads.remove(&(key.clone(), operation.upload.upload_id));
        let version = world.store(&operation.upload.bucket, &key, object)?;
        world.bucket_mut(&operation.upload.bucket)?.forget_changes(&key);
        let expiration = current_expiration(world.bucket(&operation.upload.bucket)?, &key);
        Ok(Written { etag, checksum, version, attributes, expiration })
    }
}

/// `AbortMultipartUpload`.
#[derive(Debug)]
pub(crate) struct AbortMultipartUpload(pub(crate) UploadRef);

impl Operation for AbortMultipartUpload {
    type Output = ();
    const OP: Op = Op::AbortMultipartUpload;

    fn target(&self) -> Target<'_> {
        self.0.target()
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        self.0.require(world, "s3:AbortMultipartUpload")
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<(), AwsError> {
        let upload = authorized.into_operation().0;
        upload.find(world)?;
        let bucket = world.bucket_mut(&upload.bucket)?;
        bucket.uploads.remove(&(upload.key.clone(), upload.upload_id));
        bucket.forget_changes(&upload.key);
        Ok(())
    }
}
