//! Multipart uploads.
//!
//! Source: S3 User Guide "Uploading and copying objects using multipart upload", and recorded answers.

use std::sync::Arc;

use jiff::Timestamp;
use md5::{Digest, Md5};

use super::checksum::{Checksum, ChecksumAlgorithm, ChecksumKind};
use super::conditions::{WriteCondition, unquoted};
use super::customer_key::GivenKey;
use super::encryption::Requester;
use super::lifecycle::abort_headers;
use super::object::{Creation, Write, WriteSettings, Written, current_expiration};
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::ids;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::{
    Attributes, Content, Encryption, EventKind, Object, Part, PartLayout, Upload, VersionId, World,
};

/// The smallest part but the last.
const PART_BYTES_MIN: u64 = 5 * 1024 * 1024;
/// Parts are numbered from 1 to this.
const PARTS_MAX: i32 = 10_000;

/// An upload in progress, as requests name it.
#[derive(Clone, Debug)]
pub(crate) struct UploadRef {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) upload_id: String,
    pub(crate) requester: Requester,
}

impl UploadRef {
    pub(crate) fn target(&self) -> Target<'_> {
        Target::Object(&self.bucket, &self.key)
    }

    pub(crate) fn require(&self, world: &World, action: &'static str) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.bucket)?;
        Ok(vec![Requirement::on_object(action, &self.bucket, &self.key)])
    }

    /// What the requester needs beside `requirement` for an upload under a KMS key.
    pub(crate) fn with_decrypt(&self, requirements: Vec<Requirement>, world: &World) -> Vec<Requirement> {
        let upload = self.find(world).ok();
        let decrypt =
            upload.and_then(|found| self.requester.decrypt_requirement(&found.attributes.encryption));
        requirements.into_iter().chain(decrypt).collect()
    }

    /// Decrypts the data key of an upload.
    pub(crate) fn check_decrypt(&self, upload: &Upload, world: &World) -> Result<(), AwsError> {
        self.requester.check_decrypt(&upload.attributes.encryption, &world.keys)
    }

    pub(crate) fn find<'a>(&self, world: &'a World) -> Result<&'a Upload, AwsError> {
        let name = (self.key.clone(), self.upload_id.clone());
        world
            .bucket(&self.bucket)?
            .uploads
            .get(&name)
            .ok_or_else(|| AwsError::no_such_upload(&self.upload_id))
    }

    pub(crate) fn store_part(&self, world: &mut World, number: i32, part: Part) -> Result<(), AwsError> {
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
    pub(crate) attributes: Attributes,
}

impl Operation for CreateMultipartUpload {
    type Output = Begun;
    const OP: Op = Op::CreateMultipartUpload;

    fn target(&self) -> Target<'_> {
        Target::Object(&self.bucket, &self.key)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.bucket)?;
        let settings = &self.settings;
        settings.requirements(world, Creation::Step, &self.bucket, &self.key, &WriteCondition::None)
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
        let write = Write { op: Self::OP, bucket: &bucket, key: &key, caller: &caller, now };
        let attributes = settings.resolve(world, &write)?;
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
        let order = world.bucket(&bucket)?.uploads_begun + 1;
        let upload_id = ids::upload_id(&world.entropy, &key, order);
        let bucket = world.bucket_mut(&bucket)?;
        bucket.uploads_begun = order;
        let upload = Upload {
            initiated_at: now,
            initiator: Some(initiator),
            attributes: attributes.clone(),
            checksum,
            parts: std::collections::BTreeMap::new(),
            begun_at_change: bucket.changes,
        };
        let abort = abort_headers(bucket, &key, now);
        bucket.uploads.insert((key, upload_id.clone()), upload);
        Ok(Begun { upload_id, checksum, abort, attributes })
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
    pub(crate) customer_key: GivenKey,
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
            // No part of an upload that named no algorithm has a checksum to show.
            (own, Some((_, value))) if own.is_none() || part.checksum.value != *value => {
                Err(AwsError::invalid_part(id, listed.number, &part.etag()))
            }
            _ => Ok(()),
        }
    }

    /// The key of the customer has to come along where checksums are kept, because they are encrypted too.
    ///
    /// Source: API reference; the status was seen on AWS, the text is that for parts.
    fn check_customer_key(&self, upload: &Upload) -> Result<(), AwsError> {
        if self.customer_key.is_absent() && upload.checksum.is_none() {
            return Ok(());
        }
        self.customer_key.check_upload(&upload.attributes.encryption)
    }

    /// The checksum of the whole object, held against what the client claims.
    fn checksum(&self, upload: &Upload, parts: &[(i32, &Part)]) -> Result<Checksum, AwsError> {
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
            Some((algorithm, ChecksumKind::Composite)) => {
                let of_parts: Vec<&Checksum> = parts.iter().map(|(_, part)| &part.checksum).collect();
                Checksum::composite(algorithm, &of_parts)
            }
            full_object => {
                let algorithm = full_object.map_or(ChecksumAlgorithm::Crc64nvme, |(algorithm, _)| algorithm);
                let of_parts = parts.iter().map(|(_, part)| (&part.checksum, part.content.len()));
                Checksum::combined(algorithm, of_parts).ok_or_else(AwsError::internal)?
            }
        };
        match &self.claimed {
            // Whatever was claimed, AWS names the algorithm of the upload (recorded).
            Some((algorithm, value)) if *algorithm != checksum.algorithm || *value != checksum.value => {
                let text = format!(
                    "The {} you specified did not match the calculated checksum.",
                    checksum.algorithm.name().to_ascii_lowercase()
                );
                Err(AwsError::new(http::StatusCode::BAD_REQUEST, "BadDigest", text))
            }
            _ => Ok(checksum),
        }
    }
}

/// The checksum that the object keeps, and the one that the answer shows.
///
/// Of an upload that named no algorithm the answer shows none under a KMS key, and under a customer's key none is even
/// kept (recorded).
fn kept_checksum(upload: &Upload, checksum: Checksum) -> (Option<Checksum>, Option<Checksum>) {
    match (upload.checksum, &upload.attributes.encryption) {
        (Some(_), _) | (None, Encryption::S3) => (Some(checksum.clone()), Some(checksum)),
        (None, Encryption::Kms(_)) => (Some(checksum), None),
        (None, Encryption::Customer(_)) => (None, None),
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
        let requirements = self.condition.require(Creation::Object.put(bucket, key), bucket, key);
        Ok(self.upload.with_decrypt(requirements, world))
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Written, AwsError> {
        let operation = authorized.into_operation();
        let key = operation.upload.key.clone();
        let listed: Vec<(i32, String)> =
            operation.parts.iter().map(|part| (part.number, unquoted(&part.etag).to_owned())).collect();
        let name = (key.clone(), operation.upload.upload_id.clone());
        // A client that lost the answer asks again; the upload is gone, and the answer is still the same.
        if let Some(written) = world.bucket(&operation.upload.bucket)?.completed.find(&name, &listed) {
            return Ok(written.clone());
        }
        let upload = operation.upload.find(world)?;
        operation.check_customer_key(upload)?;
        operation.upload.check_decrypt(upload, world)?;
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
        let checksum = operation.checksum(upload, &parts)?;
        let (checksum, shown) = kept_checksum(upload, checksum);
        let bucket = world.bucket(&operation.upload.bucket)?;
        operation.condition.check(&key, bucket.objects.current(&key).map(Arc::as_ref))?;
        let changed = bucket.changed_at.get(&key).is_some_and(|change| *change > upload.begun_at_change);
        if changed && let Some(condition) = operation.condition.header() {
            return Err(AwsError::conditional_request_conflict(condition, &key));
        }
        let tags: Vec<u8> = parts.iter().flat_map(|(_, part)| part.tag).collect();
        let etag = format!("{}-{}", hex::encode(Md5::digest(tags)), parts.len());
        let layout = PartLayout {
            parts: parts
                .iter()
                .map(|(number, part)| {
                    let shown = upload.checksum.map(|_| part.checksum.clone());
                    (*number, part.content.len(), shown)
                })
                .collect(),
        };
        let attributes = upload.attributes.clone();
        let object = Object {
            content: whole,
            etag: etag.clone(),
            last_modified: now,
            version: VersionId::Null,
            checksum,
            attributes: attributes.clone(),
            parts: Some(layout),
        };
        let bucket = world.bucket_mut(&operation.upload.bucket)?;
        bucket.uploads.remove(&name);
        let version = world.store(&operation.upload.bucket, &key, object)?;
        world.announce_written(EventKind::CompleteMultipartUpload, &operation.upload.bucket, &key);
        let bucket = world.bucket_mut(&operation.upload.bucket)?;
        bucket.forget_changes(&key);
        let expiration = current_expiration(bucket, &key);
        let written = Written { etag, checksum: shown, version, attributes, expiration };
        bucket.completed.add(name, listed, written.clone());
        Ok(written)
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
