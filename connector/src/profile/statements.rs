//! The policies that a vendor documents.

use serde::{Deserialize, Serialize};

use super::key::KeyPrefix;
use crate::names::BucketName;

/// Effect of a policy statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum Effect {
    /// Allows.
    #[serde(rename = "Allow")]
    Allow,
    /// Denies.
    #[serde(rename = "Deny")]
    Deny,
}

/// What a vendor's documented policy is attached to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyAttachment {
    /// A user or role of the customer.
    #[default]
    Identity,
    /// The bucket; it names the vendor's principal.
    Bucket,
}

/// One statement of the vendor's documented policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyStatement {
    /// The statement's id.
    pub sid: Option<String>,
    /// Allow or deny.
    pub effect: Effect,
    /// Actions, such as `s3:PutObject`.
    pub actions: Vec<String>,
    /// Resource ARNs with the placeholders `{bucket}` and `{prefix}`.
    pub resources: Vec<String>,
    /// Conditions, as the policy language has them.
    pub condition: Option<serde_json::Value>,
}

impl PolicyStatement {
    /// The resources of a bucket and what lies below a prefix.
    pub fn resources_of(&self, bucket: &BucketName, prefix: &KeyPrefix) -> Vec<String> {
        let fill = |arn: &String| fill(arn, bucket.as_str(), prefix.as_str());
        self.resources.iter().map(fill).collect()
    }
}

/// A resource with its placeholders filled in. A prefix ends with its slash, so that `{bucket}/{prefix}*` is right with a
/// blank one.
pub(crate) fn fill(arn: &str, bucket: &str, prefix: &str) -> String {
    arn.replace("{bucket}", bucket).replace("{prefix}", prefix)
}

/// Whom a statement of a key policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyPrincipal {
    /// The account that owns the key.
    Owner,
    /// The vendor's principal.
    Vendor,
}

/// One statement of a documented key policy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyStatement {
    /// The statement's id.
    pub sid: Option<String>,
    /// For whom.
    pub principal: KeyPrincipal,
    /// Actions, such as `kms:Decrypt`.
    pub actions: Vec<String>,
}

/// The policy that a vendor documents for the customer's KMS key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyPolicy {
    /// The policy's id.
    pub id: Option<String>,
    /// Its statements.
    #[serde(default, rename = "statement")]
    pub statements: Vec<KeyStatement>,
    /// Actions on the key that the identity's own policy is to allow.
    #[serde(default)]
    pub identity: Vec<String>,
}

impl KeyPolicy {
    /// The actions that the vendor's principal needs on the key, from wherever they are granted.
    pub fn vendor_actions(&self) -> impl Iterator<Item = &str> {
        let granted = self.statements.iter().filter(|statement| statement.principal == KeyPrincipal::Vendor);
        granted.flat_map(|statement| &statement.actions).chain(&self.identity).map(String::as_str)
    }
}
