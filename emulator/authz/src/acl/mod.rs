//! Access control lists of buckets and objects.
//!
//! Plain data: who owns a resource and which permissions its ACL grants.
//!
//! Source: S3 User Guide, "Access control list (ACL) overview".

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

mod canned;
mod requested;

pub use canned::{CannedAcl, CannedAclError};
pub use requested::RequestedAcl;

/// The canonical user id of an account: 64 hexadecimal digits on AWS, any text here.
///
/// Whether an account has this id is for the caller to check; AWS answers `InvalidArgument`, `Invalid id`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct CanonicalUserId(Arc<str>);

/// The owner of what an unsigned request wrote.
const ANONYMOUS: &str = "65a011a29cdf8ec533ec3d1ccaae921c";

impl CanonicalUserId {
    /// Takes an id as it is written.
    pub fn new(id: impl AsRef<str>) -> Self {
        Self(id.as_ref().into())
    }

    /// The id that owns objects which somebody wrote without signing.
    pub fn anonymous() -> Self {
        Self::new(ANONYMOUS)
    }

    /// The id as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for CanonicalUserId {
    fn from(id: String) -> Self {
        Self::new(id)
    }
}

impl From<&str> for CanonicalUserId {
    fn from(id: &str) -> Self {
        Self::new(id)
    }
}

impl From<CanonicalUserId> for String {
    fn from(id: CanonicalUserId) -> Self {
        id.as_str().to_owned()
    }
}

impl fmt::Display for CanonicalUserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CanonicalUserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CanonicalUserId({})", self.0)
    }
}

/// The predefined groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AclGroup {
    /// Everybody, signed or not.
    AllUsers,
    /// Every AWS account: any signed request.
    AuthenticatedUsers,
    /// The service that writes server access logs.
    LogDelivery,
}

impl AclGroup {
    /// Every group.
    pub const ALL: [Self; 3] = [Self::AllUsers, Self::AuthenticatedUsers, Self::LogDelivery];

    /// The URI that names the group on the wire.
    pub fn uri(self) -> &'static str {
        match self {
            Self::AllUsers => "http://acs.amazonaws.com/groups/global/AllUsers",
            Self::AuthenticatedUsers => "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
            Self::LogDelivery => "http://acs.amazonaws.com/groups/s3/LogDelivery",
        }
    }

    /// The group of a URI; AWS answers `InvalidArgument`, `Invalid group uri` to any other.
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.uri() == uri)
    }

    /// Whether a grant to the group makes an ACL public (S3 User Guide, "The meaning of public").
    pub fn is_public(self) -> bool {
        matches!(self, Self::AllUsers | Self::AuthenticatedUsers)
    }
}

/// Whom an ACL grants something.
///
/// AWS takes no e-mail addresses since October 2025, so there is no grantee of that kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Grantee {
    /// An account, with all that its administrators delegate to its identities.
    CanonicalUser(CanonicalUserId),
    /// A predefined group.
    Group(AclGroup),
}

impl fmt::Display for Grantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CanonicalUser(id) => write!(f, "canonical user {id}"),
            Self::Group(AclGroup::AllUsers) => f.write_str("AllUsers"),
            Self::Group(AclGroup::AuthenticatedUsers) => f.write_str("AuthenticatedUsers"),
            Self::Group(AclGroup::LogDelivery) => f.write_str("LogDelivery"),
        }
    }
}

/// What an ACL grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AclPermission {
    /// To list a bucket, or to read an object.
    #[serde(rename = "READ")]
    Read,
    /// To write objects into a bucket; nothing on an object.
    #[serde(rename = "WRITE")]
    Write,
    /// To read the ACL.
    #[serde(rename = "READ_ACP")]
    ReadAcp,
    /// To write the ACL.
    #[serde(rename = "WRITE_ACP")]
    WriteAcp,
    /// All of the others.
    #[serde(rename = "FULL_CONTROL")]
    FullControl,
}

impl AclPermission {
    /// Every permission.
    pub const ALL: [Self; 5] = [Self::Read, Self::Write, Self::ReadAcp, Self::WriteAcp, Self::FullControl];

    /// The name on the wire: `READ_ACP`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Write => "WRITE",
            Self::ReadAcp => "READ_ACP",
            Self::WriteAcp => "WRITE_ACP",
            Self::FullControl => "FULL_CONTROL",
        }
    }

    /// The permission of a name on the wire.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.as_str() == name)
    }

    /// Whether a grant of this permission gives `wanted`.
    pub fn includes(self, wanted: Self) -> bool {
        self == wanted || self == Self::FullControl
    }
}

/// One grant of an ACL.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AclGrant {
    /// To whom.
    pub grantee: Grantee,
    /// What.
    pub permission: AclPermission,
}

impl AclGrant {
    /// A grant to an account.
    pub fn to_user(id: &CanonicalUserId, permission: AclPermission) -> Self {
        Self { grantee: Grantee::CanonicalUser(id.clone()), permission }
    }

    /// A grant to a group.
    pub fn to_group(group: AclGroup, permission: AclPermission) -> Self {
        Self { grantee: Grantee::Group(group), permission }
    }

    /// Whether the grant makes its ACL public.
    pub fn is_public(&self) -> bool {
        matches!(&self.grantee, Grantee::Group(group) if group.is_public())
    }
}

impl fmt::Display for AclGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.permission.as_str(), self.grantee)
    }
}

/// The ACL of a bucket or an object, with the owner it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acl {
    /// The account that owns the bucket or object.
    pub owner: CanonicalUserId,
    /// The grants in the order in which they are shown.
    pub grants: Vec<AclGrant>,
}

impl Acl {
    /// The most grants that an ACL may have.
    pub const GRANTS_MAX: usize = 100;

    /// The ACL of whatever is written without one: its owner has full control, nobody else has anything.
    pub fn private(owner: &CanonicalUserId) -> Self {
        Self { owner: owner.clone(), grants: vec![AclGrant::to_user(owner, AclPermission::FullControl)] }
    }

    /// Whether it grants anything to everybody or to every AWS account; the permission does not matter.
    pub fn is_public(&self) -> bool {
        self.grants.iter().any(AclGrant::is_public)
    }

    /// Whether it grants anything to anybody but its owner.
    pub fn grants_to_others(&self) -> bool {
        self.grants
            .iter()
            .any(|grant| !matches!(&grant.grantee, Grantee::CanonicalUser(id) if *id == self.owner))
    }

    /// The ACL without its public grants: what IgnorePublicAcls leaves of it.
    #[must_use]
    pub fn without_public_grants(&self) -> Self {
        let grants = self.grants.iter().filter(|grant| !grant.is_public()).cloned().collect();
        Self { owner: self.owner.clone(), grants }
    }
}

#[cfg(test)]
mod tests;
