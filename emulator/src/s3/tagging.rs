//! Tags of objects and buckets.
//!
//! Source: S3 User Guide "Categorizing your objects using tags", and recorded answers. Unverified: which error a header
//! with more than ten tags gets.

use jiff::Timestamp;

use super::configuration::{Configuration, Removable};
use super::document::{Document, Element};
use super::read::missing_requirement;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::head::Query;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::{Bucket, EventKind, Object, Tags, VersionId, World};

/// The most tags of an object.
const OBJECT_TAGS_MAX: usize = 10;
/// The most tags of a bucket.
pub(super) const BUCKET_TAGS_MAX: usize = 50;
/// The longest key, in characters.
const KEY_LENGTH_MAX: usize = 128;
/// The longest value, in characters.
const VALUE_LENGTH_MAX: usize = 256;

/// What tags are put on; AWS words some refusals differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tagged {
    Object,
    Bucket,
    /// A bucket that is created with tags.
    NewBucket,
}

/// Reads the `Tag` children of an element.
pub(crate) fn read_tags(set: &Element, tagged: Tagged) -> Result<Tags, AwsError> {
    set.only(&["Tag"])?;
    let mut tags = Tags::default();
    for tag in set.all("Tag") {
        tag.only(&["Key", "Value"])?;
        let (key, value) = (tag.required_value("Key")?, tag.required_value("Value")?);
        check_tag(key, value, tagged)?;
        if tags.contains_key(key) {
            return Err(match tagged {
                // So AWS answers; the request as a whole is at fault, not the server.
                Tagged::NewBucket => AwsError::internal(),
                Tagged::Object | Tagged::Bucket => {
                    AwsError::invalid_tag("Cannot provide multiple Tags with the same key")
                        .with("TagKey", key)
                }
            });
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    match tagged {
        Tagged::Object if tags.len() > OBJECT_TAGS_MAX => Err(AwsError::too_many_object_tags()),
        Tagged::Bucket | Tagged::NewBucket if tags.len() > BUCKET_TAGS_MAX => {
            Err(AwsError::too_many_bucket_tags())
        }
        _ => Ok(tags),
    }
}

fn check_tag(key: &str, value: &str, tagged: Tagged) -> Result<(), AwsError> {
    if !is_key(key) {
        return Err(AwsError::invalid_tag("The TagKey you have provided is invalid").with("TagKey", key));
    }
    if !is_value(value) {
        return Err(AwsError::invalid_tag("The TagValue you have provided is invalid")
            .with("TagKey", key)
            .with("TagValue", value));
    }
    if !is_reserved(key) {
        return Ok(());
    }
    Err(match tagged {
        Tagged::Object => {
            AwsError::invalid_tag("Your TagKey cannot be prefixed with aws:").with("TagKey", key)
        }
        Tagged::Bucket => {
            AwsError::invalid_tag("System tags cannot be added/updated by requester").with("TagKey", key)
        }
        Tagged::NewBucket => AwsError::reserved_tag_key(),
    })
}

pub(super) fn is_key(key: &str) -> bool {
    (1..=KEY_LENGTH_MAX).contains(&key.chars().count()) && key.chars().all(is_allowed)
}

pub(super) fn is_value(value: &str) -> bool {
    value.chars().count() <= VALUE_LENGTH_MAX && value.chars().all(is_allowed)
}

pub(super) fn is_reserved(key: &str) -> bool {
    key.starts_with("aws:")
}

fn is_allowed(character: char) -> bool {
    character.is_alphanumeric() || character.is_whitespace() || "_.:/=+-@".contains(character)
}

/// Reads the header `x-amz-tagging`: tags as URL query parameters.
pub(crate) fn parse_header(text: &str) -> Result<Tags, AwsError> {
    let mut tags = Tags::default();
    for (key, value) in Query::parse(text).iter() {
        if !is_key(key) || !is_value(value) || is_reserved(key) || tags.contains_key(key) {
            return Err(AwsError::invalid_tagging_header(text));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    if tags.len() > OBJECT_TAGS_MAX { Err(AwsError::too_many_object_tags()) } else { Ok(tags) }
}

/// Adds the condition keys that tell policies which tags a request is about to put on an object.
pub(crate) fn describe(requirement: Requirement, tags: Option<&Tags>) -> Requirement {
    let Some(tags) = tags else { return requirement };
    let requirement =
        requirement.with_many("s3:RequestObjectTagKeys", tags.iter().map(|(key, _)| key.to_owned()));
    tags.iter().fold(requirement, |requirement, (key, value)| {
        requirement.with(format!("s3:RequestObjectTag/{key}"), value)
    })
}

/// A set of tags as a document, of an object or of a bucket.
pub(crate) fn write_tags(tags: &Tags) -> Element {
    let set =
        tags.iter().map(|(key, value)| Element::new("Tag").with_text("Key", key).with_text("Value", value));
    Element::new("Tagging").with(Element::new("TagSet").with_all(set))
}

/// Reads the body that puts tags.
pub(crate) fn parse_body(body: &[u8], tagged: Tagged) -> Result<Tags, AwsError> {
    let root = Element::parse(body, "Tagging")?;
    root.only(&["TagSet"])?;
    // No set is an empty one.
    root.child("TagSet")?.map_or_else(|| Ok(Tags::default()), |set| read_tags(set, tagged))
}

impl Document for Tags {
    const ROOT: &'static str = "Tagging";

    fn read(root: &Element) -> Result<Self, AwsError> {
        root.only(&["TagSet"])?;
        root.child("TagSet")?.map_or_else(|| Ok(Tags::default()), |set| read_tags(set, Tagged::Bucket))
    }

    fn write(&self) -> Element {
        write_tags(self)
    }
}

impl Configuration for Tags {
    const GET: Op = Op::GetBucketTagging;
    const PUT: Op = Op::PutBucketTagging;
    const GET_ACTION: &'static str = "s3:GetBucketTagging";
    const PUT_ACTION: &'static str = "s3:PutBucketTagging";

    fn get(bucket: &Bucket) -> Result<Self, AwsError> {
        let missing = || AwsError::no_such_tag_set(&bucket.name);
        if bucket.tags.is_empty() { Err(missing()) } else { Ok(bucket.tags.clone()) }
    }

    fn check(&self, _: &Bucket, _: &World) -> Result<(), AwsError> {
        Ok(())
    }

    fn put(self, bucket: &mut Bucket) {
        bucket.tags = self;
    }
}

impl Removable for Tags {
    const DELETE: Op = Op::DeleteBucketTagging;
    const DELETE_ACTION: &'static str = "s3:PutBucketTagging";

    fn remove(bucket: &mut Bucket) {
        bucket.tags = Self::default();
    }
}

/// The object whose tags are meant.
#[derive(Clone, Debug)]
pub(crate) struct TagsOf {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version_id: Option<String>,
}

/// `GetObjectTagging`.
#[derive(Debug)]
pub(crate) struct GetObjectTagging(pub(crate) TagsOf);

/// `DeleteObjectTagging`.
#[derive(Debug)]
pub(crate) struct DeleteObjectTagging(pub(crate) TagsOf);

/// `PutObjectTagging`.
#[derive(Debug)]
pub(crate) struct PutObjectTagging {
    pub(crate) object: TagsOf,
    /// The tags, or what is wrong with them.
    pub(crate) tags: Result<Tags, AwsError>,
}

/// The tags of a version.
#[derive(Debug)]
pub(crate) struct ObjectTags {
    pub(crate) tags: Tags,
    /// Only in a bucket that is or was versioned.
    pub(crate) version: Option<VersionId>,
}

impl TagsOf {
    fn target(&self) -> Target<'_> {
        Target::Object(&self.bucket, &self.key)
    }

    /// The permission, in its twin for versions if one is named.
    fn require(
        &self,
        world: &World,
        action: &'static str,
        of_version: &'static str,
    ) -> Result<Vec<Requirement>, AwsError> {
        let version_id = self.version_id.as_deref();
        let action = if version_id.is_some() { of_version } else { action };
        let requirement =
            Requirement::on_object(action, &self.bucket, &self.key).with_some("s3:versionid", version_id);
        let missing = missing_requirement(world, &self.bucket, &self.key, version_id)?;
        Ok(std::iter::once(requirement).chain(missing).collect())
    }

    /// The object; unlike other reads, AWS answers 405 for a delete marker also where no version is named.
    fn find(&self, bucket: &Bucket) -> Result<VersionId, AwsError> {
        let newest = bucket.objects.newest(&self.key);
        match (self.version_id.as_deref(), newest) {
            (None, Some(marker)) if marker.object().is_none() => {
                Err(AwsError::is_delete_marker(marker.id().as_str()))
            }
            (version, _) => Ok(bucket.object(&self.key, version)?.version.clone()),
        }
    }

    /// Changes the object in place, announces it and tells its version.
    fn change(
        &self,
        world: &mut World,
        kind: EventKind,
        change: impl FnOnce(&mut Object),
    ) -> Result<Option<VersionId>, AwsError> {
        let bucket = world.bucket_mut(&self.bucket)?;
        let version = self.find(bucket)?;
        if let Some(object) = bucket.objects.object_mut(&self.key, Some(&version)) {
            change(object);
        }
        let shown = bucket.shown(&version).cloned();
        world.announce_changed(kind, &self.bucket, &self.key, &version);
        Ok(shown)
    }
}

impl Operation for GetObjectTagging {
    type Output = ObjectTags;
    const OP: Op = Op::GetObjectTagging;

    fn target(&self) -> Target<'_> {
        self.0.target()
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        self.0.require(world, "s3:GetObjectTagging", "s3:GetObjectVersionTagging")
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<ObjectTags, AwsError> {
        let Self(of) = authorized.into_operation();
        let bucket = world.bucket(&of.bucket)?;
        let version = of.find(bucket).map_err(|error| match &*error.code {
            // AWS names the bucket too, here alone.
            "NoSuchKey" => AwsError::no_such_key(&format!("{}/{}", of.bucket, of.key)),
            _ => error,
        })?;
        let object = bucket.objects.version(&of.key, &version).and_then(|version| version.object());
        let tags = object.map(|object| object.attributes.tags.clone()).unwrap_or_default();
        Ok(ObjectTags { tags, version: bucket.shown(&version).cloned() })
    }
}

impl Operation for PutObjectTagging {
    type Output = Option<VersionId>;
    const OP: Op = Op::PutObjectTagging;

    fn target(&self) -> Target<'_> {
        self.object.target()
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let required = self.object.require(world, "s3:PutObjectTagging", "s3:PutObjectVersionTagging")?;
        let tags = self.tags.as_ref().ok();
        let describes = |requirement: &Requirement| requirement.action != "s3:ListBucket";
        Ok(required
            .into_iter()
            .map(
                |requirement| {
                    if describes(&requirement) { describe(requirement, tags) } else { requirement }
                },
            )
            .collect())
    }

    fn apply(
        authorized: Authorized<Self>,
        world: &mut World,
        _: Timestamp,
    ) -> Result<Option<VersionId>, AwsError> {
        let Self { object, tags } = authorized.into_operation();
        let tags = tags?;
        object.change(world, EventKind::TaggingPut, |object| object.attributes.tags = tags)
    }
}

impl Operation for DeleteObjectTagging {
    type Output = Option<VersionId>;
    const OP: Op = Op::DeleteObjectTagging;

    fn target(&self) -> Target<'_> {
        self.0.target()
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        self.0.require(world, "s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging")
    }

    fn apply(
        authorized: Authorized<Self>,
        world: &mut World,
        _: Timestamp,
    ) -> Result<Option<VersionId>, AwsError> {
        let Self(object) = authorized.into_operation();
        object.change(world, EventKind::TaggingDelete, |object| object.attributes.tags = Tags::default())
    }
}

/// The actions whose policies may look at the tags that an object has.
///
/// Source: the Service Authorization Reference; writing or deleting an object is not among them.
const LOOK_AT_TAGS: [&str; 14] = [
    "s3:DeleteObjectTagging",
    "s3:DeleteObjectVersionTagging",
    "s3:GetObject",
    "s3:GetObjectAcl",
    "s3:GetObjectAttributes",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionAttributes",
    "s3:GetObjectVersionTagging",
    "s3:PutObjectAcl",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionAcl",
    "s3:PutObjectVersionTagging",
];

/// The tags that policies see of the object that an action is about, if they may; `version_id` as the request names it.
pub(crate) fn existing_tags<'a>(
    world: &'a World,
    action: &str,
    bucket: &str,
    key: &str,
    version_id: Option<&str>,
) -> Option<&'a Tags> {
    if !LOOK_AT_TAGS.contains(&action) {
        return None;
    }
    let objects = &world.buckets.get(bucket)?.objects;
    let object = match version_id {
        None => objects.current(key)?,
        Some(id) => objects.version(key, &VersionId::parse(id)?)?.object()?,
    };
    Some(&object.attributes.tags).filter(|tags| !tags.is_empty())
}
