//! A test stand: a reader of devices, and PLCs that misbehave on demand, in memory on stopped time.

#![allow(dead_code, reason = "each test binary uses its part of the stand")]
#![allow(unreachable_pub, reason = "the stand is a module of each test binary")]

pub mod plc;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use andon_model::{Clock, Finding, Quality, SampleBatch, TagTable, Timestamp};
use andon_tags::modbus::Dial;
use andon_tags::{
    DeviceEvent, DeviceSettings, Link, PollClassSettings, ReadPlan, Statistics, Surroundings,
    TagSettings, TagsPlan, UnitSnapshot, check, run,
};
use serde::Deserialize;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

/// The part of the settings that this crate knows.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    #[serde(default)]
    pub devices: Vec<DeviceSettings>,
    #[serde(default)]
    pub poll: BTreeMap<String, PollClassSettings>,
    #[serde(default)]
    pub tags: Vec<TagSettings>,
}

pub fn check_text(text: &str) -> (Option<TagsPlan>, Vec<Finding>) {
    let settings: Settings = toml::from_str(text).unwrap();
    check(&settings.devices, &settings.poll, &settings.tags)
}

/// Tells the time of the runtime, so that stopped time stops it too.
struct RuntimeClock(Instant);

impl Clock for RuntimeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_700_000_000).plus(self.0.elapsed())
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub tag: String,
    pub value: f64,
    pub quality: Quality,
    /// Since the start of the stand.
    pub at: Duration,
    pub text: Option<String>,
}

pub struct Rig {
    pub batches: mpsc::Receiver<SampleBatch>,
    pub events: mpsc::Receiver<DeviceEvent>,
    pub statistics: Arc<Statistics>,
    pub plans: watch::Sender<Arc<ReadPlan>>,
    pub table: TagTable,
    pub stop: CancellationToken,
    pub tasks: JoinSet<()>,
    started: Instant,
}

impl Rig {
    pub fn start(settings: &str, dial: Arc<dyn Dial>) -> Self {
        Self::start_with_room(settings, dial, 1024)
    }

    pub fn start_with_room(settings: &str, dial: Arc<dyn Dial>, room: usize) -> Self {
        let mut table = TagTable::default();
        let (plan, findings) = check_text(settings);
        let plan = plan.unwrap_or_else(|| panic!("{findings:#?}"));
        let (plans, plans_out) = watch::channel(Arc::new(plan.build(&mut table)));
        let (batches_in, batches) = mpsc::channel(room);
        let (events_in, events) = mpsc::channel(1024);
        let statistics = Arc::new(Statistics::default());
        let started = Instant::now();
        let surroundings = Surroundings {
            batches: batches_in,
            events: events_in,
            statistics: Arc::clone(&statistics),
            clock: Arc::new(RuntimeClock(started)),
            dial,
        };
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(run(plans_out, surroundings, stop.clone()));
        Self {
            batches,
            events,
            statistics,
            plans,
            table,
            stop,
            tasks,
            started,
        }
    }

    pub fn reload(&mut self, settings: &str) {
        let (plan, findings) = check_text(settings);
        let plan = plan.unwrap_or_else(|| panic!("{findings:#?}"));
        self.plans
            .send(Arc::new(plan.build(&mut self.table)))
            .unwrap();
    }

    pub fn samples_of(&self, batch: &SampleBatch) -> Vec<Sample> {
        let start = Timestamp::from_secs(1_700_000_000);
        let texts: BTreeMap<u32, &Arc<str>> = batch.text.iter().map(|(row, t)| (*row, t)).collect();
        let rows = batch.rows().enumerate();
        rows.map(|(row, (tag, value, quality, time))| Sample {
            tag: self.table.name(tag).to_owned(),
            value,
            quality,
            at: time.since(start),
            text: texts
                .get(&u32::try_from(row).unwrap())
                .map(|t| t.to_string()),
        })
        .collect()
    }

    /// Waits for the next batch, at most a minute.
    pub async fn next_batch(&mut self) -> Vec<Sample> {
        let by = Instant::now() + Duration::from_secs(60);
        let batch = timeout_at(by, self.batches.recv()).await.unwrap().unwrap();
        self.samples_of(&batch)
    }

    /// Everything that comes until this time after the start.
    pub async fn until(&mut self, at: Duration) -> Vec<Vec<Sample>> {
        let mut batches = Vec::new();
        while let Ok(Some(batch)) = timeout_at(self.started + at, self.batches.recv()).await {
            batches.push(self.samples_of(&batch));
        }
        batches
    }

    pub async fn until_secs(&mut self, secs: f64) -> Vec<Sample> {
        let batches = self.until(Duration::from_secs_f64(secs)).await;
        batches.into_iter().flatten().collect()
    }

    pub fn events_now(&mut self) -> Vec<(u8, Link)> {
        let mut events = Vec::new();
        while let Ok(event) = self.events.try_recv() {
            events.push((event.unit_id, event.link));
        }
        events
    }

    pub fn unit(&self, unit_id: u8) -> UnitSnapshot {
        let devices = self.statistics.snapshot();
        let units = devices.iter().flat_map(|device| &device.units);
        units
            .into_iter()
            .find(|unit| unit.unit_id == unit_id)
            .unwrap()
            .clone()
    }
}

/// Tag, value and whether it is good, of each sample.
pub fn short(samples: &[Sample]) -> Vec<(&str, f64, Quality)> {
    samples
        .iter()
        .map(|s| (s.tag.as_str(), s.value, s.quality))
        .collect()
}

/// A device called `plc`, with more keys.
pub fn device(more: &str) -> String {
    format!("[[devices]]\nname = \"plc\"\naddress = \"plc.test\"\n{more}\n")
}

/// A tag of it, with more keys.
pub fn tag(name: &str, address: &str, more: &str) -> String {
    format!("[[tags]]\nname = \"{name}\"\ndevice = \"plc\"\naddress = \"{address}\"\n{more}\n")
}
