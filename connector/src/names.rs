//! Names that travel through the whole crate, each checked where it enters.

use std::fmt;

/// Why a text is not a name of the asked kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is not {expected}")]
pub struct NameError {
    value: String,
    expected: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $accepts:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Checks `value` and keeps it.
            pub fn new(value: impl Into<String>) -> Result<Self, NameError> {
                let value = value.into();
                let accepts: fn(&str) -> bool = $accepts;
                if accepts(&value) { Ok(Self(value)) } else { Err(NameError { value, expected: $expected }) }
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                Self::new(text).map_err(serde::de::Error::custom)
            }
        }
    };
}

fn is_snake(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

name! {
    /// Identifies a vendor profile, such as `suprsend_s3_v2`.
    ProfileId, "a profile id (lower-case letters, digits and `_`, a letter first)", is_snake
}
name! {
    /// Names a dataset of a profile, such as `messages`.
    DatasetName, "a dataset name (lower-case letters, digits and `_`, a letter first)", is_snake
}
name! {
    /// Names a bucket. Upper-case letters and `_` pass, as old buckets in `us-east-1` may have them; whether the
    /// bucket exists is for S3 to say.
    BucketName, "a bucket name (3 to 255 letters, digits, `.`, `-` and `_`)",
    |text| (3..=255).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}
name! {
    /// The key of an object: 1 to 1,024 bytes of UTF-8 without control characters.
    ObjectKey, "an object key (1 to 1,024 bytes without control characters)",
    |text| (1..=1024).contains(&text.len()) && !text.chars().any(char::is_control)
}
name! {
    /// An entity tag as the store gave it, quotes included.
    ETag, "an entity tag", |text| !text.is_empty() && text.is_ascii()
}
name! {
    /// Identifies one sealed intent; the same rows for the same object by the same writer give the same id.
    IntentId, "an intent id (a UUID)", |text| uuid::Uuid::try_parse(text).is_ok()
}

impl BucketName {
    /// The bucket's ARN.
    pub fn arn(&self) -> String {
        format!("arn:aws:s3:::{}", self.0)
    }

    /// The ARN of one object of the bucket.
    pub fn object_arn(&self, key: &ObjectKey) -> String {
        format!("arn:aws:s3:::{}/{key}", self.0)
    }
}
