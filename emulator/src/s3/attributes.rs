//! `GetObjectAttributes`: what is known about an object without its bytes.
//!
//! Source: S3 API reference, and recorded answers.

use std::sync::Arc;

use jiff::Timestamp;

use super::checksum::{Checksum, ChecksumKind};
use super::customer_key::GivenKey;
use super::encryption::Requester;
use super::read::missing_requirement;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::{Object, VersionId, World};

/// `GetObjectAttributes`.
#[derive(Debug)]
pub(crate) struct GetObjectAttributes {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version_id: Option<String>,
    /// What was asked for, or what is wrong with that.
    pub(crate) attributes: Result<Vec<Attribute>, AwsError>,
    pub(crate) customer_key: GivenKey,
    pub(crate) requester: Requester,
    pub(crate) page: PartsQuery,
}

/// One of the things that may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    ETag,
    Checksum,
    ObjectParts,
    StorageClass,
    ObjectSize,
}

/// Which parts are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartsQuery {
    /// `x-amz-max-parts`, as it was sent.
    pub(crate) max_parts: u32,
    /// `x-amz-part-number-marker`.
    pub(crate) after: i32,
}

/// An object with what was asked about it.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) object: Arc<Object>,
    /// Only in a bucket that is or was versioned.
    pub(crate) version: Option<VersionId>,
    pub(crate) attributes: Vec<Attribute>,
    /// Only of an object that was written in parts.
    pub(crate) parts: Option<Parts>,
}

/// The parts of an object.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) count: usize,
    /// AWS lists the parts of objects with a composite checksum alone.
    pub(crate) page: Option<PartsPage>,
}

/// A page of parts.
#[derive(Debug)]
pub(crate) struct PartsPage {
    pub(crate) query: PartsQuery,
    /// Number, size in bytes and checksum.
    pub(crate) parts: Vec<(i32, u64, Option<Checksum>)>,
    pub(crate) truncated: bool,
}

/// The most parts of one page, whatever is asked for.
const PAGE_PARTS_MAX: usize = 1000;

impl Attribute {
    const ALL: [(Self, &'static str); 5] = [
        (Self::ETag, "ETag"),
        (Self::Checksum, "Checksum"),
        (Self::ObjectParts, "ObjectParts"),
        (Self::StorageClass, "StorageClass"),
        (Self::ObjectSize, "ObjectSize"),
    ];

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, own)| *own == name).map(|(attribute, _)| attribute)
    }
}

impl PartsPage {
    /// `query.max_parts` parts of `all` after the marker.
    fn of(all: &[(i32, u64, Option<Checksum>)], query: PartsQuery) -> Self {
        let size = usize::try_from(query.max_parts).unwrap_or(PAGE_PARTS_MAX).min(PAGE_PARTS_MAX);
        let rest: Vec<_> = all.iter().filter(|(number, ..)| *number > query.after).collect();
        // A page of no parts counts as the last one.
        let truncated = size > 0 && rest.len() > size;
        Self { query, parts: rest.into_iter().take(size).cloned().collect(), truncated }
    }

    /// The last part of the page; 0 if there is none (recorded).
    pub(crate) fn last(&self) -> i32 {
        self.parts.last().map_or(0, |(number, ..)| *number)
    }
}

impl GetObjectAttributes {
    /// Whether the answer tells checksums of `object`, which KMS keys encrypt too.
    fn decrypts(&self, object: &Object) -> bool {
        let wanted =
            |attribute| self.attributes.as_ref().is_ok_and(|attributes| attributes.contains(&attribute));
        wanted(Attribute::Checksum) || (wanted(Attribute::ObjectParts) && has_composite_checksum(object))
    }
}

fn has_composite_checksum(object: &Object) -> bool {
    object.checksum.as_ref().is_some_and(|checksum| checksum.kind == ChecksumKind::Composite)
}

impl Operation for GetObjectAttributes {
    type Output = Described;
    const OP: Op = Op::GetObjectAttributes;

    fn target(&self) -> Target<'_> {
        Target::Object(&self.bucket, &self.key)
    }

    /// AWS asks for both permissions (API reference; one of its tables lists the first alone).
    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let version_id = self.version_id.as_deref();
        let actions = match version_id {
            None => ["s3:GetObject", "s3:GetObjectAttributes"],
            Some(_) => ["s3:GetObjectVersion", "s3:GetObjectVersionAttributes"],
        };
        let mut requirements: Vec<Requirement> = actions
            .into_iter()
            .map(|action| {
                let requirement = Requirement::on_object(action, &self.bucket, &self.key);
                requirement.with_some("s3:versionid", version_id)
            })
            .collect();
        requirements.extend(missing_requirement(world, &self.bucket, &self.key, version_id)?);
        if let Ok(object) = world.bucket(&self.bucket)?.object(&self.key, version_id)
            && self.decrypts(object)
        {
            requirements.extend(self.requester.decrypt_requirement(&object.attributes.encryption));
        }
        Ok(requirements)
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Described, AwsError> {
        let operation = authorized.into_operation();
        let bucket = world.bucket(&operation.bucket)?;
        let object = bucket.object(&operation.key, operation.version_id.as_deref())?;
        let encryption = &object.attributes.encryption;
        operation.customer_key.check_read(encryption)?;
        if operation.decrypts(object) {
            operation.requester.check_decrypt(encryption, &world.keys)?;
        }
        let attributes = operation.attributes?;
        let parts = object.parts.as_ref().map(|layout| Parts {
            count: layout.parts.len(),
            page: has_composite_checksum(object).then(|| PartsPage::of(&layout.parts, operation.page)),
        });
        Ok(Described {
            version: bucket.shown(&object.version).cloned(),
            object: Arc::clone(object),
            attributes,
            parts,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{PartsPage, PartsQuery};

    #[test]
    fn pages_of_parts_say_where_they_end() {
        let all = [(1, 5, None), (3, 5, None), (7, 1, None)];
        let check = |max_parts, after, numbers: &[i32], truncated, last| {
            let page = PartsPage::of(&all, PartsQuery { max_parts, after });
            let found: Vec<i32> = page.parts.iter().map(|(number, ..)| *number).collect();
            assert_eq!((found.as_slice(), page.truncated, page.last()), (numbers, truncated, last));
        };
        check(1000, 0, &[1, 3, 7], false, 7);
        check(5000, 0, &[1, 3, 7], false, 7);
        check(2, 0, &[1, 3], true, 3);
        check(2, 3, &[7], false, 7);
        check(1, 1, &[3], true, 3);
        check(0, 0, &[], false, 0);
        check(10, 7, &[], false, 0);
    }
}
