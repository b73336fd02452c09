//! The key that SNS signs messages with, and the certificate that tells its public half.
//!
//! Source: SNS Developer Guide, "Verifying the signatures of Amazon SNS messages": RSA with PKCS #1 v1.5, over SHA-1 in
//! version 1 and SHA-256 in version 2.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bucketproof_clock::Entropy;
use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode};
use parking_lot::Mutex;
use rcgen::{CertificateParams, DnType, KeyPair};
use rsa::PrivateKey;
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pkcs8::EncodePrivateKey;
use rsa::rand_core::{TryCryptoRng, TryRng};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use crate::head::Head;
use crate::state::Content;

const KEY_BITS: usize = 2048;
/// How the file of a certificate is called (recorded).
const NAME_PREFIX: &str = "SimpleNotificationService-";
const NAME_SUFFIX: &str = ".pem";

/// By way of which hash a message is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digest {
    Sha1,
    Sha256,
}

impl Digest {
    /// `SignatureVersion`.
    pub(super) fn version(self) -> &'static str {
        match self {
            Self::Sha1 => "1",
            Self::Sha256 => "2",
        }
    }
}

/// A signing key with its certificate.
pub(super) struct Signer {
    key: PrivateKey,
    certificate_pem: String,
    certificate_name: String,
}

/// Without the key.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("certificate_name", &self.certificate_name).finish_non_exhaustive()
    }
}

/// The emulator's entropy as the source of a key.
struct Drawn(Entropy);

impl TryRng for Drawn {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let [a, b, c, d, ..] = self.0.next_u64().to_le_bytes();
        Ok(u32::from_le_bytes([a, b, c, d]))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Drawn {}

impl Signer {
    /// The key that belongs to a seed; making it takes a good part of a second.
    fn from_seed(seed: u64) -> Result<Self, String> {
        let key = PrivateKey::new(&mut Drawn(Entropy::seeded(seed)), KEY_BITS)
            .map_err(|error| format!("no signing key: {error}"))?;
        let der = key.to_pkcs8_der().map_err(|error| format!("the signing key: {error}"))?;
        let pair = KeyPair::try_from(der.as_bytes()).map_err(|error| format!("the signing key: {error}"))?;
        let mut params = CertificateParams::new(vec!["sns.amazonaws.com".to_owned()])
            .map_err(|error| format!("the signing certificate: {error}"))?;
        params.distinguished_name.push(DnType::CommonName, "sns.amazonaws.com");
        params.distinguished_name.push(DnType::OrganizationName, "Bucketproof emulator");
        let certificate =
            params.self_signed(&pair).map_err(|error| format!("the signing certificate: {error}"))?;
        let digest = hex::encode(Sha256::digest(certificate.der()));
        let certificate_name = format!("{NAME_PREFIX}{}{NAME_SUFFIX}", digest.get(..32).unwrap_or_default());
        Ok(Self { key, certificate_pem: certificate.pem(), certificate_name })
    }

    pub(super) fn certificate_name(&self) -> &str {
        &self.certificate_name
    }

    /// The signature of a text, as base64.
    pub(super) fn sign(&self, text: &[u8], digest: Digest) -> String {
        let signed = match digest {
            Digest::Sha1 => self.key.sign(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(text)),
            Digest::Sha256 => self.key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(text)),
        };
        // The key is long enough for both hashes, which is all that could be wrong.
        STANDARD.encode(signed.unwrap_or_default())
    }
}

/// The signer of an emulator, made when it is first needed; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct SigningCertificates {
    made: Arc<Mutex<Option<Made>>>,
}

/// A signer and the seed that it is made from.
type Made = (u64, Arc<Signer>);

impl SigningCertificates {
    pub(super) fn signer(&self, seed: u64) -> Result<Arc<Signer>, String> {
        let mut made = self.made.lock();
        if let Some((known, signer)) = &*made
            && *known == seed
        {
            return Ok(Arc::clone(signer));
        }
        let signer = Arc::new(Signer::from_seed(seed)?);
        *made = Some((seed, Arc::clone(&signer)));
        Ok(signer)
    }
}

/// The answer to a request for a certificate, which needs no signature; absent if the request is for something else.
///
/// No bucket can have such a name.
pub(crate) fn certificate_answer(
    head: &Head,
    seed: impl FnOnce() -> Option<u64>,
    certificates: &SigningCertificates,
) -> Option<Response<Content>> {
    let name = head.uri.path().strip_prefix('/')?;
    if head.method != Method::GET || !name.starts_with(NAME_PREFIX) || !name.ends_with(NAME_SUFFIX) {
        return None;
    }
    let signer = seed().and_then(|seed| certificates.signer(seed).ok());
    let (status, body) = match signer.filter(|signer| signer.certificate_name == name) {
        Some(signer) => (StatusCode::OK, signer.certificate_pem.clone()),
        None => (StatusCode::NOT_FOUND, format!("there is no certificate `{name}`\n")),
    };
    let mut response = Response::new(Content::from(Bytes::from(body)));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static("application/x-pem-file");
    response.headers_mut().insert(http::header::CONTENT_TYPE, content_type);
    Some(response)
}
