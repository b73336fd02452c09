//! The rows of the decision tables once more, over the wire: users, roles and policies are made by requests, and the
//! request of the row is answered as the row says. What no request can bring about stays with the core alone.

use std::fmt::Write as _;

use bucketproof_emulator::{Fault, Op};
use http::StatusCode;

use super::row::Row;
use super::{area, level, settled, source, words};
use crate::check::{Capability, Check};
use crate::checks::exchanges::scripted;
use crate::falsifier::Falsifier;

/// Who asks, as far as requests can make them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caller {
    Anonymous,
    User { is_partner: bool },
    Session { is_partner: bool },
}

/// An operation that asks for an action, and the request for it.
struct Asked {
    op: Op,
    method: &'static str,
    target: &'static str,
}

/// The row as a check over the wire; absent if no request can bring it about.
pub(super) fn check(row: &Row) -> Option<Check> {
    let caller = caller(row)?;
    let asked = asked(row)?;
    if is_beyond_requests(row, caller) {
        return None;
    }
    let text = script(row, caller, &asked);
    let (area, prefix) = area(row);
    let mut detail = row.facts();
    detail.push(format!("expected: {}", row.expect));
    let sources = vec![source(&row.source)];
    let fault = Fault::on(asked.op);
    let fault = if row.expect == "Allowed" {
        fault.refuse(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied")
    } else {
        fault.status(StatusCode::OK)
    };
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
        needs: needs(row, caller, &text),
        detail,
        proves: None,
        falsified_by: Falsifier::Fault(fault),
        run: scripted(text),
    })
}

fn needs(row: &Row, caller: Caller, text: &str) -> Vec<Capability> {
    let mut needs = vec![Capability::PolicyEnforcement, Capability::Iam, Capability::Sts];
    if row.resource_policy.is_some() {
        needs.push(Capability::BucketPolicy);
    }
    if text.contains("{their-account}") {
        needs.push(Capability::SecondAccount);
    }
    if caller == Caller::Anonymous {
        needs.retain(|need| *need != Capability::Iam);
    }
    needs
}

fn caller(row: &Row) -> Option<Caller> {
    match row.caller.as_str() {
        "anonymous" => Some(Caller::Anonymous),
        "user" => Some(Caller::User { is_partner: false }),
        "partner-user" => Some(Caller::User { is_partner: true }),
        "session" => Some(Caller::Session { is_partner: false }),
        "partner-session" => Some(Caller::Session { is_partner: true }),
        _ => None,
    }
}

fn asked(row: &Row) -> Option<Asked> {
    let of = |op, method, target| Some(Asked { op, method, target });
    let is_object = row.resource == "arn:aws:s3:::b/k";
    let is_bucket = row.resource == "arn:aws:s3:::b";
    match row.action.to_lowercase().as_str() {
        "s3:getobject" if is_object => of(Op::GetObject, "GET", "/{other}/k"),
        "s3:getobjectversion" if is_object => of(Op::GetObject, "GET", "/{other}/k?versionId=null"),
        "s3:getobjectacl" if is_object => of(Op::GetObjectAcl, "GET", "/{other}/k?acl"),
        "s3:putobject" if is_object => of(Op::PutObject, "PUT", "/{other}/k"),
        "s3:deleteobject" if is_object => of(Op::DeleteObject, "DELETE", "/{other}/k"),
        "s3:listbucket" if is_bucket && row.context.is_empty() => {
            of(Op::ListObjectsV2, "GET", "/{other}?list-type=2")
        }
        "s3:getbucketpolicy" if is_bucket => of(Op::GetBucketPolicy, "GET", "/{other}?policy"),
        "s3:listallmybuckets" => of(Op::ListBuckets, "GET", "/"),
        _ => None,
    }
}

/// Whether a row speaks of what requests do not make.
fn is_beyond_requests(row: &Row, caller: Caller) -> bool {
    let is_empty = |list: &Option<Vec<String>>| list.as_ref().is_some_and(Vec::is_empty);
    let is_session = matches!(caller, Caller::Session { .. });
    row.has_acls()
        || row.speaks_of_more_than_policies()
        || !row.scp.is_empty()
        || !row.context.is_empty()
        || row.condition.is_some()
        || row.restrict_public_buckets
        || row.version != "2012-10-17"
        || is_empty(&row.boundary)
        || is_empty(&row.session)
        || row.session.is_some() && !is_session
        || (row.boundary.is_some() || !row.identity.is_empty()) && caller == Caller::Anonymous
        || row.statements().any(|statement| !is_storable(statement, caller))
}

/// What AWS stores and every endpoint decides alike: nothing of a third account, of services, of principals that nobody
/// made, and no condition, whose values the requests of a suite do not have in their hands.
fn is_storable(statement: &str, caller: Caller) -> bool {
    let is_partner =
        matches!(caller, Caller::User { is_partner: true } | Caller::Session { is_partner: true });
    let elsewhere = if is_partner { "111111111111" } else { "222222222222" };
    // Users and roles are made where the caller is.
    if [":user/", ":role/", ":assumed-role/"]
        .iter()
        .any(|kind| statement.contains(&format!("{elsewhere}{kind}")))
    {
        return false;
    }
    let strange = [
        "NotPrincipal",
        "aws-cn",
        "aws-us-gov",
        "333333333333",
        "Condition",
        "Service",
        "Federated",
        "CanonicalUser",
        "federated-user",
        "bob",
        "${",
    ];
    let without_makers = statement
        .replace("user/eng/alice", "")
        .replace("role/svc/loader", "")
        .replace("assumed-role/loader/job-7", "");
    let names_others = ["user/", "role/", "assumed-role/"].iter().any(|kind| without_makers.contains(kind));
    !strange.iter().any(|part| statement.contains(part)) && !names_others
}

/// The text with the names that this run gives.
fn renamed(text: &str) -> String {
    let marked = format!("{text}\"");
    let renamed = ["/", "\""]
        .iter()
        .fold(marked, |text, end| text.replace(&format!(":::b{end}"), &format!(":::{{other}}{end}")));
    let renamed = renamed.strip_suffix('"').unwrap_or_default();
    renamed
        .replace("111111111111", "{account}")
        .replace("222222222222", "{their-account}")
        .replace("alice", "{name}")
        .replace("loader", "{name}-role")
}

fn document<'a>(statements: impl IntoIterator<Item = &'a String>) -> String {
    let statements: Vec<&str> = statements.into_iter().map(String::as_str).collect();
    renamed(&format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{}]}}", statements.join(",")))
}

fn script(row: &Row, caller: Caller, asked: &Asked) -> String {
    let mut text = String::from("STS GetCallerIdentity\nsave account xml Account\n");
    let mut finally = String::from("finally\n");
    let is_partner =
        matches!(caller, Caller::User { is_partner: true } | Caller::Session { is_partner: true });
    let speaks_of_partner =
        is_partner || row.statements().any(|statement| statement.contains("222222222222"));
    if speaks_of_partner {
        text.push_str("stranger STS GetCallerIdentity\nsave their-account xml Account\n");
    }
    let whose = if is_partner { "stranger " } else { "" };
    let who = match caller {
        Caller::Anonymous => "nobody ",
        Caller::User { .. } => "@user ",
        Caller::Session { .. } => "@session ",
    };
    if caller != Caller::Anonymous {
        make_user(&mut text, &mut finally, whose);
    }
    match caller {
        Caller::Anonymous => {}
        Caller::User { .. } => attach(&mut text, &mut finally, row, whose, "User", "{name}"),
        Caller::Session { .. } => {
            make_role(&mut text, &mut finally, whose);
            attach(&mut text, &mut finally, row, whose, "Role", "{name}-role");
        }
    }
    text.push_str("PUT /{other}\nPUT /{other}/k\n> data\n");
    if let Some(statements) = &row.resource_policy {
        let policy = document(statements);
        let _ =
            write!(text, "DELETE /{{other}}?publicAccessBlock\n= 204\nPUT /{{other}}?policy\n> {policy}\n");
    }
    if matches!(caller, Caller::Session { .. }) {
        text.push_str("@user STS AssumeRole\nRoleArn: {role}\nRoleSessionName: job-7\n");
        if let Some(statements) = &row.session {
            let _ = writeln!(text, "Policy: {}", document(statements));
        }
        text.push_str(
            "save session.id xml AccessKeyId\nsave session.secret xml SecretAccessKey\nsave session.token xml SessionToken\n",
        );
    }
    let _ = writeln!(text, "{who}{} {}", asked.method, asked.target);
    if row.expect != "Allowed" {
        text.push_str("= 403 AccessDenied\n");
    }
    text + &finally
}

fn make_user(text: &mut String, finally: &mut String, whose: &str) {
    let _ = write!(
        text,
        "{whose}IAM CreateUser\nUserName: {{name}}\nPath: /eng/\nsave user-arn xml Arn\n\
         {whose}IAM CreateAccessKey\nUserName: {{name}}\nsave user.id xml AccessKeyId\n\
         save user.secret xml SecretAccessKey\n"
    );
    // What was made last goes first.
    *finally = finally.replacen(
        "finally\n",
        &format!(
            "finally\n{whose}IAM DeleteAccessKey\nUserName: {{name}}\nAccessKeyId: {{user.id}}\n\
             {whose}IAM DeleteUser\nUserName: {{name}}\n"
        ),
        1,
    );
}

fn make_role(text: &mut String, finally: &mut String, whose: &str) {
    let trust = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"{user-arn}\"},\
                 \"Action\":\"sts:AssumeRole\"}]}";
    let _ = write!(
        text,
        "{whose}IAM CreateRole\nRoleName: {{name}}-role\nPath: /svc/\nAssumeRolePolicyDocument: {trust}\nsave role xml Arn\n"
    );
    *finally = finally.replacen(
        "finally\n",
        &format!("finally\n{whose}IAM DeleteRole\nRoleName: {{name}}-role\n"),
        1,
    );
}

/// Policies and boundary of a user or role.
fn attach(text: &mut String, finally: &mut String, row: &Row, whose: &str, kind: &str, name: &str) {
    for (number, statement) in row.identity.iter().enumerate() {
        let policy = document([statement]);
        let _ = write!(
            text,
            "{whose}IAM Put{kind}Policy\n{kind}Name: {name}\nPolicyName: own-{number}\nPolicyDocument: {policy}\n"
        );
        let cleaned =
            format!("finally\n{whose}IAM Delete{kind}Policy\n{kind}Name: {name}\nPolicyName: own-{number}\n");
        *finally = finally.replacen("finally\n", &cleaned, 1);
    }
    if let Some(statements) = &row.boundary {
        let policy = document(statements);
        let _ = write!(
            text,
            "{whose}IAM CreatePolicy\nPolicyName: {{name}}-boundary\nPolicyDocument: {policy}\nsave boundary xml Arn\n\
             {whose}IAM Put{kind}PermissionsBoundary\n{kind}Name: {name}\nPermissionsBoundary: {{boundary}}\n"
        );
        *finally = format!("{finally}{whose}IAM DeletePolicy\nPolicyArn: {{boundary}}\n");
    }
}
