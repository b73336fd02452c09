//! Policies of users, groups and roles, and session policies.
//!
//! IAM looks at the whole document several times, so the mistake it names is not the first in the text: syntax, version,
//! what it calls legacy parsing, Sids, presence of actions, form of resources, form of actions, presence of resources.
//! Source: the cases that Moto's tests took from AWS (`tests/test_iam/test_iam_policies.py`, MIT); each is a fact about
//! an answer of IAM. That `Principal` is refused in words of its own is reported. What the cases leave open is marked.

use std::collections::BTreeSet;

use crate::policy::json::{self, Member, Node, Value};
use crate::policy::operator::Operator;
use crate::policy::{PolicyError, PolicyErrorKind, PolicyKind, Position};

use super::resource_format;
use super::{error, instant};

/// Which versions of the policy language an operation takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Versions {
    /// Both, and none.
    Any,
    /// `2012-10-17` must be written.
    Current,
}

const STATEMENT_ELEMENTS: [&str; 7] =
    ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];
const LEGACY: &str = "The policy failed legacy parsing";

/// Refuses what IAM refuses. What passes may still fail to compile where this crate is stricter.
pub(super) fn check(text: &str, policy: PolicyKind, versions: Versions) -> Result<(), PolicyError> {
    // A text that is no object of statements is refused when it is compiled, in the same words.
    let Ok(root) = json::parse(text) else { return Ok(()) };
    let Some(members) = root.members() else { return Ok(()) };
    let check = Check { policy };
    check.top_level(members)?;
    let Some(statement) = find(members, "Statement") else { return Ok(()) };
    let nodes = statement.node.one_or_many();
    if nodes.is_empty() {
        return Ok(());
    }
    let statements: Vec<Statement<'_>> =
        nodes.iter().map(|node| check.statement(node)).collect::<Result<_, _>>()?;
    check.version(&root, versions)?;
    statements.iter().try_for_each(|statement| check.legacy(statement))?;
    let resource_error = check.resources(&statements)?;
    check.sids(&statements)?;
    statements.iter().try_for_each(|statement| check.present(statement, "Action"))?;
    if let Some(error) = resource_error {
        return Err(error);
    }
    statements.iter().try_for_each(|statement| check.action_prefixes(statement))?;
    statements.iter().try_for_each(|statement| check.present(statement, "Resource"))
}

struct Check {
    policy: PolicyKind,
}

/// A statement whose syntax is right.
struct Statement<'a> {
    members: &'a [Member],
    at: Position,
}

/// A text of an element and where it stands.
type Text<'a> = (&'a str, Position);

impl<'a> Statement<'a> {
    /// The texts of `Action` or `NotAction`, or of `Resource` or `NotResource`.
    fn texts(&self, element: &str) -> impl Iterator<Item = Text<'a>> {
        self.either(element).into_iter().flat_map(|member| member.node.one_or_many()).filter_map(|node| {
            match &node.value {
                Value::Text(text) => Some((text.as_str(), node.at)),
                _ => None,
            }
        })
    }

    fn either(&self, element: &str) -> Option<&'a Member> {
        self.members
            .iter()
            .find(|member| member.key == element || member.key.strip_prefix("Not") == Some(element))
    }
}

impl Check {
    fn error(&self, kind: PolicyErrorKind, at: Position, message: String, help: &str) -> PolicyError {
        error(self.policy, kind, at, message, help)
    }

    fn shape(&self, element: &'static str, node: &Node, help: &str) -> PolicyError {
        let message = format!("`{element}` holds {}", node.kind());
        self.error(PolicyErrorKind::WrongShape(element), node.at, message, help)
    }

    fn legacy_error(&self, kind: PolicyErrorKind, at: Position, message: String, help: &str) -> PolicyError {
        self.error(kind, at, message, help).with_aws((400, "MalformedPolicyDocument", LEGACY.to_owned()))
    }

    fn top_level(&self, members: &[Member]) -> Result<(), PolicyError> {
        for member in members {
            let node = &member.node;
            match (member.key.as_str(), &node.value) {
                ("Id", Value::Text(_)) | ("Statement", _) => {}
                ("Id", _) => return Err(self.shape("Id", node, "write the Id as a string")),
                ("Version", Value::Text(text)) if matches!(text.as_str(), "2012-10-17" | "2008-10-17") => {}
                ("Version", _) => {
                    let text = node.scalar_text().unwrap_or("?");
                    return Err(self.error(
                        PolicyErrorKind::InvalidVersion,
                        node.at,
                        format!("`{text}` is not a version of the policy language"),
                        "write `\"Version\": \"2012-10-17\"`",
                    ));
                }
                (key, _) => {
                    return Err(self.error(
                        PolicyErrorKind::UnknownElement(key.to_owned()),
                        member.at,
                        format!("a policy has no element `{key}`"),
                        "use one of Version, Id, Statement",
                    ));
                }
            }
        }
        Ok(())
    }

    fn statement<'a>(&self, node: &'a Node) -> Result<Statement<'a>, PolicyError> {
        let Some(members) = node.members() else {
            return Err(self.shape("Statement", node, "write each statement as an object"));
        };
        for member in members {
            self.element(member)?;
        }
        for (element, negation) in [("Action", "NotAction"), ("Resource", "NotResource")] {
            if let (Some(_), Some(member)) = (find(members, element), find(members, negation)) {
                return Err(self
                    .error(
                        PolicyErrorKind::ProhibitedElement(negation),
                        member.at,
                        format!("the statement has both `{element}` and `{negation}`"),
                        "keep one of the two",
                    )
                    .with_aws(syntax()));
            }
        }
        if find(members, "Effect").is_none() {
            return Err(self.error(
                PolicyErrorKind::MissingElement("Effect"),
                node.at,
                "the statement has no `Effect`".to_owned(),
                "add `Effect` to the statement",
            ));
        }
        Ok(Statement { members, at: node.at })
    }

    fn element(&self, member: &Member) -> Result<(), PolicyError> {
        let node = &member.node;
        match member.key.as_str() {
            "Principal" | "NotPrincipal" => Err(self.error(
                PolicyErrorKind::ProhibitedElement("Principal"),
                member.at,
                format!("{} must not name a principal", self.policy.words()),
                "remove the element: the policy applies to whoever it is attached to",
            )),
            "Sid" if !matches!(node.value, Value::Text(_)) => {
                Err(self.shape("Sid", node, "write the Sid as a string"))
            }
            "Effect" => match &node.value {
                Value::Text(text)
                    if ["Allow", "Deny"].iter().any(|known| known.eq_ignore_ascii_case(text)) =>
                {
                    Ok(())
                }
                Value::Text(text) => Err(self.error(
                    PolicyErrorKind::InvalidEffect(text.clone()),
                    node.at,
                    format!("`{text}` is not an effect"),
                    "write `Allow` or `Deny`",
                )),
                _ => Err(self.shape("Effect", node, "write `Allow` or `Deny`")),
            },
            "Action" | "NotAction" => self.strings(node, "Action"),
            "Resource" | "NotResource" => self.strings(node, "Resource"),
            "Condition" => self.condition(node),
            key if STATEMENT_ELEMENTS.contains(&key) => Ok(()),
            key => Err(self.error(
                PolicyErrorKind::UnknownElement(key.to_owned()),
                member.at,
                format!("a statement has no element `{key}`"),
                "see the list of statement elements; their names are case-sensitive",
            )),
        }
    }

    fn strings(&self, node: &Node, element: &'static str) -> Result<(), PolicyError> {
        match node.one_or_many().iter().find(|one| !matches!(one.value, Value::Text(_))) {
            None => Ok(()),
            Some(other) => Err(self.shape(element, other, "write a string or a list of strings")),
        }
    }

    /// An unknown operator is refused only if it has keys. Numbers and booleans are values too (IAM User Guide,
    /// "Condition").
    fn condition(&self, node: &Node) -> Result<(), PolicyError> {
        let Some(operators) = node.members() else {
            return Err(self.shape("Condition", node, "write an object of operators"));
        };
        for member in operators {
            let Some(keys) = member.node.members() else {
                return Err(self.shape(
                    "Condition",
                    &member.node,
                    "write `{\"key\": \"value\"}` under the operator",
                ));
            };
            let mut values = keys.iter().flat_map(|key| key.node.one_or_many());
            if let Some(value) = values.find(|value| value.scalar_text().is_none()) {
                return Err(self.shape("Condition", value, "write condition values as strings"));
            }
            if !keys.is_empty() && Operator::parse(&member.key).is_none() {
                return Err(self.error(
                    PolicyErrorKind::InvalidOperator(member.key.clone()),
                    member.at,
                    format!("`{}` is not a condition operator", member.key),
                    "write an operator such as `StringEquals`, `ArnLike` or `ForAnyValue:StringLike`",
                ));
            }
        }
        Ok(())
    }

    /// Managed policies need the current version; that inline and session policies take both is inferred from AWS's
    /// examples without one.
    fn version(&self, root: &Node, versions: Versions) -> Result<(), PolicyError> {
        let found = root.members().and_then(|members| find(members, "Version"));
        let text = found.and_then(|member| member.node.scalar_text());
        if versions == Versions::Any || text == Some("2012-10-17") {
            return Ok(());
        }
        let at = found.map_or(root.at, |member| member.node.at);
        let answer = "Policy document must be version 2012-10-17 or greater.".to_owned();
        let message = "the policy is not of version `2012-10-17`".to_owned();
        Err(self
            .error(PolicyErrorKind::InvalidVersion, at, message, "write `\"Version\": \"2012-10-17\"` first")
            .with_aws((400, "MalformedPolicyDocument", answer)))
    }

    /// The spelling of effects, and the values of date operators.
    fn legacy(&self, statement: &Statement<'_>) -> Result<(), PolicyError> {
        if let Some(effect) = find(statement.members, "Effect")
            && let Some(text) = effect.node.scalar_text()
            && !matches!(text, "Allow" | "Deny")
        {
            return Err(self.legacy_error(
                PolicyErrorKind::InvalidEffect(text.to_owned()),
                effect.node.at,
                format!("`{text}` is not an effect"),
                "write `Allow` or `Deny`, with this capitalisation",
            ));
        }
        let operators =
            find(statement.members, "Condition").and_then(|member| member.node.members()).unwrap_or_default();
        let dates = operators.iter().filter(|member| {
            let name = member.key.split_once(':').map_or(member.key.as_str(), |(_, name)| name);
            name.starts_with("Date")
        });
        let values = dates
            .flat_map(|member| member.node.members().unwrap_or_default())
            .flat_map(|key| key.node.one_or_many());
        for value in values {
            let text = value.scalar_text().unwrap_or_default();
            if !instant::is_instant(text) {
                return Err(self.legacy_error(
                    PolicyErrorKind::InvalidDate(text.to_owned()),
                    value.at,
                    format!("`{text}` is not a date"),
                    "write a date such as `2026-01-01T00:00:00Z`, or seconds since 1970",
                ));
            }
        }
        Ok(())
    }

    /// A resource that fails legacy parsing is refused now, one of a wrong form later. Of several in a statement IAM
    /// names the one that sorts first; of several statements the first is taken, which is unverified.
    fn resources(&self, statements: &[Statement<'_>]) -> Result<Option<PolicyError>, PolicyError> {
        let mut found = None;
        for statement in statements {
            let mut texts: Vec<Text<'_>> =
                statement.texts("Resource").filter(|(text, _)| *text != "*").collect();
            texts.sort_unstable();
            let wrong =
                texts.iter().find_map(|(text, at)| Some((*text, *at, resource_format::mistake(text)?)));
            if let Some((text, at, answer)) = wrong {
                found.get_or_insert_with(|| {
                    self.error(
                        PolicyErrorKind::InvalidResource(text.to_owned()),
                        at,
                        format!("`{text}` is not a resource"),
                        "write an ARN, such as `arn:aws:s3:::bucket/*`, or `*`",
                    )
                    .with_aws((400, "MalformedPolicyDocument", answer))
                });
                continue;
            }
            if found.is_none()
                && let Some((text, at)) = texts.iter().find(|(text, _)| resource_format::fails_legacy(text))
            {
                return Err(self.legacy_error(
                    PolicyErrorKind::InvalidResource((*text).to_owned()),
                    *at,
                    format!("`{text}` is not a resource"),
                    "write an ARN of six parts, such as `arn:aws:s3:::bucket/*`",
                ));
            }
        }
        Ok(found)
    }

    fn sids(&self, statements: &[Statement<'_>]) -> Result<(), PolicyError> {
        let mut seen = BTreeSet::new();
        for statement in statements {
            let sid = find(statement.members, "Sid").and_then(|member| member.node.scalar_text());
            if let Some(sid) = sid.filter(|sid| !sid.is_empty())
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

    fn present(&self, statement: &Statement<'_>, element: &'static str) -> Result<(), PolicyError> {
        if statement.texts(element).next().is_some() {
            return Ok(());
        }
        let at = statement.either(element).map_or(statement.at, |member| member.at);
        let message = format!("the statement has no `{element}`");
        Err(self.error(PolicyErrorKind::MissingElement(element), at, message, "name at least one"))
    }

    fn action_prefixes(&self, statement: &Statement<'_>) -> Result<(), PolicyError> {
        for (text, at) in statement.texts("Action").filter(|(text, _)| *text != "*") {
            let Some((vendor, name)) = text.split_once(':') else {
                return Err(self.invalid_action(text, at, None));
            };
            let is_vendor = vendor == "*"
                || vendor.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
            let answer = if name.contains(':') {
                "Actions/Condition can contain only one colon.".to_owned()
            } else if !is_vendor {
                format!("Vendor {vendor} is not valid")
            } else {
                continue;
            };
            return Err(self.invalid_action(text, at, Some(answer)));
        }
        Ok(())
    }

    fn invalid_action(&self, text: &str, at: Position, answer: Option<String>) -> PolicyError {
        let error = self.error(
            PolicyErrorKind::InvalidAction(text.to_owned()),
            at,
            format!("`{text}` is not an action"),
            "write `service:Action`, such as `s3:GetObject`, or `*`",
        );
        match answer {
            None => error,
            Some(answer) => error.with_aws((400, "MalformedPolicyDocument", answer)),
        }
    }
}

fn syntax() -> (u16, &'static str, String) {
    (400, "MalformedPolicyDocument", "Syntax errors in policy.".to_owned())
}

fn find<'a>(members: &'a [Member], key: &str) -> Option<&'a Member> {
    members.iter().find(|member| member.key == key)
}
