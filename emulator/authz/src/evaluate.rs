//! `bucketproof-emulator evaluate`: one decision per line of JSON.

use std::fmt;

use serde_json::json;

use crate::arn::{AccountId, Arn};
use crate::context::Context;
use crate::decide::{Policies, RestrictPublicBuckets, decide};
use crate::policy::json::{self, Member, Node, Value};
use crate::policy::{Policy, PolicyError, PolicyKind, PolicySource};
use crate::principal::Principal;
use crate::request::{Request, Resource};
use crate::subject::{Bounded, Subject};

/// Fields that a collection of judged cases adds to a question. They are not part of it and are not read.
const JUDGES_FIELDS: [&str; 5] = ["expected", "category", "source", "why", "compare"];

/// Answers one line: `{"id", "request", "policies", "settings"}`.
///
/// The answer is `{"id", "decision", "reason", "settled_by", "trace"}`, or `{"id", "error"}` if the line cannot be
/// read; `id` is null if the line has none. The request is decided with exactly the condition keys it lists.
pub fn evaluate_line(line: &str) -> serde_json::Value {
    let root = match json::parse(line) {
        Ok(root) => root,
        Err(error) => {
            return failed(
                &serde_json::Value::Null,
                &format!("the line is not JSON: {error}; write one object per line"),
            );
        }
    };
    let id = root
        .members()
        .and_then(|members| members.iter().find(|member| member.key == "id"))
        .and_then(|member| line.get(member.node.span.0..member.node.span.1))
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or(serde_json::Value::Null);
    let question = Reader { line }.question(&root);
    match question {
        Err(error) => failed(&id, &error.to_string()),
        Ok(question) => {
            let decision = decide(&question.request, &question.policies());
            let mut answer = json!({ "id": id });
            if let (Some(answer), Ok(serde_json::Value::Object(decision))) =
                (answer.as_object_mut(), serde_json::to_value(&decision))
            {
                answer.extend(decision);
            }
            answer
        }
    }
}

fn failed(id: &serde_json::Value, message: &str) -> serde_json::Value {
    json!({ "id": id, "error": message })
}

/// Why a line is no question: what, where, which value, and the next step.
#[derive(Debug)]
struct LineError {
    place: String,
    message: String,
    help: String,
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}; {}", self.place, self.message, self.help)
    }
}

type Read<T> = Result<T, LineError>;

fn error(place: &str, message: impl Into<String>, help: impl Into<String>) -> LineError {
    LineError { place: place.to_owned(), message: message.into(), help: help.into() }
}

/// A question, with the policies it owns.
struct Question {
    request: Request,
    identity: Vec<Policy>,
    boundary: Option<Vec<Policy>>,
    session: Option<Vec<Policy>>,
    service_control: Vec<Vec<Policy>>,
    resource: Option<Policy>,
    restrict_public_buckets: RestrictPublicBuckets,
}

impl Question {
    fn policies(&self) -> Policies<'_> {
        Policies {
            identity: &self.identity,
            boundary: self.boundary.as_deref(),
            session: self.session.as_deref(),
            service_control: &self.service_control,
            resource: self.resource.as_ref(),
            restrict_public_buckets: self.restrict_public_buckets,
        }
    }
}

/// The members of an object at a place, all of whose names are known.
struct Fields<'a> {
    place: &'a str,
    members: &'a [Member],
}

impl<'a> Fields<'a> {
    fn of(node: &'a Node, place: &'a str, known: &[&str]) -> Read<Self> {
        let Some(members) = node.members() else {
            return Err(error(place, format!("holds {}", node.kind()), "write an object"));
        };
        if let Some(member) = members.iter().find(|member| !known.contains(&member.key.as_str())) {
            return Err(error(
                place,
                format!("has no field `{}`", member.key),
                format!("use {}", known.join(", ")),
            ));
        }
        Ok(Self { place, members })
    }

    /// The value of a field; null counts as absent.
    fn find(&self, key: &str) -> Option<&'a Node> {
        let found = self.members.iter().find(|member| member.key == key)?;
        (found.node.value != Value::Null).then_some(&found.node)
    }

    fn require(&self, key: &str) -> Read<&'a Node> {
        self.find(key)
            .ok_or_else(|| error(self.place, format!("the field `{key}` is missing"), format!("add `{key}`")))
    }

    fn text(&self, key: &str) -> Read<Option<&'a str>> {
        match self.find(key) {
            None => Ok(None),
            Some(Node { value: Value::Text(text), .. }) => Ok(Some(text)),
            Some(node) => {
                Err(error(self.place, format!("the field `{key}` holds {}", node.kind()), "write a string"))
            }
        }
    }

    fn require_text(&self, key: &str) -> Read<&'a str> {
        self.require(key)?;
        Ok(self.text(key)?.unwrap_or_default())
    }

    fn flag(&self, key: &str) -> Read<bool> {
        match self.find(key) {
            None => Ok(false),
            Some(Node { value: Value::Bool(flag), .. }) => Ok(*flag),
            Some(node) => Err(error(
                self.place,
                format!("the field `{key}` holds {}", node.kind()),
                "write true or false",
            )),
        }
    }

    fn account(&self, key: &str) -> Read<Option<AccountId>> {
        self.text(key)?
            .map(|text| {
                AccountId::new(text).map_err(|cause| {
                    error(self.place, format!("the field `{key}`: {cause}"), "write 12 digits")
                })
            })
            .transpose()
    }

    fn require_account(&self, key: &str) -> Read<AccountId> {
        self.require(key)?;
        self.account(key)?
            .ok_or_else(|| error(self.place, format!("the field `{key}` is missing"), "write 12 digits"))
    }

    fn require_arn(&self, key: &str) -> Read<Arn> {
        Arn::new(self.require_text(key)?)
            .map_err(|cause| error(self.place, format!("the field `{key}`: {cause}"), "write the whole ARN"))
    }
}

struct Reader<'a> {
    line: &'a str,
}

impl Reader<'_> {
    fn question(&self, root: &Node) -> Read<Question> {
        let mut known = vec!["id", "request", "policies", "settings"];
        known.extend(JUDGES_FIELDS);
        let fields = Fields::of(root, "line", &known)?;
        let request = Self::request(fields.require("request")?)?;
        let mut question = Question {
            request,
            identity: Vec::new(),
            boundary: None,
            session: None,
            service_control: Vec::new(),
            resource: None,
            restrict_public_buckets: RestrictPublicBuckets::Off,
        };
        if let Some(node) = fields.find("policies") {
            self.policies(node, &mut question)?;
        }
        if let Some(node) = fields.find("settings") {
            question.restrict_public_buckets = Self::settings(node)?;
        }
        Ok(question)
    }

    fn request(node: &Node) -> Read<Request> {
        let fields = Fields::of(node, "request", &["principal", "action", "resource", "context"])?;
        let action = fields.require_text("action")?;
        if !action.split_once(':').is_some_and(|(service, name)| !service.is_empty() && !name.is_empty()) {
            return Err(error(
                "request.action",
                format!("`{action}` is not an action"),
                "write `service:Action`",
            ));
        }
        let resource = Fields::of(fields.require("resource")?, "request.resource", &["arn", "account"])?;
        let arn = resource.require_text("arn")?;
        if arn != "*" {
            resource.require_arn("arn")?;
        }
        let resource = Resource { arn: arn.to_owned(), account: resource.account("account")? };
        let mut context = Context::new();
        if let Some(node) = fields.find("context") {
            Self::context(node, &mut context)?;
        }
        let principal = Self::principal(fields.require("principal")?, &mut context)?;
        Ok(Request { principal, action: action.to_owned(), resource, context })
    }

    fn principal(node: &Node, context: &mut Context) -> Read<Principal> {
        let place = "request.principal";
        let fields =
            Fields::of(node, place, &["type", "arn", "account", "roleArn", "service", "canonicalUserId"])?;
        if let Some(id) = fields.text("canonicalUserId")? {
            context.set_canonical_user_id(id);
        }
        match fields.require_text("type")? {
            "User" => Ok(Principal::User {
                arn: fields.require_arn("arn")?,
                account: fields.require_account("account")?,
            }),
            "AssumedRole" => Ok(Principal::AssumedRole {
                session_arn: fields.require_arn("arn")?,
                role_arn: fields.require_arn("roleArn")?,
                account: fields.require_account("account")?,
            }),
            "Root" => Ok(Principal::Root {
                arn: fields.require_arn("arn")?,
                account: fields.require_account("account")?,
            }),
            "Service" => Ok(Principal::Service { name: fields.require_text("service")?.to_owned() }),
            "Anonymous" => Ok(Principal::Anonymous),
            other => Err(error(
                place,
                format!("`{other}` is not a type of principal"),
                "use User, AssumedRole, Root, Service or Anonymous",
            )),
        }
    }

    fn context(node: &Node, context: &mut Context) -> Read<()> {
        let place = "request.context";
        let Some(members) = node.members() else {
            return Err(error(place, format!("holds {}", node.kind()), "write an object of condition keys"));
        };
        // As everywhere else in a question, null counts as absent.
        for member in members.iter().filter(|member| member.node.value != Value::Null) {
            if context.get(&member.key).is_some() {
                return Err(error(
                    place,
                    format!("the key `{}` occurs twice, in different case", member.key),
                    "condition keys compare without regard to case; keep one",
                ));
            }
            let text = |node: &Node| {
                node.scalar_text().map(ToOwned::to_owned).ok_or_else(|| {
                    error(
                        place,
                        format!("the key `{}` holds {}", member.key, node.kind()),
                        "write a string or a list of strings",
                    )
                })
            };
            if let Value::List(items) = &member.node.value {
                let values = items.iter().map(text).collect::<Read<Vec<_>>>()?;
                context.set_many(member.key.as_str(), values);
            } else {
                context.set(member.key.as_str(), text(&member.node)?);
            }
        }
        Ok(())
    }

    fn policies(&self, node: &Node, question: &mut Question) -> Read<()> {
        let known = ["identity", "resource", "permissionsBoundary", "session", "scps"];
        let fields = Fields::of(node, "policies", &known)?;
        if let Some(node) = fields.find("identity") {
            question.identity = self.list(node, "policies.identity", PolicyKind::Identity)?;
        }
        if let Some(node) = fields.find("permissionsBoundary") {
            question.boundary =
                Some(self.list(node, "policies.permissionsBoundary", PolicyKind::Boundary)?);
        }
        if let Some(node) = fields.find("session") {
            question.session = Some(self.list(node, "policies.session", PolicyKind::Session)?);
        }
        if let Some(node) = fields.find("scps") {
            let Value::List(levels) = &node.value else {
                return Err(error(
                    "policies.scps",
                    format!("holds {}", node.kind()),
                    "write a list of levels",
                ));
            };
            for (index, level) in levels.iter().enumerate() {
                let place = format!("policies.scps[{index}]");
                question.service_control.push(self.list(level, &place, PolicyKind::ServiceControl)?);
            }
        }
        if let Some(node) = fields.find("resource") {
            let request = &question.request;
            let Some(kind) = Subject::new(request, Bounded::No).resource_policy_kind() else {
                return Err(error(
                    "policies.resource",
                    format!("resource policies of `{}` are not supported", request.service()),
                    "ask about s3, sts, kms or sns",
                ));
            };
            let name = resource_name(kind, &request.resource.arn);
            question.resource =
                Some(self.policy(node, "policies.resource", PolicySource::new(kind, name))?);
        }
        Ok(())
    }

    fn list(&self, node: &Node, place: &str, kind: PolicyKind) -> Read<Vec<Policy>> {
        node.one_or_many()
            .iter()
            .enumerate()
            .map(|(index, node)| {
                let place = format!("{place}[{index}]");
                self.policy(node, &place, PolicySource::new(kind, (index + 1).to_string()))
            })
            .collect()
    }

    /// A policy as an object, of which the source text is parsed, or as a string of JSON.
    fn policy(&self, node: &Node, place: &str, source: PolicySource) -> Read<Policy> {
        let text = match &node.value {
            Value::Text(text) => text,
            Value::Object(_) => self.line.get(node.span.0..node.span.1).unwrap_or(""),
            _ => {
                return Err(error(
                    place,
                    format!("holds {}", node.kind()),
                    "write a policy as an object or a string",
                ));
            }
        };
        Policy::parse(text, source)
            .map_err(|cause: PolicyError| error(place, cause.to_string(), cause.help()))
    }

    /// Of the Block Public Access settings only RestrictPublicBuckets concerns a decision by policies; the others
    /// rule over the writing of policies and over ACLs.
    fn settings(node: &Node) -> Read<RestrictPublicBuckets> {
        let known = ["restrictPublicBuckets", "blockPublicPolicy", "blockPublicAcls", "ignorePublicAcls"];
        let fields = Fields::of(node, "settings", &known)?;
        for key in known {
            fields.flag(key)?;
        }
        Ok(if fields.flag("restrictPublicBuckets")? {
            RestrictPublicBuckets::On
        } else {
            RestrictPublicBuckets::Off
        })
    }
}

/// The name under which a trace shows the policy of a resource.
fn resource_name(kind: PolicyKind, arn: &str) -> String {
    let resource = crate::arn::segments(arn).map_or(arn, |[_, _, _, _, _, resource]| resource);
    let name = match kind {
        PolicyKind::Bucket => resource.split('/').next().unwrap_or(resource),
        _ => resource.rsplit('/').next().unwrap_or(resource),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests;
