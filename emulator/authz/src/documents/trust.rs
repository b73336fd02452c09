//! Trust policies.

use crate::policy::{Policy, PolicyError, PolicyErrorKind};

use super::error;

/// The actions that a trust policy may name. AWS refuses wildcards too, `sts:*` included (reported).
const ACTIONS: [&str; 6] = [
    "sts:AssumeRole",
    "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity",
    "sts:SetContext",
    "sts:SetSourceIdentity",
    "sts:TagSession",
];

/// Refuses `NotPrincipal` and every action that does not assume a role.
pub(super) fn check(policy: &Policy) -> Result<(), PolicyError> {
    for statement in policy.statements() {
        if let Some(principal) = statement.principal.as_ref().filter(|element| element.negated) {
            return Err(error(
                policy.kind(),
                PolicyErrorKind::ProhibitedElement("NotPrincipal"),
                principal.at,
                "a trust policy has no `NotPrincipal`".to_owned(),
                "list whom to trust under `Principal`",
            ));
        }
        let is_known = |text: &str| ACTIONS.iter().any(|action| action.eq_ignore_ascii_case(text));
        if let Some(pattern) = statement.action.patterns.iter().find(|pattern| !is_known(&pattern.text)) {
            return Err(error(
                policy.kind(),
                PolicyErrorKind::InvalidAction(pattern.text.to_string()),
                pattern.at,
                format!("`{}` is not an action of a trust policy", pattern.text),
                format!("use one of {}", ACTIONS.join(", ")),
            ));
        }
    }
    Ok(())
}
