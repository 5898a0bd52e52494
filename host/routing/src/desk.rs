//! The desk: decides at each step of an alarm who is told.
//!
//! One per host, called by the one task that also commits. Each call changes the ledger and
//! answers a [`Decision`] that must be committed before any of its rows is sent.
//! Rows that wait ([`Delivery::after`] is set) are not sent; the desk gives them again without it,
//! once what they wait for has left. A row given again replaces the earlier one of its id.

use std::collections::BTreeMap;
use std::sync::Arc;

use andon_model::{
    Action, AlarmEvent, AlarmId, AlarmRecord, AlarmRequest, AlarmState, Channel, Delivery,
    DeliveryId, DeliveryKind, DeliveryState, JournalEntry, OccurrenceId, Priority, Reason,
    StageRow, Timestamp, Transition, Why,
};
use serde_json::json;

use crate::journal;
use crate::ledger::{Ledger, may_have_left};
use crate::limits::{owed_ceiling, owed_relief};
use crate::oncall::{self, Watch};
use crate::plan::{Match, RoutingPlan};
use crate::receipts::EarlyReceipts;
use crate::replies::ReplyGuard;
use crate::silence;
use crate::text;
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
    /// The alarm about too many owed messages stands.
    full: bool,
}

impl Desk {
    /// A desk with what was stored: every delivery that is owed or awaits its receipt, every
    /// delivery of an alarm in `standing`, and better also those of the last two days.
    ///
    /// The decision releases or ends rows that wait for something that is no longer there.
    #[must_use]
    pub fn restore(
        plan: Arc<RoutingPlan>,
        rows: Vec<Delivery>,
        standing: &[AlarmRecord],
        now: Timestamp,
    ) -> (Self, Decision) {
        let mut desk = Self {
            plan,
            ledger: Ledger::default(),
            early: EarlyReceipts::default(),
            guard: ReplyGuard::default(),
            unreached: Unreached::default(),
            watch: Watch::default(),
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
        (desk, out)
    }

    /// Works by another plan from now on; rows that are owed stay as they are.
    pub fn replace_plan(&mut self, plan: Arc<RoutingPlan>) -> Decision {
        let mut out = Decision::default();
        for gone in self.unreached.without(|name| plan.person(name).is_some()) {
            out.host.push(Action::Clear(unreached::key(&gone)));
        }
        self.plan = plan;
        self.watch.changed();
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
        }
    }

    /// When [`Desk::on_time`] has something to do next.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.watch.next_wake()
    }

    /// Does what is due: next steps of escalations, messages that waited, schedules with nobody.
    pub fn on_time(&mut self, now: Timestamp) -> Decision {
        let mut out = self.begin(now);
        self.watch.look(self.plan.schedules(), now, &mut out.host);
        out
    }

    /// A step in an alarm's life. Called once for each event that the alarm book made, in order;
    /// the same event twice owes nothing twice.
    pub fn on_alarm(&mut self, event: &AlarmEvent, now: Timestamp) -> Decision {
        let mut out = self.begin(now);
        let record = &event.record;
        match event.transition {
            Transition::Raised => {
                self.ledger
                    .open(record.occurrence, unreached::about(record));
                self.tell(record, Standing::Stands, 0, now, &mut out);
            }
            Transition::Notified => self.tell(record, Standing::Passes, 0, now, &mut out),
            Transition::Unshelved
            | Transition::Unsuppressed
            | Transition::ReturnedToService
            | Transition::ReAlarmed
                if record.is_annunciated() =>
            {
                let step = self.next_step(record.occurrence);
                self.tell(record, Standing::Stands, step, now, &mut out);
            }
            // Who owed its reset is done with it; nobody was promised an end again.
            Transition::Reset => self.ledger.close(record.occurrence, now),
            Transition::Updated
            | Transition::Shelved
            | Transition::Unshelved
            | Transition::Suppressed
            | Transition::Unsuppressed
            | Transition::OutOfService
            | Transition::ReturnedToService
            | Transition::ReAlarmed
            | Transition::Taken
            | Transition::Escalated
            | Transition::Marked => {}
            Transition::Acknowledged => self.acknowledged(record, now, &mut out),
            Transition::Cleared => self.cleared(record, now, &mut out),
        }
        out
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

    fn tell(
        &mut self,
        record: &AlarmRecord,
        standing: Standing,
        step: u32,
        now: Timestamp,
        out: &mut Decision,
    ) {
        if let Some(line) = silence::not_told(record, now) {
            out.journal.push(line);
            return;
        }
        if record.priority == Priority::Diagnostic {
            let why = Why::new(Reason::DiagnosticOnly, "diagnostic: journalled, never sent");
            out.journal
                .push(journal::of_alarm(record, "not told", why, json!({}), now));
            return;
        }
        let plan = Arc::clone(&self.plan);
        let matches = recipients(&plan, record);
        if matches.is_empty() {
            let why = Why::new(
                Reason::NoRouteMatched,
                "no route matches and there is no fallback, so nobody is told",
            );
            out.journal
                .push(journal::of_alarm(record, "not told", why, json!({}), now));
            return;
        }
        let mut told = Vec::with_capacity(matches.len());
        for found in &matches {
            let Some(row) = alert(&plan, record, found, standing, step, now) else {
                continue;
            };
            if self.ledger.get(&row.id).is_some() {
                continue;
            }
            told.push(json!({
                "contact": row.contact, "channel": row.channel, "delivery": row.id,
                "why": row.why,
            }));
            self.owe(row, record.id.instance == AlarmId::HOST, now, out);
        }
        if !told.is_empty() {
            let names: Vec<&str> = matches.iter().map(|m| &*m.recipient.contact).collect();
            let why = Why::new(
                first_reason(&matches),
                format!("tells {}", names.join(", ")),
            );
            let data = json!({ "told": told });
            out.journal
                .push(journal::of_alarm(record, "told", why, data, now));
        }
    }

    /// Takes a new row into the outbox, or refuses it at the bound as a row that says so.
    pub(crate) fn owe(
        &mut self,
        mut row: Delivery,
        by_host: bool,
        now: Timestamp,
        out: &mut Decision,
    ) {
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
        }
        self.keep(row, now, out);
    }

    fn acknowledged(&mut self, record: &AlarmRecord, now: Timestamp, out: &mut Decision) {
        let owed = self
            .ledger
            .of(record.occurrence)
            .filter(|row| row.kind == DeliveryKind::Alert && row.state.is_owed())
            .count();
        if owed > 0 {
            let why = Why::new(
                Reason::OperatorAcknowledged,
                format!("acknowledged while {owed} messages are owed; they still go out"),
            );
            let data = json!({ "owed": owed });
            out.journal
                .push(journal::of_alarm(record, "still owed", why, data, now));
        }
        if record.state == AlarmState::Normal {
            self.ledger.close(record.occurrence, now);
        }
    }

    fn cleared(&mut self, record: &AlarmRecord, now: Timestamp, out: &mut Decision) {
        let plan = Arc::clone(&self.plan);
        let matches = recipients(&plan, record);
        for (contact, case) in self.alerts_by_contact(record.occurrence) {
            if case.already_resolved {
                continue;
            }
            let silent = matches
                .iter()
                .any(|m| *m.recipient.contact == contact && !m.resolved);
            if silent {
                let detail = format!("the routes of {contact} do not tell when it is over");
                let why = Why::new(Reason::RouteMatched, detail);
                let data = json!({ "contact": contact });
                out.journal
                    .push(journal::of_alarm(record, "end not told", why, data, now));
            } else if let Some(alert) = case.told.as_ref().or(case.owed.as_ref()) {
                let after = case.owed.as_ref().map(|row| row.id.clone());
                let row = resolved(&plan, record, alert, after, now);
                self.owe(row, record.id.instance == AlarmId::HOST, now, out);
            } else if let Some(alert) = &case.last {
                self.withhold(resolved(&plan, record, alert, None, now), now, out);
            }
        }
        if record.state == AlarmState::Normal {
            self.ledger.close(record.occurrence, now);
        }
    }

    /// Keeps the end for somebody who was never told as a row that says so. It is owed after all
    /// if a provider reports late that it took the alert.
    pub(crate) fn withhold(&mut self, mut row: Delivery, now: Timestamp, out: &mut Decision) {
        let detail = format!("{} was never reached about it", row.contact);
        row.state = DeliveryState::Failed;
        row.after = None;
        row.why = Why::new(Reason::NeverTold, detail);
        out.journal
            .push(journal::of_delivery(&row, "failed", row.why.clone(), now));
        self.keep(row, now, out);
    }

    fn alerts_by_contact(&self, occurrence: OccurrenceId) -> BTreeMap<String, ToldSoFar> {
        let mut cases: BTreeMap<String, ToldSoFar> = BTreeMap::new();
        for row in self.ledger.of(occurrence) {
            let case = cases.entry(row.contact.clone()).or_default();
            match row.kind {
                DeliveryKind::Alert => {
                    if row.state.is_owed() {
                        case.owed = Some(row.clone());
                    }
                    if may_have_left(row) && case.told.is_none() {
                        case.told = Some(row.clone());
                    }
                    case.last = Some(row.clone());
                }
                DeliveryKind::Resolved => case.already_resolved = true,
                DeliveryKind::Answer
                | DeliveryKind::Test
                | DeliveryKind::Digest
                | DeliveryKind::Reminder
                | DeliveryKind::Notice => {}
            }
        }
        cases.retain(|_, case| case.last.is_some());
        cases
    }
}

/// Whether the alarm stands after it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Somebody can acknowledge it.
    Stands,
    /// A one-time message.
    Passes,
}

/// What a contact got so far of one occurrence.
#[derive(Debug, Default)]
struct ToldSoFar {
    /// The newest alert of all.
    last: Option<Delivery>,
    told: Option<Delivery>,
    owed: Option<Delivery>,
    already_resolved: bool,
}

/// Who is told. That a contact cannot be reached is told to the fallback, or to those whom the
/// routes name if there is none, and never to that contact.
fn recipients<'plan>(plan: &'plan RoutingPlan, record: &AlarmRecord) -> Vec<Match<'plan>> {
    let Some(contact) = unreached::about(record) else {
        let fallback = plan.fallback();
        // Whoever a route would tell is the one who is missing.
        if oncall::is_about_nobody(record) && !fallback.is_empty() {
            return fallback;
        }
        return plan.recipients(record);
    };
    let others = |mut found: Vec<Match<'plan>>| {
        found.retain(|m| *m.recipient.contact != *contact);
        found
    };
    let fallback = others(plan.fallback());
    if fallback.is_empty() {
        others(plan.recipients(record))
    } else {
        fallback
    }
}

fn first_reason(matches: &[Match<'_>]) -> Reason {
    match matches.first() {
        Some(found) if found.route.is_some() => Reason::RouteMatched,
        Some(_) | None => Reason::NoRouteMatched,
    }
}

fn alert(
    plan: &RoutingPlan,
    record: &AlarmRecord,
    found: &Match<'_>,
    standing: Standing,
    step: u32,
    now: Timestamp,
) -> Option<Delivery> {
    let contact = &*found.recipient.contact;
    let channels = found.recipient.channels.to_vec();
    let channel = channels.first()?.clone();
    let why = match (found.route, unreached::about(record)) {
        (Some(route), _) => Why::new(
            Reason::RouteMatched,
            format!("route `{route}` tells {contact}, by {channel}"),
        ),
        (None, Some(missing)) => Why::new(
            Reason::System,
            format!("{missing} cannot be reached, so fallback {contact} is told, by {channel}"),
        ),
        (None, None) => Why::new(
            Reason::NoRouteMatched,
            format!("no route matches, so fallback {contact} is told, by {channel}"),
        ),
    };
    let (text, code) = match standing {
        Standing::Stands => (
            text::alert(record, plan.text_chars_max),
            Some(record.code.clone()),
        ),
        Standing::Passes => (text::notice(record, plan.text_chars_max), None),
    };
    Some(Delivery {
        code,
        test: record.test,
        ..new_delivery(NewDelivery {
            occurrence: record.occurrence,
            kind: DeliveryKind::Alert,
            step,
            contact,
            channel,
            channels,
            priority: record.priority,
            text,
            why,
            created_at: now,
            expires_at: now.plus(plan.expire_after.of(record.priority)),
        })
    })
}

fn resolved(
    plan: &RoutingPlan,
    record: &AlarmRecord,
    alert: &Delivery,
    after: Option<DeliveryId>,
    now: Timestamp,
) -> Delivery {
    let contact = &alert.contact;
    let detail = if may_have_left(alert) {
        format!(
            "{contact} was told by {} and hears that it is over",
            alert.channel
        )
    } else {
        format!("{contact} is being told and hears afterwards that it is over")
    };
    let why = Why::new(Reason::WasTold, detail);
    let code = record
        .state
        .is_unacknowledged()
        .then(|| record.code.clone());
    Delivery {
        code,
        after,
        channel_index: alert.channel_index,
        test: record.test,
        ..new_delivery(NewDelivery {
            occurrence: record.occurrence,
            kind: DeliveryKind::Resolved,
            step: 0,
            contact,
            channel: alert.channel.clone(),
            channels: alert.channels.clone(),
            priority: record.priority,
            text: text::resolved(record, now, plan.text_chars_max),
            why,
            created_at: now,
            expires_at: now.plus(plan.expire_after.of(record.priority)),
        })
    }
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
