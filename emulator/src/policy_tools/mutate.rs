//! Mistakes in the documents of a journal, and which of them its requests would not notice.

use bucketproof_authz::Policy;
use serde::Serialize;
use serde_json::Value;

use super::document::{Document, Selector, statements};
use super::journal::{Case, Recorded};
use super::mutant::{Mutant, MutantKind, mutants};
use super::probe;

/// What became of all mistakes.
#[derive(Debug, Serialize)]
pub(crate) struct Mutation {
    /// How many mistakes were tried.
    pub(crate) mutants: usize,
    /// How many change the decision on a request of the journal.
    pub(crate) noticed: usize,
    /// How many AWS would not store.
    pub(crate) refused: usize,
    /// Those that no request notices.
    pub(crate) survivors: Vec<Survivor>,
    /// Those that one does.
    pub(crate) killed: Vec<Killed>,
}

/// A mistake that no request of the journal notices.
#[derive(Debug, Serialize)]
pub(crate) struct Survivor {
    pub(crate) document: String,
    /// Counted from 1.
    pub(crate) statement: usize,
    pub(crate) sid: Option<String>,
    pub(crate) change: String,
    pub(crate) why: String,
    /// A request that would notice it.
    pub(crate) to_notice: Option<String>,
}

/// A mistake that is noticed.
#[derive(Debug, Serialize)]
pub(crate) struct Killed {
    pub(crate) document: String,
    pub(crate) statement: usize,
    pub(crate) change: String,
    /// The first request whose decision changes.
    pub(crate) request_id: String,
}

/// Tries every mistake in the documents that are selected, all of them if none is.
pub(crate) fn mutate(journal: &Recorded, selected: &[Selector]) -> Result<Mutation, String> {
    for selector in selected {
        journal.check(selector)?;
    }
    let mut found =
        Mutation { mutants: 0, noticed: 0, refused: 0, survivors: Vec::new(), killed: Vec::new() };
    for (index, document) in journal.documents.iter().enumerate() {
        if !selected.is_empty() && !selected.iter().any(|selector| selector.names(document)) {
            continue;
        }
        let json = document.json();
        let cases: Vec<&Case> = journal.cases_of(index).collect();
        for mutant in mutants(&json) {
            found.mutants += 1;
            let policy = match &mutant.document {
                None => None,
                Some(json) => {
                    let Ok(policy) = document.parse(json) else {
                        found.refused += 1;
                        continue;
                    };
                    Some(policy)
                }
            };
            let trial = Trial {
                document,
                index,
                json: &json,
                cases: &cases,
                mutant: &mutant,
                policy: policy.as_ref(),
            };
            let Some(case) = trial.noticed_by() else {
                found.survivors.push(trial.survivor());
                continue;
            };
            found.noticed += 1;
            found.killed.push(Killed {
                document: document.label(),
                statement: mutant.statement + 1,
                change: mutant.change.clone(),
                request_id: case.request_id.clone(),
            });
        }
    }
    Ok(found)
}

/// One mistake on trial.
struct Trial<'a> {
    document: &'a Document,
    index: usize,
    json: &'a Value,
    cases: &'a [&'a Case],
    mutant: &'a Mutant,
    policy: Option<&'a Policy>,
}

impl Trial<'_> {
    fn noticed_by(&self) -> Option<&Case> {
        let noticed = |case: &&&Case| {
            let policies = case.with(&|slot| (slot == self.index).then(|| self.policy.cloned()));
            policies.allows(case) != case.is_allowed
        };
        self.cases.iter().find(noticed).copied()
    }

    fn survivor(&self) -> Survivor {
        let statement = statements(self.json).into_iter().nth(self.mutant.statement).unwrap_or_default();
        let cases = self.cases.iter().copied();
        Survivor {
            document: self.document.label(),
            statement: self.mutant.statement + 1,
            sid: statement.get("Sid").and_then(Value::as_str).map(ToOwned::to_owned),
            change: self.mutant.change.clone(),
            why: self.why(),
            to_notice: probe::find(self.mutant, &statement, cases, self.index, self.policy),
        }
    }

    /// Why no request notices: none meets what was changed, or what meets it is decided in the same way by something else.
    fn why(&self) -> String {
        let applies = |policy: Option<&Policy>, index: usize, case: &Case| {
            policy.is_some_and(|policy| {
                let policies = case.question.policies();
                policy.applying(case.question.request(), &policies).contains(&index)
            })
        };
        let number = self.mutant.statement;
        let original = Some(&self.document.policy);
        let met = self.cases.iter().find(|case| {
            let before = applies(original, number, case);
            match &self.mutant.mutated {
                None => before,
                Some(_) if self.mutant.kind == MutantKind::Effect => before,
                Some(_) => before != applies(self.policy, number, case),
            }
        });
        if let Some(case) = met {
            let policies = case.with(&|slot| (slot == self.index).then(|| self.policy.cloned()));
            let decision = policies.decide(case);
            let word = if decision.is_allowed() { "allowed" } else { "denied" };
            let (action, resource) = case.action_on_resource();
            return format!(
                "request {} (`{action}` on `{resource}`) meets it and is still {word}: {}",
                case.request_id,
                decision.reason()
            );
        }
        if !self.cases.iter().any(|case| applies(original, number, case)) {
            return format!(
                "no request of the journal meets the statement; the document was in force for {} decisions",
                self.cases.len()
            );
        }
        match &self.mutant.kind {
            MutantKind::Statement | MutantKind::Effect => {
                "no request of the journal meets the statement".to_owned()
            }
            MutantKind::Action(action) => {
                format!("no request that the statement covers needs `{action}` for it")
            }
            MutantKind::Resource(resource) => {
                format!("no request that the statement covers needs `{resource}` for it")
            }
            MutantKind::WiderResource(wider) => {
                format!("nothing else below `{wider}` was asked for that only this resource kept out")
            }
            MutantKind::Principal(principal) => format!("nobody came as `{principal}` alone"),
            MutantKind::AnyPrincipal => "nobody else came whom only this principal kept out".to_owned(),
            MutantKind::Condition(key) => {
                format!("every request that meets the rest has a `{key}` for which both say the same")
            }
        }
    }
}
