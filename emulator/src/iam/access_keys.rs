//! Access keys of users and of the root user.

use super::action::{Access, Action, Resource, Scope};
use super::form::{Form, Whose};
use super::page::Page;
use super::show;
use super::things::{OfUser, Thing};
use super::users::whose_access;
use crate::error::AwsError;
use crate::ids;
use crate::operation::Op;
use crate::query::{Fields, Text};
use crate::state::{AccessKey, Account, Holder, KeyStatus, Secret};

/// How many keys a user may have.
pub(super) const KEYS_PER_USER_MAX: usize = 2;

const ACCESS_KEY_ID: Text = Text::of(16, 128).matching("", "[\\w]+");

#[derive(Debug)]
pub(super) struct CreateAccessKey(Whose);

#[derive(Debug)]
pub(super) struct ListAccessKeys {
    whose: Whose,
    page: Page,
}

#[derive(Debug)]
pub(super) struct UpdateAccessKey {
    whose: Whose,
    id: String,
    status: KeyStatus,
}

#[derive(Debug)]
pub(super) struct DeleteAccessKey {
    whose: Whose,
    id: String,
}

#[derive(Debug)]
pub(super) struct GetAccessKeyLastUsed {
    id: String,
}

/// The ids of somebody's keys, and the name to show.
fn keys_of<'a>(account: &'a Account, whose: &Whose) -> Result<(&'a [String], Option<&'a str>), AwsError> {
    match whose {
        Whose::Root => Ok((&account.root_keys, None)),
        Whose::User(name) => {
            let user = account.users.get(name).ok_or_else(|| OfUser::missing(name))?;
            Ok((&user.access_keys, Some(&user.entity.name)))
        }
    }
}

/// A key must be of the very user that the request names.
fn check_owner(scope: &Scope<'_>, whose: &Whose, id: &str) -> Result<(), AwsError> {
    let (keys, _) = keys_of(scope.account()?, whose)?;
    if keys.iter().any(|own| own == id) { Ok(()) } else { Err(no_such_key(id)) }
}

fn no_such_key(id: &str) -> AwsError {
    AwsError::no_such_entity(format!("The Access Key with id {id} cannot be found."))
}

impl Action for CreateAccessKey {
    const OP: Op = Op::CreateAccessKey;

    fn read(form: &mut Form<'_>) -> Self {
        Self(form.whose())
    }

    fn access(&self, account: &Account) -> Access {
        whose_access(Self::OP, account, &self.0)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let (keys, name) = keys_of(scope.account()?, &self.0)?;
        if keys.len() >= KEYS_PER_USER_MAX {
            return Err(AwsError::quota_exceeded("AccessKeysPerUser", KEYS_PER_USER_MAX));
        }
        let account = scope.id.clone();
        let holder = match name {
            Some(name) => Holder::User { account, name: name.to_owned() },
            None => Holder::Root { account },
        };
        let entropy = &scope.world.entropy;
        let secret = Secret::new(ids::secret_access_key(entropy));
        let key = AccessKey::new(ids::access_key_id(entropy, "AKIA"), secret, holder, scope.now);
        let fields = show::access_key(&key, name)
            .text("SecretAccessKey", key.secret.expose())
            .time("CreateDate", key.created_at);
        scope.world.accounts.add_key(key);
        Ok(Some(Fields::new().fields("AccessKey", fields)))
    }
}

impl Action for ListAccessKeys {
    const OP: Op = Op::ListAccessKeys;

    fn read(form: &mut Form<'_>) -> Self {
        Self { whose: form.whose(), page: form.page() }
    }

    fn access(&self, account: &Account) -> Access {
        whose_access(Self::OP, account, &self.whose)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let (ids, name) = keys_of(scope.account()?, &self.whose)?;
        let mut ids: Vec<&String> = ids.iter().collect();
        ids.sort();
        let keys = ids.into_iter().filter_map(|id| scope.world.accounts.access_key(id));
        let list =
            keys.map(|key| (key.id.clone(), show::access_key(key, name).time("CreateDate", key.created_at)));
        Ok(Some(self.page.list("AccessKeyMetadata", list)))
    }
}

impl Action for UpdateAccessKey {
    const OP: Op = Op::UpdateAccessKey;

    fn read(form: &mut Form<'_>) -> Self {
        let whose = form.whose();
        let id = form.reader.required("AccessKeyId", ACCESS_KEY_ID);
        if form.reader.parameters().get("Status").is_none() {
            form.reader.missing("Status");
        }
        let status = form.reader.choice("Status", &["Active", "Inactive"]);
        let status =
            if status.as_deref() == Some("Active") { KeyStatus::Active } else { KeyStatus::Inactive };
        Self { whose, id, status }
    }

    fn access(&self, account: &Account) -> Access {
        whose_access(Self::OP, account, &self.whose)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        check_owner(scope, &self.whose, &self.id)?;
        let key = scope.world.accounts.access_key_mut(&self.id).ok_or_else(|| no_such_key(&self.id))?;
        key.status = self.status;
        Ok(None)
    }
}

impl Action for DeleteAccessKey {
    const OP: Op = Op::DeleteAccessKey;

    fn read(form: &mut Form<'_>) -> Self {
        Self { whose: form.whose(), id: form.reader.required("AccessKeyId", ACCESS_KEY_ID) }
    }

    fn access(&self, account: &Account) -> Access {
        whose_access(Self::OP, account, &self.whose)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        check_owner(scope, &self.whose, &self.id)?;
        scope.world.accounts.remove_key(&self.id);
        Ok(None)
    }
}

impl Action for GetAccessKeyLastUsed {
    const OP: Op = Op::GetAccessKeyLastUsed;

    fn read(form: &mut Form<'_>) -> Self {
        Self { id: form.reader.required("AccessKeyId", ACCESS_KEY_ID) }
    }

    fn access(&self, account: &Account) -> Access {
        let owner = account.users.iter().find(|user| user.access_keys.contains(&self.id));
        match owner {
            Some(user) => OfUser::access(Self::OP, account, &user.entity.name),
            None => Access::to(Self::OP, account, Resource::any()),
        }
    }

    /// A key of another account is told like one that does not exist; AWS's text for it is unverified.
    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let missing = || no_such_key(&self.id);
        let key = scope.world.accounts.access_key(&self.id).ok_or_else(missing)?;
        let name = match &key.holder {
            Holder::User { account, name } if *account == scope.id => Some(name),
            Holder::Root { account } if *account == scope.id => None,
            _ => return Err(missing()),
        };
        let used = match scope.world.accounts.key_last_used(&self.id) {
            None => Fields::new().text("Region", "N/A").text("ServiceName", "N/A"),
            Some(used) => Fields::new()
                .text("Region", used.region)
                .time("LastUsedDate", used.at)
                .text("ServiceName", used.service),
        };
        Ok(Some(Fields::new().some("UserName", name).fields("AccessKeyLastUsed", used)))
    }
}
