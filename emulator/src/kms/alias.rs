//! Aliases: `CreateAlias`, `UpdateAlias`, `DeleteAlias`, `ListAliases`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::KmsOperation;
use super::answer::{Answer, PageRequest, epoch_seconds};
use super::input::Input;
use super::requirement::on_key;
use super::word::{refuse, validation};
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, RequiredResource, Requirement, Target};
use crate::state::{Alias, KeyError, KeyScope, ResolvedKey, World, is_managed_alias};

/// The most aliases that a key can have.
const ALIASES_MAX: usize = 50;

/// Reads the name of an alias that is to be made or changed.
///
/// Recorded is the text about the prefix; that of the other two is reported by users, unverified.
fn alias_name(input: &mut Input) -> Result<String, AwsError> {
    let name = input.required_text("AliasName", 1..=256)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || ":/_-".contains(c);
    if !name.chars().all(allowed) {
        input.complain("AliasName", Some(&name), "satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$");
    }
    if input.is_broken() {
        return Ok(name);
    }
    if name.strip_prefix("alias/").is_none_or(str::is_empty) {
        return Err(validation(
            "Alias must start with the prefix \"alias/\". Please see \
             https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
        ));
    }
    if is_managed_alias(&name) {
        return Err(refuse("NotAuthorizedException", ""));
    }
    if name.contains(':') {
        return Err(validation(format!("{name} contains invalid characters for an alias")));
    }
    Ok(name)
}

/// The key that an alias is to name; an alias cannot name an alias.
fn target_key(world: &World, scope: &KeyScope, reference: &str) -> Result<ResolvedKey, AwsError> {
    if reference.starts_with("alias/") || reference.contains(":alias/") {
        return Err(validation("Aliases must refer to keys. Not aliases"));
    }
    Ok(world.keys.resolve_without_alias(scope, reference)?)
}

/// The permission on an alias, beside that on its key.
fn on_alias(action: &'static str, scope: &KeyScope, name: &str) -> Requirement {
    let resource = RequiredResource::KeyAlias { arn: scope.arn(name), account: scope.account.clone() };
    Requirement::new(action, resource)
}

/// Points an alias at a key: the key has to live, and there is an end to its names.
fn point(
    world: &mut World,
    scope: &KeyScope,
    name: &str,
    key: &ResolvedKey,
    now: Timestamp,
) -> Result<(), AwsError> {
    let key = world.keys.get(key)?;
    key.check_alive()?;
    if key.alias_names().filter(|own| *own != name).count() >= ALIASES_MAX {
        // AWS documents the code; the text is unverified.
        return Err(refuse("LimitExceededException", format!("{} has too many aliases", key.arn)));
    }
    let arn = key.arn.clone();
    world.keys.set_alias(scope, name, arn.as_str(), now);
    Ok(())
}

/// A new alias.
#[derive(Debug)]
pub(super) struct CreateAlias {
    scope: KeyScope,
    name: String,
    key: String,
}

impl KmsOperation for CreateAlias {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        let key = input.required_text("TargetKeyId", 1..=2048)?;
        Ok(Self { scope, name: alias_name(input)?, key })
    }
}

impl Operation for CreateAlias {
    type Output = Answer;
    const OP: Op = Op::CreateAlias;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let key = target_key(world, &self.scope, &self.key)?;
        Ok(vec![on_alias("kms:CreateAlias", &self.scope, &self.name), on_key("kms:CreateAlias", key)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, name, key } = authorized.into_operation();
        let arn = scope.arn(&name);
        if world.keys.alias(&arn).is_some() {
            let text = format!("An alias with the name {arn} already exists");
            return Err(refuse("AlreadyExistsException", text));
        }
        let key = target_key(world, &scope, &key)?;
        point(world, &scope, &name, &key, now)?;
        Ok(Answer::empty())
    }
}

/// Another key for an alias.
#[derive(Debug)]
pub(super) struct UpdateAlias {
    scope: KeyScope,
    name: String,
    key: String,
}

impl KmsOperation for UpdateAlias {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        let key = input.required_text("TargetKeyId", 1..=2048)?;
        Ok(Self { scope, name: alias_name(input)?, key })
    }
}

impl Operation for UpdateAlias {
    type Output = Answer;
    const OP: Op = Op::UpdateAlias;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    /// On the alias, and on both keys.
    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let present = key_of_alias(world, &self.scope, &self.name)?;
        let next = target_key(world, &self.scope, &self.key)?;
        Ok(vec![
            on_alias("kms:UpdateAlias", &self.scope, &self.name),
            on_key("kms:UpdateAlias", present),
            on_key("kms:UpdateAlias", next),
        ])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, name, key } = authorized.into_operation();
        let key = target_key(world, &scope, &key)?;
        point(world, &scope, &name, &key, now)?;
        Ok(Answer::empty())
    }
}

/// The key that an alias of the caller's account names.
fn key_of_alias(world: &World, scope: &KeyScope, name: &str) -> Result<ResolvedKey, KeyError> {
    let arn = scope.arn(name);
    let alias = world.keys.alias(&arn).ok_or_else(|| KeyError::no_such_alias(&arn))?;
    world.keys.find(&alias.key_arn).map(crate::state::KmsKey::resolved).ok_or(KeyError::Internal)
}

/// Takes an alias away; its key stays.
#[derive(Debug)]
pub(super) struct DeleteAlias {
    scope: KeyScope,
    name: String,
}

impl KmsOperation for DeleteAlias {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        Ok(Self { scope, name: alias_name(input)? })
    }
}

impl Operation for DeleteAlias {
    type Output = Answer;
    const OP: Op = Op::DeleteAlias;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let key = key_of_alias(world, &self.scope, &self.name)?;
        Ok(vec![on_alias("kms:DeleteAlias", &self.scope, &self.name), on_key("kms:DeleteAlias", key)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, name } = authorized.into_operation();
        world.keys.delete_alias(&scope.arn(&name));
        Ok(Answer::empty())
    }
}

/// The aliases of the account in the region, or of one of its keys.
///
/// AWS also lists the aliases of its services that name no key yet; they are left out.
#[derive(Debug)]
pub(super) struct ListAliases {
    scope: KeyScope,
    key: Option<String>,
    page: PageRequest,
}

impl KmsOperation for ListAliases {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        Ok(Self { scope, key: input.text("KeyId", 1..=2048)?, page: input.page(50, 100)? })
    }
}

impl Operation for ListAliases {
    type Output = Answer;
    const OP: Op = Op::ListAliases;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, _: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![Requirement::new("kms:ListAliases", RequiredResource::Any)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, key, page } = authorized.into_operation();
        let key = key.map(|key| world.keys.resolve_without_alias(&scope, &key)).transpose()?;
        let wanted = |alias: &&Alias| key.as_ref().is_none_or(|key| key.arn.as_str() == alias.key_arn);
        let page = page.page(world.keys.aliases_of(&scope).filter(wanted), |alias| alias.name.clone())?;
        Ok(page.answer("Aliases", show))
    }
}

fn show(alias: &Alias) -> Value {
    json!({
        "AliasName": alias.name,
        "AliasArn": alias.arn,
        "TargetKeyId": alias.key_arn.rsplit('/').next(),
        "CreationDate": epoch_seconds(alias.created_at),
        "LastUpdatedDate": epoch_seconds(alias.updated_at),
    })
}
