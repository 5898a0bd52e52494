//! A desk with a store and a courier made of plain maps, and the plant's people.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use andon_model::{
    Acknowledgement, Action, AlarmEvent, AlarmFlags, AlarmId, AlarmRecord, AlarmState, Delivery,
    DeliveryId, DeliveryState, JournalEntry, Labels, OccurrenceId, Priority, Reason, Receipt,
    ReceiptStatus, ShortCode, StageRow, Taken, Timestamp, Transition, Why,
};
use andon_routing::{AddressForm, Decision, Desk, KnownSink, PeopleSettings, RoutingPlan, check};

pub(crate) const PEOPLE: &str = r#"
[[contacts]]
name = "anna"
display_name = "Anna Berg"
phone = "+4790000001"
channels = ["smsc", "twilio"]

[[contacts]]
name = "bob"
phone = "+4790000002"
channels = ["smsc", "twilio"]

[[contacts]]
name = "chief"
phone = "+4790000003"
channels = ["twilio"]

[[groups]]
name = "crew"
members = ["anna", "bob"]

[[routes]]
name = "pumps"
labels = { area = "pumps" }
to = ["crew", "anna"]

[[routes]]
name = "quiet"
labels = { area = "quiet" }
to = ["bob"]
resolved = false

[[routes]]
name = "tanks"
labels = { instance = "tank*" }
priority = "high"
to = ["anna"]
continue = true

[[routes]]
name = "tanks-too"
labels = { instance = "tank*" }
to = ["chief", "anna"]
channels = ["twilio"]

[routing]
fallback = ["chief"]
"#;

pub(crate) fn sinks() -> Vec<KnownSink> {
    ["smsc", "twilio"]
        .map(|name| KnownSink {
            name: name.to_owned(),
            address: AddressForm::Phone,
        })
        .to_vec()
}

pub(crate) fn plan(text: &str) -> Arc<RoutingPlan> {
    let settings: PeopleSettings = toml::from_str(text).expect("settings parse");
    let (plan, findings) = check(&settings, &sinks());
    Arc::new(plan.unwrap_or_else(|| panic!("refused: {findings:?}")))
}

pub(crate) fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_700_000_000 + secs)
}

/// An alarm of the pumps: anna and bob are told.
pub(crate) fn pump(occurrence: u64) -> AlarmRecord {
    AlarmRecord {
        id: AlarmId::new("pump1-limits", format!("pump1.pressure.{occurrence}")),
        occurrence: OccurrenceId(occurrence),
        code: ShortCode::from_number(occurrence, 2),
        state: AlarmState::Unacknowledged,
        priority: Priority::High,
        message: "Pump 1 pressure 9.2 bar above 9 bar".to_owned(),
        labels: Labels::from([("area".to_owned(), "pumps".to_owned())]),
        raised_at: at(0),
        changed_at: at(0),
        cleared_at: None,
        acknowledged: None,
        raises: 1,
        test: false,
        flags: AlarmFlags::default(),
    }
}

pub(crate) struct Office {
    pub(crate) desk: Desk,
    pub(crate) store: BTreeMap<DeliveryId, Delivery>,
    pub(crate) journal: Vec<JournalEntry>,
    pub(crate) host: Vec<Action>,
    pub(crate) rows: BTreeMap<String, StageRow>,
    /// Wire sends that a provider took or may have taken, in order.
    pub(crate) wire: Vec<Delivery>,
    pub(crate) standing: BTreeMap<OccurrenceId, AlarmRecord>,
    pub(crate) now: Timestamp,
    pub(crate) next_provider_id: u64,
}

impl Office {
    pub(crate) fn new() -> Self {
        Self::with(PEOPLE)
    }

    pub(crate) fn with(people: &str) -> Self {
        let (desk, decision) = Desk::restore(plan(people), Vec::new(), &[], &[], at(0));
        assert!(decision.is_empty());
        Self {
            desk,
            store: BTreeMap::new(),
            journal: Vec::new(),
            host: Vec::new(),
            rows: BTreeMap::new(),
            wire: Vec::new(),
            standing: BTreeMap::new(),
            now: at(0),
            next_provider_id: 0,
        }
    }

    pub(crate) fn pass(&mut self, secs: u64) {
        self.now = self.now.plus(Duration::from_secs(secs));
    }

    /// Commits a decision and hands its rows back.
    pub(crate) fn commit(&mut self, decision: Decision) -> Vec<Delivery> {
        for row in &decision.deliveries {
            assert_eq!(
                self.desk.delivery(&row.id),
                Some(row),
                "ledger and row agree"
            );
            self.store.insert(row.id.clone(), row.clone());
        }
        self.journal.extend(decision.journal);
        self.host.extend(decision.host);
        for row in decision.rows {
            match row.record {
                Some(_) => self.rows.insert(row.key.clone(), row),
                None => self.rows.remove(&row.key),
            };
        }
        decision.deliveries
    }

    /// Lets time pass and the desk do what is due then, as the engine would: at each moment for
    /// which it asks.
    pub(crate) fn wait(&mut self, secs: u64) -> Vec<Delivery> {
        let end = self.now.plus(Duration::from_secs(secs));
        let mut rows = Vec::new();
        while let Some(at) = self.desk.next_wake().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            rows.extend(self.on_time());
            let next = self.desk.next_wake();
            assert!(
                next.is_none_or(|next| next > self.now),
                "nothing due is left"
            );
        }
        self.now = end;
        rows
    }

    pub(crate) fn on_time(&mut self) -> Vec<Delivery> {
        let decision = self.desk.on_time(self.now);
        self.commit(decision)
    }

    pub(crate) fn event(
        &mut self,
        transition: Transition,
        mut record: AlarmRecord,
    ) -> Vec<Delivery> {
        record.changed_at = self.now;
        if transition == Transition::Cleared {
            record.cleared_at = Some(self.now);
        }
        if record.state == AlarmState::Normal {
            self.standing.remove(&record.occurrence);
        } else {
            self.standing.insert(record.occurrence, record.clone());
        }
        let event = AlarmEvent {
            transition,
            record,
            at: self.now,
            why: Why::new(Reason::FirstRaise, ""),
        };
        let decision = self.desk.on_alarm(&event, self.now);
        self.commit(decision)
    }

    pub(crate) fn raise(&mut self, record: &AlarmRecord) -> Vec<Delivery> {
        self.event(Transition::Raised, record.clone())
    }

    pub(crate) fn clear(&mut self, record: &AlarmRecord) -> Vec<Delivery> {
        let record = AlarmRecord {
            state: AlarmState::Normal,
            ..record.clone()
        };
        self.event(Transition::Cleared, record)
    }

    pub(crate) fn acknowledgement(&self, by: &str) -> Acknowledgement {
        Acknowledgement {
            by: by.to_owned(),
            at: self.now,
            how: "sms".to_owned(),
        }
    }

    pub(crate) fn taken(&self, by: &str) -> Taken {
        Taken {
            by: by.to_owned(),
            at: self.now,
            how: "sms".to_owned(),
        }
    }

    pub(crate) fn take(&mut self, record: &AlarmRecord, by: &str) -> Vec<Delivery> {
        let mut record = record.clone();
        record.flags.taken = Some(self.taken(by));
        self.event(Transition::Taken, record)
    }

    /// The row of this contact and channel among the rows in the store that are queued and due.
    pub(crate) fn due(&self) -> Vec<Delivery> {
        self.store
            .values()
            .filter(|row| row.state == DeliveryState::Queued && row.after.is_none())
            .filter(|row| row.next_at <= self.now)
            .cloned()
            .collect()
    }

    pub(crate) fn settle(&mut self, row: Delivery, failover: bool) -> Vec<Delivery> {
        let decision = self.desk.on_settled(row, failover, self.now);
        self.commit(decision)
    }

    pub(crate) fn sending(&mut self, row: &Delivery) -> Delivery {
        let row = Delivery {
            state: DeliveryState::Sending,
            attempts: row.attempts + 1,
            ..row.clone()
        };
        self.settle(row.clone(), false);
        row
    }

    /// The provider takes it; answers the row.
    pub(crate) fn sent(&mut self, row: &Delivery) -> Delivery {
        let row = self.sending(row);
        self.next_provider_id += 1;
        let row = Delivery {
            state: DeliveryState::Sent {
                provider_ids: vec![format!("p{}", self.next_provider_id)],
            },
            why: Why::new(Reason::ProviderAccepted, "taken"),
            ..row
        };
        self.wire.push(row.clone());
        self.settle(row.clone(), false);
        row
    }

    /// The channel is given up for this reason.
    pub(crate) fn fails(&mut self, row: &Delivery, reason: Reason) -> Vec<Delivery> {
        let row = self.sending(row);
        let row = Delivery {
            state: DeliveryState::Failed,
            why: Why::new(reason, reason.code()),
            repeat: row.repeat || reason == Reason::ResultUnknown,
            ..row
        };
        if row.repeat {
            self.wire.push(row.clone());
        }
        self.settle(row, true)
    }

    pub(crate) fn receipt(&mut self, row: &Delivery, status: ReceiptStatus) -> Vec<Delivery> {
        let DeliveryState::Sent { provider_ids } = &row.state else {
            panic!("only a sent row has a receipt")
        };
        let receipt = Receipt {
            provider_id: provider_ids[0].clone(),
            status,
            detail: "stat".to_owned(),
        };
        let decision = self.desk.on_receipt(&row.channel.sink, &receipt, self.now);
        self.commit(decision)
    }

    /// Stops and starts again from what was committed.
    pub(crate) fn restart(&mut self) {
        let standing: Vec<AlarmRecord> = self.standing.values().cloned().collect();
        let rows = self.store.values().cloned().collect();
        let plan = Arc::clone(self.desk.plan());
        let stored: Vec<StageRow> = self.rows.values().cloned().collect();
        let (desk, decision) = Desk::restore(plan, rows, &standing, &stored, self.now);
        self.desk = desk;
        self.commit(decision);
    }

    /// Raises what the desk asked the host to raise, once a key, and answers the rows.
    pub(crate) fn host_alarms(&mut self, first_occurrence: u64) -> Vec<Delivery> {
        let mut seen = BTreeSet::new();
        let mut rows = Vec::new();
        for (offset, action) in std::mem::take(&mut self.host).into_iter().enumerate() {
            let Action::Raise(request) = action else {
                continue;
            };
            if !seen.insert(request.key.clone()) {
                continue;
            }
            let record = AlarmRecord {
                id: AlarmId::new(AlarmId::HOST, request.key),
                message: request.message,
                priority: request.priority,
                labels: request.attributes.into_iter().collect(),
                ..pump(first_occurrence + offset as u64)
            };
            rows.extend(self.raise(&record));
        }
        rows
    }

    pub(crate) fn reasons(&self) -> Vec<Reason> {
        self.journal.iter().map(|line| line.why.reason).collect()
    }
}

pub(crate) fn contacts(rows: &[Delivery]) -> Vec<(&str, &str)> {
    rows.iter()
        .map(|row| (row.contact.as_str(), row.channel.sink.as_str()))
        .collect()
}
