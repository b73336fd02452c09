//! Schemas of documents that are stored and returned as they came: inventory, analytics, replication and the like.
//!
//! A document that passes holds nothing but what is named here. Source: the API model of S3.

use super::document::Element;
use crate::error::AwsError;

/// An element that may stand in another.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) occurs: Occurs,
    pub(super) content: Content,
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occurs {
    Once,
    AtMostOnce,
    OnceOrMore,
    Any,
}

/// What stands in an element.
#[derive(Debug)]
pub(super) enum Content {
    Text,
    /// A whole number that is not negative.
    Number,
    /// `true` or `false`.
    Flag,
    /// One of these.
    Choice(&'static [&'static str]),
    Fields(&'static [Field]),
    /// At most one of these.
    OneOf(&'static [Field]),
}

pub(super) const fn one(name: &'static str, content: Content) -> Field {
    Field { name, occurs: Occurs::Once, content }
}

pub(super) const fn optional(name: &'static str, content: Content) -> Field {
    Field { name, occurs: Occurs::AtMostOnce, content }
}

pub(super) const fn some(name: &'static str, content: Content) -> Field {
    Field { name, occurs: Occurs::OnceOrMore, content }
}

pub(super) const fn any(name: &'static str, content: Content) -> Field {
    Field { name, occurs: Occurs::Any, content }
}

impl Content {
    /// Refuses an element that does not hold this.
    pub(super) fn check(&self, element: &Element) -> Result<(), AwsError> {
        let fits = match self {
            Self::Text => element.leaf().is_ok(),
            Self::Number => element.leaf()?.parse::<u32>().is_ok(),
            Self::Flag => matches!(element.leaf()?, "true" | "false"),
            Self::Choice(choices) => choices.contains(&element.leaf()?),
            Self::OneOf(fields) => {
                check_fields(fields, element)?;
                element.children().len() <= 1
            }
            Self::Fields(fields) => {
                check_fields(fields, element)?;
                true
            }
        };
        if fits { Ok(()) } else { Err(AwsError::malformed_xml()) }
    }
}

fn check_fields(fields: &[Field], element: &Element) -> Result<(), AwsError> {
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    element.only(&names)?;
    for field in fields {
        let count = element.all(field.name).count();
        let fits = match field.occurs {
            Occurs::Once => count == 1,
            Occurs::AtMostOnce => count <= 1,
            Occurs::OnceOrMore => count >= 1,
            Occurs::Any => true,
        };
        if !fits {
            return Err(AwsError::malformed_xml());
        }
        for child in element.all(field.name) {
            field.content.check(child)?;
        }
    }
    Ok(())
}
