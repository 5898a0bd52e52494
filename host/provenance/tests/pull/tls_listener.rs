//! A listener that speaks TLS, with a certificate of an authority of its own.
//!
//! Authority and server are those that the tests of host/sinks have; they are used in tests alone.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::serve::Listener;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Vouches for the server as 127.0.0.1 and `localhost`.
pub(crate) const AUTHORITY: &str = include_str!("../../../sinks/src/twilio/testdata/authority.pem");
/// A certificate that vouches for nobody.
pub(crate) const STRANGER: &str = include_str!("../../../sinks/src/twilio/testdata/server.pem");
const KEY: &[u8] = include_bytes!("../../../sinks/src/twilio/testdata/server.key.pem");

pub(crate) struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl TlsListener {
    pub(crate) fn over(tcp: TcpListener) -> Self {
        let certificate = CertificateDer::from_pem_slice(STRANGER.as_bytes()).expect("PEM");
        let key = PrivateKeyDer::from_pem_slice(KEY).expect("PEM");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("a certificate with its key");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self { tcp, acceptor }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = Listener::accept(&mut self.tcp).await;
            // A client that does not believe the certificate goes away.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}
