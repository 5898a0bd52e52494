//! What a sink is told of messages that left before it was built.

use andon_model::{
    Channel, DeliveryId, DeliveryKind, ManualClock, OccurrenceId, Priority, Reason, Timestamp, Why,
};
use tokio::sync::mpsc;

use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

fn twilio(poll_interval: &str) -> SinkSettings {
    let text = format!(
        "kind = \"twilio\"\nname = \"twilio\"\naccount_name = \"Plant north\"\n\
         account_sid = \"AC0123456789abcdef0123456789abcdef\"\nauth_token = \"secret\"\n\
         from = \"+4790000099\"\napi_url = \"http://127.0.0.1:9\"\n\
         poll_interval = \"{poll_interval}\"\n"
    );
    toml::from_str(&text).expect("settings parse")
}

fn delivery(number: u64, sink: &str, state: DeliveryState) -> Delivery {
    let channel = Channel {
        sink: sink.into(),
        address: "+4790000001".into(),
    };
    let occurrence = OccurrenceId(number);
    Delivery {
        id: DeliveryId::of(occurrence, DeliveryKind::Alert, 0, "anna", &channel),
        occurrence,
        kind: DeliveryKind::Alert,
        step: 0,
        contact: "anna".into(),
        channels: vec![channel.clone()],
        channel,
        channel_index: 0,
        priority: Priority::High,
        text: "level high".into(),
        code: None,
        created_at: NOW,
        expires_at: NOW,
        state,
        attempts: 1,
        next_at: NOW,
        repeat: false,
        after: None,
        why: Why::new(Reason::ProviderAccepted, ""),
        test: false,
    }
}

fn sent(ids: &[&str]) -> DeliveryState {
    DeliveryState::Sent {
        provider_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
    }
}

fn rack(rows: &[Delivery]) -> SinkRack {
    SinkRack::new(
        awaited(rows),
        Tasks::new(),
        mpsc::channel(8).0,
        Arc::new(ManualClock::at(NOW)),
        CancellationToken::new(),
    )
}

/// Builds and installs; answers what the one sink knows to be on its way.
fn install(rack: &mut SinkRack, settings: &[SinkSettings]) -> Vec<String> {
    let next = rack.prepare(settings).expect("builds");
    let on_their_way = next
        .sinks()
        .iter()
        .flat_map(|sink| sink.awaited())
        .collect();
    rack.install(next);
    on_their_way
}

#[test]
fn only_messages_that_left_are_awaited_each_from_its_own_sink() {
    let rows = [
        delivery(1, "smsc", sent(&["a", "b"])),
        delivery(2, "twilio", sent(&["SM1"])),
        delivery(3, "twilio", DeliveryState::Queued),
        delivery(4, "twilio", DeliveryState::Delivered),
        delivery(5, "smsc", sent(&["c"])),
    ];
    let found = awaited(&rows);
    assert_eq!(found["smsc"], ["a", "b", "c"]);
    assert_eq!(found["twilio"], ["SM1"]);
    assert_eq!(found.len(), 2);
}

#[tokio::test]
async fn a_sink_asks_on_after_a_restart_and_after_its_settings_changed() {
    let rows = [
        delivery(1, "twilio", sent(&["SM1"])),
        delivery(2, "smsc", sent(&["SM2"])),
    ];
    let mut rack = rack(&rows);
    assert_eq!(install(&mut rack, &[twilio("5s")]), ["SM1"]);
    assert_eq!(install(&mut rack, &[twilio("7s")]), ["SM1"]);
}

#[tokio::test]
async fn a_set_that_is_refused_takes_nothing_from_the_next() {
    let mut rack = rack(&[delivery(1, "twilio", sent(&["SM1"]))]);
    drop(rack.prepare(&[twilio("5s")]).expect("builds"));
    assert_eq!(install(&mut rack, &[twilio("5s")]), ["SM1"]);
}

#[tokio::test]
async fn a_sink_that_was_removed_starts_afresh_when_it_comes_back() {
    let mut rack = rack(&[delivery(1, "twilio", sent(&["SM1"]))]);
    install(&mut rack, &[twilio("5s")]);
    assert!(install(&mut rack, &[]).is_empty());
    assert!(install(&mut rack, &[twilio("5s")]).is_empty());
}
