//! What alone stood between a denied request and its allowance.
//!
//! Found by asking [`conclude`] again with one fact changed: a deny taken away, or a statement that fails in a single
//! element taken as matching.

use serde::Serialize;

use crate::decide::acl::IdleAcl;
use crate::decide::{Facts, Found, Grant, Limit, Policies, conclude, kms};
use crate::decision::Outcome;
use crate::kms_grant::GrantFit;
use crate::policy::principal::Naming;
use crate::policy::{Effect, Policy, PolicyClass, Statement};
use crate::reason::{AclGrantRef, Reason, StatementRef};
use crate::request::Relation;
use crate::subject::{Ruler, Subject};
use crate::trace::{Element, ElementTrace, elements};

/// One obstacle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ButFor {
    /// A statement that allows but for one element.
    Element {
        /// The statement.
        statement: StatementRef,
        /// The element that failed.
        element: Element,
        /// For a condition its key, otherwise why the element failed.
        detail: String,
    },
    /// A statement that denies what is otherwise allowed.
    Deny {
        /// The statement.
        statement: StatementRef,
    },
    /// A class of policies in which nothing comes close to allowing.
    Missing {
        /// The class.
        class: PolicyClass,
    },
    /// RestrictPublicBuckets.
    PublicAccessRestriction,
    /// A setting because of which a grant of an ACL does not count.
    IdleAcl {
        /// The grant.
        grant: AclGrantRef,
        /// The setting.
        setting: IdleAcl,
    },
    /// A permission that the ACL of an object of another account would have to grant.
    MissingAclGrant {
        /// `READ`.
        permission: &'static str,
    },
    /// The constraints of a grant on the key.
    KmsGrantConstraints {
        /// `GrantId`.
        grant_id: String,
    },
}

impl std::fmt::Display for ButFor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Element { element: Element::Condition, detail, .. } => write!(f, "condition `{detail}`"),
            Self::Element { element, statement, .. } => write!(f, "the {} of {statement}", element.as_str()),
            Self::Deny { statement } => write!(f, "the deny in {statement}"),
            Self::Missing { class: PolicyClass::Identity } => {
                f.write_str("an allow in an identity-based policy")
            }
            Self::Missing { class } => write!(f, "an allow in a {}", class.aws_name()),
            Self::PublicAccessRestriction => f.write_str("RestrictPublicBuckets"),
            Self::IdleAcl { grant, setting: IdleAcl::BucketOwnerEnforced } => {
                write!(f, "BucketOwnerEnforced, which switches {grant} off")
            }
            Self::IdleAcl { grant, setting: IdleAcl::IgnorePublicAcls } => {
                write!(f, "IgnorePublicAcls, which ignores {grant}")
            }
            Self::MissingAclGrant { permission } => {
                write!(f, "a grant of {permission} in the ACL of the object")
            }
            Self::KmsGrantConstraints { grant_id } => write!(f, "the constraints of grant `{grant_id}`"),
        }
    }
}

pub(crate) fn find(
    subject: &Subject<'_>,
    facts: &Facts<'_>,
    policies: &Policies<'_>,
    outcome: Outcome,
) -> Vec<ButFor> {
    match outcome {
        Outcome::Allowed => Vec::new(),
        Outcome::ExplicitlyDenied => without_denies(subject, facts, policies),
        Outcome::ImplicitlyDenied => {
            let mut near = idle_acl(subject, facts);
            near.extend(grant_constraints(subject, facts, policies));
            if near.is_empty() {
                near = near_misses(subject, facts, policies);
            }
            if near.is_empty() { missing_classes(subject, facts, policies) } else { near }
        }
    }
}

fn is_allowed(subject: &Subject<'_>, facts: &Facts<'_>) -> bool {
    conclude(subject, facts).outcome == Outcome::Allowed
}

/// The setting that keeps an ACL from allowing.
fn idle_acl(subject: &Subject<'_>, facts: &Facts<'_>) -> Vec<ButFor> {
    let Some(found) = facts.idle_acl else { return Vec::new() };
    let supposed = Facts { acl: Grant::Supposed, ..facts.clone() };
    match found.idle {
        Some(setting) if is_allowed(subject, &supposed) => {
            vec![ButFor::IdleAcl { grant: found.into(), setting }]
        }
        _ => Vec::new(),
    }
}

/// The grants on the key that name the caller and the operation, and another encryption context.
fn grant_constraints(subject: &Subject<'_>, facts: &Facts<'_>, policies: &Policies<'_>) -> Vec<ButFor> {
    let context = policies.kms_grants.encryption_context;
    let mut found = Vec::new();
    for grant in policies.kms_grants.list {
        if kms::fit(grant, subject, context) != GrantFit::OtherEncryptionContext {
            continue;
        }
        let mut supposed = facts.clone();
        match grant.grantee.named.names(subject) {
            Some(Naming::Direct | Naming::Unnamed) => supposed.kms_direct = Grant::Supposed,
            Some(Naming::Role) => supposed.kms_role = Grant::Supposed,
            Some(Naming::Account) => supposed.account = Grant::Supposed,
            None => continue,
        }
        if is_allowed(subject, &supposed) {
            found.push(ButFor::KmsGrantConstraints { grant_id: grant.id.clone() });
        }
    }
    found
}

/// All lists of policies that bind the caller, with their class and level.
fn bound<'a>(subject: &Subject<'_>, policies: &Policies<'a>) -> Vec<(PolicyClass, usize, &'a Policy)> {
    let mut all: Vec<(PolicyClass, usize, &'a Policy)> = Vec::new();
    let own = [
        (PolicyClass::Identity, policies.identity),
        (PolicyClass::Boundary, policies.boundary.unwrap_or_default()),
        (PolicyClass::Session, policies.session.unwrap_or_default()),
    ];
    for (class, list) in own {
        all.extend(list.iter().map(|policy| (class, 0, policy)));
    }
    for (level, list) in policies.service_control.iter().enumerate() {
        all.extend(list.iter().map(|policy| (PolicyClass::ServiceControl, level, policy)));
    }
    all.extend(policies.resource.map(|policy| (PolicyClass::Resource, 0, policy)));
    all.retain(|(class, _, _)| crate::decide::binds(subject.principal(), *class));
    all
}

fn without_denies(subject: &Subject<'_>, facts: &Facts<'_>, policies: &Policies<'_>) -> Vec<ButFor> {
    let without = Facts { deny: None, service_control_deny: None, restricted: false, ..facts.clone() };
    if !is_allowed(subject, &without) {
        return Vec::new();
    }
    let mut found: Vec<ButFor> = Vec::new();
    for (_, _, policy) in bound(subject, policies) {
        for (index, statement) in policy.statements().iter().enumerate() {
            if statement.effect() == Effect::Deny && statement.applies(subject).is_some() {
                found.push(ButFor::Deny { statement: StatementRef::new(policy.clone(), index) });
            }
        }
    }
    if facts.restricted {
        found.push(ButFor::PublicAccessRestriction);
    }
    found
}

/// The facts if a class of policies allowed.
fn supposing<'a>(facts: &Facts<'a>, class: PolicyClass, level: usize, naming: Naming) -> Facts<'a> {
    let mut supposed = facts.clone();
    match class {
        PolicyClass::Identity => supposed.identity = Grant::Supposed,
        PolicyClass::Boundary => supposed.boundary = Limit::Present(Grant::Supposed),
        PolicyClass::Session => supposed.session = Limit::Present(Grant::Supposed),
        PolicyClass::ServiceControl => {
            if let Some(grant) = supposed.service_control.get_mut(level) {
                *grant = Grant::Supposed;
            }
        }
        PolicyClass::Resource => *supposed.grant_of(naming) = Grant::Supposed,
    }
    supposed
}

/// Allow statements that fail in one element and would settle the matter. The most telling kind of element only: a
/// failing condition says more than a statement about another action.
fn near_misses(subject: &Subject<'_>, facts: &Facts<'_>, policies: &Policies<'_>) -> Vec<ButFor> {
    let mut found: Vec<(Element, ButFor)> = Vec::new();
    for (class, level, policy) in bound(subject, policies) {
        for (index, statement) in policy.statements().iter().enumerate() {
            let bypassed = class == PolicyClass::Resource && subject.ruler == Ruler::ObjectOwner;
            if statement.effect() != Effect::Allow || bypassed {
                continue;
            }
            let Some(failed) = only_failure(subject, statement) else { continue };
            let naming = statement.principal_match(subject).naming().unwrap_or(Naming::Direct);
            if !is_allowed(subject, &supposing(facts, class, level, naming)) {
                continue;
            }
            let detail = failed.key.clone().unwrap_or_else(|| failed.text.clone());
            let statement = Found { policy, index }.into();
            found.push((failed.element, ButFor::Element { statement, element: failed.element, detail }));
        }
    }
    let best = found.iter().map(|(element, _)| *element).min();
    found.into_iter().filter(|(element, _)| Some(*element) == best).map(|(_, but_for)| but_for).collect()
}

/// Most statements fail in more than one element, so they are counted before anything is put into words.
fn only_failure(subject: &Subject<'_>, statement: &Statement) -> Option<ElementTrace> {
    if statement.failures(subject) != 1 {
        return None;
    }
    elements(subject, statement).into_iter().find(|element| !element.matches)
}

/// The classes of which a single allow would have been enough.
fn missing_classes(subject: &Subject<'_>, facts: &Facts<'_>, policies: &Policies<'_>) -> Vec<ButFor> {
    let mut classes = Vec::new();
    if let Reason::NoServiceControlAllow { level } = conclude(subject, facts).reason {
        let supposed = supposing(facts, PolicyClass::ServiceControl, level - 1, Naming::Unnamed);
        if is_allowed(subject, &supposed) {
            classes.push(PolicyClass::ServiceControl);
        }
    }
    let candidates = [
        (PolicyClass::Identity, true),
        (PolicyClass::Boundary, policies.boundary.is_some()),
        (PolicyClass::Session, policies.session.is_some()),
        (
            PolicyClass::Resource,
            subject.resource.is_some()
                && subject.resource_policy_kind().is_some()
                && subject.ruler == Ruler::ResourceOwner,
        ),
    ];
    for (class, exists) in candidates {
        if exists
            && crate::decide::binds(subject.principal(), class)
            && is_allowed(subject, &supposing(facts, class, 0, Naming::Direct))
        {
            classes.push(class);
        }
    }
    let mut missing: Vec<ButFor> = classes.into_iter().map(|class| ButFor::Missing { class }).collect();
    missing.extend(missing_acl_grant(subject, facts, policies));
    missing
}

/// Whether the owner of a foreign object would only have to grant the permission.
fn missing_acl_grant(subject: &Subject<'_>, facts: &Facts<'_>, policies: &Policies<'_>) -> Option<ButFor> {
    if subject.ruler != Ruler::ObjectOwner || subject.relation == Relation::SameAccount {
        return None;
    }
    let question = policies.acls.as_ref()?.question(subject)?;
    let supposed = Facts { acl: Grant::Supposed, ..facts.clone() };
    is_allowed(subject, &supposed)
        .then(|| ButFor::MissingAclGrant { permission: question.permission.as_str() })
}
