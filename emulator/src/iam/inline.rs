//! Inline policies of users, groups and roles.

use std::marker::PhantomData;

use bucketproof_authz::{DocumentKind, Policy, PolicyKind, PolicySource, policy_chars};

use super::action::{Access, Action, Scope};
use super::form::{Form, name_parameter};
use super::page::Page;
use super::show;
use super::things::Holder;
use crate::error::AwsError;
use crate::operation::Op;
use crate::query::Fields;
use crate::state::Account;

/// `PutUserPolicy` and its kin.
#[derive(Debug)]
pub(super) struct PutPolicy<H> {
    name: String,
    policy_name: String,
    document: String,
    of: PhantomData<H>,
}

/// `GetUserPolicy` and its kin.
#[derive(Debug)]
pub(super) struct GetPolicy<H> {
    name: String,
    policy_name: String,
    of: PhantomData<H>,
}

/// `DeleteUserPolicy` and its kin.
#[derive(Debug)]
pub(super) struct DeletePolicy<H> {
    name: String,
    policy_name: String,
    of: PhantomData<H>,
}

/// `ListUserPolicies` and its kin.
#[derive(Debug)]
pub(super) struct ListPolicies<H> {
    name: String,
    page: Page,
    of: PhantomData<H>,
}

fn no_such_policy<H: Holder>(policy_name: &str) -> AwsError {
    AwsError::no_such_entity(format!(
        "The {} policy with name {policy_name} cannot be found.",
        H::KIND.arn_type()
    ))
}

/// A change of what a user or role may do, which its boundary may be a condition of.
fn change<H: Holder>(op: Op, account: &Account, name: &str) -> Access {
    let boundary = H::boundary(account, name).map(bucketproof_authz::Arn::as_str);
    H::access(op, account, name).with_some("iam:PermissionsBoundary", boundary)
}

impl<H: Holder> Action for PutPolicy<H> {
    const OP: Op = H::PUT;

    fn read(form: &mut Form<'_>) -> Self {
        let name = form.name(H::KIND);
        let policy_name = form.policy_name();
        Self { name, policy_name, document: form.document("PolicyDocument"), of: PhantomData }
    }

    fn access(&self, account: &Account) -> Access {
        change::<H>(Self::OP, account, &self.name)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let attached =
            H::policies_mut(scope.account_mut()?, &self.name).ok_or_else(|| H::missing(&self.name))?;
        let others = attached.inline.iter().filter(|(name, _)| **name != self.policy_name);
        let other_chars = others.map(|(_, policy)| policy_chars(policy.text())).sum();
        let kind = DocumentKind::Inline { owner: H::OWNER, name: &self.name, other_chars };
        let source = PolicySource::new(PolicyKind::Identity, &self.policy_name);
        let policy =
            Policy::parse_valid(&self.document, source, kind).map_err(|error| AwsError::document(&error))?;
        attached.inline.insert(self.policy_name, policy);
        Ok(None)
    }
}

impl<H: Holder> Action for GetPolicy<H> {
    const OP: Op = H::GET;

    fn read(form: &mut Form<'_>) -> Self {
        Self { name: form.name(H::KIND), policy_name: form.policy_name(), of: PhantomData }
    }

    fn access(&self, account: &Account) -> Access {
        H::access(Self::OP, account, &self.name)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account()?;
        let (entity, _) = H::find(account, &self.name).ok_or_else(|| H::missing(&self.name))?;
        let policy =
            H::policies(account, &self.name).and_then(|policies| policies.inline.get(&self.policy_name));
        let policy = policy.ok_or_else(|| no_such_policy::<H>(&self.policy_name))?;
        Ok(Some(
            Fields::new()
                .text(name_parameter(H::KIND), &entity.name)
                .text("PolicyName", self.policy_name)
                .text("PolicyDocument", show::document(policy)),
        ))
    }
}

impl<H: Holder> Action for DeletePolicy<H> {
    const OP: Op = H::DELETE;

    fn read(form: &mut Form<'_>) -> Self {
        Self { name: form.name(H::KIND), policy_name: form.policy_name(), of: PhantomData }
    }

    fn access(&self, account: &Account) -> Access {
        change::<H>(Self::OP, account, &self.name)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let attached =
            H::policies_mut(scope.account_mut()?, &self.name).ok_or_else(|| H::missing(&self.name))?;
        match attached.inline.remove(&self.policy_name) {
            Some(_) => Ok(None),
            None => Err(no_such_policy::<H>(&self.policy_name)),
        }
    }
}

impl<H: Holder> Action for ListPolicies<H> {
    const OP: Op = H::LIST;

    fn read(form: &mut Form<'_>) -> Self {
        Self { name: form.name(H::KIND), page: form.page(), of: PhantomData }
    }

    fn access(&self, account: &Account) -> Access {
        H::access(Self::OP, account, &self.name)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let attached = H::policies(scope.account()?, &self.name).ok_or_else(|| H::missing(&self.name))?;
        Ok(Some(self.page.names("PolicyNames", attached.inline.keys().map(String::as_str))))
    }
}
