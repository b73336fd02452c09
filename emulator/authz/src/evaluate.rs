//! `bucketproof-emulator evaluate`: one decision per line of JSON.

use std::fmt;

use serde_json::json;

use crate::context::Context;
use crate::decide::{Policies, decide};
use crate::ids::{PrincipalIds, UniqueId};
use crate::policy::json::{self, Node, Value};
use crate::policy::{Policy, PolicyError, PolicyKind, PolicySource};
use crate::principal::Principal;
use crate::request::{Request, Resource};
use crate::subject::{Bounded, Subject};

mod fields;
mod question;
mod resource;

use fields::{Fields, Read, error};
pub use question::question_of;
use resource::{Bucket, Key};

/// Fields that a collection of judged cases adds to a question. They are not part of it and are not read.
const JUDGES_FIELDS: [&str; 5] = ["expected", "category", "source", "why", "compare"];

const REQUEST_FIELDS: [&str; 5] = ["principal", "action", "resource", "context", "encryptionContext"];

const PRINCIPAL_FIELDS: [&str; 9] =
    ["type", "arn", "account", "roleArn", "userArn", "service", "provider", "canonicalUserId", "uniqueId"];

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

/// A question, with the policies it owns.
#[derive(Debug)]
pub struct Question {
    request: Request,
    identity: Vec<Policy>,
    boundary: Option<Vec<Policy>>,
    session: Option<Vec<Policy>>,
    service_control: Vec<Vec<Policy>>,
    resource: Option<Policy>,
    bucket: Bucket,
    key: Key,
}

/// Why a text is no question: what, where, which value, and the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionError(String);

impl fmt::Display for QuestionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for QuestionError {}

impl Question {
    /// Reads what [`evaluate_line`] answers.
    ///
    /// # Errors
    /// Says what is wrong, and where.
    pub fn read(text: &str) -> Result<Self, QuestionError> {
        let root = json::parse(text).map_err(|error| QuestionError(error.to_string()))?;
        Reader { line: text }.question(&root).map_err(|error| QuestionError(error.to_string()))
    }

    /// Who asks for what.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// What it is decided under.
    pub fn policies(&self) -> Policies<'_> {
        Policies {
            identity: &self.identity,
            boundary: self.boundary.as_deref(),
            session: self.session.as_deref(),
            service_control: &self.service_control,
            resource: self.resource.as_ref(),
            acls: self.bucket.acls(),
            public_access_block: self.bucket.public_access_block,
            kms_grants: self.key.grants(),
        }
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
            bucket: Bucket::default(),
            key: Key::default(),
        };
        if let Some(node) = fields.find("policies") {
            self.policies(node, &mut question)?;
        }
        if let Some(node) = fields.find("settings") {
            question.bucket.read_settings(node)?;
        }
        let request = Fields::of(fields.require("request")?, "request", &REQUEST_FIELDS)?;
        question.key.read_encryption_context(request.find("encryptionContext"), &question.request.context)?;
        Ok(question)
    }

    fn request(node: &Node) -> Read<Request> {
        let fields = Fields::of(node, "request", &REQUEST_FIELDS)?;
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
        let (principal, ids) = Self::principal(fields.require("principal")?)?;
        Ok(Request { principal, ids, action: action.to_owned(), resource, context })
    }

    fn principal(node: &Node) -> Read<(Principal, PrincipalIds)> {
        let place = "request.principal";
        let fields = Fields::of(node, place, &PRINCIPAL_FIELDS)?;
        let unique = fields.text("uniqueId")?.map(UniqueId::new).transpose();
        let ids = PrincipalIds {
            canonical_user: fields.text("canonicalUserId")?.map(Into::into),
            unique: unique.map_err(|cause| {
                error(place, format!("the field `uniqueId`: {cause}"), "write `AIDA…` or `AROA…`")
            })?,
        };
        let principal = match fields.require_text("type")? {
            "User" => Principal::User {
                arn: fields.require_arn("arn")?,
                account: fields.require_account("account")?,
            },
            "AssumedRole" => Principal::AssumedRole {
                session_arn: fields.require_arn("arn")?,
                role_arn: fields.require_arn("roleArn")?,
                account: fields.require_account("account")?,
            },
            "FederatedUser" => Principal::AssumedRole {
                session_arn: fields.require_arn("arn")?,
                role_arn: fields.require_arn("userArn")?,
                account: fields.require_account("account")?,
            },
            "Root" => Principal::Root {
                arn: fields.require_arn("arn")?,
                account: fields.require_account("account")?,
            },
            "Service" => Principal::Service { name: fields.require_text("service")?.to_owned() },
            "Federated" => Principal::Federated { provider: fields.require_text("provider")?.to_owned() },
            "Anonymous" => Principal::Anonymous,
            other => {
                return Err(error(
                    place,
                    format!("`{other}` is not a type of principal"),
                    "use User, AssumedRole, FederatedUser, Root, Service, Federated or Anonymous",
                ));
            }
        };
        Ok((principal, ids))
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
        let known = [
            "identity",
            "resource",
            "permissionsBoundary",
            "session",
            "scps",
            "bucketAcl",
            "objectAcl",
            "grants",
            "names",
        ];
        let fields = Fields::of(node, "policies", &known)?;
        let names = Names::read(fields.find("names"))?;
        question.bucket.read_acls(fields.find("bucketAcl"), fields.find("objectAcl"))?;
        question.key.read_grants(fields.find("grants"))?;
        if let Some(node) = fields.find("identity") {
            question.identity =
                self.list(node, "policies.identity", PolicyKind::Identity, &names.identity)?;
        }
        if let Some(node) = fields.find("permissionsBoundary") {
            question.boundary = Some(self.list(
                node,
                "policies.permissionsBoundary",
                PolicyKind::Boundary,
                &names.boundary,
            )?);
        }
        if let Some(node) = fields.find("session") {
            question.session =
                Some(self.list(node, "policies.session", PolicyKind::Session, &names.session)?);
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
                question.service_control.push(self.list(level, &place, PolicyKind::ServiceControl, &[])?);
            }
        }
        if let Some(node) = fields.find("resource") {
            let request = &question.request;
            let Some(kind) = Subject::new(request, Bounded::No).resource_policy_kind() else {
                return Err(error(
                    "policies.resource",
                    format!("resource policies of `{}` are not supported", request.service()),
                    "ask about s3, sts, kms, sns or sqs",
                ));
            };
            let name = names.resource.clone();
            let name = name.unwrap_or_else(|| resource_name(kind, &request.resource.arn));
            question.resource =
                Some(self.policy(node, "policies.resource", PolicySource::new(kind, name))?);
        }
        Ok(())
    }

    /// Policies without a name are called by their place.
    fn list(&self, node: &Node, place: &str, kind: PolicyKind, names: &[String]) -> Read<Vec<Policy>> {
        node.one_or_many()
            .iter()
            .enumerate()
            .map(|(index, node)| {
                let place = format!("{place}[{index}]");
                let name = names.get(index).cloned().unwrap_or_else(|| (index + 1).to_string());
                self.policy(node, &place, PolicySource::new(kind, name))
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
}

/// The names under which traces show the policies of a question.
#[derive(Default)]
struct Names {
    identity: Vec<String>,
    boundary: Vec<String>,
    session: Vec<String>,
    resource: Option<String>,
}

impl Names {
    fn read(node: Option<&Node>) -> Read<Self> {
        let Some(node) = node else { return Ok(Self::default()) };
        let place = "policies.names";
        let fields = Fields::of(node, place, &["identity", "permissionsBoundary", "session", "resource"])?;
        let list = |key: &str| {
            let nodes = fields.find(key).map(Node::one_or_many).unwrap_or_default();
            let name = |node: &Node| {
                node.scalar_text().map(ToOwned::to_owned).ok_or_else(|| {
                    error(place, format!("the field `{key}` holds {}", node.kind()), "write a list of names")
                })
            };
            nodes.iter().map(name).collect::<Read<Vec<_>>>()
        };
        Ok(Self {
            identity: list("identity")?,
            boundary: list("permissionsBoundary")?,
            session: list("session")?,
            resource: fields.text("resource")?.map(ToOwned::to_owned),
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
