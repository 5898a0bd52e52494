//! Commands that ask a running host through its control socket. `alarms` and `explain` also work
//! while no host runs, from the database.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use andon_model::{AlarmRecord, AlarmState, Delivery, DurationText, ShadowEnd};
use andon_store::Store;
use andon_web::{AlarmView, Command, ControlError, Overview, PluginView, ShadowView};
use anyhow::Context as _;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::explain::{self, Explained};
use super::told;
use super::{data_folder, print, small_runtime, socket_in};
use crate::arguments::Place;

/// Differences of one shadow that are printed; `--json` prints all that are kept.
const DIFFERENCES_PRINTED: usize = 10;

/// Asks the host; the answer as JSON.
pub(super) fn ask(place: &Place, command: &Command) -> anyhow::Result<Value> {
    let socket = socket_in(&data_folder(place)?);
    Ok(small_runtime()?.block_on(andon_web::ask(&socket, command))?)
}

/// Asks the host, or says that none runs.
pub(super) fn ask_if_running(place: &Place, command: &Command) -> anyhow::Result<Option<Value>> {
    match ask(place, command) {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.downcast_ref(), Some(ControlError::NotRunning { .. })) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

pub(super) fn read<T: DeserializeOwned>(value: Value) -> anyhow::Result<T> {
    serde_json::from_value(value)
        .context("the host answered something else; are both of the same version?")
}

/// Prints JSON if it is wanted; says whether it did.
pub(super) fn printed(place: &Place, value: &Value) -> bool {
    if place.json {
        print(value.to_string());
    }
    place.json
}

pub(super) fn inject(place: &Place, values: Vec<(String, String)>) -> anyhow::Result<ExitCode> {
    let count = values.len();
    let answer = ask(place, &Command::Inject { values })?;
    if !printed(place, &answer) {
        print(format!("{count} values went through, marked as a test"));
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn alarms(place: &Place) -> anyhow::Result<ExitCode> {
    let records: Vec<AlarmRecord> = match ask_if_running(place, &Command::Alarms)? {
        Some(answer) => {
            if printed(place, &answer) {
                return Ok(ExitCode::SUCCESS);
            }
            read::<Vec<AlarmView>>(answer)?
                .into_iter()
                .map(|view| view.record)
                .collect()
        }
        None => {
            let path = data_folder(place)?.join("andon.db");
            let records = Store::read_only(&path)?.standing()?;
            if printed(place, &serde_json::to_value(&records)?) {
                return Ok(ExitCode::SUCCESS);
            }
            print("No host runs; this is what its database says.");
            records
        }
    };
    if records.is_empty() {
        print("No alarm stands.");
    }
    for record in records {
        let test = if record.test { "TEST " } else { "" };
        let letters = format!("{}{}", record.state.letter(), record.flags.letters());
        print(format!(
            "{:<4} {:<10} {letters:<4} {:<24} {}  {test}{}  [{}, number {}]",
            record.code,
            record.priority,
            record.state,
            record.raised_at,
            record.message,
            record.id,
            record.occurrence
        ));
        if let Some(silence) = record.flags.silence() {
            print(format!("     {silence}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Who orders something: as named, or the user of the machine.
pub(super) fn who(by: Option<String>) -> String {
    by.or_else(|| std::env::var("USER").ok())
        .unwrap_or_else(|| "command line".into())
}

pub(super) fn acknowledge(
    place: &Place,
    alarm: String,
    by: Option<String>,
) -> anyhow::Result<ExitCode> {
    let by = who(by);
    let answer = ask(place, &Command::Acknowledge { alarm, by })?;
    if !printed(place, &answer) {
        let record: AlarmRecord = read(answer.get("alarm").cloned().unwrap_or_default())?;
        let result = answer
            .get("result")
            .and_then(Value::as_str)
            .unwrap_or("done");
        let who = record
            .acknowledged
            .map_or_else(String::new, |ack| format!(" by {} at {}", ack.by, ack.at));
        print(format!("{} {result}{who}: {}", record.code, record.message));
        if record.state == AlarmState::Latched {
            print(format!(
                "It latches: `andon reset {}` ends it.",
                record.code
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Tells the whole story of an alarm, or that of one contact in it.
pub(super) fn explain(
    place: &Place,
    alarm: String,
    contact: Option<&str>,
) -> anyhow::Result<ExitCode> {
    let explained: Explained = match ask_if_running(
        place,
        &Command::Explain {
            alarm: alarm.clone(),
        },
    )? {
        Some(answer) => read(answer)?,
        None => explain::collect(
            &Store::read_only(&data_folder(place)?.join("andon.db"))?,
            &alarm,
        )?,
    };
    if let Some(contact) = contact {
        let story = told::story(&explained, contact);
        if !printed(place, &serde_json::to_value(&story)?) {
            print(story.render().trim_end());
        }
        return Ok(ExitCode::SUCCESS);
    }
    if !printed(place, &serde_json::to_value(&explained)?) {
        print(explain::render(&explained).trim_end());
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn reload(place: &Place) -> anyhow::Result<ExitCode> {
    let answer = ask(place, &Command::Reload)?;
    if !printed(place, &answer) {
        print("The settings are taken.");
    }
    Ok(ExitCode::SUCCESS)
}

/// Healthy means that the host answers at its socket.
pub(super) fn health(place: &Place) -> anyhow::Result<ExitCode> {
    let answer = ask(place, &Command::Overview)?;
    if !printed(place, &answer) {
        let overview: Overview = read(answer)?;
        print(format!(
            "andon {} runs since {}",
            overview.version, overview.started_at
        ));
        overview
            .troubles
            .iter()
            .for_each(|trouble| print(format!("trouble: {trouble}")));
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn plugins(place: &Place) -> anyhow::Result<ExitCode> {
    let answer = ask(place, &Command::Plugins)?;
    if printed(place, &answer) {
        return Ok(ExitCode::SUCCESS);
    }
    for plugin in read::<Vec<PluginView>>(answer)? {
        print(format!(
            "{:<20} {:<24} {:<8} {:<10} {}  calls {} failed {}  {} KiB  {}",
            plugin.instance,
            plugin.component,
            plugin.kind,
            plugin.version,
            plugin.state,
            plugin.calls,
            plugin.failures,
            plugin.memory_bytes / 1024,
            plugin.hash
        ));
        if !plugin.trouble.is_empty() {
            print(format!("    {}", plugin.trouble));
        }
        if !plugin.trust.is_empty() {
            print(format!("    trusted: {}", plugin.trust));
        }
        if !plugin.earlier.is_empty() {
            print(format!(
                "    earlier good versions: {}",
                plugin.earlier.join(", ")
            ));
        }
        let shadows = plugin.shadow.iter().chain(&plugin.refused_shadow);
        shadows.for_each(print_shadow);
    }
    Ok(ExitCode::SUCCESS)
}

fn print_shadow(shadow: &ShadowView) {
    let until = shadow.until.map_or_else(
        || "until somebody decides".to_owned(),
        |at| format!("until {at} ({})", shadow.end),
    );
    print(format!(
        "    shadow {} {}  {}  since {} {until}: calls {} failed {}; {} the same, {} different \
         (only the running version {}, only the shadow {}, changed {}, at another time {})",
        shadow.version,
        shadow.hash,
        shadow.state,
        shadow.since,
        shadow.calls,
        shadow.failures,
        shadow.same,
        shadow.different,
        shadow.only_running,
        shadow.only_shadow,
        shadow.changed,
        shadow.shifted
    ));
    if !shadow.trouble.is_empty() {
        print(format!("        {}", shadow.trouble));
    }
    for difference in shadow.differences.iter().take(DIFFERENCES_PRINTED) {
        print(format!("        {difference}"));
    }
}

pub(super) fn shadow(
    place: &Place,
    instance: String,
    component: &Path,
    run_for: Option<DurationText>,
    end: ShadowEnd,
) -> anyhow::Result<ExitCode> {
    // The host has a working folder of its own.
    let path = std::path::absolute(component)?;
    let milliseconds = |time: DurationText| u64::try_from(time.0.as_millis()).unwrap_or(u64::MAX);
    let command = Command::Shadow {
        instance: instance.clone(),
        component: path.display().to_string(),
        for_ms: run_for.map(milliseconds),
        end,
    };
    let answer = ask(place, &command)?;
    if !printed(place, &answer) {
        print(format!(
            "{} runs beside {instance}; `andon plugin list` shows how it compares, \
             `andon plugin promote {instance}` lets it take over, `andon plugin refuse {instance}` ends it",
            component.display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn promote(place: &Place, instance: String) -> anyhow::Result<ExitCode> {
    let command = Command::Promote {
        instance: instance.clone(),
    };
    let answer = ask(place, &command)?;
    if !printed(place, &answer) {
        print(format!("The shadow of {instance} took over."));
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn refuse(place: &Place, instance: String) -> anyhow::Result<ExitCode> {
    let command = Command::Refuse {
        instance: instance.clone(),
    };
    let answer = ask(place, &command)?;
    if !printed(place, &answer) {
        print(format!(
            "The shadow of {instance} is ended; what ran goes on."
        ));
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn roll_back(place: &Place, component: String) -> anyhow::Result<ExitCode> {
    let answer = ask(
        place,
        &Command::Rollback {
            component: component.clone(),
        },
    )?;
    if !printed(place, &answer) {
        let hash = answer.get("runs").and_then(Value::as_str).unwrap_or("?");
        print(format!(
            "{component} runs version {hash} again; the file in the folder is ignored until it changes"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// Sends, then follows the deliveries until each has ended or the wait is over.
pub(super) fn send_test(
    place: &Place,
    contact: String,
    every_channel: bool,
    wait: u64,
) -> anyhow::Result<ExitCode> {
    let answer = ask(
        place,
        &Command::SendTest {
            contact,
            every_channel,
        },
    )?;
    let occurrence = answer
        .get("occurrence")
        .map(ToString::to_string)
        .unwrap_or_default();
    let runtime = small_runtime()?;
    let mut rows = Vec::new();
    for _ in 0..=wait.saturating_mul(2) {
        // All of the occurrence: a failover adds rows that the first answer did not name.
        let explained: Explained = read(ask(
            place,
            &Command::Explain {
                alarm: format!("#{occurrence}"),
            },
        )?)?;
        rows = explained.deliveries;
        if !rows.is_empty()
            && rows.iter().all(|row| !row.state.is_owed())
            && rows.iter().any(|row| row.state.word() != "sent")
        {
            break;
        }
        runtime.block_on(async { tokio::time::sleep(Duration::from_millis(500)).await });
    }
    if !printed(place, &serde_json::to_value(&rows)?) {
        rows.iter().for_each(|row| print(line_of(row)));
    }
    let reached = rows.iter().any(|row| row.state.has_left());
    Ok(if reached {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn line_of(row: &Delivery) -> String {
    format!(
        "{} by {}: {} ({})",
        row.contact,
        row.channel,
        row.state.word(),
        row.why
    )
}
