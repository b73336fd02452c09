//! The account as a whole: its alias, its summary, all that is in it.

use super::access_keys::KEYS_PER_USER_MAX;
use super::action::{Access, Action, Resource, Scope};
use super::form::Form;
use super::groups::{GROUPS_MAX, GROUPS_PER_USER_MAX};
use super::instance_profiles::PROFILES_MAX;
use super::page::Page;
use super::policies::POLICIES_MAX;
use super::policy_versions::VERSIONS_MAX;
use super::roles::ROLES_MAX;
use super::show;
use super::users::USERS_MAX;
use crate::error::AwsError;
use crate::operation::Op;
use crate::query::{Fields, Text};
use crate::state::{Account, ManagedPolicy, all_aws_managed};

const ALIAS: Text = Text::of(3, 63);

#[derive(Debug)]
pub(super) struct CreateAccountAlias {
    alias: String,
}

#[derive(Debug)]
pub(super) struct DeleteAccountAlias {
    alias: String,
}

#[derive(Debug)]
pub(super) struct ListAccountAliases {
    page: Page,
}

#[derive(Debug)]
pub(super) struct GetAccountSummary;

#[derive(Debug)]
pub(super) struct GetAccountAuthorizationDetails {
    filter: Vec<String>,
    page: Page,
}

fn read_alias(form: &mut Form<'_>) -> String {
    let alias = form.reader.required("AccountAlias", ALIAS);
    let valid = alias.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !alias.starts_with('-')
        && !alias.ends_with('-')
        && !alias.contains("--");
    if !valid {
        form.reader.violate(
            "accountAlias",
            &alias,
            "Member must satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$",
        );
    }
    alias
}

impl Action for CreateAccountAlias {
    const OP: Op = Op::CreateAccountAlias;

    fn read(form: &mut Form<'_>) -> Self {
        Self { alias: read_alias(form) }
    }

    fn access(&self, account: &Account) -> Access {
        Access::to(Self::OP, account, Resource::any())
    }

    /// An account has one alias; a new one takes the place of the old.
    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let taken = scope
            .world
            .accounts
            .iter()
            .any(|account| account.id != scope.id && account.alias.as_ref() == Some(&self.alias));
        if taken {
            let text = format!("The account alias {} already exists.", self.alias);
            return Err(AwsError::entity_already_exists(text));
        }
        scope.account_mut()?.alias = Some(self.alias);
        Ok(None)
    }
}

impl Action for DeleteAccountAlias {
    const OP: Op = Op::DeleteAccountAlias;

    fn read(form: &mut Form<'_>) -> Self {
        Self { alias: read_alias(form) }
    }

    fn access(&self, account: &Account) -> Access {
        Access::to(Self::OP, account, Resource::any())
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        match scope.account_mut()?.alias.take_if(|own| *own == self.alias) {
            Some(_) => Ok(None),
            None => {
                Err(AwsError::no_such_entity(format!("The account alias {} cannot be found.", self.alias)))
            }
        }
    }
}

impl Action for ListAccountAliases {
    const OP: Op = Op::ListAccountAliases;

    fn read(form: &mut Form<'_>) -> Self {
        Self { page: form.page() }
    }

    fn access(&self, account: &Account) -> Access {
        Access::to(Self::OP, account, Resource::any())
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let alias = scope.account()?.alias.as_deref();
        Ok(Some(self.page.names("AccountAliases", alias.into_iter())))
    }
}

impl Action for GetAccountSummary {
    const OP: Op = Op::GetAccountSummary;

    fn read(_: &mut Form<'_>) -> Self {
        Self
    }

    fn access(&self, account: &Account) -> Access {
        Access::to(Self::OP, account, Resource::any())
    }

    /// Counts and quotas of what the emulator keeps; what it refuses by name counts nothing.
    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account()?;
        let versions = account.policies.iter().map(ManagedPolicy::version_count).sum::<usize>();
        let counts: [(&'static str, usize); 34] = [
            ("AccessKeysPerUserQuota", KEYS_PER_USER_MAX),
            ("AccountAccessKeysPresent", usize::from(!account.root_keys.is_empty())),
            ("AccountMFAEnabled", 0),
            ("AccountPasswordPresent", 0),
            ("AccountSigningCertificatesPresent", 0),
            ("AssumeRolePolicySizeQuota", bucketproof_authz::TRUST_POLICY_CHARS_MAX),
            ("AttachedPoliciesPerGroupQuota", 10),
            ("AttachedPoliciesPerRoleQuota", 10),
            ("AttachedPoliciesPerUserQuota", 10),
            ("GroupPolicySizeQuota", bucketproof_authz::GROUP_POLICIES_CHARS_MAX),
            ("Groups", account.groups.len()),
            ("GroupsPerUserQuota", GROUPS_PER_USER_MAX),
            ("GroupsQuota", GROUPS_MAX),
            ("InstanceProfiles", account.instance_profiles.len()),
            ("InstanceProfilesQuota", PROFILES_MAX),
            ("MFADevices", 0),
            ("MFADevicesInUse", 0),
            ("Policies", account.policies.len()),
            ("PoliciesQuota", POLICIES_MAX),
            ("PolicySizeQuota", bucketproof_authz::MANAGED_POLICY_CHARS_MAX),
            ("PolicyVersionsInUse", versions),
            ("PolicyVersionsInUseQuota", 10_000),
            ("Providers", account.oidc_providers.len()),
            ("RolePolicySizeQuota", bucketproof_authz::ROLE_POLICIES_CHARS_MAX),
            ("Roles", account.roles.len()),
            ("RolesQuota", ROLES_MAX),
            ("ServerCertificates", 0),
            ("ServerCertificatesQuota", 20),
            ("SigningCertificatesPerUserQuota", 2),
            ("UserPolicySizeQuota", bucketproof_authz::USER_POLICIES_CHARS_MAX),
            ("Users", account.users.len()),
            ("UsersQuota", USERS_MAX),
            ("VersionsPerPolicyQuota", VERSIONS_MAX),
            ("GlobalEndpointTokenVersion", 1),
        ];
        let entries = counts.into_iter().map(|(name, count)| (name, count.to_string()));
        Ok(Some(Fields::new().map("SummaryMap", entries)))
    }
}

impl Action for GetAccountAuthorizationDetails {
    const OP: Op = Op::GetAccountAuthorizationDetails;

    fn read(form: &mut Form<'_>) -> Self {
        let filter = form.texts("Filter");
        let words = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"];
        for word in &filter {
            if !words.contains(&word.as_str()) {
                form.reader.violate("filter", word, "Member must satisfy enum value set");
            }
        }
        Self { filter, page: form.page() }
    }

    fn access(&self, account: &Account) -> Access {
        Access::to(Self::OP, account, Resource::any())
    }

    /// One list in pages, told in four: groups, policies, roles, users. Of AWS's own policies those in use.
    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account()?;
        let wants = |word: &str| self.filter.is_empty() || self.filter.iter().any(|own| own == word);
        let key = |kind: &str, name: &str| format!("{kind} {}", name.to_ascii_lowercase());
        let mut all: Vec<(String, (&'static str, Fields))> = Vec::new();
        if wants("Group") {
            let list = account.groups.iter();
            all.extend(list.map(|group| {
                (key("group", &group.entity.name), ("GroupDetailList", show::group_details(group)))
            }));
        }
        if wants("LocalManagedPolicy") {
            let list = account.policies.iter();
            all.extend(list.map(|policy| {
                (key("policy", &policy.entity.name), ("Policies", show::policy_details(policy, account)))
            }));
        }
        if wants("AWSManagedPolicy") {
            let list = all_aws_managed().filter(|policy| {
                let arn = &policy.entity.arn;
                account.attachment_count(arn) + account.boundary_count(arn) > 0
            });
            all.extend(list.map(|policy| {
                (key("policy-aws", &policy.entity.name), ("Policies", show::policy_details(policy, account)))
            }));
        }
        if wants("Role") {
            let list = account.roles.iter();
            all.extend(list.map(|role| {
                (
                    key("role", &role.entity.name),
                    ("RoleDetailList", show::role_details(role, account, &scope.world.accounts)),
                )
            }));
        }
        if wants("User") {
            let list = account.users.iter();
            all.extend(list.map(|user| {
                (key("user", &user.entity.name), ("UserDetailList", show::user_details(user, account)))
            }));
        }
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        let (entries, marker) = self.page.of(all.into_iter());
        let of = |list: &'static str| {
            entries.iter().filter(move |(own, _)| *own == list).map(|(_, fields)| fields.clone())
        };
        let fields = ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"]
            .into_iter()
            .fold(Fields::new(), |fields, list| fields.list(list, of(list)));
        Ok(Some(Page::ends(fields, marker)))
    }
}
