//! When the poll classes of a device are due: a steady grid.
//!
//! A read that is late is not made up for: the ticks that passed meanwhile are skipped and counted,
//! because the next read brings current values anyway.
//!
//! The grid runs on the monotonic clock of the runtime, which tests can stop; the time on samples
//! comes from [`andon_model::Clock`] alone.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::plan::ClassPlan;

/// The one place where this crate asks for the monotonic time, to wait and to measure by.
pub(crate) fn monotonic() -> Instant {
    Instant::now()
}

/// The poll classes of one device.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    classes: Vec<Ticks>,
}

#[derive(Debug, Clone)]
struct Ticks {
    name: Arc<str>,
    interval: Duration,
    next: Instant,
}

/// What is due.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    /// Indices of classes.
    pub(crate) classes: Vec<usize>,
    /// Ticks that passed unread.
    pub(crate) skipped: u64,
}

impl Schedule {
    /// A schedule for these classes. One that `before` had with the same interval stays on its
    /// grid; the others are due now.
    pub(crate) fn new(classes: &[ClassPlan], before: &Self, now: Instant) -> Self {
        let classes = classes
            .iter()
            .map(|class| {
                let same = before
                    .classes
                    .iter()
                    .find(|old| old.name == class.name && old.interval == class.interval);
                same.cloned().unwrap_or(Ticks {
                    name: Arc::clone(&class.name),
                    interval: class.interval,
                    next: now,
                })
            })
            .collect();
        Self { classes }
    }

    /// Takes what is due and moves it on to its next tick after `now`.
    pub(crate) fn take_due(&mut self, now: Instant) -> Due {
        let mut due = Due::default();
        for (index, class) in self.classes.iter_mut().enumerate() {
            if class.next > now {
                continue;
            }
            due.classes.push(index);
            let late = now.duration_since(class.next).as_nanos();
            let missed = late / class.interval.as_nanos().max(1);
            due.skipped += u64::try_from(missed).unwrap_or(u64::MAX);
            let ticks = u32::try_from(missed).unwrap_or(u32::MAX).saturating_add(1);
            class.next += class.interval.saturating_mul(ticks);
        }
        due
    }

    /// Starts again after a time in which nothing could be read: what passed is not counted.
    pub(crate) fn resume(&mut self, now: Instant) {
        for class in &mut self.classes {
            class.next = class.next.max(now);
        }
    }

    /// When the next class is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.classes.iter().map(|class| class.next).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(millis: &[u64]) -> Vec<ClassPlan> {
        let class = |millis: &u64| ClassPlan {
            name: format!("every{millis}").into(),
            interval: Duration::from_millis(*millis),
        };
        millis.iter().map(class).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_read_is_skipped_and_counted_and_the_grid_stays() {
        let start = monotonic();
        let at = |millis| start + Duration::from_millis(millis);
        let mut schedule = Schedule::new(&classes(&[100, 250]), &Schedule::default(), start);
        assert_eq!(schedule.take_due(start).classes, [0, 1]);
        assert_eq!(schedule.next(), Some(at(100)));
        assert_eq!(
            schedule.take_due(at(103)),
            Due {
                classes: vec![0],
                skipped: 0
            }
        );
        assert_eq!(schedule.next(), Some(at(200)));
        assert_eq!(
            schedule.take_due(at(470)),
            Due {
                classes: vec![0, 1],
                skipped: 2
            }
        );
        assert_eq!(schedule.next(), Some(at(500)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_class_that_stays_keeps_its_grid_over_a_reload() {
        let start = monotonic();
        let at = |millis| start + Duration::from_millis(millis);
        let mut before = Schedule::new(&classes(&[100]), &Schedule::default(), start);
        before.take_due(start);
        let mut after = Schedule::new(&classes(&[50, 100]), &before, at(30));
        assert_eq!(after.take_due(at(30)).classes, [0]);
        assert_eq!(after.take_due(at(100)).classes, [0, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn time_without_a_connection_is_not_counted_as_late() {
        let start = monotonic();
        let mut schedule = Schedule::new(&classes(&[100]), &Schedule::default(), start);
        schedule.take_due(start);
        let back = start + Duration::from_secs(60);
        schedule.resume(back);
        assert_eq!(
            schedule.take_due(back),
            Due {
                classes: vec![0],
                skipped: 0
            }
        );
    }
}
