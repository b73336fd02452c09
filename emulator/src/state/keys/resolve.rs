//! From the four ways to name a key to its ARN.

use bucketproof_authz::{AccountId, Arn};
use serde::{Deserialize, Serialize};

use super::managed::{is_managed_alias, managed_as};
use super::seal::{Sealed, uuid_number};
use super::{KeyError, KeyScope, Keys, KmsKey};

/// A key as a request means it.
///
/// A key of another account need not exist: whether it does, or is merely forbidden, the caller is not to learn.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct ResolvedKey {
    pub(crate) arn: Arn,
    pub(crate) account: AccountId,
    pub(crate) region: String,
    /// `alias/<name>`, if the request used an alias.
    pub(crate) alias: Option<String>,
}

impl ResolvedKey {
    /// Where the key lives.
    pub(super) fn scope(&self) -> KeyScope {
        KeyScope::new(self.account.clone(), self.region.as_str())
    }
}

/// Where a reference points to.
struct Place {
    scope: KeyScope,
    /// `key/<id>` or `alias/<name>`.
    resource: String,
    /// Whether that is the account of the caller.
    is_own: bool,
}

impl Keys {
    /// Finds the key that `reference` means: an id, a key ARN, `alias/<name>`, or an alias ARN.
    ///
    /// # Errors
    /// A reference into the caller's own account must lead to a key (recorded for ids and ARNs).
    pub(crate) fn resolve(&self, scope: &KeyScope, reference: &str) -> Result<ResolvedKey, KeyError> {
        let place = Place::of(scope, reference)?;
        if place.resource.starts_with("alias/") {
            self.resolve_alias(&place)
        } else {
            self.resolve_id(&place)
        }
    }

    /// The same for the operations that take no alias.
    ///
    /// What AWS says of an alias there is unverified; it is treated as any text that is no id.
    pub(crate) fn resolve_without_alias(
        &self,
        scope: &KeyScope,
        reference: &str,
    ) -> Result<ResolvedKey, KeyError> {
        let place = Place::of(scope, reference)?;
        if place.resource.starts_with("alias/") {
            return Err(KeyError::invalid_key_id(reference));
        }
        self.resolve_id(&place)
    }

    /// The key that made a blob, in this region: the caller's own, or another account's that may let the caller use
    /// it.
    pub(crate) fn resolve_sealed(&self, region: &str, sealed: &Sealed<'_>) -> Result<ResolvedKey, KeyError> {
        let key = self.arns.get(&sealed.key_id()).and_then(|arn| self.find(arn));
        let key = key.filter(|key| key.region == region);
        key.map(KmsKey::resolved).ok_or(KeyError::InvalidCiphertext)
    }

    fn resolve_id(&self, place: &Place) -> Result<ResolvedKey, KeyError> {
        let arn = place.scope.arn(&place.resource);
        if place.is_own && self.find(&arn).is_none() {
            return Err(KeyError::no_such_key(&arn));
        }
        place.key(&arn, None)
    }

    fn resolve_alias(&self, place: &Place) -> Result<ResolvedKey, KeyError> {
        let alias = place.resource.as_str();
        let arn = place.scope.arn(alias);
        match self.alias(&arn) {
            Some(found) => place.key(&found.key_arn, Some(alias)),
            None if is_managed_alias(alias) => match managed_as(alias) {
                Some(managed) => managed.key(&place.scope),
                None => Err(KeyError::UnknownManagedAlias(alias.to_owned())),
            },
            None if place.is_own => Err(KeyError::no_such_alias(&arn)),
            None => place.key(&arn, Some(alias)),
        }
    }
}

impl Place {
    /// Takes a reference apart.
    ///
    /// # Errors
    /// Texts that are no id, and ARNs of another region or service. For an ARN of another service the text is
    /// unverified.
    fn of(scope: &KeyScope, reference: &str) -> Result<Self, KeyError> {
        if !reference.starts_with("arn:") {
            let resource = if reference.starts_with("alias/") {
                reference.to_owned()
            } else if is_key_id(reference) {
                format!("key/{reference}")
            } else {
                return Err(KeyError::invalid_key_id(reference));
            };
            return Ok(Self { scope: scope.clone(), resource, is_own: true });
        }
        let invalid = || KeyError::NotFound(format!("Invalid arn {reference}"));
        let arn = Arn::new(reference).map_err(|_| invalid())?;
        let account = arn.account().filter(|_| arn.service() == "kms").ok_or_else(invalid)?;
        if arn.region() != scope.region {
            return Err(KeyError::NotFound(format!("Invalid arn {}", arn.region())));
        }
        let resource = arn.resource();
        match resource.strip_prefix("key/") {
            Some(id) if !is_key_id(id) => return Err(KeyError::invalid_key_id(id)),
            None if !resource.starts_with("alias/") => return Err(invalid()),
            _ => {}
        }
        let is_own = account == scope.account;
        Ok(Self {
            scope: KeyScope { account, region: scope.region.clone() },
            resource: resource.to_owned(),
            is_own,
        })
    }

    fn key(&self, arn: &str, alias: Option<&str>) -> Result<ResolvedKey, KeyError> {
        Ok(ResolvedKey {
            arn: Arn::new(arn).map_err(|_| KeyError::Internal)?,
            account: self.scope.account.clone(),
            region: self.scope.region.clone(),
            alias: alias.map(str::to_owned),
        })
    }
}

impl KmsKey {
    /// This key, as a request that names it by its ARN means it.
    pub(crate) fn resolved(&self) -> ResolvedKey {
        ResolvedKey {
            arn: self.arn.clone(),
            account: self.account.clone(),
            region: self.region.clone(),
            alias: None,
        }
    }
}

/// A UUID, or the id of a multi-Region key: `mrk-` and 32 digits.
fn is_key_id(text: &str) -> bool {
    match text.strip_prefix("mrk-") {
        Some(digits) => digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => uuid_number(text).is_some(),
    }
}
