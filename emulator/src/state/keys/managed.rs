//! The keys that AWS manages for S3, SNS and SQS, `alias/aws/s3` and its like: one per account and region, made at its
//! first use.
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

/// A service for which AWS manages keys.
#[derive(Debug)]
pub(super) struct Managed {
    alias: &'static str,
    /// Before the region in `kms:ViaService`.
    service: &'static str,
    /// As policies call it.
    name: &'static str,
    description: &'static str,
    policy_id: &'static str,
    /// What everybody in the account may do through the service.
    actions: &'static [&'static str],
}

/// The key that S3 uses where a request names none. Its policy and description are recorded.
const OF_S3: Managed = Managed {
    alias: "alias/aws/s3",
    service: "s3",
    name: "S3",
    description: "Default key that protects my S3 objects when no other key is defined",
    policy_id: "auto-s3-2",
    actions: &["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
};

/// Id and words of the other two are unverified; what their policies allow is documented.
const MANAGED: [Managed; 3] = [
    OF_S3,
    Managed {
        alias: "alias/aws/sns",
        service: "sns",
        name: "SNS",
        description: "Default key that protects my SNS data when no other key is defined",
        policy_id: "auto-sns-1",
        actions: &["kms:GenerateDataKey*", "kms:Decrypt", "kms:DescribeKey"],
    },
    Managed {
        alias: "alias/aws/sqs",
        service: "sqs",
        name: "SQS",
        description: "Default key that protects my SQS messages when no other key is defined",
        policy_id: "auto-sqs-1",
        actions: &["kms:GenerateDataKey*", "kms:Decrypt", "kms:DescribeKey"],
    },
];

/// Aliases that begin so belong to AWS.
pub(crate) fn is_managed_alias(alias: &str) -> bool {
    alias.starts_with("alias/aws/")
}

/// The service whose managed keys have this alias.
pub(super) fn managed_as(alias: &str) -> Option<&'static Managed> {
    MANAGED.iter().find(|managed| managed.alias == alias)
}

impl Managed {
    /// The id of the key of an account in a region.
    fn id(&self, scope: &KeyScope) -> String {
        let digest: [u8; 32] = Sha256::digest(scope.arn(self.alias)).into();
        random_uuid(digest.first_chunk().map_or(0, |half| u128::from_be_bytes(*half)))
    }

    /// The key of an account in a region, which may be yet to be made.
    pub(super) fn key(&self, scope: &KeyScope) -> Result<ResolvedKey, KeyError> {
        let arn = Arn::new(scope.arn(&format!("key/{}", self.id(scope))));
        Ok(ResolvedKey {
            arn: arn.map_err(|_| KeyError::Internal)?,
            account: scope.account.clone(),
            region: scope.region.clone(),
            alias: Some(self.alias.to_owned()),
        })
    }

    /// Everybody in the account, through the service; and for the account itself a look at the key. Services that come
    /// by themselves are nobody in the account.
    ///
    /// Source: the policy that AWS gives such a key (KMS Developer Guide, "AWS managed keys").
    fn policy(&self, scope: &KeyScope) -> Option<Policy> {
        let KeyScope { account, region } = scope;
        let Self { alias, service, name, policy_id, actions, .. } = self;
        let actions = actions.iter().map(|action| format!("\"{action}\"")).collect::<Vec<_>>().join(", ");
        let text = format!(
            r#"{{
  "Version" : "2012-10-17",
  "Id" : "{policy_id}",
  "Statement" : [ {{
    "Sid" : "Allow access through {name} for all principals in the account that are authorized to use {name}",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "*"
    }},
    "Action" : [ {actions} ],
    "Resource" : "*",
    "Condition" : {{
      "StringEquals" : {{
        "kms:CallerAccount" : "{account}",
        "kms:ViaService" : "{service}.{region}.amazonaws.com"
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
        Policy::parse(&text, PolicySource::new(PolicyKind::Key, *alias)).ok()
    }
}

impl Keys {
    /// The key that S3 uses for the requests of an account in a region if nothing names another.
    pub(crate) fn managed_by_s3(scope: &KeyScope) -> Result<ResolvedKey, KeyError> {
        OF_S3.key(scope)
    }

    /// The service that this is the managed key of, if it was not used yet.
    fn yet_to_be_made(&self, key: &ResolvedKey) -> Option<&'static Managed> {
        let scope = key.scope();
        let is_new = self.find(key.arn.as_str()).is_none();
        let id = key.arn.as_str().strip_prefix(&scope.arn("key/")).filter(|_| is_new)?;
        MANAGED.iter().find(|managed| managed.id(&scope) == id)
    }

    /// Whether this is a managed key, and was not used yet.
    pub(super) fn is_yet_to_be_made(&self, key: &ResolvedKey) -> bool {
        self.yet_to_be_made(key).is_some()
    }

    /// Makes a managed key.
    pub(super) fn make_managed(
        &mut self,
        key: &ResolvedKey,
        now: Timestamp,
        entropy: &Entropy,
    ) -> Result<(), KeyError> {
        let managed = self.yet_to_be_made(key).ok_or(KeyError::Internal)?;
        let scope = key.scope();
        let parts = NewKey {
            id: managed.id(&scope),
            arn: key.arn.clone(),
            account: scope.account.clone(),
            region: scope.region.clone(),
            manager: KeyManager::Aws,
            description: managed.description.to_owned(),
            policy: managed.policy(&scope).ok_or(KeyError::Internal)?,
            tags: BTreeMap::new(),
        };
        self.insert(KmsKey::new(parts, now, entropy));
        self.set_alias(&scope, managed.alias, key.arn.as_str(), now);
        Ok(())
    }

    /// The policy of a key, also of a managed one that was not used yet.
    pub(crate) fn policy_of(&self, key: &ResolvedKey) -> Option<Policy> {
        if let Some(key) = self.find(key.arn.as_str()) {
            return Some(key.policy.clone());
        }
        self.yet_to_be_made(key)?.policy(&key.scope())
    }
}
