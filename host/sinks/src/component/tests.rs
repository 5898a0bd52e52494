//! The sink with components that a test plays, and its outlet against sockets of our own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use andon_model::{
    CallError, CallErrorKind, Channel, Component, Delivered, Delivery, DeliveryId, DeliveryKind,
    DeliveryState, Description, DurationText, HttpClient, HttpError, HttpRequest, ManualClock,
    Notification, OccurrenceId, Outcome, PluginKind, Priority, Reason, Secret, Setback, Setup,
    SinkEvent, SinkGuest, SinkSetup, Started, Timestamp, Why,
};
use async_trait::async_trait;
use serde_json::{Map, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{LookUp, Sink};

mod outlet;

const NOW: Timestamp = Timestamp::from_secs(1_795_435_200);
const TOKEN: &str = "tk_that_nobody_may_see";

fn settings(host: &str) -> ComponentSettings {
    ComponentSettings {
        name: "push".to_owned(),
        component: "push.wasm".to_owned(),
        addresses: Addresses::Own,
        hosts: vec![host.to_owned()],
        plain_http: PlainHttp::Loopback,
        headers: vec![HeaderSettings {
            host: None,
            name: "Authorization".to_owned(),
            prefix: Some("Bearer ".to_owned()),
            value: Secret::new(TOKEN),
        }],
        parameters: Map::new(),
        ca_file: None,
        call_time: DurationText::from_secs(5),
        compute_time: DurationText::from_secs(1),
        memory_mib: 16,
        window: 2,
    }
}

fn delivery(address: &str, text: &str) -> Delivery {
    let channel = Channel {
        sink: "push".to_owned(),
        address: address.to_owned(),
    };
    let occurrence = OccurrenceId(7);
    Delivery {
        id: DeliveryId::of(occurrence, DeliveryKind::Alert, 0, "ann", &channel),
        occurrence,
        kind: DeliveryKind::Alert,
        step: 0,
        contact: "ann".to_owned(),
        channels: vec![channel.clone()],
        channel,
        channel_index: 0,
        priority: Priority::High,
        text: text.to_owned(),
        code: None,
        created_at: NOW,
        expires_at: NOW.plus(Duration::from_secs(3600)),
        state: DeliveryState::Sending,
        attempts: 1,
        next_at: NOW,
        repeat: false,
        after: None,
        why: Why::new(Reason::RouteMatched, ""),
        test: false,
    }
}

/// What a played guest does with a message: decided by its text.
struct Played {
    hash: String,
    kind: PluginKind,
    description: Description,
    starts: Arc<AtomicU32>,
    configure: Result<(), CallError>,
}

impl Played {
    fn version(hash: &str) -> Self {
        Self {
            hash: hash.to_owned(),
            kind: PluginKind::Sink,
            description: serde_json::from_value(json!({"name": "push", "version": hash})).unwrap(),
            starts: Arc::default(),
            configure: Ok(()),
        }
    }

    fn declining(hash: &str) -> Self {
        let error = CallError::new(CallErrorKind::Declined, "`configure` declined: no topic");
        Self {
            configure: Err(error),
            ..Self::version(hash)
        }
    }
}

#[async_trait]
impl Component for Played {
    fn kind(&self) -> PluginKind {
        self.kind
    }

    fn description(&self) -> &Description {
        &self.description
    }

    fn hash(&self) -> &str {
        &self.hash
    }

    fn contract_version(&self) -> &str {
        "0.1.0"
    }

    fn imports(&self) -> &[String] {
        &[]
    }

    async fn start(&self, _setup: Setup) -> Result<Started, CallError> {
        panic!("a sink is not started as a rule")
    }

    async fn open_sink(&self, setup: SinkSetup) -> Result<Box<dyn SinkGuest>, CallError> {
        self.starts.fetch_add(1, Ordering::Relaxed);
        self.configure.clone()?;
        let guest = PlayedGuest {
            hash: self.hash.clone(),
            http: setup.http,
        };
        Ok(Box::new(guest))
    }
}

struct PlayedGuest {
    hash: String,
    http: Arc<dyn HttpClient>,
}

fn post(url: &str) -> HttpRequest {
    HttpRequest {
        method: "POST".to_owned(),
        url: url.to_owned(),
        headers: Vec::new(),
        body: b"hello".to_vec(),
        time_max: None,
    }
}

#[async_trait]
impl SinkGuest for PlayedGuest {
    async fn deliver(
        &mut self,
        _now: Timestamp,
        notification: &Notification,
    ) -> Result<Delivered, CallError> {
        let not = |setback| {
            Ok(Delivered::Not {
                setback,
                message: "so it is".to_owned(),
            })
        };
        let words: Vec<&str> = notification.text.split(' ').collect();
        match words.as_slice() {
            ["retry"] => not(Setback::Retry),
            ["throttled"] => not(Setback::Throttled(Some(Duration::from_secs(9)))),
            ["message"] => not(Setback::Message),
            ["address"] => not(Setback::Address),
            ["account"] => not(Setback::Account),
            ["unknown"] => not(Setback::Unknown),
            ["trap"] => Err(CallError::new(CallErrorKind::Trap, "it trapped")),
            ["send", "trap", url] => {
                self.http.send(post(url)).await.ok();
                Err(CallError::new(CallErrorKind::Trap, "it trapped"))
            }
            ["denied", url] => match self.http.send(post(url)).await {
                Err(HttpError::Denied(_)) => not(Setback::Account),
                other => panic!("it was not denied: {other:?}"),
            },
            _ => Ok(Delivered::Taken {
                id: Some(format!("{} {}", self.hash, notification.address)),
            }),
        }
    }

    fn memory_bytes(&self) -> usize {
        1 << 16
    }
}

fn sink(clock: &Arc<ManualClock>) -> Arc<ComponentSink> {
    let clock: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
    Arc::new(ComponentSink::new(&settings("127.0.0.1:9"), clock).unwrap())
}

async fn sink_with(component: Played) -> Arc<ComponentSink> {
    let sink = sink(&Arc::new(ManualClock::at(NOW)));
    sink.adopt(Arc::new(component)).await.unwrap();
    sink
}

fn reason(outcome: &Outcome) -> (&'static str, Reason, String) {
    match outcome {
        Outcome::Sent { .. } => panic!("it was sent"),
        Outcome::Retry { why, .. } => ("retry", why.reason, why.detail.clone()),
        Outcome::Dead { why } => ("dead", why.reason, why.detail.clone()),
        Outcome::SinkFailed { why } => ("sink failed", why.reason, why.detail.clone()),
        Outcome::Expired { why } => ("expired", why.reason, why.detail.clone()),
        Outcome::Unknown { why } => ("unknown", why.reason, why.detail.clone()),
    }
}

fn sent_as(outcome: Outcome) -> String {
    let Outcome::Sent { provider_ids } = outcome else {
        panic!("it was not sent: {outcome:?}");
    };
    provider_ids.join(",")
}

#[tokio::test]
async fn what_the_component_answers_decides_the_outcome() {
    let sink = sink_with(Played::version("one")).await;
    assert_eq!(
        sent_as(sink.send(&delivery("topic", "hello")).await),
        "one topic"
    );
    for (text, word, code) in [
        ("retry", "retry", Reason::ProviderFailed),
        ("throttled", "retry", Reason::Throttled),
        ("message", "dead", Reason::MessageRefused),
        ("address", "dead", Reason::RecipientRefused),
        ("account", "sink failed", Reason::SinkMisconfigured),
        ("unknown", "unknown", Reason::ResultUnknown),
    ] {
        let outcome = sink.send(&delivery("topic", text)).await;
        let detail = "push: so it is".to_owned();
        assert_eq!(reason(&outcome), (word, code, detail), "{text}");
        if text == "throttled" {
            assert!(matches!(outcome, Outcome::Retry { after: Some(wait), .. }
                if wait == Duration::from_secs(9)));
        }
    }
    assert_eq!(sink.look_up(&delivery("a", "b")).await, LookUp::CannotTell);
}

#[tokio::test]
async fn a_repeat_is_marked_in_the_text_that_the_component_sees() {
    let row = Delivery {
        repeat: true,
        ..delivery("topic", "tank high")
    };
    let seen = notification(&row);
    assert_eq!(seen.text, "(repeat) tank high");
    assert_eq!(seen.address, "topic");
    assert_eq!(seen.id, row.id.to_string());
}

#[tokio::test]
async fn an_instance_is_used_again_and_made_anew_after_a_trap() {
    let component = Played::version("one");
    let starts = Arc::clone(&component.starts);
    let sink = sink_with(component).await;
    for _ in 0..3 {
        sink.send(&delivery("topic", "hello")).await;
    }
    assert_eq!(starts.load(Ordering::Relaxed), 1);
    let outcome = sink.send(&delivery("topic", "trap")).await;
    let (word, code, _) = reason(&outcome);
    // Nothing left, so it surely was not taken.
    assert_eq!((word, code), ("retry", Reason::PluginStrike));
    sent_as(sink.send(&delivery("topic", "hello")).await);
    assert_eq!(starts.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_component_that_traps_again_and_again_rests_and_then_is_tried() {
    let clock = Arc::new(ManualClock::at(NOW));
    let sink = sink(&clock);
    sink.adopt(Arc::new(Played::version("one"))).await.unwrap();
    for _ in 0..3 {
        sink.send(&delivery("topic", "trap")).await;
    }
    let (word, code, _) = reason(&sink.send(&delivery("topic", "hello")).await);
    assert_eq!((word, code), ("sink failed", Reason::PluginQuarantined));
    clock.advance(Duration::from_secs(30));
    sent_as(sink.send(&delivery("topic", "hello")).await);
    // A new component is not punished for the old one.
    for _ in 0..3 {
        sink.send(&delivery("topic", "trap")).await;
    }
    sink.adopt(Arc::new(Played::version("two"))).await.unwrap();
    assert_eq!(
        sent_as(sink.send(&delivery("topic", "hello")).await),
        "two topic"
    );
}

#[tokio::test]
async fn a_new_component_that_declines_changes_nothing() {
    let sink = sink_with(Played::version("one")).await;
    let says = sink.adopt(Arc::new(Played::declining("two"))).await;
    assert_eq!(says, Err("`configure` declined: no topic".to_owned()));
    let rule = Played {
        kind: PluginKind::Rule,
        ..Played::version("three")
    };
    let says = sink.adopt(Arc::new(rule)).await.unwrap_err();
    assert!(says.contains("a rule, not a sink"), "{says}");
    assert_eq!(
        sent_as(sink.send(&delivery("topic", "hello")).await),
        "one topic"
    );
    assert_eq!(sink.hash().as_deref(), Some("one"));
}

#[tokio::test]
async fn instances_of_an_earlier_component_are_used_no_more() {
    let sink = sink_with(Played::version("one")).await;
    sink.send(&delivery("topic", "hello")).await;
    sink.adopt(Arc::new(Played::version("two"))).await.unwrap();
    for _ in 0..4 {
        assert_eq!(
            sent_as(sink.send(&delivery("topic", "hello")).await),
            "two topic"
        );
    }
    sink.go_without("its file is gone");
    let (word, code, says) = reason(&sink.send(&delivery("topic", "hello")).await);
    assert_eq!((word, code), ("sink failed", Reason::SinkMisconfigured));
    assert_eq!(says, "push: its file is gone");
    assert_eq!(sink.memory_bytes(), 0);
    sink.adopt(Arc::new(Played::version("one"))).await.unwrap();
    sent_as(sink.send(&delivery("topic", "hello")).await);
}

#[tokio::test(start_paused = true)]
async fn a_message_waits_for_a_component_that_is_still_being_loaded() {
    let late = sink(&Arc::new(ManualClock::at(NOW)));
    let sink = sink(&Arc::new(ManualClock::at(NOW)));
    let row = delivery("topic", "hello");
    let (outcome, ()) = tokio::join!(sink.send(&row), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        sink.adopt(Arc::new(Played::version("one"))).await.unwrap();
    });
    assert_eq!(sent_as(outcome), "one topic");
    let (word, code, _) = reason(&late.send(&row).await);
    assert_eq!((word, code), ("retry", Reason::RetryLater));
}

#[tokio::test]
async fn up_and_down_are_told_once_each() {
    let sink = sink_with(Played::version("one")).await;
    let (events, mut told) = mpsc::channel(10);
    let stop = CancellationToken::new();
    let mut next = async || match told.recv().await {
        Some(SinkEvent::State { up, why, .. }) => (up, why.detail),
        other => panic!("another event: {other:?}"),
    };
    let script = async {
        assert_eq!(
            next().await,
            (true, "push: its component is loaded and answers".to_owned())
        );
        sink.send(&delivery("topic", "account")).await;
        assert_eq!(next().await, (false, "push: so it is".to_owned()));
        sink.send(&delivery("topic", "hello")).await;
        assert!(next().await.0);
        stop.cancel();
    };
    let running = Arc::clone(&sink).run(events, stop.clone());
    tokio::join!(running, script);
}

fn findings(change: impl FnOnce(&mut ComponentSettings)) -> Vec<String> {
    let mut changed = settings("ntfy.sh");
    change(&mut changed);
    let found = check(&changed, "/0");
    found.into_iter().map(|one| one.path).collect()
}

#[test]
fn settings_that_cannot_be_are_told_by_their_place() {
    assert_eq!(findings(|_| ()), [""; 0]);
    assert_eq!(
        findings(|s| s.component = "../ntfy.wasm".into()),
        ["/0/component"]
    );
    assert_eq!(findings(|s| s.component = "ntfy".into()), ["/0/component"]);
    assert_eq!(findings(|s| s.hosts.clear()), ["/0/hosts"]);
    assert_eq!(
        findings(|s| s.hosts = vec!["https://a.b/".into()]),
        ["/0/hosts/0"]
    );
    assert_eq!(
        findings(|s| s.hosts.push("b.example".into())),
        ["/0/headers/0"]
    );
    assert_eq!(
        findings(|s| s.headers[0].host = Some("c.example".into())),
        ["/0/headers/0/host"]
    );
    assert_eq!(
        findings(|s| s.headers[0].name = "Host".into()),
        ["/0/headers/0/name"]
    );
    assert_eq!(
        findings(|s| s.headers[0].value = Secret::new("a\nb")),
        ["/0/headers/0/value"]
    );
    assert_eq!(
        findings(|s| s.call_time = DurationText::from_secs(61)),
        ["/0/call_time"]
    );
    assert_eq!(findings(|s| s.window = 0), ["/0/window"]);
    assert_eq!(
        findings(|s| s.plain_http = PlainHttp::Allowed),
        ["/0/plain_http"]
    );
}
