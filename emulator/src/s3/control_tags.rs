//! The tags of a bucket by way of S3 Control: added and taken one by one, where S3 itself puts and deletes the whole set.
//!
//! They are the same tags. Source: Service Authorization Reference (actions and condition keys), and recorded answers.
//! Unverified: what a bucket of another account than the one named answers; here the same as one that is not there.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::document::Element;
use super::public_access::NamedAccount;
use super::tagging::{BUCKET_TAGS_MAX, is_key, is_reserved, is_value};
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::{Tags, World};

/// The parameter that names a tag to be taken away.
pub(crate) const OWN_TAGS: &str = "tagKeys";
/// What stands before the name of a bucket in its ARN.
const BUCKET_ARN: &str = "arn:aws:s3:::";

/// A bucket, and the account that is said to own it.
#[derive(Debug)]
pub(crate) struct TaggedBucket {
    pub(crate) account: NamedAccount,
    pub(crate) bucket: String,
}

/// `ListTagsForResource` on a bucket.
#[derive(Debug)]
pub(crate) struct ListTagsOfBucket(pub(crate) TaggedBucket);

/// `TagResource` on a bucket.
#[derive(Debug)]
pub(crate) struct TagBucket {
    pub(crate) of: TaggedBucket,
    /// The tags, or what is wrong with them.
    pub(crate) tags: Result<Tags, AwsError>,
}

/// `UntagResource` on a bucket.
#[derive(Debug)]
pub(crate) struct UntagBucket {
    pub(crate) of: TaggedBucket,
    pub(crate) keys: Vec<String>,
}

/// The bucket that an ARN names; other resources have tags as well, which are refused by their ARN.
pub(crate) fn bucket_of(arn: &str) -> Result<String, AwsError> {
    arn.strip_prefix(BUCKET_ARN)
        .filter(|name| !name.is_empty() && !name.contains(['/', ':', '*']))
        .map(str::to_owned)
        .ok_or_else(|| AwsError::not_implemented(format!("to tag `{arn}` by way of S3 Control")))
}

/// Reads the body of `TagResource`.
pub(crate) fn read_tag_request(body: &[u8]) -> Result<Tags, AwsError> {
    let root = Element::parse(body, "TagResourceRequest")?;
    root.only(&["Tags"])?;
    let listed = root.required("Tags")?;
    listed.only(&["Tag"])?;
    let mut tags = Tags::default();
    for tag in listed.all("Tag") {
        tag.only(&["Key", "Value"])?;
        let (key, value) = (tag.required_value("Key")?, tag.required_value("Value")?);
        if !is_key(key) || !is_value(value) {
            return Err(AwsError::invalid_tag(
                "This request contains a tag key or value that isn't valid. Valid characters include the \
                 following: [a-zA-Z+-=._:/]. Tag keys can contain up to 128 characters. Tag values can contain \
                 up to 256 characters.",
            ));
        }
        if is_reserved(key) {
            return Err(AwsError::reserved_tag_key());
        }
        if tags.contains_key(key) {
            return Err(AwsError::invalid_tag(
                "There are duplicate tag keys in your request. Remove the duplicate tag keys and try again.",
            ));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    Ok(tags)
}

/// The tags as `ListTagsForResource` answers them.
pub(crate) fn write_tags(tags: &Tags) -> Element {
    let listed =
        tags.iter().map(|(key, value)| Element::new("Tag").with_text("Key", key).with_text("Value", value));
    Element::new("ListTagsForResourceResult").with(Element::new("Tags").with_all(listed))
}

impl TaggedBucket {
    /// The permission on the bucket, if it is there and belongs to the account.
    fn require(&self, action: &'static str, world: &World) -> Result<Requirement, AwsError> {
        let bucket = world.buckets.get(&self.bucket);
        bucket
            .filter(|bucket| bucket.owner.as_str() == self.account.0)
            .map(|_| Requirement::on_bucket(action, &self.bucket))
            .ok_or_else(AwsError::no_such_tagged_resource)
    }

    fn target(&self) -> Target<'_> {
        Target::Bucket(&self.bucket)
    }
}

impl Operation for ListTagsOfBucket {
    type Output = Tags;
    const OP: Op = Op::ControlListTagsForResource;

    fn target(&self) -> Target<'_> {
        self.0.target()
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![self.0.require("s3:ListTagsForResource", world)?])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Tags, AwsError> {
        Ok(world.bucket(&authorized.operation().0.bucket)?.tags.clone())
    }
}

impl Operation for TagBucket {
    type Output = ();
    const OP: Op = Op::ControlTagResource;

    fn target(&self) -> Target<'_> {
        self.of.target()
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let requirement = self.of.require("s3:TagResource", world)?;
        let Ok(tags) = &self.tags else { return Ok(vec![requirement]) };
        let requirement = requirement.with_many("aws:TagKeys", tags.iter().map(|(key, _)| key));
        let described = tags.iter().fold(requirement, |requirement, (key, value)| {
            requirement.with(format!("aws:RequestTag/{key}"), value)
        });
        Ok(vec![described])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<(), AwsError> {
        let Self { of, tags } = authorized.into_operation();
        let tags = tags?;
        let mut all = world.bucket(&of.bucket)?.tags.clone();
        for (key, value) in tags.iter() {
            all.insert(key.to_owned(), value.to_owned());
        }
        if all.len() > BUCKET_TAGS_MAX {
            return Err(AwsError::too_many_bucket_tags());
        }
        world.bucket_mut(&of.bucket)?.tags = all;
        Ok(())
    }
}

impl Operation for UntagBucket {
    type Output = ();
    const OP: Op = Op::ControlUntagResource;

    fn target(&self) -> Target<'_> {
        self.of.target()
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let requirement = self.of.require("s3:UntagResource", world)?;
        let keys: BTreeSet<&str> = self.keys.iter().map(String::as_str).collect();
        Ok(vec![requirement.with_many("aws:TagKeys", keys)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<(), AwsError> {
        let Self { of, keys } = authorized.into_operation();
        let bucket = world.bucket_mut(&of.bucket)?;
        for key in &keys {
            bucket.tags.remove(key);
        }
        Ok(())
    }
}
