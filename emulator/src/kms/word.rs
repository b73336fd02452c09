//! What is refused for any operation, in the words of this service.

use http::StatusCode;

use crate::error::AwsError;

/// The operations of the API that the emulator does not do.
const KNOWN: [&str; 21] = [
    "ConnectCustomKeyStore",
    "CreateCustomKeyStore",
    "DeleteCustomKeyStore",
    "DeleteImportedKeyMaterial",
    "DeriveSharedSecret",
    "DescribeCustomKeyStores",
    "DisconnectCustomKeyStore",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateMac",
    "GetKeyLastUsage",
    "GetParametersForImport",
    "GetPublicKey",
    "ImportKeyMaterial",
    "ReplicateKey",
    "Sign",
    "SynchronizeMultiRegionKey",
    "UpdateCustomKeyStore",
    "UpdatePrimaryRegion",
    "Verify",
    "VerifyMac",
];

/// The refusal of an operation by its name in `X-Amz-Target`.
pub(super) fn unsupported(name: &str) -> AwsError {
    if KNOWN.contains(&name) {
        return AwsError::not_implemented(format!("the KMS operation `{name}`"));
    }
    let text = format!("The operation `{name}` is not an operation of KMS");
    AwsError::new(StatusCode::BAD_REQUEST, "UnknownOperationException", text)
}

/// A refusal that several services share, as KMS names it: nearly always with status 400.
///
/// Source: KMS API reference, "Common errors".
pub(crate) fn word(mut refusal: AwsError) -> AwsError {
    let code = match &*refusal.code {
        "AccessDenied" => "AccessDeniedException",
        "IncompleteSignature" | "AuthorizationHeaderMalformed" | "InvalidRequest" | "InvalidArgument" => {
            "IncompleteSignatureException"
        }
        "ExpiredToken" => "ExpiredTokenException",
        "InternalError" => "KMSInternalException",
        "InvalidClientTokenId" => "UnrecognizedClientException",
        "MissingAuthenticationToken" => "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch" => "InvalidSignatureException",
        _ => return refusal,
    };
    refusal.code = code.into();
    if refusal.status.is_client_error() {
        refusal.status = StatusCode::BAD_REQUEST;
    }
    refusal
}

/// A refusal with status 400.
pub(super) fn refuse(code: &'static str, message: impl Into<String>) -> AwsError {
    AwsError::new(StatusCode::BAD_REQUEST, code, message)
}

pub(super) fn validation(message: impl Into<String>) -> AwsError {
    refuse("ValidationException", message)
}

/// What KMS offers and the emulator does not.
pub(super) fn unsupported_feature(what: &str) -> AwsError {
    refuse("UnsupportedOperationException", format!("{what} is not supported by this emulator yet"))
}

/// The answer to a dry run that met no obstacle.
pub(super) fn dry_run() -> AwsError {
    refuse("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
}
