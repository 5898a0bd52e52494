//! Components and guests made of closures.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use andon_model::{
    Action, AlarmRequest, BoundInput, BoundOutput, CallError, CallErrorKind, Columns, Component,
    Description, Guest, History, InputPort, InstancePlan, Limits, OnDown, Output, OutputPort,
    PluginKind, PortType, Priority, Quality, Reply, SampleBatch, Setup, Started, StateChange,
    TagId, Timestamp, ValueType,
};
use andon_plugins::{Applied, Prepared, Round, SampleHistory, Scheduler};
use async_trait::async_trait;
use futures::executor::block_on;

/// What one call of a fake guest may see and do.
pub(crate) struct Scene<'a> {
    pub(crate) now: Timestamp,
    pub(crate) samples: &'a Columns,
    pub(crate) history: &'a dyn History,
    pub(crate) inputs: &'a [TagId],
    /// Scratch that dies with the guest.
    pub(crate) own: &'a mut BTreeMap<String, f64>,
    pub(crate) state: BTreeMap<String, Arc<[u8]>>,
    pub(crate) wake_at: Option<Timestamp>,
    pub(crate) memory_bytes: &'a mut usize,
}

impl Scene<'_> {
    pub(crate) fn number(&self, key: &str) -> f64 {
        let bytes = self.state.get(key).map(|b| b.to_vec()).unwrap_or_default();
        String::from_utf8(bytes).unwrap().parse().unwrap_or(0.0)
    }

    pub(crate) fn remember(&mut self, key: &str, number: f64) {
        let bytes: Arc<[u8]> = number.to_string().into_bytes().into();
        self.state.insert(key.into(), bytes);
    }
}

type Logic = dyn Fn(&mut Scene<'_>) -> Result<Output, CallError> + Send + Sync;
type Gate = dyn Fn(&Setup) -> Result<Option<Timestamp>, CallError> + Send + Sync;

/// A component whose guests run a closure.
pub(crate) struct Fake {
    kind: PluginKind,
    description: Description,
    hash: String,
    logic: Arc<Logic>,
    gate: Box<Gate>,
    pub(crate) starts: Arc<AtomicUsize>,
    pub(crate) calls: Arc<Mutex<Vec<Columns>>>,
}

pub(crate) fn failure(kind: CallErrorKind) -> CallError {
    CallError::new(kind, format!("made to fail: {kind:?}"))
}

pub(crate) fn raise(key: &str, message: &str) -> Action {
    Action::Raise(AlarmRequest {
        key: key.into(),
        priority: Priority::High,
        message: message.into(),
        attributes: vec![("unit".into(), "pump-1".into())],
    })
}

impl Fake {
    pub(crate) fn rule(
        logic: impl Fn(&mut Scene<'_>) -> Result<Vec<Action>, CallError> + Send + Sync + 'static,
    ) -> Self {
        Self::new(PluginKind::Rule, move |scene: &mut Scene<'_>| {
            logic(scene).map(Output::Actions)
        })
    }

    pub(crate) fn function(
        logic: impl Fn(&mut Scene<'_>) -> Result<Columns, CallError> + Send + Sync + 'static,
    ) -> Self {
        Self::new(PluginKind::Function, move |scene: &mut Scene<'_>| {
            logic(scene).map(Output::Samples)
        })
    }

    pub(crate) fn new(
        kind: PluginKind,
        logic: impl Fn(&mut Scene<'_>) -> Result<Output, CallError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            kind,
            description: Description {
                name: "fake".into(),
                version: "1.0.0".into(),
                summary: String::new(),
                inputs: vec![InputPort {
                    name: "input".into(),
                    port_type: PortType::Any,
                    default: None,
                    many: true,
                    optional: false,
                    summary: String::new(),
                }],
                outputs: if kind == PluginKind::Function {
                    vec![OutputPort {
                        name: "output".into(),
                        port_type: PortType::Number,
                        unit: None,
                        summary: String::new(),
                    }]
                } else {
                    Vec::new()
                },
                parameters: serde_json::Value::Null,
            },
            hash: "a".repeat(64),
            logic: Arc::new(logic),
            gate: Box::new(|_| Ok(None)),
            starts: Arc::default(),
            calls: Arc::default(),
        }
    }

    /// Decides whether a guest starts, and when it asks to wake up.
    pub(crate) fn gate(
        mut self,
        gate: impl Fn(&Setup) -> Result<Option<Timestamp>, CallError> + Send + Sync + 'static,
    ) -> Self {
        self.gate = Box::new(gate);
        self
    }

    pub(crate) fn with_hash(mut self, hash: &str) -> Self {
        self.hash = hash.into();
        self
    }

    pub(crate) fn named(mut self, name: &str) -> Self {
        self.description.name = name.into();
        self
    }

    /// What every call so far was given.
    pub(crate) fn seen(&self) -> Vec<Vec<(u32, f64)>> {
        let calls = self.calls.lock().unwrap();
        calls
            .iter()
            .map(|c| {
                c.rows()
                    .map(|(input, value, _, _)| (input, value))
                    .collect()
            })
            .collect()
    }

    pub(crate) fn started(&self) -> usize {
        self.starts.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Component for Fake {
    fn kind(&self) -> PluginKind {
        self.kind
    }
    fn description(&self) -> &Description {
        &self.description
    }
    fn hash(&self) -> &str {
        &self.hash
    }
    fn contract_version(&self) -> &str {
        "0.1.0"
    }
    fn imports(&self) -> &[String] {
        &[]
    }
    async fn start(&self, setup: Setup) -> Result<Started, CallError> {
        self.starts.fetch_add(1, Ordering::SeqCst);
        let wake_at = (self.gate)(&setup)?;
        Ok(Started {
            guest: Box::new(FakeGuest {
                logic: Arc::clone(&self.logic),
                calls: Arc::clone(&self.calls),
                setup,
                own: BTreeMap::new(),
                memory_bytes: 1 << 20,
                lost: false,
            }),
            state: Vec::new(),
            wake_at,
        })
    }
}

struct FakeGuest {
    logic: Arc<Logic>,
    calls: Arc<Mutex<Vec<Columns>>>,
    setup: Setup,
    own: BTreeMap<String, f64>,
    memory_bytes: usize,
    lost: bool,
}

#[async_trait]
impl Guest for FakeGuest {
    async fn call(&mut self, now: Timestamp, samples: &Columns) -> Result<Reply, CallError> {
        assert!(!self.lost, "a lost guest was called again");
        self.calls.lock().unwrap().push(samples.clone());
        let mut scene = Scene {
            now,
            samples,
            history: self.setup.history.as_ref(),
            inputs: &self.setup.inputs,
            own: &mut self.own,
            state: self.setup.state.clone(),
            wake_at: None,
            memory_bytes: &mut self.memory_bytes,
        };
        let output =
            (self.logic)(&mut scene).inspect_err(|error| self.lost = error.guest_is_lost())?;
        let (after, wake_at) = (scene.state, scene.wake_at);
        let state = changes(&self.setup.instance, &self.setup.state, &after);
        self.setup.state = after;
        Ok(Reply {
            output,
            state,
            wake_at,
            elapsed: Duration::from_micros(1),
        })
    }

    fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }
}

fn changes(
    instance: &str,
    before: &BTreeMap<String, Arc<[u8]>>,
    after: &BTreeMap<String, Arc<[u8]>>,
) -> Vec<StateChange> {
    let keys = before.keys().chain(after.keys());
    let mut keys: Vec<&String> = keys.collect();
    keys.sort();
    keys.dedup();
    keys.into_iter()
        .filter(|key| before.get(*key) != after.get(*key))
        .map(|key| StateChange {
            instance: instance.into(),
            key: key.clone(),
            value: after.get(key).cloned(),
        })
        .collect()
}

/// A plan of an instance; tags are numbered, `t3` is tag 3.
pub(crate) fn plan(name: &str, kind: PluginKind, inputs: &[u32], outputs: &[u32]) -> InstancePlan {
    InstancePlan {
        name: name.into(),
        component: "fake.wasm".into(),
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

pub(crate) fn rule_plan(name: &str, inputs: &[u32]) -> InstancePlan {
    plan(name, PluginKind::Rule, inputs, &[])
}

pub(crate) fn function_plan(name: &str, inputs: &[u32], output: u32) -> InstancePlan {
    plan(name, PluginKind::Function, inputs, &[output])
}

/// Good samples of numbered tags, all read at this second.
pub(crate) fn batch(at: i64, rows: &[(u32, f64)]) -> SampleBatch {
    let mut batch = SampleBatch::default();
    for (tag, value) in rows {
        batch.push(TagId(*tag), *value, Quality::GOOD, secs(at));
    }
    batch
}

pub(crate) fn secs(at: i64) -> Timestamp {
    Timestamp::from_secs(at)
}

/// A scheduler with the calls that tests make all the time.
pub(crate) struct Bench {
    pub(crate) scheduler: Scheduler,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self {
            scheduler: Scheduler::new(Arc::new(SampleHistory::default())),
        }
    }

    pub(crate) fn prepare(&self, at: i64, plan: InstancePlan, fake: &Arc<Fake>) -> Prepared {
        let component = Arc::clone(fake) as Arc<dyn Component>;
        let preparation = self.scheduler.preparation(secs(at), plan, component);
        block_on(preparation.start()).unwrap()
    }

    pub(crate) fn add(&mut self, at: i64, plan: InstancePlan, fake: Fake) -> Arc<Fake> {
        let fake = Arc::new(fake);
        self.swap(at, plan, &fake);
        fake
    }

    pub(crate) fn swap(&mut self, at: i64, plan: InstancePlan, fake: &Arc<Fake>) -> Applied {
        let prepared = self.prepare(at, plan, fake);
        block_on(self.scheduler.swap(secs(at), prepared)).unwrap()
    }

    pub(crate) fn run(&mut self, at: i64, rows: &[(u32, f64)]) -> Round {
        block_on(self.scheduler.run(secs(at), &batch(at, rows)))
    }

    /// Runs at the next wake-up, if there is one by then.
    pub(crate) fn wake(&mut self, until: i64) -> Option<(Timestamp, Round)> {
        let at = self.scheduler.next_wake().filter(|at| *at <= secs(until))?;
        let round = block_on(self.scheduler.run(at, &SampleBatch::default()));
        Some((at, round))
    }
}

/// The words of a round's incidents.
pub(crate) fn words(round: &Round) -> Vec<&'static str> {
    round.incidents.iter().map(|i| i.kind.word()).collect()
}

/// Derived samples of a round.
pub(crate) fn derived(round: &Round) -> Vec<(u32, f64, &'static str)> {
    round
        .derived
        .rows()
        .map(|(tag, value, quality, _)| (tag.0, value, quality.word()))
        .collect()
}
