//! Escalations and trees of routes against naive models, over random lives and restarts.
//!
//! The model of an escalation writes down at the raise when each step and repeat is due, and looks
//! at the list. Whatever happens: a telling goes out when the list says so, at once for all that
//! was missed; nobody is told twice in one telling; after the answer only notices and ends follow.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use andon_model::{
    AlarmRecord, AlarmState, Delivery, DeliveryKind, Labels, OccurrenceId, Priority, Timestamp,
    Transition,
};
use andon_routing::{PeopleSettings, RouteSettings, check};
use proptest::prelude::*;

use crate::office::{Office, pump, sinks};

const NAMES: [&str; 4] = ["anna", "bob", "chief", "dora"];

#[derive(Debug, Clone)]
struct Plan {
    steps: Vec<Step>,
}

#[derive(Debug, Clone)]
struct Step {
    to: BTreeSet<usize>,
    after_minutes: u64,
    repeats: u64,
    every_minutes: u64,
}

fn plans() -> impl Strategy<Value = Plan> {
    let step = (
        prop::collection::btree_set(0..NAMES.len(), 1..3),
        1..20_u64,
        0..3_u64,
        1..6_u64,
    )
        .prop_map(|(to, after_minutes, repeats, every_minutes)| Step {
            to,
            after_minutes,
            repeats,
            every_minutes,
        });
    prop::collection::vec(step, 1..4).prop_map(|steps| Plan { steps })
}

impl Plan {
    fn settings(&self) -> String {
        let mut text = String::new();
        for (place, name) in NAMES.iter().enumerate() {
            let _unfailing = writeln!(
                text,
                "[[contacts]]\nname = \"{name}\"\nphone = \"+479000000{place}\"\nchannels = [\"smsc\"]"
            );
        }
        text.push_str("[[escalations]]\nname = \"crew\"\nagain_times = 0\nsteps = [\n");
        for step in &self.steps {
            let to: Vec<String> = step
                .to
                .iter()
                .map(|who| format!("\"{}\"", NAMES[*who]))
                .collect();
            let repeat = match step.repeats {
                0 => String::new(),
                times => format!(
                    ", repeat = {{ times = {times}, every = \"{}m\" }}",
                    step.every_minutes
                ),
            };
            let _unfailing = writeln!(
                text,
                "{{ to = [{}], after = \"{}m\"{repeat} }},",
                to.join(", "),
                step.after_minutes
            );
        }
        text.push_str("]\n[[routes]]\nname = \"all\"\nescalation = \"crew\"\n[routing]\nfallback = [\"dora\"]\n");
        text
    }

    /// When whom, from the raise on.
    fn list(&self, raised: Timestamp) -> Vec<(Timestamp, BTreeSet<usize>)> {
        let minutes = |count: u64| std::time::Duration::from_secs(count * 60);
        let mut list = Vec::new();
        let mut at = raised;
        for step in &self.steps {
            at = at.plus(minutes(step.after_minutes));
            list.push((at, step.to.clone()));
            for _ in 0..step.repeats {
                at = at.plus(minutes(step.every_minutes));
                list.push((at, step.to.clone()));
            }
        }
        list
    }
}

#[derive(Debug, Clone)]
enum Act {
    Raise,
    Acknowledge(prop::sample::Index),
    Take(prop::sample::Index),
    Clear(prop::sample::Index),
    Update(prop::sample::Index),
    /// The host runs for so many minutes.
    Pass(u64),
    /// It is down for so many minutes.
    Down(u64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let index = any::<prop::sample::Index>;
    let act = prop_oneof![
        3 => Just(Act::Raise),
        1 => index().prop_map(Act::Acknowledge),
        1 => index().prop_map(Act::Take),
        1 => index().prop_map(Act::Clear),
        1 => index().prop_map(Act::Update),
        6 => (1..15_u64).prop_map(Act::Pass),
        2 => (0..40_u64).prop_map(Act::Down),
    ];
    prop::collection::vec(act, 1..40)
}

struct World {
    office: Office,
    plan: Plan,
    next: u64,
    /// What is still to come, by occurrence; empty once somebody answered.
    lists: BTreeMap<OccurrenceId, Vec<(Timestamp, BTreeSet<usize>)>>,
    told: BTreeSet<(OccurrenceId, u32, String)>,
}

impl World {
    fn pick(&self, index: &prop::sample::Index) -> Option<AlarmRecord> {
        let all: Vec<&AlarmRecord> = self.office.standing.values().collect();
        (!all.is_empty()).then(|| (*index.get(&all)).clone())
    }

    /// Takes out of the lists what is due, and compares it with what the desk told.
    fn compare(&mut self, rows: &[Delivery]) {
        let mut wanted: BTreeSet<(OccurrenceId, String)> = BTreeSet::new();
        for (occurrence, list) in &mut self.lists {
            while list.first().is_some_and(|(at, _)| *at <= self.office.now) {
                let (_, people) = list.remove(0);
                wanted.extend(
                    people
                        .iter()
                        .map(|who| (*occurrence, NAMES[*who].to_owned())),
                );
            }
        }
        let mut found: BTreeSet<(OccurrenceId, String)> = BTreeSet::new();
        for row in rows.iter().filter(|row| row.kind == DeliveryKind::Alert) {
            assert!(
                self.told
                    .insert((row.occurrence, row.step, row.contact.clone())),
                "told twice for one step: {row:?}"
            );
            found.insert((row.occurrence, row.contact.clone()));
        }
        assert_eq!(found, wanted, "at {}", self.office.now);
    }

    fn pass(&mut self, minutes: u64) {
        let end = self
            .office
            .now
            .plus(std::time::Duration::from_secs(minutes * 60));
        while let Some(at) = self.office.desk.next_wake().filter(|at| *at <= end) {
            self.office.now = self.office.now.max(at);
            let rows = self.office.on_time();
            self.compare(&rows);
        }
        self.office.now = end;
        self.compare(&[]);
    }

    fn answered(&mut self, record: &AlarmRecord, rows: &[Delivery]) {
        self.lists.remove(&record.occurrence);
        assert!(
            rows.iter()
                .all(|row| matches!(row.kind, DeliveryKind::Notice | DeliveryKind::Resolved)),
            "{rows:?}"
        );
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Raise => {
                self.next += 1;
                let record = pump(self.next);
                self.lists
                    .insert(record.occurrence, self.plan.list(self.office.now));
                let rows = self.office.raise(&record);
                self.compare(&rows);
                assert!(
                    self.office.raise(&record).is_empty(),
                    "the same event again"
                );
            }
            Act::Acknowledge(index) => {
                if let Some(record) = self.pick(index) {
                    let acknowledged = AlarmRecord {
                        state: AlarmState::Acknowledged,
                        acknowledged: Some(self.office.acknowledgement("anna")),
                        ..record
                    };
                    let rows = self
                        .office
                        .event(Transition::Acknowledged, acknowledged.clone());
                    self.answered(&acknowledged, &rows);
                }
            }
            Act::Take(index) => {
                if let Some(record) = self.pick(index) {
                    let rows = self.office.take(&record, "bob");
                    self.answered(&record, &rows);
                }
            }
            Act::Clear(index) => {
                if let Some(record) = self.pick(index) {
                    let rows = self.office.clear(&record);
                    self.answered(&record, &rows);
                }
            }
            Act::Update(index) => {
                if let Some(record) = self.pick(index) {
                    assert!(self.office.event(Transition::Updated, record).is_empty());
                }
            }
            Act::Pass(minutes) => self.pass(*minutes),
            Act::Down(minutes) => {
                self.office.pass(minutes * 60);
                self.office.restart();
                let rows = self.office.on_time();
                self.compare(&rows);
            }
        }
    }
}

/// Which routes an alarm takes, straight from the settings.
fn naive<'a>(routes: &'a [RouteSettings], record: &AlarmRecord, found: &mut Vec<&'a str>) -> bool {
    let mut any = false;
    for route in routes {
        let priority = route.priority.unwrap_or(Priority::Low);
        let fits = record.priority >= priority
            && route
                .labels
                .iter()
                .all(|(name, value)| record.labels.get(name) == Some(value));
        if !fits {
            continue;
        }
        any = true;
        if !naive(&route.routes, record, found) {
            found.push(&route.name);
        }
        if !route.goes_on {
            break;
        }
    }
    any
}

type Seed = (Vec<(u8, u8)>, u8, bool, Vec<(Vec<(u8, u8)>, u8, bool)>);

fn seeds() -> impl Strategy<Value = Vec<Seed>> {
    let labels = || prop::collection::vec((0..3_u8, 0..4_u8), 0..3);
    let child = (labels(), 0..4_u8, any::<bool>());
    let route = (
        labels(),
        0..4_u8,
        prop::bool::weighted(0.8),
        prop::collection::vec(child, 0..12),
    );
    prop::collection::vec(route, 1..14)
}

fn labels(pairs: &[(u8, u8)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| (format!("l{name}"), value.to_string()))
        .collect()
}

fn priority(number: u8) -> Priority {
    [
        Priority::Low,
        Priority::Medium,
        Priority::High,
        Priority::Critical,
    ][usize::from(number)]
}

fn tree(seeds: &[Seed]) -> Vec<RouteSettings> {
    let route = |name: String, pairs: &[(u8, u8)], number: u8, goes_on: bool| RouteSettings {
        name,
        labels: labels(pairs),
        priority: Some(priority(number)),
        to: Some(vec!["anna".to_owned()]),
        goes_on,
        ..RouteSettings::default()
    };
    let routes = seeds
        .iter()
        .enumerate()
        .map(|(place, (pairs, number, goes_on, children))| {
            let below = children
                .iter()
                .enumerate()
                .map(|(inner, (pairs, number, goes_on))| {
                    route(format!("r{place}.{inner}"), pairs, *number, *goes_on)
                });
            RouteSettings {
                routes: below.collect(),
                ..route(format!("r{place}"), pairs, *number, *goes_on)
            }
        });
    routes.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_unanswered_step_is_told_once_and_nothing_after_the_answer(
        plan in plans(), acts in acts()
    ) {
        let office = Office::with(&plan.settings());
        let mut world = World {
            office, plan, next: 0, lists: BTreeMap::new(), told: BTreeSet::new(),
        };
        for act in &acts {
            world.act(act);
        }
        // Long enough for every step of what nobody answered.
        world.pass(24 * 60);
        prop_assert!(world.lists.values().all(Vec::is_empty));
    }

    #[test]
    fn an_alarm_takes_the_routes_that_a_plain_walk_finds(
        seeds in seeds(), alarms in prop::collection::vec((prop::collection::vec((0..3_u8, 0..4_u8), 0..4), 0..4_u8), 1..12)
    ) {
        let people: PeopleSettings = toml::from_str(
            "[[contacts]]\nname = \"anna\"\nphone = \"+4790000001\"\nchannels = [\"smsc\"]\n\
             [routing]\nfallback = [\"anna\"]",
        ).expect("settings parse");
        let people = PeopleSettings { routes: tree(&seeds), ..people };
        // Routes that nothing reaches are refused; that is no loss here.
        if let (Some(plan), _) = check(&people, &sinks()) {
            for (pairs, number) in alarms {
                let record = AlarmRecord {
                    labels: labels(&pairs).into_iter().collect::<Labels>(),
                    priority: priority(number),
                    ..pump(1)
                };
                let mut expected = Vec::new();
                naive(&people.routes, &record, &mut expected);
                prop_assert_eq!(plan.routes_of(&record), expected);
            }
        }
    }
}
