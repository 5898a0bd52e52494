//! What the sandbox costs: samples through a sandboxed Rust rule against the same loop native,
//! calls, instances, loads and memory.
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
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use andon_model::{
    Columns, Component, Guest, History, Limits, Loader, ManualClock, Setup, StateMap, TagId,
    Timestamp,
};
use andon_wasm::{EngineSettings, WasmEngine};

/// Measurements of which the median is taken.
const ROUNDS: usize = 31;

/// Calls of one measurement.
const CALLS: u32 = 500;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.expect("a runtime").block_on(measure());
}

async fn measure() {
    let bytes: Arc<[u8]> = std::fs::read(guest_file())
        .expect("run `cargo xtask guests`")
        .into();
    let folder = tempfile::tempdir().expect("a folder");
    println!("resident_before {} KiB", resident_kib());
    let cold = load(folder.path(), &bytes).await;
    let warm = load(folder.path(), &bytes).await;
    println!("load_cold {:.1} ms", cold.0.as_secs_f64() * 1e3);
    println!("load_cached {:.2} ms", warm.0.as_secs_f64() * 1e3);
    let rule = warm.1;
    drop(cold.1);
    for rows in [0, 1, 100, 1_000] {
        compare(&*rule, &columns(rows)).await;
    }
    instances(&*rule).await;
}

/// Time and memory of many instances of one component.
async fn instances(rule: &dyn Component) {
    println!("resident_with_component {} KiB", resident_kib());
    let began = Instant::now();
    let mut guests = Vec::new();
    for _ in 0..200 {
        guests.push(rule.start(setup()).await.expect("it starts").guest);
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

async fn load(folder: &std::path::Path, bytes: &Arc<[u8]>) -> (Duration, Arc<dyn Component>) {
    let settings = EngineSettings {
        cache_folder: Some(folder.to_owned()),
        ..EngineSettings::default()
    };
    let clock = Arc::new(ManualClock::at(Timestamp::EPOCH));
    let engine = WasmEngine::new(settings, clock).expect("an engine");
    let began = Instant::now();
    let component = engine
        .load("rule", Arc::clone(bytes))
        .await
        .expect("it loads");
    (began.elapsed(), component)
}

/// Sandboxed and native by turns, so that other work on the machine slows both alike.
async fn compare(rule: &dyn Component, samples: &Columns) {
    let mut guest = rule.start(setup()).await.expect("it starts").guest;
    let (mut sandboxed, mut plain, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..CALLS {
            black_box(call(&mut *guest, samples).await);
        }
        let with = per_call(began.elapsed());
        let began = Instant::now();
        for _ in 0..CALLS {
            black_box(native(black_box(samples)));
        }
        let without = per_call(began.elapsed());
        sandboxed.push(with);
        plain.push(without);
        ratios.push(with / without);
    }
    let rows = samples.len();
    println!("sandboxed_{rows} {:.1} ns", middle(sandboxed));
    println!("native_{rows} {:.1} ns", middle(plain));
    println!("ratio_{rows} {:.2} times", middle(ratios));
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

/// The rule's loop, over the same columns, without a sandbox.
fn native(samples: &Columns) -> Vec<(u32, f64)> {
    let mut raised = Vec::new();
    for (input, value, quality, _) in samples.rows() {
        if quality >= 192 && value > 80.0 {
            raised.push((input, value));
        }
    }
    raised
}

fn columns(rows: usize) -> Columns {
    let mut columns = Columns::with_capacity(rows);
    for row in 0..rows {
        let input = u32::try_from(row % 50).unwrap_or(0);
        columns.push(input, f64::from(input), 192, Timestamp::EPOCH);
    }
    columns
}

fn setup() -> Setup {
    Setup {
        instance: "bench".to_owned(),
        limits: Limits::default(),
        configuration: r#"{"parameters": {"mode": "threshold"}}"#.to_owned(),
        inputs: (0..50).map(TagId).collect(),
        state: StateMap::new(),
        history: Arc::new(Nothing),
        now: Timestamp::EPOCH,
    }
}

struct Nothing;

impl History for Nothing {
    fn text(&self, _tag: TagId) -> Option<Arc<str>> {
        None
    }

    fn window(&self, _tag: TagId, _since: Timestamp, _input: u32) -> Columns {
        Columns::default()
    }
}

/// `ANDON_GUESTS`, or `guests` in the target folder above this program.
fn guest_file() -> PathBuf {
    let program = std::env::current_exe().expect("this program has a path");
    let folder = std::env::var_os("ANDON_GUESTS").map_or_else(
        || {
            let mut folders = program.ancestors().map(|folder| folder.join("guests"));
            folders
                .find(|folder| folder.is_dir())
                .expect("run `cargo xtask guests`")
        },
        PathBuf::from,
    );
    folder.join("hostile-rule.wasm")
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
