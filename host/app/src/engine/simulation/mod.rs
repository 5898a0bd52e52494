//! A week of a plant in seconds: alarms, people, phones, crashes, all from one seed.
//!
//! The stages are the real ones, through the same [`super::draft::Draft`] and start as in the
//! engine. Around them everything is played in virtual time: the plant with its rules ([`plant`]),
//! the disk to which commits land a little later ([`disk`]), the providers and the people
//! ([`outside`]). The host dies without warning, and what had not landed is gone.
//! After every step the promises are looked at ([`promises`]): nothing lost, nobody told twice for
//! the same step, every raised alarm answered for.
//!
//! A failure names its seed; the same seed plays the same week again.

mod disk;
mod outside;
mod plant;
mod promises;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use andon_alarms::{AlarmBook, AlarmPolicy, Conditioning, ConditioningPlan, Reach};
use andon_model::{
    Commit, Delivery, DeliveryId, DeliveryState, Incoming, OccurrenceId, Outcome, Priority, Reason,
    Receipt, ReceiptStatus, TagTable, Timestamp, Why,
};
use andon_plugins::Round;
use andon_routing::{Desk, RoutingPlan};
use andon_sinks::courier::CourierPolicy;
use andon_web::Metrics;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use self::disk::Disk;
use self::outside::Outside;
use self::plant::Plant;
use self::promises::Promises;
use super::draft::Draft;
use super::input::Concern;

/// Sunday 2026-10-18, 22:00 UTC: the week in which Europe leaves daylight saving time.
const BEGINS: Timestamp = Timestamp::from_secs(1_792_360_800);
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// After the week the plant is quiet and phones are answered until nothing is owed any more.
const REST: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a commit is on its way to the disk.
const LANDING: Duration = Duration::from_millis(4);

/// What happens next, somewhere.
#[derive(Debug, Clone)]
enum Event {
    /// A tag is read.
    Sample(usize),
    /// The oldest commit on its way reaches the disk, in the host's n-th life.
    Land(u32),
    /// A queued delivery may be due.
    Try(DeliveryId),
    /// A send ended.
    Ended(DeliveryId, u32, Outcome),
    /// A provider reports.
    Report(String, Receipt),
    /// A phone speaks.
    Said(String, Incoming),
    /// Somebody at the machine acknowledges what has stood for long.
    Operator,
    /// A sink cannot send, or can again.
    Sink(&'static str, bool),
    /// A stage may have something to do.
    Wake,
    /// The host dies.
    Crash,
    /// It is started again.
    Start,
}

/// The parts of the host that a crash takes away.
struct Host {
    life: u32,
    book: AlarmBook,
    conditions: Conditioning,
    desk: Desk,
    /// Commits that are not on the disk yet, oldest first.
    underway: Vec<(Commit, Vec<Delivery>)>,
}

struct Week {
    now: Timestamp,
    random: StdRng,
    queue: BinaryHeap<Reverse<(Timestamp, u64, usize)>>,
    events: Vec<Option<Event>>,
    plan: Arc<RoutingPlan>,
    metrics: Metrics,
    plant: Plant,
    outside: Outside,
    disk: Disk,
    host: Option<Host>,
    lives: u32,
    /// When the host was last asked to wake up, so that it is asked once.
    wake: Option<Timestamp>,
    promises: Promises,
}

impl Week {
    fn new(seed: u64) -> Self {
        let mut week = Self {
            now: BEGINS,
            random: StdRng::seed_from_u64(seed),
            queue: BinaryHeap::new(),
            events: Vec::new(),
            plan: outside::plan(),
            metrics: Metrics::default(),
            plant: Plant::new(),
            outside: Outside::default(),
            disk: Disk::default(),
            host: None,
            lives: 0,
            wake: None,
            promises: Promises::default(),
        };
        week.start();
        for (at, tag) in week.plant.schedule(&mut week.random) {
            week.at(BEGINS.plus(at), Event::Sample(tag));
        }
        for hours in [30_u64, 80, 130] {
            let minute = week.random.random_range(0..60);
            let at = BEGINS.plus(Duration::from_secs(hours * 3600 + minute * 60));
            week.at(at, Event::Crash);
        }
        for (sink, from, hours) in [
            ("smsc", 52_u64, 2_u64),
            ("twilio", 100, 1),
            ("smsc", 100, 1),
        ] {
            let from = BEGINS.plus(Duration::from_secs(from * 3600));
            week.at(from, Event::Sink(sink, false));
            let until = from.plus(Duration::from_secs(hours * 3600));
            week.at(until, Event::Sink(sink, true));
        }
        week.at(BEGINS, Event::Operator);
        week
    }

    fn at(&mut self, at: Timestamp, event: Event) {
        let number = self.events.len();
        self.events.push(Some(event));
        let order = u64::try_from(number).unwrap_or(u64::MAX);
        self.queue.push(Reverse((at, order, number)));
    }

    fn after(&mut self, wait: Duration, event: Event) {
        self.at(self.now.plus(wait), event);
    }

    /// Plays until the end of the week and the rest after it.
    fn play(&mut self) {
        let ends = BEGINS.plus(WEEK).plus(REST);
        while let Some(Reverse((at, _, number))) = self.queue.pop() {
            if at > ends {
                break;
            }
            self.now = self.now.max(at);
            if let Some(event) = self.events.get_mut(number).and_then(Option::take) {
                self.happen(event);
            }
        }
        let host = self.host.as_ref().expect("the host runs at the end");
        self.promises
            .at_the_end(&host.book, &self.disk, &self.plant);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Sample(tag) => self.sample(tag),
            Event::Land(life) => self.land(life),
            Event::Try(id) => self.try_to_send(&id),
            Event::Ended(id, attempt, outcome) => self.ended(&id, attempt, outcome),
            Event::Report(sink, receipt) => self.report(sink, receipt),
            Event::Said(sink, message) => self.said(sink, message),
            Event::Operator => self.operator(),
            Event::Sink(sink, up) => self.sink(sink, up),
            Event::Wake => self.wake_up(),
            Event::Crash => self.crash(),
            Event::Start => self.start(),
        }
    }

    /// One input through the stages, with its commit on the way to the disk.
    fn step<T>(&mut self, work: impl FnOnce(&mut Draft<'_>) -> T) -> Option<T> {
        let host = self.host.as_mut()?;
        let mut draft = Draft {
            now: self.now,
            book: &mut host.book,
            conditions: &mut host.conditions,
            desk: &mut host.desk,
            metrics: &self.metrics,
            commit: Commit::default(),
        };
        let done = work(&mut draft);
        let commit = draft.commit;
        if !commit.is_empty() {
            self.promises.after_step(&commit, &host.book, self.now);
            self.promises
                .only_those_on_call(&commit, &self.plan, self.now);
            let due = commit.deliveries.clone();
            host.underway.push((commit, due));
            let life = host.life;
            self.after(LANDING, Event::Land(life));
        }
        self.plan_wake();
        Some(done)
    }

    fn plan_wake(&mut self) {
        let Some(host) = &self.host else { return };
        let next = [
            host.book.next_wake(),
            host.conditions.next_wake(),
            host.desk.next_wake(),
        ];
        let Some(next) = next.into_iter().flatten().min() else {
            return;
        };
        if self
            .wake
            .is_none_or(|planned| planned > next || planned < self.now)
        {
            self.wake = Some(next);
            self.at(next.max(self.now), Event::Wake);
        }
    }

    fn wake_up(&mut self) {
        self.wake = None;
        let Some(host) = &self.host else { return };
        let conditions = host.conditions.next_wake();
        let next = [host.book.next_wake(), host.desk.next_wake()];
        if conditions.is_some_and(|at| at <= self.now) {
            self.step(|draft| draft.conditions_due());
        }
        if next.into_iter().flatten().any(|at| at <= self.now) {
            self.step(|draft| draft.due());
        }
        self.plan_wake();
    }

    fn sample(&mut self, tag: usize) {
        // While the host is down nobody reads the device; the value is there all the same.
        self.plant.move_on(tag, &mut self.random, self.now);
        if self.host.is_none() {
            return;
        }
        let Some((fired, state)) = self.plant.rule(tag) else {
            return;
        };
        let round = Round {
            fired: vec![fired],
            states: vec![state],
            ..Round::default()
        };
        self.step(|draft| draft.round(round));
        if let Some(host) = &self.host {
            self.promises.as_the_rule_says(&host.book, &self.plant, tag);
        }
    }

    fn land(&mut self, life: u32) {
        let Some(host) = self.host.as_mut().filter(|host| host.life == life) else {
            return;
        };
        if host.underway.is_empty() {
            return;
        }
        let (commit, due) = host.underway.remove(0);
        self.disk.write(commit, self.now);
        for row in due {
            match row.state {
                DeliveryState::Queued if row.after.is_none() => {
                    self.at(row.next_at.max(self.now), Event::Try(row.id));
                }
                DeliveryState::Sending => self.on_the_wire(&row),
                DeliveryState::Queued
                | DeliveryState::Sent { .. }
                | DeliveryState::Delivered
                | DeliveryState::Failed
                | DeliveryState::Expired => {}
            }
        }
        self.promises.after_landing(&self.disk);
    }

    /// Claims a row as the courier does, if it is still due.
    fn try_to_send(&mut self, id: &DeliveryId) {
        let Some(host) = &self.host else { return };
        let Some(row) = host.desk.delivery(id).cloned() else {
            return;
        };
        if row.state != DeliveryState::Queued || row.after.is_some() || row.next_at > self.now {
            return;
        }
        if self.now >= row.expires_at {
            let why = Why::new(Reason::Expired, "too old");
            return self.settle(&row.id, row.attempts, Outcome::Expired { why });
        }
        let claimed = Delivery {
            state: DeliveryState::Sending,
            attempts: row.attempts + 1,
            next_at: self.now,
            ..row
        };
        self.step(|draft| draft.claim(vec![claimed]));
    }

    /// The claim is on the disk, so the message goes out.
    fn on_the_wire(&mut self, row: &Delivery) {
        let sent = self.outside.send(row, &mut self.random, self.now);
        self.promises.on_the_wire(row, &sent.outcome);
        let ended = Event::Ended(row.id.clone(), row.attempts, sent.outcome);
        self.after(sent.takes, ended);
        for (wait, receipt) in sent.reports {
            let report = Event::Report(row.channel.sink.clone(), receipt);
            self.after(wait, report);
        }
        if let Some((wait, message)) = sent.reply {
            self.after(wait, Event::Said(row.channel.sink.clone(), message));
        }
    }

    fn ended(&mut self, id: &DeliveryId, attempt: u32, outcome: Outcome) {
        let current = self.host.as_ref().and_then(|host| host.desk.delivery(id));
        // The outcome of a send before the crash reached nobody.
        if current.is_some_and(|row| row.state == DeliveryState::Sending && row.attempts == attempt)
        {
            self.settle(id, attempt, outcome);
        }
    }

    fn settle(&mut self, id: &DeliveryId, attempt: u32, outcome: Outcome) {
        let jitter = self.random.random_range(-1.0..1.0);
        let policy = CourierPolicy::default();
        self.step(|draft| draft.outcome(&policy, id, attempt, outcome, jitter));
    }

    fn report(&mut self, sink: String, receipt: Receipt) {
        if self.host.is_none() {
            // The provider keeps it.
            return self.after(Duration::from_secs(60), Event::Report(sink, receipt));
        }
        if receipt.status == ReceiptStatus::Failed {
            self.promises.lost(&receipt.provider_id);
        }
        self.step(|draft| draft.receipt(&sink, &receipt));
    }

    fn said(&mut self, sink: String, message: Incoming) {
        if self.host.is_none() {
            return self.after(Duration::from_secs(60), Event::Said(sink, message));
        }
        if self.disk.heard(&sink, &message.provider_id) {
            return;
        }
        self.step(|draft| draft.incoming(&sink, &message));
    }

    /// Every four hours somebody looks at the list and acknowledges what has stood for two.
    fn operator(&mut self) {
        self.after(Duration::from_secs(4 * 3600), Event::Operator);
        let Some(host) = &self.host else { return };
        let now = self.now;
        let old: Vec<String> = host
            .book
            .standing()
            .filter(|record| record.state.is_unacknowledged())
            .filter(|record| now.since(record.raised_at) > Duration::from_secs(2 * 3600))
            .map(|record| record.occurrence.to_string())
            .collect();
        for number in old {
            self.step(|draft| {
                draft
                    .acknowledge(&number, "operator")
                    .expect("it stands, so it can be acknowledged")
            });
        }
    }

    fn sink(&mut self, sink: &'static str, up: bool) {
        self.outside.set(sink, up);
        let concern = if up {
            Concern::clear(format!("sink.{sink}"))
        } else {
            Concern::raise(
                format!("sink.{sink}"),
                Priority::High,
                format!("{sink} is down"),
            )
        };
        self.step(|draft| draft.concern(concern));
    }

    /// The host dies at a bad moment: with messages owed, and if it can be in the midst of a send.
    fn crash(&mut self) {
        let busy = self.host.as_ref().is_some_and(|host| {
            let sending = |row: &Delivery| row.state == DeliveryState::Sending;
            host.desk.figures().owed >= 2 && self.disk.deliveries().values().any(sending)
        });
        if !busy {
            return self.after(Duration::from_millis(50), Event::Crash);
        }
        if let Some(host) = self.host.take() {
            self.promises.crashed(&host.underway);
        }
        let wait = Duration::from_secs(self.random.random_range(20..600));
        self.after(wait, Event::Start);
    }

    fn start(&mut self) {
        self.lives += 1;
        let loaded = self.disk.load();
        let (mut book, unreadable) = super::start::restore_book(&loaded, AlarmPolicy::default());
        assert!(unreadable.is_empty(), "{unreadable:?}");
        let mut conditions = Conditioning::restore(&loaded.rows, self.now);
        let rows = self.disk.remembered();
        let (desk, commit, owed) = super::start::reopen(
            (&mut book, &mut conditions),
            Arc::clone(&self.plan),
            rows,
            &loaded,
            &self.metrics,
            self.now,
        );
        let (plan, reach) = (ConditioningPlan::default(), Reach::default());
        conditions.replace(plan, reach, &TagTable::default(), &book, self.now);
        self.plant.restart(&loaded.states);
        self.promises.restarted(&book, &self.plant);
        let life = self.lives;
        self.host = Some(Host {
            life,
            book,
            conditions,
            desk,
            underway: vec![(commit, Vec::new())],
        });
        self.after(LANDING, Event::Land(life));
        for row in owed {
            match row.state {
                // Nobody knows what came of it, and these providers cannot be asked.
                DeliveryState::Sending => {
                    let why = Why::new(Reason::ResultUnknown, "the host ended");
                    self.settle(&row.id, row.attempts, Outcome::Unknown { why });
                }
                DeliveryState::Queued if row.after.is_none() => {
                    self.at(row.next_at.max(self.now), Event::Try(row.id));
                }
                DeliveryState::Queued
                | DeliveryState::Sent { .. }
                | DeliveryState::Delivered
                | DeliveryState::Failed
                | DeliveryState::Expired => {}
            }
        }
        self.wake = None;
        self.plan_wake();
    }
}

/// An occurrence, for messages of failures.
fn named(occurrence: OccurrenceId) -> String {
    format!("occurrence {occurrence}")
}

#[test]
fn a_week_of_a_plant_keeps_every_promise() {
    let seeds = match std::env::var("ANDON_WEEK_SEED") {
        Ok(seed) => vec![seed.parse().expect("ANDON_WEEK_SEED is a number")],
        Err(_) => vec![1, 2, 3],
    };
    for seed in seeds {
        let mut week = Week::new(seed);
        week.promises.seed(seed);
        week.play();
        let told = week.promises.told();
        println!(
            "seed {seed}: {} samples, {told}, {} lives",
            week.plant.samples(),
            week.lives
        );
        assert!(week.plant.samples() >= 100_000, "seed {seed}");
        assert!(week.promises.raised() >= 2_000, "seed {seed}: {told}");
        assert_eq!(week.lives, 4, "seed {seed}");
    }
}

#[test]
fn the_same_seed_plays_the_same_week() {
    let play = || -> BTreeMap<DeliveryId, Delivery> {
        let mut week = Week::new(7);
        week.promises.seed(7);
        week.play();
        week.disk.deliveries().clone()
    };
    assert_eq!(play(), play());
}
