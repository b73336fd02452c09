//! A policy as it is kept between runs: its text, where it comes from, and the unique ids that its principals stand for.
//! It is compiled again when it is read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Policy, PolicyKind, PolicySource};
use crate::ids::UniqueId;

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    kind: PolicyKind,
    name: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    arn: Option<Cow<'a, str>>,
    text: Cow<'a, str>,
    /// By the ARN in the text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    bound: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let source = self.source();
        let bound = self.principals().filter_map(|entry| {
            let id = entry.bound_to.as_ref()?;
            Some((Cow::Borrowed(entry.text.as_str()), Cow::Owned(id.to_string())))
        });
        let stored = Stored {
            kind: source.kind,
            name: source.name.as_str().into(),
            file: source.file.as_deref().map(Into::into),
            arn: source.arn.as_deref().map(Into::into),
            text: self.text().into(),
            bound: bound.collect(),
        };
        stored.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Stored { kind, name, file, arn, text, bound } = Stored::deserialize(deserializer)?;
        let source = PolicySource {
            kind,
            name: name.into_owned(),
            file: file.map(Cow::into_owned),
            arn: arn.map(Cow::into_owned),
        };
        let policy = Self::parse(&text, source).map_err(D::Error::custom)?;
        if bound.is_empty() {
            return Ok(policy);
        }
        Ok(policy.bind(|arn| UniqueId::new(bound.get(arn.as_str())?).ok()))
    }
}
