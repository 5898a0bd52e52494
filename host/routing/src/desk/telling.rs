//! Telling people of an alarm: who is called, who is not and why, and the rows that this makes.
//!
//! A *telling* is one moment at which people are told of an occurrence: its raise, a step of its
//! escalation, its return from a silence. Tellings of an occurrence are numbered, and a contact is
//! told once in each, however many routes and steps name them.

use std::collections::BTreeSet;
use std::sync::Arc;

use andon_model::{
    AlarmId, AlarmRecord, Channel, Delivery, DeliveryKind, OccurrenceId, Priority, Reason,
    ShortCode, Timestamp, Why,
};
use serde_json::{Value, json};

use super::{Decision, Desk, NewDelivery, Owed, new_delivery};
use crate::journal;
use crate::plan::{Party, Recipient, Route, RoutingPlan, Spread, Target};
use crate::text;
use crate::{oncall, unanswered, unreached};

/// Most contacts whom one line of the journal names as not told.
const NOT_TOLD_MAX: usize = 100;

/// Why people are told now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// The alarm was raised.
    Raised,
    /// A one-time message; nobody can answer it.
    Passes,
    /// A silence ended while the alarm holds.
    Unsilenced,
    /// It stayed acknowledged for too long.
    ReAlarmed,
    /// Nobody answered so far, for this long.
    Unanswered(Timestamp),
}

/// Whether somebody is to be told later if nobody answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// An escalation runs.
    Yes,
    /// Nothing follows by itself.
    No,
}

/// A contact who is to be told, and why.
pub(crate) struct Call {
    pub(crate) recipient: Recipient,
    pub(crate) spread: Spread,
    pub(crate) why: Why,
}

/// Those who are to be told, and those who are left out before anybody looks closer.
#[derive(Default)]
pub(crate) struct Calls {
    pub(crate) people: Vec<Call>,
    absent: NotTold,
}

impl Calls {
    /// Adds others behind these.
    pub(crate) fn add(&mut self, other: Self) {
        self.people.extend(other.people);
        self.absent.0.extend(other.absent.0);
    }

    /// Whether nobody is to be told.
    pub(crate) const fn is_empty(&self) -> bool {
        self.people.is_empty()
    }
}

/// One telling.
pub(crate) struct Telling<'a> {
    pub(crate) record: &'a AlarmRecord,
    pub(crate) occasion: Occasion,
    /// Which telling of the occurrence it is, from 0.
    pub(crate) number: u32,
}

impl Telling<'_> {
    /// What people read, and the code to answer with where an answer makes sense.
    fn words(&self, chars_max: usize, now: Timestamp) -> (String, Option<ShortCode>) {
        let record = self.record;
        let text = match self.occasion {
            Occasion::Raised | Occasion::Unsilenced => text::alert(record, chars_max),
            Occasion::Passes => return (text::notice(record, chars_max), None),
            Occasion::ReAlarmed => text::still(record, now, chars_max),
            Occasion::Unanswered(since) => text::unanswered(record, since, now, chars_max),
        };
        (text, Some(record.code.clone()))
    }
}

/// Contacts who are not told, each with the reason; ends as one line of the journal.
#[derive(Default)]
pub(crate) struct NotTold(Vec<(String, Why)>);

impl NotTold {
    pub(crate) fn add(&mut self, contact: &str, why: Why) {
        self.0.push((contact.to_owned(), why));
    }

    /// Writes the line, if there is anybody to name. `data.not_told` lists contact, reason code
    /// and sentence; beyond a hundred only their number is given.
    pub(crate) fn journal(self, record: &AlarmRecord, now: Timestamp, out: &mut Decision) {
        let Some((first, why)) = self.0.first() else {
            return;
        };
        let others = self.0.len() - 1;
        let detail = match others {
            0 => format!("{first} is not told: {why}"),
            1 => format!("{first} and one more are not told; {first}: {why}"),
            _ => format!("{first} and {others} more are not told; {first}: {why}"),
        };
        let reason = why.reason;
        let list: Vec<Value> = self
            .0
            .iter()
            .take(NOT_TOLD_MAX)
            .map(|(contact, why)| {
                json!({ "contact": contact, "reason": why.reason, "why": why.detail })
            })
            .collect();
        let data = json!({ "not_told": list, "more": self.0.len().saturating_sub(NOT_TOLD_MAX) });
        let why = Why::new(reason, detail);
        out.journal
            .push(journal::of_alarm(record, "not told", why, data, now));
    }
}

impl Desk {
    /// Tells those whom the routes name, and begins escalations where they name some.
    pub(crate) fn tell(
        &mut self,
        record: &AlarmRecord,
        occasion: Occasion,
        now: Timestamp,
        out: &mut Decision,
    ) {
        if record.priority == Priority::Diagnostic {
            let why = Why::new(Reason::DiagnosticOnly, "diagnostic: journalled, never sent");
            return nobody_told(record, why, now, out);
        }
        let plan = Arc::clone(&self.plan);
        let routes = routes(&plan, record);
        if let Some(silence) = record.flags.silence() {
            self.silenced(&plan, record, &silence, now, out);
            return;
        }
        let number = match occasion {
            Occasion::Raised | Occasion::Passes => 0,
            Occasion::Unsilenced | Occasion::ReAlarmed | Occasion::Unanswered(_) => {
                self.next_telling(record.occurrence)
            }
        };
        let roll = Roll {
            plan: &plan,
            record,
            now,
        };
        let (mut calls, awaited) = if occasion == Occasion::Passes || is_about_telling(record) {
            (roll.people_of(&routes, Depth::FirstStep), Awaited::No)
        } else {
            let mut calls = roll.people_of(&routes, Depth::WithoutSteps);
            let awaited = self.begin_run(&roll, &routes, number, &mut calls, out);
            (calls, awaited)
        };
        if routes.is_empty() {
            calls = roll.last_resort();
        }
        if calls.is_empty() && is_about_telling(record) {
            calls = roll.people_of(&plan.routes.matches(record), Depth::FirstStep);
        }
        if calls.is_empty() && awaited == Awaited::No {
            let why = Why::new(
                Reason::NoRouteMatched,
                "no route matches and there is no fallback, so nobody is told",
            );
            return nobody_told(record, why, now, out);
        }
        let telling = Telling {
            record,
            occasion,
            number,
        };
        self.call(&telling, calls, now, out);
    }

    /// Owes a message to each of these people, once each.
    pub(crate) fn call(
        &mut self,
        telling: &Telling<'_>,
        calls: Calls,
        now: Timestamp,
        out: &mut Decision,
    ) {
        let plan = Arc::clone(&self.plan);
        let record = telling.record;
        let words = telling.words(plan.text_chars_max, now);
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut told = Vec::with_capacity(calls.people.len());
        let mut names: Vec<&str> = Vec::with_capacity(calls.people.len());
        let mut not_told = calls.absent;
        let called = |name: &str| {
            calls
                .people
                .iter()
                .any(|call| *call.recipient.contact == *name)
        };
        not_told.0.retain(|(contact, _)| !called(contact));
        for call in &calls.people {
            let contact = &*call.recipient.contact;
            if !seen.insert(contact) {
                continue;
            }
            if let Some(why) = self.spared(record, contact) {
                not_told.add(contact, why);
                continue;
            }
            let mut waits = None;
            for row in self.alerts(&plan, telling, call, &words, now) {
                if self.ledger.get(&row.id).is_some() {
                    continue;
                }
                let entry = json!({
                    "contact": row.contact, "channel": row.channel, "delivery": row.id,
                    "why": row.why,
                });
                match self.owe(row, record.id.instance == AlarmId::HOST, now, out) {
                    Owed::Waits(why) => waits = Some(why),
                    Owed::Queued | Owed::Refused => told.push(entry),
                }
                if names.last() != Some(&contact) {
                    names.push(contact);
                }
            }
            if let Some(why) = waits {
                names.pop();
                not_told.add(contact, why);
            }
        }
        if let (Some(first), false) = (calls.people.first(), told.is_empty()) {
            let mut detail = format!("tells {}", names.join(", "));
            if first.why.reason == Reason::EscalationStep {
                detail = format!("{detail}: {}", first.why.detail);
            }
            let why = Why::new(first.why.reason, detail);
            let mut data = json!({ "told": told });
            if let (Some(fields), true) = (data.as_object_mut(), telling.number > 0) {
                fields.insert("step".to_owned(), json!(telling.number));
            }
            out.journal
                .push(journal::of_alarm(record, "told", why, data, now));
        }
        not_told.journal(record, now, out);
    }

    /// Why a contact whom a telling names is left out of it.
    fn spared(&self, record: &AlarmRecord, contact: &str) -> Option<Why> {
        if self
            .runs
            .get(record.occurrence)
            .is_some_and(|run| run.has_acknowledged(contact))
        {
            return Some(Why::new(
                Reason::OperatorAcknowledged,
                format!("{contact} acknowledged already, and others are still needed"),
            ));
        }
        let waits = self
            .ledger
            .of(record.occurrence)
            .any(|row| row.contact == contact && row.kind == DeliveryKind::Alert && row.is_held());
        waits.then(|| {
            Why::new(
                Reason::AlreadyTold,
                format!("an earlier message to {contact} waits still"),
            )
        })
    }

    /// The rows of one call: one, or one by each channel.
    fn alerts(
        &self,
        plan: &RoutingPlan,
        telling: &Telling<'_>,
        call: &Call,
        words: &(String, Option<ShortCode>),
        now: Timestamp,
    ) -> Vec<Delivery> {
        let record = telling.record;
        let contact = &*call.recipient.contact;
        let channels = &call.recipient.channels;
        // Who is not to be woken gets one message later, not one by each channel.
        let quiet = self.quiet_until(contact, record.priority, now).is_some();
        let count = match call.spread {
            Spread::Parallel if !quiet => channels.len(),
            Spread::Parallel | Spread::Failover => 1,
        };
        let row = |index: usize, channel: &Channel| Delivery {
            channel_index: u32::try_from(index).unwrap_or(u32::MAX),
            code: words.1.clone(),
            test: record.test,
            ..new_delivery(NewDelivery {
                occurrence: record.occurrence,
                kind: DeliveryKind::Alert,
                step: telling.number,
                contact,
                channel: channel.clone(),
                channels: channels.to_vec(),
                priority: record.priority,
                text: words.0.clone(),
                why: Why::new(
                    call.why.reason,
                    format!("{}, by {channel}", call.why.detail),
                ),
                created_at: now,
                expires_at: now.plus(plan.expire_after.of(record.priority)),
            })
        };
        let channels = channels.iter().take(count).enumerate();
        channels
            .map(|(index, channel)| row(index, channel))
            .collect()
    }

    /// The number of the next telling of an occurrence.
    pub(crate) fn next_telling(&self, occurrence: OccurrenceId) -> u32 {
        let alerts = self
            .ledger
            .of(occurrence)
            .filter(|row| row.kind == DeliveryKind::Alert);
        let after = alerts.map(|row| row.step.saturating_add(1)).max();
        let run = self.runs.get(occurrence).map(|run| run.kept.telling);
        after.max(run).unwrap_or(0)
    }

    /// Journals whom a silence keeps from being told.
    fn silenced(
        &mut self,
        plan: &RoutingPlan,
        record: &AlarmRecord,
        silence: &str,
        now: Timestamp,
        out: &mut Decision,
    ) {
        let flags = &record.flags;
        let reason = if flags.out_of_service.is_some() {
            Reason::OutOfService
        } else if flags.shelved.is_some() {
            Reason::Shelved
        } else {
            Reason::Suppressed
        };
        let calls = Roll { plan, record, now }.at_first();
        if calls.is_empty() {
            return nobody_told(record, Why::new(reason, silence), now, out);
        }
        let mut not_told = NotTold::default();
        let mut seen = BTreeSet::new();
        for call in &calls.people {
            if seen.insert(&call.recipient.contact) {
                not_told.add(&call.recipient.contact, Why::new(reason, silence));
            }
        }
        not_told.journal(record, now, out);
    }
}

fn nobody_told(record: &AlarmRecord, why: Why, now: Timestamp, out: &mut Decision) {
    out.journal
        .push(journal::of_alarm(record, "not told", why, json!({}), now));
}

/// Whether the host speaks of its own telling; of that nobody else is told than the fallback, as
/// long as there is one, and it never escalates, so that no such alarm leads to another.
pub(crate) fn is_about_telling(record: &AlarmRecord) -> bool {
    unreached::about(record).is_some()
        || unanswered::about(record).is_some()
        || oncall::is_about_nobody(record)
}

/// The routes that tell of an alarm; none where the fallback is told.
pub(crate) fn routes<'plan>(plan: &'plan RoutingPlan, record: &AlarmRecord) -> Vec<&'plan Route> {
    let missing = unreached::about(record);
    let others = |party: &Party| match party {
        Party::Contact(recipient) => missing != Some(&*recipient.contact),
        Party::Duty(_) => true,
    };
    if is_about_telling(record) && plan.fallback.iter().any(others) {
        return Vec::new();
    }
    plan.routes.matches(record)
}

/// How far into escalations people are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// Only people whom routes name themselves.
    WithoutSteps,
    /// Those of first steps as well.
    FirstStep,
}

/// Whom names stand for when an alarm is told.
pub(crate) struct Roll<'a> {
    pub(crate) plan: &'a RoutingPlan,
    pub(crate) record: &'a AlarmRecord,
    pub(crate) now: Timestamp,
}

impl Roll<'_> {
    /// Calls the people of these parties. Where nobody is on call and nobody else is named, the
    /// fallback is called instead.
    pub(crate) fn call(
        &self,
        parties: &[Party],
        spread: Spread,
        why: impl Fn(&str) -> Why,
    ) -> Calls {
        let present = self.plan.present(parties, self.now);
        let missing = unreached::about(self.record);
        let mut calls = Calls {
            people: Vec::with_capacity(present.people.len()),
            absent: self.off_call(parties, &present.people),
        };
        for (recipient, duty) in present.people {
            if missing == Some(&*recipient.contact) {
                continue;
            }
            let mut why = why(&recipient.contact);
            if let Some(duty) = duty {
                why.detail = format!("{} ({duty})", why.detail);
            }
            calls.people.push(Call {
                recipient,
                spread,
                why,
            });
        }
        match present.vacant.first() {
            Some(schedule) if calls.is_empty() => {
                calls.add(self.fallback(|contact| {
                    Why::new(
                        Reason::NobodyOnCall,
                        format!(
                            "nobody is on call by schedule `{schedule}`, so fallback {contact} is told"
                        ),
                    )
                }));
                calls
            }
            Some(_) | None => calls,
        }
    }

    /// Those whom schedules name and who are not on call now.
    fn off_call(&self, parties: &[Party], present: &[(Recipient, Option<String>)]) -> NotTold {
        let mut absent = NotTold::default();
        for party in parties {
            let Party::Duty(duty) = party else { continue };
            let schedule = self.plan.schedule(&duty.schedule);
            let named = schedule.into_iter().flat_map(|schedule| schedule.people());
            let off = named.filter(|name| !present.iter().any(|(one, _)| one.contact == **name));
            for contact in off.take(NOT_TOLD_MAX) {
                let detail = format!("{contact} is not on call by schedule `{}`", duty.schedule);
                absent.add(contact, Why::new(Reason::OffCall, detail));
            }
        }
        absent
    }

    /// Calls the fallback.
    pub(crate) fn fallback(&self, why: impl Fn(&str) -> Why) -> Calls {
        let missing = unreached::about(self.record);
        let present = self.plan.present(&self.plan.fallback, self.now);
        let people = present.people.into_iter().map(|(recipient, _)| recipient);
        let people = people
            .filter(|recipient| missing != Some(&*recipient.contact))
            .map(|recipient| Call {
                why: why(&recipient.contact),
                recipient,
                spread: Spread::Failover,
            });
        Calls {
            people: people.collect(),
            absent: NotTold::default(),
        }
    }

    /// The people whom routes name.
    fn people_of(&self, routes: &[&Route], depth: Depth) -> Calls {
        let mut calls = Calls::default();
        for route in routes {
            let people = match &route.target {
                Target::People(people) => people.as_slice(),
                Target::Escalation(escalation) if depth == Depth::FirstStep => {
                    escalation.step(0).map_or(&[][..], |step| &step.to)
                }
                Target::Escalation(_) | Target::Below => &[],
            };
            calls.add(self.call(people, Spread::Failover, |contact| {
                Why::new(
                    Reason::RouteMatched,
                    format!("route `{}` tells {contact}", route.name),
                )
            }));
        }
        calls
    }

    /// The people who are told of an alarm that begins now, those of first steps included.
    pub(crate) fn at_first(&self) -> Calls {
        let routes = routes(self.plan, self.record);
        if routes.is_empty() {
            self.last_resort()
        } else {
            self.people_of(&routes, Depth::FirstStep)
        }
    }

    /// The fallback, because nobody else is there to be told.
    fn last_resort(&self) -> Calls {
        let (missing, unanswered) = (
            unreached::about(self.record),
            unanswered::about(self.record),
        );
        self.fallback(|contact| match (missing, unanswered) {
            (Some(missing), _) => Why::new(
                Reason::System,
                format!("{missing} cannot be reached, so fallback {contact} is told"),
            ),
            (None, Some(_)) => Why::new(
                Reason::NobodyAnswered,
                format!("nobody answered, so fallback {contact} is told"),
            ),
            (None, None) if oncall::is_about_nobody(self.record) => Why::new(
                Reason::NobodyOnCall,
                format!("nobody is on call, so fallback {contact} is told"),
            ),
            (None, None) => Why::new(
                Reason::NoRouteMatched,
                format!("no route matches, so fallback {contact} is told"),
            ),
        })
    }
}
