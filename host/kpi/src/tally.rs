//! The counts of one operator group while a period is gone through.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use andon_model::{Priority, Timestamp};

use crate::condition::Condition;
use crate::flood::{Flood, FloodWatch};
use crate::life::Stretch;
use crate::period::Period;
use crate::report::{DayFigures, Silences, StaleAlarm, TimeInState};
use crate::spread::Spread;
use crate::step::{Phase, What};

/// Most floods that are listed; the largest are.
const FLOODS_MAX: usize = 20;

/// Most stale alarms that are listed, those that have stood longest; all are counted.
const STALE_MAX: usize = 100;

/// Counts of a group.
#[derive(Debug, Default)]
pub(crate) struct GroupTally {
    pub(crate) activations: u64,
    pub(crate) annunciations: u64,
    pub(crate) messages: u64,
    pub(crate) re_alarms: u64,
    /// Annunciations by number of the interval, where there are any.
    pub(crate) intervals: BTreeMap<u64, u64>,
    pub(crate) hours: BTreeMap<u64, u64>,
    pub(crate) days: Vec<DayFigures>,
    pub(crate) priorities: BTreeMap<Priority, u64>,
    pub(crate) conditions: BTreeMap<Arc<str>, Condition>,
    pub(crate) acknowledged: Spread,
    pub(crate) unanswered: u64,
    pub(crate) silenced: u64,
    pub(crate) waiting: u64,
    pub(crate) silences: Silences,
    pub(crate) times: Times,
    pub(crate) standing_at_end: u64,
    pub(crate) stale_at_end: u64,
    pub(crate) stale_list: Vec<StaleAlarm>,
    pub(crate) floods: Floods,
}

/// Time that alarms spent, summed over all of them.
#[derive(Debug, Default)]
pub(crate) struct Times {
    unacknowledged: Duration,
    acknowledged: Duration,
    returned: Duration,
    latched: Duration,
    shelved: Duration,
    suppressed: Duration,
    out_of_service: Duration,
}

/// Floods of a group.
#[derive(Debug, Default)]
pub(crate) struct Floods {
    watch: FloodWatch,
    pub(crate) count: u64,
    pub(crate) time: Duration,
    pub(crate) longest: Duration,
    pub(crate) largest: Vec<Flood>,
}

/// How an annunciation was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A person acknowledged.
    Acknowledged,
    /// It was shelved, suppressed or taken out of service.
    Silenced,
    /// It was over before anybody did anything.
    Nobody,
    /// The period ended.
    NotYet,
}

impl GroupTally {
    pub(crate) fn new(period: &Period) -> Self {
        let day = |date: &str| DayFigures {
            date: date.to_owned(),
            ..DayFigures::default()
        };
        let days = period.dates().map(day).collect();
        Self {
            days,
            ..Self::default()
        }
    }

    /// A step of any kind within the period.
    pub(crate) fn step(&mut self, what: What, at: Timestamp, period: &Period) {
        let count = match what {
            What::Raised => {
                self.on_day(period.day(at), |day| day.activations += 1);
                &mut self.activations
            }
            What::Notified => &mut self.messages,
            What::ReAlarmed => &mut self.re_alarms,
            What::Shelved => &mut self.silences.shelved,
            What::Suppressed => &mut self.silences.suppressed,
            What::OutOfService => &mut self.silences.out_of_service,
            What::Acknowledged | What::Cleared | What::Freed | What::Other => return,
        };
        *count = count.saturating_add(1);
    }

    /// An annunciation, also one of before the period.
    pub(crate) fn annunciated(&mut self, at: Timestamp, priority: Priority, period: &Period) {
        if let Some(flood) = self.floods.watch.annunciated(at) {
            self.flooded(flood, period);
        }
        if !period.contains(at) {
            return;
        }
        self.annunciations = self.annunciations.saturating_add(1);
        self.on_day(period.day(at), |day| day.annunciations += 1);
        *self.intervals.entry(period.interval(at)).or_default() += 1;
        *self.hours.entry(period.hour(at)).or_default() += 1;
        *self.priorities.entry(priority).or_default() += 1;
    }

    /// An annunciation of the period was answered after so long.
    pub(crate) fn answered(&mut self, answer: Answer, after: Duration) {
        match answer {
            Answer::Acknowledged => self.acknowledged.add(after),
            Answer::Silenced => self.silenced = self.silenced.saturating_add(1),
            Answer::Nobody => self.unanswered = self.unanswered.saturating_add(1),
            Answer::NotYet => self.waiting = self.waiting.saturating_add(1),
        }
    }

    /// A stretch of a life, clipped to the period.
    pub(crate) fn spent(&mut self, stretch: &Stretch, period: &Period) {
        let length = stretch.to.since(stretch.from);
        self.times.add(stretch, length);
        if is_standing(stretch) {
            for day in period.days_of(stretch.from, stretch.to) {
                let end = period.day_end(day);
                if stretch.from < end && end <= stretch.to {
                    self.on_day(day, |day| day.standing_at_end += 1);
                }
            }
        }
    }

    /// An alarm was stale on these days, for the first time.
    pub(crate) fn stale_on(&mut self, days: Range<usize>) {
        for day in days {
            self.on_day(day, |day| day.stale += 1);
        }
    }

    /// An alarm is stale when the period ends.
    pub(crate) fn stale(&mut self, alarm: StaleAlarm) {
        self.stale_at_end = self.stale_at_end.saturating_add(1);
        let rank = |one: &StaleAlarm| (one.since, one.alarm.clone());
        let place = self
            .stale_list
            .partition_point(|one| rank(one) < rank(&alarm));
        if place < STALE_MAX {
            self.stale_list.insert(place, alarm);
            self.stale_list.truncate(STALE_MAX);
        }
    }

    /// The period is over.
    pub(crate) fn finish(&mut self, period: &Period) {
        let watch = &mut self.floods.watch;
        let last = watch
            .ended_by(period.to())
            .or_else(|| watch.end_at(period.to()));
        if let Some(flood) = last {
            self.flooded(flood, period);
        }
        for condition in self.conditions.values_mut() {
            condition.finish(period);
        }
    }

    fn flooded(&mut self, flood: Flood, period: &Period) {
        let Some((from, to)) = period.clip(flood.from, flood.to) else {
            return;
        };
        let length = to.since(from);
        for day in period.days_of(from, to) {
            let within = period.clip_to_day(day, from, to).as_secs();
            self.on_day(day, |day| day.flood_seconds += within);
        }
        let floods = &mut self.floods;
        floods.count = floods.count.saturating_add(1);
        floods.time = floods.time.saturating_add(length);
        floods.longest = floods.longest.max(length);
        floods.largest.push(flood);
        floods
            .largest
            .sort_by_key(|flood| (std::cmp::Reverse(flood.annunciations), flood.from));
        floods.largest.truncate(FLOODS_MAX);
    }

    fn on_day(&mut self, day: usize, change: impl FnOnce(&mut DayFigures)) {
        if let Some(day) = self.days.get_mut(day) {
            change(day);
        }
    }
}

/// Whether an alarm stands before people: the process is abnormal and nothing silences it.
pub(crate) const fn is_standing(stretch: &Stretch) -> bool {
    stretch.phase.is_active() && !stretch.silence.is_any()
}

impl Times {
    fn add(&mut self, stretch: &Stretch, length: Duration) {
        let silence = stretch.silence;
        let silent = [
            (silence.shelved, &mut self.shelved),
            (silence.suppressed, &mut self.suppressed),
            (silence.out_of_service, &mut self.out_of_service),
        ];
        for (since, time) in silent {
            if since.is_some() {
                *time = time.saturating_add(length);
            }
        }
        if silence.is_any() {
            return;
        }
        let time = match stretch.phase {
            Phase::Normal => return,
            Phase::Unacknowledged => &mut self.unacknowledged,
            Phase::Acknowledged => &mut self.acknowledged,
            Phase::Returned => &mut self.returned,
            Phase::Latched => &mut self.latched,
        };
        *time = time.saturating_add(length);
    }

    /// For how long alarms stood before people, one after another.
    pub(crate) fn standing(&self) -> Duration {
        self.unacknowledged.saturating_add(self.acknowledged)
    }

    pub(crate) fn in_seconds(&self) -> TimeInState {
        TimeInState {
            unacknowledged_seconds: self.unacknowledged.as_secs(),
            acknowledged_seconds: self.acknowledged.as_secs(),
            returned_seconds: self.returned.as_secs(),
            latched_seconds: self.latched.as_secs(),
            shelved_seconds: self.shelved.as_secs(),
            suppressed_seconds: self.suppressed.as_secs(),
            out_of_service_seconds: self.out_of_service.as_secs(),
        }
    }
}
