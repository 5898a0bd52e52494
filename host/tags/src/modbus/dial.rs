//! Opening byte streams to devices.

use std::fmt::Debug;
use std::io;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::Endpoint;

/// A stream of bytes to a device.
pub trait DeviceStream: AsyncRead + AsyncWrite + Debug + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Debug + Send + Unpin + 'static> DeviceStream for T {}

/// Opens streams. [`TcpDial`] is the real one; a test may put streams in memory in its place.
#[async_trait]
pub trait Dial: Send + Sync + 'static {
    /// Opens a stream. Called by the reader of one device, never twice at a time for one device.
    /// The caller gives up after the device's time-out by dropping the future.
    async fn dial(&self, endpoint: &Endpoint) -> io::Result<Box<dyn DeviceStream>>;
}

/// Opens TCP connections.
#[derive(Debug, Clone, Copy, Default)]
pub struct TcpDial;

#[async_trait]
impl Dial for TcpDial {
    async fn dial(&self, endpoint: &Endpoint) -> io::Result<Box<dyn DeviceStream>> {
        let stream = TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await?;
        // Requests are small and each waits for its answer.
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }
}
