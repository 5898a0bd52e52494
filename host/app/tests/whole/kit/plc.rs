//! A PLC on Modbus TCP: holding registers that a test sets, and a line that can go bad.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_modbus::server::Service;
use tokio_modbus::server::tcp::Server;
use tokio_modbus::{ExceptionCode, Request, Response, SlaveRequest};

/// How the PLC behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Line {
    /// It answers.
    #[default]
    Good,
    /// It takes connections and answers nothing.
    Silent,
    /// It closes every connection at once.
    Closed,
    /// It says something that is no Modbus to whoever connects.
    Garbage,
}

#[derive(Debug, Default)]
struct State {
    registers: BTreeMap<u16, u16>,
    line: Line,
    reads: u64,
}

/// The PLC; it is there as long as its runtime.
#[derive(Debug, Clone)]
pub(crate) struct Plc {
    pub(crate) address: String,
    state: Arc<Mutex<State>>,
}

impl Plc {
    pub(crate) fn start(runtime: &Runtime) -> Self {
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a free port");
        let plc = Self {
            address: listener.local_addr().expect("an address").to_string(),
            state: Arc::default(),
        };
        let serving = plc.clone();
        runtime.spawn(async move {
            let connected = |stream, _| serving.clone().admit(stream);
            let ended = Server::new(listener).serve(&connected, |_| {}).await;
            panic!("the PLC broke: {ended:?}");
        });
        plc
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets a holding register.
    pub(crate) fn set(&self, register: u16, value: u16) {
        self.lock().registers.insert(register, value);
    }

    pub(crate) fn line(&self, line: Line) {
        self.lock().line = line;
    }

    /// How many requests it has answered so far.
    pub(crate) fn reads(&self) -> u64 {
        self.lock().reads
    }

    async fn admit(self, mut stream: TcpStream) -> std::io::Result<Option<(Self, TcpStream)>> {
        let line = self.lock().line;
        match line {
            Line::Good | Line::Silent => Ok(Some((self, stream))),
            Line::Closed => Ok(None),
            Line::Garbage => {
                let nonsense = b"HTTP/1.1 400 Bad Request\r\n\r\n\xff\xff\xff\xff\xff\xff";
                // The other side may hang up in the middle of it; until then it is listened to,
                // since hanging up here would take the nonsense back.
                stream.write_all(nonsense).await.unwrap_or_default();
                let read = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
                read.map(drop).unwrap_or_default();
                Ok(None)
            }
        }
    }
}

impl Service for Plc {
    type Request = SlaveRequest<'static>;
    type Response = Option<Response>;
    type Exception = ExceptionCode;
    type Future = Pin<Box<dyn Future<Output = Result<Option<Response>, ExceptionCode>> + Send>>;

    fn call(&self, request: Self::Request) -> Self::Future {
        let mut state = self.lock();
        let answer = match (state.line, request.request) {
            (Line::Good, Request::ReadHoldingRegisters(start, count)) => {
                state.reads += 1;
                let register = |at| state.registers.get(&at).copied().unwrap_or(0);
                Ok(Some(Response::ReadHoldingRegisters(
                    (start..start + count).map(register).collect(),
                )))
            }
            (Line::Good, _) => Err(ExceptionCode::IllegalFunction),
            (Line::Silent | Line::Closed | Line::Garbage, _) => Ok(None),
        };
        drop(state);
        Box::pin(std::future::ready(answer))
    }
}
