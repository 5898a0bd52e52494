//! Fifty good rules among bad ones: what one instance does must not make the others late.
//!
//! The scheduler and the sandbox are the real ones, without devices, store and people. Batches come
//! at fixed moments of a clock of this test. What is done between them takes the time that it really
//! takes; time in which nothing is done is skipped. So ten minutes of quarantines pass in some
//! seconds, and a busy machine makes both sides late: a run with bad instances is held against one
//! without.

#![allow(
    clippy::disallowed_methods,
    reason = "how long the host is busy is what is measured"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use andon_model::{
    Action, BoundInput, BoundOutput, Clock, Component, InstancePlan, Labels, Limits, Loader,
    OnDown, Quality, SampleBatch, TagId, Timestamp, ValueType,
};
use andon_plugins::{IncidentKind, Round, RunState, SampleHistory, Scheduler};
use andon_wasm::{EngineSettings, WasmEngine};
use serde_json::json;

use crate::kit::guest;

#[path = "../../../wasm/tests/sandbox/hostile/shell.rs"]
#[allow(dead_code, reason = "the sandbox's own tests use more of it")]
mod shell;

/// Good rules, each over two tags.
const GOOD: u32 = 50;

/// Batches in a run, one each [`PERIOD`]: ten minutes.
const BATCHES: u32 = 3_000;

const PERIOD: Duration = Duration::from_millis(200);

/// The call limit of bad instances, by which a batch counts as late too.
const CALL: Duration = Duration::from_millis(50);

/// The start limit of bad instances.
const START: Duration = Duration::from_millis(300);

/// When the first batch comes.
const BEGIN: Timestamp = Timestamp::from_secs(1_700_000_000);

/// Runs that are tried before lateness counts as a fault of the host, not of the machine.
const ATTEMPTS: u32 = 5;

/// Bad instances, one of each kind: those that start, and those that do not.
const KINDS: [&str; 41] = [
    "evaluate-loops",
    "compute-loops",
    "post-return-loops",
    "host-calls-loop",
    "evaluate-sleeps",
    "naps-without-end",
    "log-flood",
    "stdout-flood",
    "configure-loops",
    "configure-sleeps",
    "configure-traps",
    "configure-recurses",
    "realloc-loops",
    "realloc-traps",
    "realloc-lies",
    "realloc-calls-the-host",
    "pollables-pile-up",
    "streams-pile-up",
    "random-flood",
    "recurses-without-end",
    "grows-at-once",
    "grows-step-by-step",
    "table-grows",
    "evaluate-traps",
    "post-return-traps",
    "realloc-is-unaligned",
    "answer-outside-the-memory",
    "answer-at-an-odd-place",
    "list-outside-the-memory",
    "list-of-four-billion",
    "sixty-thousand-rows",
    "one-text-ten-thousand-times",
    "key-that-is-not-utf-8",
    "no-such-action",
    "no-such-priority",
    "empty-key",
    "output-out-of-range",
    "columns-of-unequal-length",
    "declines-with-a-megabyte",
    "wakes-in-the-past",
    "state-key-flood",
];

/// Bad ones that are never quarantined: one declines, what the other does is put right.
const GO_ON: [&str; 2] = ["declines-with-a-megabyte", "wakes-in-the-past"];

/// One that runs out of its quota or, on a slow machine, out of its time before.
const EITHER: &str = "state-key-flood";

#[tokio::test]
async fn one_of_each_bad_kind_makes_good_rules_late_in_less_than_a_hundredth_of_batches() {
    let bad: Vec<String> = KINDS.iter().map(|kind| (*kind).to_owned()).collect();
    let mut crowd = held_against_a_quiet_plant(&bad).await;
    // Down after a minute of nothing else, and called all the same.
    let declines = crowd.downs.remove("bad-declines-with-a-megabyte");
    assert_eq!(declines.map(|told| told.len()), Some(1));
    for (name, told) in &crowd.downs {
        assert!(told.len() >= 3, "{name} was tried {told:?}");
        let pauses: Vec<u64> = told
            .windows(2)
            .map(|w| w[1].since(w[0]).as_secs())
            .collect();
        // A start that is being made adds its own time, and others may go first.
        let grows = pauses.windows(2).all(|pair| pair[1] >= pair[0] * 2 - 5);
        assert!(
            grows && pauses[0] >= 30,
            "{name} was tried again after {pauses:?} s"
        );
    }
    crowd.downs.remove(&format!("bad-{EITHER}"));
    let down: Vec<&str> = crowd.downs.keys().map(String::as_str).collect();
    let expected = KINDS
        .iter()
        .filter(|kind| !GO_ON.contains(kind) && **kind != EITHER);
    let mut expected: Vec<String> = expected.map(|kind| format!("bad-{kind}")).collect();
    expected.sort();
    assert_eq!(down, expected);
}

#[tokio::test]
async fn twenty_five_rules_that_hang_at_once_make_them_no_later() {
    let bad = vec!["evaluate-loops".to_owned(); 25];
    let crowd = held_against_a_quiet_plant(&bad).await;
    assert_eq!(crowd.downs.len(), 25, "all are quarantined");
}

/// Runs the good rules alone and with these, and checks that they got all and were not late.
async fn held_against_a_quiet_plant(bad: &[String]) -> Outcome {
    let kit = Kit::load(bad).await;
    let mut attempts = 0;
    loop {
        attempts += 1;
        let quiet = run(&kit, &[]).await;
        let crowd = run(&kit, bad).await;
        println!(
            "late: {} of {BATCHES} batches alone, {} with {} bad instances; these took {:?} of {:?}",
            quiet.late,
            crowd.late,
            bad.len(),
            crowd.busy.saturating_sub(quiet.busy),
            PERIOD * BATCHES
        );
        for outcome in [&quiet, &crowd] {
            let all: Vec<u32> = (0..GOOD).map(|_| BATCHES).collect();
            assert_eq!(outcome.alarms, all, "each good rule answered each batch");
            assert_eq!(
                outcome.rows,
                all.iter().map(|n| u64::from(n * 2)).collect::<Vec<_>>()
            );
        }
        if crowd.late.saturating_sub(quiet.late) * 100 < BATCHES {
            return crowd;
        }
        assert!(attempts < ATTEMPTS, "{} batches were late", crowd.late);
    }
}

/// What came of a run.
#[derive(Default)]
struct Outcome {
    /// Batches that were done later than the call limit after they came.
    late: u32,
    /// Actions of each good rule.
    alarms: Vec<u32>,
    /// Samples that each good rule was given.
    rows: Vec<u64>,
    /// When each bad instance was found to be down, and still down.
    downs: BTreeMap<String, Vec<Timestamp>>,
    /// Time that was not idle.
    busy: Duration,
}

impl Outcome {
    fn take(&mut self, round: &Round) {
        for fired in &round.fired {
            let name = fired.plan.name.strip_prefix("good-");
            if let Some(number) = name.and_then(|number| number.parse::<usize>().ok()) {
                assert!(matches!(
                    fired.actions.as_slice(),
                    [Action::Raise(_)] | [Action::Clear(_)]
                ));
                self.alarms[number] += 1;
            }
        }
        for incident in &round.incidents {
            let kind = incident.kind;
            if matches!(
                kind,
                IncidentKind::Down { .. } | IncidentKind::StillDown { .. }
            ) {
                let told = self.downs.entry(incident.plan.name.clone()).or_default();
                told.push(incident.at);
            }
        }
    }
}

/// The compiled components.
struct Kit {
    limits: Arc<dyn Component>,
    bad: BTreeMap<String, Arc<dyn Component>>,
}

impl Kit {
    async fn load(kinds: &[String]) -> Self {
        let settings = EngineSettings {
            cache_folder: Some(concat!(env!("CARGO_TARGET_TMPDIR"), "/crowd").into()),
            ..EngineSettings::default()
        };
        let engine = WasmEngine::new(settings, Arc::new(RealClock(Instant::now()))).unwrap();
        let bytes = guest("limits.wasm");
        let limits = engine.load("limits.wasm", bytes.into()).await.unwrap();
        let mut bad = BTreeMap::new();
        for kind in kinds {
            if !bad.contains_key(kind) {
                let bytes = shell::component(&shell::text(kind));
                bad.insert(kind.clone(), engine.load(kind, bytes.into()).await.unwrap());
            }
        }
        Self { limits, bad }
    }
}

/// A run of all batches; see the head of this file about its clock.
async fn run(kit: &Kit, bad: &[String]) -> Outcome {
    let mut scheduler = scheduler(kit, bad).await;
    let mut outcome = Outcome {
        alarms: vec![0; GOOD as usize],
        ..Outcome::default()
    };
    let mut now = BEGIN;
    for number in 0..BATCHES {
        let comes = BEGIN.plus(PERIOD * number);
        now = idle(&mut scheduler, now, comes, &mut outcome).await;
        let batch = batch(number, comes);
        let began = Instant::now();
        let round = scheduler.run(now, &batch).await;
        let took = began.elapsed();
        outcome.busy += took;
        now = now.plus(took);
        outcome.late += u32::from(now.since(comes) > CALL);
        outcome.take(&round);
    }
    let last = BEGIN.plus(PERIOD * BATCHES);
    for status in scheduler.status(last) {
        if status.name.starts_with("good-") {
            outcome.rows.push(status.rows);
            assert_eq!((status.failures, status.state), (0, RunState::Running));
        }
    }
    outcome
}

/// Does what is to be done between two batches, as the host does; answers the moment at which the
/// next one is taken.
async fn idle(
    scheduler: &mut Scheduler,
    mut now: Timestamp,
    until: Timestamp,
    outcome: &mut Outcome,
) -> Timestamp {
    while now < until {
        let due = scheduler.next_wake().unwrap_or(until).min(until).max(now);
        if scheduler.is_making_guests() {
            let began = Instant::now();
            let made = tokio::time::timeout(due.since(now), scheduler.progress()).await;
            let after = now.plus(began.elapsed());
            now = if made.is_ok() { after } else { due.max(after) };
        } else {
            now = due;
        }
        if now >= until {
            break;
        }
        let began = Instant::now();
        let round = scheduler.run(now, &SampleBatch::default()).await;
        outcome.take(&round);
        let took = began.elapsed();
        outcome.busy += took;
        now = now.plus(took);
    }
    now.max(until)
}

/// A value for each tag, above the limit and below it by turns, so that each rule has to act.
fn batch(number: u32, at: Timestamp) -> SampleBatch {
    let value = if number.is_multiple_of(2) {
        900.0
    } else {
        100.0
    };
    let mut batch = SampleBatch::default();
    for rule in 0..GOOD {
        batch.push(TagId(rule * 2), value, Quality::GOOD, at);
        batch.push(TagId(rule * 2 + 1), 100.0, Quality::GOOD, at);
    }
    batch
}

async fn scheduler(kit: &Kit, bad: &[String]) -> Scheduler {
    let mut scheduler = Scheduler::new(Arc::new(SampleHistory::default()));
    for rule in 0..GOOD {
        let limits = Limits {
            // A machine that stands still for a moment is no fault of the rule.
            call_time: Duration::from_secs(60),
            ..Limits::default()
        };
        let mut plan = plan(
            &kit.limits,
            &format!("good-{rule}"),
            [rule * 2, rule * 2 + 1],
        );
        plan.parameters = json!({"high": 500.0});
        plan.limits = limits;
        add(&mut scheduler, &kit.limits, plan).await;
    }
    for (number, kind) in (0_u32..).zip(bad) {
        let component = &kit.bad[kind];
        let twins = bad.iter().filter(|other| *other == kind).count() > 1;
        let name = if twins {
            format!("bad-{kind}-{number}")
        } else {
            format!("bad-{kind}")
        };
        let mut plan = plan(component, &name, [number * 2, number * 2 + 1]);
        for output in &component.description().outputs {
            plan.outputs.push(BoundOutput {
                port: output.name.clone(),
                tag: TagId(1_000 + number),
                tag_name: format!("{name}.{}", output.name).into(),
            });
        }
        plan.limits.call_time = CALL;
        plan.limits.start_time = START;
        add(&mut scheduler, component, plan).await;
    }
    scheduler
}

/// Takes an instance in as the host does at its start: one that cannot be started is down.
async fn add(scheduler: &mut Scheduler, component: &Arc<dyn Component>, plan: InstancePlan) {
    let preparation = scheduler.preparation(BEGIN, plan, Arc::clone(component));
    let prepared = preparation.start_or_down().await;
    scheduler.swap(BEGIN, prepared).await.unwrap();
}

fn plan(component: &Arc<dyn Component>, name: &str, tags: [u32; 2]) -> InstancePlan {
    let about = component.description();
    InstancePlan {
        name: name.to_owned(),
        component: format!("{}.wasm", about.name),
        kind: component.kind(),
        inputs: tags
            .into_iter()
            .map(|tag| BoundInput {
                port: about.inputs[0].name.clone(),
                tag: TagId(tag),
                tag_name: format!("t{tag}").into(),
                unit: None,
                value_type: ValueType::F64,
            })
            .collect(),
        outputs: Vec::new(),
        parameters: json!({}),
        labels: Labels::new(),
        limits: Limits::default(),
        on_down: OnDown::Keep,
        needs_acknowledgement: false,
        latching: false,
    }
}

/// What the engine measures calls with.
struct RealClock(Instant);

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        BEGIN.plus(self.0.elapsed())
    }
}
