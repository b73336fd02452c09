//! Unique ids of users and roles.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::acl::CanonicalUserId;

/// The unique id of a user (`AIDA…`) or a role (`AROA…`): it is never used again, unlike a name.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UniqueId(Arc<str>);

/// Why a text is not a unique id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a unique id: it must be `AIDA` or `AROA` with at least 12 upper-case letters and digits"
)]
pub struct UniqueIdError {
    text: String,
}

/// The shortest unique id; IAM documents ids of 16 to 128 characters.
const LENGTH_MIN: usize = 16;

impl UniqueId {
    /// Parses `AIDA…` or `AROA…`.
    pub fn new(text: impl AsRef<str>) -> Result<Self, UniqueIdError> {
        let text = text.as_ref();
        let is_id = (text.starts_with("AIDA") || text.starts_with("AROA"))
            && text.len() >= LENGTH_MIN
            && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if is_id { Ok(Self(text.into())) } else { Err(UniqueIdError { text: text.to_owned() }) }
    }

    /// The id as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UniqueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UniqueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UniqueId({})", self.0)
    }
}

impl Serialize for UniqueId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// By what else than its ARN a caller is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrincipalIds {
    /// The canonical user id of the caller's account: ACLs and `Principal: {"CanonicalUser": …}` compare with it.
    pub canonical_user: Option<CanonicalUserId>,
    /// The unique id of the user, or of the role of a session; of a federated user that of the user who federated it.
    ///
    /// Without it the id is taken from `aws:userid`, where it stands for users and role sessions.
    pub unique: Option<UniqueId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unique_ids_are_of_users_and_roles() {
        for text in ["AIDACKCEVSQ6C2EXAMPLE", "AROADBQP57FF2AEXAMPLE", "AIDA111111111111"] {
            assert_eq!(UniqueId::new(text).unwrap().as_str(), text);
        }
        for text in
            ["", "AIDA", "AIDA11111111111", "AKIAIOSFODNN7EXAMPLE", "AIDAckcevsq6c2example", "111122223333"]
        {
            assert!(UniqueId::new(text).is_err(), "{text}");
        }
    }
}
