//! The members of a request, read and held against the constraints of the API.
//!
//! A member of the wrong JSON type ends the reading at once; broken constraints are collected, because AWS counts
//! them in one message. Members that the API does not have are ignored, as AWS does.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bucketproof_authz::EncryptionContext;
use serde_json::{Map, Value};

use super::answer::PageRequest;
use super::word::{refuse, unsupported_feature, validation};
use crate::error::AwsError;

/// The members of one request, and what is wrong with them.
///
/// Not shown by `Debug`: a plaintext may be among them.
pub(super) struct Input {
    members: Map<String, Value>,
    complaints: Vec<String>,
}

/// A tag as it was given.
pub(super) type Tag = (String, String);

impl Input {
    pub(super) fn read(body: &[u8]) -> Result<Self, AwsError> {
        // The text of this one is unverified.
        let Ok(Value::Object(members)) = serde_json::from_slice(body) else {
            return Err(refuse("SerializationException", "The body is not a JSON object."));
        };
        Ok(Self { members, complaints: Vec::new() })
    }

    /// Refuses the request if a constraint was broken.
    pub(super) fn finish(self) -> Result<(), AwsError> {
        let Self { complaints, .. } = self;
        let number = complaints.len();
        match number {
            0 => Ok(()),
            1 => Err(validation(format!("1 validation error detected: {}", complaints.join("")))),
            _ => Err(validation(format!("{number} validation errors detected: {}", complaints.join("; ")))),
        }
    }

    /// Whether a constraint was broken so far.
    pub(super) fn is_broken(&self) -> bool {
        !self.complaints.is_empty()
    }

    /// Notes that a member is missing if `read` finds none.
    pub(super) fn required<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Self) -> Result<Option<T>, AwsError>,
    ) -> Result<Option<T>, AwsError> {
        let value = read(self)?;
        if value.is_none() {
            self.complain_null(name);
        }
        Ok(value)
    }

    /// Refuses members that stand for something the emulator does not do.
    pub(super) fn refuse_members(&self, names: &[&str]) -> Result<(), AwsError> {
        match names.iter().find(|name| self.value(name).is_some()) {
            Some(name) => Err(unsupported_feature(&format!("the parameter `{name}`"))),
            None => Ok(()),
        }
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// Notes a broken constraint; `value` is left out where AWS does not show it.
    pub(super) fn complain(&mut self, name: &str, value: Option<&str>, must: &str) {
        let member = member_name(name);
        let value = value.map(|value| format!("'{value}' ")).unwrap_or_default();
        let text = format!("Value {value}at '{member}' failed to satisfy constraint: Member must {must}");
        self.complaints.push(text);
    }

    fn complain_null(&mut self, name: &str) {
        let member = member_name(name);
        let text = format!("Value null at '{member}' failed to satisfy constraint: Member must not be null");
        self.complaints.push(text);
    }

    fn check_length(
        &mut self,
        name: &str,
        shown: Option<&str>,
        length: usize,
        range: &RangeInclusive<usize>,
    ) {
        if length < *range.start() {
            self.complain(name, shown, &format!("have length greater than or equal to {}", range.start()));
        } else if length > *range.end() {
            self.complain(name, shown, &format!("have length less than or equal to {}", range.end()));
        }
    }

    /// A text, of a length in characters.
    pub(super) fn text(
        &mut self,
        name: &str,
        chars: RangeInclusive<usize>,
    ) -> Result<Option<String>, AwsError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let text = as_text(value)?.to_owned();
        self.check_length(name, Some(&text), text.chars().count(), &chars);
        Ok(Some(text))
    }

    pub(super) fn required_text(
        &mut self,
        name: &str,
        chars: RangeInclusive<usize>,
    ) -> Result<String, AwsError> {
        Ok(self.required(name, |input| input.text(name, chars))?.unwrap_or_default())
    }

    /// The reference to a key that nearly every operation has.
    pub(super) fn key_id(&mut self) -> Result<String, AwsError> {
        self.required_text("KeyId", 1..=2048)
    }

    /// One of some words; `shown` is their order in AWS's message.
    pub(super) fn word(&mut self, name: &str, shown: &[&str]) -> Result<Option<String>, AwsError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let text = as_text(value)?.to_owned();
        if !shown.contains(&text.as_str()) {
            let must = format!("satisfy enum value set: [{}]", shown.join(", "));
            self.complain(name, Some(&text), &must);
        }
        Ok(Some(text))
    }

    /// A whole number.
    pub(super) fn number(&mut self, name: &str, range: RangeInclusive<u32>) -> Result<Option<u32>, AwsError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let Some(number) = value.as_i64() else { return Err(wrong_type(value, "Integer")) };
        if number < i64::from(*range.start()) {
            let must = format!("have value greater than or equal to {}", range.start());
            self.complain(name, Some(&number.to_string()), &must);
        } else if number > i64::from(*range.end()) {
            let must = format!("have value less than or equal to {}", range.end());
            self.complain(name, Some(&number.to_string()), &must);
        }
        Ok(u32::try_from(number).ok())
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, AwsError> {
        match self.value(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(wrong_type(other, "Boolean")),
        }
    }

    /// Bytes; AWS does not repeat them in its messages.
    pub(super) fn blob(
        &mut self,
        name: &str,
        bytes: RangeInclusive<usize>,
    ) -> Result<Option<Vec<u8>>, AwsError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let decoded = STANDARD
            .decode(as_text(value)?)
            // The text of this one is unverified.
            .map_err(|_| refuse("SerializationException", format!("`{name}` is not base64.")))?;
        self.check_length(name, None, decoded.len(), &bytes);
        Ok(Some(decoded))
    }

    pub(super) fn required_blob(
        &mut self,
        name: &str,
        bytes: RangeInclusive<usize>,
    ) -> Result<Vec<u8>, AwsError> {
        Ok(self.required(name, |input| input.blob(name, bytes))?.unwrap_or_default())
    }

    /// A list of texts, each of a length in characters.
    pub(super) fn texts(
        &mut self,
        name: &str,
        chars: RangeInclusive<usize>,
    ) -> Result<Option<Vec<String>>, AwsError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let list = value.as_array().ok_or_else(|| wrong_type(value, "List"))?;
        let texts: Vec<String> =
            list.iter().map(|item| as_text(item).map(str::to_owned)).collect::<Result<_, _>>()?;
        for (index, text) in texts.iter().enumerate() {
            let member = format!("{name}.{}.member", index + 1);
            self.check_length(&member, Some(text), text.chars().count(), &chars);
        }
        Ok(Some(texts))
    }

    pub(super) fn encryption_context(&self, name: &str) -> Result<EncryptionContext, AwsError> {
        self.map(name)
    }

    fn map(&self, name: &str) -> Result<BTreeMap<String, String>, AwsError> {
        let Some(value) = self.value(name) else { return Ok(BTreeMap::new()) };
        let map = value.as_object().ok_or_else(|| wrong_type(value, "Map"))?;
        map.iter().map(|(name, value)| Ok((name.clone(), as_text(value)?.to_owned()))).collect()
    }

    /// A structure within the request; what breaks a constraint there is not collected.
    pub(super) fn structure(&self, name: &str) -> Result<Option<Self>, AwsError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let members = value.as_object().ok_or_else(|| wrong_type(value, "Structure"))?.clone();
        Ok(Some(Self { members, complaints: Vec::new() }))
    }

    /// `[{"TagKey": …, "TagValue": …}]`.
    pub(super) fn tags(&mut self) -> Result<Option<Vec<Tag>>, AwsError> {
        let Some(value) = self.value("Tags").cloned() else { return Ok(None) };
        let list = value.as_array().ok_or_else(|| wrong_type(&value, "List"))?;
        let mut tags = Vec::new();
        for (index, item) in list.iter().enumerate() {
            let item = item.as_object().ok_or_else(|| wrong_type(item, "Structure"))?;
            let mut tag = [String::new(), String::new()];
            for ((member, chars), text) in
                [("TagKey", 1..=128), ("TagValue", 0..=256)].into_iter().zip(&mut tag)
            {
                let path = format!("Tags.{}.member.{}", index + 1, member_name(member));
                match item.get(member).filter(|value| !value.is_null()) {
                    None => self.complain_null(&path),
                    Some(value) => {
                        as_text(value)?.clone_into(text);
                        self.check_length(&path, Some(text), text.chars().count(), &chars);
                    }
                }
            }
            let [key, value] = tag;
            tags.push((key, value));
        }
        Ok(Some(tags))
    }

    /// `Limit` and `Marker`.
    pub(super) fn page(&mut self, default: u32, max: u32) -> Result<PageRequest, AwsError> {
        let limit = self.number("Limit", 1..=max)?.unwrap_or(default);
        let marker = self.text("Marker", 1..=1024)?;
        Ok(PageRequest { limit: usize::try_from(limit).unwrap_or(usize::MAX), marker })
    }

    /// `GrantTokens`: at most ten. A grant counts from the moment it is made, so none is ever needed.
    pub(super) fn grant_tokens(&mut self) -> Result<Vec<String>, AwsError> {
        let tokens = self.texts("GrantTokens", 1..=8192)?.unwrap_or_default();
        if tokens.len() > 10 {
            let shown = format!("[{}]", tokens.join(", "));
            self.complain("GrantTokens", Some(&shown), "have length less than or equal to 10");
        }
        Ok(tokens)
    }
}

fn as_text(value: &Value) -> Result<&str, AwsError> {
    value.as_str().ok_or_else(|| wrong_type(value, "String"))
}

/// The form of this message is that of other JSON services, unverified for KMS.
fn wrong_type(value: &Value, wanted: &str) -> AwsError {
    let found = match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(number) if number.is_f64() => "DECIMAL_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    };
    refuse("SerializationException", format!("{found} can not be converted to a {wanted}"))
}

/// `KeyId` is `keyId` in messages.
fn member_name(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
