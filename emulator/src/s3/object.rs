//! Writing and deleting objects.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::acl::{AclHeaders, acl_of_new_object};
use super::checksum::{Checksum, Upload};
use super::conditions::WriteCondition;
use super::encryption::RequestedEncryption;
use super::lifecycle::expiration_header;
use super::object_lock::{self, LockHeaders};
use super::tagging;
use crate::authenticate::Caller;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::{
    Attributes, Bucket, EventKind, Happening, Lock, Object, ObjectHeaders, Tags, Version, VersionId, World,
};

/// The longest key, in bytes of UTF-8.
pub(crate) const KEY_BYTES_MAX: usize = 1024;
/// The most user metadata, names and values together.
const METADATA_BYTES_MAX: usize = 2048;
/// The largest object that one PUT may bring.
pub(crate) const PUT_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;

/// The storage classes that a general purpose bucket takes; those of other services it does not.
const STORAGE_CLASSES: [&str; 8] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER_IR",
    "GLACIER",
    "DEEP_ARCHIVE",
];

/// `PutObject`.
#[derive(Debug)]
pub(crate) struct PutObject {
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// The body digested, or what is wrong with it; AWS tells that only those who may write.
    pub(crate) upload: Result<Upload, AwsError>,
    /// Whether the client sent a digest of the body.
    pub(crate) has_digest: bool,
    pub(crate) settings: WriteSettings,
    pub(crate) condition: WriteCondition,
}

/// What the writes have in common: PutObject, CopyObject and CreateMultipartUpload.
#[derive(Clone, Debug, Default)]
pub(crate) struct WriteSettings {
    pub(crate) headers: ObjectHeaders,
    /// The ACL that was asked for; it takes a permission of its own.
    pub(crate) acl: AclHeaders,
    pub(crate) encryption: RequestedEncryption,
    /// `x-amz-website-redirect-location`.
    pub(crate) redirect: Option<String>,
    /// The tags that were sent, or what is wrong with them.
    pub(crate) tags: Option<Result<Tags, AwsError>>,
    pub(crate) lock: LockHeaders,
    /// The storage class as it was sent, which may be that of all objects without one.
    pub(crate) storage_class: Option<String>,
}

/// Which write this is: what the settings are resolved for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Write<'a> {
    pub(crate) op: Op,
    pub(crate) bucket: &'a str,
    pub(crate) key: &'a str,
    pub(crate) caller: &'a Caller,
    pub(crate) now: Timestamp,
}

/// What a write answers.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Written {
    pub(crate) etag: String,
    /// As the answer shows it.
    pub(crate) checksum: Option<Checksum>,
    /// Only in a bucket with versioning enabled.
    pub(crate) version: Option<VersionId>,
    pub(crate) attributes: Attributes,
    /// `x-amz-expiration`.
    pub(crate) expiration: Option<String>,
}

impl WriteSettings {
    /// What will stand with the bytes; refuses what AWS refuses and what the emulator does not do.
    pub(crate) fn resolve(&self, world: &mut World, write: &Write<'_>) -> Result<Attributes, AwsError> {
        let bucket = world.bucket(write.bucket)?;
        self.encryption.check_blocked(bucket, write)?;
        self.check(write.key)?;
        let acl = acl_of_new_object(&self.acl, world, bucket, write.key, write.caller)?;
        let tags = self.tags.clone().transpose()?.unwrap_or_default();
        let redirect = self.redirect.clone();
        let leads_somewhere =
            |to: &String| ["/", "http://", "https://"].iter().any(|start| to.starts_with(start));
        if !redirect.as_ref().is_none_or(leads_somewhere) {
            return Err(AwsError::invalid_redirect_location());
        }
        let lock = self.lock.resolve(bucket, write.now)?;
        let plan = self.encryption.plan(world, bucket, write.key)?;
        let encryption = plan.carry_out(world, write.now)?;
        let headers = self.headers.clone();
        Ok(Attributes { headers, acl, encryption, tags, lock, redirect, restored: None })
    }

    fn check(&self, key: &str) -> Result<(), AwsError> {
        if key.len() > KEY_BYTES_MAX {
            return Err(AwsError::key_too_long(key.len()));
        }
        let metadata_bytes = self.headers.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
        if metadata_bytes > METADATA_BYTES_MAX {
            return Err(AwsError::metadata_too_large(metadata_bytes));
        }
        match self.headers.storage_class.as_deref() {
            Some(class) if !STORAGE_CLASSES.contains(&class) => {
                return Err(AwsError::invalid_storage_class(class));
            }
            _ => {}
        }
        Ok(())
    }

    /// The permissions of a write to `bucket/key`.
    pub(crate) fn requirements(
        &self,
        world: &World,
        creation: Creation,
        bucket: &str,
        key: &str,
        condition: &WriteCondition,
    ) -> Result<Vec<Requirement>, AwsError> {
        let region = world.bucket(bucket)?.region.as_str();
        let sent_tags = self.tags.as_ref().and_then(|tags| tags.as_ref().ok());
        let describe = |requirement: Requirement| {
            let described = self.encryption.describe(requirement, world, region);
            self.acl
                .describe(self.lock.describe(tagging::describe(described, sent_tags)))
                .with_some("s3:x-amz-storage-class", self.storage_class.as_deref())
        };
        let mut requirements = condition.require(describe(creation.put(bucket, key)), bucket, key);
        if self.tags.is_some() {
            requirements.push(describe(Requirement::on_object("s3:PutObjectTagging", bucket, key)));
        }
        if !self.acl.is_empty() {
            requirements.push(describe(Requirement::on_new_object("s3:PutObjectAcl", bucket, key)));
        }
        requirements.extend(self.lock.requirements(bucket, key));
        requirements.extend(self.encryption.requirement(world, bucket, key));
        Ok(requirements)
    }
}

/// Whether a `s3:PutObject` brings an object into being, or is a step of an upload.
///
/// Policies tell the two apart to demand conditions of the first only: the steps take none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Creation {
    Object,
    Step,
}

impl Creation {
    /// The permission to put.
    pub(crate) fn put(self, bucket: &str, key: &str) -> Requirement {
        let creates = match self {
            Self::Object => "true",
            Self::Step => "false",
        };
        Requirement::on_new_object("s3:PutObject", bucket, key).with("s3:ObjectCreationOperation", creates)
    }
}

impl Operation for PutObject {
    type Output = Written;
    const OP: Op = Op::PutObject;

    fn target(&self) -> Target<'_> {
        Target::Object(&self.bucket, &self.key)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        self.settings.requirements(world, Creation::Object, &self.bucket, &self.key, &self.condition)
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Written, AwsError> {
        let (Self { bucket, key, upload, has_digest, settings, condition }, caller) = authorized.into_parts();
        let write = Write { op: Self::OP, bucket: &bucket, key: &key, caller: &caller, now };
        let attributes = settings.resolve(world, &write)?;
        if attributes.lock != Lock::default() && !has_digest {
            return Err(AwsError::locked_without_digest("Object"));
        }
        let upload = upload?;
        if upload.content.len() > PUT_BYTES_MAX {
            return Err(AwsError::entity_too_large(upload.content.len(), PUT_BYTES_MAX));
        }
        condition.check(&key, world.bucket(&bucket)?.objects.current(&key).map(Arc::as_ref))?;
        let etag = hex::encode(attributes.encryption.tag(upload.md5, &world.entropy));
        let checksum = Some(upload.checksum);
        let object = Object {
            content: upload.content,
            etag: etag.clone(),
            last_modified: now,
            version: VersionId::Null,
            checksum: checksum.clone(),
            attributes: attributes.clone(),
            parts: None,
        };
        let version = world.store(&bucket, &key, object)?;
        world.announce_written(EventKind::Put, &bucket, &key);
        let expiration = current_expiration(world.bucket(&bucket)?, &key);
        Ok(Written { etag, checksum, version, attributes, expiration })
    }
}

/// When what was just written expires, as its answer tells.
pub(crate) fn current_expiration(bucket: &Bucket, key: &str) -> Option<String> {
    expiration_header(bucket, key, bucket.objects.current(key)?)
}

/// `DeleteObject`; also each key of a `DeleteObjects`.
#[derive(Debug)]
pub(crate) struct DeleteObject {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version_id: Option<String>,
    pub(crate) condition: WriteCondition,
    /// The wish to set a governance retention aside, if anything was said of it.
    pub(crate) bypass: Option<bool>,
}

/// What a delete answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deleted {
    /// The version that was deleted, or that of the marker that was set; absent in a bucket without versions.
    pub(crate) version: Option<VersionId>,
    /// Whether that version is a delete marker.
    pub(crate) is_marker: bool,
}

impl Operation for DeleteObject {
    type Output = Deleted;
    const OP: Op = Op::DeleteObject;

    fn target(&self) -> Target<'_> {
        Target::Object(&self.bucket, &self.key)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.bucket)?;
        let action = if self.version_id.is_some() { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
        let requirement = Requirement::on_object(action, &self.bucket, &self.key)
            .with_some("s3:versionid", self.version_id.as_deref());
        let mut requirements = self.condition.require(requirement, &self.bucket, &self.key);
        if self.bypass == Some(true) {
            requirements.push(Requirement::on_object(object_lock::BYPASS, &self.bucket, &self.key));
        }
        Ok(requirements)
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Deleted, AwsError> {
        let Self { bucket: name, key, version_id, condition, bypass } = authorized.into_operation();
        let bucket = world.bucket_mut(&name)?;
        object_lock::check_bypass(bucket, bypass)?;
        let Some(version_id) = version_id else {
            condition.check(&key, bucket.objects.current(&key).map(Arc::as_ref))?;
            let found = bucket.objects.current(&key).is_some();
            let version = world.delete(&name, &key, now)?;
            world.announce_deleted(
                EventKind::Delete,
                EventKind::DeleteMarkerCreated,
                &name,
                &key,
                (found, version.as_ref()),
            );
            return Ok(Deleted { is_marker: version.is_some(), version });
        };
        let version = bucket.parse_version(&version_id)?;
        let found = bucket.objects.version(&key, &version).and_then(Version::object);
        condition.check(&key, found.map(Arc::as_ref))?;
        if let Some(object) = found {
            object_lock::check_removal(object, now, bypass == Some(true))?;
        }
        let removed = bucket.remove(&key, &version);
        let is_marker = matches!(removed, Some(Version::Marker(_)));
        let shown = bucket.shown(&version).cloned();
        if removed.is_some() {
            let version = shown.as_ref().map(VersionId::to_string);
            world.announce(Happening::removal(EventKind::Delete, &name, &key, version));
        }
        Ok(Deleted { version: shown, is_marker })
    }
}
