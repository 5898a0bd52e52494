//! One connection to one device: opened when it is needed, dropped after anything unclear.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use thiserror::Error;
use tokio::time::{Instant, timeout};
use tokio_modbus::client::{Client, Context, tcp};
use tokio_modbus::slave::SlaveContext;
use tokio_modbus::{Request, Response, Slave};

use super::backoff::pause;
use super::dial::Dial;
use crate::blocks::Block;
use crate::plan::DevicePlan;
use crate::points::Answer;
use crate::schedule::monotonic;
use crate::statistics::DeviceStatistics;
use crate::{Endpoint, Table};

/// Why a request brought no values.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// No connection could be opened. Look at the address, the cable and the device's power.
    #[error("no connection: {0}")]
    Connect(String),
    /// No answer in time.
    #[error("no answer within the time-out")]
    Timeout,
    /// The connection ended before the answer.
    #[error("the connection ended: {0}")]
    Closed(String),
    /// What came was not an answer to the request.
    #[error("not an answer to the request: {0}")]
    Framing(String),
    /// The device answered with an exception (Modbus Application Protocol V1.1b3, section 7).
    #[error("exception {0} ({meaning})", meaning = meaning(*.0))]
    Exception(u8),
}

impl Fault {
    /// Whether the unit, as far as one can tell, is not there: nothing of use came from it, or a
    /// gateway says that it did not answer.
    pub(super) const fn is_silence(&self) -> bool {
        match self {
            Self::Connect(_) | Self::Timeout | Self::Closed(_) | Self::Framing(_) => true,
            Self::Exception(code) => matches!(code, 10 | 11),
        }
    }
}

const fn meaning(code: u8) -> &'static str {
    match code {
        1 => "illegal function",
        2 => "illegal data address",
        3 => "illegal data value",
        4 => "server device failure",
        5 => "acknowledge",
        6 => "server device busy",
        8 => "memory parity error",
        10 => "gateway path unavailable",
        11 => "gateway target device failed to respond",
        _ => "unknown",
    }
}

/// The connection to one device.
pub(super) struct Connection {
    dial: Arc<dyn Dial>,
    endpoint: Endpoint,
    timeout: Duration,
    reconnect: (Duration, Duration),
    context: Option<Context>,
    failures: u32,
    not_before: Option<Instant>,
    statistics: Arc<DeviceStatistics>,
}

impl Connection {
    pub(super) fn new(
        plan: &DevicePlan,
        dial: Arc<dyn Dial>,
        statistics: Arc<DeviceStatistics>,
    ) -> Self {
        Self {
            dial,
            endpoint: plan.endpoint.clone(),
            timeout: plan.timeout,
            reconnect: (plan.reconnect_min, plan.reconnect_max),
            context: None,
            failures: 0,
            not_before: None,
            statistics,
        }
    }

    /// Takes the settings of a new plan; an open connection is kept unless it leads elsewhere.
    pub(super) fn adopt(&mut self, plan: &DevicePlan) {
        if self.endpoint != plan.endpoint {
            self.drop_now();
            self.failures = 0;
            self.not_before = None;
        }
        self.endpoint = plan.endpoint.clone();
        self.timeout = plan.timeout;
        self.reconnect = (plan.reconnect_min, plan.reconnect_max);
    }

    /// Until when no connection is tried, if that is still to come.
    pub(super) fn closed_until(&self, now: Instant) -> Option<Instant> {
        self.not_before.filter(|until| *until > now)
    }

    /// Sends one request and takes its answer, of exactly the wanted length.
    pub(super) async fn read(&mut self, unit_id: u8, block: &Block) -> Result<Answer, Fault> {
        let mut context = match self.context.take() {
            Some(context) => context,
            None => self.open().await?,
        };
        context.set_slave(Slave(unit_id));
        // The context is out of `self` while the answer is awaited: a reader that is stopped or
        // fails in between drops it, and no half-read answer can stay behind.
        let answer = match timeout(self.timeout, context.call(request(block))).await {
            Err(_) => Err(Fault::Timeout),
            Ok(Err(error)) => Err(fault_of(error)),
            Ok(Ok(Err(code))) => Err(Fault::Exception(code.into())),
            Ok(Ok(Ok(response))) => take(response, block),
        };
        match answer {
            Ok(_) | Err(Fault::Exception(_)) => self.context = Some(context),
            Err(Fault::Connect(_) | Fault::Timeout | Fault::Closed(_) | Fault::Framing(_)) => {
                self.drop_now();
            }
        }
        answer
    }

    async fn open(&mut self) -> Result<Context, Fault> {
        let says = match timeout(self.timeout, self.dial.dial(&self.endpoint)).await {
            Ok(Ok(stream)) => {
                self.failures = 0;
                self.not_before = None;
                self.statistics.connects.fetch_add(1, Relaxed);
                self.statistics.connected.store(true, Relaxed);
                return Ok(tcp::attach(stream));
            }
            Ok(Err(error)) => format!("{}: {error}", self.endpoint),
            Err(_) => format!("{}: not opened within the time-out", self.endpoint),
        };
        self.failures = self.failures.saturating_add(1);
        let (min, max) = self.reconnect;
        let pause = pause(self.failures, min, max, rand::random());
        self.not_before = Some(monotonic() + pause);
        self.statistics.connect_failures.fetch_add(1, Relaxed);
        Err(Fault::Connect(says))
    }

    fn drop_now(&mut self) {
        self.context = None;
        self.statistics.connected.store(false, Relaxed);
    }
}

fn request(block: &Block) -> Request<'static> {
    match block.table {
        Table::Coil => Request::ReadCoils(block.start, block.count),
        Table::Discrete => Request::ReadDiscreteInputs(block.start, block.count),
        Table::Input => Request::ReadInputRegisters(block.start, block.count),
        Table::Holding => Request::ReadHoldingRegisters(block.start, block.count),
    }
}

fn take(response: Response, block: &Block) -> Result<Answer, Fault> {
    let wanted = usize::from(block.count);
    match (block.table, response) {
        (Table::Input, Response::ReadInputRegisters(registers))
        | (Table::Holding, Response::ReadHoldingRegisters(registers)) => {
            if registers.len() != wanted {
                return Err(wrong_length(registers.len(), wanted, "registers"));
            }
            Ok(Answer::Registers(registers))
        }
        (Table::Coil, Response::ReadCoils(mut bits))
        | (Table::Discrete, Response::ReadDiscreteInputs(mut bits)) => {
            // Bits come in whole bytes; the crate hands out all of them.
            if bits.len() != wanted.next_multiple_of(8) {
                return Err(wrong_length(bits.len(), wanted, "bits"));
            }
            bits.truncate(wanted);
            Ok(Answer::Bits(bits))
        }
        _ => Err(Fault::Framing("an answer of another function".into())),
    }
}

fn wrong_length(came: usize, wanted: usize, what: &str) -> Fault {
    Fault::Framing(format!("{came} {what} came where {wanted} were asked for"))
}

fn fault_of(error: tokio_modbus::Error) -> Fault {
    use io::ErrorKind as Kind;
    match error {
        tokio_modbus::Error::Protocol(error) => Fault::Framing(error.to_string()),
        tokio_modbus::Error::Transport(error) => {
            let kind = error.kind();
            // A frame that is shorter than its function needs reads as an unexpected end.
            if matches!(
                kind,
                Kind::InvalidData | Kind::InvalidInput | Kind::UnexpectedEof
            ) {
                Fault::Framing(error.to_string())
            } else if matches!(
                kind,
                Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::TimedOut
            ) {
                Fault::Closed(error.to_string())
            } else {
                // At a plain end of the stream the error is a leftover of some other call.
                Fault::Closed("the device closed it".into())
            }
        }
    }
}
