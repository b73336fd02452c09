//! Object Ownership: who owns what is written, and which ACLs a bucket takes.
//!
//! Source: S3 User Guide, "Controlling ownership of objects and disabling ACLs for your bucket"; the rows that the
//! guide leaves open are marked.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::acl::{Acl, AclPermission, CannedAcl, CanonicalUserId, Grantee, RequestedAcl};

/// The Object Ownership setting of a bucket. The default is what a new bucket has since April 2023; a bucket whose
/// ownership controls were deleted behaves as [`ObjectWriter`](Self::ObjectWriter).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ObjectOwnership {
    /// ACLs are off; the bucket owner owns every object.
    #[default]
    BucketOwnerEnforced,
    /// ACLs are on; the bucket owner owns what is written with full control for it, the writer owns the rest.
    BucketOwnerPreferred,
    /// ACLs are on; the writer owns what it writes.
    ObjectWriter,
}

/// A text that is none of the three settings. AWS answers `MalformedXML` in the document and `InvalidArgument` in the
/// header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an Object Ownership setting")]
pub struct ObjectOwnershipError {
    text: String,
}

/// Why Object Ownership refuses a request that is authorized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum OwnershipRefusal {
    /// `AccessControlListNotSupported`: ACLs are off.
    #[error("The bucket does not allow ACLs")]
    AclNotSupported,
    /// `InvalidBucketAclWithObjectOwnership`: ACLs cannot be switched off over a bucket ACL that grants to others, and
    /// a bucket without ACLs cannot be made with one.
    #[error("Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")]
    BucketAclInTheWay,
}

impl OwnershipRefusal {
    /// The error code on the wire; the status is 400 and the message is the `Display` text.
    pub fn code(self) -> &'static str {
        match self {
            Self::AclNotSupported => "AccessControlListNotSupported",
            Self::BucketAclInTheWay => "InvalidBucketAclWithObjectOwnership",
        }
    }
}

impl ObjectOwnership {
    /// Every setting.
    pub const ALL: [Self; 3] = [Self::BucketOwnerEnforced, Self::BucketOwnerPreferred, Self::ObjectWriter];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BucketOwnerEnforced => "BucketOwnerEnforced",
            Self::BucketOwnerPreferred => "BucketOwnerPreferred",
            Self::ObjectWriter => "ObjectWriter",
        }
    }

    /// Whether ACLs count.
    pub fn has_acls(self) -> bool {
        self != Self::BucketOwnerEnforced
    }

    /// Who owns an object that `writer` writes with this ACL; the owner stays with the object. For a multipart upload
    /// the ACL of its beginning counts, for a copy that of the copy.
    pub fn owner_of_new_object<'a>(
        self,
        requested: Option<&RequestedAcl>,
        writer: &'a CanonicalUserId,
        bucket_owner: &'a CanonicalUserId,
    ) -> &'a CanonicalUserId {
        match self {
            Self::BucketOwnerEnforced => bucket_owner,
            Self::BucketOwnerPreferred if gives_full_control_alone(requested, bucket_owner) => bucket_owner,
            Self::BucketOwnerPreferred | Self::ObjectWriter => writer,
        }
    }

    /// Who owns an object now: with ACLs off the bucket owner, otherwise whoever owned it when it was written.
    pub fn owner_of_object<'a>(
        self,
        written_for: &'a CanonicalUserId,
        bucket_owner: &'a CanonicalUserId,
    ) -> &'a CanonicalUserId {
        if self.has_acls() { written_for } else { bucket_owner }
    }

    /// The ACL that an object or a bucket has now, and that is shown: with ACLs off full control for the bucket owner.
    /// What is stored comes back when ACLs are switched on again.
    pub fn acl_in_force<'a>(self, stored: &'a Acl, bucket_owner: &CanonicalUserId) -> Cow<'a, Acl> {
        if self.has_acls() { Cow::Borrowed(stored) } else { Cow::Owned(Acl::private(bucket_owner)) }
    }

    /// Whether an object may be written with this ACL.
    ///
    /// With ACLs off, full control for the bucket owner is taken from everybody, and `private` and `bucket-owner-read`
    /// from the bucket owner's own account, which AWS was seen to do although the guide says otherwise. From other
    /// accounts they are refused, as the guide says; unverified.
    ///
    /// # Errors
    /// [`OwnershipRefusal::AclNotSupported`]. It comes before anything that Block Public Access says.
    pub fn check_new_object(
        self,
        requested: Option<&RequestedAcl>,
        writer: &CanonicalUserId,
        bucket_owner: &CanonicalUserId,
    ) -> Result<(), OwnershipRefusal> {
        let says_nothing_new = match requested {
            None => true,
            Some(RequestedAcl::Canned(CannedAcl::Private | CannedAcl::BucketOwnerRead)) => {
                writer == bucket_owner
            }
            Some(_) => gives_full_control_alone(requested, bucket_owner),
        };
        if self.has_acls() || says_nothing_new { Ok(()) } else { Err(OwnershipRefusal::AclNotSupported) }
    }

    /// Whether the ACL of a bucket or an object may be put: with ACLs off never, whatever it says.
    ///
    /// # Errors
    /// [`OwnershipRefusal::AclNotSupported`].
    pub fn check_put_acl(self) -> Result<(), OwnershipRefusal> {
        if self.has_acls() { Ok(()) } else { Err(OwnershipRefusal::AclNotSupported) }
    }

    /// Whether a bucket may have this setting and this ACL together: when it is made with both, and when the setting
    /// of a bucket that has an ACL changes.
    ///
    /// # Errors
    /// [`OwnershipRefusal::BucketAclInTheWay`].
    pub fn check_bucket_acl(self, acl: &Acl) -> Result<(), OwnershipRefusal> {
        if self.has_acls() || !acl.grants_to_others() {
            Ok(())
        } else {
            Err(OwnershipRefusal::BucketAclInTheWay)
        }
    }
}

/// `bucket-owner-full-control`, by name or as the only grant.
fn gives_full_control_alone(requested: Option<&RequestedAcl>, bucket_owner: &CanonicalUserId) -> bool {
    match requested {
        Some(RequestedAcl::Canned(canned)) => *canned == CannedAcl::BucketOwnerFullControl,
        Some(RequestedAcl::Grants(grants)) => match grants.as_slice() {
            [only] => {
                only.permission == AclPermission::FullControl
                    && matches!(&only.grantee, Grantee::CanonicalUser(id) if id == bucket_owner)
            }
            _ => false,
        },
        None => false,
    }
}

impl FromStr for ObjectOwnership {
    type Err = ObjectOwnershipError;

    /// Reads the exact name: case and blanks count.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|setting| setting.as_str() == text)
            .ok_or_else(|| ObjectOwnershipError { text: text.to_owned() })
    }
}

impl fmt::Display for ObjectOwnership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
