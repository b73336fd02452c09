//! TLS with a certificate and its key from files.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Why TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file of certificates or keys.
    #[error("`{path}` cannot be used as PEM: {reason}")]
    Pem {
        /// The file.
        path: String,
        /// The cause.
        reason: String,
    },
    /// Certificate and key do not go together.
    #[error("TLS cannot be spoken: {reason}")]
    Unusable {
        /// The cause.
        reason: String,
    },
}

/// TLS with a certificate and its key, both as PEM.
pub(crate) fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let pem = |path: &Path, reason: String| TlsError::Pem { path: path.display().to_string(), reason };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| pem(certificate, error.to_string()))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| pem(key, error.to_string()))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Unusable { reason: error.to_string() })?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| TlsError::Unusable { reason: error.to_string() })?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
