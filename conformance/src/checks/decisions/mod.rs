//! The decision tables as checks: a row is a check, put to the core itself, and an operator is a check of all its forms.

mod change;
mod operator;
mod row;
mod wire;

use std::sync::Arc;

use bucketproof_authz::{Decision, Reason, ResourceAllow};
use bucketproof_fixtures::decisions::{DECISIONS, OPERATORS};

pub use change::DecisionChange;

use self::row::{Row, Table};
use super::READ_ON;
use crate::check::{Area, Capability, Check, Level, Run, Source};
use crate::context::CheckContext;
use crate::falsifier::Falsifier;
use crate::inventory::InvalidInventory;
use crate::outcome::Conclusion;
use crate::step::step;

/// A check per row of every table, and per condition operator.
pub(super) fn checks() -> Result<Vec<Check>, InvalidInventory> {
    let broken = |file: &str, error: toml::de::Error| InvalidInventory::BrokenTable {
        file: file.to_owned(),
        message: error.to_string(),
    };
    let mut checks = Vec::new();
    for table in DECISIONS {
        let Table { decision } = toml::from_str(table.text).map_err(|error| broken(table.file, error))?;
        // Over the wire as well, where requests can bring the row about.
        checks.extend(decision.iter().filter_map(wire::check));
        checks.extend(decision.into_iter().map(check));
    }
    let operators = toml::from_str(OPERATORS.text).map_err(|error| broken(OPERATORS.file, error))?;
    checks.extend(operator::checks(operators));
    Ok(checks)
}

fn check(row: Row) -> Check {
    let (area, prefix) = area(&row);
    let mut detail = row.facts();
    detail.push(format!("expected: {}, by the rule `{}`", row.expect, row.reason));
    let title = format!("{}: {} asks for {}, {}", words(&row.id), row.caller, row.action, settled(&row));
    let id = format!("{prefix}.decision.{}", row.id).into();
    let sources = vec![source(&row.source)];
    let level = level(&sources);
    let falsified_by = Falsifier::Decision(falsifier(&row));
    let row = Arc::new(row);
    Check {
        id,
        title: title.into(),
        level,
        area,
        sources,
        needs: vec![Capability::DecisionCore],
        detail,
        proves: None,
        falsified_by,
        run: Run::new(move |context| std::future::ready(run(&context, &row))),
    }
}

/// The area of a row and the first part of its id: the service that is asked, and for S3 whose policies have a say.
fn area(row: &Row) -> (Area, &'static str) {
    match row.service().as_str() {
        "sts" => (Area::Sts, "sts"),
        "kms" => (Area::Kms, "kms"),
        "sns" => (Area::Sns, "sns"),
        _ if row.has_acls() => (Area::S3Acl, "s3.acl"),
        _ if row.has_resource_policy() => (Area::S3Policy, "s3.policy"),
        _ => (Area::Iam, "iam"),
    }
}

/// An id as words.
fn words(id: &str) -> String {
    id.replace('-', " ")
}

/// The answer as words.
fn settled(row: &Row) -> String {
    let outcome = match row.expect.as_str() {
        "Allowed" => "allowed",
        "ExplicitlyDenied" => "denied by a statement",
        _ => "not allowed",
    };
    format!("{outcome} ({})", row.reason.replace('_', " "))
}

/// The source of a row, whose abbreviations stand for titles.
fn source(text: &str) -> Source {
    if let Some(why) = text.strip_prefix("unverified: ") {
        return Source::unverified(why.to_owned());
    }
    if text.starts_with("recorded") {
        return Source::recorded(text.to_owned());
    }
    let titles = [(" UG", " User Guide"), (" DG", " Developer Guide"), (" API", " API Reference")];
    let title = titles.into_iter().find_map(|(short, long)| {
        let (service, rest) = text.split_once(short)?;
        let is_title = !service.contains([',', ':']) && rest.starts_with([',', ':']);
        is_title.then(|| format!("{service}{long}{rest}"))
    });
    Source::aws(title.unwrap_or_else(|| text.to_owned()), READ_ON)
}

/// What nobody states is a guess that AWS is consistent.
fn level(sources: &[Source]) -> Level {
    if sources.iter().all(|source| matches!(source, Source::Unverified { .. })) {
        Level::Should
    } else {
        Level::Must
    }
}

fn falsifier(row: &Row) -> DecisionChange {
    match (row.expect.as_str(), row.reason.as_str()) {
        (_, reason) if reason.starts_with("explicit_deny") => DecisionChange::DeniesIgnored,
        ("Allowed", reason) if reason.starts_with("allowed_by") => DecisionChange::AllowsIgnored,
        ("Allowed", _) => DecisionChange::CallerIgnored,
        _ => DecisionChange::PoliciesIgnored,
    }
}

fn run(context: &CheckContext, row: &Row) -> Conclusion {
    let asked = step("ask the decision core");
    let decision = match context.falsifier() {
        Some(Falsifier::Decision(change)) => asked.works(row.changed(*change).decide())?,
        _ => asked.works(row.decide())?,
    };
    let expected = format!("{} ({})", row.expect, row.reason);
    let actual = format!("{} ({})", decision.outcome().as_str(), asked.works(reason(&decision))?);
    if actual != expected {
        return Err(asked.failure(expected, actual).trace(decision.explain()).into());
    }
    let is_allowed = row.expect == "Allowed";
    step("only a refusal has words").equal(&is_allowed, &decision.aws_message().is_empty())
}

/// The reason as the tables write it: the stable name of the rule, and which policy settled it.
fn reason(decision: &Decision) -> Result<String, serde_json::Error> {
    let reason = decision.reason();
    let json = serde_json::to_value(reason)?;
    let text = |pointer: &str| json.pointer(pointer).and_then(serde_json::Value::as_str).unwrap_or_default();
    let detail = match reason {
        Reason::AllowedBy { identity, resource } => match (identity, resource) {
            (Some(_), None) => " identity".to_owned(),
            (None, Some(ResourceAllow::Statement(_))) => " resource".to_owned(),
            (Some(_), Some(ResourceAllow::Statement(_))) => " both".to_owned(),
            (None, Some(ResourceAllow::Acl(found))) => format!(" {} acl", found.acl.as_str()),
            (Some(_), Some(ResourceAllow::Acl(found))) => format!(" identity and {} acl", found.acl.as_str()),
            (None, Some(ResourceAllow::KmsGrant(_))) => " kms grant".to_owned(),
            (Some(_), Some(ResourceAllow::KmsGrant(_))) => " identity and kms grant".to_owned(),
            (None, None) => " nothing".to_owned(),
        },
        Reason::ExplicitDeny { .. } => format!(" {}", text("/statement/policy_kind")),
        Reason::NoAllow { .. } => format!(" {}", text("/class")),
        Reason::NoServiceControlAllow { level } => format!(" {level}"),
        _ => String::new(),
    };
    Ok(format!("{}{detail}", text("/kind")))
}
