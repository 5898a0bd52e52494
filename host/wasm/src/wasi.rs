//! WASI 0.2 as guests see it: linked, because the standard library of every language imports it,
//! and empty.
//!
//! No folders, no sockets, no environment, no arguments, no input. What a guest prints ends in its
//! log. Both clocks stand at the `now` of the call, and random numbers start from the instance's
//! name and that `now`: the same inputs give the same actions.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rand::TryRng;
use tokio::io::{AsyncRead, AsyncWrite};
use wasmtime::component::Linker;
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx};

use crate::host::{Host, Surroundings};
use crate::limits::RANDOM_BYTES_MAX;
use crate::log::Stream;

/// Bytes that a guest may print at once; it asks again for more.
const PRINT_BYTES: usize = 4096;

/// Links all of WASI 0.2; `imports` lists what of it is let in.
pub(crate) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)
}

/// A WASI with nothing in it but clocks, random numbers and the log.
pub(crate) fn context(around: &Arc<Surroundings>) -> WasiCtx {
    WasiCtx::builder()
        .stdin(NoInput)
        .stdout(Printed::new(around, Stream::Stdout))
        .stderr(Printed::new(around, Stream::Stderr))
        .wall_clock(StillClock(Arc::clone(around)))
        .monotonic_clock(StillClock(Arc::clone(around)))
        .secure_random(Seeded(Arc::clone(around)))
        .insecure_random(Seeded(Arc::clone(around)))
        .insecure_random_seed(u128::from(around.seed))
        .max_random_size(RANDOM_BYTES_MAX)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .build()
}

/// Stands at the `now` of the call. Moments before 1970 cannot be told by WASI and read as 1970.
struct StillClock(Arc<Surroundings>);

impl HostWallClock for StillClock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        Duration::from_nanos(HostMonotonicClock::now(self))
    }
}

impl HostMonotonicClock for StillClock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.now().nanos()).unwrap_or(0)
    }
}

/// Random numbers that are the same for the same instance and `now`.
struct Seeded(Arc<Surroundings>);

impl TryRng for Seeded {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let [a, b, c, d, ..] = self.0.next_random().to_le_bytes();
        Ok(u32::from_le_bytes([a, b, c, d]))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next_random())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let random = self.0.next_random().to_le_bytes();
            chunk
                .iter_mut()
                .zip(random)
                .for_each(|(to, from)| *to = from);
        }
        Ok(())
    }
}

/// An input at its end.
struct NoInput;

impl IsTerminal for NoInput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for NoInput {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(tokio::io::empty())
    }
}

/// What a guest prints goes to its log.
#[derive(Clone)]
struct Printed {
    around: Arc<Surroundings>,
    stream: Stream,
}

impl Printed {
    fn new(around: &Arc<Surroundings>, stream: Stream) -> Self {
        Self {
            around: Arc::clone(around),
            stream,
        }
    }
}

impl IsTerminal for Printed {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Printed {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // WASI 0.2 asks for `p2_stream` alone.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for Printed {
    async fn ready(&mut self) {}
}

#[async_trait::async_trait]
impl OutputStream for Printed {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let now = self.around.now();
        self.around.log().print(now, self.stream, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PRINT_BYTES)
    }
}
