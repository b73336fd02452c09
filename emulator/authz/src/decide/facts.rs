//! What policies, ACLs and grants say about a request, each statement asked once.

use super::acl::{AclAnswer, AclFound};
use super::{Policies, binds};
use crate::kms_grant::KmsGrant;
use crate::policy::principal::Naming;
use crate::policy::{Effect, Policy, PolicyClass, PolicyKind};
use crate::principal::Principal;
use crate::reason::{AclGrantRef, ResourceAllow, StatementRef};
use crate::request::Relation;
use crate::subject::{Ruler, Subject};

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
    Acl(AclFound<'a>),
    Kms(&'a KmsGrant),
    /// Supposed, to find out what a denial depends on.
    Supposed,
}

impl Grant<'_> {
    pub(crate) fn is_given(self) -> bool {
        !matches!(self, Self::No)
    }

    pub(crate) fn statement(self) -> Option<StatementRef> {
        if let Self::By(found) = self { Some(found.into()) } else { None }
    }

    /// What stands on the side of the resource.
    pub(crate) fn resource_allow(self) -> Option<ResourceAllow> {
        match self {
            Self::No | Self::Supposed => None,
            Self::By(found) => Some(ResourceAllow::Statement(found.into())),
            Self::Acl(found) => Some(ResourceAllow::Acl(AclGrantRef::from(found))),
            Self::Kms(grant) => Some(ResourceAllow::KmsGrant(Box::new(grant.clone()))),
        }
    }

    pub(crate) fn or(self, other: Self) -> Self {
        if self.is_given() { self } else { other }
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
    /// A grant on the KMS key names the caller itself.
    pub(crate) kms_direct: Grant<'a>,
    /// It names the caller's role.
    pub(crate) kms_role: Grant<'a>,
    /// An ACL allows, and the caller does not belong to the account that owns the bucket or object.
    pub(crate) acl: Grant<'a>,
    /// An ACL would allow if ACLs were on and public ones not ignored.
    pub(crate) idle_acl: Option<AclFound<'a>>,
    /// RestrictPublicBuckets shuts this caller out.
    pub(crate) restricted: bool,
}

/// The first matching deny and allow of a list of policies.
fn scan<'a>(policies: &'a [Policy], subject: &Subject<'_>) -> (Option<Found<'a>>, Grant<'a>) {
    let mut allow = Grant::No;
    for policy in policies {
        for (index, statement) in policy.candidates(subject) {
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
            kms_direct: Grant::No,
            kms_role: Grant::No,
            acl: Grant::No,
            idle_acl: None,
            restricted: false,
        };
        // The order in which AWS's flow chart meets the denies; it names one.
        if !policies.service_control.is_empty() && binds(principal, PolicyClass::ServiceControl) {
            for level in policies.service_control {
                let (deny, allow) = scan(level, subject);
                facts.service_control.push(allow);
                facts.service_control_deny = facts.service_control_deny.or(deny);
            }
            facts.deny = facts.service_control_deny;
        }
        if let Some(policy) = policies.resource {
            facts.gather_resource(subject, policy);
            // Whoever owns the object: the bucket is restricted to its owner's account.
            facts.restricted = policies.public_access_block.restrict_public_buckets
                && policy.kind() == PolicyKind::Bucket
                && policy.is_public()
                && !matches!(principal, Principal::Service { .. })
                && subject.request.relation() != Relation::SameAccount;
        }
        if let Some(acls) = &policies.acls {
            match acls.answer(subject, policies.public_access_block) {
                AclAnswer::Nothing => {}
                AclAnswer::Allows(found) => facts.acl = Grant::Acl(found),
                AclAnswer::Idle(found) => facts.idle_acl = Some(found),
            }
        }
        if !policies.kms_grants.list.is_empty() {
            facts.gather_kms_grants(subject, policies);
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
        for (index, statement) in policy.candidates(subject) {
            let Some(naming) = statement.applies(subject) else { continue };
            let found = Found { policy, index };
            if statement.effect() == Effect::Deny {
                self.deny = self.deny.or(Some(found));
                continue;
            }
            // What an account owns in the bucket of another is not the bucket owner's to give.
            if subject.ruler == Ruler::ObjectOwner {
                continue;
            }
            let grant = self.grant_of(naming);
            *grant = grant.or(Grant::By(found));
        }
    }

    fn gather_kms_grants(&mut self, subject: &Subject<'_>, policies: &Policies<'a>) {
        for grant in policies.kms_grants.list {
            let Some(naming) = super::kms::allows(grant, subject, policies.kms_grants.encryption_context)
            else {
                continue;
            };
            let slot = match naming {
                Naming::Direct | Naming::Unnamed => &mut self.kms_direct,
                Naming::Role => &mut self.kms_role,
                // Unverified: AWS does not document what else the identities of an account need that is the grantee.
                Naming::Account => &mut self.account,
            };
            *slot = slot.or(Grant::Kms(grant));
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

    /// Anything on the side of the resource that allows, the strongest first.
    pub(crate) fn resource(&self) -> Grant<'a> {
        self.direct.or(self.kms_direct).or(self.role).or(self.kms_role).or(self.account).or(self.acl)
    }

    /// A grant on a key that allows without the caller's own policies, as far as boundary and session policy let it:
    /// they limit one to a role as they limit a key policy that names the role; unverified.
    pub(crate) fn kms_grant_alone(&self) -> Grant<'a> {
        if self.shut_limit().is_none() { self.kms_direct.or(self.kms_role) } else { self.kms_direct }
    }

    /// The first of identity, boundary and session that does not allow.
    pub(crate) fn missing_on_identity_side(&self) -> Option<PolicyClass> {
        if !self.identity.is_given() {
            return Some(PolicyClass::Identity);
        }
        self.shut_limit()
    }

    pub(crate) fn shut_limit(&self) -> Option<PolicyClass> {
        if !self.boundary.is_open() {
            return Some(PolicyClass::Boundary);
        }
        (!self.session.is_open()).then_some(PolicyClass::Session)
    }
}
