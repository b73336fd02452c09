//! The least that policies must allow so that the requests of a journal pass again: of users and roles, buckets, keys,
//! trust, topics and queues together.
//!
//! Who allowed a request is left as it was: what the identity side allowed stays there, what the resource's policy allowed
//! stays there, and where both were needed both are written.

use std::collections::{BTreeMap, BTreeSet};

use bucketproof_authz::{Policy, PolicyKind, Principal, Reason, Relation, ResourceAllow, decide};
use serde::Serialize;
use serde_json::Value;

use super::diff::resource_name;
use super::document::kind_word;
use super::journal::{Case, Recorded, owner_of};
use super::least::{Draft, Grain, minimise};

/// What a policy is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    pub(crate) kind: PolicyKind,
    /// The ARN of the user, role, bucket, key, topic or queue.
    pub(crate) owner: String,
}

/// A policy with what asks for it.
#[derive(Debug, Serialize)]
pub(crate) struct Generated {
    /// `identity`, `bucket`, `key`, `trust`, `topic` or `queue`.
    pub(crate) kind: &'static str,
    /// The ARN of the user or role, or of the resource.
    pub(crate) owner: String,
    /// The policy.
    pub(crate) document: Value,
    /// For every element of the policy, the request that needs it.
    pub(crate) because: Vec<Because>,
    /// What to think of before it is put in force.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
}

/// Why an element is in a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Because {
    /// The statement, counted from 1.
    pub(crate) statement: usize,
    /// `action`, `resource`, `principal` or `condition`.
    pub(crate) element: &'static str,
    pub(crate) value: String,
    /// The first request that would be denied without it; of a condition, the first that carries it.
    pub(crate) request_id: String,
    /// How many there are.
    pub(crate) requests: usize,
}

/// The least policies for all requests that were allowed.
///
/// More than `exact_max` objects of a bucket become their longest common folder.
pub(crate) fn generate(journal: &Recorded, exact_max: usize) -> Vec<Generated> {
    let cases: Vec<&Case> = journal.cases.iter().filter(|case| case.in_allowed_request).collect();
    let mut grains: BTreeMap<Target, Vec<Grain<'_>>> = BTreeMap::new();
    for case in &cases {
        for (target, principal) in sides(case) {
            grains.entry(target).or_default().push(Grain { case, principal });
        }
    }
    let drafts: BTreeMap<Target, Draft> = grains
        .into_iter()
        .map(|(target, grains)| {
            let draft = Draft::of(&target, &grains, exact_max);
            (target, draft)
        })
        .collect();
    let minimal = minimise(drafts, &cases);
    minimal.into_iter().map(|(target, draft)| finished(target, &draft)).collect()
}

/// Which policies allowed a request, and whom a resource's policy has to name for it.
fn sides(case: &Case) -> Vec<(Target, Option<(&'static str, String)>)> {
    let request = case.question.request();
    let decision = decide(request, &case.question.policies());
    let Reason::AllowedBy { identity, resource } = decision.reason() else { return Vec::new() };
    let mut sides = Vec::new();
    let owner = owner_of(&request.principal);
    if let (Some(_), Some(owner)) = (identity, &owner) {
        sides.push((Target { kind: PolicyKind::Identity, owner: owner.clone() }, None));
    }
    if let Some(ResourceAllow::Statement(statement)) = resource {
        // A resource of the caller's own account that leaves the rest to identity policies names the account.
        let is_delegated = identity.is_some() && request.relation() == Relation::SameAccount;
        let principal = match (&request.principal, owner) {
            (Principal::Service { name }, _) => ("Service", name.clone()),
            (Principal::Federated { provider }, _) => ("Federated", provider.clone()),
            (Principal::Anonymous, _) => ("AWS", "*".to_owned()),
            (Principal::Root { arn, .. }, _) => ("AWS", arn.as_str().to_owned()),
            (principal, owner) => match principal.account().filter(|_| is_delegated) {
                Some(account) => ("AWS", format!("arn:aws:iam::{account}:root")),
                None => ("AWS", owner.unwrap_or_default()),
            },
        };
        let kind = statement.policy().kind();
        sides.push((Target { kind, owner: owner_of_resource(kind, &request.resource.arn) }, Some(principal)));
    }
    sides
}

/// The ARN of what has the policy: of an object its bucket.
pub(crate) fn owner_of_resource(kind: PolicyKind, arn: &str) -> String {
    match kind {
        PolicyKind::Bucket => format!("arn:aws:s3:::{}", resource_name(arn)),
        _ => arn.to_owned(),
    }
}

fn finished(target: Target, draft: &Draft) -> Generated {
    let mut notes = Vec::new();
    if target.kind == PolicyKind::Key {
        notes.push(
            "a key whose policy lets nobody change it is lost: add the statement of its administrators before it is put \
             in force"
                .to_owned(),
        );
    }
    let because = draft.because();
    Generated { kind: kind_word(target.kind), owner: target.owner, document: draft.json(), because, notes }
}

/// The policies of a set of drafts, parsed.
pub(crate) fn parsed(drafts: &BTreeMap<Target, Draft>) -> BTreeMap<Target, Policy> {
    drafts.iter().filter_map(|(target, draft)| Some((target.clone(), draft.policy(target)?))).collect()
}

/// The resources of some requests as patterns, each with what it covers.
///
/// More than `exact_max` objects of a bucket become their longest common folder.
pub(crate) fn patterns<'a>(
    resources: &BTreeMap<&'a str, Vec<&'a Case>>,
    exact_max: usize,
) -> Vec<(String, Vec<&'a Case>)> {
    let mut buckets: BTreeMap<&str, Vec<&'a str>> = BTreeMap::new();
    let mut found = Vec::new();
    for (resource, cases) in resources {
        match bucket_of_object(resource) {
            Some(bucket) => buckets.entry(bucket).or_default().push(resource),
            None => found.push((literal(resource), cases.clone())),
        }
    }
    let of = |object: &&str| resources.get(object).cloned().unwrap_or_default();
    for objects in buckets.into_values() {
        if objects.len() <= exact_max {
            found.extend(objects.iter().map(|object| (literal(object), of(object))));
        } else {
            let pattern = format!("{}*", literal(common_folder(&objects)));
            found.push((pattern, objects.iter().flat_map(of).collect()));
        }
    }
    found
}

/// What all texts begin with, up to the last slash of that. They are sorted.
pub(crate) fn common_folder<'a>(texts: &[&'a str]) -> &'a str {
    let (Some(first), Some(last)) = (texts.first(), texts.last()) else { return "" };
    // Sorted, what the first and the last share is shared by all between them.
    let shared = first.bytes().zip(last.bytes()).take_while(|(one, other)| one == other).count();
    let end = first.as_bytes().get(..shared).and_then(|shared| shared.iter().rposition(|byte| *byte == b'/'));
    end.and_then(|end| first.get(..=end)).unwrap_or_default()
}

/// The bucket's ARN, if `arn` is that of an object.
fn bucket_of_object(arn: &str) -> Option<&str> {
    arn.starts_with("arn:aws:s3:::").then(|| arn.split_once('/')).flatten().map(|(bucket, _)| bucket)
}

/// A text as a pattern that matches it alone.
pub(crate) fn literal(text: &str) -> String {
    if text == "*" {
        return text.to_owned();
    }
    let mut pattern = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '*' | '?' | '$' => pattern.extend(['$', '{', letter, '}']),
            other => pattern.push(other),
        }
    }
    pattern
}

/// Different texts, sorted.
pub(crate) fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    texts.collect::<BTreeSet<_>>().into_iter().collect()
}
