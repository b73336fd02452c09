//! The certificate of a signature, and whether the signature is its.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};
use tokio::sync::Mutex;
use tokio_rustls::rustls::client::danger::ServerCertVerifier as _;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use super::fetch;
use super::message::Envelope;
use super::refusal::Refusal;
use super::trust::{Trust, is_sns_host};

/// Certificates that are kept; SNS uses one per region and replaces it seldom.
const KEPT_MAX: usize = 32;
/// The name that signing certificates are made out to.
const SIGNER_NAME: &str = "sns.amazonaws.com";

/// A certificate that was believed.
#[derive(Clone, Debug)]
struct SigningKey {
    /// As PKCS #1 writes it.
    public: Vec<u8>,
    from_second: i64,
    until_second: i64,
}

/// Certificates by their URLs.
#[derive(Debug, Default)]
pub(super) struct Certificates {
    kept: Mutex<BTreeMap<String, SigningKey>>,
}

impl Certificates {
    /// Whether the message is signed by SNS.
    pub(super) async fn verify(
        &self,
        message: &Envelope,
        trust: &Trust,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let (Some(version), Some(signature), Some(url)) =
            (&message.signature_version, &message.signature, &message.signing_cert_url)
        else {
            return Err(Refusal::Unsigned);
        };
        let algorithm = match version.as_str() {
            "1" => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            "2" => &RSA_PKCS1_2048_8192_SHA256,
            _ => {
                return Err(Refusal::Malformed {
                    reason: "`SignatureVersion` is neither 1 nor 2".to_owned(),
                });
            }
        };
        let signature = STANDARD.decode(signature).map_err(|_| Refusal::WrongSignature)?;
        let key = self.key(url, message, trust, now).await?;
        UnparsedPublicKey::new(algorithm, &key.public)
            .verify(message.signed_text().as_bytes(), &signature)
            .map_err(|_| Refusal::WrongSignature)
    }

    /// The key behind a URL. One is fetched at a time, so strangers cannot make the import knock at SNS in numbers.
    async fn key(
        &self,
        url: &str,
        message: &Envelope,
        trust: &Trust,
        now: Timestamp,
    ) -> Result<SigningKey, Refusal> {
        let place = trust.certificate_place(url, &message.topic_arn)?;
        let mut kept = self.kept.lock().await;
        let seconds = now.as_second();
        if let Some(key) = kept.get(url).filter(|key| (key.from_second..=key.until_second).contains(&seconds))
        {
            return Ok(key.clone());
        }
        let unreachable = |reason| Refusal::NoCertificate { reason };
        let (status, pem) = fetch::get(&place, &trust.tls).await.map_err(unreachable)?;
        if status.is_server_error() {
            return Err(unreachable(format!("the answer is {status}")));
        }
        if !status.is_success() {
            return Err(Refusal::Certificate { reason: format!("the answer is {status}") });
        }
        let region = message.topic_arn.split(':').nth(3).unwrap_or_default();
        let key = believed(&pem, trust, region, now).map_err(|reason| Refusal::Certificate { reason })?;
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(url.to_owned(), key.clone());
        Ok(key)
    }
}

/// Reads a certificate, and checks whose it is, whether it is valid now, and who vouches for it.
fn believed(pem: &[u8], trust: &Trust, region: &str, now: Timestamp) -> Result<SigningKey, String> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("it is no PEM: {error}"))?;
    let (leaf, others) = chain.split_first().ok_or("there is no certificate in it")?;
    let (_, parsed) =
        X509Certificate::from_der(leaf).map_err(|error| format!("it cannot be read: {error}"))?;
    let name = name(&parsed, region).ok_or("it is not made out to SNS")?;
    let validity = parsed.validity();
    let (from, until) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    if !(from..=until).contains(&now.as_second()) {
        return Err(format!("it is valid from {} to {}", validity.not_before, validity.not_after));
    }
    // AWS publishes the certificate alone, by way of TLS to a pinned host; a chain that comes along must hold.
    if trust.must_chain() || !others.is_empty() {
        let anchors = trust.anchors.as_ref().ok_or("no root certificates are known to this machine")?;
        let name = ServerName::try_from(name).map_err(|error| error.to_string())?;
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        anchors
            .verify_server_cert(leaf, others, &name, &[], at)
            .map_err(|error| format!("its chain does not hold: {error}"))?;
    }
    let public = parsed.public_key().subject_public_key.data.to_vec();
    Ok(SigningKey { public, from_second: from, until_second: until })
}

/// The name of SNS that a certificate is made out to.
fn name(certificate: &X509Certificate<'_>, region: &str) -> Option<String> {
    let alternatives = certificate.subject_alternative_name().ok().flatten();
    let alternatives = alternatives.iter().flat_map(|found| &found.value.general_names);
    let mut names: Vec<&str> = alternatives
        .filter_map(|name| if let GeneralName::DNSName(name) = name { Some(*name) } else { None })
        .collect();
    if names.is_empty() {
        names.extend(certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok()));
    }
    names.into_iter().find(|name| *name == SIGNER_NAME || is_sns_host(name, region)).map(str::to_owned)
}
