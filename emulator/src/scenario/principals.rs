//! The users, groups, roles, policies and access keys of an account.

use std::collections::BTreeMap;

use bucketproof_authz::{Arn, PolicyKind};
use jiff::Timestamp;
use toml::Spanned;

use super::ScenarioError;
use super::build::{Builder, policy_name};
use super::document::{self, is_arn};
use crate::state::{
    AccessKey, Account, Attached, Entity, EntityKind, Group, Holder, IamTags, InstanceProfile, KeyStatus,
    ManagedPolicy, PolicyVersion, Role, Secret, User,
};

/// How long a session may be allowed to live, in seconds.
const SESSION_SECS: std::ops::RangeInclusive<i64> = 3600..=43_200;

impl Builder<'_> {
    /// Fills `account` and puts it into the world. What is named must stand before what names it: policies, groups,
    /// users and roles, instance profiles, keys.
    pub(super) fn principals(
        &mut self,
        given: &document::Account,
        mut account: Account,
    ) -> Result<(), ScenarioError> {
        if let Some(alias) = &given.alias {
            account.alias = Some(self.alias(alias)?);
        }
        for policy in &given.policy {
            self.managed_policy(policy, &mut account)?;
        }
        for group in &given.group {
            let taken = account.groups.contains(group.name.get_ref());
            let entity = self.entity(EntityKind::Group, &account, group.path.as_ref(), &group.name, taken)?;
            let policies = self.attached(&group.policies, &account)?;
            account.groups.insert(Group { entity, policies });
        }
        for user in &given.user {
            self.user(user, &mut account)?;
        }
        for role in &given.role {
            self.role(role, &mut account)?;
        }
        for profile in &given.instance_profile {
            self.instance_profile(profile, &mut account)?;
        }
        let id = account.id.clone();
        self.world.accounts.insert(account);
        for key in &given.access_key {
            self.access_key(key, Holder::Root { account: id.clone() })?;
        }
        for user in &given.user {
            for key in &user.access_key {
                let holder = Holder::User { account: id.clone(), name: user.name.get_ref().clone() };
                self.access_key(key, holder)?;
            }
        }
        Ok(())
    }

    fn alias(&self, alias: &Spanned<String>) -> Result<String, ScenarioError> {
        let text = alias.get_ref();
        let valid = (3..=63).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if valid {
            return Ok(text.clone());
        }
        let message = format!("field `alias` of the account is `{text}`");
        Err(self.error(alias, message, "an alias has 3 to 63 lower-case letters, digits and hyphens"))
    }

    fn user(&self, user: &document::User, account: &mut Account) -> Result<(), ScenarioError> {
        let taken = account.users.contains(user.name.get_ref());
        let entity = self.entity(EntityKind::User, account, user.path.as_ref(), &user.name, taken)?;
        let mut built = User::new(entity);
        for name in &user.groups {
            let Some(group) = account.groups.get(name.get_ref()) else {
                let message = format!(
                    "field `groups` names `{}`, which is not a group of the account `{}`",
                    name.get_ref(),
                    account.id
                );
                return Err(self.error(name, message, "declare it with `[[account.group]]`"));
            };
            built.groups.insert(group.entity.unique_id.clone());
        }
        built.policies = self.attached(&user.policies, account)?;
        built.boundary = self.boundary(user.boundary.as_ref(), user.name.get_ref(), account)?;
        built.tags = tags(&user.tags);
        account.users.insert(built);
        Ok(())
    }

    fn role(&self, role: &document::Role, account: &mut Account) -> Result<(), ScenarioError> {
        let taken = account.roles.contains(role.name.get_ref());
        let entity = self.entity(EntityKind::Role, account, role.path.as_ref(), &role.name, taken)?;
        let mut built = Role::new(entity, self.trust(role)?);
        built.policies = self.attached(&role.policies, account)?;
        built.boundary = self.boundary(role.boundary.as_ref(), role.name.get_ref(), account)?;
        built.tags = tags(&role.tags);
        built.description.clone_from(&role.description);
        if let Some(seconds) = &role.max_session_duration {
            if !SESSION_SECS.contains(seconds.get_ref()) {
                let message = format!(
                    "field `max_session_duration` of the role `{}` is {}",
                    role.name.get_ref(),
                    seconds.get_ref()
                );
                return Err(self.error(seconds, message, "a session may last 3600 to 43200 seconds"));
            }
            built.max_session_secs = *seconds.get_ref();
        }
        account.roles.insert(built);
        Ok(())
    }

    fn instance_profile(
        &self,
        profile: &document::InstanceProfile,
        account: &mut Account,
    ) -> Result<(), ScenarioError> {
        let taken = account.instance_profiles.contains(profile.name.get_ref());
        let kind = EntityKind::InstanceProfile;
        let entity = self.entity(kind, account, profile.path.as_ref(), &profile.name, taken)?;
        let mut role = None;
        if let Some(name) = &profile.role {
            let Some(found) = account.roles.get(name.get_ref()) else {
                let message = format!(
                    "field `role` names `{}`, which is not a role of the account `{}`",
                    name.get_ref(),
                    account.id
                );
                return Err(self.error(name, message, "declare it with `[[account.role]]`"));
            };
            role = Some(found.entity.unique_id.clone());
        }
        account.instance_profiles.insert(InstanceProfile { entity, role, tags: IamTags::default() });
        Ok(())
    }

    fn managed_policy(
        &self,
        policy: &document::ManagedPolicy,
        account: &mut Account,
    ) -> Result<(), ScenarioError> {
        let taken = account.policies.contains(policy.name.get_ref());
        let entity = self.entity(EntityKind::Policy, account, policy.path.as_ref(), &policy.name, taken)?;
        let version = self.policy_version(&policy.document, &entity.arn)?;
        let mut built = ManagedPolicy::new(entity, version);
        built.description.clone_from(&policy.description);
        built.tags = tags(&policy.tags);
        account.policies.insert(built);
        Ok(())
    }

    fn policy_version(&self, given: &Spanned<String>, arn: &Arn) -> Result<PolicyVersion, ScenarioError> {
        let (text, file) = self.policy_text(given)?;
        PolicyVersion::parse(text, arn, file, self.now)
            .map_err(|error| self.policy_error(given, file, &error))
    }

    /// A named thing, checked.
    fn entity(
        &self,
        kind: EntityKind,
        account: &Account,
        path: Option<&Spanned<String>>,
        name: &Spanned<String>,
        taken: bool,
    ) -> Result<Entity, ScenarioError> {
        let (text, what) = (name.get_ref(), kind.arn_type());
        let length_max = match kind {
            EntityKind::User | EntityKind::Role => 64,
            EntityKind::Group | EntityKind::Policy | EntityKind::InstanceProfile => 128,
        };
        let valid = (1..=length_max).contains(&text.len())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c));
        if !valid {
            let message = format!("field `name` of the {what} is `{text}`");
            let help = format!("a name has 1 to {length_max} characters of letters, digits and `+=,.@_-`");
            return Err(self.error(name, message, &help));
        }
        if taken {
            let message = format!("the {what} `{text}` is declared twice");
            return Err(self.error(
                name,
                message,
                "give each a name of its own; case does not tell them apart",
            ));
        }
        if let Some(path) = path {
            let given = path.get_ref();
            if !(given.starts_with('/') && given.ends_with('/')) {
                let message = format!("field `path` of `{text}` is `{given}`");
                return Err(self.error(path, message, "a path begins and ends with `/`"));
            }
        }
        let path = path.map_or("/", |path| path.get_ref());
        Entity::new(kind, &account.id, path, text, &self.world.entropy, self.now)
            .map_err(|error| self.error(name, error.to_string(), "choose another name"))
    }

    /// Policies as they are given to a user, group or role: the ARN of a managed one, or an inline one.
    fn attached(&self, given: &[Spanned<String>], account: &Account) -> Result<Attached, ScenarioError> {
        let mut attached = Attached::default();
        for policy in given {
            if is_arn(policy.get_ref()) {
                attached.managed.insert(self.managed_arn(policy, account)?);
                continue;
            }
            let (_, file) = self.policy_text(policy)?;
            let stem = file.map_or("inline", policy_name);
            let names = (2..).map(|number| format!("{stem}-{number}"));
            let free = std::iter::once(stem.to_owned())
                .chain(names)
                .find(|name| !attached.inline.contains_key(name))
                .unwrap_or_default();
            let compiled = self.named_policy(policy, PolicyKind::Identity, &free)?;
            attached.inline.insert(free, compiled);
        }
        Ok(attached)
    }

    fn managed_arn(&self, given: &Spanned<String>, account: &Account) -> Result<Arn, ScenarioError> {
        account.policy(given.get_ref()).map(|policy| policy.entity.arn.clone()).ok_or_else(|| {
            let message = format!(
                "`{}` is not a managed policy that can be attached in the account `{}`",
                given.get_ref(),
                account.id
            );
            let help = "declare it with `[[account.policy]]`, or name one of AWS's that the emulator knows";
            self.error(given, message, help)
        })
    }

    /// The ARN of a boundary. One that is given as a document becomes a managed policy, which is all that AWS takes.
    fn boundary(
        &self,
        given: Option<&Spanned<String>>,
        holder: &str,
        account: &mut Account,
    ) -> Result<Option<Arn>, ScenarioError> {
        let Some(given) = given else { return Ok(None) };
        if is_arn(given.get_ref()) {
            return self.managed_arn(given, account).map(Some);
        }
        let (text, file) = self.policy_text(given)?;
        let name = file.map_or_else(|| format!("{holder}-boundary"), |file| policy_name(file).to_owned());
        if let Some(known) = account.policies.get(&name) {
            if known.version(1).is_some_and(|version| version.document() == text) {
                return Ok(Some(known.entity.arn.clone()));
            }
            let message = format!("the boundary would be the policy `{name}`, which is declared otherwise");
            return Err(self.error(given, message, "give the file another name"));
        }
        let spanned = Spanned::new(given.span(), name);
        let entity = self.entity(EntityKind::Policy, account, None, &spanned, false)?;
        let arn = entity.arn.clone();
        let version = self.policy_version(given, &arn)?;
        account.policies.insert(ManagedPolicy::new(entity, version));
        Ok(Some(arn))
    }

    fn access_key(&mut self, key: &document::AccessKey, holder: Holder) -> Result<(), ScenarioError> {
        let id = key.id.get_ref();
        let valid =
            (16..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !valid {
            let message = format!("field `id` of the access key is `{id}`");
            return Err(self.error(&key.id, message, "an access key id has 16 to 128 letters and digits"));
        }
        if self.world.accounts.access_key(id).is_some() {
            let message = format!("the access key `{id}` is declared twice");
            return Err(self.error(&key.id, message, "give each key an id of its own"));
        }
        let secret = &key.secret.get_ref().0;
        if secret.is_empty() {
            let message = format!("field `secret` of the access key `{id}` is empty");
            return Err(self.error(&key.secret, message, "give any text; AWS uses 40 characters"));
        }
        let created_at = match &key.created {
            None => self.now,
            Some(created) => created.get_ref().parse::<Timestamp>().map_err(|_| {
                let message = format!("field `created` of the access key `{id}` is `{}`", created.get_ref());
                self.error(created, message, "give an instant such as `2026-01-01T00:00:00Z`")
            })?,
        };
        let mut built = AccessKey::new(id.clone(), Secret::new(secret.as_str()), holder, created_at);
        if let Some(status) = &key.status {
            built.status = match status.get_ref().as_str() {
                "Active" => KeyStatus::Active,
                "Inactive" => KeyStatus::Inactive,
                other => {
                    let message = format!("field `status` of the access key `{id}` is `{other}`");
                    return Err(self.error(status, message, "a key is `Active` or `Inactive`"));
                }
            };
        }
        self.world.accounts.add_key(built);
        Ok(())
    }
}

fn tags(given: &BTreeMap<String, String>) -> IamTags {
    given.iter().collect()
}
