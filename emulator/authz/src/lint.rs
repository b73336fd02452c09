//! Mistakes in policies that AWS accepts and that do not do what they seem to.
//!
//! Only what is certain is found: a finding means that a part of the policy has no effect, or far more than its words
//! say. The catalogue covers S3, KMS, SNS and STS; actions of other services are not judged.

use serde::Serialize;

use crate::actions::catalogue::{self, Known, SERVICES, Target};
use crate::actions::{KeyScope, key_scope, s3_keys};
use crate::policy::condition::Condition;
use crate::policy::json::Position;
use crate::policy::operator::Comparison;
use crate::policy::pattern::{ActionPattern, ResourceElement};
use crate::policy::{Effect, Policy, PolicyKind, Statement, Version};
use crate::subject::LowerAction;

mod kind;
mod names;
mod reach;

pub use kind::guess_kind;

use names::{actions_of_operation, nearest, nearest_global_key};
use reach::reaches;

/// What kind of mistake a finding names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// No action has this name.
    UnknownAction,
    /// No resource of the statement is of the type that the action applies to.
    ActionWithoutResource,
    /// No action of the statement applies to the resource.
    ResourceWithoutAction,
    /// A bucket is named and its objects are not, although the actions are meant for both.
    BucketWithoutObjects,
    /// No condition key has this name.
    UnknownConditionKey,
    /// Requests for the action never have the condition key.
    ConditionKeyWithoutAction,
    /// The version of the policy has no policy variables.
    VariableInOldVersion,
    /// Every key of KMS is allowed, those of other accounts included.
    EveryKey,
    /// Using a key and administering it are allowed as one.
    KeyAdministration,
    /// A statement of a key policy lacks `Action` or `Resource`, and so has no effect.
    IneffectiveStatement,
    /// A value that its operator cannot read, and so matches nothing.
    UnreadableValue,
}

/// A mistake and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind of mistake.
    pub kind: FindingKind,
    /// The line in the text of the policy, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
    /// What is wrong, with the value.
    pub message: String,
    /// The next step.
    pub help: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}; {}", self.line, self.column, self.message, self.help)
    }
}

/// Finds the mistakes of a policy, in the order of its text.
///
/// ```
/// use bucketproof_authz::{FindingKind, Policy, PolicyKind, PolicySource, lint};
///
/// let policy = Policy::parse(
///     r#"{"Statement": {"Effect": "Allow", "Action": "s3:GetObjects", "Resource": "arn:aws:s3:::shared/*"}}"#,
///     PolicySource::new(PolicyKind::Identity, "read"),
/// )?;
/// let findings = lint(&policy);
/// assert_eq!(findings[0].kind, FindingKind::UnknownAction);
/// assert_eq!(findings[0].help, "write `s3:GetObject`");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn lint(policy: &Policy) -> Vec<Finding> {
    let mut findings = Findings::default();
    for statement in policy.statements() {
        let actions = Actions::of(statement);
        findings.unknown_actions(&actions);
        if findings.is_ineffective(statement) {
            continue;
        }
        if let Some(resource) = &statement.resource {
            findings.resources(resource, &actions);
            if policy.kind() != PolicyKind::Key && statement.effect() == Effect::Allow {
                findings.keys(statement, resource, &actions);
            }
        }
        for condition in &statement.conditions {
            findings.condition(condition, &actions);
            findings.unreadable_values(condition);
        }
        if policy.version() == Version::V2008 {
            findings.variables(statement);
        }
    }
    findings.0.sort_by_key(|finding| (finding.line, finding.column));
    findings.0
}

/// The action patterns of a statement and what they cover.
struct Actions<'a> {
    negated: bool,
    patterns: Vec<Covered<'a>>,
}

struct Covered<'a> {
    pattern: &'a ActionPattern,
    /// The service that the pattern names in full, in lower case, if its actions are known.
    service: Option<&'static str>,
    actions: Vec<Known>,
}

impl<'a> Actions<'a> {
    fn of(statement: &'a Statement) -> Self {
        let covered = |pattern: &'a ActionPattern| {
            let prefix = pattern.text.split(':').next().unwrap_or("");
            let service = SERVICES.into_iter().find(|service| service.eq_ignore_ascii_case(prefix));
            let actions = catalogue::all()
                .filter(|known| {
                    pattern.covers(&LowerAction::new(&format!("{}:{}", known.service, known.name)))
                })
                .collect();
            Covered { pattern, service, actions }
        };
        let element = &statement.action;
        Self { negated: element.negated, patterns: element.patterns.iter().map(covered).collect() }
    }

    /// The patterns that are listed, name their service in full, and cover some action.
    fn listed(&self) -> impl Iterator<Item = &Covered<'a>> {
        self.patterns
            .iter()
            .filter(|covered| !self.negated && covered.service.is_some() && !covered.actions.is_empty())
    }
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, kind: FindingKind, at: Position, message: String, help: impl Into<String>) {
        self.0.push(Finding { kind, line: at.line, column: at.column, message, help: help.into() });
    }

    fn unknown_actions(&mut self, actions: &Actions<'_>) {
        for covered in &actions.patterns {
            let Some(service) = covered.service.filter(|_| covered.actions.is_empty()) else { continue };
            let text = &covered.pattern.text;
            let name = text.split_once(':').map_or("", |(_, name)| name);
            if name.contains(['*', '?']) {
                let message = format!("`{text}` covers no action");
                self.add(FindingKind::UnknownAction, covered.pattern.at, message, "correct the pattern");
                continue;
            }
            let help = if let Some(needed) = actions_of_operation(service, name) {
                format!("an operation is not an action: `{name}` needs {needed}")
            } else {
                let known = catalogue::all().filter(|known| known.service == service);
                match nearest(name, known.map(|known| known.name)) {
                    Some(known) => format!("write `{service}:{known}`"),
                    None => format!("see the list of actions of {service}"),
                }
            };
            let message = format!("there is no action `{text}`");
            self.add(FindingKind::UnknownAction, covered.pattern.at, message, help);
        }
    }

    fn resources(&mut self, resource: &ResourceElement, actions: &Actions<'_>) {
        if resource.negated {
            return;
        }
        let reached = |target: Target, service: &str| {
            resource.patterns.iter().any(|one| reaches(&one.text, target, service))
        };
        let before = self.0.len();
        for covered in actions.listed() {
            if covered.actions.iter().any(|known| reached(known.target, known.service)) {
                continue;
            }
            let Some(first) = covered.actions.first() else { continue };
            self.add(
                FindingKind::ActionWithoutResource,
                covered.pattern.at,
                format!("`{}` applies to no resource of the statement", covered.pattern.text),
                needed_resource(first.target, resource),
            );
        }
        if self.0.len() > before {
            return;
        }
        for covered in
            actions.listed().filter(|covered| &*covered.pattern.text.to_ascii_lowercase() == "s3:*")
        {
            if let Some(bucket) =
                resource.patterns.iter().find(|one| reaches(&one.text, Target::Bucket, "s3"))
                && !reached(Target::Object, "s3")
            {
                self.add(
                    FindingKind::BucketWithoutObjects,
                    bucket.at,
                    format!(
                        "`{}` on `{}` covers the bucket and none of its objects",
                        covered.pattern.text, bucket.text
                    ),
                    format!("add `{}/*`", bucket.text),
                );
            }
        }
        let all_known = actions.listed().count() == actions.patterns.len();
        if !all_known {
            return;
        }
        for one in &resource.patterns {
            if !actions
                .listed()
                .flat_map(|covered| &covered.actions)
                .any(|known| reaches(&one.text, known.target, known.service))
            {
                self.add(
                    FindingKind::ResourceWithoutAction,
                    one.at,
                    format!("no action of the statement applies to `{}`", one.text),
                    "remove the resource, or list the actions that it is for",
                );
            }
        }
    }

    fn keys(&mut self, statement: &Statement, resource: &ResourceElement, actions: &Actions<'_>) {
        let on_keys = actions.listed().filter(|covered| covered.service == Some("kms"));
        for covered in on_keys {
            let pattern = covered.pattern;
            if !covered.actions.iter().any(|known| known.target == Target::Key) {
                continue;
            }
            if pattern.covers(&LowerAction::new("kms:PutKeyPolicy"))
                && pattern.covers(&LowerAction::new("kms:Decrypt"))
            {
                self.add(
                    FindingKind::KeyAdministration,
                    pattern.at,
                    format!("`{}` allows to change the policy of a key and to delete it", pattern.text),
                    "list the actions that use the key, such as `kms:Decrypt` and `kms:GenerateDataKey`",
                );
            }
            if resource.negated || !statement.conditions.is_empty() {
                continue;
            }
            if let Some(every) = resource.patterns.iter().find(|one| is_every_key(&one.text)) {
                self.add(
                    FindingKind::EveryKey,
                    every.at,
                    format!("`{}` is allowed on every key, those of other accounts included", pattern.text),
                    "name the keys, or add a condition such as `kms:ViaService`",
                );
            }
        }
    }

    fn condition(&mut self, condition: &Condition, actions: &Actions<'_>) {
        let key = &condition.key;
        let lower_key = condition.lower_key.as_str();
        let key_service = SERVICES
            .into_iter()
            .find(|service| lower_key.strip_prefix(service).is_some_and(|rest| rest.starts_with(':')));
        let scope = key_scope(lower_key);
        if scope == KeyScope::Unknown {
            let help = match nearest(lower_key, s3_keys()) {
                Some(known) => format!("write `{known}`"),
                None => "see the list of condition keys of S3".to_owned(),
            };
            let message = format!("S3 has no condition key `{key}`");
            self.add(FindingKind::UnknownConditionKey, condition.at, message, help);
            return;
        }
        if let Some(known) = nearest_global_key(lower_key) {
            let message = format!("there is no condition key `{key}`");
            self.add(FindingKind::UnknownConditionKey, condition.at, message, format!("write `{known}`"));
            return;
        }
        let Some(key_service) = key_service else { return };
        for covered in actions.listed() {
            let has_key = covered.actions.iter().any(|known| {
                known.service == key_service
                    && match scope {
                        KeyScope::Only(names) => names.contains(&known.name),
                        KeyScope::Every | KeyScope::Unknown => true,
                    }
            });
            if !has_key {
                self.add(
                    FindingKind::ConditionKeyWithoutAction,
                    condition.at,
                    format!("requests for `{}` never have the condition key `{key}`", covered.pattern.text),
                    "put the actions that have the key into a statement of their own",
                );
            }
        }
    }

    /// KMS takes such a statement (API reference, "PutKeyPolicy"); no other service does.
    fn is_ineffective(&mut self, statement: &Statement) -> bool {
        let lacks = if statement.action.patterns.is_empty() {
            "Action"
        } else if statement.resource.as_ref().is_some_and(|resource| resource.patterns.is_empty()) {
            "Resource"
        } else {
            return false;
        };
        self.add(
            FindingKind::IneffectiveStatement,
            statement.position(),
            format!("the statement has no `{lacks}`, and so no effect"),
            format!("add `{lacks}`"),
        );
        true
    }

    fn unreadable_values(&mut self, condition: &Condition) {
        let (wanted, help) = match condition.operator.comparison {
            Comparison::Numeric(_) => ("a number", "write digits, such as `10`"),
            Comparison::Date(_) => ("a date", "write a date such as `2026-01-01T00:00:00Z`"),
            Comparison::Bool | Comparison::Null => ("a boolean", "write `true` or `false`"),
            Comparison::Binary => ("base64", "encode the value as base64"),
            Comparison::IpAddress => ("an address", "write an address or a range such as `192.0.2.0/24`"),
            Comparison::Text | Comparison::TextIgnoreCase | Comparison::TextLike | Comparison::Arn => return,
        };
        for text in condition.unreadable_values() {
            let message =
                format!("`{text}` is not {wanted}, and matches nothing under `{}`", condition.operator_name);
            self.add(FindingKind::UnreadableValue, condition.at, message, help);
        }
    }

    fn variables(&mut self, statement: &Statement) {
        let resources = statement.resource.iter().flat_map(|element| &element.patterns);
        let resources = resources.map(|one| (&*one.text, one.at));
        let values = statement.conditions.iter().filter(|condition| condition.takes_variables());
        let values = values.flat_map(|condition| condition.texts.iter().map(|text| (&**text, condition.at)));
        let found: Vec<(&str, Position)> =
            resources.chain(values).filter(|(text, _)| text.contains("${")).collect();
        for (text, at) in found {
            self.add(
                FindingKind::VariableInOldVersion,
                at,
                format!("`{text}` is taken as it is written: the version of the policy has no variables"),
                "write `\"Version\": \"2012-10-17\"`",
            );
        }
    }
}

fn needed_resource(target: Target, resource: &ResourceElement) -> String {
    let buckets = || resource.patterns.iter().find(|one| reaches(&one.text, Target::Bucket, "s3"));
    let objects = || {
        let one = resource.patterns.iter().find(|one| reaches(&one.text, Target::Object, "s3"))?;
        one.text.split('/').next()
    };
    match target {
        Target::Object => match buckets() {
            Some(bucket) => format!("it applies to objects: write `{}/*`", bucket.text),
            None => "it applies to objects: write `arn:aws:s3:::bucket/*`".to_owned(),
        },
        Target::Bucket => match objects() {
            Some(bucket) => format!("it applies to buckets: add `{bucket}`"),
            None => "it applies to buckets: write `arn:aws:s3:::bucket`".to_owned(),
        },
        Target::Key => "it applies to keys: write `arn:aws:kms:region:account:key/id`".to_owned(),
        Target::Topic => "it applies to topics: write `arn:aws:sns:region:account:topic`".to_owned(),
        Target::Role => "it applies to roles: write `arn:aws:iam::account:role/name`".to_owned(),
        Target::Nothing | Target::Other => {
            "it has no resource: allow it on `*`, in a statement of its own".to_owned()
        }
    }
}

fn is_every_key(pattern: &str) -> bool {
    match crate::arn::segments(pattern) {
        Some([_, _, "kms" | "*", _, account, path]) => account == "*" && matches!(path, "*" | "key/*"),
        Some(_) => false,
        None => pattern == "*",
    }
}

#[cfg(test)]
mod tests;
