//! A small SMSC: SMPP 3.4 over TCP on the `rusmpp` codec. Binds of all kinds, submit_sm with a
//! receipt half a second later, enquire_link, and replies as deliver_sm.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context as _;
use futures::{SinkExt as _, StreamExt as _};
use rusmpp::pdus::{
    BindReceiverResp, BindTransceiverResp, BindTransmitterResp, DeliverSm, SubmitSm, SubmitSmResp,
};
use rusmpp::tlvs::{MessageDeliveryRequestTlvValue, TlvValue};
use rusmpp::tokio_codec::CommandCodec;
use rusmpp::types::{COctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, MessageState, Npi, Ton};
use rusmpp::{Command, CommandStatus, Pdu};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::codec::Framed;

use crate::gsm;
use crate::inbox::{Inbox, Reply, Segment};

/// Who may bind.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    /// system_id.
    pub(crate) system_id: String,
    /// password.
    pub(crate) password: String,
}

/// Serves SMPP until the listener breaks.
pub(crate) async fn serve(
    listener: TcpListener,
    inbox: Arc<Inbox>,
    account: Account,
) -> anyhow::Result<()> {
    let mut sessions = JoinSet::new();
    let mut check = tokio::time::interval(Duration::from_millis(100));
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted.context("accept an SMPP connection")?;
                if inbox.smsc_up.load(Ordering::SeqCst) {
                    sessions.spawn(session(stream, Arc::clone(&inbox), account.clone()));
                }
            }
            _ = check.tick() => {
                if !inbox.smsc_up.load(Ordering::SeqCst) {
                    sessions.abort_all();
                }
            }
            Some(_) = sessions.join_next() => {}
        }
    }
}

async fn session(stream: TcpStream, inbox: Arc<Inbox>, account: Account) {
    if let Err(error) = converse(stream, &inbox, &account).await {
        eprintln!("phones: an SMPP session ended: {error:#}");
    }
}

async fn converse(stream: TcpStream, inbox: &Arc<Inbox>, account: &Account) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let (mut sink, mut source) = Framed::new(stream, CommandCodec::new()).split();
    let mut replies = inbox.replies.subscribe();
    let (later, mut due) = mpsc::channel::<DeliverSm>(1024);
    let mut timers = JoinSet::new();
    let (mut sequence, mut receives) = (0_u32, false);
    loop {
        tokio::select! {
            received = source.next() => {
                let Some(received) = received else { return Ok(()) };
                let command = received.context("read a PDU")?;
                let (status, answer) = react(&command, inbox, account, &mut receives, &later, &mut timers)?;
                let Some(answer) = answer else { continue };
                let unbound = matches!(answer, Pdu::UnbindResp);
                sink.send(Command::new(status, command.sequence_number(), answer)).await?;
                if unbound {
                    return Ok(());
                }
            }
            Some(receipt) = due.recv() => {
                sequence += 1;
                sink.send(Command::new(CommandStatus::EsmeRok, sequence, receipt)).await?;
            }
            Ok(reply) = replies.recv(), if receives => {
                sequence += 1;
                sink.send(Command::new(CommandStatus::EsmeRok, sequence, deliver(&reply)?)).await?;
            }
            Some(_) = timers.join_next() => {}
        }
    }
}

fn react(
    command: &Command,
    inbox: &Arc<Inbox>,
    account: &Account,
    receives: &mut bool,
    later: &mpsc::Sender<DeliverSm>,
    timers: &mut JoinSet<()>,
) -> anyhow::Result<(CommandStatus, Option<Pdu>)> {
    let name = COctetString::from_slice(b"PHONES\0")?;
    let admit = |id: &str, password: &str| {
        if id == account.system_id && password == account.password {
            CommandStatus::EsmeRok
        } else {
            CommandStatus::EsmeRbindfail
        }
    };
    Ok(match command.pdu() {
        Some(Pdu::BindTransceiver(bind)) => {
            *receives = true;
            (
                admit(bind.system_id.as_str(), bind.password.as_str()),
                Some(BindTransceiverResp::new(name, None).into()),
            )
        }
        Some(Pdu::BindReceiver(bind)) => {
            *receives = true;
            (
                admit(bind.system_id.as_str(), bind.password.as_str()),
                Some(BindReceiverResp::new(name, None).into()),
            )
        }
        Some(Pdu::BindTransmitter(bind)) => (
            admit(bind.system_id.as_str(), bind.password.as_str()),
            Some(BindTransmitterResp::new(name, None).into()),
        ),
        Some(Pdu::SubmitSm(submit)) => {
            let id = format!("{:08x}", inbox.number());
            take(submit, inbox);
            if u8::from(submit.registered_delivery) & 1 == 1 {
                let receipt = receipt(submit, &id)?;
                let later = later.clone();
                timers.spawn(async move {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    // A session that ended takes its receipts with it.
                    later.send(receipt).await.unwrap_or_default();
                });
            }
            (
                CommandStatus::EsmeRok,
                Some(
                    SubmitSmResp::new(COctetString::from_string(id.to_owned())?, Vec::new()).into(),
                ),
            )
        }
        Some(Pdu::EnquireLink) => (CommandStatus::EsmeRok, Some(Pdu::EnquireLinkResp)),
        Some(Pdu::Unbind) => (CommandStatus::EsmeRok, Some(Pdu::UnbindResp)),
        Some(Pdu::DeliverSmResp(_) | Pdu::EnquireLinkResp | Pdu::UnbindResp | Pdu::GenericNack) => {
            (CommandStatus::EsmeRok, None)
        }
        Some(_) | None => (CommandStatus::EsmeRinvcmdid, Some(Pdu::GenericNack)),
    })
}

/// Puts a submitted message into the inbox, segment by segment where it has a header.
fn take(submit: &SubmitSm, inbox: &Inbox) {
    let from = submit.source_addr.as_str();
    let to = phone(submit.destination_addr.as_str());
    let coding = u8::from(submit.data_coding);
    let octets = submit.short_message().as_ref();
    let has_header = u8::from(submit.esm_class) & 0x40 != 0;
    match octets.split_at_checked(6) {
        Some(([5, 0, 3, reference, total, number], text)) if has_header => {
            let segment = Segment {
                reference: *reference,
                total: *total,
                number: *number,
                text: gsm::decode(text, coding),
            };
            inbox.take_segment(from, &to, segment);
        }
        _ => {
            let payload = submit.tlvs().iter().find_map(|tlv| match tlv.value() {
                Some(TlvValue::MessagePayload(payload)) => {
                    Some(gsm::decode(payload.value.as_ref(), coding))
                }
                _ => None,
            });
            let text = payload.unwrap_or_else(|| gsm::decode(octets, coding));
            inbox.take("smpp", from, &to, text, 1);
        }
    }
}

fn receipt(submit: &SubmitSm, id: &str) -> anyhow::Result<DeliverSm> {
    let now = jiff::Timestamp::now().strftime("%y%m%d%H%M").to_string();
    let text = format!(
        "id:{id} sub:001 dlvrd:001 submit date:{now} done date:{now} stat:DELIVRD err:000 text:"
    );
    Ok(DeliverSm::builder()
        .source_addr_ton(submit.dest_addr_ton)
        .source_addr_npi(submit.dest_addr_npi)
        .source_addr(submit.destination_addr.clone())
        .destination_addr(submit.source_addr.clone())
        .esm_class(EsmClass::from(4))
        .short_message(OctetString::from_slice(text.as_bytes())?)
        .push_tlv(MessageDeliveryRequestTlvValue::ReceiptedMessageId(
            COctetString::from_string(id.to_owned())?,
        ))
        .push_tlv(MessageDeliveryRequestTlvValue::MessageState(
            MessageState::Delivered,
        ))
        .build())
}

fn deliver(reply: &Reply) -> anyhow::Result<DeliverSm> {
    let (octets, coding) = match gsm::encode(&reply.text) {
        Some(octets) => (octets, DataCoding::McSpecific),
        None => (
            reply
                .text
                .encode_utf16()
                .flat_map(u16::to_be_bytes)
                .collect(),
            DataCoding::Ucs2,
        ),
    };
    Ok(DeliverSm::builder()
        .source_addr_ton(Ton::International)
        .source_addr_npi(Npi::Isdn)
        .source_addr(COctetString::from_string(
            reply.from.trim_start_matches('+').to_owned(),
        )?)
        .destination_addr(COctetString::from_string(
            reply.to.trim_start_matches('+').to_owned(),
        )?)
        // The codec's default is the type of an acknowledgement by a phone, 0x08.
        .esm_class(EsmClass::from(0))
        .data_coding(coding)
        .short_message(OctetString::from_vec(octets)?)
        .build())
}

fn phone(digits: &str) -> String {
    if digits.starts_with('+') {
        digits.to_owned()
    } else {
        format!("+{digits}")
    }
}
