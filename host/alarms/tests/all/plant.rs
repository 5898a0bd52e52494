//! A book with what stands between it and the people, and a store, as short words for the tests.
//!
//! Rule `tanks` reads `tank0.level` to `tank3.level` on `plc` unit 1, `pumps` reads `pump0.flow` on
//! `plc` unit 2 and `pump1.flow` on `far` unit 1. Function `mean` computes `mean.level` from two tanks, which
//! rule `means` reads.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use andon_alarms::{
    AcknowledgementNeed, AlarmBook, AlarmLimits, Conditioning, ConditioningSettings, FloodDigest,
    InstanceDelays, Reach, ResetNeed, Settled, Source, Telling, UnitName, check_conditioning,
    comm_key,
};
use andon_model::{
    Action, AlarmEvent, AlarmId, AlarmRecord, AlarmRequest, AlarmState, BoundInput, BoundOutput,
    InstancePlan, JournalEntry, Labels, Limits, OnDown, Origin, PluginKind, Priority, Quality,
    SampleBatch, StageRow, Tag, TagTable, Timestamp, ValueType,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Comes from a device that does not answer.
pub(crate) const LOST: Quality = Quality::BAD_COMM_FAILURE;

pub(crate) struct Plant {
    pub(crate) book: AlarmBook,
    pub(crate) conditions: Conditioning,
    pub(crate) now: Timestamp,
    settings: ConditioningSettings,
    own: BTreeMap<String, InstanceDelays>,
    tags: TagTable,
    need: AcknowledgementNeed,
    /// What is on the disk.
    stored: BTreeMap<(andon_model::Stage, String), StageRow>,
    /// Every event with how it was told, oldest first.
    pub(crate) said: Vec<(AlarmEvent, Telling)>,
    pub(crate) journal: Vec<JournalEntry>,
    pub(crate) digests: Vec<FloodDigest>,
}

/// Settings from the keys of `[alarms]`.
pub(crate) fn settings(keys: Value) -> ConditioningSettings {
    fn key<T: DeserializeOwned + Default>(keys: &Value, name: &str) -> T {
        keys.get(name).map_or_else(T::default, |value| {
            serde_json::from_value(value.clone()).unwrap()
        })
    }
    let keys = &keys;
    ConditioningSettings {
        conditions: key(keys, "conditions"),
        suppressions: key(keys, "suppressions"),
        groups: key(keys, "groups"),
        comm_loss_inhibits: keys.get("comm_loss_inhibits").is_none_or(|on| on == true),
        chattering: key(keys, "chattering"),
        fleeting: key(keys, "fleeting"),
        stale: key(keys, "stale"),
        flood: key(keys, "flood"),
    }
}

impl Plant {
    pub(crate) fn new(keys: Value) -> Self {
        Self::with_own(keys, BTreeMap::new())
    }

    /// With delays that the files of instances give.
    pub(crate) fn with_own(keys: Value, own: BTreeMap<String, InstanceDelays>) -> Self {
        let mut tags = TagTable::default();
        for name in TAGS.iter().map(|(name, _)| *name).chain(["mean.level"]) {
            tags.put(Tag {
                name: name.into(),
                value_type: ValueType::F64,
                unit: None,
                description: None,
                source: "test".into(),
            });
        }
        let now = Timestamp::from_secs(1_000_000);
        let mut plant = Self {
            book: AlarmBook::restore(Vec::new(), Default::default(), AlarmLimits::default()),
            conditions: Conditioning::restore(&[], now),
            now,
            settings: settings(keys),
            own,
            tags,
            need: AcknowledgementNeed::NotNeeded,
            stored: BTreeMap::new(),
            said: Vec::new(),
            journal: Vec::new(),
            digests: Vec::new(),
        };
        plant.put_in_place();
        plant.see_all_good();
        plant
    }

    /// The same with alarms that wait for a person.
    pub(crate) fn acknowledged(mut self) -> Self {
        self.need = AcknowledgementNeed::Needed;
        self
    }

    fn put_in_place(&mut self) {
        let (plan, findings) = check_conditioning(&self.settings);
        assert_eq!(findings, [], "the settings of the test are fine");
        let plan = plan.unwrap().with_instances(self.own.clone());
        let instances = [
            instance(
                &self.tags,
                "tanks",
                &["tank0.level", "tank1.level", "tank2.level", "tank3.level"],
                &[],
            ),
            instance(&self.tags, "pumps", &["pump0.flow", "pump1.flow"], &[]),
            instance(&self.tags, "means", &["mean.level"], &[]),
            instance(
                &self.tags,
                "mean",
                &["tank0.level", "tank1.level"],
                &["mean.level"],
            ),
        ];
        let device_tags = TAGS.iter().map(|(name, (device, unit))| {
            (
                self.tags.find(name).unwrap(),
                UnitName::from(((*device).into(), *unit)),
            )
        });
        let reach = Reach::new(device_tags, &instances);
        self.conditions
            .replace(plan, reach, &self.tags, &self.book, self.now);
        self.settle(Vec::new());
    }

    fn see_all_good(&mut self) {
        for (name, _) in TAGS {
            self.see(name, 1.0, Quality::GOOD);
        }
    }

    /// Ends the process and starts it on what was stored.
    pub(crate) fn restart(&mut self) {
        let rows: Vec<StageRow> = self.stored.values().cloned().collect();
        let standing = self.book.standing().cloned().collect();
        let last = self.book.last_occurrence();
        self.book = AlarmBook::restore(standing, last, AlarmLimits::default());
        self.conditions = Conditioning::restore(&rows, self.now);
        assert_eq!(self.conditions.next_wake(), None, "asleep");
        self.put_in_place();
    }

    /// A restart after which all tags are read at once.
    pub(crate) fn restart_and_read(&mut self) {
        self.restart();
        self.see_all_good();
    }

    pub(crate) fn rows(&self) -> usize {
        self.stored.len()
    }

    pub(crate) fn see(&mut self, tag: &str, value: f64, quality: Quality) {
        let mut batch = SampleBatch::default();
        batch.push(self.tags.find(tag).unwrap(), value, quality, self.now);
        self.conditions.see(self.now, &batch);
        self.settle(Vec::new());
    }

    pub(crate) fn act(&mut self, instance: &str, actions: Vec<Action>) {
        self.act_labelled(instance, &Labels::new(), actions);
    }

    pub(crate) fn act_labelled(&mut self, instance: &str, labels: &Labels, actions: Vec<Action>) {
        let source = Source {
            instance,
            labels,
            acknowledgement: self.need,
            reset: ResetNeed::NotNeeded,
            origin: Origin::Device,
        };
        let admitted = self
            .conditions
            .admit(self.now, &mut self.book, &source, actions);
        self.journal.extend(admitted.journal);
        let mut events = admitted.events;
        events.extend(self.book.apply(self.now, &source, admitted.actions).events);
        self.settle(events);
    }

    pub(crate) fn raise(&mut self, instance: &str, key: &str) {
        self.raise_at(instance, key, Priority::Medium);
    }

    pub(crate) fn raise_at(&mut self, instance: &str, key: &str, priority: Priority) {
        self.act(instance, vec![Action::Raise(request(key, priority))]);
    }

    pub(crate) fn clear(&mut self, instance: &str, key: &str) {
        self.act(instance, vec![Action::Clear(key.to_owned())]);
    }

    /// The host raises, or clears, its alarm about a unit.
    pub(crate) fn comm(&mut self, device: &str, unit: u8, lost: bool) {
        let key = comm_key(device, unit);
        let action = if lost {
            Action::Raise(request(&key, Priority::High))
        } else {
            Action::Clear(key)
        };
        let applied = self.book.apply(self.now, &Source::host(), vec![action]);
        self.settle(applied.events);
    }

    pub(crate) fn settle(&mut self, events: Vec<AlarmEvent>) {
        let settled = self.conditions.settle(self.now, &mut self.book, events);
        self.take(settled);
    }

    fn take(&mut self, settled: Settled) {
        for row in self.conditions.take_rows() {
            let key = (row.stage, row.key.clone());
            match row.record {
                Some(_) => self.stored.insert(key, row),
                None => self.stored.remove(&key),
            };
        }
        let steps = settled.steps.into_iter();
        self.said
            .extend(steps.map(|step| (step.event, step.telling)));
        self.journal.extend(settled.journal);
        self.digests.extend(settled.digests);
        if !settled.host.is_empty() {
            let applied = self.book.apply(self.now, &Source::host(), settled.host);
            self.settle(applied.events);
        }
    }

    /// Lets time pass, with everything done at its moment.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now.plus(time);
        for _ in 0..100_000 {
            let Some(at) = self.conditions.next_wake().filter(|at| *at <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(at);
            let settled = self.conditions.on_time(self.now, &mut self.book);
            self.take(settled);
        }
        panic!("something is due again and again at {}", self.now);
    }

    pub(crate) fn pass_secs(&mut self, secs: u64) {
        self.pass(Duration::from_secs(secs));
    }

    pub(crate) fn get(&self, instance: &str, key: &str) -> Option<&AlarmRecord> {
        self.book.get(&AlarmId::new(instance, key))
    }

    pub(crate) fn is_active(&self, instance: &str, key: &str) -> bool {
        self.get(instance, key)
            .is_some_and(|record| record.state.is_active())
    }

    /// By what an alarm is suppressed.
    pub(crate) fn suppressed_by(&self, instance: &str, key: &str) -> Option<String> {
        let record = self.get(instance, key)?;
        record.flags.suppressed.as_ref().map(|one| one.by.clone())
    }

    /// Conditions that people were told of one by one, each as often as it was, oldest first.
    pub(crate) fn told(&self) -> Vec<String> {
        use andon_model::Transition as T;
        let calls = |event: &AlarmEvent| {
            let begins = matches!(event.transition, T::Raised | T::Unsuppressed);
            event.transition == T::Notified || (begins && event.record.is_annunciated())
        };
        let told = self.said.iter();
        told.filter(|(event, telling)| match telling {
            Telling::Now => calls(event),
            Telling::InDigest => false,
            Telling::AfterAll => true,
        })
        .map(|(event, _)| event.record.id.to_string())
        .collect()
    }

    /// Standing alarms that are suppressed.
    pub(crate) fn suppressed(&self) -> BTreeSet<String> {
        let standing = self.book.standing();
        standing
            .filter(|record| record.flags.suppressed.is_some())
            .map(|record| record.id.to_string())
            .collect()
    }

    /// The events since the last call, as `word INSTANCE/KEY`.
    pub(crate) fn news(&mut self) -> Vec<String> {
        let said = std::mem::take(&mut self.said).into_iter();
        said.map(|(event, _)| format!("{} {}", event.transition.word(), event.record.id))
            .collect()
    }

    pub(crate) fn state(&self, instance: &str, key: &str) -> AlarmState {
        self.get(instance, key)
            .map_or(AlarmState::Normal, |record| record.state)
    }
}

const TAGS: [(&str, (&str, u8)); 6] = [
    ("tank0.level", ("plc", 1)),
    ("tank1.level", ("plc", 1)),
    ("tank2.level", ("plc", 1)),
    ("tank3.level", ("plc", 1)),
    ("pump0.flow", ("plc", 2)),
    ("pump1.flow", ("far", 1)),
];

fn instance(tags: &TagTable, name: &str, inputs: &[&str], outputs: &[&str]) -> InstancePlan {
    let input = |tag: &&str| BoundInput {
        port: "inputs".into(),
        tag: tags.find(tag).unwrap(),
        tag_name: (*tag).into(),
        unit: None,
        value_type: ValueType::F64,
    };
    let output = |tag: &&str| BoundOutput {
        port: "output".into(),
        tag: tags.find(tag).unwrap(),
        tag_name: (*tag).into(),
    };
    InstancePlan {
        name: name.into(),
        component: "test.wasm".into(),
        kind: if outputs.is_empty() {
            PluginKind::Rule
        } else {
            PluginKind::Function
        },
        inputs: inputs.iter().map(input).collect(),
        outputs: outputs.iter().map(output).collect(),
        parameters: Value::Null,
        labels: Labels::new(),
        limits: Limits::default(),
        on_down: OnDown::Keep,
        needs_acknowledgement: true,
        latching: false,
    }
}

pub(crate) fn request(key: &str, priority: Priority) -> AlarmRequest {
    AlarmRequest {
        key: key.to_owned(),
        priority,
        message: format!("{key} is wrong"),
        attributes: Vec::new(),
    }
}
