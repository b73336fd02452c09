//! Users.

use bucketproof_authz::Arn;

use super::action::{Access, Action, Resource, Scope};
use super::attached::attachable;
use super::form::{Form, Whose, add_tags};
use super::page::Page;
use super::show;
use super::things::{OfUser, Thing};
use crate::error::AwsError;
use crate::operation::Op;
use crate::query::Fields;
use crate::state::{Account, EntityKind, Holder, IamTags, User};

/// How many users an account may have.
pub(super) const USERS_MAX: usize = 5000;

#[derive(Debug)]
pub(super) struct CreateUser {
    path: String,
    name: String,
    boundary: Option<String>,
    tags: IamTags,
}

#[derive(Debug)]
pub(super) struct GetUser(Whose);

#[derive(Debug)]
pub(super) struct ListUsers {
    path_prefix: String,
    page: Page,
}

#[derive(Debug)]
pub(super) struct UpdateUser {
    name: String,
    new_path: Option<String>,
    new_name: Option<String>,
}

#[derive(Debug)]
pub(super) struct DeleteUser {
    name: String,
}

/// What a call about a user, or about the root user, is authorized on.
pub(super) fn whose_access(op: Op, account: &Account, whose: &Whose) -> Access {
    match whose {
        Whose::User(name) => OfUser::access(op, account, name),
        Whose::Root => Access::to(op, account, Resource::arn(format!("arn:aws:iam::{}:root", account.id))),
    }
}

impl Action for CreateUser {
    const OP: Op = Op::CreateUser;

    fn read(form: &mut Form<'_>) -> Self {
        Self {
            path: form.path(),
            name: form.new_name(EntityKind::User),
            boundary: form.optional_arn("PermissionsBoundary"),
            tags: form.tags(),
        }
    }

    fn access(&self, account: &Account) -> Access {
        let resource = Resource::new(EntityKind::User, account, &self.path, &self.name);
        Access::to(Self::OP, account, resource)
            .with_some("iam:PermissionsBoundary", self.boundary.as_deref())
            .with_tags(&self.tags)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account()?;
        if account.users.contains(&self.name) {
            return Err(AwsError::already_exists(EntityKind::User, &self.name));
        }
        if account.users.len() >= USERS_MAX {
            return Err(AwsError::quota_exceeded("UsersPerAccount", USERS_MAX));
        }
        let boundary = self.boundary.map(|arn| attachable(account, &arn)).transpose()?;
        let mut user = User::new(scope.entity(EntityKind::User, &self.path, &self.name)?);
        user.boundary = boundary;
        add_tags(&mut user.tags, &self.tags)?;
        let fields = show::user(&user).and(show::tags(&user.tags));
        scope.account_mut()?.users.insert(user);
        Ok(Some(Fields::new().fields("User", fields)))
    }
}

impl Action for GetUser {
    const OP: Op = Op::GetUser;

    fn read(form: &mut Form<'_>) -> Self {
        Self(form.whose())
    }

    fn access(&self, account: &Account) -> Access {
        whose_access(Self::OP, account, &self.0)
    }

    /// A root user has no path, and no name but the alias of its account.
    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account()?;
        let fields = match &self.0 {
            Whose::User(name) => {
                show::whole_user(account.users.get(name).ok_or_else(|| OfUser::missing(name))?)
            }
            Whose::Root => Fields::new()
                .some("UserName", account.alias.as_ref())
                .text("UserId", &account.id)
                .text("Arn", format!("arn:aws:iam::{}:root", account.id))
                .time("CreateDate", account.created_at),
        };
        Ok(Some(Fields::new().fields("User", fields)))
    }
}

impl Action for ListUsers {
    const OP: Op = Op::ListUsers;

    fn read(form: &mut Form<'_>) -> Self {
        Self { path_prefix: form.path_prefix(), page: form.page() }
    }

    fn access(&self, account: &Account) -> Access {
        Access::to(Self::OP, account, Resource::new(EntityKind::User, account, &self.path_prefix, ""))
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let users = scope.account()?.users.iter();
        let list = users
            .filter(|user| user.entity.path.starts_with(&self.path_prefix))
            .map(|user| (user.entity.name.to_ascii_lowercase(), show::user(user)));
        Ok(Some(self.page.list("Users", list)))
    }
}

impl Action for UpdateUser {
    const OP: Op = Op::UpdateUser;

    fn read(form: &mut Form<'_>) -> Self {
        Self {
            name: form.name(EntityKind::User),
            new_path: form.changed_path("NewPath"),
            new_name: form.changed_name("NewUserName", EntityKind::User),
        }
    }

    /// The new name must be permitted as well (IAM User Guide, "Renaming an IAM user").
    fn access(&self, account: &Account) -> Access {
        let access = OfUser::access(Self::OP, account, &self.name);
        match (&self.new_name, &self.new_path) {
            (None, None) => access,
            (name, path) => {
                let old = account.users.get(&self.name).map(|user| &user.entity);
                let path = path.as_deref().or(old.map(|old| old.path.as_str())).unwrap_or("/");
                let name = name.as_deref().unwrap_or(&self.name);
                let resource = Resource::new(EntityKind::User, account, path, name);
                access.and(Access::to(Self::OP, account, resource))
            }
        }
    }

    /// The unique id stays, and with it every grant that is bound to it; access keys stay too.
    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let id = scope.id.clone();
        let account = scope.account_mut()?;
        let mut user = account.users.remove(&self.name).ok_or_else(|| OfUser::missing(&self.name))?;
        let name = self.new_name.unwrap_or_else(|| user.entity.name.clone());
        if account.users.contains(&name) {
            account.users.insert(user);
            return Err(AwsError::already_exists(EntityKind::User, &name));
        }
        let path = self.new_path.unwrap_or_else(|| user.entity.path.clone());
        user.entity = user.entity.renamed(&id, &path, &name).map_err(|_| AwsError::internal())?;
        let keys = user.access_keys.clone();
        account.users.insert(user);
        for key in keys {
            if let Some(key) = scope.world.accounts.access_key_mut(&key) {
                key.holder = Holder::User { account: id.clone(), name: name.clone() };
            }
        }
        Ok(None)
    }
}

impl Action for DeleteUser {
    const OP: Op = Op::DeleteUser;

    fn read(form: &mut Form<'_>) -> Self {
        Self { name: form.name(EntityKind::User) }
    }

    fn access(&self, account: &Account) -> Access {
        let boundary = account.users.get(&self.name).and_then(|user| user.boundary.as_ref());
        OfUser::access(Self::OP, account, &self.name)
            .with_some("iam:PermissionsBoundary", boundary.map(Arn::as_str))
    }

    /// What stands in the way is told one thing at a time; AWS's order is unverified, and its text for groups.
    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account_mut()?;
        let user = account.users.get(&self.name).ok_or_else(|| OfUser::missing(&self.name))?;
        let in_the_way = [
            (user.policies.managed.is_empty(), "detach all policies"),
            (user.policies.inline.is_empty(), "delete policies"),
            (user.access_keys.is_empty(), "delete access keys"),
            (user.groups.is_empty(), "remove users from group"),
        ];
        if let Some((_, what)) = in_the_way.iter().find(|(is_empty, _)| !is_empty) {
            return Err(AwsError::delete_conflict(what));
        }
        account.users.remove(&self.name);
        Ok(None)
    }
}
