//! Key policies: `PutKeyPolicy`, `GetKeyPolicy`, `ListKeyPolicies`.

use bucketproof_authz::{
    Arn, DocumentKind, Policy, PolicyError, PolicyKind, PolicySource, check_key_policy_lockout,
};
use jiff::Timestamp;
use serde_json::Value;

use super::KmsOperation;
use super::answer::{Answer, PageRequest};
use super::input::Input;
use super::requirement::on_key;
use super::word::refuse;
use crate::authorize::Authorized;
use crate::error::AwsError;
use crate::operation::{Op, Operation, Requirement, Target};
use crate::state::{Accounts, KeyScope, ResolvedKey, World};

/// The longest policy that the API takes in.
pub(super) const POLICY_CHARS_MAX: usize = 131_072;
/// The only name that a key policy can have.
const POLICY_NAME: &str = "default";

/// Parses a policy for the key `name` and checks all that AWS checks when it is put, but the lockout.
pub(super) fn key_policy(text: &str, name: &str, accounts: &Accounts) -> Result<Policy, AwsError> {
    let source = PolicySource::new(PolicyKind::Key, name);
    let policy = Policy::parse_valid(text, source, DocumentKind::Key).map_err(|error| malformed(&error))?;
    let unknown = policy.principals().find(|entry| !accounts.knows(&entry.principal));
    let unknown = unknown
        .map(|entry| malformed(&PolicyError::invalid_principal(PolicyKind::Key, &entry.text, entry.at)));
    unknown.map_or(Ok(policy.clone()), Err)
}

/// Refuses a policy under which the caller could not put another one.
pub(super) fn check_lockout<O>(
    authorized: &Authorized<O>,
    policy: &Policy,
    key: &Arn,
) -> Result<(), AwsError> {
    let mut context = authorized.context().clone();
    if let Some(account) = authorized.account() {
        context.set("kms:CallerAccount", account.as_str());
    }
    let caller = authorized.caller().principal();
    check_key_policy_lockout(policy, key.as_str(), &caller, &context).map_err(|error| malformed(&error))
}

fn malformed(error: &PolicyError) -> AwsError {
    refuse(error.aws_code(), error.aws_message())
}

/// Reads `PolicyName`, which can be left out.
fn check_name(input: &mut Input) -> Result<(), AwsError> {
    match input.text("PolicyName", 1..=128)? {
        Some(name) if name != POLICY_NAME => Err(refuse("NotFoundException", "No such policy exists")),
        _ => Ok(()),
    }
}

/// Replaces the policy of a key.
#[derive(Debug)]
pub(super) struct PutKeyPolicy {
    scope: KeyScope,
    key: String,
    text: String,
    bypass_lockout_check: bool,
}

impl PutKeyPolicy {
    fn key(&self, world: &World) -> Result<ResolvedKey, AwsError> {
        Ok(world.keys.resolve_without_alias(&self.scope, &self.key)?)
    }
}

impl KmsOperation for PutKeyPolicy {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        let operation = Self {
            scope,
            key: input.key_id()?,
            text: input.required_text("Policy", 1..=POLICY_CHARS_MAX)?,
            bypass_lockout_check: input.flag("BypassPolicyLockoutSafetyCheck")?,
        };
        check_name(input)?;
        Ok(operation)
    }
}

impl Operation for PutKeyPolicy {
    type Output = Answer;
    const OP: Op = Op::PutKeyPolicy;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        let requirement = on_key("kms:PutKeyPolicy", self.key(world)?);
        let bypass = self.bypass_lockout_check.to_string();
        Ok(vec![requirement.with("kms:BypassPolicyLockoutSafetyCheck", bypass)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Answer, AwsError> {
        let operation = authorized.operation();
        let resolved = operation.key(world)?;
        let key = world.keys.get(&resolved)?;
        let policy = key_policy(&operation.text, &key.id, &world.accounts)?;
        if !operation.bypass_lockout_check {
            check_lockout(&authorized, &policy, &key.arn)?;
        }
        let policy = world.accounts.bound(&policy);
        world.keys.get_mut(&resolved)?.policy = policy;
        Ok(Answer::empty())
    }
}

/// The policy of a key.
#[derive(Debug)]
pub(super) struct GetKeyPolicy {
    scope: KeyScope,
    key: String,
}

impl KmsOperation for GetKeyPolicy {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        let operation = Self { scope, key: input.key_id()? };
        check_name(input)?;
        Ok(operation)
    }
}

impl Operation for GetKeyPolicy {
    type Output = Answer;
    const OP: Op = Op::GetKeyPolicy;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![on_key("kms:GetKeyPolicy", world.keys.resolve_without_alias(&self.scope, &self.key)?)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, key } = authorized.into_operation();
        let key = world.keys.resolve_without_alias(&scope, &key)?;
        let text = world.accounts.shown(&world.keys.get(&key)?.policy).into_owned();
        Ok(Answer::new().with("Policy", text).with("PolicyName", POLICY_NAME))
    }
}

/// The names of the policies of a key: there is one.
#[derive(Debug)]
pub(super) struct ListKeyPolicies {
    scope: KeyScope,
    key: String,
    page: PageRequest,
}

impl KmsOperation for ListKeyPolicies {
    fn decode(input: &mut Input, scope: KeyScope) -> Result<Self, AwsError> {
        Ok(Self { scope, key: input.key_id()?, page: input.page(100, 1000)? })
    }
}

impl Operation for ListKeyPolicies {
    type Output = Answer;
    const OP: Op = Op::ListKeyPolicies;

    fn target(&self) -> Target<'_> {
        Target::Account
    }

    fn requirements(&self, world: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![on_key("kms:ListKeyPolicies", world.keys.resolve_without_alias(&self.scope, &self.key)?)])
    }

    fn apply(authorized: Authorized<Self>, world: &mut World, _: Timestamp) -> Result<Answer, AwsError> {
        let Self { scope, key, page } = authorized.into_operation();
        world.keys.get(&world.keys.resolve_without_alias(&scope, &key)?)?;
        let page = page.page([POLICY_NAME], |name| (*name).to_owned())?;
        Ok(page.answer("PolicyNames", Value::from))
    }
}
