//! Copying objects within the endpoint.

use std::sync::Arc;

use jiff::Timestamp;

use super::checksum::{Checksum, ChecksumAlgorithm};
use super::conditions::{ReadConditions, WriteCondition};
use super::customer_key::GivenKey;
use super::digest::{RangeDigest, ToDigest};
use super::encryption::Requester;
use super::object::{Creation, Write, WriteSettings, current_expiration};
use super::read::read_requirements;
use super::restore;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::{
    Attributes, Encryption, EventKind, Object, ObjectHeaders, Origin, Tags, VersionId, World,
};

/// The largest source of one copy.
const SOURCE_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;

/// The source of a copy.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version_id: Option<String>,
    /// As the client wrote it, decoded: with or without a slash before the bucket. Policies see it so.
    pub(crate) given: String,
    pub(crate) conditions: ReadConditions,
    /// `x-amz-source-expected-bucket-owner`.
    pub(crate) expected_owner: Option<String>,
    /// `x-amz-copy-source-server-side-encryption-customer-*`.
    pub(crate) customer_key: GivenKey,
    pub(crate) requester: Requester,
}

/// Whether the copy takes the metadata of its source or that of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MetadataDirective {
    Copy,
    Replace,
}

/// Whether the copy takes the tags of its source or those of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaggingDirective {
    Copy,
    Replace,
}

/// `CopyObject`.
#[derive(Debug)]
pub(crate) struct CopyObject {
    pub(crate) source: Source,
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// Absent if nothing is said, which means a copy; policies see only what was said.
    pub(crate) directive: Option<MetadataDirective>,
    pub(crate) tagging: TaggingDirective,
    pub(crate) settings: WriteSettings,
    pub(crate) condition: WriteCondition,
    /// Absent to keep the algorithm of the source.
    pub(crate) checksum: Option<ChecksumAlgorithm>,
    /// Of the source, if it was made before.
    pub(crate) digest: Option<RangeDigest>,
}

/// What a copy answers.
#[derive(Debug)]
pub(crate) struct Copied {
    pub(crate) etag: String,
    pub(crate) last_modified: Timestamp,
    pub(crate) checksum: Checksum,
    pub(crate) attributes: Attributes,
    /// Only in a bucket that is or was versioned, and so other than a PUT.
    pub(crate) version: Option<VersionId>,
    /// Absent for a source without an id.
    pub(crate) source_version: Option<VersionId>,
    /// `x-amz-expiration`.
    pub(crate) expiration: Option<String>,
}

impl Source {
    /// The permissions on the source.
    pub(crate) fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        if let Some(expected) = &self.expected_owner {
            world.bucket(&self.bucket)?.check_owner(expected)?;
        }
        let version_id = self.version_id.as_deref();
        let mut requirements = read_requirements(world, &self.bucket, &self.key, version_id)?;
        if let Ok(object) = world.bucket(&self.bucket)?.object(&self.key, version_id) {
            requirements.extend(self.requester.decrypt_requirement(&object.attributes.encryption));
        }
        Ok(requirements)
    }

    /// The source object, its conditions met.
    pub(crate) fn find(&self, world: &World, now: Timestamp) -> Result<Arc<Object>, AwsError> {
        let bucket = world.bucket(&self.bucket)?;
        let object = bucket.object(&self.key, self.version_id.as_deref()).map_err(|error| {
            let text =
                "The source of a copy request may not specifically refer to a delete marker by version id.";
            if &*error.code == "MethodNotAllowed" { AwsError::invalid_request(text) } else { error }
        })?;
        self.customer_key.check_read(&object.attributes.encryption)?;
        self.requester.check_decrypt(&object.attributes.encryption, &world.keys)?;
        self.conditions.check_copy(object, now)?;
        restore::check_source(object, now)?;
        Ok(Arc::clone(object))
    }

    /// The tags that go with a copy; none if the source is missing.
    fn tags<'a>(&self, world: &'a World) -> Option<&'a Tags> {
        let object = world.bucket(&self.bucket).ok()?.object(&self.key, self.version_id.as_deref()).ok()?;
        Some(&object.attributes.tags).filter(|tags| !tags.is_empty())
    }
}

/// Copies need a caller, whatever a policy allows to everyone.
pub(crate) fn check_known<O>(authorized: &Authorized<O>) -> Result<(), AwsError> {
    match authorized.caller().identity() {
        Some(_) => Ok(()),
        None => Err(AwsError::access_denied("Anonymous users cannot copy objects. Please authenticate.")),
    }
}

impl CopyObject {
    /// What has to be digested of the source as it is now; absent if there is no such source for this caller.
    pub(crate) fn to_digest(&self, world: &World, now: Timestamp) -> Option<ToDigest> {
        let object = self.source.find(world, now).ok()?;
        let (range, algorithm) = (0..object.content.len(), self.algorithm(&object));
        Some(ToDigest { object, range, algorithm })
    }

    /// The algorithm that was asked for, else that of the source.
    fn algorithm(&self, source: &Object) -> ChecksumAlgorithm {
        let kept = source.checksum.as_ref().map(|checksum| checksum.algorithm);
        self.checksum.or(kept).unwrap_or(ChecksumAlgorithm::Crc64nvme)
    }

    /// A copy of an object onto itself has to change something; one of an older version does, and one that leaves the
    /// encryption to the bucket where the object has another than S3's own.
    fn check_self(&self, world: &World, found: &Object) -> Result<(), AwsError> {
        let Self { source, settings, .. } = self;
        let onto_itself =
            source.bucket == self.bucket && source.key == self.key && source.version_id.is_none();
        let changes_something = self.directive == Some(MetadataDirective::Replace)
            || settings.storage_class.is_some()
            || settings.encryption.is_explicit()
            || settings.redirect.is_some()
            || !matches!(found.attributes.encryption, Encryption::S3)
            || world.bucket(&self.bucket)?.encryption.origin == Origin::Put;
        if onto_itself && !changes_something { Err(AwsError::illegal_self_copy()) } else { Ok(()) }
    }
}

impl Operation for CopyObject {
    type Output = Copied;
    const OP: Op = Op::CopyObject;

    fn target(&self) -> Target<'_> {
        Target::Object(&self.bucket, &self.key)
    }

    /// Tags that are copied are read and written, which takes a permission on either side.
    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.bucket)?;
        let mut requirements = self.source.requirements(world)?;
        let copied_tags = self.source.tags(world).filter(|_| self.tagging == TaggingDirective::Copy);
        if copied_tags.is_some() {
            let version_id = self.source.version_id.as_deref();
            let action =
                if version_id.is_some() { "s3:GetObjectVersionTagging" } else { "s3:GetObjectTagging" };
            let read = Requirement::on_object(action, &self.source.bucket, &self.source.key);
            requirements.push(read.with_some("s3:versionid", version_id));
        }
        let directive = self.directive.map(|directive| match directive {
            MetadataDirective::Copy => "COPY",
            MetadataDirective::Replace => "REPLACE",
        });
        let mut settings = self.settings.clone();
        if let Some(tags) = copied_tags {
            settings.tags = Some(Ok(tags.clone()));
        }
        let write =
            settings.requirements(world, Creation::Object, &self.bucket, &self.key, &self.condition)?;
        for requirement in write {
            // KMS does not hear of the copy.
            requirements.push(match requirement.via_service {
                Some(_) => requirement,
                None => requirement
                    .with("s3:x-amz-copy-source", self.source.given.as_str())
                    .with_some("s3:x-amz-metadata-directive", directive),
            });
        }
        Ok(requirements)
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Copied, AwsError> {
        check_known(&authorized)?;
        let (mut operation, caller) = authorized.into_parts();
        let Self { source, bucket, key, settings, .. } = &operation;
        let write = Write { op: Self::OP, bucket, key, caller: &caller, now };
        let mut attributes = settings.resolve(world, &write)?;
        let found = source.find(world, now)?;
        if found.content.len() > SOURCE_BYTES_MAX {
            let text = "The specified copy source is larger than the maximum allowable size for a copy source: \
                        5368709120";
            return Err(AwsError::invalid_request(text));
        }
        operation.check_self(world, &found)?;
        if operation.directive != Some(MetadataDirective::Replace) {
            // The storage class is never copied.
            let storage_class = attributes.headers.storage_class.take();
            attributes.headers = ObjectHeaders { storage_class, ..found.attributes.headers.clone() };
        }
        if operation.tagging == TaggingDirective::Copy {
            attributes.tags = found.attributes.tags.clone();
        }
        let (range, algorithm) = (0..found.content.len(), operation.algorithm(&found));
        let wanted = ToDigest { object: Arc::clone(&found), range, algorithm };
        let digest = wanted.digest_unless(operation.digest.take());
        let Self { bucket, key, condition, .. } = operation;
        let etag = hex::encode(attributes.encryption.tag(digest.md5, &world.entropy));
        let checksum = digest.checksum;
        condition.check(&key, world.bucket(&bucket)?.objects.current(&key).map(Arc::as_ref))?;
        // Of a source without an id nothing is told; of a copy without one, that it has none.
        let source_version = Some(found.version.clone()).filter(|version| *version != VersionId::Null);
        let object = Object {
            content: found.content.clone(),
            etag: etag.clone(),
            last_modified: now,
            version: VersionId::Null,
            checksum: Some(checksum.clone()),
            attributes: attributes.clone(),
            parts: None,
        };
        let stored = world.store(&bucket, &key, object)?;
        world.announce_written(EventKind::Copy, &bucket, &key);
        let version = stored.or_else(|| world.bucket(&bucket).ok()?.shown(&VersionId::Null).cloned());
        let expiration = current_expiration(world.bucket(&bucket)?, &key);
        Ok(Copied { expiration, etag, last_modified: now, checksum, attributes, version, source_version })
    }
}
