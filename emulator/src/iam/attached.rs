//! Managed policies attached to users, groups and roles, and permissions boundaries.

use std::marker::PhantomData;

use bucketproof_authz::Arn;

use super::action::{Access, Action, Scope};
use super::form::Form;
use super::page::Page;
use super::show;
use super::things::{Bounded, Holder};
use crate::error::AwsError;
use crate::operation::Op;
use crate::query::Fields;
use crate::state::{Account, EntityKind};

/// How many managed policies a user, group or role may have.
const ATTACHED_MAX: usize = 10;

/// `AttachUserPolicy` and its kin.
#[derive(Debug)]
pub(super) struct Attach<H> {
    name: String,
    arn: String,
    of: PhantomData<H>,
}

/// `DetachUserPolicy` and its kin.
#[derive(Debug)]
pub(super) struct Detach<H> {
    name: String,
    arn: String,
    of: PhantomData<H>,
}

/// `ListAttachedUserPolicies` and its kin.
#[derive(Debug)]
pub(super) struct ListAttached<H> {
    name: String,
    path_prefix: String,
    page: Page,
    of: PhantomData<H>,
}

/// `PutUserPermissionsBoundary` and its kin.
#[derive(Debug)]
pub(super) struct PutBoundary<H> {
    name: String,
    arn: String,
    of: PhantomData<H>,
}

/// `DeleteUserPermissionsBoundary` and its kin.
#[derive(Debug)]
pub(super) struct DeleteBoundary<H> {
    name: String,
    of: PhantomData<H>,
}

/// The ARN of a managed policy that can be attached in an account.
pub(super) fn attachable(account: &Account, arn: &str) -> Result<Arn, AwsError> {
    account
        .policy(arn)
        .map(|policy| policy.entity.arn.clone())
        .ok_or_else(|| AwsError::no_such_entity(format!("Policy {arn} does not exist or is not attachable.")))
}

fn change<H: Holder>(op: Op, account: &Account, name: &str, policy: &str) -> Access {
    let boundary = H::boundary(account, name).map(Arn::as_str);
    H::access(op, account, name).with("iam:PolicyARN", policy).with_some("iam:PermissionsBoundary", boundary)
}

impl<H: Holder> Action for Attach<H> {
    const OP: Op = H::ATTACH;

    fn read(form: &mut Form<'_>) -> Self {
        Self { name: form.name(H::KIND), arn: form.arn("PolicyArn"), of: PhantomData }
    }

    fn access(&self, account: &Account) -> Access {
        change::<H>(Self::OP, account, &self.name, &self.arn)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account_mut()?;
        let arn = attachable(account, &self.arn);
        let attached = H::policies_mut(account, &self.name).ok_or_else(|| H::missing(&self.name))?;
        let arn = arn?;
        if attached.managed.len() >= ATTACHED_MAX && !attached.managed.contains(&arn) {
            let quota = match H::KIND {
                EntityKind::Group => "PoliciesPerGroup",
                EntityKind::Role => "PoliciesPerRole",
                _ => "PoliciesPerUser",
            };
            return Err(AwsError::quota_exceeded(quota, ATTACHED_MAX));
        }
        attached.managed.insert(arn);
        Ok(None)
    }
}

impl<H: Holder> Action for Detach<H> {
    const OP: Op = H::DETACH;

    fn read(form: &mut Form<'_>) -> Self {
        Self { name: form.name(H::KIND), arn: form.arn("PolicyArn"), of: PhantomData }
    }

    fn access(&self, account: &Account) -> Access {
        change::<H>(Self::OP, account, &self.name, &self.arn)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let attached =
            H::policies_mut(scope.account_mut()?, &self.name).ok_or_else(|| H::missing(&self.name))?;
        let known = Arn::new(&self.arn).is_ok_and(|arn| attached.managed.remove(&arn));
        if known { Ok(None) } else { Err(AwsError::not_found(EntityKind::Policy, &self.arn)) }
    }
}

impl<H: Holder> Action for ListAttached<H> {
    const OP: Op = H::LIST_ATTACHED;

    fn read(form: &mut Form<'_>) -> Self {
        let name = form.name(H::KIND);
        Self { name, path_prefix: form.path_prefix(), page: form.page(), of: PhantomData }
    }

    fn access(&self, account: &Account) -> Access {
        H::access(Self::OP, account, &self.name)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account()?;
        let attached = H::policies(account, &self.name).ok_or_else(|| H::missing(&self.name))?;
        let mut attached = attached.clone();
        let has_prefix = |arn: &Arn| {
            account.policy(arn.as_str()).is_some_and(|p| p.entity.path.starts_with(&self.path_prefix))
        };
        attached.managed.retain(has_prefix);
        let mut list: Vec<_> = show::attached(&attached).collect();
        list.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(Some(self.page.list("AttachedPolicies", list.into_iter())))
    }
}

impl<H: Bounded> Action for PutBoundary<H> {
    const OP: Op = H::PUT_BOUNDARY;

    fn read(form: &mut Form<'_>) -> Self {
        Self { name: form.name(H::KIND), arn: form.arn("PermissionsBoundary"), of: PhantomData }
    }

    fn access(&self, account: &Account) -> Access {
        H::access(Self::OP, account, &self.name).with("iam:PermissionsBoundary", self.arn.as_str())
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account_mut()?;
        let arn = attachable(account, &self.arn);
        let boundary = H::boundary_mut(account, &self.name).ok_or_else(|| H::missing(&self.name))?;
        *boundary = Some(arn?);
        Ok(None)
    }
}

impl<H: Bounded> Action for DeleteBoundary<H> {
    const OP: Op = H::DELETE_BOUNDARY;

    fn read(form: &mut Form<'_>) -> Self {
        Self { name: form.name(H::KIND), of: PhantomData }
    }

    fn access(&self, account: &Account) -> Access {
        let boundary = H::boundary(account, &self.name).map(Arn::as_str);
        H::access(Self::OP, account, &self.name).with_some("iam:PermissionsBoundary", boundary)
    }

    /// The text for one that has no boundary is unverified.
    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let boundary =
            H::boundary_mut(scope.account_mut()?, &self.name).ok_or_else(|| H::missing(&self.name))?;
        match boundary.take() {
            Some(_) => Ok(None),
            None => Err(AwsError::no_such_entity(format!(
                "The {} with name {} has no permissions boundary.",
                H::KIND.arn_type(),
                self.name
            ))),
        }
    }
}
