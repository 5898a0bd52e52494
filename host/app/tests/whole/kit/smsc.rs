//! An SMSC on the `rusmpp` codec, which others wrote. It counts every message that it read, and
//! holds its answers, throttles or goes away when a test says so.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use rusmpp::pdus::{BindTransceiverResp, DeliverSm, SubmitSm, SubmitSmResp};
use rusmpp::tlvs::MessageDeliveryRequestTlvValue;
use rusmpp::tokio_codec::CommandCodec;
use rusmpp::types::{COctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, MessageState, Npi, Ton};
use rusmpp::{Command, CommandStatus, Pdu};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_util::codec::Framed;

use super::inbox::Inbox;
use super::settings::SMPP_PASSWORD;

/// How often a session looks at what it shall do.
const TICK: Duration = Duration::from_millis(5);

/// What becomes of a submitted message. It is counted in any case but the last two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum OnSubmit {
    /// It is answered at once.
    #[default]
    Take,
    /// It is answered when the SMSC takes messages again.
    Hold,
    /// It is refused with ESME_RTHROTTLED.
    Throttle,
    /// The SMSC is away: connections are closed as they come.
    Away,
}

#[derive(Debug, Default)]
struct State {
    on_submit: OnSubmit,
    /// Receipts are made at once when this is set, and later when it is not.
    receipts_held: bool,
    receipts: VecDeque<DeliverSm>,
    receipts_sent: usize,
    answers: usize,
    sessions: usize,
    refused_binds: usize,
    says: VecDeque<(String, String)>,
    parts: BTreeMap<(String, u8), BTreeMap<u8, String>>,
    next_id: u32,
}

/// The SMSC; it is there as long as its runtime.
#[derive(Debug, Clone)]
pub(crate) struct Smsc {
    pub(crate) address: String,
    inbox: Inbox,
    state: Arc<Mutex<State>>,
}

impl Smsc {
    pub(crate) fn start(runtime: &Runtime, inbox: Inbox) -> Self {
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a free port");
        let smsc = Self {
            address: listener.local_addr().expect("an address").to_string(),
            inbox,
            state: Arc::default(),
        };
        let serving = smsc.clone();
        runtime.spawn(async move {
            let mut sessions = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                sessions.spawn(serving.clone().session(stream));
            }
        });
        smsc
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn on_submit(&self, on_submit: OnSubmit) {
        self.lock().on_submit = on_submit;
    }

    /// Whether receipts wait until this is called again.
    pub(crate) fn hold_receipts(&self, held: bool) {
        self.lock().receipts_held = held;
    }

    pub(crate) fn receipts_sent(&self) -> usize {
        self.lock().receipts_sent
    }

    /// How many messages were answered with an id.
    pub(crate) fn answers(&self) -> usize {
        self.lock().answers
    }

    /// How many hosts are bound.
    pub(crate) fn sessions(&self) -> usize {
        self.lock().sessions
    }

    pub(crate) fn refused_binds(&self) -> usize {
        self.lock().refused_binds
    }

    /// A phone says something to the host, as soon as one is bound.
    pub(crate) fn say(&self, from: &str, text: &str) {
        self.lock()
            .says
            .push_back((from.to_owned(), text.to_owned()));
    }

    async fn session(self, stream: TcpStream) {
        let mut bound = false;
        // A host that was killed in the middle of a PDU is what these tests are about.
        self.converse(stream, &mut bound).await.unwrap_or_default();
        if bound {
            self.lock().sessions -= 1;
        }
    }

    async fn converse(&self, stream: TcpStream, bound: &mut bool) -> Result<(), Broken> {
        stream.set_nodelay(true).map_err(|_| Broken)?;
        let mut peer = Framed::new(stream, CommandCodec::new());
        let mut tick = tokio::time::interval(TICK);
        let mut sequence = 0;
        let mut held = Vec::new();
        loop {
            tokio::select! {
                received = peer.next() => {
                    let command = received.ok_or(Broken)?.map_err(|_| Broken)?;
                    let number = command.sequence_number();
                    if let Some((status, pdu)) = self.react(&command, bound, &mut held)? {
                        peer.send(Command::new(status, number, pdu)).await.map_err(|_| Broken)?;
                    }
                }
                _ = tick.tick() => {
                    if self.lock().on_submit == OnSubmit::Away {
                        return Ok(());
                    }
                    for (number, submit) in self.released(&mut held) {
                        let answer = self.take(&submit)?;
                        peer.send(Command::new(CommandStatus::EsmeRok, number, answer)).await.map_err(|_| Broken)?;
                    }
                    if *bound {
                        for deliver in self.outgoing()? {
                            sequence += 1;
                            let command = Command::new(CommandStatus::EsmeRok, sequence, deliver);
                            peer.send(command).await.map_err(|_| Broken)?;
                        }
                    }
                }
            }
        }
    }

    fn released(&self, held: &mut Vec<(u32, SubmitSm)>) -> Vec<(u32, SubmitSm)> {
        if self.lock().on_submit == OnSubmit::Take {
            std::mem::take(held)
        } else {
            Vec::new()
        }
    }

    fn react(
        &self,
        command: &Command,
        bound: &mut bool,
        held: &mut Vec<(u32, SubmitSm)>,
    ) -> Result<Option<(CommandStatus, Pdu)>, Broken> {
        let good = CommandStatus::EsmeRok;
        Ok(match command.pdu() {
            Some(Pdu::BindTransceiver(bind)) => {
                let name = COctetString::from_slice(b"SMSC\0").map_err(|_| Broken)?;
                let answer = BindTransceiverResp::new(name, None).into();
                if bind.password.as_str() != SMPP_PASSWORD {
                    self.lock().refused_binds += 1;
                    return Ok(Some((CommandStatus::EsmeRinvpaswd, answer)));
                }
                *bound = true;
                self.lock().sessions += 1;
                Some((good, answer))
            }
            Some(Pdu::SubmitSm(submit)) => {
                let on_submit = self.lock().on_submit;
                match on_submit {
                    OnSubmit::Take => {
                        self.count(submit);
                        Some((good, self.take(submit)?))
                    }
                    OnSubmit::Hold => {
                        self.count(submit);
                        held.push((command.sequence_number(), submit.clone()));
                        None
                    }
                    OnSubmit::Throttle => Some((
                        CommandStatus::EsmeRthrottled,
                        SubmitSmResp::new(COctetString::empty(), Vec::new()).into(),
                    )),
                    OnSubmit::Away => return Err(Broken),
                }
            }
            Some(Pdu::EnquireLink) => Some((good, Pdu::EnquireLinkResp)),
            Some(Pdu::Unbind) => Some((good, Pdu::UnbindResp)),
            Some(_) | None => None,
        })
    }

    /// The answer with an id, and the receipt that follows it.
    fn take(&self, submit: &SubmitSm) -> Result<Pdu, Broken> {
        let mut state = self.lock();
        state.next_id += 1;
        state.answers += 1;
        let id = COctetString::from_string(format!("{:08x}", state.next_id));
        let id: COctetString<1, 65> = id.map_err(|_| Broken)?;
        state.receipts.push_back(receipt(submit, &id)?);
        Ok(SubmitSmResp::new(id, Vec::new()).into())
    }

    fn outgoing(&self) -> Result<Vec<DeliverSm>, Broken> {
        let mut state = self.lock();
        let mut delivers = Vec::new();
        if !state.receipts_held {
            delivers.extend(state.receipts.drain(..));
            state.receipts_sent += delivers.len();
        }
        for (from, text) in state.says.drain(..) {
            delivers.push(said(&from, &text)?);
        }
        Ok(delivers)
    }

    /// Puts a message into the inbox, once all its segments are there.
    fn count(&self, submit: &SubmitSm) {
        let to = format!("+{}", submit.destination_addr.as_str());
        let octets = submit.short_message().as_ref();
        let coding = u8::from(submit.data_coding);
        let has_header = u8::from(submit.esm_class) & 0x40 != 0;
        match octets.split_at_checked(6) {
            Some(([5, 0, 3, reference, total, number], text)) if has_header => {
                let mut state = self.lock();
                let key = (to.clone(), *reference);
                let parts = state.parts.entry(key.clone()).or_default();
                parts.insert(*number, decode(text, coding));
                if parts.len() == usize::from(*total) {
                    let text = parts.values().map(String::as_str).collect();
                    state.parts.remove(&key);
                    self.inbox.put("smpp", &to, text);
                }
            }
            _ => self.inbox.put("smpp", &to, decode(octets, coding)),
        }
    }
}

/// A session ended otherwise than by unbinding.
#[derive(Debug)]
struct Broken;

fn receipt(submit: &SubmitSm, id: &COctetString<1, 65>) -> Result<DeliverSm, Broken> {
    let text = format!(
        "id:{} sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:DELIVRD err:000 text:",
        id.as_str()
    );
    let text = OctetString::from_slice(text.as_bytes()).map_err(|_| Broken)?;
    Ok(DeliverSm::builder()
        .source_addr(submit.destination_addr.clone())
        .destination_addr(submit.source_addr.clone())
        .esm_class(EsmClass::from(4))
        .short_message(text)
        .push_tlv(MessageDeliveryRequestTlvValue::ReceiptedMessageId(
            id.clone(),
        ))
        .push_tlv(MessageDeliveryRequestTlvValue::MessageState(
            MessageState::Delivered,
        ))
        .build())
}

/// A message from a phone, in plain ASCII.
fn said(from: &str, text: &str) -> Result<DeliverSm, Broken> {
    let digits = from.trim_start_matches('+').to_owned();
    let octets = OctetString::from_slice(text.as_bytes()).map_err(|_| Broken)?;
    Ok(DeliverSm::builder()
        .source_addr_ton(Ton::International)
        .source_addr_npi(Npi::Isdn)
        .source_addr(COctetString::from_string(digits).map_err(|_| Broken)?)
        .esm_class(EsmClass::from(0))
        .data_coding(DataCoding::McSpecific)
        .short_message(octets)
        .build())
}

/// The signs that these tests send: those that GSM 03.38 and ASCII share, and a few that they don't.
fn decode(octets: &[u8], coding: u8) -> String {
    if coding == 8 {
        let units: Vec<u16> = octets
            .chunks_exact(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .collect();
        return String::from_utf16_lossy(&units);
    }
    let signs = octets.iter().filter(|octet| **octet != 0x1b);
    signs
        .map(|octet| match octet {
            0x00 => '@',
            0x11 => '_',
            0x3c => '<',
            other => char::from(*other),
        })
        .collect()
}
