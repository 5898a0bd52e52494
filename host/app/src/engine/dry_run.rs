//! The stages of the engine without store, sinks, doors and clock: what a replay runs.
//!
//! It is the same scheduler, book and desk, and the same `Draft` that goes from one to the next, so
//! a replay decides what the host would have decided. What differs is what no recording holds:
//! every message arrives at once by the first channel of its contact, and nobody acknowledges.

use std::sync::Arc;

use andon_alarms::{AlarmBook, AlarmLimits, Conditioning, ConditioningPlan, Reach};
use andon_model::{
    Commit, Component, Delivery, DeliveryState, InstancePlan, OccurrenceId, SampleBatch, TagTable,
    Timestamp,
};
use andon_plugins::{Replacement, SampleHistory, Scheduler};
use andon_routing::{Desk, RoutingPlan};
use andon_web::Metrics;

use super::draft::Draft;

/// Most steps in which messages release others that wait for them.
const RELEASES_MAX: usize = 16;

/// All pure stages at work on time that is told.
pub(crate) struct DryRun {
    scheduler: Scheduler,
    book: AlarmBook,
    conditions: Conditioning,
    desk: Desk,
    metrics: Metrics,
}

impl DryRun {
    /// Stages without instances and without a past.
    pub(crate) fn new(routing: Arc<RoutingPlan>, window_samples: usize, now: Timestamp) -> Self {
        let (desk, _) = Desk::restore(routing, Vec::new(), &[], &[], now);
        Self {
            scheduler: Scheduler::new(Arc::new(SampleHistory::new(window_samples))),
            book: AlarmBook::restore(Vec::new(), OccurrenceId::default(), AlarmLimits::default()),
            conditions: Conditioning::restore(&[], now),
            desk,
            metrics: Metrics::default(),
        }
    }

    /// Works by these delays, suppressions and floods.
    pub(crate) fn condition(
        &mut self,
        now: Timestamp,
        plan: ConditioningPlan,
        reach: Reach,
        tags: &TagTable,
    ) {
        self.conditions.replace(plan, reach, tags, &self.book, now);
    }

    /// Starts these instances, and no others.
    ///
    /// # Errors
    /// The first instance that does not start, or why they do not go together.
    pub(crate) async fn install(
        &mut self,
        now: Timestamp,
        instances: Vec<(InstancePlan, Arc<dyn Component>)>,
    ) -> anyhow::Result<()> {
        let mut set = Vec::with_capacity(instances.len());
        for (plan, component) in instances {
            let name = plan.name.clone();
            let preparation = self.scheduler.preparation(now, plan, component);
            let prepared = preparation
                .start()
                .await
                .map_err(|error| anyhow::anyhow!("instance {name} does not start: {error}"))?;
            set.push(Replacement::New(prepared));
        }
        self.scheduler.replace(now, set).await?;
        Ok(())
    }

    /// When [`DryRun::round`] must be called next, even if no sample comes.
    pub(crate) fn next_wake(&self) -> Option<Timestamp> {
        let wakes = [self.scheduler.next_wake(), self.conditions.next_wake()];
        wakes.into_iter().flatten().min()
    }

    /// One batch, or the wake-ups of this moment, through all stages.
    pub(crate) async fn round(&mut self, now: Timestamp, batch: &SampleBatch) -> Commit {
        let round = self.scheduler.run(now, batch).await;
        let mut draft = Draft {
            now,
            book: &mut self.book,
            conditions: &mut self.conditions,
            desk: &mut self.desk,
            metrics: &self.metrics,
            commit: Commit::default(),
        };
        draft.see(batch);
        draft.round(round);
        draft.conditions_due();
        draft.deliver_all();
        draft.commit
    }
}

impl Draft<'_> {
    /// Every message that is owed arrives, and so do those that waited for it.
    fn deliver_all(&mut self) {
        for _ in 0..RELEASES_MAX {
            let due = |row: &&Delivery| row.state == DeliveryState::Queued && row.after.is_none();
            let rows: Vec<Delivery> = self.commit.deliveries.iter().filter(due).cloned().collect();
            if rows.is_empty() {
                return;
            }
            for row in rows {
                let arrived = Delivery {
                    state: DeliveryState::Delivered,
                    attempts: 1,
                    ..row
                };
                let decision = self.desk.on_settled(arrived, false, self.now);
                self.decision(decision);
            }
        }
    }
}
