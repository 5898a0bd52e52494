//! Between the contract's types and the nouns of the model, with every check on an answer.
//!
//! Refused as a bad answer: more rows than allowed, columns of unequal length, an output that is
//! not described, an empty key or attribute name, too many attributes. Put right: texts are
//! cleaned and cut (see `text`), an empty message becomes the key, a value that is not finite gets
//! the quality bad, a time later than `now` becomes `now`.

use andon_model::{Action, AlarmRequest, Columns, Limits, Priority, Quality, Timestamp};

use crate::component::Declined;
use crate::limits::ATTRIBUTES_MAX;
use crate::text::clean;

use super::bindings::andon::plugin::types;

/// The host's columns, lent for a call.
pub(super) fn lend(samples: &Columns) -> types::SamplesParam<'_> {
    types::SamplesParam {
        input: &samples.input,
        value: &samples.value,
        quality: &samples.quality,
        time: &samples.time,
    }
}

pub(super) fn declined(failure: types::Failure) -> Declined {
    Declined {
        code: failure.code,
        message: failure.message,
    }
}

/// The actions of a rule, or what is wrong with them.
pub(super) fn actions(actions: Vec<types::Action>, limits: &Limits) -> Result<Vec<Action>, String> {
    check_rows(actions.len(), limits)?;
    actions
        .into_iter()
        .map(|action| match action {
            types::Action::Raise(alarm) => Ok(Action::Raise(request(alarm, limits)?)),
            types::Action::Clear(key) => Ok(Action::Clear(named(key, "key", limits)?)),
            types::Action::Notify(alarm) => Ok(Action::Notify(request(alarm, limits)?)),
        })
        .collect()
}

/// The samples of a function that has that many `outputs`, or what is wrong with them.
pub(super) fn samples(
    samples: types::SamplesResult,
    now: Timestamp,
    limits: &Limits,
    outputs: usize,
) -> Result<Columns, String> {
    let mut columns = Columns {
        input: samples.input,
        value: samples.value,
        quality: samples.quality,
        time: samples.time,
    };
    if !columns.is_even() {
        return Err(format!(
            "answered columns of unequal length: {} inputs, {} values, {} qualities, {} times",
            columns.input.len(),
            columns.value.len(),
            columns.quality.len(),
            columns.time.len()
        ));
    }
    check_rows(columns.len(), limits)?;
    let described = |index: &u32| usize::try_from(*index).is_ok_and(|index| index < outputs);
    if let Some(index) = columns.input.iter().find(|index| !described(index)) {
        return Err(format!(
            "answered a sample of output {index}, but `describe` lists {outputs}, counted from 0"
        ));
    }
    for (quality, value) in columns.quality.iter_mut().zip(&columns.value) {
        if !value.is_finite() && !Quality(*quality).is_bad() {
            *quality = Quality::BAD.0;
        }
    }
    for time in &mut columns.time {
        *time = now.nanos().min(*time);
    }
    Ok(columns)
}

fn check_rows(rows: usize, limits: &Limits) -> Result<(), String> {
    if rows <= limits.answer_rows {
        return Ok(());
    }
    Err(format!(
        "answered {rows} rows, and the instance may answer {}: raise that limit if the plugin is \
         right",
        limits.answer_rows
    ))
}

fn request(alarm: types::Alarm, limits: &Limits) -> Result<AlarmRequest, String> {
    let key = named(alarm.key, "key", limits)?;
    let attributes = alarm.attributes.len();
    if attributes > ATTRIBUTES_MAX {
        return Err(format!(
            "gave the alarm `{key}` {attributes} attributes, and it may have {ATTRIBUTES_MAX}"
        ));
    }
    let message = clean(alarm.message, limits.message_chars);
    Ok(AlarmRequest {
        message: if message.is_empty() {
            key.clone()
        } else {
            message
        },
        key,
        priority: priority(alarm.priority),
        attributes: alarm
            .attributes
            .into_iter()
            .map(|(name, value)| {
                let name = named(name, "attribute name", limits)?;
                Ok((name, clean(value, limits.message_chars)))
            })
            .collect::<Result<_, String>>()?,
    })
}

/// A text that names something: clean and not empty.
fn named(text: String, what: &str, limits: &Limits) -> Result<String, String> {
    let text = clean(text, limits.message_chars);
    if text.is_empty() {
        return Err(format!("answered an alarm with an empty {what}"));
    }
    Ok(text)
}

const fn priority(priority: types::Priority) -> Priority {
    match priority {
        types::Priority::Diagnostic => Priority::Diagnostic,
        types::Priority::Low => Priority::Low,
        types::Priority::Medium => Priority::Medium,
        types::Priority::High => Priority::High,
        types::Priority::Critical => Priority::Critical,
    }
}
