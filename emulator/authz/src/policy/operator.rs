//! The names of condition operators.

/// What a condition operator compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Text,
    TextIgnoreCase,
    TextLike,
    Numeric(Relation),
    Date(Relation),
    Bool,
    Binary,
    IpAddress,
    Arn,
    Null,
}

/// How a request value must stand to a policy value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    pub(crate) fn holds<T: Ord>(self, found: &T, expected: &T) -> bool {
        match self {
            Self::Equal => found == expected,
            Self::Less => found < expected,
            Self::LessOrEqual => found <= expected,
            Self::Greater => found > expected,
            Self::GreaterOrEqual => found >= expected,
        }
    }
}

/// Which of the request's values must satisfy the condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantifier {
    /// No prefix: the key has one value.
    Single,
    /// `ForAllValues:`.
    All,
    /// `ForAnyValue:`.
    Any,
}

/// A condition operator, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operator {
    pub(crate) comparison: Comparison,
    pub(crate) negated: bool,
    pub(crate) if_exists: bool,
    pub(crate) quantifier: Quantifier,
}

impl Operator {
    /// Parses a name such as `ForAnyValue:StringNotLikeIfExists`; `None` if AWS has no such operator.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (quantifier, rest) = if let Some(rest) = name.strip_prefix("ForAllValues:") {
            (Quantifier::All, rest)
        } else if let Some(rest) = name.strip_prefix("ForAnyValue:") {
            (Quantifier::Any, rest)
        } else {
            (Quantifier::Single, name)
        };
        let (base, if_exists) = match rest.strip_suffix("IfExists") {
            Some(base) => (base, true),
            None => (rest, false),
        };
        let (comparison, negated) = match base {
            "StringEquals" => (Comparison::Text, false),
            "StringNotEquals" => (Comparison::Text, true),
            "StringEqualsIgnoreCase" => (Comparison::TextIgnoreCase, false),
            "StringNotEqualsIgnoreCase" => (Comparison::TextIgnoreCase, true),
            "StringLike" => (Comparison::TextLike, false),
            "StringNotLike" => (Comparison::TextLike, true),
            "NumericEquals" => (Comparison::Numeric(Relation::Equal), false),
            "NumericNotEquals" => (Comparison::Numeric(Relation::Equal), true),
            "NumericLessThan" => (Comparison::Numeric(Relation::Less), false),
            "NumericLessThanEquals" => (Comparison::Numeric(Relation::LessOrEqual), false),
            "NumericGreaterThan" => (Comparison::Numeric(Relation::Greater), false),
            "NumericGreaterThanEquals" => (Comparison::Numeric(Relation::GreaterOrEqual), false),
            "DateEquals" => (Comparison::Date(Relation::Equal), false),
            "DateNotEquals" => (Comparison::Date(Relation::Equal), true),
            "DateLessThan" => (Comparison::Date(Relation::Less), false),
            "DateLessThanEquals" => (Comparison::Date(Relation::LessOrEqual), false),
            "DateGreaterThan" => (Comparison::Date(Relation::Greater), false),
            "DateGreaterThanEquals" => (Comparison::Date(Relation::GreaterOrEqual), false),
            "Bool" => (Comparison::Bool, false),
            "BinaryEquals" => (Comparison::Binary, false),
            "IpAddress" => (Comparison::IpAddress, false),
            "NotIpAddress" => (Comparison::IpAddress, true),
            "ArnEquals" | "ArnLike" => (Comparison::Arn, false),
            "ArnNotEquals" | "ArnNotLike" => (Comparison::Arn, true),
            "Null" if !if_exists => (Comparison::Null, false),
            _ => return None,
        };
        Some(Self { comparison, negated, if_exists, quantifier })
    }
}
