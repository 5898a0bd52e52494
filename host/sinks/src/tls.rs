//! TLS to providers: whom to trust, without a process-wide provider of cryptography.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::BuildError;

/// Whether a sink can do without certificate authorities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Authorities {
    /// It speaks TLS.
    Needed,
    /// It speaks plain HTTP, to a simulator or on this machine.
    MayBeMissing,
}

/// TLS with ring, named explicitly, so that no process-wide provider has to be installed.
///
/// # Errors
/// The authorities cannot be read, or there are none.
pub(crate) fn client(
    sink: &str,
    ca_file: Option<&Path>,
    needed: Authorities,
) -> Result<ClientConfig, BuildError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|source| BuildError::SetUp {
            sink: sink.to_owned(),
            what: "TLS",
            source: source.into(),
        })?
        .with_root_certificates(authorities(sink, ca_file, needed)?)
        .with_no_client_auth();
    Ok(config)
}

/// Whom to trust: `ca_file` alone if it is set, else the machine's authorities, which are looked
/// for in `SSL_CERT_FILE`, `SSL_CERT_DIR` and the usual places under `/etc`.
fn authorities(
    sink: &str,
    ca_file: Option<&Path>,
    needed: Authorities,
) -> Result<RootCertStore, BuildError> {
    let mut store = RootCertStore::empty();
    if let Some(path) = ca_file {
        let unusable = |source| BuildError::CaFile {
            sink: sink.to_owned(),
            path: path.to_owned(),
            source,
        };
        let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect)
            .map_err(unusable)?;
        store.add_parsable_certificates(certificates);
        if store.is_empty() {
            return Err(unusable(rustls::pki_types::pem::Error::NoItemsFound));
        }
        return Ok(store);
    }
    if needed == Authorities::MayBeMissing {
        return Ok(store);
    }
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "a certificate authority of this machine cannot be read");
    }
    store.add_parsable_certificates(native.certs);
    if store.is_empty() {
        return Err(BuildError::NoAuthorities {
            sink: sink.to_owned(),
        });
    }
    Ok(store)
}
