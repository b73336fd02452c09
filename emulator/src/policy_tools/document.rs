//! A policy document of a journal, what it is called, and how its JSON is taken apart.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use bucketproof_authz::{Policy, PolicyError, PolicyKind, PolicySource};
use serde_json::{Map, Value};

/// A document that was in force.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) policy: Policy,
    /// The users and roles that it was in force for; for a trust policy its role.
    pub(crate) owners: BTreeSet<String>,
    /// The first request that it was in force for.
    pub(crate) first_request: String,
    /// In how many decisions it was in force.
    pub(crate) requests: usize,
}

impl Document {
    pub(crate) fn new(policy: Policy, request_id: &str) -> Self {
        Self { policy, owners: BTreeSet::new(), first_request: request_id.to_owned(), requests: 0 }
    }

    /// Whether it is this one: the same text under the same name.
    pub(crate) fn is(&self, policy: &Policy) -> bool {
        self.policy.source() == policy.source() && self.policy.text() == policy.text()
    }

    /// The name for people: `identity policy `inline` of arn:aws:iam::111122223333:role/exporter`.
    pub(crate) fn label(&self) -> String {
        let source = self.policy.source();
        if self.owners.is_empty() || source.kind.is_resource_policy() {
            return source.to_string();
        }
        format!("{source} of {}", self.owners.iter().cloned().collect::<Vec<_>>().join(", "))
    }

    /// The document as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.policy.text()).unwrap_or_default()
    }

    /// Another text in its place.
    pub(crate) fn parse(&self, json: &Value) -> Result<Policy, PolicyError> {
        Policy::parse(&json.to_string(), self.policy.source().clone())
    }
}

const KINDS: [(&str, PolicyKind); 9] = [
    ("identity", PolicyKind::Identity),
    ("boundary", PolicyKind::Boundary),
    ("session", PolicyKind::Session),
    ("service_control", PolicyKind::ServiceControl),
    ("bucket", PolicyKind::Bucket),
    ("trust", PolicyKind::Trust),
    ("key", PolicyKind::Key),
    ("topic", PolicyKind::Topic),
    ("queue", PolicyKind::Queue),
];

/// The word for a kind of policy.
pub(crate) fn kind_word(kind: PolicyKind) -> &'static str {
    KINDS.iter().find(|(_, own)| *own == kind).map_or("policy", |(word, _)| word)
}

/// Which documents are meant: a kind, and the name of the policy or of whom it is attached to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selector {
    pub(crate) kind: PolicyKind,
    pub(crate) name: String,
}

impl FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = || KINDS.map(|(word, _)| word).join(", ");
        let (word, name) = text.split_once(':').ok_or_else(|| {
            format!("`{text}` names no document; write `KIND:NAME`, the kinds are {}", words())
        })?;
        let kind = KINDS.iter().find(|(own, _)| *own == word);
        let (_, kind) =
            kind.ok_or_else(|| format!("`{word}` is no kind of policy; the kinds are {}", words()))?;
        Ok(Self { kind: *kind, name: name.to_owned() })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", kind_word(self.kind), self.name)
    }
}

impl Selector {
    /// Whether the document is meant: by its name, by the ARN or name of its user or role, or by both (`user/policy`).
    pub(crate) fn names(&self, document: &Document) -> bool {
        let source = document.policy.source();
        if source.kind != self.kind {
            return false;
        }
        let by_owner = document.owners.iter().any(|owner| {
            let short = owner.rsplit(['/', ':']).next().unwrap_or(owner);
            self.name == *owner || self.name == short || self.name == format!("{short}/{}", source.name)
        });
        by_owner || self.name == source.name
    }

    /// What a policy of this kind is called when it is added.
    pub(crate) fn source(&self) -> PolicySource {
        PolicySource::new(self.kind, self.name.rsplit(['/', ':']).next().unwrap_or(&self.name))
    }
}

/// The statements of a document.
pub(crate) fn statements(document: &Value) -> Vec<Value> {
    match document.get("Statement") {
        Some(Value::Array(statements)) => statements.clone(),
        Some(one @ Value::Object(_)) => vec![one.clone()],
        _ => Vec::new(),
    }
}

/// The document with other statements.
pub(crate) fn with_statements(document: &Value, statements: Vec<Value>) -> Value {
    let mut document = document.clone();
    if let Some(members) = document.as_object_mut() {
        members.insert("Statement".to_owned(), statements.into());
    }
    document
}

/// The texts of an element that is a text or a list of texts.
pub(crate) fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(values)) => values.iter().map(scalar).collect(),
        Some(Value::Object(_) | Value::Null) | None => Vec::new(),
        Some(one) => vec![scalar(one)],
    }
}

/// A text, number or truth value as a text.
pub(crate) fn scalar(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// The statement with another element.
pub(crate) fn with_element(statement: &Value, element: &str, value: Value) -> Value {
    let mut statement = statement.clone();
    if let Some(members) = statement.as_object_mut() {
        members.insert(element.to_owned(), value);
    }
    statement
}

/// The statement without an element.
pub(crate) fn without_element(statement: &Value, element: &str) -> Value {
    let mut statement = statement.clone();
    if let Some(members) = statement.as_object_mut() {
        members.shift_remove(element);
    }
    statement
}

/// The conditions of a statement: operator, key, values.
pub(crate) fn conditions(statement: &Value) -> Vec<(String, String, Vec<String>)> {
    let operators = statement.get("Condition").and_then(Value::as_object);
    let pairs = operators.into_iter().flatten().flat_map(|(operator, keys)| {
        let keys = keys.as_object().into_iter().flatten();
        keys.map(|(key, values)| (operator.clone(), key.clone(), texts(Some(values))))
    });
    pairs.collect()
}

/// The statement with other conditions; none at all if the list is empty.
pub(crate) fn with_conditions(statement: &Value, conditions: &[(String, String, Vec<String>)]) -> Value {
    if conditions.is_empty() {
        return without_element(statement, "Condition");
    }
    let mut operators = Map::new();
    for (operator, key, values) in conditions {
        let keys = operators.entry(operator.clone()).or_insert_with(|| Value::Object(Map::new()));
        if let Some(keys) = keys.as_object_mut() {
            keys.insert(key.clone(), values.clone().into());
        }
    }
    with_element(statement, "Condition", operators.into())
}

/// The element of an action, resource or principal that the statement has: `Action` or `NotAction`.
pub(crate) fn present(
    statement: &Value,
    element: &'static str,
    negated: &'static str,
) -> Option<&'static str> {
    [element, negated].into_iter().find(|name| statement.get(name).is_some())
}

/// The principals of a statement: each with its type, `AWS` for `*`.
pub(crate) fn principals(statement: &Value) -> Vec<(String, String)> {
    match statement.get("Principal") {
        Some(Value::Object(types)) => types
            .iter()
            .flat_map(|(name, values)| texts(Some(values)).into_iter().map(move |text| (name.clone(), text)))
            .collect(),
        Some(one) => texts(Some(one)).into_iter().map(|text| ("AWS".to_owned(), text)).collect(),
        None => Vec::new(),
    }
}

/// The statement with other principals.
pub(crate) fn with_principals(statement: &Value, principals: &[(String, String)]) -> Value {
    let mut types = Map::new();
    for (name, text) in principals {
        let values = types.entry(name.clone()).or_insert_with(|| Value::Array(Vec::new()));
        if let Some(values) = values.as_array_mut() {
            values.push(text.clone().into());
        }
    }
    with_element(statement, "Principal", types.into())
}
