//! TLS of the doors: from PEM to a configuration, with ring, without a process-wide provider.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Why certificate and key do not do. What the files hold is never said.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("holds no certificate that can be read ({0})")]
    Certificate(String),
    #[error("holds no private key that can be read ({0})")]
    Key(String),
    #[error("does not go with the certificate ({0})")]
    Pair(rustls::Error),
}

/// A server of these files; TLS 1.2 and 1.3, HTTP/1.1.
pub(crate) fn server(certificates: &str, key: &str) -> Result<ServerConfig, TlsError> {
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(certificates.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|error| TlsError::Certificate(error.to_string()))?;
    if chain.is_empty() {
        return Err(TlsError::Certificate("no PEM section CERTIFICATE".into()));
    }
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
        .map_err(|_| TlsError::Key("no PEM section of a private key".into()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Pair)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(TlsError::Pair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
