//! The policy documents that a vendor's page prints, filled in.

use serde_json::{Map, Value, json};

use crate::names::BucketName;
use crate::profile::{
    Effect, ExternalIdRule, KeyPrefix, KeyPrincipal, PolicyAttachment, PolicyStatement, VendorProfile,
};

/// Why a document cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The profile documents no role.
    #[error("profile `{profile}` has no trust policy")]
    NoTrust {
        /// The profile.
        profile: String,
    },
    /// The profile documents no policy of the bucket.
    #[error("profile `{profile}` has no bucket policy")]
    NoBucketPolicy {
        /// The profile.
        profile: String,
    },
    /// The profile documents no policy of a key.
    #[error("profile `{profile}` has no key policy")]
    NoKeyPolicy {
        /// The profile.
        profile: String,
    },
}

/// The identity policy that the vendor documents, for this bucket, as JSON text.
pub fn identity_policy(profile: &VendorProfile, bucket: &BucketName) -> String {
    identity_policy_below(profile, bucket, &KeyPrefix::default())
}

/// The identity policy that the vendor documents, for this bucket and what lies below a prefix, as JSON text.
pub fn identity_policy_below(profile: &VendorProfile, bucket: &BucketName, prefix: &KeyPrefix) -> String {
    let statements = profile.statements().iter();
    document(None, statements.map(|statement| statement_of(statement, (bucket, prefix), None)).collect())
}

/// The policy of the bucket that the vendor documents, for this bucket, prefix and principal of the vendor, as JSON text.
pub fn bucket_policy(
    profile: &VendorProfile,
    bucket: &BucketName,
    prefix: &KeyPrefix,
    principal: &str,
) -> Result<String, PolicyError> {
    if profile.policy_attachment() != PolicyAttachment::Bucket {
        return Err(PolicyError::NoBucketPolicy { profile: profile.id().to_string() });
    }
    let statements = profile.statements().iter();
    let statements = statements.map(|statement| statement_of(statement, (bucket, prefix), Some(principal)));
    Ok(document(None, statements.collect()))
}

/// The policy of the customer's KMS key that the vendor documents, as JSON text. `account` is the customer's.
pub fn key_policy(profile: &VendorProfile, account: &str, principal: &str) -> Result<String, PolicyError> {
    let policy = profile.key_policy().filter(|policy| !policy.statements.is_empty());
    let policy = policy.ok_or_else(|| PolicyError::NoKeyPolicy { profile: profile.id().to_string() })?;
    let statements = policy.statements.iter().map(|statement| {
        let principal = match statement.principal {
            KeyPrincipal::Owner => format!("arn:aws:iam::{account}:root"),
            KeyPrincipal::Vendor => principal.to_owned(),
        };
        let mut object = Map::new();
        if let Some(sid) = &statement.sid {
            object.insert("Sid".to_owned(), json!(sid));
        }
        object.insert("Effect".to_owned(), json!("Allow"));
        object.insert("Principal".to_owned(), json!({ "AWS": principal }));
        object.insert("Action".to_owned(), one_or_many(&statement.actions));
        object.insert("Resource".to_owned(), json!("*"));
        Value::Object(object)
    });
    Ok(document(policy.id.as_deref(), statements.collect()))
}

/// What the policy of the user or role is to say of the customer's KMS key, as JSON text. `key` is the key's ARN.
pub fn key_identity_policy(profile: &VendorProfile, key: &str) -> Result<String, PolicyError> {
    let policy = profile.key_policy().filter(|policy| !policy.identity.is_empty());
    let policy = policy.ok_or_else(|| PolicyError::NoKeyPolicy { profile: profile.id().to_string() })?;
    let statement = json!({ "Effect": "Allow", "Action": policy.identity, "Resource": key });
    Ok(document(None, vec![statement]))
}

fn statement_of(
    statement: &PolicyStatement,
    (bucket, prefix): (&BucketName, &KeyPrefix),
    principal: Option<&str>,
) -> Value {
    let mut object = Map::new();
    if let Some(sid) = &statement.sid {
        object.insert("Sid".to_owned(), json!(sid));
    }
    let effect = match statement.effect {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
    };
    object.insert("Effect".to_owned(), json!(effect));
    if let Some(principal) = principal {
        object.insert("Principal".to_owned(), json!({ "AWS": principal }));
    }
    object.insert("Action".to_owned(), json!(statement.actions));
    object.insert("Resource".to_owned(), json!(statement.resources_of(bucket, prefix)));
    if let Some(condition) = &statement.condition {
        object.insert("Condition".to_owned(), condition.clone());
    }
    Value::Object(object)
}

/// A list of one as that one, as policies are usually written.
fn one_or_many(values: &[String]) -> Value {
    match values {
        [one] => json!(one),
        many => json!(many),
    }
}

/// The trust policy of the customer's role, as JSON text.
pub fn trust_policy(profile: &VendorProfile, external_id: &str) -> Result<String, PolicyError> {
    let trust = profile.trust().ok_or_else(|| PolicyError::NoTrust { profile: profile.id().to_string() })?;
    let mut statement = Map::new();
    statement.insert("Effect".to_owned(), json!("Allow"));
    statement.insert("Principal".to_owned(), json!({ "AWS": trust.principal }));
    statement.insert("Action".to_owned(), json!("sts:AssumeRole"));
    if trust.external_id == ExternalIdRule::Required {
        let condition = json!({ "StringEquals": { "sts:ExternalId": external_id } });
        statement.insert("Condition".to_owned(), condition);
    }
    Ok(document(None, vec![Value::Object(statement)]))
}

fn document(id: Option<&str>, statements: Vec<Value>) -> String {
    let mut policy = Map::new();
    policy.insert("Version".to_owned(), json!("2012-10-17"));
    if let Some(id) = id {
        policy.insert("Id".to_owned(), json!(id));
    }
    policy.insert("Statement".to_owned(), Value::Array(statements));
    // A tree of texts always serialises.
    serde_json::to_string_pretty(&Value::Object(policy)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
