//! Instance profiles, as far as roles come with them.

use super::action::{Access, Action, Resource, Scope};
use super::form::{Form, add_tags};
use super::page::Page;
use super::show;
use super::things::{OfProfile, OfRole, Thing};
use crate::error::AwsError;
use crate::operation::Op;
use crate::query::Fields;
use crate::state::{Account, EntityKind, IamTags, InstanceProfile};

/// How many instance profiles an account may have.
pub(super) const PROFILES_MAX: usize = 1000;

#[derive(Debug)]
pub(super) struct CreateInstanceProfile {
    path: String,
    name: String,
    tags: IamTags,
}

#[derive(Debug)]
pub(super) struct GetInstanceProfile {
    name: String,
}

#[derive(Debug)]
pub(super) struct ListInstanceProfiles {
    path_prefix: String,
    page: Page,
}

#[derive(Debug)]
pub(super) struct ListInstanceProfilesForRole {
    role: String,
    page: Page,
}

#[derive(Debug)]
pub(super) struct DeleteInstanceProfile {
    name: String,
}

#[derive(Debug)]
pub(super) struct AddRoleToInstanceProfile {
    name: String,
    role: String,
}

#[derive(Debug)]
pub(super) struct RemoveRoleFromInstanceProfile {
    name: String,
    role: String,
}

fn listed(profile: &InstanceProfile, scope: &Scope<'_>, account: &Account) -> (String, Fields) {
    let fields = show::instance_profile(profile, account, &scope.world.accounts);
    (profile.entity.name.to_ascii_lowercase(), fields)
}

/// The profile of a call, and the unique id of its role.
fn pair<'a>(
    account: &'a mut Account,
    name: &str,
    role: &str,
) -> Result<(&'a mut InstanceProfile, String), AwsError> {
    let id = account.roles.get(role).map(|role| role.entity.unique_id.clone());
    let profile = account.instance_profiles.get_mut(name).ok_or_else(|| OfProfile::missing(name))?;
    Ok((profile, id.ok_or_else(|| OfRole::missing(role))?))
}

impl Action for CreateInstanceProfile {
    const OP: Op = Op::CreateInstanceProfile;

    fn read(form: &mut Form<'_>) -> Self {
        Self { path: form.path(), name: form.new_name(EntityKind::InstanceProfile), tags: form.tags() }
    }

    fn access(&self, account: &Account) -> Access {
        let resource = Resource::new(EntityKind::InstanceProfile, account, &self.path, &self.name);
        Access::to(Self::OP, account, resource).with_tags(&self.tags)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account()?;
        if account.instance_profiles.contains(&self.name) {
            return Err(AwsError::already_exists(EntityKind::InstanceProfile, &self.name));
        }
        if account.instance_profiles.len() >= PROFILES_MAX {
            return Err(AwsError::quota_exceeded("InstanceProfilesPerAccount", PROFILES_MAX));
        }
        let entity = scope.entity(EntityKind::InstanceProfile, &self.path, &self.name)?;
        let mut profile = InstanceProfile { entity, role: None, tags: IamTags::default() };
        add_tags(&mut profile.tags, &self.tags)?;
        let fields = show::instance_profile(&profile, account, &scope.world.accounts);
        scope.account_mut()?.instance_profiles.insert(profile);
        Ok(Some(Fields::new().fields("InstanceProfile", fields)))
    }
}

impl Action for GetInstanceProfile {
    const OP: Op = Op::GetInstanceProfile;

    fn read(form: &mut Form<'_>) -> Self {
        Self { name: form.name(EntityKind::InstanceProfile) }
    }

    fn access(&self, account: &Account) -> Access {
        OfProfile::access(Self::OP, account, &self.name)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account()?;
        let profile =
            account.instance_profiles.get(&self.name).ok_or_else(|| OfProfile::missing(&self.name))?;
        Ok(Some(Fields::new().fields("InstanceProfile", listed(profile, scope, account).1)))
    }
}

impl Action for ListInstanceProfiles {
    const OP: Op = Op::ListInstanceProfiles;

    fn read(form: &mut Form<'_>) -> Self {
        Self { path_prefix: form.path_prefix(), page: form.page() }
    }

    fn access(&self, account: &Account) -> Access {
        let resource = Resource::new(EntityKind::InstanceProfile, account, &self.path_prefix, "");
        Access::to(Self::OP, account, resource)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account()?;
        let profiles = account.instance_profiles.iter();
        let list = profiles
            .filter(|profile| profile.entity.path.starts_with(&self.path_prefix))
            .map(|profile| listed(profile, scope, account));
        Ok(Some(self.page.list("InstanceProfiles", list)))
    }
}

impl Action for ListInstanceProfilesForRole {
    const OP: Op = Op::ListInstanceProfilesForRole;

    fn read(form: &mut Form<'_>) -> Self {
        Self { role: form.name(EntityKind::Role), page: form.page() }
    }

    fn access(&self, account: &Account) -> Access {
        OfRole::access(Self::OP, account, &self.role)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account()?;
        let role = account.roles.get(&self.role).ok_or_else(|| OfRole::missing(&self.role))?;
        let profiles = account.instance_profiles.iter();
        let list = profiles
            .filter(|profile| profile.role.as_ref() == Some(&role.entity.unique_id))
            .map(|profile| listed(profile, scope, account));
        Ok(Some(self.page.list("InstanceProfiles", list)))
    }
}

impl Action for DeleteInstanceProfile {
    const OP: Op = Op::DeleteInstanceProfile;

    fn read(form: &mut Form<'_>) -> Self {
        Self { name: form.name(EntityKind::InstanceProfile) }
    }

    fn access(&self, account: &Account) -> Access {
        OfProfile::access(Self::OP, account, &self.name)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account_mut()?;
        let profile =
            account.instance_profiles.get(&self.name).ok_or_else(|| OfProfile::missing(&self.name))?;
        if profile.role.is_some() {
            return Err(AwsError::delete_conflict("remove roles from instance profile"));
        }
        account.instance_profiles.remove(&self.name);
        Ok(None)
    }
}

impl Action for AddRoleToInstanceProfile {
    const OP: Op = Op::AddRoleToInstanceProfile;

    fn read(form: &mut Form<'_>) -> Self {
        Self { name: form.name(EntityKind::InstanceProfile), role: form.name(EntityKind::Role) }
    }

    /// The role is passed to EC2, which must be permitted as well.
    fn access(&self, account: &Account) -> Access {
        let role = OfRole::find(account, &self.role);
        let arn = role.map_or_else(
            || EntityKind::Role.arn(account.id.as_str(), "/", &self.role),
            |(entity, _)| entity.arn.as_str().to_owned(),
        );
        let role = Resource::arn(arn).tagged(role.and_then(|(_, tags)| tags));
        OfProfile::access(Self::OP, account, &self.name).and(Access::pass_role(
            account,
            role,
            "ec2.amazonaws.com",
        ))
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let (profile, role) = pair(scope.account_mut()?, &self.name, &self.role)?;
        if profile.role.is_some() {
            return Err(AwsError::quota_exceeded("InstanceSessionsPerInstanceProfile", 1));
        }
        profile.role = Some(role);
        Ok(None)
    }
}

impl Action for RemoveRoleFromInstanceProfile {
    const OP: Op = Op::RemoveRoleFromInstanceProfile;

    fn read(form: &mut Form<'_>) -> Self {
        Self { name: form.name(EntityKind::InstanceProfile), role: form.name(EntityKind::Role) }
    }

    fn access(&self, account: &Account) -> Access {
        OfProfile::access(Self::OP, account, &self.name)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let (profile, role) = pair(scope.account_mut()?, &self.name, &self.role)?;
        if profile.role.take_if(|own| *own == role).is_none() {
            return Err(OfRole::missing(&self.role));
        }
        Ok(None)
    }
}
