//! How a vendor's installation over HTTP maps to a configuration.

use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::document::{Document, DocumentError};

/// What a field of the installation sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InstallTarget {
    /// `bucket.name`.
    Bucket,
    /// `bucket.region`.
    Region,
    /// `bucket.prefix`.
    Prefix,
    /// `auth.access_key_id`; kept as a secret is.
    AccessKeyId,
    /// `auth.secret_access_key`.
    SecretAccessKey,
    /// `auth.session_token`.
    SessionToken,
    /// `storage_class`.
    StorageClass,
    /// `encryption`, in the words of S3: `AES256` or `aws:kms`.
    Encryption,
    /// `kms_key_id`.
    KmsKeyId,
}

impl InstallTarget {
    /// Whether the value is kept out of configurations, answers and logs.
    pub fn is_secret(self) -> bool {
        matches!(self, Self::AccessKeyId | Self::SecretAccessKey | Self::SessionToken)
    }
}

/// One field of the installation's `config`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct InstallField {
    /// Its name.
    pub name: String,
    /// Another name that is accepted.
    pub alias: Option<String>,
    /// What it sets.
    pub sets: InstallTarget,
    /// Whether an installation without it is refused.
    #[serde(default)]
    pub required: bool,
}

/// The installation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct InstallRules {
    /// The path that takes `POST`.
    pub path: String,
    /// The variants that can be chosen.
    pub variants: Vec<String>,
    /// How events can be delivered.
    pub delivery_modes: Vec<String>,
    /// The datasets that the default blueprint of an installation forwards, whole.
    pub forwards: Vec<String>,
    /// The fields of `config`.
    #[serde(rename = "field")]
    pub fields: Vec<InstallField>,
}

impl InstallRules {
    /// The field of that name or alias.
    pub fn field(&self, name: &str) -> Option<&InstallField> {
        self.fields.iter().find(|field| field.name == name || field.alias.as_deref() == Some(name))
    }
}

pub(super) fn checked(
    document: &Document<'_>,
    raw: Option<Spanned<InstallRules>>,
    datasets: &[super::Dataset],
) -> Result<Option<InstallRules>, DocumentError> {
    let Some(raw) = raw else { return Ok(None) };
    let span = raw.span();
    let rules = raw.into_inner();
    let error = |problem: String, help: &str| Err(document.error(span.clone(), problem, help));
    if !rules.path.starts_with('/') {
        return error(format!("`{}` is no path", rules.path), "begin the path with `/`");
    }
    if rules.variants.is_empty() || rules.delivery_modes.is_empty() || rules.forwards.is_empty() {
        return error(
            "an installation has variants, delivery modes and datasets that it forwards".to_owned(),
            "list at least one of each",
        );
    }
    let unknown = |name: &&String| datasets.iter().all(|dataset| dataset.name().as_str() != name.as_str());
    if let Some(unknown) = rules.forwards.iter().find(unknown) {
        return error(format!("the profile has no dataset `{unknown}`"), "name a dataset of the profile");
    }
    let needed = [
        InstallTarget::Bucket,
        InstallTarget::Region,
        InstallTarget::AccessKeyId,
        InstallTarget::SecretAccessKey,
    ];
    for needed in needed {
        if !rules.fields.iter().any(|field| field.sets == needed && field.required) {
            return error(
                format!("no required field sets `{}`", serde_json::to_value(needed).unwrap_or_default()),
                "add the field with `required = true`",
            );
        }
    }
    Ok(Some(rules))
}
