//! `ReEncrypt`: from one key or context to another, without the plaintext leaving the service.

use bucketproof_authz::EncryptionContext;
use jiff::Timestamp;

use super::KmsOperation;
use super::answer::Answer;
use super::crypto::{BLOB_BYTES_MAX, check_algorithm, key_of_blob};
use super::input::Input;
use super::requirement::to_use_key;
use super::word::dry_run;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::{KeyError, KeyScope, ResolvedKey, World};

/// Decrypts a blob and encrypts what was in it.
#[derive(Debug)]
pub(super) struct ReEncrypt {
    scope: KeyScope,
    blob: Vec<u8>,
    /// Absent to take the key that the blob names.
    source: Option<String>,
    source_context: EncryptionContext,
    destination: String,
    destination_context: EncryptionContext,
    tokens: Vec<String>,
    dry_run: bool,
}

impl ReEncrypt {
    /// The key to decrypt with, and the key to encrypt with.
    fn keys(&self, world: &World) -> Result<(ResolvedKey, ResolvedKey), KeyError> {
        Ok((
            key_of_blob(world, &self.scope, self.source.as_deref(), &self.blob)?,
            world.keys.resolve(&self.scope, &self.destination)?,
        ))
    }
}

impl KmsOperation for ReEncrypt {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        let operation = Self {
            scope,
            blob: input.required_blob("CiphertextBlob", 1..=BLOB_BYTES_MAX)?,
            source: input.text("SourceKeyId", 1..=2048)?,
            source_context: input.encryption_context("SourceEncryptionContext")?,
            destination: input.required_text("DestinationKeyId", 1..=2048)?,
            destination_context: input.encryption_context("DestinationEncryptionContext")?,
            tokens: input.grant_tokens()?,
            dry_run: input.flag("DryRun")?,
        };
        check_algorithm(input, "SourceEncryptionAlgorithm")?;
        check_algorithm(input, "DestinationEncryptionAlgorithm")?;
        Ok(operation)
    }
}

impl Operation for ReEncrypt {
    type Output = Answer;
    const OP: Op = Op::ReEncrypt;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.keys.check_grant_tokens(&self.tokens)?;
        let (source, destination) = self.keys(world)?;
        let on_same_key = (source.arn == destination.arn).to_string();
        Ok(vec![
            to_use_key("kms:ReEncryptFrom", source, &self.source_context)
                .with("kms:ReEncryptOnSameKey", on_same_key.as_str()),
            to_use_key("kms:ReEncryptTo", destination, &self.destination_context)
                .with("kms:ReEncryptOnSameKey", on_same_key),
        ])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Answer, AwsError> {
        let operation = authorized.operation();
        let (source, destination) = operation.keys(world)?;
        let decrypted = world.keys.decrypt(&source, &operation.blob, &operation.source_context)?;
        let destination = world.keys.get(&destination)?;
        let blob =
            destination.encrypt(&decrypted.plaintext, &operation.destination_context, &world.entropy)?;
        if operation.dry_run {
            return Err(dry_run());
        }
        Ok(Answer::new()
            .with_blob("CiphertextBlob", &blob)
            .with("SourceKeyId", decrypted.key_arn.as_str())
            .with("KeyId", destination.arn.as_str())
            .with("SourceEncryptionAlgorithm", "SYMMETRIC_DEFAULT")
            .with("DestinationEncryptionAlgorithm", "SYMMETRIC_DEFAULT")
            .with("SourceKeyMaterialId", decrypted.material_id)
            .with("DestinationKeyMaterialId", destination.material_id()))
    }
}
