//! TLS for the socket: a certificate that is given, or one made for the occasion.

use std::fmt;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The names that a made certificate is valid for, beside the domains asked for. Clients refuse `*.localhost`: a
/// wildcard needs two labels behind it.
const LOCAL_NAMES: [&str; 7] = [
    "localhost",
    "s3.localhost",
    "*.s3.localhost",
    "localhost.localstack.cloud",
    "*.localhost.localstack.cloud",
    "s3.localhost.localstack.cloud",
    "*.s3.localhost.localstack.cloud",
];

/// A certificate with its key.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ServerConfig>,
    trusted: String,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A certificate could not be made, most likely for a name that is none.
    #[error("cannot make a certificate: {0}")]
    Generate(#[from] rcgen::Error),
    /// The text holds no certificate, or a broken one.
    #[error("the certificate is not PEM with at least one `CERTIFICATE`: {0}")]
    Certificate(String),
    /// The text holds no private key, or a broken one. The key is not repeated.
    #[error("the private key is not PEM with a `PRIVATE KEY`")]
    Key,
    /// Certificate and key do not belong together, or are of a kind that is not supported.
    #[error("the certificate cannot be used: {0}")]
    Unusable(#[from] tokio_rustls::rustls::Error),
}

impl Tls {
    /// A certificate for this machine's names and addresses and for `domains` with their subdomains, signed by an
    /// authority that is made with it and forgotten.
    ///
    /// Its keys come from the system, not from the emulator's seed.
    ///
    /// # Errors
    /// [`TlsError::Generate`] if a domain is no host name.
    pub fn generated(domains: &[String]) -> Result<Self, TlsError> {
        let names = LOCAL_NAMES.iter().map(|name| (*name).to_owned());
        let asked = domains.iter().flat_map(|domain| [domain.clone(), format!("*.{domain}")]);
        let addresses = ["127.0.0.1".to_owned(), "::1".to_owned()];
        let authority_key = KeyPair::generate()?;
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        authority.distinguished_name.push(DnType::CommonName, "Bucketproof emulator, made for this run");
        let authority_certificate = authority.self_signed(&authority_key)?;
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names.chain(asked).chain(addresses).collect::<Vec<_>>())?;
        params.distinguished_name.push(DnType::CommonName, "localhost");
        let certificate = params.signed_by(&key, &Issuer::new(authority, authority_key))?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(|_| TlsError::Key)?;
        Self::new(vec![certificate.der().clone()], key, authority_certificate.pem())
    }

    /// A certificate chain and its private key, both PEM.
    ///
    /// # Errors
    /// [`TlsError`] if one of the two cannot be read, or they do not belong together.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, TlsError> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificate.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|error| TlsError::Certificate(error.to_string()))?;
        if chain.is_empty() {
            return Err(TlsError::Certificate("there is none in it".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| TlsError::Key)?;
        Self::new(chain, key, certificate.to_owned())
    }

    fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        trusted: String,
    ) -> Result<Self, TlsError> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), trusted })
    }

    /// What clients have to trust, as PEM: the authority of a made certificate, or the chain that was given.
    pub fn trusted_pem(&self) -> &str {
        &self.trusted
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}

/// Without the key.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}
