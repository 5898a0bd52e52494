//! `andon shelve`, `unshelve`, `reset`, `service` and `alarms --silenced`: what people order in the
//! life of an alarm, of a running host.

use std::process::ExitCode;

use andon_alarms::Silenced;
use andon_model::{AlarmRecord, DurationText, ShelvingKind, Timestamp};
use andon_web::{Command, LifeOrder, LifeRequest, Overview};
use serde_json::Value;

use super::client::{ask, printed, read, who};
use super::print;
use crate::arguments::{Life, Place, Service, Shelve};

/// Silences an alarm for a time.
pub(super) fn shelve(options: Shelve) -> anyhow::Result<ExitCode> {
    let Shelve {
        life,
        time,
        one_shot: _,
        reason,
    } = options;
    let for_ms = time.map(millis);
    order(&life, LifeOrder::Shelve { for_ms, reason }, |answer| {
        let shelving = flag(answer, "shelved");
        let until = shelving
            .get("until")
            .and_then(Value::as_i64)
            .map(Timestamp::from_nanos);
        let end = until.map_or_else(String::new, |at| {
            if shelving.get("kind").and_then(Value::as_str) == Some("one-shot") {
                format!(" until it returns to normal, {at} at the latest")
            } else {
                format!(" until {at}")
            }
        });
        format!("shelved{end}")
    })
}

/// Ends a shelving.
pub(super) fn unshelve(life: Life) -> anyhow::Result<ExitCode> {
    order(&life, LifeOrder::Unshelve, |_| {
        "no longer shelved".to_owned()
    })
}

/// Ends a latched alarm.
pub(super) fn reset(life: Life) -> anyhow::Result<ExitCode> {
    order(&life, LifeOrder::Reset, |_| "reset; it is over".to_owned())
}

/// Takes alarms out of service, brings them back, lists those that are out.
pub(super) fn service(command: Service) -> anyhow::Result<ExitCode> {
    match command {
        Service::Out {
            life,
            back_in,
            reason,
        } => {
            let back_in_ms = back_in.map(millis);
            order(&life, LifeOrder::ServiceOut { back_in_ms, reason }, |_| {
                "out of service until somebody brings it back".to_owned()
            })
        }
        Service::Back { life } => order(&life, LifeOrder::ServiceBack, |_| {
            "back in service".to_owned()
        }),
        Service::List(place) => list(&place, |one| one.flags.out_of_service.is_some()),
    }
}

/// Lists all that is silent, with who silenced it, why, and until when.
pub(super) fn silenced(place: &Place) -> anyhow::Result<ExitCode> {
    list(place, |_| true)
}

fn list(place: &Place, wanted: impl Fn(&Silenced) -> bool) -> anyhow::Result<ExitCode> {
    let mut all: Vec<Silenced> = read(ask(place, &Command::Silenced)?)?;
    all.retain(wanted);
    if printed(place, &serde_json::to_value(&all)?) {
        return Ok(ExitCode::SUCCESS);
    }
    if all.is_empty() {
        print("Nothing is silent.");
        return Ok(ExitCode::SUCCESS);
    }
    let now: Overview = read(ask(place, &Command::Overview)?)?;
    all.iter()
        .flat_map(|one| lines_of(one, now.now))
        .for_each(print);
    Ok(ExitCode::SUCCESS)
}

/// A condition in one line, and a line for each of what silences it.
fn lines_of(one: &Silenced, now: Timestamp) -> Vec<String> {
    let state = one.alarm.as_ref().map_or_else(
        || "A normal".to_owned(),
        |alarm| format!("{} {} ({})", alarm.state.letter(), alarm.state, alarm.code),
    );
    let priority = one.priority.map_or("", |priority| priority.name());
    let mut lines = vec![format!(
        "{:<3} {:<32} {priority:<10} {state}  {}",
        one.flags.letters(),
        one.id.to_string(),
        one.message.as_deref().unwrap_or("")
    )];
    if let Some(shelving) = &one.flags.shelved {
        let end = match shelving.kind {
            ShelvingKind::Timed => "until",
            ShelvingKind::OneShot => "for one occurrence, at the latest until",
        };
        lines.push(format!(
            "    shelved by {} at {} {end} {}: {}",
            shelving.by, shelving.at, shelving.until, shelving.reason
        ));
    }
    if let Some(suppression) = &one.flags.suppressed {
        lines.push(format!(
            "    suppressed by {} since {}: {}",
            suppression.by, suppression.since, suppression.reason
        ));
    }
    if let Some(out) = &one.flags.out_of_service {
        let expected = match out.back_by {
            Some(back_by) if back_by <= now => format!(", OVERDUE since {back_by}"),
            Some(back_by) => format!(", expected back by {back_by}"),
            None => String::new(),
        };
        lines.push(format!(
            "    out of service by {} since {}{expected}: {}",
            out.by, out.since, out.reason
        ));
    }
    lines
}

/// Orders, and says what came of it in a sentence.
fn order(
    life: &Life,
    order: LifeOrder,
    done: impl FnOnce(&Value) -> String,
) -> anyhow::Result<ExitCode> {
    let command = Command::Life(LifeRequest {
        alarm: life.alarm.clone(),
        by: who(life.by.clone()),
        how: "command line".to_owned(),
        order,
    });
    let answer = ask(&life.place, &command)?;
    if printed(&life.place, &answer) {
        return Ok(ExitCode::SUCCESS);
    }
    let id = answer.get("id").and_then(Value::as_str).unwrap_or("?");
    let record: Option<AlarmRecord> = read(answer.get("alarm").cloned().unwrap_or_default())?;
    let about = record.as_ref().map_or_else(
        || "; it is normal".to_owned(),
        |record| format!(": {} {}", record.code, record.message),
    );
    print(format!("{id} is {}{about}", done(&answer)));
    if answer.get("seen").and_then(Value::as_bool) == Some(false) {
        print(format!(
            "No alarm {id} was ever raised so far; look whether its key is spelt like that."
        ));
    }
    if record.is_some_and(|record| record.is_annunciated()) {
        print("Its condition holds, so people are told.");
    }
    Ok(ExitCode::SUCCESS)
}

fn flag(answer: &Value, name: &str) -> Value {
    let flags = answer.get("flags");
    flags
        .and_then(|flags| flags.get(name))
        .cloned()
        .unwrap_or_default()
}

fn millis(time: DurationText) -> u64 {
    u64::try_from(time.0.as_millis()).unwrap_or(u64::MAX)
}
