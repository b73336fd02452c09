//! Tags: `TagResource`, `UntagResource`, `ListResourceTags`.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;

use super::KmsOperation;
use super::answer::{Answer, PageRequest};
use super::input::{Input, Tag};
use super::requirement::{on_key, with_request_tags};
use super::word::refuse;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::{KeyScope, World};

/// The most tags that a key can have.
const TAGS_MAX: usize = 50;

/// The checks beyond the lengths: AWS names its own tags, each name stands once, and there is an end.
///
/// Source: recorded answers; their order among each other is unverified.
pub(crate) fn check_tags(tags: &[Tag]) -> Result<(), AwsError> {
    let reserved = |name: &str| name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"));
    if tags.iter().any(|(name, _)| reserved(name)) {
        return Err(refuse("TagException", "Tags beginning with aws: are reserved"));
    }
    if tags.iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len() < tags.len() {
        return Err(refuse("TagException", "Duplicate tag keys"));
    }
    check_number(tags.len())
}

fn check_number(tags: usize) -> Result<(), AwsError> {
    if tags > TAGS_MAX { Err(refuse("TagException", "Too many tags")) } else { Ok(()) }
}

/// Adds tags, or gives them other values.
#[derive(Debug)]
pub(super) struct TagResource {
    scope: KeyScope,
    key: String,
    tags: Vec<Tag>,
}

impl KmsOperation for TagResource {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        let operation = Self {
            scope,
            key: input.key_id()?,
            tags: input.required("Tags", Input::tags)?.unwrap_or_default(),
        };
        if !input.is_broken() {
            check_tags(&operation.tags)?;
        }
        Ok(operation)
    }
}

impl Operation for TagResource {
    type Output = Answer;
    const OP: Op = Op::KmsTagResource;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let key = world.keys.resolve_without_alias(&self.scope, &self.key)?;
        Ok(vec![with_request_tags(on_key("kms:TagResource", key), &self.tags)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, key, tags } = authorized.into_operation();
        let key = world.keys.resolve_without_alias(&scope, &key)?;
        let key = world.keys.get_mut(&key)?;
        key.check_alive()?;
        let mut all = key.tags.clone();
        all.extend(tags);
        check_number(all.len())?;
        key.tags = all;
        Ok(Answer::empty())
    }
}

/// Takes tags away; those that are not there are no error.
#[derive(Debug)]
pub(super) struct UntagResource {
    scope: KeyScope,
    key: String,
    names: Vec<String>,
}

impl KmsOperation for UntagResource {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        let key = input.key_id()?;
        let names = input.required("TagKeys", |input| input.texts("TagKeys", 1..=128))?;
        Ok(Self { scope, key, names: names.unwrap_or_default() })
    }
}

impl Operation for UntagResource {
    type Output = Answer;
    const OP: Op = Op::KmsUntagResource;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let key = world.keys.resolve_without_alias(&self.scope, &self.key)?;
        Ok(vec![on_key("kms:UntagResource", key).with_many("aws:TagKeys", &self.names)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, key, names } = authorized.into_operation();
        let key = world.keys.resolve_without_alias(&scope, &key)?;
        let key = world.keys.get_mut(&key)?;
        key.check_alive()?;
        key.tags.retain(|name, _| !names.contains(name));
        Ok(Answer::empty())
    }
}

/// The tags of a key, in the order of their names.
#[derive(Debug)]
pub(super) struct ListResourceTags {
    scope: KeyScope,
    key: String,
    page: PageRequest,
}

impl KmsOperation for ListResourceTags {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        Ok(Self { scope, key: input.key_id()?, page: input.page(50, 50)? })
    }
}

impl Operation for ListResourceTags {
    type Output = Answer;
    const OP: Op = Op::ListResourceTags;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let key = world.keys.resolve_without_alias(&self.scope, &self.key)?;
        Ok(vec![on_key("kms:ListResourceTags", key)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, key, page } = authorized.into_operation();
        let key = world.keys.get(&world.keys.resolve_without_alias(&scope, &key)?)?;
        let page = page.page(&key.tags, |(name, _)| (*name).clone())?;
        Ok(page.answer("Tags", |(name, value)| json!({ "TagKey": name, "TagValue": value })))
    }
}
