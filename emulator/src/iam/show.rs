//! How IAM shows what it keeps.
//!
//! Which of its fields a thing shows depends on the call (recorded): making a role tells less than asking for it.

use bucketproof_authz::{Arn, Policy};

use crate::head;
use crate::query::Fields;
use crate::state::{
    AccessKey, Account, Accounts, Attached, Entity, EntityKind, Group, IamTags, InstanceProfile,
    ManagedPolicy, PolicyVersion, Role, User,
};

fn entity(entity: &Entity) -> Fields {
    let (name, id) = match entity.kind {
        EntityKind::User => ("UserName", "UserId"),
        EntityKind::Group => ("GroupName", "GroupId"),
        EntityKind::Role => ("RoleName", "RoleId"),
        EntityKind::Policy => ("PolicyName", "PolicyId"),
        EntityKind::InstanceProfile => ("InstanceProfileName", "InstanceProfileId"),
    };
    Fields::new()
        .text("Path", &entity.path)
        .text(name, &entity.name)
        .text(id, &entity.unique_id)
        .text("Arn", &entity.arn)
        .time("CreateDate", entity.created_at)
}

/// Absent where there are no tags.
pub(super) fn tags(tags: &IamTags) -> Fields {
    if tags.is_empty() {
        return Fields::new();
    }
    Fields::new().list("Tags", tag_list(tags).map(|(_, tag)| tag))
}

/// Each tag under its key.
pub(super) fn tag_list(tags: &IamTags) -> impl Iterator<Item = (String, Fields)> {
    tags.iter().map(|(key, value)| (key.to_lowercase(), Fields::new().text("Key", key).text("Value", value)))
}

fn boundary(arn: Option<&Arn>) -> Fields {
    let Some(arn) = arn else { return Fields::new() };
    let boundary =
        Fields::new().text("PermissionsBoundaryType", "Policy").text("PermissionsBoundaryArn", arn);
    Fields::new().fields("PermissionsBoundary", boundary)
}

/// A document as RFC 3986 encodes it.
pub(super) fn document(policy: &Policy) -> String {
    head::encode(policy.text())
}

/// A trust policy, with those it trusts as they are called now.
fn trust(role: &Role, accounts: &Accounts) -> String {
    head::encode(&accounts.shown(&role.trust))
}

/// A user in a list.
pub(super) fn user(user: &User) -> Fields {
    entity(&user.entity)
}

/// A user that was asked for.
pub(super) fn whole_user(user: &User) -> Fields {
    self::user(user).and(boundary(user.boundary.as_ref())).and(tags(&user.tags))
}

pub(super) fn group(group: &Group) -> Fields {
    entity(&group.entity)
}

/// A role that was just made.
pub(super) fn new_role(role: &Role, accounts: &Accounts) -> Fields {
    entity(&role.entity).text("AssumeRolePolicyDocument", trust(role, accounts)).and(tags(&role.tags))
}

/// A role in a list.
pub(super) fn role(role: &Role, accounts: &Accounts) -> Fields {
    entity(&role.entity)
        .text("AssumeRolePolicyDocument", trust(role, accounts))
        .some("Description", role.description.as_ref())
        .text("MaxSessionDuration", role.max_session_secs)
}

/// A role that was asked for.
pub(super) fn whole_role(role: &Role, accounts: &Accounts) -> Fields {
    self::role(role, accounts)
        .and(boundary(role.boundary.as_ref()))
        .and(tags(&role.tags))
        .fields("RoleLastUsed", last_used(role, accounts))
}

fn last_used(role: &Role, accounts: &Accounts) -> Fields {
    match accounts.role_last_used(&role.entity.unique_id) {
        None => Fields::new(),
        Some(used) => Fields::new().time("LastUsedDate", used.at).text("Region", used.region),
    }
}

/// A managed policy in a list.
pub(super) fn policy(policy: &ManagedPolicy, account: &Account) -> Fields {
    let ManagedPolicy { entity, .. } = policy;
    Fields::new()
        .text("PolicyName", &entity.name)
        .text("PolicyId", &entity.unique_id)
        .text("Arn", &entity.arn)
        .text("Path", &entity.path)
        .text("DefaultVersionId", format!("v{}", policy.default_version()))
        .text("AttachmentCount", account.attachment_count(&entity.arn))
        .text("PermissionsBoundaryUsageCount", account.boundary_count(&entity.arn))
        .text("IsAttachable", true)
        .time("CreateDate", entity.created_at)
        .time("UpdateDate", policy.updated_at)
}

/// A managed policy that was asked for.
pub(super) fn whole_policy(policy: &ManagedPolicy, account: &Account) -> Fields {
    self::policy(policy, account).some("Description", policy.description.as_ref()).and(tags(&policy.tags))
}

/// A version without its document.
pub(super) fn version(number: u32, version: &PolicyVersion, default: u32) -> Fields {
    Fields::new()
        .text("VersionId", format!("v{number}"))
        .text("IsDefaultVersion", number == default)
        .time("CreateDate", version.created_at)
}

/// A version with its document.
pub(super) fn whole_version(number: u32, version: &PolicyVersion, default: u32) -> Fields {
    Fields::new()
        .text("Document", head::encode(version.document()))
        .and(self::version(number, version, default))
}

/// An access key without its secret.
pub(super) fn access_key(key: &AccessKey, user: Option<&str>) -> Fields {
    Fields::new().some("UserName", user).text("AccessKeyId", &key.id).text("Status", key.status.as_str())
}

pub(super) fn instance_profile(profile: &InstanceProfile, account: &Account, accounts: &Accounts) -> Fields {
    let found = profile.role.as_ref().and_then(|id| account.roles.by_id(id));
    entity(&profile.entity).list("Roles", found.map(|found| role(found, accounts))).and(tags(&profile.tags))
}

/// Each attached policy under its name.
pub(super) fn attached(attached: &Attached) -> impl Iterator<Item = (String, Fields)> {
    attached.managed.iter().map(|arn| {
        let name = arn.resource().rsplit('/').next().unwrap_or_default();
        // Policies of two accounts may share a name: AWS's and one's own.
        let key = format!("{} {arn}", name.to_ascii_lowercase());
        (key, Fields::new().text("PolicyName", name).text("PolicyArn", arn))
    })
}

fn inline(attached: &Attached) -> impl Iterator<Item = Fields> {
    attached
        .inline
        .iter()
        .map(|(name, policy)| Fields::new().text("PolicyName", name).text("PolicyDocument", document(policy)))
}

fn details(attached: &Attached, inline_list: &'static str) -> Fields {
    Fields::new()
        .list(inline_list, inline(attached))
        .list("AttachedManagedPolicies", self::attached(attached).map(|(_, policy)| policy))
}

pub(super) fn user_details(user: &User, account: &Account) -> Fields {
    self::user(user)
        .and(details(&user.policies, "UserPolicyList"))
        .texts("GroupList", account.groups_of(user).map(|group| &group.entity.name))
        .and(boundary(user.boundary.as_ref()))
        .and(tags(&user.tags))
}

pub(super) fn group_details(group: &Group) -> Fields {
    self::group(group).and(details(&group.policies, "GroupPolicyList"))
}

pub(super) fn role_details(role: &Role, account: &Account, accounts: &Accounts) -> Fields {
    let profiles = account
        .instance_profiles
        .iter()
        .filter(|profile| profile.role.as_ref() == Some(&role.entity.unique_id))
        .map(|profile| instance_profile(profile, account, accounts));
    entity(&role.entity)
        .text("AssumeRolePolicyDocument", trust(role, accounts))
        .list("InstanceProfileList", profiles)
        .and(details(&role.policies, "RolePolicyList"))
        .and(boundary(role.boundary.as_ref()))
        .and(tags(&role.tags))
        .fields("RoleLastUsed", last_used(role, accounts))
}

pub(super) fn policy_details(policy: &ManagedPolicy, account: &Account) -> Fields {
    let default = policy.default_version();
    self::policy(policy, account).some("Description", policy.description.as_ref()).list(
        "PolicyVersionList",
        policy.versions().map(|(number, version)| whole_version(number, version, default)),
    )
}
