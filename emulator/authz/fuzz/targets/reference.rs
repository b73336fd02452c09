//! The rules once more, as short as they can be said and without regard to speed.
//!
//! Source: IAM User Guide, "Policy evaluation logic", "Condition operators", "Set operators", "Variables",
//! "NotPrincipal".

use std::net::IpAddr;

use bucketproof_authz::Effect;

use super::glob;
use super::model::{Caller, Condition, Ground, INSTANTS, Named, OWNER, Policy, Statement, World, arns};

/// How a resource policy can name the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum As {
    Itself,
    Role,
    Account,
}

/// `Allowed`, `ExplicitlyDenied` or `ImplicitlyDenied`.
pub(crate) fn decide(world: &World) -> &'static str {
    let (allowed, explicit, implicit) = ("Allowed", "ExplicitlyDenied", "ImplicitlyDenied");
    if world.action == "sts:GetCallerIdentity" {
        return allowed;
    }
    let is_root = matches!(world.caller, Caller::Root(_));
    let has_policies = matches!(world.caller, Caller::User(_) | Caller::Session(_));
    let account = account(world.caller);
    let same_account = account == Some(OWNER);

    let levels: &[Policy] = if has_policies || is_root { &world.service_control } else { &[] };
    let own: Vec<&Policy> = if has_policies {
        world.identity.iter().chain(&world.boundary).chain(&world.session).collect()
    } else {
        Vec::new()
    };
    let denied_by_level = levels.iter().any(|policy| applies(world, policy, Effect::Deny).is_some());
    let levels_allow = levels.iter().all(|policy| applies(world, policy, Effect::Allow).is_some());
    if is_root && same_account && world.action == "s3:PutBucketPolicy" {
        return if denied_by_level {
            explicit
        } else if levels_allow {
            allowed
        } else {
            implicit
        };
    }
    let denied = denied_by_level
        || own.iter().any(|policy| applies(world, policy, Effect::Deny).is_some())
        || world.of_resource.iter().any(|policy| applies(world, policy, Effect::Deny).is_some());
    if denied {
        return explicit;
    }
    if !levels_allow || (is_root && world.action == "sts:AssumeRole") {
        return implicit;
    }
    let allows = |policy: &Policy| applies(world, policy, Effect::Allow).is_some();
    let identity = has_policies && world.identity.iter().any(allows);
    let limits = world.boundary.iter().all(allows) && world.session.iter().all(allows);
    let resource = |how: As| {
        world.of_resource.iter().any(|policy| {
            policy.statements.iter().any(|statement| {
                statement.effect == Effect::Allow && statement_applies(world, policy, statement) == Some(how)
            })
        })
    };
    let any_resource = resource(As::Itself) || resource(As::Role) || resource(As::Account);
    let is_mandatory = world.ground != Ground::Bucket;
    let yes = match account {
        None => any_resource,
        Some(_) if !same_account && world.action == "kms:PutKeyPolicy" => false,
        Some(_) if !same_account && is_root => any_resource,
        Some(_) if !same_account => any_resource && identity && limits,
        Some(_) if resource(As::Itself) => true,
        Some(_) if is_root => !is_mandatory,
        Some(_) if resource(As::Role) => limits,
        Some(_) => identity && limits && (!is_mandatory || resource(As::Account)),
    };
    if yes { allowed } else { implicit }
}

fn account(caller: Caller) -> Option<&'static str> {
    match caller {
        Caller::User(account) | Caller::Session(account) | Caller::Root(account) => Some(account),
        Caller::Service | Caller::Anonymous => None,
    }
}

fn applies(world: &World, policy: &Policy, effect: Effect) -> Option<As> {
    policy
        .statements
        .iter()
        .filter(|statement| statement.effect == effect)
        .find_map(|statement| statement_applies(world, policy, statement))
}

fn statement_applies(world: &World, policy: &Policy, statement: &Statement) -> Option<As> {
    let action = statement
        .actions
        .iter()
        .any(|pattern| glob::matches(&pattern.to_ascii_lowercase(), &world.action.to_ascii_lowercase()));
    let resource = statement.resources.iter().any(|pattern| {
        *pattern == "*" || fill(world, policy, pattern).is_some_and(|filled| arn(&filled, world.resource))
    });
    if action == statement.not_action
        || (!statement.resources.is_empty() && resource == statement.not_resource)
    {
        return None;
    }
    // Of two conditions of one operator and key the document has the first.
    let mut seen = Vec::new();
    for condition in &statement.conditions {
        let name = (condition.name(), condition.key);
        if !seen.contains(&name) && !is_met(world, policy, condition) {
            return None;
        }
        seen.push(name);
    }
    named(world, statement)
}

fn named(world: &World, statement: &Statement) -> Option<As> {
    if statement.principals.is_empty() {
        return Some(As::Itself);
    }
    let (own, role) = arns(world.caller);
    let lists = |named: Named| statement.principals.contains(&named);
    let lists_arn = |arn: Option<&'static str>| arn.is_some_and(|arn| lists(Named::Arn(arn)));
    let lists_account = account(world.caller).is_some_and(|account| lists(Named::Account(account)));
    let is_root = matches!(world.caller, Caller::Root(_));
    let is_service = world.caller == Caller::Service && lists(Named::Service);
    let how = if lists(Named::Everyone) || lists_arn(own) || is_service || (is_root && lists_account) {
        Some(As::Itself)
    } else if lists_arn(role) {
        Some(As::Role)
    } else {
        lists_account.then_some(As::Account)
    };
    if !statement.not_principal {
        return how;
    }
    let has_policies = matches!(world.caller, Caller::User(_) | Caller::Session(_));
    let exempt = if statement.effect == Effect::Allow {
        how.is_some()
    } else if has_policies && world.boundary.is_some() {
        false
    } else {
        lists(Named::Everyone)
            || match world.caller {
                Caller::User(_) => lists_arn(own) && lists_account,
                Caller::Session(_) => lists_arn(own) && lists_arn(role) && lists_account,
                Caller::Root(_) => lists_account,
                Caller::Service => is_service,
                Caller::Anonymous => false,
            }
    };
    (!exempt).then_some(As::Itself)
}

/// A pattern whose variables were filled in; what came from a variable is no wildcard.
type Filled = Vec<(char, bool)>;

/// `None` if a variable has no value.
fn fill(world: &World, policy: &Policy, text: &str) -> Option<Filled> {
    let plain = |text: &str| text.chars().map(|c| (c, matches!(c, '*' | '?'))).collect::<Filled>();
    if !policy.current {
        return Some(plain(text));
    }
    let mut filled = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("${") {
        let (name, after) = behind.split_once('}').expect("the model closes its variables");
        filled.extend(plain(before));
        let value = match name {
            "*" => "*",
            "aws:x, 'alice'" => "alice",
            "aws:username" => single(world, name)?,
            other => unreachable!("{other}"),
        };
        filled.extend(value.chars().map(|c| (c, false)));
        rest = after;
    }
    filled.extend(plain(rest));
    Some(filled)
}

fn single(world: &World, key: &str) -> Option<&'static str> {
    world.context.iter().find(|(name, _, many)| *name == key && !many).map(|(_, values, _)| values[0])
}

/// The definition of wildcards knows none that are meant as characters, so those are replaced by letters that occur
/// nowhere else, in the pattern and in the text.
fn like(filled: &Filled, text: &str) -> bool {
    let pattern: String = filled.iter().map(|(c, is_wildcard)| hide(*c, *is_wildcard)).collect();
    let text: String = text.chars().map(|c| hide(c, false)).collect();
    glob::matches(&pattern, &text)
}

fn arn(filled: &Filled, text: &str) -> bool {
    let pattern: String = filled.iter().map(|(c, is_wildcard)| hide(*c, *is_wildcard)).collect();
    let text: String = text.chars().map(|c| hide(c, false)).collect();
    glob::matches_arn(&pattern, &text)
}

fn hide(c: char, is_wildcard: bool) -> char {
    match c {
        '*' if !is_wildcard => '\u{E000}',
        '?' if !is_wildcard => '\u{E001}',
        other => other,
    }
}

fn is_met(world: &World, policy: &Policy, condition: &Condition) -> bool {
    let found = world.context.iter().find(|(name, values, _)| *name == condition.key && !values.is_empty());
    if condition.operator == "Null" {
        let absent = if found.is_none() { "true" } else { "false" };
        return condition.values.iter().any(|value| value.eq_ignore_ascii_case(absent));
    }
    let negated = condition.operator.contains("Not");
    let Some((_, values, many)) = found else {
        return match condition.set {
            "" => negated || condition.if_exists,
            set => set == "ForAllValues:",
        };
    };
    let one = |value: &&str| {
        negated != condition.values.iter().any(|expected| is_equal(world, policy, condition, value, expected))
    };
    match condition.set {
        "" => !many && one(&values[0]),
        "ForAllValues:" => values.iter().all(one),
        _ => values.iter().any(one),
    }
}

/// Whether a value of the request satisfies a value of the policy, before any negation.
fn is_equal(world: &World, policy: &Policy, condition: &Condition, value: &str, expected: &str) -> bool {
    let base = condition.operator.replace("Not", "");
    let (kind, order) = ["String", "Numeric", "Date"]
        .into_iter()
        .find_map(|kind| base.strip_prefix(kind).map(|order| (kind, order)))
        .unwrap_or((&base, ""));
    match kind {
        "String" => fill(world, policy, expected).is_some_and(|filled| {
            let literal: String = filled.iter().map(|(c, _)| *c).collect();
            match order {
                "Equals" => literal == value,
                "EqualsIgnoreCase" => literal.to_lowercase() == value.to_lowercase(),
                _ => like(&filled, value),
            }
        }),
        "Numeric" => compare(order, number(value), number(expected)),
        "Date" => compare(order, instant(value), instant(expected)),
        "Bool" => boolean(value).is_some() && boolean(value) == boolean(expected),
        _ => address(value, expected).unwrap_or(false),
    }
}

fn compare<T: PartialOrd>(order: &str, found: Option<T>, expected: Option<T>) -> bool {
    let (Some(found), Some(expected)) = (found, expected) else { return false };
    match order {
        "Equals" => found == expected,
        "LessThan" => found < expected,
        "LessThanEquals" => found <= expected,
        "GreaterThan" => found > expected,
        _ => found >= expected,
    }
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

fn instant(text: &str) -> Option<i64> {
    INSTANTS.into_iter().find(|(known, _)| *known == text).map(|(_, seconds)| seconds)
}

fn boolean(text: &str) -> Option<bool> {
    text.to_lowercase().parse().ok()
}

/// Whether the leading bits of the two addresses are the same.
fn address(value: &str, network: &str) -> Option<bool> {
    let (start, length) = network.split_once('/').unwrap_or((network, "128"));
    let (value, start): (IpAddr, IpAddr) = (value.parse().ok()?, start.parse().ok()?);
    let bits = |address: IpAddr| match address {
        IpAddr::V4(four) => four.octets().iter().flat_map(|byte| bits_of(*byte)).collect::<Vec<_>>(),
        IpAddr::V6(six) => six.octets().iter().flat_map(|byte| bits_of(*byte)).collect(),
    };
    let length: usize = length.parse().ok()?;
    let same = bits(value).iter().zip(&bits(start)).take(length).all(|(left, right)| left == right);
    Some(value.is_ipv4() == start.is_ipv4() && same)
}

fn bits_of(byte: u8) -> [bool; 8] {
    std::array::from_fn(|index| byte >> (7 - index) & 1 == 1)
}
