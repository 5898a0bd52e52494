//! Modbus TCP: one connection a device, one request at a time, read functions 1 to 4 only.
//!
//! `tokio-modbus` frames and checks one request and its answer: transaction id, unit id and function
//! must be those of the request. Three things it leaves to its caller, and [`connection`] does them:
//!
//! - It does not check how many registers came. Its `read_…` methods assert it in debug builds, so a
//!   wrong device could end the process; the plain `call` is used and the count is checked here.
//! - After a request was given up, its answer may still come. The next request would take it for a
//!   broken answer to itself, and so on for ever. After any time-out or framing error the connection
//!   is therefore dropped, and the next request opens another.
//! - When the other side closes, it returns whatever error the operating system had last.
//!
//! How that goes together with several units behind one gateway, in [`device`]:
//!
//! - A unit that does not answer is *silent*: it is left out of the poll cycles and asked again with
//!   growing pauses. Its neighbours go on at once over a new connection.
//! - Asking a silent unit takes at most one time-out. While any neighbour answers, the next silent
//!   unit is asked only after ten times as long, so that all silent units together cost the others
//!   less than a tenth of the time.
//! - Units that were never asked are asked one by one between the poll cycles of those that answer.
//! - Only a connection that cannot be opened concerns all units. It is tried again with back-off and
//!   jitter; then every unit starts anew.

mod backoff;
mod connection;
pub(crate) mod device;
mod dial;
mod unit;

pub use connection::Fault;
pub use dial::{DeviceStream, Dial, TcpDial};
