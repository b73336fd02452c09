//! `CreateKey`.

use bucketproof_authz::Arn;
use bucketproof_clock::Entropy;
use jiff::Timestamp;

use super::KmsOperation;
use super::answer::Answer;
use super::describe::metadata;
use super::input::{Input, Tag};
use super::policy::{POLICY_CHARS_MAX, check_lockout, key_policy};
use super::requirement::with_request_tags;
use super::tag::check_tags;
use super::word::{unsupported_feature, validation};
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, RequiredResource, Requirement, Target};
use crate::state::{KeyManager, KeyScope, KmsKey, NewKey, World, random_uuid};

/// The kinds of keys, in the order of AWS's message as recorded.
const SPECS: [&str; 12] = [
    "RSA_2048",
    "ECC_NIST_P384",
    "ECC_NIST_P256",
    "ECC_NIST_P521",
    "HMAC_384",
    "RSA_3072",
    "ECC_SECG_P256K1",
    "RSA_4096",
    "SYMMETRIC_DEFAULT",
    "HMAC_256",
    "HMAC_224",
    "HMAC_512",
];
/// The kinds that came after that message was recorded.
const LATER_SPECS: [&str; 5] = ["ECC_NIST_EDWARDS25519", "ML_DSA_44", "ML_DSA_65", "ML_DSA_87", "SM2"];
/// The uses of keys, in the order of AWS's message as recorded.
const USES: [&str; 3] = ["ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC"];
/// The sources of key material; their order in AWS's message is unverified.
const ORIGINS: [&str; 4] = ["AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"];

/// The policy of a key for which none is given: the account decides with its own policies.
///
/// Source: KMS Developer Guide, "Default key policy"; the layout is that of `GetKeyPolicy`.
pub(crate) fn default_policy_text(account: &str) -> String {
    format!(
        r#"{{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {{
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "arn:aws:iam::{account}:root"
    }},
    "Action" : "kms:*",
    "Resource" : "*"
  }} ]
}}"#
    )
}

/// A new symmetric key.
#[derive(Debug)]
pub(super) struct CreateKey {
    scope: KeyScope,
    description: String,
    policy: Option<String>,
    bypass_lockout_check: bool,
    tags: Vec<Tag>,
}

impl KmsOperation for CreateKey {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        input.refuse_members(&["CustomKeyStoreId", "XksKeyId"])?;
        check_kind(input)?;
        let operation = Self {
            scope,
            description: input.text("Description", 0..=8192)?.unwrap_or_default(),
            policy: input.text("Policy", 1..=POLICY_CHARS_MAX)?,
            bypass_lockout_check: input.flag("BypassPolicyLockoutSafetyCheck")?,
            tags: input.tags()?.unwrap_or_default(),
        };
        if !input.is_broken() {
            check_tags(&operation.tags)?;
        }
        Ok(operation)
    }
}

/// Keys other than symmetric ones made by KMS for one region are refused, each by its name.
fn check_kind(input: &mut Input) -> Result<(), AwsError> {
    let read_spec = |input: &mut Input, name: &str| {
        let later = input.text(name, 0..=usize::MAX)?.filter(|spec| LATER_SPECS.contains(&spec.as_str()));
        match later {
            Some(spec) => Ok(Some(spec)),
            None => input.word(name, &SPECS),
        }
    };
    let spec = match read_spec(input, "KeySpec")? {
        Some(spec) => Some(spec),
        None => read_spec(input, "CustomerMasterKeySpec")?,
    };
    let usage = match input.text("KeyUsage", 0..=usize::MAX)?.as_deref() {
        Some("KEY_AGREEMENT") => Some("KEY_AGREEMENT".to_owned()),
        _ => input.word("KeyUsage", &USES)?,
    };
    let origin = input.word("Origin", &ORIGINS)?;
    let is_multi_region = input.flag("MultiRegion")?;
    if input.is_broken() {
        return Ok(());
    }
    let spec = spec.unwrap_or_else(|| "SYMMETRIC_DEFAULT".to_owned());
    match usage {
        Some(usage) if !is_use_of(&usage, &spec) => {
            return Err(validation(format!("KeyUsage {usage} is not compatible with KeySpec {spec}")));
        }
        None if spec != "SYMMETRIC_DEFAULT" => {
            let text =
                "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.";
            return Err(validation(text));
        }
        _ => {}
    }
    if spec != "SYMMETRIC_DEFAULT" {
        return Err(unsupported_feature(&format!("the key spec `{spec}`")));
    }
    if let Some(origin) = origin.filter(|origin| origin != "AWS_KMS") {
        return Err(unsupported_feature(&format!("the key origin `{origin}`")));
    }
    if is_multi_region {
        return Err(unsupported_feature("a multi-Region key (`MultiRegion`)"));
    }
    Ok(())
}

/// Which kind of key serves which use (KMS API reference, "CreateKey").
fn is_use_of(usage: &str, spec: &str) -> bool {
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| spec.starts_with(prefix));
    match usage {
        "ENCRYPT_DECRYPT" => starts(&["SYMMETRIC_DEFAULT", "RSA_", "SM2"]),
        "SIGN_VERIFY" => starts(&["RSA_", "ECC_", "ML_DSA_", "SM2"]),
        "GENERATE_VERIFY_MAC" => starts(&["HMAC_"]),
        "KEY_AGREEMENT" => starts(&["ECC_NIST_P", "SM2"]),
        _ => false,
    }
}

impl Operation for CreateKey {
    type Output = Answer;
    const OP: Op = Op::CreateKey;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    /// Tags need a permission of their own, which only an identity policy can give: the key has no policy yet.
    fn requirements(&self, _: &World) -> Result<Vec<Requirement>, AwsError> {
        let create = Requirement::new("kms:CreateKey", RequiredResource::Any)
            .with("kms:KeySpec", "SYMMETRIC_DEFAULT")
            .with("kms:KeyUsage", "ENCRYPT_DECRYPT")
            .with("kms:KeyOrigin", "AWS_KMS")
            .with("kms:MultiRegion", "false")
            .with("kms:BypassPolicyLockoutSafetyCheck", self.bypass_lockout_check.to_string());
        let mut requirements = vec![with_request_tags(create, &self.tags)];
        if !self.tags.is_empty() {
            let tag = Requirement::new("kms:TagResource", RequiredResource::Any);
            requirements.push(with_request_tags(tag, &self.tags));
        }
        Ok(requirements)
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, now: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, policy, bypass_lockout_check, .. } = authorized.operation();
        let id = random_key_id(&world.entropy);
        let text = policy.clone().unwrap_or_else(|| default_policy_text(scope.account.as_str()));
        let policy = key_policy(&text, &id, &world.accounts)?;
        let arn = Arn::new(scope.arn(&format!("key/{id}"))).map_err(|_| AwsError::internal())?;
        if !bypass_lockout_check {
            check_lockout(&authorized, &policy, &arn)?;
        }
        let policy = world.accounts.bound(&policy);
        let Self { scope, description, tags, .. } = authorized.into_operation();
        let parts = NewKey {
            id,
            arn,
            account: scope.account,
            region: scope.region,
            manager: KeyManager::Customer,
            description,
            policy,
            tags: tags.into_iter().collect(),
        };
        let key = KmsKey::new(parts, now, &world.entropy);
        let answer = Answer::new().with("KeyMetadata", metadata(&key));
        world.keys.insert(key);
        Ok(answer)
    }
}

/// A random UUID, version 4.
pub(crate) fn random_key_id(entropy: &Entropy) -> String {
    random_uuid(u128::from(entropy.next_u64()) << 64 | u128::from(entropy.next_u64()))
}
