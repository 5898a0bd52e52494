//! Real connections, with and without TLS.

use std::net::SocketAddr;

use andon_model::ManualClock;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;

use super::*;
use crate::{ApiPlan, ApiSettings, TlsSettings};

const GET: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

fn plan(cert: &str, key: &str) -> ApiPlan {
    let settings = ApiSettings {
        tls: Some(TlsSettings {
            cert: cert.into(),
            key: key.into(),
        }),
        ..ApiSettings::default()
    };
    let listen = "0.0.0.0:0".parse().unwrap();
    let (plan, findings) = crate::check(&settings, listen, &|file| {
        std::fs::read_to_string(format!(
            "{}/src/testdata/{file}",
            env!("CARGO_MANIFEST_DIR")
        ))
        .map_err(|error| error.to_string())
    });
    assert!(findings.is_empty(), "{findings:?}");
    plan
}

struct Stand {
    address: SocketAddr,
    stop: CancellationToken,
    served: JoinSet<io::Result<()>>,
    _folder: tempfile::TempDir,
}

async fn stand(speech: Speech) -> Stand {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::default());
    let access = Access::new(plan("server.pem", "server.key.pem"), folder.path(), clock);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let host = crate::api::fake_host();
    let mut served = JoinSet::new();
    served.spawn(serve_public(
        listener,
        speech,
        host,
        Arc::new(access),
        stop.clone(),
    ));
    Stand {
        address,
        stop,
        served,
        _folder: folder,
    }
}

fn connector() -> TlsConnector {
    let mut roots = RootCertStore::empty();
    let authority = include_bytes!("../testdata/authority.pem");
    roots
        .add(CertificateDer::from_pem_slice(authority).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> String {
    stream.write_all(GET).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn tls_is_spoken_with_the_certificate_of_the_settings() {
    let stand = stand(Speech::Tls).await;
    let stream = TcpStream::connect(stand.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = connector().connect(name, stream).await.unwrap();
    let answer = exchange(stream).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn whoever_speaks_no_tls_or_says_nothing_keeps_nobody_waiting() {
    let stand = stand(Speech::Tls).await;
    // Silent ones, and one who speaks plain HTTP.
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(stand.address).await.unwrap());
    }
    let mut plain = TcpStream::connect(stand.address).await.unwrap();
    plain.write_all(GET).await.unwrap();
    let mut answer = Vec::new();
    plain.read_to_end(&mut answer).await.unwrap_or_default();
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    let stream = TcpStream::connect(stand.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = connector().connect(name, stream).await.unwrap();
    assert!(exchange(stream).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn an_address_with_too_many_connections_is_sent_away_and_comes_back() {
    let stand = stand(Speech::Plain).await;
    let mut open = Vec::new();
    for _ in 0..CONNECTIONS_PER_ADDRESS {
        let mut stream = TcpStream::connect(stand.address).await.unwrap();
        // An answer shows that the door has taken it.
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await
            .unwrap();
        let mut first = [0; 8];
        stream.read_exact(&mut first).await.unwrap();
        open.push(stream);
    }
    let mut more = TcpStream::connect(stand.address).await.unwrap();
    let mut nothing = Vec::new();
    assert_eq!(more.read_to_end(&mut nothing).await.unwrap_or(0), 0);
    open.clear();
    loop {
        let mut stream = TcpStream::connect(stand.address).await.unwrap();
        let mut answer = Vec::new();
        let sent = stream.write_all(GET).await;
        stream.read_to_end(&mut answer).await.unwrap_or_default();
        if sent.is_ok() && answer.starts_with(b"HTTP/1.1 200") {
            break;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn heads_that_are_endless_are_refused() {
    let stand = stand(Speech::Plain).await;
    let many: String = (0..=HEADERS_MAX)
        .map(|number| format!("x-{number}: 1\r\n"))
        .collect();
    let large = format!("x: {}\r\n", "y".repeat(4 * HEAD_BYTES_MAX));
    for head in [many, large] {
        let mut stream = TcpStream::connect(stand.address).await.unwrap();
        let request = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{head}\r\n");
        stream
            .write_all(request.as_bytes())
            .await
            .unwrap_or_default();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap_or_default();
        assert!(
            !answer.starts_with(b"HTTP/1.1 200"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_never_ends_is_not_waited_for() {
    let mut stand = stand(Speech::Plain).await;
    let mut stream = TcpStream::connect(stand.address).await.unwrap();
    stream.write_all(b"GET /healthz HT").await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap_or_default();
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
    stand.stop.cancel();
    assert!(stand.served.join_next().await.unwrap().unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_door_closes_although_somebody_still_reads() {
    let mut stand = stand(Speech::Plain).await;
    let mut stream = TcpStream::connect(stand.address).await.unwrap();
    stream.write_all(b"GET /healthz HT").await.unwrap();
    tokio::task::yield_now().await;
    stand.stop.cancel();
    assert!(stand.served.join_next().await.unwrap().unwrap().is_ok());
}
