//! Why a key cannot be found or used.

use bucketproof_authz::Arn;
use http::StatusCode;

use crate::error::AwsError;

/// A refusal that two services word: KMS itself, and S3 for the keys of its objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyError {
    /// The reference leads nowhere; the text is AWS's.
    NotFound(String),
    Disabled(Arn),
    PendingDeletion(Arn),
    /// The blob is none, was changed, or belongs to another encryption context; AWS does not say which.
    InvalidCiphertext,
    /// Another key than the named one made the blob.
    IncorrectKey,
    /// The token belongs to no grant; AWS's text is unverified.
    InvalidGrantToken,
    /// A managed key of a service that the emulator does not have.
    UnknownManagedAlias(String),
    Internal,
}

impl KeyError {
    pub(crate) fn no_such_key(arn: &str) -> Self {
        Self::NotFound(format!("Key '{arn}' does not exist"))
    }

    pub(crate) fn no_such_alias(arn: &str) -> Self {
        Self::NotFound(format!("Alias {arn} is not found."))
    }

    pub(crate) fn invalid_key_id(text: &str) -> Self {
        Self::NotFound(format!("Invalid keyId '{text}'"))
    }

    /// The code and the message of KMS.
    fn words(&self) -> (&'static str, String) {
        match self {
            Self::NotFound(text) => ("NotFoundException", text.clone()),
            Self::Disabled(arn) => ("DisabledException", format!("{arn} is disabled.")),
            Self::PendingDeletion(arn) => ("KMSInvalidStateException", format!("{arn} is pending deletion.")),
            Self::InvalidCiphertext => ("InvalidCiphertextException", String::new()),
            Self::IncorrectKey => (
                "IncorrectKeyException",
                "The key ID in the request does not identify a CMK that can perform this operation."
                    .to_owned(),
            ),
            Self::InvalidGrantToken => {
                ("InvalidGrantTokenException", "The grant token is not valid.".to_owned())
            }
            Self::UnknownManagedAlias(_) | Self::Internal => ("KMSInternalException", String::new()),
        }
    }

    /// S3 repeats what KMS says, with `KMS.` before the code, always with status 400.
    ///
    /// Source: recorded answers for `NotFoundException`, `DisabledException` and `KMSInvalidStateException`.
    pub(crate) fn in_s3(self) -> AwsError {
        match self {
            Self::UnknownManagedAlias(_) | Self::Internal => self.into(),
            _ => {
                let (code, message) = self.words();
                AwsError::new(StatusCode::BAD_REQUEST, format!("KMS.{code}"), message)
            }
        }
    }
}

impl KeyError {
    /// SNS names the exceptions of KMS in its own way, and so does SQS: status 400.
    ///
    /// Source: the errors of `Publish` and `SendMessage` in their API references; the texts are those of KMS (unverified).
    pub(crate) fn in_messaging(self, service: MessagingService) -> AwsError {
        let (_, message) = self.words();
        let code = match (service, &self) {
            (_, Self::UnknownManagedAlias(_) | Self::Internal) => return self.into(),
            (MessagingService::Sns, Self::Disabled(_)) => "KMSDisabled",
            (MessagingService::Sns, Self::PendingDeletion(_)) => "KMSInvalidState",
            (MessagingService::Sns, _) => "KMSNotFound",
            (MessagingService::Sqs, Self::Disabled(_)) => "KMS.DisabledException",
            (MessagingService::Sqs, Self::PendingDeletion(_)) => "KMS.InvalidStateException",
            (MessagingService::Sqs, _) => "KMS.NotFoundException",
        };
        AwsError::new(StatusCode::BAD_REQUEST, code, message)
    }
}

/// A service that encrypts the messages it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessagingService {
    Sns,
    Sqs,
}

/// KMS's own answer.
impl From<KeyError> for AwsError {
    fn from(error: KeyError) -> Self {
        match &error {
            KeyError::UnknownManagedAlias(alias) => {
                Self::not_implemented(format!("the AWS managed key `{alias}`"))
            }
            KeyError::Internal => Self::internal(),
            _ => {
                let (code, message) = error.words();
                Self::new(StatusCode::BAD_REQUEST, code, message)
            }
        }
    }
}
