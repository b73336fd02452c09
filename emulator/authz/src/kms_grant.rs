//! Grants on KMS keys.
//!
//! A grant allows and never denies. Source: KMS Developer Guide, "Grants in AWS KMS".

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::policy::NamedPrincipal;

/// A grant on one key.
///
/// Unlike a policy it is not bound to unique ids here: AWS's documents do not say what becomes of a grant whose
/// grantee is deleted and made anew; unverified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KmsGrant {
    /// `GrantId`, 64 hexadecimal digits on AWS.
    pub id: String,
    /// Who may use the key.
    pub grantee: GrantPrincipal,
    /// Who may retire the grant.
    pub retiring: Option<GrantPrincipal>,
    /// What the grantee may do.
    pub operations: Vec<KmsGrantOperation>,
    /// Under which encryption context.
    pub constraints: KmsGrantConstraints,
}

/// A principal as a grant names it: the ARN of a user, role, session, federated user or account, or a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantPrincipal {
    text: String,
    pub(crate) named: NamedPrincipal,
}

/// A text that names no principal of a grant. AWS answers `InvalidArnException`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` names no principal: write the ARN of a user, role, session or account, or a service")]
pub struct GrantPrincipalError {
    text: String,
}

impl GrantPrincipal {
    /// The principal as it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it names.
    pub fn named(&self) -> &NamedPrincipal {
        &self.named
    }
}

impl FromStr for GrantPrincipal {
    type Err = GrantPrincipalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = match NamedPrincipal::parse_aws(text) {
            named @ (NamedPrincipal::Account(_) | NamedPrincipal::Arn(_)) if text.starts_with("arn:") => {
                named
            }
            _ if is_service(text) => NamedPrincipal::Service(text.to_owned()),
            _ => return Err(GrantPrincipalError { text: text.to_owned() }),
        };
        Ok(Self { text: text.to_owned(), named })
    }
}

fn is_service(text: &str) -> bool {
    text.strip_suffix(".amazonaws.com").is_some_and(|name| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte))
    })
}

impl fmt::Display for GrantPrincipal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for GrantPrincipal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <Cow<'de, str>>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl Serialize for GrantPrincipal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// The operations that a grant can allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the operations")]
pub enum KmsGrantOperation {
    CreateGrant,
    Decrypt,
    DeriveSharedSecret,
    DescribeKey,
    Encrypt,
    GenerateDataKey,
    GenerateDataKeyPair,
    GenerateDataKeyPairWithoutPlaintext,
    GenerateDataKeyWithoutPlaintext,
    GenerateMac,
    GetPublicKey,
    ReEncryptFrom,
    ReEncryptTo,
    RetireGrant,
    Sign,
    Verify,
    VerifyMac,
}

/// A name that is none of an operation that grants can allow. AWS answers `ValidationException`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not an operation that a grant can allow")]
pub struct KmsGrantOperationError {
    name: String,
}

impl KmsGrantOperation {
    /// Every operation.
    pub const ALL: [Self; 17] = [
        Self::CreateGrant,
        Self::Decrypt,
        Self::DeriveSharedSecret,
        Self::DescribeKey,
        Self::Encrypt,
        Self::GenerateDataKey,
        Self::GenerateDataKeyPair,
        Self::GenerateDataKeyPairWithoutPlaintext,
        Self::GenerateDataKeyWithoutPlaintext,
        Self::GenerateMac,
        Self::GetPublicKey,
        Self::ReEncryptFrom,
        Self::ReEncryptTo,
        Self::RetireGrant,
        Self::Sign,
        Self::Verify,
        Self::VerifyMac,
    ];

    /// The name on the wire, which is the action without `kms:`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CreateGrant => "CreateGrant",
            Self::Decrypt => "Decrypt",
            Self::DeriveSharedSecret => "DeriveSharedSecret",
            Self::DescribeKey => "DescribeKey",
            Self::Encrypt => "Encrypt",
            Self::GenerateDataKey => "GenerateDataKey",
            Self::GenerateDataKeyPair => "GenerateDataKeyPair",
            Self::GenerateDataKeyPairWithoutPlaintext => "GenerateDataKeyPairWithoutPlaintext",
            Self::GenerateDataKeyWithoutPlaintext => "GenerateDataKeyWithoutPlaintext",
            Self::GenerateMac => "GenerateMac",
            Self::GetPublicKey => "GetPublicKey",
            Self::ReEncryptFrom => "ReEncryptFrom",
            Self::ReEncryptTo => "ReEncryptTo",
            Self::RetireGrant => "RetireGrant",
            Self::Sign => "Sign",
            Self::Verify => "Verify",
            Self::VerifyMac => "VerifyMac",
        }
    }

    /// Whether requests for it carry an encryption context, which constraints look at. Those for DescribeKey and
    /// RetireGrant have none, and KMS does not hold constraints against them; signing and MACs have none either, and
    /// KMS takes no constraints with keys for them.
    fn has_encryption_context(self) -> bool {
        matches!(
            self,
            Self::Decrypt
                | Self::Encrypt
                | Self::GenerateDataKey
                | Self::GenerateDataKeyPair
                | Self::GenerateDataKeyPairWithoutPlaintext
                | Self::GenerateDataKeyWithoutPlaintext
                | Self::ReEncryptFrom
                | Self::ReEncryptTo
        )
    }
}

impl FromStr for KmsGrantOperation {
    type Err = KmsGrantOperationError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|operation| operation.as_str() == name)
            .ok_or_else(|| KmsGrantOperationError { name: name.to_owned() })
    }
}

impl fmt::Display for KmsGrantOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An encryption context: names and values, compared with regard to case.
pub type EncryptionContext = BTreeMap<String, String>;

/// The constraints of a grant; both may be given, and then both must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KmsGrantConstraints {
    /// The encryption context must be exactly this.
    pub encryption_context_equals: Option<EncryptionContext>,
    /// The encryption context must contain all of this.
    pub encryption_context_subset: Option<EncryptionContext>,
}

impl KmsGrantConstraints {
    /// Whether an encryption context satisfies them.
    pub fn admit(&self, context: &EncryptionContext) -> bool {
        let equals = self.encryption_context_equals.as_ref().is_none_or(|wanted| wanted == context);
        let contains = self
            .encryption_context_subset
            .as_ref()
            .is_none_or(|wanted| wanted.iter().all(|(name, value)| context.get(name) == Some(value)));
        equals && contains
    }

    /// Whether everything that these constraints admit is admitted by `others` as well.
    pub fn are_as_strict_as(&self, others: &Self) -> bool {
        let equals = others
            .encryption_context_equals
            .as_ref()
            .is_none_or(|wanted| self.encryption_context_equals.as_ref() == Some(wanted));
        let known = |name: &String, value: &String| {
            [&self.encryption_context_equals, &self.encryption_context_subset]
                .into_iter()
                .flatten()
                .any(|context| context.get(name) == Some(value))
        };
        let contains = others
            .encryption_context_subset
            .as_ref()
            .is_none_or(|wanted| wanted.iter().all(|(name, value)| known(name, value)));
        equals && contains
    }
}

/// How a grant fares against a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GrantFit {
    Fits,
    OtherOperation,
    OtherEncryptionContext,
}

impl KmsGrant {
    /// Whether the grant lets its grantee make another grant: one of no more operations, under constraints as strict.
    ///
    /// CreateGrant through a grant needs this beside its authorization.
    pub fn may_create(&self, other: &Self) -> bool {
        self.operations.contains(&KmsGrantOperation::CreateGrant)
            && other.operations.iter().all(|operation| self.operations.contains(operation))
            && other.constraints.are_as_strict_as(&self.constraints)
    }

    pub(crate) fn fit(&self, lower_action: &[u8], context: &EncryptionContext) -> GrantFit {
        let Some(name) = lower_action.strip_prefix(b"kms:") else { return GrantFit::OtherOperation };
        let found =
            self.operations.iter().find(|operation| operation.as_str().as_bytes().eq_ignore_ascii_case(name));
        match found {
            None => GrantFit::OtherOperation,
            // For CreateGrant the constraints of the two grants are compared, in `may_create`.
            Some(operation) if !operation.has_encryption_context() => GrantFit::Fits,
            Some(_) if self.constraints.admit(context) => GrantFit::Fits,
            Some(_) => GrantFit::OtherEncryptionContext,
        }
    }
}

impl fmt::Display for KmsGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "grant `{}`", self.id)
    }
}

/// The grants on the key of a request, and what their constraints are held against.
#[derive(Debug, Clone, Copy, Default)]
pub struct KmsGrants<'a> {
    /// The grants on the key. For RetireGrant only the one to be retired.
    pub list: &'a [KmsGrant],
    /// The encryption context of the request; `None` if it has none.
    pub encryption_context: Option<&'a EncryptionContext>,
}

#[cfg(test)]
mod tests;
