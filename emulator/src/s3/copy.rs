//! Copying objects within the endpoint.

use std::sync::Arc;

use jiff::Timestamp;

use super::checksum::{Checksum, ChecksumAlgorithm, md5};
use super::conditions::{ReadConditions, WriteCondition};
use super::object::{Creation, WriteSettings, check_version_id};
use super::read::read_requirements;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::{Object, World};

/// The largest source of one copy.
const SOURCE_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;

/// The source of a copy.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version_id: Option<String>,
    pub(crate) conditions: ReadConditions,
    /// `x-amz-source-expected-bucket-owner`.
    pub(crate) expected_owner: Option<String>,
}

/// Whether the copy takes the metadata of its source or that of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MetadataDirective {
    Copy,
    Replace,
}

/// `CopyObject`.
#[derive(Debug)]
pub(crate) struct CopyObject {
    pub(crate) source: Source,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) directive: MetadataDirective,
    pub(crate) settings: WriteSettings,
    pub(crate) condition: WriteCondition,
    /// Absent to keep the algorithm of the source.
    pub(crate) checksum: Option<ChecksumAlgorithm>,
}

/// What a copy answers.
#[derive(Debug)]
pub(crate) struct Copied {
    pub(crate) etag: String,
    pub(crate) last_modified: Timestamp,
    pub(crate) checksum: Checksum,
}

impl Source {
    /// The permissions on the source.
    pub(crate) fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        if let Some(expected) = &self.expected_owner {
            world.bucket(&self.bucket)?.check_owner(expected)?;
        }
        read_requirements(world, &self.bucket, &self.key, self.version_id.as_deref())
    }

    /// The source object, its conditions met.
    pub(crate) fn find(&self, world: &World, now: Timestamp) -> Result<Arc<Object>, AwsError> {
        check_version_id(self.version_id.as_deref())?;
        let bucket = world.bucket(&self.bucket)?;
        let object = bucket.objects.get(&self.key).ok_or_else(|| AwsError::no_such_key(&self.key))?;
        self.conditions.check_copy(object, now)?;
        Ok(Arc::clone(object))
    }

    /// The source as policies see it in `s3:x-amz-copy-source`.
    pub(crate) fn text(&self) -> String {
        format!("/{}/{}", self.bucket, self.key)
    }
}

/// Copies need a caller, whatever a policy allows to everyone.
pub(crate) fn check_known<O>(authorized: &Authorized<O>) -> Result<(), AwsError> {
    match authorized.caller().identity() {
        Some(_) => Ok(()),
        None => Err(AwsError::access_denied("Anonymous users cannot copy objects. Please authenticate.")),
    }
}

impl Operation for CopyObject {
    type Output = Copied;
    const OP: Op = Op::CopyObject;

    fn target(&self) -> Target<'_> {
        Target::Object(&self.bucket, &self.key)
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.bucket(&self.bucket)?;
        let mut requirements = self.source.requirements(world)?;
        let directive = match self.directive {
            MetadataDirective::Copy => "COPY",
            MetadataDirective::Replace => "REPLACE",
        };
        let settings = &self.settings;
        for requirement in settings.requirements(Creation::Object, &self.bucket, &self.key, &self.condition) {
            requirements.push(
                requirement
                    .with("s3:x-amz-copy-source", self.source.text())
                    .with("s3:x-amz-metadata-directive", directive),
            );
        }
        Ok(requirements)
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Copied, AwsError> {
        check_known(&authorized)?;
        let Self { source, bucket, key, directive, settings, condition, checksum } =
            authorized.into_operation();
        settings.check(&key)?;
        settings.check_acl()?;
        let found = source.find(world, now)?;
        if found.content.len() > SOURCE_BYTES_MAX {
            let text = "The specified copy source is larger than the maximum allowable size for a copy source: \
                        5368709120";
            return Err(AwsError::invalid_request(text));
        }
        let onto_itself = source.bucket == bucket && source.key == key;
        let changes_something = directive == MetadataDirective::Replace
            || settings.headers.storage_class.is_some()
            || settings.encryption.is_some();
        if onto_itself && !changes_something {
            return Err(AwsError::illegal_self_copy());
        }
        let mut headers = match directive {
            MetadataDirective::Replace => settings.headers.clone(),
            MetadataDirective::Copy => found.headers.clone(),
        };
        // The storage class is never copied.
        headers.storage_class = settings.headers.storage_class;
        let algorithm = checksum.unwrap_or(found.checksum.algorithm);
        let etag = hex::encode(md5(found.content.pieces()));
        let checksum = Checksum::of(algorithm, &found.content);
        let bucket = world.bucket_mut(&bucket)?;
        condition.check(&key, bucket.objects.get(&key).map(Arc::as_ref))?;
        bucket.store(
            &key,
            Object {
                content: found.content.clone(),
                etag: etag.clone(),
                last_modified: now,
                headers,
                checksum: checksum.clone(),
                parts: None,
            },
        );
        Ok(Copied { etag, last_modified: now, checksum })
    }
}
