//! The least that identity policies must allow so that the requests of a journal pass again.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::record::Recorded;

/// The identity policy of one principal, with what asks for it.
#[derive(Debug, Serialize)]
pub(crate) struct Generated {
    /// The ARN of the user, or of the role whose sessions asked.
    pub(crate) principal: String,
    /// The policy.
    pub(crate) document: Document,
    /// For every action and resource of the policy, the request that needs it.
    pub(crate) because: Vec<Because>,
}

/// A policy document.
#[derive(Debug, Serialize)]
pub(crate) struct Document {
    #[serde(rename = "Version")]
    version: &'static str,
    #[serde(rename = "Statement")]
    pub(crate) statements: Vec<Statement>,
}

/// A statement of a generated policy.
#[derive(Debug, Serialize)]
pub(crate) struct Statement {
    #[serde(rename = "Effect")]
    effect: &'static str,
    #[serde(rename = "Action")]
    pub(crate) actions: Vec<String>,
    #[serde(rename = "Resource")]
    pub(crate) resources: Vec<String>,
}

/// Why an action is in a policy.
#[derive(Debug, Serialize)]
pub(crate) struct Because {
    pub(crate) action: String,
    pub(crate) resource: String,
    /// The first request that needs it.
    pub(crate) request_id: String,
    /// How many requests need it.
    pub(crate) requests: usize,
}

/// The resources that an action was used on: the first request for each, and how many there were.
type Uses = BTreeMap<String, (String, usize)>;

/// The policies for all principals whose requests were allowed.
///
/// More than `exact_max` objects of a bucket become their longest common folder. Root users need no identity policy
/// and have none here.
pub(crate) fn generate(journal: &[Recorded], exact_max: usize) -> Vec<Generated> {
    let mut principals: BTreeMap<String, BTreeMap<&str, Uses>> = BTreeMap::new();
    for request in journal.iter().filter(|request| request.is_allowed()) {
        let Some(principal) = request.principal.as_deref().and_then(owner_of_policies) else { continue };
        for need in &request.decisions {
            let actions = principals.entry(principal.clone()).or_default();
            let uses = actions.entry(&need.action).or_default();
            let first = || (request.request_id.clone(), 0);
            uses.entry(need.resource.clone()).or_insert_with(first).1 += 1;
        }
    }
    principals.into_iter().map(|(principal, actions)| policy(principal, actions, exact_max)).collect()
}

fn policy(principal: String, actions: BTreeMap<&str, Uses>, exact_max: usize) -> Generated {
    let mut by_resources: BTreeMap<Vec<String>, BTreeSet<String>> = BTreeMap::new();
    let mut because = Vec::new();
    for (action, uses) in actions {
        let mut resources: BTreeMap<String, (String, usize)> = BTreeMap::new();
        for (pattern, uses) in patterns(uses, exact_max) {
            let requests = uses.values().map(|(_, requests)| requests).sum();
            let request = uses.into_values().next().map(|(request, _)| request).unwrap_or_default();
            resources.insert(pattern, (request, requests));
        }
        by_resources.entry(resources.keys().cloned().collect()).or_default().insert(action.to_owned());
        because.extend(resources.into_iter().map(|(resource, (request_id, requests))| Because {
            action: action.to_owned(),
            resource,
            request_id,
            requests,
        }));
    }
    let statements = by_resources.into_iter().map(|(resources, actions)| Statement {
        effect: "Allow",
        actions: actions.into_iter().collect(),
        resources,
    });
    let document = Document { version: "2012-10-17", statements: statements.collect() };
    Generated { principal, document, because }
}

/// The patterns that cover the resources of an action, each with what it covers.
fn patterns(uses: Uses, exact_max: usize) -> Vec<(String, Uses)> {
    let mut buckets: BTreeMap<String, Uses> = BTreeMap::new();
    let mut found = Vec::new();
    for (resource, requests) in uses {
        match bucket_of_object(&resource) {
            Some(bucket) => {
                buckets.entry(bucket.to_owned()).or_default().insert(resource, requests);
            }
            None => found.push((literal(&resource), Uses::from([(resource, requests)]))),
        }
    }
    for objects in buckets.into_values() {
        if objects.len() <= exact_max {
            let exact = objects.into_iter();
            found
                .extend(exact.map(|(object, requests)| (literal(&object), Uses::from([(object, requests)]))));
        } else {
            found.push((format!("{}*", literal(common_folder(&objects))), objects));
        }
    }
    found
}

/// What all objects begin with, up to its last slash; the one after the bucket at the least.
fn common_folder(objects: &Uses) -> &str {
    let (Some((first, _)), Some((last, _))) = (objects.first_key_value(), objects.last_key_value()) else {
        return "";
    };
    // Sorted, what the first and the last share is shared by all between them.
    let shared = first.bytes().zip(last.bytes()).take_while(|(one, other)| one == other).count();
    let end = first.as_bytes().get(..shared).and_then(|shared| shared.iter().rposition(|byte| *byte == b'/'));
    end.and_then(|end| first.get(..=end)).unwrap_or_default()
}

/// The bucket's ARN, if `arn` is that of an object.
fn bucket_of_object(arn: &str) -> Option<&str> {
    arn.starts_with("arn:aws:s3:::").then(|| arn.split_once('/')).flatten().map(|(bucket, _)| bucket)
}

/// `arn` as a pattern that matches it alone.
fn literal(arn: &str) -> String {
    if arn == "*" {
        return arn.to_owned();
    }
    let mut pattern = String::with_capacity(arn.len());
    for letter in arn.chars() {
        match letter {
            '*' | '?' | '$' => pattern.extend(['$', '{', letter, '}']),
            other => pattern.push(other),
        }
    }
    pattern
}

/// Who has the policies of a caller: of a session, its role. The path of the role is not in the ARN of the session.
fn owner_of_policies(principal: &str) -> Option<String> {
    let mut parts = principal.splitn(6, ':');
    let (partition, service, account, name) = (parts.nth(1)?, parts.next()?, parts.nth(1)?, parts.next()?);
    if name == "root" {
        return None;
    }
    match (service, name.strip_prefix("assumed-role/").and_then(|rest| rest.split_once('/'))) {
        ("sts", Some((role, _))) => Some(format!("arn:{partition}:iam::{account}:role/{role}")),
        _ => Some(principal.to_owned()),
    }
}
