//! What is asked: one action by one principal on one resource.

use crate::arn::{self, AccountId};
use crate::context::Context;
use crate::ids::PrincipalIds;
use crate::principal::Principal;

/// The resource of a request and the account that owns it.
///
/// S3 ARNs name no account, so the owner of the bucket must be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The ARN, or `*` for an action that has no resource, such as `s3:ListAllMyBuckets`.
    pub arn: String,
    /// The owner; `None` lets the account in the ARN stand, and without one the resource is the caller's own.
    pub account: Option<AccountId>,
}

/// One question to [`decide`](crate::decide()).
///
/// The context must hold every condition key that AWS would see, `aws:PrincipalArn` and the like included: the
/// decision adds none of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub principal: Principal,
    /// By what else the caller is known.
    pub ids: PrincipalIds,
    /// `service:Action`, in any case.
    pub action: String,
    /// What it is about.
    pub resource: Resource,
    /// The condition keys of the request.
    pub context: Context,
}

/// How the caller's account and the resource's account relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// The caller belongs to the account that owns the resource.
    SameAccount,
    /// The caller belongs to another account.
    CrossAccount,
    /// The caller has no account: a service or an anonymous request.
    NoAccount,
}

impl Request {
    /// The account that owns the resource, as far as the request says it.
    pub fn resource_account(&self) -> Option<AccountId> {
        self.resource_account_text().and_then(|account| AccountId::new(account).ok())
    }

    fn resource_account_text(&self) -> Option<&str> {
        match &self.resource.account {
            Some(account) => Some(account.as_str()),
            None => arn::segments(&self.resource.arn)
                .map(|[_, _, _, _, account, _]| account)
                .filter(|account| arn::is_account_id(account)),
        }
    }

    /// How the caller relates to the owner of the resource.
    pub fn relation(&self) -> Relation {
        match (self.principal.account(), self.resource_account_text()) {
            (None, _) => Relation::NoAccount,
            (Some(caller), Some(owner)) if caller.as_str() != owner => Relation::CrossAccount,
            _ => Relation::SameAccount,
        }
    }

    /// The service of the action, lower-case: `s3`.
    pub(crate) fn service(&self) -> String {
        self.action.split(':').next().unwrap_or("").to_ascii_lowercase()
    }
}
