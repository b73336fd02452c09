//! Names of checks.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

/// The permanent slug of a check: lower-case words and digits, joined by `-` within a part and by `.` between parts,
/// at least two parts. A profile's id may stand in it with its underscores.
///
/// The form is not enforced here, so that a check can be a plain literal; an
/// [`Inventory`](crate::inventory::Inventory) takes no other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct CheckId(Cow<'static, str>);

impl CheckId {
    /// The slug as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the text has the form of a slug.
    pub fn is_slug(&self) -> bool {
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        let is_part = |part: &str| part.split(['-', '_']).all(is_word);
        self.0.contains('.') && self.0.split('.').all(is_part)
    }
}

impl From<&'static str> for CheckId {
    fn from(slug: &'static str) -> Self {
        Self(Cow::Borrowed(slug))
    }
}

impl From<String> for CheckId {
    fn from(slug: String) -> Self {
        Self(Cow::Owned(slug))
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}
