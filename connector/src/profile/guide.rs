//! How a vendor's page sets an export up, step by step, in words and commands of our own.

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{AuthMode, PolicyAttachment};
use crate::document::{Document, DocumentError};

/// A document that a step needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GuideDocument {
    /// The policy of the user or role.
    IdentityPolicy,
    /// The trust policy of the role.
    TrustPolicy,
    /// The policy of the bucket.
    BucketPolicy,
    /// The policy of the KMS key.
    KeyPolicy,
    /// What the policy of the user or role says of the KMS key.
    KeyIdentityPolicy,
    /// The connector's configuration.
    Configuration,
}

impl GuideDocument {
    /// The file that commands name it by.
    pub fn file(self) -> &'static str {
        match self {
            Self::IdentityPolicy => "identity-policy.json",
            Self::TrustPolicy => "trust-policy.json",
            Self::BucketPolicy => "bucket-policy.json",
            Self::KeyPolicy => "key-policy.json",
            Self::KeyIdentityPolicy => "key-identity-policy.json",
            Self::Configuration => "connector.toml",
        }
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct GuideStep {
    /// What is done.
    pub title: String,
    /// How, and why.
    pub say: String,
    /// The same as commands, with placeholders.
    #[serde(default)]
    pub commands: Vec<String>,
    /// What the commands name as files.
    #[serde(default)]
    pub documents: Vec<GuideDocument>,
    /// The one way to authenticate that it is for.
    pub auth: Option<AuthMode>,
    /// Only where objects are encrypted with a key of the customer.
    #[serde(default)]
    pub kms: bool,
}

/// What a guide can be filled in with.
pub(crate) const GUIDE_PLACEHOLDERS: [&str; 7] =
    ["bucket", "region", "prefix", "account", "principal", "external_id", "kms_key"];

/// The documents that a profile has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Has {
    pub(super) attachment: PolicyAttachment,
    pub(super) trust: bool,
    pub(super) key_policy: bool,
    pub(super) key_identity: bool,
}

/// Placeholders are known, and documents are those that the profile has.
pub(super) fn checked(
    document: &Document<'_>,
    raw: Vec<Spanned<GuideStep>>,
    has: Has,
) -> Result<Vec<GuideStep>, DocumentError> {
    let mut steps = Vec::with_capacity(raw.len());
    for raw in raw {
        let span = raw.span();
        let step = raw.into_inner();
        for text in step.commands.iter().chain([&step.say, &step.title]) {
            let mut rest = text.clone();
            for name in GUIDE_PLACEHOLDERS {
                rest = rest.replace(&format!("{{{name}}}"), "");
            }
            if rest.contains(['{', '}']) {
                let known = GUIDE_PLACEHOLDERS.map(|name| format!("{{{name}}}")).join(", ");
                return Err(document.error(
                    span,
                    format!("the step `{}` has an unknown placeholder", step.title),
                    format!("placeholders are {known}"),
                ));
            }
        }
        let lacking = step.documents.iter().find(|wanted| match wanted {
            GuideDocument::IdentityPolicy => has.attachment != PolicyAttachment::Identity,
            GuideDocument::BucketPolicy => has.attachment != PolicyAttachment::Bucket,
            GuideDocument::TrustPolicy => !has.trust,
            GuideDocument::KeyPolicy => !has.key_policy,
            GuideDocument::KeyIdentityPolicy => !has.key_identity,
            GuideDocument::Configuration => false,
        });
        if let Some(lacking) = lacking {
            return Err(document.error(
                span,
                format!(
                    "the step `{}` needs `{}`, which the profile does not have",
                    step.title,
                    lacking.file()
                ),
                "correct `documents` of the step, or add the policy",
            ));
        }
        steps.push(step);
    }
    Ok(steps)
}
