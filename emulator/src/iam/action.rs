//! What an IAM action is: read from a form, permitted on a resource, done within the caller's account.

use std::fmt;

use bucketproof_authz::AccountId;
use jiff::Timestamp;

use super::form::Form;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, RequiredResource, Requirement, Target};
use crate::query::Fields;
use crate::state::{Account, Entity, EntityKind, IamTags, World};

/// One action of the interface.
pub(super) trait Action: Sized + fmt::Debug {
    const OP: Op;

    /// Reads the parameters; what is wrong with them collects in the form.
    fn read(form: &mut Form<'_>) -> Self;

    /// What the caller must be permitted.
    fn access(&self, account: &Account) -> Access;

    /// Does it. Without a result the answer is an id alone.
    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError>;
}

/// What IAM calls are authorized on.
#[derive(Debug)]
pub(super) struct Resource {
    arn: String,
    shown: Option<String>,
    tags: Vec<(String, String)>,
}

impl Resource {
    /// Everything, for actions without a resource.
    pub(super) fn any() -> Self {
        Self { arn: "*".to_owned(), shown: None, tags: Vec::new() }
    }

    /// What has this ARN and is about to be made or listed.
    pub(super) fn arn(arn: impl Into<String>) -> Self {
        Self { arn: arn.into(), shown: None, tags: Vec::new() }
    }

    /// What is about to be made under a path and a name.
    pub(super) fn new(kind: EntityKind, account: &Account, path: &str, name: &str) -> Self {
        Self::arn(kind.arn(account.id.as_str(), path, name))
    }

    /// As AWS names it in a denial, where that is not the ARN. Reported, not recorded.
    pub(super) fn shown_as(mut self, shown: impl Into<String>) -> Self {
        self.shown = Some(shown.into());
        self
    }

    pub(super) fn tagged(mut self, tags: Option<&IamTags>) -> Self {
        let tags = tags.map(IamTags::iter).into_iter().flatten();
        self.tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        self
    }

    /// An entity that is named by a request, whether it exists or not.
    pub(super) fn named(
        kind: EntityKind,
        account: &Account,
        name: &str,
        found: Option<(&Entity, Option<&IamTags>)>,
    ) -> Self {
        let word = match kind {
            EntityKind::User => "user",
            EntityKind::Group => "group",
            EntityKind::Role => "role",
            EntityKind::Policy => "policy",
            EntityKind::InstanceProfile => "instance profile",
        };
        let arn = match (kind, found) {
            (_, Some((entity, _))) => entity.arn.as_str().to_owned(),
            // Policies are named by their ARNs.
            (EntityKind::Policy, None) => name.to_owned(),
            (_, None) => kind.arn(account.id.as_str(), "/", name),
        };
        Self::arn(arn).shown_as(format!("{word} {name}")).tagged(found.and_then(|(_, tags)| tags))
    }
}

/// The permissions that a call needs.
#[derive(Debug)]
pub(super) struct Access(Vec<Requirement>);

impl Access {
    /// The action of the same name as the operation, on a resource of the account.
    pub(super) fn to(op: Op, account: &Account, resource: Resource) -> Self {
        Self(vec![Self::requirement(op.qualified_name(), account, resource)])
    }

    fn requirement(action: &'static str, account: &Account, resource: Resource) -> Requirement {
        let Resource { arn, shown, tags } = resource;
        let required = RequiredResource::Iam { arn, account: account.id.clone(), shown };
        let mut requirement = Requirement::new(action, required);
        for (key, value) in tags {
            requirement = requirement
                .with(format!("iam:ResourceTag/{key}"), value.as_str())
                .with(format!("aws:ResourceTag/{key}"), value);
        }
        requirement
    }

    /// A second action on another resource, with its own condition keys.
    pub(super) fn and(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }

    /// `iam:PassRole` for handing a role to a service.
    pub(super) fn pass_role(account: &Account, role: Resource, service: &str) -> Self {
        Self(vec![Self::requirement("iam:PassRole", account, role).with("iam:PassedToService", service)])
    }

    /// A condition key of the requirement last added.
    pub(super) fn with(self, key: &'static str, value: impl Into<String>) -> Self {
        self.change(|requirement| requirement.with(key, value))
    }

    pub(super) fn with_some(self, key: &'static str, value: Option<&str>) -> Self {
        self.change(|requirement| requirement.with_some(key, value))
    }

    /// The tags that the request sets.
    pub(super) fn with_tags(self, tags: &IamTags) -> Self {
        if tags.is_empty() {
            return self;
        }
        let described = self.change(|requirement| {
            tags.iter().fold(requirement, |requirement, (key, value)| {
                requirement.with(format!("aws:RequestTag/{key}"), value)
            })
        });
        described.with_tag_keys(tags.iter().map(|(key, _)| key))
    }

    /// The keys of the tags that the request sets or removes.
    pub(super) fn with_tag_keys<'k>(self, keys: impl Iterator<Item = &'k str>) -> Self {
        let keys: Vec<String> = keys.map(str::to_owned).collect();
        self.change(|requirement| requirement.with_many("aws:TagKeys", keys))
    }

    fn change(mut self, change: impl FnOnce(Requirement) -> Requirement) -> Self {
        if let Some(last) = self.0.pop() {
            self.0.push(change(last));
        }
        self
    }
}

/// Where an action works.
pub(super) struct Scope<'a> {
    pub(super) world: &'a mut World,
    pub(super) id: AccountId,
    pub(super) now: Timestamp,
}

impl Scope<'_> {
    pub(super) fn account(&self) -> Result<&Account, AwsError> {
        self.world.accounts.get(&self.id).ok_or_else(AwsError::internal)
    }

    pub(super) fn account_mut(&mut self) -> Result<&mut Account, AwsError> {
        self.world.accounts.get_mut(&self.id).ok_or_else(AwsError::internal)
    }

    /// A new entity of the account, with a unique id of its own.
    pub(super) fn entity(&self, kind: EntityKind, path: &str, name: &str) -> Result<Entity, AwsError> {
        Entity::new(kind, &self.id, path, name, &self.world.entropy, self.now)
            .map_err(|_| AwsError::internal())
    }
}

/// An action on its way through the gate.
#[derive(Debug)]
pub(super) struct Call<A> {
    pub(super) action: A,
    pub(super) account: AccountId,
}

impl<A: Action> Operation for Call<A> {
    type Output = Option<Fields>;
    const OP: Op = A::OP;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let account = world.accounts.get(&self.account).ok_or_else(AwsError::internal)?;
        Ok(self.action.access(account).0)
    }

    fn apply(
        authorized: Authorized<Self>,
        world: &mut World,
        now: Timestamp,
    ) -> Result<Self::Output, AwsError> {
        let Self { action, account } = authorized.into_operation();
        action.apply(&mut Scope { world, id: account, now })
    }
}
