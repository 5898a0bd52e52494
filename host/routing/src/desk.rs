//! The desk: decides at each step of an alarm who is told.
//!
//! One per host, called by the one task that also commits. Each call changes the ledger and
//! answers a [`Decision`] that must be committed before any of its rows is sent.
//! Rows that wait ([`Delivery::after`] is set) are not sent; the desk gives them again without it,
//! once what they wait for has left. A row given again replaces the earlier one of its id.

mod answering;
mod following;
mod holding;
mod running;
mod telling;

use std::sync::Arc;

use andon_model::{
    Action, AlarmEvent, AlarmId, AlarmRecord, AlarmRequest, AlarmState, Channel, Delivery,
    DeliveryId, DeliveryKind, DeliveryState, JournalEntry, OccurrenceId, Priority, Reason, Stage,
    StageRow, Timestamp, Transition, Why,
};

pub use answering::Tally;
pub(crate) use holding::{holding_digest, is_quiet};
use running::Ending;
use telling::Occasion;
pub(crate) use telling::Roll;

use crate::journal;
use crate::ledger::Ledger;
use crate::limits::{owed_ceiling, owed_relief};
use crate::oncall::Watch;
use crate::plan::RoutingPlan;
use crate::receipts::EarlyReceipts;
use crate::replies::ReplyGuard;
use crate::runs::{Run, Runs, gone};
use crate::unreached::{self, Unreached};

/// Key of the host's alarm about too many owed messages.
const FULL_KEY: &str = "outbox-full";

/// What a call of the desk decided. All of it is committed at once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decision {
    /// Rows new or changed, each as it is now; those that are queued and wait for nothing are due
    /// for the courier after the commit.
    pub deliveries: Vec<Delivery>,
    /// What happened and why.
    pub journal: Vec<JournalEntry>,
    /// For the alarm book, under the instance [`AlarmId::HOST`]: a contact cannot be reached, the
    /// outbox is full, or these are over. The events that they cause come back to
    /// [`Desk::on_alarm`].
    pub host: Vec<Action>,
    /// What the desk keeps of its own: steps that are due later, messages that wait.
    pub rows: Vec<StageRow>,
}

impl Decision {
    /// Whether there is nothing to commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.deliveries.is_empty()
            && self.journal.is_empty()
            && self.host.is_empty()
            && self.rows.is_empty()
    }

    /// Adds another decision behind this one.
    pub fn extend(&mut self, other: Self) {
        self.deliveries.extend(other.deliveries);
        self.journal.extend(other.journal);
        self.host.extend(other.host);
        self.rows.extend(other.rows);
    }
}

/// Figures for metrics and the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeskFigures {
    /// Rows queued or sending.
    pub owed: usize,
    /// Rows remembered, owed or not.
    pub remembered: usize,
    /// Receipts that wait for the result of their send.
    pub early_receipts: usize,
    /// Contacts that cannot be reached.
    pub unreached: usize,
    /// Alarms with an escalation whose next step is due some time.
    pub escalations: usize,
}

/// The plan and the ledger, and the decisions about both.
#[derive(Debug)]
pub struct Desk {
    pub(crate) plan: Arc<RoutingPlan>,
    pub(crate) ledger: Ledger,
    pub(crate) early: EarlyReceipts,
    pub(crate) guard: ReplyGuard,
    pub(crate) unreached: Unreached,
    watch: Watch,
    pub(crate) runs: Runs,
    /// The alarm about too many owed messages stands.
    full: bool,
}

impl Desk {
    /// A desk with what was stored: every delivery that is owed or awaits its receipt, every
    /// delivery of an alarm in `standing`, and better also those of the last two days; and the
    /// rows of stages, of which it takes its own.
    ///
    /// The decision releases or ends rows that wait for something that is no longer there.
    #[must_use]
    pub fn restore(
        plan: Arc<RoutingPlan>,
        rows: Vec<Delivery>,
        standing: &[AlarmRecord],
        stored: &[StageRow],
        now: Timestamp,
    ) -> (Self, Decision) {
        let mut desk = Self {
            plan,
            ledger: Ledger::default(),
            early: EarlyReceipts::default(),
            guard: ReplyGuard::default(),
            unreached: Unreached::default(),
            watch: Watch::default(),
            runs: Runs::default(),
            full: false,
        };
        for record in standing.iter().filter(|r| r.state != AlarmState::Normal) {
            desk.ledger
                .open(record.occurrence, unreached::about(record));
            if record.state.is_active() {
                desk.unreached.restore(record);
                desk.watch.restore(record);
                desk.full |= record.id == AlarmId::new(AlarmId::HOST, FULL_KEY);
            }
        }
        for row in rows {
            desk.ledger.put(row, now);
        }
        let mut out = Decision::default();
        for held in desk.ledger.held() {
            desk.recheck_held(&held, now, &mut out);
        }
        let own = stored.iter().filter(|row| row.stage == Stage::Escalation);
        for row in own {
            desk.restore_run(row, standing, now, &mut out);
        }
        (desk, out)
    }

    /// Works by another plan from now on; rows that are owed stay as they are, and those that wait
    /// for quiet hours are looked at again.
    pub fn replace_plan(&mut self, plan: Arc<RoutingPlan>) -> Decision {
        let mut out = Decision::default();
        for gone in self.unreached.without(|name| plan.person(name).is_some()) {
            out.host.push(Action::Clear(unreached::key(&gone)));
        }
        self.plan = plan;
        self.watch.changed();
        self.ledger.look_at_quiet_again();
        out
    }

    /// The plan that the desk works by.
    #[must_use]
    pub const fn plan(&self) -> &Arc<RoutingPlan> {
        &self.plan
    }

    /// The row of this id, if it is still remembered.
    #[must_use]
    pub fn delivery(&self, id: &DeliveryId) -> Option<&Delivery> {
        self.ledger.get(id)
    }

    /// Figures for metrics and the page.
    #[must_use]
    pub fn figures(&self) -> DeskFigures {
        DeskFigures {
            owed: self.ledger.owed(),
            remembered: self.ledger.len(),
            early_receipts: self.early.len(),
            unreached: self.unreached.len(),
            escalations: self.runs.under_way(),
        }
    }

    /// When [`Desk::on_time`] has something to do next.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        let quiet = self.ledger.next_quiet().into_iter();
        let steps = self.runs.next_due();
        quiet.chain(steps).chain(self.watch.next_wake()).min()
    }

    /// Does what is due: next steps of escalations, messages that waited, schedules with nobody.
    pub fn on_time(&mut self, now: Timestamp) -> Decision {
        let mut out = self.begin(now);
        self.watch.look(self.plan.schedules(), now, &mut out.host);
        self.release_quiet(now, &mut out);
        self.tell_due(now, &mut out);
        out
    }

    /// A step in an alarm's life. Called once for each event that the alarm book made, in order;
    /// the same event twice owes nothing twice.
    pub fn on_alarm(&mut self, event: &AlarmEvent, now: Timestamp) -> Decision {
        let mut out = self.begin(now);
        let (record, why) = (&event.record, &event.why);
        self.runs.renew(record);
        match event.transition {
            Transition::Raised => {
                self.ledger
                    .open(record.occurrence, unreached::about(record));
                if self.runs.get(record.occurrence).is_none() {
                    self.tell(record, Occasion::Raised, now, &mut out);
                }
            }
            Transition::Notified => self.tell(record, Occasion::Passes, now, &mut out),
            Transition::Unshelved | Transition::Unsuppressed | Transition::ReturnedToService => {
                if record.is_annunciated() {
                    self.tell(record, Occasion::Unsilenced, now, &mut out);
                }
            }
            Transition::ReAlarmed => self.tell(record, Occasion::ReAlarmed, now, &mut out),
            Transition::Shelved | Transition::Suppressed | Transition::OutOfService => {
                self.withdraw(record.occurrence, why, now, &mut out);
                self.end_run(record, Ending::Over, why, now, &mut out);
            }
            Transition::Acknowledged => self.acknowledged(record, why, now, &mut out),
            Transition::Taken => self.taken(record, why, now, &mut out),
            Transition::Cleared => {
                self.end_run(record, Ending::Over, why, now, &mut out);
                self.cleared(record, now, &mut out);
            }
            Transition::Reset => self.ledger.close(record.occurrence, now),
            Transition::Escalated => self.escalate(record, why, now, &mut out),
            Transition::Updated | Transition::Marked => {}
        }
        out
    }

    /// Takes over a run that was stored. One whose alarm is gone is deleted; one that cannot be
    /// read begins anew, because being told twice is better than never.
    fn restore_run(
        &mut self,
        row: &StageRow,
        standing: &[AlarmRecord],
        now: Timestamp,
        out: &mut Decision,
    ) {
        let occurrence = row.key.parse().ok().map(OccurrenceId);
        let record = standing
            .iter()
            .find(|record| Some(record.occurrence) == occurrence);
        let Some(record) = record else {
            out.rows.push(StageRow {
                record: None,
                ..row.clone()
            });
            return;
        };
        let kept = row.record.clone().map(serde_json::from_value);
        if let Some(Ok(kept)) = kept {
            let record = record.clone();
            self.runs.put(Run { record, kept });
        } else if record.is_annunciated() {
            self.tell(record, Occasion::Unsilenced, now, out);
        } else {
            out.rows.push(gone(record.occurrence));
        }
    }

    /// What every call begins with: forgetting what is long over, and the end of a full outbox.
    pub(crate) fn begin(&mut self, now: Timestamp) -> Decision {
        let mut out = Decision::default();
        self.ledger.tidy(now);
        self.early.tidy(now, &mut out);
        if self.full && self.ledger.owed() < owed_relief(self.plan.owed_max) {
            self.full = false;
            out.host.push(Action::Clear(FULL_KEY.to_owned()));
        }
        out
    }

    /// Keeps a row as it is now, in the ledger and in the decision.
    pub(crate) fn keep(&mut self, row: Delivery, now: Timestamp, out: &mut Decision) {
        self.ledger.put(row.clone(), now);
        match out.deliveries.iter_mut().rev().find(|r| r.id == row.id) {
            Some(earlier) => *earlier = row,
            None => out.deliveries.push(row),
        }
    }

    /// Takes a new row into the outbox, or refuses it at the bound as a row that says so. All that
    /// is told passes here; what its contact's quiet hours keep back waits.
    pub(crate) fn owe(
        &mut self,
        mut row: Delivery,
        by_host: bool,
        now: Timestamp,
        out: &mut Decision,
    ) -> Owed {
        let ceiling = owed_ceiling(self.plan.owed_max, row.priority, by_host);
        if self.ledger.owed() >= ceiling {
            let detail = format!(
                "{} messages are owed already, and at {ceiling} new ones of priority {} are refused",
                self.ledger.owed(),
                row.priority
            );
            row.state = DeliveryState::Failed;
            row.after = None;
            row.why = Why::new(Reason::LimitReached, detail);
            out.journal
                .push(journal::of_delivery(&row, "failed", row.why.clone(), now));
            if !self.full {
                self.full = true;
                out.host.push(Action::Raise(full_alarm(self.ledger.owed())));
            }
            self.keep(row, now, out);
            return Owed::Refused;
        }
        let waits = self.hold(&mut row, now);
        if let Some(why) = &waits {
            let line = journal::of_delivery(&row, "waits", why.clone(), now);
            out.journal.push(line);
        }
        self.keep(row, now, out);
        waits.map_or(Owed::Queued, Owed::Waits)
    }
}

/// What became of a new row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owed {
    /// It goes to the courier.
    Queued,
    /// It waits, for this reason.
    Waits(Why),
    /// The bound is reached; the row says so.
    Refused,
}

fn full_alarm(owed: usize) -> AlarmRequest {
    AlarmRequest {
        key: FULL_KEY.to_owned(),
        priority: Priority::Critical,
        message: format!(
            "Too many messages are owed ({owed}): new ones of lower priority are not sent. Check the sinks"
        ),
        attributes: Vec::new(),
    }
}

/// What differs from one new row to the next.
pub(crate) struct NewDelivery<'a> {
    pub(crate) occurrence: OccurrenceId,
    pub(crate) kind: DeliveryKind,
    pub(crate) step: u32,
    pub(crate) contact: &'a str,
    pub(crate) channel: Channel,
    pub(crate) channels: Vec<Channel>,
    pub(crate) priority: Priority,
    pub(crate) text: String,
    pub(crate) why: Why,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// A queued row that may be sent at once.
pub(crate) fn new_delivery(new: NewDelivery<'_>) -> Delivery {
    Delivery {
        id: DeliveryId::of(
            new.occurrence,
            new.kind,
            new.step,
            new.contact,
            &new.channel,
        ),
        occurrence: new.occurrence,
        kind: new.kind,
        step: new.step,
        contact: new.contact.to_owned(),
        channel_index: 0,
        channel: new.channel,
        channels: new.channels,
        priority: new.priority,
        text: new.text,
        code: None,
        created_at: new.created_at,
        expires_at: new.expires_at,
        state: DeliveryState::Queued,
        attempts: 0,
        next_at: new.created_at,
        repeat: false,
        after: None,
        why: new.why,
        test: false,
    }
}
