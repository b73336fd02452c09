//! Managed policies.

use bucketproof_authz::{Arn, DocumentKind, Policy, PolicyKind, PolicySource};
use jiff::Timestamp;

use super::action::{Access, Action, Resource, Scope};
use super::form::{Form, add_tags};
use super::page::Page;
use super::show;
use super::things::{OfPolicy, Thing};
use crate::error::AwsError;
use crate::operation::Op;
use crate::query::{Fields, Text};
use crate::state::{
    Account, Attached, Entity, EntityKind, IamTags, ManagedPolicy, PolicyVersion, all_aws_managed,
};

/// How many managed policies an account may have.
pub(super) const POLICIES_MAX: usize = 1500;

const DESCRIPTION: Text = Text::of(0, 1000);

#[derive(Debug)]
pub(super) struct CreatePolicy {
    path: String,
    name: String,
    document: String,
    description: Option<String>,
    tags: IamTags,
}

#[derive(Debug)]
pub(super) struct GetPolicy {
    arn: String,
}

#[derive(Debug)]
pub(super) struct ListPolicies {
    scope: Option<String>,
    only_attached: bool,
    usage: Option<String>,
    path_prefix: String,
    page: Page,
}

#[derive(Debug)]
pub(super) struct DeletePolicy {
    arn: String,
}

#[derive(Debug)]
pub(super) struct ListEntitiesForPolicy {
    arn: String,
    filter: Option<String>,
    usage: Option<String>,
    path_prefix: String,
    page: Page,
}

/// A document as AWS takes it for a managed policy.
pub(super) fn compile(text: &str, arn: &Arn, now: Timestamp) -> Result<PolicyVersion, AwsError> {
    let source = PolicySource::new(PolicyKind::Identity, arn.as_str());
    Policy::parse_valid(text, source, DocumentKind::Managed)
        .and_then(|_| PolicyVersion::parse(text, arn, None, now))
        .map_err(|error| AwsError::document(&error))
}

/// A policy of the account, to be changed. AWS's own cannot be; the text that says so is unverified.
pub(super) fn own_policy<'a>(account: &'a mut Account, arn: &str) -> Result<&'a mut ManagedPolicy, AwsError> {
    if account.policies.by_arn(arn).is_none() && account.policy(arn).is_some() {
        return Err(AwsError::access_denied(format!(
            "Policy {arn} is managed by AWS and cannot be changed."
        )));
    }
    account.policies.by_arn_mut(arn).ok_or_else(|| OfPolicy::missing(arn))
}

impl Action for CreatePolicy {
    const OP: Op = Op::CreatePolicy;

    fn read(form: &mut Form<'_>) -> Self {
        Self {
            path: form.path(),
            name: form.new_name(EntityKind::Policy),
            document: form.document("PolicyDocument"),
            description: form.reader.optional("Description", DESCRIPTION),
            tags: form.tags(),
        }
    }

    fn access(&self, account: &Account) -> Access {
        let resource = Resource::new(EntityKind::Policy, account, &self.path, &self.name);
        Access::to(Self::OP, account, resource.shown_as(format!("policy {}", self.name)))
            .with_tags(&self.tags)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account()?;
        if account.policies.contains(&self.name) {
            return Err(AwsError::already_exists(EntityKind::Policy, &self.name));
        }
        if account.policies.len() >= POLICIES_MAX {
            return Err(AwsError::quota_exceeded("PoliciesPerAccount", POLICIES_MAX));
        }
        let entity = scope.entity(EntityKind::Policy, &self.path, &self.name)?;
        let version = compile(&self.document, &entity.arn, scope.now)?;
        let mut policy = ManagedPolicy::new(entity, version);
        policy.description = self.description;
        add_tags(&mut policy.tags, &self.tags)?;
        let fields = show::policy(&policy, account).and(show::tags(&policy.tags));
        scope.account_mut()?.policies.insert(policy);
        Ok(Some(Fields::new().fields("Policy", fields)))
    }
}

impl Action for GetPolicy {
    const OP: Op = Op::GetPolicy;

    fn read(form: &mut Form<'_>) -> Self {
        Self { arn: form.name(EntityKind::Policy) }
    }

    fn access(&self, account: &Account) -> Access {
        OfPolicy::access(Self::OP, account, &self.arn)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account()?;
        let policy = account.policy(&self.arn).ok_or_else(|| OfPolicy::missing(&self.arn))?;
        Ok(Some(Fields::new().fields("Policy", show::whole_policy(policy, account))))
    }
}

impl Action for ListPolicies {
    const OP: Op = Op::ListPolicies;

    fn read(form: &mut Form<'_>) -> Self {
        Self {
            scope: form.reader.choice("Scope", &["All", "AWS", "Local"]),
            only_attached: form.reader.switch("OnlyAttached").unwrap_or_default(),
            usage: form.reader.choice("PolicyUsageFilter", &["PermissionsPolicy", "PermissionsBoundary"]),
            path_prefix: form.path_prefix(),
            page: form.page(),
        }
    }

    fn access(&self, account: &Account) -> Access {
        Access::to(Self::OP, account, Resource::new(EntityKind::Policy, account, &self.path_prefix, ""))
    }

    /// The account's own first, then those of AWS.
    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account()?;
        let (own, aws) = match self.scope.as_deref() {
            Some("AWS") => (false, true),
            Some("Local") => (true, false),
            _ => (true, true),
        };
        let is_wanted = |policy: &&ManagedPolicy| {
            let arn = &policy.entity.arn;
            let permits = account.attachment_count(arn) > 0;
            let bounds = account.boundary_count(arn) > 0;
            let used = match self.usage.as_deref() {
                Some("PermissionsPolicy") => permits,
                Some("PermissionsBoundary") => bounds,
                _ => !self.only_attached || permits || bounds,
            };
            used && policy.entity.path.starts_with(&self.path_prefix)
        };
        let listed = |rank: char, policy: &ManagedPolicy| {
            (format!("{rank}{}", policy.entity.arn), show::policy(policy, account))
        };
        let own = account.policies.iter().filter(|_| own).filter(is_wanted);
        let mut list: Vec<_> = own.map(|policy| listed('1', policy)).collect();
        list.extend(all_aws_managed().filter(|_| aws).filter(is_wanted).map(|policy| listed('2', policy)));
        list.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(Some(self.page.list("Policies", list.into_iter())))
    }
}

impl Action for DeletePolicy {
    const OP: Op = Op::DeletePolicy;

    fn read(form: &mut Form<'_>) -> Self {
        Self { arn: form.name(EntityKind::Policy) }
    }

    fn access(&self, account: &Account) -> Access {
        OfPolicy::access(Self::OP, account, &self.arn)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account_mut()?;
        let policy = own_policy(account, &self.arn)?;
        let (arn, name, versions) =
            (policy.entity.arn.clone(), policy.entity.name.clone(), policy.version_count());
        if account.attachment_count(&arn) + account.boundary_count(&arn) > 0 {
            return Err(AwsError::delete_conflict_because("Cannot delete a policy attached to entities."));
        }
        if versions > 1 {
            return Err(AwsError::delete_conflict_because(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's \
                 versions. The default version is deleted with the policy.",
            ));
        }
        account.policies.remove(&name);
        Ok(None)
    }
}

impl Action for ListEntitiesForPolicy {
    const OP: Op = Op::ListEntitiesForPolicy;

    fn read(form: &mut Form<'_>) -> Self {
        let filters = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"];
        Self {
            arn: form.name(EntityKind::Policy),
            filter: form.reader.choice("EntityFilter", &filters),
            usage: form.reader.choice("PolicyUsageFilter", &["PermissionsPolicy", "PermissionsBoundary"]),
            path_prefix: form.path_prefix(),
            page: form.page(),
        }
    }

    fn access(&self, account: &Account) -> Access {
        OfPolicy::access(Self::OP, account, &self.arn)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account()?;
        let arn = &account.policy(&self.arn).ok_or_else(|| OfPolicy::missing(&self.arn))?.entity.arn;
        let users = account.users.iter().map(|user| (&user.entity, &user.policies, user.boundary.as_ref()));
        let groups = account.groups.iter().map(|group| (&group.entity, &group.policies, None));
        let roles = account.roles.iter().map(|role| (&role.entity, &role.policies, role.boundary.as_ref()));
        let is_wanted = |entity: &Entity, attached: &Attached, boundary: Option<&Arn>| {
            let kind = match entity.kind {
                EntityKind::User => "User",
                EntityKind::Group => "Group",
                _ => "Role",
            };
            let permits =
                attached.managed.contains(arn) && self.usage.as_deref() != Some("PermissionsBoundary");
            let bounds = boundary == Some(arn) && self.usage.as_deref() != Some("PermissionsPolicy");
            self.filter.as_ref().is_none_or(|filter| filter == kind)
                && entity.path.starts_with(&self.path_prefix)
                && (permits || bounds)
        };
        let wanted = groups
            .chain(users)
            .chain(roles)
            .filter(|(entity, attached, boundary)| is_wanted(entity, attached, *boundary))
            .map(|(entity, _, _)| {
                (format!("{} {}", entity.kind.arn_type(), entity.name.to_ascii_lowercase()), entity)
            });
        let mut wanted: Vec<_> = wanted.collect();
        wanted.sort_by(|(a, _), (b, _)| a.cmp(b));
        let (entities, marker) = self.page.of(wanted.into_iter());
        let of = |kind: EntityKind, name: &'static str, id: &'static str| {
            let of_kind = entities.iter().filter(move |entity| entity.kind == kind);
            of_kind
                .map(move |entity| Fields::new().text(name, &entity.name).text(id, &entity.unique_id))
                .collect::<Vec<_>>()
        };
        let fields = Fields::new()
            .list("PolicyGroups", of(EntityKind::Group, "GroupName", "GroupId"))
            .list("PolicyUsers", of(EntityKind::User, "UserName", "UserId"))
            .list("PolicyRoles", of(EntityKind::Role, "RoleName", "RoleId"));
        Ok(Some(Page::ends(fields, marker)))
    }
}
