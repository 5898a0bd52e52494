//! The public doors: takes connections, speaks TLS where the settings say so, and hands requests
//! to the router.
//!
//! Whoever connects costs little until a whole request is there: shaking hands and reading the
//! head of a request happen beside the taking of connections and within [`HANDSHAKE_TIME`] and
//! [`HEAD_TIME`]; a client that takes nothing of an answer is cut off ([`stall`]). At most
//! [`CONNECTIONS_MAX`] connections are open, [`CONNECTIONS_PER_ADDRESS`] from one address; what is
//! more is closed at once.

mod stall;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::Access;
use crate::api::{Peer, router};
use crate::books::Books;
use stall::Stalling;

/// Most connections of one door.
const CONNECTIONS_MAX: usize = 512;
/// Most connections from one address.
const CONNECTIONS_PER_ADDRESS: usize = 128;
/// Longest handshake of TLS.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// Longest time until the head of a request is there, from the end of the one before.
const HEAD_TIME: Duration = Duration::from_secs(20);
/// Largest head of a request, bytes.
const HEAD_BYTES_MAX: usize = 32 << 10;
/// Most headers of a request.
const HEADERS_MAX: usize = 64;
/// How long answers that are under way may take when the host stops.
const CLOSING_TIME: Duration = Duration::from_secs(2);
/// Pause after a connection could not be taken: the process has no more files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// How a door speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speech {
    /// Without TLS.
    Plain,
    /// With the certificate of the settings, the newest that was good.
    Tls,
}

/// Serves the API, the page, health and metrics at one address until `stop`.
///
/// # Errors
/// The listener has no address, or it was to speak TLS and there is no certificate.
pub async fn serve_public(
    listener: TcpListener,
    speech: Speech,
    host: Arc<dyn Books>,
    access: Arc<Access>,
    stop: CancellationToken,
) -> io::Result<()> {
    let loopback = listener.local_addr()?.ip().is_loopback();
    let mut tls = match speech {
        Speech::Plain => None,
        Speech::Tls => Some(access.tls().ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                "there is no certificate to speak TLS with",
            )
        })?),
    };
    let changes = TaskTracker::new();
    let app = router(host, Arc::clone(&access), stop.clone(), changes.clone());
    let seats = Arc::new(Seats::default());
    let mut talks = JoinSet::new();
    loop {
        let taken = tokio::select! {
            () = stop.cancelled() => break,
            taken = listener.accept() => taken,
            Some(_) = talks.join_next() => continue,
        };
        let (stream, from) = match taken {
            Ok(taken) => taken,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Some(seat) = seats.sit(from.ip()) else {
            tracing::debug!(%from, "too many connections; this one was closed");
            continue;
        };
        if let Some(config) = &mut tls {
            // Settings without [api.tls] count from the next start on.
            *config = access.tls().unwrap_or_else(|| Arc::clone(config));
        }
        let peer = Peer {
            address: from.ip(),
            loopback,
        };
        let talk = talk(stream, from, tls.clone(), app.clone(), peer, stop.clone());
        talks.spawn(async move {
            talk.await;
            drop(seat);
        });
    }
    drop(listener);
    changes.close();
    let closing = async {
        while talks.join_next().await.is_some() {}
        changes.wait().await;
    };
    if tokio::time::timeout(CLOSING_TIME, closing).await.is_err() {
        tracing::debug!("connections that were still open are cut");
    }
    Ok(())
}

/// One connection from its handshake to its end.
async fn talk(
    stream: TcpStream,
    from: SocketAddr,
    tls: Option<Arc<ServerConfig>>,
    app: Router,
    peer: Peer,
    stop: CancellationToken,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%from, %error, "the connection is gone");
        return;
    }
    let Some(config) = tls else {
        return serve(Stalling::new(stream), from, app, peer, stop).await;
    };
    let handshake = TlsAcceptor::from(config).accept(Stalling::new(stream));
    match tokio::time::timeout(HANDSHAKE_TIME, handshake).await {
        Ok(Ok(stream)) => serve(stream, from, app, peer, stop).await,
        Ok(Err(error)) => tracing::debug!(%from, %error, "no TLS came about"),
        Err(_) => tracing::debug!(%from, "the handshake of TLS took too long"),
    }
}

async fn serve<S>(stream: S, from: SocketAddr, app: Router, peer: Peer, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let app = TowerToHyperService::new(app);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        app.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%from, %error, "a connection broke");
    }
}

/// Open connections by address.
#[derive(Debug, Default)]
struct Seats(Mutex<BTreeMap<IpAddr, usize>>);

/// A connection among them; free again when it is dropped.
#[derive(Debug)]
struct Seat {
    seats: Arc<Seats>,
    from: IpAddr,
}

impl Seats {
    fn sit(self: &Arc<Self>, from: IpAddr) -> Option<Seat> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.get(&from).copied().unwrap_or(0);
        if open.values().sum::<usize>() >= CONNECTIONS_MAX || own >= CONNECTIONS_PER_ADDRESS {
            return None;
        }
        open.insert(from, own + 1);
        Some(Seat {
            seats: Arc::clone(self),
            from,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.from) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                open.remove(&self.from);
            }
        }
    }
}

#[cfg(test)]
mod tests;
