//! Which encryption a write gets, from its headers and the bucket's default, and what it takes to read it again.
//!
//! Source: S3 User Guide, "Protecting data with encryption", and recorded answers. A header beats the bucket's
//! default; policies see the headers alone. S3 uses KMS keys with the permissions of its caller.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bucketproof_authz::{AccountId, EncryptionContext};
use http::StatusCode;
use jiff::Timestamp;

use super::customer_key::{CustomerKey, GivenKey};
use super::object::Write;
use crate::error::AwsError;
use crate::kms;
use crate::operation::Requirement;
use crate::state::{
    Bucket, CustomerKeys, DefaultEncryption, Encryption, KeyError, KeyScope, KeySeal, Keys, KmsEncryption,
    KmsMethod, ResolvedKey, World,
};

/// The header that asks for an encryption.
const METHOD: &str = "x-amz-server-side-encryption";
/// The length of a data key.
const DATA_KEY_BYTES: usize = 32;

/// On whose behalf S3 uses KMS keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Requester {
    /// Nobody, or somebody whose signature KMS does not take.
    #[default]
    Unfit,
    /// Signed by version 4; keys without an ARN are those of this account.
    Fit(AccountId),
}

/// What the headers of a write ask for.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestedEncryption {
    /// `x-amz-server-side-encryption`.
    pub(crate) method: Option<String>,
    /// `x-amz-server-side-encryption-aws-kms-key-id`.
    pub(crate) key: Option<String>,
    /// `x-amz-server-side-encryption-context`.
    pub(crate) context: Option<String>,
    /// `x-amz-server-side-encryption-bucket-key-enabled`.
    pub(crate) bucket_key: Option<String>,
    /// `x-amz-server-side-encryption-customer-algorithm`.
    pub(crate) customer_algorithm: Option<String>,
    pub(crate) customer_key: GivenKey,
    pub(crate) requester: Requester,
}

/// The encryption that a write will have.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    S3,
    Kms(KmsPlan),
    Customer(CustomerKey),
}

/// The encryption with a KMS key that a write will have.
#[derive(Clone, Debug)]
pub(crate) struct KmsPlan {
    method: KmsMethod,
    key: ResolvedKey,
    bucket_key: bool,
    context: EncryptionContext,
}

impl Requester {
    /// The account, for whatever is done with KMS keys.
    fn account(&self) -> Result<&AccountId, AwsError> {
        match self {
            Self::Fit(account) => Ok(account),
            Self::Unfit => Err(AwsError::kms_needs_version_4()),
        }
    }

    /// What the requester needs to decrypt an object.
    ///
    /// Of one who may not even ask, nothing: [`Requester::check_decrypt`] refuses that request.
    pub(crate) fn decrypt_requirement(&self, encryption: &Encryption) -> Option<Requirement> {
        match (self, encryption) {
            (Self::Fit(_), Encryption::Kms(kms)) => {
                Some(kms::on_behalf("s3", "kms:Decrypt", kms.key.clone(), &kms.context))
            }
            _ => None,
        }
    }

    /// Decrypts the data key of an object: the key may be disabled or gone by now.
    pub(crate) fn check_decrypt(&self, encryption: &Encryption, keys: &Keys) -> Result<(), AwsError> {
        let Encryption::Kms(kms) = encryption else { return Ok(()) };
        self.account()?;
        keys.decrypt(&kms.key, &kms.data_key, &kms.context).map_err(KeyError::in_s3)?;
        Ok(())
    }
}

impl RequestedEncryption {
    /// Whether a header names an encryption; a copy of an object onto itself is legal then.
    pub(crate) fn is_explicit(&self) -> bool {
        self.method.is_some() || !self.customer_key.is_absent()
    }

    /// Adds the headers to what policies see of a write; they see a key by its ARN, however it was named.
    pub(crate) fn describe(&self, requirement: Requirement, world: &World, region: &str) -> Requirement {
        let resolved = self.key.as_deref().map(|key| {
            let resolved =
                self.requester.account().ok().and_then(|account| {
                    world.keys.resolve(&KeyScope::new(account.clone(), region), key).ok()
                });
            resolved.map_or_else(|| key.to_owned(), |resolved| resolved.arn.as_str().to_owned())
        });
        requirement
            .with_some("s3:x-amz-server-side-encryption", self.method.as_deref())
            .with_some(
                "s3:x-amz-server-side-encryption-customer-algorithm",
                self.customer_algorithm.as_deref(),
            )
            .with_some("s3:x-amz-server-side-encryption-aws-kms-key-id", resolved.as_deref())
    }

    /// What the requester needs of the key that the write will use.
    ///
    /// If no key can be told, nothing: the write is refused with [`RequestedEncryption::plan`]'s error.
    pub(crate) fn requirement(&self, world: &World, bucket: &str, key: &str) -> Option<Requirement> {
        match self.plan(world, world.bucket(bucket).ok()?, key).ok()? {
            Plan::Kms(plan) => Some(kms::on_behalf("s3", "kms:GenerateDataKey", plan.key, &plan.context)),
            Plan::S3 | Plan::Customer(_) => None,
        }
    }

    /// A bucket may refuse keys of customers, in the words of a denial.
    ///
    /// The action in the text is the operation, not the permission: seen on AWS for PutObject and CopyObject.
    pub(crate) fn check_blocked(&self, bucket: &Bucket, write: &Write<'_>) -> Result<(), AwsError> {
        if self.customer_key.is_absent() || bucket.encryption.customer_keys == CustomerKeys::Allowed {
            return Ok(());
        }
        let principal = write.caller.principal();
        match principal.arn() {
            // Only callers of the bucket's account learn the reason.
            Some(arn) if principal.account() == Some(&bucket.owner) => Err(AwsError::access_denied(format!(
                "User: {arn} is not authorized to perform: s3:{} on resource: \"arn:aws:s3:::{}/{}\" \
                     because this bucket has blocked upload requests that specify Server Side Encryption with \
                     Customer provided keys (SSE-C). Please specify a different server-side encryption type.",
                write.op, write.bucket, write.key,
            ))),
            _ => Err(AwsError::access_denied("Access Denied")),
        }
    }

    /// What the write will be encrypted with, or what is wrong with its headers.
    pub(crate) fn plan(&self, world: &World, bucket: &Bucket, key: &str) -> Result<Plan, AwsError> {
        if let (Some(method), false) = (&self.method, self.customer_key.is_absent()) {
            let text = "Server Side Encryption with Customer provided key is incompatible with the encryption \
                        method specified";
            return Err(AwsError::invalid_argument(text, METHOD, method));
        }
        if let Some(key) = self.customer_key.get()? {
            return Ok(Plan::Customer(key.clone()));
        }
        let method = self.method.as_deref();
        if let Some(kms) = method.and_then(KmsMethod::parse) {
            // A bucket's key does not stand in: without a key of its own, such a header asks for that of AWS.
            return self.kms_plan(world, bucket, key, kms, self.key.as_deref()).map(Plan::Kms);
        }
        if self.key.is_some() || self.context.is_some() {
            let text = "Server Side Encryption with AWS KMS managed key requires HTTP header \
                        x-amz-server-side-encryption : aws:kms";
            return Err(
                AwsError::new(StatusCode::BAD_REQUEST, "InvalidArgument", text).with("ArgumentName", METHOD)
            );
        }
        match (method, &bucket.encryption.default) {
            (Some("AES256"), _) | (None, DefaultEncryption::S3) => Ok(Plan::S3),
            (None, DefaultEncryption::Kms { method, key: named }) => {
                self.kms_plan(world, bucket, key, *method, named.as_deref()).map(Plan::Kms)
            }
            (Some(other), _) => {
                let text = "The encryption method specified is not supported";
                Err(AwsError::invalid_argument(text, METHOD, other))
            }
        }
    }

    /// Keys are found in the account of the requester and the region of the bucket.
    fn kms_plan(
        &self,
        world: &World,
        bucket: &Bucket,
        key: &str,
        method: KmsMethod,
        named: Option<&str>,
    ) -> Result<KmsPlan, AwsError> {
        let bucket_key = self.bucket_key(bucket, method)?;
        let mut context =
            self.context.as_deref().map_or_else(|| Ok(EncryptionContext::new()), parse_context)?;
        let arn = if bucket_key {
            format!("arn:aws:s3:::{}", bucket.name)
        } else {
            format!("arn:aws:s3:::{}/{key}", bucket.name)
        };
        context.insert("aws:s3:arn".to_owned(), arn);
        let scope = KeyScope::new(self.requester.account()?.clone(), bucket.region.as_str());
        let key = match named {
            Some(named) => world.keys.resolve(&scope, named),
            None => Keys::managed_by_s3(&scope),
        };
        Ok(KmsPlan { method, key: key.map_err(KeyError::in_s3)?, bucket_key, context })
    }

    /// What the header says, else the bucket; two layers share no key.
    fn bucket_key(&self, bucket: &Bucket, method: KmsMethod) -> Result<bool, AwsError> {
        let asked = match self.bucket_key.as_deref() {
            None => None,
            Some(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Some(false),
            Some(other) => {
                let name = "x-amz-server-side-encryption-bucket-key-enabled";
                let text = format!("Value for {name} header is invalid.");
                return Err(AwsError::invalid_argument(text, name, other));
            }
        };
        match (method, asked) {
            (KmsMethod::Single, asked) => Ok(asked.unwrap_or(bucket.encryption.bucket_key)),
            (KmsMethod::Dual, Some(true)) => Err(AwsError::not_implemented("a bucket key with aws:kms:dsse")),
            (KmsMethod::Dual, _) => Ok(false),
        }
    }
}

impl Plan {
    /// Makes what the object will keep of its encryption.
    pub(crate) fn carry_out(self, world: &mut World, now: Timestamp) -> Result<Encryption, AwsError> {
        match self {
            Self::S3 => Ok(Encryption::S3),
            Self::Customer(key) => Ok(Encryption::Customer(KeySeal::of(&key, &world.entropy))),
            Self::Kms(KmsPlan { method, key, bucket_key, context }) => {
                let made = world.generate_data_key(&key, DATA_KEY_BYTES, &context, now);
                let data_key = made.map_err(KeyError::in_s3)?.ciphertext;
                // Whoever decrypts names the key by what it encrypted.
                let key = ResolvedKey { alias: None, ..key };
                let kms = KmsEncryption { method, key, bucket_key, context, data_key };
                Ok(Encryption::Kms(Box::new(kms)))
            }
        }
    }
}

/// Base64 of a JSON object of texts. The code of the error is unverified, its text was seen on AWS.
fn parse_context(header: &str) -> Result<EncryptionContext, AwsError> {
    let raw = STANDARD.decode(header).ok();
    raw.and_then(|raw| serde_json::from_slice(&raw).ok()).ok_or_else(|| {
        let name = "x-amz-server-side-encryption-context";
        let text = format!(
            "The header '{name}' shall be Base64-encoded UTF-8 string holding JSON which represents a \
             string-string map"
        );
        AwsError::new(StatusCode::BAD_REQUEST, "InvalidArgument", text).with("ArgumentName", name)
    })
}
