//! The ACL that PutBucketAcl and PutObjectAcl bring: in headers or as a document.

use bucketproof_authz::{Acl, AclGrant, AclPermission, CanonicalUserId, Grantee, RequestedAcl};

use super::headers::{AclHeaders, AclOf, canonical_user, check_count, email_grantee, group};
use crate::error::AwsError;
use crate::s3::document::Element;
use crate::state::Accounts;

/// Exactly one of the two is asked for.
#[derive(Debug)]
pub(crate) struct SubmittedAcl {
    pub(crate) headers: AclHeaders,
    /// What the body says, or what is wrong with it; absent without a body.
    pub(crate) document: Option<Result<AclDocument, AwsError>>,
}

/// `AccessControlPolicy`.
#[derive(Clone, Debug)]
pub(crate) struct AclDocument {
    pub(crate) owner: String,
    pub(crate) grants: Vec<(DocumentGrantee, AclPermission)>,
}

/// A grantee as a document writes it.
#[derive(Clone, Debug)]
pub(crate) enum DocumentGrantee {
    CanonicalUser(String),
    Group(String),
    Email,
}

/// What AWS calls the place of an id in a document.
const DOCUMENT_ID: &str = "CanonicalUser/ID";

impl SubmittedAcl {
    /// The ACL for a bucket or object of `owner`, made by `canned` where headers ask for it.
    pub(super) fn resolve(
        self,
        of: AclOf,
        owner: &CanonicalUserId,
        accounts: &Accounts,
        canned: impl FnOnce(&RequestedAcl) -> Acl,
    ) -> Result<Acl, AwsError> {
        let requested = self.headers.requested(of, accounts)?;
        match (requested, self.document) {
            (Some(_), Some(_)) => Err(AwsError::unexpected_content()),
            (Some(requested), None) => Ok(canned(&requested)),
            (None, Some(document)) => document?.resolve(owner, accounts),
            (None, None) => Err(AwsError::missing_acl()),
        }
    }
}

impl AclDocument {
    /// Reads `AccessControlPolicy`; whatever is wrong with it is `MalformedACLError`.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, AwsError> {
        Self::read(body).map_err(|_| AwsError::malformed_acl())
    }

    fn read(body: &[u8]) -> Result<Self, AwsError> {
        let root = Element::parse(body, super::ROOT)?;
        root.only(&["Owner", "AccessControlList"])?;
        let owner = root.required("Owner")?;
        owner.only(&["ID", "DisplayName"])?;
        let list = root.required("AccessControlList")?;
        list.only(&["Grant"])?;
        let grants = list.all("Grant").map(|grant| {
            grant.only(&["Grantee", "Permission"])?;
            let permission = AclPermission::parse(grant.required_value("Permission")?);
            let permission = permission.ok_or_else(AwsError::malformed_acl)?;
            Ok((DocumentGrantee::read(grant.required("Grantee")?)?, permission))
        });
        Ok(Self {
            owner: owner.required_value("ID")?.to_owned(),
            grants: grants.collect::<Result<_, AwsError>>()?,
        })
    }

    fn resolve(self, owner: &CanonicalUserId, accounts: &Accounts) -> Result<Acl, AwsError> {
        let named = canonical_user(&self.owner, DOCUMENT_ID, accounts)?;
        let grants = self.grants.into_iter().map(|(grantee, permission)| {
            let grantee = match grantee {
                DocumentGrantee::CanonicalUser(id) => canonical_user(&id, DOCUMENT_ID, accounts)?,
                DocumentGrantee::Group(uri) => group(&uri, "Group/URI")?,
                DocumentGrantee::Email => return Err(email_grantee()),
            };
            Ok(AclGrant { grantee, permission })
        });
        let grants = grants.collect::<Result<Vec<_>, _>>()?;
        check_count(&grants)?;
        // Nobody can give away a bucket or an object; the code of this refusal is unverified.
        if named != Grantee::CanonicalUser(owner.clone()) {
            return Err(AwsError::access_denied("Access Denied"));
        }
        Ok(Acl { owner: owner.clone(), grants })
    }
}

impl DocumentGrantee {
    /// A grantee is what its `xsi:type` says, and must name itself in the way of that type.
    fn read(grantee: &Element) -> Result<Self, AwsError> {
        match grantee.kind() {
            Some("CanonicalUser") => {
                grantee.only(&["ID", "DisplayName"])?;
                Ok(Self::CanonicalUser(grantee.required_value("ID")?.to_owned()))
            }
            Some("Group") => {
                grantee.only(&["URI"])?;
                Ok(Self::Group(grantee.required_value("URI")?.to_owned()))
            }
            Some("AmazonCustomerByEmail") => {
                grantee.only(&["EmailAddress"])?;
                grantee.required("EmailAddress").map(|_| Self::Email)
            }
            _ => Err(AwsError::malformed_acl()),
        }
    }
}
