//! One condition: an operator, a key and its values.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::arn;
use crate::context::{Context, Entry, LowerKey, Values};
use crate::wildcard;

use super::document::Version;
use super::json::Position;
use super::operator::{Comparison, Operator, Quantifier, Relation};
use super::template::{Template, Wildcards};
use super::value::{self, Decimal, Network};

/// A compiled condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) operator: Operator,
    pub(crate) operator_name: Box<str>,
    pub(crate) key: Box<str>,
    pub(crate) lower_key: LowerKey,
    expected: Expected,
    pub(crate) texts: Box<[Box<str>]>,
    pub(crate) at: Position,
}

/// The policy's values. A text that is no value of its type stays as `None` and equals nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Expected {
    Text(Box<[Template]>),
    TextIgnoreCase(Box<[Template]>),
    TextLike(Box<[Template]>),
    /// Read from the texts as they are compared: a decimal of any length is a view of its digits.
    Numeric(Relation),
    Date(Relation, Box<[Option<i128>]>),
    Bool(Box<[Option<bool>]>),
    Binary(Box<[Option<Vec<u8>>]>),
    IpAddress(Box<[Option<Network>]>),
    Arn(Box<[Template]>),
    Null(Box<[Option<bool>]>),
}

/// How a condition fared, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConditionMatch {
    /// Met: a request value and, for a positive operator, the policy value it matched, by index.
    Met(Option<(usize, usize)>),
    /// Met because the request has no such key.
    MetWithoutKey,
    /// Not met: no request value satisfies it, or for `ForAllValues` the value at this index does not.
    Unmet(Option<usize>),
    /// Not met because the request has no such key.
    UnmetWithoutKey,
    /// Not met because the key is a list and the operator has no `ForAllValues` or `ForAnyValue`.
    ListNeedsQuantifier,
}

impl ConditionMatch {
    pub(crate) fn is_met(self) -> bool {
        matches!(self, Self::Met(_) | Self::MetWithoutKey)
    }
}

/// One value of the request's key.
#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    entry: &'a Entry,
    index: usize,
    text: &'a str,
}

impl Condition {
    pub(crate) fn compile(
        operator: Operator,
        operator_name: &str,
        key: &str,
        texts: Vec<Box<str>>,
        version: Version,
        at: Position,
    ) -> Self {
        let templates =
            |wildcards| texts.iter().map(|text| Template::parse(text, wildcards, version)).collect();
        let expected = match operator.comparison {
            Comparison::Text => Expected::Text(templates(Wildcards::Literal)),
            Comparison::TextIgnoreCase => Expected::TextIgnoreCase(templates(Wildcards::Literal)),
            Comparison::TextLike => Expected::TextLike(templates(Wildcards::Active)),
            Comparison::Arn => Expected::Arn(templates(Wildcards::Active)),
            Comparison::Numeric(relation) => Expected::Numeric(relation),
            Comparison::Date(relation) => {
                Expected::Date(relation, texts.iter().map(|text| value::instant(text)).collect())
            }
            Comparison::Bool => Expected::Bool(texts.iter().map(|text| value::boolean(text)).collect()),
            Comparison::Null => Expected::Null(texts.iter().map(|text| value::boolean(text)).collect()),
            Comparison::Binary => {
                Expected::Binary(texts.iter().map(|text| BASE64.decode(text.as_bytes()).ok()).collect())
            }
            Comparison::IpAddress => {
                Expected::IpAddress(texts.iter().map(|text| Network::parse(text)).collect())
            }
        };
        Self {
            operator,
            operator_name: operator_name.into(),
            key: key.into(),
            lower_key: LowerKey::new(key),
            expected,
            texts: texts.into(),
            at,
        }
    }

    pub(crate) fn check(&self, context: &Context) -> ConditionMatch {
        let entry = context.find(&self.lower_key).filter(|entry| !entry.values().as_slice().is_empty());
        if let Expected::Null(expected) = &self.expected {
            let absent = entry.is_none();
            return match expected.iter().position(|wanted| *wanted == Some(absent)) {
                Some(_) if absent => ConditionMatch::MetWithoutKey,
                Some(index) => ConditionMatch::Met(Some((0, index))),
                None if absent => ConditionMatch::UnmetWithoutKey,
                None => ConditionMatch::Unmet(None),
            };
        }
        let Some(entry) = entry.filter(|entry| !self.is_empty_set(entry.values())) else {
            return self.check_without_key();
        };
        let one = |(index, text): (usize, &String)| self.check_one(Asked { entry, index, text }, context);
        let mut values = entry.values().as_slice().iter().enumerate();
        match self.operator.quantifier {
            Quantifier::Single => match entry.values() {
                Values::One(text) => one((0, text)).unwrap_or(ConditionMatch::Unmet(None)),
                Values::Many(_) => ConditionMatch::ListNeedsQuantifier,
            },
            Quantifier::Any => values.find_map(one).unwrap_or(ConditionMatch::Unmet(None)),
            Quantifier::All => {
                let missed = values.find_map(|value| one(value).is_none().then_some(value.0));
                match missed {
                    Some(index) => ConditionMatch::Unmet(Some(index)),
                    None => ConditionMatch::Met(None),
                }
            }
        }
    }

    /// Under a set operator a lone empty string is an empty set (IAM User Guide, "Set operators").
    fn is_empty_set(&self, values: &Values) -> bool {
        self.operator.quantifier != Quantifier::Single && values.as_slice().iter().all(String::is_empty)
    }

    /// What an absent key means (IAM User Guide, "Condition operators" and "Set operators").
    fn check_without_key(&self) -> ConditionMatch {
        let met = match self.operator.quantifier {
            Quantifier::All => true,
            Quantifier::Any => false,
            Quantifier::Single => self.operator.negated || self.operator.if_exists,
        };
        if met { ConditionMatch::MetWithoutKey } else { ConditionMatch::UnmetWithoutKey }
    }

    /// One request value against all policy values: any of them for a positive operator, none for a negated one.
    fn check_one(&self, asked: Asked<'_>, context: &Context) -> Option<ConditionMatch> {
        match (self.first_equal(asked, context), self.operator.negated) {
            (Some(expected), false) => Some(ConditionMatch::Met(Some((asked.index, expected)))),
            (None, true) => Some(ConditionMatch::Met(None)),
            _ => None,
        }
    }

    /// The first policy value that the request value satisfies, before negation.
    fn first_equal(&self, asked: Asked<'_>, context: &Context) -> Option<usize> {
        let value = asked.text;
        match &self.expected {
            Expected::Text(templates) | Expected::TextLike(templates) => {
                templates.iter().position(|template| template.matches(value, context))
            }
            Expected::TextIgnoreCase(templates) => templates.iter().position(|template| {
                template.resolve(context).is_some_and(|expected| same_letters(&expected, value))
            }),
            Expected::Arn(templates) => templates.iter().position(|template| {
                template.resolve(context).is_some_and(|pattern| arn_like(&pattern, value))
            }),
            Expected::Numeric(relation) => {
                let found = Decimal::parse(value)?;
                self.texts.iter().position(|text| {
                    Decimal::parse(text).is_some_and(|expected| relation.holds(&found, &expected))
                })
            }
            Expected::Date(relation, expected) => {
                compare(*relation, asked.entry.instant(asked.index), expected)
            }
            Expected::Bool(expected) => compare(Relation::Equal, value::boolean(value), expected),
            Expected::Binary(expected) => {
                compare(Relation::Equal, BASE64.decode(value.as_bytes()).ok(), expected)
            }
            Expected::IpAddress(networks) => {
                let address = asked.entry.address(asked.index)?;
                networks.iter().position(|network| network.is_some_and(|network| network.contains(address)))
            }
            // Answered by `check` before values are looked at.
            Expected::Null(_) => None,
        }
    }

    /// The policy's values with this request's variables filled in; one without a value is shown as written.
    pub(crate) fn resolved_texts(&self, context: &Context) -> Vec<String> {
        let resolve = |templates: &[Template]| {
            templates
                .iter()
                .map(|template| {
                    template.resolved_text(context).unwrap_or_else(|| template.source().to_owned())
                })
                .collect()
        };
        match &self.expected {
            Expected::Text(templates)
            | Expected::TextIgnoreCase(templates)
            | Expected::TextLike(templates)
            | Expected::Arn(templates) => resolve(templates),
            _ => self.texts.iter().map(ToString::to_string).collect(),
        }
    }

    /// The values that are none of the operator's type.
    pub(crate) fn unreadable_values(&self) -> impl Iterator<Item = &str> {
        let is_readable = |index: usize, text: &str| match &self.expected {
            Expected::Date(_, values) => is_some(values, index),
            Expected::Bool(values) | Expected::Null(values) => is_some(values, index),
            Expected::Binary(values) => is_some(values, index),
            Expected::IpAddress(values) => is_some(values, index),
            Expected::Numeric(_) => Decimal::parse(text).is_some(),
            Expected::Text(_) | Expected::TextIgnoreCase(_) | Expected::TextLike(_) | Expected::Arn(_) => {
                true
            }
        };
        self.texts
            .iter()
            .enumerate()
            .filter(move |(index, text)| !is_readable(*index, text))
            .map(|(_, text)| &**text)
    }

    /// Whether the operator is one whose values may hold policy variables.
    pub(crate) fn takes_variables(&self) -> bool {
        matches!(
            self.expected,
            Expected::Text(_) | Expected::TextIgnoreCase(_) | Expected::TextLike(_) | Expected::Arn(_)
        )
    }

    /// Whether every value is fixed: no wildcard and no variable.
    pub(crate) fn has_fixed_values(&self) -> bool {
        let plain = |text: &str| !text.is_empty() && !text.contains(['*', '?']);
        match &self.expected {
            Expected::Text(templates)
            | Expected::TextIgnoreCase(templates)
            | Expected::TextLike(templates)
            | Expected::Arn(templates) => {
                !templates.is_empty()
                    && templates.iter().all(|template| !template.has_variables() && plain(template.source()))
            }
            Expected::IpAddress(networks) => {
                !networks.is_empty()
                    && networks.iter().all(|network| network.is_some_and(|network| network.is_narrow()))
            }
            _ => false,
        }
    }
}

fn is_some<T>(values: &[Option<T>], index: usize) -> bool {
    values.get(index).is_some_and(Option::is_some)
}

fn compare<T: Ord>(relation: Relation, found: Option<T>, expected: &[Option<T>]) -> Option<usize> {
    let found = found?;
    expected
        .iter()
        .position(|expected| expected.as_ref().is_some_and(|expected| relation.holds(&found, expected)))
}

fn same_letters(expected: &[u8], value: &str) -> bool {
    std::str::from_utf8(expected).is_ok_and(|expected| {
        expected.chars().flat_map(char::to_lowercase).eq(value.chars().flat_map(char::to_lowercase))
    })
}

/// Each of the six parts by itself, so that a wildcard does not cross a colon. A lone `*` stands for any ARN.
fn arn_like(pattern: &[u8], value: &str) -> bool {
    let Some(found) = arn::segments(value) else { return false };
    if *pattern == [wildcard::MANY] {
        return true;
    }
    let mut parts = pattern.splitn(6, |byte| *byte == b':');
    found.iter().all(|text| parts.next().is_some_and(|part| wildcard::matches(part, text.as_bytes())))
}

#[cfg(test)]
mod tests;
