//! Requests that tell a document from its mutant.

use bucketproof_authz::{Outcome, Policies, Policy, Principal, Request, outcome};
use serde_json::Value;

use super::document::texts;
use super::journal::Case;
use super::mutant::{Mutant, MutantKind};

/// Looks for a request that the document and the mutant decide differently: one of the journal with another action,
/// resource, caller or condition key. It is told for people.
pub(crate) fn find<'a>(
    mutant: &Mutant,
    original: &Value,
    cases: impl Iterator<Item = &'a Case>,
    index: usize,
    mutated: Option<&Policy>,
) -> Option<String> {
    for case in cases {
        let other = case.with(&|slot| (slot == index).then(|| mutated.cloned()));
        let before = case.question.policies();
        let after = other.policies(case);
        for (request, what) in variants(mutant, original, case.question.request()) {
            let allowed = |policies: &Policies<'_>| outcome(&request, policies) == Outcome::Allowed;
            let (now, then) = (allowed(&before), allowed(&after));
            if now != then {
                let word = |allowed: bool| if allowed { "allowed" } else { "denied" };
                return Some(format!(
                    "`{}` on `{}` by {}{what} is {}, and {} with the mistake",
                    request.action,
                    request.resource.arn,
                    request.principal.display_name(),
                    word(now),
                    word(then)
                ));
            }
        }
    }
    None
}

/// A request of the journal, varied where the mutant differs.
fn variants(mutant: &Mutant, statement: &Value, base: &Request) -> Vec<(Request, String)> {
    let actions: Vec<String> = match &mutant.kind {
        MutantKind::Action(action) => vec![concrete(action)],
        _ => texts(statement.get("Action")).iter().map(|action| concrete(action)).collect(),
    };
    let resources: Vec<String> = match &mutant.kind {
        MutantKind::Resource(resource) | MutantKind::WiderResource(resource) => vec![concrete(resource)],
        _ => texts(statement.get("Resource")).iter().map(|resource| concrete(resource)).collect(),
    };
    let mut all = Vec::new();
    let own = (base.action.clone(), base.resource.arn.clone());
    let mut pairs = vec![own.clone()];
    pairs.extend(resources.iter().map(|resource| (own.0.clone(), resource.clone())));
    for action in &actions {
        pairs.push((action.clone(), own.1.clone()));
        pairs.extend(resources.iter().map(|resource| (action.clone(), resource.clone())));
    }
    for (action, resource) in pairs {
        if !belong_together(&action, &resource) {
            continue;
        }
        let mut request = base.clone();
        request.action = action;
        request.resource.arn = resource;
        match &mutant.kind {
            MutantKind::Condition(key) => {
                let values = mutant_values(statement, mutant, key);
                for value in values.into_iter().map(Some).chain([None]) {
                    let mut varied = request.clone();
                    let what = if let Some(value) = value {
                        varied.context.set(key.as_str(), value.as_str());
                        format!(" with `{key}` = `{value}`")
                    } else {
                        varied.context.remove(key);
                        format!(" without `{key}`")
                    };
                    all.push((varied, what));
                }
            }
            MutantKind::AnyPrincipal => {
                let mut stranger = request.clone();
                stranger.principal = Principal::Anonymous;
                stranger.ids = bucketproof_authz::PrincipalIds::default();
                all.push((stranger, String::new()));
                all.push((request, String::new()));
            }
            _ => {
                all.push(meeting(statement, &request));
                all.push((request, String::new()));
            }
        }
    }
    all
}

/// The request with the condition keys that the statement asks for.
fn meeting(statement: &Value, request: &Request) -> (Request, String) {
    let mut request = request.clone();
    let mut what = Vec::new();
    for (operator, key, values) in super::document::conditions(statement) {
        if operator.contains("Not") || operator.contains("Null") {
            continue;
        }
        let Some(value) = values.first().map(|value| concrete(value)) else { continue };
        let known = request.context.get(&key).is_some_and(|known| known.as_slice() == [value.clone()]);
        if !known {
            what.push(format!("`{key}` = `{value}`"));
            request.context.set(key, value);
        }
    }
    let what = if what.is_empty() { String::new() } else { format!(" with {}", what.join(" and ")) };
    (request, what)
}

/// Values that stand in the condition, and one that does not.
fn mutant_values(statement: &Value, mutant: &Mutant, key: &str) -> Vec<String> {
    let of = |statement: &Value| {
        let all = super::document::conditions(statement);
        all.into_iter().filter(|(_, own, _)| own == key).flat_map(|(_, _, values)| values).collect::<Vec<_>>()
    };
    let mut values = of(statement);
    values.extend(mutant.mutated.iter().flat_map(of));
    let mut values: Vec<String> = values.iter().map(|value| concrete(value)).collect();
    values.push("probe".to_owned());
    values.dedup();
    values
}

/// A text that a pattern matches.
fn concrete(pattern: &str) -> String {
    pattern
        .replace("${*}", "*")
        .replace("${?}", "?")
        .replace("${$}", "$")
        .replace('*', "probe")
        .replace('?', "x")
}

/// S3 has actions on buckets and actions on objects; a probe that mixes them would be nonsense.
fn belong_together(action: &str, resource: &str) -> bool {
    let service = action.split(':').next().unwrap_or_default();
    let owner = resource.split(':').nth(2).unwrap_or_default();
    let fits = match service {
        "sts" => owner == "iam",
        _ => resource == "probe" || owner.eq_ignore_ascii_case(service),
    };
    let is_object = resource.starts_with("arn:aws:s3:::") && resource.contains('/');
    let wants_object = matches!(
        bucketproof_authz::s3_action_resource_type(action),
        Some(bucketproof_authz::S3ResourceType::Object)
    );
    fits && (service != "s3" || wants_object == is_object)
}
