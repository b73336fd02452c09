//! Data keys and random bytes.

use bucketproof_authz::EncryptionContext;
use jiff::Timestamp;

use super::KmsOperation;
use super::answer::Answer;
use super::input::Input;
use super::requirement::to_use_key;
use super::word::{dry_run, validation};
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, RequiredResource, Requirement, Target};
use crate::state::{DataKey, KeyScope, Plaintext, World};

/// The most bytes of a data key, or of randomness.
const BYTES_MAX: u32 = 1024;

/// What both ways of making a data key ask for.
#[derive(Debug)]
struct DataKeyRequest {
    scope: KeyScope,
    key: String,
    bytes: usize,
    context: EncryptionContext,
    tokens: Vec<String>,
    dry_run: bool,
}

impl DataKeyRequest {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        input.refuse_members(&["Recipient"])?;
        let key = input.key_id()?;
        let spec = input.word("KeySpec", &["AES_256", "AES_128"])?;
        let number = input.number("NumberOfBytes", 1..=BYTES_MAX)?;
        let bytes = match (spec.as_deref(), number) {
            (Some("AES_128"), None) => 16,
            (Some(_), None) => 32,
            (None, Some(number)) => usize::try_from(number).unwrap_or_default(),
            _ if input.is_broken() => 0,
            _ => return Err(validation("Please specify either number of bytes or key spec.")),
        };
        let context = input.encryption_context("EncryptionContext")?;
        let tokens = input.grant_tokens()?;
        Ok(Self { scope, key, bytes, context, tokens, dry_run: input.flag("DryRun")? })
    }

    fn requirement(&self, action: &'static str, world: &World) -> Result<Requirement, AwsError> {
        world.keys.check_grant_tokens(&self.tokens)?;
        Ok(to_use_key(action, world.keys.resolve(&self.scope, &self.key)?, &self.context))
    }

    fn generate(&self, world: &mut World, now: Timestamp) -> Result<DataKey, AwsError> {
        let key = world.keys.resolve(&self.scope, &self.key)?;
        let data_key = world.generate_data_key(&key, self.bytes, &self.context, now)?;
        if self.dry_run { Err(dry_run()) } else { Ok(data_key) }
    }
}

/// The members that both answers have.
fn answer(data_key: &DataKey) -> Answer {
    Answer::new()
        .with_blob("CiphertextBlob", &data_key.ciphertext)
        .with("KeyId", data_key.key_arn.as_str())
        .with("KeyMaterialId", data_key.material_id.as_str())
}

/// A data key, in the clear and encrypted.
#[derive(Debug)]
pub(super) struct GenerateDataKey(DataKeyRequest);

impl KmsOperation for GenerateDataKey {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        DataKeyRequest::decode(input, scope).map(Self)
    }
}

impl Operation for GenerateDataKey {
    type Output = Answer;
    const OP: Op = Op::GenerateDataKey;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![self.0.requirement("kms:GenerateDataKey", world)?])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Answer, AwsError> {
        let data_key = authorized.operation().0.generate(world, now)?;
        Ok(answer(&data_key).with_blob("Plaintext", data_key.plaintext.expose()))
    }
}

/// An encrypted data key alone.
#[derive(Debug)]
pub(super) struct GenerateDataKeyWithoutPlaintext(DataKeyRequest);

impl KmsOperation for GenerateDataKeyWithoutPlaintext {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        DataKeyRequest::decode(input, scope).map(Self)
    }
}

impl Operation for GenerateDataKeyWithoutPlaintext {
    type Output = Answer;
    const OP: Op = Op::GenerateDataKeyWithoutPlaintext;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![self.0.requirement("kms:GenerateDataKeyWithoutPlaintext", world)?])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Answer, AwsError> {
        Ok(answer(&authorized.operation().0.generate(world, now)?))
    }
}

/// Random bytes, without a key.
#[derive(Debug)]
pub(super) struct GenerateRandom {
    bytes: usize,
}

impl KmsOperation for GenerateRandom {
    fn decode(input: &mut Input, _: KeyScope) -> Result<Self, AwsError> {
        input.refuse_members(&["CustomKeyStoreId", "Recipient"])?;
        let number = input.number("NumberOfBytes", 1..=BYTES_MAX)?;
        if number.is_none() && !input.is_broken() {
            return Err(validation("NumberOfBytes is required."));
        }
        Ok(Self { bytes: number.and_then(|number| usize::try_from(number).ok()).unwrap_or_default() })
    }
}

impl Operation for GenerateRandom {
    type Output = Answer;
    const OP: Op = Op::GenerateRandom;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, _: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![Requirement::new("kms:GenerateRandom", RequiredResource::Any)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Answer, AwsError> {
        let bytes = Plaintext::draw(&world.entropy, authorized.operation().bytes);
        Ok(Answer::new().with_blob("Plaintext", bytes.expose()))
    }
}
