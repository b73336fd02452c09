//! `DescribeKey` and `ListKeys`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::KmsOperation;
use super::answer::{Answer, PageRequest, epoch_seconds};
use super::input::Input;
use super::requirement::on_key;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, RequiredResource, Requirement, Target};
use crate::state::{KeyManager, KeyScope, KeyState, KmsKey, World};

/// The `KeyMetadata` of a key.
pub(super) fn metadata(key: &KmsKey) -> Value {
    let (state, deleted_at) = match key.state {
        KeyState::Enabled => ("Enabled", None),
        KeyState::Disabled => ("Disabled", None),
        KeyState::PendingDeletion { deleted_at } => ("PendingDeletion", Some(deleted_at)),
    };
    let manager = match key.manager {
        KeyManager::Customer => "CUSTOMER",
        KeyManager::Aws => "AWS",
    };
    let mut metadata = json!({
        "AWSAccountId": key.account.as_str(),
        "KeyId": key.id,
        "Arn": key.arn.as_str(),
        "CreationDate": epoch_seconds(key.created_at),
        "Enabled": key.state == KeyState::Enabled,
        "Description": key.description,
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": state,
        "Origin": "AWS_KMS",
        "KeyManager": manager,
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": false,
        "CurrentKeyMaterialId": key.material_id(),
    });
    if let (Some(deleted_at), Some(members)) = (deleted_at, metadata.as_object_mut()) {
        members.insert("DeletionDate".to_owned(), epoch_seconds(deleted_at).into());
    }
    metadata
}

/// What is this key.
#[derive(Debug)]
pub(super) struct DescribeKey {
    scope: KeyScope,
    key: String,
    tokens: Vec<String>,
}

impl KmsOperation for DescribeKey {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        let key = input.key_id()?;
        Ok(Self { scope, key, tokens: input.grant_tokens()? })
    }
}

impl Operation for DescribeKey {
    type Output = Answer;
    const OP: Op = Op::DescribeKey;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let key = world.keys.resolve(&self.scope, &self.key)?;
        world.keys.check_grant_tokens(&self.tokens)?;
        let alias = key.alias.clone();
        Ok(vec![on_key("kms:DescribeKey", key).with_some("kms:RequestAlias", alias.as_deref())])
    }

    /// A look at the alias of a managed key is its first use.
    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, key, .. } = authorized.into_operation();
        let key = world.keys.resolve(&scope, &key)?;
        world.make_if_managed(&key, now)?;
        Ok(Answer::new().with("KeyMetadata", metadata(world.keys.get(&key)?)))
    }
}

/// The keys of the account in the region.
#[derive(Debug)]
pub(super) struct ListKeys {
    scope: KeyScope,
    page: PageRequest,
}

impl KmsOperation for ListKeys {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        Ok(Self { scope, page: input.page(100, 1000)? })
    }
}

impl Operation for ListKeys {
    type Output = Answer;
    const OP: Op = Op::ListKeys;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, _: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![Requirement::new("kms:ListKeys", RequiredResource::Any)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, page } = authorized.into_operation();
        let page = page.page(world.keys.of(&scope), |key| key.id.clone())?;
        Ok(page.answer("Keys", |key| json!({ "KeyId": key.id, "KeyArn": key.arn.as_str() })))
    }
}
