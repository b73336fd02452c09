//! Who makes a request.

use serde::Serialize;

use crate::arn::{AccountId, Arn};

/// The caller of a request, as authentication established it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Principal {
    /// An IAM user with long-term credentials.
    User {
        /// `arn:aws:iam::<account>:user/<path/name>`.
        arn: Arn,
        /// The account of the user.
        account: AccountId,
    },
    /// A session of a role.
    ///
    /// A session of a federated user is one too: its ARN is `arn:aws:sts::<account>:federated-user/<name>`, and the
    /// user who called GetFederationToken stands where the role does. AWS limits grants to the two in the same way.
    AssumedRole {
        /// `arn:aws:sts::<account>:assumed-role/<role name>/<session name>`; it carries no path.
        session_arn: Arn,
        /// `arn:aws:iam::<account>:role/<path/name>`: with the path, which the session ARN has lost.
        role_arn: Arn,
        /// The account of the role.
        account: AccountId,
    },
    /// The root user of an account.
    Root {
        /// `arn:aws:iam::<account>:root`.
        arn: Arn,
        /// The account.
        account: AccountId,
    },
    /// An AWS service that acts on its own behalf.
    Service {
        /// `cloudtrail.amazonaws.com`.
        name: String,
    },
    /// Somebody whom an identity provider vouches for, before any role is assumed: who calls
    /// AssumeRoleWithWebIdentity or AssumeRoleWithSAML.
    Federated {
        /// As a trust policy names it: `accounts.google.com`, or the ARN of an OIDC or SAML provider.
        provider: String,
    },
    /// An unsigned request.
    Anonymous,
}

impl Principal {
    /// The ARN that AWS shows in messages; services and anonymous callers have none.
    pub fn arn(&self) -> Option<&str> {
        match self {
            Self::User { arn, .. } | Self::Root { arn, .. } => Some(arn.as_str()),
            Self::AssumedRole { session_arn, .. } => Some(session_arn.as_str()),
            Self::Service { .. } | Self::Federated { .. } | Self::Anonymous => None,
        }
    }

    /// The account that the principal belongs to.
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Self::User { account, .. } | Self::AssumedRole { account, .. } | Self::Root { account, .. } => {
                Some(account)
            }
            Self::Service { .. } | Self::Federated { .. } | Self::Anonymous => None,
        }
    }

    /// The principal in words: its ARN, the name of the service or identity provider, or `anonymous`.
    pub fn display_name(&self) -> &str {
        match self {
            Self::Service { name } => name,
            Self::Federated { provider } => provider,
            Self::Anonymous => "anonymous",
            other => other.arn().unwrap_or("anonymous"),
        }
    }
}
