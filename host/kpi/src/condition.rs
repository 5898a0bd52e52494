//! What one condition did in a period, within one group.

use andon_model::Timestamp;

use crate::comings::Comings;
use crate::groups::KpiPlan;
use crate::period::Period;

/// Counts of one condition.
#[derive(Debug, Clone, Default)]
pub(crate) struct Condition {
    pub(crate) activations: u64,
    pub(crate) annunciations: u64,
    pub(crate) bouts: u64,
    pub(crate) chattering: u64,
    pub(crate) fleeting: u64,
    comings: Comings,
}

impl Condition {
    pub(crate) fn raised(&mut self, at: Timestamp, plan: &KpiPlan, period: &Period) {
        let came = self.comings.raised(at, plan);
        self.was_fleeting(came.was_fleeting, period);
        if period.contains(at) {
            self.activations = self.activations.saturating_add(1);
            self.chattering = self.chattering.saturating_add(u64::from(came.chatters));
            self.bouts = self.bouts.saturating_add(u64::from(came.begins_bout));
        }
    }

    pub(crate) fn cleared(&mut self, raised: Timestamp, at: Timestamp, plan: &KpiPlan) {
        self.comings.cleared(raised, at, plan);
    }

    /// Nothing comes any more: a short stay that was left open is fleeting.
    pub(crate) fn finish(&mut self, period: &Period) {
        self.was_fleeting(self.comings.left_short(), period);
    }

    fn was_fleeting(&mut self, ended: Option<Timestamp>, period: &Period) {
        if ended.is_some_and(|at| period.contains(at)) {
            self.fleeting = self.fleeting.saturating_add(1);
        }
    }

    /// Adds the counts of the same condition in another group.
    pub(crate) fn add(&mut self, other: &Self) {
        self.activations = self.activations.saturating_add(other.activations);
        self.annunciations = self.annunciations.saturating_add(other.annunciations);
        self.bouts = self.bouts.saturating_add(other.bouts);
        self.chattering = self.chattering.saturating_add(other.chattering);
        self.fleeting = self.fleeting.saturating_add(other.fleeting);
    }
}
