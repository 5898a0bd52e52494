//! The meter: alarm figures of the last minutes, kept up to date and shown as metrics.
//!
//! It reads what each commit writes into the journal, so that nothing that is journalled can be
//! missed, and it decides nothing. Counters begin at nothing with the process, as counters of
//! metrics do; rates, floods and what stands go on over a restart.

use std::sync::Arc;
use std::time::Duration;

use andon_kpi::{KpiPlan, Line, Rolling};
use andon_model::{AlarmRecord, JournalEntry, JournalKind, Timestamp};
use andon_store::{Reader, StoreError};
use andon_web::Metrics;

/// How old the gauges may be: looking at all that stands costs a millisecond at its bound.
const SHOWN_EVERY: Duration = Duration::from_secs(2);

/// Figures of now and where they are shown.
pub(crate) struct Meter {
    rolling: Rolling,
    metrics: Arc<Metrics>,
    next: Timestamp,
}

impl Meter {
    /// A meter that goes on where the journal ends.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub(crate) fn restore(
        plan: Arc<KpiPlan>,
        standing: &[AlarmRecord],
        reader: &Reader,
        metrics: Arc<Metrics>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut rolling = Rolling::restore(plan, standing);
        let since = now.minus(Rolling::LOOKS_BACK);
        reader.each_line(since, &[JournalKind::Alarm], |line| {
            rolling.line(&Line {
                at: line.at,
                kind: line.kind,
                occurrence: line.occurrence,
                subject: line.subject,
                event: line.event,
                data: line.data,
            });
        })?;
        Ok(Self {
            rolling,
            metrics,
            next: now,
        })
    }

    /// Counts what a commit writes.
    pub(super) fn take(&mut self, journal: &[JournalEntry]) {
        for took in journal.iter().filter_map(|entry| self.rolling.take(entry)) {
            let labels = vec![
                ("group".to_owned(), took.group),
                ("priority".to_owned(), took.priority.name().to_owned()),
            ];
            if took.activated {
                self.metrics.alarms_activated.get_or_create(&labels).inc();
            }
            if took.annunciated {
                self.metrics.alarms_annunciated.get_or_create(&labels).inc();
            }
        }
    }

    /// When [`Meter::show`] has something to do.
    pub(super) const fn next_wake(&self) -> Timestamp {
        self.next
    }

    /// Brings the gauges up to date, if it is time.
    pub(super) fn show(&mut self, now: Timestamp) {
        // A clock that was set back must not leave them as they are until it has caught up.
        if self.next > now && self.next <= now.plus(SHOWN_EVERY) {
            return;
        }
        self.next = now.plus(SHOWN_EVERY);
        let metrics = &self.metrics;
        let gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        for figures in self.rolling.figures(now) {
            let group = Metrics::label("group", &figures.group);
            let rate = gauge(figures.last_10_minutes);
            let recent = &metrics.alarms_annunciated_10_minutes;
            recent.get_or_create(&group).set(rate);
            let flood = i64::from(figures.flood_since.is_some());
            metrics.alarms_flood.get_or_create(&group).set(flood);
            let active = gauge(figures.standing);
            metrics.alarms_active.get_or_create(&group).set(active);
            let stale = gauge(figures.stale);
            metrics.alarms_stale.get_or_create(&group).set(stale);
        }
    }

    /// Counts by changed settings from now on. What stands moves to its new group; rates begin
    /// anew, as nobody knows by which group the past would have gone.
    pub(super) fn replace_plan<'a>(
        &mut self,
        plan: Arc<KpiPlan>,
        standing: impl Iterator<Item = &'a AlarmRecord>,
    ) {
        if *plan == *self.rolling.plan() {
            return;
        }
        self.metrics.alarms_annunciated_10_minutes.clear();
        self.metrics.alarms_flood.clear();
        self.metrics.alarms_active.clear();
        self.metrics.alarms_stale.clear();
        self.rolling = Rolling::restore(plan, standing);
    }
}
