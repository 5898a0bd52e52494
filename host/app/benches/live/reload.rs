//! From the moment a new build of a component lies in the plugins folder to the first SMS that it
//! words, while the PLC's value swings over the limit and back at every read. Every swing must
//! still be told of once: no batch is skipped.
//!
//! The two builds differ in one word of their messages. Both ran before, so their code is cached.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::host::{Plant, component, high_above_500};
use crate::{pause, quantile};

/// Reloads of which the median is taken.
const ROUNDS: u64 = 40;

/// The word of a message in which the builds differ.
const WORDS: [&str; 2] = ["above", "ABOVE"];

pub(crate) fn measure() {
    let plant = Plant::new(10, "20ms");
    let first = component("limits.wasm");
    let builds = [first.clone(), reworded(&first)];
    plant.put_component("limits.wasm", &builds[0]);
    plant.put_instance("levels.toml", &high_above_500("\"t*\""));
    let _host = plant.start();
    plant.plc.swing(1_000);
    let mut told = BTreeSet::new();
    let mut millis = Vec::new();
    // Two rounds so that each build has been compiled.
    for round in 0..ROUNDS + 2 {
        let next = usize::from(round % 2 == 0);
        let began = Instant::now();
        plant.put_component("limits.wasm", &builds[next]);
        loop {
            let sms = plant.smsc.next();
            assert!(told.insert(value_of(&sms.text)), "twice: {}", sms.text);
            if sms.text.contains(WORDS[next]) {
                if round >= 2 {
                    millis.push((sms.at - began).as_secs_f64() * 1e3);
                }
                break;
            }
        }
        pause(round);
    }
    plant.plc.rest();
    while let Some(sms) = plant.smsc.within(Duration::from_secs(1)) {
        assert!(told.insert(value_of(&sms.text)), "twice: {}", sms.text);
    }
    let shown = plant.plc.all_shown();
    let peaks: Vec<u16> = shown
        .iter()
        .map(|shown| shown.value)
        .filter(|value| *value != 0)
        .collect();
    let skipped = peaks.iter().filter(|peak| !told.contains(peak)).count();
    println!("reload {:.0} ms", quantile(&millis, 0.5));
    println!("reload_max {:.0} ms", quantile(&millis, 1.0));
    println!("reload_swings {} batches", peaks.len());
    println!("reload_skipped {skipped} batches");
}

/// The same component with the other word, of the same length, so that nothing moves.
fn reworded(component: &[u8]) -> Vec<u8> {
    let [from, to] = WORDS.map(str::as_bytes);
    let mut bytes = component.to_vec();
    let places: Vec<usize> = (0..bytes.len() - from.len())
        .filter(|at| bytes[*at..].starts_with(from))
        .collect();
    assert!(!places.is_empty(), "the messages of limits have changed");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

/// The value in `t0 high: 1042 is above 500`.
fn value_of(text: &str) -> u16 {
    let (before, _) = text.split_once(" is ").expect("a message of limits");
    let value = before.rsplit(' ').next().unwrap();
    value.parse().expect("a value")
}
