//! A journal read back, so that its requests can be decided again.

use std::collections::BTreeSet;
use std::fmt;

use bucketproof_authz::evaluate::Question;
use bucketproof_authz::{Decision, Policies, Policy, PolicyKind, Principal, decide, outcome};
use serde::Deserialize;

use super::document::Document;

/// A line of the journal, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Line {
    request_id: String,
    #[serde(default)]
    decisions: Vec<LineDecision>,
}

#[derive(Debug, Deserialize)]
struct LineDecision {
    action: String,
    outcome: String,
    question: Option<serde_json::Value>,
}

/// One decision of the journal.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) request_id: String,
    /// Whether everything else that its request needed was allowed as well.
    pub(crate) in_allowed_request: bool,
    pub(crate) is_allowed: bool,
    pub(crate) question: Question,
    slots: Slots,
}

/// Which documents were in force, by their index.
#[derive(Debug)]
struct Slots {
    identity: Vec<usize>,
    boundary: Option<Vec<usize>>,
    session: Option<Vec<usize>>,
    resource: Option<usize>,
}

/// The decisions of a journal and the documents that they were made under.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    pub(crate) cases: Vec<Case>,
    pub(crate) documents: Vec<Document>,
}

/// A journal that cannot be read.
#[derive(Debug)]
pub(crate) struct RecordedError {
    /// The line, from 1; absent if the journal is one array.
    line: Option<usize>,
    message: String,
}

impl fmt::Display for RecordedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl Recorded {
    /// Reads a request per line, or a JSON array of requests.
    pub(crate) fn read(text: &str) -> Result<Self, RecordedError> {
        let mut recorded = Self::default();
        if text.trim_start().starts_with('[') {
            let failed = |message: String| RecordedError { line: None, message };
            let lines: Vec<Line> = serde_json::from_str(text).map_err(|error| failed(error.to_string()))?;
            for line in lines {
                recorded.add(line).map_err(failed)?;
            }
            return Ok(recorded);
        }
        for (number, text) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let failed = |message: String| RecordedError { line: Some(number + 1), message };
            let line = serde_json::from_str(text).map_err(|error| failed(error.to_string()))?;
            recorded.add(line).map_err(failed)?;
        }
        Ok(recorded)
    }

    fn add(&mut self, line: Line) -> Result<(), String> {
        let Line { request_id, decisions } = line;
        let in_allowed_request = decisions.iter().all(|decision| decision.outcome == "Allowed");
        for LineDecision { action, outcome: expected, question } in decisions {
            let question = question.ok_or_else(|| {
                format!("the decision on `{action}` of request `{request_id}` has no `question`; write the journal with `bucketproof-emulator journal`")
            })?;
            let question = Question::read(&question.to_string())
                .map_err(|error| format!("the question of request `{request_id}`: {error}"))?;
            let found = outcome(question.request(), &question.policies());
            if found.as_str() != expected {
                return Err(format!(
                    "request `{request_id}` was decided `{expected}`, and this version decides `{found}`; write the journal anew"
                ));
            }
            let slots = self.slots(&question, &request_id);
            let is_allowed = expected == "Allowed";
            let request_id = request_id.clone();
            self.cases.push(Case { request_id, in_allowed_request, is_allowed, question, slots });
        }
        Ok(())
    }

    /// Finds the documents of a question, or notes them.
    fn slots(&mut self, question: &Question, request_id: &str) -> Slots {
        let policies = question.policies();
        let owner = owner_of(&question.request().principal);
        let mut of = |list: &[Policy]| -> Vec<usize> {
            list.iter().map(|policy| self.document(policy, owner.clone(), request_id)).collect()
        };
        let identity = of(policies.identity);
        let boundary = policies.boundary.map(&mut of);
        let session = policies.session.map(&mut of);
        let arn = question.request().resource.arn.clone();
        let resource = policies.resource.map(|policy| self.document(policy, Some(arn), request_id));
        Slots { identity, boundary, session, resource }
    }

    fn document(&mut self, policy: &Policy, owner: Option<String>, request_id: &str) -> usize {
        let known = self.documents.iter().position(|document| document.is(policy));
        let index = known.unwrap_or_else(|| {
            self.documents.push(Document::new(policy.clone(), request_id));
            self.documents.len() - 1
        });
        if let Some(document) = self.documents.get_mut(index) {
            document.requests += 1;
            let is_named = policy.kind().is_resource_policy() && policy.kind() != PolicyKind::Trust;
            document.owners.extend(owner.filter(|_| !is_named));
        }
        index
    }

    /// The cases in which a document was in force.
    pub(crate) fn cases_of(&self, document: usize) -> impl Iterator<Item = &Case> {
        self.cases.iter().filter(move |case| case.slots.all().contains(&document))
    }
}

impl Slots {
    fn all(&self) -> BTreeSet<usize> {
        let lists = [Some(&self.identity), self.boundary.as_ref(), self.session.as_ref()];
        lists.into_iter().flatten().flatten().copied().chain(self.resource).collect()
    }
}

/// Other documents in the place of some, by their index; `None` takes a document away.
pub(crate) type Other<'a> = &'a dyn Fn(usize) -> Option<Option<Policy>>;

/// The policies of a case with others in the place of some.
#[derive(Debug)]
pub(crate) struct Exchanged {
    identity: Vec<Policy>,
    boundary: Option<Vec<Policy>>,
    session: Option<Vec<Policy>>,
    resource: Option<Policy>,
}

impl Exchanged {
    /// Adds an identity policy.
    pub(crate) fn add_identity(&mut self, policy: &Policy) {
        self.identity.push(policy.clone());
    }

    /// Gives the resource a policy.
    pub(crate) fn set_resource(&mut self, policy: &Policy) {
        self.resource = Some(policy.clone());
    }

    pub(crate) fn policies<'a>(&'a self, case: &'a Case) -> Policies<'a> {
        Policies {
            identity: &self.identity,
            boundary: self.boundary.as_deref(),
            session: self.session.as_deref(),
            resource: self.resource.as_ref(),
            ..case.question.policies()
        }
    }

    pub(crate) fn decide(&self, case: &Case) -> Decision {
        decide(case.question.request(), &self.policies(case))
    }

    pub(crate) fn allows(&self, case: &Case) -> bool {
        outcome(case.question.request(), &self.policies(case)) == bucketproof_authz::Outcome::Allowed
    }
}

impl Case {
    /// The policies with others in the place of some.
    pub(crate) fn with(&self, other: Other<'_>) -> Exchanged {
        let policies = self.question.policies();
        let list = |slots: &[usize], own: &[Policy]| {
            let pairs = slots.iter().zip(own);
            pairs.filter_map(|(slot, policy)| other(*slot).unwrap_or_else(|| Some(policy.clone()))).collect()
        };
        let limit = |slots: &Option<Vec<usize>>, own: Option<&[Policy]>| {
            slots.as_ref().map(|slots| list(slots, own.unwrap_or_default()))
        };
        Exchanged {
            identity: list(&self.slots.identity, policies.identity),
            boundary: limit(&self.slots.boundary, policies.boundary),
            session: limit(&self.slots.session, policies.session),
            resource: match self.slots.resource {
                None => None,
                Some(slot) => other(slot).unwrap_or_else(|| policies.resource.cloned()),
            },
        }
    }

    /// The policies without those that are generated: boundaries and session policies stay.
    pub(crate) fn with_generated(&self) -> Exchanged {
        let policies = self.question.policies();
        Exchanged {
            identity: Vec::new(),
            boundary: policies.boundary.map(<[Policy]>::to_vec),
            session: policies.session.map(<[Policy]>::to_vec),
            resource: None,
        }
    }

    pub(crate) fn action_on_resource(&self) -> (&str, &str) {
        let request = self.question.request();
        (&request.action, &request.resource.arn)
    }
}

/// Who has the identity policies of a caller: of a session its role.
pub(crate) fn owner_of(principal: &Principal) -> Option<String> {
    match principal {
        Principal::User { arn, .. } => Some(arn.as_str().to_owned()),
        Principal::AssumedRole { role_arn, .. } => Some(role_arn.as_str().to_owned()),
        Principal::Root { .. }
        | Principal::Service { .. }
        | Principal::Federated { .. }
        | Principal::Anonymous => None,
    }
}
