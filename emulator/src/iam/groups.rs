//! Groups and who is in them.

use super::action::{Access, Action, Resource, Scope};
use super::form::Form;
use super::page::Page;
use super::show;
use super::things::{OfGroup, OfUser, Thing};
use crate::error::AwsError;
use crate::operation::Op;
use crate::query::Fields;
use crate::state::{Account, Attached, EntityKind, Group, User};

/// How many groups an account may have, and a user may be in.
pub(super) const GROUPS_MAX: usize = 300;
pub(super) const GROUPS_PER_USER_MAX: usize = 10;

#[derive(Debug)]
pub(super) struct CreateGroup {
    path: String,
    name: String,
}

#[derive(Debug)]
pub(super) struct GetGroup {
    name: String,
    page: Page,
}

#[derive(Debug)]
pub(super) struct ListGroups {
    path_prefix: String,
    page: Page,
}

#[derive(Debug)]
pub(super) struct UpdateGroup {
    name: String,
    new_path: Option<String>,
    new_name: Option<String>,
}

#[derive(Debug)]
pub(super) struct DeleteGroup {
    name: String,
}

#[derive(Debug)]
pub(super) struct AddUserToGroup {
    name: String,
    user: String,
}

#[derive(Debug)]
pub(super) struct RemoveUserFromGroup {
    name: String,
    user: String,
}

#[derive(Debug)]
pub(super) struct ListGroupsForUser {
    user: String,
    page: Page,
}

fn find<'a>(account: &'a Account, name: &str) -> Result<&'a Group, AwsError> {
    account.groups.get(name).ok_or_else(|| OfGroup::missing(name))
}

fn members<'a>(account: &'a Account, group: &'a Group) -> impl Iterator<Item = &'a User> {
    account.users.iter().filter(|user| user.groups.contains(&group.entity.unique_id))
}

fn listed(group: &Group) -> (String, Fields) {
    (group.entity.name.to_ascii_lowercase(), show::group(group))
}

impl Action for CreateGroup {
    const OP: Op = Op::CreateGroup;

    fn read(form: &mut Form<'_>) -> Self {
        Self { path: form.path(), name: form.new_name(EntityKind::Group) }
    }

    fn access(&self, account: &Account) -> Access {
        let resource = Resource::new(EntityKind::Group, account, &self.path, &self.name);
        Access::to(Self::OP, account, resource)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account()?;
        if account.groups.contains(&self.name) {
            return Err(AwsError::already_exists(EntityKind::Group, &self.name));
        }
        if account.groups.len() >= GROUPS_MAX {
            return Err(AwsError::quota_exceeded("GroupsPerAccount", GROUPS_MAX));
        }
        let entity = scope.entity(EntityKind::Group, &self.path, &self.name)?;
        let group = Group { entity, policies: Attached::default() };
        let fields = show::group(&group);
        scope.account_mut()?.groups.insert(group);
        Ok(Some(Fields::new().fields("Group", fields)))
    }
}

impl Action for GetGroup {
    const OP: Op = Op::GetGroup;

    fn read(form: &mut Form<'_>) -> Self {
        Self { name: form.name(EntityKind::Group), page: form.page() }
    }

    fn access(&self, account: &Account) -> Access {
        OfGroup::access(Self::OP, account, &self.name)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account()?;
        let group = find(account, &self.name)?;
        let users =
            members(account, group).map(|user| (user.entity.name.to_ascii_lowercase(), show::user(user)));
        Ok(Some(Fields::new().fields("Group", show::group(group)).and(self.page.list("Users", users))))
    }
}

impl Action for ListGroups {
    const OP: Op = Op::ListGroups;

    fn read(form: &mut Form<'_>) -> Self {
        Self { path_prefix: form.path_prefix(), page: form.page() }
    }

    fn access(&self, account: &Account) -> Access {
        Access::to(Self::OP, account, Resource::new(EntityKind::Group, account, &self.path_prefix, ""))
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let groups = scope.account()?.groups.iter();
        let list = groups.filter(|group| group.entity.path.starts_with(&self.path_prefix)).map(listed);
        Ok(Some(self.page.list("Groups", list)))
    }
}

impl Action for UpdateGroup {
    const OP: Op = Op::UpdateGroup;

    fn read(form: &mut Form<'_>) -> Self {
        Self {
            name: form.name(EntityKind::Group),
            new_path: form.changed_path("NewPath"),
            new_name: form.changed_name("NewGroupName", EntityKind::Group),
        }
    }

    /// The new name must be permitted as well (IAM API reference, "UpdateGroup").
    fn access(&self, account: &Account) -> Access {
        let access = OfGroup::access(Self::OP, account, &self.name);
        if self.new_name.is_none() && self.new_path.is_none() {
            return access;
        }
        let old = account.groups.get(&self.name).map(|group| &group.entity);
        let path = self.new_path.as_deref().or(old.map(|old| old.path.as_str())).unwrap_or("/");
        let name = self.new_name.as_deref().unwrap_or(&self.name);
        let resource = Resource::new(EntityKind::Group, account, path, name);
        access.and(Access::to(Self::OP, account, resource))
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let id = scope.id.clone();
        let account = scope.account_mut()?;
        let mut group = account.groups.remove(&self.name).ok_or_else(|| OfGroup::missing(&self.name))?;
        let name = self.new_name.unwrap_or_else(|| group.entity.name.clone());
        if account.groups.contains(&name) {
            account.groups.insert(group);
            return Err(AwsError::already_exists(EntityKind::Group, &name));
        }
        let path = self.new_path.unwrap_or_else(|| group.entity.path.clone());
        group.entity = group.entity.renamed(&id, &path, &name).map_err(|_| AwsError::internal())?;
        account.groups.insert(group);
        Ok(None)
    }
}

impl Action for DeleteGroup {
    const OP: Op = Op::DeleteGroup;

    fn read(form: &mut Form<'_>) -> Self {
        Self { name: form.name(EntityKind::Group) }
    }

    fn access(&self, account: &Account) -> Access {
        OfGroup::access(Self::OP, account, &self.name)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account_mut()?;
        let group = find(account, &self.name)?;
        let in_the_way = [
            (group.policies.managed.is_empty(), "detach all policies"),
            (group.policies.inline.is_empty(), "delete policies"),
            (members(account, group).next().is_none(), "remove users from group"),
        ];
        if let Some((_, what)) = in_the_way.iter().find(|(is_empty, _)| !is_empty) {
            return Err(AwsError::delete_conflict(what));
        }
        account.groups.remove(&self.name);
        Ok(None)
    }
}

/// The group and the user of a call, or what is missing.
fn pair<'a>(account: &'a mut Account, group: &str, user: &str) -> Result<(String, &'a mut User), AwsError> {
    let group = find(account, group)?.entity.unique_id.clone();
    let user = account.users.get_mut(user).ok_or_else(|| OfUser::missing(user))?;
    Ok((group, user))
}

impl Action for AddUserToGroup {
    const OP: Op = Op::AddUserToGroup;

    fn read(form: &mut Form<'_>) -> Self {
        Self { name: form.name(EntityKind::Group), user: form.name(EntityKind::User) }
    }

    fn access(&self, account: &Account) -> Access {
        OfGroup::access(Self::OP, account, &self.name)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let (group, user) = pair(scope.account_mut()?, &self.name, &self.user)?;
        if user.groups.len() >= GROUPS_PER_USER_MAX && !user.groups.contains(&group) {
            return Err(AwsError::quota_exceeded("GroupsPerUser", GROUPS_PER_USER_MAX));
        }
        user.groups.insert(group);
        Ok(None)
    }
}

impl Action for RemoveUserFromGroup {
    const OP: Op = Op::RemoveUserFromGroup;

    fn read(form: &mut Form<'_>) -> Self {
        Self { name: form.name(EntityKind::Group), user: form.name(EntityKind::User) }
    }

    fn access(&self, account: &Account) -> Access {
        OfGroup::access(Self::OP, account, &self.name)
    }

    /// A user who is not in the group is no error; AWS's answer is unverified.
    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let (group, user) = pair(scope.account_mut()?, &self.name, &self.user)?;
        user.groups.remove(&group);
        Ok(None)
    }
}

impl Action for ListGroupsForUser {
    const OP: Op = Op::ListGroupsForUser;

    fn read(form: &mut Form<'_>) -> Self {
        Self { user: form.name(EntityKind::User), page: form.page() }
    }

    fn access(&self, account: &Account) -> Access {
        OfUser::access(Self::OP, account, &self.user)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account()?;
        let user = account.users.get(&self.user).ok_or_else(|| OfUser::missing(&self.user))?;
        Ok(Some(self.page.list("Groups", account.groups_of(user).map(listed))))
    }
}
