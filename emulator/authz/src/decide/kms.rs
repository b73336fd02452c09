//! Which grants on a key allow a request.

use crate::kms_grant::{EncryptionContext, GrantFit, KmsGrant};
use crate::policy::principal::Naming;
use crate::subject::Subject;

/// How the grant names a caller whom it allows the action.
///
/// The retiring principal may retire the grant, whatever its operations are.
pub(crate) fn allows(
    grant: &KmsGrant,
    subject: &Subject<'_>,
    context: Option<&EncryptionContext>,
) -> Option<Naming> {
    let as_grantee = match fit(grant, subject, context) {
        GrantFit::Fits => grant.grantee.named.names(subject),
        GrantFit::OtherOperation | GrantFit::OtherEncryptionContext => None,
    };
    as_grantee.max(as_retiring(grant, subject))
}

/// Whether the action and the encryption context are those of the grant.
pub(crate) fn fit(grant: &KmsGrant, subject: &Subject<'_>, context: Option<&EncryptionContext>) -> GrantFit {
    let none = EncryptionContext::new();
    grant.fit(subject.lower_action.as_bytes(), context.unwrap_or(&none))
}

/// How the grant names a caller who retires it and may.
pub(crate) fn as_retiring(grant: &KmsGrant, subject: &Subject<'_>) -> Option<Naming> {
    if subject.lower_action.as_bytes() != b"kms:retiregrant" {
        return None;
    }
    grant.retiring.as_ref().and_then(|retiring| retiring.named.names(subject))
}
