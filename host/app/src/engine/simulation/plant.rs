//! The plant: levels that wander, a flood in the middle of the week, and the rules that watch them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use andon_model::{
    Action, AlarmId, AlarmRequest, InstancePlan, Labels, Limits, OnDown, PluginKind, Priority,
    StateChange, StateMap, Timestamp,
};
use andon_plugins::{Fired, Trigger};
use rand::RngExt as _;
use rand::rngs::StdRng;

/// Tags, each with a rule of its own.
const TAGS: usize = 120;
/// Samples of the week.
const SAMPLES: usize = 105_000;
/// Where an alarm begins and where it ends.
const HIGH: f64 = 80.0;
const LOW: f64 = 75.0;
/// When the flood begins and how long it lasts.
const FLOOD_FROM: Duration = Duration::from_secs(80 * 3600);
const FLOOD_FOR: Duration = Duration::from_secs(20 * 60);

/// One tag and its rule.
struct Level {
    plan: Arc<InstancePlan>,
    value: f64,
    /// What the rule remembers: whether it raised.
    raised: bool,
}

pub(super) struct Plant {
    levels: Vec<Level>,
    samples: usize,
}

impl Plant {
    pub(super) fn new() -> Self {
        let levels = (0..TAGS)
            .map(|number| Level {
                plan: Arc::new(plan(number)),
                value: 50.0,
                raised: false,
            })
            .collect();
        Self { levels, samples: 0 }
    }

    /// When which tag is read: evenly over the week, and thickly in the flood.
    pub(super) fn schedule(&self, random: &mut StdRng) -> Vec<(Duration, usize)> {
        let week = super::WEEK.as_secs_f64();
        let flood = (FLOOD_FROM.as_secs_f64(), FLOOD_FOR.as_secs_f64());
        (0..SAMPLES)
            .map(|number| {
                let at = if number % 50 == 0 {
                    flood.0 + random.random_range(0.0..flood.1)
                } else {
                    random.random_range(0.0..week)
                };
                (Duration::from_secs_f64(at), random.random_range(0..TAGS))
            })
            .collect()
    }

    /// The level wanders; now and then it jumps, and in the flood it rises.
    pub(super) fn move_on(&mut self, tag: usize, random: &mut StdRng, now: Timestamp) {
        self.samples += 1;
        let since = now.since(super::BEGINS);
        let flood = since >= FLOOD_FROM && since < FLOOD_FROM + FLOOD_FOR;
        let Some(level) = self.levels.get_mut(tag) else {
            return;
        };
        let jumps = if flood { 0.4 } else { 0.021 };
        level.value = if random.random_bool(jumps) {
            random.random_range(85.0..99.0)
        } else if level.value > HIGH && random.random_bool(0.5) {
            level.value
        } else {
            random.random_range(30.0..74.0)
        };
    }

    /// What the rule of a tag asks for, and what it remembers then.
    pub(super) fn rule(&mut self, tag: usize) -> Option<(Fired, StateChange)> {
        let level = self.levels.get_mut(tag)?;
        let action = if level.value >= HIGH {
            level.raised = true;
            Action::Raise(AlarmRequest {
                key: "high".to_owned(),
                priority: priority(tag),
                message: format!("Level {tag} is above {HIGH} %"),
                attributes: Vec::new(),
            })
        } else if level.value < LOW && level.raised {
            level.raised = false;
            Action::Clear("high".to_owned())
        } else {
            return None;
        };
        let fired = Fired {
            plan: Arc::clone(&level.plan),
            actions: vec![action],
            cause: Vec::new(),
            trigger: Trigger::Samples,
            test: false,
        };
        let state = StateChange {
            instance: level.plan.name.clone(),
            key: "raised".to_owned(),
            value: level.raised.then(|| Arc::from(&b"yes"[..])),
        };
        Some((fired, state))
    }

    /// Rules remember what was on the disk.
    pub(super) fn restart(&mut self, states: &BTreeMap<String, StateMap>) {
        for level in &mut self.levels {
            level.raised = states
                .get(&level.plan.name)
                .is_some_and(|state| state.contains_key("raised"));
        }
    }

    /// The condition of a tag, and whether its rule holds it for true.
    pub(super) fn condition(&self, tag: usize) -> Option<(AlarmId, bool)> {
        let level = self.levels.get(tag)?;
        Some((AlarmId::new(&level.plan.name, "high"), level.raised))
    }

    pub(super) fn conditions(&self) -> impl Iterator<Item = (AlarmId, bool)> {
        self.levels
            .iter()
            .map(|level| (AlarmId::new(&level.plan.name, "high"), level.raised))
    }

    pub(super) const fn samples(&self) -> usize {
        self.samples
    }
}

const fn priority(tag: usize) -> Priority {
    match tag % 20 {
        0 => Priority::Critical,
        1..=3 => Priority::High,
        4..=8 => Priority::Medium,
        _ => Priority::Low,
    }
}

fn plan(number: usize) -> InstancePlan {
    let area = ["north", "south", "tanks"][number % 3];
    InstancePlan {
        name: format!("level-{number}"),
        component: "limits.wasm".to_owned(),
        kind: PluginKind::Rule,
        inputs: Vec::new(),
        outputs: Vec::new(),
        parameters: serde_json::Value::Null,
        labels: Labels::from([("area".to_owned(), area.to_owned())]),
        limits: Limits::default(),
        on_down: OnDown::Keep,
        needs_acknowledgement: number % 10 != 9,
        latching: number % 15 == 4,
    }
}
