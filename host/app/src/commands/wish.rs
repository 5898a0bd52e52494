//! `andon take` and `escalate`: what people want of an alarm of a running host.

use std::process::ExitCode;

use andon_model::AlarmRecord;
use andon_web::{AlarmWish, Command, Wish};
use serde_json::Value;

use super::client::{ask, printed, read, who};
use super::print;
use crate::arguments::Life;

/// Asks for it, and says what came of it.
pub(super) fn wish(life: Life, wish: AlarmWish) -> anyhow::Result<ExitCode> {
    let done = match wish {
        AlarmWish::Acknowledge => "acknowledged",
        AlarmWish::Take => "taken",
        AlarmWish::Escalate => "goes to the next now",
    };
    let already = match wish {
        AlarmWish::Acknowledge => "was acknowledged already",
        AlarmWish::Take => "was taken by the same person already",
        AlarmWish::Escalate => "has nobody further to tell",
    };
    let asked = Wish {
        alarm: life.alarm,
        wish,
        by: who(life.by),
        how: "command line".to_owned(),
    };
    let answer = ask(&life.place, &Command::Wish(asked))?;
    if !printed(&life.place, &answer) {
        let record: AlarmRecord = read(answer.get("alarm").cloned().unwrap_or_default())?;
        let says = match answer.get("result").and_then(Value::as_str) {
            Some("already") => already,
            Some("over") => "is over already",
            Some("counted") => "counts; more people have to acknowledge it",
            Some(_) | None => done,
        };
        print(format!("{} {says}: {}", record.code, record.message));
    }
    Ok(ExitCode::SUCCESS)
}
