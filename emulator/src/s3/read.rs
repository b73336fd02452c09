//! Reading objects.

use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;

use super::checksum::{Checksum, ChecksumKind};
use super::conditions::ReadConditions;
use super::customer_key::GivenKey;
use super::encryption::Requester;
use super::lifecycle::expiration_header;
use super::multipart::check_part_number;
use super::object_lock;
use super::restore;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::{Bucket, Content, MissingKeys, Object, VersionId, World};

/// What GetObject and HeadObject have in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct Read {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version_id: Option<String>,
    pub(crate) conditions: ReadConditions,
    /// The raw `Range` header; a malformed one is ignored, as AWS does.
    pub(crate) range: Option<String>,
    pub(crate) part_number: Option<i32>,
    pub(crate) customer_key: GivenKey,
    pub(crate) requester: Requester,
    /// Whether the answer tells what is encrypted: the bytes, or their checksum.
    pub(crate) decrypts: bool,
}

/// `GetObject`.
#[derive(Debug)]
pub(crate) struct GetObject(pub(crate) Read);

/// `HeadObject`.
#[derive(Debug)]
pub(crate) struct HeadObject(pub(crate) Read);

/// An object, or a piece of it.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) object: Arc<Object>,
    pub(crate) content: Content,
    /// `Content-Range` for a piece.
    pub(crate) content_range: Option<String>,
    pub(crate) parts_count: Option<usize>,
    pub(crate) checksum: Option<Checksum>,
    /// Only in a bucket that is or was versioned.
    pub(crate) version: Option<VersionId>,
    /// Absent without tags, and for callers who may not read them.
    pub(crate) tag_count: Option<usize>,
    /// Further headers, which depend on the caller or on the time.
    pub(crate) notices: Vec<(&'static str, String)>,
}

/// Whether the bytes are asked for, which of an archived object cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Content,
    Head,
}

/// Whether the caller may read the tags.
#[derive(Clone, Copy, Debug)]
struct MayCountTags(bool);

impl Read {
    /// A read of a missing key also needs `s3:ListBucket`: without it AWS does not tell that the key is missing.
    ///
    /// How many tags an object has is told to those who may read them.
    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let version_id = self.version_id.as_deref();
        let mut requirements = read_requirements(world, &self.bucket, &self.key, version_id)?;
        let bucket = world.bucket(&self.bucket)?;
        let Ok(object) = bucket.object(&self.key, version_id) else { return Ok(requirements) };
        if self.decrypts {
            requirements.extend(self.requester.decrypt_requirement(&object.attributes.encryption));
        }
        if !object.attributes.tags.is_empty() {
            let count = Requirement::on_object(self.count_action(), &self.bucket, &self.key);
            requirements.push(count.with_some("s3:versionid", version_id).optional());
        }
        requirements.extend(object_lock::read_requirements(&self.bucket, &self.key, &object.attributes.lock));
        Ok(requirements)
    }

    /// When the object expires, if the current version is read as such; and what became of a restore.
    fn notices(&self, bucket: &Bucket, object: &Object, now: Timestamp) -> Vec<(&'static str, String)> {
        let is_current = self.version_id.is_none();
        let expiration = is_current.then(|| expiration_header(bucket, &self.key, object)).flatten();
        let expiration = expiration.map(|text| ("x-amz-expiration", text));
        expiration.into_iter().chain(restore::header(object, now)).collect()
    }

    fn count_action(&self) -> &'static str {
        if self.version_id.is_some() { "s3:GetObjectVersionTagging" } else { "s3:GetObjectTagging" }
    }

    fn apply(
        &self,
        world: &World,
        now: Timestamp,
        reading: Reading,
        may_count: MayCountTags,
    ) -> Result<Found, AwsError> {
        let bucket = world.bucket(&self.bucket)?;
        let object = bucket.object(&self.key, self.version_id.as_deref())?;
        self.customer_key.check_read(&object.attributes.encryption)?;
        if self.decrypts {
            self.requester.check_decrypt(&object.attributes.encryption, &world.keys)?;
        }
        self.conditions.check_read(object, now)?;
        if reading == Reading::Content {
            restore::check_readable(object, now)?;
        }
        if self.range.is_some() && self.part_number.is_some() {
            let text = "Cannot specify both Range header and partNumber query parameter";
            return Err(AwsError::invalid_request(text));
        }
        let size = object.content.len();
        let whole = || Found {
            object: Arc::clone(object),
            content: object.content.clone(),
            content_range: None,
            parts_count: None,
            checksum: object.checksum.clone(),
            version: bucket.shown(&object.version).cloned(),
            tag_count: Some(object.attributes.tags.len()).filter(|count| may_count.0 && *count > 0),
            notices: self.notices(bucket, object, now),
        };
        if let Some(number) = self.part_number {
            check_part_number(number)?;
            return part(whole(), number);
        }
        let Some(header) = self.range.as_deref() else { return Ok(whole()) };
        match parse_range(header, size) {
            RequestedRange::Malformed => Ok(whole()),
            RequestedRange::Unsatisfiable => Err(AwsError::invalid_range(header, size)),
            RequestedRange::Bytes(range) => {
                let covers_all = range == (0..size);
                Ok(Found {
                    content: object.content.slice(range.clone()),
                    content_range: Some(content_range(&range, size)),
                    checksum: object.checksum.clone().filter(|_| covers_all),
                    ..whole()
                })
            }
        }
    }
}

/// The permissions of reading one object; also of the source of a copy.
pub(crate) fn read_requirements(
    world: &World,
    bucket: &str,
    key: &str,
    version_id: Option<&str>,
) -> Result<Vec<Requirement>, AwsError> {
    let action = if version_id.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
    let read = Requirement::on_object(action, bucket, key).with_some("s3:versionid", version_id);
    let missing = missing_requirement(world, bucket, key, version_id)?;
    let is_shown_to_listers = world.beyond_buckets.missing_keys == MissingKeys::Listers;
    let read = if missing.is_some() && is_shown_to_listers { read.not_denied() } else { read };
    Ok(std::iter::once(read).chain(missing).collect())
}

/// Who asks for what is missing must also be allowed to list, or is not told that it is missing.
pub(crate) fn missing_requirement(
    world: &World,
    bucket: &str,
    key: &str,
    version_id: Option<&str>,
) -> Result<Option<Requirement>, AwsError> {
    let objects = &world.bucket(bucket)?.objects;
    let found = match version_id {
        None => objects.current(key).is_some(),
        Some(id) => VersionId::parse(id).is_some_and(|id| objects.version(key, &id).is_some()),
    };
    Ok((!found).then(|| Requirement::on_bucket("s3:ListBucket", bucket).with("s3:prefix", key)))
}

/// One part of a multipart object; an object written at once is its own part 1.
fn part(whole: Found, number: i32) -> Result<Found, AwsError> {
    let object = Arc::clone(&whole.object);
    let size = object.content.len();
    let Some(layout) = &object.parts else {
        if number != 1 {
            return Err(AwsError::invalid_part_number_request(number, 1));
        }
        let content_range = (size > 0).then(|| content_range(&(0..size), size));
        return Ok(Found { content_range, ..whole });
    };
    let count = layout.parts.len();
    let mut start = 0;
    for (index, (_, bytes, checksum)) in layout.parts.iter().enumerate() {
        let range = start..start + bytes;
        if i32::try_from(index + 1) == Ok(number) {
            let checksum = match object.checksum.as_ref().map(|checksum| checksum.kind) {
                Some(kind @ ChecksumKind::Composite) => {
                    checksum.clone().map(|checksum| Checksum { kind, ..checksum })
                }
                _ => object.checksum.clone().filter(|_| count == 1),
            };
            return Ok(Found {
                content: object.content.slice(range.clone()),
                content_range: Some(content_range(&range, size)),
                parts_count: Some(count),
                checksum,
                ..whole
            });
        }
        start = range.end;
    }
    Err(AwsError::invalid_part_number_request(number, count))
}

fn content_range(range: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1))
}

#[derive(Debug, PartialEq, Eq)]
enum RequestedRange {
    Malformed,
    Unsatisfiable,
    Bytes(Range<u64>),
}

/// One `first-last`, `first-` or `-length`; several ranges, or nonsense, count as no range at all.
fn parse_range(header: &str, size: u64) -> RequestedRange {
    let parse = || {
        let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
        };
        match (first, last) {
            ("", last) => {
                let length = number(last)?;
                Some((length > 0).then(|| size.saturating_sub(length)..size))
            }
            (first, "") => {
                let first = number(first)?;
                Some(Some(first..size))
            }
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then(|| Some(first..last.saturating_add(1).min(size)))
            }
        }
    };
    match parse() {
        None => RequestedRange::Malformed,
        Some(Some(range)) if range.start < range.end => RequestedRange::Bytes(range),
        Some(_) => RequestedRange::Unsatisfiable,
    }
}

macro_rules! read_operation {
    ($name:ident, $reading:ident) => {
        impl Operation for $name {
            type Output = Found;
            const OP: Op = Op::$name;

            fn target(&self) -> Target<'_> {
                Target::Object(&self.0.bucket, &self.0.key)
            }

            fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
                self.0.requirements(world)
            }

            fn apply(
                authorized: Authorized<Self>,
                world: &mut World,
                now: Timestamp,
            ) -> Result<Found, AwsError> {
                let read = &authorized.operation().0;
                let may_count = MayCountTags(authorized.may(read.count_action()));
                let mut found = read.apply(world, now, Reading::$reading, may_count)?;
                found.notices.extend(object_lock::read_headers(&authorized, &found.object.attributes.lock));
                Ok(found)
            }
        }
    };
}

read_operation!(GetObject, Content);
read_operation!(HeadObject, Head);

#[cfg(test)]
mod tests {
    use super::{RequestedRange, parse_range};

    /// The answers of AWS for an object of ten bytes.
    #[test]
    fn ranges_are_read_as_aws_reads_them() {
        let check = |header: &str, expected| assert_eq!(parse_range(header, 10), expected, "{header}");
        check("bytes=0-8", RequestedRange::Bytes(0..9));
        check("bytes=3-", RequestedRange::Bytes(3..10));
        check("bytes=-15", RequestedRange::Bytes(0..10));
        check("bytes=0-100", RequestedRange::Bytes(0..10));
        for ignored in ["bytes=1-0", "bytes=-1-", "bytes=0-1,3-4", "bytes=-", "chars=0-1", "bytes=a-b"] {
            check(ignored, RequestedRange::Malformed);
        }
        check("bytes=-0", RequestedRange::Unsatisfiable);
        check("bytes=10-12", RequestedRange::Unsatisfiable);
        check("bytes=10-", RequestedRange::Unsatisfiable);
    }
}
