//! The texts of rows with the names that a run gives, and which of them AWS stores.

use super::super::row::{OWNER, PARTNER, Row};
use super::caller::Caller;
pub(super) use crate::checks::exchanges::encoded;

/// The text with the names that this run gives.
pub(super) fn renamed(text: &str) -> String {
    let marked = format!("{text}\"");
    let renamed = ["/", "\""]
        .iter()
        .fold(marked, |text, end| text.replace(&format!(":::b{end}"), &format!(":::{{other}}{end}")));
    let renamed = renamed.strip_suffix('"').unwrap_or_default();
    renamed
        .replace("arn:aws:sns:eu-west-1:", "arn:aws:sns:{region}:")
        .replace(":events\"", ":{name}\"")
        .replace("user/eng/bob", "user/eng/{name}-bob")
        .replace("role/vendor", "role/{name}-vendor")
        .replace(OWNER, "{account}")
        .replace(PARTNER, "{their-account}")
        .replace("alice", "{name}")
        .replace("loader", "{name}-role")
}

/// A policy of these statements, of the row's version.
pub(super) fn document<'a>(row: &Row, statements: impl IntoIterator<Item = &'a String>) -> String {
    let version = match row.version.as_str() {
        "" => String::new(),
        version => format!("\"Version\":\"{version}\","),
    };
    let statements: Vec<String> = statements.into_iter().map(|one| with_canonical_user(one, row)).collect();
    renamed(&format!("{{{version}\"Statement\":[{}]}}", statements.join(",")))
}

/// The caller's canonical user id is another one in each run.
fn with_canonical_user(statement: &str, row: &Row) -> String {
    match &row.canonical_user {
        Some(id) => statement.replace(id.as_str(), "{theirs}"),
        None => statement.to_owned(),
    }
}

/// What AWS stores and every endpoint decides alike: nothing of a third account, of principals that nobody made, or of
/// names that this run does not have.
pub(super) fn is_storable(statement: &str, row: &Row, caller: Caller) -> bool {
    let elsewhere = if caller.is_partner { OWNER } else { PARTNER };
    // Users and roles are made where the caller is.
    let made = [":user/", ":role/svc/", ":assumed-role/"];
    if made.iter().any(|kind| statement.contains(&format!("{elsewhere}{kind}"))) {
        return false;
    }
    // AWS advises against it under Allow, and refuses it in some policies.
    if statement.contains("NotPrincipal") && !statement.contains("\"Deny\"") {
        return false;
    }
    let is_trust = row.service() == "sts";
    let statement = with_canonical_user(statement, row);
    let strange = [
        "aws-cn",
        "aws-us-gov",
        "333333333333",
        "Federated",
        "federated-user",
        "Alice",
        "ALICE",
        "\"AIDA",
        "\"AROA",
    ];
    if strange.iter().any(|part| statement.contains(part))
        || statement.contains("CanonicalUser") && !statement.contains("{theirs}")
        || statement.contains("\"Service\"") && !is_trust
        || row.service() == "sns" && is_of_another_topic(&statement)
    {
        return false;
    }
    let known =
        ["user/eng/alice", "user/eng/bob", "role/svc/loader", "assumed-role/loader/job-7", "role/vendor"];
    let without_known = known.iter().fold(statement, |text, name| text.replace(name, ""));
    !["user/", "role/", "\"bob"].iter().any(|kind| without_known.contains(kind))
}

/// Whether a pattern has region, account or name of a topic in parts, which a run names otherwise.
fn is_of_another_topic(statement: &str) -> bool {
    let whole = statement.replace("arn:aws:sns:eu-west-1:", "").replace(OWNER, "");
    ["eu-", "us-", "1111", "ev*", "eu*", "e*t"].iter().any(|part| whole.contains(part))
}
