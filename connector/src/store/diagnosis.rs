//! From an error of a store to what it means in the vendor's terms.

use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::names::BucketName;
use crate::profile::VendorProfile;

/// The failures that a profile can have a message for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DiagnosisKind {
    /// The bucket does not exist.
    NoSuchBucket,
    /// The bucket is in another region.
    WrongRegion,
    /// The role may not be assumed.
    RoleDenied,
    /// The access key does not exist.
    AccessKeyUnknown,
    /// The secret is not the access key's.
    SignatureMismatch,
    /// An action is missing from the policy.
    ActionDenied,
    /// An action on a KMS key is missing; profiles without a message for it have that of `action_denied`.
    KmsDenied,
    /// The service does not answer.
    Unavailable,
    /// Credentials expire faster than they can be used.
    CredentialsExpired,
    /// An object is too large.
    TooLarge,
    /// Another refusal.
    Rejected,
    /// A policy lacks a condition that the vendor documents, and so lets through what it is to refuse.
    ConditionMissing,
    /// The role can be assumed without an external id.
    RoleOpen,
    /// Nothing is found that could prove who the connector is.
    NoCredentials,
}

impl DiagnosisKind {
    /// Whether the credentials were refused as such, whatever they were to be used for.
    pub fn is_of_credentials(self) -> bool {
        matches!(
            self,
            Self::RoleDenied
                | Self::AccessKeyUnknown
                | Self::SignatureMismatch
                | Self::CredentialsExpired
                | Self::NoCredentials
        )
    }
}

/// A failure, its cause and the next step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// The failure.
    pub kind: DiagnosisKind,
    /// The requirement that asks for this diagnosis, if one does.
    pub requirement: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    /// The missing action, if a policy lacks one.
    pub action: Option<String>,
    /// The resource that the action is missing on.
    pub resource: Option<String>,
    /// The error as the store gave it.
    pub cause: String,
}

impl Diagnosis {
    /// Diagnoses `error` with the messages of `profile`.
    pub fn of(error: &StoreError, profile: &VendorProfile, bucket: &BucketName) -> Self {
        let kind = kind(error);
        let (message, help) = fallback(kind, error);
        let mut diagnosis = Self {
            kind,
            requirement: None,
            message,
            help: help.to_owned(),
            action: None,
            resource: None,
            cause: error.to_string(),
        };
        let mut values: Vec<(&str, &str)> = vec![("bucket", bucket.as_str())];
        match error {
            StoreError::Denied { action, resource, .. } => {
                diagnosis.action = Some(action.clone());
                diagnosis.resource = Some(resource.clone());
                values.extend([("action", action.as_str()), ("resource", resource.as_str())]);
            }
            StoreError::RoleDenied { role_arn, .. } => {
                diagnosis.action = Some("sts:AssumeRole".to_owned());
                diagnosis.resource = Some(role_arn.clone());
                values.push(("role_arn", role_arn));
            }
            StoreError::UnknownAccessKey { access_key_id, .. }
            | StoreError::SignatureMismatch { access_key_id, .. } => {
                values.push(("access_key_id", access_key_id));
            }
            StoreError::WrongRegion { configured, actual, .. } => {
                values.push(("region", configured));
                values.push(("actual_region", actual.as_deref().unwrap_or("another one")));
            }
            _ => {}
        }
        let message = |wanted| profile.doctor().iter().find(|message| message.when == wanted);
        let instead = || message(DiagnosisKind::ActionDenied).filter(|_| kind == DiagnosisKind::KmsDenied);
        if let Some(known) = message(kind).or_else(instead) {
            diagnosis.requirement = Some(known.requirement.clone());
            diagnosis.message = fill(&known.say, &values);
            diagnosis.help = fill(&known.help, &values);
        }
        diagnosis
    }
}

fn kind(error: &StoreError) -> DiagnosisKind {
    match error {
        StoreError::Unavailable { .. } => DiagnosisKind::Unavailable,
        StoreError::Expired { .. } => DiagnosisKind::CredentialsExpired,
        StoreError::Denied { action, .. } if action.starts_with("kms:") => DiagnosisKind::KmsDenied,
        StoreError::Denied { .. } => DiagnosisKind::ActionDenied,
        StoreError::UnknownAccessKey { .. } => DiagnosisKind::AccessKeyUnknown,
        StoreError::SignatureMismatch { .. } => DiagnosisKind::SignatureMismatch,
        StoreError::RoleDenied { .. } => DiagnosisKind::RoleDenied,
        StoreError::NoSuchBucket { .. } => DiagnosisKind::NoSuchBucket,
        StoreError::WrongRegion { .. } => DiagnosisKind::WrongRegion,
        StoreError::TooLarge { .. } => DiagnosisKind::TooLarge,
        StoreError::NoCredentials { .. } => DiagnosisKind::NoCredentials,
        StoreError::NotS3 { .. } | StoreError::NoRoom { .. } | StoreError::Rejected { .. } => {
            DiagnosisKind::Rejected
        }
    }
}

/// For failures that the profile has no message for.
fn fallback(kind: DiagnosisKind, error: &StoreError) -> (String, &'static str) {
    let help = match kind {
        DiagnosisKind::NoSuchBucket => "check the bucket's name",
        DiagnosisKind::WrongRegion => "check `bucket.region`",
        DiagnosisKind::RoleDenied => "check role ARN, trust policy and external id",
        DiagnosisKind::AccessKeyUnknown => "check the access key id",
        DiagnosisKind::SignatureMismatch => "check the secret access key",
        DiagnosisKind::ActionDenied => "add the action to the identity policy",
        DiagnosisKind::KmsDenied => "allow the action on the key, in the identity policy and in the key's",
        DiagnosisKind::Unavailable => {
            "check the endpoint, its certificate and the network, then run `sync` again; what was sealed is finished then"
        }
        DiagnosisKind::CredentialsExpired => "check the session's length and the machine's clock",
        DiagnosisKind::TooLarge => "split the dataset's source so that an hour stays below 5 GiB",
        DiagnosisKind::Rejected if matches!(error, StoreError::NotS3 { .. }) => {
            "check `bucket.endpoint` and any proxy: something else than S3 answers there"
        }
        DiagnosisKind::Rejected if matches!(error, StoreError::NoRoom { .. }) => {
            "check the state directory's permissions and free space"
        }
        DiagnosisKind::Rejected => "look the error code up in the S3 API reference",
        DiagnosisKind::ConditionMissing => "add the condition to the statement",
        DiagnosisKind::RoleOpen => "add the condition `StringEquals` on `sts:ExternalId` to the trust policy",
        DiagnosisKind::NoCredentials => {
            "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, choose a profile with `auth.aws_profile` or `AWS_PROFILE`, or run where the machine or container has a role"
        }
    };
    (error.to_string(), help)
}

fn fill(template: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}
