//! TLS: who is trusted, without a process-wide provider of cryptography.
//!
//! `testdata` holds an authority and a server of it for `localhost` and 127.0.0.1, made for these
//! tests and used nowhere else; they are good until 2126.

use std::path::PathBuf;
use std::sync::Arc;

use andon_model::{ManualClock, Outcome, Reason};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::tests::{NOW, delivery, settings};
use super::{TwilioSettings, build};

const CERTIFICATE: &[u8] = include_bytes!("testdata/server.pem");
const KEY: &[u8] = include_bytes!("testdata/server.key.pem");
const ANSWER: &[u8] =
    b"HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 13\r\n\r\n{\"sid\":\"SM1\"}";

fn authority() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/twilio/testdata/authority.pem"
    ))
}

/// A server that takes every message; answers its address.
async fn serve(server: &mut JoinSet<()>, host: &str) -> String {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((host, 0)).await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    server.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut request = [0; 4096];
            if stream.read(&mut request).await.is_ok_and(|count| count > 0) {
                stream.write_all(ANSWER).await.ok();
            }
            stream.shutdown().await.ok();
        }
    });
    url
}

async fn send(settings: &TwilioSettings) -> Outcome {
    let sink = build(settings, Arc::new(ManualClock::at(NOW))).unwrap();
    sink.send(&delivery("x")).await
}

#[tokio::test]
async fn a_server_of_the_authority_in_ca_file_is_trusted() {
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
    let mut server = JoinSet::new();
    let mut settings = settings(&serve(&mut server, "127.0.0.1").await);
    settings.ca_file = Some(authority());
    let outcome = send(&settings).await;
    assert!(matches!(outcome, Outcome::Sent { .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_server_that_cannot_show_who_it_is_gets_no_credentials() {
    let folder = tempfile::tempdir().unwrap();
    // The server's own certificate is no authority that could vouch for it.
    let stranger = folder.path().join("ca.pem");
    std::fs::write(&stranger, CERTIFICATE).unwrap();
    let mut server = JoinSet::new();
    // Its certificate is for 127.0.0.1 alone.
    let mut elsewhere = settings(&serve(&mut server, "127.0.0.2").await);
    elsewhere.ca_file = Some(authority());
    let mut unknown = settings(&serve(&mut server, "127.0.0.1").await);
    unknown.ca_file = Some(stranger);
    for settings in [elsewhere, unknown] {
        let outcome = send(&settings).await;
        let Outcome::Retry { why, .. } = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(why.reason, Reason::RetryLater);
        assert!(why.detail.contains("certificate"), "{why}");
    }
}
