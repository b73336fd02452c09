//! An account and what lives in it.

use std::collections::{BTreeMap, BTreeSet};

use bucketproof_authz::{AccountId, Arn, Policy};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::entity::{Entities, Entity, IamTags};
use super::managed::{ManagedPolicy, aws_managed};
use super::provider::OidcProvider;

/// An AWS account.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Account {
    pub(crate) id: AccountId,
    pub(crate) canonical_id: String,
    /// What the scenario calls it.
    #[serde(default)]
    pub(crate) name: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) alias: Option<String>,
    /// The access keys of the root user, in the order of their creation.
    pub(crate) root_keys: Vec<String>,
    pub(crate) users: Entities<User>,
    pub(crate) groups: Entities<Group>,
    pub(crate) roles: Entities<Role>,
    pub(crate) policies: Entities<ManagedPolicy>,
    pub(crate) instance_profiles: Entities<InstanceProfile>,
    /// By ARN.
    pub(crate) oidc_providers: BTreeMap<String, OidcProvider>,
}

/// An IAM user.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct User {
    pub(crate) entity: Entity,
    pub(crate) policies: Attached,
    pub(crate) boundary: Option<Arn>,
    pub(crate) tags: IamTags,
    /// The unique ids of the groups it is in.
    pub(crate) groups: BTreeSet<String>,
    /// In the order of their creation.
    pub(crate) access_keys: Vec<String>,
}

/// An IAM group.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Group {
    pub(crate) entity: Entity,
    pub(crate) policies: Attached,
}

/// An IAM role.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Role {
    pub(crate) entity: Entity,
    pub(crate) trust: Policy,
    pub(crate) policies: Attached,
    pub(crate) boundary: Option<Arn>,
    pub(crate) tags: IamTags,
    pub(crate) description: Option<String>,
    pub(crate) max_session_secs: i64,
}

/// What EC2 would hand a role to.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct InstanceProfile {
    pub(crate) entity: Entity,
    /// The unique id of its role.
    pub(crate) role: Option<String>,
    pub(crate) tags: IamTags,
}

/// The policies of a user, group or role.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Attached {
    /// By name, compiled.
    pub(crate) inline: BTreeMap<String, Policy>,
    pub(crate) managed: BTreeSet<Arn>,
}

impl AsRef<Entity> for User {
    fn as_ref(&self) -> &Entity {
        &self.entity
    }
}

impl AsRef<Entity> for Group {
    fn as_ref(&self) -> &Entity {
        &self.entity
    }
}

impl AsRef<Entity> for Role {
    fn as_ref(&self) -> &Entity {
        &self.entity
    }
}

impl AsRef<Entity> for InstanceProfile {
    fn as_ref(&self) -> &Entity {
        &self.entity
    }
}

impl User {
    /// One who may do nothing.
    pub(crate) fn new(entity: Entity) -> Self {
        Self {
            entity,
            policies: Attached::default(),
            boundary: None,
            tags: IamTags::default(),
            groups: BTreeSet::new(),
            access_keys: Vec::new(),
        }
    }
}

impl Role {
    /// How long its sessions may live if nothing else is said.
    pub(crate) const MAX_SESSION_SECS_DEFAULT: i64 = 3600;

    /// One that may do nothing.
    pub(crate) fn new(entity: Entity, trust: Policy) -> Self {
        Self {
            entity,
            trust,
            policies: Attached::default(),
            boundary: None,
            tags: IamTags::default(),
            description: None,
            max_session_secs: Self::MAX_SESSION_SECS_DEFAULT,
        }
    }
}

impl Account {
    /// An account with nobody in it but its root user.
    pub(crate) fn new(id: AccountId, canonical_id: String, created_at: Timestamp) -> Self {
        Self {
            id,
            canonical_id,
            name: None,
            created_at,
            alias: None,
            root_keys: Vec::new(),
            users: Entities::default(),
            groups: Entities::default(),
            roles: Entities::default(),
            policies: Entities::default(),
            instance_profiles: Entities::default(),
            oidc_providers: BTreeMap::new(),
        }
    }

    /// A managed policy that can be attached here: one of this account, or one of AWS's own.
    pub(crate) fn policy(&self, arn: &str) -> Option<&ManagedPolicy> {
        self.policies.by_arn(arn).or_else(|| aws_managed(arn))
    }

    /// The groups of a user, in the order of their names.
    pub(crate) fn groups_of<'a>(&'a self, user: &'a User) -> impl Iterator<Item = &'a Group> {
        self.groups.iter().filter(|group| user.groups.contains(&group.entity.unique_id))
    }

    /// The compiled policies of one entity.
    pub(crate) fn compiled<'a>(&'a self, attached: &'a Attached) -> impl Iterator<Item = &'a Policy> {
        let managed = attached.managed.iter().filter_map(|arn| self.policy(arn.as_str()));
        attached.inline.values().chain(managed.map(ManagedPolicy::identity))
    }

    /// The compiled policies of a user and its groups.
    pub(crate) fn policies_of_user(&self, user: &User) -> Vec<Policy> {
        let mut policies: Vec<Policy> = self.compiled(&user.policies).cloned().collect();
        if !user.groups.is_empty() {
            policies.extend(self.groups_of(user).flat_map(|group| self.compiled(&group.policies)).cloned());
        }
        policies
    }

    pub(crate) fn policies_of_role(&self, role: &Role) -> Vec<Policy> {
        self.compiled(&role.policies).cloned().collect()
    }

    /// The compiled boundary of a user or role.
    pub(crate) fn boundary(&self, arn: Option<&Arn>) -> Option<Policy> {
        self.policy(arn?.as_str()).map(ManagedPolicy::boundary).cloned()
    }

    /// All that policies are attached to.
    fn all_attached(&self) -> impl Iterator<Item = &Attached> {
        let users = self.users.iter().map(|user| &user.policies);
        let groups = self.groups.iter().map(|group| &group.policies);
        users.chain(groups).chain(self.roles.iter().map(|role| &role.policies))
    }

    /// To how many users, groups and roles a managed policy is attached.
    pub(crate) fn attachment_count(&self, policy: &Arn) -> usize {
        self.all_attached().filter(|attached| attached.managed.contains(policy)).count()
    }

    /// For how many users and roles a managed policy is the boundary.
    pub(crate) fn boundary_count(&self, policy: &Arn) -> usize {
        let users = self.users.iter().filter(|user| user.boundary.as_ref() == Some(policy)).count();
        users + self.roles.iter().filter(|role| role.boundary.as_ref() == Some(policy)).count()
    }
}
