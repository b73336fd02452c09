//! What AWS refuses in a configuration that has the right form.
//!
//! The texts are AWS's where they were recorded or published; those on the order of actions name the objects as AWS
//! does, by prefix or filter.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use md5::{Digest, Md5};

use crate::error::AwsError;
use crate::s3::calendar::is_midnight;
use crate::state::{Expiration, LifecycleRule, Noncurrent, Scope, When};

const RULES_MAX: usize = 1000;
const ID_LENGTH_MAX: usize = 255;
/// The classes whose objects must be a month old.
const MONTH_OLD: [&str; 2] = ["STANDARD_IA", "ONEZONE_IA"];
const MONTH_DAYS: i32 = 30;

/// Without a value: AWS does not repeat numbers.
pub(super) fn invalid_argument(text: impl Into<String>) -> AwsError {
    AwsError::new(StatusCode::BAD_REQUEST, "InvalidArgument", text)
}

/// Checks the rules one by one, and against each other.
pub(super) fn check(rules: &[LifecycleRule]) -> Result<(), AwsError> {
    if rules.is_empty() {
        return Err(AwsError::invalid_request("At least one lifecycle rule must be specified."));
    }
    if rules.len() > RULES_MAX {
        let text = "The number of lifecycle rules must not exceed the allowed limit of 1000 rules";
        return Err(AwsError::invalid_request(text));
    }
    check_ids(rules)?;
    let is_v2 = rules.first().is_some_and(|rule| rule.scope.filter().is_some());
    for rule in rules {
        match &rule.scope {
            Scope::Prefix(_) if is_v2 => {
                let text = "Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the \
                            Filter.";
                return Err(AwsError::invalid_request(text));
            }
            Scope::Filter(_) if !is_v2 => {
                return Err(AwsError::invalid_request("Filter element can only be used in Lifecycle V2."));
            }
            _ => check_rule(rule)?,
        }
    }
    if is_v2 { Ok(()) } else { check_overlaps(rules) }
}

fn check_ids(rules: &[LifecycleRule]) -> Result<(), AwsError> {
    let mut seen = BTreeSet::new();
    for id in rules.iter().map(|rule| rule.id.as_str()).filter(|id| !id.is_empty()) {
        if id.chars().count() > ID_LENGTH_MAX {
            return Err(invalid_argument("ID length should not exceed allowed limit of 255"));
        }
        if !seen.insert(id) {
            let text = "Rule ID must be unique. Found same ID for more than one rule";
            return Err(invalid_argument(text));
        }
    }
    Ok(())
}

fn check_rule(rule: &LifecycleRule) -> Result<(), AwsError> {
    let has_action = rule.expiration.is_some()
        || rule.noncurrent_expiration.is_some()
        || rule.abort_after_days.is_some()
        || !rule.transitions.is_empty()
        || !rule.noncurrent_transitions.is_empty();
    if !has_action {
        return Err(AwsError::invalid_request("At least one action needs to be specified in a rule"));
    }
    check_filter(rule)?;
    if let Some(Expiration::At(when)) = rule.expiration {
        check_when(when, 1, "'Days' for Expiration action must be a positive integer")?;
    }
    if let Some(of) = rule.noncurrent_expiration {
        let text = "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer";
        check_noncurrent(rule, of, 1, text)?;
    }
    if rule.abort_after_days.is_some_and(|days| days < 1) {
        let text =
            "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer";
        return Err(invalid_argument(text));
    }
    check_transitions(rule)?;
    check_noncurrent_transitions(rule)
}

fn check_filter(rule: &LifecycleRule) -> Result<(), AwsError> {
    let marker = matches!(rule.expiration, Some(Expiration::DeleteMarker(_)));
    let actions = [
        ("ExpiredObjectDeleteMarker", marker),
        ("AbortIncompleteMultipartUpload", rule.abort_after_days.is_some()),
    ];
    for (action, _) in actions.into_iter().filter(|(_, is_there)| *is_there) {
        if rule.scope.has_tags() {
            return Err(AwsError::invalid_request(format!("{action} cannot be specified with Tags.")));
        }
        if rule.scope.has_sizes() {
            return Err(AwsError::invalid_request(format!("{action} cannot be specified with Object Size.")));
        }
    }
    match rule.scope.filter().map(|filter| (filter.larger_than, filter.smaller_than)) {
        Some((Some(larger), Some(smaller))) if smaller <= larger => {
            let text = "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.";
            Err(AwsError::invalid_request(text))
        }
        _ => Ok(()),
    }
}

fn check_when(when: When, days_min: i32, text: &str) -> Result<(), AwsError> {
    match when {
        When::Days(days) if days < days_min => Err(invalid_argument(text)),
        When::Date(date) if !is_midnight(date) => {
            Err(AwsError::invalid_argument("'Date' must be at midnight GMT", "Date", date.to_string()))
        }
        _ => Ok(()),
    }
}

fn check_noncurrent(rule: &LifecycleRule, of: Noncurrent, days_min: i32, text: &str) -> Result<(), AwsError> {
    if of.days < days_min {
        return Err(invalid_argument(text));
    }
    if of.newer.is_some() && rule.scope.filter().is_none() {
        let text = "NewerNoncurrentVersions element can only be used in Lifecycle V2.";
        return Err(AwsError::invalid_request(text));
    }
    Ok(())
}

fn check_transitions(rule: &LifecycleRule) -> Result<(), AwsError> {
    let named = named(&rule.scope);
    let mut classes = BTreeSet::new();
    for transition in &rule.transitions {
        let class = transition.storage_class.as_str();
        check_when(transition.when, 0, "'Days' in Transition action must be nonnegative")?;
        if let When::Days(days) = transition.when {
            check_month(days, class, "Days", "Transition")?;
        }
        if !classes.insert(class) {
            return Err(duplicate_class("Transition", &named));
        }
    }
    let whens = rule.transitions.iter().map(|transition| transition.when);
    let expiration = match rule.expiration {
        Some(Expiration::At(when)) => Some(when),
        _ => None,
    };
    let is_dated = |when: When| matches!(when, When::Date(_));
    if whens.clone().any(is_dated) && !whens.clone().all(is_dated) {
        let text =
            format!("Found mixed 'Date' and 'Days' based Transition actions in lifecycle rule for {named}");
        return Err(AwsError::invalid_request(text));
    }
    for when in whens {
        let element = match (when, expiration) {
            (_, None) => continue,
            (When::Days(days), Some(When::Days(end))) if end > days => continue,
            (When::Date(date), Some(When::Date(end))) if end > date => continue,
            (When::Days(_), Some(When::Days(_))) => "Days",
            (When::Date(_), Some(When::Date(_))) => "Date",
            (When::Days(_), Some(When::Date(_))) | (When::Date(_), Some(When::Days(_))) => {
                let text = format!(
                    "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for {named}"
                );
                return Err(AwsError::invalid_request(text));
            }
        };
        let order = if element == "Days" { "greater" } else { "later" };
        return Err(invalid_argument(format!(
            "'{element}' in the Expiration action for {named} must be {order} than '{element}' in the Transition action"
        )));
    }
    Ok(())
}

fn check_noncurrent_transitions(rule: &LifecycleRule) -> Result<(), AwsError> {
    let named = named(&rule.scope);
    let action = "NoncurrentVersionTransition";
    let mut classes = BTreeSet::new();
    for transition in &rule.noncurrent_transitions {
        let text = "'NoncurrentDays' in NoncurrentVersionTransition action must be nonnegative";
        check_noncurrent(rule, transition.of, 0, text)?;
        check_month(transition.of.days, &transition.storage_class, "NoncurrentDays", action)?;
        if !classes.insert(transition.storage_class.as_str()) {
            return Err(duplicate_class(action, &named));
        }
        if rule.noncurrent_expiration.is_some_and(|end| end.days <= transition.of.days) {
            return Err(invalid_argument(format!(
                "'NoncurrentDays' in the NoncurrentVersionExpiration action for {named} must be greater than \
                 'NoncurrentDays' in the NoncurrentVersionTransition action"
            )));
        }
    }
    Ok(())
}

fn check_month(days: i32, class: &str, element: &str, action: &str) -> Result<(), AwsError> {
    if days >= MONTH_DAYS || !MONTH_OLD.contains(&class) {
        return Ok(());
    }
    Err(invalid_argument(format!(
        "'{element}' in {action} action must be greater than or equal to {MONTH_DAYS} for storageClass '{class}'"
    )))
}

fn duplicate_class(action: &str, named: &str) -> AwsError {
    let text = format!("'StorageClass' must be different for '{action}' actions in same 'Rule' with {named}");
    AwsError::invalid_request(text)
}

/// The objects of a rule as texts name them.
fn named(scope: &Scope) -> String {
    match scope {
        Scope::Prefix(prefix) => format!("prefix '{prefix}'"),
        Scope::Filter(filter) => {
            let prefix = filter.prefix.as_ref().map(|prefix| format!("prefix={prefix}"));
            let tags = filter.tags.iter().map(|(key, value)| format!("tag: key={key}, value={value}"));
            let conditions: Vec<String> = prefix.into_iter().chain(tags).collect();
            format!("filter '({})'", conditions.join(" and "))
        }
    }
}

/// In the first version of the API no two rules may do the same to the same objects.
fn check_overlaps(rules: &[LifecycleRule]) -> Result<(), AwsError> {
    type Has = fn(&LifecycleRule) -> bool;
    let actions: [(&str, Has); 5] = [
        ("Expiration", |rule| rule.expiration.is_some()),
        ("Transition", |rule| !rule.transitions.is_empty()),
        ("NoncurrentVersionExpiration", |rule| rule.noncurrent_expiration.is_some()),
        ("NoncurrentVersionTransition", |rule| !rule.noncurrent_transitions.is_empty()),
        ("AbortIncompleteMultipartUpload", |rule| rule.abort_after_days.is_some()),
    ];
    for (action, has) in actions {
        let mut prefixes: Vec<&str> =
            rules.iter().filter(|rule| has(rule)).map(|rule| rule.scope.prefix()).collect();
        prefixes.sort_unstable();
        // In this order a prefix stands before all that begin with it.
        for (shorter, longer) in prefixes.iter().zip(prefixes.iter().skip(1)) {
            if longer.starts_with(shorter) {
                return Err(AwsError::invalid_request(format!(
                    "Found overlapping prefixes '{shorter}' and '{longer}' for same action type '{action}'"
                )));
            }
        }
    }
    Ok(())
}

/// Gives ids to rules that came without: 48 characters that look drawn, and are the same for the same rules.
pub(super) fn name(rules: &mut [LifecycleRule]) {
    for index in 0..rules.len() {
        let Some(rule) = rules.get_mut(index).filter(|rule| rule.id.is_empty()) else { continue };
        let digest = Md5::digest(format!("{index} {rule:?}"));
        STANDARD.encode(hex::encode(digest)).trim_end_matches('=').clone_into(&mut rule.id);
    }
}
