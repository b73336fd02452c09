//! Who demands what a check proves.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

/// A text that states the demand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Source {
    /// A page of AWS documentation.
    Aws {
        /// Title of the page, and of the section if it is long.
        page: Cow<'static, str>,
        /// The day on which it was read, `YYYY-MM-DD`.
        read_on: Cow<'static, str>,
    },
    /// An answer of AWS that was recorded.
    Recorded {
        /// Which recording.
        sample: Cow<'static, str>,
    },
    /// Nobody states it; it is what AWS does if it is consistent.
    Unverified {
        /// With what it would be consistent.
        why: Cow<'static, str>,
    },
    /// A requirement of this project, drawn from a vendor's page.
    Requirement {
        /// The id, such as `SUP-09`.
        id: Cow<'static, str>,
    },
}

impl Source {
    /// A page of AWS documentation and the day on which it was read, `YYYY-MM-DD`.
    pub fn aws(page: impl Into<Cow<'static, str>>, read_on: impl Into<Cow<'static, str>>) -> Self {
        Self::Aws { page: page.into(), read_on: read_on.into() }
    }

    /// A recorded answer of AWS.
    pub fn recorded(sample: impl Into<Cow<'static, str>>) -> Self {
        Self::Recorded { sample: sample.into() }
    }

    /// What follows if AWS is consistent, and nobody states.
    pub fn unverified(why: impl Into<Cow<'static, str>>) -> Self {
        Self::Unverified { why: why.into() }
    }

    /// A requirement by its id.
    pub fn requirement(id: impl Into<Cow<'static, str>>) -> Self {
        Self::Requirement { id: id.into() }
    }

    /// The page's title or the requirement's id, for lines with little room.
    pub fn short(&self) -> &str {
        match self {
            Self::Aws { page, .. } => page,
            Self::Requirement { id } => id,
            Self::Recorded { sample } => sample,
            Self::Unverified { why } => why,
        }
    }

    /// The id, if this is a requirement.
    pub fn requirement_id(&self) -> Option<&str> {
        match self {
            Self::Requirement { id } => Some(id),
            _ => None,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aws { page, read_on } => write!(formatter, "AWS: {page} (read {read_on})"),
            Self::Requirement { id } => formatter.write_str(id),
            Self::Recorded { sample } => write!(formatter, "{sample}"),
            Self::Unverified { why } => write!(formatter, "unverified: {why}"),
        }
    }
}
