//! The sink: keeps one session alive, and hands deliveries to it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use andon_model::{Clock, Delivery, Outcome, Reason, SinkEvent, Why};
use async_trait::async_trait;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::classify;
use super::incoming::Inbox;
use super::pace::Pace;
use super::pdu::Submit;
use super::session::{Answer, End, Kept, Session, Submission, Surroundings};
use super::settings::SmppSettings;
use super::submit::submits;
use crate::{EventSender, LookUp, Sink};

/// After so many failures to bind in a row the sink says that it failed, and the courier goes to
/// the next channel of the contact; before it, that it may be a moment.
const FAILURES_UNTIL_FAILED: u32 = 2;
/// When to try again while the session is being set up.
const WHILE_CONNECTING: Duration = Duration::from_secs(1);
/// How long the host may take for the last events as the sink stops.
const LAST_EVENTS: Duration = Duration::from_secs(5);
/// How often a later segment of a message is sent again when the SMSC throttles it. The first
/// segment is already there, so waiting beats sending the whole text again.
const SEGMENT_TRIES: u32 = 4;
/// Longest wait between those.
const SEGMENT_WAIT_MAX: Duration = Duration::from_secs(2);
/// All later segments together may take so many times the settings' time for one answer.
const REST_TIMEOUTS_MAX: u32 = 4;

/// A transceiver to one SMSC.
pub struct SmppSink {
    settings: SmppSettings,
    clock: Arc<dyn Clock>,
    /// Bound: the window; a full one makes the caller wait for its permit before.
    submissions: mpsc::Sender<Submission>,
    /// Taken by [`Sink::run`].
    inbox: Mutex<Option<mpsc::Receiver<Submission>>>,
    window: Semaphore,
    link: watch::Sender<Link>,
    reference: AtomicU8,
}

/// Whether the session can take submits.
#[derive(Debug, Clone, PartialEq)]
enum Link {
    Up,
    /// Down; what to tell who wants to send.
    Down(Outcome),
}

impl SmppSink {
    pub(super) fn new(settings: SmppSettings, clock: Arc<dyn Clock>) -> Self {
        let window = usize::from(settings.window.max(1));
        let (submissions, inbox) = mpsc::channel(window);
        let down = Link::Down(retry_soon("the connection to the SMSC is not up yet"));
        Self {
            settings,
            clock,
            submissions,
            inbox: Mutex::new(Some(inbox)),
            window: Semaphore::new(window),
            link: watch::Sender::new(down),
            // Starts anywhere, so that parts of a message from before a restart do not mix.
            reference: AtomicU8::new(rand::random()),
        }
    }

    /// Sends one segment and waits for what becomes of it: the SMSC's id or an outcome.
    async fn submit(&self, submit: Submit) -> Result<String, Outcome> {
        if let Link::Down(outcome) = &*self.link.borrow() {
            return Err(outcome.clone());
        }
        let gone = || retry_soon("the connection to the SMSC has just gone");
        let _permit = self.window.acquire().await.map_err(|_| gone())?;
        let (started, starting) = oneshot::channel();
        let submission = Submission { submit, started };
        self.submissions
            .send(submission)
            .await
            .map_err(|_| gone())?;
        let limit = self.settings.response_timeout.0;
        let waiter = match timeout(limit, starting).await {
            Ok(Ok(waiter)) => waiter,
            Ok(Err(_)) => return Err(gone()),
            // Dropping `starting` takes the submission back: surely not sent.
            Err(_) => {
                let said = format!(
                    "waited {} for its turn at the SMSC's rate",
                    self.settings.response_timeout
                );
                return Err(Outcome::Retry {
                    after: None,
                    why: Why::new(Reason::Throttled, said),
                });
            }
        };
        match timeout(limit, waiter).await {
            Ok(Ok(Answer::Taken(id))) => Ok(self.settings.receipt_id_base.of_answer(&id)),
            Ok(Ok(Answer::Refused(status))) => Err(classify::refused(status)),
            Ok(Ok(Answer::NotSent(why))) => Err(retry_soon(&why)),
            Ok(Ok(Answer::Unknown(why))) => Err(unknown(&why)),
            Ok(Err(_)) => Err(unknown("the connection to the SMSC ended")),
            Err(_) => Err(unknown(&format!(
                "the SMSC did not answer within {}",
                self.settings.response_timeout
            ))),
        }
    }

    /// Sends the later segments: what is surely not taken is sent again, because the part before it
    /// is on its way to the phone.
    async fn submit_rest(
        &self,
        segments: impl Iterator<Item = Submit>,
        provider_ids: &mut Vec<String>,
    ) -> Result<(), Outcome> {
        for segment in segments {
            let mut tries = 1;
            let id = loop {
                match self.submit(segment.clone()).await {
                    Err(Outcome::Retry {
                        after: Some(after), ..
                    }) if tries < SEGMENT_TRIES => {
                        tries += 1;
                        sleep(after.min(SEGMENT_WAIT_MAX)).await;
                    }
                    result => break result?,
                }
            };
            provider_ids.push(id);
        }
        Ok(())
    }

    /// Connects, binds and serves once.
    async fn serve(
        &self,
        submissions: &mut mpsc::Receiver<Submission>,
        kept: &mut Kept,
        events: &EventSender,
        stop: &CancellationToken,
    ) -> End {
        let connecting = timeout(
            self.settings.bind_timeout.0,
            TcpStream::connect(self.settings.address.as_str()),
        );
        let connected = tokio::select! {
            connected = connecting => connected,
            () = turn_away(submissions) => return End::Stopped,
            () = stop.cancelled() => return End::Stopped,
        };
        let lost = |why: String| End::Lost { why, proved: false };
        let stream = match connected {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                return lost(format!(
                    "cannot connect to {}: {error}",
                    self.settings.address
                ));
            }
            Err(_) => {
                return lost(format!(
                    "{} did not answer within {}",
                    self.settings.address, self.settings.bind_timeout
                ));
            }
        };
        // A submit is one small write: it must not wait for the acknowledgement of the one before.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::warn!(sink = self.settings.name, %error, "cannot turn off Nagle's algorithm");
        }
        let around = Surroundings {
            settings: &self.settings,
            clock: &*self.clock,
            events,
            kept,
            on_bound: &|| {
                self.link.send_replace(Link::Up);
            },
        };
        Session::new(stream, around).run(submissions, stop).await
    }

    fn down(&self, why: &Why) -> SinkEvent {
        SinkEvent::State {
            sink: self.settings.name.clone(),
            up: false,
            why: why.clone(),
            at: self.clock.now(),
        }
    }

    /// What to tell who wants to send now that the session is down.
    fn go_down(&self, why: &Why, failures: u32) {
        let failed = why.reason == Reason::SinkMisconfigured || failures >= FAILURES_UNTIL_FAILED;
        let outcome = if failed {
            Outcome::SinkFailed { why: why.clone() }
        } else {
            retry_soon(&why.detail)
        };
        self.link.send_replace(Link::Down(outcome));
    }
}

#[async_trait]
impl Sink for SmppSink {
    fn name(&self) -> &str {
        &self.settings.name
    }

    async fn run(self: Arc<Self>, events: EventSender, stop: CancellationToken) {
        let taken = self
            .inbox
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(mut submissions) = taken else {
            tracing::error!(sink = self.settings.name, "sink started twice");
            return;
        };
        let mut kept = Kept {
            inbox: Inbox::default(),
            backlog: VecDeque::new(),
            pace: Pace::new(self.settings.throughput),
        };
        let mut failures = 0;
        let mut told: Option<Reason> = None;
        loop {
            let end = self
                .serve(&mut submissions, &mut kept, &events, &stop)
                .await;
            let was_up = self.link.borrow().clone() == Link::Up;
            let Some(why) = reason_of(&end) else {
                break;
            };
            failures = match end {
                End::Lost { proved: true, .. } => 0,
                End::Lost { .. } | End::BindRefused(_) | End::Stopped => failures + 1,
            };
            tracing::warn!(sink = self.settings.name, why = %why, failures, "SMSC session down");
            self.go_down(&why, failures);
            if was_up || told != Some(why.reason) {
                told = Some(why.reason);
                kept.backlog.push_back(self.down(&why));
            }
            let wait = back_off(
                self.settings.reconnect_delay.0,
                why.reason,
                failures,
                rand::random(),
            );
            tokio::select! {
                () = rest(wait, &events, &mut kept.backlog) => {}
                () = turn_away(&mut submissions) => {}
                () = stop.cancelled() => break,
            }
        }
        self.go_down(&closing(), 0);
        let given_up = kept.inbox.give_up(&self.settings, self.clock.now());
        kept.backlog.extend(given_up);
        if timeout(LAST_EVENTS, hand_over(&events, &mut kept.backlog))
            .await
            .is_err()
        {
            let lost = kept.backlog.len();
            tracing::error!(
                sink = self.settings.name,
                lost,
                "the host took no more events before its end"
            );
        }
    }

    /// All segments, one after the other. One text is one outcome:
    /// - all taken: sent, with all ids;
    /// - none taken: what the first refusal means;
    /// - some taken, then a segment that may go later: unknown, so that the whole text goes out
    ///   again marked "(repeat)", as the phone may show a part of it;
    /// - some taken, then a segment that will never go: dead, or sink failed, and the next channel
    ///   gets the whole text.
    async fn send(&self, delivery: &Delivery) -> Outcome {
        let reference = self.reference.fetch_add(1, Ordering::Relaxed);
        let segments = match submits(delivery, &self.settings, reference, self.clock.now()) {
            Ok(segments) => segments,
            Err(why) => return Outcome::Dead { why },
        };
        let count = segments.len();
        let mut segments = segments.into_iter();
        let mut provider_ids = Vec::with_capacity(count);
        if let Some(first) = segments.next() {
            match self.submit(first).await {
                Ok(id) => provider_ids.push(id),
                Err(outcome) => return outcome,
            }
        }
        let rest = self.submit_rest(segments, &mut provider_ids);
        let limit = self.settings.response_timeout.0 * REST_TIMEOUTS_MAX;
        let result = timeout(limit, rest)
            .await
            .unwrap_or_else(|_| Err(unknown("the SMSC took too long for all segments")));
        if let Err(outcome) = result {
            return broken_off(outcome, provider_ids.len(), count);
        }
        provider_ids.retain(|id| !id.is_empty());
        Outcome::Sent { provider_ids }
    }

    /// `query_sm` asks by the SMSC's id, which is just what a send with unknown result lacks.
    async fn look_up(&self, _: &Delivery) -> LookUp {
        LookUp::CannotTell
    }

    fn window(&self) -> usize {
        usize::from(self.settings.window.max(1))
    }
}

/// Waits before the next try, after the host has taken what it had no room for. So no session
/// starts with a backlog of another.
async fn rest(wait: Duration, events: &EventSender, backlog: &mut VecDeque<SinkEvent>) {
    hand_over(events, backlog).await;
    sleep(wait).await;
}

/// Hands events over as the host takes them. Safe to be cancelled: what is not taken stays.
async fn hand_over(events: &EventSender, backlog: &mut VecDeque<SinkEvent>) {
    while !backlog.is_empty() {
        let Ok(place) = events.reserve().await else {
            // Nobody listens any more.
            backlog.clear();
            return;
        };
        if let Some(event) = backlog.pop_front() {
            place.send(event);
        }
    }
}

/// Sends submissions back while there is no session, so that their senders know at once. Ends only
/// when the sink itself is gone.
async fn turn_away(submissions: &mut mpsc::Receiver<Submission>) {
    while submissions.recv().await.is_some() {}
}

fn retry_soon(why: &str) -> Outcome {
    Outcome::Retry {
        after: Some(WHILE_CONNECTING),
        why: Why::new(Reason::RetryLater, why),
    }
}

fn unknown(why: &str) -> Outcome {
    Outcome::Unknown {
        why: Why::new(Reason::ResultUnknown, why),
    }
}

fn closing() -> Why {
    Why::new(Reason::RetryLater, "the connection to the SMSC is closed")
}

/// A message of which some segments are taken.
fn broken_off(outcome: Outcome, taken: usize, count: usize) -> Outcome {
    match outcome {
        Outcome::Retry { why, .. } | Outcome::Unknown { why } => unknown(&format!(
            "{taken} of {count} segments were taken, then: {}",
            why.detail
        )),
        Outcome::Sent { .. }
        | Outcome::Dead { .. }
        | Outcome::SinkFailed { .. }
        | Outcome::Expired { .. } => outcome,
    }
}

/// Why the session is down; nothing if that was asked for.
fn reason_of(end: &End) -> Option<Why> {
    match end {
        End::Stopped => None,
        End::Lost { why, .. } => Some(Why::new(Reason::ProviderFailed, why.as_str())),
        End::BindRefused(status) if classify::bind_needs_a_person(*status) => Some(Why::new(
            Reason::SinkMisconfigured,
            format!(
                "the SMSC refused the bind: {}; check system_id, password and system_type, and that the account may bind as transceiver",
                classify::describe(*status)
            ),
        )),
        End::BindRefused(status) => Some(Why::new(
            Reason::ProviderFailed,
            format!("the SMSC refused the bind: {}", classify::describe(*status)),
        )),
    }
}

/// How long to wait before the next try. `jitter` is between 0 and 1 and moves the wait by a fifth
/// either way, so that the hosts of a plant do not knock together.
fn back_off(base: Duration, reason: Reason, failures: u32, jitter: f64) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(8));
    let wait = if reason == Reason::SinkMisconfigured {
        base * doubled.saturating_mul(12).min(60)
    } else if failures == 0 {
        // A session that worked is gone: most often the SMSC restarts its side at once.
        base / 10
    } else {
        base * doubled.min(12)
    };
    wait.mul_f64(0.8 + 0.4 * jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_after_each_failure_and_minutes_after_a_refused_account() {
        let wait = |reason, failures| back_off(Duration::from_secs(10), reason, failures, 0.5);
        let seconds = |count| Duration::from_secs(count);
        assert_eq!(wait(Reason::ProviderFailed, 0), seconds(1));
        assert_eq!(wait(Reason::ProviderFailed, 1), seconds(10));
        assert_eq!(wait(Reason::ProviderFailed, 3), seconds(40));
        assert_eq!(wait(Reason::ProviderFailed, 99), seconds(120));
        assert_eq!(wait(Reason::SinkMisconfigured, 1), seconds(120));
        assert_eq!(wait(Reason::SinkMisconfigured, 99), seconds(600));
        let early = back_off(seconds(10), Reason::ProviderFailed, 1, 0.0);
        let late = back_off(seconds(10), Reason::ProviderFailed, 1, 1.0);
        assert_eq!((early, late), (seconds(8), seconds(12)));
    }
}
