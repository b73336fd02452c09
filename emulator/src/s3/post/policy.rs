//! The policy of a form: what its signer lets others upload.
//!
//! Unverified: the sentences about a document that has no expiration, no conditions, or an element of another kind.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::Form;
use crate::error::AwsError;

/// Fields that no condition needs to name.
const FREE: [&str; 5] = ["awsaccesskeyid", "file", "policy", "signature", "x-amz-signature"];

/// A policy document.
#[derive(Debug)]
pub(super) struct Policy {
    expiration: Timestamp,
    conditions: Vec<Condition>,
}

#[derive(Debug)]
enum Condition {
    Equal {
        field: String,
        value: String,
    },
    StartsWith {
        field: String,
        value: String,
    },
    /// As it was written: a range that is none is a condition that fails.
    LengthRange {
        least: String,
        most: String,
    },
}

impl Policy {
    /// Reads the field, which is base64 of JSON.
    pub(super) fn parse(text: &str) -> Result<Self, AwsError> {
        let packed: String = text.chars().filter(|character| !character.is_whitespace()).collect();
        let json = STANDARD.decode(packed).map_err(|_| invalid("Invalid Policy: Invalid Base64."))?;
        let document: Value =
            serde_json::from_slice(&json).map_err(|_| invalid("Invalid Policy: Invalid JSON."))?;
        let Value::Object(document) = document else { return Err(invalid("Invalid Policy: Invalid JSON.")) };
        if let Some(name) = document.keys().find(|name| !matches!(name.as_str(), "expiration" | "conditions"))
        {
            return Err(invalid(&format!("Invalid Policy: Unexpected: '{name}'")));
        }
        let expiration = match document.get("expiration") {
            None => return Err(invalid("Invalid Policy: Policy missing expiration.")),
            Some(value) => {
                let text = value.as_str().unwrap_or_default();
                read_time(text)
                    .map_err(|_| invalid(&format!("Invalid Policy: Invalid 'expiration' value: '{text}'")))?
            }
        };
        let conditions = match document.get("conditions") {
            None => return Err(invalid("Invalid Policy: Policy missing conditions.")),
            Some(Value::Array(list)) => list.iter().map(Condition::parse).collect::<Result<Vec<_>, _>>()?,
            Some(_) => return Err(invalid("Invalid Policy: Invalid 'conditions' value: must be a List.")),
        };
        Ok(Self { expiration, conditions })
    }

    /// Refuses a form that the policy does not let pass.
    pub(super) fn check(&self, form: &Form, bucket: &str, now: Timestamp) -> Result<(), AwsError> {
        if now >= self.expiration {
            return Err(AwsError::access_denied("Invalid according to Policy: Policy expired."));
        }
        for condition in &self.conditions {
            condition.check(form, bucket)?;
        }
        let named = |field: &str| self.conditions.iter().any(|condition| condition.is_about(field));
        let extra = |field: &&str| !FREE.contains(field) && !field.starts_with("x-ignore-") && !named(field);
        // The bucket is part of what is signed, though no field says it.
        let fields = form.fields.iter().map(|(name, _)| name.as_str()).chain(std::iter::once("bucket"));
        let extra: Vec<&str> = fields.filter(extra).collect();
        if extra.is_empty() {
            return Ok(());
        }
        let text = format!("Invalid according to Policy: Extra input fields: {}", extra.join(", "));
        Err(AwsError::access_denied(text))
    }
}

impl Condition {
    fn parse(value: &Value) -> Result<Self, AwsError> {
        match value {
            Value::Object(simple) => Self::parse_simple(simple),
            Value::Array(list) => Self::parse_list(list),
            _ => Err(invalid("Invalid Policy: Invalid Condition: must be an Object or a List.")),
        }
    }

    fn parse_simple(simple: &Map<String, Value>) -> Result<Self, AwsError> {
        let mut entries = simple.iter();
        match (entries.next(), entries.next()) {
            (Some((name, Value::String(value))), None) => {
                Ok(Self::Equal { field: format!("${name}"), value: value.clone() })
            }
            (Some((_, _)), None) => {
                Err(invalid("Invalid Policy: Invalid Simple-Condition: value must be a string."))
            }
            _ => Err(invalid(
                "Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have exactly one property \
                 specified.",
            )),
        }
    }

    fn parse_list(list: &[Value]) -> Result<Self, AwsError> {
        let [operator, first, second] = list else {
            return Err(invalid("Invalid Policy: Invalid Condition: wrong number of arguments."));
        };
        let operator = operator.as_str().unwrap_or_default();
        match operator.to_ascii_lowercase().as_str() {
            "content-length-range" => {
                // Numbers below zero are no lengths; a text may be anything until it is compared.
                let negative = |value: &Value| value.as_f64().is_some_and(|number| number < 0.0);
                if negative(first) || negative(second) {
                    return Err(invalid("Invalid Policy: Invalid content-length-range: out of range."));
                }
                Ok(Self::LengthRange { least: plain(first), most: plain(second) })
            }
            "eq" => Ok(Self::Equal { field: plain(first), value: plain(second) }),
            "starts-with" => Ok(Self::StartsWith { field: plain(first), value: plain(second) }),
            _ => Err(invalid(&format!("Invalid Policy: Invalid Condition: unknown operation '{operator}'."))),
        }
    }

    /// Whether it names this field, whatever the case; a name without `$` is no field's.
    fn is_about(&self, name: &str) -> bool {
        match self {
            Self::Equal { field, .. } | Self::StartsWith { field, .. } => {
                field.strip_prefix('$').is_some_and(|field| field.eq_ignore_ascii_case(name))
            }
            Self::LengthRange { .. } => false,
        }
    }

    fn check(&self, form: &Form, bucket: &str) -> Result<(), AwsError> {
        let value_of = |field: &str| match field.strip_prefix('$')?.to_ascii_lowercase().as_str() {
            "bucket" => Some(bucket.to_owned()),
            name => form.field(name).map(str::to_owned),
        };
        let passes = match self {
            Self::Equal { field, value } => value_of(field).as_ref() == Some(value),
            Self::StartsWith { field, value } => {
                let several = field.eq_ignore_ascii_case("$content-type");
                value_of(field).is_some_and(|own| {
                    // Of several types each must begin so.
                    if several {
                        own.split(',').all(|one| one.starts_with(value.as_str()))
                    } else {
                        own.starts_with(value.as_str())
                    }
                })
            }
            Self::LengthRange { least, most } => {
                return self.check_length(form.file.len() as u64, least, most);
            }
        };
        if passes { Ok(()) } else { Err(self.failed()) }
    }

    fn check_length(&self, bytes: u64, least: &str, most: &str) -> Result<(), AwsError> {
        let (Ok(least), Ok(most)) = (least.parse::<u64>(), most.parse::<u64>()) else {
            return Err(self.failed());
        };
        if bytes > most {
            return Err(AwsError::entity_too_large(bytes, most));
        }
        if bytes < least { Err(AwsError::posted_entity_too_small(bytes, least)) } else { Ok(()) }
    }

    fn failed(&self) -> AwsError {
        let (operator, first, second) = match self {
            Self::Equal { field, value } => ("eq", field, value),
            Self::StartsWith { field, value } => ("starts-with", field, value),
            Self::LengthRange { least, most } => ("content-length-range", least, most),
        };
        AwsError::access_denied(format!(
            "Invalid according to Policy: Policy Condition failed: [\"{operator}\", \"{first}\", \"{second}\"]"
        ))
    }
}

/// ISO 8601 in UTC, as in `2026-01-01T00:00:00.000Z`; AWS takes no other form.
fn read_time(text: &str) -> Result<Timestamp, jiff::Error> {
    let text = if text.contains('T') && text.ends_with('Z') { text } else { "" };
    text.parse()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn invalid(text: &str) -> AwsError {
    AwsError::new(http::StatusCode::BAD_REQUEST, "InvalidPolicyDocument", text)
}
