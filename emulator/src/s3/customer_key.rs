//! SSE-C: keys that customers bring along.
//!
//! Source: recorded answers. That an MD5 of the key is demanded is documented, and that its absence is an
//! `InvalidArgument` was seen on AWS; its text is that of other servers which took theirs from AWS.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use md5::{Digest, Md5};

use crate::error::AwsError;
use crate::state::Encryption;

/// The only algorithm.
const ALGORITHM: &str = "AES256";
/// Which argument AWS complains about, whichever of the headers is wrong.
const ARGUMENT: &str = "x-amz-server-side-encryption";

/// A key of 256 bits; not shown by `Debug`, never stored.
#[derive(Clone)]
pub(crate) struct CustomerKey([u8; 32]);

impl CustomerKey {
    pub(crate) fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for CustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomerKey(…)")
    }
}

/// What the headers of a request say about a key; what is wrong with them only those learn who may do the rest.
#[derive(Clone, Debug, Default)]
pub(crate) enum GivenKey {
    #[default]
    Absent,
    Wrong(Box<AwsError>),
    Given(CustomerKey),
}

impl GivenKey {
    /// From the values of the three headers, in the order in which AWS complains about them.
    pub(crate) fn parse(algorithm: Option<&str>, key: Option<&str>, md5: Option<&str>) -> Self {
        if algorithm.is_none() && key.is_none() && md5.is_none() {
            return Self::Absent;
        }
        match parse(algorithm, key, md5) {
            Ok(key) => Self::Given(key),
            Err(error) => Self::Wrong(Box::new(error)),
        }
    }

    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    pub(crate) fn get(&self) -> Result<Option<&CustomerKey>, AwsError> {
        match self {
            Self::Absent => Ok(None),
            Self::Wrong(error) => Err((**error).clone()),
            Self::Given(key) => Ok(Some(key)),
        }
    }

    /// Whether this opens an object that is encrypted so.
    pub(crate) fn check_read(&self, encryption: &Encryption) -> Result<(), AwsError> {
        match (encryption, self.get()?) {
            (Encryption::Customer(seal), Some(key)) if seal.fits(key) => Ok(()),
            (Encryption::Customer(_), Some(_)) => {
                let text = "Requests specifying Server Side Encryption with Customer provided keys must provide \
                            the correct secret key.";
                Err(AwsError::access_denied(text))
            }
            (Encryption::Customer(_), None) => Err(AwsError::invalid_request(
                "The object was stored using a form of Server Side Encryption. The correct parameters must be \
                 provided to retrieve the object.",
            )),
            (_, Some(_)) => {
                let text = "The encryption parameters are not applicable to this object.";
                Err(AwsError::invalid_request(text))
            }
            (_, None) => Ok(()),
        }
    }

    /// Whether this is what an upload was begun with.
    pub(crate) fn check_upload(&self, encryption: &Encryption) -> Result<(), AwsError> {
        match (encryption, self.get()?) {
            (Encryption::Customer(seal), Some(key)) if seal.fits(key) => Ok(()),
            (Encryption::Customer(_), Some(_)) => Err(AwsError::invalid_request(
                "The provided encryption parameters did not match the ones used originally.",
            )),
            (Encryption::Customer(_), None) | (_, Some(_)) => Err(AwsError::invalid_request(
                "The multipart upload initiate requested encryption. Subsequent part requests must include the \
                 appropriate encryption parameters.",
            )),
            (_, None) => Ok(()),
        }
    }
}

fn parse(algorithm: Option<&str>, key: Option<&str>, md5: Option<&str>) -> Result<CustomerKey, AwsError> {
    let demand = "Requests specifying Server Side Encryption with Customer provided keys must provide";
    let algorithm = algorithm.ok_or_else(|| invalid(format!("{demand} a valid encryption algorithm.")))?;
    if algorithm != ALGORITHM {
        let text = "The Encryption request you specified is not valid. Supported value: AES256.";
        return Err(AwsError::new(StatusCode::BAD_REQUEST, "InvalidEncryptionAlgorithmError", text)
            .with("ArgumentName", ARGUMENT)
            .with("ArgumentValue", algorithm));
    }
    let key = key.ok_or_else(|| invalid(format!("{demand} an appropriate secret key.")))?;
    let md5 = md5.ok_or_else(|| invalid(format!("{demand} the client calculated MD5 of the secret key.")))?;
    // What is no base64 is no key of any length.
    let raw = STANDARD.decode(key).unwrap_or_default();
    if STANDARD.decode(md5).ok().as_deref() != Some(Md5::digest(&raw).as_slice()) {
        let text = "The calculated MD5 hash of the key did not match the hash that was provided.";
        return Err(invalid(text));
    }
    let key =
        raw.try_into().map_err(|_| invalid("The secret key was invalid for the specified algorithm."))?;
    Ok(CustomerKey(key))
}

fn invalid(text: impl Into<String>) -> AwsError {
    AwsError::new(StatusCode::BAD_REQUEST, "InvalidArgument", text).with("ArgumentName", ARGUMENT)
}
