//! What an operation on keys requires, and the condition keys that its policies may ask for.

use std::borrow::Cow;

use bucketproof_authz::{Context, EncryptionContext, KmsGrant, Principal};

use crate::operation::{RequiredResource, Requirement};
use crate::state::{KeyManager, ResolvedKey, World};

/// The actions that do not know `kms:CallerAccount` (Service Authorization Reference).
const WITHOUT_CALLER_ACCOUNT: [&str; 4] =
    ["kms:GenerateRandom", "kms:ListAliases", "kms:ListKeys", "kms:ListRetirableGrants"];

/// A key as the resource of a requirement, and what its grants are held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyAccess {
    pub(crate) key: ResolvedKey,
    /// Absent where a request has none to give.
    pub(crate) encryption_context: Option<EncryptionContext>,
    grants: CountedGrants,
}

/// Which grants on the key may allow a request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum CountedGrants {
    All,
    /// Those with these ids.
    Only(Vec<String>),
}

impl KeyAccess {
    /// The grants on the key that may allow the request.
    pub(crate) fn grants_that_count(&self, world: &World) -> Vec<KmsGrant> {
        let Some(key) = world.keys.find(self.key.arn.as_str()) else { return Vec::new() };
        let counts = |grant: &&KmsGrant| match &self.grants {
            CountedGrants::All => true,
            CountedGrants::Only(ids) => ids.contains(&grant.id),
        };
        key.grants.values().map(|issued| &issued.grant).filter(counts).cloned().collect()
    }
}

/// A permission on a key.
pub(super) fn on_key(action: &'static str, key: ResolvedKey) -> Requirement {
    let access = KeyAccess { key, encryption_context: None, grants: CountedGrants::All };
    Requirement::new(action, RequiredResource::Key(Box::new(access)))
}

/// A permission that of all grants only these can give.
pub(super) fn on_key_with_grants(action: &'static str, key: ResolvedKey, grants: Vec<String>) -> Requirement {
    let access = KeyAccess { key, encryption_context: None, grants: CountedGrants::Only(grants) };
    Requirement::new(action, RequiredResource::Key(Box::new(access)))
}

/// A permission to encrypt or decrypt with a key: the context and the alias in use are condition keys.
pub(super) fn to_use_key(action: &'static str, key: ResolvedKey, context: &EncryptionContext) -> Requirement {
    let alias = key.alias.clone();
    let access = KeyAccess { key, encryption_context: Some(context.clone()), grants: CountedGrants::All };
    let requirement = Requirement::new(action, RequiredResource::Key(Box::new(access)))
        .with("kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT")
        .with_some("kms:RequestAlias", alias.as_deref());
    with_encryption_context(requirement, context)
}

/// `kms:EncryptionContext:<name>` and `kms:EncryptionContextKeys`.
pub(super) fn with_encryption_context(
    mut requirement: Requirement,
    context: &EncryptionContext,
) -> Requirement {
    if context.is_empty() {
        return requirement;
    }
    requirement = requirement.with_many("kms:EncryptionContextKeys", context.keys());
    for (name, value) in context {
        requirement = requirement.with(format!("kms:EncryptionContext:{name}"), value.as_str());
    }
    requirement
}

/// What a caller needs when `service` (`s3`) uses a key of its region with the caller's permissions.
///
/// `action` is `kms:GenerateDataKey` or `kms:Decrypt`.
pub(crate) fn on_behalf(
    service: &'static str,
    action: &'static str,
    key: ResolvedKey,
    context: &EncryptionContext,
) -> Requirement {
    let via = format!("{service}.{}.amazonaws.com", key.region);
    let mut requirement = to_use_key(action, key, context).with("kms:ViaService", via);
    requirement.via_service = Some(service);
    requirement
}

/// Adds the condition keys that follow from the caller and from the key as it is.
///
/// A call that a service makes for the caller does not show the caller's network (IAM User Guide, "Forward access
/// sessions"): whether `aws:SourceIp` is absent or an address of AWS, conditions on it come out alike.
pub(crate) fn key_context(
    context: &mut Context,
    requirement: &Requirement,
    principal: &Principal,
    world: &World,
) {
    if let Some(service) = requirement.via_service {
        let service = format!("{service}.amazonaws.com");
        context
            .set("aws:ViaAWSService", "true")
            .set("aws:CalledViaFirst", service.as_str())
            .set("aws:CalledViaLast", service.as_str())
            .set_many("aws:CalledVia", [service])
            .remove("aws:SourceIp");
    }
    if !requirement.action.starts_with("kms:") {
        return;
    }
    if let Some(account) = principal.account()
        && !WITHOUT_CALLER_ACCOUNT.contains(&requirement.action)
    {
        context.set("kms:CallerAccount", account.as_str());
    }
    let Some(KeyAccess { key: resolved, .. }) = requirement.resource.key_access() else { return };
    context
        .set("kms:KeySpec", "SYMMETRIC_DEFAULT")
        .set("kms:KeyUsage", "ENCRYPT_DECRYPT")
        .set("kms:KeyOrigin", "AWS_KMS")
        .set("kms:MultiRegion", "false");
    let Some(key) = world.keys.find(resolved.arn.as_str()) else { return };
    let aliases: Vec<&str> = key.alias_names().collect();
    if !aliases.is_empty() {
        context.set_many("kms:ResourceAliases", aliases);
    }
    if key.manager == KeyManager::Customer {
        for (name, value) in &key.tags {
            context.set(format!("aws:ResourceTag/{name}"), value.as_str());
        }
    }
}

/// `aws:RequestTag/<key>` and `aws:TagKeys`.
pub(super) fn with_request_tags(mut requirement: Requirement, tags: &[(String, String)]) -> Requirement {
    if tags.is_empty() {
        return requirement;
    }
    requirement = requirement.with_many("aws:TagKeys", tags.iter().map(|(name, _)| name));
    for (name, value) in tags {
        requirement = requirement.with(Cow::from(format!("aws:RequestTag/{name}")), value.as_str());
    }
    requirement
}
