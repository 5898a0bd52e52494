//! A scripted SMSC: a real TCP listener whose every PDU a test reads and answers by hand.
//!
//! What the sink writes is read by `rusmpp`, a codec that others wrote; what the tests send is
//! built by it too, or is broken octets by hand.

use std::time::Duration;

use rusmpp::pdus::{BindTransceiverResp, DeliverSm, SubmitSm, SubmitSmResp};
use rusmpp::tokio_codec::CommandCodec;
use rusmpp::types::COctetString;
use rusmpp::{Command, CommandStatus, Pdu};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::bytes::BytesMut;
use tokio_util::codec::{Decoder, Encoder};

/// Nothing in these tests takes this long; a test that waits for it has failed.
const NEVER: Duration = Duration::from_secs(20);

/// The listening side.
pub(crate) struct Smsc {
    listener: TcpListener,
    pub(crate) address: String,
}

/// One connection from the sink.
pub(crate) struct Peer {
    stream: TcpStream,
    received: BytesMut,
    codec: CommandCodec,
}

/// Waits, but not for ever.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(NEVER, future)
        .await
        .unwrap_or_else(|_| panic!("waited too long for {what}"))
}

impl Smsc {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        Self { listener, address }
    }

    /// The next connection, before its bind.
    pub(crate) async fn accept(&self) -> Peer {
        let (stream, _) = soon("a connection", self.listener.accept())
            .await
            .expect("a connection");
        stream.set_nodelay(true).expect("a TCP stream");
        Peer {
            stream,
            received: BytesMut::new(),
            codec: CommandCodec::new(),
        }
    }

    /// The next connection, bound.
    pub(crate) async fn bound(&self) -> Peer {
        let mut peer = self.accept().await;
        let (sequence, pdu) = peer.next().await;
        assert!(matches!(pdu, Pdu::BindTransceiver(_)), "{pdu:?}");
        peer.answer(sequence, 0, bind_answer()).await;
        peer
    }
}

impl Peer {
    /// The next PDU: its sequence number and body. Panics at the end of the stream.
    pub(crate) async fn next(&mut self) -> (u32, Pdu) {
        let command = self.next_command().await.expect("a PDU, not the end");
        let pdu = command.pdu().cloned();
        (command.sequence_number(), pdu.expect("a body"))
    }

    /// The next PDU whole; nothing at the end of the stream.
    pub(crate) async fn next_command(&mut self) -> Option<Command> {
        loop {
            if let Some(command) = self.codec.decode(&mut self.received).expect("a valid PDU") {
                return Some(command);
            }
            let octets = soon("a PDU", self.stream.read_buf(&mut self.received)).await;
            if octets.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// The next `submit_sm`.
    pub(crate) async fn submit(&mut self) -> (u32, SubmitSm) {
        match self.next().await {
            (sequence, Pdu::SubmitSm(submit)) => (sequence, submit),
            (_, other) => panic!("expected a submit_sm, not {other:?}"),
        }
    }

    /// Sends a PDU with this status.
    pub(crate) async fn answer(&mut self, sequence: u32, status: u32, pdu: impl Into<Pdu>) {
        let command = Command::builder()
            .status(CommandStatus::from(status))
            .sequence_number(sequence)
            .pdu(pdu);
        let mut octets = BytesMut::new();
        self.codec.encode(command, &mut octets).expect("it encodes");
        self.send(&octets).await;
    }

    /// Takes a submit under an id.
    pub(crate) async fn take(&mut self, sequence: u32, id: &str) {
        self.answer(sequence, 0, submit_answer(id)).await;
    }

    /// Delivers a PDU to the sink and reads its answer's status.
    pub(crate) async fn deliver(&mut self, sequence: u32, deliver: DeliverSm) -> u32 {
        self.answer(sequence, 0, deliver).await;
        self.delivered(sequence).await
    }

    /// Reads the answer to a `deliver_sm`.
    pub(crate) async fn delivered(&mut self, sequence: u32) -> u32 {
        let command = self.next_command().await.expect("an answer");
        assert!(
            matches!(command.pdu(), Some(Pdu::DeliverSmResp(_))),
            "{command:?}"
        );
        assert_eq!(command.sequence_number(), sequence);
        u32::from(command.status())
    }

    /// Sends octets as they are.
    pub(crate) async fn send(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).await.expect("an open stream");
    }
}

pub(crate) fn bind_answer() -> BindTransceiverResp {
    BindTransceiverResp::new(string("SMSC"), None)
}

pub(crate) fn submit_answer(id: &str) -> SubmitSmResp {
    SubmitSmResp::new(string(id), Vec::new())
}

pub(crate) fn string<const MAX: usize>(text: &str) -> COctetString<1, MAX> {
    COctetString::from_string(text.to_owned()).expect("a short ASCII text")
}

/// A PDU by hand: id, status, sequence and body.
pub(crate) fn raw(id: u32, status: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + body.len()).expect("short");
    let mut octets = Vec::new();
    for number in [length, id, status, sequence] {
        octets.extend(number.to_be_bytes());
    }
    octets.extend(body);
    octets
}
