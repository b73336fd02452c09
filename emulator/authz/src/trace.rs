//! What every policy, statement and element said.
//!
//! The trace is built from the same matching functions that decided, asked one by one instead of stopping at the
//! first that fails. Its JSON is a public interface: names are stable.

use serde::Serialize;

use crate::but_for::{self, ButFor};
use crate::decide::{self, Facts};
use crate::decision::{Decision, Outcome};
use crate::policy::principal::PrincipalMatch;
use crate::policy::{Effect, Policy, PolicyClass, PolicyKind, Statement};
use crate::principal::Principal;
use crate::request::Relation;
use crate::subject::{Ruler, Subject};

mod access;
mod element;
mod rule;

pub use access::{AclGrantTrace, AclTrace, KmsGrantTrace};
pub(crate) use element::elements;

/// The whole story of a decision.
#[derive(Debug, Clone, Serialize)]
pub struct Trace {
    /// What was decided.
    pub outcome: Outcome,
    /// Who asked: an ARN, the name of a service, or `anonymous`.
    pub principal: String,
    /// The caller's account.
    pub principal_account: Option<String>,
    /// `service:Action`.
    pub action: String,
    /// The ARN of the resource, or `*`.
    pub resource: String,
    /// The account that owns the resource, as far as known.
    pub resource_account: Option<String>,
    /// How the two accounts relate.
    pub relation: Relation,
    /// One entry per policy that was looked at, the caller's own first.
    pub policies: Vec<PolicyTrace>,
    /// The ACL that was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acl: Option<AclTrace>,
    /// The grants on the KMS key.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kms_grants: Vec<KmsGrantTrace>,
    /// The rule that combined them, in a sentence.
    pub rule: String,
    /// What alone stood in the way; empty if nothing single did, or if the request was allowed.
    pub but_for: Vec<ButFor>,
}

/// What a policy said about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A statement allows and none denies.
    Allows,
    /// A statement denies.
    Denies,
    /// No statement applies.
    NoMatch,
    /// Policies of this kind have no say about this caller.
    NotApplicable,
}

/// One policy.
#[derive(Debug, Clone, Serialize)]
pub struct PolicyTrace {
    /// What the policy is attached to.
    pub kind: PolicyKind,
    /// Its name.
    pub name: String,
    /// Its file, if known.
    pub file: Option<String>,
    /// The level of a service control policy, counted from 1.
    pub level: Option<usize>,
    /// What it said.
    pub verdict: Verdict,
    /// Why it is not applicable, or does not allow although a statement does.
    pub note: Option<&'static str>,
    /// Its statements; empty if it is not applicable.
    pub statements: Vec<StatementTrace>,
}

/// One statement.
#[derive(Debug, Clone, Serialize)]
pub struct StatementTrace {
    /// Counted from 1.
    pub number: usize,
    /// The `Sid`, if it has one.
    pub sid: Option<String>,
    /// `allow` or `deny`.
    pub effect: Effect,
    /// Whether every element matched.
    pub applies: bool,
    /// Where it starts, counted from 1.
    pub line: u32,
    /// Where it starts, counted from 1.
    pub column: u32,
    /// Its elements: principal, action, resource, conditions.
    pub elements: Vec<ElementTrace>,
}

/// The elements of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Element {
    /// One operator and key of `Condition`.
    Condition,
    /// `Principal` or `NotPrincipal`.
    Principal,
    /// `Resource` or `NotResource`.
    Resource,
    /// `Action` or `NotAction`.
    Action,
}

impl Element {
    /// The name in texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Condition => "condition",
            Self::Principal => "principal",
            Self::Resource => "resource",
            Self::Action => "action",
        }
    }
}

/// One element.
#[derive(Debug, Clone, Serialize)]
pub struct ElementTrace {
    /// Which element.
    pub element: Element,
    /// Whether it matched.
    pub matches: bool,
    /// For a condition, its operator.
    pub operator: Option<String>,
    /// For a condition, its key.
    pub key: Option<String>,
    /// The policy's values, with variables filled in.
    pub expected: Vec<String>,
    /// The request's values; empty if it has no such key.
    pub found: Vec<String>,
    /// Why, in words.
    pub text: String,
    /// Where the element stands, counted from 1.
    pub line: u32,
    /// Where the element stands, counted from 1.
    pub column: u32,
}

pub(crate) fn build(decision: &Decision) -> Trace {
    let request = decision.request();
    let policies = decision.policies();
    let subject = decide::subject(request, &policies);
    let facts = Facts::gather(&subject, &policies);
    let traced =
        |list: &[Policy]| list.iter().map(|policy| trace_policy(&subject, policy, None)).collect::<Vec<_>>();
    let mut all = traced(policies.identity);
    all.extend(traced(policies.boundary.unwrap_or_default()));
    all.extend(traced(policies.session.unwrap_or_default()));
    for (index, level) in policies.service_control.iter().enumerate() {
        all.extend(level.iter().map(|policy| trace_policy(&subject, policy, Some(index + 1))));
    }
    all.extend(policies.resource.map(|policy| trace_policy(&subject, policy, None)));
    Trace {
        outcome: decision.outcome(),
        principal: request.principal.display_name().to_owned(),
        principal_account: request.principal.account().map(ToString::to_string),
        action: request.action.clone(),
        resource: request.resource.arn.clone(),
        resource_account: request.resource_account().map(|account| account.to_string()),
        relation: request.relation(),
        policies: all,
        acl: access::trace_acl(&subject, &policies),
        kms_grants: access::trace_kms_grants(&subject, &policies),
        rule: rule::sentence(&subject, &facts, &policies, decision),
        but_for: but_for::find(&subject, &facts, &policies, decision.outcome()),
    }
}

fn trace_policy(subject: &Subject<'_>, policy: &Policy, level: Option<usize>) -> PolicyTrace {
    let source = policy.source();
    let note = not_applicable(subject.principal(), source.kind.class());
    let statements: Vec<_> = if note.is_some() {
        Vec::new()
    } else {
        policy
            .statements()
            .iter()
            .enumerate()
            .map(|(index, statement)| trace_statement(subject, statement, index + 1))
            .collect()
    };
    let applies = |effect| statements.iter().any(|statement| statement.applies && statement.effect == effect);
    let bypassed = subject.ruler == Ruler::ObjectOwner && source.kind.is_resource_policy();
    let verdict = if note.is_some() {
        Verdict::NotApplicable
    } else if applies(Effect::Deny) {
        Verdict::Denies
    } else if applies(Effect::Allow) && !bypassed {
        Verdict::Allows
    } else {
        Verdict::NoMatch
    };
    let note = match note {
        None if bypassed && verdict == Verdict::NoMatch && applies(Effect::Allow) => {
            Some("its allows do not serve objects that another account owns")
        }
        note => note,
    };
    PolicyTrace {
        kind: source.kind,
        name: source.name.clone(),
        file: source.file.clone(),
        level,
        verdict,
        note,
        statements,
    }
}

fn not_applicable(principal: &Principal, class: PolicyClass) -> Option<&'static str> {
    if decide::binds(principal, class) {
        return None;
    }
    Some(match principal {
        Principal::Root { .. } => "no identity policy binds a root user",
        Principal::AssumedRole { .. } => "service control policies do not bind a service-linked role",
        Principal::Service { .. } => "only resource policies bind a service",
        Principal::Federated { .. } => "only trust policies bind whom an identity provider vouches for",
        _ => "only resource policies bind an anonymous caller",
    })
}

fn trace_statement(subject: &Subject<'_>, statement: &Statement, number: usize) -> StatementTrace {
    let elements = elements(subject, statement);
    StatementTrace {
        number,
        sid: statement.sid().map(ToOwned::to_owned),
        effect: statement.effect(),
        applies: elements.iter().all(|element| element.matches),
        line: statement.at.line,
        column: statement.at.column,
        elements,
    }
}

/// Whether a principal element lets its statement apply.
pub(crate) fn principal_matches(found: PrincipalMatch) -> bool {
    found.naming().is_some()
}
