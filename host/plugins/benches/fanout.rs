//! What the scheduler itself costs a sample: index, current samples, history, columns, calls.
//!
//! Guests are native and do the loop that a rule does (compare and count), so their cost is small
//! and shown beside. Medians of five; `cargo bench -p andon-plugins`. One line each, and the ratio to
//! the plain loop over the same rows.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a bench prints, and stops at what it does not expect"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use andon_model::{
    BoundInput, BoundOutput, CallError, Columns, Component, Description, Guest, InstancePlan,
    Limits, OnDown, Output, PluginKind, Quality, Reply, SampleBatch, Setup, Started, TagId,
    Timestamp, ValueType,
};
use andon_plugins::{SampleHistory, Scheduler};
use async_trait::async_trait;
use futures::executor::block_on;

const ROUNDS: usize = 400;

fn main() {
    println!("rows instances_a_tag functions   ns/sample   million/s   ratio to a plain loop");
    for (rows, share, functions) in [
        (1_000, 1, 0),
        (1_000, 1, 10),
        (1_000, 4, 0),
        (10_000, 1, 10),
        (100, 1, 1),
        (1, 1, 0),
    ] {
        let cost = median(|| fan_out(rows, share, functions));
        let plain = median(|| plain_loop(rows));
        println!(
            "{rows:>6} {share:>12} {functions:>11} {cost:>12.1} {:>11.1} {:>10.0}",
            1_000.0 / cost,
            cost / plain
        );
    }
}

/// Nanoseconds a sample, median of five.
fn median(measure: impl Fn() -> f64) -> f64 {
    let mut all: Vec<f64> = (0..5).map(|_| measure()).collect();
    all.sort_by(f64::total_cmp);
    all[2]
}

#[expect(clippy::disallowed_methods, reason = "a bench measures the wall clock")]
fn clock() -> Instant {
    Instant::now()
}

/// `rows` samples of as many tags, read by `share` rules of ten instances, and by functions.
fn fan_out(rows: u32, share: u32, functions: u32) -> f64 {
    let mut scheduler = Scheduler::new(Arc::new(SampleHistory::default()));
    let rules = 10 * share;
    for rule in 0..rules {
        let inputs: Vec<u32> = (0..rows).filter(|tag| tag % 10 == rule % 10).collect();
        add(&mut scheduler, plan(PluginKind::Rule, rule, &inputs, &[]));
    }
    for function in 0..functions {
        let inputs: Vec<u32> = (0..rows).filter(|tag| tag % 10 == function).collect();
        let output = [rows + function];
        add(
            &mut scheduler,
            plan(PluginKind::Function, function, &inputs, &output),
        );
    }
    let mut batch = SampleBatch::default();
    for tag in 0..rows {
        batch.push(TagId(tag), f64::from(tag), Quality::GOOD, Timestamp::EPOCH);
    }
    for round in 0..5 {
        block_on(scheduler.run(Timestamp::from_secs(round), &batch));
    }
    let begin = clock();
    for round in 0..ROUNDS {
        let now = Timestamp::from_secs(10 + i64::try_from(round).unwrap_or(0));
        black_box(block_on(scheduler.run(now, black_box(&batch))));
    }
    per_sample(begin.elapsed(), rows)
}

fn plain_loop(rows: u32) -> f64 {
    let mut columns = Columns::default();
    for input in 0..rows {
        columns.push(input, f64::from(input), 192, Timestamp::EPOCH);
    }
    let begin = clock();
    for _ in 0..ROUNDS {
        black_box(count_high(black_box(&columns)));
    }
    per_sample(begin.elapsed(), rows)
}

fn per_sample(elapsed: Duration, rows: u32) -> f64 {
    elapsed.as_secs_f64() * 1e9 / (ROUNDS as f64 * f64::from(rows))
}

fn count_high(samples: &Columns) -> usize {
    samples
        .rows()
        .filter(|(_, value, quality, _)| *quality >= 192 && *value > 1e6)
        .count()
}

fn add(scheduler: &mut Scheduler, plan: InstancePlan) {
    let component: Arc<dyn Component> = Arc::new(Native {
        kind: plan.kind,
        description: Description {
            name: "native".into(),
            version: String::new(),
            summary: String::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            parameters: serde_json::Value::Null,
        },
    });
    let preparation = scheduler.preparation(Timestamp::EPOCH, plan, component);
    let prepared = block_on(preparation.start()).expect("native guests start");
    block_on(scheduler.swap(Timestamp::EPOCH, prepared)).expect("there is no circle");
}

fn plan(kind: PluginKind, number: u32, inputs: &[u32], outputs: &[u32]) -> InstancePlan {
    InstancePlan {
        name: format!("{kind}-{number}"),
        component: "native.wasm".into(),
        kind,
        inputs: inputs
            .iter()
            .map(|tag| BoundInput {
                port: "input".into(),
                tag: TagId(*tag),
                tag_name: format!("t{tag}").into(),
                unit: None,
                value_type: ValueType::F64,
            })
            .collect(),
        outputs: outputs
            .iter()
            .map(|tag| BoundOutput {
                port: "output".into(),
                tag: TagId(*tag),
                tag_name: format!("t{tag}").into(),
            })
            .collect(),
        parameters: serde_json::json!({}),
        labels: BTreeMap::new(),
        limits: Limits::default(),
        on_down: OnDown::Keep,
        needs_acknowledgement: true,
        latching: false,
    }
}

struct Native {
    kind: PluginKind,
    description: Description,
}

#[async_trait]
impl Component for Native {
    fn kind(&self) -> PluginKind {
        self.kind
    }
    fn description(&self) -> &Description {
        &self.description
    }
    fn hash(&self) -> &str {
        ""
    }
    fn contract_version(&self) -> &str {
        ""
    }
    fn imports(&self) -> &[String] {
        &[]
    }
    async fn start(&self, _: Setup) -> Result<Started, CallError> {
        Ok(Started {
            guest: Box::new(Loop {
                kind: self.kind,
                calls: 0,
            }),
            state: Vec::new(),
            wake_at: None,
        })
    }
}

struct Loop {
    kind: PluginKind,
    calls: u32,
}

#[async_trait]
impl Guest for Loop {
    async fn call(&mut self, now: Timestamp, samples: &Columns) -> Result<Reply, CallError> {
        self.calls += 1;
        let high = black_box(count_high(samples));
        let output = match self.kind {
            PluginKind::Rule | PluginKind::Sink => Output::Actions(Vec::new()),
            PluginKind::Function => {
                let mut answer = Columns::default();
                answer.push(0, f64::from(self.calls) + high as f64, 192, now);
                Output::Samples(answer)
            }
        };
        Ok(Reply {
            output,
            state: Vec::new(),
            wake_at: None,
            elapsed: Duration::ZERO,
        })
    }

    fn memory_bytes(&self) -> usize {
        0
    }
}
