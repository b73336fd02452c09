//! The requests of a journal whose decision changes under other documents.

use bucketproof_authz::{Policy, PolicyKind};
use serde::Serialize;

use super::document::{Document, Selector};
use super::journal::{Case, Exchanged, Recorded, owner_of};

/// What is done to the documents of a journal.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// Another text for what the selector names.
    Replace(Selector, Policy),
    /// What the selector names is taken away.
    Remove(Selector),
    /// A policy for a user or role by its ARN, or for a resource that has none.
    Add(Selector, Policy),
}

/// The changed decisions.
#[derive(Debug, Serialize)]
pub(crate) struct Difference {
    /// How many decisions were made again.
    pub(crate) decisions: usize,
    pub(crate) changed: Vec<Changed>,
}

/// A decision that changes.
#[derive(Debug, Serialize)]
pub(crate) struct Changed {
    pub(crate) request_id: String,
    pub(crate) principal: String,
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) before: &'static str,
    pub(crate) after: &'static str,
    /// Which statement or condition decides now.
    pub(crate) explanation: String,
}

/// Decides again under other documents. The error names what a change does not meet.
pub(crate) fn diff(journal: &Recorded, changes: &[Change]) -> Result<Difference, String> {
    for change in changes {
        check(journal, change)?;
    }
    let mut found = Vec::new();
    for case in &journal.cases {
        let policies = exchanged(journal, case, changes);
        if policies.allows(case) == case.is_allowed {
            continue;
        }
        let decision = policies.decide(case);
        let request = case.question.request();
        let before = bucketproof_authz::outcome(request, &case.question.policies());
        found.push(Changed {
            request_id: case.request_id.clone(),
            principal: request.principal.display_name().to_owned(),
            action: request.action.clone(),
            resource: request.resource.arn.clone(),
            before: before.as_str(),
            after: decision.outcome().as_str(),
            explanation: decision.explain_as(Some(&case.request_id), None).to_string(),
        });
    }
    Ok(Difference { decisions: journal.cases.len(), changed: found })
}

fn check(journal: &Recorded, change: &Change) -> Result<(), String> {
    match change {
        Change::Replace(selector, _) | Change::Remove(selector) => journal.check(selector),
        Change::Add(selector, _) if journal.cases.iter().any(|case| is_added(case, selector)) => Ok(()),
        Change::Add(selector, _) => Err(format!(
            "no request of the journal is about `{selector}`, or it has a policy already; name a user or role by its \
             ARN, or a bucket, key, role, topic or queue without a policy"
        )),
    }
}

impl Recorded {
    /// Whether the journal has a document that a selector names.
    pub(crate) fn check(&self, selector: &Selector) -> Result<(), String> {
        if self.documents.iter().any(|document| selector.names(document)) {
            return Ok(());
        }
        let known: Vec<String> = self.documents.iter().map(Document::label).collect();
        Err(format!("the journal has no document `{selector}`; it has the {}", known.join(", the ")))
    }
}

fn exchanged(journal: &Recorded, case: &Case, changes: &[Change]) -> Exchanged {
    let other = |index: usize| {
        let document = journal.documents.get(index)?;
        // The last change of a document counts.
        changes.iter().rev().find_map(|change| match change {
            Change::Replace(selector, policy) if selector.names(document) => Some(Some(policy.clone())),
            Change::Remove(selector) if selector.names(document) => Some(None),
            _ => None,
        })
    };
    let mut policies = case.with(&other);
    for change in changes {
        if let Change::Add(selector, policy) = change
            && is_added(case, selector)
        {
            match selector.kind {
                PolicyKind::Identity => policies.add_identity(policy),
                _ => policies.set_resource(policy),
            }
        }
    }
    policies
}

/// Whether an added policy rules over a case.
fn is_added(case: &Case, selector: &Selector) -> bool {
    let request = case.question.request();
    if selector.kind == PolicyKind::Identity {
        return owner_of(&request.principal).is_some_and(|owner| owner == selector.name);
    }
    let service = request.action.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let fits = matches!(
        (selector.kind, service.as_str()),
        (PolicyKind::Bucket, "s3")
            | (PolicyKind::Key, "kms")
            | (PolicyKind::Trust, "sts")
            | (PolicyKind::Topic, "sns")
            | (PolicyKind::Queue, "sqs")
    );
    fits && case.question.policies().resource.is_none()
        && resource_name(&request.resource.arn) == selector.name
}

/// The name of what has the policy: of an object its bucket, of a role its name.
pub(crate) fn resource_name(arn: &str) -> &str {
    if let Some(path) = arn.strip_prefix("arn:aws:s3:::") {
        return path.split('/').next().unwrap_or(path);
    }
    arn.rsplit(['/', ':']).next().unwrap_or(arn)
}
