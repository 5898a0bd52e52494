//! `andon oncall`: who is on call now, or at another moment, and the coming handovers.
//!
//! A running host is asked, because it may still work by earlier settings; while none runs, the
//! settings answer. Both make the same [`OnCallView`].

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use andon_model::{Clock as _, Timestamp};
use andon_routing::{OnDuty, RoutingPlan, Schedule};
use andon_web::{ComingView, Command, DutyView, OnCallView};

use super::client::{ask_if_running, read};
use super::print;
use crate::arguments::OnCall;
use crate::clock::SystemClock;
use crate::workshop::SettingsFile;

/// Handovers that are printed of one schedule; `--json` prints all.
const PRINTED_MAX: usize = 100;
/// Schedules on the page.
const SHOWN_MAX: usize = 50;

pub(super) fn on_call(arguments: &OnCall) -> anyhow::Result<ExitCode> {
    let place = &arguments.place;
    let asked = ask_if_running(
        place,
        &Command::OnCall {
            schedule: arguments.schedule.clone(),
            at: arguments.at.clone(),
            days: arguments.days,
        },
    )?;
    let (views, running) = match asked {
        Some(answer) => (read::<Vec<OnCallView>>(answer)?, true),
        None => (from_settings(arguments)?, false),
    };
    if place.json {
        print(serde_json::to_string(&views)?);
        return Ok(ExitCode::SUCCESS);
    }
    if !running {
        print("No host runs; this is what its settings say.");
    }
    if views.is_empty() {
        print("The settings have no [[schedules]].");
    }
    views.iter().flat_map(lines).for_each(print);
    Ok(ExitCode::SUCCESS)
}

fn from_settings(arguments: &OnCall) -> anyhow::Result<Vec<OnCallView>> {
    let plan = SettingsFile::at(&arguments.place.config)
        .read()
        .map_err(|problems| {
            let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("the settings are refused:\n{}", told.join("\n"))
        })?;
    let (schedule, at) = (arguments.schedule.as_deref(), arguments.at.as_deref());
    let now = SystemClock::start().now();
    view(&plan.routing, schedule, at, arguments.days, now).map_err(anyhow::Error::msg)
}

/// What the schedules say, or the one of this name.
///
/// # Errors
/// There is no such schedule, or `at` is not a local time; what to do.
pub(crate) fn view(
    people: &RoutingPlan,
    schedule: Option<&str>,
    at: Option<&str>,
    days: u16,
    now: Timestamp,
) -> Result<Vec<OnCallView>, String> {
    let chosen: Vec<&Arc<Schedule>> = match schedule {
        None => people.schedules().collect(),
        Some(name) => vec![people.schedule(name).ok_or_else(|| {
            let known: Vec<&str> = people.schedules().map(|one| &**one.name()).collect();
            format!(
                "there is no schedule named `{name}`; the settings have {}",
                if known.is_empty() {
                    "none".to_owned()
                } else {
                    known.join(", ")
                }
            )
        })?],
    };
    chosen
        .into_iter()
        .map(|schedule| {
            let at = match at {
                None => now,
                Some(text) => schedule.moment(text).ok_or_else(|| {
                    format!("`{text}` is not a local time: write it like \"2026-12-24 18:00\"")
                })?,
            };
            Ok(view_of(schedule, at, days))
        })
        .collect()
}

fn view_of(schedule: &Schedule, at: Timestamp, days: u16) -> OnCallView {
    let end = at.plus(Duration::from_secs(86_400) * u32::from(days));
    let stretches = schedule.stretches(at, end).into_iter().skip(1);
    let coming = stretches.map(|one| coming_view(schedule, one.from, one.on_duty));
    now_view(schedule, at, coming.collect())
}

/// Who is on call now by the first schedules, and the next handover of each: for the page.
pub(crate) fn brief(people: &RoutingPlan, now: Timestamp) -> Vec<OnCallView> {
    let schedules = people.schedules().take(SHOWN_MAX);
    let brief = schedules.map(|schedule| {
        let next = schedule.next_change(now).into_iter();
        let coming = next.map(|at| coming_view(schedule, at, schedule.on_call(at)));
        now_view(schedule, now, coming.collect())
    });
    brief.collect()
}

fn now_view(schedule: &Schedule, at: Timestamp, coming: Vec<ComingView>) -> OnCallView {
    OnCallView {
        schedule: schedule.name().to_string(),
        time_zone: schedule.time_zone().to_owned(),
        at,
        at_local: schedule.local(at),
        on_call: duties(schedule, schedule.on_call(at)),
        coming,
    }
}

fn coming_view(schedule: &Schedule, from: Timestamp, on_duty: Vec<OnDuty>) -> ComingView {
    ComingView {
        from,
        from_local: schedule.local(from),
        on_call: duties(schedule, on_duty),
    }
}

fn duties(schedule: &Schedule, on_duty: Vec<OnDuty>) -> Vec<DutyView> {
    let duty = |one: OnDuty| DutyView {
        contact: one.contact.to_string(),
        by: one.by.to_string(),
        since: one.since,
        until: one.until,
        until_local: schedule.local(one.until),
    };
    on_duty.into_iter().map(duty).collect()
}

/// A schedule as people read it.
fn lines(view: &OnCallView) -> Vec<String> {
    let mut lines = vec![format!("{} ({})", view.schedule, view.time_zone)];
    let people = |on_call: &[DutyView]| -> Vec<String> {
        if on_call.is_empty() {
            return vec!["nobody".to_owned()];
        }
        let told = on_call
            .iter()
            .map(|one| format!("{:<20} until {}  {}", one.contact, one.until_local, one.by));
        told.collect()
    };
    for (index, line) in people(&view.on_call).into_iter().enumerate() {
        let at = if index == 0 { &view.at_local } else { "" };
        lines.push(format!("* {at:<21} {line}"));
    }
    for coming in view.coming.iter().take(PRINTED_MAX) {
        for (index, line) in people(&coming.on_call).into_iter().enumerate() {
            let from = if index == 0 { &coming.from_local } else { "" };
            lines.push(format!("  {from:<21} {line}"));
        }
    }
    if let Some(more) = view
        .coming
        .len()
        .checked_sub(PRINTED_MAX)
        .filter(|more| *more > 0)
    {
        lines.push(format!("  and {more} more; --json prints all"));
    }
    lines
}
