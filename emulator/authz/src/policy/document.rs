//! From JSON to compiled statements.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::arn::is_account_id;

use super::condition::Condition;
use super::error::{PolicyError, PolicyErrorKind};
use super::json::{self, Member, Node, Position, Value};
use super::operator::Operator;
use super::pattern::{ActionElement, ActionPattern, ResourceElement, ResourcePattern};
use super::principal::{NamedPrincipal, PrincipalElement, PrincipalEntry};
use super::statement::Statement;
use super::{PolicyClass, PolicyKind};

/// The version of the policy language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Version {
    /// `2008-10-17`, also meant when `Version` is absent: no policy variables.
    #[serde(rename = "2008-10-17")]
    V2008,
    /// `2012-10-17`.
    #[serde(rename = "2012-10-17")]
    V2012,
}

/// What a statement does when it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Grants.
    Allow,
    /// Forbids, whatever else grants.
    Deny,
}

/// A parsed document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) version: Version,
    pub(crate) statements: Box<[Statement]>,
}

/// Parses and compiles a document of the given kind.
pub(crate) fn parse(text: &str, policy: PolicyKind) -> Result<Document, PolicyError> {
    Parser { policy }.document(text)
}

struct Parser {
    policy: PolicyKind,
}

const POLICY_ELEMENTS: [&str; 3] = ["Version", "Id", "Statement"];
const STATEMENT_ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

impl Parser {
    fn error(
        &self,
        kind: PolicyErrorKind,
        at: Position,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> PolicyError {
        PolicyError::new(self.policy, kind, at, message, help)
    }

    fn document(&self, text: &str) -> Result<Document, PolicyError> {
        if !text.starts_with('{') {
            return Err(self.error(
                PolicyErrorKind::NotAnObject,
                Position::START,
                "the policy does not start with `{`",
                "a policy is one JSON object; remove what stands before it",
            ));
        }
        let root = json::parse(text).map_err(|error| {
            self.error(
                PolicyErrorKind::InvalidJson,
                error.at,
                error.message,
                "correct the JSON at this place",
            )
        })?;
        let members = root.members().unwrap_or_default();
        self.refuse_unknown(members, &POLICY_ELEMENTS, "policy")?;
        let version = self.version(find(members, "Version"))?;
        if let Some(id) = find(members, "Id")
            && !matches!(id.node.value, Value::Text(_))
        {
            return Err(self.wrong_shape("Id", &id.node, "write the Id as a string"));
        }
        let Some(statement) = find(members, "Statement") else {
            return Err(self.error(
                PolicyErrorKind::MissingStatement,
                root.at,
                "the policy has no `Statement`",
                "add `\"Statement\": [ … ]` with at least one statement",
            ));
        };
        let nodes = statement.node.one_or_many();
        if nodes.is_empty() {
            return Err(self.error(
                PolicyErrorKind::EmptyStatement,
                statement.node.at,
                "`Statement` is empty",
                "add at least one statement",
            ));
        }
        let statements =
            nodes.iter().map(|node| self.statement(node, version)).collect::<Result<Box<[_]>, _>>()?;
        self.refuse_repeated_sids(&statements)?;
        Ok(Document { version, statements })
    }

    fn version(&self, member: Option<&Member>) -> Result<Version, PolicyError> {
        let Some(member) = member else { return Ok(Version::V2008) };
        match &member.node.value {
            Value::Text(text) if text == "2012-10-17" => Ok(Version::V2012),
            Value::Text(text) if text == "2008-10-17" => Ok(Version::V2008),
            _ => Err(self.error(
                PolicyErrorKind::InvalidVersion,
                member.node.at,
                format!(
                    "`{}` is not a version of the policy language",
                    member.node.scalar_text().unwrap_or("?")
                ),
                "write `\"Version\": \"2012-10-17\"`",
            )),
        }
    }

    fn statement(&self, node: &Node, version: Version) -> Result<Statement, PolicyError> {
        let Some(members) = node.members() else {
            return Err(self.wrong_shape("Statement", node, "write each statement as an object"));
        };
        self.refuse_unknown(members, &STATEMENT_ELEMENTS, "statement")?;
        let sid = self.sid(find(members, "Sid"))?;
        let effect = self.effect(find(members, "Effect"), node.at)?;
        let principal = self.principal(members, node.at)?;
        let action = self.action(members, node.at)?;
        let resource = self.resource(members, node.at, version)?;
        let conditions = match find(members, "Condition") {
            None => Box::default(),
            Some(member) => self.conditions(&member.node, version)?,
        };
        Ok(Statement { sid, effect, principal, action, resource, conditions, at: node.at })
    }

    fn sid(&self, member: Option<&Member>) -> Result<Option<Box<str>>, PolicyError> {
        let Some(member) = member else { return Ok(None) };
        let Value::Text(sid) = &member.node.value else {
            return Err(self.wrong_shape("Sid", &member.node, "write the Sid as a string"));
        };
        let alphanumeric_only = matches!(
            self.policy,
            PolicyKind::Identity | PolicyKind::Boundary | PolicyKind::Session | PolicyKind::Trust
        );
        if alphanumeric_only && !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(self.error(
                PolicyErrorKind::InvalidSid(sid.clone()),
                member.node.at,
                format!("the Sid `{sid}` has characters other than letters and digits"),
                "use only A-Z, a-z and 0-9 in a Sid",
            ));
        }
        Ok((!sid.is_empty()).then(|| sid.as_str().into()))
    }

    fn effect(&self, member: Option<&Member>, at: Position) -> Result<Effect, PolicyError> {
        let Some(member) = member else {
            return Err(self.missing("Effect", at));
        };
        match member.node.scalar_text() {
            Some("Allow") => Ok(Effect::Allow),
            Some("Deny") => Ok(Effect::Deny),
            Some(other) => Err(self.error(
                PolicyErrorKind::InvalidEffect(other.to_owned()),
                member.node.at,
                format!("`{other}` is not an effect"),
                "write `Allow` or `Deny`, with this capitalisation",
            )),
            None => Err(self.wrong_shape("Effect", &member.node, "write `Allow` or `Deny`")),
        }
    }

    /// The element or its negation, of which at most one may be present.
    fn either<'a>(
        &self,
        members: &'a [Member],
        element: &'static str,
        negation: &'static str,
    ) -> Result<Option<(bool, &'a Member)>, PolicyError> {
        match (find(members, element), find(members, negation)) {
            (None, None) => Ok(None),
            (Some(member), None) => Ok(Some((false, member))),
            (None, Some(member)) => Ok(Some((true, member))),
            (Some(_), Some(member)) => Err(self.error(
                PolicyErrorKind::ProhibitedElement(negation),
                member.at,
                format!("the statement has both `{element}` and `{negation}`"),
                "keep one of the two",
            )),
        }
    }

    fn action(&self, members: &[Member], at: Position) -> Result<ActionElement, PolicyError> {
        let Some((negated, member)) = self.either(members, "Action", "NotAction")? else {
            if self.takes_ineffective_statements() {
                return Ok(ActionElement::new(false, Box::default(), at));
            }
            return Err(self.missing("Action", at));
        };
        let patterns = self
            .texts(member, "Action")?
            .into_iter()
            .map(|(text, at)| {
                if text != "*"
                    && !text
                        .split_once(':')
                        .is_some_and(|(service, name)| !service.is_empty() && !name.is_empty())
                {
                    return Err(self.error(
                        PolicyErrorKind::InvalidAction(text.to_owned()),
                        at,
                        format!("`{text}` is not an action"),
                        "write `service:Action`, such as `s3:GetObject`, or `*`",
                    ));
                }
                Ok(ActionPattern::new(text, at))
            })
            .collect::<Result<Box<[_]>, _>>()?;
        if patterns.is_empty() {
            return Err(self.missing("Action", member.at));
        }
        Ok(ActionElement::new(negated, patterns, member.at))
    }

    /// KMS takes a statement without `Action` or `Resource`, which has no effect (API reference, "PutKeyPolicy").
    fn takes_ineffective_statements(&self) -> bool {
        self.policy == PolicyKind::Key
    }

    fn resource(
        &self,
        members: &[Member],
        at: Position,
        version: Version,
    ) -> Result<Option<ResourceElement>, PolicyError> {
        let found = self.either(members, "Resource", "NotResource")?;
        if self.policy == PolicyKind::Trust {
            return match found {
                None => Ok(None),
                Some((negated, member)) => {
                    let element = if negated { "NotResource" } else { "Resource" };
                    Err(self.error(
                        PolicyErrorKind::ProhibitedElement(element),
                        member.at,
                        format!("a trust policy has no `{element}`"),
                        "remove it: a trust policy speaks of its own role",
                    ))
                }
            };
        }
        let Some((negated, member)) = found else {
            if self.takes_ineffective_statements() {
                return Ok(Some(ResourceElement { negated: false, patterns: Box::default(), at }));
            }
            return Err(self.missing("Resource", at));
        };
        let patterns = self
            .texts(member, "Resource")?
            .into_iter()
            .map(|(text, at)| {
                ResourcePattern::parse(text, at, version, self.policy).ok_or_else(|| {
                    self.error(
                        PolicyErrorKind::InvalidResource(text.to_owned()),
                        at,
                        format!("`{text}` is not a resource"),
                        "write an ARN, such as `arn:aws:s3:::bucket/*`, or `*`",
                    )
                })
            })
            .collect::<Result<Box<[_]>, _>>()?;
        if patterns.is_empty() {
            return Err(self.missing("Resource", member.at));
        }
        Ok(Some(ResourceElement { negated, patterns, at: member.at }))
    }

    fn principal(&self, members: &[Member], at: Position) -> Result<Option<PrincipalElement>, PolicyError> {
        let found = self.either(members, "Principal", "NotPrincipal")?;
        if !self.policy.is_resource_policy() {
            return match found {
                None => Ok(None),
                Some((_, member)) => Err(self.error(
                    PolicyErrorKind::ProhibitedElement("Principal"),
                    member.at,
                    format!("{} must not name a principal", self.policy.words()),
                    "remove the element: the policy applies to whoever it is attached to",
                )),
            };
        }
        let Some((negated, member)) = found else {
            return Err(self.missing("Principal", at));
        };
        let mut entries = Vec::new();
        match &member.node.value {
            Value::Text(text) if text == "*" => entries.push(PrincipalEntry {
                principal: NamedPrincipal::Anyone,
                text: text.clone(),
                at: member.node.at,
                bound_to: None,
                span: member.node.span,
            }),
            Value::Object(groups) if groups.is_empty() => return Err(self.empty_principal(member.node.at)),
            Value::Object(groups) => {
                for group in groups {
                    self.principal_group(group, &mut entries)?;
                }
            }
            _ => {
                let text = member.node.scalar_text().unwrap_or("?").to_owned();
                return Err(self.invalid_principal(&text, member.node.at));
            }
        }
        Ok(Some(PrincipalElement { negated, entries: entries.into(), at: member.at }))
    }

    fn principal_group(&self, group: &Member, entries: &mut Vec<PrincipalEntry>) -> Result<(), PolicyError> {
        let nodes = group.node.one_or_many();
        if nodes.is_empty() {
            return Err(self.empty_principal(group.at));
        }
        for node in nodes {
            let Value::Text(text) = &node.value else {
                return Err(self.invalid_principal(node.scalar_text().unwrap_or("?"), node.at));
            };
            let principal = match group.key.as_str() {
                "AWS" => NamedPrincipal::parse_aws(text),
                "Service" if is_service_name(text) => NamedPrincipal::Service(text.clone()),
                "CanonicalUser" if is_canonical_user_id(text) => NamedPrincipal::CanonicalUser(text.clone()),
                "Federated" if !text.is_empty() => NamedPrincipal::Federated(text.clone()),
                _ => NamedPrincipal::Unknown(text.clone()),
            };
            if matches!(principal, NamedPrincipal::Unknown(_)) {
                return Err(self.invalid_principal(text, node.at));
            }
            entries.push(PrincipalEntry {
                principal,
                text: text.clone(),
                at: node.at,
                bound_to: None,
                span: node.span,
            });
        }
        Ok(())
    }

    fn empty_principal(&self, at: Position) -> PolicyError {
        self.error(
            PolicyErrorKind::EmptyPrincipal,
            at,
            "the principal names nobody",
            "name somebody under `AWS`, `Service`, `CanonicalUser` or `Federated`",
        )
    }

    fn invalid_principal(&self, text: &str, at: Position) -> PolicyError {
        let help = if text.contains('*') && text != "*" {
            "a principal has no wildcards; name `*` and restrict it with a condition on `aws:PrincipalArn`"
        } else if is_account_id(text.trim()) {
            "write the account id without spaces under `\"AWS\"`"
        } else {
            "write `\"*\"`, or an object with `AWS` (ARN or account id), `Service`, `CanonicalUser` or `Federated`"
        };
        self.error(
            PolicyErrorKind::InvalidPrincipal(text.to_owned()),
            at,
            format!("`{text}` is not a principal"),
            help,
        )
    }

    fn conditions(&self, node: &Node, version: Version) -> Result<Box<[Condition]>, PolicyError> {
        let Some(operators) = node.members() else {
            return Err(self.wrong_shape("Condition", node, "write an object of operators"));
        };
        let mut conditions = Vec::new();
        for member in operators {
            // IAM takes an operator of any name without keys.
            if self.policy.class() != PolicyClass::Resource
                && member.node.members().is_some_and(<[_]>::is_empty)
            {
                continue;
            }
            let Some(operator) = Operator::parse(&member.key) else {
                return Err(self.error(
                    PolicyErrorKind::InvalidOperator(member.key.clone()),
                    member.at,
                    format!("`{}` is not a condition operator", member.key),
                    "write an operator such as `StringEquals`, `ArnLike` or `ForAnyValue:StringLike`",
                ));
            };
            let Some(keys) = member.node.members() else {
                return Err(self.wrong_shape(
                    "Condition",
                    &member.node,
                    "write `{\"key\": \"value\"}` under the operator",
                ));
            };
            for key in keys {
                let texts = key
                    .node
                    .one_or_many()
                    .iter()
                    .map(|value| match value.scalar_text() {
                        Some(text) => Ok(text.into()),
                        None => {
                            Err(self.wrong_shape("Condition", value, "write condition values as strings"))
                        }
                    })
                    .collect::<Result<Vec<Box<str>>, _>>()?;
                conditions.push(Condition::compile(operator, &member.key, &key.key, texts, version, key.at));
            }
        }
        Ok(conditions.into())
    }

    /// The strings of an element that takes one or a list.
    fn texts<'a>(
        &self,
        member: &'a Member,
        element: &'static str,
    ) -> Result<Vec<(&'a str, Position)>, PolicyError> {
        member
            .node
            .one_or_many()
            .iter()
            .map(|node| match &node.value {
                Value::Text(text) => Ok((text.as_str(), node.at)),
                _ => Err(self.wrong_shape(element, node, "write a string or a list of strings")),
            })
            .collect()
    }

    fn refuse_unknown(&self, members: &[Member], known: &[&str], owner: &str) -> Result<(), PolicyError> {
        let Some(member) = members.iter().find(|member| !known.contains(&member.key.as_str())) else {
            return Ok(());
        };
        let near = known.iter().find(|name| name.eq_ignore_ascii_case(&member.key));
        Err(self.error(
            PolicyErrorKind::UnknownElement(member.key.clone()),
            member.at,
            format!("a {owner} has no element `{}`", member.key),
            match near {
                Some(name) => format!("write `{name}`: element names are case-sensitive"),
                None => format!("use one of {}", known.join(", ")),
            },
        ))
    }

    /// IAM and the services that use its parser refuse repeated Sids; S3 accepts them.
    fn refuse_repeated_sids(&self, statements: &[Statement]) -> Result<(), PolicyError> {
        if self.policy == PolicyKind::Bucket {
            return Ok(());
        }
        let mut seen = BTreeSet::new();
        for statement in statements {
            if let Some(sid) = statement.sid()
                && !seen.insert(sid)
            {
                return Err(self.error(
                    PolicyErrorKind::DuplicateSid(sid.to_owned()),
                    statement.at,
                    format!("two statements have the Sid `{sid}`"),
                    "give each statement its own Sid, or none",
                ));
            }
        }
        Ok(())
    }

    fn missing(&self, element: &'static str, at: Position) -> PolicyError {
        self.error(
            PolicyErrorKind::MissingElement(element),
            at,
            format!("the statement has no `{element}`"),
            format!("add `{element}` to the statement"),
        )
    }

    fn wrong_shape(&self, element: &'static str, node: &Node, help: &str) -> PolicyError {
        self.error(
            PolicyErrorKind::WrongShape(element),
            node.at,
            format!("`{element}` holds {}", node.kind()),
            help,
        )
    }
}

fn find<'a>(members: &'a [Member], key: &str) -> Option<&'a Member> {
    members.iter().find(|member| member.key == key)
}

/// `name.amazonaws.com` and its kin: a dotted name without wildcards.
fn is_service_name(text: &str) -> bool {
    text.contains('.')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

/// 64 hexadecimal digits; older accounts show fewer in examples, so only the alphabet is checked.
fn is_canonical_user_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
