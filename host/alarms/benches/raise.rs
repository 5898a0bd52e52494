//! What a thousand alarms that one rule raises at once cost the book, with the rows for the store,
//! and what clearing them all costs. Nothing is promised of it; it shows where work grows faster
//! than the alarms. Prints lines `NAME VALUE UNIT`; `cargo xtask bench` reads them.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a bench measures with the real clock and prints"
)]

use std::hint::black_box;
use std::time::Instant;

use andon_alarms::{AcknowledgementNeed, AlarmBook, AlarmLimits, ResetNeed, Source};
use andon_model::{
    Action, AlarmRequest, Commit, Labels, OccurrenceId, Origin, Priority, Timestamp,
};

const ALARMS: usize = 1_000;

/// Measurements of which the median is taken.
const ROUNDS: usize = 51;

fn main() {
    let labels = Labels::from([("area".to_owned(), "north".to_owned())]);
    let source = Source {
        instance: "tanks",
        labels: &labels,
        acknowledgement: AcknowledgementNeed::NotNeeded,
        reset: ResetNeed::NotNeeded,
        origin: Origin::Device,
    };
    let mut book = AlarmBook::restore(Vec::new(), OccurrenceId(0), AlarmLimits::default());
    let (mut raises, mut clears) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let now = Timestamp::from_secs(1_700_000_000 + i64::try_from(round).unwrap());
        raises.push(time(&mut book, now, &source, |number| {
            Action::Raise(request(number))
        }));
        clears.push(time(&mut book, now, &source, |number| {
            Action::Clear(key(number))
        }));
    }
    println!("alarms_raise_1000 {:.2} ms", median(raises));
    println!("alarms_clear_1000 {:.2} ms", median(clears));
}

/// Milliseconds that a thousand such actions take.
fn time(
    book: &mut AlarmBook,
    now: Timestamp,
    source: &Source<'_>,
    action: impl Fn(usize) -> Action,
) -> f64 {
    let actions = (0..ALARMS).map(action).collect();
    let began = Instant::now();
    let applied = book.apply(now, source, actions);
    let mut commit = Commit::default();
    book.record(&applied.events, &mut commit);
    let took = began.elapsed();
    assert_eq!(black_box(commit).alarms.len(), ALARMS);
    took.as_secs_f64() * 1e3
}

fn key(number: usize) -> String {
    format!("tank{number}.level.high")
}

fn request(number: usize) -> AlarmRequest {
    AlarmRequest {
        key: key(number),
        priority: Priority::High,
        message: format!("Tank {number}: level is 93.2 %, above 90 %"),
        attributes: vec![("tag".to_owned(), format!("tank{number}.level"))],
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
