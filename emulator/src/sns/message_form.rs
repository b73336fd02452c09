//! A message as it is submitted.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::form::{Form, null};
use crate::error::AwsError;
use crate::ids;
use crate::state::{Message, MessageAttribute, World};

/// The longest message, its attributes included.
pub(super) const MESSAGE_BYTES_MAX: usize = 262_144;

/// What is to be published.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    text: String,
    subject: Option<String>,
    is_structured: bool,
    attributes: BTreeMap<String, MessageAttribute>,
    /// What a standard topic does not take.
    deduplication_id: Option<String>,
}

impl Draft {
    /// Reads a message and refuses what is wrong with it.
    pub(super) fn read(form: &Form<'_>, prefix: &str) -> Result<Self, AwsError> {
        let draft = Self::read_entry(form, prefix)?;
        draft.check()?;
        if draft.bytes() > MESSAGE_BYTES_MAX {
            return Err(AwsError::sns_invalid("Message too long"));
        }
        Ok(draft)
    }

    /// Reads a message whose mistakes are told with the others of its batch.
    pub(super) fn read_entry(form: &Form<'_>, prefix: &str) -> Result<Self, AwsError> {
        let get = |name: &str| form.get(&format!("{prefix}{name}")).map(str::to_owned);
        let text = get("Message").ok_or_else(|| AwsError::sns_no_value("Message"))?;
        let structure = get("MessageStructure");
        let is_structured = match structure.as_deref() {
            None | Some("") => false,
            Some("json") => true,
            Some(_) => return Err(AwsError::sns_invalid("MessageStructure")),
        };
        Ok(Self {
            text,
            subject: get("Subject"),
            is_structured,
            attributes: attributes(form, prefix)?,
            deduplication_id: get("MessageDeduplicationId"),
        })
    }

    /// How long the message is, with its attributes.
    pub(super) fn bytes(&self) -> usize {
        let attributes = self.attributes.iter();
        let attributes = attributes.map(|(name, one)| name.len() + one.data_type.len() + one.value.len());
        self.text.len() + attributes.sum::<usize>()
    }

    pub(super) fn check(&self) -> Result<(), AwsError> {
        if self.text.is_empty() {
            return Err(AwsError::sns_invalid("Empty message"));
        }
        if let Some(subject) = &self.subject {
            let valid = (1..=100).contains(&subject.chars().count())
                && subject.chars().all(|c| !c.is_control())
                && subject
                    .starts_with(|c: char| c.is_alphanumeric() || c.is_ascii_punctuation() || !c.is_ascii());
            if !valid {
                return Err(AwsError::sns_invalid("Subject"));
            }
        }
        if self.deduplication_id.is_some() {
            return Err(AwsError::sns_invalid(
                "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not \
                 valid for this topic type",
            ));
        }
        self.check_structure()
    }

    /// Refuses a message that says it has several texts, and does not.
    pub(super) fn check_structure(&self) -> Result<(), AwsError> {
        self.structured().map(|_| ())
    }

    /// The texts by protocol, of a message that has several.
    fn structured(&self) -> Result<BTreeMap<String, String>, AwsError> {
        if !self.is_structured {
            return Ok(BTreeMap::new());
        }
        let texts: Map<String, Value> = serde_json::from_str(&self.text)
            .map_err(|_| AwsError::sns_invalid("Message Structure - JSON message body failed to parse"))?;
        if !texts.get("default").is_some_and(Value::is_string) {
            return Err(AwsError::sns_invalid("Message Structure - No default entry in JSON message body"));
        }
        let text = |(name, value): (String, Value)| match value {
            Value::String(text) => Some((name, text)),
            _ => None,
        };
        Ok(texts.into_iter().filter_map(text).collect())
    }

    pub(super) fn into_message(self, topic: &str, world: &World, now: Timestamp) -> Message {
        let mut texts = self.structured().unwrap_or_default();
        Message {
            id: ids::uuid(&world.entropy),
            topic: topic.to_owned(),
            subject: self.subject,
            text: texts.remove("default").unwrap_or(self.text),
            texts,
            attributes: self.attributes,
            published_at: now,
        }
    }
}

fn attributes(form: &Form<'_>, prefix: &str) -> Result<BTreeMap<String, MessageAttribute>, AwsError> {
    let mut attributes = BTreeMap::new();
    for entry in form.parameters.entries(&format!("{prefix}MessageAttributes")) {
        let get = |name: &str| form.get(&format!("{entry}.{name}"));
        let name = get("Name").unwrap_or_default();
        check_name(name)?;
        let Some(data_type) = get("Value.DataType") else {
            let place = prefix.strip_prefix("PublishBatchRequestEntries").map_or(String::new(), |rest| {
                let number = rest.trim_matches('.').rsplit('.').next().unwrap_or_default();
                format!("publishBatchRequestEntries.{number}.member.")
            });
            return Err(null(&format!("{place}messageAttributes.{name}.member.dataType")));
        };
        let value = check_value(name, data_type, get("Value.StringValue"), get("Value.BinaryValue"))?;
        let attribute = MessageAttribute { data_type: data_type.to_owned(), value: value.to_owned() };
        attributes.insert(name.to_owned(), attribute);
    }
    Ok(attributes)
}

fn check_name(name: &str) -> Result<(), AwsError> {
    if name.len() > 256 {
        return Err(AwsError::sns_attribute("Length of message attribute name must be less than 256 bytes."));
    }
    let odd = name.chars().find(|c| !c.is_ascii_alphanumeric() && !"-_.".contains(*c));
    if let Some(odd) = odd {
        return Err(AwsError::sns_attribute(format!(
            "Invalid non-alphanumeric character '#x{:X}' was found in the message attribute name. Can only include \
             alphanumeric characters, hyphens, underscores, or dots.",
            u32::from(odd)
        )));
    }
    let end = if name.starts_with('.') {
        "starting"
    } else if name.ends_with('.') {
        "ending"
    } else if name.contains("..") {
        return Err(AwsError::sns_attribute("Message attribute name can not have successive '.' character."));
    } else {
        return Ok(());
    };
    let text = format!("Invalid message attribute name {end} with character '.' was found.");
    Err(AwsError::sns_attribute(text))
}

/// The value, in the field that its type has.
fn check_value<'v>(
    name: &str,
    data_type: &str,
    text: Option<&'v str>,
    binary: Option<&'v str>,
) -> Result<&'v str, AwsError> {
    let kind = data_type.split('.').next().unwrap_or_default();
    let (field, value, other) = match kind {
        "String" | "Number" => ("String", text, binary),
        "Binary" => ("Binary", binary, text),
        _ => {
            return Err(AwsError::sns_attribute(format!(
                "The message attribute '{name}' has an invalid message attribute type, the set of supported type \
                 prefixes is Binary, Number, and String."
            )));
        }
    };
    match (value.filter(|value| !value.is_empty()), other) {
        (Some(value), _) => Ok(value),
        (None, Some(_)) => Err(AwsError::sns_attribute(format!(
            "The message attribute '{name}' with type '{data_type}' must use field '{field}'."
        ))),
        (None, None) => Err(AwsError::sns_attribute(format!(
            "The message attribute '{name}' must contain non-empty message attribute value for message attribute type \
             '{data_type}'."
        ))),
    }
}
