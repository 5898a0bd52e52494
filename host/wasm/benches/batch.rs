//! What the sandbox costs: samples through a sandboxed Rust rule against the same rule native,
//! calls, instances, loads and memory.
//!
//! The rule is `limits` as it ships, as its component. It is held against the same loop as a native
//! host would run it, over rows with a value of any type (`ratio`), and against the same crate linked
//! into this bench, which is handed the columns without a copy and without a call into another
//! memory (`columns_ratio`). Beside it stands the barest rule that there could be, one comparison a
//! row without an SDK.
//!
//! Prints medians and ratios, one line each: `NAME VALUE UNIT`. `cargo xtask bench` reads them.
//! Needs the guests of `cargo xtask guests`.

#![allow(clippy::disallowed_methods, reason = "a bench measures time")]
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench"
)]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use andon_model::{
    Columns, Component, Guest, History, Loader, ManualClock, Setup, StateMap, TagId, Timestamp,
};
use andon_plugin::Action;
use andon_plugin::guest::Instance;
use andon_wasm::{EngineSettings, WasmEngine};
use limits::Limits;
use serde_json::json;

/// Inputs of a rule.
const INPUTS: u32 = 50;

/// Measurements of which the median is taken.
const ROUNDS: usize = 501;

/// Calls of one measurement. So few that on a busy machine most measurements run without a break.
const CALLS: u32 = 20;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.expect("a runtime").block_on(measure());
}

async fn measure() {
    let folder = tempfile::tempdir().expect("a folder");
    println!("resident_before {} KiB", resident_kib());
    let cold = load(folder.path(), "limits.wasm").await;
    let warm = load(folder.path(), "limits.wasm").await;
    println!("load_cold {:.1} ms", cold.0.as_secs_f64() * 1e3);
    println!("load_cached {:.2} ms", warm.0.as_secs_f64() * 1e3);
    drop(cold.1);
    let limits = warm.1;
    let configuration = configuration();
    for rows in [0, 1, 100, 1_000] {
        let samples = columns(rows);
        let mut native = Instance::<Limits>::rule(&configuration, &Nothing).expect("it starts");
        let mut evaluate = || evaluate(&mut native, black_box(&samples));
        compare(
            "columns_",
            &*limits,
            &configuration,
            &samples,
            &mut evaluate,
        )
        .await;
        let listed = listed(&samples);
        let watches = vec![Watch::NORMAL; INPUTS as usize];
        let mut search = || search(black_box(&watches), black_box(&listed));
        compare("", &*limits, &configuration, &samples, &mut search).await;
    }
    let bare = load(folder.path(), "hostile-rule.wasm").await.1;
    let configuration = r#"{"parameters": {"mode": "threshold"}}"#;
    for rows in [0, 1_000] {
        let samples = columns(rows);
        let listed = listed(&samples);
        let mut threshold = || threshold(black_box(&listed));
        compare("bare_", &*bare, configuration, &samples, &mut threshold).await;
    }
    instances(&*limits).await;
}

/// Time and memory of many instances of one component.
async fn instances(rule: &dyn Component) {
    println!("resident_with_component {} KiB", resident_kib());
    let began = Instant::now();
    let mut guests = Vec::new();
    for _ in 0..200 {
        guests.push(
            rule.start(setup(&configuration()))
                .await
                .expect("it starts")
                .guest,
        );
    }
    println!(
        "start {:.1} us",
        began.elapsed().as_secs_f64() * 1e6 / 200.0
    );
    for guest in &mut guests {
        guest
            .call(Timestamp::EPOCH, &columns(100))
            .await
            .expect("it answers");
    }
    println!("resident_with_200_instances {} KiB", resident_kib());
}

async fn load(cache: &Path, name: &str) -> (Duration, Arc<dyn Component>) {
    let bytes: Arc<[u8]> = std::fs::read(guests().join(name))
        .expect("run `cargo xtask guests`")
        .into();
    let settings = EngineSettings {
        cache_folder: Some(cache.to_owned()),
        ..EngineSettings::default()
    };
    let clock = Arc::new(ManualClock::at(Timestamp::EPOCH));
    let engine = WasmEngine::new(settings, clock).expect("an engine");
    let began = Instant::now();
    let component = engine.load(name, bytes).await.expect("it loads");
    (began.elapsed(), component)
}

/// Sandboxed and native by turns, so that other work on the machine slows both alike.
async fn compare<A>(
    prefix: &str,
    rule: &dyn Component,
    configuration: &str,
    samples: &Columns,
    native: &mut dyn FnMut() -> A,
) {
    let mut guest = rule
        .start(setup(configuration))
        .await
        .expect("it starts")
        .guest;
    let (mut sandboxed, mut plain, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..CALLS {
            black_box(call(&mut *guest, samples).await);
        }
        let with = per_call(began.elapsed());
        let began = Instant::now();
        for _ in 0..CALLS {
            black_box(native());
        }
        let without = per_call(began.elapsed());
        sandboxed.push(with);
        plain.push(without);
        ratios.push(with / without);
    }
    let rows = samples.len();
    println!("{prefix}sandboxed_{rows} {:.1} ns", middle(sandboxed));
    println!("{prefix}native_{rows} {:.1} ns", middle(plain));
    println!("{prefix}ratio_{rows} {:.2} times", middle(ratios));
}

async fn call(guest: &mut dyn Guest, samples: &Columns) -> andon_model::Reply {
    guest
        .call(Timestamp::EPOCH, black_box(samples))
        .await
        .expect("it answers")
}

fn per_call(all: Duration) -> f64 {
    all.as_secs_f64() * 1e9 / f64::from(CALLS)
}

fn middle(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The rule `limits`, linked into this program.
fn evaluate(rule: &mut Instance<Limits>, samples: &Columns) -> Vec<Action> {
    let columns = andon_plugin::Columns {
        input: &samples.input,
        value: &samples.value,
        quality: &samples.quality,
        time: &samples.time,
    };
    let now = andon_plugin::Timestamp::from_nanos(0);
    rule.evaluate(now, columns, &Nothing).expect("it answers")
}

/// A sample as a host without a sandbox would hand it over.
struct Row {
    input: u32,
    value: Value,
    quality: u8,
    #[expect(
        dead_code,
        reason = "a sample has a time, which takes its place in memory"
    )]
    time: i64,
}

/// The value of a tag of any type.
enum Value {
    Bool(bool),
    Integer(i64),
    Real(f64),
}

impl Value {
    #[expect(
        clippy::cast_precision_loss,
        reason = "as everywhere: exact up to 2^53"
    )]
    const fn number(&self) -> f64 {
        match self {
            Self::Bool(value) => *value as u8 as f64,
            Self::Integer(value) => *value as f64,
            Self::Real(value) => *value,
        }
    }
}

/// One input of the native rule.
#[derive(Clone, Copy)]
struct Watch {
    low: f64,
    high: f64,
    normal: bool,
}

impl Watch {
    /// The limits of [`configuration`].
    const NORMAL: Self = Self {
        low: -1.0,
        high: 80.0,
        normal: true,
    };
}

/// The same samples as rows: of ten tags one is whole, and one a bit.
fn listed(samples: &Columns) -> Vec<Row> {
    let row = |(input, value, quality, time): (u32, f64, u8, Timestamp)| Row {
        input,
        value: match input % 10 {
            8 => Value::Integer(i64::from(input)),
            9 => Value::Bool(value > 0.0),
            _ => Value::Real(value),
        },
        quality,
        time: time.nanos(),
    };
    samples.rows().map(row).collect()
}

/// What `limits` does with a batch that brings nothing new: the samples that could change anything.
fn search(watches: &[Watch], rows: &[Row]) -> Vec<(u32, f64)> {
    let mut news = Vec::new();
    for row in rows {
        let Some(watch) = watches.get(row.input as usize) else {
            continue;
        };
        let value = row.value.number();
        let quiet = row.quality >= 64 && value >= watch.low && value <= watch.high;
        if !(quiet && watch.normal) {
            news.push((row.input, value));
        }
    }
    news
}

/// The barest rule.
fn threshold(rows: &[Row]) -> Vec<(u32, f64)> {
    let mut raised = Vec::new();
    for row in rows {
        let value = row.value.number();
        if row.quality >= 192 && value > 80.0 {
            raised.push((row.input, value));
        }
    }
    raised
}

/// Fifty inputs, and limits that none of the samples reaches.
fn configuration() -> String {
    let inputs: Vec<_> = (0..INPUTS)
        .map(|tag| json!({"port": "inputs", "tag": format!("t{tag}"), "type": "f64"}))
        .collect();
    let parameters = json!({"low": -1.0, "high": 80.0, "high_high": 90.0});
    json!({"instance": "bench", "parameters": parameters, "inputs": inputs}).to_string()
}

fn columns(rows: usize) -> Columns {
    let mut columns = Columns::with_capacity(rows);
    for row in 0..rows {
        let input = u32::try_from(row).unwrap_or(0) % INPUTS;
        columns.push(input, f64::from(input), 192, Timestamp::EPOCH);
    }
    columns
}

fn setup(configuration: &str) -> Setup {
    Setup {
        instance: "bench".to_owned(),
        limits: andon_model::Limits::default(),
        configuration: configuration.to_owned(),
        inputs: (0..INPUTS).map(TagId).collect(),
        state: StateMap::new(),
        history: Arc::new(Nothing),
        now: Timestamp::EPOCH,
    }
}

/// A host without a past, for either side.
struct Nothing;

impl History for Nothing {
    fn text(&self, _tag: TagId) -> Option<Arc<str>> {
        None
    }

    fn window(&self, _tag: TagId, _since: Timestamp, _input: u32) -> Columns {
        Columns::default()
    }
}

impl andon_plugin::Host for Nothing {
    fn text(&self, _: u32) -> Option<String> {
        None
    }

    fn window(&self, _: u32, _: andon_plugin::Timestamp) -> Vec<andon_plugin::KeptSample> {
        Vec::new()
    }

    fn get(&self, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn set(&self, _: &str, _: &[u8]) -> Result<(), andon_plugin::Failure> {
        Ok(())
    }

    fn delete(&self, _: &str) {}

    fn wake_at(&self, _: andon_plugin::Timestamp) {}

    fn log(&self, _: andon_plugin::LogLevel, _: &str) {}
}

/// `ANDON_GUESTS`, or `guests` in the target folder.
fn guests() -> PathBuf {
    std::env::var_os("ANDON_GUESTS").map_or_else(
        || Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("guests"),
        PathBuf::from,
    )
}

/// Resident memory of this program; 0 where it cannot be told.
fn resident_kib() -> usize {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
            line.split_whitespace().nth(1)?.parse().ok()
        })
        .unwrap_or(0)
}
