//! The reader of one device: poll cycles, first contacts, silent units, the lost device.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use andon_model::SampleBatch;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::backoff::pause;
use super::connection::{Connection, Fault};
use super::unit::{Asking, State, Unit};
use crate::plan::DevicePlan;
use crate::readers::{DeviceEvent, Link, Surroundings};
use crate::schedule::{Schedule, monotonic};
use crate::statistics::DeviceStatistics;

/// Asking a silent unit is followed by this many times the pause that it took.
const SILENT_PAUSE_FACTOR: u32 = 10;
/// A device without tags has nothing to wait for but a new plan.
const IDLE: Duration = Duration::from_secs(3600);

/// Whoever takes the batches is gone: there is nobody to read for.
#[derive(Debug)]
pub(crate) struct ReceiverGone;

/// Reads one device until its plans end, or the receiver is gone, or the caller drops the future.
pub(crate) async fn read_device(
    mut plans: watch::Receiver<Arc<DevicePlan>>,
    surroundings: Surroundings,
) -> Result<(), ReceiverGone> {
    let plan = Arc::clone(&plans.borrow_and_update());
    let mut reader = DeviceReader::new(plan, surroundings);
    loop {
        match plans.has_changed() {
            Ok(true) => {
                let plan = Arc::clone(&plans.borrow_and_update());
                reader.adopt(plan);
            }
            Ok(false) => {}
            Err(_) => return Ok(()),
        }
        let Some(wake) = reader.turn().await? else {
            // Answers may be there at once for ever; others want to run too.
            tokio::task::yield_now().await;
            continue;
        };
        tokio::select! {
            () = sleep_until(wake) => {}
            changed = plans.changed() => match changed {
                Ok(()) => plans.mark_changed(),
                Err(_) => return Ok(()),
            },
        }
    }
}

struct DeviceReader {
    plan: Arc<DevicePlan>,
    surroundings: Surroundings,
    statistics: Arc<DeviceStatistics>,
    connection: Connection,
    schedule: Schedule,
    units: Vec<Unit>,
    /// No silent unit is asked before.
    silent_not_before: Instant,
    /// Nothing could be read for a while: the schedule has to start again.
    is_lost: bool,
    batch: SampleBatch,
    events: Vec<DeviceEvent>,
}

impl DeviceReader {
    fn new(plan: Arc<DevicePlan>, surroundings: Surroundings) -> Self {
        let statistics = surroundings.statistics.device(&plan.name);
        let now = monotonic();
        let dial = Arc::clone(&surroundings.dial);
        Self {
            connection: Connection::new(&plan, dial, Arc::clone(&statistics)),
            schedule: Schedule::new(&plan.classes, &Schedule::default(), now),
            units: units_of(&plan, &statistics),
            plan,
            surroundings,
            statistics,
            silent_not_before: now,
            is_lost: false,
            batch: SampleBatch::default(),
            events: Vec::new(),
        }
    }

    /// Goes on by a new plan. Connection, grid, qualities and values of what stays are kept, so that
    /// a reload neither turns a tag bad nor repeats a sample.
    fn adopt(&mut self, plan: Arc<DevicePlan>) {
        let moved = self.plan.endpoint != plan.endpoint;
        let mut units = units_of(&plan, &self.statistics);
        let mut memory = HashMap::new();
        for old in &mut self.units {
            old.remember(&mut memory);
        }
        for unit in &mut units {
            unit.recall(&mut memory);
            if let Some(old) = self.units.iter().find(|old| old.unit_id == unit.unit_id) {
                unit.inherit(old);
            }
            if moved {
                unit.state = State::Fresh;
            }
        }
        self.connection.adopt(&plan);
        self.schedule = Schedule::new(&plan.classes, &self.schedule, monotonic());
        self.units = units;
        self.plan = plan;
    }

    /// Does what is due. Answers when there is something to do next; none: at once.
    async fn turn(&mut self) -> Result<Option<Instant>, ReceiverGone> {
        let now = monotonic();
        if let Some(until) = self.connection.closed_until(now) {
            self.is_lost = true;
            return Ok(Some(until));
        }
        if std::mem::take(&mut self.is_lost) {
            self.schedule.resume(now);
        }
        let due = self.schedule.take_due(now);
        self.statistics
            .cycles_skipped
            .fetch_add(due.skipped, Relaxed);
        if !due.classes.is_empty() {
            self.cycle(&due.classes).await?;
        }
        let contacted = self.contact_next().await?;
        if contacted || !due.classes.is_empty() {
            return Ok(None);
        }
        let wakes = [self.schedule.next(), self.next_silent()];
        Ok(Some(
            wakes.into_iter().flatten().min().unwrap_or(now + IDLE),
        ))
    }

    /// Reads the due classes of all units that answer: one batch, sent in pieces only where a unit
    /// falls silent meanwhile, because waiting for it takes time.
    async fn cycle(&mut self, classes: &[usize]) -> Result<(), ReceiverGone> {
        let mut attempts = self.plan.attempts;
        self.statistics.cycles.fetch_add(1, Relaxed);
        for index in 0..self.units.len() {
            let answering = |unit: &Unit| unit.state == State::Answering;
            if !self.units.get(index).is_some_and(answering) {
                continue;
            }
            if let Err(fault) = self.read_unit(index, Some(classes), attempts).await {
                // One failure a cycle may be bad luck; for the others there is no time.
                attempts = 1;
                self.fail_unit(index, &fault);
                self.send().await?;
            }
        }
        self.send().await
    }

    /// Asks one unit that takes no part in the cycles, if it is time for one.
    async fn contact_next(&mut self) -> Result<bool, ReceiverGone> {
        let began = monotonic();
        if self.connection.closed_until(began).is_some() {
            return Ok(false);
        }
        let Some(index) = self.choose_contact(began) else {
            return Ok(false);
        };
        match self.read_unit(index, None, 1).await {
            Ok(()) => self.welcome(index),
            Err(fault) => {
                let took = monotonic().duration_since(began);
                self.fail_unit(index, &fault);
                let others_answer = self.units.iter().any(|unit| unit.state == State::Answering);
                if others_answer {
                    self.silent_not_before = monotonic() + took * SILENT_PAUSE_FACTOR;
                }
            }
        }
        self.send().await?;
        Ok(true)
    }

    fn choose_contact(&self, now: Instant) -> Option<usize> {
        let fresh = self
            .units
            .iter()
            .position(|unit| unit.state == State::Fresh);
        fresh.or_else(|| {
            let may_ask_silent = self.silent_not_before <= now;
            let waiting = self.units.iter().enumerate().filter_map(|(index, unit)| {
                matches!(unit.state, State::Silent { next, .. } if next <= now && may_ask_silent)
                    .then_some(index)
            });
            waiting.min_by_key(|index| self.units.get(*index).and_then(silent_until))
        })
    }

    fn next_silent(&self) -> Option<Instant> {
        let next = self.units.iter().filter_map(silent_until).min()?;
        Some(next.max(self.silent_not_before))
    }

    async fn read_unit(
        &mut self,
        index: usize,
        classes: Option<&[usize]>,
        attempts: u8,
    ) -> Result<(), Fault> {
        let Some(unit) = self.units.get_mut(index) else {
            return Ok(());
        };
        let learnt = unit.learnt_at();
        if learnt.is_some_and(|at| monotonic() >= at + self.plan.refused_retry) {
            unit.forget_refusals();
        }
        let mut asking = Asking {
            connection: &mut self.connection,
            clock: &*self.surroundings.clock,
            batch: &mut self.batch,
            attempts,
        };
        unit.read(classes, &mut asking).await
    }

    fn welcome(&mut self, index: usize) {
        if let Some(unit) = self.units.get_mut(index) {
            unit.state = State::Answering;
            self.report(index, Link::Up, "answers".into());
        }
    }

    /// Notes that a unit did not answer. A connection that cannot be opened concerns them all.
    fn fail_unit(&mut self, index: usize, fault: &Fault) {
        if matches!(fault, Fault::Connect(_)) {
            for index in 0..self.units.len() {
                self.lose(index, State::Fresh, fault);
            }
            return;
        }
        let failures = match self.units.get(index).map(|unit| unit.state) {
            Some(State::Silent { failures, .. }) => failures.saturating_add(1),
            _ => 1,
        };
        let (min, max) = (self.plan.reconnect_min, self.plan.reconnect_max);
        let next = monotonic() + pause(failures, min, max, rand::random());
        self.lose(index, State::Silent { failures, next }, fault);
    }

    fn lose(&mut self, index: usize, state: State, fault: &Fault) {
        let now = self.surroundings.clock.now();
        if let Some(unit) = self.units.get_mut(index) {
            unit.state = state;
            unit.lose(now, &mut self.batch);
            unit.forget_refusals();
            self.report(index, Link::Down, fault.to_string());
        }
    }

    fn report(&mut self, index: usize, link: Link, why: String) {
        let Some(unit) = self.units.get_mut(index) else {
            return;
        };
        if unit.reported == Some(link) {
            return;
        }
        unit.reported = Some(link);
        unit.statistics.set_link(link);
        self.events.push(DeviceEvent {
            device: Arc::clone(&self.plan.name),
            unit_id: unit.unit_id,
            link,
            why,
            at: self.surroundings.clock.now(),
        });
    }

    /// Sends what there is: samples first, so that an alarm about the device never comes before its
    /// tags are bad. Waits while the pipeline is busy; nothing is lost by that, for the next cycle
    /// reads values that are current then.
    async fn send(&mut self) -> Result<(), ReceiverGone> {
        if !self.batch.is_empty() {
            let batch = std::mem::take(&mut self.batch);
            self.surroundings
                .batches
                .send(batch)
                .await
                .map_err(|_| ReceiverGone)?;
        }
        for event in std::mem::take(&mut self.events) {
            self.surroundings
                .events
                .send(event)
                .await
                .map_err(|_| ReceiverGone)?;
        }
        Ok(())
    }
}

fn silent_until(unit: &Unit) -> Option<Instant> {
    match unit.state {
        State::Silent { next, .. } => Some(next),
        State::Fresh | State::Answering => None,
    }
}

fn units_of(plan: &DevicePlan, statistics: &DeviceStatistics) -> Vec<Unit> {
    let unit = |unit| Unit::new(unit, plan, statistics.unit(unit.unit_id));
    plan.units.iter().map(unit).collect()
}
