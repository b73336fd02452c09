//! Aliases: names of keys within an account and region.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{KeyScope, Keys, KmsKey};

/// A second name of a key.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Alias {
    /// `alias/<name>`.
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) key_arn: String,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl Keys {
    /// The alias of an ARN.
    pub(crate) fn alias(&self, arn: &str) -> Option<&Alias> {
        self.aliases.get(arn)
    }

    /// The aliases of an account in a region, in the order of their names.
    pub(crate) fn aliases_of(&self, scope: &KeyScope) -> impl Iterator<Item = &Alias> {
        let prefix = scope.arn("alias/");
        let within = prefix.clone();
        self.aliases
            .range(prefix..)
            .take_while(move |(arn, _)| arn.starts_with(&within))
            .map(|(_, alias)| alias)
    }

    /// Points an alias at a key.
    pub(crate) fn set_alias(&mut self, scope: &KeyScope, name: &str, key_arn: &str, now: Timestamp) {
        let arn = scope.arn(name);
        let created_at = self.aliases.get(&arn).map_or(now, |alias| alias.created_at);
        self.delete_alias(&arn);
        if let Some(key) = self.by_arn.get_mut(key_arn) {
            key.aliases.insert(name.to_owned());
        }
        let alias = Alias {
            name: name.to_owned(),
            arn: arn.clone(),
            key_arn: key_arn.to_owned(),
            created_at,
            updated_at: now,
        };
        self.aliases.insert(arn, alias);
    }

    pub(crate) fn delete_alias(&mut self, arn: &str) {
        let Some(alias) = self.aliases.remove(arn) else { return };
        if let Some(key) = self.by_arn.get_mut(&alias.key_arn) {
            key.aliases.remove(&alias.name);
        }
    }
}

impl KmsKey {
    /// The names of its aliases, in order.
    pub(crate) fn alias_names(&self) -> impl Iterator<Item = &str> {
        self.aliases.iter().map(String::as_str)
    }
}
