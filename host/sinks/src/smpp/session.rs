//! One connection to the SMSC, from bind to unbind. Generic over the stream, so that TLS is a
//! matter of what is handed in.
//!
//! One loop waits for everything at once: octets from the SMSC, room to write, a submit, the pace,
//! the link test, the stop. Reading never waits for writing, so two full sockets cannot lock up,
//! and nothing is polled: a submit is written in the turn in which it arrives.
//!
//! A PDU counts as sent when its last octet was handed to the operating system. Until then the
//! SMSC cannot have acted on it, so a connection lost before that is a surely unsent message.
//!
//! Limits, each with its answer:
//! - answers awaited: the sink's window; those whose waiter gave up are forgotten at twice that;
//! - octets waiting to be written: 256 KiB, then nothing is read or submitted until
//!   the SMSC takes some, and a silent one fails the next link test;
//! - events that the host has not taken: one PDU's worth, then the SMSC is told to keep its
//!   messages for later (`ESME_RX_T_APPN`).

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use andon_model::{Clock, Reason, SinkEvent, Why};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Sleep, sleep};
use tokio_util::bytes::BytesMut;
use tokio_util::sync::CancellationToken;

use super::classify::{self, Class, classify};
use super::framing::{Frame, next_frame};
use super::incoming::Inbox;
use super::outbox::Outbox;
use super::pace::Pace;
use super::pdu::{self, Bind, Deliver, Header, Submit, command};
use super::settings::SmppSettings;
use crate::EventSender;

/// Room made before each read.
const READ_OCTETS: usize = 16 * 1024;
/// How long an orderly end may take: answers still awaited, then the unbind.
const FAREWELL: Duration = Duration::from_secs(5);

/// A segment on its way to the session.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) submit: Submit,
    /// Told when the session takes the segment; whoever gave up waiting gets nothing sent.
    pub(super) started: oneshot::Sender<oneshot::Receiver<Answer>>,
}

/// How a segment fared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// The SMSC took it under this id.
    Taken(String),
    /// The SMSC refused it with this status.
    Refused(u32),
    /// The connection ended before it had left.
    NotSent(String),
    /// The connection ended after it had left and before the answer.
    Unknown(String),
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// As asked.
    Stopped,
    /// The SMSC refused the bind with this status.
    BindRefused(u32),
    /// The connection broke, or one side could not go on.
    Lost {
        /// What happened.
        why: String,
        /// Whether the bind had held for some exchange: then the trouble is likely short.
        proved: bool,
    },
}

/// What outlives a session.
#[derive(Debug)]
pub(super) struct Kept {
    /// Parts of messages that are not whole yet.
    pub(super) inbox: Inbox,
    /// Events that the host had no room for; what is left here when a session ends is already
    /// answered to the SMSC, so the sink hands it over.
    pub(super) backlog: VecDeque<SinkEvent>,
    /// The rate; an SMSC that throttles and then drops the connection is not met at full speed.
    pub(super) pace: Pace,
}

/// What a session needs from its sink.
pub(super) struct Surroundings<'a> {
    pub(super) settings: &'a SmppSettings,
    pub(super) clock: &'a dyn Clock,
    pub(super) events: &'a EventSender,
    pub(super) kept: &'a mut Kept,
    /// Called once when the bind is accepted, before the first submit is taken.
    pub(super) on_bound: &'a (dyn Fn() + Send + Sync),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Binding,
    Bound,
    /// No more submits; answers are still awaited.
    Draining,
    Unbinding,
    /// The SMSC asked to unbind; the answer is still being written.
    Leaving,
}

/// A connection.
pub(super) struct Session<'a, S> {
    around: Surroundings<'a>,
    reader: ReadHalf<S>,
    writer: WriteHalf<S>,
    received: BytesMut,
    outbox: Outbox,
    phase: Phase,
    /// Armed while a period of the pace runs.
    refill: Option<Pin<Box<Sleep>>>,
    /// The bind's answer, the next link test, or the answer to one.
    keepalive: Pin<Box<Sleep>>,
    /// Sequence number of a link test that has no answer yet.
    enquiry: Option<u32>,
    farewell: Option<Pin<Box<Sleep>>>,
    proved: bool,
}

/// What woke the loop.
enum Wake {
    Read(std::io::Result<usize>),
    Wrote(std::io::Result<usize>),
    Submission(Option<Submission>),
    Refill,
    Keepalive,
    Farewell,
    Stop,
    Room(usize),
}

impl<'a, S: AsyncRead + AsyncWrite> Session<'a, S> {
    /// A session on a fresh connection.
    pub(super) fn new(stream: S, around: Surroundings<'a>) -> Self {
        let (reader, writer) = split(stream);
        // No period runs in a new session, so its first one begins now.
        around.kept.pace.refill();
        Self {
            reader,
            writer,
            received: BytesMut::with_capacity(READ_OCTETS),
            outbox: Outbox::default(),
            phase: Phase::Binding,
            refill: None,
            keepalive: Box::pin(sleep(around.settings.bind_timeout.0)),
            enquiry: None,
            farewell: None,
            proved: false,
            around,
        }
    }

    /// Binds and serves until the connection ends or `stop` is cancelled; tells every waiter how
    /// its segment fared.
    pub(super) async fn run(
        mut self,
        submissions: &mut mpsc::Receiver<Submission>,
        stop: &CancellationToken,
    ) -> End {
        let settings = self.around.settings;
        let sequence = self.outbox.next_sequence();
        let bind = Bind {
            system_id: &settings.system_id,
            password: settings.password.expose(),
            system_type: &settings.system_type,
        };
        self.outbox.queue(&bind.encode(sequence));
        let end = loop {
            if let Some(end) = self.turn(submissions, stop).await {
                break end;
            }
        };
        let why = match &end {
            End::Lost { why, .. } => why.clone(),
            End::Stopped => "the connection to the SMSC was closed".to_owned(),
            End::BindRefused(status) => classify::describe(*status),
        };
        self.outbox.abandon(&why);
        end
    }

    /// Waits for one thing and does it.
    async fn turn(
        &mut self,
        submissions: &mut mpsc::Receiver<Submission>,
        stop: &CancellationToken,
    ) -> Option<End> {
        match self.wake(submissions, stop).await {
            Wake::Read(Ok(0)) => self.ended("the SMSC closed the connection"),
            Wake::Read(Ok(_)) => self.read_frames(),
            Wake::Read(Err(error)) | Wake::Wrote(Err(error)) => {
                self.ended(&format!("the connection to the SMSC broke: {error}"))
            }
            Wake::Wrote(Ok(octets)) => self.wrote(octets),
            Wake::Submission(Some(submission)) => {
                self.submit(submission);
                None
            }
            Wake::Submission(None) | Wake::Stop => self.begin_farewell(),
            Wake::Refill => {
                self.refill = None;
                self.around.kept.pace.refill();
                None
            }
            Wake::Keepalive => self.test_link(),
            Wake::Farewell => self.ended("the SMSC did not answer the unbind"),
            Wake::Room(room) => {
                self.hand_over(room);
                None
            }
        }
    }

    async fn wake(
        &mut self,
        submissions: &mut mpsc::Receiver<Submission>,
        stop: &CancellationToken,
    ) -> Wake {
        let room = self.outbox.has_room();
        let may_submit = room && self.phase == Phase::Bound && self.around.kept.pace.may_take();
        let may_stop = matches!(self.phase, Phase::Binding | Phase::Bound);
        self.received.reserve(READ_OCTETS);
        tokio::select! {
            wrote = self.writer.write_buf(&mut self.outbox.octets), if !self.outbox.octets.is_empty() => Wake::Wrote(wrote),
            read = self.reader.read_buf(&mut self.received), if room => Wake::Read(read),
            submission = submissions.recv(), if may_submit => Wake::Submission(submission),
            () = when(&mut self.refill), if self.refill.is_some() => Wake::Refill,
            () = self.keepalive.as_mut() => Wake::Keepalive,
            () = when(&mut self.farewell), if self.farewell.is_some() => Wake::Farewell,
            () = stop.cancelled(), if may_stop => Wake::Stop,
            permit = self.around.events.reserve(), if !self.around.kept.backlog.is_empty() => {
                // A host that takes no events any more gets none.
                let room = if permit.is_ok() { 1 } else { usize::MAX };
                drop(permit);
                Wake::Room(room)
            }
        }
    }

    fn ended(&self, why: &str) -> Option<End> {
        Some(match self.phase {
            Phase::Draining | Phase::Unbinding => End::Stopped,
            Phase::Leaving => End::Lost {
                why: "the SMSC unbound".to_owned(),
                proved: self.proved,
            },
            Phase::Binding | Phase::Bound => End::Lost {
                why: why.to_owned(),
                proved: self.proved,
            },
        })
    }

    // ---- what goes out ----

    fn wrote(&mut self, octets: usize) -> Option<End> {
        self.outbox.wrote(octets);
        if octets == 0 {
            return self.ended("the connection to the SMSC takes nothing more");
        }
        let said_goodbye = self.phase == Phase::Leaving && self.outbox.octets.is_empty();
        if said_goodbye { self.ended("") } else { None }
    }

    fn submit(&mut self, submission: Submission) {
        let (answer, waiter) = oneshot::channel();
        if submission.started.send(waiter).is_err() {
            return;
        }
        let bound = usize::from(self.around.settings.window) * 2;
        if self.outbox.unanswered() >= bound {
            self.outbox.forget_abandoned();
        }
        let sequence = self.outbox.next_sequence();
        self.outbox.queue(&submission.submit.encode(sequence));
        let number = self.around.kept.pace.take();
        if self.refill.is_none() {
            self.refill = Some(Box::pin(sleep(self.around.kept.pace.period())));
        }
        self.outbox.expect(sequence, answer, number);
    }

    /// The timer of the bind, of the next link test, or of the answer to one ran out.
    fn test_link(&mut self) -> Option<End> {
        let settings = self.around.settings;
        match self.phase {
            Phase::Binding => self.ended(&format!(
                "the SMSC did not answer the bind within {}",
                settings.bind_timeout
            )),
            Phase::Bound if self.enquiry.is_some() => self.ended(&format!(
                "the SMSC did not answer enquire_link within {}",
                settings.response_timeout
            )),
            Phase::Bound => {
                let sequence = self.outbox.next_sequence();
                self.outbox
                    .queue(&pdu::bare(command::ENQUIRE_LINK, 0, sequence));
                self.enquiry = Some(sequence);
                self.keepalive = Box::pin(sleep(settings.response_timeout.0));
                let now = self.around.clock.now();
                let given_up = self.around.kept.inbox.expire(settings, now);
                self.report(given_up);
                None
            }
            // The farewell's own timer ends these.
            Phase::Draining | Phase::Unbinding | Phase::Leaving => {
                self.keepalive = Box::pin(sleep(FAREWELL));
                None
            }
        }
    }

    fn begin_farewell(&mut self) -> Option<End> {
        if self.phase == Phase::Binding {
            return Some(End::Stopped);
        }
        self.phase = Phase::Draining;
        self.farewell = Some(Box::pin(sleep(FAREWELL)));
        self.unbind_when_drained();
        None
    }

    fn unbind_when_drained(&mut self) {
        self.outbox.forget_abandoned();
        if self.phase == Phase::Draining && self.outbox.unanswered() == 0 {
            let sequence = self.outbox.next_sequence();
            self.outbox.queue(&pdu::bare(command::UNBIND, 0, sequence));
            self.phase = Phase::Unbinding;
        }
    }

    // ---- what comes in ----

    fn read_frames(&mut self) -> Option<End> {
        loop {
            match next_frame(&mut self.received) {
                Ok(Some(frame)) => {
                    if let Some(end) = self.handle(&frame) {
                        return Some(end);
                    }
                }
                Ok(None) => return None,
                Err(lost) => {
                    // The nack may still reach the SMSC's log; waiting for that would keep a
                    // stream open that cannot be read any more.
                    let nack = pdu::bare(
                        command::GENERIC_NACK,
                        classify::INVALID_COMMAND_LENGTH,
                        lost.sequence,
                    );
                    self.outbox.queue(&nack);
                    self.received.clear();
                    return self.part_with(&lost.to_string());
                }
            }
        }
    }

    /// Ends the session; a goodbye that fits into the socket still goes out.
    fn part_with(&mut self, why: &str) -> Option<End> {
        use futures::FutureExt;
        let last = self
            .writer
            .write_buf(&mut self.outbox.octets)
            .now_or_never();
        if let Some(Ok(octets)) = last {
            self.outbox.wrote(octets);
        }
        self.ended(why)
    }

    fn handle(&mut self, frame: &Frame) -> Option<End> {
        let Header {
            id,
            status,
            sequence,
        } = frame.header;
        if self.phase != Phase::Binding {
            self.proved = true;
        }
        match id {
            BIND_RESPONSE => return self.bound(status),
            command::GENERIC_NACK => return self.nacked(status, sequence),
            SUBMIT_RESPONSE => self.submit_answered(status, sequence, &frame.body),
            command::DELIVER_SM => {
                self.deliver(id, sequence, Deliver::read_deliver_sm(&frame.body))
            }
            command::DATA_SM => self.deliver(id, sequence, Deliver::read_data_sm(&frame.body)),
            command::ENQUIRE_LINK => {
                self.outbox
                    .queue(&pdu::bare(id | command::RESPONSE, 0, sequence))
            }
            ENQUIRE_RESPONSE => self.link_is_alive(),
            command::UNBIND => {
                self.outbox
                    .queue(&pdu::bare(id | command::RESPONSE, 0, sequence));
                self.phase = Phase::Leaving;
                self.farewell = Some(Box::pin(sleep(FAREWELL)));
            }
            UNBIND_RESPONSE if self.phase == Phase::Unbinding => return Some(End::Stopped),
            // Neither of them has an answer (sections 4.1.7 and 4.12.1).
            command::OUTBIND | command::ALERT_NOTIFICATION => {}
            id if id & command::RESPONSE != 0 => tracing::warn!(
                sink = self.around.settings.name,
                command_id = format!("{id:#x}"),
                sequence,
                "answer from the SMSC to nothing that was asked"
            ),
            _ => self.outbox.queue(&pdu::bare(
                command::GENERIC_NACK,
                classify::INVALID_COMMAND_ID,
                sequence,
            )),
        }
        None
    }

    fn bound(&mut self, status: u32) -> Option<End> {
        if self.phase != Phase::Binding {
            return None;
        }
        if status != 0 {
            return Some(End::BindRefused(status));
        }
        self.phase = Phase::Bound;
        self.keepalive = Box::pin(sleep(self.around.settings.enquire_link_interval.0));
        (self.around.on_bound)();
        let settings = self.around.settings;
        self.report(vec![SinkEvent::State {
            sink: settings.name.clone(),
            up: true,
            why: Why::new(
                Reason::ProviderAccepted,
                format!("bound to {} as {}", settings.address, settings.system_id),
            ),
            at: self.around.clock.now(),
        }]);
        None
    }

    fn nacked(&mut self, status: u32, sequence: u32) -> Option<End> {
        if self.phase == Phase::Binding {
            return Some(End::BindRefused(status));
        }
        if self.enquiry == Some(sequence) {
            // An SMSC that does not know enquire_link is alive all the same.
            self.link_is_alive();
        } else if self.phase == Phase::Unbinding {
            return Some(End::Stopped);
        } else {
            let status = if status == 0 { 0xFF } else { status };
            self.submit_answered(status, sequence, &[]);
        }
        None
    }

    fn link_is_alive(&mut self) {
        if self.enquiry.take().is_some() {
            self.keepalive = Box::pin(sleep(self.around.settings.enquire_link_interval.0));
        }
    }

    fn submit_answered(&mut self, status: u32, sequence: u32, body: &[u8]) {
        let Some(pending) = self.outbox.answered(sequence) else {
            tracing::warn!(
                sink = self.around.settings.name,
                sequence,
                status,
                "answer from the SMSC to no submit that waits: late, or a wrong sequence number"
            );
            return;
        };
        let (class, _) = classify(status);
        match class {
            Class::Taken => self.around.kept.pace.accepted(),
            Class::Throttled | Class::QueueFull => self.around.kept.pace.throttled(pending.number),
            Class::Recipient | Class::Message | Class::Settings | Class::Provider => {}
        }
        let answer = if class == Class::Taken {
            Answer::Taken(pdu::first_string(body))
        } else {
            Answer::Refused(status)
        };
        if pending.answer.send(answer).is_err() {
            tracing::warn!(
                sink = self.around.settings.name,
                sequence,
                status,
                "answer from the SMSC after the time for it was over"
            );
        }
        self.unbind_when_drained();
    }

    fn deliver(&mut self, id: u32, sequence: u32, deliver: Option<Deliver>) {
        let status = match deliver {
            _ if !self.around.kept.backlog.is_empty() => classify::RECEIVER_TEMPORARY,
            None => {
                tracing::warn!(
                    sink = self.around.settings.name,
                    sequence,
                    "message from the SMSC that cannot be read"
                );
                classify::RECEIVER_PERMANENT
            }
            Some(deliver) => {
                let now = self.around.clock.now();
                let events = self
                    .around
                    .kept
                    .inbox
                    .read(deliver, self.around.settings, now);
                self.report(events);
                0
            }
        };
        self.outbox
            .queue(&pdu::deliver_response(id, status, sequence));
    }

    // ---- to the host ----

    fn report(&mut self, events: Vec<SinkEvent>) {
        self.around.kept.backlog.extend(events);
        self.hand_over(self.around.events.capacity());
    }

    /// Hands over as many events as there is room for.
    fn hand_over(&mut self, room: usize) {
        for _ in 0..room {
            let Some(event) = self.around.kept.backlog.pop_front() else {
                return;
            };
            if let Err(mpsc::error::TrySendError::Full(event)) = self.around.events.try_send(event)
            {
                self.around.kept.backlog.push_front(event);
                return;
            }
        }
    }
}

const BIND_RESPONSE: u32 = command::BIND_TRANSCEIVER | command::RESPONSE;
const SUBMIT_RESPONSE: u32 = command::SUBMIT_SM | command::RESPONSE;
const ENQUIRE_RESPONSE: u32 = command::ENQUIRE_LINK | command::RESPONSE;
const UNBIND_RESPONSE: u32 = command::UNBIND | command::RESPONSE;

/// Waits for a timer that may not be armed; then forever.
async fn when(timer: &mut Option<Pin<Box<Sleep>>>) {
    match timer {
        Some(timer) => timer.as_mut().await,
        None => std::future::pending().await,
    }
}
