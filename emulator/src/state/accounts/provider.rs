//! Identity providers that roles may trust.

use bucketproof_authz::AccountId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::entity::IamTags;

/// An OpenID Connect provider.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct OidcProvider {
    pub(crate) arn: String,
    /// The issuer as given, scheme included.
    pub(crate) url: String,
    pub(crate) client_ids: Vec<String>,
    pub(crate) thumbprints: Vec<String>,
    pub(crate) tags: IamTags,
    pub(crate) created_at: Timestamp,
}

impl OidcProvider {
    /// The ARN of the provider of an issuer.
    pub(crate) fn arn(account: &AccountId, url: &str) -> String {
        format!("arn:aws:iam::{account}:oidc-provider/{}", Self::host_and_path(url))
    }

    /// The issuer as it stands in ARNs and condition keys: without its scheme.
    pub(crate) fn host_and_path(url: &str) -> &str {
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or(url);
        rest.trim_end_matches('/')
    }
}
