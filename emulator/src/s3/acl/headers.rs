//! The ACL headers of a request: a canned ACL in `x-amz-acl`, or grants in `x-amz-grant-…`.

use bucketproof_authz::{Acl, AclGrant, AclGroup, AclPermission, CannedAcl, Grantee, RequestedAcl};

use crate::error::AwsError;
use crate::operation::Requirement;
use crate::state::Accounts;

/// The headers that grant: the permission, the header, and the condition key that shows it to policies.
const GRANT_HEADERS: [(AclPermission, &str, &str); 5] = [
    (AclPermission::FullControl, "x-amz-grant-full-control", "s3:x-amz-grant-full-control"),
    (AclPermission::Read, "x-amz-grant-read", "s3:x-amz-grant-read"),
    (AclPermission::ReadAcp, "x-amz-grant-read-acp", "s3:x-amz-grant-read-acp"),
    (AclPermission::Write, "x-amz-grant-write", "s3:x-amz-grant-write"),
    (AclPermission::WriteAcp, "x-amz-grant-write-acp", "s3:x-amz-grant-write-acp"),
];

/// The ACL headers of a request, as they were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AclHeaders {
    canned: Option<String>,
    /// The values of the headers of [`GRANT_HEADERS`].
    grants: [Option<String>; GRANT_HEADERS.len()],
}

/// What may have the ACL; `log-delivery-write` is for buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AclOf {
    Bucket,
    Object,
}

impl AclHeaders {
    /// Takes them from a request.
    pub(crate) fn read<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Self {
        Self {
            canned: header("x-amz-acl").map(str::to_owned),
            grants: GRANT_HEADERS.map(|(_, name, _)| header(name).map(str::to_owned)),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Shows the headers to policies.
    pub(crate) fn describe(&self, requirement: Requirement) -> Requirement {
        let requirement = requirement.with_some("s3:x-amz-acl", self.canned.as_deref());
        GRANT_HEADERS.iter().zip(&self.grants).fold(requirement, |requirement, ((_, _, key), value)| {
            requirement.with_some(key, value.as_deref())
        })
    }

    /// What they ask for, if anything.
    pub(crate) fn requested(&self, of: AclOf, accounts: &Accounts) -> Result<Option<RequestedAcl>, AwsError> {
        let has_grants = self.grants.iter().any(Option::is_some);
        if let Some(name) = &self.canned {
            if has_grants {
                let text = "Specifying both Canned ACLs and Header Grants is not allowed";
                return Err(AwsError::invalid_request(text));
            }
            let canned = name.parse().ok();
            let canned =
                canned.filter(|canned| of == AclOf::Bucket || *canned != CannedAcl::LogDeliveryWrite);
            let canned = canned.ok_or_else(|| AwsError::invalid_canned_acl(name))?;
            return Ok(Some(RequestedAcl::Canned(canned)));
        }
        if !has_grants {
            return Ok(None);
        }
        let mut grants = Vec::new();
        for ((permission, header, _), value) in GRANT_HEADERS.iter().zip(&self.grants) {
            for grantee in
                value.as_deref().map_or(Ok(Vec::new()), |value| grantees(header, value, accounts))?
            {
                grants.push(AclGrant { grantee, permission: *permission });
            }
        }
        check_count(&grants)?;
        Ok(Some(RequestedAcl::Grants(grants)))
    }
}

/// The grantees of one header: `id="…", uri="…"`, with or without quotes.
fn grantees(header: &'static str, value: &str, accounts: &Accounts) -> Result<Vec<Grantee>, AwsError> {
    let refuse = || AwsError::invalid_argument("Argument format not recognized", header, value);
    value
        .split(',')
        .map(|part| {
            let (kind, name) = part.trim().split_once('=').ok_or_else(refuse)?;
            let name = name.trim();
            let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
            match kind.trim() {
                kind if kind.eq_ignore_ascii_case("id") => canonical_user(name, "id", accounts),
                kind if kind.eq_ignore_ascii_case("uri") => group(name, "uri"),
                kind if kind.eq_ignore_ascii_case("emailAddress") => Err(email_grantee()),
                _ => Err(refuse()),
            }
        })
        .collect()
}

/// The grantee of a canonical user id, which some account must have. `argument` is what AWS calls the place.
pub(crate) fn canonical_user(
    id: &str,
    argument: &'static str,
    accounts: &Accounts,
) -> Result<Grantee, AwsError> {
    if accounts.has_canonical_id(id) {
        Ok(Grantee::CanonicalUser(id.into()))
    } else {
        Err(AwsError::invalid_argument("Invalid id", argument, id))
    }
}

/// The grantee of a group's URI.
pub(crate) fn group(uri: &str, argument: &'static str) -> Result<Grantee, AwsError> {
    AclGroup::from_uri(uri)
        .map(Grantee::Group)
        .ok_or_else(|| AwsError::invalid_argument("Invalid group uri", argument, uri))
}

/// AWS takes no e-mail addresses since October 2025; the resource type of its answer is unverified.
pub(crate) fn email_grantee() -> AwsError {
    AwsError::method_not_allowed("ACL")
}

/// The documented limit; the error that AWS answers beyond it is unverified.
pub(crate) fn check_count(grants: &[AclGrant]) -> Result<(), AwsError> {
    if grants.len() <= Acl::GRANTS_MAX { Ok(()) } else { Err(AwsError::malformed_acl()) }
}
