//! Policies as drafts: built from requests, made smaller until every element is needed.

use std::collections::{BTreeMap, BTreeSet};

use bucketproof_authz::{Policy, PolicyKind, PolicySource, Values};
use serde_json::{Map, Value, json};

use super::generate::{
    Because, Target, common_folder, distinct, literal, owner_of_resource, parsed, patterns,
};
use super::journal::{Case, owner_of};

/// A request for which a policy has to allow something, and whom it has to name for it.
#[derive(Clone, Debug)]
pub(crate) struct Grain<'a> {
    pub(crate) case: &'a Case,
    pub(crate) principal: Option<(&'static str, String)>,
}

/// A policy that only allows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    statements: Vec<Statement>,
}

/// The type of a principal, such as `AWS`, and its text.
type Named = (&'static str, String);
type Principals = BTreeSet<Named>;
/// Whom a request needs named, and its action.
type ByAction<'a> = (Option<&'a Named>, &'a str);
/// Operator and key to values.
type Conditions = BTreeMap<(&'static str, String), Vec<String>>;

#[derive(Clone, Debug)]
struct Statement {
    /// Empty for identity policies.
    principals: Principals,
    actions: BTreeSet<String>,
    /// Empty for trust policies.
    resources: BTreeSet<String>,
    conditions: Conditions,
    /// The requests that it was made for.
    uses: Vec<String>,
    because: Vec<Because>,
}

/// An element of a statement that can be left out.
#[derive(Clone, Debug)]
enum Element {
    Principal((&'static str, String)),
    Action(String),
    Resource(String),
}

/// Condition keys that narrow a policy down, where every request carries them, by kind of policy.
fn narrows(kind: PolicyKind, key: &str, principal: Option<&(&'static str, String)>) -> bool {
    let lower = key.to_ascii_lowercase();
    let is_service = principal.is_some_and(|(kind, _)| *kind == "Service");
    match lower.as_str() {
        "s3:x-amz-acl"
        | "s3:x-amz-server-side-encryption"
        | "s3:x-amz-server-side-encryption-aws-kms-key-id"
        | "s3:prefix"
        | "kms:viaservice" => true,
        // Who may have an external id is for the role to say.
        "sts:externalid" => kind == PolicyKind::Trust,
        "aws:sourcearn" | "aws:sourceaccount" => is_service,
        _ => lower.starts_with("kms:encryptioncontext:"),
    }
}

impl Draft {
    /// The policy of a target for some requests.
    pub(crate) fn of(target: &Target, grains: &[Grain<'_>], exact_max: usize) -> Self {
        let mut by_action: BTreeMap<ByAction<'_>, Vec<&Case>> = BTreeMap::new();
        for grain in grains {
            let action = grain.case.question.request().action.as_str();
            by_action.entry((grain.principal.as_ref(), action)).or_default().push(grain.case);
        }
        // What has the same principal, resources and conditions is one statement.
        let mut statements: Vec<Statement> = Vec::new();
        for ((principal, action), cases) in by_action {
            let mut resources: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
            for case in cases {
                resources.entry(&case.question.request().resource.arn).or_default().push(case);
            }
            let found = match target.kind {
                PolicyKind::Trust => vec![(String::new(), resources.into_values().flatten().collect())],
                PolicyKind::Key => vec![("*".to_owned(), resources.into_values().flatten().collect())],
                _ => patterns(&resources, exact_max),
            };
            let mut by_conditions: BTreeMap<Conditions, (BTreeSet<String>, Vec<&Case>)> = BTreeMap::new();
            for (pattern, cases) in found {
                let conditions = conditions(target.kind, principal, &cases, exact_max);
                let (patterns, all) = by_conditions.entry(conditions).or_default();
                patterns.extend(Some(pattern).filter(|pattern| !pattern.is_empty()));
                all.extend(cases);
            }
            for (conditions, (resources, cases)) in by_conditions {
                let principals: Principals = principal.cloned().into_iter().collect();
                let uses = cases.iter().map(|case| case.request_id.clone());
                let same = statements.iter_mut().find(|one| {
                    one.principals == principals && one.resources == resources && one.conditions == conditions
                });
                if let Some(same) = same {
                    same.actions.insert(action.to_owned());
                    same.uses.extend(uses);
                } else {
                    let actions = BTreeSet::from([action.to_owned()]);
                    let uses = uses.collect();
                    let because = Vec::new();
                    statements.push(Statement { principals, actions, resources, conditions, uses, because });
                }
            }
        }
        Self { statements: of_several_principals(statements) }
    }

    pub(crate) fn json(&self) -> Value {
        let statements: Vec<Value> = self.statements.iter().map(Statement::json).collect();
        json!({ "Version": "2012-10-17", "Statement": statements })
    }

    pub(crate) fn policy(&self, target: &Target) -> Option<Policy> {
        if self.statements.is_empty() {
            return None;
        }
        Policy::parse(&self.json().to_string(), PolicySource::new(target.kind, "generated")).ok()
    }

    pub(crate) fn because(&self) -> Vec<Because> {
        let numbered = self.statements.iter().enumerate();
        numbered
            .flat_map(|(index, statement)| {
                statement.because.iter().map(move |one| Because { statement: index + 1, ..one.clone() })
            })
            .collect()
    }
}

/// Statements that differ in nothing but whom they name are one.
fn of_several_principals(statements: Vec<Statement>) -> Vec<Statement> {
    let mut merged: Vec<Statement> = Vec::new();
    for statement in statements {
        let same = merged.iter_mut().find(|one| {
            one.actions == statement.actions
                && one.resources == statement.resources
                && one.conditions == statement.conditions
        });
        match same {
            Some(same) => {
                same.principals.extend(statement.principals);
                same.uses.extend(statement.uses);
            }
            None => merged.push(statement),
        }
    }
    merged
}

/// The conditions that every one of the requests meets.
fn conditions(
    kind: PolicyKind,
    principal: Option<&(&'static str, String)>,
    cases: &[&Case],
    exact_max: usize,
) -> Conditions {
    let mut found = Conditions::new();
    let Some(first) = cases.first() else { return found };
    for (key, _) in first.question.request().context.iter() {
        if !narrows(kind, key, principal) {
            continue;
        }
        let values = cases.iter().map(|case| match case.question.request().context.get(key) {
            Some(Values::One(value)) => Some(value.as_str()),
            _ => None,
        });
        let Some(values) = values.collect::<Option<Vec<_>>>() else { continue };
        let values = distinct(values.into_iter());
        let is_path = key == "s3:prefix" || key.to_ascii_lowercase().starts_with("kms:encryptioncontext:");
        let folder = common_folder(&values);
        if values.len() <= exact_max || !is_path {
            let values = values.iter().map(|value| literal(value)).collect();
            found.insert(("StringEquals", key.to_owned()), values);
        } else if !folder.is_empty() {
            found.insert(("StringLike", key.to_owned()), vec![format!("{}*", literal(folder))]);
        }
    }
    found
}

impl Statement {
    fn json(&self) -> Value {
        let mut statement = Map::new();
        statement.insert("Effect".to_owned(), "Allow".into());
        if !self.principals.is_empty() {
            let mut types: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for (kind, text) in &self.principals {
                types.entry(kind).or_default().push(text);
            }
            statement.insert("Principal".to_owned(), json!(types));
        }
        statement.insert("Action".to_owned(), json!(self.actions));
        if !self.resources.is_empty() {
            statement.insert("Resource".to_owned(), json!(self.resources));
        }
        if !self.conditions.is_empty() {
            let mut operators: BTreeMap<&str, BTreeMap<&str, &Vec<String>>> = BTreeMap::new();
            for ((operator, key), values) in &self.conditions {
                operators.entry(operator).or_default().insert(key, values);
            }
            statement.insert("Condition".to_owned(), json!(operators));
        }
        statement.into()
    }

    fn elements(&self) -> Vec<Element> {
        let principals = self.principals.iter().cloned().map(Element::Principal);
        let actions = self.actions.iter().cloned().map(Element::Action);
        let resources = self.resources.iter().cloned().map(Element::Resource);
        principals.chain(actions).chain(resources).collect()
    }

    /// The statement without an element; absent if it would say nothing then.
    fn without(&self, element: &Element) -> Option<Self> {
        let mut other = self.clone();
        let is_empty = match element {
            Element::Principal(principal) => {
                other.principals.remove(principal);
                other.principals.is_empty()
            }
            Element::Action(action) => {
                other.actions.remove(action);
                other.actions.is_empty()
            }
            Element::Resource(resource) => {
                other.resources.remove(resource);
                other.resources.is_empty()
            }
        };
        (!is_empty).then_some(other)
    }
}

impl Element {
    fn because(&self, denied: &[&Case]) -> Because {
        let (element, value) = match self {
            Self::Principal((_, text)) => ("principal", text),
            Self::Action(action) => ("action", action),
            Self::Resource(resource) => ("resource", resource),
        };
        because(element, value.clone(), denied.iter().map(|case| case.request_id.as_str()))
    }
}

/// The first request, and how many different ones there are.
fn because<'a>(element: &'static str, value: String, requests: impl Iterator<Item = &'a str>) -> Because {
    let mut seen = BTreeSet::new();
    let mut first = String::new();
    for id in requests {
        if seen.is_empty() {
            id.clone_into(&mut first);
        }
        seen.insert(id);
    }
    Because { statement: 0, element, value, request_id: first, requests: seen.len() }
}

/// Leaves out whatever no request needs. As drafts only allow, what is needed now is needed in the end.
pub(crate) fn minimise(mut drafts: BTreeMap<Target, Draft>, cases: &[&Case]) -> BTreeMap<Target, Draft> {
    let mut policies = parsed(&drafts);
    let targets: Vec<Target> = drafts.keys().cloned().collect();
    for target in &targets {
        let concerned: Vec<&Case> = cases.iter().copied().filter(|case| concerns(target, case)).collect();
        let mut index = 0;
        while let Some(statement) = drafts.get(target).and_then(|draft| draft.statements.get(index)).cloned()
        {
            let mut kept = Some(statement.clone());
            let mut reasons = Vec::new();
            for element in statement.elements() {
                let Some(current) = &kept else { break };
                let smaller = current.without(&element);
                put(&mut drafts, target, index, smaller.clone());
                set(&mut policies, target, drafts.get(target));
                let denied = denied(&policies, &concerned);
                if denied.is_empty() {
                    // It is not needed, and stays out.
                    if smaller.is_none() {
                        kept = None;
                    } else {
                        kept = smaller;
                    }
                    continue;
                }
                reasons.push(element.because(&denied));
                restore(&mut drafts, target, index, current.clone(), smaller.is_none());
                set(&mut policies, target, drafts.get(target));
            }
            if kept.is_some() {
                if let Some(statement) =
                    drafts.get_mut(target).and_then(|draft| draft.statements.get_mut(index))
                {
                    for ((operator, key), values) in &statement.conditions {
                        let text = format!("{operator} {key} {}", values.join(", "));
                        reasons.push(because("condition", text, statement.uses.iter().map(String::as_str)));
                    }
                    statement.because = reasons;
                }
                index += 1;
            }
        }
    }
    drafts.retain(|_, draft| !draft.statements.is_empty());
    drafts
}

/// Puts a smaller statement in its place, or takes it out.
fn put(drafts: &mut BTreeMap<Target, Draft>, target: &Target, index: usize, smaller: Option<Statement>) {
    let Some(draft) = drafts.get_mut(target) else { return };
    match smaller {
        Some(smaller) => {
            if let Some(place) = draft.statements.get_mut(index) {
                *place = smaller;
            }
        }
        None if index < draft.statements.len() => drop(draft.statements.remove(index)),
        None => {}
    }
}

fn restore(
    drafts: &mut BTreeMap<Target, Draft>,
    target: &Target,
    index: usize,
    statement: Statement,
    was_removed: bool,
) {
    let Some(draft) = drafts.get_mut(target) else { return };
    if was_removed {
        draft.statements.insert(index.min(draft.statements.len()), statement);
    } else if let Some(place) = draft.statements.get_mut(index) {
        *place = statement;
    }
}

fn set(policies: &mut BTreeMap<Target, Policy>, target: &Target, draft: Option<&Draft>) {
    match draft.and_then(|draft| draft.policy(target)) {
        Some(policy) => {
            policies.insert(target.clone(), policy);
        }
        None => {
            policies.remove(target);
        }
    }
}

/// Whether the policy of a target rules over a case.
fn concerns(target: &Target, case: &Case) -> bool {
    let request = case.question.request();
    if target.kind == PolicyKind::Identity {
        return owner_of(&request.principal).as_ref() == Some(&target.owner);
    }
    kind_of(&request.action) == Some(target.kind)
        && owner_of_resource(target.kind, &request.resource.arn) == target.owner
}

/// The kind of policy that resources of a service have.
fn kind_of(action: &str) -> Option<PolicyKind> {
    match action.split(':').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "s3" => Some(PolicyKind::Bucket),
        "kms" => Some(PolicyKind::Key),
        "sts" => Some(PolicyKind::Trust),
        "sns" => Some(PolicyKind::Topic),
        "sqs" => Some(PolicyKind::Queue),
        _ => None,
    }
}

/// The cases that generated policies deny, those of the journal being taken away.
pub(crate) fn denied<'a>(policies: &BTreeMap<Target, Policy>, cases: &[&'a Case]) -> Vec<&'a Case> {
    cases.iter().copied().filter(|case| !allows(policies, case)).collect()
}

fn allows(policies: &BTreeMap<Target, Policy>, case: &Case) -> bool {
    let request = case.question.request();
    let mut exchanged = case.with_generated();
    if let Some(owner) = owner_of(&request.principal)
        && let Some(policy) = policies.get(&Target { kind: PolicyKind::Identity, owner })
    {
        exchanged.add_identity(policy);
    }
    if let Some(kind) = kind_of(&request.action) {
        let owner = owner_of_resource(kind, &request.resource.arn);
        if let Some(policy) = policies.get(&Target { kind, owner }) {
            exchanged.set_resource(policy);
        }
    }
    exchanged.allows(case)
}
