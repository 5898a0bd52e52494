//! A simulated pump station: a real Modbus TCP server on tokio-modbus, with a little physics
//! behind its registers and a control port for the demo. Not part of the host.

mod control;
mod plant;
mod registers;

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use tokio::net::TcpListener;
use tokio_modbus::server::Service;
use tokio_modbus::server::tcp::{Server, accept_tcp_connection};
use tokio_modbus::{ExceptionCode, Response, SlaveRequest};

use crate::plant::Plant;

/// A simulated pump station on Modbus TCP.
#[derive(Parser)]
struct Arguments {
    /// Where Modbus TCP is served; port 0 takes a free one, which is printed.
    #[arg(long, default_value = "127.0.0.1:1502")]
    listen: SocketAddr,
    /// Where the control port is served.
    #[arg(long, default_value = "127.0.0.1:1580")]
    control: SocketAddr,
    /// Let storms come by themselves.
    #[arg(long)]
    storms: bool,
}

/// What the server, the physics and the control port share.
#[derive(Clone)]
pub(crate) struct Shared {
    plant: Arc<Mutex<Plant>>,
    line_up: Arc<AtomicBool>,
}

impl Shared {
    /// The plant. A panic elsewhere leaves its values usable.
    pub(crate) fn plant(&self) -> MutexGuard<'_, Plant> {
        self.plant.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service for Shared {
    type Request = SlaveRequest<'static>;
    type Response = Option<Response>;
    type Exception = ExceptionCode;
    type Future = Pin<Box<dyn Future<Output = Result<Option<Response>, ExceptionCode>> + Send>>;

    fn call(&self, request: Self::Request) -> Self::Future {
        // A cut line answers nothing at all.
        let answer = if self.line_up.load(Ordering::SeqCst) {
            registers::answer(&self.plant(), request.slave, &request.request).map(Some)
        } else {
            Ok(None)
        };
        Box::pin(std::future::ready(answer))
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let shared = Shared {
        plant: Arc::new(Mutex::new(Plant::new(arguments.storms))),
        line_up: Arc::new(AtomicBool::new(true)),
    };
    let modbus = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("listen on {}", arguments.listen))?;
    let control = TcpListener::bind(arguments.control)
        .await
        .with_context(|| format!("listen on {}", arguments.control))?;
    announce(modbus.local_addr()?, control.local_addr()?);
    let server = Server::new(modbus);
    let service = shared.clone();
    let connected = move |stream, peer| {
        let service = service.clone();
        async move { accept_tcp_connection(stream, peer, move |_| Ok(Some(service.clone()))) }
    };
    let doors = control::router(shared.clone());
    tokio::select! {
        ended = server.serve(&connected, |error| note(&error)) => ended.context("serve Modbus"),
        ended = axum::serve(control, doors) => ended.context("serve the control port"),
        () = live(shared) => Ok(()),
    }
}

/// Lets time pass, ten times a second.
async fn live(shared: Shared) {
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    loop {
        ticks.tick().await;
        shared.plant().tick(0.1);
    }
}

#[expect(
    clippy::print_stdout,
    reason = "whoever started the program reads the addresses"
)]
fn announce(modbus: SocketAddr, control: SocketAddr) {
    println!("plant: modbus {modbus} control {control}");
}

fn note(error: &std::io::Error) {
    eprintln!("plant: a connection broke: {error}");
}
