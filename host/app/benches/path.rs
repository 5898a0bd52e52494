//! The whole path of a batch that raises nothing: registers of the devices are decoded, changes are
//! found, functions compute, rules decide, all in real components. One thread, one core.
//!
//! Every sample changes at every read, and each is read by one of ten rules; the output of each
//! function is read by a rule too. Prints lines `NAME VALUE UNIT`; `cargo xtask bench` reads them.
//! Needs the guests of `cargo xtask guests`.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a bench measures with the real clock, prints, and stops at what it does not expect"
)]

use std::collections::HashMap;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use andon_model::{
    BoundInput, BoundOutput, Clock, Component, InstancePlan, Labels, Limits, Loader, OnDown,
    Quality, SampleBatch, Tag, TagId, TagTable, Timestamp, ValueType,
};
use andon_plugins::{SampleHistory, Scheduler};
use andon_recording::{Item, Known, Recording, RecordingWriter};
use andon_tags::{
    Answer, Block, BlockLimits, Layout, Obstacles, Orders, PointPlan, Points, Table, merge,
};
use andon_wasm::{EngineSettings, WasmEngine};
use serde_json::json;

const RULES: u32 = 10;

/// Batches of which the median is taken. Each is timed by itself: on a busy machine most of them
/// still run without a break.
const BATCHES: u32 = 400;

/// Samples of a batch of the recording that is replayed.
const REPLAY_ROWS: u32 = 1_000;

/// The first ones are not counted: columns and histories grow.
const WARM_UP: u32 = 100;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.unwrap().block_on(measure());
}

async fn measure() {
    let kit = Kit::load().await;
    let sizes: [u32; 3] = [100, 1_000, 10_000];
    let mut plants = Vec::new();
    for rows in sizes {
        plants.push(Plant::new(&kit, rows).await);
    }
    for (rows, plant) in sizes.into_iter().zip(&mut plants) {
        let (mut whole, mut decoding) = (Vec::new(), Vec::new());
        for batch in 0..BATCHES + WARM_UP {
            let (with, without) = plant.run().await;
            if batch >= WARM_UP {
                whole.push(f64::from(rows) / with.as_secs_f64() / 1e6);
                decoding.push(f64::from(rows) / without.as_secs_f64() / 1e6);
            }
        }
        println!("path_{rows} {:.1} Msamples/s", median(whole));
        println!("path_{rows}_decode {:.0} Msamples/s", median(decoding));
    }
    println!("replay_1000000 {:.1} Msamples/s", replay(&kit).await);
}

/// A recording of a million samples in batches of a thousand, from CSV through ten rules: the best
/// of three, for it takes a second each and somebody else may use the machine meanwhile.
async fn replay(kit: &Kit) -> f64 {
    let recorded = recorded();
    let mut best: f64 = 0.0;
    for _ in 0..3 {
        let mut plant = scheduler(kit, REPLAY_ROWS).await;
        let ids: HashMap<String, TagId> = (0..REPLAY_ROWS)
            .map(|tag| (format!("t{tag}"), TagId(tag)))
            .collect();
        let mut find = |name: &str| {
            let tag = *ids.get(name)?;
            Some(Known {
                tag,
                is_text: false,
            })
        };
        let began = Instant::now();
        let stream = std::io::Cursor::new(recorded.clone());
        let mut recording = Recording::from_stream("bench", stream).unwrap();
        let mut batch = SampleBatch::default();
        while let Some(item) = recording.next(&mut batch, &mut find).unwrap() {
            if let Item::Batch(now) = item {
                let round = black_box(plant.run(now, &batch).await);
                assert!(round.incidents.is_empty() && round.fired.is_empty());
            }
        }
        let took = began.elapsed().as_secs_f64();
        assert_eq!(recording.notes().samples, 1_000_000);
        assert_eq!(recording.notes().problems_total, 0);
        best = best.max(1.0 / took);
    }
    best
}

/// The recording, as the host writes it.
fn recorded() -> Vec<u8> {
    let mut tags = TagTable::default();
    for tag in 0..REPLAY_ROWS {
        tags.put(Tag {
            name: format!("t{tag}").into(),
            value_type: ValueType::F64,
            unit: None,
            description: None,
            source: "bench".into(),
        });
    }
    let mut bytes = Vec::new();
    let mut writer = RecordingWriter::new(&mut bytes).unwrap();
    for turn in 0..1_000_000 / REPLAY_ROWS {
        let now = Timestamp::from_secs(1_700_000_000 + i64::from(turn));
        let mut batch = SampleBatch::default();
        for tag in 0..REPLAY_ROWS {
            let value = f64::from((tag + turn) % 2_000) * 0.1;
            batch.push(TagId(tag), value, Quality::GOOD, now);
        }
        writer.batch(now, &batch, &tags).unwrap();
    }
    writer
        .end(Timestamp::from_secs(1_700_001_000), "over")
        .unwrap();
    drop(writer);
    bytes
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The compiled components.
struct Kit {
    limits: Arc<dyn Component>,
    scale: Arc<dyn Component>,
    average: Arc<dyn Component>,
}

impl Kit {
    async fn load() -> Self {
        let clock = Arc::new(BenchClock(Instant::now()));
        let engine = WasmEngine::new(EngineSettings::default(), clock).unwrap();
        let load = async |name: &str| {
            let bytes: Arc<[u8]> = std::fs::read(guests().join(name))
                .expect("run `cargo xtask guests`")
                .into();
            engine.load(name, bytes).await.unwrap()
        };
        Self {
            limits: load("limits.wasm").await,
            scale: load("scale.wasm").await,
            average: load("moving-average.wasm").await,
        }
    }
}

/// Devices, decoded tags and instances.
struct Plant {
    points: Points,
    blocks: Vec<Block>,
    scheduler: Scheduler,
    batch: SampleBatch,
    rows: u32,
    /// Batches so far; the registers and the time follow from it.
    turn: u16,
}

impl Plant {
    /// A plant whose every batch has this many samples.
    async fn new(kit: &Kit, rows: u32) -> Self {
        let points = points(rows);
        let limits = BlockLimits {
            count_max: 125,
            gap_max: 0,
        };
        let blocks = merge(
            Table::Holding,
            points.spans(),
            limits,
            &Obstacles::default(),
        );
        Self {
            points,
            blocks,
            scheduler: scheduler(kit, rows).await,
            batch: SampleBatch::with_capacity(rows as usize),
            rows,
            turn: 0,
        }
    }

    /// What one batch takes: the whole path, and decoding alone.
    async fn run(&mut self) -> (Duration, Duration) {
        self.turn += 1;
        let at = Timestamp::from_secs(1_700_000_000 + i64::from(self.turn));
        let answers: Vec<Answer> = self.blocks.iter().map(|b| answer(b, self.turn)).collect();
        let began = Instant::now();
        self.batch.clear();
        for (block, answer) in self.blocks.iter().zip(&answers) {
            self.points.accept(block, answer, at, &mut self.batch);
        }
        let decoding = began.elapsed();
        let round = black_box(self.scheduler.run(at, &self.batch).await);
        let whole = began.elapsed();
        assert_eq!(self.batch.len(), self.rows as usize, "all samples changed");
        assert_eq!(round.calls.len(), RULES as usize + 2, "all instances ran");
        assert!(round.incidents.is_empty() && round.fired.is_empty());
        assert!(!round.derived.is_empty(), "functions computed");
        (whole, decoding)
    }
}

/// Tags of one register each, which settings scale to a tenth.
fn points(rows: u32) -> Points {
    let plans: Vec<PointPlan> = (0..rows)
        .map(|tag| PointPlan {
            id: TagId(tag),
            name: format!("t{tag}").into(),
            class: 0,
            table: Table::Holding,
            start: u16::try_from(tag).unwrap(),
            layout: Layout::U16,
            orders: Orders::default(),
            scale: 0.1,
            offset: 0.0,
            deadband: 0.0,
        })
        .collect();
    Points::new(&plans)
}

/// Registers that all differ from those of the turn before, and stay under 2,000.
fn answer(block: &Block, turn: u16) -> Answer {
    let registers = (0..block.count).map(|register| (block.start + register + turn) % 2_000);
    Answer::Registers(registers.collect())
}

/// Ten rules that share the tags, and two functions over one tag each, whose outputs the first two
/// rules read too.
async fn scheduler(kit: &Kit, rows: u32) -> Scheduler {
    let mut scheduler = Scheduler::new(Arc::new(SampleHistory::default()));
    let functions = [
        (
            &kit.scale,
            json!({"raw_low": 0.0, "raw_high": 200.0, "low": 0.0, "high": 100.0}),
        ),
        (&kit.average, json!({"window": "5s"})),
    ];
    for (number, (component, parameters)) in (0..).zip(functions) {
        let plan = plan(component, number, &[number], &[rows + number], parameters);
        add(&mut scheduler, component, plan).await;
    }
    for rule in 0..RULES {
        let mut inputs: Vec<u32> = (0..rows).filter(|tag| tag % RULES == rule).collect();
        if rule < 2 {
            inputs.push(rows + rule);
        }
        let parameters = json!({"low": -1.0, "high": 500.0, "high_high": 600.0});
        let plan = plan(&kit.limits, rule, &inputs, &[], parameters);
        add(&mut scheduler, &kit.limits, plan).await;
    }
    scheduler
}

async fn add(scheduler: &mut Scheduler, component: &Arc<dyn Component>, plan: InstancePlan) {
    let preparation = scheduler.preparation(Timestamp::EPOCH, plan, Arc::clone(component));
    let prepared = preparation.start().await.expect("it starts");
    scheduler.swap(Timestamp::EPOCH, prepared).await.unwrap();
}

fn plan(
    component: &Arc<dyn Component>,
    number: u32,
    inputs: &[u32],
    outputs: &[u32],
    parameters: serde_json::Value,
) -> InstancePlan {
    let about = component.description();
    let kind = component.kind();
    InstancePlan {
        name: format!("{kind}-{number}"),
        component: format!("{}.wasm", about.name),
        kind,
        inputs: inputs
            .iter()
            .map(|tag| BoundInput {
                port: about.inputs[0].name.clone(),
                tag: TagId(*tag),
                tag_name: format!("t{tag}").into(),
                unit: None,
                value_type: ValueType::F64,
            })
            .collect(),
        outputs: outputs
            .iter()
            .map(|tag| BoundOutput {
                port: about.outputs[0].name.clone(),
                tag: TagId(*tag),
                tag_name: format!("t{tag}").into(),
            })
            .collect(),
        parameters,
        labels: Labels::new(),
        limits: Limits::default(),
        on_down: OnDown::Keep,
        needs_acknowledgement: true,
        latching: false,
    }
}

/// A clock as dear to ask as the host's.
struct BenchClock(Instant);

impl Clock for BenchClock {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH.plus(self.0.elapsed())
    }
}

/// `ANDON_GUESTS`, or `guests` in the target folder.
fn guests() -> PathBuf {
    std::env::var_os("ANDON_GUESTS").map_or_else(
        || Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("guests"),
        PathBuf::from,
    )
}
