//! Access keys, whom they belong to, and the sessions that STS issues.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use bucketproof_authz::{AccountId, Arn, Policy};
use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::entity::IamTags;
use crate::authenticate::{Identity, Scope};

/// A key with its secret and the one it belongs to.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) secret: Secret,
    pub(crate) holder: Holder,
    pub(crate) status: KeyStatus,
    pub(crate) created_at: Timestamp,
    /// As whom its holder was last recognised.
    #[serde(skip)]
    pub(super) known: Arc<Mutex<Option<Arc<Identity>>>>,
}

/// Whether a key is taken at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum KeyStatus {
    Active,
    /// Like a key that does not exist.
    Inactive,
}

/// When and for what a key was last used.
#[derive(Clone, Debug)]
pub(crate) struct LastUsed {
    pub(crate) at: Timestamp,
    /// The signing name of the service.
    pub(crate) service: String,
    pub(crate) region: String,
}

/// Whom an access key belongs to.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) enum Holder {
    Root { account: AccountId },
    User { account: AccountId, name: String },
    Session(Arc<Session>),
}

/// Temporary credentials, as STS issued them.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Session {
    pub(crate) account: AccountId,
    pub(crate) source: SessionSource,
    pub(crate) token: Secret,
    /// What narrows the session; absent if nothing does.
    pub(crate) policies: Option<Vec<Policy>>,
    pub(crate) tags: IamTags,
    /// The lower-case keys of the tags that a further session keeps.
    pub(crate) transitive: BTreeSet<String>,
    /// Who is behind the session, and behind every session made from it.
    pub(crate) source_identity: Option<String>,
    /// Condition keys that an identity provider vouched for, such as `aws:FederatedProvider`.
    pub(crate) claims: Vec<(String, String)>,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// Whose rights a session has.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) enum SessionSource {
    /// AssumeRole and AssumeRoleWithWebIdentity.
    Role {
        role: String,
        /// The session is bound to this very role, not to one of the same name that came later.
        unique_id: String,
        role_arn: Arn,
        session_arn: Arn,
        session_name: String,
    },
    /// GetSessionToken of a user.
    User { unique_id: String },
    /// GetSessionToken of the root user.
    Root,
    /// GetFederationToken of a user.
    Federated { user_id: String, user_arn: Arn, session_arn: Arn, name: String },
}

impl AccessKey {
    pub(crate) fn new(id: String, secret: Secret, holder: Holder, created_at: Timestamp) -> Self {
        Self { id, secret, holder, status: KeyStatus::Active, created_at, known: Arc::default() }
    }
}

impl Holder {
    /// Whether it is a session of GetFederationToken.
    pub(crate) fn is_federated_user(&self) -> bool {
        matches!(self, Self::Session(session) if matches!(session.source, SessionSource::Federated { .. }))
    }
}

impl KeyStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Inactive => "Inactive",
        }
    }
}

/// A text that never shows in a log. It is written to the data directory, which only its owner may read.
#[derive(Clone, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct Secret {
    text: String,
    /// The key that was last derived from it, with what for: clients sign a day's requests with one.
    #[serde(skip)]
    derived: Arc<Mutex<Option<SigningKey>>>,
}

/// What a secret signs with within one scope.
struct SigningKey {
    scope: Scope,
    key: [u8; 32],
}

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), derived: Arc::default() }
    }

    /// The key that signs everything within `scope`.
    pub(crate) fn signing_key(&self, scope: &Scope) -> [u8; 32] {
        let mut derived = self.derived.lock();
        match &*derived {
            Some(own) if own.scope == *scope => own.key,
            _ => {
                let key = scope.signing_key(&self.text);
                *derived = Some(SigningKey { scope: scope.clone(), key });
                key
            }
        }
    }

    /// The text itself, for signing and for the one answer that hands it out.
    pub(crate) fn expose(&self) -> &str {
        &self.text
    }

    /// Compares in constant time.
    pub(crate) fn is(&self, other: &str) -> bool {
        self.text.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
