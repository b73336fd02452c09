//! Accounts with all that IAM manages in them, the access keys, and the sessions that STS issued.

mod account;
mod aws_managed;
mod entity;
mod managed;
mod provider;
mod session;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bucketproof_authz::{AccountId, Arn, NamedPrincipal, Policy, Principal, UniqueId};
use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::authenticate::Identity;

pub(crate) use account::{Account, Attached, Group, InstanceProfile, Role, User};
pub(crate) use entity::{Entity, EntityKind, IamTags};
pub(crate) use managed::{ManagedPolicy, PolicyVersion, all_aws_managed};
pub(crate) use provider::OidcProvider;
pub(crate) use session::{AccessKey, Holder, KeyStatus, LastUsed, Secret, Session, SessionSource};

/// The canonical user ids of AWS's own accounts that customers grant to: EC2's, which reads machine images, and
/// CloudFront's, which delivers logs (CloudFront Developer Guide, "Standard logging (legacy)").
const SERVICE_ACCOUNTS: [&str; 2] = [
    "6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c",
    "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0",
];

/// Whether an ARN is that of a CloudFront origin access identity: CloudFront makes them, no account has them
/// (CloudFront Developer Guide, "Restrict access to an Amazon S3 origin").
fn is_origin_access_identity(arn: &str) -> bool {
    arn.strip_prefix("arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E").is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    })
}

/// All accounts, and the index of their keys.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Accounts {
    by_id: BTreeMap<AccountId, Account>,
    keys: BTreeMap<String, AccessKey>,
    /// Every request notes something here, which is no change of the state: it is not kept beyond the process.
    #[serde(skip)]
    usage: Mutex<Usage>,
}

/// When keys and roles were last used.
#[derive(Clone, Debug, Default)]
struct Usage {
    /// By access key id.
    keys: BTreeMap<String, LastUsed>,
    /// By the unique ids of roles.
    roles: BTreeMap<String, LastUsed>,
}

/// The policies and tags that travel with a caller.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallerPolicies {
    pub(crate) identity: Vec<Policy>,
    pub(crate) boundary: Option<Policy>,
    pub(crate) session: Option<Vec<Policy>>,
    /// Those of the user, or of the role and its session.
    pub(crate) tags: IamTags,
}

/// A copy notes for itself who uses what.
impl Clone for Accounts {
    fn clone(&self) -> Self {
        let usage = Mutex::new(self.usage.lock().clone());
        Self { by_id: self.by_id.clone(), keys: self.keys.clone(), usage }
    }
}

impl Accounts {
    pub(crate) fn insert(&mut self, account: Account) {
        self.by_id.insert(account.id.clone(), account);
    }

    pub(crate) fn get(&self, id: &AccountId) -> Option<&Account> {
        self.by_id.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: &AccountId) -> Option<&mut Account> {
        self.by_id.get_mut(id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Account> {
        self.by_id.values()
    }

    /// Adds a key, also to its user or root user.
    pub(crate) fn add_key(&mut self, key: AccessKey) {
        if let Some(keys) = self.keys_of(&key.holder) {
            keys.push(key.id.clone());
        }
        self.keys.insert(key.id.clone(), key);
    }

    /// Removes a key, also from its user or root user.
    pub(crate) fn remove_key(&mut self, id: &str) {
        if let Some(key) = self.keys.remove(id)
            && let Some(keys) = self.keys_of(&key.holder)
        {
            keys.retain(|own| own != id);
        }
    }

    /// The list of long-lived keys that a key of this holder stands in.
    fn keys_of(&mut self, holder: &Holder) -> Option<&mut Vec<String>> {
        match holder {
            Holder::Root { account } => Some(&mut self.by_id.get_mut(account)?.root_keys),
            Holder::User { account, name } => {
                Some(&mut self.by_id.get_mut(account)?.users.get_mut(name)?.access_keys)
            }
            Holder::Session(_) => None,
        }
    }

    pub(crate) fn access_key(&self, id: &str) -> Option<&AccessKey> {
        self.keys.get(id)
    }

    pub(crate) fn access_key_mut(&mut self, id: &str) -> Option<&mut AccessKey> {
        self.keys.get_mut(id)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &AccessKey> {
        self.keys.values()
    }

    /// Notes that a key was used, and for a session of a role that the role was.
    pub(crate) fn note_use(&self, id: &str, service: &str, region: &str, now: Timestamp) {
        let Some(key) = self.keys.get(id) else { return };
        let mut usage = self.usage.lock();
        let (used, id) = match &key.holder {
            Holder::Session(session) => match &session.source {
                SessionSource::Role { unique_id, .. } => (&mut usage.roles, unique_id.as_str()),
                _ => return,
            },
            _ => (&mut usage.keys, id),
        };
        match used.get_mut(id) {
            Some(used) if used.service == service && used.region == region => used.at = now,
            _ => {
                let now = LastUsed { at: now, service: service.to_owned(), region: region.to_owned() };
                used.insert(id.to_owned(), now);
            }
        }
    }

    /// When and for what a long-lived key was last used.
    pub(crate) fn key_last_used(&self, id: &str) -> Option<LastUsed> {
        self.usage.lock().keys.get(id).cloned()
    }

    /// When and for what a role, named by its unique id, was last used.
    pub(crate) fn role_last_used(&self, unique_id: &str) -> Option<LastUsed> {
        self.usage.lock().roles.get(unique_id).cloned()
    }

    /// The role of an ARN such as `arn:aws:iam::111122223333:role/path/name`.
    pub(crate) fn role(&self, arn: &str) -> Option<(&Account, &Role)> {
        let account = self.get(&Arn::new(arn).ok()?.account()?)?;
        Some((account, account.roles.by_arn(arn)?))
    }

    /// Whether the very role or user that a session was made for is still there.
    pub(crate) fn is_alive(&self, session: &Session) -> bool {
        let Some(account) = self.get(&session.account) else { return false };
        match &session.source {
            SessionSource::Role { role, unique_id, .. } => {
                account.roles.get(role).is_some_and(|role| role.entity.unique_id == *unique_id)
            }
            SessionSource::User { unique_id } | SessionSource::Federated { user_id: unique_id, .. } => {
                account.users.by_id(unique_id).is_some()
            }
            SessionSource::Root => true,
        }
    }

    /// Whether a principal that a policy names exists; policies may only name those that do.
    pub(crate) fn knows(&self, principal: &NamedPrincipal) -> bool {
        match principal {
            NamedPrincipal::Anyone | NamedPrincipal::Federated(_) => true,
            // AWS refuses services that do not exist; no list of them is kept here, but all end alike.
            NamedPrincipal::Service(name) => {
                [".amazonaws.com", ".amazonaws.com.cn", ".amazon.com", ".aws.internal"]
                    .iter()
                    .any(|end| name.ends_with(end))
            }
            NamedPrincipal::Account(id) => self.by_id.contains_key(id),
            NamedPrincipal::Arn(arn) => self.knows_arn(arn),
            NamedPrincipal::CanonicalUser(id) => self.has_canonical_id(id),
            NamedPrincipal::UniqueId(id) => self
                .iter()
                .any(|account| account.users.by_id(id).is_some() || account.roles.by_id(id).is_some()),
            NamedPrincipal::Unknown(_) => false,
        }
    }

    /// The policy as AWS stores it: its users and roles are meant by the unique ids that they have now.
    pub(crate) fn bound(&self, policy: &Policy) -> Policy {
        policy.bind(|arn| self.unique_id(arn))
    }

    /// The text of a stored policy as AWS shows it: users and roles that are gone by their unique ids.
    pub(crate) fn shown<'p>(&self, policy: &'p Policy) -> Cow<'p, str> {
        policy.shown_text(|id| self.arn_of(id))
    }

    /// The unique id of a user or role.
    fn unique_id(&self, arn: &Arn) -> Option<UniqueId> {
        let account = self.get(&arn.account()?)?;
        let text = arn.as_str();
        let user = account.users.by_arn(text).map(|user| &user.entity);
        let entity = user.or_else(|| account.roles.by_arn(text).map(|role| &role.entity))?;
        UniqueId::new(&entity.unique_id).ok()
    }

    fn arn_of(&self, id: &UniqueId) -> Option<Arn> {
        let found = |account: &Account| {
            let user = account.users.by_id(id.as_str()).map(|user| &user.entity);
            let entity = user.or_else(|| account.roles.by_id(id.as_str()).map(|role| &role.entity));
            entity.map(|entity| entity.arn.clone())
        };
        self.iter().find_map(found)
    }

    /// Whether an account has this canonical user id, of those here or of AWS's own.
    pub(crate) fn has_canonical_id(&self, id: &str) -> bool {
        SERVICE_ACCOUNTS.contains(&id) || self.iter().any(|account| account.canonical_id == id)
    }

    fn knows_arn(&self, text: &str) -> bool {
        if is_origin_access_identity(text) {
            return true;
        }
        let Ok(arn) = Arn::new(text) else { return false };
        let Some(account) = arn.account().and_then(|id| self.by_id.get(&id)) else { return false };
        match arn.service() {
            "iam" => account.users.by_arn(text).is_some() || account.roles.by_arn(text).is_some(),
            // A session need not exist yet, its role must; a federated user is known only by its name.
            "sts" => match arn.resource().split_once('/') {
                Some(("assumed-role", rest)) => rest
                    .split_once('/')
                    .is_some_and(|(role, session)| account.roles.contains(role) && !session.is_empty()),
                Some(("federated-user", name)) => !name.is_empty(),
                _ => false,
            },
            _ => false,
        }
    }

    /// Who holds a key; absent if its user is gone.
    pub(crate) fn identity(&self, key: &AccessKey) -> Option<Arc<Identity>> {
        let mut known = key.known.lock();
        if let Some(identity) = known.as_ref().filter(|identity| self.is_still(identity, &key.holder)) {
            return Some(Arc::clone(identity));
        }
        let identity = Arc::new(self.identify(key)?);
        *known = Some(Arc::clone(&identity));
        Some(identity)
    }

    /// Whether this is who holds a key: users are renamed, deleted and made anew.
    fn is_still(&self, identity: &Identity, holder: &Holder) -> bool {
        let is_user = |user: &User| {
            identity.user_id == user.entity.unique_id
                && identity.principal.arn() == Some(user.entity.arn.as_str())
        };
        match (&identity.holder, holder) {
            (Holder::Root { account: old }, Holder::Root { account }) => old == account,
            (Holder::User { account: old, name: old_name }, Holder::User { account, name }) => {
                let user = || self.get(account)?.users.get(name);
                old == account && old_name == name && user().is_some_and(is_user)
            }
            (Holder::Session(old), Holder::Session(session)) => {
                Arc::ptr_eq(old, session)
                    && match &session.source {
                        SessionSource::User { unique_id } => {
                            let user = || self.get(&session.account)?.users.by_id(unique_id);
                            user().is_some_and(is_user)
                        }
                        _ => true,
                    }
            }
            _ => false,
        }
    }

    fn identify(&self, key: &AccessKey) -> Option<Identity> {
        let root = |account: &AccountId| {
            let arn = Arn::new(format!("arn:aws:iam::{account}:root")).ok()?;
            Some((Principal::Root { arn, account: account.clone() }, account.to_string()))
        };
        let user = |account: &AccountId, user: &User| {
            let principal = Principal::User { arn: user.entity.arn.clone(), account: account.clone() };
            (principal, user.entity.unique_id.clone())
        };
        let (principal, user_id) = match &key.holder {
            Holder::Root { account } => root(account)?,
            Holder::User { account, name } => user(account, self.get(account)?.users.get(name)?),
            Holder::Session(session) => {
                let account = &session.account;
                match &session.source {
                    SessionSource::Role { unique_id, role_arn, session_arn, session_name, .. } => {
                        let principal = Principal::AssumedRole {
                            session_arn: session_arn.clone(),
                            role_arn: role_arn.clone(),
                            account: account.clone(),
                        };
                        (principal, format!("{unique_id}:{session_name}"))
                    }
                    SessionSource::Federated { user_arn, session_arn, name, .. } => {
                        let principal = Principal::AssumedRole {
                            session_arn: session_arn.clone(),
                            role_arn: user_arn.clone(),
                            account: account.clone(),
                        };
                        (principal, format!("{account}:{name}"))
                    }
                    SessionSource::User { unique_id } => {
                        user(account, self.get(account)?.users.by_id(unique_id)?)
                    }
                    SessionSource::Root => root(account)?,
                }
            }
        };
        let (holder, access_key_id) = (key.holder.clone(), key.id.clone());
        let (context, last_context) = (OnceLock::new(), Arc::default());
        Some(Identity { principal, user_id, holder, access_key_id, context, last_context })
    }

    /// The policies of a caller as they are now: a change takes effect on sessions that are already out.
    pub(crate) fn policies_of(&self, holder: &Holder) -> CallerPolicies {
        match holder {
            Holder::Root { .. } => CallerPolicies::default(),
            Holder::User { account, name } => self.of_user(account, |account| account.users.get(name)),
            Holder::Session(session) => self.of_session(session),
        }
    }

    fn of_user<'a>(
        &'a self,
        account: &AccountId,
        find: impl FnOnce(&'a Account) -> Option<&'a User>,
    ) -> CallerPolicies {
        let Some(account) = self.get(account) else { return CallerPolicies::default() };
        let Some(user) = find(account) else { return CallerPolicies::default() };
        CallerPolicies {
            identity: account.policies_of_user(user),
            boundary: account.boundary(user.boundary.as_ref()),
            session: None,
            tags: user.tags.clone(),
        }
    }

    fn of_session(&self, session: &Session) -> CallerPolicies {
        let mut policies = match &session.source {
            SessionSource::Role { role, .. } => {
                let Some(account) = self.get(&session.account) else { return CallerPolicies::default() };
                let Some(role) = account.roles.get(role) else { return CallerPolicies::default() };
                CallerPolicies {
                    identity: account.policies_of_role(role),
                    boundary: account.boundary(role.boundary.as_ref()),
                    session: None,
                    tags: role.tags.clone(),
                }
            }
            SessionSource::User { unique_id } | SessionSource::Federated { user_id: unique_id, .. } => {
                self.of_user(&session.account, |account| account.users.by_id(unique_id))
            }
            SessionSource::Root => CallerPolicies::default(),
        };
        policies.session.clone_from(&session.policies);
        policies.tags.overlay(&session.tags);
        policies
    }
}

#[cfg(test)]
mod tests;
