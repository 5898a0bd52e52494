//! The sink under test as the app runs it, with a clock and somebody who hears its events.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use andon_model::{
    Channel, Clock, Delivery, DeliveryId, DeliveryKind, DeliveryState, Incoming, OccurrenceId,
    Outcome, Priority, Reason, Receipt, SinkEvent, Timestamp, Why,
};
use andon_sinks::Sink;
use andon_sinks::smpp::{SmppSettings, build};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::smsc::soon;

/// Stands still: everything that waits in the sink waits on the runtime's timers.
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_000_000)
    }
}

/// Settings with short times, and whatever a test adds to them.
pub(crate) fn settings(address: &str, more: &str) -> SmppSettings {
    let mut table: BTreeMap<String, toml::Value> = toml::from_str(
        r#"
        name = "sms"
        system_id = "andon"
        password = "secret"
        source = "Andon"
        throughput = 10000
        reconnect_delay = "20ms"
        "#,
    )
    .expect("settings");
    table.insert(
        "address".to_owned(),
        toml::Value::String(address.to_owned()),
    );
    let more: BTreeMap<String, toml::Value> = toml::from_str(more).expect("settings");
    table.extend(more);
    toml::from_str(&toml::to_string(&table).expect("TOML")).expect("settings")
}

/// A running sink.
pub(crate) struct Plant {
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) events: mpsc::Receiver<SinkEvent>,
    pub(crate) stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Plant {
    pub(crate) fn start(settings: &SmppSettings) -> Self {
        Self::with_room_for(settings, 100)
    }

    /// With room for so many events.
    pub(crate) fn with_room_for(settings: &SmppSettings, events: usize) -> Self {
        let sink = build(settings, Arc::new(Still)).expect("good settings");
        let (sender, events) = mpsc::channel(events);
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::clone(&sink).run(sender, stop.clone()));
        Self {
            sink,
            events,
            stop,
            tasks,
        }
    }

    /// The next event.
    pub(crate) async fn event(&mut self) -> SinkEvent {
        soon("an event", self.events.recv())
            .await
            .expect("the sink runs")
    }

    /// Waits until the sink says that it is up.
    pub(crate) async fn up(&mut self) {
        let event = self.event().await;
        assert!(
            matches!(event, SinkEvent::State { up: true, .. }),
            "{event:?}"
        );
    }

    /// Waits until the sink says that it is down; why.
    pub(crate) async fn down(&mut self) -> Why {
        match self.event().await {
            SinkEvent::State { up: false, why, .. } => why,
            other => panic!("expected the sink to go down, not {other:?}"),
        }
    }

    pub(crate) async fn receipt(&mut self) -> Receipt {
        match self.event().await {
            SinkEvent::Receipt { receipt, .. } => receipt,
            other => panic!("expected a receipt, not {other:?}"),
        }
    }

    pub(crate) async fn incoming(&mut self) -> Incoming {
        match self.event().await {
            SinkEvent::Incoming { message, .. } => message,
            other => panic!("expected a message, not {other:?}"),
        }
    }

    /// Sends in the background; the outcome comes by the handle.
    pub(crate) fn send(&mut self, text: &str) -> tokio::sync::oneshot::Receiver<Outcome> {
        self.send_to("+4790000001", text)
    }

    pub(crate) fn send_to(
        &mut self,
        address: &str,
        text: &str,
    ) -> tokio::sync::oneshot::Receiver<Outcome> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let sink = Arc::clone(&self.sink);
        let delivery = delivery(address, text);
        self.tasks.spawn(async move {
            let outcome = sink.send(&delivery).await;
            drop(sender.send(outcome));
        });
        receiver
    }

    /// Stops the sink and waits for its end.
    pub(crate) async fn stopped(mut self) {
        self.stop.cancel();
        soon("the sink's end", async {
            while self.tasks.join_next().await.is_some() {}
        })
        .await;
    }
}

/// The outcome of a send.
pub(crate) async fn outcome(waiting: tokio::sync::oneshot::Receiver<Outcome>) -> Outcome {
    soon("an outcome", waiting).await.expect("an outcome")
}

pub(crate) fn sent(ids: &[&str]) -> Outcome {
    Outcome::Sent {
        provider_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
    }
}

fn delivery(address: &str, text: &str) -> Delivery {
    let channel = Channel {
        sink: "sms".to_owned(),
        address: address.to_owned(),
    };
    let occurrence = OccurrenceId(1);
    let now = Still.now();
    Delivery {
        id: DeliveryId::of(occurrence, DeliveryKind::Alert, 0, "Kari", &channel),
        occurrence,
        kind: DeliveryKind::Alert,
        step: 0,
        contact: "Kari".to_owned(),
        channel: channel.clone(),
        channel_index: 0,
        channels: vec![channel],
        priority: Priority::High,
        text: text.to_owned(),
        code: None,
        created_at: now,
        expires_at: now.plus(Duration::from_secs(600)),
        state: DeliveryState::Queued,
        attempts: 1,
        next_at: now,
        repeat: false,
        after: None,
        why: Why::new(Reason::FirstRaise, ""),
        test: false,
    }
}
