//! Filter policies: which messages a subscriber wants.
//!
//! Source: SNS Developer Guide, "Amazon SNS subscription filter policies", and recorded refusals.

mod parse;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use serde_json::Value;

use super::{Message, MessageAttribute};
use parse::Reader;

pub(crate) use parse::syntax;

/// The most keys and the most combinations of values that a policy may have.
const KEYS_MAX: usize = 5;
const COMBINATIONS_MAX: u64 = 150;

/// What a policy looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FilterScope {
    #[default]
    Attributes,
    Body,
}

/// A compiled filter policy.
#[derive(Clone, Debug)]
pub(crate) struct FilterPolicy {
    scope: FilterScope,
    rules: Rules,
}

/// What is wrong with a policy, in AWS's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FilterError {
    /// Said of the attribute `FilterPolicy`.
    Policy(String),
    /// Said of the request.
    Request(String),
}

/// All of these must hold.
#[derive(Clone, Debug, Default)]
struct Rules {
    keys: Vec<(String, Rule)>,
    /// Of each of these at least one must hold.
    alternatives: Vec<Vec<Rules>>,
}

#[derive(Clone, Debug)]
enum Rule {
    /// One of these must hold for the value.
    Values(Vec<Condition>),
    /// For what is within the value.
    Within(Rules),
}

#[derive(Clone, Debug)]
enum Condition {
    Is(Value),
    Prefix(String),
    Suffix(String),
    EqualsIgnoreCase(String),
    AnythingBut(Vec<Value>),
    AnythingButPrefix(String),
    Numeric(Vec<(Comparison, f64)>),
    Exists(bool),
    Cidr { address: IpAddr, bits: u8 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl FilterScope {
    /// Absent if the word is unknown.
    pub(crate) fn parse(text: Option<&str>) -> Option<Self> {
        match text {
            None | Some("MessageAttributes") => Some(Self::Attributes),
            Some("MessageBody") => Some(Self::Body),
            Some(_) => None,
        }
    }
}

impl FilterPolicy {
    /// Reads a policy and holds it to AWS's limits.
    pub(crate) fn parse(text: &str, scope: FilterScope) -> Result<Self, FilterError> {
        let rules = Reader::new(text)?.policy(scope)?;
        if rules.count_keys() > KEYS_MAX {
            return Err(FilterError::Policy("Filter policy can not have more than 5 keys".to_owned()));
        }
        if rules.combinations(1) > COMBINATIONS_MAX {
            return Err(FilterError::Policy("Filter policy is too complex".to_owned()));
        }
        Ok(Self { scope, rules })
    }

    /// Whether a message gets through.
    pub(crate) fn admits(&self, message: &Message) -> bool {
        match self.scope {
            FilterScope::Attributes => {
                self.rules.hold(&|name| message.attributes.get(name).map(MessageAttribute::as_json))
            }
            FilterScope::Body => match serde_json::from_str::<Value>(&message.text) {
                Ok(body @ Value::Object(_)) => self.rules.hold(&|name| body.get(name).cloned()),
                _ => false,
            },
        }
    }
}

impl MessageAttribute {
    /// The value as filters see it; what is binary they do not see.
    fn as_json(&self) -> Value {
        match self.data_type.as_str() {
            "String.Array" => serde_json::from_str(&self.value).unwrap_or(Value::Null),
            kind if kind.starts_with("Number") => {
                serde_json::from_str(&self.value).unwrap_or_else(|_| self.value.as_str().into())
            }
            kind if kind.starts_with("Binary") => Value::Null,
            _ => self.value.as_str().into(),
        }
    }
}

impl Rules {
    fn hold(&self, look: &dyn Fn(&str) -> Option<Value>) -> bool {
        self.keys.iter().all(|(name, rule)| rule.holds(look(name).as_ref()))
            && self.alternatives.iter().all(|any| any.iter().any(|rules| rules.hold(look)))
    }

    fn count_keys(&self) -> usize {
        let own: usize = self.keys.iter().map(|(_, rule)| rule.count_keys()).sum();
        own + self.alternatives.iter().flatten().map(Self::count_keys).sum::<usize>()
    }

    fn combinations(&self, depth: u64) -> u64 {
        let own = self.keys.iter().map(|(_, rule)| rule.combinations(depth)).fold(1, u64::saturating_mul);
        let others = self
            .alternatives
            .iter()
            .map(|any| any.iter().map(|rules| rules.combinations(depth)).fold(0, u64::saturating_add).max(1));
        others.fold(own, u64::saturating_mul)
    }
}

impl Rule {
    fn holds(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::Values(conditions), None) => conditions.iter().any(Condition::wants_absence),
            (Self::Values(conditions), Some(value)) => holds_any(conditions, value),
            (Self::Within(rules), Some(Value::Array(items))) => {
                items.iter().any(|item| rules.hold(&|name| item.get(name).cloned()))
            }
            (Self::Within(rules), value) => rules.hold(&|name| value?.get(name).cloned()),
        }
    }

    fn count_keys(&self) -> usize {
        match self {
            Self::Values(_) => 1,
            Self::Within(rules) => rules.count_keys(),
        }
    }

    fn combinations(&self, depth: u64) -> u64 {
        match self {
            Self::Values(conditions) => (conditions.len() as u64).saturating_mul(depth),
            Self::Within(rules) => rules.combinations(depth + 1),
        }
    }
}

/// A list holds if one of its entries does; an exclusion must hold for each of them.
fn holds_any(conditions: &[Condition], value: &Value) -> bool {
    conditions.iter().any(|condition| match value {
        Value::Array(items) if condition.excludes() => {
            !items.is_empty() && items.iter().all(|item| condition.holds(item))
        }
        Value::Array(items) => {
            matches!(condition, Condition::Exists(true)) || items.iter().any(|item| condition.holds(item))
        }
        value => condition.holds(value),
    })
}

impl Condition {
    fn wants_absence(&self) -> bool {
        matches!(self, Self::Exists(false))
    }

    fn excludes(&self) -> bool {
        matches!(self, Self::AnythingBut(_) | Self::AnythingButPrefix(_))
    }

    /// For one value that is there.
    fn holds(&self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            Self::Is(wanted) => is_same(wanted, value),
            Self::Prefix(prefix) => text.is_some_and(|text| text.starts_with(prefix.as_str())),
            Self::Suffix(suffix) => text.is_some_and(|text| text.ends_with(suffix.as_str())),
            Self::EqualsIgnoreCase(wanted) => {
                text.is_some_and(|text| text.to_lowercase() == wanted.to_lowercase())
            }
            Self::AnythingBut(refused) => !refused.iter().any(|refused| is_same(refused, value)),
            Self::AnythingButPrefix(prefix) => text.is_none_or(|text| !text.starts_with(prefix.as_str())),
            Self::Numeric(comparisons) => value.as_f64().is_some_and(|number| {
                comparisons.iter().all(|(comparison, limit)| comparison.holds(number, *limit))
            }),
            Self::Exists(wanted) => *wanted && !value.is_object(),
            Self::Cidr { address, bits } => text
                .and_then(|text| text.parse::<IpAddr>().ok())
                .is_some_and(|found| is_within(found, *address, *bits)),
        }
    }
}

impl Comparison {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "=" => Self::Equal,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    #[expect(clippy::float_cmp, reason = "a filter asks for exactly this number")]
    fn holds(self, number: f64, limit: f64) -> bool {
        match self {
            Self::Equal => number == limit,
            Self::Less => number < limit,
            Self::LessOrEqual => number <= limit,
            Self::Greater => number > limit,
            Self::GreaterOrEqual => number >= limit,
        }
    }
}

/// Numbers are the same by value, everything else by its text.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => Comparison::Equal.holds(one, other),
        _ => one == other,
    }
}

fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let (one, other, width) = match (address, network) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (u128::from(one.to_bits()), u128::from(other.to_bits()), 32),
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits(), other.to_bits(), 128),
        _ => return false,
    };
    let shift = width - u32::from(bits).min(width);
    (one ^ other).checked_shr(shift).unwrap_or(0) == 0
}
