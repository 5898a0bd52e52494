//! TLS to registries: rustls with ring, named explicitly, so that no process-wide provider has to
//! be installed.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, ClientConfig, RootCertStore};

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

/// Whether a text holds certificates in PEM that can vouch for somebody. `name` is that of its file.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub(crate) fn authorities_in(name: &str, pem: &str) -> Result<RootCertStore, String> {
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| unusable(name, &error.to_string()))?;
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(certificates);
    if store.is_empty() {
        return Err(unusable(name, "it holds no certificate"));
    }
    Ok(store)
}

/// Why TLS does not believe that the other side is who it says, if that is what failed.
pub(crate) fn distrust<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CertificateError> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(rustls::Error::InvalidCertificate(why)) = error.downcast_ref() {
            return Some(why);
        }
        next = match error.downcast_ref::<io::Error>() {
            // As its source it gives not what it wraps, but the source of that.
            Some(wrapper) => wrapper
                .get_ref()
                .map(|inner| inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}

fn from_file(path: &Path) -> Result<RootCertStore, String> {
    let name = path.display().to_string();
    let pem = std::fs::read_to_string(path).map_err(|error| unusable(&name, &error.to_string()))?;
    authorities_in(&name, &pem)
}

fn unusable(name: &str, why: &str) -> String {
    format!("`ca_file` {name} cannot be used ({why}); it must hold certificates in PEM")
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
