//! A rule that behaves: it counts samples, raises above a threshold, remembers, wakes and logs.

use crate::guest::bindings::andon::plugin::{log, state, timer};
use crate::guest::{Action, Failure, Samples, alarm};

/// Raises above this value and clears at or below it.
const THRESHOLD: f64 = 80.0;

/// One minute in nanoseconds.
const MINUTE: i64 = 60_000_000_000;

/// Counts the samples in its state, raises per input above the threshold, asks to be woken in a
/// minute, and logs one line.
pub(crate) fn evaluate(now: i64, samples: &Samples) -> Result<Vec<Action>, Failure> {
    let before = state::get("count")
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u64::from_le_bytes);
    let count = before + samples.input.len() as u64;
    state::set("count", &count.to_le_bytes())?;
    timer::wake_at(now + 2 * MINUTE);
    timer::wake_at(now + MINUTE);
    log::write(log::Level::Info, &format!("{count} samples so far"));
    let rows = samples.input.iter().zip(&samples.value);
    Ok(rows
        .map(|(input, value)| {
            let key = format!("input{input}.high");
            if *value > THRESHOLD {
                Action::Raise(alarm(key, format!("input {input} is {value}")))
            } else {
                Action::Clear(key)
            }
        })
        .collect())
}

/// What the bench measures: one pass over the columns, an action per sample above the threshold.
pub(crate) fn threshold(samples: &Samples) -> Vec<Action> {
    let mut actions = Vec::new();
    let rows = samples
        .input
        .iter()
        .zip(&samples.value)
        .zip(&samples.quality);
    for ((input, value), quality) in rows {
        if *quality >= 192 && *value > THRESHOLD {
            actions.push(Action::Raise(alarm(input, value)));
        }
    }
    actions
}
