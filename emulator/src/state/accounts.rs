//! Accounts with their users, groups, roles and access keys.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bucketproof_authz::{AccountId, Arn, NamedPrincipal, Policy, Principal, UniqueId};
use jiff::Timestamp;
use subtle::ConstantTimeEq;

use crate::authenticate::Identity;

/// All accounts, and the index of their keys.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Accounts {
    accounts: BTreeMap<AccountId, Account>,
    keys: BTreeMap<String, AccessKey>,
}

/// An AWS account.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Account {
    pub(crate) id: AccountId,
    pub(crate) canonical_id: String,
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) groups: BTreeMap<String, Group>,
    pub(crate) roles: BTreeMap<String, Role>,
}

/// An IAM user.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct User {
    /// The ARN with its path.
    pub(crate) arn: Arn,
    /// `AIDA…`.
    pub(crate) unique_id: String,
    pub(crate) policies: Vec<Policy>,
    pub(crate) groups: Vec<String>,
    pub(crate) boundary: Option<Policy>,
}

/// An IAM group.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Group {
    pub(crate) policies: Vec<Policy>,
}

/// An IAM role.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Role {
    /// The ARN with its path.
    pub(crate) arn: Arn,
    /// `AROA…`.
    pub(crate) unique_id: String,
    pub(crate) trust: Policy,
    pub(crate) policies: Vec<Policy>,
    pub(crate) boundary: Option<Policy>,
}

/// A key with its secret and the one it belongs to.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) secret: Secret,
    pub(crate) holder: Holder,
}

/// Whom an access key belongs to.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) enum Holder {
    Root { account: AccountId },
    User { account: AccountId, name: String },
    Session(Arc<Session>),
}

/// A session of a role, as STS issued it.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Session {
    pub(crate) account: AccountId,
    pub(crate) role: String,
    /// The session is bound to this very role, not to one of the same name that came later.
    pub(crate) role_unique_id: String,
    pub(crate) arn: Arn,
    pub(crate) role_arn: Arn,
    pub(crate) name: String,
    pub(crate) token: Secret,
    pub(crate) policy: Option<Policy>,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// A text that never shows in a log. It is written to the data directory, which only its owner may read.
#[derive(Clone, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for signing and for the one answer that hands it out.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Compares in constant time.
    pub(crate) fn is(&self, other: &str) -> bool {
        self.0.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The policies that travel with a caller.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallerPolicies {
    pub(crate) identity: Vec<Policy>,
    pub(crate) boundary: Option<Policy>,
    pub(crate) session: Option<Policy>,
}

impl Accounts {
    pub(crate) fn insert(&mut self, account: Account) {
        self.accounts.insert(account.id.clone(), account);
    }

    pub(crate) fn get(&self, id: &AccountId) -> Option<&Account> {
        self.accounts.get(id)
    }

    pub(crate) fn add_key(&mut self, key: AccessKey) {
        self.keys.insert(key.id.clone(), key);
    }

    pub(crate) fn access_key(&self, id: &str) -> Option<&AccessKey> {
        self.keys.get(id)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &AccessKey> {
        self.keys.values()
    }

    /// The role of an ARN such as `arn:aws:iam::111122223333:role/path/name`.
    pub(crate) fn role(&self, arn: &str) -> Option<(&Account, &str, &Role)> {
        self.accounts.values().find_map(|account| {
            let (name, role) = account.roles.iter().find(|(_, role)| role.arn.as_str() == arn)?;
            Some((account, name.as_str(), role))
        })
    }

    pub(crate) fn role_is_alive(&self, session: &Session) -> bool {
        self.get(&session.account)
            .and_then(|account| account.roles.get(&session.role))
            .is_some_and(|role| role.unique_id == session.role_unique_id)
    }

    /// Whether a principal that a policy names exists; policies may only name those that do.
    pub(crate) fn knows(&self, principal: &NamedPrincipal) -> bool {
        match principal {
            // Services and identity providers are not declared in a scenario.
            NamedPrincipal::Anyone | NamedPrincipal::Service(_) | NamedPrincipal::Federated(_) => true,
            NamedPrincipal::Account(id) => self.accounts.contains_key(id),
            NamedPrincipal::Arn(arn) => self.knows_arn(arn),
            NamedPrincipal::CanonicalUser(id) => self.accounts.values().any(|a| a.canonical_id == *id),
            NamedPrincipal::UniqueId(id) => self.accounts.values().any(|account| {
                account.users.values().any(|user| user.unique_id == *id)
                    || account.roles.values().any(|role| role.unique_id == *id)
            }),
            NamedPrincipal::Unknown(_) => false,
        }
    }

    /// The policy as it is stored: each user and role that it names stands for its unique id.
    pub(crate) fn bound(&self, policy: &Policy) -> Policy {
        policy.bind(|arn| {
            let account = self.get(&arn.account()?)?;
            let user = account.users.values().find(|user| user.arn == *arn).map(|user| &user.unique_id);
            let role = account.roles.values().find(|role| role.arn == *arn).map(|role| &role.unique_id);
            UniqueId::new(user.or(role)?).ok()
        })
    }

    /// The text of a stored policy, with the unique ids of the users and roles that are gone.
    pub(crate) fn shown<'a>(&self, policy: &'a Policy) -> Cow<'a, str> {
        policy.shown_text(|id| {
            self.accounts.values().find_map(|account| {
                let user = account.users.values().find(|user| user.unique_id == id.as_str());
                let role = account.roles.values().find(|role| role.unique_id == id.as_str());
                user.map(|user| &user.arn).or(role.map(|role| &role.arn)).cloned()
            })
        })
    }

    /// From here on the trust policies of all roles mean whom they name now.
    pub(crate) fn bind_trusts(&mut self) {
        let bound: Vec<_> = self
            .accounts
            .values()
            .flat_map(|account| {
                account
                    .roles
                    .iter()
                    .map(|(name, role)| (account.id.clone(), name.clone(), self.bound(&role.trust)))
            })
            .collect();
        for (account, name, trust) in bound {
            if let Some(role) =
                self.accounts.get_mut(&account).and_then(|account| account.roles.get_mut(&name))
            {
                role.trust = trust;
            }
        }
    }

    fn knows_arn(&self, arn: &str) -> bool {
        let Ok(arn) = Arn::new(arn) else { return false };
        let Some(account) = arn.account().and_then(|id| self.accounts.get(&id)) else { return false };
        match arn.service() {
            "iam" => {
                account.users.values().any(|user| user.arn == arn)
                    || account.roles.values().any(|role| role.arn == arn)
            }
            // A session need not exist yet, its role must.
            "sts" => arn
                .resource()
                .strip_prefix("assumed-role/")
                .and_then(|rest| rest.split_once('/'))
                .is_some_and(|(role, session)| account.roles.contains_key(role) && !session.is_empty()),
            _ => false,
        }
    }

    /// Who holds a key; absent if its user is gone.
    pub(crate) fn identity(&self, key: &AccessKey) -> Option<Identity> {
        let (principal, user_id) = match &key.holder {
            Holder::Root { account } => {
                let arn = Arn::new(format!("arn:aws:iam::{account}:root")).ok()?;
                (Principal::Root { arn, account: account.clone() }, account.to_string())
            }
            Holder::User { account, name } => {
                let user = self.get(account)?.users.get(name)?;
                let principal = Principal::User { arn: user.arn.clone(), account: account.clone() };
                (principal, user.unique_id.clone())
            }
            Holder::Session(session) => {
                let principal = Principal::AssumedRole {
                    session_arn: session.arn.clone(),
                    role_arn: session.role_arn.clone(),
                    account: session.account.clone(),
                };
                (principal, format!("{}:{}", session.role_unique_id, session.name))
            }
        };
        Some(Identity { principal, user_id, holder: key.holder.clone() })
    }

    /// The policies of a caller as they are now: a change takes effect on sessions that are already out.
    pub(crate) fn policies_of(&self, holder: &Holder) -> CallerPolicies {
        match holder {
            Holder::Root { .. } => CallerPolicies::default(),
            Holder::User { account, name } => {
                let Some(account) = self.get(account) else { return CallerPolicies::default() };
                let Some(user) = account.users.get(name) else { return CallerPolicies::default() };
                let of_groups = user
                    .groups
                    .iter()
                    .filter_map(|group| account.groups.get(group))
                    .flat_map(|g| &g.policies);
                CallerPolicies {
                    identity: user.policies.iter().chain(of_groups).cloned().collect(),
                    boundary: user.boundary.clone(),
                    session: None,
                }
            }
            Holder::Session(session) => {
                let role = self.get(&session.account).and_then(|account| account.roles.get(&session.role));
                let Some(role) = role else { return CallerPolicies::default() };
                CallerPolicies {
                    identity: role.policies.clone(),
                    boundary: role.boundary.clone(),
                    session: session.policy.clone(),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
