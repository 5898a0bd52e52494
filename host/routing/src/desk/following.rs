//! What those who were told hear afterwards: that it is over, or that somebody else answered.
//!
//! Exactly they hear it, by the channel that told them, and after the alert itself. Whoever was
//! never reached gets a row that says so, which is owed after all if a provider reports late that
//! it took the alert.

use std::collections::BTreeMap;
use std::sync::Arc;

use andon_model::{
    AlarmId, AlarmRecord, AlarmState, Delivery, DeliveryId, DeliveryKind, DeliveryState,
    OccurrenceId, Reason, Timestamp, Why,
};
use serde_json::json;

use super::holding::is_quiet;
use super::telling::routes;
use super::{Decision, Desk, NewDelivery, new_delivery};
use crate::journal;
use crate::ledger::may_have_left;
use crate::plan::{Route, RoutingPlan};
use crate::text;

/// What a contact got so far of one occurrence.
#[derive(Debug, Default)]
struct ToldSoFar {
    /// The newest alert of all.
    last: Option<Delivery>,
    told: Option<Delivery>,
    owed: Option<Delivery>,
    /// Waits for quiet hours: not told, and not being told.
    waits: bool,
    already_resolved: bool,
    /// Number of the next notice.
    next_notice: u32,
}

/// What is told afterwards.
struct FollowUp<'a> {
    kind: DeliveryKind,
    step: u32,
    text: &'a str,
    /// How the sentence of the reason goes on: `hears that it is over`.
    hears: &'a str,
}

impl Desk {
    /// The condition is over: tells those who were told.
    pub(crate) fn cleared(&mut self, record: &AlarmRecord, now: Timestamp, out: &mut Decision) {
        let plan = Arc::clone(&self.plan);
        let routes = routes(&plan, record);
        let over = text::resolved(record, now, plan.text_chars_max);
        self.reword(record.occurrence, &over, now, out);
        for (contact, case) in self.alerts_by_contact(record.occurrence) {
            if case.already_resolved || case.waits {
                continue;
            }
            if !wants(&routes, &contact, |route| route.resolved).unwrap_or(true) {
                let detail = format!("the routes of {contact} do not tell when it is over");
                let why = Why::new(Reason::RouteMatched, detail);
                let data = json!({ "contact": contact });
                out.journal
                    .push(journal::of_alarm(record, "end not told", why, data, now));
                continue;
            }
            let follow_up = FollowUp {
                kind: DeliveryKind::Resolved,
                step: 0,
                text: &over,
                hears: "hears that it is over",
            };
            self.follow(&plan, record, &case, &follow_up, now, out);
        }
        if record.state == AlarmState::Normal {
            self.ledger.close(record.occurrence, now);
        }
    }

    /// Somebody answered: tells the others who were told, if their routes want that.
    pub(crate) fn tell_answered(
        &mut self,
        record: &AlarmRecord,
        by: &[String],
        what: text::Answered,
        escalated: bool,
        now: Timestamp,
        out: &mut Decision,
    ) {
        let plan = Arc::clone(&self.plan);
        let routes = routes(&plan, record);
        let names: Vec<String> = by.iter().map(|name| plan.display_name(name)).collect();
        let words = text::answered(record, &names, what, plan.text_chars_max);
        for (contact, case) in self.alerts_by_contact(record.occurrence) {
            if by.contains(&contact) || case.already_resolved {
                continue;
            }
            if !wants(&routes, &contact, |route| route.notice).unwrap_or(escalated) {
                continue;
            }
            let follow_up = FollowUp {
                kind: DeliveryKind::Notice,
                step: case.next_notice,
                text: &words,
                hears: "hears who answered",
            };
            self.follow(&plan, record, &case, &follow_up, now, out);
        }
    }

    fn follow(
        &mut self,
        plan: &RoutingPlan,
        record: &AlarmRecord,
        case: &ToldSoFar,
        follow_up: &FollowUp<'_>,
        now: Timestamp,
        out: &mut Decision,
    ) {
        if let Some(alert) = case.told.as_ref().or(case.owed.as_ref()) {
            let after = case.owed.as_ref().map(|row| row.id.clone());
            let row = following(plan, record, alert, after, follow_up, now);
            self.owe(row, record.id.instance == AlarmId::HOST, now, out);
        } else if let Some(alert) = &case.last {
            let row = following(plan, record, alert, None, follow_up, now);
            self.withhold(row, now, out);
        }
    }

    /// Keeps a message for somebody who was never told as a row that says so. It is owed after all
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
                    if is_quiet(row) {
                        case.waits = true;
                    } else if row.state.is_owed() {
                        case.owed = Some(row.clone());
                    }
                    if may_have_left(row) && case.told.is_none() {
                        case.told = Some(row.clone());
                    }
                    case.last = Some(row.clone());
                }
                DeliveryKind::Resolved => case.already_resolved = true,
                DeliveryKind::Notice => {
                    case.next_notice = case.next_notice.max(row.step.saturating_add(1));
                }
                DeliveryKind::Answer
                | DeliveryKind::Test
                | DeliveryKind::Digest
                | DeliveryKind::Reminder => {}
            }
        }
        cases.retain(|_, case| case.last.is_some());
        cases
    }
}

/// Whether any route that names the contact wants it; nothing where none names the contact, which
/// is so for the fallback and after a change of the settings.
fn wants(routes: &[&Route], contact: &str, wish: impl Fn(&Route) -> bool) -> Option<bool> {
    let mut naming = routes
        .iter()
        .filter(|route| route.names(contact))
        .peekable();
    naming.peek()?;
    Some(naming.any(|route| wish(route)))
}

fn following(
    plan: &RoutingPlan,
    record: &AlarmRecord,
    alert: &Delivery,
    after: Option<DeliveryId>,
    follow_up: &FollowUp<'_>,
    now: Timestamp,
) -> Delivery {
    let (contact, hears) = (&alert.contact, follow_up.hears);
    let detail = if may_have_left(alert) {
        format!("{contact} was told by {} and {hears}", alert.channel)
    } else {
        format!("{contact} is being told and afterwards {hears}")
    };
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
            kind: follow_up.kind,
            step: follow_up.step,
            contact,
            channel: alert.channel.clone(),
            channels: alert.channels.clone(),
            priority: record.priority,
            text: follow_up.text.to_owned(),
            why: Why::new(Reason::WasTold, detail),
            created_at: now,
            expires_at: now.plus(plan.expire_after.of(record.priority)),
        })
    }
}
