//! What would have been decided with other policies: the same request, the same rules, replaced documents.
//!
//! Only decisions that were made can be made anew. A request that was refused was not asked for what it would have needed
//! next, and the answer says so.

use std::collections::BTreeMap;

use bucketproof_authz::{
    Acls, Context, Decision, KmsGrants, Policies, Policy, PolicyClass, PolicyKind, PolicySource, decide,
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::requests::{decision_view, no_such};
use super::{Answer, Call, Refusal, json_answer};
use crate::journal::RecordedDecision;

/// A question.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    request: String,
    #[serde(default)]
    policies: Vec<Replacement>,
    #[serde(default)]
    context: BTreeMap<String, Value>,
}

/// A document in the place of another.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Replacement {
    kind: PolicyKind,
    name: Option<String>,
    /// Which of several policies of one kind and name, counted from 1.
    number: Option<usize>,
    /// The text, or the document itself; null takes the policy away.
    document: Value,
}

pub(super) fn schema() -> Value {
    let kinds =
        ["identity", "boundary", "session", "service_control", "bucket", "trust", "key", "topic", "queue"];
    json!({
        "type": "object", "required": ["request"], "additionalProperties": false,
        "properties": {
            "request": { "type": "string", "description": "the id of a request in the journal" },
            "policies": { "type": "array", "items": {
                "type": "object", "required": ["kind", "document"], "additionalProperties": false,
                "properties": {
                    "kind": { "enum": kinds },
                    "name": { "type": "string", "description": "as in the trace; a name that is not there adds a policy" },
                    "number": { "type": "integer", "minimum": 1, "description": "which of several of one kind and name" },
                    "document": {
                        "type": ["string", "object", "null"],
                        "description": "the document or its text; null takes the policy away",
                    },
                },
            }},
            "context": {
                "type": "object",
                "additionalProperties": { "type": ["string", "array", "null"] },
                "description": "condition keys as they are to be; null takes one away",
            },
        },
    })
}

/// The documents that were in force, each with what finds it again.
pub(super) fn documents(decision: &Decision) -> Vec<Value> {
    let policies = decision.policies();
    let mut seen: BTreeMap<(PolicyKind, String), usize> = BTreeMap::new();
    all(&policies)
        .into_iter()
        .map(|policy| {
            let source = policy.source();
            let number = seen.entry((source.kind, source.name.clone())).or_default();
            *number += 1;
            json!({
                "kind": source.kind, "name": source.name, "number": *number, "file": source.file,
                "text": policy.text(),
            })
        })
        .collect()
}

/// In the order of the trace.
fn all<'a>(policies: &Policies<'a>) -> Vec<&'a Policy> {
    let mut all: Vec<&Policy> = policies.identity.iter().collect();
    all.extend(policies.boundary.unwrap_or_default());
    all.extend(policies.session.unwrap_or_default());
    all.extend(policies.service_control.iter().flatten());
    all.extend(policies.resource);
    all
}

pub(super) fn judge(call: &Call<'_>) -> Answer {
    let question: Question = call.json("question")?;
    let entry = call.control.journal.entry(&question.request).ok_or_else(|| no_such(&question.request))?;
    if entry.decisions.is_empty() {
        let text =
            format!("nothing was decided on request `{}`, so there is nothing to judge", question.request);
        return Err(Refusal::new(StatusCode::BAD_REQUEST, text));
    }
    let edits = question.policies.iter().map(Edit::read).collect::<Result<Vec<_>, _>>()?;
    let mut used = vec![false; edits.len()];
    let mut decisions = Vec::new();
    for recorded in &entry.decisions {
        let decision = anew(&recorded.decision, &edits, &mut used, &question.context)?;
        decisions.push(RecordedDecision { decision, ..recorded.clone() });
    }
    if let Some((edit, _)) = edits.iter().zip(&used).find(|(_, used)| !**used) {
        return Err(wrong(no_place(edit, &entry.decisions)));
    }
    let allowed = decisions.iter().all(|recorded| recorded.decision.is_allowed());
    let was_refused = entry.decisions.last().is_some_and(|recorded| !recorded.decision.is_allowed());
    let views: Vec<Value> = decisions
        .iter()
        .zip(&entry.decisions)
        .map(|(new, old)| {
            let mut view = decision_view(new);
            if let Some(view) = view.as_object_mut() {
                view.insert("before".to_owned(), json!(old.decision.outcome()));
            }
            view
        })
        .collect();
    let note = (allowed && was_refused).then_some(
        "the request was refused at the last of these decisions; what else its operation needs was never asked",
    );
    Ok(json_answer(&json!({
        "request_id": entry.request_id, "allowed": allowed, "decisions": views, "note": note,
    })))
}

/// A replacement that was read.
struct Edit {
    kind: PolicyKind,
    name: Option<String>,
    number: Option<usize>,
    /// Absent to take the policy away.
    text: Option<String>,
}

impl Edit {
    fn read(replacement: &Replacement) -> Result<Self, Refusal> {
        let text = match &replacement.document {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            object @ Value::Object(_) => Some(object.to_string()),
            other => {
                return Err(wrong(format!(
                    "field `document`: `{other}` is none; write an object, its text, or null"
                )));
            }
        };
        if replacement.number == Some(0) {
            return Err(wrong("field `number`: the least is 1".to_owned()));
        }
        let Replacement { kind, name, number, .. } = replacement;
        let edit = Self { kind: *kind, name: name.clone(), number: *number, text };
        // What cannot be read is told even if there is no place for it.
        edit.policy(None)?;
        Ok(edit)
    }

    /// The new document, under the name of the old.
    fn policy(&self, old: Option<&PolicySource>) -> Result<Option<Policy>, Refusal> {
        let Some(text) = &self.text else { return Ok(None) };
        let name = self.name.clone().unwrap_or_else(|| "edited".to_owned());
        let source = match old {
            Some(old) => PolicySource { file: None, ..old.clone() },
            None => PolicySource::new(self.kind, name),
        };
        let shown = source.to_string();
        Policy::parse(text, source)
            .map(Some)
            .map_err(|error| wrong(format!("{shown}: {error}; {}", error.help())))
    }

    fn is_about(&self, policy: &Policy) -> bool {
        policy.kind() == self.kind && self.name.as_ref().is_none_or(|name| policy.source().name == *name)
    }

    /// Replaces, takes away, or adds, and whether there was anything to do.
    fn apply(&self, list: &mut Vec<Policy>) -> Result<bool, Refusal> {
        let places: Vec<usize> = list
            .iter()
            .enumerate()
            .filter(|(_, policy)| self.is_about(policy))
            .map(|(place, _)| place)
            .collect();
        let place = match (places.as_slice(), self.number) {
            ([], None) => {
                let added = self.policy(None)?;
                let is_new = added.is_some();
                list.extend(added);
                return Ok(is_new);
            }
            (places, Some(number)) => match places.get(number - 1) {
                Some(place) => *place,
                None => return Ok(false),
            },
            ([place], None) => *place,
            (several, None) => {
                let count = several.len();
                let source = PolicySource::new(self.kind, self.name.clone().unwrap_or_default());
                return Err(wrong(format!(
                    "there are {count} policies like {source}; say which by `name` and `number`"
                )));
            }
        };
        let old = list.get(place).map(|policy| policy.source().clone());
        match self.policy(old.as_ref())? {
            None => drop(list.remove(place)),
            Some(new) => {
                if let Some(slot) = list.get_mut(place) {
                    *slot = new;
                }
            }
        }
        Ok(true)
    }
}

/// A decision made again with edited documents and condition keys.
fn anew(
    decision: &Decision,
    edits: &[Edit],
    used: &mut [bool],
    keys: &BTreeMap<String, Value>,
) -> Result<Decision, Refusal> {
    let policies = decision.policies();
    let mut identity = policies.identity.to_vec();
    let mut boundary = policies.boundary.map(<[Policy]>::to_vec);
    let mut session = policies.session.map(<[Policy]>::to_vec);
    let mut service_control = policies.service_control.to_vec();
    let mut resource: Vec<Policy> = policies.resource.into_iter().cloned().collect();
    let resource_kind = resource_kind(decision);
    for (edit, used) in edits.iter().zip(used) {
        *used |= match edit.kind.class() {
            PolicyClass::Identity => edit.apply(&mut identity)?,
            PolicyClass::Boundary => apply_to_limit(edit, &mut boundary)?,
            PolicyClass::Session => apply_to_limit(edit, &mut session)?,
            // New levels of an organization cannot be made up; only what is there is replaced.
            PolicyClass::ServiceControl => apply_to_levels(edit, &mut service_control)?,
            PolicyClass::Resource if Some(edit.kind) == resource_kind => match resource.as_slice() {
                [own] if !edit.is_about(own) => false,
                _ => edit.apply(&mut resource)?,
            },
            PolicyClass::Resource => false,
        };
    }
    let mut request = decision.request().clone();
    change_context(&mut request.context, keys)?;
    let changed = Policies {
        identity: &identity,
        boundary: boundary.as_deref(),
        session: session.as_deref(),
        service_control: &service_control,
        resource: resource.first(),
        acls: policies.acls.map(|acls| Acls { ..acls }),
        public_access_block: policies.public_access_block,
        kms_grants: KmsGrants { ..policies.kms_grants },
    };
    Ok(decide(&request, &changed))
}

/// A boundary or a session policy that is taken away limits nothing any more.
fn apply_to_limit(edit: &Edit, limit: &mut Option<Vec<Policy>>) -> Result<bool, Refusal> {
    let mut list = limit.take().unwrap_or_default();
    let applied = edit.apply(&mut list)?;
    *limit = (!list.is_empty()).then_some(list);
    Ok(applied)
}

fn apply_to_levels(edit: &Edit, levels: &mut [Vec<Policy>]) -> Result<bool, Refusal> {
    for level in levels {
        if level.iter().any(|policy| edit.is_about(policy)) {
            return edit.apply(level);
        }
    }
    Ok(false)
}

/// The kind of policy that the resource of a decision has.
fn resource_kind(decision: &Decision) -> Option<PolicyKind> {
    if let Some(policy) = decision.policies().resource {
        return Some(policy.kind());
    }
    let request = decision.request();
    if request.resource.arn == "*" {
        return None;
    }
    match request.action.split(':').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "s3" => Some(PolicyKind::Bucket),
        "sts" => Some(PolicyKind::Trust),
        "kms" => Some(PolicyKind::Key),
        "sns" => Some(PolicyKind::Topic),
        "sqs" => Some(PolicyKind::Queue),
        _ => None,
    }
}

fn change_context(context: &mut Context, keys: &BTreeMap<String, Value>) -> Result<(), Refusal> {
    for (key, value) in keys {
        let text = |value: &Value| {
            value.as_str().map(str::to_owned).ok_or_else(|| {
                wrong(format!(
                    "field `context`: `{key}` holds `{value}`; write a string, a list of strings, or null"
                ))
            })
        };
        match value {
            Value::Null => context.remove(key),
            Value::Array(values) => {
                let values = values.iter().map(text).collect::<Result<Vec<_>, _>>()?;
                context.set_many(key.as_str(), values)
            }
            one => context.set(key.as_str(), text(one)?),
        };
    }
    Ok(())
}

/// What a replacement could have been about.
fn no_place(edit: &Edit, decisions: &[RecordedDecision]) -> String {
    let mut there: Vec<String> = decisions
        .iter()
        .flat_map(|recorded| {
            all(&recorded.decision.policies()).into_iter().map(|p| p.source().to_string()).collect::<Vec<_>>()
        })
        .collect();
    there.sort();
    there.dedup();
    let there = if there.is_empty() { "no policies".to_owned() } else { there.join(", ") };
    let source = PolicySource::new(edit.kind, edit.name.clone().unwrap_or_default());
    format!("no decision on this request has a place for the {source}; they had {there}")
}

fn wrong(text: String) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, text)
}
