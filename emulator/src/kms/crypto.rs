//! `Encrypt` and `Decrypt`.

use bucketproof_authz::EncryptionContext;
use jiff::Timestamp;

use super::KmsOperation;
use super::answer::Answer;
use super::input::Input;
use super::requirement::to_use_key;
use super::word::{dry_run, refuse};
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::{KeyError, KeyScope, Plaintext, ResolvedKey, Sealed, World};

/// The most bytes that can be encrypted at once.
const PLAINTEXT_BYTES_MAX: usize = 4096;
/// The longest blob that can be decrypted.
pub(super) const BLOB_BYTES_MAX: usize = 6144;
/// The algorithms of encryption; their order in AWS's message is unverified.
const ALGORITHMS: [&str; 4] = ["RSAES_OAEP_SHA_256", "SM2PKE", "RSAES_OAEP_SHA_1", "SYMMETRIC_DEFAULT"];

/// Reads the algorithm that a symmetric key is to use: there is one.
pub(super) fn check_algorithm(input: &mut Input, name: &str) -> Result<(), AwsError> {
    match input.word(name, &ALGORITHMS)? {
        Some(algorithm) if algorithm != "SYMMETRIC_DEFAULT" && !input.is_broken() => {
            let text = format!("Algorithm {algorithm} is incompatible with key spec SYMMETRIC_DEFAULT.");
            Err(refuse("InvalidKeyUsageException", text))
        }
        _ => Ok(()),
    }
}

/// Encrypts up to 4096 bytes.
#[derive(Debug)]
pub(super) struct Encrypt {
    scope: KeyScope,
    key: String,
    plaintext: Plaintext,
    context: EncryptionContext,
    tokens: Vec<String>,
    dry_run: bool,
}

impl KmsOperation for Encrypt {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        let operation = Self {
            scope,
            key: input.key_id()?,
            plaintext: Plaintext::new(input.required_blob("Plaintext", 1..=PLAINTEXT_BYTES_MAX)?),
            context: input.encryption_context("EncryptionContext")?,
            tokens: input.grant_tokens()?,
            dry_run: input.flag("DryRun")?,
        };
        check_algorithm(input, "EncryptionAlgorithm")?;
        Ok(operation)
    }
}

impl Operation for Encrypt {
    type Output = Answer;
    const OP: Op = Op::Encrypt;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.keys.check_grant_tokens(&self.tokens)?;
        let key = world.keys.resolve(&self.scope, &self.key)?;
        Ok(vec![to_use_key("kms:Encrypt", key, &self.context)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, key, plaintext, context, dry_run: is_dry, .. } = authorized.into_operation();
        let key = world.keys.get(&world.keys.resolve(&scope, &key)?)?;
        let blob = key.encrypt(&plaintext, &context, &world.entropy)?;
        if is_dry {
            return Err(dry_run());
        }
        Ok(Answer::new()
            .with_blob("CiphertextBlob", &blob)
            .with("KeyId", key.arn.as_str())
            .with("EncryptionAlgorithm", "SYMMETRIC_DEFAULT"))
    }
}

/// Decrypts a blob.
#[derive(Debug)]
pub(super) struct Decrypt {
    scope: KeyScope,
    /// Absent to take the key that the blob names.
    key: Option<String>,
    blob: Vec<u8>,
    context: EncryptionContext,
    tokens: Vec<String>,
    dry_run: bool,
}

/// The key that a caller names for a blob, else the one that the blob names.
pub(super) fn key_of_blob(
    world: &World,
    scope: &KeyScope,
    named: Option<&str>,
    blob: &[u8],
) -> Result<ResolvedKey, KeyError> {
    let sealed = Sealed::read(blob).ok_or(KeyError::InvalidCiphertext)?;
    match named {
        Some(named) => world.keys.resolve(scope, named),
        None => world.keys.resolve_sealed(&scope.region, &sealed),
    }
}

impl KmsOperation for Decrypt {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        input.refuse_members(&["Recipient"])?;
        let operation = Self {
            scope,
            key: input.text("KeyId", 1..=2048)?,
            blob: input.required_blob("CiphertextBlob", 1..=BLOB_BYTES_MAX)?,
            context: input.encryption_context("EncryptionContext")?,
            tokens: input.grant_tokens()?,
            dry_run: input.flag("DryRun")?,
        };
        check_algorithm(input, "EncryptionAlgorithm")?;
        Ok(operation)
    }
}

impl Operation for Decrypt {
    type Output = Answer;
    const OP: Op = Op::Decrypt;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        world.keys.check_grant_tokens(&self.tokens)?;
        let key = key_of_blob(world, &self.scope, self.key.as_deref(), &self.blob)?;
        Ok(vec![to_use_key("kms:Decrypt", key, &self.context)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, key, blob, context, dry_run: is_dry, .. } = authorized.into_operation();
        let key = key_of_blob(world, &scope, key.as_deref(), &blob)?;
        let decrypted = world.keys.decrypt(&key, &blob, &context)?;
        if is_dry {
            return Err(dry_run());
        }
        Ok(Answer::new()
            .with("KeyId", decrypted.key_arn.as_str())
            .with_blob("Plaintext", decrypted.plaintext.expose())
            .with("EncryptionAlgorithm", "SYMMETRIC_DEFAULT")
            .with("KeyMaterialId", decrypted.material_id))
    }
}
