//! Which policies Block Public Access calls public.
//!
//! Source: S3 User Guide, "The meaning of public". A policy is taken as public unless every `Allow` for everybody is
//! pinned to fixed values: no wildcard, no policy variable.

use crate::arn;

use super::condition::Condition;
use super::document::Effect;
use super::operator::{Comparison, Quantifier};
use super::principal::NamedPrincipal;
use super::statement::Statement;

/// Keys that pin a statement down when a positive operator gives them fixed values.
const PINNING_KEYS: [&str; 14] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalservicename",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "s3:dataaccesspointaccount",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
];

pub(super) fn is_public(statements: &[Statement]) -> bool {
    statements.iter().any(|statement| {
        statement.effect == Effect::Allow && names_anyone(statement) && !statement.conditions.iter().any(pins)
    })
}

fn names_anyone(statement: &Statement) -> bool {
    statement.principal.as_ref().is_some_and(|element| {
        element.negated || element.entries.iter().any(|entry| entry.principal == NamedPrincipal::Anyone)
    })
}

fn pins(condition: &Condition) -> bool {
    let operator = condition.operator;
    // An absent key satisfies these, so they restrict nothing.
    if operator.negated || operator.if_exists || operator.quantifier == Quantifier::All {
        return false;
    }
    match condition.lower_key.as_str() {
        "aws:sourceip" => operator.comparison == Comparison::IpAddress && condition.has_fixed_values(),
        // `AROAEXAMPLEID:*` would admit every session of a role.
        "aws:userid" => is_text(operator.comparison) && condition.has_fixed_values(),
        // The name of the access point may be a wildcard as long as its account is fixed.
        "s3:dataaccesspointarn" => {
            is_text(operator.comparison)
                && condition.texts.iter().all(|text| {
                    arn::segments(text).is_some_and(|[_, _, _, _, account, _]| arn::is_account_id(account))
                })
        }
        key => is_text(operator.comparison) && PINNING_KEYS.contains(&key) && condition.has_fixed_values(),
    }
}

fn is_text(comparison: Comparison) -> bool {
    matches!(
        comparison,
        Comparison::Text | Comparison::TextIgnoreCase | Comparison::TextLike | Comparison::Arn
    )
}
