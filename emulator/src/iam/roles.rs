//! Roles.

use bucketproof_authz::{Arn, DocumentKind, Policy, PolicyError, PolicyKind, PolicySource};

use super::action::{Access, Action, Resource, Scope};
use super::attached::attachable;
use super::form::{Form, add_tags};
use super::page::Page;
use super::show;
use super::things::{OfRole, Thing};
use crate::error::AwsError;
use crate::operation::Op;
use crate::query::{Fields, Text};
use crate::state::{Account, Accounts, EntityKind, IamTags, Role};

/// How many roles an account may have.
pub(super) const ROLES_MAX: usize = 1000;

const DESCRIPTION: Text = Text::of(0, 1000);
const SESSION_SECS_MIN: i64 = 3600;
const SESSION_SECS_MAX: i64 = 43_200;

#[derive(Debug)]
pub(super) struct CreateRole {
    path: String,
    name: String,
    trust: String,
    description: Option<String>,
    max_session_secs: Option<i64>,
    boundary: Option<String>,
    tags: IamTags,
}

#[derive(Debug)]
pub(super) struct GetRole {
    name: String,
}

#[derive(Debug)]
pub(super) struct ListRoles {
    path_prefix: String,
    page: Page,
}

#[derive(Debug)]
pub(super) struct UpdateRole {
    name: String,
    description: Option<String>,
    max_session_secs: Option<i64>,
}

#[derive(Debug)]
pub(super) struct UpdateRoleDescription {
    name: String,
    description: String,
}

#[derive(Debug)]
pub(super) struct UpdateAssumeRolePolicy {
    name: String,
    trust: String,
}

#[derive(Debug)]
pub(super) struct DeleteRole {
    name: String,
}

/// A trust policy as AWS takes it; it may name only principals that exist.
fn trust_policy(text: &str, role: &str, accounts: &Accounts) -> Result<Policy, AwsError> {
    let source = PolicySource::new(PolicyKind::Trust, role);
    let policy =
        Policy::parse_valid(text, source, DocumentKind::Trust).map_err(|error| AwsError::document(&error))?;
    if let Some(unknown) = policy.principals().find(|entry| !accounts.knows(&entry.principal)) {
        let error = PolicyError::invalid_principal(PolicyKind::Trust, &unknown.text, unknown.at);
        return Err(AwsError::document(&error));
    }
    Ok(accounts.bound(&policy))
}

fn find<'a>(account: &'a mut Account, name: &str) -> Result<&'a mut Role, AwsError> {
    account.roles.get_mut(name).ok_or_else(|| OfRole::missing(name))
}

fn max_session_secs(form: &mut Form<'_>) -> Option<i64> {
    form.reader.number("MaxSessionDuration", SESSION_SECS_MIN, SESSION_SECS_MAX)
}

impl Action for CreateRole {
    const OP: Op = Op::CreateRole;

    fn read(form: &mut Form<'_>) -> Self {
        Self {
            path: form.path(),
            name: form.new_name(EntityKind::Role),
            trust: form.document("AssumeRolePolicyDocument"),
            description: form.reader.optional("Description", DESCRIPTION),
            max_session_secs: max_session_secs(form),
            boundary: form.optional_arn("PermissionsBoundary"),
            tags: form.tags(),
        }
    }

    fn access(&self, account: &Account) -> Access {
        let resource = Resource::new(EntityKind::Role, account, &self.path, &self.name);
        Access::to(Self::OP, account, resource)
            .with_some("iam:PermissionsBoundary", self.boundary.as_deref())
            .with_tags(&self.tags)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account()?;
        let trust = trust_policy(&self.trust, &self.name, &scope.world.accounts)?;
        if account.roles.contains(&self.name) {
            return Err(AwsError::already_exists(EntityKind::Role, &self.name));
        }
        if account.roles.len() >= ROLES_MAX {
            return Err(AwsError::quota_exceeded("RolesPerAccount", ROLES_MAX));
        }
        let boundary = self.boundary.map(|arn| attachable(account, &arn)).transpose()?;
        let mut role = Role::new(scope.entity(EntityKind::Role, &self.path, &self.name)?, trust);
        role.boundary = boundary;
        role.description = self.description;
        role.max_session_secs = self.max_session_secs.unwrap_or(Role::MAX_SESSION_SECS_DEFAULT);
        add_tags(&mut role.tags, &self.tags)?;
        let fields = show::new_role(&role, &scope.world.accounts);
        scope.account_mut()?.roles.insert(role);
        Ok(Some(Fields::new().fields("Role", fields)))
    }
}

impl Action for GetRole {
    const OP: Op = Op::GetRole;

    fn read(form: &mut Form<'_>) -> Self {
        Self { name: form.name(EntityKind::Role) }
    }

    fn access(&self, account: &Account) -> Access {
        OfRole::access(Self::OP, account, &self.name)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let role = scope.account()?.roles.get(&self.name).ok_or_else(|| OfRole::missing(&self.name))?;
        Ok(Some(Fields::new().fields("Role", show::whole_role(role, &scope.world.accounts))))
    }
}

impl Action for ListRoles {
    const OP: Op = Op::ListRoles;

    fn read(form: &mut Form<'_>) -> Self {
        Self { path_prefix: form.path_prefix(), page: form.page() }
    }

    fn access(&self, account: &Account) -> Access {
        Access::to(Self::OP, account, Resource::new(EntityKind::Role, account, &self.path_prefix, ""))
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let roles = scope.account()?.roles.iter();
        let list = roles
            .filter(|role| role.entity.path.starts_with(&self.path_prefix))
            .map(|role| (role.entity.name.to_ascii_lowercase(), show::role(role, &scope.world.accounts)));
        Ok(Some(self.page.list("Roles", list)))
    }
}

impl Action for UpdateRole {
    const OP: Op = Op::UpdateRole;

    fn read(form: &mut Form<'_>) -> Self {
        Self {
            name: form.name(EntityKind::Role),
            description: form.reader.optional("Description", DESCRIPTION),
            max_session_secs: max_session_secs(form),
        }
    }

    fn access(&self, account: &Account) -> Access {
        OfRole::access(Self::OP, account, &self.name)
    }

    /// What is left out stays as it is, but for the session duration, which falls back to an hour (API reference).
    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let role = find(scope.account_mut()?, &self.name)?;
        if self.description.is_some() {
            role.description = self.description;
        }
        role.max_session_secs = self.max_session_secs.unwrap_or(Role::MAX_SESSION_SECS_DEFAULT);
        Ok(Some(Fields::new()))
    }
}

impl Action for UpdateRoleDescription {
    const OP: Op = Op::UpdateRoleDescription;

    fn read(form: &mut Form<'_>) -> Self {
        let name = form.name(EntityKind::Role);
        Self { name, description: form.reader.required("Description", DESCRIPTION) }
    }

    fn access(&self, account: &Account) -> Access {
        OfRole::access(Self::OP, account, &self.name)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        find(scope.account_mut()?, &self.name)?.description = Some(self.description);
        let role = scope.account()?.roles.get(&self.name).ok_or_else(AwsError::internal)?;
        Ok(Some(Fields::new().fields("Role", show::role(role, &scope.world.accounts))))
    }
}

impl Action for UpdateAssumeRolePolicy {
    const OP: Op = Op::UpdateAssumeRolePolicy;

    fn read(form: &mut Form<'_>) -> Self {
        let name = form.name(EntityKind::Role);
        Self { name, trust: form.document("PolicyDocument") }
    }

    fn access(&self, account: &Account) -> Access {
        OfRole::access(Self::OP, account, &self.name)
    }

    /// Sessions that are out already stay.
    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account()?;
        let role = account.roles.get(&self.name).ok_or_else(|| OfRole::missing(&self.name))?;
        let trust = trust_policy(&self.trust, &role.entity.name, &scope.world.accounts)?;
        find(scope.account_mut()?, &self.name)?.trust = trust;
        Ok(None)
    }
}

impl Action for DeleteRole {
    const OP: Op = Op::DeleteRole;

    fn read(form: &mut Form<'_>) -> Self {
        Self { name: form.name(EntityKind::Role) }
    }

    fn access(&self, account: &Account) -> Access {
        let boundary = account.roles.get(&self.name).and_then(|role| role.boundary.as_ref());
        OfRole::access(Self::OP, account, &self.name)
            .with_some("iam:PermissionsBoundary", boundary.map(Arn::as_str))
    }

    /// Its sessions end with it: each is bound to the role's unique id.
    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account_mut()?;
        let role = account.roles.get(&self.name).ok_or_else(|| OfRole::missing(&self.name))?;
        let id = Some(&role.entity.unique_id);
        let in_the_way = [
            (role.policies.managed.is_empty(), "detach all policies"),
            (role.policies.inline.is_empty(), "delete policies"),
            (
                account.instance_profiles.iter().all(|profile| profile.role.as_ref() != id),
                "remove roles from instance profile",
            ),
        ];
        if let Some((_, what)) = in_the_way.iter().find(|(is_empty, _)| !is_empty) {
            return Err(AwsError::delete_conflict(what));
        }
        account.roles.remove(&self.name);
        Ok(None)
    }
}
