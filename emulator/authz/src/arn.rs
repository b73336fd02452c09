//! Account ids and ARNs, parsed at the edge.

use std::fmt;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An AWS account id: exactly 12 decimal digits.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(Arc<str>);

/// Why a text is not an account id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an account id: it must be 12 digits")]
pub struct AccountIdError {
    text: String,
}

impl AccountId {
    /// Parses 12 digits.
    pub fn new(text: impl AsRef<str>) -> Result<Self, AccountIdError> {
        let text = text.as_ref();
        if is_account_id(text) {
            Ok(Self(text.into()))
        } else {
            Err(AccountIdError { text: text.to_owned() })
        }
    }

    /// The 12 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

pub(crate) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An ARN: `arn:partition:service:region:account:resource`, where region and account may be empty.
///
/// The resource part keeps every further colon and slash as written.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Arn(Arc<str>);

/// Why a text is not an ARN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an ARN: it must have the form `arn:partition:service:region:account:resource`")]
pub struct ArnError {
    text: String,
}

impl Arn {
    /// Parses a text of six parts that starts with `arn:` and names a partition, a service and a resource.
    pub fn new(text: impl AsRef<str>) -> Result<Self, ArnError> {
        let text = text.as_ref();
        match segments(text) {
            Some(["arn", partition, service, _, _, resource])
                if !partition.is_empty() && !service.is_empty() && !resource.is_empty() =>
            {
                Ok(Self(text.into()))
            }
            _ => Err(ArnError { text: text.to_owned() }),
        }
    }

    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn part(&self, index: usize) -> &str {
        self.0.splitn(6, ':').nth(index).unwrap_or("")
    }

    /// The service part: `s3`, `iam`, `kms`.
    pub fn service(&self) -> &str {
        self.part(2)
    }

    /// The region part; S3 and IAM ARNs carry none.
    pub fn region(&self) -> &str {
        self.part(3)
    }

    /// The account in the ARN itself; S3 ARNs carry none.
    pub fn account(&self) -> Option<AccountId> {
        AccountId::new(self.part(4)).ok()
    }

    /// Everything after the fifth colon.
    pub fn resource(&self) -> &str {
        self.part(5)
    }
}

/// The six parts of an ARN, split on its first five colons.
pub(crate) fn segments(text: &str) -> Option<[&str; 6]> {
    let mut rest = text;
    let mut next = || {
        // The parts are short: a loop finds the colon sooner than a search for it does.
        let colon = rest.bytes().position(|byte| byte == b':')?;
        let part = rest.get(..colon)?;
        rest = rest.get(colon + 1..)?;
        Some(part)
    };
    let parts = [next()?, next()?, next()?, next()?, next()?];
    let [first, second, third, fourth, fifth] = parts;
    Some([first, second, third, fourth, fifth, rest])
}

macro_rules! text_newtype {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::new(text).map_err(D::Error::custom)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

text_newtype!(AccountId);
text_newtype!(Arn);

impl std::str::FromStr for AccountId {
    type Err = AccountIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl std::str::FromStr for Arn {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}
