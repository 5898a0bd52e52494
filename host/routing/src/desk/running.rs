//! Escalations: beginning them, telling the next step when it is due, and ending them.
//!
//! A step goes out once. What was due while the host was down goes out at the next start, in one
//! telling, and its rows say that it is late. A step whose people are all unknown by now (settings
//! changed) goes to the fallback, so that no alarm waits for an answer that nobody was asked for.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use andon_model::{
    Action, AlarmRecord, AlarmState, Delivery, DeliveryKind, OccurrenceId, Reason, Timestamp, Why,
};
use serde_json::json;

use super::telling::{Awaited, Calls, NotTold, Occasion, Roll, Telling};
use super::{Decision, Desk};
use crate::journal;
use crate::plan::{Cursor, Escalation, Party, Route, RoutingPlan, Target, Until};
use crate::runs::{Kept, Run, Track, gone};
use crate::text::rough;
use crate::unanswered;

/// A telling that comes later than this says so.
const LATE: Duration = Duration::from_secs(30);
/// Most tellings of one escalation that are caught up on at once; the rest follow at the next look.
const CATCH_UP_MAX: usize = 100;

/// How an escalation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Somebody acknowledged, enough people did.
    Acknowledged,
    /// A message arrived.
    Delivered,
    /// Somebody took it.
    Taken,
    /// The condition is over, or the alarm is silenced.
    Over,
}

impl Ending {
    const fn ends(self, until: Until) -> bool {
        match (self, until) {
            (Self::Taken | Self::Over, _)
            | (Self::Acknowledged, Until::Acknowledged | Until::Delivered)
            | (Self::Delivered, Until::Delivered) => true,
            (Self::Acknowledged, Until::Taken)
            | (Self::Delivered, Until::Acknowledged | Until::Taken) => false,
        }
    }
}

impl Desk {
    /// Begins the escalations that routes name, and adds the people of steps that are due at once.
    pub(crate) fn begin_run(
        &mut self,
        roll: &Roll<'_>,
        routes: &[&Route],
        number: u32,
        calls: &mut Calls,
        out: &mut Decision,
    ) -> Awaited {
        let now = roll.now;
        let mut run = Run {
            record: roll.record.clone(),
            kept: Kept {
                tracks: Vec::new(),
                need: 1,
                acknowledgements: Vec::new(),
                began: now,
                telling: number.saturating_add(1),
                unanswered: false,
            },
        };
        for route in routes {
            let Target::Escalation(escalation) = &route.target else {
                continue;
            };
            run.kept.need = run.kept.need.max(escalation.acknowledgements);
            let mut track = Track {
                route: route.name.to_string(),
                escalation: escalation.name.to_string(),
                next: Some((Cursor::FIRST, escalation.begins(now))),
                reached: None,
            };
            advance(
                &mut track,
                escalation,
                roll,
                calls,
                &mut run.kept.unanswered,
            );
            run.kept.tracks.push(track);
        }
        if run.kept.tracks.is_empty() {
            return Awaited::No;
        }
        if calls.is_empty() {
            // Nobody is told yet, so the first step will be this telling.
            run.kept.telling = number;
        }
        self.keep_run(run, out);
        Awaited::Yes
    }

    /// Tells what is due.
    pub(crate) fn tell_due(&mut self, now: Timestamp, out: &mut Decision) {
        for occurrence in self.runs.due(now) {
            if let Some(run) = self.runs.get(occurrence).cloned() {
                self.tell_next(run, now, out);
            }
        }
    }

    fn tell_next(&mut self, mut run: Run, now: Timestamp, out: &mut Decision) {
        let plan = Arc::clone(&self.plan);
        let record = run.record.clone();
        let roll = Roll {
            plan: &plan,
            record: &record,
            now,
        };
        let mut calls = Calls::default();
        let mut unanswered = run.kept.unanswered;
        for track in &mut run.kept.tracks {
            if track.next.is_none_or(|(_, due)| due > now) {
                continue;
            }
            match escalation(&plan, track) {
                Some(escalation) => {
                    advance(track, escalation, &roll, &mut calls, &mut unanswered);
                }
                None => {
                    track.next = None;
                    calls.add(left_settings(&roll, track));
                }
            }
        }
        if unanswered && !run.kept.unanswered {
            let names = run
                .kept
                .tracks
                .iter()
                .map(|track| track.escalation.as_str());
            let names: Vec<&str> = names.collect();
            let alarm = unanswered::alarm(&run.record, &names.join(", "));
            out.host.push(Action::Raise(alarm));
            let why = Why::new(
                Reason::NobodyAnswered,
                format!(
                    "every step was told and nobody answered for {}",
                    rough(now.since(run.kept.began))
                ),
            );
            let line = journal::of_alarm(&run.record, "nobody answered", why, json!({}), now);
            out.journal.push(line);
        }
        run.kept.unanswered = unanswered;
        self.tell_calls(run, calls, now, out);
    }

    /// Keeps a run and calls these people as its next telling.
    fn tell_calls(&mut self, mut run: Run, calls: Calls, now: Timestamp, out: &mut Decision) {
        let number = run.kept.telling;
        if !calls.is_empty() {
            run.kept.telling = number.saturating_add(1);
        }
        let (record, began) = (run.record.clone(), run.kept.began);
        // Before anybody is told: who acknowledged is looked up in it.
        self.keep_run(run, out);
        let telling = Telling {
            record: &record,
            occasion: if number == 0 {
                Occasion::Raised
            } else {
                Occasion::Unanswered(began)
            },
            number,
        };
        self.call(&telling, calls, now, out);
    }

    /// Whether [`andon_model::Transition::Escalated`] would tell anybody.
    #[must_use]
    pub fn can_escalate(&self, occurrence: OccurrenceId) -> bool {
        self.runs.get(occurrence).is_some()
    }

    /// Tells the next step now, because somebody asks for it; the last one again where there is no
    /// further. Where somebody answered already, nothing follows after that by itself.
    pub(crate) fn escalate(
        &mut self,
        record: &AlarmRecord,
        asked: &Why,
        now: Timestamp,
        out: &mut Decision,
    ) {
        let Some(mut run) = self.runs.get(record.occurrence).cloned() else {
            let why = Why::new(
                asked.reason,
                "no escalation belongs to it, so nobody is next",
            );
            let line = journal::of_alarm(record, "not told", why, json!({}), now);
            out.journal.push(line);
            return;
        };
        let plan = Arc::clone(&self.plan);
        let answered = run.due().is_none();
        let roll = Roll {
            plan: &plan,
            record,
            now,
        };
        let mut calls = Calls::default();
        let mut unanswered = run.kept.unanswered;
        for track in &mut run.kept.tracks {
            let Some(escalation) = escalation(&plan, track) else {
                continue;
            };
            let next = track.reached.map_or(0, |step| step.saturating_add(1));
            let step = next.min(escalation.last());
            track.next = Some((Cursor::Step { step, round: 0 }, now));
            advance(track, escalation, &roll, &mut calls, &mut unanswered);
            if answered {
                track.next = None;
            }
        }
        for call in &mut calls.people {
            call.why = Why::new(asked.reason, format!("{asked}: {}", call.why));
        }
        self.tell_calls(run, calls, now, out);
    }

    /// Ends what runs for an occurrence as far as `ending` ends it, and journals who is not told
    /// any more.
    pub(crate) fn end_run(
        &mut self,
        record: &AlarmRecord,
        ending: Ending,
        why: &Why,
        now: Timestamp,
        out: &mut Decision,
    ) {
        let Some(mut run) = self.runs.get(record.occurrence).cloned() else {
            return;
        };
        let plan = Arc::clone(&self.plan);
        let mut spared = NotTold::default();
        let mut ended = Vec::new();
        for track in &mut run.kept.tracks {
            let escalation = escalation(&plan, track);
            let ends = escalation.is_none_or(|escalation| ending.ends(escalation.until));
            if !ends || track.next.is_none() {
                continue;
            }
            ended.push(track.escalation.clone());
            for contact in escalation.into_iter().flat_map(|one| to_come(track, one)) {
                let detail = format!("{why}, before this step");
                spared.add(contact, Why::new(why.reason, detail));
            }
            track.next = None;
        }
        if !ended.is_empty() {
            let detail = format!("escalation {} ends: {why}", ended.join(", "));
            let why = Why::new(why.reason, detail);
            let line = journal::of_alarm(record, "escalation ended", why, json!({}), now);
            out.journal.push(line);
            spared.journal(record, now, out);
        }
        if ending != Ending::Delivered {
            run.kept.acknowledgements.clear();
            run.kept.need = 1;
            if std::mem::take(&mut run.kept.unanswered) {
                let key = unanswered::key(record.occurrence);
                out.host.push(Action::Clear(key));
            }
        }
        if ending == Ending::Over || record.state == AlarmState::Normal {
            self.runs.remove(record.occurrence);
            out.rows.push(gone(record.occurrence));
        } else {
            self.keep_run(run, out);
        }
    }

    /// A message arrived: ends escalations that wanted no more than that.
    pub(crate) fn delivered(&mut self, row: &Delivery, now: Timestamp, out: &mut Decision) {
        if row.kind != DeliveryKind::Alert {
            return;
        }
        let Some(run) = self.runs.get(row.occurrence) else {
            return;
        };
        let plan = Arc::clone(&self.plan);
        let wanted = |track: &Track| {
            track.next.is_some()
                && escalation(&plan, track).is_some_and(|one| one.until == Until::Delivered)
        };
        if run.kept.tracks.iter().any(wanted) {
            let record = run.record.clone();
            let why = Why::new(
                Reason::ReceiptDelivered,
                format!("a message to {} arrived", row.contact),
            );
            self.end_run(&record, Ending::Delivered, &why, now, out);
        }
    }

    pub(crate) fn keep_run(&mut self, run: Run, out: &mut Decision) {
        out.rows.push(run.row());
        self.runs.put(run);
    }
}

/// Adds the people of all tellings of a track that are due, and moves it on to the next.
fn advance(
    track: &mut Track,
    escalation: &Escalation,
    roll: &Roll<'_>,
    calls: &mut Calls,
    unanswered: &mut bool,
) {
    let now = roll.now;
    for _ in 0..CATCH_UP_MAX {
        let Some((cursor, due)) = track.next.filter(|(_, due)| *due <= now) else {
            return;
        };
        match escalation.step_of(cursor) {
            None => *unanswered = true,
            Some((number, step)) => {
                let late = now.since(due);
                calls.add(roll.call(&step.to, step.spread, |contact| {
                    why(track, cursor, number, contact, late)
                }));
                track.reached = track.reached.max(Some(number));
            }
        }
        track.next = escalation.after(cursor, due, now);
    }
}

fn why(track: &Track, cursor: Cursor, number: u32, contact: &str, late: Duration) -> Why {
    let (route, name) = (&track.route, &track.escalation);
    let step = number.saturating_add(1);
    let times = match cursor {
        Cursor::Step { round: 0, .. } | Cursor::Unanswered => String::new(),
        Cursor::Step { round, .. } => format!(", time {}", round.saturating_add(1)),
        Cursor::Again { round } => format!(", again {}", round.saturating_add(1)),
    };
    let late = if late > LATE {
        format!("; {} late, the host was not running", rough(late))
    } else {
        String::new()
    };
    Why::new(
        Reason::EscalationStep,
        format!("route `{route}`, step {step}{times} of escalation `{name}` tells {contact}{late}"),
    )
}

/// The escalation of a track, if the settings still say so.
fn escalation<'plan>(plan: &'plan RoutingPlan, track: &Track) -> Option<&'plan Escalation> {
    match &plan.routes.get(&track.route)?.target {
        Target::Escalation(escalation) if *escalation.name == *track.escalation => Some(escalation),
        Target::Escalation(_) | Target::People(_) | Target::Below => None,
    }
}

/// The fallback, in the place of steps that the settings no longer have.
fn left_settings(roll: &Roll<'_>, track: &Track) -> Calls {
    roll.fallback(|contact| {
        Why::new(
            Reason::NobodyAnswered,
            format!(
                "nobody answered, and escalation `{}` left the settings, so fallback {contact} is told",
                track.escalation
            ),
        )
    })
}

/// The contacts, and the schedules, of steps that were not told yet.
fn to_come<'plan>(track: &Track, escalation: &'plan Escalation) -> Vec<&'plan str> {
    let Some((Cursor::Step { step, round }, _)) = track.next else {
        return Vec::new();
    };
    let first = usize::try_from(step.saturating_add(u32::from(round > 0))).unwrap_or(usize::MAX);
    let steps = escalation.steps.iter().skip(first);
    let mut seen = BTreeSet::new();
    let names = steps.flat_map(|step| &step.to).map(|party| match party {
        Party::Contact(recipient) => &*recipient.contact,
        Party::Duty(duty) => &*duty.schedule,
    });
    names.filter(|name| seen.insert(*name)).collect()
}
