//! A PLC that speaks Modbus TCP, and lies, stalls, resets and stutters when it is told to.
//!
//! It is written from the specification and shares no code with the reader.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use andon_tags::Endpoint;
use andon_tags::modbus::{DeviceStream, Dial};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// What the PLC does with one request.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    Answer,
    /// Never answers, keeps the connection.
    Stall,
    /// Answers rightly, but after this time.
    Late(Duration),
    /// Closes without an answer.
    Close,
    Exception(u8),
    OtherTransaction,
    OtherUnit,
    OtherFunction,
    OtherProtocol,
    /// One register (or eight bits) more than asked for.
    Longer,
    /// One register (or eight bits) fewer.
    Shorter,
    /// A frame whose byte count promises more than the frame holds.
    Truncated,
    /// Half a frame, then the end.
    HalfThenClose,
    /// A header that says that nothing follows.
    NoLength,
    /// A header that promises 65535 bytes that never come.
    HugeLength,
    Garbage,
    /// The right answer, one byte after another with this time between them.
    ByteByByte(Duration),
    /// The right answer, and the same once more.
    Twice,
}

/// One request as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    pub connection: usize,
    pub unit_id: u8,
    pub function: u8,
    pub start: u16,
    pub count: u16,
}

#[derive(Default)]
pub struct State {
    /// Registers by function (3, 4) and address; what is not there reads as its address.
    pub registers: BTreeMap<(u8, u16), u16>,
    pub bits: BTreeSet<(u8, u16)>,
    /// Addresses that are refused, by function.
    pub holes: BTreeSet<(u8, u16)>,
    /// Most registers or bits that it takes in one request.
    pub count_max: Option<u16>,
    /// Units that never answer.
    pub dead: BTreeSet<u8>,
    /// What to do with the next requests; afterwards it answers.
    pub script: VecDeque<Act>,
    /// What to do with every request once the script is over.
    pub always: Option<Act>,
    pub refuse_connections: bool,
    pub connections: usize,
    pub asked: Vec<Asked>,
}

#[derive(Clone, Default)]
pub struct Plc {
    state: Arc<Mutex<State>>,
    tasks: Arc<Mutex<JoinSet<()>>>,
}

impl Plc {
    pub fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap())
    }

    pub fn new(setup: impl FnOnce(&mut State)) -> Self {
        let plc = Self::default();
        plc.with(setup);
        plc
    }

    pub fn set(&self, address: u16, value: u16) {
        self.with(|s| s.registers.insert((3, address), value));
    }

    pub fn dial(&self) -> Arc<dyn Dial> {
        Arc::new(self.clone())
    }

    /// What was asked since the last time, as function, start and count.
    pub fn take_asked(&self) -> Vec<(u8, u16, u16)> {
        let asked = self.with(|s| std::mem::take(&mut s.asked));
        asked
            .iter()
            .map(|a| (a.function, a.start, a.count))
            .collect()
    }

    /// Serves one connection; public so that a TCP listener can be put before it.
    pub async fn serve(self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let connection = self.with(|s| {
            s.connections += 1;
            s.connections
        });
        let mut request = [0_u8; 12];
        while stream.read_exact(&mut request).await.is_ok() {
            let asked = Asked {
                connection,
                unit_id: request[6],
                function: request[7],
                start: u16::from_be_bytes([request[8], request[9]]),
                count: u16::from_be_bytes([request[10], request[11]]),
            };
            assert_eq!(request[2..6], [0, 0, 0, 6], "a read request has six bytes");
            let (act, right) = self.with(|s| s.take(asked));
            if !act_out(&mut stream, act, request, right).await {
                return;
            }
        }
    }
}

impl State {
    fn take(&mut self, asked: Asked) -> (Act, Vec<u8>) {
        self.asked.push(asked);
        let act = if self.dead.contains(&asked.unit_id) {
            Act::Stall
        } else {
            self.script
                .pop_front()
                .or(self.always.clone())
                .unwrap_or(Act::Answer)
        };
        let right = self
            .answer(asked)
            .unwrap_or_else(|code| vec![asked.function | 0x80, code]);
        (act, right)
    }

    fn answer(&self, asked: Asked) -> Result<Vec<u8>, u8> {
        let protocol_max = if asked.function <= 2 { 2000 } else { 125 };
        if asked.count == 0
            || asked.count > self.count_max.unwrap_or(protocol_max).min(protocol_max)
        {
            return Err(3);
        }
        let end = u32::from(asked.start) + u32::from(asked.count);
        let touches = |(function, address): &(u8, u16)| {
            *function == asked.function
                && (u32::from(asked.start)..end).contains(&u32::from(*address))
        };
        if end > 65536 || self.holes.iter().any(touches) {
            return Err(2);
        }
        let addresses = (asked.start..=u16::MAX).take(usize::from(asked.count));
        let data: Vec<u8> = match asked.function {
            1 | 2 => {
                let mut bytes = vec![0; usize::from(asked.count).div_ceil(8)];
                for (i, address) in addresses.enumerate() {
                    if self.bits.contains(&(asked.function, address)) {
                        bytes[i / 8] |= 1 << (i % 8);
                    }
                }
                bytes
            }
            3 | 4 => addresses
                .flat_map(|a| {
                    self.registers
                        .get(&(asked.function, a))
                        .unwrap_or(&a)
                        .to_be_bytes()
                })
                .collect(),
            _ => return Err(1),
        };
        let mut pdu = vec![asked.function, u8::try_from(data.len()).unwrap()];
        pdu.extend(data);
        Ok(pdu)
    }
}

fn frame(request: [u8; 12], pdu: &[u8]) -> Vec<u8> {
    let length = u16::try_from(pdu.len() + 1).unwrap().to_be_bytes();
    let mut frame = vec![
        request[0], request[1], 0, 0, length[0], length[1], request[6],
    ];
    frame.extend(pdu);
    frame
}

/// Answers whether the connection stays.
async fn act_out(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    act: Act,
    request: [u8; 12],
    right: Vec<u8>,
) -> bool {
    let mut frame = frame(request, &right);
    let changed = |at: usize, to: u8| {
        let mut frame = frame.clone();
        frame[at] = to;
        frame
    };
    let bytes = match act {
        Act::Answer => frame,
        Act::Stall => return true,
        Act::Close => return false,
        Act::Late(by) => {
            sleep(by).await;
            frame
        }
        Act::Exception(code) => self::frame(request, &[request[7] | 0x80, code]),
        Act::OtherTransaction => changed(1, frame[1].wrapping_add(1)),
        Act::OtherUnit => changed(6, frame[6].wrapping_add(1)),
        Act::OtherFunction => changed(7, if frame[7] == 3 { 4 } else { 3 }),
        Act::OtherProtocol => changed(3, 7),
        Act::Longer => resized(request, &right, true),
        Act::Shorter => resized(request, &right, false),
        Act::Truncated => self::frame(request, &right[..right.len() - 1]),
        Act::HalfThenClose => {
            frame.truncate(frame.len() / 2);
            let _sent = stream.write_all(&frame).await;
            return false;
        }
        Act::NoLength => vec![frame[0], frame[1], 0, 0, 0, 0, frame[6], 0],
        Act::HugeLength => {
            frame[4] = 0xFF;
            frame[5] = 0xFF;
            frame
        }
        Act::Garbage => b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        Act::ByteByByte(pause) => {
            for byte in frame {
                sleep(pause).await;
                if stream.write_all(&[byte]).await.is_err() {
                    return false;
                }
            }
            return true;
        }
        Act::Twice => [frame.clone(), frame].concat(),
    };
    stream.write_all(&bytes).await.is_ok()
}

fn resized(request: [u8; 12], right: &[u8], longer: bool) -> Vec<u8> {
    let step = if request[7] <= 2 { 1 } else { 2 };
    let mut pdu = right.to_vec();
    if longer {
        pdu.extend([0xAB, 0xCD].iter().take(step));
        pdu[1] += u8::try_from(step).unwrap();
    } else {
        pdu.truncate(pdu.len() - step);
        pdu[1] -= u8::try_from(step).unwrap();
    }
    frame(request, &pdu)
}

#[async_trait::async_trait]
impl Dial for Plc {
    async fn dial(&self, _: &Endpoint) -> io::Result<Box<dyn DeviceStream>> {
        if self.with(|s| s.refuse_connections) {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (ours, theirs) = duplex(4096);
        self.tasks.lock().unwrap().spawn(self.clone().serve(theirs));
        Ok(Box::new(ours))
    }
}
