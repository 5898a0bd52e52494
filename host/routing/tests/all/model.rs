//! The desk against a simple model, over random lives of alarms, sends, receipts and restarts.
//!
//! The model is the list of what went over the wire. Whatever happens, at the end:
//! nobody hears of an end before its alert; whoever got the alert hears of the end by one message
//! that left (by two only where a provider first refused and then took it); one channel of a debt is
//! under way at a time; every row ends.

use std::collections::{BTreeMap, BTreeSet};

use andon_model::{
    AlarmRecord, AlarmState, Delivery, DeliveryId, DeliveryKind, DeliveryState, OccurrenceId,
    Reason, ReceiptStatus, Transition,
};
use proptest::prelude::*;

use crate::office::{Office, pump};

#[derive(Debug, Clone)]
enum Step {
    Raise,
    Clear(prop::sample::Index),
    Acknowledge(prop::sample::Index),
    Send(prop::sample::Index),
    Fail(prop::sample::Index, u8),
    Unsettled(prop::sample::Index),
    Receipt(prop::sample::Index, bool),
    Pass(u16),
    /// A send whose channel was given up was taken after all.
    Late(prop::sample::Index),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        2 => Just(Step::Raise),
        2 => index().prop_map(Step::Clear),
        1 => index().prop_map(Step::Acknowledge),
        4 => index().prop_map(Step::Send),
        4 => (index(), 0..4_u8).prop_map(|(i, r)| Step::Fail(i, r)),
        1 => index().prop_map(Step::Unsettled),
        4 => (index(), any::<bool>()).prop_map(|(i, ok)| Step::Receipt(i, ok)),
        2 => (0..900_u16).prop_map(Step::Pass),
        1 => index().prop_map(Step::Late),
        1 => Just(Step::Restart),
    ]
}

struct World {
    office: Office,
    next: u64,
    cleared: BTreeSet<OccurrenceId>,
    /// How often a send was taken after all; one debt may then have left by two channels.
    lates: usize,
}

impl World {
    fn pick(&self, index: &prop::sample::Index) -> Option<AlarmRecord> {
        let all: Vec<&AlarmRecord> = self.office.standing.values().collect();
        (!all.is_empty()).then(|| (*index.get(&all)).clone())
    }

    fn due(&self, index: &prop::sample::Index) -> Option<Delivery> {
        let due = self.office.due();
        (!due.is_empty()).then(|| index.get(&due).clone())
    }

    fn send(&mut self, row: &Delivery) {
        if self.office.now >= row.expires_at {
            let state = DeliveryState::Expired;
            self.office.settle(
                Delivery {
                    state,
                    ..row.clone()
                },
                false,
            );
        } else {
            self.office.sent(row);
        }
    }

    fn late(&mut self, index: &prop::sample::Index) {
        let failed: Vec<Delivery> = self
            .office
            .store
            .values()
            .filter(|row| row.state == DeliveryState::Failed && row.attempts > 0)
            .filter(|row| row.why.reason != Reason::ReceiptFailed)
            .cloned()
            .collect();
        if !failed.is_empty() {
            self.lates += 1;
            self.office.sent(index.get(&failed));
        }
    }

    fn report(&mut self, index: &prop::sample::Index, arrives: bool) {
        let sent: Vec<Delivery> = self
            .office
            .store
            .values()
            .filter(|row| matches!(row.state, DeliveryState::Sent { .. }))
            .cloned()
            .collect();
        if !sent.is_empty() {
            let status = if arrives {
                ReceiptStatus::Delivered
            } else {
                ReceiptStatus::Failed
            };
            self.office.receipt(index.get(&sent), status);
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Raise => {
                self.next += 1;
                self.office.raise(&pump(self.next));
            }
            Step::Clear(index) => {
                if let Some(record) = self.pick(index) {
                    self.cleared.insert(record.occurrence);
                    self.office.clear(&record);
                }
            }
            Step::Acknowledge(index) => {
                if let Some(record) = self.pick(index) {
                    let state = AlarmState::Acknowledged;
                    self.office
                        .event(Transition::Acknowledged, AlarmRecord { state, ..record });
                }
            }
            Step::Send(index) => {
                if let Some(row) = self.due(index) {
                    self.send(&row);
                }
            }
            Step::Fail(index, reason) => {
                if let Some(row) = self.due(index) {
                    let reason = [
                        Reason::RecipientRefused,
                        Reason::ProviderFailed,
                        Reason::ResultUnknown,
                        Reason::Throttled,
                    ][usize::from(*reason)];
                    self.office.fails(&row, reason);
                }
            }
            Step::Unsettled(index) => {
                if let Some(row) = self.due(index) {
                    let row = self.office.sending(&row);
                    let state = DeliveryState::Queued;
                    let repeat = true;
                    self.office.wire.push(row.clone());
                    self.office.settle(
                        Delivery {
                            state,
                            repeat,
                            ..row
                        },
                        false,
                    );
                }
            }
            Step::Receipt(index, arrives) => self.report(index, *arrives),
            Step::Pass(secs) => self.office.pass(u64::from(*secs)),
            Step::Late(index) => self.late(index),
            Step::Restart => self.office.restart(),
        }
        self.office.host.clear();
    }

    fn holds(&self) {
        let mut under_way: BTreeMap<(OccurrenceId, DeliveryKind, &str), usize> = BTreeMap::new();
        for row in self.office.store.values() {
            if row.state.is_owed() {
                *under_way
                    .entry((row.occurrence, row.kind, &row.contact))
                    .or_default() += 1;
            }
        }
        assert!(under_way.values().all(|count| *count == 1), "{under_way:?}");
        let owed = self
            .office
            .store
            .values()
            .filter(|r| r.state.is_owed())
            .count();
        assert_eq!(self.office.desk.figures().owed, owed);
    }

    /// Lets the courier finish: every send is taken and arrives.
    fn drain(&mut self) {
        for _ in 0..10_000 {
            let Some(row) = self.office.due().into_iter().next() else {
                if self.office.store.values().all(|row| !row.state.is_owed()) {
                    return;
                }
                self.office.pass(30);
                continue;
            };
            self.send(&row);
            self.office.host.clear();
        }
        panic!("some row is owed for ever");
    }

    fn judge(&self) {
        let position = |id: &DeliveryId| self.office.wire.iter().position(|row| row.id == *id);
        for occurrence in (1..=self.next).map(OccurrenceId) {
            for contact in ["anna", "bob"] {
                let of = |kind: DeliveryKind| {
                    self.office.store.values().filter(move |row| {
                        row.occurrence == occurrence && row.contact == contact && row.kind == kind
                    })
                };
                let alert_first = of(DeliveryKind::Alert)
                    .filter_map(|r| position(&r.id))
                    .min();
                let end_first = of(DeliveryKind::Resolved)
                    .filter_map(|r| position(&r.id))
                    .min();
                if let Some(end) = end_first {
                    assert!(
                        self.cleared.contains(&occurrence),
                        "told of an end that is none"
                    );
                    let alert = alert_first.expect("told of the end, never of the alarm");
                    assert!(alert < end, "the end overtook its alert");
                }
                let holds = of(DeliveryKind::Alert).any(|row| row.state.has_left());
                let expired =
                    of(DeliveryKind::Resolved).any(|row| row.state == DeliveryState::Expired);
                let refused = of(DeliveryKind::Resolved)
                    .any(|row| row.why.reason == Reason::ChannelsExhausted);
                if self.cleared.contains(&occurrence) && holds && !expired && !refused {
                    let ends = of(DeliveryKind::Resolved)
                        .filter(|r| r.state.has_left())
                        .count();
                    assert!(
                        (1..=1 + self.lates).contains(&ends),
                        "{contact} got the alert and {ends} ends"
                    );
                }
            }
        }
        let left = self
            .office
            .store
            .values()
            .filter(|row| row.state.has_left());
        let mut debts = BTreeSet::new();
        let twice = left
            .filter(|row| !debts.insert((row.occurrence, row.kind, row.contact.clone())))
            .count();
        assert!(twice <= self.lates, "two channels carried one debt");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_told_and_only_the_told_hear_the_end(
        steps in prop::collection::vec(step(), 1..80)
    ) {
        let mut world = World { office: Office::new(), next: 0, cleared: BTreeSet::new(), lates: 0 };
        for step in &steps {
            world.take(step);
            world.holds();
        }
        world.drain();
        world.holds();
        world.judge();
    }

    #[test]
    fn no_message_from_a_phone_can_hurt(from in ".{0,40}", text in ".{0,300}") {
        let mut office = Office::new();
        let message = andon_model::Incoming {
            provider_id: String::new(), from, to: String::new(), text,
        };
        let now = office.now;
        let heard = office.desk.on_incoming("smsc", &message, || OccurrenceId(1), now);
        prop_assert!(heard.request.is_none());
        prop_assert!(heard.decision.deliveries.is_empty());
    }

    #[test]
    fn no_message_of_a_rule_breaks_the_bound(message in ".{0,700}") {
        let mut office = Office::new();
        let rows = office.raise(&AlarmRecord { message, ..pump(7) });
        for row in rows {
            prop_assert!(row.text.chars().count() <= 320);
            prop_assert!(row.text.starts_with("HIGH "));
            prop_assert!(row.text.ends_with("Reply 29 to ack"));
        }
    }
}
