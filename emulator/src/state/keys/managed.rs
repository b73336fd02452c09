//! The key that AWS manages for S3, `alias/aws/s3`: one per account and region, made at its first use.
//!
//! Its id is a function of account and region, so that a request can be decided before the key exists: the policy is
//! the same for all of them and cannot be changed.

use std::collections::BTreeMap;

use bucketproof_authz::{Arn, Policy, PolicyKind, PolicySource};
use bucketproof_clock::Entropy;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::key::{KeyManager, KmsKey, NewKey};
use super::resolve::ResolvedKey;
use super::seal::random_uuid;
use super::{KeyError, KeyScope, Keys};

/// The alias of the key that S3 uses where a request names none.
pub(crate) const S3_ALIAS: &str = "alias/aws/s3";
/// Its description, as recorded.
const S3_DESCRIPTION: &str = "Default key that protects my S3 objects when no other key is defined";

/// Aliases that begin so belong to AWS.
pub(crate) fn is_managed_alias(alias: &str) -> bool {
    alias.starts_with("alias/aws/")
}

/// The id of the managed key of a service.
fn managed_id(scope: &KeyScope) -> String {
    let digest: [u8; 32] = Sha256::digest(scope.arn(S3_ALIAS)).into();
    random_uuid(digest.first_chunk().map_or(0, |half| u128::from_be_bytes(*half)))
}

impl Keys {
    /// The key that S3 uses for the requests of an account in a region if nothing names another.
    pub(crate) fn managed_by_s3(scope: &KeyScope) -> Result<ResolvedKey, KeyError> {
        let arn = Arn::new(scope.arn(&format!("key/{}", managed_id(scope))));
        Ok(ResolvedKey {
            arn: arn.map_err(|_| KeyError::Internal)?,
            account: scope.account.clone(),
            region: scope.region.clone(),
            alias: Some(S3_ALIAS.to_owned()),
        })
    }

    /// Whether this is the managed key of S3, and was not used yet.
    pub(super) fn is_yet_to_be_made(&self, key: &ResolvedKey) -> bool {
        self.find(key.arn.as_str()).is_none() && is_managed_by_s3(key.arn.as_str(), &key.scope())
    }

    /// Makes the managed key of S3.
    pub(super) fn make_managed(
        &mut self,
        key: &ResolvedKey,
        now: Timestamp,
        entropy: &Entropy,
    ) -> Result<(), KeyError> {
        let scope = key.scope();
        let parts = NewKey {
            id: managed_id(&scope),
            arn: key.arn.clone(),
            account: scope.account.clone(),
            region: scope.region.clone(),
            manager: KeyManager::Aws,
            description: S3_DESCRIPTION.to_owned(),
            policy: managed_policy(&scope).ok_or(KeyError::Internal)?,
            tags: BTreeMap::new(),
        };
        self.insert(KmsKey::new(parts, now, entropy));
        self.set_alias(&scope, S3_ALIAS, key.arn.as_str(), now);
        Ok(())
    }

    /// The policy of a key, also of a managed one that was not used yet.
    pub(crate) fn policy_of(&self, key: &ResolvedKey) -> Option<Policy> {
        if let Some(key) = self.find(key.arn.as_str()) {
            return Some(key.policy.clone());
        }
        self.is_yet_to_be_made(key).then(|| managed_policy(&key.scope())).flatten()
    }
}

fn is_managed_by_s3(arn: &str, scope: &KeyScope) -> bool {
    arn.strip_prefix(&scope.arn("key/")) == Some(&managed_id(scope))
}

/// Everybody in the account, through S3; and for the account itself a look at the key.
///
/// Source: the policy that AWS gives such a key (KMS Developer Guide, "AWS managed keys").
fn managed_policy(scope: &KeyScope) -> Option<Policy> {
    let KeyScope { account, region } = scope;
    let text = format!(
        r#"{{
  "Version" : "2012-10-17",
  "Id" : "auto-s3-2",
  "Statement" : [ {{
    "Sid" : "Allow access through S3 for all principals in the account that are authorized to use S3",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "*"
    }},
    "Action" : [ "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey" ],
    "Resource" : "*",
    "Condition" : {{
      "StringEquals" : {{
        "kms:CallerAccount" : "{account}",
        "kms:ViaService" : "s3.{region}.amazonaws.com"
      }}
    }}
  }}, {{
    "Sid" : "Allow direct access to key metadata to the account",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "arn:aws:iam::{account}:root"
    }},
    "Action" : [ "kms:Describe*", "kms:Get*", "kms:List*" ],
    "Resource" : "*"
  }} ]
}}"#
    );
    Policy::parse(&text, PolicySource::new(PolicyKind::Key, S3_ALIAS)).ok()
}
