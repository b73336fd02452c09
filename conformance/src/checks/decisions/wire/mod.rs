//! The rows of the decision tables once more, over the wire: users, roles, tags, policies, ACLs and topics are made by
//! requests, and the request of the row is answered as the row says. What no request can bring about stays with the
//! core alone, and so does a policy that would lock its own maker out.

mod asked;
mod bucket;
mod caller;
mod given;
mod text;

use bucketproof_emulator::Fault;
use http::StatusCode;

use self::asked::Asked;
use self::caller::{Caller, Kind};
use self::given::Given;
use super::row::Row;
use super::{area, level, settled, source, words};
use crate::check::{Capability, Check};
use crate::checks::exchanges::scripted;
use crate::falsifier::Falsifier;

/// The row as a check over the wire; absent if no request can bring it about.
pub(super) fn check(row: &Row) -> Option<Check> {
    let caller = Caller::of(row)?;
    let given = Given::of(row, caller)?;
    let asked = Asked::of(row, &given)?;
    if is_beyond_requests(row, caller) {
        return None;
    }
    let script = script(row, caller, &given, &asked)?;
    let (area, prefix) = area(row);
    let mut detail = row.facts();
    detail.push(format!("expected: {}", row.expect));
    let sources = vec![source(&row.source)];
    let fault = Fault::on(asked.op).skip(script.earlier(&asked.line));
    let fault = if row.expect == "Allowed" {
        fault.refuse(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied")
    } else {
        fault.status(StatusCode::OK)
    };
    let text = script.finished(caller, row, &asked);
    Some(Check {
        id: format!("{prefix}.wire.{}", row.id).into(),
        title: format!(
            "over the wire, {}: {} asks for {}, {}",
            words(&row.id),
            row.caller,
            row.action,
            settled(row)
        )
        .into(),
        level: level(&sources),
        area,
        sources,
        needs: needs(row, caller, &asked, &text),
        detail,
        proves: None,
        falsified_by: Falsifier::Fault(fault),
        run: scripted(text),
    })
}

fn needs(row: &Row, caller: Caller, asked: &Asked, text: &str) -> Vec<Capability> {
    let mut needs = vec![Capability::PolicyEnforcement, Capability::Sts];
    if caller.kind != Kind::Anonymous {
        needs.push(Capability::Iam);
    }
    if text.contains("?policy") {
        needs.push(Capability::BucketPolicy);
    }
    if text.contains("stranger ") {
        needs.push(Capability::SecondAccount);
    }
    if row.has_acls() {
        needs.push(Capability::Acl);
    }
    needs.extend(asked.need);
    needs
}

/// Whether a row speaks of what requests do not make.
fn is_beyond_requests(row: &Row, caller: Caller) -> bool {
    let is_empty = |list: &Option<Vec<String>>| list.as_ref().is_some_and(Vec::is_empty);
    row.speaks_of_more_than_policies()
        || !row.scp.is_empty()
        || is_empty(&row.boundary)
        || is_empty(&row.session)
        || row.session.is_some() && caller.kind != Kind::Session
        || (row.boundary.is_some() || !row.identity.is_empty() || row.condition.is_some())
            && caller.kind == Kind::Anonymous
        || row.statements().any(|statement| !text::is_storable(statement, row, caller))
        || row.service() == "s3" && bucket::is_beyond_requests(row)
}

/// What is done before the request of the row, and what takes it away afterwards, last made first gone.
#[derive(Default)]
struct Script {
    steps: String,
    finally: Vec<String>,
}

impl Script {
    fn step(&mut self, lines: &[&str]) {
        for line in lines {
            self.steps.push_str(line);
            self.steps.push('\n');
        }
    }

    fn finally(&mut self, lines: &[&str]) {
        self.finally.push(lines.join("\n"));
    }

    /// How many of the requests so far are of the same operation.
    fn earlier(&self, line: &str) -> u64 {
        let wanted = shape(line);
        self.steps.lines().filter(|line| shape(line) == wanted).map(|_| 1).sum()
    }

    fn finished(mut self, caller: Caller, row: &Row, asked: &Asked) -> String {
        self.steps = format!("{}{}{}\n", self.steps, caller.asks(), asked.line);
        for field in &asked.fields {
            self.step(&[field]);
        }
        if row.expect != "Allowed" {
            self.step(&[&format!("= 403 {}", asked.refusal)]);
        } else if asked.is_of_nothing {
            // Who may list the bucket may know that the key is missing.
            self.step(&["= 404"]);
        }
        self.finally.reverse();
        format!("{}finally\n{}\n", self.steps, self.finally.join("\n"))
    }
}

/// What tells the operation of a line: the method, whether it is about an object, and what of it.
fn shape(line: &str) -> String {
    let who = ["stranger ", "nobody ", "@user ", "@session "];
    let line = who.iter().find_map(|who| line.strip_prefix(who)).unwrap_or(line);
    let (verb, target) = line.split_once(' ').unwrap_or((line, ""));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = query.split(['=', '&']).next().unwrap_or_default();
    let path = if path.starts_with("/{other}/") { "an object" } else { path };
    format!("{verb} {path} {query}")
}

fn script(row: &Row, caller: Caller, given: &Given, asked: &Asked) -> Option<Script> {
    let mut script = Script::default();
    script.step(&["STS GetCallerIdentity", "save account xml Account"]);
    let speaks_of_partner = row.statements().any(|statement| statement.contains("222222222222"))
        || row.grants().any(|grant| grant.ends_with(" partner"))
        || row.object_owner.is_some();
    if caller.is_partner || speaks_of_partner {
        script.step(&["stranger STS GetCallerIdentity", "save their-account xml Account"]);
    }
    if row.has_acls() || row.canonical_user.is_some() {
        script.step(&["GET /", "save mine xml ID"]);
        if caller.is_partner || speaks_of_partner || row.canonical_user.is_some() {
            script.step(&["stranger GET /", "save theirs xml ID"]);
        }
    }
    caller.make(&mut script, row, given);
    match row.service().as_str() {
        "s3" => bucket::make(&mut script, row, asked)?,
        "sts" => make_vendors_role(&mut script, row),
        "sns" => make_topic(&mut script, row),
        _ => return None,
    }
    caller.begin_session(&mut script, row);
    Some(script)
}

/// The role that is assumed, in the first account.
fn make_vendors_role(script: &mut Script, row: &Row) {
    let Some(statements) = &row.resource_policy else { return };
    let trust = text::document(row, statements);
    script.step(&[
        "IAM CreateRole",
        "RoleName: {name}-vendor",
        &format!("AssumeRolePolicyDocument: {trust}"),
        "save vendor xml Arn",
    ]);
    script.finally(&["IAM DeleteRole", "RoleName: {name}-vendor"]);
}

/// The topic that is published to, in the first account.
fn make_topic(script: &mut Script, row: &Row) {
    script.step(&["SNS CreateTopic", "Name: {name}", "save topic xml TopicArn"]);
    script.finally(&["SNS DeleteTopic", "TopicArn: {topic}"]);
    if let Some(statements) = &row.resource_policy {
        let policy = text::document(row, statements);
        script.step(&[
            "SNS SetTopicAttributes",
            "TopicArn: {topic}",
            "AttributeName: Policy",
            &format!("AttributeValue: {policy}"),
        ]);
    }
}

#[cfg(test)]
mod tests;
