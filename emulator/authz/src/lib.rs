//! The decision core: AWS policy evaluation, pure, total and explained.
//!
//! # Why
//!
//! `AccessDenied` is the least helpful answer that a cloud gives: it does not say which policy was missing, which
//! condition failed, or what else stood in the way. This crate answers the question that AWS answers, by AWS's rules,
//! and says why: per policy, per statement, per element, with the values as they were and the line of the policy.
//!
//! # How
//!
//! [`Policy::parse`] compiles a document once; [`Policy::parse_valid`] also refuses what the operation that stores such a
//! document refuses ([`DocumentKind`]), with AWS's code and text and its size limits, and
//! [`check_key_policy_lockout`] is the check of PutKeyPolicy that can be turned off. [`decide()`] takes a [`Request`] and the [`Policies`] in force and
//! returns a [`Decision`]; [`decide_owned`] and [`outcome`] are the same for callers who give the request away or need
//! no reasons. [`lint`] finds what a policy does not do although it seems to. A decision reads no clock, does no I/O,
//! cannot fail and cannot panic: what it does not know (the time, the source address, tags) it takes from the
//! request's [`Context`], and adds nothing.
//!
//! ```
//! use bucketproof_authz::{
//!     AccountId, Arn, Context, Outcome, Policies, Policy, PolicyKind, PolicySource, Principal, PrincipalIds,
//!     Request, Resource, decide,
//! };
//!
//! let policy = Policy::parse(
//!     r#"{
//!       "Version": "2012-10-17",
//!       "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shared/raw/*"}]
//!     }"#,
//!     PolicySource::new(PolicyKind::Identity, "read-raw").with_file("policies/read-raw.json"),
//! )?;
//! let account = AccountId::new("111122223333")?;
//! let request = Request {
//!     principal: Principal::User {
//!         arn: Arn::new("arn:aws:iam::111122223333:user/reader")?,
//!         account: account.clone(),
//!     },
//!     ids: PrincipalIds::default(),
//!     action: "s3:GetObject".to_owned(),
//!     resource: Resource { arn: "arn:aws:s3:::shared/private/a.csv".to_owned(), account: Some(account) },
//!     context: Context::new(),
//! };
//!
//! let decision = decide(&request, &Policies { identity: &[policy], ..Policies::default() });
//!
//! assert_eq!(decision.outcome(), Outcome::ImplicitlyDenied);
//! assert!(decision.explain().contains("resource   fails"));
//! assert_eq!(
//!     decision.aws_message(),
//!     "User: arn:aws:iam::111122223333:user/reader is not authorized to perform: s3:GetObject on resource: \
//!      \"arn:aws:s3:::shared/private/a.csv\" because no identity-based policy allows the s3:GetObject action",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What AWS leaves open
//!
//! Where AWS's documents are silent or disagree, this crate does the following and does not claim more:
//!
//! - A grant to `*` in the same account, without a condition on `aws:PrincipalArn`, is not limited by an implicit deny
//!   of a boundary or session policy, like the documented grant with that condition.
//! - An ARN with fewer than six parts is filled up in identity policies and boundaries, as documented, and in service
//!   control policies; a `*` at the end of a part of a resource ARN may match beyond the colon.
//! - Numbers may be of any length and have exponents; null in the context of a question is an absent key.
//! - `NotResource` with a variable that has no value excludes nothing, so the statement applies.
//! - A list-valued key under an operator without `ForAnyValue` or `ForAllValues` never satisfies a condition.
//! - `Deny` with `NotPrincipal` hits whoever is not listed in full: user and account, or session, role and account.

mod acl;
mod actions;
mod arn;
mod bucket_policy;
mod but_for;
mod condition_keys;
mod context;
mod decide;
mod decision;
mod documents;
pub mod evaluate;
mod explain;
mod ids;
mod kms_grant;
mod lint;
mod message;
mod ownership;
mod policy;
mod principal;
mod public_access;
mod reason;
mod request;
mod subject;
mod trace;
mod wildcard;

pub use acl::{
    Acl, AclGrant, AclGroup, AclPermission, CannedAcl, CannedAclError, CanonicalUserId, Grantee, RequestedAcl,
};
pub use actions::{S3ResourceType, s3_action_resource_type};
pub use arn::{AccountId, AccountIdError, Arn, ArnError};
pub use bucket_policy::validate_bucket_policy;
pub use but_for::ButFor;
pub use condition_keys::{ConditionKey, KeyType, condition_key, condition_keys};
pub use context::{Context, Values};
pub use decide::acl::IdleAcl;
pub use decide::{AclResource, Acls, Policies, decide, decide_owned, outcome};
pub use decision::{Decision, Outcome};
pub use documents::{
    BUCKET_POLICY_BYTES_MAX, DocumentKind, GROUP_POLICIES_CHARS_MAX, InlineOwner, KEY_POLICY_BYTES_MAX,
    MANAGED_POLICY_CHARS_MAX, QUEUE_POLICY_BYTES_MAX, ROLE_POLICIES_CHARS_MAX, SESSION_POLICY_CHARS_MAX,
    TOPIC_POLICY_BYTES_MAX, TRUST_POLICY_CHARS_MAX, USER_POLICIES_CHARS_MAX, check_key_policy_lockout,
    policy_chars,
};
pub use explain::Explanation;
pub use ids::{PrincipalIds, UniqueId, UniqueIdError};
pub use kms_grant::{
    EncryptionContext, GrantPrincipal, GrantPrincipalError, KmsGrant, KmsGrantConstraints, KmsGrantOperation,
    KmsGrantOperationError, KmsGrants,
};
pub use lint::{Finding, FindingKind, guess_kind, lint};
pub use ownership::{ObjectOwnership, ObjectOwnershipError, OwnershipRefusal};
pub use policy::{
    Effect, NamedPrincipal, Policy, PolicyClass, PolicyError, PolicyErrorKind, PolicyKind, PolicySource,
    Position, PrincipalEntry, Statement, Version,
};
pub use principal::Principal;
pub use public_access::PublicAccessBlock;
pub use reason::{AclGrantRef, Reason, ResourceAllow, StatementRef};
pub use request::{Relation, Request, Resource};
pub use trace::{
    AclGrantTrace, AclTrace, Element, ElementTrace, KmsGrantTrace, PolicyTrace, StatementTrace, Trace,
    Verdict,
};
