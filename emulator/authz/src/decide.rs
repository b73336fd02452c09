//! The rules by which AWS combines policies.
//!
//! Two steps: [`Facts::gather`] asks every statement once, [`conclude`] applies the rules to what was found. The
//! second is a pure function of the first, so that a trace can ask "and if this policy had allowed?".
//!
//! Source of the rules: IAM User Guide, "Policy evaluation logic" and the pages it links; KMS Developer Guide, "Key
//! policies"; S3 User Guide, "Blocking public access". Where AWS is silent the code says so.

use crate::decision::{Decision, Outcome};
use crate::policy::principal::Naming;
use crate::policy::{Effect, Policy, PolicyClass, PolicyKind};
use crate::principal::Principal;
use crate::reason::{Reason, StatementRef};
use crate::request::{Relation, Request};
use crate::subject::{Bounded, Subject};

/// The policies that rule over one request.
///
/// `None` and an empty slice differ for boundary and session: a boundary that is present and allows nothing limits the
/// caller to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policies<'a> {
    /// The policies of the user and its groups, or of the role.
    pub identity: &'a [Policy],
    /// The permissions boundary of the user or role.
    pub boundary: Option<&'a [Policy]>,
    /// The session policies given to AssumeRole.
    pub session: Option<&'a [Policy]>,
    /// The service control policies of the caller's account, a list per level of the organization; empty if the
    /// account is in none.
    pub service_control: &'a [Vec<Policy>],
    /// The policy of the resource.
    pub resource: Option<&'a Policy>,
    /// The Block Public Access setting of the bucket that concerns decisions.
    pub restrict_public_buckets: RestrictPublicBuckets,
}

/// Whether a public bucket policy serves its own account and AWS services only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RestrictPublicBuckets {
    /// The setting is off.
    #[default]
    Off,
    /// The setting is on, for the bucket or its account.
    On,
}

/// Decides a request under the given policies.
///
/// Every request has an answer, and the answer carries its reasons. Nothing is read but the arguments.
///
/// The decision keeps a copy of the request for its trace; [`decide_owned`] takes the request instead.
#[must_use]
pub fn decide(request: &Request, policies: &Policies<'_>) -> Decision {
    decide_owned(request.clone(), policies)
}

/// [`decide`] for a caller who is done with the request: nothing of it is copied.
#[must_use]
pub fn decide_owned(request: Request, policies: &Policies<'_>) -> Decision {
    let conclusion = settle(&request, policies);
    Decision::new(request, policies, conclusion)
}

/// The outcome alone, for a caller who needs no reasons: nothing is kept, and without service control policies nothing
/// is allocated but what policy variables and typed condition values need.
#[must_use]
pub fn outcome(request: &Request, policies: &Policies<'_>) -> Outcome {
    settle(request, policies).outcome
}

fn settle(request: &Request, policies: &Policies<'_>) -> Conclusion {
    let subject = subject(request, policies);
    let facts = Facts::gather(&subject, policies);
    conclude(&subject, &facts)
}

pub(crate) fn subject<'a>(request: &'a Request, policies: &Policies<'_>) -> Subject<'a> {
    let bounded = if policies.boundary.is_some() && binds(&request.principal, PolicyClass::Boundary) {
        Bounded::Yes
    } else {
        Bounded::No
    };
    Subject::new(request, bounded)
}

/// Whether policies of a class have a say about this caller at all.
pub(crate) fn binds(principal: &Principal, class: PolicyClass) -> bool {
    match principal {
        // Roles that a service made for itself stand outside service control policies.
        Principal::AssumedRole { role_arn, .. } if class == PolicyClass::ServiceControl => {
            !role_arn.resource().starts_with("role/aws-service-role/")
        }
        Principal::User { .. } | Principal::AssumedRole { .. } => true,
        // No policy can be attached to a root user, but service control policies bind it.
        Principal::Root { .. } => matches!(class, PolicyClass::ServiceControl | PolicyClass::Resource),
        Principal::Service { .. } | Principal::Anonymous => class == PolicyClass::Resource,
    }
}

/// A statement of a policy, borrowed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) index: usize,
}

impl From<Found<'_>> for StatementRef {
    fn from(found: Found<'_>) -> Self {
        Self::new(found.policy.clone(), found.index)
    }
}

/// Whether something allows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Grant<'a> {
    No,
    By(Found<'a>),
    /// Supposed, to find out what a denial depends on.
    Supposed,
}

impl Grant<'_> {
    pub(crate) fn is_given(self) -> bool {
        !matches!(self, Self::No)
    }

    fn statement(self) -> Option<StatementRef> {
        if let Self::By(found) = self { Some(found.into()) } else { None }
    }
}

/// A policy class that only limits: absent, or present with or without an allow.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit<'a> {
    Absent,
    Present(Grant<'a>),
}

impl Limit<'_> {
    pub(crate) fn is_open(self) -> bool {
        match self {
            Self::Absent => true,
            Self::Present(grant) => grant.is_given(),
        }
    }
}

/// Everything the rules need to know.
#[derive(Debug, Clone)]
pub(crate) struct Facts<'a> {
    /// The deny that AWS would name: it reports one.
    pub(crate) deny: Option<Found<'a>>,
    /// A deny among the service control policies.
    pub(crate) service_control_deny: Option<Found<'a>>,
    /// One entry per level.
    pub(crate) service_control: Vec<Grant<'a>>,
    pub(crate) identity: Grant<'a>,
    pub(crate) boundary: Limit<'a>,
    pub(crate) session: Limit<'a>,
    /// The resource policy names the caller itself.
    pub(crate) direct: Grant<'a>,
    /// It names the caller's role.
    pub(crate) role: Grant<'a>,
    /// It names the caller's account.
    pub(crate) account: Grant<'a>,
    /// RestrictPublicBuckets shuts this caller out.
    pub(crate) restricted: bool,
}

/// The first matching deny and allow of a list of policies.
fn scan<'a>(policies: &'a [Policy], subject: &Subject<'_>) -> (Option<Found<'a>>, Grant<'a>) {
    let mut allow = Grant::No;
    for policy in policies {
        for (index, statement) in policy.statements().iter().enumerate() {
            if allow.is_given() && statement.effect() == Effect::Allow {
                continue;
            }
            if statement.applies(subject).is_some() {
                let found = Found { policy, index };
                match statement.effect() {
                    Effect::Deny => return (Some(found), allow),
                    Effect::Allow => allow = Grant::By(found),
                }
            }
        }
    }
    (None, allow)
}

impl<'a> Facts<'a> {
    pub(crate) fn gather(subject: &Subject<'_>, policies: &Policies<'a>) -> Self {
        let principal = subject.principal();
        let mut facts = Self {
            deny: None,
            service_control_deny: None,
            service_control: Vec::new(),
            identity: Grant::No,
            boundary: Limit::Absent,
            session: Limit::Absent,
            direct: Grant::No,
            role: Grant::No,
            account: Grant::No,
            restricted: false,
        };
        // The order in which AWS's flow chart meets the denies; it names one.
        if binds(principal, PolicyClass::ServiceControl) {
            for level in policies.service_control {
                let (deny, allow) = scan(level, subject);
                facts.service_control.push(allow);
                facts.service_control_deny = facts.service_control_deny.or(deny);
            }
            facts.deny = facts.service_control_deny;
        }
        if let Some(policy) = policies.resource {
            facts.gather_resource(subject, policy);
            facts.restricted = policies.restrict_public_buckets == RestrictPublicBuckets::On
                && policy.kind() == PolicyKind::Bucket
                && policy.is_public()
                && !matches!(principal, Principal::Service { .. })
                && subject.relation != Relation::SameAccount;
        }
        if binds(principal, PolicyClass::Identity) {
            let (deny, allow) = scan(policies.identity, subject);
            facts.identity = allow;
            facts.deny = facts.deny.or(deny);
            for (list, limit) in
                [(policies.boundary, &mut facts.boundary), (policies.session, &mut facts.session)]
            {
                if let Some(list) = list {
                    let (deny, allow) = scan(list, subject);
                    *limit = Limit::Present(allow);
                    facts.deny = facts.deny.or(deny);
                }
            }
        }
        facts
    }

    fn gather_resource(&mut self, subject: &Subject<'_>, policy: &'a Policy) {
        for (index, statement) in policy.statements().iter().enumerate() {
            let Some(naming) = statement.applies(subject) else { continue };
            let found = Found { policy, index };
            if statement.effect() == Effect::Deny {
                self.deny = self.deny.or(Some(found));
                continue;
            }
            let grant = self.grant_of(naming);
            if !grant.is_given() {
                *grant = Grant::By(found);
            }
        }
    }

    /// The slot for a grant of the resource policy that names the caller in this way.
    pub(crate) fn grant_of(&mut self, naming: Naming) -> &mut Grant<'a> {
        match naming {
            Naming::Direct | Naming::Unnamed => &mut self.direct,
            Naming::Role => &mut self.role,
            Naming::Account => &mut self.account,
        }
    }

    /// Any grant of the resource policy, the strongest first.
    pub(crate) fn resource(&self) -> Grant<'a> {
        [self.direct, self.role, self.account].into_iter().find(|grant| grant.is_given()).unwrap_or(Grant::No)
    }

    /// The first of identity, boundary and session that does not allow.
    pub(crate) fn missing_on_identity_side(&self) -> Option<PolicyClass> {
        if !self.identity.is_given() {
            return Some(PolicyClass::Identity);
        }
        self.shut_limit()
    }

    fn shut_limit(&self) -> Option<PolicyClass> {
        if !self.boundary.is_open() {
            return Some(PolicyClass::Boundary);
        }
        (!self.session.is_open()).then_some(PolicyClass::Session)
    }
}

/// The answer and its reason.
#[derive(Debug)]
pub(crate) struct Conclusion {
    pub(crate) outcome: Outcome,
    pub(crate) reason: Reason,
}

fn allowed(reason: Reason) -> Conclusion {
    Conclusion { outcome: Outcome::Allowed, reason }
}

fn allowed_by(identity: Grant<'_>, resource: Grant<'_>) -> Conclusion {
    allowed(Reason::AllowedBy { identity: identity.statement(), resource: resource.statement() })
}

fn denied(reason: Reason) -> Conclusion {
    Conclusion { outcome: Outcome::ImplicitlyDenied, reason }
}

fn explicitly_denied(reason: Reason) -> Conclusion {
    Conclusion { outcome: Outcome::ExplicitlyDenied, reason }
}

/// Applies the rules.
pub(crate) fn conclude(subject: &Subject<'_>, facts: &Facts<'_>) -> Conclusion {
    let principal = subject.principal();
    let action = subject.lower_action.as_bytes();
    let is_root = matches!(principal, Principal::Root { .. });

    if action == b"sts:getcalleridentity" {
        return allowed(Reason::CallerIdentity);
    }
    if is_root && subject.relation == Relation::SameAccount && manages_bucket_policy(action) {
        if let Some(deny) = facts.service_control_deny {
            return explicitly_denied(Reason::ExplicitDeny { statement: deny.into() });
        }
        return match missing_level(facts) {
            Some(level) => denied(Reason::NoServiceControlAllow { level }),
            None => allowed(Reason::RootManagesBucketPolicy),
        };
    }
    if let Some(deny) = facts.deny {
        return explicitly_denied(Reason::ExplicitDeny { statement: deny.into() });
    }
    if facts.restricted {
        return explicitly_denied(Reason::PublicAccessRestricted);
    }
    if is_root && action == b"sts:assumerole" {
        return denied(Reason::RootMayNotAssumeRoles);
    }
    if let Some(level) = missing_level(facts) {
        return denied(Reason::NoServiceControlAllow { level });
    }
    match subject.relation {
        Relation::NoAccount => by_resource_policy_alone(facts),
        Relation::CrossAccount if needs_own_account(action) => denied(Reason::NotAcrossAccounts),
        Relation::CrossAccount if is_root => by_resource_policy_alone(facts),
        Relation::CrossAccount => across_accounts(facts),
        Relation::SameAccount => within_account(subject, facts, is_root),
    }
}

fn by_resource_policy_alone(facts: &Facts<'_>) -> Conclusion {
    let resource = facts.resource();
    if resource.is_given() {
        allowed_by(Grant::No, resource)
    } else {
        denied(Reason::NoAllow { class: PolicyClass::Resource })
    }
}

/// Both accounts must allow.
fn across_accounts(facts: &Facts<'_>) -> Conclusion {
    if let Some(class) = facts.missing_on_identity_side() {
        return denied(Reason::NoAllow { class });
    }
    let resource = facts.resource();
    if resource.is_given() {
        allowed_by(facts.identity, resource)
    } else {
        denied(Reason::NoAllow { class: PolicyClass::Resource })
    }
}

/// One side suffices, unless the resource policy is mandatory. What limits a grant of the resource policy depends on
/// how it names the caller. For `*` without a condition on `aws:PrincipalArn` AWS documents no limit; it is treated
/// as the documented case with one.
fn within_account(subject: &Subject<'_>, facts: &Facts<'_>, is_root: bool) -> Conclusion {
    let mandatory = resource_policy_is_mandatory(subject);
    if facts.direct.is_given() {
        return allowed_by(Grant::No, facts.direct);
    }
    if is_root {
        return if mandatory {
            denied(Reason::NoAllow { class: PolicyClass::Resource })
        } else {
            allowed(Reason::RootOfOwner)
        };
    }
    if facts.role.is_given() {
        return match facts.shut_limit() {
            Some(class) => denied(Reason::NoAllow { class }),
            None => allowed_by(Grant::No, facts.role),
        };
    }
    if let Some(class) = facts.missing_on_identity_side() {
        return denied(Reason::NoAllow { class });
    }
    if !mandatory {
        return allowed_by(facts.identity, Grant::No);
    }
    if facts.account.is_given() {
        allowed_by(facts.identity, facts.account)
    } else {
        denied(Reason::NoAllow { class: PolicyClass::Resource })
    }
}

fn missing_level(facts: &Facts<'_>) -> Option<usize> {
    facts.service_control.iter().position(|level| !level.is_given()).map(|index| index + 1)
}

/// Keys and roles always have a policy of their own, and identity policies count only as far as it delegates to the
/// account.
pub(crate) fn resource_policy_is_mandatory(subject: &Subject<'_>) -> bool {
    let Some([_, _, service, _, _, resource]) = subject.resource.and_then(crate::arn::segments) else {
        return false;
    };
    match subject.lower_service() {
        b"kms" => service == "kms" && resource.starts_with("key/"),
        b"sts" => service == "iam" && resource.starts_with("role/"),
        _ => false,
    }
}

/// The operations with which the owner's root user can always repair a bucket policy (S3 User Guide).
fn manages_bucket_policy(lower_action: &[u8]) -> bool {
    matches!(lower_action, b"s3:getbucketpolicy" | b"s3:putbucketpolicy" | b"s3:deletebucketpolicy")
}

/// The KMS operations that work on keys of other accounts (KMS Developer Guide, "Permissions reference", column
/// "Cross-account use"). All others fail however they are granted. Unverified: the list was not checked row by row.
const KMS_ACROSS_ACCOUNTS: [&str; 22] = [
    "creategrant",
    "decrypt",
    "derivesharedsecret",
    "describekey",
    "encrypt",
    "generatedatakey",
    "generatedatakeypair",
    "generatedatakeypairwithoutplaintext",
    "generatedatakeywithoutplaintext",
    "generatemac",
    "getkeyrotationstatus",
    "getpublickey",
    "listgrants",
    "reencryptfrom",
    "reencryptto",
    "retiregrant",
    "revokegrant",
    "sign",
    "verify",
    "verifymac",
    // Operations without a key of their own.
    "generaterandom",
    "listaliases",
];

fn needs_own_account(lower_action: &[u8]) -> bool {
    lower_action
        .strip_prefix(b"kms:")
        .is_some_and(|operation| !KMS_ACROSS_ACCOUNTS.iter().any(|known| known.as_bytes() == operation))
}
