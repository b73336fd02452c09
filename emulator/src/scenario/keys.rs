//! KMS keys in a scenario.

use std::collections::BTreeMap;

use bucketproof_authz::{AccountId, Arn, DocumentKind, Policy, PolicyKind};
use toml::Spanned;

use super::ScenarioError;
use super::build::{Builder, source};
use super::document;
use crate::kms::{check_tags, default_policy_text, random_key_id};
use crate::s3::is_region;
use crate::state::{
    KeyManager, KeyScope, KeyState, KmsKey, NewKey, days_after, is_managed_alias, uuid_number,
};

/// How long a key lives that is to be deleted when the emulator starts.
const WAITING_DAYS: u32 = 30;

impl Builder<'_> {
    pub(super) fn kms_key(
        &mut self,
        key: &document::KmsKey,
        account: &document::Account,
    ) -> Result<(), ScenarioError> {
        let owner = AccountId::new(account.id.get_ref()).map_err(|error| {
            self.error(&account.id, error.to_string(), "an account id is 12 digits in quotes")
        })?;
        let scope = KeyScope::new(owner, self.key_region(key)?);
        let id = self.key_id(key)?;
        let alias = self.key_alias(key, &scope)?;
        let arn = Arn::new(scope.arn(&format!("key/{id}")))
            .map_err(|error| self.error(&account.id, error.to_string(), "choose another id"))?;
        let parts = NewKey {
            policy: self.key_policy(key, &id, &account.id)?,
            tags: self.key_tags(key)?,
            id,
            arn: arn.clone(),
            account: scope.account.clone(),
            region: scope.region.clone(),
            manager: KeyManager::Customer,
            description: key.description.clone().unwrap_or_default(),
        };
        let state = self.key_state(key)?;
        let mut built = KmsKey::new(parts, self.now, &self.world.entropy);
        built.state = state;
        self.world.keys.insert(built);
        if let Some(alias) = alias {
            self.world.keys.set_alias(&scope, &alias, arn.as_str(), self.now);
        }
        Ok(())
    }

    fn key_region(&self, key: &document::KmsKey) -> Result<String, ScenarioError> {
        match &key.region {
            None => Ok("us-east-1".to_owned()),
            Some(region) if is_region(region.get_ref()) => Ok(region.get_ref().clone()),
            Some(region) => {
                let message = format!("field `region` of the KMS key is `{}`", region.get_ref());
                Err(self.error(region, message, "give a region such as `eu-west-1`"))
            }
        }
    }

    fn key_id(&self, key: &document::KmsKey) -> Result<String, ScenarioError> {
        let Some(id) = &key.id else { return Ok(random_key_id(&self.world.entropy)) };
        let text = id.get_ref();
        if uuid_number(text).is_none() {
            let message = format!("field `id` of the KMS key is `{text}`");
            let help = "a key id is a UUID such as `1234abcd-12ab-34cd-56ef-1234567890ab`";
            return Err(self.error(id, message, help));
        }
        if self.world.keys.has_id(text) {
            let message = format!("the KMS key `{text}` is declared twice");
            return Err(self.error(id, message, "key ids are unique among all accounts and regions"));
        }
        Ok(text.clone())
    }

    fn key_alias(&self, key: &document::KmsKey, scope: &KeyScope) -> Result<Option<String>, ScenarioError> {
        let Some(given) = &key.alias else { return Ok(None) };
        let text = given.get_ref();
        let name = text.strip_prefix("alias/").unwrap_or(text);
        let alias = format!("alias/{name}");
        let valid = !name.is_empty()
            && alias.len() <= 256
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "/_-".contains(c))
            && !is_managed_alias(&alias);
        if !valid {
            let message = format!("field `alias` of the KMS key is `{text}`");
            let help = "an alias has letters, digits and `/_-`, and does not begin with `aws/`";
            return Err(self.error(given, message, help));
        }
        if self.world.keys.alias(&scope.arn(&alias)).is_some() {
            let message = format!("the alias `{alias}` is declared twice");
            let help = "an alias names one key of its account and region";
            return Err(self.error(given, message, help));
        }
        Ok(Some(alias))
    }

    fn key_state(&self, key: &document::KmsKey) -> Result<KeyState, ScenarioError> {
        let Some(state) = &key.state else { return Ok(KeyState::Enabled) };
        match state.get_ref().as_str() {
            "Enabled" => Ok(KeyState::Enabled),
            "Disabled" => Ok(KeyState::Disabled),
            "PendingDeletion" => {
                Ok(KeyState::PendingDeletion { deleted_at: days_after(self.now, WAITING_DAYS) })
            }
            other => {
                let message = format!("field `state` of the KMS key is `{other}`");
                Err(self.error(state, message, "use `Enabled`, `Disabled` or `PendingDeletion`"))
            }
        }
    }

    fn key_tags(&self, key: &document::KmsKey) -> Result<BTreeMap<String, String>, ScenarioError> {
        let tags: Vec<(String, String)> =
            key.tags.iter().map(|(name, value)| (name.get_ref().clone(), value.clone())).collect();
        let too_long = |(name, value): &(String, String)| {
            !(1..=128).contains(&name.chars().count()) || value.chars().count() > 256
        };
        let refused = if tags.iter().any(too_long) {
            Some("a tag has a name of 1 to 128 characters and a value of at most 256".to_owned())
        } else {
            check_tags(&tags).err().map(|error| error.message)
        };
        match (refused, key.tags.keys().next()) {
            (Some(message), Some(first)) => {
                Err(self.error(first, message, "AWS refuses the tags of this KMS key"))
            }
            _ => Ok(tags.into_iter().collect()),
        }
    }

    fn key_policy(
        &self,
        key: &document::KmsKey,
        id: &str,
        account: &Spanned<String>,
    ) -> Result<Policy, ScenarioError> {
        let Some(given) = &key.policy else {
            let text = default_policy_text(account.get_ref());
            return Policy::parse(&text, source(PolicyKind::Key, id, None))
                .map_err(|error| self.error(account, error.to_string(), "give the key a policy"));
        };
        let (text, file) = self.policy_text(given)?;
        let policy = Policy::parse_valid(text, source(PolicyKind::Key, id, file), DocumentKind::Key)
            .map_err(|error| self.policy_error(given, file, &error))?;
        self.check_principals(&policy, given)?;
        Ok(self.world.accounts.bound(&policy))
    }
}
