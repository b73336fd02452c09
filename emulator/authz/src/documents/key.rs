//! KMS key policies.

use crate::context::Context;
use crate::decide::{self, Policies};
use crate::ids::PrincipalIds;
use crate::policy::{Effect, Policy, PolicyError, PolicyErrorKind, PolicyKind, Position};
use crate::principal::Principal;
use crate::request::{Request, Resource};

use super::error;

/// The check that `BypassPolicyLockoutSafetyCheck` turns off: the new policy of a key must let the caller change it
/// again (KMS Developer Guide, "Default key policy").
///
/// The policy must allow `kms:PutKeyPolicy` on `key_arn` to the caller, to its role or to its account, and not deny it.
/// Identity policies are not asked: that KMS looks at the key policy alone is inferred from its documentation.
/// `context` holds the condition keys of the call.
///
/// # Errors
/// If the caller could not change the policy.
pub fn check_key_policy_lockout(
    policy: &Policy,
    key_arn: &str,
    caller: &Principal,
    context: &Context,
) -> Result<(), PolicyError> {
    let request = Request {
        principal: caller.clone(),
        ids: PrincipalIds::default(),
        action: "kms:PutKeyPolicy".to_owned(),
        resource: Resource { arn: key_arn.to_owned(), account: caller.account().cloned() },
        context: context.clone(),
    };
    let subject = decide::subject(&request, &Policies::default());
    let mut allowed = false;
    for statement in policy.statements() {
        if statement.applies(&subject).is_some() {
            match statement.effect() {
                Effect::Allow => allowed = true,
                Effect::Deny => return Err(locked_out(statement.position())),
            }
        }
    }
    if allowed { Ok(()) } else { Err(locked_out(Position::START)) }
}

fn locked_out(at: Position) -> PolicyError {
    error(
        PolicyKind::Key,
        PolicyErrorKind::LockedOut,
        at,
        "the policy does not let the caller change it again".to_owned(),
        "allow `kms:PutKeyPolicy` to the caller, or `kms:*` to the root of its account",
    )
}
