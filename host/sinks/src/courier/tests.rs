//! The courier against sinks that count what arrives, under tokio's paused time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use andon_model::{
    Channel, Clock, Delivery, DeliveryId, DeliveryKind, DeliveryState, OccurrenceId, Outcome,
    Priority, Reason, SinkEvent, Timestamp, Why,
};
use async_trait::async_trait;
use proptest::prelude::*;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{LookUp, Sink};

mod crashes;

/// A clock that follows tokio's paused time and goes on from where the last one stood.
struct PausedClock {
    base: Timestamp,
    since: tokio::time::Instant,
}

impl PausedClock {
    fn at(base: Timestamp) -> Arc<Self> {
        Arc::new(Self {
            base,
            since: tokio::time::Instant::now(),
        })
    }
}

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        self.base.plus(self.since.elapsed())
    }
}

const START: Timestamp = Timestamp::from_secs(1_800_000_000);

fn channel(sink: &str) -> Channel {
    Channel {
        sink: sink.into(),
        address: "+4790000001".into(),
    }
}

fn delivery(number: u64, sink: &str) -> Delivery {
    let channel = channel(sink);
    let occurrence = OccurrenceId(number);
    Delivery {
        id: DeliveryId::of(occurrence, DeliveryKind::Alert, 0, "ann", &channel),
        occurrence,
        kind: DeliveryKind::Alert,
        step: 0,
        contact: "ann".into(),
        channels: vec![channel.clone()],
        channel,
        channel_index: 0,
        priority: Priority::High,
        text: format!("alarm {number}"),
        code: None,
        created_at: START,
        expires_at: START.plus(Duration::from_secs(3600)),
        state: DeliveryState::Queued,
        attempts: 0,
        next_at: START,
        repeat: false,
        after: None,
        why: Why::new(Reason::RouteMatched, ""),
        test: false,
    }
}

fn why() -> Why {
    Why::new(Reason::RetryLater, "busy")
}

/// What a provider has on its side; survives the crash of the host.
#[derive(Default)]
struct Provider {
    received: Mutex<Vec<(DeliveryId, String)>>,
}

impl Provider {
    fn take(&self, delivery: &Delivery) {
        let mut received = self.received.lock().unwrap();
        received.push((delivery.id.clone(), delivery.wire_text()));
    }

    fn texts(&self) -> Vec<String> {
        let received = self.received.lock().unwrap();
        received.iter().map(|(_, text)| text.clone()).collect()
    }

    fn of(&self, id: &DeliveryId) -> Vec<String> {
        let received = self.received.lock().unwrap();
        received
            .iter()
            .filter(|(of, _)| of == id)
            .map(|(_, text)| text.clone())
            .collect()
    }
}

/// What a fake sink answers, in turn; the last answer stays.
#[derive(Clone, Debug)]
enum Answer {
    Take,
    /// Takes it and says that the result is unknown.
    TakeAndLose,
    /// Does not take it and says that the result is unknown.
    Lose,
    Retry,
    Throttle,
    Dead,
    Fail,
    Hang,
    Panic,
}

struct FakeSink {
    name: String,
    provider: Arc<Provider>,
    answers: Mutex<Vec<Answer>>,
    can_tell: bool,
    window: usize,
    latency: Duration,
    busy: AtomicUsize,
    busiest: AtomicUsize,
}

impl FakeSink {
    fn new(name: &str, answers: &[Answer]) -> Self {
        Self {
            name: name.into(),
            provider: Arc::default(),
            answers: Mutex::new(answers.iter().rev().cloned().collect()),
            can_tell: false,
            window: 2,
            latency: Duration::from_millis(5),
            busy: AtomicUsize::new(0),
            busiest: AtomicUsize::new(0),
        }
    }

    fn next_answer(&self) -> Answer {
        let mut answers = self.answers.lock().unwrap();
        if answers.len() > 1 {
            answers.pop().unwrap()
        } else {
            answers.first().cloned().unwrap_or(Answer::Take)
        }
    }
}

#[async_trait]
impl Sink for FakeSink {
    fn name(&self) -> &str {
        &self.name
    }

    async fn run(self: Arc<Self>, _: EventSender, stop: CancellationToken) {
        stop.cancelled().await;
    }

    async fn send(&self, delivery: &Delivery) -> Outcome {
        let busy = self.busy.fetch_add(1, Ordering::SeqCst) + 1;
        self.busiest.fetch_max(busy, Ordering::SeqCst);
        tokio::time::sleep(self.latency).await;
        let answer = self.next_answer();
        if matches!(answer, Answer::Take | Answer::TakeAndLose) {
            self.provider.take(delivery);
        }
        tokio::time::sleep(self.latency).await;
        self.busy.fetch_sub(1, Ordering::SeqCst);
        match answer {
            Answer::Take => Outcome::Sent {
                provider_ids: vec![format!("id of {}", delivery.id)],
            },
            Answer::TakeAndLose | Answer::Lose => Outcome::Unknown { why: why() },
            Answer::Retry => Outcome::Retry {
                after: None,
                why: why(),
            },
            Answer::Throttle => Outcome::Retry {
                after: Some(Duration::from_secs(7)),
                why: Why::new(Reason::Throttled, "slow down"),
            },
            Answer::Dead => Outcome::Dead {
                why: Why::new(Reason::RecipientRefused, "no such number"),
            },
            Answer::Fail => Outcome::SinkFailed {
                why: Why::new(Reason::SinkMisconfigured, "password"),
            },
            Answer::Hang => std::future::pending().await,
            Answer::Panic => panic!("a bug in the sink"),
        }
    }

    async fn look_up(&self, delivery: &Delivery) -> LookUp {
        tokio::time::sleep(self.latency).await;
        if !self.can_tell {
            return LookUp::CannotTell;
        }
        if self.provider.of(&delivery.id).is_empty() {
            return LookUp::NotThere;
        }
        LookUp::Found(Outcome::Sent {
            provider_ids: vec![format!("id of {}", delivery.id)],
        })
    }

    fn window(&self) -> usize {
        self.window
    }
}

/// The outbox of a test: rows on disk, which survive a crash.
#[derive(Default)]
struct Outbox {
    rows: Mutex<BTreeMap<DeliveryId, Delivery>>,
    failures: AtomicUsize,
    latency: Duration,
}

#[async_trait]
impl Claims for Outbox {
    async fn claim(&self, deliveries: Vec<Delivery>) -> Result<Claimed, ClaimError> {
        tokio::time::sleep(self.latency).await;
        if self.failures.load(Ordering::SeqCst) > 0 {
            self.failures.fetch_sub(1, Ordering::SeqCst);
            return Err(ClaimError("disk full".into()));
        }
        self.keep(deliveries);
        tokio::time::sleep(self.latency).await;
        Ok(Claimed::Committed)
    }
}

impl Outbox {
    fn keep(&self, deliveries: Vec<Delivery>) {
        let mut rows = self.rows.lock().unwrap();
        for row in deliveries {
            rows.insert(row.id.clone(), row);
        }
    }

    fn owed(&self) -> Vec<Delivery> {
        let rows = self.rows.lock().unwrap();
        rows.values()
            .filter(|row| row.state.is_owed())
            .cloned()
            .collect()
    }

    fn row(&self, id: &DeliveryId) -> Delivery {
        self.rows.lock().unwrap().get(id).cloned().unwrap()
    }
}

/// A host: courier, outbox, and what stands for the app between them. Ends when nothing is owed.
async fn host(
    outbox: Arc<Outbox>,
    sinks: Vec<Arc<dyn Sink>>,
    settings: CourierSettings,
    base: Timestamp,
) {
    let clock = PausedClock::at(base);
    let (events, mut told) = mpsc::channel(4);
    let (courier, handle) = Courier::new(settings.clone(), outbox.clone(), events, clock.clone());
    handle.apply(sinks, &settings);
    handle.put(outbox.owed()).unwrap();
    let stop = CancellationToken::new();
    let app = async {
        while !outbox.owed().is_empty() {
            let Some(SinkEvent::Outcome {
                delivery, outcome, ..
            }) = told.recv().await
            else {
                continue;
            };
            let settled = settle(
                &settings.policy(),
                &outbox.row(&delivery),
                outcome,
                clock.now(),
                0.0,
            );
            tokio::time::sleep(outbox.latency).await;
            outbox.keep(vec![settled.delivery.clone()]);
            handle.put(vec![settled.delivery]).unwrap();
        }
        stop.cancel();
    };
    tokio::join!(courier.run(stop.clone()), app);
}

async fn run_all(rows: Vec<Delivery>, sinks: Vec<Arc<FakeSink>>) -> Arc<Outbox> {
    let outbox = Arc::new(Outbox::default());
    outbox.keep(rows);
    let sinks = sinks.into_iter().map(|s| s as Arc<dyn Sink>).collect();
    host(outbox.clone(), sinks, CourierSettings::default(), START).await;
    outbox
}

#[tokio::test(start_paused = true)]
async fn urgent_and_old_deliveries_go_first() {
    let sink = Arc::new(FakeSink {
        window: 1,
        ..FakeSink::new("sms", &[Answer::Take])
    });
    let mut rows: Vec<Delivery> = (0..4).map(|n| delivery(n, "sms")).collect();
    rows[0].priority = Priority::Low;
    rows[1].created_at = START.plus(Duration::from_secs(1));
    rows[3].priority = Priority::Critical;
    run_all(rows, vec![sink.clone()]).await;
    assert_eq!(
        sink.provider.texts(),
        ["alarm 3", "alarm 2", "alarm 1", "alarm 0"]
    );
}

#[tokio::test(start_paused = true)]
async fn the_window_of_a_sink_is_kept_and_used() {
    let sink = Arc::new(FakeSink {
        window: 3,
        ..FakeSink::new("sms", &[Answer::Take])
    });
    run_all(
        (0..20).map(|n| delivery(n, "sms")).collect(),
        vec![sink.clone()],
    )
    .await;
    assert_eq!(sink.provider.texts().len(), 20);
    assert_eq!(sink.busiest.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn a_delivery_waits_until_it_is_due() {
    let sink = Arc::new(FakeSink::new("sms", &[Answer::Take]));
    let mut row = delivery(1, "sms");
    row.next_at = START.plus(Duration::from_secs(100));
    let began = tokio::time::Instant::now();
    run_all(vec![row], vec![sink]).await;
    assert!(began.elapsed() >= Duration::from_secs(100));
    assert!(began.elapsed() < Duration::from_secs(102));
}

#[tokio::test(start_paused = true)]
async fn an_expired_delivery_never_touches_the_wire() {
    let sink = Arc::new(FakeSink::new("sms", &[Answer::Retry]));
    let mut stale = delivery(1, "sms");
    stale.expires_at = START;
    let mut hopeless = delivery(2, "sms");
    hopeless.expires_at = START.plus(Duration::from_secs(60));
    let ids = [stale.id.clone(), hopeless.id.clone()];
    let outbox = run_all(vec![stale, hopeless], vec![sink.clone()]).await;
    for id in &ids {
        assert_eq!(outbox.row(id).state, DeliveryState::Expired);
    }
    assert_eq!(outbox.row(&ids[0]).attempts, 0);
    assert!(outbox.row(&ids[1]).attempts > 2);
    assert_eq!(sink.provider.texts().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_resolved_notice_never_overtakes_its_alert() {
    let sink = Arc::new(FakeSink::new(
        "sms",
        &[Answer::Retry, Answer::Retry, Answer::Take],
    ));
    let alert = delivery(1, "sms");
    let mut resolved = delivery(2, "sms");
    resolved.priority = Priority::Critical;
    resolved.after = Some(alert.id.clone());
    run_all(vec![alert, resolved], vec![sink.clone()]).await;
    assert_eq!(sink.provider.texts(), ["alarm 1", "alarm 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_hangs_or_panics_keeps_no_other_waiting() {
    let hangs = Arc::new(FakeSink::new("hangs", &[Answer::Hang, Answer::Take]));
    let panics = Arc::new(FakeSink::new("panics", &[Answer::Panic, Answer::Take]));
    let works = Arc::new(FakeSink::new("works", &[Answer::Take]));
    let rows = vec![
        delivery(1, "hangs"),
        delivery(2, "panics"),
        delivery(3, "works"),
    ];
    let outbox = Arc::new(Outbox::default());
    outbox.keep(rows.clone());
    let sinks: Vec<Arc<dyn Sink>> = vec![hangs.clone(), panics.clone(), works.clone()];
    let all = host(outbox.clone(), sinks, CourierSettings::default(), START);
    tokio::pin!(all);
    assert!(
        tokio::time::timeout(Duration::from_secs(1), &mut all)
            .await
            .is_err()
    );
    assert!(outbox.row(&rows[2].id).state.has_left());
    all.await;
    assert_eq!(hangs.provider.texts(), ["(repeat) alarm 1"]);
    assert_eq!(panics.provider.texts(), ["(repeat) alarm 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_looked_up_and_not_sent_again() {
    let sink = Arc::new(FakeSink {
        can_tell: true,
        ..FakeSink::new("sms", &[Answer::TakeAndLose, Answer::Lose, Answer::Take])
    });
    let rows = vec![delivery(1, "sms"), delivery(2, "sms")];
    let outbox = run_all(rows.clone(), vec![sink.clone()]).await;
    for row in &rows {
        assert!(outbox.row(&row.id).state.has_left());
        assert_eq!(sink.provider.of(&row.id), [row.text.as_str()]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_outbox_delays_sends_and_loses_none() {
    let sink = Arc::new(FakeSink::new("sms", &[Answer::Take]));
    let outbox = Arc::new(Outbox {
        failures: AtomicUsize::new(4),
        ..Outbox::default()
    });
    outbox.keep((0..5).map(|n| delivery(n, "sms")).collect());
    let began = tokio::time::Instant::now();
    host(
        outbox,
        vec![sink.clone()],
        CourierSettings::default(),
        START,
    )
    .await;
    assert_eq!(sink.provider.texts().len(), 5);
    assert!(began.elapsed() >= Duration::from_secs(1 + 2 + 4 + 8));
}

#[tokio::test(start_paused = true)]
async fn a_removed_sink_is_told_and_a_new_one_takes_over_at_once() {
    let outbox = Arc::new(Outbox::default());
    let clock = PausedClock::at(START);
    let (events, mut told) = mpsc::channel(4);
    let settings = CourierSettings::default();
    let (courier, handle) = Courier::new(settings.clone(), outbox, events, clock);
    let stop = CancellationToken::new();
    let test = async {
        let mut cut_off = delivery(2, "gone");
        cut_off.state = DeliveryState::Sending;
        cut_off.attempts = 1;
        handle.apply(Vec::new(), &settings);
        handle.put(vec![delivery(1, "gone"), cut_off]).unwrap();
        let mut outcomes = Vec::new();
        for _ in 0..2 {
            let Some(SinkEvent::Outcome { outcome, .. }) = told.recv().await else {
                panic!("no outcome");
            };
            outcomes.push(outcome);
        }
        for outcome in &outcomes {
            let (Outcome::SinkFailed { why } | Outcome::Unknown { why }) = outcome else {
                panic!("{outcome:?}");
            };
            assert_eq!(why.reason, Reason::SinkRemoved);
        }
        let sink = Arc::new(FakeSink::new("gone", &[Answer::Take]));
        handle.apply(vec![sink.clone()], &settings);
        let mut again = delivery(1, "gone");
        again.attempts = 0;
        handle.put(vec![again]).unwrap();
        assert!(matches!(
            told.recv().await,
            Some(SinkEvent::Outcome {
                outcome: Outcome::Sent { .. },
                attempt: 1,
                ..
            })
        ));
        stop.cancel();
    };
    tokio::join!(courier.run(stop.clone()), test);
}

#[tokio::test(start_paused = true)]
async fn what_is_owed_at_the_start_waits_until_the_sinks_are_known() {
    let outbox = Arc::new(Outbox::default());
    let clock = PausedClock::at(START);
    let (events, mut told) = mpsc::channel(4);
    let settings = CourierSettings::default();
    let (courier, handle) = Courier::new(settings.clone(), outbox, events, clock);
    let sink = Arc::new(FakeSink {
        can_tell: true,
        ..FakeSink::new("sms", &[Answer::Take])
    });
    let mut cut_off = delivery(2, "sms");
    cut_off.state = DeliveryState::Sending;
    cut_off.attempts = 1;
    sink.provider.take(&cut_off);
    handle.put(vec![delivery(1, "sms"), cut_off]).unwrap();
    let stop = CancellationToken::new();
    let test = async {
        tokio::time::sleep(Duration::from_secs(100)).await;
        assert!(told.try_recv().is_err(), "nobody can say yet");
        handle.apply(vec![sink.clone()], &settings);
        for _ in 0..2 {
            let Some(SinkEvent::Outcome { outcome, .. }) = told.recv().await else {
                panic!("no outcome");
            };
            assert!(matches!(outcome, Outcome::Sent { .. }), "{outcome:?}");
        }
        stop.cancel();
    };
    tokio::join!(courier.run(stop.clone()), test);
    // Looked up, not repeated.
    let mut texts = sink.provider.texts();
    texts.sort();
    assert_eq!(texts, ["alarm 1", "alarm 2"]);
}

#[tokio::test(start_paused = true)]
async fn stopping_starts_nothing_and_waits_for_what_is_under_way() {
    let outbox = Arc::new(Outbox::default());
    let clock = PausedClock::at(START);
    let (events, mut told) = mpsc::channel(4);
    let settings = CourierSettings::default();
    let (courier, handle) = Courier::new(settings.clone(), outbox, events, clock);
    let sink = Arc::new(FakeSink {
        window: 1,
        latency: Duration::from_secs(1),
        ..FakeSink::new("sms", &[Answer::Take])
    });
    handle.apply(vec![sink.clone()], &settings);
    handle
        .put((0..3).map(|n| delivery(n, "sms")).collect())
        .unwrap();
    let stop = CancellationToken::new();
    let test = async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        stop.cancel();
    };
    tokio::join!(courier.run(stop.clone()), test);
    assert_eq!(sink.provider.texts(), ["alarm 0"]);
    assert!(told.try_recv().is_ok());
    assert!(told.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn stopping_gives_up_on_a_sink_that_hangs() {
    let outbox = Arc::new(Outbox::default());
    let (events, _told) = mpsc::channel(4);
    let settings = CourierSettings::default();
    let clock = PausedClock::at(START);
    let (courier, handle) = Courier::new(settings.clone(), outbox.clone(), events, clock);
    handle.apply(
        vec![Arc::new(FakeSink::new("sms", &[Answer::Hang]))],
        &settings,
    );
    let row = delivery(1, "sms");
    handle.put(vec![row.clone()]).unwrap();
    let stop = CancellationToken::new();
    let test = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.cancel();
    };
    let began = tokio::time::Instant::now();
    tokio::join!(courier.run(stop.clone()), test);
    assert!(began.elapsed() <= Duration::from_secs(10));
    assert_eq!(outbox.row(&row.id).state, DeliveryState::Sending);
}

#[test]
fn rows_above_the_bound_are_given_back() {
    let (events, _told) = mpsc::channel(1);
    let clock = Arc::new(andon_model::ManualClock::at(START));
    let (_courier, handle) = Courier::new(
        CourierSettings::default(),
        Arc::new(Outbox::default()),
        events,
        clock,
    );
    let limit = u64::try_from(DELIVERIES_MAX).unwrap();
    let rows = (0..limit + 3).map(|n| delivery(n, "sms")).collect();
    let CourierFull(refused) = handle.put(rows).unwrap_err();
    assert_eq!(refused.len(), 3);
    assert_eq!(handle.held(), DELIVERIES_MAX);
    let mut withdrawn = delivery(0, "sms");
    withdrawn.state = DeliveryState::Expired;
    handle.put(vec![withdrawn]).unwrap();
    handle.put(refused[..1].to_vec()).unwrap();
}
