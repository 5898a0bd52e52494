//! How one condition comes and goes: chattering and fleeting.
//!
//! An activation chatters if it is the last of so many in less than the time of the settings; a
//! bout is a row of such activations. A stay is fleeting if it was short and the condition neither
//! came shortly before it nor comes again shortly after, so what chatters is not fleeting as well.

use std::collections::VecDeque;

use andon_model::Timestamp;

use crate::groups::KpiPlan;

/// One condition's latest comings; bounded by `[kpi.chattering] activations`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Comings {
    recent: VecDeque<Timestamp>,
    chatters: bool,
    /// When it ended last.
    cleared_at: Option<Timestamp>,
    /// It came again too soon for its stay to be fleeting.
    repeats: bool,
    /// The end of a short stay that is fleeting if nothing comes soon.
    short: Option<Timestamp>,
}

/// What an activation means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Came {
    /// It is one of a bout.
    pub(crate) chatters: bool,
    /// It begins one.
    pub(crate) begins_bout: bool,
    /// The stay before it, which ended then, was fleeting.
    pub(crate) was_fleeting: Option<Timestamp>,
}

impl Comings {
    pub(crate) fn raised(&mut self, at: Timestamp, plan: &KpiPlan) -> Came {
        // A clock that was set back makes no chatter.
        if self.recent.back().is_some_and(|latest| *latest > at) {
            self.recent.clear();
        }
        self.recent.push_back(at);
        if self.recent.len() > plan.chattering_activations {
            self.recent.pop_front();
        }
        let oldest = self.recent.front().copied().unwrap_or(at);
        let chatters = self.recent.len() >= plan.chattering_activations
            && at.since(oldest) < plan.chattering_within;
        let begins_bout = chatters && !self.chatters;
        self.chatters = chatters;
        let soon = |ended: &Timestamp| at.since(*ended) < plan.fleeting_alone_for;
        self.repeats = self.cleared_at.as_ref().is_some_and(soon);
        Came {
            chatters,
            begins_bout,
            was_fleeting: self.short.take().filter(|ended| !soon(ended)),
        }
    }

    /// The stay that began at `raised` ended.
    pub(crate) fn cleared(&mut self, raised: Timestamp, at: Timestamp, plan: &KpiPlan) {
        let short = at.since(raised) < plan.fleeting_shorter_than && !self.repeats;
        self.short = short.then_some(at);
        self.cleared_at = Some(at);
    }

    /// The end of a short stay after which nothing came.
    pub(crate) const fn left_short(&self) -> Option<Timestamp> {
        self.short
    }
}
