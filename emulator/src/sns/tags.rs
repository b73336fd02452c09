//! `TagResource`, `UntagResource`, `ListTagsForResource`.

use std::collections::BTreeMap;

use bucketproof_authz::Arn;
use http::StatusCode;

use super::action::{Action, Scope, Who, on_topic};
use super::form::Form;
use crate::error::AwsError;
use crate::operation::{Op, Requirement};
use crate::query::Fields;
use crate::state::{Topic, World};

/// The most tags that a topic can have.
const TAGS_MAX: usize = 50;

#[derive(Debug)]
pub(super) struct TagResource {
    arn: Arn,
    tags: BTreeMap<String, String>,
}

#[derive(Debug)]
pub(super) struct UntagResource {
    arn: Arn,
    keys: Vec<String>,
}

#[derive(Debug)]
pub(super) struct ListTagsForResource {
    arn: Arn,
}

fn find<'s>(scope: &'s mut Scope<'_>, arn: &Arn) -> Result<&'s mut Topic, AwsError> {
    let missing = || AwsError::new(StatusCode::NOT_FOUND, "ResourceNotFound", "Resource does not exist");
    scope.topic_mut(arn).map_err(|_| missing())
}

impl Action for TagResource {
    const OP: Op = Op::SnsTagResource;

    fn read(form: &Form<'_>) -> Result<Self, AwsError> {
        Ok(Self { arn: form.topic("ResourceArn")?, tags: form.tags()? })
    }

    fn requirements(&self, _: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let requirement = on_topic("SNS:TagResource", &self.arn, world)?;
        let tagged = self.tags.iter().fold(requirement, |requirement, (key, value)| {
            requirement.with(format!("aws:RequestTag/{key}"), value.as_str())
        });
        Ok(vec![tagged.with_many("aws:TagKeys", self.tags.keys().cloned())])
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let topic = find(scope, &self.arn)?;
        let mut tags = topic.tags.clone();
        tags.extend(self.tags);
        if tags.len() > TAGS_MAX {
            let text = "Could not complete request: tag quota of per resource exceeded";
            return Err(AwsError::new(StatusCode::BAD_REQUEST, "TagLimitExceeded", text));
        }
        topic.tags = tags;
        Ok(Some(Fields::new()))
    }
}

impl Action for UntagResource {
    const OP: Op = Op::SnsUntagResource;

    fn read(form: &Form<'_>) -> Result<Self, AwsError> {
        let keys = form.parameters.list("TagKeys").into_iter().map(str::to_owned).collect();
        Ok(Self { arn: form.topic("ResourceArn")?, keys })
    }

    fn requirements(&self, _: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![on_topic("SNS:UntagResource", &self.arn, world)?.with_many("aws:TagKeys", self.keys.clone())])
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        find(scope, &self.arn)?.tags.retain(|key, _| !self.keys.contains(key));
        Ok(Some(Fields::new()))
    }
}

impl Action for ListTagsForResource {
    const OP: Op = Op::ListTagsForResource;

    fn read(form: &Form<'_>) -> Result<Self, AwsError> {
        Ok(Self { arn: form.topic("ResourceArn")? })
    }

    fn requirements(&self, _: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![on_topic("SNS:ListTagsForResource", &self.arn, world)?])
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let missing = || AwsError::new(StatusCode::NOT_FOUND, "ResourceNotFound", "Resource does not exist");
        let topic = scope.topic(&self.arn).map_err(|_| missing())?;
        let tags = topic.tags.iter().map(|(key, value)| Fields::new().text("Key", key).text("Value", value));
        Ok(Some(Fields::new().list("Tags", tags)))
    }
}
