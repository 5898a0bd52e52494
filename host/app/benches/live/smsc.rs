//! An SMSC: SMPP 3.4, takes every bind and every message, a thread a connection.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

const ENQUIRE_LINK: u32 = 0x15;
const BIND_TRANSCEIVER: u32 = 0x09;
const SUBMIT_SM: u32 = 0x04;
const UNBIND: u32 = 0x06;
/// Set in the command of an answer.
const RESPONSE: u32 = 0x8000_0000;

/// An SMSC that answers.
pub(crate) struct Smsc {
    pub(crate) address: SocketAddr,
    messages: Receiver<Sms>,
}

/// A submitted message.
#[derive(Debug, Clone)]
pub(crate) struct Sms {
    pub(crate) text: String,
    /// When the last octet of the submit_sm had been read.
    pub(crate) at: Instant,
}

impl Smsc {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, messages) = channel();
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let tell = tell.clone();
                // A connection that the host closes ends its thread.
                std::thread::spawn(move || serve(connection, &tell).unwrap_or_default());
            }
        });
        Self { address, messages }
    }

    /// The next message.
    pub(crate) fn next(&self) -> Sms {
        self.within(Duration::from_secs(30))
            .expect("a message arrives")
    }

    /// The next message, if there is one within this time.
    pub(crate) fn within(&self, time: Duration) -> Option<Sms> {
        self.messages.recv_timeout(time).ok()
    }
}

fn serve(mut connection: TcpStream, tell: &Sender<Sms>) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    let mut taken = 0_u32;
    loop {
        let mut header = [0_u8; 16];
        connection.read_exact(&mut header)?;
        let word = |at: usize| u32::from_be_bytes(header[at..at + 4].try_into().unwrap());
        let mut body = vec![0_u8; word(0) as usize - header.len()];
        connection.read_exact(&mut body)?;
        let at = Instant::now();
        let (command, sequence) = (word(4), word(12));
        let answer = match command {
            BIND_TRANSCEIVER => b"BENCH\0".to_vec(),
            SUBMIT_SM => {
                taken += 1;
                let text = text_of(&body);
                // Nobody listens once the bench is over.
                tell.send(Sms { text, at }).unwrap_or_default();
                format!("{taken:08x}\0").into_bytes()
            }
            ENQUIRE_LINK | UNBIND => Vec::new(),
            _ => continue,
        };
        let length = u32::try_from(header.len() + answer.len()).unwrap();
        let mut pdu = Vec::new();
        for word in [length, command | RESPONSE, 0, sequence] {
            pdu.extend(word.to_be_bytes());
        }
        pdu.extend(answer);
        connection.write_all(&pdu)?;
    }
}

/// The short message of a submit_sm, whose texts here are ASCII.
fn text_of(body: &[u8]) -> String {
    let mut rest = body;
    let mut skip_text = |octets_after: usize| {
        let end = rest.iter().position(|octet| *octet == 0).unwrap();
        rest = &rest[end + 1 + octets_after..];
    };
    skip_text(2); // service_type; ton and npi of the sender
    skip_text(2); // sender; ton and npi of the recipient
    skip_text(3); // recipient; esm_class, protocol_id, priority_flag
    skip_text(0); // schedule_delivery_time
    skip_text(5); // validity_period; four flags and the length
    String::from_utf8_lossy(rest).into_owned()
}
