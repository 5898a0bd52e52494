//! TLS to registries: rustls with ring, named explicitly, so that no process-wide provider has to
//! be installed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// Whose word counts about who a registry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Authorities {
    /// Nobody's: TLS is not spoken.
    Nobody,
    /// Those in a file.
    File(PathBuf),
    /// Those of the machine, which are looked for in `SSL_CERT_FILE`, `SSL_CERT_DIR` and the usual
    /// places under `/etc`.
    Machine,
}

/// A configuration that trusts these authorities.
///
/// # Errors
/// A sentence that says what is wrong with them.
pub(crate) fn configuration(authorities: &Authorities) -> Result<ClientConfig, String> {
    let authorities = match authorities {
        Authorities::Nobody => RootCertStore::empty(),
        Authorities::File(path) => from_file(path)?,
        Authorities::Machine => of_the_machine()?,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?;
    Ok(builder
        .with_root_certificates(authorities)
        .with_no_client_auth())
}

fn from_file(path: &Path) -> Result<RootCertStore, String> {
    let unusable = |why: String| {
        format!(
            "`ca_file` {} cannot be used ({why}); it must hold certificates in PEM",
            path.display()
        )
    };
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(error.to_string()))?;
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(certificates);
    if store.is_empty() {
        return Err(unusable("it holds no certificate".to_owned()));
    }
    Ok(store)
}

fn of_the_machine() -> Result<RootCertStore, String> {
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "a certificate authority of this machine cannot be read");
    }
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(native.certs);
    if store.is_empty() {
        return Err(
            "this machine has no certificate authorities; install them (ca-certificates), or name a file with `ca_file`"
                .to_owned(),
        );
    }
    Ok(store)
}
