//! The policy documents that a vendor's page prints, filled in.

use serde_json::{Map, Value, json};

use crate::names::BucketName;
use crate::profile::{Effect, VendorProfile};

/// Why a document cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The profile documents no role.
    #[error("profile `{profile}` has no trust policy")]
    NoTrust {
        /// The profile.
        profile: String,
    },
}

/// The identity policy that the vendor documents, for this bucket, as JSON text.
pub fn identity_policy(profile: &VendorProfile, bucket: &BucketName) -> String {
    let statements: Vec<Value> = profile
        .statements()
        .iter()
        .map(|statement| {
            let mut object = Map::new();
            if let Some(sid) = &statement.sid {
                object.insert("Sid".to_owned(), json!(sid));
            }
            let effect = match statement.effect {
                Effect::Allow => "Allow",
                Effect::Deny => "Deny",
            };
            object.insert("Effect".to_owned(), json!(effect));
            object.insert("Action".to_owned(), json!(statement.actions));
            let resources: Vec<String> =
                statement.resources.iter().map(|arn| arn.replace("{bucket}", bucket.as_str())).collect();
            object.insert("Resource".to_owned(), json!(resources));
            Value::Object(object)
        })
        .collect();
    document(&statements)
}

/// The trust policy of the customer's role, as JSON text.
pub fn trust_policy(profile: &VendorProfile, external_id: &str) -> Result<String, PolicyError> {
    let trust = profile.trust().ok_or_else(|| PolicyError::NoTrust { profile: profile.id().to_string() })?;
    Ok(document(&[json!({
        "Effect": "Allow",
        "Principal": { "AWS": trust.principal },
        "Action": "sts:AssumeRole",
        "Condition": { "StringEquals": { "sts:ExternalId": external_id } },
    })]))
}

fn document(statements: &[Value]) -> String {
    let policy = json!({ "Version": "2012-10-17", "Statement": statements });
    // A tree of texts always serialises.
    serde_json::to_string_pretty(&policy).unwrap_or_default()
}

#[cfg(test)]
mod tests;
