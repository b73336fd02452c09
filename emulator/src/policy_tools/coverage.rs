//! The parts of documents that no request of a journal ever used.

use bucketproof_authz::Policy;
use serde::Serialize;
use serde_json::Value;

use super::document::{
    Document, Selector, conditions, present, principals, statements, texts, with_principals, with_statements,
};
use super::journal::{Case, Recorded};
use super::mutant::{with_one, without_condition};

/// How often each part of each document was used.
#[derive(Debug, Serialize)]
pub(crate) struct Coverage {
    pub(crate) documents: Vec<DocumentCoverage>,
    /// How many parts there are.
    pub(crate) parts: usize,
    /// How many of them something used.
    pub(crate) used: usize,
}

/// A document with the use of its parts.
#[derive(Debug, Serialize)]
pub(crate) struct DocumentCoverage {
    pub(crate) document: String,
    /// The first request that it was in force for.
    pub(crate) since: String,
    /// For how many decisions it was in force.
    pub(crate) decisions: usize,
    pub(crate) parts: Vec<Part>,
}

/// A statement, or a part of one.
#[derive(Debug, Serialize)]
pub(crate) struct Part {
    /// Counted from 1.
    pub(crate) statement: usize,
    pub(crate) sid: Option<String>,
    /// `statement`, `action`, `resource`, `principal` or `condition`.
    pub(crate) element: &'static str,
    pub(crate) value: String,
    /// How many decisions it applied to.
    pub(crate) applied: usize,
    /// Of a condition: how many decisions it alone kept the statement from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refused: Option<usize>,
}

impl Part {
    /// Whether it made itself felt; a condition has to do so in both ways.
    pub(crate) fn is_used(&self) -> bool {
        self.applied > 0 && self.refused != Some(0)
    }

    /// What is missing, in words.
    pub(crate) fn missing(&self) -> &'static str {
        match (self.applied, self.refused) {
            (0, Some(0)) => "no request met it or failed it",
            (0, Some(_)) => "no request met it",
            (_, Some(0)) => "no request failed it: it never made a difference",
            (0, None) => "no request used it",
            _ => "used",
        }
    }
}

/// Counts the use of every part of the documents that are selected, all of them if none is.
pub(crate) fn coverage(journal: &Recorded, selected: &[Selector]) -> Result<Coverage, String> {
    for selector in selected {
        journal.check(selector)?;
    }
    let mut all = Vec::new();
    for (index, document) in journal.documents.iter().enumerate() {
        if !selected.is_empty() && !selected.iter().any(|selector| selector.names(document)) {
            continue;
        }
        let cases: Vec<&Case> = journal.cases_of(index).collect();
        let parts = parts(document, &cases);
        let since = document.first_request.clone();
        all.push(DocumentCoverage { document: document.label(), since, decisions: cases.len(), parts });
    }
    let parts = all.iter().map(|document| document.parts.len()).sum();
    let used = all.iter().flat_map(|document| &document.parts).filter(|part| part.is_used()).count();
    Ok(Coverage { documents: all, parts, used })
}

/// A part, and the statement reduced to it.
struct Reduced {
    statement: usize,
    element: &'static str,
    value: String,
    only: Value,
    /// For a condition, the statement without it.
    without: Option<Value>,
}

fn parts(document: &Document, cases: &[&Case]) -> Vec<Part> {
    let json = document.json();
    let all = statements(&json);
    let mut reduced = Vec::new();
    for (index, statement) in all.iter().enumerate() {
        reduced.extend(reduce(index, statement));
    }
    // Every reduced statement stands in one document, and each decision is held against it once.
    let mut trial: Vec<Value> = reduced.iter().map(|part| part.only.clone()).collect();
    trial.extend(reduced.iter().filter_map(|part| part.without.clone()));
    let trial: Vec<Value> = trial.iter().map(|one| super::document::without_element(one, "Sid")).collect();
    let Ok(policy) = document.parse(&with_statements(&json, trial)) else { return Vec::new() };
    let applying: Vec<Vec<usize>> = cases.iter().map(|case| applying(&policy, case)).collect();
    let count = |index: usize| applying.iter().filter(|applying| applying.contains(&index)).count();
    let mut relaxed = reduced.len();
    let mut parts = Vec::new();
    for (index, part) in reduced.iter().enumerate() {
        let refused = part.without.as_ref().map(|_| {
            let without = relaxed;
            relaxed += 1;
            applying.iter().filter(|one| one.contains(&without) && !one.contains(&index)).count()
        });
        let sid = all.get(part.statement).and_then(|one| one.get("Sid")).and_then(Value::as_str);
        parts.push(Part {
            statement: part.statement + 1,
            sid: sid.map(ToOwned::to_owned),
            element: part.element,
            value: part.value.clone(),
            applied: count(index),
            refused,
        });
    }
    parts
}

fn applying(policy: &Policy, case: &Case) -> Vec<usize> {
    policy.applying(case.question.request(), &case.question.policies())
}

fn reduce(index: usize, statement: &Value) -> Vec<Reduced> {
    let part = |element, value: &str, only: Value| Reduced {
        statement: index,
        element,
        value: value.to_owned(),
        only,
        without: None,
    };
    let effect = statement.get("Effect").and_then(Value::as_str).unwrap_or("Allow");
    let mut parts = vec![part("statement", effect, statement.clone())];
    for (plain, negated, element) in
        [("Action", "NotAction", "action"), ("Resource", "NotResource", "resource")]
    {
        let Some(name) = present(statement, plain, negated) else { continue };
        let all = texts(statement.get(name));
        // What is excepted works as a whole.
        if name == negated {
            parts.push(part(element, &format!("all but {}", all.join(", ")), statement.clone()));
        } else {
            parts.extend(all.iter().map(|text| part(element, text, with_one(statement, name, text))));
        }
    }
    for principal in principals(statement) {
        let only = with_principals(statement, std::slice::from_ref(&principal));
        parts.push(part("principal", &principal.1, only));
    }
    for (place, (operator, key, values)) in conditions(statement).iter().enumerate() {
        parts.push(Reduced {
            without: Some(without_condition(statement, place)),
            ..part("condition", &format!("{operator} {key} {}", values.join(", ")), statement.clone())
        });
    }
    parts
}
