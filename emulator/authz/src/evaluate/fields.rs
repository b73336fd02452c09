//! Objects of which every member is known.

use std::fmt;

use crate::arn::{AccountId, Arn};
use crate::policy::json::{Member, Node, Value};

/// Why a line is no question: what, where, which value, and the next step.
#[derive(Debug)]
pub(super) struct LineError {
    place: String,
    message: String,
    help: String,
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}; {}", self.place, self.message, self.help)
    }
}

pub(super) type Read<T> = Result<T, LineError>;

pub(super) fn error(place: &str, message: impl Into<String>, help: impl Into<String>) -> LineError {
    LineError { place: place.to_owned(), message: message.into(), help: help.into() }
}

/// The members of an object at a place, all of whose names are known.
pub(super) struct Fields<'a> {
    pub(super) place: &'a str,
    members: &'a [Member],
}

impl<'a> Fields<'a> {
    pub(super) fn of(node: &'a Node, place: &'a str, known: &[&str]) -> Read<Self> {
        let Some(members) = node.members() else {
            return Err(error(place, format!("holds {}", node.kind()), "write an object"));
        };
        if let Some(member) = members.iter().find(|member| !known.contains(&member.key.as_str())) {
            return Err(error(
                place,
                format!("has no field `{}`", member.key),
                format!("use {}", known.join(", ")),
            ));
        }
        Ok(Self { place, members })
    }

    /// The value of a field; null counts as absent.
    pub(super) fn find(&self, key: &str) -> Option<&'a Node> {
        let found = self.members.iter().find(|member| member.key == key)?;
        (found.node.value != Value::Null).then_some(&found.node)
    }

    pub(super) fn require(&self, key: &str) -> Read<&'a Node> {
        self.find(key)
            .ok_or_else(|| error(self.place, format!("the field `{key}` is missing"), format!("add `{key}`")))
    }

    pub(super) fn text(&self, key: &str) -> Read<Option<&'a str>> {
        match self.find(key) {
            None => Ok(None),
            Some(Node { value: Value::Text(text), .. }) => Ok(Some(text)),
            Some(node) => {
                Err(error(self.place, format!("the field `{key}` holds {}", node.kind()), "write a string"))
            }
        }
    }

    pub(super) fn require_text(&self, key: &str) -> Read<&'a str> {
        self.require(key)?;
        Ok(self.text(key)?.unwrap_or_default())
    }

    pub(super) fn flag(&self, key: &str) -> Read<bool> {
        match self.find(key) {
            None => Ok(false),
            Some(Node { value: Value::Bool(flag), .. }) => Ok(*flag),
            Some(node) => Err(error(
                self.place,
                format!("the field `{key}` holds {}", node.kind()),
                "write true or false",
            )),
        }
    }

    pub(super) fn account(&self, key: &str) -> Read<Option<AccountId>> {
        self.text(key)?
            .map(|text| {
                AccountId::new(text).map_err(|cause| {
                    error(self.place, format!("the field `{key}`: {cause}"), "write 12 digits")
                })
            })
            .transpose()
    }

    pub(super) fn require_account(&self, key: &str) -> Read<AccountId> {
        self.require(key)?;
        self.account(key)?
            .ok_or_else(|| error(self.place, format!("the field `{key}` is missing"), "write 12 digits"))
    }

    pub(super) fn require_arn(&self, key: &str) -> Read<Arn> {
        Arn::new(self.require_text(key)?)
            .map_err(|cause| error(self.place, format!("the field `{key}`: {cause}"), "write the whole ARN"))
    }
}
