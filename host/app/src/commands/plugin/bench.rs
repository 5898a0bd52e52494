//! `andon plugin bench`: what a component costs. How long it takes to compile and to start, how
//! long a call takes for batches of several sizes, and what memory it holds.
//!
//! Its ports are bound to tags that are made up, and each call is given samples that are computed
//! from their number, so two runs measure the same work. The times are those of this machine in
//! this moment.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use andon_config::{InstanceDefaults, InstanceFile, Problem, TagChoice};
use andon_model::{
    CallError, Clock, Columns, Component, Guest, History, InstancePlan, Limits, Loader, Output,
    PortType, Quality, Setup, Started, Tag, TagId, TagTable, Timestamp, ValueType,
};
use andon_wasm::{EngineSettings, WasmEngine};
use anyhow::{Context as _, bail};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{print, small_runtime};
use crate::arguments::Bench;
use crate::clock::SystemClock;

/// How often the component is started; the median counts.
const STARTS: usize = 21;
/// Failed calls after which there is nothing to measure.
const FAILURES_MAX: u64 = 10;
/// Rows that the made-up history answers a question for a window with.
const WINDOW_ROWS: u32 = 100;
/// The first moment that guests are told: 2026-01-01T00:00:00Z.
const BEGIN: Timestamp = Timestamp::from_secs(1_767_225_600);

/// What was measured. Times are microseconds.
#[derive(Debug, Serialize)]
struct Measured {
    component: String,
    version: String,
    kind: String,
    bytes: u64,
    inputs: usize,
    compile_cold_us: f64,
    compile_cached_us: f64,
    start_us: f64,
    calls: Vec<Size>,
    memory_at_start_bytes: usize,
    memory_at_end_bytes: usize,
    failures: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_failure: Option<String>,
}

/// Calls with batches of one size.
#[derive(Debug, Serialize)]
struct Size {
    rows: usize,
    calls: usize,
    median_us: f64,
    p99_us: f64,
    /// Actions or samples that all of them answered with.
    answered: usize,
}

pub(super) fn bench(options: &Bench) -> anyhow::Result<ExitCode> {
    let parameters = parameters(options)?;
    let measured = small_runtime()?.block_on(measure(options, parameters))?;
    if options.json {
        print(serde_json::to_string(&measured)?);
    } else {
        tell(&measured);
    }
    Ok(if measured.failures == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn parameters(options: &Bench) -> anyhow::Result<Map<String, Value>> {
    let text = options.parameters.as_deref().unwrap_or("{}");
    match serde_json::from_str(text) {
        Ok(Value::Object(parameters)) => Ok(parameters),
        Ok(_) => bail!("--parameters is not a JSON object: write it like '{{\"high\": 80}}'"),
        Err(error) => bail!("--parameters is not JSON: {error}"),
    }
}

async fn measure(options: &Bench, parameters: Map<String, Value>) -> anyhow::Result<Measured> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let (component, compile) = compile(&options.file, &clock).await?;
    let mut tags = TagTable::default();
    let plan = bind(component.as_ref(), parameters, options.inputs, &mut tags)?;
    let (mut guest, start_us) = start(component.as_ref(), &plan, &clock).await?;
    let memory_at_start_bytes = guest.memory_bytes();
    let mut bench = Run {
        component: component.as_ref(),
        plan: &plan,
        now: BEGIN,
        failures: 0,
        first_failure: None,
    };
    let mut calls = Vec::new();
    for rows in &options.rows {
        calls.push(bench.size(&mut guest, *rows, options.calls).await?);
    }
    let about = component.description();
    Ok(Measured {
        component: about.name.clone(),
        version: about.version.clone(),
        kind: component.kind().to_string(),
        bytes: compile.bytes,
        inputs: plan.inputs.len(),
        compile_cold_us: micros(compile.cold),
        compile_cached_us: micros(compile.cached),
        start_us,
        calls,
        memory_at_start_bytes,
        memory_at_end_bytes: guest.memory_bytes(),
        failures: bench.failures,
        first_failure: bench.first_failure,
    })
}

/// How long loading took.
struct Compile {
    bytes: u64,
    cold: Duration,
    cached: Duration,
}

/// A cache folder of this run, which nobody else has.
struct Cache(PathBuf);

impl Cache {
    fn make() -> anyhow::Result<Self> {
        let name = format!("andon-bench-{:016x}", rand::random::<u64>());
        let folder = std::env::temp_dir().join(name);
        let made = DirBuilder::new().mode(0o700).create(&folder);
        made.with_context(|| format!("make {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        // It lies where the machine clears up anyway.
        std::fs::remove_dir_all(&self.0).unwrap_or_default();
    }
}

/// Loads with an empty cache, then with one that has it, each in an engine of its own.
async fn compile(
    file: &Path,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<(Arc<dyn Component>, Compile)> {
    let bytes: Arc<[u8]> = std::fs::read(file)
        .with_context(|| format!("read {}", file.display()))?
        .into();
    let cache = Cache::make()?;
    let load = async || -> anyhow::Result<(Arc<dyn Component>, Duration)> {
        let settings = EngineSettings {
            cache_folder: Some(cache.0.clone()),
            ..EngineSettings::default()
        };
        let engine = WasmEngine::new(settings, Arc::clone(clock))?;
        let begun = clock.now();
        let name = file.display().to_string();
        let component = engine.load(&name, Arc::clone(&bytes)).await?;
        Ok((component, clock.now().since(begun)))
    };
    let (_, cold) = load().await?;
    let (component, cached) = load().await?;
    let compile = Compile {
        bytes: bytes.len() as u64,
        cold,
        cached,
    };
    Ok((component, compile))
}

/// Binds every port: one that takes many tags to as many as were asked for, all others to one.
fn bind(
    component: &dyn Component,
    parameters: Map<String, Value>,
    many: usize,
    tags: &mut TagTable,
) -> anyhow::Result<InstancePlan> {
    let about = component.description();
    let mut file = InstanceFile::bare(&format!("{}.wasm", about.name));
    file.settings.parameters = parameters;
    for port in &about.inputs {
        let count = if port.many { many.max(1) } else { 1 };
        let names: Vec<String> = (1..=count).map(|n| format!("{}.{n}", port.name)).collect();
        for name in &names {
            tags.put(Tag {
                name: name.as_str().into(),
                value_type: match port.port_type {
                    PortType::Bool => ValueType::Bool,
                    PortType::Text => ValueType::Text,
                    PortType::Number | PortType::Any => ValueType::F64,
                },
                unit: None,
                description: None,
                source: "bench".into(),
            });
        }
        file.settings
            .inputs
            .insert(port.name.clone(), TagChoice::Many(names));
    }
    let lines = |problems: Vec<Problem>| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!(
            "the component cannot be bound; give it --parameters:\n{}",
            lines.join("\n")
        )
    };
    let outputs = file.declare_outputs(about, tags).map_err(lines)?;
    let defaults = InstanceDefaults {
        limits: Limits::default(),
        needs_acknowledgement: true,
        latching: false,
    };
    let bound = file.bind(component.kind(), about, outputs, tags, &defaults);
    bound.map_err(lines)
}

/// A history that is always the same.
struct Past;

impl History for Past {
    fn text(&self, _: TagId) -> Option<Arc<str>> {
        Some("a text of a tag".into())
    }

    fn window(&self, _: TagId, since: Timestamp, input: u32) -> Columns {
        let mut window = Columns::default();
        for row in 0..WINDOW_ROWS {
            let at = since.plus(Duration::from_millis(u64::from(row)));
            window.push(input, f64::from(row), Quality::GOOD.0, at);
        }
        window
    }
}

async fn begin(component: &dyn Component, plan: &InstancePlan) -> Result<Started, CallError> {
    let setup = Setup {
        instance: plan.name.clone(),
        limits: plan.limits.clone(),
        configuration: plan.configuration(),
        inputs: plan.inputs.iter().map(|input| input.tag).collect(),
        state: Default::default(),
        history: Arc::new(Past),
        now: BEGIN,
    };
    component.start(setup).await
}

/// Starts often; the last guest is used.
async fn start(
    component: &dyn Component,
    plan: &InstancePlan,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<(Box<dyn Guest>, f64)> {
    let mut times = Vec::with_capacity(STARTS);
    loop {
        let begun = clock.now();
        let started = begin(component, plan).await?;
        times.push(clock.now().since(begun));
        if times.len() >= STARTS {
            times.sort_unstable();
            return Ok((started.guest, micros(at_share(&times, 50))));
        }
    }
}

/// Calls of one guest.
struct Run<'a> {
    component: &'a dyn Component,
    plan: &'a InstancePlan,
    now: Timestamp,
    failures: u64,
    first_failure: Option<String>,
}

impl Run<'_> {
    /// Calls with batches of one size; the first tenth of the calls is not counted.
    async fn size(
        &mut self,
        guest: &mut Box<dyn Guest>,
        rows: usize,
        calls: usize,
    ) -> anyhow::Result<Size> {
        let warm_up = calls / 10;
        let mut times = Vec::with_capacity(calls);
        let mut answered = 0;
        let mut samples = Columns::with_capacity(rows);
        for call in 0..warm_up + calls {
            self.now = self.now.plus(Duration::from_secs(1));
            self.fill(&mut samples, rows, call);
            match guest.call(self.now, &samples).await {
                Ok(reply) if call >= warm_up => {
                    times.push(reply.elapsed);
                    answered += match reply.output {
                        Output::Actions(actions) => actions.len(),
                        Output::Samples(columns) => columns.len(),
                    };
                }
                Ok(_) => {}
                Err(error) => {
                    self.fail(&error)?;
                    if error.guest_is_lost() {
                        *guest = begin(self.component, self.plan).await?.guest;
                    }
                }
            }
        }
        times.sort_unstable();
        Ok(Size {
            rows,
            calls: times.len(),
            median_us: micros(at_share(&times, 50)),
            p99_us: micros(at_share(&times, 99)),
            answered,
        })
    }

    fn fail(&mut self, error: &CallError) -> anyhow::Result<()> {
        self.failures += 1;
        if self.failures >= FAILURES_MAX {
            bail!("{FAILURES_MAX} calls failed, so there is nothing to measure; the last: {error}");
        }
        self.first_failure.get_or_insert_with(|| error.to_string());
        Ok(())
    }

    /// Samples that are new in every call: numbers from 0 to 100, booleans that change, texts.
    fn fill(&self, samples: &mut Columns, rows: usize, call: usize) {
        samples.clear();
        let inputs = self.plan.inputs.iter().cycle();
        let indices = (0..u32::try_from(self.plan.inputs.len()).unwrap_or(1)).cycle();
        for ((row, input), index) in (0..rows).zip(inputs).zip(indices) {
            let step = row * 7 + call * 373;
            let value = match input.value_type {
                ValueType::Bool => (step % 2) as f64,
                ValueType::Text => f64::NAN,
                ValueType::I16
                | ValueType::U16
                | ValueType::I32
                | ValueType::U32
                | ValueType::I64
                | ValueType::U64
                | ValueType::F32
                | ValueType::F64 => (step % 1_000) as f64 / 10.0,
            };
            samples.push(index, value, Quality::GOOD.0, self.now);
        }
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The time below which so many percent lie; zero of none.
fn at_share(sorted: &[Duration], percent: usize) -> Duration {
    let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or_default()
}

fn tell(measured: &Measured) {
    print(format!(
        "{} {} {}: {} KiB, {} inputs bound",
        measured.kind,
        measured.component,
        measured.version,
        measured.bytes / 1024,
        measured.inputs
    ));
    print(format!(
        "compile  {} cold, {} cached",
        shown(measured.compile_cold_us),
        shown(measured.compile_cached_us)
    ));
    print(format!("start    {}", shown(measured.start_us)));
    print(format!(
        "{:>8} {:>8} {:>10} {:>10} {:>10} {:>9}",
        "rows", "calls", "median", "99 %", "a row", "answered"
    ));
    for size in &measured.calls {
        let each = size.median_us / size.rows.max(1) as f64;
        print(format!(
            "{:>8} {:>8} {:>10} {:>10} {:>10} {:>9}",
            size.rows,
            size.calls,
            shown(size.median_us),
            shown(size.p99_us),
            shown(each),
            size.answered
        ));
    }
    let (start, end) = (measured.memory_at_start_bytes, measured.memory_at_end_bytes);
    print(format!(
        "memory   {} KiB after the start, {} KiB more after all calls",
        start / 1024,
        end.saturating_sub(start) / 1024
    ));
    if let Some(first) = &measured.first_failure {
        print(format!(
            "{} calls failed; the first: {first}",
            measured.failures
        ));
    }
}

/// Microseconds in a unit that reads well.
fn shown(micros: f64) -> String {
    if micros < 1.0 {
        format!("{:.1} ns", micros * 1e3)
    } else if micros < 1e3 {
        format!("{micros:.1} µs")
    } else {
        format!("{:.1} ms", micros / 1e3)
    }
}
